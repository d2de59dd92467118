/* cache.c - what the folder of downloaded packages may hold: `cache_size`, and no file that nobody
 * needs once `wapt-get clean` was there.
 *
 * What the running task has still to do, and what the next upgrade would install, is never removed;
 * of the rest the oldest goes first. What a file is called and how large it is comes from an index:
 * neither makes more of it fit than the limit says.
 */
#include "agent/install_priv.h"
#include "agent/tasks.h"
#include "agent/work.h"

static const struct wa_relpath folder = {"cache", 5};

struct cache {
    struct wa_task_run *run;
    struct wa_buf pending; /* lines: files of the next upgrade */
    const char *own;       /* name of the file to come, or its part's */
    bool all;              /* clean: also what is needed */
    uint64_t bytes;
    char oldest[WA_NAME_MAX + 1]; /* "": nothing can go */
    int64_t since;
    uint64_t oldest_bytes;
};

/* A name, or that of its part: NAME.md5.part. */
static bool is_of(struct wa_sv name, const char *file)
{
    size_t n = strlen(file);
    return n > 0 && wa_sv_starts(name, file) &&
           (name.n == n || (name.p[n] == '.' && wa_sv_ends(name, ".part")));
}

static bool is_needed(const struct cache *c, struct wa_sv name)
{
    const struct wa_plan *plan = c->run->plan;
    struct wa_sv rest = wa_buf_sv(&c->pending), line;
    for (size_t i = c->run->plan_at; plan != NULL && i < plan->n; i++)
        if (plan->items[i].to != NULL &&
            is_of(name, wa_control_get(plan->items[i].to, WA_A_FILENAME)))
            return true;
    while (rest.n > 0 && wa_sv_split(&rest, '\n', &line))
        if (wa_sv_eq(name, line))
            return true;
    return false;
}

static enum wa_code cache_init(struct cache *c, struct wa_task_run *run, struct wa_err *err)
{
    *c = (struct cache){.run = run};
    wa_buf_init(&c->pending, WA_PENDING_BYTES_MAX);
    return wa_param_get(run->m->tdb, "pending_files", &c->pending, err);
}

static enum wa_code count(void *user, const char *name, const struct wa_stat *st,
                          struct wa_err *err)
{
    struct cache *c = user;
    WA_UNUSED(err);
    if (!st->is_file)
        return WA_OK;
    if (c->own != NULL && is_of(wa_sv(name), c->own))
        return WA_OK; /* it is replaced or gone on with: its size is that of what is to come */
    c->bytes += st->size;
    if ((c->oldest[0] == '\0' || st->mtime < c->since) && !is_needed(c, wa_sv(name))) {
        (void)snprintf(c->oldest, sizeof c->oldest, "%s", name);
        c->since = st->mtime;
        c->oldest_bytes = st->size;
    }
    return WA_OK;
}

static enum wa_code drop_oldest(struct cache *c, const struct wa_dir *dir, struct wa_err *err)
{
    struct wa_relpath name;
    if (wa_relpath_parse(wa_sv(c->oldest), &name, err) != WA_OK ||
        wa_file_remove(dir, &name, err) != WA_OK)
        return err->code;
    wa_log(&c->run->m->log, WA_LOG_INFO, "cache.evicted", WA_LF_S("file", c->oldest),
           WA_LF_I("bytes", (int64_t)c->oldest_bytes));
    return WA_OK;
}

static enum wa_code make_room(struct cache *c, uint64_t max, uint64_t bytes, struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    if (wa_dir_open_sub(&c->run->m->base, &folder, &dir, err) != WA_OK)
        return err->code;
    for (;;) {
        c->bytes = 0;
        c->oldest[0] = '\0';
        if (wa_dir_list(&dir, count, c, err) != WA_OK)
            return err->code;
        if (c->bytes <= max && bytes <= max - c->bytes)
            return WA_OK;
        if (c->oldest[0] == '\0' || bytes > max)
            return wa_fail(err, WA_E_LIMIT,
                           "no room for %llu bytes among the downloaded packages: the rest is "
                           "needed; allow more than %lld MB with cache_size",
                           (unsigned long long)bytes, (long long)c->run->m->config.cache_max_mib);
        if (drop_oldest(c, &dir, err) != WA_OK)
            return err->code;
    }
}

enum wa_code wa_cache_make_room(struct wa_task_run *run, const char *file, uint64_t bytes,
                                struct wa_err *err)
{
    struct cache c;
    enum wa_code code = cache_init(&c, run, err);
    c.own = file;
    if (code == WA_OK)
        code = make_room(&c, (uint64_t)run->m->config.cache_max_mib << 20, bytes, err);
    wa_buf_fini(&c.pending);
    return code;
}

/* --- cleaning --- */

static enum wa_code clean_one(void *user, const char *name, const struct wa_stat *st,
                              struct wa_err *err)
{
    struct cache *c = user;
    struct wa_relpath path;
    char text[WA_RELPATH_MAX + 1];
    if (!st->is_file || (!c->all && is_needed(c, wa_sv(name))))
        return WA_OK;
    (void)snprintf(text, sizeof text, "cache/%s", name);
    if (wa_relpath_parse(wa_sv(text), &path, err) != WA_OK ||
        wa_file_remove(&c->run->m->base, &path, err) != WA_OK)
        return err->code;
    c->run->done++;
    return WA_OK;
}

enum wa_code wa_task_clean(struct wa_task_run *run, struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    struct cache c;
    enum wa_code code = cache_init(&c, run, err);
    c.all = run->request.force;
    if (code == WA_OK)
        code = wa_dir_open_sub(&run->m->base, &folder, &dir, err);
    if (code == WA_OK)
        code = wa_dir_list(&dir, clean_one, &c, err);
    wa_buf_fini(&c.pending);
    return code;
}

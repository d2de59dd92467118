/* icons.c - the icons of packages, for the programs of this machine's users, which have no network:
 * kept in private/icons, fetched from the repository when somebody has asked for one.
 *
 * A repository's icons are not signed, and are judged by nothing but their head: they are for
 * browsers to show, as the pictures that they are. The loop's thread answers and notes what is
 * wanted; the task thread fetches one at a time when it has no task. An empty file says that there
 * was none. Whoever asks, there are so many at a time and in an hour, and the oldest ones go.
 */
#include "agent/icons.h"
#include "agent/inventory.h"
#include "agent/repo_fetch.h"
#include "agent/selfservice.h"
#include "agent/tasks.h"

#include "codec/base64.h"
#include "codec/png.h"
#include "os/clock.h"

#define FOLDER "private/icons"

static enum wa_code path_of(const char *uuid, struct wa_relpath *ret, struct wa_err *err)
{
    char text[sizeof FOLDER + WA_UUID_MAX + 8];
    (void)snprintf(text, sizeof text, "%s/%s.png", FOLDER, uuid);
    return wa_relpath_parse(wa_sv(text), ret, err);
}

/* --- asking --- */

struct icon {
    char package[WA_NAME_MAX + 1];
    const struct wa_control *c; /* NULL: nothing of that name is offered */
    const char *repo;
};

/* As the catalogue chooses: what would be installed. */
static void choose(const struct wa_available *a, const struct wa_host_caps *caps, struct icon *i)
{
    for (size_t k = 0; k < a->n; k++) {
        const struct wa_control *c = &a->items[k];
        if (strcmp(wa_control_get(c, WA_A_PACKAGE), i->package) == 0 &&
            wa_self_is_offered(wa_control_get(c, WA_A_SECTION)) && wa_host_accepts(caps, c, NULL) &&
            (i->c == NULL || wa_candidate_cmp(caps, c, i->c) >= 0)) {
            i->c = c;
            i->repo = a->repos[k];
        }
    }
}

/* Under the lock. False: not now. */
static bool note(struct wa_icons_wanted *w, const char *uuid, const char *repo, uint64_t now)
{
    if (now - w->hour_ms >= WA_ICONS_HOUR_MS) {
        w->hour_ms = now;
        w->fetched = 0;
    }
    for (size_t i = 0; i < w->n; i++)
        if (strcmp(w->items[i].uuid, uuid) == 0)
            return true;
    if (w->n == WA_ICONS_WANTED_MAX || now < w->again_ms ||
        w->fetched + w->n >= WA_ICONS_FETCHED_MAX)
        return false;
    (void)snprintf(w->items[w->n].uuid, sizeof w->items[w->n].uuid, "%s", uuid);
    (void)snprintf(w->items[w->n].repo, sizeof w->items[w->n].repo, "%s", repo);
    w->n++;
    return true;
}

static bool want(struct wa_manager *m, const char *uuid, const char *repo)
{
    wa_lock_take(m->lock);
    bool is_noted = note(&m->icons, uuid, repo, wa_clock_mono_ms());
    if (is_noted)
        wa_lock_signal(m->lock);
    wa_lock_give(m->lock);
    return is_noted;
}

/* What is there of it: png filled for "known". */
static const char *look(struct wa_manager *m, const struct icon *i, struct wa_buf *png)
{
    const char *uuid = i->c != NULL ? wa_control_get(i->c, WA_A_PACKAGE_UUID) : "";
    struct wa_relpath path;
    struct wa_stat st;
    struct wa_err absent = WA_ERR_INIT;
    if (!wa_package_uuid_is(wa_sv(uuid)) || path_of(uuid, &path, &absent) != WA_OK)
        return "none";
    if (wa_file_stat(&m->base, &path, &st, &absent) != WA_OK ||
        (st.size == 0 && wa_clock_now() - st.mtime > WA_ICONS_NONE_S))
        return want(m, uuid, i->repo) ? "coming" : "none";
    return st.size > 0 &&
                   wa_file_read(&m->base, &path, WA_ICON_KEPT_BYTES_MAX, png, &absent) == WA_OK
               ? "known"
               : "none";
}

static void write_icon(struct wa_jw *w, const char *package, const char *state, struct wa_sv png)
{
    wa_jw_obj(w);
    wa_jw_kv(w, "package", package);
    wa_jw_kv(w, "state", state);
    wa_jw_kvsv(w, "png", png);
    wa_jw_end(w);
}

static enum wa_code write_one(struct wa_manager *m, const struct icon *i, size_t *total,
                              struct wa_jw *w, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf png;
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&png, WA_ICON_KEPT_BYTES_MAX);
    wa_buf_init(&text, 2 * WA_ICON_KEPT_BYTES_MAX);
    if (*total + WA_ICON_KEPT_BYTES_MAX > WA_ICONS_ANSWER_MAX) {
        write_icon(w, i->package, "later", WA_SV(""));
        return WA_OK;
    }
    const char *state = look(m, i, &png);
    wa_base64_encode(png.p, png.n, &text);
    *total += png.n;
    write_icon(w, i->package, state, wa_buf_sv(&text));
    return wa_buf_check(&text, err);
}

enum wa_code wa_icons_write(struct wa_manager *m, const struct wa_local_request *r, struct wa_jw *w,
                            struct wa_err *err)
{
    WA_AUTO_AVAILABLE struct wa_available a = {.n = 0};
    struct wa_host_caps caps;
    size_t total = 0;
    if (wa_available_load(m->db, &a, err) != WA_OK)
        return err->code;
    wa_manager_caps(m, &caps);
    wa_jw_obj(w);
    wa_jw_key(w, "icons");
    wa_jw_arr(w);
    for (size_t i = 0; i < r->package_count; i++) {
        struct icon icon = {.c = NULL};
        if (r->packages[i].n >= sizeof icon.package)
            continue; /* no package's name */
        (void)snprintf(icon.package, sizeof icon.package, "%.*s", WA_SV_ARG(r->packages[i]));
        choose(&a, &caps, &icon);
        if (write_one(m, &icon, &total, w, err) != WA_OK)
            return err->code;
    }
    wa_jw_end(w);
    wa_jw_end(w);
    return WA_OK;
}

/* --- fetching --- */

struct fetched {
    const char *uuid;
    struct wa_buf png;
    bool is_absent; /* the repository says so */
};

static enum wa_code fetch_from(struct wa_task_run *run, const struct wa_agent_repo *r,
                               struct wa_sv address, void *user, struct wa_err *err)
{
    struct fetched *f = user;
    struct wa_fetch_result result;
    struct wa_buf_sink sink;
    char url[4096];
    wa_buf_clear(&f->png);
    wa_buf_sink_init(&sink, &f->png);
    if (snprintf(url, sizeof url, "%.*s/icons/%s.png", WA_SV_ARG(address), f->uuid) >=
        (int)sizeof url)
        return wa_fail(err, WA_E_LIMIT, "the address of repository '%s' is too long", r->name);
    const struct wa_repo_get get = {.url = url,
                                    .max_bytes = WA_ICON_KEPT_BYTES_MAX,
                                    .timeout_ms = WA_ICON_FETCH_MS,
                                    .is_quiet = true};
    if (wa_repo_fetch(run, r, &get, &sink.base, &result, err) != WA_OK)
        return err->code;
    if (result.status == 200)
        return WA_OK;
    f->is_absent |= result.status == 404;
    return wa_fail(err, result.status == 404 ? WA_E_NOT_FOUND : WA_E_UNREACHABLE,
                   "'%s' answered with status %d", url, result.status);
}

struct kept {
    size_t n;
    char oldest[WA_NAME_MAX + 1];
    int64_t since;
};

static enum wa_code count(void *user, const char *name, const struct wa_stat *st,
                          struct wa_err *err)
{
    struct kept *k = user;
    WA_UNUSED(err);
    if (k->n++ == 0 || st->mtime < k->since) {
        k->since = st->mtime;
        (void)snprintf(k->oldest, sizeof k->oldest, "%s", name);
    }
    return WA_OK;
}

static enum wa_code make_room(struct wa_manager *m, struct wa_err *err)
{
    const struct wa_relpath folder = {FOLDER, sizeof FOLDER - 1};
    struct kept k = {.n = 0};
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    struct wa_relpath oldest;
    if (wa_dir_open_sub(&m->base, &folder, &dir, err) != WA_OK ||
        wa_dir_list(&dir, count, &k, err) != WA_OK)
        return err->code;
    if (k.n < WA_ICONS_KEPT_MAX)
        return WA_OK;
    return wa_relpath_parse(wa_sv(k.oldest), &oldest, err) == WA_OK
               ? wa_file_remove(&dir, &oldest, err)
               : err->code;
}

/* Too large, or no picture: as good as none. */
static bool is_none(const struct fetched *f, const struct wa_err *why)
{
    return why->code == WA_OK ? !wa_png_is_icon(wa_buf_sv(&f->png))
                              : f->is_absent || why->code == WA_E_LIMIT;
}

static enum wa_code fetch(struct wa_manager *m, const char *uuid, const char *repo,
                          struct wa_err *err)
{
    const struct wa_task none = {.id = 0};
    struct wa_task_run run = {.m = m, .task = &none};
    const struct wa_agent_repo *r = wa_agent_repo_find(&m->config, repo);
    struct fetched f = {.uuid = uuid};
    struct wa_relpath path;
    struct wa_err why = WA_ERR_INIT;
    size_t at = 0;
    wa_buf_init(&run.log, WA_TASK_LOG_MAX);
    wa_buf_init(&f.png, WA_ICON_KEPT_BYTES_MAX);
    if (r != NULL)
        (void)!wa_repo_each(&run, r, &at, fetch_from, &f, &why);
    if (is_none(&f, &why)) {
        wa_err_clear(&why);
        wa_buf_clear(&f.png);
    }
    *err = why;
    if (err->code == WA_OK && path_of(uuid, &path, err) == WA_OK && make_room(m, err) == WA_OK)
        (void)!wa_file_replace(&m->base, &path, wa_buf_sv(&f.png), 0600, err);
    wa_buf_fini(&run.log);
    wa_buf_fini(&f.png);
    return err->code;
}

bool wa_icons_fetch(struct wa_manager *m)
{
    struct wa_icons_wanted *w = &m->icons;
    char uuid[WA_UUID_MAX + 1], repo[sizeof w->items[0].repo];
    struct wa_err err = WA_ERR_INIT;
    wa_lock_take(m->lock);
    bool is_wanted = w->n > 0 && !m->stopping && m->stopped_until_ms == 0;
    if (is_wanted) {
        memcpy(uuid, w->items[0].uuid, sizeof uuid);
        memcpy(repo, w->items[0].repo, sizeof repo);
        w->fetched++;
        wa_cancel_reset(m->cancel); /* it was for the task before */
    }
    wa_lock_give(m->lock);
    if (!is_wanted)
        return false;
    if (fetch(m, uuid, repo, &err) != WA_OK)
        wa_log_err(&m->log, WA_LOG_WARNING, "icons.failed", &err);
    wa_lock_take(m->lock);
    w->n = err.code == WA_OK ? w->n - 1 : 0; /* a repository that is away is left alone */
    memmove(&w->items[0], &w->items[1], w->n * sizeof w->items[0]);
    if (err.code != WA_OK)
        w->again_ms = wa_clock_mono_ms() + WA_ICONS_AGAIN_MS;
    wa_lock_give(m->lock);
    return true;
}

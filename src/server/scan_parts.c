/* scan_parts.c - the files of incoming/: uploads that grow there, what is replaced, and what an
 * interruption has left.
 *
 *   up_<id>.part   an upload; fronts append to it, one at a time
 *   <random>.part  a document, of which one request brings all; nobody goes on with it
 *   old_<name>     the package that another replaces, or that is being deleted
 */
#include "os/clock.h"
#include "server/scan_role.h"

#define UPLOAD "up_"
#define OLD "old_"

static const struct wa_relpath incoming = {"incoming", 8};

static enum wa_code add_size(void *user, const char *name, const struct wa_stat *st,
                             struct wa_err *err)
{
    WA_UNUSED(err);
    if (strncmp(name, UPLOAD, 3) == 0)
        *(uint64_t *)user += st->size;
    return WA_OK;
}

/* Room for all that was promised to come, and for what the server itself needs. */
static enum wa_code check_room(const struct wa_scan_role *s, int64_t reserved, struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    uint64_t have = 0, free_bytes = 0, keep = (uint64_t)s->child.config.upload_keep << 20;
    if (wa_dir_open_sub(&s->repo, &incoming, &dir, err) != WA_OK ||
        wa_dir_list(&dir, add_size, &have, err) != WA_OK ||
        wa_path_free_bytes(s->path, &free_bytes, err) != WA_OK)
        return err->code;
    uint64_t promised = (uint64_t)reserved > have ? (uint64_t)reserved - have : 0;
    return free_bytes >= keep && free_bytes - keep >= promised
               ? WA_OK
               : wa_fail(err, WA_E_NO_SPACE,
                         "the disk has %llu bytes, and uploads leave %llu of them free",
                         (unsigned long long)free_bytes, (unsigned long long)keep);
}

enum wa_code wa_scan_part(const struct wa_scan_role *s, const struct wa_scan_question *q,
                          int64_t *ret_bytes, struct wa_err *err)
{
    struct wa_relpath path;
    struct wa_stat st;
    struct wa_err missing = WA_ERR_INIT;
    WA_AUTO_FD int fd = -1;
    if (wa_relpath_parse(q->file, &path, err) != WA_OK)
        return err->code;
    if (!wa_sv_starts(q->file, "incoming/" UPLOAD))
        return wa_fail(err, WA_E_INTERNAL, "'%s' is not the file of an upload", path.p);
    if (wa_file_stat(&s->repo, &path, &st, &missing) == WA_OK) {
        *ret_bytes = (int64_t)st.size;
        return WA_OK;
    }
    if (missing.code != WA_E_NOT_FOUND)
        return wa_fail(err, missing.code, "%s", missing.text);
    if (check_room(s, q->reserved, err) != WA_OK ||
        wa_file_create(&s->repo, &path, 0644, &fd, err) != WA_OK)
        return err->code;
    *ret_bytes = 0;
    return WA_OK;
}

struct sweep {
    const struct wa_scan_role *role;
    int64_t before;
};

static enum wa_code sweep_one(void *user, const char *name, const struct wa_stat *st,
                              struct wa_err *err)
{
    const struct sweep *w = user;
    struct wa_relpath path;
    if (strncmp(name, UPLOAD, 3) != 0 || st->mtime > w->before)
        return WA_OK;
    if (wa_scan_path("incoming/", name, &path, err) != WA_OK)
        return err->code;
    wa_log(&w->role->child.log, WA_LOG_INFO, "upload.expired", WA_LF_S("file", name),
           WA_LF_I("bytes", (int64_t)st->size));
    return wa_tree_remove(&w->role->repo, &path, err);
}

enum wa_code wa_scan_sweep(const struct wa_scan_role *s, int64_t seconds, struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    struct sweep w = {s, wa_clock_now() - seconds};
    return wa_dir_open_sub(&s->repo, &incoming, &dir, err) == WA_OK
               ? wa_dir_list(&dir, sweep_one, &w, err)
               : err->code;
}

/* Servers of one database share incoming/, and the others may be at work: what they replace is left
 * alone (the next package of that name removes it), and so are documents that may be on their way.
 */
#define DOCUMENT_S 3600
static bool may_be_anothers(const struct wa_scan_role *s, const char *name,
                            const struct wa_stat *st)
{
    const char *database = s->child.config.database;
    bool is_shared = database != NULL && database[0] != '\0';
    return is_shared && (strncmp(name, OLD, 4) == 0 || st->mtime > wa_clock_now() - DOCUMENT_S);
}

static enum wa_code tidy_one(void *user, const char *name, const struct wa_stat *st,
                             struct wa_err *err)
{
    const struct wa_scan_role *s = user;
    struct wa_relpath from, to;
    struct wa_stat there;
    struct wa_err none = WA_ERR_INIT;
    if (strncmp(name, UPLOAD, 3) == 0 || may_be_anothers(s, name, st))
        return WA_OK;
    if (wa_scan_path("incoming/", name, &from, err) != WA_OK)
        return err->code;
    if (strncmp(name, OLD, 4) == 0 && wa_scan_path("wapt/", name + 4, &to, err) == WA_OK &&
        wa_file_stat(&s->repo, &to, &there, &none) == WA_E_NOT_FOUND)
        return wa_file_rename(&s->repo, &from, &s->repo, &to, err);
    return err->code != WA_OK ? err->code : wa_tree_remove(&s->repo, &from, err);
}

enum wa_code wa_scan_tidy(struct wa_scan_role *s, struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    return wa_dir_open_sub(&s->repo, &incoming, &dir, err) == WA_OK
               ? wa_dir_list(&dir, tidy_one, s, err)
               : err->code;
}

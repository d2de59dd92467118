/* moving.c - what WAPT 1.8 left in this base directory becomes the agent's, once: installed
 * packages, the machine's identity, what scripts kept.
 *
 * WAPT's database is copied and the copy read, so that its own file, with what an interrupted WAPT
 * left beside it, stays as it is. Scripts are put where kept ones are, without the papers that only
 * a package brings: wa_kept_stage() runs none of them. All else is one transaction; files that a
 * kill leaves without their rows are swept away before the next try.
 */
#include "agent/moving.h"

#include <stdarg.h>

#include "agent/hook.h"
#include "agent/kept.h"
#include "base/map.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "os/rand.h"

#define DONE "moved_from_wapt" /* parameter: 1 once it was done */
#define COPY "private/tmp/moving"

static enum wa_code path(struct wa_relpath *ret, struct wa_err *err, const char *fmt, ...)
    WA_FORMAT(3, 4);
static enum wa_code path(struct wa_relpath *ret, struct wa_err *err, const char *fmt, ...)
{
    char text[WA_RELPATH_MAX + 1];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return wa_relpath_parse(wa_sv(text), ret, err);
}

/* --- the copy --- */

/* What others than root could have written decides nothing here. */
static enum wa_code check_owner(const char *name, const struct wa_stat *st, struct wa_err *err)
{
    bool by_others =
        st->uid != 0 || (st->mode & 0002u) != 0 || ((st->mode & 0020u) != 0 && st->gid != 0);
    if (by_others)
        return wa_fail(err, WA_E_DENIED,
                       "'%s' can be written by others than root: whoever did would decide what "
                       "counts as installed; give it to root alone (chown root:, chmod 600) if it "
                       "is right, or move it away",
                       name);
    return WA_OK;
}

static enum wa_code copy_bytes(int from, uint64_t size, int to, struct wa_err *err)
{
    char piece[16384];
    for (uint64_t at = 0; at < size; at += sizeof piece) {
        size_t n = size - at < sizeof piece ? (size_t)(size - at) : sizeof piece;
        if (wa_fd_read_at(from, at, piece, n, err) != WA_OK ||
            wa_fd_write_all(to, piece, n, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

/* ret: of the original; size 0 when there is none, or an empty one. */
static enum wa_code copy_one(struct wa_manager *m, const char *suffix, struct wa_stat *ret,
                             struct wa_err *err)
{
    struct wa_relpath from_name, to_name;
    WA_AUTO_FD int from = -1;
    WA_AUTO_FD int to = -1;
    *ret = (struct wa_stat){.size = 0};
    if (path(&from_name, err, "db/waptdb.sqlite%s", suffix) != WA_OK ||
        path(&to_name, err, COPY "/waptdb.sqlite%s", suffix) != WA_OK)
        return err->code;
    if (wa_file_open(&m->base, &from_name, &from, err) != WA_OK) {
        if (err->code == WA_E_NOT_FOUND)
            wa_err_clear(err);
        return err->code;
    }
    if (wa_fd_stat(from, ret, err) != WA_OK || check_owner(from_name.p, ret, err) != WA_OK)
        return err->code;
    if (ret->size > WA_OLD_DB_BYTES_MAX)
        return wa_fail(err, WA_E_LIMIT, "'%s' has more than %u bytes", from_name.p,
                       WA_OLD_DB_BYTES_MAX);
    return ret->size == 0 || (wa_file_create(&m->base, &to_name, 0600, &to, err) == WA_OK &&
                              copy_bytes(from, ret->size, to, err) == WA_OK)
               ? WA_OK
               : err->code;
}

/* Together with the journal of a transaction that was cut, which SQLite then rolls back in the
 * copy. */
static enum wa_code copy_all(struct wa_manager *m, bool *ret_there, struct wa_err *err)
{
    struct wa_relpath dir, original;
    struct wa_stat before, beside, after;
    if (path(&dir, err, COPY) != WA_OK || path(&original, err, "db/waptdb.sqlite") != WA_OK ||
        wa_tree_remove(&m->base, &dir, err) != WA_OK ||
        wa_dir_make_sub(&m->base, &dir, 0700, err) != WA_OK ||
        copy_one(m, "", &before, err) != WA_OK)
        return err->code;
    *ret_there = before.size > 0;
    if (!*ret_there)
        return WA_OK;
    if (copy_one(m, "-journal", &beside, err) != WA_OK ||
        copy_one(m, "-wal", &beside, err) != WA_OK ||
        wa_file_stat(&m->base, &original, &after, err) != WA_OK)
        return err->code;
    return before.size == after.size && before.mtime == after.mtime &&
                   before.mtime_ns == after.mtime_ns && before.inode == after.inode
               ? WA_OK
               : wa_fail(err, WA_E_BUSY, "it is being written: stop WAPT's own service first");
}

/* --- packages --- */

struct move {
    struct wa_manager *m;
    struct wa_installed_list own; /* before: what this agent knows counts */
    struct wa_map ids;            /* names of folders that packages have */
    size_t taken, left_out;
};

static enum wa_code load_own(struct move *v, struct wa_err *err)
{
    char id[WA_KEPT_ID + 1];
    if (wa_installed_load(v->m->db, NULL, &v->own, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < v->own.n; i++)
        if (wa_kept_id(&v->own.items[i].base.control, id, err) != WA_OK ||
            wa_map_put(&v->ids, wa_sv(id), v, NULL, err) != WA_OK)
            return err->code;
    return WA_OK;
}

static bool is_own(const struct move *v, const char *package)
{
    for (size_t i = 0; i < v->own.n; i++)
        if (strcmp(wa_control_get(&v->own.items[i].base.control, WA_A_PACKAGE), package) == 0)
            return true;
    return false;
}

/* One that is always the same for a package, for rows that have none (before WAPT 1.6), none that
 * names a folder, or that of another package. */
static enum wa_code give_uuid(struct wa_control *c, struct wa_err *err)
{
    char text[2 * WA_NAME_MAX + 8], hex[WA_SHA256_HEX], uuid[40];
    int n = snprintf(text, sizeof text, "%s\n%s", wa_control_get(c, WA_A_PACKAGE),
                     wa_control_get(c, WA_A_VERSION));
    if (wa_sha256_hex(text, (size_t)n, hex, err) != WA_OK)
        return err->code;
    (void)snprintf(uuid, sizeof uuid, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
                   hex + 20);
    return wa_control_set(c, WA_A_PACKAGE_UUID, wa_sv(uuid), err);
}

static enum wa_code settle_id(struct move *v, struct wa_control *c, char id[WA_KEPT_ID + 1],
                              struct wa_err *err)
{
    if (wa_kept_id(c, id, err) != WA_OK)
        return err->code;
    if ((strcmp(id, wa_control_get(c, WA_A_PACKAGE_UUID)) != 0 ||
         wa_map_get(&v->ids, wa_sv(id)) != NULL) &&
        (give_uuid(c, err) != WA_OK || wa_kept_id(c, id, err) != WA_OK))
        return err->code;
    return wa_map_put(&v->ids, wa_sv(id), v, NULL, err);
}

/* setup.py alone: without control, manifest and signature nothing will ever run it. */
static enum wa_code keep_script(struct wa_manager *m, const char *id, struct wa_sv script,
                                struct wa_err *err)
{
    struct wa_relpath dir, file;
    if (path(&dir, err, "private/packages/%s", id) != WA_OK ||
        path(&file, err, "private/packages/%s/setup.py", id) != WA_OK ||
        wa_tree_remove(&m->base, &dir, err) != WA_OK || script.n == 0)
        return err->code;
    return wa_dir_make_sub(&m->base, &dir, 0700, err) == WA_OK
               ? wa_file_replace(&m->base, &file, script, 0644, err)
               : err->code;
}

static enum wa_code put_row(struct wa_db *db, const struct wa_old_row *r, struct wa_err *err)
{
    const char *package = wa_control_get(&r->control, WA_A_PACKAGE);
    if (wa_installed_put(db, &r->control, r->repo, r->status, r->install_date,
                         wa_buf_sv(&r->output), wa_buf_sv(&r->params), r->is_explicit,
                         err) != WA_OK ||
        wa_installed_set_uninstall_key(db, package, wa_buf_sv(&r->keys), err) != WA_OK)
        return err->code;
    return wa_installed_set_audit(db, package, r->audit_status, wa_buf_sv(&r->audit_output),
                                  r->audit_on, r->next_audit, err);
}

static enum wa_code take_row(void *user, struct wa_old_row *r, const char *problem,
                             struct wa_err *err)
{
    struct move *v = user;
    char id[WA_KEPT_ID + 1];
    const char *package = wa_control_get(&r->control, WA_A_PACKAGE);
    if (problem != NULL) {
        v->left_out++;
        wa_log(&v->m->log, WA_LOG_WARNING, "moving.left_out", WA_LF_S("package", r->note),
               WA_LF_S("why", problem));
        return WA_OK;
    }
    if (is_own(v, package))
        return WA_OK;
    if (r->note[0] != '\0')
        wa_log(&v->m->log, WA_LOG_WARNING, "moving.incomplete", WA_LF_S("package", package),
               WA_LF_S("why", r->note));
    if (settle_id(v, &r->control, id, err) != WA_OK ||
        keep_script(v->m, id, wa_buf_sv(&r->setup_py), err) != WA_OK ||
        put_row(v->m->db, r, err) != WA_OK)
        return err->code;
    v->taken++;
    return WA_OK;
}

/* --- the rest --- */

static enum wa_code is_unset(struct wa_db *db, const char *name, bool *ret, struct wa_err *err)
{
    WA_AUTO_BUF_SECRET struct wa_buf now;
    wa_buf_init(&now, WA_SCRIPT_STORE_MAX);
    if (wa_param_get(db, name, &now, err) != WA_OK)
        return err->code;
    *ret = now.n == 0;
    return WA_OK;
}

/* The key is where WAPT had it; nobody but root may have put it there. */
static enum wa_code take_identity(struct wa_manager *m, struct wa_db *old, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf uuid;
    struct wa_relpath key;
    struct wa_stat st;
    bool unset = false;
    wa_buf_init(&uuid, WA_UUID_MAX);
    if (is_unset(m->db, "uuid", &unset, err) != WA_OK || !unset ||
        wa_old_db_uuid(old, &uuid, err) != WA_OK || uuid.n == 0)
        return err->code;
    if (path(&key, err, "private/%s.pem", wa_buf_str(&uuid)) != WA_OK)
        return err->code;
    enum wa_code code = wa_file_stat(&m->base, &key, &st, err);
    if (code == WA_E_NOT_FOUND)
        wa_err_clear(err); /* it never registered: a key is made when it does */
    else if (code != WA_OK || check_owner(key.p, &st, err) != WA_OK)
        return err->code;
    wa_log(&m->log, WA_LOG_INFO, "moving.identity", WA_LF_S("uuid", wa_buf_str(&uuid)),
           WA_LF_I("with_key", code == WA_OK));
    return wa_param_set(m->db, "uuid", wa_buf_sv(&uuid), err);
}

static enum wa_code take_values(struct wa_manager *m, struct wa_db *old, struct wa_err *err)
{
    WA_AUTO_BUF_SECRET struct wa_buf values;
    size_t left_out = 0;
    bool unset = false;
    wa_buf_init(&values, WA_SCRIPT_STORE_MAX);
    if (is_unset(m->db, WA_PARAM_SCRIPTS, &unset, err) != WA_OK || !unset ||
        wa_old_db_values(old, &values, &left_out, err) != WA_OK)
        return err->code;
    if (left_out > 0)
        wa_log(&m->log, WA_LOG_WARNING, "moving.values_left_out",
               WA_LF_I("count", (int64_t)left_out));
    return wa_param_set(m->db, WA_PARAM_SCRIPTS, wa_buf_sv(&values), err);
}

static enum wa_code take_all(struct move *v, struct wa_db *old, struct wa_err *err)
{
    struct wa_db *db = v->m->db;
    if (wa_db_begin(db, err) != WA_OK)
        return err->code;
    if (load_own(v, err) != WA_OK || wa_old_db_rows(old, take_row, v, err) != WA_OK ||
        take_identity(v->m, old, err) != WA_OK || take_values(v->m, old, err) != WA_OK ||
        wa_param_set_i64(db, DONE, 1, err) != WA_OK || wa_db_commit(db, err) != WA_OK)
        wa_db_rollback(db);
    return err->code;
}

static enum wa_code read_copy(struct wa_manager *m, struct wa_err *err)
{
    char file[2 * WA_PATH_MAX];
    WA_AUTO(wa_db) struct wa_db *old = NULL;
    struct move v = {.m = m};
    (void)snprintf(file, sizeof file, "%s/" COPY "/waptdb.sqlite", m->config.base);
    if (strlen(file) >= WA_PATH_MAX)
        return wa_fail(err, WA_E_LIMIT, "the base directory's path is too long");
    if (wa_old_db_open(file, &old, err) != WA_OK)
        return err->code;
    if (wa_rand_map(&v.ids, err) == WA_OK && take_all(&v, old, err) == WA_OK)
        wa_log(&m->log, WA_LOG_INFO, "moving.done", WA_LF_I("packages", (int64_t)v.taken),
               WA_LF_I("left_out", (int64_t)v.left_out));
    wa_map_fini(&v.ids);
    wa_installed_list_fini(&v.own);
    return err->code;
}

enum wa_code wa_moving_import(struct wa_manager *m, struct wa_err *err)
{
    struct wa_relpath copy;
    struct wa_err ignored = WA_ERR_INIT;
    int64_t done = 0;
    bool there = false;
    if (wa_param_i64(m->db, DONE, &done, err) != WA_OK || done != 0 ||
        path(&copy, err, COPY) != WA_OK)
        return err->code;
    if (copy_all(m, &there, err) == WA_OK && there)
        (void)read_copy(m, err);
    /* It has parameters that may be secret; the next start would remove it, too. */
    if (wa_tree_remove(&m->base, &copy, &ignored) != WA_OK && err->code == WA_OK)
        *err = ignored;
    if (err->code == WA_OK)
        return WA_OK;
    return wa_wrap(err, "taking over WAPT's database 'db/waptdb.sqlite'");
}

/* restore.c - from an archive to a server. Everything is made beside the directory, checked, made
 * durable, and exchanged with it in one step: a kill at any moment leaves the old server or the
 * new one. PostgreSQL gives way in one transaction of its own, right before.
 *
 * What the archive says becomes files only below that new directory, with rights that depend on
 * where they lie, not on the archive.
 */
#include <stdarg.h>

#include "base/mem.h"
#include "codec/ini.h"
#include "codec/zip_read.h"
#include "os/local.h"
#include "os/path.h"
#include "os/pipe.h"
#include "os/priv.h"
#include "os/proc.h"
#include "server/backup.h"
#include "server/role_common.h"
#include "sql/db.h"

/* In a directory that is being made: what has it may go. It stays until the places are changed and
 * the former server is put aside, so that in the server's own place it says: changed already. */
#define MARK "restore.incomplete"

struct restore {
    const struct wa_restore *want;
    struct wa_zip *zip;
    struct wa_backup_manifest manifest;
    char stage[WA_PATH_MAX]; /* where the server is made */
    struct wa_dir parent, dir;
    struct wa_relpath name, stage_name; /* of both, in parent */
    bool has_former;
};

static enum wa_code parse(struct wa_relpath *ret, struct wa_err *err, const char *fmt, ...)
    WA_FORMAT(3, 4);

static enum wa_code parse(struct wa_relpath *ret, struct wa_err *err, const char *fmt, ...)
{
    char text[WA_RELPATH_MAX + 64];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return wa_relpath_parse(wa_sv(text), ret, err);
}

/* --- where --- */

static enum wa_code count_entry(void *user, const char *name, const struct wa_stat *st,
                                struct wa_err *err)
{
    WA_UNUSED(name);
    WA_UNUSED(st);
    WA_UNUSED(err);
    ++*(size_t *)user;
    return WA_OK;
}

static enum wa_code check_target(struct restore *r, int *ret_lock, struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    size_t entries = 0;
    struct wa_err missing = WA_ERR_INIT;
    if (wa_dir_open_sub(&r->parent, &r->name, &dir, &missing) == WA_E_NOT_FOUND)
        return WA_OK;
    if (missing.code != WA_OK) {
        *err = missing;
        return err->code;
    }
    r->has_former = true;
    if (wa_dir_list(&dir, count_entry, &entries, err) != WA_OK || entries == 0)
        return err->code;
    enum wa_code code = wa_server_lock(r->want->dir, ret_lock, &missing);
    if (code == WA_E_BUSY) {
        *err = missing;
        return code;
    }
    wa_err_clear(&missing); /* no server's directory */
    return r->want->force
               ? WA_OK
               : wa_fail(err, WA_E_EXISTS,
                         "there is something in '%s' already: --force puts it aside", r->want->dir);
}

/* --- what an interrupted restore left --- */

/* Free, however often something was put aside here before. */
static enum wa_code choose_aside(const struct restore *r, struct wa_relpath *ret,
                                 struct wa_err *err)
{
    for (unsigned i = 1; i < 1000; i++) {
        struct wa_stat st;
        struct wa_err missing = WA_ERR_INIT;
        if (parse(ret, err, "%s.before-%u", r->name.p, i) != WA_OK)
            return err->code;
        if (wa_file_stat(&r->parent, ret, &st, &missing) == WA_E_NOT_FOUND)
            return WA_OK;
    }
    return wa_fail(err, WA_E_EXISTS, "there are too many '%s.before-N': remove some", r->name.p);
}

static bool exists(const struct wa_dir *dir, const struct wa_relpath *name)
{
    struct wa_stat st;
    struct wa_err missing = WA_ERR_INIT;
    return wa_file_stat(dir, name, &st, &missing) == WA_OK;
}

/* The places were changed already: what is in the stage is the former server. */
static enum wa_code finish_change(struct restore *r, struct wa_err *err)
{
    struct wa_relpath mark, aside;
    if (parse(&mark, err, "%s/%s", r->name.p, MARK) != WA_OK || !exists(&r->parent, &mark))
        return err->code;
    if (exists(&r->parent, &r->stage_name) &&
        (choose_aside(r, &aside, err) != WA_OK ||
         wa_file_rename(&r->parent, &r->stage_name, &r->parent, &aside, err) != WA_OK))
        return err->code;
    return wa_file_remove(&r->parent, &mark, err);
}

static enum wa_code remove_unmarked(void *user, const char *name, const struct wa_stat *st,
                                    struct wa_err *err)
{
    struct wa_relpath entry;
    WA_UNUSED(st);
    if (strcmp(name, MARK) == 0)
        return WA_OK;
    return parse(&entry, err, "%s", name) == WA_OK ? wa_tree_remove(user, &entry, err) : err->code;
}

/* What is ours has the mark, or is empty still; anything else in the way is not ours. The mark
 * goes last. */
static enum wa_code clear_stage(struct restore *r, struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir stage = WA_DIR_INIT;
    size_t entries = 0;
    struct wa_relpath mark;
    if (!exists(&r->parent, &r->stage_name))
        return WA_OK;
    if (parse(&mark, err, "%s", MARK) != WA_OK ||
        wa_dir_open_sub(&r->parent, &r->stage_name, &stage, err) != WA_OK ||
        wa_dir_list(&stage, count_entry, &entries, err) != WA_OK)
        return err->code;
    if (entries != 0 && !exists(&stage, &mark))
        return wa_fail(err, WA_E_EXISTS, "'%s' is in the way: move it", r->stage);
    if (wa_dir_list(&stage, remove_unmarked, &stage, err) != WA_OK)
        return err->code;
    return wa_tree_remove(&r->parent, &r->stage_name, err);
}

static enum wa_code make_stage(struct restore *r, struct wa_err *err)
{
    struct wa_relpath mark;
    WA_AUTO_FD int fd = -1;
    /* The mark is made in one step: a replacement would leave its temporary file, unmarked. */
    if (finish_change(r, err) != WA_OK || clear_stage(r, err) != WA_OK ||
        wa_relpath_parse(WA_SV(MARK), &mark, err) != WA_OK ||
        wa_dir_make(r->stage, 0700, &r->dir, err) != WA_OK ||
        wa_file_create(&r->dir, &mark, 0600, &fd, err) != WA_OK || wa_fd_sync(fd, err) != WA_OK)
        return err->code;
    return wa_server_make_dirs(r->stage, err);
}

/* --- files --- */

static bool is_below(const char *name, const char *folder)
{
    size_t n = strlen(folder);
    return strncmp(name, folder, n) == 0 && name[n] == '/';
}

/* The rights of a file by where it lies. False: no place for files of an archive. */
static bool mode_of(const char *name, uint32_t *ret)
{
    struct wa_sv sv = wa_sv(name);
    if (is_below(name, "private")) {
        bool is_public = wa_sv_ends(sv, ".pub") || wa_sv_ends(sv, ".crt");
        *ret = is_public ? 0644 : 0600;
        return true;
    }
    *ret = 0644;
    return is_below(name, "trusted") || is_below(name, "repo") ||
           strcmp(name, "waptserver.ini") == 0;
}

static enum wa_code extract(struct restore *r, const struct wa_backup_member *m, struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    struct wa_fd_sink sink;
    uint32_t mode = 0;
    if (!mode_of(m->name.p, &mode))
        return wa_fail(err, WA_E_INVALID, "'%s' has no place in a server's directory", m->name.p);
    if (r->want->is_joining && is_below(m->name.p, "repo"))
        return WA_OK;
    if (wa_file_create(&r->dir, &m->name, mode, &fd, err) != WA_OK)
        return err->code;
    wa_fd_sink_init(&sink, fd);
    if (wa_zip_read(r->zip, wa_zip_find(r->zip, m->name.p), &sink.base, err) != WA_OK)
        return err->code;
    return wa_fd_sync(fd, err);
}

/* What the processes that face the network write is theirs. */
static enum wa_code own_repository(struct restore *r, const struct wa_server_config *c,
                                   struct wa_err *err)
{
    uint32_t uid = 0, gid = 0;
    if (!wa_priv_is_root())
        return WA_OK;
    (void)wa_server_ids(c, &uid, &gid);
    for (size_t i = 0; i < r->manifest.n; i++) {
        char path[WA_PATH_MAX];
        const char *name = r->manifest.items[i].name.p;
        if (!is_below(name, "repo") || r->want->is_joining)
            continue;
        if (snprintf(path, sizeof path, "%s/%s", r->stage, name) >= (int)sizeof path)
            return wa_fail(err, WA_E_LIMIT, "the path of '%s' is too long", name);
        if (wa_path_set_owner(path, uid, gid, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

static enum wa_code extract_all(struct restore *r, struct wa_err *err)
{
    for (size_t i = 0; i < r->manifest.n; i++) {
        const struct wa_backup_member *m = &r->manifest.items[i];
        if (strcmp(m->name.p, WA_BACKUP_DATABASE) != 0 && extract(r, m, err) != WA_OK)
            return wa_wrap(err, "'%s'", m->name.p);
        r->want->progress(r->want->user, "files", i + 1, r->manifest.n);
    }
    return WA_OK;
}

static const char *option(const struct wa_ini *ini, const char *key)
{
    const char *value = wa_ini_get(ini, "options", key);
    return value != NULL ? value : "";
}

/* The configuration with what is different here. */
static enum wa_code change_config(struct restore *r, struct wa_err *err)
{
    char path[WA_PATH_MAX];
    WA_AUTO(wa_ini) struct wa_ini *ini = NULL;
    WA_AUTO_BUF_SECRET struct wa_buf text;
    const struct {
        const char *key, *value;
    } keys[] = {{"node", r->want->node},
                {"bind", r->want->bind},
                {"port", r->want->port},
                {"database", r->want->database}};
    wa_buf_init(&text, WA_INI_BYTES_MAX);
    (void)snprintf(path, sizeof path, "%.4000s/waptserver.ini", r->stage);
    if (wa_path_read(path, WA_INI_BYTES_MAX, &text, err) != WA_OK ||
        wa_ini_parse(wa_buf_sv(&text), path, &ini, err) != WA_OK)
        return err->code;
    if (r->want->is_joining && wa_ini_set(ini, "options", "node", NULL, err) != WA_OK)
        return err->code; /* one's name is one's own */
    for (size_t i = 0; i < WA_COUNT(keys); i++)
        if (keys[i].value != NULL &&
            wa_ini_set(ini, "options", keys[i].key, keys[i].value[0] == '\0' ? NULL : keys[i].value,
                       err) != WA_OK)
            return err->code;
    const char *database = option(ini, "database");
    bool is_secret = wa_server_config_is_secret(database, option(ini, "report_database"),
                                                option(ini, "http_proxy"));
    wa_buf_clear(&text);
    wa_ini_write(ini, &text);
    if (wa_buf_check(&text, err) != WA_OK)
        return err->code;
    if (r->want->is_joining && database[0] == '\0')
        return wa_fail(err, WA_E_CONFIG,
                       "the server that was backed up has its database in a file: several servers "
                       "need a PostgreSQL that all of them reach (--database)");
    return wa_path_replace(path, wa_buf_sv(&text), is_secret ? 0640 : 0644, err);
}

/* --- the database --- */

struct pipe_sink {
    struct wa_sink base;
    int fd;
};

static enum wa_code to_pipe(struct wa_sink *s, const void *p, size_t n, struct wa_err *err)
{
    return wa_fd_write_all(((struct pipe_sink *)(void *)s)->fd, p, n, err);
}

static enum wa_code feed(struct restore *r, int fd, struct wa_err *err)
{
    struct pipe_sink sink = {{to_pipe, NULL}, fd};
    struct wa_sv order =
        r->want->force ? WA_SV("{\"force\":true}\n") : WA_SV("{\"force\":false}\n");
    if (wa_fd_write_all(fd, order.p, order.n, err) != WA_OK)
        return err->code;
    return wa_zip_read(r->zip, wa_zip_find(r->zip, WA_BACKUP_DATABASE), &sink.base, err);
}

static enum wa_code load_database(struct restore *r, struct wa_err *err)
{
    char config[WA_PATH_MAX];
    const char *const argv[] = {"waptserver", "role:load", config, NULL};
    int pipe[2] = {-1, -1};
    struct wa_proc proc = {.pid = 0};
    struct wa_exit how = {WA_EXIT_STATUS, 0};
    struct wa_err fed = WA_ERR_INIT;
    (void)snprintf(config, sizeof config, "%.4000s/waptserver.ini", r->stage);
    if (wa_zip_find(r->zip, WA_BACKUP_DATABASE) == NULL)
        return wa_fail(err, WA_E_INVALID, "it holds no database");
    if (wa_pipe(pipe, err) != WA_OK)
        return err->code;
    const int fds[] = {pipe[0], -1, 2};
    const struct wa_spawn what = {
        .argv = argv, .fds = fds, .fd_count = WA_COUNT(fds), .die_with_parent = true};
    enum wa_code code = wa_proc_spawn(&what, &proc, err);
    wa_fd_close(&pipe[0]);
    r->want->progress(r->want->user, "database", 0, 1);
    if (code == WA_OK)
        code = feed(r, pipe[1], &fed);
    wa_fd_close(&pipe[1]);
    if (proc.pid == 0 || wa_proc_wait(&proc, -1, &how, err) != WA_OK)
        return err->code;
    if (how.kind == WA_EXIT_STATUS && how.value == 0 && code == WA_OK)
        return WA_OK;
    code = WA_E_INTERNAL;
    for (int i = 1; how.kind == WA_EXIT_STATUS && i < WA_CODE_COUNT; i++)
        if (wa_code_exit((enum wa_code)i) == how.value)
            code = (enum wa_code)i;
    return wa_fail(err, code, "the database was not taken: the message is above");
}

/* --- the change --- */

static enum wa_code change_places(struct restore *r, char *former, struct wa_err *err)
{
    struct wa_relpath mark, aside;
    former[0] = '\0';
    if (parse(&mark, err, "%s", MARK) != WA_OK)
        return err->code;
    if (!r->has_former) {
        if (wa_file_rename(&r->parent, &r->stage_name, &r->parent, &r->name, err) != WA_OK)
            return err->code;
        return wa_file_remove(&r->dir, &mark, err);
    }
    if (choose_aside(r, &aside, err) != WA_OK ||
        wa_file_exchange(&r->parent, &r->stage_name, &r->name, err) != WA_OK)
        return err->code;
    (void)snprintf(former, WA_PATH_MAX, "%.*s%s", (int)(wa_path_last(r->want->dir) - r->want->dir),
                   r->want->dir, aside.p);
    if (wa_file_rename(&r->parent, &r->stage_name, &r->parent, &aside, err) != WA_OK)
        return err->code;
    return wa_file_remove(&r->dir, &mark, err);
}

static enum wa_code fill_stage(struct restore *r, struct wa_err *err)
{
    struct wa_server_config c;
    char config[WA_PATH_MAX];
    (void)snprintf(config, sizeof config, "%.4000s/waptserver.ini", r->stage);
    if (extract_all(r, err) != WA_OK || change_config(r, err) != WA_OK ||
        wa_server_config_load(config, &c, err) != WA_OK)
        return err->code;
    enum wa_code code = own_repository(r, &c, err);
    wa_server_config_free(&c);
    return code == WA_OK && !r->want->is_joining ? load_database(r, err) : code;
}

static enum wa_code make(struct restore *r, char *former, struct wa_err *err)
{
    struct wa_err kept = WA_ERR_INIT;
    if (make_stage(r, err) != WA_OK)
        return err->code;
    if (fill_stage(r, err) == WA_OK && change_places(r, former, err) == WA_OK)
        return WA_OK;
    (void)clear_stage(r, &kept); /* keys lie there; what is the former server by now has no mark */
    wa_err_clear(&kept);
    return err->code;
}

static enum wa_code open_places(struct restore *r, struct wa_err *err)
{
    char where[WA_PATH_MAX];
    const char *last = wa_path_last(r->want->dir);
    if (r->want->dir[0] != '/' || last[0] == '\0')
        return wa_fail(err, WA_E_USAGE, "the server's directory must be an absolute path");
    (void)snprintf(r->stage, sizeof r->stage, "%.4000s.restore", r->want->dir);
    if (wa_path_dir(r->want->dir, (size_t)(last - r->want->dir), where, err) != WA_OK ||
        parse(&r->name, err, "%s", last) != WA_OK ||
        parse(&r->stage_name, err, "%s.restore", last) != WA_OK)
        return err->code;
    return wa_dir_make(where, 0755, &r->parent, err);
}

enum wa_code wa_server_restore(const struct wa_restore *want, char *former, struct wa_err *err)
{
    struct restore r = {.want = want, .parent = WA_DIR_INIT, .dir = WA_DIR_INIT};
    WA_AUTO_FD int fd = -1;
    WA_AUTO_FD int lock = -1;
    struct wa_fd_source source;
    if (open_places(&r, err) == WA_OK && check_target(&r, &lock, err) == WA_OK &&
        wa_path_open(want->file, &fd, err) == WA_OK &&
        wa_fd_source_init(&source, fd, err) == WA_OK &&
        wa_zip_open(&source.base, &r.zip, err) == WA_OK &&
        wa_backup_verify(r.zip, &r.manifest, want->progress, want->user, err) == WA_OK)
        (void)make(&r, former, err);
    wa_zip_free(r.zip);
    wa_dir_close(&r.dir);
    wa_dir_close(&r.parent);
    WA_VEC_FREE(&r.manifest);
    return err->code == WA_OK ? WA_OK : wa_wrap(err, "restoring from '%s'", want->file);
}

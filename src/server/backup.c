/* backup.c - writing the archive. Files are read here, as root where the server is root's; the
 * database is read by a process that can do nothing else, and comes by a pipe.
 */
#include "server/backup.h"

#include "base/mem.h"
#include "codec/zip_write.h"
#include "crypto/digest.h"
#include "os/clock.h"
#include "os/path.h"
#include "os/pipe.h"
#include "os/proc.h"
#include "os/rand.h"

#define MANIFEST_MAX (128u << 20)

struct backup {
    const struct wa_server_config *config;
    struct wa_dir dir; /* the server's */
    struct wa_zip_writer *zip;
    struct wa_backup_manifest manifest;
    const char *below; /* the folder that is walked */
    wa_backup_progress_fn progress;
    void *user;
    struct wa_backup_result result;
};

/* Digests what is read, front to back. */
struct watched {
    struct wa_source base;
    struct wa_source *from;
    struct wa_digest *digest;
};

static enum wa_code watched_read(struct wa_source *s, uint64_t offset, void *p, size_t n,
                                 struct wa_err *err)
{
    struct watched *w = (struct watched *)(void *)s;
    if (w->from->read_at(w->from, offset, p, n, err) != WA_OK)
        return err->code;
    return wa_digest_add(w->digest, p, n, err);
}

static enum wa_code note_member(struct backup *b, const struct wa_relpath *name, uint64_t bytes,
                                struct wa_digest *d, struct wa_err *err)
{
    struct wa_backup_member *m = WA_VEC_PUSH(&b->manifest);
    if (m == NULL)
        return wa_nomem(err);
    *m = (struct wa_backup_member){.name = *name, .bytes = bytes};
    b->result.files++;
    b->result.bytes += bytes;
    return wa_digest_hex(d, m->sha256, err);
}

static enum wa_code add_file(struct backup *b, const struct wa_relpath *name, struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    WA_AUTO(wa_digest) struct wa_digest *d = NULL;
    struct wa_fd_source file;
    struct wa_stat st;
    if (wa_file_open(&b->dir, name, &fd, err) != WA_OK) {
        if (err->code != WA_E_NOT_FOUND)
            return err->code;
        wa_err_clear(err); /* the repository goes on living meanwhile */
        b->result.changed++;
        return WA_OK;
    }
    if (wa_fd_stat(fd, &st, err) != WA_OK || wa_fd_source_init(&file, fd, err) != WA_OK ||
        wa_digest_new(WA_SHA256, &d, err) != WA_OK)
        return err->code;
    struct watched w = {{file.base.size, watched_read}, &file.base, d};
    if (wa_zip_add(b->zip, name, st.mode & 0777, &w.base, err) != WA_OK)
        return wa_wrap(err, "'%s'", name->p);
    b->progress(b->user, "files", b->result.files, 0);
    return note_member(b, name, file.base.size, d, err);
}

static enum wa_code add_walked(void *user, const struct wa_relpath *name, const struct wa_stat *st,
                               struct wa_err *err)
{
    struct backup *b = user;
    struct wa_relpath full;
    char path[WA_RELPATH_MAX + 32];
    WA_UNUSED(st);
    (void)snprintf(path, sizeof path, "%s/%s", b->below, name->p);
    if (strcmp(path, "private/running") == 0 || strncmp(path, "repo/incoming/", 14) == 0 ||
        wa_sv_ends(wa_sv(path), ".lock"))
        return WA_OK;
    return wa_relpath_parse(wa_sv(path), &full, err) == WA_OK ? add_file(b, &full, err) : err->code;
}

static enum wa_code add_folder(struct backup *b, const char *name, struct wa_err *err)
{
    struct wa_relpath path;
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    b->below = name;
    if (wa_relpath_parse(wa_sv(name), &path, err) != WA_OK)
        return err->code;
    if (wa_dir_open_sub(&b->dir, &path, &dir, err) == WA_E_NOT_FOUND) {
        wa_err_clear(err);
        return WA_OK;
    }
    return err->code == WA_OK ? wa_dir_walk_files(&dir, add_walked, b, err) : err->code;
}

/* --- the database --- */

/* From the pipe into the archive, to its end. */
static enum wa_code copy_pipe(struct backup *b, int fd, struct wa_sink *to, struct wa_digest *d,
                              uint64_t *ret_bytes, struct wa_err *err)
{
    static char piece[64u << 10];
    uint64_t bytes = 0;
    for (;;) {
        ptrdiff_t n = wa_pipe_read(fd, piece, sizeof piece);
        if (n < 0)
            return wa_fail(err, WA_E_IO, "cannot read from the process that reads the database");
        if (n == 0)
            break;
        if (to->write(to, piece, (size_t)n, err) != WA_OK ||
            wa_digest_add(d, piece, (size_t)n, err) != WA_OK)
            return err->code;
        bytes += (uint64_t)n;
        b->progress(b->user, "database", bytes, 0);
    }
    *ret_bytes = bytes;
    return WA_OK;
}

static enum wa_code of_exit(const struct wa_exit *e, struct wa_err *err)
{
    enum wa_code code = WA_E_INTERNAL;
    if (e->kind == WA_EXIT_STATUS && e->value == 0)
        return WA_OK;
    for (int i = 1; e->kind == WA_EXIT_STATUS && i < WA_CODE_COUNT; i++)
        if (wa_code_exit((enum wa_code)i) == e->value)
            code = (enum wa_code)i;
    return wa_fail(err, code, "the database could not be read: the message is above");
}

static enum wa_code add_database(struct backup *b, struct wa_err *err)
{
    const char *const argv[] = {"waptserver", "role:dump", b->config->file, NULL};
    int pipe[2] = {-1, -1};
    struct wa_proc proc = {.pid = 0};
    struct wa_exit how;
    struct wa_err later = WA_ERR_INIT;
    struct wa_relpath name;
    struct wa_sink *to = NULL;
    uint64_t bytes = 0;
    WA_AUTO(wa_digest) struct wa_digest *d = NULL;
    if (wa_relpath_parse(WA_SV(WA_BACKUP_DATABASE), &name, err) != WA_OK ||
        wa_digest_new(WA_SHA256, &d, err) != WA_OK || wa_pipe(pipe, err) != WA_OK)
        return err->code;
    const int fds[] = {-1, pipe[1], 2};
    const struct wa_spawn what = {
        .argv = argv, .fds = fds, .fd_count = WA_COUNT(fds), .die_with_parent = true};
    enum wa_code code = wa_proc_spawn(&what, &proc, err);
    wa_fd_close(&pipe[1]);
    if (code == WA_OK)
        code = wa_zip_begin(b->zip, &name, 0600, WA_PACKAGE_INFLATED_MAX, &to, err);
    if (code == WA_OK)
        code = copy_pipe(b, pipe[0], to, d, &bytes, err);
    wa_fd_close(&pipe[0]);
    if (proc.pid != 0 && wa_proc_wait(&proc, -1, &how, &later) == WA_OK && code == WA_OK)
        code = of_exit(&how, err);
    if (code == WA_OK)
        code = wa_zip_end(b->zip, err);
    return code == WA_OK ? note_member(b, &name, bytes, d, err) : code;
}

/* --- the whole --- */

static enum wa_code add_manifest(struct backup *b, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    struct wa_relpath name;
    wa_buf_init(&text, MANIFEST_MAX);
    wa_backup_manifest_write(&b->manifest, &text);
    if (wa_buf_check(&text, err) != WA_OK ||
        wa_relpath_parse(WA_SV(WA_BACKUP_MANIFEST), &name, err) != WA_OK)
        return err->code;
    return wa_zip_add_bytes(b->zip, &name, 0600, wa_buf_sv(&text), err);
}

static enum wa_code add_all(struct backup *b, bool with_repository, struct wa_err *err)
{
    struct wa_relpath ini;
    if (wa_relpath_parse(wa_sv(wa_path_last(b->config->file)), &ini, err) != WA_OK)
        return err->code;
    if (strcmp(ini.p, "waptserver.ini") != 0)
        return wa_fail(err, WA_E_USAGE,
                       "a backup is of a whole directory, whose configuration is waptserver.ini");
    if (add_file(b, &ini, err) != WA_OK || add_folder(b, "private", err) != WA_OK ||
        add_folder(b, "trusted", err) != WA_OK ||
        (with_repository && add_folder(b, "repo", err) != WA_OK) || add_database(b, err) != WA_OK)
        return err->code;
    return add_manifest(b, err);
}

static enum wa_code write_archive(struct backup *b, int fd, bool with_repository,
                                  struct wa_err *err)
{
    struct wa_fd_sink sink;
    uint64_t seed = 0;
    wa_fd_sink_init(&sink, fd);
    b->manifest.at = wa_clock_now();
    if (wa_dir_open(b->config->dir, &b->dir, err) != WA_OK ||
        wa_rand_bytes(&seed, sizeof seed, err) != WA_OK ||
        wa_zip_writer_new(&sink.base, b->manifest.at, seed, &b->zip, err) != WA_OK)
        return err->code;
    if (add_all(b, with_repository, err) != WA_OK || wa_zip_finish(b->zip, err) != WA_OK)
        return err->code;
    return wa_fd_sync(fd, err);
}

/* The names of the archive, and of what is not whole yet, in the directory where it shall lie. */
static enum wa_code names_of(const char *file, struct wa_dir *dir, struct wa_relpath *name,
                             struct wa_relpath *part, struct wa_err *err)
{
    char where[WA_PATH_MAX], text[WA_RELPATH_MAX + 8];
    const char *last = wa_path_last(file);
    (void)snprintf(text, sizeof text, "%s.part", last);
    if (wa_path_dir(file, (size_t)(last - file), where, err) != WA_OK ||
        wa_relpath_parse(wa_sv(last), name, err) != WA_OK ||
        wa_relpath_parse(wa_sv(text), part, err) != WA_OK)
        return err->code;
    return wa_dir_open(where, dir, err);
}

enum wa_code wa_server_backup(const struct wa_server_config *c, const char *file,
                              bool with_repository, wa_backup_progress_fn progress, void *user,
                              struct wa_backup_result *ret, struct wa_err *err)
{
    struct backup b = {.config = c, .dir = WA_DIR_INIT, .progress = progress, .user = user};
    WA_AUTO_DIR struct wa_dir where = WA_DIR_INIT;
    WA_AUTO_FD int fd = -1;
    struct wa_relpath name, part;
    struct wa_stat st;
    struct wa_err ignored = WA_ERR_INIT;
    if (names_of(file, &where, &name, &part, err) != WA_OK)
        return err->code;
    if (wa_file_stat(&where, &name, &st, &ignored) == WA_OK)
        return wa_fail(err, WA_E_EXISTS, "'%s' is there already", file);
    wa_err_clear(&ignored);
    if (wa_file_remove(&where, &part, &ignored) != WA_OK) /* of a backup that was ended */
        wa_err_clear(&ignored);
    if (wa_file_create(&where, &part, 0600, &fd, err) != WA_OK)
        return err->code;
    enum wa_code code = write_archive(&b, fd, with_repository, err);
    if (code == WA_OK)
        code = wa_file_rename(&where, &part, &where, &name, err);
    if (code != WA_OK && wa_file_remove(&where, &part, &ignored) != WA_OK)
        wa_err_clear(&ignored);
    *ret = b.result;
    wa_zip_writer_free(b.zip);
    wa_dir_close(&b.dir);
    WA_VEC_FREE(&b.manifest);
    return code == WA_OK ? WA_OK : wa_wrap(err, "backing the server up");
}

/* local_files.c - files that a person drops into a page: bytes on their way to a private folder,
 * where they wait for what is to be done with them, and no longer than that.
 *
 * The folder is closed to others; a file in it is not, for the programs that read installers, which
 * are nobody's where we are root. A file has the name that is drawn for it and no other; nothing in
 * it is read here, let alone run. What breaks off leaves nothing. Kinds open a file by its
 * identifier, in threads of the pool: one that has it open keeps it, whatever becomes of its name.
 */
#include "base/mem.h"
#include "codec/hex.h"
#include "console/local_priv.h"
#include "crypto/digest.h"
#include "os/clock.h"
#include "os/fs.h"
#include "os/rand.h"

struct wa_local_file {
    struct wa_local_exchange exchange; /* while it comes */
    struct wa_sink sink;
    struct wa_digest *digest;
    int fd; /* -1: it is all there */
    char id[WA_LOCAL_FILE_ID], sha256[WA_DIGEST_HEX_MAX];
    uint64_t size;
    int64_t at; /* when it was all there */
};

static enum wa_code name_of(const struct wa_local_file *f, bool is_whole, struct wa_relpath *ret,
                            struct wa_err *err)
{
    char name[WA_LOCAL_FILE_ID + 8];
    (void)snprintf(name, sizeof name, "%s%s", f->id, is_whole ? "" : ".part");
    return wa_relpath_parse(wa_sv(name), ret, err);
}

static void drop(struct wa_local *l, size_t i)
{
    struct wa_local_file *f = l->files[i];
    struct wa_relpath name;
    struct wa_err ignored = WA_ERR_INIT; /* the folder goes at the end, with all in it */
    if (name_of(f, f->fd < 0, &name, &ignored) == WA_OK)
        (void)!wa_file_remove(&l->files_folder, &name, &ignored);
    wa_fd_close(&f->fd);
    wa_digest_free(f->digest);
    wa_free(f);
    l->files[i] = NULL;
}

void wa_local_files_sweep(struct wa_local *l)
{
    for (size_t i = 0; i < WA_LOCAL_FILES; i++) {
        const struct wa_local_file *f = l->files[i];
        if (f != NULL &&
            (f->fd >= 0 ? f->exchange.conn == NULL : wa_clock_now() - f->at > WA_LOCAL_FILE_S))
            drop(l, i);
    }
}

void wa_local_files_fini(struct wa_local *l)
{
    for (size_t i = 0; i < WA_LOCAL_FILES; i++)
        if (l->files[i] != NULL)
            drop(l, i);
    wa_dir_close(&l->files_folder);
}

bool wa_local_files_are_coming(const struct wa_local *l)
{
    for (size_t i = 0; i < WA_LOCAL_FILES; i++)
        if (l->files[i] != NULL && l->files[i]->fd >= 0)
            return true;
    return false;
}

/* --- coming --- */

static enum wa_code take(struct wa_sink *sink, const void *p, size_t n, struct wa_err *err)
{
    struct wa_local_file *f =
        (struct wa_local_file *)(void *)((char *)sink - offsetof(struct wa_local_file, sink));
    if (wa_fd_write_all(f->fd, p, n, err) != WA_OK || wa_digest_add(f->digest, p, n, err) != WA_OK)
        return err->code;
    f->size += n;
    return WA_OK;
}

static enum wa_code open_folder(struct wa_local *l, struct wa_err *err)
{
    return l->files_folder.fd >= 0 ? WA_OK : wa_dir_open(l->o->files_dir, &l->files_folder, err);
}

/* How much may come: what is free, but for a rest that others need. */
static enum wa_code find_room(const struct wa_local *l, const struct wa_http_head *head,
                              uint64_t *ret_max, struct wa_err *err)
{
    uint64_t free_bytes = 0;
    if (wa_path_free_bytes(l->o->files_dir, &free_bytes, err) != WA_OK)
        return err->code;
    *ret_max = free_bytes > WA_LOCAL_FILES_SPARE ? free_bytes - WA_LOCAL_FILES_SPARE : 0;
    if (*ret_max > WA_PACKAGE_BYTES_MAX)
        *ret_max = WA_PACKAGE_BYTES_MAX;
    return !head->has_length || head->length <= *ret_max
               ? WA_OK
               : wa_fail(err, WA_E_LIMIT, "there is no room for it in '%s'", l->o->files_dir);
}

static enum wa_code begin(struct wa_local *l, struct wa_http_conn *c, uint64_t *ret_max,
                          struct wa_local_file **ret, struct wa_err *err)
{
    struct wa_relpath name;
    size_t i = 0;
    wa_local_files_sweep(l);
    while (i < WA_LOCAL_FILES && l->files[i] != NULL)
        i++;
    if (i == WA_LOCAL_FILES)
        return wa_fail(err, WA_E_BUSY, "too many files wait to be looked at");
    if (open_folder(l, err) != WA_OK || find_room(l, wa_http_conn_head(c), ret_max, err) != WA_OK)
        return err->code;
    struct wa_local_file *f = wa_calloc(1, sizeof *f);
    if (f == NULL)
        return wa_nomem(err);
    f->fd = -1;
    f->sink.write = take;
    l->files[i] = f;
    if (wa_rand_hex(f->id, (WA_LOCAL_FILE_ID - 1) / 2, err) != WA_OK ||
        wa_digest_new(WA_SHA256, &f->digest, err) != WA_OK ||
        name_of(f, false, &name, err) != WA_OK ||
        wa_file_create(&l->files_folder, &name, 0644, &f->fd, err) != WA_OK) {
        drop(l, i);
        return err->code;
    }
    *ret = f;
    return WA_OK;
}

bool wa_local_files_takes(const struct wa_http_head *head)
{
    return head->method == WA_HTTP_PUT && wa_sv_eqs(head->path, "/local/files");
}

void wa_local_files_begin(struct wa_local *l, struct wa_http_conn *c)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_local_file *f = NULL;
    uint64_t max = 0;
    if (begin(l, c, &max, &f, &err) != WA_OK) {
        wa_local_answer_err(c, &err);
        return;
    }
    f->exchange.conn = c;
    wa_http_set_user(c, &f->exchange);
    wa_http_stream_body(c, max, &f->sink);
}

static enum wa_code finish(struct wa_local *l, struct wa_local_file *f, struct wa_err *err)
{
    struct wa_relpath part, whole;
    if (f->size == 0)
        return wa_fail(err, WA_E_INVALID, "the file is empty");
    if (name_of(f, false, &part, err) != WA_OK || name_of(f, true, &whole, err) != WA_OK ||
        wa_digest_hex(f->digest, f->sha256, err) != WA_OK ||
        wa_file_rename(&l->files_folder, &part, &l->files_folder, &whole, err) != WA_OK)
        return err->code;
    wa_fd_close(&f->fd);
    f->at = wa_clock_now();
    return WA_OK;
}

void wa_local_files_end(struct wa_local *l, struct wa_http_conn *c, struct wa_sv body)
{
    WA_AUTO_BUF struct wa_buf out;
    struct wa_local_file *f = wa_http_user(c);
    struct wa_err err = WA_ERR_INIT;
    struct wa_jw w;
    WA_UNUSED(body);
    wa_buf_init(&out, 1024);
    if (f == NULL) { /* no file came before */
        (void)wa_fail(&err, WA_E_INVALID, "this call takes a file");
        wa_local_answer_err(c, &err);
        return;
    }
    f->exchange.conn = NULL;
    wa_http_set_user(c, NULL);
    if (finish(l, f, &err) != WA_OK) {
        wa_local_answer_err(c, &err);
        return; /* the next sweep takes it */
    }
    wa_jw_init(&w, &out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "id", f->id);
    wa_jw_kvi(&w, "size", (int64_t)f->size);
    wa_jw_kv(&w, "sha256", f->sha256);
    wa_jw_end(&w);
    wa_local_answer_json(c, &out);
}

void wa_local_files_remove(struct wa_local *l, struct wa_http_conn *c, struct wa_sv id)
{
    struct wa_err err = WA_ERR_INIT;
    for (size_t i = 0; i < WA_LOCAL_FILES; i++)
        if (l->files[i] != NULL && l->files[i]->fd < 0 && wa_sv_eqs(id, l->files[i]->id)) {
            drop(l, i);
            wa_http_answer(c, 200, "application/json", WA_SV("{}"), NULL);
            return;
        }
    (void)wa_fail(&err, WA_E_NOT_FOUND, "there is no such file any more");
    wa_local_answer_err(c, &err);
}

enum wa_code wa_local_file_path(const struct wa_local_prepared *p, struct wa_sv id,
                                char out[WA_PATH_MAX], struct wa_err *err)
{
    return wa_local_file_find(p->files_dir, id, out, err);
}

enum wa_code wa_local_file_find(const char *files_dir, struct wa_sv id, char out[WA_PATH_MAX],
                                struct wa_err *err)
{
    struct wa_stat st;
    if (id.n != WA_LOCAL_FILE_ID - 1 || !wa_hex_is(id, WA_LOCAL_FILE_ID - 1) || files_dir == NULL)
        return wa_fail(err, WA_E_NOT_FOUND, "there is no such file any more");
    int n = snprintf(out, WA_PATH_MAX, "%s/%.*s", files_dir, WA_SV_ARG(id));
    if (n >= (int)WA_PATH_MAX)
        return wa_fail(err, WA_E_LIMIT, "the path is too long");
    return wa_path_stat(out, &st, err) == WA_OK
               ? WA_OK
               : wa_fail(err, WA_E_NOT_FOUND, "there is no such file any more: drop it again");
}

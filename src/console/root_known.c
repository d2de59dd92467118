/* root_known.c - the root of a repository, as this person knows it, and the walk to the newest. */
#include "console/root_known.h"

#include "base/mem.h"
#include "codec/url.h"
#include "os/path.h"
#include "os/proc.h"

/* What lies there is believed: nobody else may write it. */
static enum wa_code check_owner(const char *path, const char *name, const struct wa_stat *st,
                                struct wa_err *err)
{
    return (st->mode & 022u) == 0 && st->uid == wa_proc_own_uid()
               ? WA_OK
               : wa_fail(err, WA_E_DENIED,
                         "'%s%s' says whom you trust, and others can write it: look at what it "
                         "says, and make it yours alone (chmod go-w)",
                         path, name);
}

/* By its handle: whoever may write the folder above puts no other in its place after this. */
enum wa_code wa_known_open_path(const char *path, struct wa_dir *ret, struct wa_err *err)
{
    static const char *const names[] = {"/root.json", "/last.json"};
    struct wa_stat st;
    if (wa_dir_make(path, 0700, ret, err) != WA_OK || wa_fd_stat(ret->fd, &st, err) != WA_OK ||
        check_owner(path, "", &st, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < WA_COUNT(names); i++) {
        struct wa_relpath file;
        struct wa_err absent = WA_ERR_INIT;
        if (wa_relpath_parse(wa_sv(names[i] + 1), &file, err) != WA_OK ||
            (wa_file_stat(ret, &file, &st, &absent) == WA_OK &&
             check_owner(path, names[i], &st, err) != WA_OK))
            return err->code;
    }
    return WA_OK;
}

enum wa_code wa_known_open(const char *server, struct wa_dir *ret, struct wa_err *err)
{
    char path[WA_PATH_MAX], name[320];
    struct wa_url url;
    if (wa_url_parse(wa_sv(server), &url, err) != WA_OK)
        return err->code;
    (void)snprintf(name, sizeof name, "repositories/%s-%u", url.host, (unsigned)url.port);
    if (wa_path_of_config(name, path, err) != WA_OK)
        return err->code;
    return wa_known_open_path(path, ret, err);
}

enum wa_code wa_known_fetch(struct wa_client *c, const char *name, size_t max, struct wa_buf *out,
                            bool *ret_found, struct wa_err *err)
{
    char path[WA_RELPATH_MAX + 8];
    struct wa_buf_sink sink;
    wa_buf_sink_init(&sink, out);
    (void)snprintf(path, sizeof path, "/wapt/%s", name);
    return wa_client_fetch(c, path, max, &sink.base, ret_found, err);
}

enum wa_code wa_known_send(struct wa_client *c, const char *what, struct wa_sv json,
                           struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_mem_source source;
    char path[64];
    wa_arena_init(&arena, 1u << 20);
    wa_mem_source_init(&source, json.p, json.n);
    (void)snprintf(path, sizeof path, "/api/v1/repository/%s", what);
    return wa_client_upload(c, path, &source.base, NULL, NULL, &arena, &j, err);
}

/* --- the root --- */

static enum wa_code read_known(const struct wa_dir *known, struct wa_buf *json, struct wa_err *err)
{
    struct wa_err why = WA_ERR_INIT;
    enum wa_code code = wa_publish_read(known, "root.json", WA_ROOT_BYTES_MAX, json, &why);
    if (code == WA_E_NOT_FOUND)
        return wa_fail(err, WA_E_CONFIG,
                       "no root of this repository is known here: give --root FILE, or once and "
                       "for all 'waptconsole root know FILE', as its administrators gave it to "
                       "you");
    return code == WA_OK ? WA_OK : wa_fail(err, code, "%s", why.text);
}

static enum wa_code keep(const struct wa_dir *known, struct wa_sv json, struct wa_root **root,
                         struct wa_root **next, struct wa_err *err)
{
    if (wa_publish_write(known, "root.json", json, err) != WA_OK)
        return err->code;
    wa_root_free(*root);
    *root = WA_TAKE(*next);
    return WA_OK;
}

enum wa_code wa_known_root(const struct wa_dir *known, struct wa_client *c, struct wa_sv given,
                           struct wa_root **ret, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf json;
    WA_AUTO(wa_root) struct wa_root *root = NULL;
    WA_AUTO(wa_root) struct wa_root *next = NULL;
    wa_buf_init(&json, WA_ROOT_BYTES_MAX);
    wa_buf_addsv(&json, given);
    if ((given.n == 0 && read_known(known, &json, err) != WA_OK) ||
        wa_root_read(wa_buf_sv(&json), &next, err) != WA_OK || wa_root_check(next, err) != WA_OK ||
        keep(known, wa_buf_sv(&json), &root, &next, err) != WA_OK)
        return err->code;
    for (unsigned steps = 0; steps < WA_ROOT_STEPS_MAX; steps++) {
        char name[48];
        bool is_there = false;
        wa_buf_clear(&json);
        (void)snprintf(name, sizeof name, "%lld.root.json", (long long)root->version + 1);
        if (wa_known_fetch(c, name, WA_ROOT_BYTES_MAX, &json, &is_there, err) != WA_OK)
            return err->code;
        if (!is_there)
            break;
        if (wa_root_read(wa_buf_sv(&json), &next, err) != WA_OK ||
            wa_root_check_next(root, next, err) != WA_OK ||
            keep(known, wa_buf_sv(&json), &root, &next, err) != WA_OK)
            return err->code;
    }
    *ret = WA_TAKE(root);
    return WA_OK;
}

/* --- the first one --- */

static enum wa_code server_has_root(struct wa_client *c, bool *ret, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf json;
    wa_buf_init(&json, WA_ROOT_BYTES_MAX);
    return wa_known_fetch(c, "root.json", WA_ROOT_BYTES_MAX, &json, ret, err);
}

enum wa_code wa_known_root_or_none(const struct wa_dir *known, struct wa_client *c,
                                   struct wa_root **ret, struct wa_err *err)
{
    bool is_there = false;
    if (wa_publish_has_root(known))
        return wa_known_root(known, c, WA_SV(""), ret, err);
    if (server_has_root(c, &is_there, err) != WA_OK)
        return err->code;
    if (is_there)
        return wa_known_root(known, c, WA_SV(""), ret, err); /* says what to do */
    *ret = NULL;
    return WA_OK;
}

enum wa_code wa_known_begin(const struct wa_dir *known, struct wa_client *c, struct wa_sv json,
                            struct wa_root **ret, struct wa_err *err)
{
    WA_AUTO(wa_root) struct wa_root *root = NULL;
    bool is_there = false;
    if (wa_publish_has_root(known))
        return wa_fail(err, WA_E_EXISTS,
                       "a root of this repository is known here already: 'waptconsole root know "
                       "FILE' takes another one in its place");
    if (wa_root_read(json, &root, err) != WA_OK || wa_root_check(root, err) != WA_OK ||
        server_has_root(c, &is_there, err) != WA_OK ||
        (!is_there && wa_known_send(c, "root", json, err) != WA_OK))
        return err->code;
    return wa_known_root(known, c, json, ret, err);
}

enum wa_code wa_known_send_root(const struct wa_dir *known, struct wa_client *c, struct wa_sv json,
                                struct wa_root **ret, struct wa_err *err)
{
    WA_AUTO(wa_root) struct wa_root *root = NULL;
    WA_AUTO(wa_root) struct wa_root *next = NULL;
    if (wa_known_root(known, c, WA_SV(""), &root, err) != WA_OK ||
        wa_root_read(json, &next, err) != WA_OK || wa_root_check_next(root, next, err) != WA_OK ||
        wa_known_send(c, "root", json, err) != WA_OK)
        return err->code;
    return wa_known_root(known, c, WA_SV(""), ret, err);
}

/* --- the list --- */

enum wa_code wa_known_root_to_give(const struct wa_dir *known, struct wa_client *c, int64_t now,
                                   struct wa_buf *json, struct wa_root **ret, struct wa_err *err)
{
    WA_AUTO(wa_root) struct wa_root *root = NULL;
    struct wa_err why = WA_ERR_INIT;
    *ret = NULL;
    wa_buf_clear(json);
    enum wa_code code = read_known(known, json, &why);
    if (code == WA_E_CONFIG) {
        wa_buf_clear(json);
        return WA_OK;
    }
    if (code != WA_OK)
        return wa_fail(err, code, "%s", why.text);
    wa_buf_clear(json);
    if (wa_known_root(known, c, WA_SV(""), &root, err) != WA_OK ||
        read_known(known, json, err) != WA_OK)
        return err->code;
    if (root->expires <= now)
        return wa_fail(err, WA_E_REFUSED,
                       "root %lld of the repository has expired: its administrators sign the next "
                       "one first",
                       (long long)root->version);
    *ret = WA_TAKE(root);
    return WA_OK;
}

enum wa_code wa_known_last(const struct wa_dir *known, struct wa_published **ret,
                           struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf json;
    struct wa_err why = WA_ERR_INIT;
    wa_buf_init(&json, WA_PUBLISHED_BYTES_MAX);
    enum wa_code code = wa_publish_read(known, "last.json", WA_PUBLISHED_BYTES_MAX, &json, &why);
    if (code == WA_E_NOT_FOUND)
        return WA_OK;
    return code == WA_OK ? wa_published_read(wa_buf_sv(&json), ret, err)
                         : wa_fail(err, code, "%s", why.text);
}

enum wa_code wa_known_keep_last(const struct wa_dir *known, struct wa_sv json, struct wa_err *err)
{
    return wa_publish_write(known, "last.json", json, err);
}

/* signers.c - trusted certificates come and go, each in a file of its own. */
#include "server/signers.h"

#include "codec/hex.h"
#include "codec/json.h"
#include "crypto/cert.h"
#include "os/clock.h"
#include "os/fs.h"

static void write_cert(struct wa_jw *w, const struct wa_cert *c)
{
    WA_AUTO_BUF struct wa_buf pem;
    wa_buf_init(&pem, WA_CERTFILE_BYTES_MAX);
    struct wa_err ignored = WA_ERR_INIT;
    wa_jw_obj(w);
    wa_jw_kv(w, "fingerprint", wa_cert_fingerprint(c));
    wa_jw_kv(w, "name", wa_cert_cn(c));
    wa_jw_kv(w, "subject", wa_cert_subject(c));
    wa_jw_kvi(w, "not_after", wa_cert_not_after(c));
    wa_jw_kvb(w, "is_authority", wa_cert_is_ca(c));
    if (wa_cert_write_pem(c, &pem, &ignored) == WA_OK)
        wa_jw_kvsv(w, "certificate", wa_buf_sv(&pem));
    wa_jw_end(w);
}

enum wa_code wa_signers_list(const char *path, struct wa_buf *out, struct wa_err *err)
{
    WA_AUTO_CERTS struct wa_certs certs = {NULL, 0, 0};
    struct wa_jw w;
    if (wa_certs_read_dir(path, &certs, err) != WA_OK)
        return err->code;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_key(&w, "signers");
    wa_jw_arr(&w);
    for (size_t i = 0; i < certs.n; i++)
        write_cert(&w, certs.items[i]);
    wa_jw_end(&w);
    wa_jw_end(&w);
    return wa_buf_check(out, err);
}

static bool has(const struct wa_certs *certs, struct wa_sv fingerprint)
{
    for (size_t i = 0; i < certs->n; i++)
        if (wa_sv_eqs(fingerprint, wa_cert_fingerprint(certs->items[i])))
            return true;
    return false;
}

enum wa_code wa_signers_add(const char *path, struct wa_sv pem, char *fingerprint,
                            struct wa_err *err)
{
    WA_AUTO_CERTS struct wa_certs certs = {NULL, 0, 0};
    WA_AUTO_CERTS struct wa_certs there = {NULL, 0, 0};
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    WA_AUTO_BUF struct wa_buf own;
    struct wa_relpath name;
    wa_buf_init(&own, WA_CERTFILE_BYTES_MAX);
    if (wa_certs_read_pem(pem, 2, &certs, err) != WA_OK ||
        wa_certs_read_dir(path, &there, err) != WA_OK)
        return err->code;
    if (certs.n != 1)
        return wa_fail(err, WA_E_USAGE, "one certificate at a time");
    const struct wa_cert *c = certs.items[0];
    (void)snprintf(fingerprint, 65, "%s", wa_cert_fingerprint(c));
    if (has(&there, wa_sv(fingerprint)))
        return wa_fail(err, WA_E_EXISTS, "'%s' is trusted already", wa_cert_subject(c));
    if (wa_cert_not_after(c) < wa_clock_now())
        return wa_fail(err, WA_E_USAGE, "the certificate of '%s' is out of date",
                       wa_cert_subject(c));
    name.n = (size_t)snprintf(name.p, sizeof name.p, "%s.crt", fingerprint);
    if (wa_cert_write_pem(c, &own, err) != WA_OK || wa_dir_open(path, &dir, err) != WA_OK)
        return err->code;
    return wa_file_replace(&dir, &name, wa_buf_sv(&own), 0644, err) == WA_OK
               ? WA_OK
               : wa_wrap(err, "'%s' must belong to the server's account", path);
}

struct removal {
    const struct wa_dir *dir;
    struct wa_sv fingerprint;
    size_t removed;
};

static enum wa_code remove_one(void *user, const char *file, const struct wa_stat *st,
                               struct wa_err *err)
{
    struct removal *r = user;
    WA_AUTO_CERTS struct wa_certs certs = {NULL, 0, 0};
    WA_AUTO_BUF struct wa_buf text;
    struct wa_relpath name;
    struct wa_err why = WA_ERR_INIT;
    wa_buf_init(&text, WA_CERTFILE_BYTES_MAX);
    if (!st->is_file || wa_relpath_parse(wa_sv(file), &name, &why) != WA_OK ||
        wa_file_read(r->dir, &name, WA_CERTFILE_BYTES_MAX, &text, &why) != WA_OK ||
        wa_certs_read_pem(wa_buf_sv(&text), WA_ANCHORS_MAX, &certs, &why) != WA_OK ||
        !has(&certs, r->fingerprint))
        return WA_OK;
    if (certs.n > 1)
        return wa_fail(err, WA_E_CONFLICT,
                       "'%s' holds other certificates too: take it out by hand, on the server",
                       file);
    r->removed++;
    return wa_file_remove(r->dir, &name, err);
}

enum wa_code wa_signers_remove(const char *path, struct wa_sv fingerprint, struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    struct removal r = {&dir, fingerprint, 0};
    if (wa_dir_open(path, &dir, err) != WA_OK || wa_dir_list(&dir, remove_one, &r, err) != WA_OK)
        return err->code;
    return r.removed > 0 ? WA_OK
                         : wa_fail(err, WA_E_NOT_FOUND, "no such certificate is trusted here");
}

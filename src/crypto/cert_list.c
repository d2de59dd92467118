/* cert_list.c - lists of certificates: from PEM text, from a directory, to PEM text.
 *
 * Blocks are found by their exact lines, as WAPT does (formats.md 1.8); a block inside another, or
 * without an end, is not one. A list is changed as a whole or not at all.
 */
#include "base/mem.h"
#include "base/vec.h"
#include "codec/base64.h"
#include "crypto/cert_priv.h"
#include "crypto/ossl_priv.h"

#include <openssl/err.h>
#include <openssl/pem.h>

void wa_certs_fini(struct wa_certs *list)
{
    wa_certs_cut(list, 0);
    WA_VEC_FREE(list);
}

void wa_certs_cut(struct wa_certs *list, size_t n)
{
    while (list->n > n)
        wa_cert_free(list->items[--list->n]);
}

enum wa_code wa_certs_add(struct wa_certs *list, struct wa_cert *c, struct wa_err *err)
{
    for (size_t i = 0; i < list->n; i++)
        if (wa_cert_equal(list->items[i], c))
            return WA_OK;
    struct wa_cert **slot = WA_VEC_PUSH(list);
    if (slot == NULL)
        return wa_nomem(err);
    *slot = wa_cert_ref(c);
    return WA_OK;
}

/* Is the line "-----<word> <label>-----"? A '\r' at its end does not count. */
static bool is_mark(struct wa_sv line, const char *word, const char *label)
{
    char want[64];

    if (line.n > 0 && line.p[line.n - 1] == '\r')
        line.n--;
    (void)snprintf(want, sizeof(want), "-----%s %s-----", word, label);
    return wa_sv_eqs(line, want);
}

bool wa_pem_next(struct wa_sv *rest, const char *label, struct wa_sv *ret)
{
    struct wa_sv line;
    const char *start = NULL;

    while (wa_sv_split(rest, '\n', &line)) {
        if (is_mark(line, "BEGIN", label)) {
            start = line.p + line.n;
        } else if (start != NULL && is_mark(line, "END", label)) {
            *ret = wa_sv_n(start, (size_t)(line.p - start));
            return true;
        }
    }
    return false;
}

static enum wa_code read_block(struct wa_sv base64, struct wa_certs *into, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf der;
    WA_AUTO(wa_cert) struct wa_cert *c = NULL;

    wa_buf_init(&der, WA_CERTFILE_BYTES_MAX);
    if (wa_base64_decode(base64, &der, err) != WA_OK)
        return wa_wrap(err, "cannot read a certificate");
    if (wa_cert_from_der(wa_buf_str(&der), der.n, &c, err) != WA_OK)
        return err->code;
    return wa_certs_add(into, c, err);
}

enum wa_code wa_certs_read_text(struct wa_sv pem, size_t max, struct wa_certs *into, size_t *ret_n,
                                struct wa_err *err)
{
    struct wa_sv rest = pem, base64;
    size_t before = into->n, seen = 0;
    enum wa_code code = WA_OK;

    while (code == WA_OK && wa_pem_next(&rest, "CERTIFICATE", &base64)) {
        if (++seen > max)
            code = wa_fail(err, WA_E_LIMIT, "cannot read more than %zu certificates", max);
        else
            code = read_block(base64, into, err);
    }
    if (code != WA_OK)
        wa_certs_cut(into, before);
    else
        *ret_n = seen;
    return code;
}

enum wa_code wa_certs_read_pem(struct wa_sv pem, size_t max, struct wa_certs *into,
                               struct wa_err *err)
{
    size_t seen = 0;

    if (pem.n > WA_CERTFILE_BYTES_MAX)
        return wa_fail(err, WA_E_LIMIT, "cannot read certificates of more than %u bytes",
                       WA_CERTFILE_BYTES_MAX);
    if (wa_certs_read_text(pem, max, into, &seen, err) != WA_OK)
        return err->code;
    if (seen == 0)
        return wa_fail(err, WA_E_INVALID, "there is no certificate in it");
    return WA_OK;
}

/* --- directories --- */

struct file_walk {
    const char *path, *suffix;
    wa_pem_file_fn fn;
    void *user;
};

static enum wa_code read_file(void *user, const char *name, const struct wa_stat *st,
                              struct wa_err *err)
{
    const struct file_walk *w = user;
    char path[WA_PATH_MAX];
    WA_AUTO_BUF struct wa_buf text;

    wa_buf_init(&text, WA_TRUST_FILE_BYTES_MAX);
    if (st->is_dir || name[0] == '.' || !wa_sv_ends(wa_sv(name), w->suffix))
        return WA_OK;
    if (snprintf(path, sizeof(path), "%s/%s", w->path, name) >= (int)sizeof(path))
        return wa_fail(err, WA_E_LIMIT, "cannot read '%s' in '%s': the path is too long", name,
                       w->path);
    if (wa_path_read(path, WA_TRUST_FILE_BYTES_MAX, &text, err) != WA_OK)
        return err->code;
    if (w->fn(w->user, wa_buf_sv(&text), err) != WA_OK)
        return wa_wrap(err, "'%s'", path);
    return WA_OK;
}

enum wa_code wa_pem_files(const char *path, const char *suffix, wa_pem_file_fn fn, void *user,
                          struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    struct file_walk w = {path, suffix, fn, user};

    if (wa_dir_open(path, &dir, err) != WA_OK)
        return err->code;
    return wa_dir_list(&dir, read_file, &w, err);
}

/* A .pem may hold a key alone, a .crt a revocation list: no certificate is no fault. */
static enum wa_code read_certs(void *user, struct wa_sv text, struct wa_err *err)
{
    struct wa_certs *into = user;
    size_t seen = 0;

    if (wa_certs_read_text(text, WA_ANCHORS_MAX, into, &seen, err) != WA_OK)
        return err->code;
    if (into->n > WA_ANCHORS_MAX)
        return wa_fail(err, WA_E_LIMIT, "there are more than %u certificates in its directory",
                       WA_ANCHORS_MAX);
    return WA_OK;
}

enum wa_code wa_certs_read_dir(const char *path, struct wa_certs *into, struct wa_err *err)
{
    size_t before = into->n;

    if (wa_pem_files(path, ".crt", read_certs, into, err) != WA_OK ||
        wa_pem_files(path, ".pem", read_certs, into, err) != WA_OK) {
        wa_certs_cut(into, before);
        return err->code;
    }
    return WA_OK;
}

/* --- writing --- */

enum wa_code wa_cert_write_pem(const struct wa_cert *c, struct wa_buf *out, struct wa_err *err)
{
    WA_OSSL(BIO) bio = BIO_new(BIO_s_mem());

    if (bio == NULL || PEM_write_bio_X509(bio, c->x) != 1)
        return wa_ossl_fail(err, WA_E_FAILED, "cannot write a certificate");
    ERR_clear_error();
    return wa_ossl_drain(bio, out, err);
}

enum wa_code wa_certs_write_pem(const struct wa_certs *list, struct wa_buf *out, struct wa_err *err)
{
    for (size_t i = 0; i < list->n; i++) {
        if (i > 0)
            wa_buf_addc(out, '\n');
        if (wa_cert_write_pem(list->items[i], out, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

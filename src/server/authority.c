/* authority.c - the authority's files, and the certificates and lists that the signer composes with
 * its key.
 *
 * Nothing of what is signed is copied from a request but a machine's name and a public key: usages,
 * dates and serial number are ours.
 */
#include "server/authority.h"

#include "base/mem.h"
#include "codec/hex.h"
#include "crypto/csr.h"
#include "os/clock.h"
#include "os/rand.h"
#include "proto/hostid.h"

#define AUTHORITY_DAYS 7300u /* twenty years: every machine must renew when it ends */
#define KEY_FILE "private/authority.pem"
#define CERT_FILE "private/authority.crt"

void wa_authority_fini(struct wa_authority *a)
{
    wa_cert_free(a->cert);
    wa_key_free(a->key);
    *a = (struct wa_authority){NULL, NULL};
}

/* --- files --- */

static enum wa_code write_files(const char *dir, const struct wa_key *key,
                                const struct wa_cert *cert, struct wa_err *err)
{
    char path[WA_PATH_MAX];
    WA_AUTO_BUF_SECRET struct wa_buf pem;
    WA_AUTO_BUF struct wa_buf crt;
    wa_buf_init(&pem, WA_KEY_BYTES_MAX);
    wa_buf_init(&crt, WA_CERTFILE_BYTES_MAX);
    if (wa_key_write_pem(key, WA_SV(""), &pem, err) != WA_OK ||
        wa_cert_write_pem(cert, &crt, err) != WA_OK)
        return err->code;
    (void)snprintf(path, sizeof path, "%s/" KEY_FILE, dir);
    if (wa_path_replace(path, wa_buf_sv(&pem), 0600, err) != WA_OK)
        return err->code;
    (void)snprintf(path, sizeof path, "%s/" CERT_FILE, dir); /* last: with it, all is there */
    return wa_path_replace(path, wa_buf_sv(&crt), 0644, err);
}

enum wa_code wa_authority_make(const char *dir, struct wa_err *err)
{
    char path[WA_PATH_MAX], mark[17], cn[64];
    struct wa_stat st;
    struct wa_err missing = WA_ERR_INIT;
    WA_AUTO(wa_key) struct wa_key *key = NULL;
    WA_AUTO(wa_cert) struct wa_cert *cert = NULL;
    (void)snprintf(path, sizeof path, "%s/" CERT_FILE, dir);
    if (wa_path_stat(path, &st, &missing) == WA_OK)
        return WA_OK;
    if (wa_rand_hex(mark, 8, err) != WA_OK)
        return err->code;
    (void)snprintf(cn, sizeof cn, "WAPT machines %s", mark);
    const struct wa_cert_request what = {
        .cn = cn, .is_ca = true, .path_length = 0, .days = AUTHORITY_DAYS};
    if (wa_key_new_p256(&key, err) != WA_OK ||
        wa_cert_issue(&what, key, NULL, NULL, &cert, err) != WA_OK)
        return wa_wrap(err, "making the authority for machines");
    return write_files(dir, key, cert, err);
}

static enum wa_code read_key(const struct wa_server_config *c, struct wa_authority *a,
                             struct wa_err *err)
{
    char path[WA_PATH_MAX];
    WA_AUTO_BUF_SECRET struct wa_buf pem;
    wa_buf_init(&pem, WA_KEY_BYTES_MAX);
    if (wa_server_path(c, KEY_FILE, path, err) != WA_OK ||
        wa_path_read(path, WA_KEY_BYTES_MAX, &pem, err) != WA_OK ||
        wa_key_read_pem(wa_buf_sv(&pem), path, NULL, NULL, &a->key, err) != WA_OK)
        return err->code;
    return wa_cert_matches_key(a->cert, a->key)
               ? WA_OK
               : wa_fail(err, WA_E_CONFIG,
                         "'%s' is not the key of the authority's certificate beside it", path);
}

enum wa_code wa_authority_read(const struct wa_server_config *c, bool with_key,
                               struct wa_authority *ret, struct wa_err *err)
{
    char path[WA_PATH_MAX];
    struct wa_authority a = {NULL, NULL};
    WA_AUTO_CERTS struct wa_certs certs = {NULL, 0, 0};
    WA_AUTO_BUF struct wa_buf pem;
    wa_buf_init(&pem, WA_CERTFILE_BYTES_MAX);
    if (wa_server_path(c, CERT_FILE, path, err) != WA_OK ||
        wa_path_read(path, WA_CERTFILE_BYTES_MAX, &pem, err) != WA_OK ||
        wa_certs_read_pem(wa_buf_sv(&pem), 1, &certs, err) != WA_OK)
        return wa_wrap(err, "the authority for machines");
    a.cert = wa_cert_ref(certs.items[0]);
    if (with_key && read_key(c, &a, err) != WA_OK) {
        wa_authority_fini(&a);
        return wa_wrap(err, "the authority for machines");
    }
    *ret = a;
    return WA_OK;
}

/* --- certificates --- */

static enum wa_code write_pem(const char *name, struct wa_sv pem, struct wa_buf *answer,
                              struct wa_err *err)
{
    struct wa_jw w;
    wa_jw_init(&w, answer);
    wa_jw_obj(&w);
    wa_jw_kvsv(&w, name, pem);
    wa_jw_end(&w);
    return wa_buf_check(answer, err);
}

enum wa_code wa_authority_certify(const struct wa_authority *a, const struct wa_json *what,
                                  struct wa_buf *answer, struct wa_err *err)
{
    struct wa_sv uuid = {NULL, 0}, key_pem = {NULL, 0};
    int64_t days = 0;
    char name[WA_UUID_MAX + 1];
    const char *const names[] = {name, NULL};
    WA_AUTO(wa_key) struct wa_key *key = NULL;
    WA_AUTO(wa_cert) struct wa_cert *cert = NULL;
    WA_AUTO_BUF struct wa_buf pem;
    const struct wa_json_field fields[] = {
        {"uuid", WA_WANT_SV, true, WA_UUID_MAX, &uuid},
        {"key", WA_WANT_SV, true, WA_CSR_BYTES_MAX, &key_pem},
        {"days", WA_WANT_I64, true, 0, &days},
    };
    wa_buf_init(&pem, WA_CERTFILE_BYTES_MAX);
    if (wa_json_read(what, fields, WA_COUNT(fields), "a request to certify", err) != WA_OK ||
        wa_hostid_copy(uuid, name, err) != WA_OK ||
        wa_key_read_public_pem(key_pem, &key, err) != WA_OK)
        return err->code;
    if (days < 1 || days > WA_CLIENT_CERT_DAYS_MAX)
        return wa_fail(err, WA_E_INVALID, "a request to certify for %lld days", (long long)days);
    const struct wa_cert_request request = {.cn = name,
                                            .path_length = -1,
                                            .client_auth = true,
                                            .dns_names = names,
                                            .days = (unsigned)days};
    if (wa_cert_issue(&request, key, a->cert, a->key, &cert, err) != WA_OK ||
        wa_cert_write_pem(cert, &pem, err) != WA_OK)
        return err->code;
    return write_pem("certificate", wa_buf_sv(&pem), answer, err);
}

static enum wa_code read_entry(const struct wa_json *j, char serial[WA_CERT_SERIAL_SIZE],
                               struct wa_revoked *ret, struct wa_err *err)
{
    struct wa_sv text = {NULL, 0};
    const struct wa_json_field fields[] = {
        {"serial", WA_WANT_SV, true, WA_CERT_SERIAL_SIZE - 1, &text},
        {"at", WA_WANT_I64, true, 0, &ret->at}};
    if (wa_json_read(j, fields, WA_COUNT(fields), "a request to revoke", err) != WA_OK)
        return err->code;
    if (text.n < 2 || text.n % 2 != 0 || !wa_hex_is(text, text.n) || ret->at < 0)
        return wa_fail(err, WA_E_INVALID, "a serial number is of two hex digits a byte");
    (void)snprintf(serial, WA_CERT_SERIAL_SIZE, "%.*s", WA_SV_ARG(text));
    ret->serial = serial;
    return WA_OK;
}

enum wa_code wa_authority_revoke(const struct wa_authority *a, const struct wa_json *list,
                                 struct wa_buf *answer, struct wa_err *err)
{
    size_t n = wa_json_count(list);
    int64_t now = wa_clock_now();
    WA_AUTO_BUF struct wa_buf pem;
    wa_buf_init(&pem, WA_IPC_MESSAGE_MAX);
    struct wa_revoked *entries = wa_calloc(n + 1, sizeof *entries);
    char(*serials)[WA_CERT_SERIAL_SIZE] = wa_calloc(n + 1, sizeof *serials);
    enum wa_code code = entries == NULL || serials == NULL ? wa_nomem(err) : WA_OK;
    for (size_t i = 0; code == WA_OK && i < n; i++)
        code = read_entry(wa_json_at(list, i), serials[i], &entries[i], err);
    if (code == WA_OK)
        code = wa_crl_issue(entries, n, now, now, now + WA_CRL_DAYS * 86400, a->cert, a->key, &pem,
                            err);
    if (code == WA_OK)
        code = write_pem("crl", wa_buf_sv(&pem), answer, err);
    wa_free(entries);
    wa_free(serials);
    return code;
}

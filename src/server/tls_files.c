/* tls_files.c - the certificate and key by which the server shows itself, judged before anybody is
 * served with them. */
#include "base/date.h"
#include "os/clock.h"
#include "server/config.h"

static enum wa_code check_dates(const struct wa_cert *cert, const char *path, struct wa_err *err)
{
    int64_t now = wa_clock_now(), from = wa_cert_not_before(cert), to = wa_cert_not_after(cert);
    char date[WA_DATE_MAX];
    wa_date_rfc3339(now < from ? from : to, date);
    if (now >= from && now <= to)
        return WA_OK;
    return wa_fail(
        err, WA_E_CONFIG,
        now > to
            ? "the TLS certificate '%s' expired on %s: put a new one there, with its key beside it"
            : "the TLS certificate '%s' holds only from %s on: is the clock right?",
        path, date);
}

static enum wa_code read_chain(const struct wa_server_config *c, char *path, struct wa_certs *chain,
                               struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf pem;
    wa_buf_init(&pem, WA_CERTFILE_BYTES_MAX);
    if (wa_server_path(c, "private/tls.crt", path, err) != WA_OK ||
        wa_path_read(path, WA_CERTFILE_BYTES_MAX, &pem, err) != WA_OK ||
        wa_certs_read_pem(wa_buf_sv(&pem), WA_CHAIN_MAX, chain, err) != WA_OK)
        return wa_fail(err, WA_E_CONFIG, "the TLS certificate can't be used: %s", err->text);
    return check_dates(chain->items[0], path, err);
}

enum wa_code wa_server_tls(const struct wa_server_config *c, struct wa_certs *chain,
                           struct wa_key **ret_key, struct wa_err *err)
{
    char path[WA_PATH_MAX];
    WA_AUTO_BUF_SECRET struct wa_buf pem;
    WA_AUTO(wa_key) struct wa_key *key = NULL;
    wa_buf_init(&pem, 64u << 10);
    if (read_chain(c, path, chain, err) != WA_OK)
        return err->code;
    if (wa_server_path(c, "private/tls.pem", path, err) != WA_OK ||
        wa_path_read(path, 64u << 10, &pem, err) != WA_OK ||
        wa_key_read_pem(wa_buf_sv(&pem), path, NULL, NULL, &key, err) != WA_OK)
        return wa_fail(err, WA_E_CONFIG, "the TLS key can't be used: %s", err->text);
    if (!wa_cert_matches_key(chain->items[0], key))
        return wa_fail(err, WA_E_CONFIG, "'%s' is not the key of the TLS certificate beside it",
                       path);
    *ret_key = key;
    key = NULL;
    return WA_OK;
}

/* tls_identity.c - the certificate by which this machine shows itself on TLS (security target F1A):
 * a key of its own, which the network and fetch processes are given, and the server's certificate
 * for it.
 *
 * The machine's own key never leaves the manager; it vouches for the TLS key in the statement of
 * registration, and another TLS key takes its place whenever this one is lost or revoked. Nothing
 * here is needed to be heard by the server: without it only what asks for a certificate is closed.
 */
#include "agent/backoff.h"
#include "agent/identity.h"
#include "crypto/csr.h"
#include "os/clock.h"

#define KEY_FILE "private/tls.pem"
#define PARAM "tls_certificate"
#define RETRY_S 3600 /* s: after a server gave none, or a renewal failed */
#define PAUSE_S                                                                                    \
    20 /* s: after one that it gave; a server that refuses each is not asked all the time */
#define LEFT_PART 3 /* renewed when a third of its life is left */

static enum wa_code key_path(struct wa_relpath *ret, struct wa_err *err)
{
    return wa_relpath_parse(WA_SV(KEY_FILE), ret, err);
}

/* What both threads see. pem: taken over. */
static void publish(struct wa_manager *m, struct wa_buf *pem, int64_t until, int64_t due)
{
    wa_lock_take(m->lock);
    struct wa_buf was = m->tls.pem;
    m->tls.pem = *pem;
    m->tls.until = until;
    m->tls.due = due;
    m->tls.is_refused = false;
    wa_lock_give(m->lock);
    wa_buf_fini_secret(&was);
}

static void publish_none(struct wa_manager *m)
{
    struct wa_buf none;
    wa_buf_init(&none, WA_TLS_IDENTITY_MAX);
    publish(m, &none, 0, 0);
}

/* Certificate and key, which belong together, as one text. */
static enum wa_code adopt(struct wa_manager *m, struct wa_sv certificate, const struct wa_key *key,
                          struct wa_err *err)
{
    WA_AUTO_CERTS struct wa_certs certs = {NULL, 0, 0};
    WA_AUTO_BUF_SECRET struct wa_buf pem;
    wa_buf_init(&pem, WA_TLS_IDENTITY_MAX);
    if (wa_certs_read_pem(certificate, 1, &certs, err) != WA_OK)
        return err->code;
    const struct wa_cert *c = certs.items[0];
    if (!wa_cert_matches_key(c, key) || strcmp(wa_cert_cn(c), m->uuid) != 0)
        return wa_fail(err, WA_E_REFUSED, "it is for another key or machine");
    wa_buf_addsv(&pem, certificate);
    wa_buf_addc(&pem, '\n');
    if (wa_key_write_pem(key, WA_SV(""), &pem, err) != WA_OK)
        return err->code;
    int64_t from = wa_cert_not_before(c), to = wa_cert_not_after(c);
    publish(m, &pem, to, to - (to - from) / LEFT_PART);
    wa_buf_init(&pem, 0); /* is the manager's now */
    return WA_OK;
}

static enum wa_code read_key(struct wa_manager *m, struct wa_key **ret, struct wa_err *err)
{
    struct wa_relpath path;
    WA_AUTO_BUF_SECRET struct wa_buf pem;
    wa_buf_init(&pem, WA_KEY_BYTES_MAX);
    if (key_path(&path, err) != WA_OK ||
        wa_file_read(&m->base, &path, WA_KEY_BYTES_MAX, &pem, err) != WA_OK)
        return err->code;
    return wa_key_read_pem(wa_buf_sv(&pem), KEY_FILE, NULL, NULL, ret, err);
}

void wa_tls_identity_load(struct wa_manager *m, struct wa_db *db)
{
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO(wa_key) struct wa_key *key = NULL;
    WA_AUTO_BUF struct wa_buf certificate;
    wa_buf_init(&certificate, WA_CERTFILE_BYTES_MAX);
    publish_none(m);
    if (wa_param_get(db, PARAM, &certificate, &err) == WA_OK && certificate.n > 0 &&
        read_key(m, &key, &err) == WA_OK)
        (void)adopt(m, wa_buf_sv(&certificate), key, &err);
    if (err.code != WA_OK) /* another one is asked for */
        wa_log_err(&m->log, WA_LOG_WARNING, "certificate.unusable", &err);
}

void wa_tls_identity_forget(struct wa_manager *m)
{
    struct wa_relpath path;
    struct wa_err err = WA_ERR_INIT;
    publish_none(m);
    wa_key_free(m->tls_next);
    m->tls_next = NULL;
    if (key_path(&path, &err) != WA_OK ||
        (wa_file_remove(&m->base, &path, &err) != WA_OK && err.code != WA_E_NOT_FOUND))
        wa_log_err(&m->log, WA_LOG_ERROR, "certificate.left", &err);
}

enum wa_code wa_tls_identity_request(struct wa_manager *m, bool is_renewal, struct wa_buf *csr,
                                     struct wa_err *err)
{
    struct wa_err missing = WA_ERR_INIT;
    wa_key_free(m->tls_next);
    m->tls_next = NULL;
    if (is_renewal && !m->tls.is_refused)
        (void)read_key(m, &m->tls_next, &missing);
    if (m->tls_next == NULL && wa_key_new_p256(&m->tls_next, err) != WA_OK)
        return err->code;
    return wa_csr_make(m->uuid, m->tls_next, csr, err);
}

static enum wa_code keep(struct wa_manager *m, struct wa_sv certificate, struct wa_err *err)
{
    struct wa_relpath path;
    WA_AUTO_BUF_SECRET struct wa_buf pem;
    wa_buf_init(&pem, WA_KEY_BYTES_MAX);
    /* A cut in between leaves a key and a certificate that don't match: none, and soon another. */
    if (wa_key_write_pem(m->tls_next, WA_SV(""), &pem, err) != WA_OK ||
        key_path(&path, err) != WA_OK ||
        wa_file_replace(&m->base, &path, wa_buf_sv(&pem), 0600, err) != WA_OK ||
        wa_param_set(m->tdb, PARAM, certificate, err) != WA_OK)
        return err->code;
    return adopt(m, certificate, m->tls_next, err);
}

void wa_tls_identity_take(struct wa_manager *m, struct wa_sv certificate)
{
    struct wa_err err = WA_ERR_INIT;
    m->tls_retry_at = wa_clock_now() + (certificate.n > 0 ? PAUSE_S : RETRY_S);
    if (certificate.n == 0) /* refused, or a server that issues none */
        wa_tls_identity_forget(m);
    else if (keep(m, certificate, &err) != WA_OK)
        wa_log_err(&m->log, WA_LOG_WARNING, "certificate.unusable", &err);
    wa_key_free(m->tls_next);
    m->tls_next = NULL;
}

/* Our server; or where the configuration says that our own package is, as behind a proxy. */
static bool is_for_us(const struct wa_agent_config *c, const char *url)
{
    size_t n = strlen(c->host_repo.url);
    bool is_own = wa_sv_starts(wa_sv(c->host_repo.url), "https://") &&
                  strncmp(url, c->host_repo.url, n) == 0 && url[n] == '/';
    return is_own || wa_agent_is_on_server(c, url);
}

enum wa_code wa_tls_identity_copy(struct wa_manager *m, const char *url, struct wa_buf *out,
                                  struct wa_sv *ret, struct wa_err *err)
{
    wa_buf_init(out, WA_TLS_IDENTITY_MAX);
    wa_lock_take(m->lock);
    if (is_for_us(&m->config, url) && m->tls.until > wa_clock_now())
        wa_buf_addsv(out, wa_buf_sv(&m->tls.pem));
    wa_lock_give(m->lock);
    *ret = wa_buf_sv(out);
    return wa_buf_check(out, err);
}

void wa_tls_identity_doubt(struct wa_manager *m)
{
    wa_lock_take(m->lock);
    m->tls.is_refused = m->tls.pem.n > 0;
    wa_lock_signal(m->lock);
    wa_lock_give(m->lock);
}

bool wa_tls_identity_is_due(struct wa_manager *m)
{
    int64_t now = wa_clock_now();
    if (m->once || m->key == NULL || wa_is_to_come(m->tls_retry_at, now, RETRY_S))
        return false;
    wa_lock_take(m->lock);
    bool is_due = m->tls.pem.n == 0 || m->tls.is_refused || now >= m->tls.due;
    wa_lock_give(m->lock);
    if (is_due)
        m->tls_retry_at = now + RETRY_S;
    return is_due;
}

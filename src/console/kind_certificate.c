/* kind_certificate.c - a certificate, issued by a person's authority for whoever asked with a
 * request, or for a key of his own that waits for one.
 *
 * A certificate of that authority is somebody whom machines obey: always by a gesture.
 */
#include "console/issuing.h"
#include "console/local_kind.h"
#include "os/fs.h"
#include "pkg/keypair.h"

struct issuing {
    struct wa_issuing what;
    char own[WA_CN_SIZE]; /* "": of somebody else */
};

static enum wa_code read_own(const struct wa_local_prepared *p, struct issuing *k,
                             struct wa_sv name, struct wa_buf *pem, struct wa_err *err)
{
    WA_AUTO_KEYPAIR struct wa_keypair pair = {.dir = WA_DIR_INIT};
    (void)snprintf(k->own, sizeof k->own, "%.*s", WA_SV_ARG(name));
    if (p->options->keys_dir == NULL)
        return wa_fail(err, WA_E_CONFIG, "there is no folder for keys: set keys_dir in %s",
                       "waptconsole.ini");
    return wa_keypair_open(p->options->keys_dir, k->own, &pair, err) == WA_OK
               ? wa_file_read(&pair.dir, &pair.request, WA_CSR_BYTES_MAX, pem, err)
               : err->code;
}

static enum wa_code read_request(struct wa_local_prepared *p, struct issuing *k,
                                 const struct wa_json *request, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf pem;
    struct wa_sv what, key, text = WA_SV(""), own = WA_SV(""), organization = WA_SV("");
    struct wa_issuing *i = &k->what;
    const struct wa_json_field fields[] = {
        {"what", WA_WANT_SV, true, 64, &what},
        {"key", WA_WANT_SV, false, 16, &key},
        {"request", WA_WANT_SV, false, WA_CSR_BYTES_MAX, &text},
        {"own", WA_WANT_SV, false, WA_CN_SIZE - 1, &own},
        {"days", WA_WANT_I64, true, 0, &i->days},
        {"organization", WA_WANT_SV, false, 64, &organization},
        {"ca", WA_WANT_BOOL, false, 0, &i->is_ca},
        {"code_signing", WA_WANT_BOOL, false, 0, &i->code_signing},
        {"client_auth", WA_WANT_BOOL, false, 0, &i->client_auth}};
    wa_buf_init(&pem, WA_CSR_BYTES_MAX);
    if (wa_json_read(request, fields, WA_COUNT(fields), "the request", err) != WA_OK)
        return err->code;
    if ((text.n > 0) == (own.n > 0))
        return wa_fail(err, WA_E_INVALID, "a request for a certificate, or a key of one's own");
    wa_buf_addsv(&pem, text);
    if (organization.n > 0) {
        i->organization = wa_arena_strdup(&p->arena, organization);
        if (i->organization == NULL)
            return wa_nomem(err);
    }
    if (own.n > 0 && read_own(p, k, own, &pem, err) != WA_OK)
        return err->code;
    return wa_issuing_read(wa_buf_sv(&pem), i, err);
}

static void say(void *user, const char *label, struct wa_sv value)
{
    wa_local_say(user, label, value);
}

static enum wa_code prepare(struct wa_local_prepared *p, const struct wa_json *request,
                            struct wa_client *client, struct wa_err *err)
{
    struct issuing *k = wa_arena_alloc(&p->arena, 1, sizeof *k);
    WA_UNUSED(client);
    if (k == NULL)
        return wa_nomem(err);
    *k = (struct issuing){.own = ""};
    p->own = k;
    if (read_request(p, k, request, err) != WA_OK)
        return err->code;
    wa_buf_addf(&p->title, wa_text("certificate for %s"), k->what.cn);
    return wa_issuing_say(&k->what, say, p, err);
}

static enum wa_code keep(const struct wa_local_prepared *p, const struct issuing *k,
                         struct wa_sv pem, struct wa_err *err)
{
    WA_AUTO_KEYPAIR struct wa_keypair pair = {.dir = WA_DIR_INIT};
    struct wa_err ignored = WA_ERR_INIT;
    if (wa_keypair_open(p->options->keys_dir, k->own, &pair, err) != WA_OK)
        return err->code;
    const struct wa_keypair_file file = {&pair.cert, pem, 0644};
    if (wa_keypair_write(&pair, &file, 1, false, err) != WA_OK)
        return err->code;
    (void)!wa_file_remove(&pair.dir, &pair.request, &ignored); /* answered */
    return WA_OK;
}

static enum wa_code commit(struct wa_local_prepared *p, const struct wa_signer *signer,
                           struct wa_client *client, struct wa_jw *w, struct wa_err *err)
{
    const struct issuing *k = p->own;
    WA_AUTO_CERTS struct wa_certs chain = {0};
    WA_AUTO_BUF struct wa_buf pem;
    WA_UNUSED(client);
    wa_buf_init(&pem, WA_CERTFILE_BYTES_MAX);
    if (wa_issuing_make(&k->what, signer, &chain, err) != WA_OK ||
        wa_certs_write_pem(&chain, &pem, err) != WA_OK ||
        (k->own[0] != '\0' && keep(p, k, wa_buf_sv(&pem), err) != WA_OK))
        return err->code;
    wa_jw_kvsv(w, "certificate", wa_buf_sv(&pem));
    wa_jw_kv(w, "name", wa_cert_cn(chain.items[0]));
    wa_jw_kv(w, "fingerprint", wa_cert_fingerprint(chain.items[0]));
    return WA_OK;
}

static void discard(struct wa_local_prepared *p)
{
    struct issuing *k = p->own;
    if (k != NULL)
        wa_issuing_fini(&k->what);
}

const struct wa_local_kind wa_local_kind_certificate = {.what = "certificate",
                                                        .prepare = prepare,
                                                        .commit = commit,
                                                        .discard = discard,
                                                        .gesture = WA_LOCAL_GESTURE_ALWAYS,
                                                        .needs_authority = true,
                                                        .is_local = true};

/* get_keycert.c - wapt-get create-keycert: a key pair for a packager or an authority.
 *
 * The private key is written encrypted unless the command line says otherwise in words; its
 * password is never an argument. Existing files are not touched without --force.
 */
#include "base/mem.h"
#include "cmd/get.h"
#include "crypto/csr.h"
#include "crypto/token.h"
#include "os/path.h"
#include "os/proc.h"
#include "pkg/keypair.h"

static const struct wa_cli_option options[] = {
    {"common-name", 0, "NAME"},
    {"base-dir", 0, "DIR"},
    {"organization", 0, "TEXT"},
    {"org-unit", 0, "TEXT"},
    {"country", 0, "CODE"},
    {"locality", 0, "TEXT"},
    {"email", 0, "ADDRESS"},
    {"code-signing", 0, NULL},
    {"ca", 0, NULL},
    {"client-auth", 0, NULL},
    {"ca-cert", 0, "FILE"},
    {"ca-key", 0, "FILE"},
    {"ca-key-passwd", 0, "FILE"},
    {"private-key-passwd", 'w', "FILE"},
    {"no-private-key-passwd", 0, NULL},
    {"private-key", 0, "URI"},
    {"pkcs11-module", 0, "FILE"},
    {"key-type", 0, "TYPE"},
    {"key-bits", 0, "BITS"},
    {"request", 0, NULL},
    {"days", 0, "DAYS"},
    {"force", 'f', NULL},
};

static enum wa_code open_target(const struct wa_cli *cli, const char *cn, struct wa_keypair *t,
                                struct wa_err *err)
{
    char folder[WA_PATH_MAX];
    const char *given = wa_cli_get(cli, "base-dir", NULL);
    if (given == NULL && wa_path_of_config("private", folder, err) != WA_OK)
        return err->code;
    return wa_keypair_open(given != NULL ? given : folder, cn, t, err);
}

/* --- issuer --- */

static enum wa_code give_ca_password(void *user, const char *what, struct wa_buf *out,
                                     struct wa_err *err)
{
    const struct wa_cli *cli = user;
    char prompt[WA_PATH_MAX + 32];
    const char *file = wa_cli_get(cli, "ca-key-passwd", NULL);
    if (file != NULL)
        return wa_cli_read_secret(file, out, err);
    (void)snprintf(prompt, sizeof prompt, wa_text("Password of %s: "), what);
    wa_cli_tame(prompt);
    return wa_cli_ask_secret(prompt, false, "--ca-key-passwd", out, err);
}

static enum wa_code read_issuer(struct wa_cli *cli, struct wa_certs *chain, struct wa_key **ret,
                                struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf cert;
    WA_AUTO_BUF_SECRET struct wa_buf key;
    const char *cert_path = wa_cli_get(cli, "ca-cert", NULL);
    const char *key_path = wa_cli_get(cli, "ca-key", NULL);
    wa_buf_init(&cert, WA_CERTFILE_BYTES_MAX);
    wa_buf_init(&key, 64u << 10);
    if ((cert_path == NULL) != (key_path == NULL))
        return wa_fail(err, WA_E_USAGE, "--ca-cert and --ca-key go together");
    if (cert_path == NULL)
        return WA_OK;
    if (wa_path_read(cert_path, WA_CERTFILE_BYTES_MAX, &cert, err) != WA_OK ||
        wa_certs_read_pem(wa_buf_sv(&cert), WA_CHAIN_MAX, chain, err) != WA_OK ||
        wa_path_read(key_path, 64u << 10, &key, err) != WA_OK ||
        wa_key_read_pem(wa_buf_sv(&key), key_path, give_ca_password, cli, ret, err) != WA_OK)
        return wa_wrap(err, "the issuer");
    return WA_OK;
}

/* --- the new pair --- */

static enum wa_code choose_password(const struct wa_cli *cli, struct wa_buf *out,
                                    struct wa_err *err)
{
    const char *file = wa_cli_get(cli, "private-key-passwd", NULL);
    if (wa_cli_has(cli, "no-private-key-passwd"))
        return file == NULL ? WA_OK
                            : wa_fail(err, WA_E_USAGE,
                                      "--private-key-passwd and --no-private-key-passwd "
                                      "contradict each other");
    if ((file != NULL ? wa_cli_read_secret(file, out, err)
                      : wa_cli_ask_secret(WA_TEXT("Password to protect the new private key: "),
                                          true, "--private-key-passwd", out, err)) != WA_OK)
        return err->code;
    return out->n > 0 ? wa_keypair_check_password(wa_buf_sv(out), err)
                      : wa_fail(err, WA_E_USAGE,
                                "an empty password protects nothing: say so with "
                                "--no-private-key-passwd if that is meant");
}

static enum wa_code issue(struct wa_cli *cli, const char *cn, const struct wa_key *key,
                          struct wa_certs *ret_chain, struct wa_err *err)
{
    WA_AUTO_CERTS struct wa_certs issuers = {0};
    WA_AUTO(wa_key) struct wa_key *issuer_key = NULL;
    WA_AUTO(wa_cert) struct wa_cert *cert = NULL;
    int64_t days = 3650;
    if (wa_cli_int(cli, "days", 1, 36500, &days, err) != WA_OK ||
        read_issuer(cli, &issuers, &issuer_key, err) != WA_OK)
        return err->code;
    struct wa_cert_request what = {
        .cn = cn,
        .organization = wa_cli_get(cli, "organization", NULL),
        .org_unit = wa_cli_get(cli, "org-unit", NULL),
        .country = wa_cli_get(cli, "country", NULL),
        .locality = wa_cli_get(cli, "locality", NULL),
        .email = wa_cli_get(cli, "email", NULL),
        .is_ca = wa_cli_has(cli, "ca"),
        .path_length = -1,
        .code_signing = wa_cli_has(cli, "code-signing"),
        .client_auth = wa_cli_has(cli, "client-auth"),
        .days = (unsigned)days,
    };
    if (wa_cert_issue(&what, key, issuers.n > 0 ? issuers.items[0] : NULL, issuer_key, &cert,
                      err) != WA_OK ||
        wa_certs_add(ret_chain, cert, err) != WA_OK)
        return err->code;
    /* The issuer travels with it, so that packages carry the whole path to a trusted authority. */
    for (size_t i = 0; i < issuers.n; i++)
        if (wa_certs_add(ret_chain, issuers.items[i], err) != WA_OK)
            return err->code;
    return WA_OK;
}

/* what: "certificate" or "request". fingerprint: of the certificate; NULL: there is none yet. */
static void tell(struct wa_cli *cli, const struct wa_keypair *t, const char *what,
                 const struct wa_relpath *file, const char *fingerprint, bool is_protected)
{
    char key[2 * WA_PATH_MAX], path[2 * WA_PATH_MAX];
    (void)snprintf(key, sizeof key, "%s/%s", t->folder, t->key.p);
    (void)snprintf(path, sizeof path, "%s/%s", t->folder, file->p);
    wa_jw_obj(&cli->jw);
    wa_jw_kv(&cli->jw, "private_key", key);
    wa_jw_kv(&cli->jw, what, path);
    if (fingerprint != NULL)
        wa_jw_kv(&cli->jw, "fingerprint", fingerprint);
    wa_jw_kvb(&cli->jw, "encrypted", is_protected);
    wa_jw_end(&cli->jw);
    wa_cli_pair(cli, wa_text("private key"), key);
    wa_cli_pair(cli, wa_text(what), path);
    if (fingerprint != NULL)
        wa_cli_pair(cli, wa_text("fingerprint"), fingerprint);
    if (!is_protected)
        wa_cli_say(cli,
                   "the private key is not protected by a password: who reads '%s' can sign "
                   "as its owner",
                   key);
}

static enum wa_code give_pin(void *user, const char *what, struct wa_buf *out, struct wa_err *err)
{
    const struct wa_cli *cli = user;
    char prompt[WA_PATH_MAX + 32];
    const char *file = wa_cli_get(cli, "private-key-passwd", NULL);
    if (file != NULL)
        return wa_cli_read_secret(file, out, err);
    (void)snprintf(prompt, sizeof prompt, wa_text("PIN of %s: "), what);
    wa_cli_tame(prompt);
    return wa_cli_ask_secret(prompt, false, "--private-key-passwd", out, err);
}

/* For a key that is on its token already, and stays there: the certificate alone. */
static enum wa_code certify_token(struct wa_cli *cli, const char *cn, const char *text,
                                  struct wa_keypair *t, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf pem;
    WA_AUTO(wa_key) struct wa_key *key = NULL;
    WA_AUTO_CERTS struct wa_certs chain = {0};
    struct wa_token_uri uri;
    char crt[2 * WA_PATH_MAX];
    wa_buf_init(&pem, WA_CERTFILE_BYTES_MAX);
    if (!wa_token_is_uri(text))
        return wa_fail(err, WA_E_USAGE,
                       "--private-key takes the PKCS#11 URI of a key that is there already");
    if (wa_token_uri_parse(text, &uri, err) != WA_OK ||
        wa_token_key_open(&uri, wa_cli_get(cli, "pkcs11-module", NULL), give_pin, cli, &key, err) !=
            WA_OK ||
        issue(cli, cn, key, &chain, err) != WA_OK ||
        wa_certs_write_pem(&chain, &pem, err) != WA_OK ||
        wa_keypair_write(t, &(struct wa_keypair_file){&t->cert, wa_buf_sv(&pem), 0644}, 1,
                         wa_cli_has(cli, "force"), err) != WA_OK)
        return err->code;
    (void)snprintf(crt, sizeof crt, "%s/%s", t->folder, t->cert.p);
    wa_jw_obj(&cli->jw);
    wa_jw_kv(&cli->jw, "private_key", text);
    wa_jw_kv(&cli->jw, "certificate", crt);
    wa_jw_kv(&cli->jw, "fingerprint", wa_cert_fingerprint(chain.items[0]));
    wa_jw_kvb(&cli->jw, "encrypted", true);
    wa_jw_end(&cli->jw);
    wa_cli_pair(cli, wa_text("private key"), text);
    wa_cli_pair(cli, wa_text("certificate"), crt);
    wa_cli_pair(cli, wa_text("fingerprint"), wa_cert_fingerprint(chain.items[0]));
    return WA_OK;
}

/* The second file of the pair: the certificate, or the request for one. */
static enum wa_code make_second(struct wa_cli *cli, const char *cn, const struct wa_key *key,
                                struct wa_buf *out, char ret_fingerprint[65], struct wa_err *err)
{
    WA_AUTO_CERTS struct wa_certs chain = {0};
    if (wa_cli_has(cli, "request"))
        return wa_csr_make(cn, key, out, err);
    if (issue(cli, cn, key, &chain, err) != WA_OK || wa_certs_write_pem(&chain, out, err) != WA_OK)
        return err->code;
    memcpy(ret_fingerprint, wa_cert_fingerprint(chain.items[0]), 65);
    return WA_OK;
}

static enum wa_code make_pair(struct wa_cli *cli, const char *cn, const struct wa_keypair *t,
                              struct wa_err *err)
{
    WA_AUTO_BUF_SECRET struct wa_buf password;
    WA_AUTO_BUF_SECRET struct wa_buf key_pem;
    WA_AUTO_BUF struct wa_buf pem;
    WA_AUTO(wa_key) struct wa_key *key = NULL;
    bool is_request = wa_cli_has(cli, "request");
    const struct wa_relpath *second = is_request ? &t->request : &t->cert;
    char fingerprint[65] = "";
    int64_t bits = 3072;
    wa_buf_init(&password, 1024);
    wa_buf_init(&key_pem, 64u << 10);
    wa_buf_init(&pem, WA_CERTFILE_BYTES_MAX);
    if (wa_cli_int(cli, "key-bits", WA_RSA_BITS_MIN, WA_RSA_BITS_MAX, &bits, err) != WA_OK ||
        choose_password(cli, &password, err) != WA_OK ||
        wa_keypair_new_key(wa_cli_get(cli, "key-type", "rsa"), bits, &key, err) != WA_OK ||
        make_second(cli, cn, key, &pem, fingerprint, err) != WA_OK ||
        wa_key_write_pem(key, wa_buf_sv(&password), &key_pem, err) != WA_OK)
        return err->code;
    const struct wa_keypair_file files[] = {{&t->key, wa_buf_sv(&key_pem), 0600},
                                            {second, wa_buf_sv(&pem), 0644}};
    if (wa_keypair_write(t, files, WA_COUNT(files), wa_cli_has(cli, "force"), err) != WA_OK)
        return err->code;
    tell(cli, t, is_request ? WA_TEXT("request") : "certificate", second,
         is_request ? NULL : fingerprint, password.n > 0);
    return WA_OK;
}

static enum wa_code run(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO_KEYPAIR struct wa_keypair t = {.dir = WA_DIR_INIT};
    struct wa_stat st;
    const char *cn = wa_cli_get(cli, "common-name", "");
    wa_proc_keep_private();
    if (cn[0] == '\0')
        return wa_fail(err, WA_E_USAGE, "--common-name is needed");
    if (wa_cli_has(cli, "request") &&
        (wa_cli_has(cli, "ca-cert") || wa_cli_has(cli, "private-key")))
        return wa_fail(err, WA_E_USAGE,
                       "--request asks somebody else for the certificate of a new key: neither "
                       "--ca-cert nor --private-key goes with it");
    enum wa_code code = open_target(cli, cn, &t, err);
    /* Told before the person types a password and waits for a key; claim() decides. */
    struct wa_err absent = WA_ERR_INIT;
    const char *on_token = wa_cli_get(cli, "private-key", NULL);
    const struct wa_relpath *made = on_token != NULL ? &t.cert : &t.key;
    if (code == WA_OK && !wa_cli_has(cli, "force") &&
        wa_file_stat(&t.dir, made, &st, &absent) == WA_OK)
        code =
            wa_fail(err, WA_E_EXISTS, "'%s/%s' exists: --force overwrites it", t.folder, made->p);
    if (code == WA_OK)
        code = on_token != NULL ? certify_token(cli, cn, on_token, &t, err)
                                : make_pair(cli, cn, &t, err);
    return code == WA_OK ? WA_OK : wa_wrap(err, "creating a key and its certificate");
}

const struct wa_cli_command wa_get_create_keycert = {
    "create-keycert", options, WA_COUNT(options), 0, 0, run};

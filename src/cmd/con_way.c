/* con_way.c - what of the configuration says how a server or repository is reached: through which
 * proxy, and by which certificate of one's own.
 */
#include "base/mem.h"
#include "cmd/con.h"
#include "codec/conf.h"
#include "os/fs.h"
#include "os/proc.h"

/* --- proxies --- */

static enum wa_code read_flag(const struct wa_ini *ini, const char *section, const char *key,
                              bool fallback, bool *ret, struct wa_err *err)
{
    const char *text = wa_ini_get(ini, section, key);
    *ret = fallback;
    return text == NULL || text[0] == '\0' || wa_conf_read_bool(wa_sv(text), ret)
               ? WA_OK
               : wa_fail(err, WA_E_CONFIG, "[%s] %s = %.40s: it is 0 or 1", section, key, text);
}

enum wa_code wa_con_proxy(const struct wa_ini *ini, const char *section, const char *flag,
                          const char **ret, struct wa_err *err)
{
    bool is_used = false;
    *ret = NULL;
    if (ini == NULL || read_flag(ini, "global", flag, false, &is_used, err) != WA_OK)
        return err->code;
    const char *own = section != NULL ? wa_ini_get(ini, section, "http_proxy") : NULL;
    bool has_own = own != NULL && own[0] != '\0';
    if (section != NULL && read_flag(ini, section, "use_http_proxy_for_repo", is_used || has_own,
                                     &is_used, err) != WA_OK)
        return err->code;
    const char *proxy = has_own ? own : wa_ini_get(ini, "global", "http_proxy");
    if (is_used && proxy != NULL && proxy[0] != '\0')
        *ret = proxy;
    return WA_OK;
}

/* --- certificates --- */

static enum wa_code ask_password(void *user, const char *what, struct wa_buf *out,
                                 struct wa_err *err)
{
    const struct wa_con_pair *p = user;
    char prompt[WA_PATH_MAX + 64];
    if (p->passwd_file != NULL)
        return wa_cli_read_secret(p->passwd_file, out, err);
    (void)snprintf(prompt, sizeof prompt, wa_text("Password of %s: "), what);
    wa_cli_tame(prompt);
    return wa_cli_ask_secret(prompt, false, p->option, out, err);
}

/* Where both are one file: that, or NAME.pem beside a NAME.crt that has no key. */
static const char *which_key(const struct wa_con_pair *p, struct wa_sv pem,
                             char beside[WA_PATH_MAX])
{
    size_t n = strlen(p->cert);
    bool is_one = strcmp(p->cert, p->key) == 0 && !wa_sv_has(pem, WA_SV("PRIVATE KEY"));
    return is_one && wa_sv_ends(wa_sv(p->cert), ".crt") &&
                   snprintf(beside, WA_PATH_MAX, "%.*s.pem", (int)n - 4, p->cert) < (int)WA_PATH_MAX
               ? beside
               : p->key;
}

enum wa_code wa_con_pair_read(const struct wa_con_pair *p, struct wa_certs *certs,
                              struct wa_key **ret, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf pem;
    WA_AUTO_BUF_SECRET struct wa_buf text;
    WA_AUTO(wa_key) struct wa_key *key = NULL;
    char beside[WA_PATH_MAX];
    const char *file;
    union {
        const struct wa_con_pair *from;
        void *to;
    } asks = {p};
    wa_proc_keep_private();
    wa_buf_init(&pem, WA_CERTFILE_BYTES_MAX);
    wa_buf_init(&text, WA_CERTFILE_BYTES_MAX);
    if (wa_path_read(p->cert, WA_CERTFILE_BYTES_MAX, &pem, err) != WA_OK ||
        wa_certs_read_pem(wa_buf_sv(&pem), WA_CHAIN_MAX, certs, err) != WA_OK)
        return err->code;
    file = which_key(p, wa_buf_sv(&pem), beside);
    if (wa_path_read(file, WA_CERTFILE_BYTES_MAX, &text, err) != WA_OK ||
        wa_key_read_pem(wa_buf_sv(&text), file, ask_password, asks.to, &key, err) != WA_OK)
        return err->code;
    if (!wa_cert_matches_key(certs->items[0], key))
        return wa_fail(err, WA_E_USAGE, "'%s' is not the key of the certificate '%s'", file,
                       p->cert);
    *ret = WA_TAKE(key);
    return WA_OK;
}

enum wa_code wa_con_identity_read(const struct wa_con_pair *p, struct wa_buf *out,
                                  struct wa_err *err)
{
    WA_AUTO_CERTS struct wa_certs certs = {NULL, 0, 0};
    WA_AUTO(wa_key) struct wa_key *key = NULL;
    return wa_con_pair_read(p, &certs, &key, err) == WA_OK &&
                   wa_cert_write_pem(certs.items[0], out, err) == WA_OK
               ? wa_key_write_pem(key, WA_SV(""), out, err)
               : err->code;
}

enum wa_code wa_con_section_identity(const struct wa_ini *ini, const char *section,
                                     struct wa_buf *out, struct wa_err *err)
{
    const char *cert = ini != NULL ? wa_ini_get(ini, section, "client_certificate") : NULL;
    const char *key = ini != NULL ? wa_ini_get(ini, section, "client_private_key") : NULL;
    if (cert == NULL || cert[0] == '\0')
        return WA_OK;
    const struct wa_con_pair pair = {.cert = cert,
                                     .key = key != NULL && key[0] != '\0' ? key : cert};
    return wa_con_identity_read(&pair, out, err) == WA_OK ? WA_OK : wa_wrap(err, "[%s]", section);
}

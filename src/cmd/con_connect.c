/* con_connect.c - the console's way to its server: where it is, who asks, and by which certificate
 * it is known. There is no option that leaves the certificate unchecked.
 */
#include "base/mem.h"
#include "cmd/con.h"
#include "codec/hex.h"
#include "codec/url.h"
#include "os/fs.h"
#include "os/proc.h"

#define LAST SIZE_MAX

/* The option's value for the nth server; of several values the last for LAST. */
static enum wa_code pick(const struct wa_cli *cli, const char *option, size_t nth, const char **ret,
                         struct wa_err *err)
{
    size_t count = 0;
    while (wa_cli_at(cli, option, count) != NULL)
        count++;
    if (nth != LAST && count > 1 && nth >= count)
        return wa_fail(err, WA_E_USAGE,
                       "--%s is given %zu times: once for all servers, or once for each", option,
                       count);
    *ret = count == 0 ? NULL
                      : wa_cli_at(cli, option,
                                  count == 1    ? 0
                                  : nth == LAST ? count - 1
                                                : nth);
    return WA_OK;
}

struct way {
    const struct wa_cli *cli;
    size_t nth;
    const char *section; /* of the configuration; NULL: global */
};

static enum wa_code option_or_conf(const struct way *way, const char *option, const char *key,
                                   const char *fallback, char **ret, struct wa_err *err)
{
    const struct wa_cli *cli = way->cli;
    const char *given = NULL;
    if (pick(cli, option, way->nth, &given, err) != WA_OK)
        return err->code;
    if (given != NULL)
        return wa_sv_dup(wa_sv(given), ret, err);
    if (wa_get_conf_in(cli, way->section != NULL ? way->section : "global", key, ret, err) != WA_OK)
        return err->code;
    return *ret == NULL && fallback != NULL ? wa_sv_dup(wa_sv(fallback), ret, err) : WA_OK;
}

/* Options "server-fingerprint" and "verify-cert", of another repository "from-...". */
static enum wa_code read_trust(const struct way *way, struct wa_buf *pem, struct wa_tls_trust *t,
                               struct wa_err *err)
{
    WA_AUTO_STR char *fingerprint = NULL;
    WA_AUTO_STR char *verify = NULL;
    *t = (struct wa_tls_trust){.host = ""};
    bool is_other = way->section != NULL;
    if (option_or_conf(way, is_other ? "from-fingerprint" : "server-fingerprint",
                       "server_fingerprint", "", &fingerprint, err) != WA_OK ||
        option_or_conf(way, is_other ? "from-verify-cert" : "verify-cert", "verify_cert", "1",
                       &verify, err) != WA_OK)
        return err->code;
    if (fingerprint[0] != '\0' && !wa_hex_fingerprint(wa_sv(fingerprint), t->fingerprint))
        return wa_fail(err, WA_E_USAGE,
                       "'%.100s' is no SHA-256 fingerprint of a certificate (64 digits)",
                       fingerprint);
    if (strcmp(verify, "0") == 0 && t->fingerprint[0] == '\0')
        return wa_fail(
            err, WA_E_CONFIG,
            "verify_cert = 0: the server's certificate is always checked; give its file, "
            "or its SHA-256 with --server-fingerprint");
    if (strcmp(verify, "0") == 0)
        return WA_OK;
    if (strcmp(verify, "1") == 0) {
        t->system_cas = t->fingerprint[0] == '\0';
        return WA_OK;
    }
    if (wa_path_read(verify, WA_CERTFILE_BYTES_MAX, pem, err) != WA_OK)
        return wa_wrap(err, "the server's certificate");
    t->pem = wa_buf_sv(pem);
    return WA_OK;
}

/* *ret: free it as a secret; NULL: no proxy. */
static enum wa_code read_proxy(const struct way *way, const char *flag, char **ret,
                               struct wa_err *err)
{
    WA_AUTO(wa_ini) struct wa_ini *ini = NULL;
    const char *proxy = NULL;
    if (wa_get_conf_file(way->cli, &ini, err) != WA_OK ||
        wa_con_proxy(ini, way->section, flag, &proxy, err) != WA_OK || proxy == NULL)
        return err->code;
    return wa_sv_dup(wa_sv(proxy), ret, err);
}

static enum wa_code read_password(const struct way *way, const char *user, const char *server,
                                  struct wa_buf *out, struct wa_err *err)
{
    char prompt[512];
    const char *file = NULL;
    if (pick(way->cli, "password-file", way->nth, &file, err) != WA_OK)
        return err->code;
    if (file != NULL)
        return wa_cli_read_secret(file, out, err);
    (void)snprintf(prompt, sizeof prompt, wa_text("Password of '%s' on %s: "), user, server);
    wa_cli_tame(prompt);
    return wa_cli_ask_secret(prompt, false, "--password-file", out, err);
}

enum wa_code wa_con_which_server(struct wa_err *err)
{
    return wa_fail(err, WA_E_CONFIG,
                   "which server? Give --server https://SERVER, or write 'wapt_server = "
                   "https://SERVER' under [global] in ~/.config/wapt/waptconsole.ini");
}

/* Before anybody is asked for a password. */
static enum wa_code check_server(const char *server, struct wa_err *err)
{
    struct wa_url url;
    struct wa_err why = WA_ERR_INIT;
    if (server == NULL)
        return wa_con_which_server(err);
    return wa_url_parse(wa_sv(server), &url, &why) == WA_OK && url.is_https
               ? WA_OK
               : wa_fail(err, WA_E_CONFIG, "'%.200s' is no server's address: https://SERVER is",
                         server);
}

/* Who sees the certificate for the first time must learn what to do, and not to trust. */
enum wa_code wa_con_unknown(struct wa_err *err)
{
    return wa_fail(err, WA_E_REFUSED,
                   "%s. If 'waptserver setup' showed that very SHA-256, give it with "
                   "--server-fingerprint, or write it as server_fingerprint into "
                   "waptconsole.ini",
                   err->text);
}

static enum wa_code read_code(const struct way *way, struct wa_buf *out, struct wa_err *err)
{
    const char *file = NULL;
    if (pick(way->cli, "code-file", way->nth, &file, err) != WA_OK)
        return err->code;
    return file != NULL ? wa_cli_read_secret(file, out, err)
                        : wa_cli_ask_secret(WA_TEXT("Code of the second factor: "), false,
                                            "--code-file", out, err);
}

/* When the server wants one. */
static enum wa_code ask_code(void *user, struct wa_buf *out, struct wa_err *err)
{
    return read_code(user, out, err);
}

enum wa_code wa_con_own_code(const struct wa_cli *cli, struct wa_buf *out, struct wa_err *err)
{
    const struct way way = {cli, LAST, NULL};
    return read_code(&way, out, err);
}

enum wa_code wa_con_own_password(const struct wa_cli *cli, struct wa_buf *out, struct wa_err *err)
{
    const char *file = wa_cli_get(cli, "password-file", NULL);
    return file != NULL ? wa_cli_read_secret(file, out, err)
                        : wa_cli_ask_secret(WA_TEXT("Your password, once more: "), false,
                                            "--password-file", out, err);
}

/* Where the person's browser goes. Not onto a command line: other users see those, and what is in
 * it lets nobody but this person's browser come back. */
static enum wa_code show_address(void *user, const char *url, struct wa_err *err)
{
    const struct way *way = user;
    WA_UNUSED(err);
    wa_cli_say(way->cli, "log in with your browser, at this address: %s", url);
    return WA_OK;
}

/* A certificate of this person's and its key, as TLS wants them; nothing where there is none. */
static enum wa_code read_identity(const struct way *way, struct wa_buf *out, struct wa_err *err)
{
    WA_AUTO_STR char *cert = NULL;
    WA_AUTO_STR char *old_name = NULL; /* as WAPT calls it */
    WA_AUTO_STR char *key = NULL;
    struct wa_con_pair pair = {.option = "--client-key-passwd"};
    if (option_or_conf(way, "client-certificate", "client_certificate", NULL, &cert, err) !=
            WA_OK ||
        cert == NULL || wa_get_conf(way->cli, "client_private_key", &old_name, err) != WA_OK ||
        option_or_conf(way, "client-key", "client_key", old_name != NULL ? old_name : cert, &key,
                       err) != WA_OK ||
        pick(way->cli, "client-key-passwd", way->nth, &pair.passwd_file, err) != WA_OK)
        return err->code;
    pair.cert = cert;
    pair.key = key;
    return wa_con_identity_read(&pair, out, err);
}

/* An API token, the browser, a ticket, a certificate, or a password, in this order; but a
 * password's file that is given means a password. */
static enum wa_code read_proof(const struct way *way, struct wa_client_options *o,
                               struct wa_buf *token, struct wa_buf *password,
                               struct wa_buf *identity, struct wa_err *err)
{
    WA_AUTO_STR char *login = NULL;
    const char *file = NULL, *secret = NULL;
    if (pick(way->cli, "token-file", way->nth, &file, err) != WA_OK ||
        pick(way->cli, "password-file", way->nth, &secret, err) != WA_OK)
        return err->code;
    if (file != NULL)
        return wa_cli_read_secret(file, token, err);
    if (wa_cli_has(way->cli, "oidc")) {
        o->way = WA_CLIENT_OIDC;
        return WA_OK;
    }
    if (wa_con_login_way(way->cli, &login, err) != WA_OK)
        return err->code;
    bool is_usual = login != NULL && secret == NULL && !wa_cli_has(way->cli, "client-certificate");
    if (wa_cli_has(way->cli, "kerberos") || is_usual) {
        o->way = WA_CLIENT_KERBEROS;
        return WA_OK;
    }
    if (secret == NULL && read_identity(way, identity, err) != WA_OK)
        return err->code;
    if (identity->n == 0)
        return read_password(way, o->user, o->server, password, err);
    o->way = WA_CLIENT_CERTIFICATE;
    return WA_OK;
}

enum wa_code wa_con_login_way(const struct wa_cli *cli, char **ret, struct wa_err *err)
{
    WA_AUTO_STR char *word = NULL;
    if (wa_get_conf(cli, "login", &word, err) != WA_OK)
        return err->code;
    if (word != NULL && strcmp(word, "kerberos") != 0)
        return wa_fail(err, WA_E_CONFIG, "login = %s: 'kerberos' is the only word for it", word);
    *ret = WA_TAKE(word);
    return WA_OK;
}

enum wa_code wa_con_connect(const struct wa_cli *cli, struct wa_client **ret, struct wa_err *err)
{
    return wa_con_connect_nth(cli, LAST, ret, err);
}

enum wa_code wa_con_connect_nth(const struct wa_cli *cli, size_t i, struct wa_client **ret,
                                struct wa_err *err)
{
    const struct way way = {cli, i, NULL};
    WA_AUTO_STR char *server = NULL;
    WA_AUTO_STR char *user = NULL;
    WA_AUTO_BUF struct wa_buf pem;
    WA_AUTO_BUF_SECRET struct wa_buf password;
    WA_AUTO_BUF_SECRET struct wa_buf token;
    WA_AUTO_BUF_SECRET struct wa_buf identity;
    WA_AUTO_SECRET char *proxy = NULL;
    struct wa_tls_trust trust;
    wa_buf_init(&pem, WA_CERTFILE_BYTES_MAX);
    wa_buf_init(&identity, WA_TLS_IDENTITY_MAX);
    wa_buf_init(&token, 1024);
    wa_buf_init(&password, 1024);
    if (option_or_conf(&way, "server", "wapt_server", NULL, &server, err) != WA_OK ||
        option_or_conf(&way, "user", "wapt_user", "admin", &user, err) != WA_OK ||
        check_server(server, err) != WA_OK || read_trust(&way, &pem, &trust, err) != WA_OK ||
        read_proxy(&way, WA_CON_FOR_SERVER, &proxy, err) != WA_OK)
        return err->code;
    union {
        const struct way *from;
        void *to;
    } asks = {&way};
    struct wa_client_options o = {.server = server,
                                  .trust = &trust,
                                  .proxy = proxy,
                                  .user = user,
                                  .ask_code = ask_code,
                                  .ask_user = asks.to,
                                  .show = show_address};
    if (read_proof(&way, &o, &token, &password, &identity, err) != WA_OK)
        return err->code;
    o.password = wa_buf_sv(&password);
    o.token = wa_buf_sv(&token);
    trust.identity = wa_buf_sv(&identity);
    if (wa_client_open(&o, ret, err) == WA_OK) {
        wa_con_check_journal(cli, *ret, server);
        return WA_OK;
    }
    return err->code == WA_E_REFUSED && trust.fingerprint[0] == '\0' ? wa_con_unknown(err)
                                                                     : err->code;
}

void wa_con_server_fini(struct wa_con_server *s)
{
    wa_free(s->server);
    wa_free(s->user);
    wa_free_secret(s->proxy);
    wa_buf_fini(&s->pem);
    *s = (struct wa_con_server){.server = NULL};
}

enum wa_code wa_con_server_read(const struct wa_cli *cli, struct wa_con_server *ret,
                                struct wa_err *err)
{
    const struct way way = {cli, LAST, NULL};
    *ret = (struct wa_con_server){.server = NULL};
    wa_buf_init(&ret->pem, WA_CERTFILE_BYTES_MAX);
    if (option_or_conf(&way, "server", "wapt_server", NULL, &ret->server, err) != WA_OK ||
        option_or_conf(&way, "user", "wapt_user", "admin", &ret->user, err) != WA_OK ||
        check_server(ret->server, err) != WA_OK ||
        read_trust(&way, &ret->pem, &ret->trust, err) != WA_OK ||
        read_proxy(&way, WA_CON_FOR_SERVER, &ret->proxy, err) != WA_OK)
        return err->code;
    return WA_OK;
}

/* An address without the slashes at its end. */
static enum wa_code add_bare(struct wa_sv url, struct wa_buf *out, struct wa_err *err)
{
    while (url.n > 0 && url.p[url.n - 1] == '/')
        url.n--;
    wa_buf_addsv(out, url);
    return wa_buf_check(out, err);
}

enum wa_code wa_con_reach(const struct wa_cli *cli, struct wa_client **ret, bool *ret_is_pinned,
                          struct wa_err *err)
{
    const struct way way = {cli, LAST, NULL};
    WA_AUTO_STR char *server = NULL;
    WA_AUTO_STR char *repo = NULL;
    WA_AUTO_SECRET char *proxy = NULL;
    WA_AUTO_BUF struct wa_buf base;
    WA_AUTO_BUF struct wa_buf pem;
    struct wa_tls_trust trust;
    wa_buf_init(&base, 1024);
    wa_buf_init(&pem, WA_CERTFILE_BYTES_MAX);
    if (option_or_conf(&way, "server", "wapt_server", NULL, &server, err) != WA_OK ||
        (!wa_cli_has(cli, "server") && wa_get_conf(cli, "repo_url", &repo, err) != WA_OK) ||
        read_trust(&way, &pem, &trust, err) != WA_OK)
        return err->code;
    bool is_apart = repo != NULL && wa_sv_starts(wa_sv(repo), "https://");
    if (!is_apart && server == NULL)
        return wa_con_which_server(err);
    if (add_bare(wa_sv(is_apart ? repo : server), &base, err) != WA_OK)
        return err->code;
    if (!is_apart)
        wa_buf_adds(&base, "/wapt");
    if (wa_buf_check(&base, err) != WA_OK ||
        read_proxy(&way, is_apart ? WA_CON_FOR_REPO : WA_CON_FOR_SERVER, &proxy, err) != WA_OK)
        return err->code;
    *ret_is_pinned = trust.fingerprint[0] != '\0';
    const struct wa_client_options o = {
        .server = wa_buf_str(&base), .trust = &trust, .proxy = proxy};
    return wa_client_open(&o, ret, err);
}

enum wa_code wa_con_reach_other(const struct wa_cli *cli, const char *url, const char *section,
                                struct wa_client **ret, struct wa_err *err)
{
    const struct way way = {cli, LAST, section};
    WA_AUTO_BUF struct wa_buf base;
    WA_AUTO_BUF struct wa_buf pem;
    WA_AUTO_BUF_SECRET struct wa_buf identity;
    WA_AUTO_SECRET char *proxy = NULL;
    WA_AUTO(wa_ini) struct wa_ini *ini = NULL;
    struct wa_tls_trust trust;
    wa_buf_init(&base, 1024);
    wa_buf_init(&pem, WA_CERTFILE_BYTES_MAX);
    wa_buf_init(&identity, WA_TLS_IDENTITY_MAX);
    if (add_bare(wa_sv(url), &base, err) != WA_OK || read_trust(&way, &pem, &trust, err) != WA_OK ||
        read_proxy(&way, WA_CON_FOR_OTHERS, &proxy, err) != WA_OK ||
        wa_get_conf_file(cli, &ini, err) != WA_OK ||
        wa_con_section_identity(ini, section, &identity, err) != WA_OK)
        return err->code;
    trust.identity = wa_buf_sv(&identity);
    const struct wa_client_options o = {
        .server = wa_buf_str(&base), .trust = &trust, .proxy = proxy};
    return wa_client_open(&o, ret, err);
}

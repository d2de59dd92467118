/* get_signer.c - finds the certificate to sign with and the private key that belongs to it: a file,
 * or one that stays on a PKCS#11 token.
 *
 * The key is known by its public half, never by its file's name; a file of the certificate's own
 * name is only tried first. Passwords come from a file or the terminal and are wiped.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "base/vec.h"
#include "cmd/get.h"
#include "crypto/token.h"
#include "os/fs.h"
#include "os/path.h"
#include "os/proc.h"

struct search {
    const struct wa_cli *cli;
    const struct wa_cert *cert;
    const char *dir;
    const char *first;      /* file name tried before the others */
    const char *secret;     /* what is asked for: "Password of", "PIN of" */
    const char *pin_source; /* file with the PIN, when no option names one; may be NULL */
    struct wa_buf password; /* what was read or typed last, to be tried first with the next file */
    bool wrong_password;
    struct wa_key *found;
};

void wa_get_signer_fini(struct wa_get_signer *s)
{
    wa_certs_fini(&s->chain);
    wa_key_free(s->key);
    *s = (struct wa_get_signer){0};
}

/* Answers the crypto library's question for the password of `what`. */
static enum wa_code give_password(void *user, const char *what, struct wa_buf *out,
                                  struct wa_err *err)
{
    struct search *s = user;
    char prompt[WA_PATH_MAX + 32];
    const char *file = wa_cli_get(s->cli, "private-key-passwd", s->pin_source);
    if (s->password.n == 0 && file != NULL && wa_cli_read_secret(file, &s->password, err) != WA_OK)
        return err->code;
    if (s->password.n == 0) {
        (void)snprintf(prompt, sizeof prompt, "%s %s: ", s->secret, what);
        wa_cli_tame(prompt);
        if (wa_cli_ask_secret(prompt, false, "--private-key-passwd", &s->password, err) != WA_OK)
            return err->code;
    }
    wa_buf_addsv(out, wa_buf_sv(&s->password));
    return wa_buf_check(out, err);
}

/* Whoever reads a key without a password signs with it; one with a password he may try at leisure.
 */
static enum wa_code check_rights(const struct search *s, const char *path, struct wa_sv pem,
                                 struct wa_err *err)
{
    struct wa_stat st;
    struct wa_err ignored = WA_ERR_INIT;
    char whole[WA_PATH_MAX];
    bool is_open = wa_path_real(path, whole, &ignored) == WA_OK &&
                   wa_path_stat(whole, &st, &ignored) == WA_OK && (st.mode & 077u) != 0;
    if (!is_open)
        return WA_OK;
    bool is_encrypted = false;
    for (size_t i = 0; i < pem.n && !is_encrypted; i++)
        is_encrypted = wa_sv_starts(wa_sv_sub(pem, i, 9), "ENCRYPTED");
    if (!is_encrypted)
        return wa_fail(err, WA_E_DENIED,
                       "others can read the private key '%s', which has no password: chmod 600 it, "
                       "and make a new one if somebody may have read it",
                       path);
    wa_cli_say(s->cli, "others can read the private key '%s': chmod 600 it", path);
    return WA_OK;
}

static enum wa_code another_key(const struct search *s, const char *name, struct wa_err *err)
{
    return wa_fail(err, WA_E_CONFIG, "the private key '%s' does not belong to certificate '%s'",
                   name, wa_cert_cn(s->cert));
}

/* Asked once: a token locks itself after a few wrong PINs. */
static enum wa_code try_token(struct search *s, const char *text, struct wa_err *err)
{
    WA_AUTO(wa_key) struct wa_key *key = NULL;
    struct wa_token_uri uri;
    if (wa_token_uri_parse(text, &uri, err) != WA_OK)
        return err->code;
    s->secret = "PIN of";
    s->pin_source = uri.pin_source[0] != '\0' ? uri.pin_source : NULL;
    enum wa_code code = wa_token_key_open(&uri, wa_cli_get(s->cli, "pkcs11-module", NULL),
                                          give_password, s, &key, err);
    s->pin_source = NULL;
    if (code != WA_OK)
        return code;
    if (!wa_cert_matches_key(s->cert, key))
        return another_key(s, text, err);
    s->found = WA_TAKE(key);
    return WA_OK;
}

/* A file that is no key, another's key or locked with another password is passed over. */
static enum wa_code try_key(struct search *s, const char *path, bool must, struct wa_err *err)
{
    WA_AUTO_BUF_SECRET struct wa_buf pem;
    WA_AUTO(wa_key) struct wa_key *key = NULL;
    struct wa_err why = WA_ERR_INIT;
    wa_buf_init(&pem, WA_KEY_BYTES_MAX);
    enum wa_code code = wa_path_read(path, WA_KEY_BYTES_MAX, &pem, &why);
    if (code == WA_OK)
        code = wa_key_read_pem(wa_buf_sv(&pem), path, give_password, s, &key, &why);
    if (code == WA_OK && !wa_cert_matches_key(s->cert, key))
        code = another_key(s, path, &why);
    if (code == WA_OK && check_rights(s, path, wa_buf_sv(&pem), err) != WA_OK)
        return err->code;
    if (code == WA_OK) {
        s->found = WA_TAKE(key);
        return WA_OK;
    }
    s->wrong_password = s->wrong_password || code == WA_E_AUTH;
    if (must || code == WA_E_NOMEM)
        *err = why;
    return must || code == WA_E_NOMEM ? code : WA_OK;
}

static enum wa_code try_named(void *user, const char *name, const struct wa_stat *st,
                              struct wa_err *err)
{
    struct search *s = user;
    char path[WA_PATH_MAX];
    if (s->found != NULL || !st->is_file || !wa_sv_ends(wa_sv(name), ".pem") ||
        strcmp(name, s->first) == 0)
        return WA_OK;
    int n = snprintf(path, sizeof path, "%s/%s", s->dir, name);
    return n > 0 && n < (int)sizeof path ? try_key(s, path, false, err) : WA_OK;
}

/* The key beside the certificate. */
static enum wa_code search_key(struct search *s, const char *cert_path, struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    char folder[WA_PATH_MAX], first[WA_PATH_MAX], path[2 * WA_PATH_MAX];
    const char *base = wa_path_last(cert_path);
    const char *dot = strrchr(base, '.');
    if (wa_path_dir(cert_path, (size_t)(base - cert_path), folder, err) != WA_OK)
        return err->code;
    (void)snprintf(first, sizeof first, "%.*s.pem",
                   dot == NULL ? (int)strlen(base) : (int)(dot - base), base);
    (void)snprintf(path, sizeof path, "%s/%s", folder, first);
    s->dir = folder;
    s->first = first;
    if (try_key(s, path, false, err) != WA_OK)
        return err->code;
    if (s->found == NULL &&
        (wa_dir_open(folder, &dir, err) != WA_OK || wa_dir_list(&dir, try_named, s, err) != WA_OK))
        return err->code;
    if (s->found != NULL)
        return WA_OK;
    if (s->wrong_password)
        return wa_fail(err, WA_E_AUTH,
                       "no private key beside '%s' could be opened: is the password right?",
                       cert_path);
    return wa_fail(err, WA_E_CONFIG,
                   "no *.pem beside '%s' is its private key: name it with --private-key",
                   cert_path);
}

static enum wa_code find_key(struct search *s, const char *cert_path, struct wa_err *err)
{
    WA_AUTO_STR char *configured = NULL;
    const char *key = wa_cli_get(s->cli, "private-key", NULL);
    if (key == NULL && wa_get_conf(s->cli, "personal_private_key", &configured, err) != WA_OK)
        return err->code;
    if (key == NULL)
        key = configured;
    if (key == NULL)
        return search_key(s, cert_path, err);
    return wa_token_is_uri(key) ? try_token(s, key, err) : try_key(s, key, true, err);
}

static enum wa_code read_chain(const char *path, struct wa_certs *chain, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf pem;
    wa_buf_init(&pem, WA_CERTFILE_BYTES_MAX);
    if (wa_path_read(path, WA_CERTFILE_BYTES_MAX, &pem, err) != WA_OK ||
        wa_certs_read_pem(wa_buf_sv(&pem), WA_CHAIN_MAX, chain, err) != WA_OK)
        return wa_wrap(err, "reading certificate '%s'", path);
    return WA_OK;
}

enum wa_code wa_get_certificate(const struct wa_cli *cli, char **ret_path, struct wa_certs *chain,
                                struct wa_err *err)
{
    WA_AUTO_STR char *path = NULL;
    const char *given = wa_cli_get(cli, "certificate", NULL);
    if ((given == NULL ? wa_get_conf(cli, "personal_certificate_path", &path, err)
                       : wa_sv_dup(wa_sv(given), &path, err)) != WA_OK)
        return err->code;
    if (path == NULL)
        return wa_fail(err, WA_E_CONFIG,
                       "no certificate to sign with: give --certificate, or set "
                       "personal_certificate_path in waptconsole.ini");
    if (read_chain(path, chain, err) != WA_OK)
        return err->code;
    *ret_path = WA_TAKE(path);
    return WA_OK;
}

enum wa_code wa_get_signer_load(const struct wa_cli *cli, struct wa_get_signer *ret,
                                struct wa_err *err)
{
    WA_AUTO_STR char *path = NULL;
    WA_AUTO_CERTS struct wa_certs chain = {0};
    wa_proc_keep_private();
    if (wa_get_certificate(cli, &path, &chain, err) != WA_OK)
        return err->code;
    struct search s = {.cli = cli, .cert = chain.items[0], .secret = wa_text("Password of")};
    wa_buf_init(&s.password, 1024);
    enum wa_code code = find_key(&s, path, err);
    wa_buf_fini_secret(&s.password);
    if (code != WA_OK)
        return code;
    ret->chain = chain;
    ret->key = s.found;
    ret->signer = (struct wa_signer){ret->key, &ret->chain};
    chain = (struct wa_certs){0};
    return WA_OK;
}

/* con_key.c - waptconsole key-password, key-export and key-import: a person's private key gets
 * another password, becomes a PKCS#12 file for a browser, or comes out of one.
 *
 * All of it happens on this machine; no password is an argument, and no key is written without one.
 */
#include "base/mem.h"
#include "cmd/con.h"
#include "console/keys_list.h"
#include "crypto/pkcs12.h"
#include "crypto/token.h"
#include "os/clock.h"
#include "os/path.h"
#include "os/proc.h"
#include "pkg/keyfile.h"
#include "pkg/keypair.h"

/* The old password: by the option -w, or asked for. */
static enum wa_code give_old(void *user, const char *what, struct wa_buf *out, struct wa_err *err)
{
    const struct wa_cli *cli = user;
    char prompt[WA_PATH_MAX + 32];
    const char *file = wa_cli_get(cli, "private-key-passwd", NULL);
    if (file != NULL)
        return wa_cli_read_secret(file, out, err);
    (void)snprintf(prompt, sizeof prompt, wa_text("Password of %s: "), what);
    wa_cli_tame(prompt);
    return wa_cli_ask_secret(prompt, false, "--private-key-passwd", out, err);
}

/* One that protects a key from now on. */
static enum wa_code choose(const struct wa_cli *cli, const char *prompt, struct wa_buf *out,
                           struct wa_err *err)
{
    const char *file = wa_cli_get(cli, "new-passwd", NULL);
    if ((file != NULL ? wa_cli_read_secret(file, out, err)
                      : wa_cli_ask_secret(prompt, true, "--new-passwd", out, err)) != WA_OK)
        return err->code;
    return wa_keypair_check_password(wa_buf_sv(out), err);
}

/* --- key-password --- */

static enum wa_code change(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO_KEYFILE struct wa_keyfile k = {.key = NULL};
    WA_AUTO_BUF_SECRET struct wa_buf password;
    wa_buf_init(&password, WA_PASSPHRASE_MAX);
    wa_proc_keep_private();
    if (wa_token_is_uri(cli->args[0]))
        return wa_fail(err, WA_E_USAGE,
                       "a token's PIN is changed by a tool of the token's, as 'pkcs11-tool "
                       "--change-pin'");
    if (wa_keyfile_open(cli->args[0], give_old, cli, &k, err) != WA_OK ||
        choose(cli, WA_TEXT("New password of the key: "), &password, err) != WA_OK ||
        wa_keyfile_set_password(&k, wa_buf_sv(&password), err) != WA_OK)
        return err->code;
    wa_jw_obj(&cli->jw);
    wa_jw_kv(&cli->jw, "private_key", k.path);
    wa_jw_kvb(&cli->jw, "was_encrypted", k.was_encrypted);
    wa_jw_end(&cli->jw);
    wa_cli_pair(cli, wa_text("private key"), k.path);
    wa_cli_say(cli, k.was_encrypted
                        ? WA_TEXT("the key has its new password; copies of the file keep the old "
                                  "one")
                        : WA_TEXT("the key has a password now; copies of the file have none"));
    return WA_OK;
}

static enum wa_code key_password(struct wa_cli *cli, struct wa_err *err)
{
    return change(cli, err) == WA_OK ? WA_OK : wa_wrap(err, "changing the password of a key");
}

/* --- key-export --- */

static enum wa_code export_it(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO_GET_SIGNER struct wa_get_signer signer = {.key = NULL};
    WA_AUTO_BUF_SECRET struct wa_buf password;
    WA_AUTO_BUF_SECRET struct wa_buf out;
    const char *file = wa_cli_get(cli, "output", NULL);
    struct wa_stat st;
    struct wa_err absent = WA_ERR_INIT;
    wa_buf_init(&password, WA_PASSPHRASE_MAX);
    wa_buf_init(&out, WA_PKCS12_BYTES_MAX);
    if (file == NULL)
        return wa_fail(err, WA_E_USAGE, "where to? Give --output FILE.p12");
    if (wa_path_stat(file, &st, &absent) == WA_OK)
        return wa_fail(err, WA_E_EXISTS, "'%s' is there already", file);
    if (wa_get_signer_load(cli, &signer, err) != WA_OK ||
        choose(cli, WA_TEXT("Password of the new file, for whoever imports it: "), &password,
               err) != WA_OK ||
        wa_pkcs12_write(signer.key, &signer.chain, wa_buf_sv(&password), &out, err) != WA_OK ||
        wa_path_replace(file, wa_buf_sv(&out), 0600, err) != WA_OK)
        return err->code;
    const struct wa_cert *c = signer.chain.items[0];
    wa_jw_obj(&cli->jw);
    wa_jw_kv(&cli->jw, "file", file);
    wa_jw_kv(&cli->jw, "name", wa_cert_cn(c));
    wa_jw_kv(&cli->jw, "fingerprint", wa_cert_fingerprint(c));
    wa_jw_kvi(&cli->jw, "certificates", (int64_t)signer.chain.n);
    wa_jw_kvb(&cli->jw, "can_log_in", wa_cert_may_be_client(c));
    wa_jw_end(&cli->jw);
    wa_cli_pair(cli, wa_text("file"), file);
    wa_cli_pair(cli, wa_text("fingerprint"), wa_cert_fingerprint(c));
    if (!wa_cert_may_be_client(c))
        wa_cli_say(cli,
                   "no server lets anybody in by the certificate of '%s': it is not made for "
                   "that (create-keycert --client-auth)",
                   wa_cert_cn(c));
    return WA_OK;
}

static enum wa_code key_export(struct wa_cli *cli, struct wa_err *err)
{
    return export_it(cli, err) == WA_OK ? WA_OK : wa_wrap(err, "exporting a key");
}

/* --- key-import --- */

struct import {
    struct wa_key *key;
    struct wa_certs chain;
    struct wa_keypair pair;
};

static enum wa_code read_p12(struct wa_cli *cli, struct import *i, struct wa_err *err)
{
    WA_AUTO_BUF_SECRET struct wa_buf der;
    WA_AUTO_STR char *folder = NULL;
    bool is_usual = false;
    const char *name = wa_cli_get(cli, "name", NULL);
    struct wa_stat st;
    struct wa_err absent = WA_ERR_INIT;
    wa_buf_init(&der, WA_PKCS12_BYTES_MAX);
    if (wa_path_read(cli->args[0], WA_PKCS12_BYTES_MAX, &der, err) != WA_OK ||
        wa_pkcs12_read(wa_buf_sv(&der), cli->args[0], give_old, cli, &i->key, &i->chain, err) !=
            WA_OK ||
        wa_con_keys_dir(cli, &folder, &is_usual, err) != WA_OK)
        return err->code;
    if (name == NULL)
        name = wa_cert_cn(i->chain.items[0]);
    if (name[0] == '\0')
        return wa_fail(err, WA_E_USAGE,
                       "the certificate names nobody: say with --name what its files are called");
    if (wa_keypair_open(folder, name, &i->pair, err) != WA_OK)
        return err->code;
    /* Told before a password is chosen; wa_keypair_write() decides. */
    return wa_cli_has(cli, "force") ||
                   wa_file_stat(&i->pair.dir, &i->pair.key, &st, &absent) != WA_OK
               ? WA_OK
               : wa_fail(err, WA_E_EXISTS, "'%s/%s' exists: --force overwrites it", i->pair.folder,
                         i->pair.key.p);
}

static void tell(struct wa_cli *cli, const struct import *i)
{
    const struct wa_cert *c = i->chain.items[0];
    char key[2 * WA_PATH_MAX], cert[2 * WA_PATH_MAX];
    (void)snprintf(key, sizeof key, "%s/%s", i->pair.folder, i->pair.key.p);
    (void)snprintf(cert, sizeof cert, "%s/%s", i->pair.folder, i->pair.cert.p);
    wa_jw_obj(&cli->jw);
    wa_jw_kv(&cli->jw, "private_key", key);
    wa_jw_kv(&cli->jw, "certificate", cert);
    wa_jw_kv(&cli->jw, "name", wa_cert_cn(c));
    wa_jw_kv(&cli->jw, "fingerprint", wa_cert_fingerprint(c));
    wa_jw_kvi(&cli->jw, "certificates", (int64_t)i->chain.n);
    wa_jw_end(&cli->jw);
    wa_cli_pair(cli, wa_text("private key"), key);
    wa_cli_pair(cli, wa_text("certificate"), cert);
    wa_cli_pair(cli, wa_text("fingerprint"), wa_cert_fingerprint(c));
    const char *problem = wa_keys_problem(c, wa_clock_now());
    if (problem != NULL)
        wa_cli_say(cli, strcmp(problem, "soon") == 0 ? WA_TEXT("its certificate ends soon")
                                                     : WA_TEXT("its certificate has expired"));
}

static enum wa_code import_it(struct wa_cli *cli, struct import *i, struct wa_err *err)
{
    WA_AUTO_BUF_SECRET struct wa_buf password;
    WA_AUTO_BUF_SECRET struct wa_buf key;
    WA_AUTO_BUF struct wa_buf certs;
    wa_buf_init(&password, WA_PASSPHRASE_MAX);
    wa_buf_init(&key, WA_KEY_BYTES_MAX);
    wa_buf_init(&certs, WA_CERTFILE_BYTES_MAX);
    if (read_p12(cli, i, err) != WA_OK ||
        choose(cli, WA_TEXT("Password to protect the private key: "), &password, err) != WA_OK ||
        wa_key_write_pem(i->key, wa_buf_sv(&password), &key, err) != WA_OK ||
        wa_certs_write_pem(&i->chain, &certs, err) != WA_OK)
        return err->code;
    const struct wa_keypair_file files[] = {{&i->pair.key, wa_buf_sv(&key), 0600},
                                            {&i->pair.cert, wa_buf_sv(&certs), 0644}};
    if (wa_keypair_write(&i->pair, files, WA_COUNT(files), wa_cli_has(cli, "force"), err) != WA_OK)
        return err->code;
    tell(cli, i);
    return WA_OK;
}

static enum wa_code key_import(struct wa_cli *cli, struct wa_err *err)
{
    struct import i = {.pair = {.dir = WA_DIR_INIT}};
    wa_proc_keep_private();
    enum wa_code code = import_it(cli, &i, err);
    wa_keypair_fini(&i.pair);
    wa_certs_fini(&i.chain);
    wa_key_free(i.key);
    return code == WA_OK ? WA_OK : wa_wrap(err, "importing a key");
}

static const struct wa_cli_option password_options[] = {{"private-key-passwd", 'w', "FILE"},
                                                        {"new-passwd", 0, "FILE"}};
static const struct wa_cli_option export_options[] = {
    WA_GET_SIGNER_OPTIONS, {"output", 'o', "FILE"}, {"new-passwd", 0, "FILE"}};
static const struct wa_cli_option import_options[] = {
    {"private-key-passwd", 'w', "FILE"},
    {"new-passwd", 0, "FILE"},
    {"keys-dir", 0, "DIR"},
    {"name", 0, "NAME"},
    {"force", 'f', NULL},
};
const struct wa_cli_command wa_con_key_password = {
    "key-password", password_options, WA_COUNT(password_options), 1, 1, key_password};
const struct wa_cli_command wa_con_key_export = {
    "key-export", export_options, WA_COUNT(export_options), 0, 0, key_export};
const struct wa_cli_command wa_con_key_import = {
    "key-import", import_options, WA_COUNT(import_options), 1, 1, key_import};

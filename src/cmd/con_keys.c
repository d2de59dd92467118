/* con_keys.c - waptconsole keys and sign-request: the person's certificates, what they may and how
 * long; and a certificate for somebody who asks with a request of his own.
 */
#include "base/date.h"
#include "base/mem.h"
#include "cmd/con.h"
#include "console/issuing.h"
#include "console/keys_list.h"
#include "os/clock.h"
#include "os/path.h"

/* --- keys --- */

enum wa_code wa_con_keys_dir(const struct wa_cli *cli, char **ret, bool *ret_is_usual,
                             struct wa_err *err)
{
    char usual[WA_PATH_MAX];
    const char *given = wa_cli_get(cli, "keys-dir", NULL);
    if ((given != NULL ? wa_sv_dup(wa_sv(given), ret, err)
                       : wa_get_conf(cli, "keys_dir", ret, err)) != WA_OK)
        return err->code;
    *ret_is_usual = *ret == NULL;
    if (*ret != NULL)
        return WA_OK;
    return wa_path_of_config("private", usual, err) == WA_OK ? wa_sv_dup(wa_sv(usual), ret, err)
                                                             : err->code;
}

static enum wa_code read_folder(const struct wa_cli *cli, struct wa_certs *into, struct wa_err *err)
{
    WA_AUTO_STR char *folder = NULL;
    bool is_usual = false;
    struct wa_err why = WA_ERR_INIT;
    if (wa_con_keys_dir(cli, &folder, &is_usual, err) != WA_OK)
        return err->code;
    enum wa_code code = wa_certs_read_dir(folder, into, &why);
    return code == WA_OK || (is_usual && code == WA_E_NOT_FOUND)
               ? WA_OK
               : wa_fail(err, code, "%s", why.text);
}

static enum wa_code read_all(const struct wa_cli *cli, struct wa_certs *into, struct wa_err *err)
{
    WA_AUTO_STR char *path = NULL;
    WA_AUTO_CERTS struct wa_certs chain = {0};
    if (wa_get_conf(cli, "personal_certificate_path", &path, err) != WA_OK)
        return err->code;
    if ((path != NULL || wa_cli_get(cli, "certificate", NULL) != NULL)) {
        WA_AUTO_STR char *found = NULL;
        if (wa_get_certificate(cli, &found, &chain, err) != WA_OK ||
            wa_certs_add(into, chain.items[0], err) != WA_OK)
            return err->code;
    }
    return read_folder(cli, into, err);
}

static enum wa_code show(struct wa_cli *cli, const struct wa_cert *c, struct wa_cli_table *table,
                         struct wa_err *err)
{
    const char *problem = wa_keys_problem(c, wa_clock_now());
    char date[WA_DATE_MAX], kind[16], may[64];
    wa_date_rfc3339(wa_cert_not_after(c), date);
    wa_keys_kind(wa_cert_key(c), kind);
    (void)snprintf(may, sizeof may, "%s%s%s", wa_cert_is_ca(c) ? wa_text("issue") : "",
                   wa_cert_is_ca(c) && wa_cert_may_sign_code(c) ? ", " : "",
                   wa_cert_may_sign_code(c) ? wa_text("code") : "");
    wa_cli_table_cell(table, wa_sv(wa_cert_cn(c)));
    wa_cli_table_cell(table, wa_sv(kind));
    wa_cli_table_cell(table, wa_sv(may));
    wa_cli_table_cell(table, wa_sv(date));
    wa_cli_table_cell(table, wa_sv(problem == NULL                ? ""
                                   : strcmp(problem, "soon") == 0 ? wa_text("ends soon")
                                                                  : wa_text("expired")));
    wa_cli_table_cell(table, wa_sv(wa_cert_issuer(c)));
    wa_cli_table_cell(table, wa_sv(wa_cert_fingerprint(c)));
    wa_jw_obj(&cli->jw);
    enum wa_code code = wa_keys_write(c, wa_clock_now(), &cli->jw, err);
    wa_jw_end(&cli->jw);
    return code;
}

static enum wa_code keys(struct wa_cli *cli, struct wa_err *err)
{
    static const struct wa_cli_column columns[] = {
        {WA_TEXT("name"), true},         {WA_TEXT("key"), false},   {WA_TEXT("may"), false},
        {WA_TEXT("valid until"), false}, {WA_TEXT("state"), false}, {WA_TEXT("issued by"), true},
        {WA_TEXT("fingerprint"), false}};
    WA_AUTO_CERTS struct wa_certs certs = {0};
    WA_AUTO_TABLE struct wa_cli_table table;
    enum wa_code code = WA_OK;
    wa_cli_table_init(&table, columns, WA_COUNT(columns));
    if (read_all(cli, &certs, err) != WA_OK)
        return err->code;
    wa_jw_arr(&cli->jw);
    for (size_t i = 0; code == WA_OK && i < certs.n; i++)
        code = show(cli, certs.items[i], &table, err);
    wa_jw_end(&cli->jw);
    if (code == WA_OK && certs.n == 0)
        wa_cli_say(cli, "there is no key here yet: make one with 'wapt-get create-keycert', or in "
                        "the console's page Keys");
    return code == WA_OK ? wa_cli_table_print(&table, cli, err) : code;
}

/* --- sign-request --- */

static void print(void *user, const char *label, struct wa_sv value)
{
    wa_cli_out(user, "  %s: %.*s\n", label, WA_SV_ARG(value));
}

static enum wa_code ask(struct wa_cli *cli, const struct wa_issuing *i, struct wa_err *err)
{
    if (wa_cli_has(cli, "yes"))
        return WA_OK;
    if (cli->json)
        return wa_fail(err, WA_E_USAGE, "--json shows nothing to confirm: give --yes with it");
    return wa_issuing_say(i, print, cli, err) == WA_OK
               ? wa_cli_confirm("Issue this certificate?", "--yes", err)
               : err->code;
}

static enum wa_code issue(struct wa_cli *cli, const struct wa_issuing *i, struct wa_err *err)
{
    WA_AUTO_GET_SIGNER struct wa_get_signer signer = {.key = NULL};
    WA_AUTO_CERTS struct wa_certs chain = {0};
    WA_AUTO_BUF struct wa_buf pem;
    const char *out = wa_cli_get(cli, "output", NULL);
    struct wa_stat st;
    struct wa_err absent = WA_ERR_INIT;
    wa_buf_init(&pem, WA_CERTFILE_BYTES_MAX);
    if (wa_path_stat(out, &st, &absent) == WA_OK)
        return wa_fail(err, WA_E_EXISTS, "'%s' is there already", out);
    if (wa_get_signer_load(cli, &signer, err) != WA_OK ||
        wa_issuing_make(i, &signer.signer, &chain, err) != WA_OK ||
        wa_certs_write_pem(&chain, &pem, err) != WA_OK ||
        wa_path_replace(out, wa_buf_sv(&pem), 0644, err) != WA_OK)
        return err->code;
    wa_jw_obj(&cli->jw);
    wa_jw_kv(&cli->jw, "certificate", out);
    wa_jw_kv(&cli->jw, "name", wa_cert_cn(chain.items[0]));
    wa_jw_kv(&cli->jw, "fingerprint", wa_cert_fingerprint(chain.items[0]));
    wa_jw_end(&cli->jw);
    wa_cli_pair(cli, wa_text("certificate"), out);
    wa_cli_pair(cli, wa_text("fingerprint"), wa_cert_fingerprint(chain.items[0]));
    return WA_OK;
}

static enum wa_code sign_request(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf pem;
    WA_AUTO_ISSUING struct wa_issuing i = {.is_ca = wa_cli_has(cli, "ca"),
                                           .code_signing = wa_cli_has(cli, "code-signing"),
                                           .client_auth = wa_cli_has(cli, "client-auth"),
                                           .days = 730,
                                           .organization = wa_cli_get(cli, "organization", NULL)};
    wa_buf_init(&pem, WA_CSR_BYTES_MAX);
    if (wa_cli_get(cli, "output", NULL) == NULL)
        return wa_fail(err, WA_E_USAGE, "where to? Give --output FILE");
    if (wa_cli_int(cli, "days", 1, 36500, &i.days, err) != WA_OK ||
        wa_path_read(cli->args[0], WA_CSR_BYTES_MAX, &pem, err) != WA_OK ||
        wa_issuing_read(wa_buf_sv(&pem), &i, err) != WA_OK || ask(cli, &i, err) != WA_OK)
        return err->code;
    return issue(cli, &i, err);
}

static const struct wa_cli_option keys_options[] = {{"certificate", 'k', "FILE"},
                                                    {"keys-dir", 0, "DIR"}};
static const struct wa_cli_option sign_options[] = {
    WA_GET_SIGNER_OPTIONS, {"output", 'o', "FILE"},     {"days", 0, "DAYS"},
    {"ca", 0, NULL},       {"code-signing", 0, NULL},   {"client-auth", 0, NULL},
    {"yes", 'y', NULL},    {"organization", 0, "TEXT"},
};
const struct wa_cli_command wa_con_keys = {"keys", keys_options, WA_COUNT(keys_options), 0,
                                           0,      keys};
const struct wa_cli_command wa_con_sign_request = {
    "sign-request", sign_options, WA_COUNT(sign_options), 1, 1, sign_request};

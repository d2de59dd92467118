/* con_signers.c - waptconsole signers: whose packages and orders the server takes. What machines
 * trust, they say themselves.
 */
#include "base/date.h"
#include "cmd/con.h"
#include "codec/hex.h"
#include "os/fs.h"

#define CERTIFICATE_MAX 32768u /* bytes, as the server takes it */

static enum wa_code list(struct wa_cli *cli, struct wa_client *c, struct wa_err *err)
{
    static const struct wa_cli_column columns[] = {{WA_TEXT("name"), true},
                                                   {WA_TEXT("valid until"), false},
                                                   {WA_TEXT("authority"), false},
                                                   {WA_TEXT("fingerprint"), false}};
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_TABLE struct wa_cli_table table;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, 64u << 20);
    wa_cli_table_init(&table, columns, WA_COUNT(columns));
    if (wa_client_call(c, "GET", "/api/v1/signers", WA_SV(""), &arena, &j, err) != WA_OK)
        return err->code;
    const struct wa_json *signers = wa_json_get(j, "signers");
    for (size_t i = 0; i < wa_json_count(signers); i++) {
        const struct wa_json *one = wa_json_at(signers, i);
        char until[WA_DATE_MAX];
        int64_t at = 0;
        (void)wa_json_i64(wa_json_get(one, "not_after"), &at);
        wa_date_rfc3339(at, until);
        wa_cli_table_cell(&table, wa_json_sv(wa_json_get(one, "name")));
        wa_cli_table_cell(&table, wa_sv(until));
        wa_cli_table_cell(&table,
                          wa_sv(wa_json_bool(wa_json_get(one, "is_authority")) ? "yes" : "no"));
        wa_cli_table_cell(&table, wa_json_sv(wa_json_get(one, "fingerprint")));
    }
    wa_jw_json(&cli->jw, signers);
    return wa_cli_table_print(&table, cli, err);
}

static enum wa_code add(struct wa_cli *cli, struct wa_client *c, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf pem;
    WA_AUTO_BUF struct wa_buf body;
    const struct wa_json *j = NULL;
    struct wa_jw w;
    wa_arena_init(&arena, 1u << 20);
    wa_buf_init(&pem, CERTIFICATE_MAX);
    wa_buf_init(&body, 2 * CERTIFICATE_MAX);
    if (wa_path_read(cli->args[1], CERTIFICATE_MAX, &pem, err) != WA_OK)
        return err->code;
    wa_jw_init(&w, &body);
    wa_jw_obj(&w);
    wa_jw_kvsv(&w, "certificate", wa_buf_sv(&pem));
    wa_jw_end(&w);
    if (wa_buf_check(&body, err) != WA_OK ||
        wa_client_call(c, "POST", "/api/v1/signers", wa_buf_sv(&body), &arena, &j, err) != WA_OK)
        return wa_wrap(err, "adding '%s'", cli->args[1]);
    wa_cli_say(cli, "the server takes what '%s' has signed", cli->args[1]);
    return WA_OK;
}

static enum wa_code remove_signer(struct wa_cli *cli, struct wa_client *c, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    char path[128];
    wa_arena_init(&arena, 1u << 20);
    if (!wa_hex_is(wa_sv(cli->args[1]), 64))
        return wa_fail(err, WA_E_USAGE, "'%s' is no fingerprint: 'waptconsole signers' shows them",
                       cli->args[1]);
    (void)snprintf(path, sizeof path, "/api/v1/signers/%s", cli->args[1]);
    if (wa_client_call(c, "DELETE", path, WA_SV(""), &arena, &j, err) != WA_OK)
        return err->code;
    wa_cli_say(cli, "the server takes nothing more from that signer; what is there stays");
    return WA_OK;
}

static enum wa_code run(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO(wa_client) struct wa_client *c = NULL;
    struct wa_sv verb = wa_sv(cli->arg_count > 0 ? cli->args[0] : "list");
    bool is_list = wa_sv_eqs(verb, "list"), is_add = wa_sv_eqs(verb, "add");
    if (!(is_list && cli->arg_count <= 1) &&
        !((is_add || wa_sv_eqs(verb, "remove")) && cli->arg_count == 2))
        return wa_fail(err, WA_E_USAGE,
                       "after signers comes 'list', 'add' and a file with a certificate, or "
                       "'remove' and a fingerprint");
    if (wa_con_connect(cli, &c, err) != WA_OK)
        return err->code;
    if (is_list)
        return list(cli, c, err);
    wa_jw_null(&cli->jw);
    return is_add ? add(cli, c, err) : remove_signer(cli, c, err);
}

static const struct wa_cli_option options[] = {WA_CON_SERVER_OPTIONS};

const struct wa_cli_command wa_con_signers = {"signers", options, WA_COUNT(options), 0, 2, run};

/* con_token.c - waptconsole token and second-factor: one's own API tokens, one's own second factor.
 */
#include "base/mem.h"
#include "cmd/con.h"
#include "cmd/people_words.h"

/* Calls, and answers with what the server says, too. */
static enum wa_code call(struct wa_cli *cli, const char *method, const char *path,
                         struct wa_sv body, struct wa_arena *arena, const struct wa_json **ret,
                         struct wa_err *err)
{
    WA_AUTO(wa_client) struct wa_client *c = NULL;
    return wa_con_connect(cli, &c, err) == WA_OK
               ? wa_client_call(c, method, path, body, arena, ret, err)
               : err->code;
}

static enum wa_code tell(struct wa_cli *cli, const struct wa_json *j, struct wa_err *err)
{
    WA_AUTO_BUF_SECRET struct wa_buf text;
    wa_buf_init(&text, 1u << 20);
    wa_json_write(j, &text);
    if (wa_buf_check(&text, err) != WA_OK)
        return err->code;
    wa_jw_raw(&cli->jw, wa_buf_sv(&text));
    return WA_OK;
}

/* --- tokens --- */

static enum wa_code list_tokens(struct wa_cli *cli, struct wa_err *err)
{
    static const struct wa_con_column columns[] = {{WA_TEXT("token"), "id", false, false},
                                                   {WA_TEXT("name"), "name", false, true},
                                                   {WA_TEXT("rights"), "rights", false, true},
                                                   {WA_TEXT("used"), "used", true, false},
                                                   {WA_TEXT("expires"), "expires", true, false}};
    static const struct wa_con_list tokens = {"/api/v1/account/tokens", "tokens", columns,
                                              WA_COUNT(columns)};
    WA_AUTO(wa_client) struct wa_client *c = NULL;
    return wa_con_connect(cli, &c, err) == WA_OK ? wa_con_show(cli, c, &tokens, err) : err->code;
}

static enum wa_code make_token(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf body;
    WA_AUTO_BUF struct wa_buf perimeter;
    const struct wa_json *j = NULL;
    const char *right;
    int64_t days = 90;
    struct wa_jw w;
    wa_arena_init(&arena, 1u << 20);
    wa_buf_init(&body, 128u << 10);
    wa_buf_init(&perimeter, 64u << 10);
    if (wa_cli_int(cli, "days", 1, 366, &days, err) != WA_OK ||
        wa_people_perimeter(cli, false, &perimeter, err) != WA_OK)
        return err->code;
    wa_jw_init(&w, &body);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "name", cli->args[1]);
    wa_jw_kvi(&w, "days", days);
    wa_jw_key(&w, "rights");
    wa_jw_arr(&w);
    for (size_t i = 0; (right = wa_cli_at(cli, "right", i)) != NULL; i++)
        wa_jw_s(&w, right);
    wa_jw_end(&w);
    if (perimeter.n > 0) {
        wa_jw_key(&w, "perimeter");
        wa_jw_raw(&w, wa_buf_sv(&perimeter));
    }
    wa_jw_end(&w);
    if (wa_buf_check(&body, err) != WA_OK ||
        call(cli, "POST", "/api/v1/account/tokens", wa_buf_sv(&body), &arena, &j, err) != WA_OK)
        return err->code;
    wa_cli_say(cli, "It is shown now, and never again:");
    wa_cli_out(cli, "%.*s\n", WA_SV_ARG(wa_json_sv(wa_json_get(j, "token"))));
    return tell(cli, j, err);
}

static enum wa_code revoke_token(struct wa_cli *cli, struct wa_err *err)
{
    const struct wa_con_one one = {"DELETE", "/api/v1/account/tokens", cli->args[1], ""};
    WA_AUTO(wa_client) struct wa_client *c = NULL;
    if (wa_con_connect(cli, &c, err) != WA_OK || wa_con_change(cli, c, &one, err) != WA_OK)
        return err->code;
    wa_cli_say(cli, "token '%s' is revoked", cli->args[1]);
    return WA_OK;
}

static enum wa_code token(struct wa_cli *cli, struct wa_err *err)
{
    const char *word = cli->arg_count > 0 ? cli->args[0] : "list";
    if (strcmp(word, "list") == 0 && cli->arg_count <= 1)
        return list_tokens(cli, err);
    if (strcmp(word, "make") == 0 && cli->arg_count == 2)
        return make_token(cli, err);
    if (strcmp(word, "revoke") == 0 && cli->arg_count == 2)
        return revoke_token(cli, err);
    return wa_fail(err, WA_E_USAGE,
                   "after token comes 'list', 'make' and a name, or 'revoke' and a token's name");
}

/* --- the second factor --- */

static enum wa_code offer(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF_SECRET struct wa_buf password;
    WA_AUTO_BUF_SECRET struct wa_buf body;
    const struct wa_json *j = NULL;
    struct wa_jw w;
    wa_arena_init(&arena, 1u << 20);
    wa_buf_init(&password, 1024);
    wa_buf_init(&body, 8192);
    if (wa_con_own_password(cli, &password, err) != WA_OK)
        return err->code;
    wa_jw_init(&w, &body);
    wa_jw_obj(&w);
    wa_jw_kvsv(&w, "password", wa_buf_sv(&password));
    wa_jw_end(&w);
    if (wa_buf_check(&body, err) != WA_OK || call(cli, "POST", "/api/v1/account/second-factor",
                                                  wa_buf_sv(&body), &arena, &j, err) != WA_OK)
        return err->code;
    wa_cli_out(cli, "%.*s\n%.*s\n", WA_SV_ARG(wa_json_sv(wa_json_get(j, "uri"))),
               WA_SV_ARG(wa_json_sv(wa_json_get(j, "secret"))));
    wa_cli_say(cli, "Give it to your authenticator; it counts after 'second-factor confirm CODE'.");
    return tell(cli, j, err);
}

/* path: what the code is for. */
static enum wa_code send_code(struct wa_cli *cli, const char *path, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf body;
    const struct wa_json *j = NULL;
    struct wa_jw w;
    wa_arena_init(&arena, 1u << 20);
    wa_buf_init(&body, 4096);
    wa_jw_init(&w, &body);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "code", cli->args[1]);
    wa_jw_end(&w);
    if (wa_buf_check(&body, err) != WA_OK ||
        call(cli, "POST", path, wa_buf_sv(&body), &arena, &j, err) != WA_OK)
        return err->code;
    const struct wa_json *codes = wa_json_get(j, "recovery_codes");
    if (wa_json_count(codes) > 0)
        wa_cli_say(cli, "Each of these logs in once in place of a code. Keep them where nobody "
                        "finds them: they are not shown again.");
    else
        wa_cli_say(cli, "you have no second factor any more");
    for (size_t i = 0; i < wa_json_count(codes); i++)
        wa_cli_out(cli, "%.*s\n", WA_SV_ARG(wa_json_sv(wa_json_at(codes, i))));
    return tell(cli, j, err);
}

static enum wa_code second_factor(struct wa_cli *cli, struct wa_err *err)
{
    const char *word = cli->arg_count > 0 ? cli->args[0] : "";
    if (strcmp(word, "on") == 0 && cli->arg_count == 1)
        return offer(cli, err);
    if (strcmp(word, "confirm") == 0 && cli->arg_count == 2)
        return send_code(cli, "/api/v1/account/second-factor/confirm", err);
    if (strcmp(word, "off") == 0 && cli->arg_count == 2)
        return send_code(cli, "/api/v1/account/second-factor/off", err);
    return wa_fail(err, WA_E_USAGE,
                   "after second-factor comes 'on', or 'confirm' or 'off' and a code");
}

static const struct wa_cli_option token_options[] = {
    WA_CON_SERVER_OPTIONS, {"right", 0, "RIGHT"}, {"days", 0, "N"}, WA_PERIMETER_OPTIONS};
static const struct wa_cli_option factor_options[] = {WA_CON_SERVER_OPTIONS};
const struct wa_cli_command wa_con_token = {"token", token_options, WA_COUNT(token_options), 0,
                                            2,       token};
const struct wa_cli_command wa_con_second_factor = {
    "second-factor", factor_options, WA_COUNT(factor_options), 1, 2, second_factor};

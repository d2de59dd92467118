/* con_account.c - waptconsole password and sessions: one's own password at the server, and where
 * else one is logged in.
 */
#include "base/mem.h"
#include "cmd/con.h"

#define ACCOUNT "/api/v1/account"

/* --- the password --- */

static enum wa_code read_new(const struct wa_cli *cli, struct wa_buf *out, struct wa_err *err)
{
    const char *file = wa_cli_get(cli, "new-password-file", NULL);
    return file != NULL ? wa_cli_read_secret(file, out, err)
                        : wa_cli_ask_secret(WA_TEXT("New password: "), true, "--new-password-file",
                                            out, err);
}

static enum wa_code write_change(const struct wa_cli *cli, struct wa_buf *out, struct wa_err *err)
{
    WA_AUTO_BUF_SECRET struct wa_buf old;
    WA_AUTO_BUF_SECRET struct wa_buf next;
    struct wa_jw w;
    wa_buf_init(&old, 1024);
    wa_buf_init(&next, 1024);
    if (wa_con_own_password(cli, &old, err) != WA_OK || read_new(cli, &next, err) != WA_OK)
        return err->code;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kvsv(&w, "old", wa_buf_sv(&old));
    wa_jw_kvsv(&w, "new", wa_buf_sv(&next));
    wa_jw_end(&w);
    return wa_buf_check(out, err);
}

static enum wa_code change_password(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO(wa_client) struct wa_client *c = NULL;
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF_SECRET struct wa_buf body;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, 1u << 20);
    wa_buf_init(&body, 16u << 10);
    if (wa_con_connect(cli, &c, err) != WA_OK || write_change(cli, &body, err) != WA_OK ||
        wa_client_call(c, "POST", ACCOUNT "/password", wa_buf_sv(&body), &arena, &j, err) != WA_OK)
        return err->code;
    wa_jw_null(&cli->jw);
    wa_cli_say(cli, "You have another password now; everywhere else you are logged out.");
    return WA_OK;
}

/* --- sessions --- */

static enum wa_code list(struct wa_cli *cli, struct wa_err *err)
{
    static const struct wa_con_column columns[] = {
        {WA_TEXT("session"), "id", false, false}, {WA_TEXT("by"), "method", false, false},
        {WA_TEXT("from"), "peer", false, true},   {WA_TEXT("begun"), "created", true, false},
        {WA_TEXT("used"), "used", true, false},   {WA_TEXT("expires"), "expires", true, false}};
    static const struct wa_con_list sessions = {ACCOUNT "/sessions", "sessions", columns,
                                                WA_COUNT(columns)};
    WA_AUTO(wa_client) struct wa_client *c = NULL;
    return wa_con_connect(cli, &c, err) == WA_OK ? wa_con_show(cli, c, &sessions, err) : err->code;
}

static enum wa_code end(struct wa_cli *cli, struct wa_err *err)
{
    const struct wa_con_one one = {"DELETE", ACCOUNT "/sessions", cli->args[1], ""};
    WA_AUTO(wa_client) struct wa_client *c = NULL;
    if (wa_con_connect(cli, &c, err) != WA_OK || wa_con_change(cli, c, &one, err) != WA_OK)
        return err->code;
    wa_cli_say(cli, "the session '%s' has ended", cli->args[1]);
    return WA_OK;
}

static enum wa_code sessions(struct wa_cli *cli, struct wa_err *err)
{
    const char *word = cli->arg_count > 0 ? cli->args[0] : "list";
    if (strcmp(word, "list") == 0 && cli->arg_count <= 1)
        return list(cli, err);
    if (strcmp(word, "end") == 0 && cli->arg_count == 2)
        return end(cli, err);
    return wa_fail(err, WA_E_USAGE, "after sessions comes 'list', or 'end' and a session");
}

static const struct wa_cli_option password_options[] = {WA_CON_SERVER_OPTIONS,
                                                        {"new-password-file", 0, "FILE"}};
static const struct wa_cli_option session_options[] = {WA_CON_SERVER_OPTIONS};
const struct wa_cli_command wa_con_password = {
    "password", password_options, WA_COUNT(password_options), 0, 0, change_password};
const struct wa_cli_command wa_con_sessions = {
    "sessions", session_options, WA_COUNT(session_options), 0, 2, sessions};

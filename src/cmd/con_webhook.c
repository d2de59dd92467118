/* con_webhook.c - waptconsole webhook: where else the server's events go. */
#include "base/mem.h"
#include "cmd/con.h"

static enum wa_code list(struct wa_cli *cli, struct wa_client *c, struct wa_err *err)
{
    static const struct wa_con_column columns[] = {
        {WA_TEXT("webhook"), "id", false, false},
        {WA_TEXT("kinds"), "kinds", false, true},
        {WA_TEXT("last result"), "last_result", false, true},
        {WA_TEXT("failing since"), "failed_since", true, false},
        {WA_TEXT("waiting"), "waiting", false, false},
        {WA_TEXT("address"), "url", false, true}};
    static const struct wa_con_list webhooks = {"/api/v1/webhooks", "webhooks", columns,
                                                WA_COUNT(columns)};
    return wa_con_show(cli, c, &webhooks, err);
}

static enum wa_code add(struct wa_cli *cli, struct wa_client *c, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf body;
    const struct wa_json *j = NULL;
    struct wa_jw w;
    wa_arena_init(&arena, 1u << 20);
    wa_buf_init(&body, 16384);
    wa_jw_init(&w, &body);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "url", cli->args[1]);
    wa_jw_kv(&w, "kinds", wa_cli_get(cli, "kinds", ""));
    wa_jw_end(&w);
    if (wa_buf_check(&body, err) != WA_OK ||
        wa_client_call(c, "POST", "/api/v1/webhooks", wa_buf_sv(&body), &arena, &j, err) != WA_OK)
        return err->code;
    wa_jw_json(&cli->jw, j);
    wa_cli_say(cli, "webhook %.*s; the secret that signs its events is shown this once",
               WA_SV_ARG(wa_json_sv(wa_json_get(j, "id"))));
    wa_cli_out(cli, "%.*s\n", WA_SV_ARG(wa_json_sv(wa_json_get(j, "secret"))));
    return WA_OK;
}

static enum wa_code remove_hook(struct wa_cli *cli, struct wa_client *c, struct wa_err *err)
{
    const struct wa_con_one one = {"DELETE", "/api/v1/webhooks", cli->args[1], ""};
    if (wa_con_change(cli, c, &one, err) != WA_OK)
        return err->code;
    wa_cli_say(cli, "webhook %s is removed, with what waited for it", cli->args[1]);
    return WA_OK;
}

static enum wa_code test(struct wa_cli *cli, struct wa_client *c, struct wa_err *err)
{
    const struct wa_con_one one = {"POST", "/api/v1/webhooks", cli->args[1], "/test"};
    if (wa_con_change(cli, c, &one, err) != WA_OK)
        return err->code;
    wa_cli_say(cli, "an event 'test' is on its way: 'list' says what became of it");
    return WA_OK;
}

static enum wa_code webhook(struct wa_cli *cli, struct wa_err *err)
{
    static const struct {
        const char *verb;
        size_t args;
        enum wa_code (*fn)(struct wa_cli *cli, struct wa_client *c, struct wa_err *err);
    } verbs[] = {{"list", 1, list}, {"add", 2, add}, {"remove", 2, remove_hook}, {"test", 2, test}};
    WA_AUTO(wa_client) struct wa_client *c = NULL;
    const char *word = cli->arg_count > 0 ? cli->args[0] : "list";
    size_t count = cli->arg_count > 0 ? cli->arg_count : 1;
    for (size_t i = 0; i < WA_COUNT(verbs); i++)
        if (strcmp(word, verbs[i].verb) == 0 && count == verbs[i].args)
            return wa_con_connect(cli, &c, err) == WA_OK ? verbs[i].fn(cli, c, err) : err->code;
    return wa_fail(err, WA_E_USAGE,
                   "after webhook comes 'list', 'add' and an address, or 'remove' or 'test' and a "
                   "webhook");
}

static const struct wa_cli_option options[] = {WA_CON_SERVER_OPTIONS, {"kinds", 0, "LIST"}};
const struct wa_cli_command wa_con_webhook = {"webhook", options, WA_COUNT(options), 0, 2, webhook};

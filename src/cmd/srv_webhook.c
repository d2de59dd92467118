/* srv_webhook.c - waptserver webhook: where else events go. */
#include "base/date.h"
#include "base/mem.h"
#include "cmd/srv.h"
#include "server/hooks.h"

static enum wa_code show(void *user, const struct wa_hook *h, struct wa_err *err)
{
    struct wa_cli *cli = user;
    WA_UNUSED(err);
    wa_hook_json(h, &cli->jw);
    wa_cli_out(cli, "%s %-10s %-24.*s %.*s\n", h->id,
               h->is_disabled         ? wa_text("off")
               : h->failed_since != 0 ? wa_text("failing")
                                      : wa_text("on"),
               WA_SV_ARG(h->last_result), WA_SV_ARG(h->url));
    return WA_OK;
}

static enum wa_code list(struct wa_cli *cli, const struct wa_server_config *c, struct wa_err *err)
{
    wa_cli_out(cli, "%-16s %-10s %-24s %s\n", wa_text("webhook"), wa_text("state"),
               wa_text("last result"), wa_text("address"));
    wa_jw_arr(&cli->jw);
    enum wa_code code = wa_server_hooks_list(c, show, cli, err);
    wa_jw_end(&cli->jw);
    return code;
}

static enum wa_code add(struct wa_cli *cli, const struct wa_server_config *c, struct wa_err *err)
{
    char id[WA_HOOK_ID], secret[WA_HOOK_SECRET];
    if (wa_server_hook_add(c, cli->args[1], wa_cli_get(cli, "kinds", ""), id, secret, err) != WA_OK)
        return err->code;
    wa_jw_obj(&cli->jw);
    wa_jw_kv(&cli->jw, "id", id);
    wa_jw_kv(&cli->jw, "secret", secret);
    wa_jw_end(&cli->jw);
    wa_cli_say(cli, "webhook %s; the secret that signs its events is shown this once", id);
    wa_cli_out(cli, "%s\n", secret);
    wa_wipe(secret, sizeof secret);
    return WA_OK;
}

static enum wa_code test(struct wa_cli *cli, const struct wa_server_config *c, struct wa_err *err)
{
    char result[256];
    if (wa_server_hook_test(c, cli->args[1], result, err) != WA_OK)
        return err->code;
    wa_jw_obj(&cli->jw);
    wa_jw_kv(&cli->jw, "result", result);
    wa_jw_end(&cli->jw);
    wa_cli_say(cli, "webhook %s has taken it: %s", cli->args[1], result);
    return WA_OK;
}

static enum wa_code remove_hook(struct wa_cli *cli, const struct wa_server_config *c,
                                struct wa_err *err)
{
    if (wa_server_hook_remove(c, cli->args[1], err) != WA_OK)
        return err->code;
    wa_jw_null(&cli->jw);
    wa_cli_say(cli, "webhook %s is removed, with what waited for it", cli->args[1]);
    return WA_OK;
}

static enum wa_code webhook(struct wa_cli *cli, struct wa_err *err)
{
    static const struct {
        const char *verb;
        size_t args;
        enum wa_code (*fn)(struct wa_cli *, const struct wa_server_config *, struct wa_err *);
    } verbs[] = {{"list", 1, list}, {"add", 2, add}, {"remove", 2, remove_hook}, {"test", 2, test}};
    struct wa_server_config c;
    for (size_t i = 0; i < WA_COUNT(verbs); i++) {
        if (strcmp(cli->args[0], verbs[i].verb) != 0 || (size_t)cli->arg_count != verbs[i].args)
            continue;
        if (wa_srv_config(cli, &c, err) != WA_OK)
            return err->code;
        enum wa_code code = verbs[i].fn(cli, &c, err);
        wa_server_config_free(&c);
        return code;
    }
    return wa_fail(err, WA_E_USAGE,
                   "after webhook comes 'list', 'add' and an address, 'remove' or 'test' and a "
                   "webhook's name");
}

static const struct wa_cli_option options[] = {WA_SRV_CONFIG_OPTION, {"kinds", 0, "LIST"}};

const struct wa_cli_command wa_srv_webhook = {"webhook", options, WA_COUNT(options), 1, 2, webhook};

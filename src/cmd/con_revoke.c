/* con_revoke.c - waptconsole revoke: signers whose certificates count no more, with the next list
 * of the repository; before that, what they have signed.
 */
#include "cmd/con.h"
#include "console/revoking.h"

struct revoke {
    struct wa_cli *cli;
    struct wa_client *client;
    struct wa_revoking what;
};

static void say_progress(void *user, size_t done, size_t of)
{
    wa_cli_progress(user, wa_text("looking at what the machines have"), done, of);
}

static enum wa_code look(struct revoke *k, struct wa_err *err)
{
    WA_AUTO(wa_trust) struct wa_trust *anchors = NULL;
    for (size_t i = 0; i < k->cli->arg_count; i++)
        if (wa_revoking_add(&k->what, wa_sv(k->cli->args[i]), err) != WA_OK)
            return err->code;
    if (wa_get_anchors(k->cli, &anchors, err) != WA_OK ||
        wa_con_connect(k->cli, &k->client, err) != WA_OK ||
        wa_revoking_find_packages(&k->what, k->client, err) != WA_OK ||
        wa_revoking_find_hosts(&k->what, k->client, anchors, say_progress, k->cli, err) != WA_OK)
        return err->code;
    wa_cli_progress(k->cli, "", 0, 0);
    return WA_OK;
}

static void show(const struct revoke *k)
{
    const struct wa_revoking *r = &k->what;
    wa_revoking_write(r, &k->cli->jw);
    for (size_t i = 0; i < r->packages.n; i++)
        wa_cli_out(k->cli, "  package %s %s\n", wa_control_get(r->packages.items[i], WA_A_PACKAGE),
                   wa_control_get(r->packages.items[i], WA_A_VERSION));
    for (size_t i = 0; i < r->hosts.n; i++)
        wa_cli_out(k->cli, "  machine %s (%s)\n", r->hosts.items[i]->name, r->hosts.items[i]->uuid);
    wa_cli_out(k->cli, "%zu packages and the own packages of %zu machines are signed so\n",
               r->packages.n, r->hosts.n);
    if (r->unread > 0)
        wa_cli_say(k->cli, "the own packages of %zu machines could not be judged", r->unread);
}

static enum wa_code go_on(struct revoke *k, struct wa_err *err)
{
    const struct wa_revoking *r = &k->what;
    if (wa_revoking_check(r, err) != WA_OK)
        return err->code;
    if (r->hosts.n > 0)
        wa_cli_say(k->cli, "machines whose own package is signed so keep what they have, and get "
                           "no other until it is signed anew: waptconsole assign --resign");
    wa_jw_key(&k->cli->jw, "list");
    return wa_con_publish_list(k->cli, k->client, NULL, k->cli->args, k->cli->arg_count, err);
}

static enum wa_code run(struct wa_cli *cli, struct wa_err *err)
{
    struct revoke k = {.cli = cli};
    wa_revoking_init(&k.what);
    enum wa_code code = look(&k, err);
    wa_jw_obj(&cli->jw);
    if (code == WA_OK) {
        show(&k);
        code = wa_cli_has(cli, "dry-run") ? WA_OK : go_on(&k, err);
    }
    wa_jw_end(&cli->jw);
    wa_revoking_fini(&k.what);
    wa_client_close(k.client);
    return code;
}

static const struct wa_cli_option options[] = {
    WA_CON_SERVER_OPTIONS,   WA_GET_SIGNER_OPTIONS,  WA_CON_PUBLISH_OPTIONS,
    {"trusted", 't', "DIR"}, {"dry-run", 'n', NULL},
};
const struct wa_cli_command wa_con_revoke = {"revoke", options,         WA_COUNT(options),
                                             1,        WA_REVOKING_MAX, run};

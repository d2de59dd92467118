/* con_policy.c - waptconsole policy: groups, units, profiles and rules of self-service, made or
 * changed, several at once. What changes, and what would be wrong with it, is shown before anything
 * is signed; each has a result of its own.
 */
#include "cmd/con.h"
#include "console/policy.h"
#include "pkg/selfservice.h"

struct policies {
    struct wa_cli *cli;
    struct wa_client *client;
    struct wa_trust *anchors;
    struct wa_policy_wish wish;
    struct wa_buf add, remove; /* rules */
    struct wa_policies ps;
};

/* The rules that an option gives, as JSON. */
static enum wa_code read_rules(const struct wa_cli *cli, const char *option, struct wa_buf *out,
                               struct wa_sv *ret, struct wa_err *err)
{
    WA_AUTO_SELF_RULES struct wa_self_rules rules;
    const char *text;
    struct wa_jw w;
    if (wa_self_rules_init(&rules, err) != WA_OK)
        return err->code;
    for (size_t i = 0; (text = wa_cli_at(cli, option, i)) != NULL; i++)
        if (wa_self_rules_add_typed(&rules, text, err) != WA_OK)
            return err->code;
    if (rules.group_count == 0)
        return WA_OK;
    wa_jw_init(&w, out);
    wa_self_rules_write(&rules, &w);
    *ret = wa_buf_sv(out);
    return wa_buf_check(out, err);
}

static enum wa_code read_wish(struct policies *k, struct wa_err *err)
{
    k->wish.section = wa_cli_get(k->cli, "section", NULL);
    k->wish.description = wa_cli_get(k->cli, "description", NULL);
    wa_buf_init(&k->add, WA_SELF_BYTES_MAX);
    wa_buf_init(&k->remove, WA_SELF_BYTES_MAX);
    if (wa_con_assign_wish(k->cli, &k->wish.lists, err) != WA_OK ||
        read_rules(k->cli, "add-rule", &k->add, &k->wish.add_rules, err) != WA_OK)
        return err->code;
    return read_rules(k->cli, "remove-rule", &k->remove, &k->wish.remove_rules, err);
}

/* --- what is shown --- */

static void show(const struct policies *k, const struct wa_policy *p)
{
    struct wa_cli *cli = k->cli;
    bool is_new = wa_control_get(&p->now, WA_A_PACKAGE)[0] == '\0';
    wa_cli_out(cli, "%s %s%s%s (%s)\n", wa_control_get(&p->next, WA_A_PACKAGE),
               is_new ? wa_text("new") : wa_control_get(&p->now, WA_A_VERSION),
               is_new ? ": " : " -> ", wa_control_get(&p->next, WA_A_VERSION),
               wa_control_get(&p->next, WA_A_SECTION));
    for (size_t i = 0; i < p->lists.n; i++) {
        const struct wa_assign_row *row = &p->lists.items[i];
        const char *kind = wa_assign_word(row->list);
        if (row->before != NULL)
            wa_cli_out(cli, "  - %s: %s\n", kind, row->before);
        if (row->after != NULL)
            wa_cli_out(cli, "  + %s: %s\n", kind, row->after);
    }
    for (size_t i = 0; i < p->rules.n; i++)
        wa_cli_out(cli, "  %s %s: %s\n", p->rules.items[i].comes ? "+" : "-",
                   p->rules.items[i].group, p->rules.items[i].package);
    for (size_t i = 0; i < p->problems.n; i++)
        wa_cli_out(cli, "  ! %s\n", p->problems.items[i].text);
}

/* --- the work --- */

static enum wa_code ask(const struct policies *k, struct wa_err *err)
{
    if (wa_cli_has(k->cli, "yes"))
        return WA_OK;
    return k->cli->json
               ? wa_fail(err, WA_E_USAGE, "--json shows nothing to confirm: give --yes with it")
               : wa_cli_confirm("Sign and publish them?", "--yes", err);
}

static enum wa_code conclude(struct policies *k, const struct wa_get_signer *signer,
                             struct wa_err *err)
{
    struct wa_get_tally tally = {0, 0, WA_OK};
    wa_jw_key(&k->cli->jw, "packages");
    wa_jw_arr(&k->cli->jw);
    for (size_t i = 0; i < k->ps.n; i++) {
        struct wa_policy *p = &k->ps.items[i];
        struct wa_err why = p->why;
        char file[2 * WA_NAME_MAX + 1] = "";
        if (signer != NULL &&
            wa_policies_put(&k->ps, i, k->client, &signer->signer, file, &why) == WA_OK)
            wa_err_clear(&why);
        wa_policy_write(p, file, &k->cli->jw);
        if (why.code != WA_OK)
            (void)wa_fail(&why, why.code, "%s: %s", p->name, p->why.text);
        wa_get_count(k->cli, &tally, &why);
    }
    wa_jw_end(&k->cli->jw);
    return wa_get_outcome(&tally, "could not be changed", err);
}

static enum wa_code sign_all(struct policies *k, struct wa_err *err)
{
    WA_AUTO_GET_SIGNER struct wa_get_signer signer = {.key = NULL};
    if (ask(k, err) != WA_OK || wa_get_signer_load(k->cli, &signer, err) != WA_OK ||
        conclude(k, &signer, err) != WA_OK)
        return err->code;
    if (!wa_cli_has(k->cli, "publish")) {
        if (!k->cli->json)
            wa_cli_say(k->cli,
                       "where there is a root, machines see it after 'waptconsole publish'");
        return WA_OK;
    }
    wa_jw_key(&k->cli->jw, "published");
    return wa_con_publish_list(k->cli, k->client, &signer, NULL, 0, err);
}

static enum wa_code work(struct policies *k, struct wa_err *err)
{
    struct wa_cli *cli = k->cli;
    if (read_wish(k, err) != WA_OK || wa_get_anchors(cli, &k->anchors, err) != WA_OK ||
        wa_con_connect(cli, &k->client, err) != WA_OK)
        return err->code;
    const struct wa_policies_options o = {.client = k->client,
                                          .anchors = k->anchors,
                                          .names = (const char *const *)cli->args,
                                          .count = cli->arg_count,
                                          .wish = &k->wish};
    if (wa_policies_open(&o, &k->ps, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < k->ps.n; i++)
        if (k->ps.items[i].is_changed)
            show(k, &k->ps.items[i]);
    size_t changed = wa_policies_changed(&k->ps);
    if (changed == 0 && !cli->json)
        wa_cli_say(cli, "nothing changes");
    return changed == 0 || wa_cli_has(cli, "dry-run") ? conclude(k, NULL, err) : sign_all(k, err);
}

static enum wa_code run(struct wa_cli *cli, struct wa_err *err)
{
    struct policies k = {.cli = cli};
    wa_jw_obj(&cli->jw);
    enum wa_code code = work(&k, err);
    wa_jw_end(&cli->jw);
    wa_policies_fini(&k.ps);
    wa_buf_fini(&k.add);
    wa_buf_fini(&k.remove);
    wa_trust_free(k.anchors);
    wa_client_close(k.client);
    return code;
}

static const struct wa_cli_option options[] = {
    WA_CON_SERVER_OPTIONS,
    WA_GET_SIGNER_OPTIONS,
    WA_CON_ASSIGN_OPTIONS,
    WA_CON_PUBLISH_OPTIONS,
    {"trusted", 't', "DIR"},
    {"section", 0, "NAME"},
    {"description", 0, "TEXT"},
    {"add-rule", 0, "GROUP=PACKAGE,..."},
    {"remove-rule", 0, "GROUP=PACKAGE,..."},
    {"publish", 0, NULL},
    {"dry-run", 'n', NULL},
};
const struct wa_cli_command wa_con_policy = {"policy", options,  WA_COUNT(options),
                                             1,        SIZE_MAX, run};

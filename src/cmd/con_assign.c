/* con_assign.c - waptconsole assign: the own packages of many machines, changed at once. What
 * changes is shown for each machine before anything is signed; each has a result of its own.
 */
#include "base/mem.h"
#include "cmd/con.h"
#include "console/assign.h"

#define TARGETS_MAX 100000u

static struct wa_assign_wish wish_of(const struct wa_cli *cli)
{
    return (struct wa_assign_wish){.add = wa_cli_get(cli, "add-depends", NULL),
                                   .remove = wa_cli_get(cli, "remove-depends", NULL),
                                   .add_conflicts = wa_cli_get(cli, "add-conflicts", NULL),
                                   .remove_conflicts = wa_cli_get(cli, "remove-conflicts", NULL),
                                   .hold = wa_cli_get(cli, "hold", NULL),
                                   .unhold = wa_cli_get(cli, "unhold", NULL),
                                   .windows = wa_cli_get(cli, "windows", NULL),
                                   .freezes = wa_cli_get(cli, "freezes", NULL)};
}

enum wa_code wa_con_assign_wish(const struct wa_cli *cli, struct wa_assign_wish *ret,
                                struct wa_err *err)
{
    *ret = wish_of(cli);
    return wa_assign_check(ret, err);
}

struct assigning {
    struct wa_cli *cli;
    struct wa_client *client;
    struct wa_trust *anchors;
    struct wa_assign_wish wish;
    struct wa_targets targets;
    struct wa_assign_hosts hosts;
    size_t changed;
};

static enum wa_code choose(struct assigning *a, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_HOST_LIST struct wa_host_list list = {0};
    wa_arena_init(&arena, 512u << 20);
    if (wa_con_has_targets(a->cli, err) != WA_OK ||
        wa_con_assign_wish(a->cli, &a->wish, err) != WA_OK)
        return err->code;
    if (wa_assign_is_empty(&a->wish) && !wa_cli_has(a->cli, "resign"))
        return wa_fail(err, WA_E_USAGE,
                       "what changes? Say --add-depends, --remove-depends, --add-conflicts, "
                       "--remove-conflicts, --hold, --unhold, --windows, --freezes or "
                       "--resign");
    if (wa_get_anchors(a->cli, &a->anchors, err) != WA_OK ||
        wa_con_connect(a->cli, &a->client, err) != WA_OK ||
        wa_con_targets(a->cli, a->client, TARGETS_MAX, &arena, &list, &a->targets, err) != WA_OK)
        return err->code;
    if (wa_assign_hosts_init(&a->hosts, &a->targets, err) != WA_OK)
        return err->code;
    a->hosts.resigns = wa_cli_has(a->cli, "resign");
    return WA_OK;
}

static enum wa_code look(struct assigning *a, struct wa_err *err)
{
    for (size_t i = 0; i < a->hosts.n; i++) {
        wa_cli_progress(a->cli, wa_text("looking at what the machines have"), i, a->hosts.n);
        if (wa_assign_look(&a->hosts, i, a->client, a->anchors, &a->wish, err) != WA_OK)
            return err->code;
        a->changed += a->hosts.items[i].why.code == WA_OK && a->hosts.items[i].is_written;
    }
    wa_cli_progress(a->cli, "", 0, 0);
    return WA_OK;
}

static void show(const struct assigning *a)
{
    for (size_t i = 0; i < a->hosts.n; i++) {
        const struct wa_assign_host *h = &a->hosts.items[i];
        if (h->why.code != WA_OK || !h->is_written)
            continue;
        wa_cli_out(a->cli, "%s (%s)\n", h->target->name, h->target->uuid);
        for (size_t k = 0; k < h->diff.n; k++) {
            const struct wa_assign_row *row = &h->diff.items[k];
            const char *kind = wa_assign_word(row->list);
            if (row->before != NULL)
                wa_cli_out(a->cli, "  - %s: %s\n", kind, row->before);
            if (row->after != NULL)
                wa_cli_out(a->cli, "  + %s: %s\n", kind, row->after);
        }
    }
}

static void write_host(struct wa_jw *w, const struct wa_assign_host *h, bool is_done)
{
    wa_jw_obj(w);
    wa_jw_kv(w, "uuid", h->target->uuid);
    wa_jw_kv(w, "name", h->target->name);
    wa_jw_kvb(w, "changed", is_done && h->why.code == WA_OK && h->is_written);
    wa_jw_kv(w, "before",
             wa_control_get(&h->current, WA_A_PACKAGE)[0] != '\0'
                 ? wa_control_get(&h->current, WA_A_VERSION)
                 : NULL);
    wa_jw_kv(w, "version", h->is_written ? h->version : NULL);
    for (int k = 0; k < WA_ASSIGN_LISTS; k++)
        wa_jw_kv(w, wa_attr_name(wa_assign_attr((enum wa_assign_list)k)), h->diff.lists[k]);
    wa_jw_key(w, "changes");
    wa_jw_arr(w);
    for (size_t k = 0; k < h->diff.n; k++) {
        wa_jw_obj(w);
        wa_jw_kv(w, "kind", wa_attr_name(wa_assign_attr(h->diff.items[k].list)));
        wa_jw_kv(w, "before", h->diff.items[k].before);
        wa_jw_kv(w, "after", h->diff.items[k].after);
        wa_jw_end(w);
    }
    wa_jw_end(w);
    wa_jw_kv(w, "code", wa_code_name(h->why.code));
    wa_jw_kv(w, "error", h->why.code == WA_OK ? NULL : h->why.text);
    wa_jw_end(w);
}

static enum wa_code conclude(struct assigning *a, bool is_done, struct wa_err *err)
{
    struct wa_get_tally tally = {0, 0, WA_OK};
    wa_jw_arr(&a->cli->jw);
    for (size_t i = 0; i < a->hosts.n; i++) {
        const struct wa_assign_host *h = &a->hosts.items[i];
        struct wa_err why = WA_ERR_INIT;
        write_host(&a->cli->jw, h, is_done);
        if (h->why.code != WA_OK)
            (void)wa_fail(&why, h->why.code, "%s: %s", h->target->name, h->why.text);
        wa_get_count(a->cli, &tally, &why);
    }
    wa_jw_end(&a->cli->jw);
    return wa_get_outcome(&tally, "could not be changed", err);
}

static enum wa_code put_all(struct assigning *a, struct wa_err *err)
{
    WA_AUTO_GET_SIGNER struct wa_get_signer signer = {.key = NULL};
    char question[128];
    (void)snprintf(question, sizeof question,
                   wa_text_n("Sign the package of %zu machine?",
                             "Sign the packages of %zu machines?", a->changed),
                   a->changed);
    if (!wa_cli_has(a->cli, "yes") && wa_cli_confirm(question, "--yes", err) != WA_OK)
        return err->code;
    if (wa_get_signer_load(a->cli, &signer, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < a->hosts.n; i++) {
        struct wa_err told = WA_ERR_INIT; /* with the others, at the end */
        wa_cli_progress(a->cli, wa_text("signing and publishing"), i, a->hosts.n);
        (void)!wa_assign_put(&a->hosts, i, a->client, &signer.signer, &told);
    }
    wa_cli_progress(a->cli, "", 0, 0);
    return WA_OK;
}

static enum wa_code work(struct assigning *a, struct wa_err *err)
{
    if (choose(a, err) != WA_OK || look(a, err) != WA_OK)
        return err->code;
    show(a);
    bool is_done = a->changed > 0 && !wa_cli_has(a->cli, "dry-run");
    if (a->changed == 0 && !a->cli->json)
        wa_cli_say(a->cli, "nothing changes");
    if (is_done && put_all(a, err) != WA_OK)
        return err->code;
    return conclude(a, is_done, err);
}

static enum wa_code run(struct wa_cli *cli, struct wa_err *err)
{
    struct assigning a = {.cli = cli};
    enum wa_code code = work(&a, err);
    wa_assign_hosts_fini(&a.hosts);
    wa_targets_fini(&a.targets);
    wa_trust_free(a.anchors);
    wa_client_close(a.client);
    return code;
}

static const struct wa_cli_option options[] = {
    WA_CON_SERVER_OPTIONS,      WA_GET_SIGNER_OPTIONS,  WA_CON_ASSIGN_OPTIONS,
    {"hosts", 'H', "HOST,..."}, {"unit", 0, "DN"},      {"group", 0, "PATTERN"},
    {"trusted", 't', "DIR"},    {"dry-run", 'n', NULL}, {"yes", 'y', NULL},
    {"resign", 0, NULL},
};
const struct wa_cli_command wa_con_assign = {"assign", options, WA_COUNT(options), 0, 0, run};

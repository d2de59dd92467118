/* con_plan.c - waptconsole plan: what an upgrade would do on a machine, and why, as it is or after
 * a change of what it is assigned; nothing is ordered, nothing is signed.
 */
#include "base/mem.h"
#include "cmd/con.h"
#include "cmd/get_plan.h"
#include "console/host_plan.h"
#include "pkg/plan_json.h"

static void tell(struct wa_cli *cli, const struct wa_target *host, const struct wa_host_plan *hp)
{
    const struct wa_plan *p = wa_host_plan_get(hp);
    struct wa_jw *w = &cli->jw;
    wa_jw_obj(w);
    wa_jw_kv(w, "uuid", host->uuid);
    wa_jw_kv(w, "name", host->name);
    wa_jw_key(w, "steps");
    wa_plan_write_steps(p, w);
    wa_jw_key(w, "problems");
    wa_plan_write_problems(p, w);
    wa_jw_end(w);
    wa_get_show_steps(cli, p);
    wa_get_show_problems(cli, p);
}

static enum wa_code work(struct wa_cli *cli, struct wa_client *c, struct wa_trust *anchors,
                         const struct wa_assign_wish *wish, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_HOST_LIST struct wa_host_list list = {0};
    WA_AUTO_TARGETS struct wa_targets targets = {0};
    WA_AUTO(wa_host_plan) struct wa_host_plan *plan = NULL;
    wa_arena_init(&arena, 512u << 20);
    if (wa_host_list_fetch(c, WA_HOST_LIST_NAMES, &arena, &list, err) != WA_OK ||
        wa_targets_choose(&list, wa_sv(cli->args[0]), 1, &targets, err) != WA_OK ||
        wa_host_plan_new(c, &targets.items[0], anchors, wish, &plan, err) != WA_OK)
        return err->code;
    tell(cli, &targets.items[0], plan);
    return wa_get_plan_outcome(wa_host_plan_get(plan), err);
}

static enum wa_code run(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO(wa_client) struct wa_client *c = NULL;
    WA_AUTO(wa_trust) struct wa_trust *anchors = NULL;
    struct wa_assign_wish wish;
    return wa_con_assign_wish(cli, &wish, err) == WA_OK &&
                   wa_get_anchors(cli, &anchors, err) == WA_OK &&
                   wa_con_connect(cli, &c, err) == WA_OK
               ? work(cli, c, anchors, &wish, err)
               : err->code;
}

static const struct wa_cli_option options[] = {
    WA_CON_SERVER_OPTIONS,
    WA_CON_ASSIGN_OPTIONS,
    {"trusted", 't', "DIR"},
};
const struct wa_cli_command wa_con_plan = {"plan", options, WA_COUNT(options), 1, 1, run};

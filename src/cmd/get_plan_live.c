/* get_plan_live.c - the state that plans are made from, asked from the agent of this machine: its
 * installed and available packages, and what its configuration says.
 *
 * The agent keeps only what this machine may take; what it left out is told with --repository.
 */
#include "agent/config.h"
#include "base/date.h"
#include "cmd/get_agent.h"
#include "cmd/get_plan.h"
#include "os/clock.h"
#include "os/host.h"

#define ANSWERS_BYTES_MAX (1u << 30) /* bytes: trees of 200,000 packages */

static void no_warning(void *user, const char *text)
{
    WA_UNUSED(user);
    WA_UNUSED(text);
}

static enum wa_code load_config(struct wa_cli *cli, struct wa_get_state *s, struct wa_err *err)
{
    struct wa_agent_config c;
    struct wa_host_facts facts;
    char file[WA_PATH_MAX];
    if (wa_get_agent_config(cli, file, err) != WA_OK ||
        wa_agent_config_load(file, no_warning, NULL, &c, err) != WA_OK)
        return err->code;
    enum wa_code code = wa_host_facts_read(&facts, err);
    const struct {
        const char *text, **where;
    } all[] = {{facts.os, &s->caps.os},
               {facts.os_version, &s->caps.os_version},
               {facts.architecture, &s->caps.architecture},
               {WA_VERSION, &s->caps.wapt_version},
               {c.locales[0] != '\0' ? c.locales : facts.language, &s->caps.locales},
               {c.maturities, &s->caps.maturities},
               {c.blacklist, &s->caps.blacklist},
               {c.whitelist, &s->caps.whitelist}};
    for (size_t i = 0; code == WA_OK && i < WA_COUNT(all); i++)
        code = wa_get_state_text(s, wa_sv(all[i].text), all[i].where, err);
    wa_agent_config_free(&c);
    wa_date_isolocal(wa_clock_now(), 0, s->caps.now);
    return code;
}

/* The machine's host package is not among those that a search finds. */
static enum wa_code load_host_package(struct wa_cli *cli, struct wa_get_state *s,
                                      struct wa_arena *arena, struct wa_err *err)
{
    const struct wa_json *j = NULL;
    struct wa_err absent = WA_ERR_INIT;
    if (wa_get_agent_ask(cli, WA_OP_SHOW, s->host_packages[0], arena, &j, &absent) != WA_OK)
        return absent.code == WA_E_NOMEM ? wa_nomem(err) : WA_OK;
    for (size_t i = 0; i < wa_json_count(j); i++) { /* as installed it has a status */
        const struct wa_json *one = wa_json_at(j, i);
        if (wa_json_get(one, "install_status") == NULL &&
            wa_sv_eqs(wa_json_sv(wa_json_get(one, "repo")), "wapt-host") &&
            wa_get_state_one(s, one, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

static enum wa_code load_own(struct wa_cli *cli, struct wa_get_state *s, struct wa_arena *arena,
                             struct wa_err *err)
{
    const struct wa_json *j = NULL;
    if (wa_get_agent_ask(cli, WA_OP_STATUS, NULL, arena, &j, err) != WA_OK)
        return err->code;
    const struct wa_json *own = wa_json_get(j, "own_packages");
    if (wa_get_state_text(s, wa_json_sv(wa_json_get(j, "packages_held")), &s->holds, err) != WA_OK)
        return err->code;
    if (wa_json_count(own) > WA_COUNT(s->host_packages))
        return wa_fail(err, WA_E_LIMIT, "more packages are this machine's own than can be planned");
    for (size_t i = 0; i < wa_json_count(own); i++)
        if (wa_get_state_text(s, wa_json_sv(wa_json_at(own, i)),
                              &s->host_packages[s->host_package_count++], err) != WA_OK)
            return err->code;
    return s->host_package_count > 0 ? load_host_package(cli, s, arena, err) : WA_OK;
}

static enum wa_code load_live(struct wa_cli *cli, struct wa_get_state *s, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *list = NULL;
    wa_arena_init(&arena, ANSWERS_BYTES_MAX);
    if (load_config(cli, s, err) != WA_OK ||
        wa_get_agent_ask(cli, WA_OP_LIST, NULL, &arena, &list, err) != WA_OK ||
        wa_get_state_installed(s, list, err) != WA_OK ||
        wa_get_agent_ask(cli, WA_OP_SEARCH, NULL, &arena, &list, err) != WA_OK ||
        wa_get_state_available(s, list, err) != WA_OK)
        return err->code;
    return load_own(cli, s, &arena, err);
}

const wa_get_live_fn wa_get_plan_live = load_live;

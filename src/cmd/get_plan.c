/* get_plan.c - wapt-get plan, why, why-not: what would be done and why, without doing it. Nothing
 * here needs an agent: with --repository and --installed it works on files anywhere.
 */
#include "cmd/get_plan.h"
#include "cmd/get.h"
#include "pkg/plan_json.h"

static enum wa_code load(struct wa_cli *cli, struct wa_get_state *s, struct wa_plan_input *in,
                         struct wa_err *err)
{
    bool has_files = wa_cli_has(cli, "repository") || wa_cli_has(cli, "installed");
    if (!has_files && wa_get_plan_live == NULL)
        return wa_fail(err, WA_E_USAGE,
                       "there is no agent to ask: give --repository and --installed");
    if ((has_files ? wa_get_state_files : wa_get_plan_live)(cli, s, err) != WA_OK ||
        wa_plan_hold_check(s->holds, err) != WA_OK)
        return err->code;
    *in = (struct wa_plan_input){.available = s->available.items,
                                 .available_count = s->available.n,
                                 .installed = s->installed.items,
                                 .installed_count = s->installed.n,
                                 .host = &s->caps,
                                 .left_out = s->left_out.items,
                                 .holds = s->holds};
    return WA_OK;
}

/* --- telling --- */

static void tell_steps(struct wa_cli *cli, const struct wa_plan *p)
{
    wa_jw_key(&cli->jw, "steps");
    wa_plan_write_steps(p, &cli->jw);
    wa_get_show_steps(cli, p);
}

/* Each as its headline with the reasons below. */
static void tell_problems(struct wa_cli *cli, const char *key, const struct wa_plan *p)
{
    wa_jw_key(&cli->jw, key);
    wa_plan_write_problems(p, &cli->jw);
    wa_get_show_problems(cli, p);
}

/* --- the commands --- */

static enum wa_code make(const struct wa_cli *cli, const struct wa_plan_input *in,
                         const struct wa_get_state *s, struct wa_plan *p, struct wa_err *err)
{
    const char *action = cli->args[0];
    const char *const *names = (const char *const *)cli->args + 1;
    size_t count = cli->arg_count - 1;
    if (strcmp(action, "upgrade") == 0 && count == 0)
        return wa_plan_upgrade(in, s->host_packages, s->host_package_count, p, err);
    if (strcmp(action, "install") == 0 && count > 0)
        return wa_plan_install(in, names, count, wa_cli_has(cli, "force"), p, err);
    if (strcmp(action, "remove") == 0 && count > 0)
        return wa_plan_remove(in, names, count, p, err);
    return wa_fail(err, WA_E_USAGE,
                   "say what to plan: 'install PACKAGE...', 'remove PACKAGE...' or 'upgrade'");
}

static enum wa_code run_plan(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO_GET_STATE struct wa_get_state s;
    WA_AUTO_PLAN struct wa_plan p;
    struct wa_plan_input in;
    wa_get_state_init(&s);
    wa_plan_init(&p);
    if (load(cli, &s, &in, err) != WA_OK || make(cli, &in, &s, &p, err) != WA_OK) {
        wa_jw_null(&cli->jw);
        return err->code;
    }
    wa_jw_obj(&cli->jw);
    tell_steps(cli, &p);
    tell_problems(cli, "problems", &p);
    wa_jw_end(&cli->jw);
    return wa_get_plan_outcome(&p, err);
}

static enum wa_code run_why(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO_GET_STATE struct wa_get_state s;
    WA_AUTO_PLAN struct wa_plan p;
    WA_AUTO_PLAN struct wa_plan why;
    struct wa_plan_input in;
    wa_get_state_init(&s);
    wa_plan_init(&p);
    wa_plan_init(&why);
    if (load(cli, &s, &in, err) != WA_OK ||
        wa_plan_upgrade(&in, s.host_packages, s.host_package_count, &p, err) != WA_OK ||
        wa_plan_why(&in, cli->args[0], s.host_packages, s.host_package_count, &p, &why, err) !=
            WA_OK) {
        wa_jw_null(&cli->jw);
        return err->code;
    }
    wa_jw_obj(&cli->jw);
    tell_problems(cli, "chains", &why);
    wa_jw_end(&cli->jw);
    return WA_OK;
}

#define WHY_NOT_MAX 20u /* versions that are told of */

static enum wa_code run_why_not(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO_GET_STATE struct wa_get_state s;
    WA_AUTO_PLAN struct wa_plan p;
    WA_AUTO_PLAN struct wa_plan why;
    struct wa_plan_input in;
    wa_get_state_init(&s);
    wa_plan_init(&p);
    wa_plan_init(&why);
    if (load(cli, &s, &in, err) != WA_OK ||
        wa_plan_why_not(&in, cli->args[0], WHY_NOT_MAX, &p, &why, err) != WA_OK) {
        wa_jw_null(&cli->jw);
        return err->code;
    }
    wa_jw_obj(&cli->jw);
    wa_jw_kvb(&cli->jw, "possible", p.problem_n == 0);
    if (p.problem_n == 0 && why.problem_n == 0)
        wa_cli_out(cli, "nothing is in the way of %s; an install would do this:\n", cli->args[0]);
    else if (p.problem_n == 0)
        wa_cli_out(cli, "an install of %s would do this:\n", cli->args[0]);
    if (p.problem_n == 0)
        tell_steps(cli, &p);
    tell_problems(cli, "reasons", p.problem_n > 0 ? &p : &why);
    wa_jw_end(&cli->jw);
    return WA_OK;
}

#define STATE_OPTIONS                                                                              \
    {"repository", 0, "PATH"}, {"installed", 0, "FILE"}, {"trusted", 't', "DIR"},                  \
        {"host-packages", 0, "NAMES"}, {"held", 0, "LIST"}, {"os", 0, "NAME"},                     \
        {"os-version", 0, "VERSION"}, {"architecture", 0, "NAME"}, {"locales", 0, "LIST"},         \
        {"maturities", 0, "LIST"},                                                                 \
    {                                                                                              \
        "wapt-version", 0, "VERSION"                                                               \
    }

static const struct wa_cli_option plan_options[] = {{"force", 'f', NULL}, STATE_OPTIONS};
static const struct wa_cli_option why_options[] = {STATE_OPTIONS};

const struct wa_cli_command wa_get_plan = {"plan", plan_options, WA_COUNT(plan_options),
                                           1,      65,           run_plan};
const struct wa_cli_command wa_get_why = {"why", why_options, WA_COUNT(why_options), 1, 1, run_why};
const struct wa_cli_command wa_get_why_not = {"why-not", why_options, WA_COUNT(why_options),
                                              1,         1,           run_why_not};

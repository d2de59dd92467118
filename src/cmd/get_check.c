/* get_check.c - wapt-get check: how everything is, one line and one remedy each.
 *
 * What the machine's files tell is looked at here, as whoever asks; what only the manager knows is
 * asked of it - of the service, or for root of one that is started for the question. One that can't
 * be started is a finding, not the end.
 */
#include "agent/health.h"
#include "base/mem.h"
#include "cmd/agent_main.h"
#include "cmd/get.h"
#include "cmd/get_agent.h"

struct findings {
    struct wa_cli *cli;
    size_t warnings, errors;
};

static void add(struct findings *f, struct wa_sv what, struct wa_sv state, struct wa_sv text,
                struct wa_sv remedy)
{
    WA_AUTO_BUF struct wa_buf line;
    wa_buf_init(&line, 16u << 10);
    f->warnings += wa_sv_eqs(state, "warning") ? 1 : 0;
    f->errors += wa_sv_eqs(state, "error") ? 1 : 0;
    wa_jw_obj(&f->cli->jw);
    wa_jw_kvsv(&f->cli->jw, "check", what);
    wa_jw_kvsv(&f->cli->jw, "state", state);
    wa_jw_kvsv(&f->cli->jw, "text", text);
    wa_jw_kvsv(&f->cli->jw, "remedy", remedy);
    wa_jw_end(&f->cli->jw);
    wa_buf_addf(&line, "%-7.*s  %-18.*s  %.*s", WA_SV_ARG(state), WA_SV_ARG(what), WA_SV_ARG(text));
    if (remedy.n > 0)
        wa_buf_addf(&line, " -> %.*s", WA_SV_ARG(remedy));
    for (size_t i = 0; i < line.n; i++)
        line.p[i] = line.p[i] == '\n' || line.p[i] == '\t' ? ' ' : line.p[i];
    char *shown = wa_strndup(line.p, line.n);
    if (shown == NULL)
        return;
    wa_cli_tame(shown);
    wa_cli_out(f->cli, "%s\n", shown);
    wa_free(shown);
}

static void on_health(void *user, const char *what, enum wa_health h, const char *text,
                      const char *remedy)
{
    add(user, wa_sv(what), wa_sv(wa_health_name(h)), wa_sv(text), wa_sv(remedy));
}

static void on_warning(void *user, const char *text)
{
    on_health(user, "configuration", WA_HEALTH_WARNING, text, "correct the line, or take it out");
}

static void ask_manager(struct findings *f, bool is_startable)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *rows = NULL;
    struct wa_err err = WA_ERR_INIT;
    wa_arena_init(&arena, 16u << 20);
    if (!is_startable)
        return;
    if (wa_get_agent_ask(f->cli, WA_OP_CHECK, NULL, &arena, &rows, &err) != WA_OK) {
        on_health(f, "service", WA_HEALTH_ERROR, err.text,
                  "mend what is said above; then 'systemctl restart waptservice' and its journal");
        return;
    }
    for (size_t i = 0; i < wa_json_count(rows); i++) {
        const struct wa_json *row = wa_json_at(rows, i);
        add(f, wa_json_sv(wa_json_get(row, "check")), wa_json_sv(wa_json_get(row, "state")),
            wa_json_sv(wa_json_get(row, "text")), wa_json_sv(wa_json_get(row, "remedy")));
    }
}

static bool look_here(struct findings *f, const char *file)
{
    const struct wa_health_report r = {.fn = on_health, .user = f};
    struct wa_agent_config c;
    struct wa_err err = WA_ERR_INIT;
    size_t before = f->warnings;
    if (wa_agent_config_load(file, on_warning, f, &c, &err) != WA_OK) {
        on_health(f, "configuration", WA_HEALTH_ERROR, err.text, "correct it");
        return false;
    }
    if (f->warnings == before)
        on_health(f, "configuration", WA_HEALTH_GOOD, file, "");
    wa_health_machine(&c, wa_libdir(), &r);
    wa_agent_config_free(&c);
    return true;
}

static enum wa_code run(struct wa_cli *cli, struct wa_err *err)
{
    struct findings f = {.cli = cli};
    char file[WA_PATH_MAX];
    if (wa_get_agent_config(cli, file, err) != WA_OK)
        return err->code;
    wa_jw_arr(&cli->jw);
    ask_manager(&f, look_here(&f, file));
    wa_jw_end(&cli->jw);
    if (f.errors > 0)
        return wa_fail(err, WA_E_FAILED, "%zu errors, %zu warnings", f.errors, f.warnings);
    return f.warnings > 0 ? wa_fail(err, WA_E_PARTIAL, "%zu warnings", f.warnings) : WA_OK;
}

const struct wa_cli_command wa_get_check = {"check", NULL, 0, 0, 0, run};

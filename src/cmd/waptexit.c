/* waptexit.c - main() of waptexit: what is pending is installed before a machine is left, after a
 * countdown in which a person may say something.
 *
 * It has no rights of its own: it asks the service for what any user may ask for, an upgrade. At
 * shutdown it is started by waptexit.service, whose stop systemd waits for. */
#include "agent/config.h"
#include "cmd/exit.h"
#include "cmd/help.h"
#include "codec/csv.h"
#include "os/clock.h"
#include "os/proc.h"

#include <stdlib.h>

#define CONFIG "/opt/wapt/wapt-get.ini"
#define CONSOLE "/dev/console"

static const struct wa_cli_option options[] = {
    {"config", 'c', "FILE"}, {"priorities", 0, "LIST"}, {"only-if-not-process-running", 0, NULL},
    {"propose", 0, NULL},    {"warn", 0, NULL},         {"shutdown", 0, NULL},
    {"message", 0, NULL},    {"notice", 0, "KIND"},
};

static void no_warning(void *user, const char *text)
{
    WA_UNUSED(user);
    WA_UNUSED(text);
}

/* *ret_is_off: nothing is to be done. */
static enum wa_code read_settings(struct wa_leave *l, bool *ret_is_off, struct wa_err *err)
{
    struct wa_agent_config c;
    const struct wa_cli *cli = l->cli;
    if (wa_cli_config(cli, CONFIG, l->config, err) != WA_OK ||
        wa_agent_config_load(l->config, no_warning, NULL, &c, err) != WA_OK)
        return err->code;
    const char *wanted = wa_cli_get(cli, "priorities", c.upgrade_priorities);
    size_t n = strlen(wanted);
    if (n < sizeof l->priorities)
        memcpy(l->priorities, wanted, n + 1);
    l->spares_running = c.exit_spares_running || wa_cli_has(cli, "only-if-not-process-running");
    l->may_refuse = c.may_refuse_upgrade;
    l->is_shutdown = wa_cli_has(cli, "shutdown");
    l->wait_ms = (uint64_t)c.exit_countdown_s * 1000;
    l->deadline_ms =
        l->is_shutdown ? wa_clock_mono_ms() + (uint64_t)c.shutdown_timeout_s * 1000 : UINT64_MAX;
    *ret_is_off = c.exit_is_off;
    wa_agent_config_free(&c);
    return n < sizeof l->priorities
               ? WA_OK
               : wa_fail(err, WA_E_USAGE, "the list of priorities is longer than %d bytes",
                         WA_NAME_MAX);
}

/* The upgrades that are meant, as a JSON array in arena. */
static enum wa_code pending(struct wa_leave *l, struct wa_arena *arena, const struct wa_json **ret,
                            struct wa_err *err)
{
    const struct wa_json *data = NULL;
    WA_AUTO_BUF struct wa_buf text;
    struct wa_jw w;
    wa_buf_init(&text, 1u << 20);
    if (wa_leave_ask(l, WA_OP_CHECK_UPGRADES, 0, arena, &data, err) != WA_OK)
        return err->code;
    const struct wa_json *names = wa_json_get(data, "upgrades"),
                         *priorities = wa_json_get(data, "priorities");
    wa_jw_init(&w, &text);
    wa_jw_arr(&w);
    for (size_t i = 0; i < wa_json_count(names); i++)
        if (l->priorities[0] == '\0' ||
            wa_csv_has(wa_sv(l->priorities), wa_json_sv(wa_json_at(priorities, i))))
            wa_jw_sv(&w, wa_json_sv(wa_json_at(names, i)));
    wa_jw_end(&w);
    const char *copy =
        wa_buf_check(&text, err) == WA_OK ? wa_arena_strdup(arena, wa_buf_sv(&text)) : NULL;
    if (copy == NULL)
        return wa_nomem(err);
    return wa_json_parse(wa_sv(copy), 0, arena, ret, err);
}

/* Whether there is a reason to do nothing; it is told. */
static enum wa_code look(struct wa_leave *l, struct wa_arena *arena, bool *ret_is_frozen,
                         struct wa_err *err)
{
    const struct wa_json *status = NULL;
    int64_t frozen = 0;
    if (wa_leave_ask(l, WA_OP_STATUS, 0, arena, &status, err) != WA_OK)
        return err->code;
    (void)wa_json_i64(wa_json_get(status, "frozen_until"), &frozen);
    (void)wa_json_i64(wa_json_get(status, "running_task"), &l->others);
    *ret_is_frozen = frozen != 0;
    return WA_OK;
}

/* In the name of whoever is at work on this desktop, whose choice the terminal is. */
static enum wa_code open_window(struct wa_err *err)
{
    static const char *const argv[] = {"x-terminal-emulator", "-e", "waptexit", NULL};
    const char *x = getenv("DISPLAY"), *wayland = getenv("WAYLAND_DISPLAY");
    return x != NULL || wayland != NULL ? wa_proc_become(argv[0], argv, err) : WA_OK;
}

static void open_terminal(struct wa_leave *l)
{
    struct wa_err none = WA_ERR_INIT;
    if (l->cli->json || (!l->is_shutdown && !wa_term_is_out()))
        return;
    (void)!wa_term_open(l->is_shutdown ? CONSOLE : NULL, &l->term, &none);
}

static enum wa_code ask_and_upgrade(struct wa_leave *l, const struct wa_json *names,
                                    struct wa_err *err)
{
    if (wa_json_count(names) > 0) {
        wa_leave_tell(l, "WAPT installs what is pending for this machine:");
        wa_leave_list(l, names, l->term == NULL);
        if (wa_leave_choose(l, names) == WA_CHOICE_NOT_NOW)
            return wa_fail(err, WA_E_CANCELLED, "not now, as somebody chose: it stays pending");
    }
    return wa_leave_upgrade(l, err);
}

static enum wa_code run(struct wa_cli *cli, struct wa_err *err)
{
    struct wa_leave l = {.cli = cli};
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *names = NULL;
    bool is_off = false, is_frozen = false;
    wa_arena_init(&arena, 64u << 20);
    if (wa_cli_has(cli, "notice"))
        return wa_leave_notice(wa_cli_get(cli, "notice", ""), err);
    if (wa_cli_has(cli, "warn") && wa_leave_await_shutdown(err) != WA_OK)
        return err->code;
    if (read_settings(&l, &is_off, err) != WA_OK)
        return err->code;
    if (wa_cli_has(cli, "message"))
        return wa_leave_message(l.config, err);
    if (is_off) {
        wa_cli_say(cli, "it is switched off: waptexit_disable_upgrade is set");
        return WA_OK;
    }
    if (look(&l, &arena, &is_frozen, err) != WA_OK || pending(&l, &arena, &names, err) != WA_OK)
        return err->code;
    if (is_frozen) {
        wa_cli_say(cli, "nothing is upgraded: this machine is in a freeze");
        return WA_OK;
    }
    /* What is at work at shutdown gets its time too. */
    if (wa_json_count(names) == 0 && (!l.is_shutdown || l.others == 0)) {
        wa_cli_out(cli, "nothing to upgrade\n");
        return WA_OK;
    }
    if (wa_cli_has(cli, "warn"))
        return wa_leave_warn(&l, names, err);
    if (wa_cli_has(cli, "propose"))
        return open_window(err);
    open_terminal(&l);
    enum wa_code code = ask_and_upgrade(&l, names, err);
    wa_term_close(l.term);
    return code;
}

int main(int argc, char **argv)
{
    static const struct wa_cli_command leave = {NULL, options, WA_COUNT(options), 0, 0, run};
    static const struct wa_cli_command *const commands[] = {&leave, NULL};
    static const struct wa_cli_program program = {
        .help = wa_help_of_program, .name = "waptexit", .section = 8, .commands = commands};
    return wa_cli_main(&program, argc, argv);
}

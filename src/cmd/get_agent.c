/* get_agent.c - the subcommands of wapt-get that the service carries out: one request over its
 * socket, its events shown as they come. */
#include "cmd/get_agent.h"

#include "base/date.h"
#include "base/log.h"
#include "base/mem.h"
#include "cmd/call.h"
#include "cmd/get.h"
#include "os/clock.h"
#include "os/fs.h"
#include "os/pipe.h"

#define DEFAULT_CONFIG "/opt/wapt/wapt-get.ini"
#define MAXTTL_MINUTES 10080 /* a week */

/* An option's value, for a command that need not have it. */
static const char *given(const struct wa_cli *cli, const char *name)
{
    for (size_t i = 0; i < cli->command->option_count; i++)
        if (strcmp(cli->command->options[i].name, name) == 0)
            return wa_cli_get(cli, name, NULL);
    return NULL;
}

static bool has_flag(const struct wa_cli *cli, const char *name)
{
    for (size_t i = 0; i < cli->command->option_count; i++)
        if (strcmp(cli->command->options[i].name, name) == 0)
            return wa_cli_has(cli, name);
    return false;
}

/* --- the connection --- */

enum wa_code wa_get_agent_config(const struct wa_cli *cli, char file[WA_PATH_MAX],
                                 struct wa_err *err)
{
    struct wa_stat st;
    struct wa_err absent = WA_ERR_INIT;
    if (wa_cli_config(cli, DEFAULT_CONFIG, file, err) != WA_OK)
        return err->code;
    if (wa_path_stat(file, &st, &absent) == WA_E_NOT_FOUND)
        return wa_fail(
            err, WA_E_CONFIG,
            "this machine is not set up: write 'wapt_server = https://SERVER' under "
            "[global] into '%s', start waptservice, then 'wapt-get register --token-file "
            "FILE'",
            file);
    return WA_OK;
}

static enum wa_code talk_open(const struct wa_cli *cli, struct wa_call *t, struct wa_err *err)
{
    char file[WA_PATH_MAX];
    enum wa_log_level level;
    t->log_level = wa_cli_get(cli, "loglevel", NULL);
    if (t->log_level != NULL && strcmp(t->log_level, "critical") == 0)
        t->log_level = "error";
    if (t->log_level != NULL && !wa_log_level_parse(t->log_level, &level))
        return wa_fail(
            err, WA_E_USAGE,
            "'%s' is no level: error, warning and info are, and WAPT's critical and debug",
            t->log_level);
    if (wa_get_agent_config(cli, file, err) != WA_OK ||
        wa_call_open(t, file, !has_flag(cli, "service"), err) != WA_OK)
        return err->code;
    return has_flag(cli, "direct") && t->once == NULL
               ? wa_fail(err, WA_E_BUSY,
                         "waptservice runs and holds this machine's packages: leave --direct out, "
                         "or stop it first")
               : WA_OK;
}

static enum wa_code send_password(struct wa_call *t, const struct wa_cli *cli, struct wa_sv reason,
                                  struct wa_err *err)
{
    WA_AUTO_BUF_SECRET struct wa_buf password;
    WA_AUTO_BUF_SECRET struct wa_buf line;
    struct wa_jw w;
    char prompt[256];
    wa_buf_init(&password, 1024);
    wa_buf_init(&line, 8192);
    (void)snprintf(prompt, sizeof prompt, "%.*s\nPassword: ", WA_SV_ARG(reason));
    const char *file = given(cli, "password-file");
    /* The same again would be as wrong, and count against the account. */
    if (file != NULL && t->has_sent_file)
        return wa_fail(err, WA_E_AUTH, "the password in '%s' is wrong", file);
    t->has_sent_file = file != NULL;
    if ((file != NULL
             ? wa_cli_read_secret(file, &password, err)
             : wa_cli_ask_secret(prompt, false, "--password-file", &password, err)) != WA_OK)
        return err->code;
    wa_jw_init(&w, &line);
    wa_jw_obj(&w);
    wa_jw_kvsv(&w, "password", wa_buf_sv(&password));
    wa_jw_end(&w);
    wa_buf_addc(&line, '\n');
    if (wa_buf_check(&line, err) != WA_OK)
        return err->code;
    return wa_call_send(t, wa_buf_sv(&line), err);
}

/* --- showing --- */

static void show_text(const struct wa_cli *cli, struct wa_sv text)
{
    char *copy = wa_strndup(text.p, text.n);
    if (copy == NULL)
        return;
    wa_cli_tame(copy);
    wa_cli_progress(cli, "", 0, 0);
    wa_cli_out(cli, "%s", copy);
    wa_free(copy);
}

static void show_pairs(const struct wa_cli *cli, const struct wa_json *j)
{
    for (size_t i = 0; i < wa_json_count(j); i++) {
        WA_AUTO_BUF struct wa_buf text;
        WA_AUTO_BUF struct wa_buf key;
        const struct wa_json *v = wa_json_at(j, i);
        wa_buf_init(&text, 2 * WA_SCRIPT_OUTPUT_MAX);
        wa_buf_init(&key, 256);
        wa_buf_addsv(&key, wa_json_key_at(j, i));
        if (wa_json_is(v, WA_JSON_STRING))
            wa_buf_addsv(&text, wa_json_sv(v));
        else
            wa_json_write(v, &text);
        if (text.n > 0 && text.failed == WA_OK)
            wa_cli_pair(cli, wa_buf_str(&key), wa_buf_str(&text));
    }
}

/* What failed before: the schedule leaves it alone for a while. */
static void show_failed(const struct wa_cli *cli, const struct wa_json *list)
{
    for (size_t i = 0; i < wa_json_count(list); i++) {
        const struct wa_json *j = wa_json_at(list, i);
        char when[WA_DATE_MAX], text[1024];
        int64_t failures = 0, next = 0;
        struct wa_sv package = wa_json_sv(wa_json_get(j, "package")),
                     version = wa_json_sv(wa_json_get(j, "version")),
                     why = wa_json_sv(wa_json_get(j, "why"));
        (void)wa_json_i64(wa_json_get(j, "failures"), &failures);
        (void)wa_json_i64(wa_json_get(j, "next_try"), &next);
        wa_date_isolocal(next, 0, when);
        (void)snprintf(
            text, sizeof text,
            "%.*s(=%.*s) failed %lld times, by itself it is tried again after %s: %.*s\n",
            WA_SV_ARG(package), WA_SV_ARG(version), (long long)failures, when,
            (int)(why.n < 500 ? why.n : 500), why.p);
        show_text(cli, wa_sv(text));
    }
}

static enum wa_code show_packages(struct wa_cli *cli, bool is_list, const struct wa_json *data,
                                  struct wa_err *err)
{
    size_t n = wa_json_count(data);
    const struct wa_json **rows = wa_calloc(n + 1, sizeof(*rows));
    if (rows == NULL)
        return wa_nomem(err);
    for (size_t i = 0; i < n; i++)
        rows[i] = wa_json_at(data, i);
    enum wa_code code = is_list ? WA_OK : wa_get_filter(cli, data, rows, &n, err);
    wa_jw_arr(&cli->jw);
    for (size_t i = 0; code == WA_OK && i < n; i++)
        wa_jw_json(&cli->jw, rows[i]);
    wa_jw_end(&cli->jw);
    if (code == WA_OK && !cli->json)
        code = wa_get_show_packages(cli, is_list, rows, n, err);
    wa_free(rows);
    return code;
}

static enum wa_code show_data(struct wa_cli *cli, enum wa_local_op op, const struct wa_json *data,
                              struct wa_err *err)
{
    if (op == WA_OP_LIST || op == WA_OP_SEARCH)
        return show_packages(cli, op == WA_OP_LIST, data, err);
    wa_jw_json(&cli->jw, data);
    if (op == WA_OP_CATALOGUE)
        return wa_get_show_catalogue(cli, data, err);
    if (op == WA_OP_LIST_UPGRADE || op == WA_OP_CHECK_UPGRADES) {
        const struct wa_json *list = wa_json_get(data, "upgrades");
        for (size_t i = 0; i < wa_json_count(list); i++) {
            show_text(cli, wa_json_sv(wa_json_at(list, i)));
            wa_cli_out(cli, "\n");
        }
        if (wa_json_count(list) == 0)
            wa_cli_out(cli, "nothing to upgrade\n");
        show_failed(cli, wa_json_get(data, "failed"));
    } else if (op == WA_OP_STATUS || op == WA_OP_INVENTORY || op == WA_OP_SHOW_LOG ||
               op == WA_OP_SHOW_TASK) {
        show_pairs(cli, data);
    } else if (op == WA_OP_TASKS) {
        return wa_get_show_tasks(cli, data, err);
    } else if (op == WA_OP_SHOW) {
        for (size_t i = 0; i < wa_json_count(data); i++) {
            show_pairs(cli, wa_json_at(data, i));
            wa_cli_out(cli, "\n");
        }
    }
    return WA_OK;
}

static enum wa_code show_result(struct wa_cli *cli, enum wa_local_op op,
                                const struct wa_local_answer *a, struct wa_err *err)
{
    wa_cli_progress(cli, "", 0, 0);
    if (a->data == NULL)
        wa_jw_null(&cli->jw);
    else if (a->code != WA_OK)
        wa_jw_json(&cli->jw, a->data);
    else if (show_data(cli, op, a->data, err) != WA_OK)
        return err->code;
    if (a->code != WA_OK)
        return wa_fail(err, a->code, "%.*s", WA_SV_ARG(a->text));
    if (a->text.n > 0) {
        show_text(cli, a->text);
        wa_cli_out(cli, "\n");
    }
    return WA_OK;
}

/* The time is over: the task, too. */
static enum wa_code give_up(const struct wa_cli *cli, int64_t task, struct wa_err *err)
{
    const struct wa_local_request r = {.op = WA_OP_CANCEL, .task_id = task};
    struct wa_err ignored = WA_ERR_INIT;
    WA_AUTO_CALL struct wa_call t;
    wa_call_init(&t);
    if (task > 0 && talk_open(cli, &t, &ignored) == WA_OK)
        (void)!wa_call_ask(&t, &r, &ignored);
    return wa_fail(err, WA_E_TIMEOUT, "it took longer than --maxttl allows, and was cancelled");
}

/* until_ms 0: for ever. WA_E_TIMEOUT. */
static enum wa_code next_line(struct wa_call *t, uint64_t until_ms, struct wa_sv *ret,
                              struct wa_err *err)
{
    while (!wa_call_next(t, ret)) {
        struct wa_pipe_wait w = {t->fd, false, false};
        size_t count = until_ms == 0;
        while (count == 0) {
            uint64_t now = wa_clock_mono_ms();
            if (now >= until_ms)
                return WA_E_TIMEOUT;
            if (wa_pipe_wait(&w, 1, (int)(until_ms - now), &count, err) != WA_OK)
                return err->code;
        }
        if (wa_call_read(t, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

static enum wa_code follow(struct wa_cli *cli, struct wa_call *t, enum wa_local_op op,
                           uint64_t until_ms, struct wa_err *err)
{
    int64_t task = 0;
    for (;;) {
        WA_AUTO_ARENA struct wa_arena arena;
        struct wa_local_answer a;
        struct wa_sv line;
        char what[64];
        wa_arena_init(&arena, 256u << 20);
        enum wa_code code = next_line(t, until_ms, &line, err);
        if (code == WA_E_TIMEOUT && err->code == WA_OK)
            return give_up(cli, task, err);
        if (code != WA_OK || wa_local_answer_read(line, &arena, &a, err) != WA_OK)
            return err->code;
        switch (a.event) {
        case WA_EV_AUTH:
            if (send_password(t, cli, a.text, err) != WA_OK)
                return err->code;
            break;
        case WA_EV_TASK:
            task = a.id;
            break;
        case WA_EV_SERVICE:
        case WA_EV_UPGRADES:
        case WA_EV_MISSED:
            break;
        case WA_EV_PROGRESS:
            (void)snprintf(what, sizeof what, "%.*s", WA_SV_ARG(a.text));
            wa_cli_tame(what);
            wa_cli_progress(cli, what, (uint64_t)(a.done < 0 ? 0 : a.done),
                            (uint64_t)(a.total < 0 ? 0 : a.total));
            break;
        case WA_EV_OUTPUT:
            show_text(cli, a.text);
            break;
        case WA_EV_RESULT:
            return show_result(cli, op, &a, err);
        }
    }
}

/* The lines as they are: JSON, in which nothing can harm a terminal. Ends with the service. */
static enum wa_code stream(struct wa_call *t, struct wa_err *err)
{
    for (;;) {
        WA_AUTO_ARENA struct wa_arena arena;
        struct wa_local_answer a;
        struct wa_sv line;
        wa_arena_init(&arena, 16u << 20);
        if (wa_call_line(t, &line, err) != WA_OK ||
            wa_local_answer_read(line, &arena, &a, err) != WA_OK)
            return err->code;
        if (a.event == WA_EV_RESULT)
            return wa_fail(err, a.code, "%.*s", WA_SV_ARG(a.text));
        if (printf("%.*s\n", WA_SV_ARG(line)) < 0 || fflush(stdout) != 0)
            return wa_fail(err, WA_E_IO, "nobody reads the events");
    }
}

/* --- asking, with nothing shown --- */

static enum wa_code ask(const struct wa_cli *cli, struct wa_call *t, struct wa_arena *arena,
                        const struct wa_json **ret, struct wa_err *err)
{
    for (;;) {
        struct wa_local_answer a;
        struct wa_sv line;
        if (wa_call_line(t, &line, err) != WA_OK ||
            wa_local_answer_read(line, arena, &a, err) != WA_OK)
            return err->code;
        if (a.event == WA_EV_AUTH && send_password(t, cli, a.text, err) != WA_OK)
            return err->code;
        if (a.event != WA_EV_RESULT)
            continue;
        if (a.code != WA_OK)
            return wa_fail(err, a.code, "%.*s", WA_SV_ARG(a.text));
        *ret = a.data;
        return WA_OK;
    }
}

enum wa_code wa_get_agent_ask(const struct wa_cli *cli, enum wa_local_op op, const char *package,
                              struct wa_arena *arena, const struct wa_json **ret,
                              struct wa_err *err)
{
    struct wa_local_request r = {.op = op};
    WA_AUTO_CALL struct wa_call t;
    wa_call_init(&t);
    if (package != NULL)
        r.packages[r.package_count++] = wa_sv(package);
    if (talk_open(cli, &t, err) != WA_OK || wa_call_ask(&t, &r, err) != WA_OK)
        return err->code;
    return ask(cli, &t, arena, ret, err);
}

/* --- the request --- */

static enum wa_code fill_catalogue(const struct wa_cli *cli, struct wa_local_request *r,
                                   struct wa_err *err)
{
    const struct {
        const char *option;
        int64_t *ret;
        int64_t max;
    } numbers[] = {{"page", &r->page, WA_CATALOGUE_PAGES_MAX},
                   {"page-size", &r->page_size, WA_CATALOGUE_PAGE_MAX}};
    r->filter = wa_sv(wa_cli_get(cli, "filter", ""));
    r->category = wa_sv(wa_cli_get(cli, "category", ""));
    r->sort = wa_sv(wa_cli_get(cli, "sort", ""));
    if (!wa_local_sort_is(r->sort))
        return wa_fail(err, WA_E_USAGE, "'%.*s' is neither name nor date", WA_SV_ARG(r->sort));
    if (!wa_local_filter_is(r->filter))
        return wa_fail(err, WA_E_USAGE,
                       "'%.*s' is none of all, installed, not-installed and upgradable",
                       WA_SV_ARG(r->filter));
    for (size_t i = 0; i < WA_COUNT(numbers); i++) {
        const char *text = wa_cli_get(cli, numbers[i].option, "0");
        if (!wa_sv_i64(wa_sv(text), numbers[i].ret) || *numbers[i].ret < 0 ||
            *numbers[i].ret > numbers[i].max)
            return wa_fail(err, WA_E_USAGE, "'%s' is not between 0 and %lld", text,
                           (long long)numbers[i].max);
    }
    return WA_OK;
}

static enum wa_code fill(const struct wa_cli *cli, struct wa_local_request *r, struct wa_buf *token,
                         struct wa_buf *password, struct wa_err *err)
{
    if (cli->arg_count > WA_COUNT(r->packages))
        return wa_fail(err, WA_E_USAGE, "at most %zu arguments at once", WA_COUNT(r->packages));
    for (size_t i = 0; i < cli->arg_count; i++)
        r->packages[r->package_count++] = wa_sv(cli->args[i]);
    if ((r->op == WA_OP_CANCEL || r->op == WA_OP_SHOW_TASK) && cli->arg_count == 1) {
        r->package_count = 0;
        if (!wa_sv_i64(wa_sv(cli->args[0]), &r->task_id))
            return wa_fail(err, WA_E_USAGE, "'%s' is not the number of a task", cli->args[0]);
    }
    if (r->op == WA_OP_CATALOGUE && fill_catalogue(cli, r, err) != WA_OK)
        return err->code;
    r->force = has_flag(cli, "force");
    r->only_if_not_running = has_flag(cli, "only-if-not-process-running");
    r->priorities = wa_sv(given(cli, "priorities"));
    if (r->op != WA_OP_REGISTER) {
        r->params = wa_sv(given(cli, "params"));
        return WA_OK;
    }
    r->server_url = wa_sv(wa_cli_get(cli, "server", NULL));
    r->repo_url = wa_sv(wa_cli_get(cli, "repository", NULL));
    r->server_user = wa_sv(wa_cli_get(cli, "server-user", NULL));
    const char *token_file = wa_cli_get(cli, "token-file", NULL);
    const char *password_file = wa_cli_get(cli, "server-password-file", NULL);
    if (token_file != NULL && wa_cli_read_secret(token_file, token, err) != WA_OK)
        return err->code;
    r->token = wa_buf_sv(token);
    if (r->server_user.n == 0)
        return WA_OK;
    if ((password_file != NULL
             ? wa_cli_read_secret(password_file, password, err)
             : wa_cli_ask_secret("Password on the server: ", false, "--server-password-file",
                                 password, err)) != WA_OK)
        return err->code;
    r->server_password = wa_buf_sv(password);
    return WA_OK;
}

/* --dry-run: what "plan" tells. */
static enum wa_code plan_instead(struct wa_cli *cli, struct wa_err *err)
{
    union {
        const char *from;
        char *to;
    } action = {cli->command->name};
    char **args = cli->args, *words[1 + WA_COUNT(((struct wa_local_request *)0)->packages)];
    if (cli->arg_count + 1 > WA_COUNT(words))
        return wa_fail(err, WA_E_USAGE, "at most %zu arguments at once", WA_COUNT(words) - 1);
    words[0] = action.to;
    memcpy(words + 1, args, cli->arg_count * sizeof *args);
    cli->args = words;
    cli->arg_count++;
    cli->command = &wa_get_plan;
    enum wa_code code = wa_get_plan.run(cli, err);
    cli->args = args;
    cli->arg_count--;
    return code;
}

/* As Debian's packages say it, and scripts that do as they do. */
static bool is_reboot_due(void)
{
    struct wa_stat st;
    struct wa_err absent = WA_ERR_INIT;
    return wa_path_stat("/run/reboot-required", &st, &absent) == WA_OK;
}

static enum wa_code update_first(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, 256u << 20);
    return has_flag(cli, "update-packages")
               ? wa_get_agent_ask(cli, WA_OP_UPDATE, NULL, &arena, &j, err)
               : WA_OK;
}

enum wa_code wa_get_agent_run(struct wa_cli *cli, struct wa_err *err)
{
    struct wa_local_request r = {.op = WA_OP_STATUS};
    WA_AUTO_BUF_SECRET struct wa_buf token;
    WA_AUTO_BUF_SECRET struct wa_buf password;
    WA_AUTO_CALL struct wa_call t;
    wa_buf_init(&token, 1024);
    wa_buf_init(&password, 1024);
    wa_call_init(&t);
    int64_t minutes = 0;
    if (!wa_local_op_find(wa_sv(cli->command->name), &r.op))
        return wa_fail(err, WA_E_INTERNAL, "no operation '%s'", cli->command->name);
    if (has_flag(cli, "maxttl") &&
        wa_cli_int(cli, "maxttl", 1, MAXTTL_MINUTES, &minutes, err) != WA_OK)
        return err->code;
    if (update_first(cli, err) != WA_OK)
        return err->code;
    if (has_flag(cli, "dry-run"))
        return plan_instead(cli, err);
    uint64_t until_ms = minutes == 0 ? 0 : wa_clock_mono_ms() + (uint64_t)minutes * 60000u;
    if (fill(cli, &r, &token, &password, err) != WA_OK || talk_open(cli, &t, err) != WA_OK ||
        wa_call_ask(&t, &r, err) != WA_OK)
        return err->code;
    if (r.op == WA_OP_EVENTS)
        return stream(&t, err);
    bool changes = r.op == WA_OP_INSTALL || r.op == WA_OP_UPGRADE || r.op == WA_OP_REMOVE ||
                   r.op == WA_OP_UNINSTALL;
    bool was_due = is_reboot_due();
    enum wa_code code = follow(cli, &t, r.op, until_ms, err);
    return code == WA_OK && changes && !was_due && is_reboot_due()
               ? wa_fail(err, WA_E_REBOOT, "done, and complete once this machine is restarted")
               : code;
}

/* con_host_tasks.c - waptconsole host HOST tasks: what a machine does, what waits there, what it
 * did lately.
 *
 * The machine is asked to tell it now; of one that is away it is as of when it told it last.
 */
#include "base/date.h"
#include "cmd/con.h"
#include "os/clock.h"

#define ANSWER_MS 10000u /* a machine that is connected answers in one of these */
#define POLL_MS 250u
#define AGE_S 5 /* what a machine told so lately, it is not asked for again */

struct picture {
    struct wa_arena arena;
    const struct wa_json *j;
    int64_t now, at;
    bool is_reachable;
};

static enum wa_code ask(struct wa_client *c, const char *uuid, bool is_first, struct picture *p,
                        struct wa_err *err)
{
    char path[WA_UUID_MAX + 64];
    wa_arena_fini(&p->arena);
    wa_arena_init(&p->arena, 16u << 20);
    (void)snprintf(path, sizeof path, "/api/v1/hosts/%s/queue%s", uuid, is_first ? "?watch=1" : "");
    if (wa_client_call(c, "GET", path, WA_SV(""), &p->arena, &p->j, err) != WA_OK)
        return err->code;
    p->is_reachable = wa_json_bool(wa_json_get(p->j, "reachable"));
    return wa_json_i64(wa_json_get(p->j, "now"), &p->now) &&
                   wa_json_i64(wa_json_get(p->j, "at"), &p->at)
               ? WA_OK
               : wa_fail(err, WA_E_INVALID, "the server's answer can't be read");
}

static enum wa_code look(struct wa_client *c, const char *uuid, struct picture *p,
                         struct wa_err *err)
{
    uint64_t end = wa_clock_mono_ms() + ANSWER_MS;
    if (ask(c, uuid, true, p, err) != WA_OK)
        return err->code;
    int64_t oldest = p->now - AGE_S;
    while (p->is_reachable && p->at < oldest && wa_clock_mono_ms() < end) {
        wa_clock_sleep_ms(POLL_MS);
        if (ask(c, uuid, false, p, err) != WA_OK)
            return err->code;
    }
    if (p->is_reachable && p->at >= oldest)
        p->at = 0; /* it is as it is now */
    return WA_OK;
}

static struct wa_sv get(const struct wa_json *j, const char *key)
{
    return wa_json_sv(wa_json_get(j, key));
}

static void time_of(const struct wa_json *task, const char *key, char out[WA_DATE_MAX])
{
    int64_t at = 0;
    out[0] = '\0';
    if (wa_json_i64(wa_json_get(task, key), &at) && at > 0)
        wa_date_rfc3339(at, out);
}

static void add_list(struct wa_buf *out, const struct wa_json *list, const char *before)
{
    for (size_t i = 0; i < wa_json_count(list); i++) {
        wa_buf_adds(out, i > 0 ? ", " : before);
        wa_buf_addsv(out, wa_json_sv(wa_json_at(list, i)));
    }
}

/* What it is about, why it ended so, what it waits for. */
static enum wa_code about(const struct wa_json *task, struct wa_buf *out, struct wa_err *err)
{
    char until[WA_DATE_MAX] = "";
    wa_buf_clear(out);
    add_list(out, wa_json_get(task, "packages"), "");
    if (out->n > 0 && get(task, "message").n > 0)
        wa_buf_adds(out, ": ");
    wa_buf_addsv(out, get(task, "message"));
    add_list(out, wa_json_get(task, "waits_for"), wa_text("in use: "));
    if (wa_sv_eqs(get(task, "state"), "queued"))
        time_of(task, "not_before", until);
    if (until[0] != '\0')
        wa_buf_addf(out, wa_text(" (not before %s)"), until);
    return wa_buf_check(out, err);
}

static enum wa_code print_tasks(const struct wa_cli *cli, const struct wa_json *tasks,
                                struct wa_err *err)
{
    static const struct wa_cli_column columns[] = {
        {WA_TEXT("what"), false},  {WA_TEXT("state"), false}, {WA_TEXT("done"), false},
        {WA_TEXT("since"), false}, {WA_TEXT("by"), true},     {WA_TEXT("message"), true},
        {WA_TEXT("cancel"), false}};
    WA_AUTO_TABLE struct wa_cli_table t;
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, 1u << 20);
    wa_cli_table_init(&t, columns, WA_COUNT(columns));
    for (size_t i = 0; i < wa_json_count(tasks); i++) {
        const struct wa_json *task = wa_json_at(tasks, i);
        bool is_done = wa_sv_eqs(get(task, "state"), "done");
        bool is_running = wa_sv_eqs(get(task, "state"), "running");
        char since[WA_DATE_MAX], done[24];
        (void)snprintf(done, sizeof done, "%.*s%%", WA_SV_ARG(get(task, "progress")));
        time_of(task, is_done ? "finished" : is_running ? "started" : "created", since);
        if (about(task, &text, err) != WA_OK)
            return err->code;
        wa_cli_table_cell(&t, get(task, "kind"));
        wa_cli_table_cell(&t, get(task, is_done ? "code" : "state"));
        wa_cli_table_cell(&t, wa_sv(done));
        wa_cli_table_cell(&t, wa_sv(since));
        wa_cli_table_cell(&t, get(task, "created_by"));
        wa_cli_table_cell(&t, wa_buf_sv(&text));
        wa_cli_table_cell(&t, is_done ? WA_SV("") : get(task, "cancel"));
    }
    return wa_cli_table_print(&t, cli, err);
}

static enum wa_code show(struct wa_cli *cli, const struct picture *p, struct wa_err *err)
{
    const struct wa_json *queue = wa_json_get(p->j, "queue");
    int64_t left_out = 0;
    char at[WA_DATE_MAX];
    wa_jw_json(&cli->jw, p->j);
    if (!wa_json_is(queue, WA_JSON_OBJECT)) {
        wa_cli_say(cli, p->is_reachable ? "the machine has not answered"
                                        : "the machine is away, and never told it");
        return WA_OK;
    }
    if (print_tasks(cli, wa_json_get(queue, "tasks"), err) != WA_OK)
        return err->code;
    if (wa_json_i64(wa_json_get(queue, "left_out"), &left_out) && left_out > 0)
        wa_cli_say(cli, "%lld more on the machine", (long long)left_out);
    if (wa_json_bool(wa_json_get(queue, "stopped")))
        wa_cli_say(cli, "a user has stopped the service there for a while: nothing begins");
    if (p->at > 0) {
        wa_date_rfc3339(p->at, at);
        wa_cli_say(cli,
                   p->is_reachable ? "the machine has not answered: this is as of %s"
                                   : "the machine is away: this is as of %s",
                   at);
    }
    return WA_OK;
}

enum wa_code wa_con_host_tasks(struct wa_cli *cli, struct wa_client *c, const char *uuid,
                               struct wa_err *err)
{
    struct picture p = {.now = 0};
    wa_arena_init(&p.arena, 16u << 20);
    if (look(c, uuid, &p, err) == WA_OK)
        (void)show(cli, &p, err);
    wa_arena_fini(&p.arena);
    return err->code;
}

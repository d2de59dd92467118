/* con_action.c - waptconsole action: shows whom an order is for, signs it, sends it, and tells what
 * became of it on each machine.
 *
 * What is signed is what was shown: the list that the person saw is the list that is signed.
 * Machines that are off keep their order at the server until it expires; they are waited for only
 * when a time to wait is given.
 */
#include "base/date.h"
#include "base/mem.h"
#include "cmd/con.h"
#include "console/orders.h"
#include "console/wake.h"
#include "os/clock.h"

#define CONFIRM_ABOVE 10u /* machines that need no question */
#define POLL_MS 500u
#define REST_FACTOR 4u /* a look at very many is followed by so many times its own time */

static const struct wa_cli_option options[] = {
    WA_CON_SERVER_OPTIONS, WA_GET_SIGNER_OPTIONS,  {"hosts", 'H', "HOST,..."},
    {"yes", 'y', NULL},    {"valid", 0, "PERIOD"}, {"timeout", 0, "PERIOD"},
    {"no-wait", 0, NULL},  {"force", 'f', NULL},   {"only-if-not-process-running", 0, NULL},
    {"text", 0, "TEXT"},   {"unit", 0, "DN"},      {"group", 0, "PATTERN"},
};

struct work {
    struct wa_cli *cli;
    struct wa_client *client;
    struct wa_targets targets;
    struct wa_order_plan plan;
    struct wa_wake_plan wakes; /* whose relays are then the targets */
    struct wa_arena arena;     /* of its texts */
    char batch[33];
    int64_t timeout_s;
    bool has_timeout;
    struct wa_cli_table table; /* of results */
    struct wa_orders_tally tally;
};

/* --- before --- */

static enum wa_code read_plan(struct work *w, struct wa_err *err)
{
    struct wa_cli *cli = w->cli;
    union {
        char **from;
        const char *const *to;
    } packages = {cli->args + 1};
    w->plan = (struct wa_order_plan){.force = wa_cli_has(cli, "force"),
                                     .text = wa_cli_get(cli, "text", NULL),
                                     .packages = packages.to,
                                     .package_count = cli->arg_count - 1,
                                     .only_if_not_running =
                                         wa_cli_has(cli, "only-if-not-process-running")};
    if (!wa_action_kind_find(wa_sv(cli->args[0]), &w->plan.kind) || w->plan.kind == WA_ACT_CANCEL)
        return wa_fail(err, WA_E_USAGE,
                       "'%s' is none of update, upgrade, install, remove, forget, audit, "
                       "update-status, reboot, shutdown, wake, message, propose-upgrade, "
                       "restart-agent, describe",
                       cli->args[0]);
    enum wa_action_takes takes = wa_action_kind_takes(w->plan.kind);
    if (takes != WA_TAKES_ANY && (takes == WA_TAKES_SOME) != (w->plan.package_count > 0))
        return wa_fail(err, WA_E_USAGE,
                       takes == WA_TAKES_SOME ? "'%s' which package?"
                                              : wa_text("'%s' takes no package"),
                       cli->args[0]);
    if (w->plan.only_if_not_running && !wa_action_kind_spares(w->plan.kind))
        return wa_fail(err, WA_E_USAGE,
                       "--only-if-not-process-running is for 'upgrade', 'install' and 'remove'");
    bool takes_text = w->plan.kind == WA_ACT_MESSAGE || w->plan.kind == WA_ACT_DESCRIBE;
    if (takes_text != (w->plan.text != NULL))
        return wa_fail(err, WA_E_USAGE,
                       w->plan.text == NULL ? "'%s' which text? Give --text TEXT"
                                            : wa_text("'%s' takes no text"),
                       cli->args[0]);
    if (w->plan.kind == WA_ACT_MESSAGE && wa_action_check_text(wa_sv(w->plan.text), err) != WA_OK)
        return err->code;
    w->has_timeout = wa_cli_has(cli, "timeout");
    if (!wa_date_parse_period(wa_sv(wa_cli_get(cli, "valid", "1h")), 'h', &w->plan.valid_s) ||
        !wa_date_parse_period(wa_sv(wa_cli_get(cli, "timeout", "10m")), 'm', &w->timeout_s) ||
        w->plan.valid_s < 1)
        return wa_fail(err, WA_E_USAGE, "--valid and --timeout take a period like 30m or 2h");
    return wa_con_has_targets(cli, err);
}

/* Those who are to be woken can't be asked: the orders are for machines near them. */
static enum wa_code choose_relays(struct work *w, const struct wa_host_list *list,
                                  struct wa_err *err)
{
    if (wa_wake_begin(w->client, &w->wakes, &w->arena, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < w->targets.count; i++) {
        if (wa_wake_ask(w->client, &w->wakes, list, &w->targets.items[i], &w->arena, err) != WA_OK)
            return err->code;
        wa_cli_say(w->cli, "wake: %s (%s)", w->targets.items[i].name, w->targets.items[i].uuid);
    }
    wa_targets_fini(&w->targets);
    w->targets.items = wa_calloc(w->wakes.count + 1, sizeof *w->targets.items);
    if (w->targets.items == NULL)
        return wa_nomem(err);
    for (; w->targets.count < w->wakes.count; w->targets.count++)
        w->targets.items[w->targets.count] = w->wakes.relays[w->targets.count].by;
    return WA_OK;
}

static enum wa_code choose(struct work *w, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_HOST_LIST struct wa_host_list list = {0};
    wa_arena_init(&arena, 512u << 20);
    bool is_wake = w->plan.kind == WA_ACT_WAKE;
    if (wa_con_targets(w->cli, w->client, is_wake ? WA_WAKE_TARGETS_MAX : WA_ACTION_HOSTS_MAX,
                       &arena, &list, &w->targets, err) != WA_OK)
        return err->code;
    return is_wake ? choose_relays(w, &list, err) : WA_OK;
}

/* On stderr: the result is something else. The list is whole, however long. */
static enum wa_code show_and_confirm(struct work *w, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf what;
    char question[128];
    size_t off = 0;
    wa_buf_init(&what, 1u << 20);
    wa_buf_addf(&what, "%s", wa_action_kind_name(w->plan.kind));
    for (size_t i = 0; i < w->plan.package_count; i++)
        wa_buf_addf(&what, " %s", w->plan.packages[i]);
    if (w->plan.text != NULL)
        wa_buf_addf(&what, " \"%s\"", w->plan.text);
    if (w->plan.force)
        wa_buf_adds(&what, " (force)");
    if (w->plan.only_if_not_running)
        wa_buf_addf(&what, " (%s)", wa_text("but for packages whose programs run"));
    if (wa_buf_check(&what, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < w->targets.count; i++) {
        const struct wa_target *t = &w->targets.items[i];
        off += !t->is_reachable;
        if (w->plan.kind == WA_ACT_WAKE)
            wa_cli_say(w->cli, "%zu network cards are woken by %s (%s)", w->wakes.relays[i].count,
                       t->name, t->uuid);
        else
            wa_cli_say(w->cli, "%s: %s (%s)%s", wa_buf_str(&what), t->name, t->uuid,
                       t->is_reachable ? "" : wa_text(", not connected"));
    }
    if (w->wakes.direct_count > 0)
        wa_cli_say(w->cli,
                   wa_text_n("%zu machine is woken by the server itself",
                             "%zu machines are woken by the server itself", w->wakes.direct_count),
                   w->wakes.direct_count);
    if (w->targets.count <= CONFIRM_ABOVE || wa_cli_has(w->cli, "yes"))
        return WA_OK;
    (void)snprintf(question, sizeof question,
                   wa_text("%zu machines, %zu of them not connected: go on?"), w->targets.count,
                   off);
    return wa_cli_confirm(question, "--yes", err);
}

/* Each order by itself: they name other cards. */
static void take_relay(const struct work *w, size_t at, struct wa_order_plan *plan)
{
    const struct wa_wake_relay *r = &w->wakes.relays[at];
    plan->packages = r->macs;
    plan->package_count = r->count;
    plan->target_count = 1;
}

static enum wa_code send(struct work *w, const struct wa_signer *signer, size_t from,
                         struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf body;
    struct wa_order_plan plan = w->plan;
    size_t left = w->targets.count - from;
    wa_buf_init(&body, WA_SERVER_BODY_MAX);
    plan.targets = w->targets.items + from;
    plan.target_count = left < WA_ORDERS_AT_ONCE ? left : WA_ORDERS_AT_ONCE;
    if (plan.kind == WA_ACT_WAKE)
        take_relay(w, from, &plan);
    return wa_orders_sign(&plan, signer, &body, err) == WA_OK
               ? wa_orders_post(w->client, wa_buf_sv(&body), w->batch, err)
               : err->code;
}

static enum wa_code send_orders(struct work *w, const struct wa_signer *signer, struct wa_err *err)
{
    w->plan.now = wa_clock_now();
    for (size_t from = 0; from < w->targets.count;
         from += w->plan.kind == WA_ACT_WAKE ? 1 : WA_ORDERS_AT_ONCE) {
        wa_cli_progress(w->cli, "signing and sending", from, w->targets.count);
        if (send(w, signer, from, err) != WA_OK)
            return from == 0 ? err->code
                             : wa_wrap(err,
                                       "the first %zu machines have their orders, the others "
                                       "not",
                                       from);
    }
    wa_cli_progress(w->cli, "", 0, 0);
    wa_targets_sort(&w->targets);
    return WA_OK;
}

/* Only of a wake it is not known before whether there is anything to sign. */
static enum wa_code send_all(struct work *w, struct wa_err *err)
{
    WA_AUTO_GET_SIGNER struct wa_get_signer signer = {.key = NULL};
    bool is_wake = w->plan.kind == WA_ACT_WAKE;
    if ((!is_wake && wa_get_signer_load(w->cli, &signer, err) != WA_OK) ||
        wa_con_connect(w->cli, &w->client, err) != WA_OK || choose(w, err) != WA_OK ||
        show_and_confirm(w, err) != WA_OK)
        return err->code;
    if (is_wake && w->wakes.count > 0 && wa_get_signer_load(w->cli, &signer, err) != WA_OK)
        return err->code;
    return wa_wake_send(w->client, &w->wakes, &w->arena, err) == WA_OK
               ? send_orders(w, &signer.signer, err)
               : err->code;
}

/* --- after --- */

static struct wa_sv get(const struct wa_json *j, const char *key)
{
    return wa_json_sv(wa_json_get(j, key));
}

static enum wa_code show_one(struct work *w, const struct wa_target *t, const struct wa_json *a,
                             struct wa_err *err)
{
    const struct wa_json *packages = wa_json_get(a, "packages");
    wa_cli_table_cell(&w->table, wa_sv(t->name));
    wa_cli_table_cell(&w->table, wa_sv(t->uuid));
    wa_cli_table_cell(&w->table, get(a, "state"));
    wa_cli_table_cell(&w->table, get(a, "message"));
    if (wa_cli_table_print(&w->table, w->cli, err) != WA_OK)
        return err->code;
    for (size_t k = 0; k < wa_json_count(packages); k++) {
        const struct wa_json *p = wa_json_at(packages, k);
        WA_AUTO_BUF struct wa_buf line;
        wa_buf_init(&line, 4096);
        wa_buf_addf(&line, "%.*s %.*s: %.*s", WA_SV_ARG(get(p, "package")),
                    WA_SV_ARG(get(p, "version")), WA_SV_ARG(get(p, "status")));
        if (get(p, "program").n > 0)
            wa_buf_addf(&line, wa_text(", since '%.*s' runs"), WA_SV_ARG(get(p, "program")));
        for (size_t i = 0; i < line.n; i++)
            line.p[i] = line.p[i] == '\n' ? ' ' : line.p[i];
        wa_cli_out(w->cli, "    %s\n", wa_buf_str(&line));
    }
    return WA_OK;
}

struct look {
    struct work *w;
    bool is_last; /* what has not ended is shown too, and the results are taken over */
};

/* Shows what has ended since the last time. */
static enum wa_code take(void *user, const struct wa_json *a, struct wa_err *err)
{
    struct look *l = user;
    struct work *w = l->w;
    struct wa_target *t = wa_targets_find(&w->targets, get(a, "uuid"));
    if (t == NULL)
        return wa_fail(err, WA_E_INVALID, "the server answers for a machine that was not asked");
    wa_orders_count(a, &w->tally);
    if (l->is_last)
        wa_jw_json(&w->cli->jw, a);
    if (t->is_told || (!l->is_last && !wa_order_is_final(get(a, "state"))))
        return WA_OK;
    t->is_told = true;
    wa_cli_progress(w->cli, "", 0, 0);
    return show_one(w, t, a, err);
}

/* A machine that the server itself has woken: a row as of an order, which it had none. */
static enum wa_code show_direct(struct work *w, const struct wa_wake_direct *d, struct wa_err *err)
{
    static const char *const empty[] = {"id", "batch"};
    static const char *const times[] = {"created", "updated", "not_after"};
    struct wa_jw *j = &w->cli->jw;
    char text[512];
    const char *state = d->is_sent ? "done" : "failed";
    (void)snprintf(text, sizeof text,
                   d->is_sent ? wa_text_n("woken by the server itself: %zu network card (%.400s)",
                                          "woken by the server itself: %zu network cards (%.400s)",
                                          d->cards)
                              : wa_text("the server could send nothing"),
                   d->cards, d->networks);
    wa_jw_obj(j);
    for (size_t i = 0; i < WA_COUNT(empty); i++)
        wa_jw_kv(j, empty[i], "");
    wa_jw_kv(j, "uuid", d->who.uuid);
    wa_jw_kv(j, "name", d->who.name);
    wa_jw_kv(j, "kind", wa_action_kind_name(WA_ACT_WAKE));
    wa_jw_kv(j, "state", state);
    wa_jw_kv(j, "code", wa_code_name(d->is_sent ? WA_OK : WA_E_UNREACHABLE));
    wa_jw_kv(j, "message", text);
    for (size_t i = 0; i < WA_COUNT(times); i++)
        wa_jw_kvi(j, times[i], w->plan.now);
    wa_jw_kvi(j, "ring", 0);
    wa_jw_key(j, "packages");
    wa_jw_arr(j);
    wa_jw_end(j);
    wa_jw_end(j);
    wa_cli_table_cell(&w->table, wa_sv(d->who.name));
    wa_cli_table_cell(&w->table, wa_sv(d->who.uuid));
    wa_cli_table_cell(&w->table, wa_sv(state));
    wa_cli_table_cell(&w->table, wa_sv(text));
    return wa_cli_table_print(&w->table, w->cli, err);
}

static enum wa_code show_all_direct(struct work *w, struct wa_err *err)
{
    for (size_t i = 0; i < w->wakes.direct_count; i++)
        if (show_direct(w, &w->wakes.direct[i], err) != WA_OK)
            return err->code;
    return WA_OK;
}

static void count_direct(struct work *w)
{
    w->tally = (struct wa_orders_tally){0};
    for (size_t i = 0; i < w->wakes.direct_count; i++) {
        w->tally.done += w->wakes.direct[i].is_sent;
        w->tally.failed += !w->wakes.direct[i].is_sent;
    }
    if (w->tally.failed > 0)
        w->tally.first = WA_E_UNREACHABLE;
}

/* One look at all of it. */
static enum wa_code look(struct work *w, bool is_last, struct wa_err *err)
{
    struct look l = {w, is_last};
    size_t count = 0;
    count_direct(w);
    if (is_last)
        wa_jw_arr(&w->cli->jw);
    if ((is_last && show_all_direct(w, err) != WA_OK) ||
        (w->targets.count > 0 &&
         wa_orders_each(w->client, "batch", w->batch, take, &l, &count, err) != WA_OK))
        return err->code;
    if (is_last)
        wa_jw_end(&w->cli->jw);
    return count == w->targets.count
               ? WA_OK
               : wa_fail(err, WA_E_INVALID, "the server tells of %zu machines instead of %zu",
                         count, w->targets.count);
}

/* Whether nothing more is to be expected before the time is over. */
static bool is_over(const struct work *w)
{
    size_t off = 0;
    for (size_t i = 0; i < w->targets.count; i++)
        off += !w->targets.items[i].is_reachable && !w->targets.items[i].is_told;
    return w->tally.sent == 0 &&
           (w->tally.queued == 0 || (!w->has_timeout && w->tally.queued <= off));
}

static enum wa_code conclude(struct work *w, struct wa_err *err)
{
    const struct wa_orders_tally *t = &w->tally;
    char until[WA_DATE_MAX];
    wa_date_rfc3339(w->plan.now + w->plan.valid_s, until);
    if (t->queued > 0)
        wa_cli_say(w->cli,
                   "%zu machines are not connected: their order waits at the server, and they will "
                   "carry it out if they come before %s",
                   t->queued, until);
    if (t->sent > 0)
        wa_cli_say(w->cli,
                   wa_text_n("%zu machine is still at work: its result comes to the server",
                             "%zu machines are still at work: their results come to the server",
                             t->sent),
                   t->sent);
    enum wa_code code = wa_orders_outcome(t);
    if (code == WA_OK)
        return WA_OK;
    return wa_fail(err, code, "of %zu machines %zu did it, %zu did not, %zu have not answered yet",
                   w->targets.count + w->wakes.direct_count, t->done, t->failed,
                   t->queued + t->sent);
}

static enum wa_code follow(struct work *w, struct wa_err *err)
{
    uint64_t end = wa_clock_mono_ms() + (uint64_t)w->timeout_s * 1000;
    char what[128];
    for (;;) {
        uint64_t began = wa_clock_mono_ms();
        if (look(w, false, err) != WA_OK)
            return err->code;
        uint64_t pause = REST_FACTOR * (wa_clock_mono_ms() - began);
        if (is_over(w) || wa_clock_mono_ms() >= end)
            break;
        (void)snprintf(what, sizeof what,
                       wa_text("machines that have ended (%zu wait, %zu are at work)"),
                       w->tally.queued + w->tally.sent - w->tally.running, w->tally.running);
        wa_cli_progress(w->cli, what, w->tally.done + w->tally.failed, w->targets.count);
        wa_clock_sleep_ms(pause > POLL_MS ? (uint32_t)pause : POLL_MS);
    }
    return look(w, true, err) == WA_OK ? conclude(w, err) : err->code;
}

static enum wa_code run(struct wa_cli *cli, struct wa_err *err)
{
    static const struct wa_cli_column columns[] = {
        {WA_TEXT("name"), true},
        {WA_TEXT("uuid"), false},
        {WA_TEXT("result"), false},
        {WA_TEXT("message"), false} /* whole: the reason is in it */};
    struct work *w = wa_calloc(1, sizeof *w);
    if (w == NULL)
        return wa_nomem(err);
    w->cli = cli;
    wa_arena_init(&w->arena, 8u << 20);
    wa_cli_table_init(&w->table, columns, WA_COUNT(columns));
    wa_cli_table_widen(&w->table, 2, WA_SV("cancelled"));
    enum wa_code code = read_plan(w, err);
    if (code == WA_OK)
        code = send_all(w, err);
    for (size_t i = 0; code == WA_OK && i < w->targets.count; i++) {
        wa_cli_table_widen(&w->table, 0, wa_sv(w->targets.items[i].name));
        wa_cli_table_widen(&w->table, 1, wa_sv(w->targets.items[i].uuid));
    }
    for (size_t i = 0; code == WA_OK && i < w->wakes.direct_count; i++) {
        wa_cli_table_widen(&w->table, 0, wa_sv(w->wakes.direct[i].who.name));
        wa_cli_table_widen(&w->table, 1, wa_sv(w->wakes.direct[i].who.uuid));
    }
    if (code == WA_OK)
        code = wa_cli_has(cli, "no-wait") ? look(w, true, err) : follow(w, err);
    wa_cli_table_fini(&w->table);
    wa_targets_fini(&w->targets);
    wa_arena_fini(&w->arena);
    wa_client_close(w->client);
    wa_free(w);
    return code;
}

const struct wa_cli_command wa_con_action = {"action", options, WA_COUNT(options), 1, 257, run};

/* con_cancel.c - waptconsole cancel: signs that actions which have not ended shall not be done, and
 * tells what became of them.
 *
 * With --host it is a task of that machine's that nobody ordered, by the name that 'waptconsole
 * host HOST tasks' says.
 */
#include "base/date.h"
#include "base/mem.h"
#include "cmd/con.h"
#include "codec/hex.h"
#include "console/cancels.h"
#include "os/clock.h"

#define CONFIRM_ABOVE 10u
#define POLL_MS 500u

static const struct wa_cli_option options[] = {WA_CON_SERVER_OPTIONS,
                                               WA_GET_SIGNER_OPTIONS,
                                               {"yes", 'y', NULL},
                                               {"timeout", 0, "PERIOD"},
                                               {"host", 'H', "HOST"}};

struct work {
    struct wa_cli *cli;
    struct wa_client *client;
    const char *which; /* "batch" or "id" */
    const char *name;  /* of it */
    struct wa_targets targets;
    struct wa_cancels cancels;
    char batch[33]; /* of the cancels */
    size_t left, cancelled, ended;
};

static void work_fini(struct work *w)
{
    wa_targets_fini(&w->targets);
    wa_cancels_fini(&w->cancels);
    wa_client_close(w->client);
}

static struct wa_sv get(const struct wa_json *j, const char *key)
{
    return wa_json_sv(wa_json_get(j, key));
}

/* --- before --- */

static enum wa_code take(void *user, const struct wa_json *a, struct wa_err *err)
{
    struct work *w = user;
    size_t before = w->targets.count;
    if (wa_cancels_add(&w->cancels, a, err) != WA_OK || w->targets.count == before)
        return err->code;
    const struct wa_target *t = &w->targets.items[before];
    wa_cli_say(w->cli, "cancel %.*s: %s (%s)", WA_SV_ARG(get(a, "kind")), t->name, t->uuid);
    return WA_OK;
}

/* A batch of that name, or one action. */
static enum wa_code choose(struct work *w, struct wa_err *err)
{
    const char *what = w->cli->args[0];
    size_t seen = 0;
    w->name = what;
    w->which = "batch";
    if (wa_orders_each(w->client, w->which, what, take, w, &seen, err) != WA_OK)
        return err->code;
    if (seen > 0)
        return WA_OK;
    w->which = "id";
    if (wa_orders_each(w->client, w->which, what, take, w, &seen, err) != WA_OK)
        return err->code;
    return seen > 0
               ? WA_OK
               : wa_fail(err, WA_E_NOT_FOUND, "the server knows no batch and no action '%s'", what);
}

/* A task of one machine, of which the server knows nothing but what that says. */
static enum wa_code choose_task(struct work *w, const char *host, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_HOST_LIST struct wa_host_list list = {0};
    wa_arena_init(&arena, 512u << 20);
    if (wa_host_list_fetch(w->client, WA_HOST_LIST_NAMES, &arena, &list, err) != WA_OK ||
        wa_targets_choose(&list, wa_sv(host), 1, &w->targets, err) != WA_OK)
        return err->code;
    w->which = "batch"; /* of the cancel itself */
    w->name = w->batch;
    return wa_cancels_task(&w->cancels, w->cli->args[0], err);
}

static enum wa_code send(struct work *w, const struct wa_signer *signer, size_t from,
                         struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf body;
    const struct wa_order_plan plan = wa_cancels_plan(&w->cancels, from, WA_ORDERS_AT_ONCE);
    wa_buf_init(&body, WA_SERVER_BODY_MAX);
    return wa_orders_sign(&plan, signer, &body, err) == WA_OK
               ? wa_orders_post(w->client, wa_buf_sv(&body), w->batch, err)
               : err->code;
}

/* --- after --- */

static enum wa_code count(void *user, const struct wa_json *a, struct wa_err *err)
{
    struct work *w = user;
    WA_UNUSED(err);
    struct wa_sv state = get(a, "state");
    /* Its word on the cancel itself waits for the task that runs; it has it by then. */
    bool has_come = w->name == w->batch && wa_sv_eqs(state, "delivered");
    if (!wa_order_is_final(state) && !has_come)
        w->left++;
    else if (wa_sv_eqs(state, "cancelled"))
        w->cancelled++;
    else
        w->ended++;
    return WA_OK;
}

static enum wa_code show(void *user, const struct wa_json *a, struct wa_err *err)
{
    struct work *w = user;
    WA_UNUSED(err);
    wa_jw_json(&w->cli->jw, a);
    wa_cli_out(w->cli, "%.*s: %.*s\n",
               WA_SV_ARG(get(a, "name").n > 0 ? get(a, "name") : get(a, "uuid")),
               WA_SV_ARG(get(a, "state")));
    return WA_OK;
}

/* The cancel itself was not taken by the machine. */
static enum wa_code check_refused(void *user, const struct wa_json *a, struct wa_err *err)
{
    WA_UNUSED(user);
    return wa_sv_eqs(get(a, "state"), "refused")
               ? wa_fail(err, WA_E_REFUSED, "%.*s refuses it: %.*s", WA_SV_ARG(get(a, "uuid")),
                         WA_SV_ARG(get(a, "message")))
               : WA_OK;
}

static enum wa_code follow(struct work *w, struct wa_err *err)
{
    int64_t timeout_s = 0;
    if (!wa_date_parse_period(wa_sv(wa_cli_get(w->cli, "timeout", "30s")), 'm', &timeout_s))
        return wa_fail(err, WA_E_USAGE, "--timeout takes a period like 30m or 2h");
    uint64_t end = wa_clock_mono_ms() + (uint64_t)timeout_s * 1000;
    for (;;) {
        w->left = w->cancelled = w->ended = 0;
        if (wa_orders_each(w->client, w->which, w->name, count, w, NULL, err) != WA_OK)
            return err->code;
        if (w->batch[0] != '\0' &&
            wa_orders_each(w->client, "batch", w->batch, check_refused, w, NULL, err) != WA_OK)
            return err->code;
        if (w->left == 0 || wa_clock_mono_ms() >= end)
            return WA_OK;
        wa_clock_sleep_ms(POLL_MS);
    }
}

static enum wa_code work(struct work *w, struct wa_err *err)
{
    WA_AUTO_GET_SIGNER struct wa_get_signer signer = {.key = NULL};
    const char *host = wa_cli_get(w->cli, "host", NULL);
    char question[96];
    if (!wa_hex_is(wa_sv(w->cli->args[0]), 32))
        return wa_fail(err, WA_E_USAGE, "'%s' is not the 32 digits of a batch, an action or a task",
                       w->cli->args[0]);
    if (wa_get_signer_load(w->cli, &signer, err) != WA_OK ||
        wa_con_connect(w->cli, &w->client, err) != WA_OK ||
        (host != NULL ? choose_task(w, host, err) : choose(w, err)) != WA_OK)
        return err->code;
    (void)snprintf(question, sizeof question, wa_text("%zu actions: cancel them?"),
                   w->targets.count);
    if (w->targets.count > CONFIRM_ABOVE && !wa_cli_has(w->cli, "yes") &&
        wa_cli_confirm(question, "--yes", err) != WA_OK)
        return err->code;
    for (size_t from = 0; from < w->targets.count; from += WA_ORDERS_AT_ONCE)
        if (send(w, &signer.signer, from, err) != WA_OK)
            return err->code;
    if (follow(w, err) != WA_OK)
        return err->code;
    wa_jw_arr(&w->cli->jw);
    if (wa_orders_each(w->client, w->which, w->name, show, w, NULL, err) != WA_OK)
        return err->code;
    wa_jw_end(&w->cli->jw);
    if (host != NULL)
        wa_cli_say(w->cli,
                   w->left == 0 ? "the machine has it" : "the machine has not answered yet");
    else
        wa_cli_say(w->cli,
                   "%zu cancelled, %zu had ended or ended by themselves, %zu have not answered yet",
                   w->cancelled, w->ended, w->left);
    return w->left == 0 ? WA_OK
                        : wa_fail(err, WA_E_TIMEOUT,
                                  "what runs goes on to the end of its step: ask again later");
}

static enum wa_code run(struct wa_cli *cli, struct wa_err *err)
{
    struct work *w = wa_calloc(1, sizeof *w);
    if (w == NULL)
        return wa_nomem(err);
    w->cli = cli;
    w->cancels.targets = &w->targets;
    enum wa_code code = work(w, err);
    work_fini(w);
    wa_free(w);
    return code;
}

const struct wa_cli_command wa_con_cancel = {"cancel", options, WA_COUNT(options), 1, 1, run};

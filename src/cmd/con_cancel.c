/* con_cancel.c - waptconsole cancel: signs that actions which have not ended shall not be done, and
 * tells what became of them.
 *
 * Which actions a batch has is what the server says; whoever owns it could keep any of them back
 * without our word. A machine drops what waits there, and refuses what has not come yet; what runs
 * begins no further step.
 */
#include "base/date.h"
#include "base/mem.h"
#include "cmd/con.h"
#include "codec/hex.h"
#include "console/orders.h"
#include "os/clock.h"

#define PAGE 1000u /* actions of one signature, and of one answer */
#define CONFIRM_ABOVE 10u
#define POLL_MS 500u
#define REST_S 60 /* the least that a cancel is good for */

static const struct wa_cli_option options[] = {
    WA_CON_SERVER_OPTIONS, WA_GET_SIGNER_OPTIONS, {"yes", 'y', NULL}, {"timeout", 0, "PERIOD"}};

struct work {
    struct wa_cli *cli;
    struct wa_client *client;
    const char *which; /* "batch" or "id" */
    struct wa_targets targets;
    char (*ids)[33]; /* of each target */
    size_t cap;
    int64_t until; /* the last of their not_after */
    char batches[WA_ACTION_HOSTS_MAX / PAGE + 1][33];
    size_t batch_count;
    size_t left, cancelled, ended;
};

static void work_fini(struct work *w)
{
    wa_targets_fini(&w->targets);
    wa_free(w->ids);
    wa_client_close(w->client);
}

static struct wa_sv get(const struct wa_json *j, const char *key)
{
    return wa_json_sv(wa_json_get(j, key));
}

typedef enum wa_code (*each_fn)(struct work *w, const struct wa_json *action, struct wa_err *err);

/* A page of what is meant by which=what; next: of the page before, then its own. */
static enum wa_code page(struct work *w, const char *which, const char *what, struct wa_buf *next,
                         each_fn fn, size_t *seen, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf path;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, 256u << 20);
    wa_buf_init(&path, 8192);
    wa_buf_addf(&path, "/api/v1/actions?%s=%s&limit=%u%s%s", which, what, PAGE,
                next->n > 0 ? "&after=" : "", wa_buf_str(next));
    if (wa_buf_check(&path, err) != WA_OK ||
        wa_client_call(w->client, "GET", wa_buf_str(&path), WA_SV(""), &arena, &j, err) != WA_OK)
        return err->code;
    const struct wa_json *actions = wa_json_get(j, "actions");
    for (size_t i = 0; i < wa_json_count(actions); i++)
        if (fn(w, wa_json_at(actions, i), err) != WA_OK)
            return err->code;
    *seen += wa_json_count(actions);
    wa_buf_clear(next);
    if (wa_json_count(actions) > 0)
        wa_buf_addsv(next, wa_json_sv(wa_json_get(j, "next")));
    return wa_buf_check(next, err);
}

/* ret_seen: how many there were; may be NULL. */
static enum wa_code each(struct work *w, const char *which, const char *what, each_fn fn,
                         size_t *ret_seen, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf next;
    size_t seen = 0;
    wa_buf_init(&next, 4096);
    do {
        if (page(w, which, what, &next, fn, &seen, err) != WA_OK)
            return err->code;
    } while (next.n > 0);
    if (ret_seen != NULL)
        *ret_seen = seen;
    return WA_OK;
}

/* --- before --- */

static enum wa_code grow(struct work *w, struct wa_err *err)
{
    size_t cap = w->cap == 0 ? 64 : 2 * w->cap;
    struct wa_target *items = wa_realloc(w->targets.items, cap, sizeof *items);
    if (items == NULL)
        return wa_nomem(err);
    w->targets.items = items;
    char(*ids)[33] = wa_realloc(w->ids, cap, sizeof *ids);
    if (ids == NULL)
        return wa_nomem(err);
    w->ids = ids;
    w->cap = cap;
    return WA_OK;
}

static enum wa_code take(struct work *w, const struct wa_json *a, struct wa_err *err)
{
    struct wa_target t = {.uuid = ""};
    struct wa_sv id = get(a, "id"), name = get(a, "name"), uuid = get(a, "uuid");
    int64_t not_after = 0;
    if (wa_order_is_final(get(a, "state")))
        return WA_OK;
    if (!wa_hex_is(id, 32) || !wa_json_i64(wa_json_get(a, "not_after"), &not_after) ||
        uuid.n == 0 || uuid.n > WA_UUID_MAX || w->targets.count == WA_ACTION_HOSTS_MAX)
        return wa_fail(err, WA_E_INVALID, "the server's list of actions can't be read");
    if (w->targets.count == w->cap && grow(w, err) != WA_OK)
        return err->code;
    (void)snprintf(t.uuid, sizeof t.uuid, "%.*s", WA_SV_ARG(uuid));
    (void)snprintf(t.name, sizeof t.name, "%.*s", WA_SV_ARG(name.n > 0 ? name : uuid));
    memcpy(w->ids[w->targets.count], id.p, 32);
    w->ids[w->targets.count][32] = '\0';
    w->targets.items[w->targets.count++] = t;
    w->until = not_after > w->until ? not_after : w->until;
    wa_cli_say(w->cli, "cancel %.*s: %s (%s)", WA_SV_ARG(get(a, "kind")), t.name, t.uuid);
    return WA_OK;
}

/* A batch of that name, or one action. */
static enum wa_code choose(struct work *w, struct wa_err *err)
{
    const char *what = w->cli->args[0];
    size_t seen = 0;
    if (!wa_hex_is(wa_sv(what), 32))
        return wa_fail(err, WA_E_USAGE, "'%s' is not the 32 digits of a batch or an action", what);
    w->which = "batch";
    if (each(w, w->which, what, take, &seen, err) != WA_OK)
        return err->code;
    if (seen > 0)
        return WA_OK;
    w->which = "id";
    if (each(w, w->which, what, take, &seen, err) != WA_OK)
        return err->code;
    return seen > 0
               ? WA_OK
               : wa_fail(err, WA_E_NOT_FOUND, "the server knows no batch and no action '%s'", what);
}

static enum wa_code send(struct work *w, const struct wa_signer *signer, size_t from,
                         struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf body;
    const struct wa_json *j = NULL;
    int64_t now = wa_clock_now();
    size_t rest = w->targets.count - from;
    const struct wa_order_plan plan = {.kind = WA_ACT_CANCEL,
                                       .targets = w->targets.items + from,
                                       .target_count = rest < PAGE ? rest : PAGE,
                                       .cancels = w->ids + from,
                                       .now = now,
                                       .valid_s =
                                           w->until > now + REST_S ? w->until - now : REST_S};
    wa_arena_init(&arena, 64u << 20);
    wa_buf_init(&body, 15u << 20);
    if (wa_orders_sign(&plan, signer, &body, err) != WA_OK ||
        wa_client_call(w->client, "POST", "/api/v1/actions", wa_buf_sv(&body), &arena, &j, err) !=
            WA_OK)
        return err->code;
    struct wa_sv batch = get(j, "batch");
    if (!wa_hex_is(batch, 32))
        return wa_fail(err, WA_E_INVALID, "the server's answer names no batch of orders");
    memcpy(w->batches[w->batch_count], batch.p, 32);
    w->batches[w->batch_count++][32] = '\0';
    return WA_OK;
}

/* --- after --- */

static enum wa_code count(struct work *w, const struct wa_json *a, struct wa_err *err)
{
    WA_UNUSED(err);
    struct wa_sv state = get(a, "state");
    if (!wa_order_is_final(state))
        w->left++;
    else if (wa_sv_eqs(state, "cancelled"))
        w->cancelled++;
    else
        w->ended++;
    return WA_OK;
}

static enum wa_code show(struct work *w, const struct wa_json *a, struct wa_err *err)
{
    WA_UNUSED(err);
    wa_jw_json(&w->cli->jw, a);
    wa_cli_out(w->cli, "%.*s: %.*s\n",
               WA_SV_ARG(get(a, "name").n > 0 ? get(a, "name") : get(a, "uuid")),
               WA_SV_ARG(get(a, "state")));
    return WA_OK;
}

/* The cancel itself was not taken by the machine. */
static enum wa_code check_refused(struct work *w, const struct wa_json *a, struct wa_err *err)
{
    WA_UNUSED(w);
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
        if (each(w, w->which, w->cli->args[0], count, NULL, err) != WA_OK)
            return err->code;
        for (size_t i = 0; i < w->batch_count; i++)
            if (each(w, "batch", w->batches[i], check_refused, NULL, err) != WA_OK)
                return err->code;
        if (w->left == 0 || wa_clock_mono_ms() >= end)
            return WA_OK;
        wa_clock_sleep_ms(POLL_MS);
    }
}

static enum wa_code work(struct work *w, struct wa_err *err)
{
    WA_AUTO_GET_SIGNER struct wa_get_signer signer = {.key = NULL};
    char question[96];
    if (wa_get_signer_load(w->cli, &signer, err) != WA_OK ||
        wa_con_connect(w->cli, &w->client, err) != WA_OK || choose(w, err) != WA_OK)
        return err->code;
    (void)snprintf(question, sizeof question, wa_text("%zu actions: cancel them?"),
                   w->targets.count);
    if (w->targets.count > CONFIRM_ABOVE && !wa_cli_has(w->cli, "yes") &&
        wa_cli_confirm(question, "--yes", err) != WA_OK)
        return err->code;
    for (size_t from = 0; from < w->targets.count; from += PAGE)
        if (send(w, &signer.signer, from, err) != WA_OK)
            return err->code;
    if (follow(w, err) != WA_OK)
        return err->code;
    wa_jw_arr(&w->cli->jw);
    if (each(w, w->which, w->cli->args[0], show, NULL, err) != WA_OK)
        return err->code;
    wa_jw_end(&w->cli->jw);
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
    enum wa_code code = work(w, err);
    work_fini(w);
    wa_free(w);
    return code;
}

const struct wa_cli_command wa_con_cancel = {"cancel", options, WA_COUNT(options), 1, 1, run};

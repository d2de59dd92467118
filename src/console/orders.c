/* orders.c - what is signed, and how it ended. Nothing is signed but what the plan says, and
 * nothing that the server says gets into it. */
#include "console/orders.h"

#include "base/date.h"
#include "base/mem.h"
#include "codec/hex.h"
#include "os/rand.h"

#define PAGE 5000u /* orders that are read at once */

/* A machine that got it would refuse: said here, while somebody can still do something about it. */
static enum wa_code check_chain(const struct wa_order_texts *t, const struct wa_certs *chain,
                                struct wa_err *err)
{
    char date[WA_DATE_MAX];
    for (size_t i = 0; i < chain->n; i++) {
        const struct wa_cert *c = chain->items[i];
        int64_t from = wa_cert_not_before(c), until = wa_cert_not_after(c);
        wa_date_rfc3339(t->issued_at < from ? from : until, date);
        if (t->issued_at < from)
            return wa_fail(err, WA_E_REFUSED, "the certificate of '%s' holds only from %s",
                           wa_cert_cn(c), date);
        if (t->issued_at > until)
            return wa_fail(err, WA_E_REFUSED,
                           "the certificate of '%s' expired on %s: machines obey it no longer",
                           wa_cert_cn(c), date);
        if (t->not_after > until)
            return wa_fail(err, WA_E_REFUSED,
                           "the certificate of '%s' expires on %s, before the action does: give a "
                           "shorter --valid",
                           wa_cert_cn(c), date);
    }
    return WA_OK;
}

void wa_order_texts_fini(struct wa_order_texts *t)
{
    for (size_t i = 0; i < t->count; i++)
        wa_buf_fini(&t->items[i]);
    wa_free(t->items);
    *t = (struct wa_order_texts){.count = 0};
}

static enum wa_code write_one(const struct wa_order_plan *plan, size_t i, struct wa_buf *out,
                              struct wa_err *err)
{
    struct wa_action a = {.kind = plan->kind,
                          .issued_at = plan->now,
                          .not_before = plan->not_before > plan->now ? plan->not_before : plan->now,
                          .force = plan->force,
                          .only_if_not_running = plan->only_if_not_running,
                          .text = wa_sv(plan->text != NULL ? plan->text : "")};
    const char *cancelled = plan->cancels != NULL ? plan->cancels[i] : NULL;
    a.not_after = a.not_before + plan->valid_s;
    memcpy(a.uuid, plan->targets[i].uuid, sizeof a.uuid);
    wa_buf_init(out, WA_ACTION_BYTES_MAX);
    if (wa_rand_hex(a.id, 16, err) != WA_OK)
        return err->code;
    return wa_action_write(&a, cancelled != NULL ? &cancelled : plan->packages,
                           cancelled != NULL ? 1 : plan->package_count, out, err);
}

enum wa_code wa_orders_write(const struct wa_order_plan *plan, struct wa_order_texts *ret,
                             struct wa_err *err)
{
    int64_t begins = plan->not_before > plan->now ? plan->not_before : plan->now;
    WA_AUTO_ORDER_TEXTS struct wa_order_texts t = {.issued_at = plan->now,
                                                   .not_after = begins + plan->valid_s};
    if (plan->target_count == 0)
        return wa_fail(err, WA_E_USAGE, "no machine to order anything from");
    t.items = wa_calloc(plan->target_count, sizeof *t.items);
    if (t.items == NULL)
        return wa_nomem(err);
    for (; t.count < plan->target_count; t.count++)
        if (write_one(plan, t.count, &t.items[t.count], err) != WA_OK) {
            wa_buf_fini(&t.items[t.count]);
            return err->code;
        }
    *ret = t;
    t = (struct wa_order_texts){.count = 0};
    return WA_OK;
}

static enum wa_code write_orders(const struct wa_action_batch *batch, size_t count,
                                 struct wa_buf *out, struct wa_err *err)
{
    struct wa_jw w;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_key(&w, "orders");
    wa_jw_arr(&w);
    for (size_t i = 0; i < count; i++) {
        WA_AUTO_BUF struct wa_buf order;
        wa_buf_init(&order, 1u << 20);
        if (wa_action_batch_order(batch, i, &order, err) != WA_OK)
            return err->code;
        wa_jw_raw(&w, wa_buf_sv(&order));
    }
    wa_jw_end(&w);
    wa_jw_end(&w);
    return wa_buf_check(out, err);
}

enum wa_code wa_orders_seal(const struct wa_order_texts *t, size_t from, size_t count,
                            const struct wa_signer *signer, struct wa_buf *out, struct wa_err *err)
{
    struct wa_action_batch *batch = NULL;
    if (check_chain(t, signer->chain, err) != WA_OK)
        return err->code;
    struct wa_sv *texts = wa_calloc(count, sizeof *texts);
    if (texts == NULL)
        return wa_nomem(err);
    for (size_t i = 0; i < count; i++)
        texts[i] = wa_buf_sv(&t->items[from + i]);
    enum wa_code code =
        wa_action_batch_sign(texts, count, signer->key, signer->chain, t->issued_at, &batch, err);
    if (code == WA_OK)
        code = write_orders(batch, count, out, err);
    wa_action_batch_free(batch);
    wa_free(texts);
    return code;
}

enum wa_code wa_orders_sign(const struct wa_order_plan *plan, const struct wa_signer *signer,
                            struct wa_buf *out, struct wa_err *err)
{
    WA_AUTO_ORDER_TEXTS struct wa_order_texts t = {.count = 0};
    return wa_orders_write(plan, &t, err) == WA_OK
               ? wa_orders_seal(&t, 0, t.count, signer, out, err)
               : err->code;
}

/* sealed: {"orders":[...]} */
enum wa_code wa_orders_post(struct wa_client *client, struct wa_sv sealed, char batch[33],
                            struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf body;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, 64u << 20);
    wa_buf_init(&body, WA_SERVER_BODY_MAX);
    wa_buf_addsv(&body, wa_sv_sub(sealed, 0, sealed.n - 1));
    if (batch[0] != '\0')
        wa_buf_addf(&body, ",\"batch\":\"%s\"", batch);
    wa_buf_addc(&body, '}');
    if (wa_buf_check(&body, err) != WA_OK ||
        wa_client_call(client, "POST", "/api/v1/actions", wa_buf_sv(&body), &arena, &j, err) !=
            WA_OK)
        return err->code;
    struct wa_sv name = wa_json_sv(wa_json_get(j, "batch"));
    if (!wa_hex_is(name, 32))
        return wa_fail(err, WA_E_INVALID, "the server's answer names no batch of orders");
    (void)snprintf(batch, 33, "%.*s", WA_SV_ARG(name));
    return WA_OK;
}

enum wa_code wa_orders_send(const struct wa_order_texts *t, const struct wa_signer *signer,
                            struct wa_client *client, struct wa_jw *w, struct wa_err *err)
{
    char batch[33] = "";
    for (size_t from = 0; from < t->count; from += WA_ORDERS_AT_ONCE) {
        WA_AUTO_BUF struct wa_buf sealed;
        size_t left = t->count - from;
        wa_buf_init(&sealed, WA_SERVER_BODY_MAX);
        if (wa_orders_seal(t, from, left < WA_ORDERS_AT_ONCE ? left : WA_ORDERS_AT_ONCE, signer,
                           &sealed, err) != WA_OK ||
            wa_orders_post(client, wa_buf_sv(&sealed), batch, err) != WA_OK)
            return from == 0 ? err->code
                             : wa_wrap(err,
                                       "the first %zu machines have their orders, the others "
                                       "not",
                                       from);
    }
    wa_jw_kv(w, "batch", batch);
    wa_jw_kvi(w, "count", (int64_t)t->count);
    return WA_OK;
}

/* --- how it ended --- */

/* A page of what is meant; next: of the page before, then its own. */
static enum wa_code page(struct wa_client *client, const char *which, const char *what,
                         struct wa_buf *next, wa_orders_fn fn, void *user, size_t *seen,
                         struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf path;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, 256u << 20);
    wa_buf_init(&path, 8192);
    wa_buf_addf(&path, "/api/v1/actions?%s=%s&limit=%u%s%s", which, what, PAGE,
                next->n > 0 ? "&after=" : "", wa_buf_str(next));
    if (wa_buf_check(&path, err) != WA_OK ||
        wa_client_call(client, "GET", wa_buf_str(&path), WA_SV(""), &arena, &j, err) != WA_OK)
        return err->code;
    const struct wa_json *actions = wa_json_get(j, "actions");
    for (size_t i = 0; i < wa_json_count(actions); i++)
        if (fn(user, wa_json_at(actions, i), err) != WA_OK)
            return err->code;
    *seen += wa_json_count(actions);
    wa_buf_clear(next);
    if (wa_json_count(actions) > 0) /* whatever the server says, it goes on */
        wa_buf_addsv(next, wa_json_sv(wa_json_get(j, "next")));
    return wa_buf_check(next, err);
}

enum wa_code wa_orders_each(struct wa_client *client, const char *which, const char *what,
                            wa_orders_fn fn, void *user, size_t *ret_count, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf next;
    size_t seen = 0;
    wa_buf_init(&next, 4096);
    do {
        if (page(client, which, what, &next, fn, user, &seen, err) != WA_OK)
            return err->code;
    } while (next.n > 0);
    if (ret_count != NULL)
        *ret_count = seen;
    return WA_OK;
}

bool wa_order_is_final(struct wa_sv state)
{
    static const char *const states[] = {"done", "failed", "refused", "cancelled", "expired"};
    for (size_t i = 0; i < WA_COUNT(states); i++)
        if (wa_sv_eqs(state, states[i]))
            return true;
    return false;
}

/* The server's word for how it ended; expired ones have none. */
static enum wa_code code_of(const struct wa_json *action)
{
    struct wa_sv name = wa_json_sv(wa_json_get(action, "code"));
    if (name.n == 0)
        return WA_E_TIMEOUT;
    enum wa_code c = wa_code_from_name(name);
    return c == WA_E_INTERNAL ? WA_E_FAILED : c; /* of the machine's, or no code at all: not ours */
}

void wa_orders_count(const struct wa_json *action, struct wa_orders_tally *t)
{
    struct wa_sv state = wa_json_sv(wa_json_get(action, "state"));
    if (!wa_order_is_final(state)) {
        *(wa_sv_eqs(state, "queued") ? &t->queued : &t->sent) += 1;
        t->running += wa_sv_eqs(state, "running");
        return;
    }
    enum wa_code c = code_of(action);
    if (wa_sv_eqs(state, "done") && c == WA_OK) {
        t->done++;
        return;
    }
    t->failed++;
    if (t->first == WA_OK)
        t->first = c == WA_OK ? WA_E_FAILED : c;
}

enum wa_code wa_orders_outcome(const struct wa_orders_tally *t)
{
    if (t->failed + t->queued + t->sent == 0)
        return WA_OK;
    if (t->done > 0)
        return WA_E_PARTIAL;
    if (t->failed > 0)
        return t->first;
    return t->sent > 0 ? WA_E_TIMEOUT : WA_E_UNREACHABLE;
}

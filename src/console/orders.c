/* orders.c - what is signed, and how it ended. Nothing is signed but what the plan says, and
 * nothing that the server says gets into it. */
#include "console/orders.h"

#include "base/date.h"
#include "base/mem.h"
#include "os/rand.h"

/* A machine that got it would refuse: said here, while somebody can still do something about it. */
static enum wa_code check_chain(const struct wa_order_plan *plan, const struct wa_certs *chain,
                                struct wa_err *err)
{
    char date[WA_DATE_MAX];
    for (size_t i = 0; i < chain->n; i++) {
        const struct wa_cert *c = chain->items[i];
        int64_t from = wa_cert_not_before(c), until = wa_cert_not_after(c);
        wa_date_rfc3339(plan->now < from ? from : until, date);
        if (plan->now < from)
            return wa_fail(err, WA_E_REFUSED, "the certificate of '%s' holds only from %s",
                           wa_cert_cn(c), date);
        if (plan->now > until)
            return wa_fail(err, WA_E_REFUSED,
                           "the certificate of '%s' expired on %s: machines obey it no longer",
                           wa_cert_cn(c), date);
        if (plan->now + plan->valid_s > until)
            return wa_fail(err, WA_E_REFUSED,
                           "the certificate of '%s' expires on %s, before the action does: give a "
                           "shorter --valid",
                           wa_cert_cn(c), date);
    }
    return WA_OK;
}

static enum wa_code write_actions(const struct wa_order_plan *plan, struct wa_buf *bufs,
                                  struct wa_sv *texts, struct wa_err *err)
{
    for (size_t i = 0; i < plan->target_count; i++) {
        struct wa_action a = {.kind = plan->kind,
                              .issued_at = plan->now,
                              .not_before = plan->now,
                              .not_after = plan->now + plan->valid_s,
                              .force = plan->force};
        memcpy(a.uuid, plan->targets[i].uuid, sizeof a.uuid);
        wa_buf_init(&bufs[i], WA_ACTION_BYTES_MAX);
        const char *cancelled = plan->cancels != NULL ? plan->cancels[i] : NULL;
        if (wa_rand_hex(a.id, 16, err) != WA_OK ||
            wa_action_write(&a, cancelled != NULL ? &cancelled : plan->packages,
                            cancelled != NULL ? 1 : plan->package_count, &bufs[i], err) != WA_OK)
            return err->code;
        texts[i] = wa_buf_sv(&bufs[i]);
    }
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

enum wa_code wa_orders_sign(const struct wa_order_plan *plan, const struct wa_signer *signer,
                            struct wa_buf *out, struct wa_err *err)
{
    struct wa_action_batch *batch = NULL;
    if (plan->target_count == 0)
        return wa_fail(err, WA_E_USAGE, "no machine to order anything from");
    if (check_chain(plan, signer->chain, err) != WA_OK)
        return err->code;
    struct wa_buf *bufs = wa_calloc(plan->target_count, sizeof *bufs);
    struct wa_sv *texts = wa_calloc(plan->target_count, sizeof *texts);
    enum wa_code code =
        bufs == NULL || texts == NULL ? wa_nomem(err) : write_actions(plan, bufs, texts, err);
    if (code == WA_OK)
        code = wa_action_batch_sign(texts, plan->target_count, signer->key, signer->chain,
                                    plan->now, &batch, err);
    if (code == WA_OK)
        code = write_orders(batch, plan->target_count, out, err);
    wa_action_batch_free(batch);
    for (size_t i = 0; bufs != NULL && i < plan->target_count; i++)
        wa_buf_fini(&bufs[i]);
    wa_free(bufs);
    wa_free(texts);
    return code;
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
    char text[32];
    if (name.n == 0)
        return WA_E_TIMEOUT;
    if (name.n >= sizeof text)
        return WA_E_FAILED;
    (void)snprintf(text, sizeof text, "%.*s", WA_SV_ARG(name));
    enum wa_code c = wa_code_from_name(text);
    return c == WA_E_INTERNAL ? WA_E_FAILED : c; /* of the machine's, or no code at all: not ours */
}

void wa_orders_count(const struct wa_json *actions, struct wa_orders_tally *t)
{
    for (size_t i = 0; i < wa_json_count(actions); i++) {
        const struct wa_json *a = wa_json_at(actions, i);
        struct wa_sv state = wa_json_sv(wa_json_get(a, "state"));
        if (!wa_order_is_final(state)) {
            *(wa_sv_eqs(state, "queued") ? &t->queued : &t->sent) += 1;
            t->running += wa_sv_eqs(state, "running");
            continue;
        }
        enum wa_code c = code_of(a);
        if (wa_sv_eqs(state, "done") && c == WA_OK) {
            t->done++;
            continue;
        }
        t->failed++;
        if (t->first == WA_OK)
            t->first = c == WA_OK ? WA_E_FAILED : c;
    }
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

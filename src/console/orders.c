/* orders.c - which machines, what is signed, how it ended. */
#include "console/orders.h"

#include "base/mem.h"
#include "os/clock.h"
#include "os/rand.h"
#include "proto/hostid.h"

enum wa_code wa_target_find(const struct wa_json *hosts, struct wa_sv text, struct wa_target *ret,
                            struct wa_err *err)
{
    size_t found = 0;
    for (size_t i = 0; i < wa_json_count(hosts); i++) {
        const struct wa_json *h = wa_json_at(hosts, i);
        struct wa_sv uuid = wa_json_sv(wa_json_get(h, "uuid")),
                     name = wa_json_sv(wa_json_get(h, "name"));
        bool by_uuid = wa_sv_eq(uuid, text);
        if (!by_uuid && !wa_sv_eq(name, text) &&
            !wa_sv_eq(wa_json_sv(wa_json_get(h, "fqdn")), text))
            continue;
        if (wa_hostid_copy(uuid, ret->uuid, err) != WA_OK)
            return err->code;
        (void)snprintf(ret->name, sizeof ret->name, "%.*s", WA_SV_ARG(name));
        found++;
        if (by_uuid)
            return WA_OK; /* names are what machines say of themselves; a uuid is certain */
    }
    if (found == 0)
        return wa_fail(err, WA_E_NOT_FOUND, "there is no host '%.*s'", WA_SV_ARG(text));
    if (found > 1)
        return wa_fail(err, WA_E_CONFLICT, "%zu hosts are called '%.*s': name the uuid", found,
                       WA_SV_ARG(text));
    return WA_OK;
}

static enum wa_code write_actions(const struct wa_order_plan *plan, struct wa_buf *bufs,
                                  struct wa_sv *texts, int64_t now, struct wa_err *err)
{
    for (size_t i = 0; i < plan->target_count; i++) {
        struct wa_action a = {.kind = plan->kind,
                              .issued_at = now,
                              .not_before = now,
                              .not_after = now + plan->valid_s,
                              .force = plan->force};
        memcpy(a.uuid, plan->targets[i].uuid, sizeof a.uuid);
        wa_buf_init(&bufs[i], WA_ACTION_BYTES_MAX);
        if (wa_rand_hex(a.id, 16, err) != WA_OK ||
            wa_action_write(&a, plan->packages, plan->package_count, &bufs[i], err) != WA_OK)
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
    int64_t now = wa_clock_now();
    struct wa_action_batch *batch = NULL;
    struct wa_buf *bufs = wa_calloc(plan->target_count, sizeof *bufs);
    struct wa_sv *texts = wa_calloc(plan->target_count, sizeof *texts);
    enum wa_code code =
        bufs == NULL || texts == NULL ? wa_nomem(err) : write_actions(plan, bufs, texts, now, err);
    if (code == WA_OK)
        code = wa_action_batch_sign(texts, plan->target_count, signer->key, signer->chain, now,
                                    &batch, err);
    if (code == WA_OK)
        code = write_orders(batch, plan->target_count, out, err);
    wa_action_batch_free(batch);
    for (size_t i = 0; bufs != NULL && i < plan->target_count; i++)
        wa_buf_fini(&bufs[i]);
    wa_free(bufs);
    wa_free(texts);
    return code;
}

static bool is_final(struct wa_sv state)
{
    static const char *const states[] = {"done", "failed", "refused", "cancelled", "expired"};
    for (size_t i = 0; i < WA_COUNT(states); i++)
        if (wa_sv_eqs(state, states[i]))
            return true;
    return false;
}

enum wa_code wa_orders_outcome(const struct wa_json *actions, size_t *ret_waiting)
{
    size_t waiting = 0, good = 0;
    enum wa_code first = WA_OK;
    for (size_t i = 0; i < wa_json_count(actions); i++) {
        const struct wa_json *a = wa_json_at(actions, i);
        struct wa_sv state = wa_json_sv(wa_json_get(a, "state")),
                     name = wa_json_sv(wa_json_get(a, "code"));
        char code[32] = "";
        if (!is_final(state)) {
            waiting++;
            continue;
        }
        if (name.n < sizeof code)
            (void)snprintf(code, sizeof code, "%.*s", WA_SV_ARG(name));
        enum wa_code c =
            code[0] == '\0' ? WA_E_TIMEOUT : wa_code_from_name(code); /* expired ones have none */
        if (wa_sv_eqs(state, "done") && c == WA_OK)
            good++;
        else if (first == WA_OK)
            first = c == WA_OK ? WA_E_FAILED : c;
    }
    *ret_waiting = waiting;
    if (first == WA_OK)
        return WA_OK;
    return good > 0 ? WA_E_PARTIAL : first;
}

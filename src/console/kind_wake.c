/* kind_wake.c - machines that are off are woken by connected ones of their own networks, to which
 * the orders go, and by the server itself. Where that does it alone nothing is signed.
 *
 * What is shown is who wakes whom, by how many network cards, and who can't be woken; what is
 * signed is read back and must name the cards of that plan.
 */
#include "base/mem.h"
#include "console/local_kind.h"
#include "console/orders.h"
#include "console/wake.h"
#include "os/clock.h"

#define VALID_S 3600

struct wake {
    struct wa_wake_plan plan;
    struct wa_order_texts texts; /* one for each of those who wake */
    size_t woken;
};

/* Who can't be woken is told, and the others are. */
static enum wa_code choose(struct wa_local_prepared *p, struct wake *k, struct wa_client *client,
                           struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_HOST_LIST struct wa_host_list list = {0};
    struct wa_err last = WA_ERR_INIT;
    wa_arena_init(&arena, 512u << 20);
    if (wa_wake_begin(client, &k->plan, &p->arena, err) != WA_OK ||
        wa_host_list_fetch(client, "&reachable=1" WA_HOST_LIST_NAMES, &arena, &list, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < p->targets.count; i++) {
        struct wa_err why = WA_ERR_INIT;
        enum wa_code code =
            wa_wake_ask(client, &k->plan, &list, &p->targets.items[i], &p->arena, &why);
        k->woken += code == WA_OK;
        if (code == WA_OK)
            continue;
        if (code != WA_E_NOT_FOUND && code != WA_E_LIMIT) {
            *err = why;
            return code;
        }
        last = why;
        wa_local_say(p, wa_text("Not woken"), wa_sv(why.text));
    }
    if (k->woken == 0)
        *err = last;
    return err->code;
}

static enum wa_code write_texts(struct wake *k, struct wa_err *err)
{
    k->texts.items = wa_calloc(k->plan.count + 1, sizeof *k->texts.items);
    if (k->texts.items == NULL)
        return wa_nomem(err);
    for (; k->texts.count < k->plan.count; k->texts.count++) {
        const struct wa_wake_relay *r = &k->plan.relays[k->texts.count];
        WA_AUTO_ORDER_TEXTS struct wa_order_texts one = {.count = 0};
        const struct wa_order_plan plan = {.kind = WA_ACT_WAKE,
                                           .targets = &r->by,
                                           .target_count = 1,
                                           .packages = r->macs,
                                           .package_count = r->count,
                                           .now = wa_clock_now(),
                                           .valid_s = VALID_S};
        if (wa_orders_write(&plan, &one, err) != WA_OK)
            return err->code;
        k->texts.items[k->texts.count] = one.items[0];
        k->texts.issued_at = one.issued_at;
        k->texts.not_after = one.not_after;
        one.count = 0; /* its text has gone over */
    }
    return WA_OK;
}

/* Each text, read again. */
static enum wa_code show(struct wa_local_prepared *p, const struct wake *k, struct wa_err *err)
{
    char text[256];
    if (k->plan.direct_count > 0) {
        (void)snprintf(text, sizeof text,
                       wa_text_n("%zu machine", "%zu machines", k->plan.direct_count),
                       k->plan.direct_count);
        wa_local_say(p, wa_text("The server itself"), wa_sv(text));
    }
    for (size_t i = 0; i < k->texts.count; i++) {
        WA_AUTO_ARENA struct wa_arena arena;
        struct wa_action a;
        wa_arena_init(&arena, 1u << 20);
        if (wa_action_read(wa_buf_sv(&k->texts.items[i]), &arena, &a, err) != WA_OK)
            return err->code;
        const struct wa_wake_relay *r = &k->plan.relays[i];
        if (a.kind != WA_ACT_WAKE || strcmp(a.uuid, r->by.uuid) != 0 ||
            wa_json_count(a.macs) != r->count)
            return wa_fail(err, WA_E_INTERNAL, "the orders are not what was asked for");
        (void)snprintf(text, sizeof text,
                       wa_text_n("%zu network card", "%zu network cards", r->count), r->count);
        wa_local_say(p, r->by.name, wa_sv(text));
    }
    if (k->texts.count > 0)
        wa_local_say_time(p, wa_text("Not after"), k->texts.not_after);
    p->is_unsigned = k->texts.count == 0;
    wa_buf_addf(&p->title, wa_text_n("wake %zu machine", "wake %zu machines", k->woken), k->woken);
    return WA_OK;
}

static enum wa_code prepare(struct wa_local_prepared *p, const struct wa_json *request,
                            struct wa_client *client, struct wa_err *err)
{
    const struct wa_json *hosts = NULL;
    struct wa_sv what, key;
    const struct wa_json_field fields[] = {
        {"what", WA_WANT_SV, true, 64, &what},
        {"key", WA_WANT_SV, false, 16, &key},
        {"hosts", WA_WANT_ARRAY, true, WA_WAKE_TARGETS_MAX, &hosts}};
    struct wake *k = wa_arena_alloc(&p->arena, 1, sizeof *k);
    if (k == NULL)
        return wa_nomem(err);
    *k = (struct wake){.woken = 0};
    p->own = k;
    if (wa_json_read(request, fields, WA_COUNT(fields), "the request", err) != WA_OK ||
        wa_local_targets(client, hosts, &p->targets, err) != WA_OK ||
        choose(p, k, client, err) != WA_OK || write_texts(k, err) != WA_OK)
        return err->code;
    return show(p, k, err);
}

/* The server's part first: it is there at once, and takes no signature. */
static enum wa_code commit(struct wa_local_prepared *p, const struct wa_signer *signer,
                           struct wa_client *client, struct wa_jw *w, struct wa_err *err)
{
    struct wake *k = p->own;
    size_t sent = 0;
    if (wa_wake_send(client, &k->plan, &p->arena, err) != WA_OK ||
        (k->texts.count > 0 && wa_orders_send(&k->texts, signer, client, w, err) != WA_OK))
        return err->code;
    for (size_t i = 0; i < k->plan.direct_count; i++)
        sent += k->plan.direct[i].is_sent;
    if (sent == 0 && k->texts.count == 0)
        return wa_fail(err, WA_E_UNREACHABLE, "the server could send nothing");
    wa_jw_kvi(w, "machines", (int64_t)k->woken);
    wa_jw_kvi(w, "server", (int64_t)sent);
    return WA_OK;
}

static void discard(struct wa_local_prepared *p)
{
    struct wake *k = p->own;
    if (k != NULL)
        wa_order_texts_fini(&k->texts);
}

const struct wa_local_kind wa_local_kind_wake = {.what = "wake",
                                                 .prepare = prepare,
                                                 .commit = commit,
                                                 .discard = discard,
                                                 .gesture = WA_LOCAL_GESTURE_ABOVE};

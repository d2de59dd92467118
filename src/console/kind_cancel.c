/* kind_cancel.c - a cancel of actions that have not ended: of a batch, or of one; or of a task that
 * nobody ordered, by the name that its machine gave it and gives no other one. */
#include "base/date.h"
#include "codec/hex.h"
#include "console/cancels.h"
#include "console/local_kind.h"

struct cancel {
    struct wa_order_texts texts;
    struct wa_cancels cancels;
};

static enum wa_code choose(struct wa_cancels *c, const char *which, const char *name,
                           struct wa_client *client, struct wa_err *err)
{
    if (wa_orders_each(client, which, name, wa_cancels_add, c, NULL, err) != WA_OK)
        return err->code;
    return c->targets->count > 0
               ? WA_OK
               : wa_fail(err, WA_E_NOT_FOUND, "none of these actions is still to be done");
}

static enum wa_code choose_task(struct wa_cancels *c, const char *id, const struct wa_json *hosts,
                                struct wa_client *client, struct wa_err *err)
{
    if (wa_json_count(hosts) != 1)
        return wa_fail(err, WA_E_INVALID, "a task is one machine's");
    return wa_local_targets(client, hosts, c->targets, err) == WA_OK ? wa_cancels_task(c, id, err)
                                                                     : err->code;
}

/* Each text, read again: a cancel of that very action, for that machine. */
static enum wa_code show(struct wa_local_prepared *p, const struct cancel *c, struct wa_err *err)
{
    char text[WA_DATE_MAX];
    for (size_t i = 0; i < c->texts.count; i++) {
        WA_AUTO_ARENA struct wa_arena arena;
        struct wa_action a;
        wa_arena_init(&arena, 1u << 20);
        if (wa_action_read(wa_buf_sv(&c->texts.items[i]), &arena, &a, err) != WA_OK)
            return err->code;
        if (a.kind != WA_ACT_CANCEL || wa_json_count(a.cancels) != 1 ||
            strcmp(a.uuid, p->targets.items[i].uuid) != 0)
            return wa_fail(err, WA_E_INTERNAL, "the cancels are not what was asked for");
        if (i < 20)
            wa_local_say(p, p->targets.items[i].name, wa_json_sv(wa_json_at(a.cancels, 0)));
    }
    (void)snprintf(text, sizeof text, "%zu", c->texts.count);
    wa_local_say(p, wa_text("Actions"), wa_sv(text));
    wa_date_rfc3339(c->texts.not_after, text);
    wa_local_say(p, wa_text("Not after"), wa_sv(text));
    wa_buf_adds(&p->title, wa_text("cancel"));
    return WA_OK;
}

static enum wa_code prepare(struct wa_local_prepared *p, const struct wa_json *request,
                            struct wa_client *client, struct wa_err *err)
{
    struct wa_sv what, key, batch = WA_SV(""), id = WA_SV("");
    const struct wa_json *hosts = NULL;
    char name[33];
    const struct wa_json_field fields[] = {{"what", WA_WANT_SV, true, 64, &what},
                                           {"key", WA_WANT_SV, false, 16, &key},
                                           {"batch", WA_WANT_SV, false, 32, &batch},
                                           {"id", WA_WANT_SV, false, 32, &id},
                                           {"hosts", WA_WANT_ARRAY, false, 1, &hosts}};
    struct cancel *c = wa_arena_alloc(&p->arena, 1, sizeof *c);
    if (c == NULL)
        return wa_nomem(err);
    *c = (struct cancel){.cancels = {.targets = &p->targets}};
    p->own = c;
    if (wa_json_read(request, fields, WA_COUNT(fields), "the request", err) != WA_OK)
        return err->code;
    struct wa_sv which = batch.n > 0 ? batch : id;
    if ((batch.n > 0) == (id.n > 0) || !wa_hex_is(which, 32))
        return wa_fail(err, WA_E_INVALID, "a cancel names a batch or an action by 32 digits");
    (void)snprintf(name, sizeof name, "%.*s", WA_SV_ARG(which));
    if (hosts != NULL && id.n > 0)
        (void)choose_task(&c->cancels, name, hosts, client, err);
    else
        (void)choose(&c->cancels, batch.n > 0 ? "batch" : "id", name, client, err);
    if (err->code != WA_OK)
        return err->code;
    const struct wa_order_plan plan = wa_cancels_plan(&c->cancels, 0, WA_ACTION_HOSTS_MAX);
    return wa_orders_write(&plan, &c->texts, err) == WA_OK ? show(p, c, err) : err->code;
}

static enum wa_code commit(struct wa_local_prepared *p, const struct wa_signer *signer,
                           struct wa_client *client, struct wa_jw *w, struct wa_err *err)
{
    const struct cancel *c = p->own;
    return wa_orders_send(&c->texts, signer, client, w, err);
}

static void discard(struct wa_local_prepared *p)
{
    struct cancel *c = p->own;
    if (c == NULL)
        return;
    wa_order_texts_fini(&c->texts);
    wa_cancels_fini(&c->cancels);
}

/* Never more than once a machine, and it takes nothing away but what was ordered. */
const struct wa_local_kind wa_local_kind_cancel = {.what = "cancel",
                                                   .prepare = prepare,
                                                   .commit = commit,
                                                   .discard = discard,
                                                   .gesture = WA_LOCAL_GESTURE_NEVER};

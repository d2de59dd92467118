/* kind_cancel.c - a cancel of actions that have not ended: of a batch, or of one; or of a task that
 * nobody ordered, by the name that its machine gave it and gives no other one.
 *
 * Which actions a batch has is what the server says; whoever owns it could keep any of them back
 * without our word.
 */
#include "base/date.h"
#include "base/mem.h"
#include "codec/hex.h"
#include "console/local_kind.h"
#include "console/orders.h"
#include "os/clock.h"

struct cancel {
    struct wa_order_texts texts;
    char (*ids)[33]; /* of each target; owned */
    int64_t until;   /* the last of their not_after */
};

static struct wa_sv get(const struct wa_json *j, const char *key)
{
    return wa_json_sv(wa_json_get(j, key));
}

struct choice {
    struct wa_local_prepared *p;
    struct cancel *c;
    size_t room;
};

static enum wa_code grow(struct choice *ch, struct wa_err *err)
{
    struct wa_targets *t = &ch->p->targets;
    size_t room = ch->room == 0 ? 64 : 2 * ch->room;
    struct wa_target *items = wa_realloc(t->items, room, sizeof *items);
    if (items == NULL)
        return wa_nomem(err);
    t->items = items;
    char(*ids)[33] = wa_realloc(ch->c->ids, room, sizeof *ids);
    if (ids == NULL)
        return wa_nomem(err);
    ch->c->ids = ids;
    ch->room = room;
    return WA_OK;
}

static enum wa_code take(void *user, const struct wa_json *a, struct wa_err *err)
{
    struct choice *ch = user;
    struct cancel *c = ch->c;
    struct wa_targets *t = &ch->p->targets;
    struct wa_sv id = get(a, "id"), uuid = get(a, "uuid"), name = get(a, "name");
    int64_t not_after = 0;
    if (wa_order_is_final(get(a, "state")))
        return WA_OK;
    if (!wa_hex_is(id, 32) || uuid.n == 0 || uuid.n > WA_UUID_MAX ||
        t->count == WA_ACTION_HOSTS_MAX || !wa_json_i64(wa_json_get(a, "not_after"), &not_after))
        return wa_fail(err, WA_E_INVALID, "the server's list of actions can't be read");
    if (t->count == ch->room && grow(ch, err) != WA_OK)
        return err->code;
    struct wa_target *one = &t->items[t->count];
    *one = (struct wa_target){.uuid = ""};
    (void)snprintf(one->uuid, sizeof one->uuid, "%.*s", WA_SV_ARG(uuid));
    (void)snprintf(one->name, sizeof one->name, "%.*s", WA_SV_ARG(name));
    (void)snprintf(c->ids[t->count], sizeof c->ids[0], "%.*s", WA_SV_ARG(id));
    c->until = not_after > c->until ? not_after : c->until;
    t->count++;
    return WA_OK;
}

static enum wa_code choose(struct wa_local_prepared *p, struct cancel *c, const char *which,
                           struct wa_sv what, struct wa_client *client, struct wa_err *err)
{
    struct choice ch = {p, c, 0};
    char name[33];
    (void)snprintf(name, sizeof name, "%.*s", WA_SV_ARG(what));
    if (wa_orders_each(client, which, name, take, &ch, NULL, err) != WA_OK)
        return err->code;
    return p->targets.count > 0
               ? WA_OK
               : wa_fail(err, WA_E_NOT_FOUND, "none of these actions is still to be done");
}

static enum wa_code choose_task(struct wa_local_prepared *p, struct cancel *c, struct wa_sv id,
                                const struct wa_json *hosts, struct wa_client *client,
                                struct wa_err *err)
{
    if (wa_json_count(hosts) != 1)
        return wa_fail(err, WA_E_INVALID, "a task is one machine's");
    c->ids = wa_calloc(1, sizeof *c->ids);
    if (c->ids == NULL)
        return wa_nomem(err);
    (void)snprintf(c->ids[0], sizeof c->ids[0], "%.*s", WA_SV_ARG(id));
    c->until = wa_clock_now() + WA_CANCEL_TASK_S;
    return wa_local_targets(client, hosts, &p->targets, err);
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
    const struct wa_json_field fields[] = {{"what", WA_WANT_SV, true, 64, &what},
                                           {"key", WA_WANT_SV, false, 16, &key},
                                           {"batch", WA_WANT_SV, false, 32, &batch},
                                           {"id", WA_WANT_SV, false, 32, &id},
                                           {"hosts", WA_WANT_ARRAY, false, 1, &hosts}};
    struct cancel *c = wa_arena_alloc(&p->arena, 1, sizeof *c);
    if (c == NULL)
        return wa_nomem(err);
    *c = (struct cancel){.until = 0};
    p->own = c;
    if (wa_json_read(request, fields, WA_COUNT(fields), "the request", err) != WA_OK)
        return err->code;
    if ((batch.n > 0) == (id.n > 0) || !wa_hex_is(batch.n > 0 ? batch : id, 32))
        return wa_fail(err, WA_E_INVALID, "a cancel names a batch or an action by 32 digits");
    if (hosts != NULL && id.n > 0)
        (void)choose_task(p, c, id, hosts, client, err);
    else
        (void)choose(p, c, batch.n > 0 ? "batch" : "id", batch.n > 0 ? batch : id, client, err);
    if (err->code != WA_OK)
        return err->code;
    int64_t now = wa_clock_now();
    const struct wa_order_plan plan = {
        .kind = WA_ACT_CANCEL,
        .targets = p->targets.items,
        .target_count = p->targets.count,
        .cancels = c->ids,
        .now = now,
        .valid_s = c->until > now + WA_CANCEL_REST_S ? c->until - now : WA_CANCEL_REST_S};
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
    wa_free(c->ids);
}

/* Never more than once a machine, and it takes nothing away but what was ordered. */
const struct wa_local_kind wa_local_kind_cancel = {.what = "cancel",
                                                   .prepare = prepare,
                                                   .commit = commit,
                                                   .discard = discard,
                                                   .gesture = WA_LOCAL_GESTURE_NEVER};

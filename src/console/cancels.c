/* cancels.c - what a cancel takes back.
 *
 * Which actions a batch has is what the server says; whoever owns it could keep any of them back
 * without our word. A machine drops what waits there, and refuses what has not come yet; what runs
 * begins no further step.
 */
#include "console/cancels.h"

#include "base/mem.h"
#include "codec/hex.h"
#include "os/clock.h"

#define REST_S 60    /* s: the least that a cancel is good for */
#define TASK_S 86400 /* s: of a task that nobody ordered; the machine may be away */

void wa_cancels_fini(struct wa_cancels *c)
{
    wa_free(c->ids);
    *c = (struct wa_cancels){.targets = NULL};
}

static struct wa_sv get(const struct wa_json *j, const char *key)
{
    return wa_json_sv(wa_json_get(j, key));
}

static enum wa_code grow(struct wa_cancels *c, struct wa_err *err)
{
    size_t cap = c->cap == 0 ? 64 : 2 * c->cap;
    struct wa_target *items = wa_realloc(c->targets->items, cap, sizeof *items);
    if (items == NULL)
        return wa_nomem(err);
    c->targets->items = items;
    char(*ids)[33] = wa_realloc(c->ids, cap, sizeof *ids);
    if (ids == NULL)
        return wa_nomem(err);
    c->ids = ids;
    c->cap = cap;
    return WA_OK;
}

enum wa_code wa_cancels_add(void *cancels, const struct wa_json *action, struct wa_err *err)
{
    struct wa_cancels *c = cancels;
    struct wa_targets *t = c->targets;
    struct wa_sv id = get(action, "id"), name = get(action, "name"), uuid = get(action, "uuid");
    int64_t not_after = 0;
    if (wa_order_is_final(get(action, "state")))
        return WA_OK;
    if (!wa_hex_is(id, 32) || !wa_json_i64(wa_json_get(action, "not_after"), &not_after) ||
        uuid.n == 0 || uuid.n > WA_UUID_MAX || t->count == WA_ACTION_HOSTS_MAX)
        return wa_fail(err, WA_E_INVALID, "the server's list of actions can't be read");
    if (t->count == c->cap && grow(c, err) != WA_OK)
        return err->code;
    struct wa_target *one = &t->items[t->count];
    *one = (struct wa_target){.uuid = ""};
    (void)snprintf(one->uuid, sizeof one->uuid, "%.*s", WA_SV_ARG(uuid));
    (void)snprintf(one->name, sizeof one->name, "%.*s", WA_SV_ARG(name.n > 0 ? name : uuid));
    (void)snprintf(c->ids[t->count], sizeof c->ids[0], "%.*s", WA_SV_ARG(id));
    c->until = not_after > c->until ? not_after : c->until;
    t->count++;
    return WA_OK;
}

enum wa_code wa_cancels_task(struct wa_cancels *c, const char *id, struct wa_err *err)
{
    c->ids = wa_calloc(1, sizeof *c->ids);
    if (c->ids == NULL)
        return wa_nomem(err);
    (void)snprintf(c->ids[0], sizeof c->ids[0], "%s", id);
    c->until = wa_clock_now() + TASK_S;
    return WA_OK;
}

struct wa_order_plan wa_cancels_plan(const struct wa_cancels *c, size_t from, size_t max)
{
    int64_t now = wa_clock_now();
    size_t rest = c->targets->count - from;
    return (struct wa_order_plan){.kind = WA_ACT_CANCEL,
                                  .targets = c->targets->items + from,
                                  .target_count = rest < max ? rest : max,
                                  .cancels = c->ids + from,
                                  .now = now,
                                  .valid_s = c->until > now + REST_S ? c->until - now : REST_S};
}

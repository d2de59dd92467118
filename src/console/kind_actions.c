/* kind_actions.c - actions for machines: all that there are (proto/action.h) but those which other
 * kinds compose.
 *
 * What is shown is read back from the texts that will be signed, and all of them must say the same
 * but for the machine and their own identifier.
 */
#include "console/local_kind.h"
#include "console/orders.h"
#include "os/clock.h"

#define PACKAGES_MAX 256u
#define VALID_S 3600

static enum wa_code read_plan(const struct wa_json *request, struct wa_arena *arena,
                              struct wa_order_plan *plan, const struct wa_json **ret_hosts,
                              struct wa_err *err)
{
    struct wa_sv what, kind, key, text = {0};
    const struct wa_json *packages = NULL;
    const struct wa_json_field fields[] = {
        {"what", WA_WANT_SV, true, 64, &what},
        {"key", WA_WANT_SV, false, 16, &key},
        {"kind", WA_WANT_SV, true, 32, &kind},
        {"hosts", WA_WANT_ARRAY, true, WA_ACTION_HOSTS_MAX, ret_hosts},
        {"packages", WA_WANT_ARRAY, false, PACKAGES_MAX, &packages},
        {"force", WA_WANT_BOOL, false, 0, &plan->force},
        {"only_if_not_running", WA_WANT_BOOL, false, 0, &plan->only_if_not_running},
        {"text", WA_WANT_SV, false, WA_ACTION_TEXT_MAX, &text},
        {"valid_s", WA_WANT_I64, false, 0, &plan->valid_s},
        {"not_before", WA_WANT_I64, false, 0, &plan->not_before}};
    plan->valid_s = VALID_S;
    if (wa_json_read(request, fields, WA_COUNT(fields), "the request", err) != WA_OK)
        return err->code;
    if (!wa_action_kind_find(kind, &plan->kind) || plan->kind == WA_ACT_CANCEL)
        return wa_fail(err, WA_E_INVALID, "there is no action '%.*s'", WA_SV_ARG(kind));
    enum wa_action_takes takes = wa_action_kind_takes(plan->kind);
    plan->package_count = wa_json_count(packages);
    if (takes != WA_TAKES_ANY && (takes == WA_TAKES_SOME) != (plan->package_count > 0))
        return wa_fail(err, WA_E_INVALID, "'%.*s' with %zu packages makes no sense",
                       WA_SV_ARG(kind), plan->package_count);
    const char **names = wa_arena_alloc(arena, plan->package_count + 1, sizeof *names);
    if (names == NULL)
        return wa_nomem(err);
    for (size_t i = 0; i < plan->package_count; i++) {
        names[i] = wa_arena_strdup(arena, wa_json_sv(wa_json_at(packages, i)));
        if (names[i] == NULL)
            return wa_nomem(err);
    }
    plan->packages = names;
    plan->text = wa_arena_strdup(arena, text);
    if (plan->text == NULL)
        return wa_nomem(err);
    plan->now = wa_clock_now();
    return plan->valid_s > 0 ? WA_OK : wa_fail(err, WA_E_INVALID, "valid_s is above 0");
}

/* --- what the texts say --- */

static bool is_same(const struct wa_action *a, const struct wa_action *b)
{
    bool same = a->kind == b->kind && a->force == b->force &&
                a->only_if_not_running == b->only_if_not_running && a->issued_at == b->issued_at &&
                a->not_before == b->not_before && a->not_after == b->not_after &&
                wa_sv_eq(a->text, b->text) &&
                wa_json_count(a->packages) == wa_json_count(b->packages);
    for (size_t i = 0; same && i < wa_json_count(a->packages); i++)
        same = wa_sv_eq(wa_json_sv(wa_json_at(a->packages, i)),
                        wa_json_sv(wa_json_at(b->packages, i)));
    return same;
}

static void show(struct wa_local_prepared *p, const struct wa_action *a)
{
    char count[32];
    (void)snprintf(count, sizeof count, "%zu", p->targets.count);
    wa_buf_adds(&p->title, wa_text(wa_action_kind_name(a->kind)));
    for (size_t i = 0; i < wa_json_count(a->packages) && i < 5; i++)
        wa_buf_addf(&p->title, " %.*s", WA_SV_ARG(wa_json_sv(wa_json_at(a->packages, i))));
    if (wa_json_count(a->packages) > 5)
        wa_buf_adds(&p->title, " ...");
    wa_local_say(p, wa_text("Action"), wa_sv(wa_text(wa_action_kind_name(a->kind))));
    for (size_t i = 0; i < wa_json_count(a->packages); i++)
        wa_local_say(p, wa_text("Package"), wa_json_sv(wa_json_at(a->packages, i)));
    if (a->text.n > 0 || a->kind == WA_ACT_DESCRIBE)
        wa_local_say(p, wa_text("Text"), a->text.n > 0 ? a->text : wa_sv(wa_text("none")));
    if (a->force)
        wa_local_say(p, wa_text("Force"), wa_sv(wa_text("yes")));
    if (a->only_if_not_running)
        wa_local_say(p, wa_text("Left out"), wa_sv(wa_text("packages whose programs run")));
    if (a->not_before > a->issued_at)
        wa_local_say_time(p, wa_text("Not before"), a->not_before);
    wa_local_say_time(p, wa_text("Not after"), a->not_after);
    wa_local_say(p, wa_text("Machines"), wa_sv(count));
}

/* Every text, read again: what it says is what is shown, and its machine the one of the list. */
static enum wa_code show_texts(struct wa_local_prepared *p, const struct wa_order_texts *t,
                               struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena first_arena;
    struct wa_action first = {.id = ""};
    wa_arena_init(&first_arena, 16u << 20);
    for (size_t i = 0; i < t->count; i++) {
        WA_AUTO_ARENA struct wa_arena arena;
        struct wa_action a;
        wa_arena_init(&arena, 16u << 20);
        if (wa_action_read(wa_buf_sv(&t->items[i]), i == 0 ? &first_arena : &arena, &a, err) !=
            WA_OK)
            return err->code;
        if (i == 0)
            first = a;
        if (!is_same(&first, &a) || strcmp(a.uuid, p->targets.items[i].uuid) != 0)
            return wa_fail(err, WA_E_INTERNAL, "the actions are not what was asked for");
    }
    show(p, &first);
    return WA_OK;
}

static enum wa_code prepare(struct wa_local_prepared *p, const struct wa_json *request,
                            struct wa_client *client, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    struct wa_order_plan plan = {.now = 0};
    const struct wa_json *hosts = NULL;
    wa_arena_init(&arena, 4u << 20);
    struct wa_order_texts *texts = wa_arena_alloc(&p->arena, 1, sizeof *texts);
    if (texts == NULL)
        return wa_nomem(err);
    p->own = texts;
    if (read_plan(request, &arena, &plan, &hosts, err) != WA_OK ||
        wa_local_targets(client, hosts, &p->targets, err) != WA_OK)
        return err->code;
    plan.targets = p->targets.items;
    plan.target_count = p->targets.count;
    if (wa_orders_write(&plan, texts, err) != WA_OK)
        return err->code;
    return show_texts(p, texts, err);
}

static enum wa_code commit(struct wa_local_prepared *p, const struct wa_signer *signer,
                           struct wa_client *client, struct wa_jw *w, struct wa_err *err)
{
    return wa_orders_send(p->own, signer, client, w, err);
}

static void discard(struct wa_local_prepared *p)
{
    if (p->own != NULL)
        wa_order_texts_fini(p->own);
}

const struct wa_local_kind wa_local_kind_actions = {.what = "actions",
                                                    .prepare = prepare,
                                                    .commit = commit,
                                                    .discard = discard,
                                                    .gesture = WA_LOCAL_GESTURE_ABOVE};

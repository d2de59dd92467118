/* kind_assign.c - what machines are assigned and must not have, changed for many at once; and what
 * an upgrade would do on one of them then.
 *
 * What the server has of each machine is verified before it is shown; what is signed is that, with
 * the changes that were shown, in place of that very file.
 */
#include "base/mem.h"
#include "console/assign.h"
#include "console/host_plan.h"
#include "console/local_kind.h"
#include "pkg/plan_json.h"

#define HOSTS_MAX 10000u
#define LINES_MAX 500u /* that are shown; the details have all */

struct assign {
    struct wa_assign_wish wish;
    struct wa_assign_hosts hosts;
    bool has_hosts;
};

static enum wa_code read_request(const struct wa_json *request, struct wa_arena *arena,
                                 struct wa_assign_wish *wish, const struct wa_json **ret_hosts,
                                 bool *ret_resigns, struct wa_err *err)
{
    struct wa_sv what, key;
    struct wa_local_lists lists = {.windows = {NULL, 0}};
    const struct wa_json_field fields[] = {{"what", WA_WANT_SV, true, 64, &what},
                                           {"key", WA_WANT_SV, false, 16, &key},
                                           {"hosts", WA_WANT_ARRAY, true, HOSTS_MAX, ret_hosts},
                                           WA_LOCAL_LISTS_FIELDS(&lists),
                                           {"resign", WA_WANT_BOOL, false, 0, ret_resigns}};
    if (wa_json_read(request, fields, WA_COUNT(fields), "the request", err) != WA_OK)
        return err->code;
    return wa_local_wish(&lists, arena, wish, err);
}

/* --- what is shown --- */

static void write_changes(struct wa_jw *w, const struct wa_assign_diff *d)
{
    wa_jw_key(w, "changes");
    wa_jw_arr(w);
    for (size_t k = 0; k < d->n; k++) {
        wa_jw_obj(w);
        wa_jw_kv(w, "kind", wa_attr_name(wa_assign_attr(d->items[k].list)));
        wa_jw_kv(w, "before", d->items[k].before);
        wa_jw_kv(w, "after", d->items[k].after);
        wa_jw_end(w);
    }
    wa_jw_end(w);
}

static void write_host(struct wa_jw *w, const struct wa_assign_host *h)
{
    wa_jw_obj(w);
    wa_jw_kv(w, "uuid", h->target->uuid);
    wa_jw_kv(w, "name", h->target->name);
    for (int k = 0; k < WA_ASSIGN_LISTS; k++)
        wa_jw_kv(w, wa_attr_name(wa_assign_attr((enum wa_assign_list)k)), h->diff.lists[k]);
    write_changes(w, &h->diff);
    wa_jw_kv(w, "code", wa_code_name(h->why.code));
    wa_jw_kv(w, "error", h->why.code == WA_OK ? NULL : h->why.text);
    wa_jw_end(w);
}

static void say_host(struct wa_local_prepared *p, const struct wa_assign_host *h)
{
    char text[2048];
    if (h->why.code != WA_OK) {
        (void)snprintf(text, sizeof text, wa_text("stays as it is: %s"), h->why.text);
        wa_local_say(p, h->target->name, wa_sv(text));
    }
    if (h->is_written && h->diff.n == 0)
        wa_local_say(p, h->target->name, wa_sv(wa_text("signed anew, as it is")));
    for (size_t k = 0; h->why.code == WA_OK && k < h->diff.n; k++) {
        const struct wa_assign_row *row = &h->diff.items[k];
        (void)snprintf(text, sizeof text, "%s: %s%s%s", wa_assign_word(row->list),
                       row->before != NULL ? row->before : "+", row->before != NULL ? " → " : " ",
                       row->after != NULL ? row->after : "-");
        wa_local_say(p, h->target->name, wa_sv(text));
    }
}

static enum wa_code show(struct wa_local_prepared *p, const struct assign *a, struct wa_err *err)
{
    struct wa_jw w;
    size_t changed = 0, said = 0;
    wa_jw_init(&w, &p->details);
    wa_jw_obj(&w);
    wa_jw_key(&w, "hosts");
    wa_jw_arr(&w);
    for (size_t i = 0; i < a->hosts.n; i++) {
        const struct wa_assign_host *h = &a->hosts.items[i];
        bool is_changed = h->why.code == WA_OK && h->is_written;
        changed += is_changed;
        write_host(&w, h);
        if ((is_changed || h->why.code != WA_OK) && said++ < LINES_MAX)
            say_host(p, h);
    }
    wa_jw_end(&w);
    wa_jw_kvi(&w, "changed", (int64_t)changed);
    wa_jw_end(&w);
    wa_buf_addf(&p->title,
                wa_text_n("change what %zu machine is assigned",
                          "change what %zu machines are assigned", changed),
                changed);
    return changed > 0 ? WA_OK
                       : wa_fail(err, WA_E_CONFLICT, "%s",
                                 a->hosts.n == 1 && a->hosts.items[0].why.code != WA_OK
                                     ? a->hosts.items[0].why.text
                                     : wa_text("nothing changes on any of these machines"));
}

static enum wa_code prepare(struct wa_local_prepared *p, const struct wa_json *request,
                            struct wa_client *client, struct wa_err *err)
{
    WA_AUTO(wa_trust) struct wa_trust *anchors = NULL;
    const struct wa_json *hosts = NULL;
    bool resigns = false;
    struct assign *a = wa_arena_alloc(&p->arena, 1, sizeof *a);
    if (a == NULL)
        return wa_nomem(err);
    *a = (struct assign){.has_hosts = false};
    p->own = a;
    if (read_request(request, &p->arena, &a->wish, &hosts, &resigns, err) != WA_OK ||
        wa_local_anchors(p, &anchors, err) != WA_OK ||
        wa_local_targets(client, hosts, &p->targets, err) != WA_OK)
        return err->code;
    a->has_hosts = true;
    if (wa_assign_hosts_init(&a->hosts, &p->targets, err) != WA_OK)
        return err->code;
    a->hosts.resigns = resigns;
    for (size_t i = 0; i < a->hosts.n; i++)
        if (wa_assign_look(&a->hosts, i, client, anchors, &a->wish, err) != WA_OK)
            return err->code;
    return show(p, a, err);
}

static enum wa_code commit(struct wa_local_prepared *p, const struct wa_signer *signer,
                           struct wa_client *client, struct wa_jw *w, struct wa_err *err)
{
    struct assign *a = p->own;
    size_t good = 0, bad = 0;
    wa_jw_key(w, "hosts");
    wa_jw_arr(w);
    for (size_t i = 0; i < a->hosts.n; i++) {
        struct wa_assign_host *h = &a->hosts.items[i];
        struct wa_err told = WA_ERR_INIT; /* in why, too */
        bool is_changed = h->why.code == WA_OK && h->is_written;
        (void)!wa_assign_put(&a->hosts, i, client, signer, &told);
        if (told.code == WA_E_AUTH) {
            *err = told;
            return err->code;
        }
        good += is_changed && h->why.code == WA_OK;
        bad += h->why.code != WA_OK;
        write_host(w, h);
    }
    wa_jw_end(w);
    wa_jw_kvi(w, "changed", (int64_t)good);
    wa_jw_kvi(w, "failed", (int64_t)bad);
    return WA_OK;
}

static void discard(struct wa_local_prepared *p)
{
    struct assign *a = p->own;
    if (a != NULL && a->has_hosts)
        wa_assign_hosts_fini(&a->hosts);
}

const struct wa_local_kind wa_local_kind_host_packages = {.what = "host-packages",
                                                          .prepare = prepare,
                                                          .commit = commit,
                                                          .discard = discard,
                                                          .gesture = WA_LOCAL_GESTURE_ABOVE};

/* --- the plan of one machine: nothing is signed --- */

static enum wa_code prepare_plan(struct wa_local_prepared *p, const struct wa_json *request,
                                 struct wa_client *client, struct wa_err *err)
{
    WA_AUTO(wa_trust) struct wa_trust *anchors = NULL;
    WA_AUTO(wa_host_plan) struct wa_host_plan *plan = NULL;
    struct wa_assign_wish wish = {.add = NULL};
    bool resigns = false;
    const struct wa_json *hosts = NULL;
    struct wa_jw w;
    if (read_request(request, &p->arena, &wish, &hosts, &resigns, err) != WA_OK ||
        wa_local_anchors(p, &anchors, err) != WA_OK ||
        wa_local_targets(client, hosts, &p->targets, err) != WA_OK)
        return err->code;
    if (p->targets.count != 1)
        return wa_fail(err, WA_E_INVALID, "a plan is of one machine");
    if (wa_host_plan_new(client, &p->targets.items[0], anchors, &wish, &plan, err) != WA_OK)
        return err->code;
    wa_buf_addf(&p->title, wa_text("plan %s"), p->targets.items[0].name);
    wa_jw_init(&w, &p->details);
    wa_jw_obj(&w);
    write_changes(&w, wa_host_plan_diff(plan));
    wa_jw_key(&w, "steps");
    wa_plan_write_steps(wa_host_plan_get(plan), &w);
    wa_jw_key(&w, "problems");
    wa_plan_write_problems(wa_host_plan_get(plan), &w);
    wa_jw_end(&w);
    return WA_OK;
}

static enum wa_code commit_plan(struct wa_local_prepared *p, const struct wa_signer *signer,
                                struct wa_client *client, struct wa_jw *w, struct wa_err *err)
{
    WA_UNUSED(p);
    WA_UNUSED(signer);
    WA_UNUSED(client);
    WA_UNUSED(w);
    return wa_fail(err, WA_E_INVALID, "a plan is only shown");
}

const struct wa_local_kind wa_local_kind_plan = {.what = "plan",
                                                 .prepare = prepare_plan,
                                                 .commit = commit_plan,
                                                 .gesture = WA_LOCAL_GESTURE_NEVER};

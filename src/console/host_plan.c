/* host_plan.c - the state of a machine from what the server knows of it, and the plan that its
 * agent would make of it.
 *
 * A prediction: the machine said what it has at its last report, and what its configuration alone
 * holds is not known here. Signatures are judged as the machine would, by the anchors given; what
 * is left out for that is told as such.
 */
#include "console/host_plan.h"

#include "base/date.h"
#include "base/mem.h"
#include "codec/csv.h"
#include "console/intake.h"
#include "os/clock.h"
#include "pkg/plan_json.h"
#include "pkg/windows.h"

#define STATE_BYTES_MAX (256u << 20) /* bytes: what a machine says, as a tree, and texts of it */

struct wa_host_plan {
    struct wa_arena arena;
    struct wa_index index;
    struct {
        WA_VEC(struct wa_control);
    } refused; /* of the index, by nobody who is trusted */
    struct {
        WA_VEC(const char *);
    } refused_why;
    const char **left_out;        /* by number of available; in the arena */
    struct wa_control *available; /* borrowed items: of index, refused, and own */
    struct {
        WA_VEC(struct wa_installed);
    } installed;
    struct wa_host_caps caps;
    const char *names[WA_ASSIGNED_MAX];
    size_t name_count;
    struct wa_buf holds;
    struct wa_targets target;
    struct wa_assign_hosts own;
    struct wa_control next; /* its own package after the change; empty: none */
    struct wa_plan plan;
    enum wa_code lost;
};

/* --- what the machine said --- */

/* An array of texts as a comma list. */
static const char *list_of(struct wa_host_plan *p, const struct wa_json *caps, const char *key)
{
    WA_AUTO_BUF struct wa_buf out;
    const struct wa_json *list = wa_json_get(caps, key);
    wa_buf_init(&out, 64u << 10);
    for (size_t i = 0; i < wa_json_count(list); i++) {
        struct wa_sv item = wa_json_sv(wa_json_at(list, i));
        wa_buf_addf(&out, "%s%.*s", i > 0 ? "," : "", WA_SV_ARG(item));
    }
    return wa_arena_strdup(&p->arena, wa_buf_sv(&out)); /* NULL restricts nothing; is checked */
}

static enum wa_code read_names(struct wa_host_plan *p, const struct wa_json *caps,
                               struct wa_err *err)
{
    const struct wa_json *names = wa_json_get(caps, "host_packages_names");
    const char *uuid = p->target.items[0].uuid;
    bool has_own = false, uses_own = wa_json_bool(wa_json_get(caps, "use_host_packages"));
    for (size_t i = 0; i < wa_json_count(names) && p->name_count + 1 < WA_ASSIGNED_MAX; i++) {
        const char *name = wa_arena_strdup(&p->arena, wa_json_sv(wa_json_at(names, i)));
        if (name == NULL)
            return wa_nomem(err);
        has_own = has_own || strcmp(name, uuid) == 0;
        p->names[p->name_count++] = name;
    }
    if (!has_own && uses_own)
        p->names[p->name_count++] = uuid;
    return WA_OK;
}

static enum wa_code read_caps(struct wa_host_plan *p, const struct wa_json *caps,
                              struct wa_err *err)
{
    const struct {
        const char *key, **where;
        bool is_list;
    } all[] = {{"os", &p->caps.os, false},
               {"os_version", &p->caps.os_version, false},
               {"architecture", &p->caps.architecture, false},
               {"wapt_version", &p->caps.wapt_version, false},
               {"packages_locales", &p->caps.locales, true},
               {"packages_maturities", &p->caps.maturities, true},
               {"packages_blacklist", &p->caps.blacklist, true},
               {"packages_whitelist", &p->caps.whitelist, true}};
    if (!wa_json_is(caps, WA_JSON_OBJECT))
        return wa_fail(err, WA_E_NOT_FOUND, "the machine has not told yet what it is");
    for (size_t i = 0; i < WA_COUNT(all); i++) {
        *all[i].where = all[i].is_list
                            ? list_of(p, caps, all[i].key)
                            : wa_arena_strdup(&p->arena, wa_json_sv(wa_json_get(caps, all[i].key)));
        if (*all[i].where == NULL)
            return wa_nomem(err);
    }
    wa_date_isolocal(wa_clock_now(), 0, p->caps.now);
    return read_names(p, caps, err);
}

static enum wa_code read_host(struct wa_host_plan *p, struct wa_client *c, struct wa_err *err)
{
    const struct wa_json *j = NULL;
    char path[WA_UUID_MAX + 32];
    (void)snprintf(path, sizeof path, "/api/v1/hosts/%s", p->target.items[0].uuid);
    if (wa_client_call(c, "GET", path, WA_SV(""), &p->arena, &j, err) != WA_OK ||
        read_caps(p, wa_json_get(j, "host_capabilities"), err) != WA_OK)
        return err->code;
    const struct wa_json *list = wa_json_get(j, "installed_packages");
    for (size_t i = 0; i < wa_json_count(list); i++) {
        struct wa_installed *slot = WA_VEC_PUSH(&p->installed);
        if (slot == NULL)
            return wa_nomem(err);
        if (wa_installed_read_json(wa_json_at(list, i), slot, err) != WA_OK)
            return wa_wrap(err, "what the machine says of its packages");
    }
    return WA_OK;
}

/* --- what there is --- */

static void refuse(void *user, const struct wa_control *c, const struct wa_err *why)
{
    struct wa_host_plan *p = user;
    struct wa_err err = WA_ERR_INIT;
    struct wa_control *slot = WA_VEC_PUSH(&p->refused);
    const char **text = WA_VEC_PUSH(&p->refused_why);
    if (slot != NULL)
        wa_control_init(slot);
    if (slot == NULL || text == NULL || wa_control_copy(c, slot, &err) != WA_OK ||
        (*text = wa_arena_strdup(&p->arena, wa_sv(why->text))) == NULL)
        p->lost = WA_E_NOMEM;
}

static enum wa_code read_index(struct wa_host_plan *p, struct wa_client *c,
                               struct wa_trust *anchors, struct wa_err *err)
{
    size_t gone = 0;
    if (wa_intake_index(c, "/wapt", &p->index, err) != WA_OK)
        return wa_wrap(err, "the index of the server");
    if (wa_index_keep_trusted(&p->index, anchors, wa_clock_now(), NULL, refuse, p, &gone, err) !=
        WA_OK)
        return err->code;
    return p->lost == WA_OK ? WA_OK : wa_nomem(err);
}

/* The machine's own package, as it would be. */
static enum wa_code read_own(struct wa_host_plan *p, struct wa_client *c,
                             const struct wa_trust *anchors, const struct wa_assign_wish *wish,
                             struct wa_err *err)
{
    static const struct wa_assign_wish nothing = {.add = NULL};
    const struct wa_assign_host *host = NULL;
    if (wa_assign_hosts_init(&p->own, &p->target, err) != WA_OK ||
        wa_assign_look(&p->own, 0, c, anchors, wish != NULL ? wish : &nothing, err) != WA_OK)
        return err->code;
    host = &p->own.items[0];
    if (host->why.code != WA_OK) {
        *err = host->why;
        return err->code;
    }
    bool is_there = wa_control_get(&host->current, WA_A_PACKAGE)[0] != '\0';
    if (!is_there && host->diff.n == 0)
        return WA_OK;
    if ((is_there ? wa_control_copy(&host->current, &p->next, err)
                  : wa_assign_new_host(host->target->uuid, &p->next, err)) != WA_OK ||
        host->diff.n == 0)
        return err->code;
    for (int k = 0; k < WA_ASSIGN_LISTS; k++)
        if (wa_control_set(&p->next, wa_assign_attr((enum wa_assign_list)k),
                           wa_sv(host->diff.lists[k]), err) != WA_OK)
            return err->code;
    return wa_control_set(&p->next, WA_A_VERSION, wa_sv(host->version), err);
}

/* --- what is held: by its own packages, and by groups that it has --- */

static bool is_own_name(const struct wa_host_plan *p, const char *name)
{
    for (size_t i = 0; i < p->name_count; i++)
        if (strcmp(p->names[i], name) == 0)
            return true;
    return false;
}

static void hold(struct wa_host_plan *p, const struct wa_control *c)
{
    const char *held = wa_control_get(c, WA_A_PACKAGES_HELD);
    struct wa_err ignored = WA_ERR_INIT; /* as on the machine */
    if (held[0] != '\0' && wa_plan_hold_check(held, &ignored) == WA_OK)
        wa_buf_addf(&p->holds, "%s%s", p->holds.n > 0 ? "," : "", held);
}

static enum wa_code find_holds(struct wa_host_plan *p, struct wa_err *err)
{
    hold(p, &p->next);
    for (size_t i = 0; i < p->index.n; i++) {
        const struct wa_control *c = &p->index.items[i];
        if (wa_is_policy_section(wa_control_get(c, WA_A_SECTION)) &&
            is_own_name(p, wa_control_get(c, WA_A_PACKAGE)) && wa_host_accepts(&p->caps, c, NULL))
            hold(p, c);
    }
    for (size_t i = 0; i < p->installed.n; i++) {
        const struct wa_control *c = &p->installed.items[i].control;
        if (wa_is_policy_section(wa_control_get(c, WA_A_SECTION)) &&
            !is_own_name(p, wa_control_get(c, WA_A_PACKAGE)))
            hold(p, c);
    }
    return wa_buf_check(&p->holds, err);
}

/* --- the plan --- */

static enum wa_code make(struct wa_host_plan *p, struct wa_err *err)
{
    bool has_own = wa_control_get(&p->next, WA_A_PACKAGE)[0] != '\0';
    size_t n = 0, count = p->index.n + p->refused.n + has_own;
    p->available = wa_calloc(count + 1, sizeof *p->available);
    p->left_out = wa_arena_alloc(&p->arena, count + 1, sizeof *p->left_out);
    if (p->available == NULL || p->left_out == NULL)
        return wa_nomem(err);
    memset(p->left_out, 0, (count + 1) * sizeof *p->left_out);
    for (size_t i = 0; i < p->index.n; i++)
        p->available[n++] = p->index.items[i];
    for (size_t i = 0; i < p->refused.n; i++, n++) {
        p->available[n] = p->refused.items[i];
        p->left_out[n] = p->refused_why.items[i];
    }
    if (has_own)
        p->available[n++] = p->next;
    const struct wa_plan_input in = {.available = p->available,
                                     .available_count = n,
                                     .installed = p->installed.items,
                                     .installed_count = p->installed.n,
                                     .host = &p->caps,
                                     .left_out = p->left_out,
                                     .holds = wa_buf_str(&p->holds)};
    return wa_plan_upgrade(&in, p->names, p->name_count, &p->plan, err);
}

enum wa_code wa_host_plan_new(struct wa_client *c, const struct wa_target *host,
                              struct wa_trust *anchors, const struct wa_assign_wish *wish,
                              struct wa_host_plan **ret, struct wa_err *err)
{
    WA_AUTO(wa_host_plan) struct wa_host_plan *p = wa_calloc(1, sizeof *p);
    if (p == NULL)
        return wa_nomem(err);
    wa_arena_init(&p->arena, STATE_BYTES_MAX);
    wa_index_init(&p->index);
    wa_buf_init(&p->holds, WA_HOLDS_BYTES_MAX);
    wa_control_init(&p->next);
    wa_plan_init(&p->plan);
    p->target.items = wa_calloc(1, sizeof *p->target.items);
    if (p->target.items == NULL)
        return wa_nomem(err);
    p->target.items[0] = *host;
    p->target.count = 1;
    if (read_host(p, c, err) != WA_OK || read_index(p, c, anchors, err) != WA_OK ||
        read_own(p, c, anchors, wish, err) != WA_OK || find_holds(p, err) != WA_OK ||
        make(p, err) != WA_OK)
        return err->code;
    *ret = WA_TAKE(p);
    return WA_OK;
}

void wa_host_plan_free(struct wa_host_plan *p)
{
    if (p == NULL)
        return;
    wa_plan_fini(&p->plan);
    wa_free(p->available);
    for (size_t i = 0; i < p->refused.n; i++)
        wa_control_fini(&p->refused.items[i]);
    WA_VEC_FREE(&p->refused);
    WA_VEC_FREE(&p->refused_why);
    for (size_t i = 0; i < p->installed.n; i++)
        wa_control_fini(&p->installed.items[i].control);
    WA_VEC_FREE(&p->installed);
    wa_index_fini(&p->index);
    wa_control_fini(&p->next);
    wa_assign_hosts_fini(&p->own);
    wa_targets_fini(&p->target);
    wa_buf_fini(&p->holds);
    wa_arena_fini(&p->arena);
    wa_free(p);
}

const struct wa_plan *wa_host_plan_get(const struct wa_host_plan *p)
{
    return &p->plan;
}

const struct wa_assign_diff *wa_host_plan_diff(const struct wa_host_plan *p)
{
    return &p->own.items[0].diff;
}

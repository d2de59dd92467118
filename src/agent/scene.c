/* scene.c - what a plan is made from: packages, installed ones, the machine's properties, its own
 * packages, what is held. Read anew for each plan. */
#include "agent/scene.h"

#include "base/mem.h"
#include "pkg/windows.h"

void wa_scene_fini(struct wa_scene *s)
{
    wa_available_fini(&s->available);
    wa_installed_list_fini(&s->installed);
    wa_free(s->bare);
    wa_buf_fini(&s->holds);
    wa_buf_fini(&s->windows);
    wa_buf_fini(&s->freezes);
    wa_buf_fini(&s->policies);
    wa_arena_fini(&s->arena);
}

/* --- what packages say of windows, freezes and holds --- */

static enum wa_code append(struct wa_buf *list, const char *more, struct wa_err *err)
{
    wa_buf_addf(list, "%s%s", list->n > 0 ? "," : "", more);
    return wa_buf_check(list, err);
}

static enum wa_code parse_windows(struct wa_sv text, struct wa_err *err)
{
    struct wa_windows ignored;
    return wa_windows_parse(text, &ignored, err);
}

static enum wa_code parse_freezes(struct wa_sv text, struct wa_err *err)
{
    struct wa_freezes ignored;
    return wa_freezes_parse(text, &ignored, err);
}

/* One package's times, if they and the list as a whole can be read; else *why. */
static enum wa_code add_times(struct wa_buf *list, const char *more,
                              enum wa_code (*parse)(struct wa_sv, struct wa_err *),
                              struct wa_err *why, struct wa_err *err)
{
    size_t length = list->n;
    if (why->code != WA_OK || more[0] == '\0')
        return WA_OK;
    if (list->n + strlen(more) + 2 >= WA_WINDOWS_BYTES_MAX) {
        (void)wa_fail(why, WA_E_LIMIT, "the times of all packages together are too long");
        return WA_OK;
    }
    if (append(list, more, err) != WA_OK)
        return err->code;
    if (parse(wa_buf_sv(list), why) != WA_OK)
        list->n = length;
    return WA_OK;
}

/* What of one package counts. */
static void note_policy(struct wa_scene *s, const char *by, const char *holds, const char *windows,
                        const char *freezes)
{
    struct wa_jw w;
    if (holds[0] == '\0' && windows[0] == '\0' && freezes[0] == '\0')
        return;
    if (s->policies.n > 0)
        wa_buf_addc(&s->policies, ',');
    wa_jw_init(&w, &s->policies);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "by", by);
    wa_jw_kv(&w, "holds", holds);
    wa_jw_kv(&w, "windows", windows);
    wa_jw_kv(&w, "freezes", freezes);
    wa_jw_end(&w);
}

/* Of one package; what can't be read, or is too much, is told and does not count: it must not stop
 * all upgrades. */
static enum wa_code add_policy(const struct wa_manager *m, struct wa_scene *s,
                               const struct wa_control *c, struct wa_err *err)
{
    const char *held = wa_control_get(c, WA_A_PACKAGES_HELD);
    const char *windows = wa_control_get(c, WA_A_MAINTENANCE_WINDOWS);
    const char *freezes = wa_control_get(c, WA_A_FREEZE_PERIODS);
    size_t had_holds = s->holds.n, had_windows = s->windows.n, had_freezes = s->freezes.n;
    struct wa_err why = WA_ERR_INIT;
    if (held[0] != '\0' && wa_plan_hold_check(held, &why) == WA_OK &&
        append(&s->holds, held, err) != WA_OK)
        return err->code;
    if (add_times(&s->windows, windows, parse_windows, &why, err) != WA_OK ||
        add_times(&s->freezes, freezes, parse_freezes, &why, err) != WA_OK)
        return err->code;
    note_policy(s, wa_control_get(c, WA_A_PACKAGE), s->holds.n > had_holds ? held : "",
                s->windows.n > had_windows ? windows : "",
                s->freezes.n > had_freezes ? freezes : "");
    if (why.code != WA_OK)
        wa_log(&m->log, WA_LOG_WARNING, "policy.ignored",
               WA_LF_S("package", wa_control_get(c, WA_A_PACKAGE)), WA_LF_S("why", why.text));
    return wa_buf_check(&s->policies, err);
}

/* The best of those available under a name of the machine's own; NULL: none. */
static const struct wa_control *own_available(const struct wa_scene *s, const char *name)
{
    const struct wa_control *best = NULL;
    for (size_t i = 0; i < s->available.n; i++) {
        const struct wa_control *c = &s->available.items[i];
        if (wa_is_policy_section(wa_control_get(c, WA_A_SECTION)) &&
            strcmp(wa_control_get(c, WA_A_PACKAGE), name) == 0 &&
            wa_host_accepts(&s->caps, c, NULL) &&
            (best == NULL || wa_candidate_cmp(&s->caps, c, best) >= 0))
            best = c;
    }
    return best;
}

static bool is_own(const struct wa_scene *s, const char *name)
{
    for (size_t i = 0; i < s->assigned.n; i++)
        if (strcmp(s->assigned.names[i], name) == 0)
            return true;
    return false;
}

/* The machine's own packages count as soon as they are known, before they are installed: a hold
 * must come before what it holds. Groups count once they are installed. */
static enum wa_code add_policies(const struct wa_manager *m, struct wa_scene *s, struct wa_err *err)
{
    for (size_t i = 0; i < s->assigned.n; i++) {
        const struct wa_control *c = own_available(s, s->assigned.names[i]);
        if (c != NULL && add_policy(m, s, c, err) != WA_OK)
            return err->code;
    }
    for (size_t i = 0; i < s->installed.n; i++) {
        const struct wa_installed *p = &s->installed.items[i].base;
        const char *name = wa_control_get(&p->control, WA_A_PACKAGE);
        bool is_there = strcmp(p->status, "OK") == 0 || strcmp(p->status, "UNKNOWN") == 0;
        if (!is_there || !wa_is_policy_section(wa_control_get(&p->control, WA_A_SECTION)) ||
            (is_own(s, name) && own_available(s, name) != NULL))
            continue;
        if (add_policy(m, s, &p->control, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

/* --- loading --- */

enum wa_code wa_scene_load(struct wa_manager *m, struct wa_scene *s, struct wa_err *err)
{
    *s = (struct wa_scene){.bare = NULL};
    wa_arena_init(&s->arena, WA_SCENE_BYTES_MAX);
    wa_buf_init(&s->holds, WA_HOLDS_BYTES_MAX);
    wa_buf_init(&s->windows, WA_WINDOWS_BYTES_MAX);
    wa_buf_init(&s->freezes, WA_WINDOWS_BYTES_MAX);
    wa_buf_init(&s->policies, WA_POLICIES_BYTES_MAX);
    if (wa_available_load(m->tdb, &s->available, err) != WA_OK ||
        wa_installed_load(m->tdb, NULL, &s->installed, err) != WA_OK ||
        wa_assigned_load(m, m->tdb, &s->arena, &s->assigned, err) != WA_OK)
        return err->code;
    s->bare = wa_calloc(s->installed.n, sizeof s->bare[0]);
    if (s->bare == NULL)
        return wa_nomem(err);
    for (size_t i = 0; i < s->installed.n; i++)
        s->bare[i] = s->installed.items[i].base; /* borrowed: the list frees them */
    wa_manager_caps(m, &s->caps);
    wa_buf_adds(&s->holds, m->config.held);
    s->package_holds = s->holds.n;
    if (wa_buf_check(&s->holds, err) != WA_OK || add_policies(m, s, err) != WA_OK)
        return wa_wrap(err, "what is held");
    s->in = (struct wa_plan_input){.available = s->available.items,
                                   .available_count = s->available.n,
                                   .installed = s->bare,
                                   .installed_count = s->installed.n,
                                   .host = &s->caps,
                                   .holds = wa_buf_str(&s->holds)};
    return WA_OK;
}

enum wa_code wa_scene_hold(struct wa_scene *s, const char *package, struct wa_err *err)
{
    if (append(&s->holds, package, err) != WA_OK)
        return wa_wrap(err, "holding '%s'", package);
    s->in.holds = wa_buf_str(&s->holds);
    return WA_OK;
}

enum wa_code wa_scene_upgrade(const struct wa_scene *s, struct wa_plan *plan, struct wa_err *err)
{
    return wa_plan_upgrade(&s->in, s->assigned.names, s->assigned.n, plan, err);
}

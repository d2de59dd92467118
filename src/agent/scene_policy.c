/* scene_policy.c - which packages say when this machine changes and what it holds, and what they
 * say: its own ones and the groups that these name, as soon as they are known, since a hold must
 * come before what it holds; and whatever else is installed that only assigns.
 */
#include "agent/scene.h"

#include "base/mem.h"
#include "codec/csv.h"
#include "pkg/windows.h"

/* --- what one package says --- */

static enum wa_code append(struct wa_buf *list, const char *more, struct wa_err *err)
{
    wa_buf_addf(list, "%s%s", list->n > 0 ? "," : "", more);
    return wa_buf_check(list, err);
}

/* One package's holds, if they can be read, and the list has room for them; else *why. */
static enum wa_code add_holds(struct wa_buf *list, const char *more, struct wa_err *why,
                              struct wa_err *err)
{
    if (more[0] == '\0' || wa_plan_hold_check(more, why) != WA_OK)
        return WA_OK;
    if (list->n + strlen(more) + 2 >= WA_HOLDS_BYTES_MAX) {
        (void)wa_fail(why, WA_E_LIMIT, "the holds of all packages together are too long");
        return WA_OK;
    }
    return append(list, more, err);
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
    if (add_holds(&s->holds, held, &why, err) != WA_OK)
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

/* --- which packages --- */

/* Those whose word counts, one of each name; it grows at its end while they are gone through. */
struct members {
    const struct wa_control **known; /* of repositories: suit this machine, only assign; owned */
    size_t known_count;
    WA_VEC(const struct wa_control *);
};

static enum wa_code find_known(const struct wa_scene *s, struct members *k, struct wa_err *err)
{
    k->known = wa_calloc(s->available.n + 1, sizeof *k->known);
    if (k->known == NULL)
        return wa_nomem(err);
    for (size_t i = 0; i < s->available.n; i++) {
        const struct wa_control *c = &s->available.items[i];
        if (wa_is_policy_section(wa_control_get(c, WA_A_SECTION)) &&
            wa_host_accepts(&s->caps, c, NULL))
            k->known[k->known_count++] = c;
    }
    return WA_OK;
}

/* The best that meets it; NULL: none. */
static const struct wa_control *best(const struct wa_scene *s, const struct members *k,
                                     const struct wa_request *r)
{
    const struct wa_control *found = NULL;
    for (size_t i = 0; i < k->known_count; i++)
        if (wa_request_matches(r, k->known[i]) &&
            (found == NULL || wa_candidate_cmp(&s->caps, k->known[i], found) >= 0))
            found = k->known[i];
    return found;
}

static bool is_member(const struct members *k, const char *name)
{
    for (size_t i = 0; i < k->n; i++)
        if (strcmp(wa_control_get(k->items[i], WA_A_PACKAGE), name) == 0)
            return true;
    return false;
}

static enum wa_code join(struct members *k, const struct wa_control *c, struct wa_err *err)
{
    if (is_member(k, wa_control_get(c, WA_A_PACKAGE)))
        return WA_OK;
    const struct wa_control **slot = WA_VEC_PUSH(k);
    if (slot == NULL)
        return wa_nomem(err);
    *slot = c;
    return WA_OK;
}

static bool is_installed(const struct wa_installed *p)
{
    return (strcmp(p->status, "OK") == 0 || strcmp(p->status, "UNKNOWN") == 0) &&
           wa_is_policy_section(wa_control_get(&p->control, WA_A_SECTION));
}

/* What is installed under that name and only assigns; NULL: nothing. */
static const struct wa_control *find_installed(const struct wa_scene *s, const char *name)
{
    for (size_t i = 0; i < s->installed.n; i++) {
        const struct wa_installed *p = &s->installed.items[i].base;
        if (strcmp(wa_control_get(&p->control, WA_A_PACKAGE), name) == 0 && is_installed(p))
            return &p->control;
    }
    return NULL;
}

static enum wa_code join_own(const struct wa_scene *s, struct members *k, struct wa_err *err)
{
    for (size_t i = 0; i < s->assigned.n; i++) {
        struct wa_request r = {.op = ""};
        (void)snprintf(r.package, sizeof r.package, "%s", s->assigned.names[i]);
        const struct wa_control *c = best(s, k, &r);
        if (c == NULL)
            c = find_installed(s, s->assigned.names[i]);
        if (c != NULL && join(k, c, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

/* What a member names, if it only assigns too. What can't be read names nothing. */
static enum wa_code join_named(const struct wa_scene *s, struct members *k, size_t at,
                               struct wa_err *err)
{
    struct wa_sv rest = wa_sv(wa_control_get(k->items[at], WA_A_DEPENDS)), item;
    while (wa_csv_next(&rest, &item)) {
        struct wa_request r;
        struct wa_err ignored = WA_ERR_INIT;
        const struct wa_control *c =
            wa_request_parse(item, &r, &ignored) == WA_OK ? best(s, k, &r) : NULL;
        if (c != NULL && join(k, c, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

static enum wa_code join_all(const struct wa_scene *s, struct members *k, struct wa_err *err)
{
    if (join_own(s, k, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < k->n; i++)
        if (join_named(s, k, i, err) != WA_OK)
            return err->code;
    for (size_t i = 0; i < s->installed.n; i++) {
        const struct wa_installed *p = &s->installed.items[i].base;
        if (is_installed(p) && join(k, &p->control, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

enum wa_code wa_scene_policies(const struct wa_manager *m, struct wa_scene *s, struct wa_err *err)
{
    struct members k = {.known = NULL};
    if (find_known(s, &k, err) == WA_OK && join_all(s, &k, err) == WA_OK)
        for (size_t i = 0; i < k.n && err->code == WA_OK; i++)
            (void)add_policy(m, s, k.items[i], err);
    WA_VEC_FREE(&k);
    wa_free(k.known);
    return err->code;
}

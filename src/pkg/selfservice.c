/* selfservice.c - reading and joining the rules of self-service packages.
 *
 * Strict: what is not known is refused, since a condition that is passed over would give a right
 * away. A text is looked through as a whole before anything of it counts.
 */
#include "pkg/selfservice.h"

#include "base/mem.h"
#include "codec/csv.h"
#include "os/rand.h"

struct listing {
    bool by[WA_SELF_GROUPS_MAX]; /* which groups list the package */
};

enum wa_code wa_self_rules_init(struct wa_self_rules *r, struct wa_err *err)
{
    *r = (struct wa_self_rules){.group_count = 0};
    wa_arena_init(&r->arena, WA_SELF_MEMORY_MAX);
    return wa_rand_map(&r->packages, err);
}

void wa_self_rules_fini(struct wa_self_rules *r)
{
    wa_map_fini(&r->packages);
    wa_arena_fini(&r->arena);
}

/* --- is it one --- */

static bool is_name(struct wa_sv s, const char *forbidden)
{
    if (s.n == 0 || s.n > WA_NAME_MAX)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f || strchr(forbidden, s.p[i]) != NULL)
            return false;
    return wa_sv_trim(s).n == s.n;
}

static bool is_package(struct wa_sv s)
{
    return is_name(s, " ,()<>=/\\*?[]");
}

static struct wa_sv package_at(const struct wa_json *list, size_t i)
{
    return wa_json_is(list, WA_JSON_ARRAY) ? wa_json_sv(wa_json_at(list, i))
                                           : wa_json_key_at(list, i);
}

static enum wa_code check_group(struct wa_sv group, const struct wa_json *list, struct wa_err *err)
{
    bool is_array = wa_json_is(list, WA_JSON_ARRAY);
    if (!is_name(group, "") || (!is_array && !wa_json_is(list, WA_JSON_OBJECT)))
        return wa_fail(err, WA_E_INVALID,
                       "'%.*s' is no group with an object, or a list, of packages",
                       WA_SV_ARG(group));
    for (size_t i = 0; i < wa_json_count(list); i++) {
        const struct wa_json *item = wa_json_at(list, i);
        if (!wa_json_is(item, is_array ? WA_JSON_STRING : WA_JSON_NULL) ||
            !is_package(package_at(list, i)))
            return wa_fail(err, WA_E_INVALID,
                           "group '%.*s': what is listed must be names of packages, each with "
                           "null, without version or pattern",
                           WA_SV_ARG(group));
    }
    return WA_OK;
}

/* The group's place; group_count for a new one. */
static size_t place_of(const struct wa_self_rules *r, struct wa_sv group)
{
    size_t i = 0;
    while (i < r->group_count && !wa_sv_ieqs(group, r->groups[i]))
        i++;
    return i;
}

static enum wa_code check(const struct wa_self_rules *r, const struct wa_json *j,
                          struct wa_err *err)
{
    size_t groups = r->group_count, packages = r->packages.n;
    if (!wa_json_is(j, WA_JSON_OBJECT))
        return wa_fail(err, WA_E_INVALID, "the rules are no object of groups");
    for (size_t i = 0; i < wa_json_count(j); i++) {
        if (check_group(wa_json_key_at(j, i), wa_json_at(j, i), err) != WA_OK)
            return err->code;
        groups += place_of(r, wa_json_key_at(j, i)) == r->group_count ? 1 : 0;
        packages += wa_json_count(wa_json_at(j, i));
    }
    if (groups > WA_SELF_GROUPS_MAX || packages > WA_SELF_PACKAGES_MAX)
        return wa_fail(err, WA_E_LIMIT, "more than %u groups or %u packages are in the rules",
                       WA_SELF_GROUPS_MAX, WA_SELF_PACKAGES_MAX);
    return WA_OK;
}

/* --- joining --- */

static enum wa_code add_package(struct wa_self_rules *r, size_t group, struct wa_sv name,
                                struct wa_err *err)
{
    struct listing *l = wa_map_get(&r->packages, name);
    if (l == NULL) {
        void *old = NULL;
        l = wa_arena_alloc(&r->arena, 1, sizeof *l);
        if (l == NULL)
            return wa_nomem(err);
        *l = (struct listing){{false}};
        if (wa_map_put(&r->packages, name, l, &old, err) != WA_OK)
            return err->code;
    }
    l->by[group] = true;
    return WA_OK;
}

static enum wa_code add_group(struct wa_self_rules *r, struct wa_sv group,
                              const struct wa_json *list, struct wa_err *err)
{
    size_t at = place_of(r, group);
    if (at == r->group_count) {
        r->groups[at] = wa_arena_strdup(&r->arena, group);
        if (r->groups[at] == NULL)
            return wa_nomem(err);
        r->group_count++;
    }
    for (size_t i = 0; i < wa_json_count(list); i++)
        if (add_package(r, at, package_at(list, i), err) != WA_OK)
            return err->code;
    return WA_OK;
}

enum wa_code wa_self_rules_add(struct wa_self_rules *r, struct wa_sv json, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, WA_SELF_MEMORY_MAX);
    if (json.n > WA_SELF_BYTES_MAX)
        return wa_fail(err, WA_E_LIMIT, "the rules are longer than %u bytes", WA_SELF_BYTES_MAX);
    if (wa_json_parse(json, 0, &arena, &j, err) != WA_OK || check(r, j, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < wa_json_count(j); i++)
        if (add_group(r, wa_json_key_at(j, i), wa_json_at(j, i), err) != WA_OK)
            return err->code;
    return WA_OK;
}

enum wa_code wa_self_rules_add_typed(struct wa_self_rules *r, const char *text, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf json;
    struct wa_jw w;
    struct wa_sv rest = wa_sv(text), group = rest, item;
    wa_buf_init(&json, WA_SELF_BYTES_MAX);
    if (!wa_sv_split(&rest, '=', &group))
        group = wa_sv(text);
    wa_jw_init(&w, &json);
    wa_jw_obj(&w);
    wa_jw_keysv(&w, wa_sv_trim(group));
    wa_jw_arr(&w);
    while (wa_csv_next(&rest, &item))
        wa_jw_sv(&w, item);
    wa_jw_end(&w);
    wa_jw_end(&w);
    return wa_buf_check(&json, err) == WA_OK ? wa_self_rules_add(r, wa_buf_sv(&json), err)
                                             : err->code;
}

/* --- asking --- */

bool wa_self_rules_allow(const struct wa_self_rules *r, const bool *in, struct wa_sv package)
{
    const struct listing *l = wa_map_get(&r->packages, package);
    for (size_t i = 0; l != NULL && i < r->group_count; i++)
        if (l->by[i] && in[i])
            return true;
    return false;
}

void wa_self_rules_write(const struct wa_self_rules *r, struct wa_jw *w)
{
    wa_jw_obj(w);
    for (size_t g = 0; g < r->group_count; g++) {
        wa_jw_key(w, r->groups[g]);
        wa_jw_obj(w);
        for (size_t i = 0; i < r->packages.n; i++) {
            const struct wa_map_item *item = &r->packages.items[i];
            const struct listing *l = item->value;
            if (!l->by[g])
                continue;
            wa_jw_keysv(w, wa_sv_n(item->key, item->key_n));
            wa_jw_null(w);
        }
        wa_jw_end(w);
    }
    wa_jw_end(w);
}

bool wa_self_is_offered(const char *section)
{
    static const char *const hidden[] = {"host",        "unit", "profile", "restricted",
                                         "selfservice", "wsus", "waptwua"};
    for (size_t i = 0; i < WA_COUNT(hidden); i++)
        if (strcmp(section, hidden[i]) == 0)
            return false;
    return true;
}

/* login_directory.c - the directory's groups as roles and perimeters, and its answer about a login.
 *
 * The first entry of the map counts whose group the person is in; who is in none does not log in.
 */
#include "server/login_directory.h"

#include "codec/csv.h"
#include "net/ldap.h"
#include "server/rights.h"

void wa_role_map_init(struct wa_role_map *m)
{
    *m = (struct wa_role_map){.n = 0};
    wa_arena_init(&m->arena, 1u << 20);
}

void wa_role_map_fini(struct wa_role_map *m)
{
    wa_arena_fini(&m->arena);
}

static void write_list(struct wa_jw *w, const char *key, const char *kind, struct wa_sv text)
{
    struct wa_sv one, name;
    wa_jw_key(w, key);
    wa_jw_arr(w);
    while (wa_sv_split(&text, '+', &one)) {
        name = one;
        struct wa_sv type;
        if (wa_sv_split(&name, '=', &type) && wa_sv_eqs(type, kind))
            wa_jw_sv(w, name);
    }
    wa_jw_end(w);
}

static bool has_kinds_only(struct wa_sv text)
{
    struct wa_sv one, type;
    while (wa_sv_split(&text, '+', &one)) {
        if (!wa_sv_split(&one, '=', &type) || one.n == 0 ||
            (!wa_sv_eqs(type, "group") && !wa_sv_eqs(type, "profile") && !wa_sv_eqs(type, "unit")))
            return false;
    }
    return true;
}

/* "group=sales+unit=OU=paris_DC=example" in its JSON form; "" for none. */
static enum wa_code read_perimeter(struct wa_role_map *m, struct wa_sv text, const char **ret,
                                   struct wa_err *err)
{
    WA_AUTO_PERIMETER struct wa_perimeter p;
    WA_AUTO_BUF struct wa_buf json;
    WA_AUTO_BUF struct wa_buf form;
    struct wa_jw w;
    wa_perimeter_init(&p);
    wa_buf_init(&json, WA_PERIMETER_BYTES_MAX);
    wa_buf_init(&form, WA_PERIMETER_BYTES_MAX);
    if (!has_kinds_only(text))
        return wa_fail(err, WA_E_CONFIG,
                       "'%.*s' is no perimeter: group=, profile= and unit=, with + between",
                       WA_SV_ARG(text));
    wa_jw_init(&w, &json);
    wa_jw_obj(&w);
    write_list(&w, "groups", "group", text);
    write_list(&w, "profiles", "profile", text);
    write_list(&w, "units", "unit", text);
    wa_jw_end(&w);
    if (wa_buf_check(&json, err) != WA_OK || wa_perimeter_read(&p, wa_buf_sv(&json), err) != WA_OK)
        return err->code == WA_E_USAGE ? wa_fail(err, WA_E_CONFIG, "%s", err->text) : err->code;
    wa_perimeter_write(&p, &form);
    if (wa_buf_check(&form, err) != WA_OK)
        return err->code;
    *ret = wa_arena_strdup(&m->arena, wa_buf_sv(&form));
    return *ret != NULL ? WA_OK : wa_nomem(err);
}

static enum wa_code read_entry(struct wa_role_map *m, struct wa_sv item, struct wa_err *err)
{
    struct wa_sv rest = item, group = {NULL, 0}, role = {NULL, 0};
    const char *perimeter = "";
    if (!wa_sv_split(&rest, ':', &group) || !wa_sv_split(&rest, ':', &role) || group.n == 0 ||
        wa_role_rights(role) == 0)
        return wa_fail(err, WA_E_CONFIG,
                       "'%.*s' says no role: it looks like 'Domain Admins:superadmin'",
                       WA_SV_ARG(item));
    if (m->n == WA_AUTH_GROUPS_MAX)
        return wa_fail(err, WA_E_CONFIG, "more than %u groups", WA_AUTH_GROUPS_MAX);
    if (rest.p != NULL && read_perimeter(m, rest, &perimeter, err) != WA_OK)
        return err->code;
    m->groups[m->n] = wa_arena_strdup(&m->arena, wa_sv_trim(group));
    m->roles[m->n] = wa_arena_strdup(&m->arena, role);
    m->perimeters[m->n] = perimeter;
    if (m->groups[m->n] == NULL || m->roles[m->n] == NULL)
        return wa_nomem(err);
    m->n++;
    return WA_OK;
}

enum wa_code wa_role_map_read(struct wa_role_map *m, const char *key, const char *csv,
                              struct wa_err *err)
{
    struct wa_sv rest = wa_sv(csv), item;
    while (wa_csv_next(&rest, &item))
        if (read_entry(m, item, err) != WA_OK)
            return wa_wrap(err, "%s", key);
    return WA_OK;
}

static bool is_in(const struct wa_json *groups, const char *name)
{
    for (size_t i = 0; i < wa_json_count(groups); i++)
        if (wa_sv_eqs(wa_json_sv(wa_json_at(groups, i)), name))
            return true;
    return false;
}

size_t wa_role_map_find(const struct wa_role_map *m, const struct wa_json *groups)
{
    size_t i = 0;
    while (i < m->n && !is_in(groups, m->groups[i]))
        i++;
    return i;
}

enum wa_code wa_directory_read(const struct wa_role_map *m, struct wa_sv payload,
                               struct wa_directory_says *ret, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL, *groups = NULL;
    struct wa_sv why = {NULL, 0};
    struct wa_directory_says says = {.entry = 0};
    const struct wa_json_field fields[] = {
        {"right", WA_WANT_BOOL, true, 0, &says.is_right},
        {"groups", WA_WANT_ARRAY, true, WA_AUTH_GROUPS_MAX, &groups},
        {"reason", WA_WANT_SV, true, WA_LDAP_REASON_MAX - 1, &why},
    };
    wa_arena_init(&arena, 8u << 20);
    if (wa_json_answer(payload, &arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "the directory's answer", err) != WA_OK)
        return err->code;
    says.entry = wa_role_map_find(m, groups);
    *ret = says;
    return WA_OK;
}

void wa_directory_name(struct wa_sv user, char *out)
{
    size_t at;
    if (wa_sv_chr(user, '\\', &at))
        user = wa_sv_sub(user, at + 1, user.n);
    if (wa_sv_chr(user, '@', &at))
        user = wa_sv_sub(user, 0, at);
    (void)snprintf(out, WA_PAM_USER_MAX + 1, "%.*s", WA_SV_ARG(user));
    for (char *c = out; *c != '\0'; c++)
        *c = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
}

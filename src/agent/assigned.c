/* assigned.c - the names of the packages that are this machine's own (formats.md 2.7): its host
 * package, its profiles, those of its account's groups, those of the organisational units above it.
 *
 * Names only: whether such a package exists, and who signed it, is for the planner's input.
 */
#include "agent/identity.h"
#include "agent/place.h"

#include "codec/csv.h"

/* Names are not told apart by who gave them: one is enough. */
static enum wa_code add(struct wa_assigned *a, struct wa_arena *arena, struct wa_sv name,
                        struct wa_err *err)
{
    for (size_t i = 0; i < a->n; i++)
        if (wa_sv_eqs(name, a->names[i]))
            return WA_OK;
    if (name.n == 0)
        return WA_OK;
    if (a->n == WA_COUNT(a->names))
        return wa_fail(err, WA_E_LIMIT, "more than %zu packages are this machine's own",
                       WA_COUNT(a->names));
    const char *copy = wa_arena_strdup(arena, name);
    if (copy == NULL)
        return wa_nomem(err);
    a->names[a->n++] = copy;
    return WA_OK;
}

/* The package of a profile, a group or a unit. */
static enum wa_code add_from(struct wa_assigned *a, struct wa_arena *arena, struct wa_sv text,
                             struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf name;
    wa_buf_init(&name, 4 * WA_NAME_MAX + 1);
    wa_package_name_from(text, &name);
    return wa_buf_check(&name, err) == WA_OK ? add(a, arena, wa_buf_sv(&name), err) : err->code;
}

static enum wa_code add_list(struct wa_assigned *a, struct wa_arena *arena, const char *csv,
                             struct wa_err *err)
{
    struct wa_sv rest = wa_sv(csv), item;
    while (wa_csv_next(&rest, &item))
        if (add_from(a, arena, item, err) != WA_OK)
            return err->code;
    return WA_OK;
}

/* What follows the first part of a distinguished name; "" after the last. A comma that is escaped
 * ends no part. */
static struct wa_sv parent_of(struct wa_sv dn)
{
    for (size_t i = 0; i < dn.n; i++) {
        if (dn.p[i] == '\\')
            i++;
        else if (dn.p[i] == ',')
            return wa_sv_trim(wa_sv_sub(dn, i + 1, dn.n));
    }
    return wa_sv_sub(dn, dn.n, 0);
}

static bool is_domain(struct wa_sv dn)
{
    struct wa_sv type;
    return wa_sv_split(&dn, '=', &type) && wa_sv_ieqs(wa_sv_trim(type), "dc");
}

/* Each unit above the machine, and the domain: not what is above the domain. */
static enum wa_code add_units(struct wa_assigned *a, struct wa_arena *arena, const char *dn,
                              struct wa_err *err)
{
    for (struct wa_sv at = parent_of(wa_sv(dn)); at.n > 0; at = parent_of(at)) {
        if (add_from(a, arena, at, err) != WA_OK)
            return err->code;
        if (is_domain(at) && is_domain(parent_of(at)))
            break;
    }
    return WA_OK;
}

enum wa_code wa_assigned_names(const char *uuid, const char *profiles, const struct wa_place *place,
                               struct wa_arena *arena, struct wa_assigned *ret, struct wa_err *err)
{
    ret->n = 0;
    if (add(ret, arena, wa_sv(uuid), err) != WA_OK ||
        add_list(ret, arena, profiles, err) != WA_OK ||
        add_list(ret, arena, place->groups, err) != WA_OK ||
        add_units(ret, arena, place->dn, err) != WA_OK)
        return wa_wrap(err, "this machine's own packages");
    return WA_OK;
}

enum wa_code wa_assigned_load(const struct wa_manager *m, struct wa_db *db, struct wa_arena *arena,
                              struct wa_assigned *ret, struct wa_err *err)
{
    struct wa_place place;
    char uuid[WA_UUID_MAX + 1];
    wa_identity_uuid(m, uuid);
    return wa_place_load(m, db, arena, &place, err) == WA_OK
               ? wa_assigned_names(uuid, m->config.host_profiles, &place, arena, ret, err)
               : err->code;
}

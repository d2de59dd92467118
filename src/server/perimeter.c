/* perimeter.c - perimeters: read, compared with what machines are in.
 *
 * Names are compared byte by byte, as agents do. Whatever can't be read or is not known is outside.
 */
#include "server/perimeter.h"

#include "base/mem.h"
#include "codec/csv.h"
#include "pkg/request.h"

#define NAMES_MAX 512u /* of one list */

void wa_perimeter_init(struct wa_perimeter *p)
{
    *p = (struct wa_perimeter){.unit_count = 0};
    wa_arena_init(&p->arena, 1u << 20);
}

void wa_perimeter_fini(struct wa_perimeter *p)
{
    wa_arena_fini(&p->arena);
}

static enum wa_code check_names(const struct wa_json *list, struct wa_err *err)
{
    for (size_t i = 0; i < wa_json_count(list); i++) {
        struct wa_sv name = wa_json_sv(wa_json_at(list, i));
        if (!wa_json_is(wa_json_at(list, i), WA_JSON_STRING) || name.n == 0 || name.n > WA_NAME_MAX)
            return wa_fail(err, WA_E_USAGE, "a perimeter's names have 1 to %u bytes", WA_NAME_MAX);
    }
    return WA_OK;
}

/* Named by a distinguished name, whose first part has its type. A group that only ends alike is not
 * below a unit. */
static bool is_unit(struct wa_sv name)
{
    struct wa_sv first;
    size_t at = 0;
    return wa_sv_split(&name, '_', &first) && wa_sv_chr(first, '=', &at) && at > 0;
}

/* "OU=paris,DC=example,DC=org" is "OU=paris_DC=example_DC=org" as a package. */
static enum wa_code read_units(struct wa_perimeter *p, const struct wa_json *units,
                               struct wa_err *err)
{
    size_t n = wa_json_count(units);
    const char **list = wa_arena_alloc(&p->arena, n + 1, sizeof *list);
    if (list == NULL)
        return wa_nomem(err);
    for (size_t i = 0; i < n; i++) {
        WA_AUTO_BUF struct wa_buf name;
        wa_buf_init(&name, 4 * WA_NAME_MAX + 1);
        wa_package_name_from(wa_json_sv(wa_json_at(units, i)), &name);
        if (wa_buf_check(&name, err) != WA_OK)
            return err->code;
        if (!is_unit(wa_buf_sv(&name)))
            return wa_fail(err, WA_E_USAGE, "'%.*s' is no unit: it looks like OU=paris,DC=example",
                           WA_SV_ARG(wa_json_sv(wa_json_at(units, i))));
        list[i] = wa_arena_strdup(&p->arena, wa_buf_sv(&name));
        if (list[i] == NULL)
            return wa_nomem(err);
    }
    p->units = list;
    p->unit_count = n;
    return WA_OK;
}

enum wa_code wa_perimeter_read(struct wa_perimeter *p, struct wa_sv json, struct wa_err *err)
{
    const struct wa_json *j = NULL, *units = NULL;
    const struct wa_json_field fields[] = {
        {"groups", WA_WANT_ARRAY, false, NAMES_MAX, &p->names[0]},
        {"profiles", WA_WANT_ARRAY, false, NAMES_MAX, &p->names[1]},
        {"units", WA_WANT_ARRAY, false, NAMES_MAX, &units}};
    if (json.n > WA_PERIMETER_BYTES_MAX)
        return wa_fail(err, WA_E_USAGE, "a perimeter of more than %u bytes",
                       WA_PERIMETER_BYTES_MAX);
    if (wa_json_parse(json, 0, &p->arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "a perimeter", err) != WA_OK ||
        check_names(p->names[0], err) != WA_OK || check_names(p->names[1], err) != WA_OK ||
        check_names(units, err) != WA_OK)
        return err->code == WA_E_INVALID ? wa_fail(err, WA_E_USAGE, "%s", err->text) : err->code;
    return read_units(p, units, err);
}

void wa_perimeter_write(const struct wa_perimeter *p, struct wa_buf *out)
{
    static const char *const keys[] = {"groups", "profiles"};
    struct wa_jw w;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    for (size_t k = 0; k < WA_COUNT(keys); k++) {
        wa_jw_key(&w, keys[k]);
        wa_jw_arr(&w);
        for (size_t i = 0; i < wa_json_count(p->names[k]); i++)
            wa_jw_sv(&w, wa_json_sv(wa_json_at(p->names[k], i)));
        wa_jw_end(&w);
    }
    wa_jw_key(&w, "units");
    wa_jw_arr(&w);
    for (size_t i = 0; i < p->unit_count; i++)
        wa_jw_s(&w, p->units[i]);
    wa_jw_end(&w);
    wa_jw_end(&w);
}

/* The unit itself, or one below it: "OU=a_OU=b_DC=x" is below "OU=b_DC=x". */
static bool is_below(struct wa_sv name, const char *unit)
{
    size_t n = strlen(unit);
    if (name.n <= n)
        return wa_sv_eqs(name, unit);
    return is_unit(name) && wa_sv_ends(name, unit) && name.p[name.n - n - 1] == '_';
}

bool wa_perimeter_names(const struct wa_perimeter *p, struct wa_sv name)
{
    for (size_t k = 0; k < WA_COUNT(p->names); k++)
        for (size_t i = 0; i < wa_json_count(p->names[k]); i++)
            if (wa_sv_eq(name, wa_json_sv(wa_json_at(p->names[k], i))))
                return true;
    for (size_t i = 0; i < p->unit_count; i++)
        if (is_below(name, p->units[i]))
            return true;
    return false;
}

bool wa_perimeter_has(const struct wa_perimeter *p, struct wa_sv names)
{
    struct wa_sv name;
    while (wa_sv_split(&names, ',', &name))
        if (name.n > 0 && wa_perimeter_names(p, name))
            return true;
    return false;
}

enum wa_code wa_perimeter_view(const struct wa_perimeter *p, const struct wa_fleet *f,
                               struct wa_fleet_view *ret, struct wa_err *err)
{
    size_t n = wa_fleet_name_count(f, WA_FLEET_IN);
    bool *is_in = wa_calloc(n + 1, sizeof *is_in);
    if (is_in == NULL)
        return wa_nomem(err);
    for (size_t i = 0; i < n; i++)
        is_in[i] = wa_perimeter_names(p, wa_fleet_name(f, WA_FLEET_IN, i));
    *ret = (struct wa_fleet_view){is_in, n};
    return WA_OK;
}

static bool has_name(const struct wa_buf *out, struct wa_sv name)
{
    struct wa_sv rest = wa_buf_sv(out), one;
    while (wa_sv_split(&rest, ',', &one))
        if (wa_sv_eq(one, name))
            return true;
    return false;
}

void wa_perimeter_of_depends(const char *depends, struct wa_buf *out)
{
    struct wa_sv rest = wa_sv(depends), item;
    while (wa_csv_next(&rest, &item)) {
        struct wa_request r;
        struct wa_err ignored = WA_ERR_INIT; /* what can't be read names nothing */
        if (wa_request_parse(item, &r, &ignored) != WA_OK || has_name(out, wa_sv(r.package)))
            continue;
        if (out->n > 0)
            wa_buf_addc(out, ',');
        wa_buf_adds(out, r.package);
    }
}

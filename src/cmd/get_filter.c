/* get_filter.c - which of the available packages a search shows: by section, language, maturity,
 * and only the newest of each where that is asked for. The agent has left out what this machine
 * does not take.
 */
#include "base/map.h"
#include "cmd/get.h"
#include "codec/csv.h"
#include "os/rand.h"
#include "pkg/version.h"

static struct wa_sv member(const struct wa_json *row, const char *key)
{
    return wa_json_sv(wa_json_get(row, key));
}

/* Whether the row's list and the wanted one share an item; an empty one is everything. */
static bool fits(const struct wa_cli *cli, const char *option, const struct wa_json *row,
                 const char *key)
{
    struct wa_sv wanted = wa_sv(wa_cli_get(cli, option, "")), has, item, own;
    has = member(row, key);
    if (wanted.n == 0 || wa_sv_ieqs(wanted, "all") || has.n == 0 || wa_sv_ieqs(has, "all"))
        return true;
    while (wa_csv_next(&wanted, &item)) {
        struct wa_sv rest = has;
        while (wa_csv_next(&rest, &own))
            if (wa_sv_eq(item, own))
                return true;
    }
    return false;
}

static bool is_wanted(const struct wa_cli *cli, const struct wa_json *row)
{
    return fits(cli, "sections", row, "section") && fits(cli, "locales", row, "locale") &&
           fits(cli, "maturity", row, "maturity");
}

static bool is_newer(const struct wa_json *a, const struct wa_json *b)
{
    struct wa_err bad = WA_ERR_INIT;
    int order = 0;
    return wa_pkgversion_cmp(member(a, "version"), member(b, "version"), &order, &bad) == WA_OK &&
           order > 0;
}

static enum wa_code note_newest(struct wa_map *newest, const struct wa_json *row,
                                struct wa_err *err)
{
    struct wa_sv package = member(row, "package");
    const struct wa_json *before = wa_map_get(newest, package);
    if (before != NULL && !is_newer(row, before))
        return WA_OK;
    union {
        const struct wa_json *from;
        void *to;
    } value = {row};
    return wa_map_put(newest, package, value.to, NULL, err);
}

enum wa_code wa_get_filter(const struct wa_cli *cli, const struct wa_json *rows,
                           const struct wa_json **kept, size_t *ret_count, struct wa_err *err)
{
    struct wa_map newest;
    size_t n = 0;
    enum wa_code code = WA_OK;
    bool only_newest = wa_cli_has(cli, "newest-only");
    if (wa_rand_map(&newest, err) != WA_OK)
        return err->code;
    for (size_t i = 0; only_newest && code == WA_OK && i < wa_json_count(rows); i++)
        if (is_wanted(cli, wa_json_at(rows, i)))
            code = note_newest(&newest, wa_json_at(rows, i), err);
    for (size_t i = 0; code == WA_OK && i < wa_json_count(rows); i++) {
        const struct wa_json *row = wa_json_at(rows, i);
        if (is_wanted(cli, row) &&
            (!only_newest || !is_newer(wa_map_get(&newest, member(row, "package")), row)))
            kept[n++] = row;
    }
    wa_map_fini(&newest);
    *ret_count = n;
    return code;
}

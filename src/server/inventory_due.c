/* inventory_due.c - the packages that an upgrade of a machine would change, as the machine says:
 * rows beside those of what it has (inventory_packages.c).
 *
 * What that means for each - missing, of another version, to be installed again or taken away - is
 * seen by what the machine has, when it is asked: one of the two comes before the other.
 */
#include "server/inventory_rows.h"

struct work {
    struct wa_db *db;
    int64_t host;
};

static enum wa_code write_row(void *user, const struct wa_inventory_row *was,
                              const struct wa_inventory_row *d, struct wa_err *err)
{
    const struct work *w = user;
    struct wa_stmt *s;
    char key[WA_VERSION_KEY];
    WA_UNUSED(was);
    if (wa_db_prepare(w->db,
                      "INSERT INTO package_due (host, package, version, version_key) VALUES (?, ?, "
                      "?, ?) ON CONFLICT (host, package) DO UPDATE SET version = excluded.version, "
                      "version_key = excluded.version_key",
                      &s, err) != WA_OK)
        return err->code;
    wa_inventory_version_key(wa_sv(d->version.p), key);
    wa_bind_i64(s, 0, w->host);
    wa_bind_s(s, 1, d->package.p);
    wa_bind_s(s, 2, d->version.p);
    wa_bind_s(s, 3, key);
    return wa_run(s, err);
}

static enum wa_code drop_row(void *user, const struct wa_inventory_row *d, struct wa_err *err)
{
    const struct work *w = user;
    struct wa_stmt *s;
    if (wa_db_prepare(w->db, "DELETE FROM package_due WHERE host = ? AND package = ?", &s, err) !=
        WA_OK)
        return err->code;
    wa_bind_i64(s, 0, w->host);
    wa_bind_s(s, 1, d->package.p);
    return wa_run(s, err);
}

/* "tis-a(=1.2-3)": a name and the version; what else is said is not kept. */
static void read_due(const struct wa_json *j, struct wa_inventory_row *ret)
{
    struct wa_sv rest = wa_json_sv(j), name = {"", 0}, version;
    size_t end;
    if (!wa_sv_split(&rest, '(', &name) || rest.p == NULL)
        rest = WA_SV("");
    while (rest.n > 0 && (rest.p[0] == '=' || rest.p[0] == ' '))
        rest = wa_sv_sub(rest, 1, rest.n);
    version = wa_sv_chr(rest, ')', &end) ? wa_sv_sub(rest, 0, end) : rest;
    wa_inventory_clean(wa_sv_trim(name), &ret->package);
    wa_inventory_clean(wa_sv_trim(version), &ret->version);
}

enum wa_code wa_inventory_due(struct wa_db *db, int64_t host, const struct wa_json *last_update,
                              struct wa_err *err)
{
    static const struct wa_inventory_kind kind = {
        .size = sizeof(struct wa_inventory_row),
        .select = "SELECT package, version FROM package_due WHERE host = ?",
        .from_list = read_due,
        .changed = write_row,
        .gone = drop_row};
    struct work w = {db, host};
    return wa_inventory_rows(db, host, &kind, wa_json_get(last_update, "upgrades"), &w, err);
}

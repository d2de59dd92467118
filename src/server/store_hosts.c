/* store_hosts.c - statements about machines and the tokens that let them in. Values are bound,
 * always.
 */
#include "server/store_hosts.h"

#include "server/inventory.h"

/* --- tokens --- */

enum wa_code wa_store_add_token(struct wa_db *db, const char *sha256, int64_t expires, int64_t uses,
                                struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, "INSERT INTO tokens (sha256, expires, uses) VALUES (?, ?, ?)", &s, err) !=
        WA_OK)
        return err->code;
    wa_bind_s(s, 0, sha256);
    wa_bind_i64(s, 1, expires);
    wa_bind_i64(s, 2, uses);
    return wa_run(s, err);
}

enum wa_code wa_store_use_token(struct wa_db *db, const char *sha256, int64_t now,
                                struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false;
    if (wa_db_prepare(db, "SELECT expires, uses FROM tokens WHERE sha256 = ?", &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, sha256);
    if (wa_step(s, &row, err) != WA_OK)
        return err->code;
    int64_t expires = row ? wa_col_i64(s, 0) : 0, uses = row ? wa_col_i64(s, 1) : 0;
    wa_reset(s);
    if (!row)
        return wa_fail(err, WA_E_AUTH, "the enrolment token is unknown here");
    if (expires <= now)
        return wa_fail(
            err, WA_E_AUTH,
            "the enrolment token has expired: make a new one with 'waptserver enrol-token'");
    if (uses <= 0)
        return wa_fail(err, WA_E_AUTH, "the enrolment token was used as often as it may be");
    if (wa_db_prepare(db, "UPDATE tokens SET uses = uses - 1 WHERE sha256 = ?", &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, sha256);
    return wa_run(s, err);
}

/* --- hosts --- */

enum wa_code wa_store_number(struct wa_db *db, struct wa_sv uuid, int64_t *ret, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false;
    if (wa_db_prepare(db, "SELECT number FROM hosts WHERE uuid = ?", &s, err) != WA_OK)
        return err->code;
    wa_bind_sv(s, 0, uuid);
    if (wa_step(s, &row, err) != WA_OK)
        return err->code;
    if (!row)
        return wa_fail(err, WA_E_NOT_FOUND, "there is no host '%.*s'", WA_SV_ARG(uuid));
    *ret = wa_col_i64(s, 0);
    wa_reset(s);
    return WA_OK;
}

enum wa_code wa_store_host(struct wa_db *db, struct wa_sv uuid, struct wa_buf *certificate,
                           struct wa_host_row *ret, struct wa_err *err)
{
    struct wa_stmt *s;
    *ret = (struct wa_host_row){.is_there = false};
    if (wa_db_prepare(db,
                      "SELECT h.certificate, p.last_seq, h.number FROM hosts h JOIN presence p ON "
                      "p.uuid = h.uuid WHERE h.uuid = ?",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_sv(s, 0, uuid);
    if (wa_step(s, &ret->is_there, err) != WA_OK || !ret->is_there)
        return err->code;
    wa_buf_addsv(certificate, wa_col_sv(s, 0));
    ret->last_seq = wa_col_i64(s, 1);
    ret->number = wa_col_i64(s, 2);
    wa_reset(s);
    return wa_buf_check(certificate, err);
}

enum wa_code wa_store_has_host(struct wa_db *db, struct wa_sv uuid, bool *ret, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, "SELECT 1 FROM hosts WHERE uuid = ?", &s, err) != WA_OK)
        return err->code;
    wa_bind_sv(s, 0, uuid);
    if (wa_step(s, ret, err) == WA_OK && *ret)
        wa_reset(s);
    return err->code;
}

static enum wa_code put_presence(struct wa_db *db, struct wa_sv uuid, int64_t seq, int64_t now,
                                 struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db,
                      "INSERT INTO presence (uuid, last_seen, last_seq) VALUES (?1, ?2, ?3) ON "
                      "CONFLICT (uuid) DO UPDATE SET last_seen = excluded.last_seen, last_seq = "
                      "excluded.last_seq",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_sv(s, 0, uuid);
    wa_bind_i64(s, 1, now);
    wa_bind_i64(s, 2, seq);
    return wa_run(s, err);
}

enum wa_code wa_store_put_host(struct wa_db *db, struct wa_sv uuid, struct wa_sv certificate,
                               const char *by, int64_t seq, int64_t now, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db,
                      "INSERT INTO hosts (uuid, certificate, registered_at, registered_by, number) "
                      "VALUES (?1, ?2, ?3, ?4, (SELECT COALESCE(MAX(number), 0) + 1 FROM hosts)) "
                      "ON CONFLICT (uuid) DO UPDATE SET certificate = "
                      "excluded.certificate, registered_at = excluded.registered_at, registered_by "
                      "= excluded.registered_by",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_sv(s, 0, uuid);
    wa_bind_sv(s, 1, certificate);
    wa_bind_i64(s, 2, now);
    wa_bind_s(s, 3, by);
    return wa_run(s, err) == WA_OK ? put_presence(db, uuid, seq, now, err) : err->code;
}

struct wa_sv wa_store_method(struct wa_sv by)
{
    struct wa_sv rest = by, word = {"", 0};
    (void)wa_sv_split(&rest, ' ', &word);
    return word;
}

enum wa_code wa_store_delete_host(struct wa_db *db, const char *uuid, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, "DELETE FROM hosts WHERE uuid = ?", &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, uuid);
    if (wa_run(s, err) != WA_OK)
        return err->code;
    return wa_db_changes(db) == 1 ? WA_OK
                                  : wa_fail(err, WA_E_NOT_FOUND, "there is no host '%s'", uuid);
}

enum wa_code wa_store_set_names(struct wa_db *db, struct wa_sv uuid, struct wa_sv names,
                                struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db,
                      "INSERT INTO memberships (uuid, names) VALUES (?1, ?2) ON CONFLICT (uuid) DO "
                      "UPDATE SET names = excluded.names",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_sv(s, 0, uuid);
    wa_bind_sv(s, 1, names);
    return wa_run(s, err);
}

enum wa_code wa_store_names(struct wa_db *db, const char *uuid, struct wa_buf *names,
                            bool *ret_known, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, "SELECT names FROM memberships WHERE uuid = ?", &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, uuid);
    if (wa_step(s, ret_known, err) != WA_OK || !*ret_known)
        return err->code;
    wa_buf_addsv(names, wa_col_sv(s, 0));
    wa_reset(s);
    return wa_buf_check(names, err);
}

enum wa_code wa_store_show_names(struct wa_db *db, struct wa_sv uuid, struct wa_fleet *f,
                                 struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false;
    struct wa_fleet_change c = WA_FLEET_UNCHANGED;
    if (wa_db_prepare(db,
                      "SELECT h.number, m.names FROM hosts h LEFT JOIN memberships m ON m.uuid = "
                      "h.uuid WHERE h.uuid = ?",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_sv(s, 0, uuid);
    if (wa_step(s, &row, err) != WA_OK || !row)
        return err->code;
    c.number = wa_col_i64(s, 0);
    enum wa_code code = wa_fleet_put(f, uuid, &c, err);
    if (code == WA_OK)
        code = wa_fleet_set_tags(f, uuid, WA_FLEET_IN, wa_col_sv(s, 1), err);
    wa_reset(s);
    return code;
}

static enum wa_code load_names(struct wa_db *db, struct wa_fleet *f, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = true;
    if (wa_db_prepare(db, "SELECT uuid, names FROM memberships", &s, err) != WA_OK)
        return err->code;
    while (wa_step(s, &row, err) == WA_OK && row)
        if (wa_fleet_set_tags(f, wa_col_sv(s, 0), WA_FLEET_IN, wa_col_sv(s, 1), err) != WA_OK) {
            wa_reset(s);
            break;
        }
    return err->code;
}

#define SHOWN                                                                                      \
    "SELECT h.uuid, h.name, h.fqdn, h.os, h.status, h.registered_at, p.last_seen, p.node, "        \
    "h.number, a.content, h.registered_by, " WA_INVENTORY_SHOWN ", " WA_INVENTORY_POLICY           \
    " FROM hosts h JOIN presence p ON p.uuid = h.uuid LEFT JOIN host_facts f ON f.host = "         \
    "h.number LEFT JOIN sections a ON a.uuid = h.uuid AND a.section = 'audit_status'"

/* A text of JSON without its quotes; whatever is more than a word of it is not shown. */
static struct wa_sv word_of(struct wa_sv json)
{
    bool is_text = json.n >= 2 && json.n <= 34 && json.p[0] == '"' && json.p[json.n - 1] == '"';
    return is_text ? wa_sv_sub(json, 1, json.n - 2) : WA_SV("");
}

enum wa_code wa_store_fleet_put(struct wa_fleet *f, struct wa_sv uuid,
                                const struct wa_fleet_change *c, struct wa_err *err)
{
    const struct {
        enum wa_fleet_tag tag;
        struct wa_sv names;
    } said[] = {{WA_FLEET_HELD, c->held}, {WA_FLEET_ORDERERS, c->orderers}};
    enum wa_code code = wa_fleet_put(f, uuid, c, err);
    for (size_t i = 0; code == WA_OK && i < WA_COUNT(said); i++)
        if (said[i].names.p != NULL)
            code = wa_fleet_set_tags(f, uuid, said[i].tag, said[i].names, err);
    return code;
}

static enum wa_code load_rows(struct wa_stmt *s, struct wa_fleet *f, size_t *ret_count,
                              struct wa_err *err)
{
    bool row = true;
    while (wa_step(s, &row, err) == WA_OK && row) {
        struct wa_fleet_schedule schedule;
        struct wa_fleet_change c = {.name = wa_col_sv(s, 1),
                                    .fqdn = wa_col_sv(s, 2),
                                    .os = wa_col_sv(s, 3),
                                    .status = wa_col_sv(s, 4),
                                    .audit = word_of(wa_col_sv(s, 9)),
                                    .registration = wa_store_method(wa_col_sv(s, 10)),
                                    .registered_at = wa_col_i64(s, 5),
                                    .last_seen = wa_col_i64(s, 6),
                                    .number = wa_col_i64(s, 8)};
        wa_inventory_shown(s, 11, &c);
        wa_inventory_policy_shown(s, 11 + WA_INVENTORY_SHOWN_COUNT, &schedule, &c);
        if (wa_store_fleet_put(f, wa_col_sv(s, 0), &c, err) != WA_OK) {
            wa_reset(s);
            break;
        }
        wa_fleet_set_reachable(f, wa_col_sv(s, 0), wa_col_sv(s, 7).n > 0, -1);
        (*ret_count)++;
    }
    return err->code;
}

enum wa_code wa_store_load_fleet(struct wa_db *db, struct wa_fleet *f, struct wa_err *err)
{
    struct wa_stmt *s;
    size_t count = 0;
    if (wa_db_prepare(db, SHOWN, &s, err) != WA_OK)
        return err->code;
    return load_rows(s, f, &count, err) == WA_OK ? load_names(db, f, err) : err->code;
}

enum wa_code wa_store_load_host(struct wa_db *db, struct wa_sv uuid, struct wa_fleet *f,
                                struct wa_err *err)
{
    struct wa_stmt *s;
    size_t count = 0;
    if (wa_db_prepare(db, SHOWN " WHERE h.uuid = ?", &s, err) != WA_OK)
        return err->code;
    wa_bind_sv(s, 0, uuid);
    if (load_rows(s, f, &count, err) != WA_OK || count > 0)
        return err->code == WA_OK ? wa_store_show_names(db, uuid, f, err) : err->code;
    wa_fleet_remove(f, uuid);
    return WA_OK;
}

enum wa_code wa_store_take_seq(struct wa_db *db, struct wa_sv uuid, int64_t seq, int64_t now,
                               struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(
            db,
            "UPDATE presence SET last_seq = ?1, last_seen = ?2 WHERE uuid = ?3 AND last_seq < ?1",
            &s, err) != WA_OK)
        return err->code;
    wa_bind_i64(s, 0, seq);
    wa_bind_i64(s, 1, now);
    wa_bind_sv(s, 2, uuid);
    if (wa_run(s, err) != WA_OK)
        return err->code;
    return wa_db_changes(db) == 1
               ? WA_OK
               : wa_fail(err, WA_E_EXISTS,
                         "a report of this number came before: sent twice, or from a copy of the "
                         "machine");
}

enum wa_code wa_store_set_columns(struct wa_db *db, struct wa_sv uuid,
                                  const struct wa_fleet_change *c, struct wa_err *err)
{
    const struct wa_sv texts[] = {c->name, c->fqdn, c->os, c->status};
    struct wa_stmt *s;
    bool has_any = false;
    for (size_t i = 0; i < WA_COUNT(texts); i++)
        has_any |= texts[i].p != NULL;
    if (!has_any)
        return WA_OK;
    if (wa_db_prepare(db,
                      "UPDATE hosts SET name = COALESCE(?2, name), fqdn = COALESCE(?3, fqdn), os = "
                      "COALESCE(?4, os), status = COALESCE(?5, status) WHERE uuid = ?1",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_sv(s, 0, uuid);
    for (int i = 0; i < (int)WA_COUNT(texts); i++)
        if (texts[i].p == NULL)
            wa_bind_null(s, i + 1);
        else
            wa_bind_sv(s, i + 1, wa_sv_sub(texts[i], 0, wa_fleet_cut(texts[i])));
    return wa_run(s, err);
}

enum wa_code wa_store_set_section(struct wa_db *db, struct wa_sv uuid, const char *section,
                                  struct wa_sv json, const char *digest, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db,
                      "INSERT INTO sections (uuid, section, content, digest) VALUES (?, ?, ?, ?)"
                      " ON CONFLICT (uuid, section) DO UPDATE SET content = excluded.content, "
                      "digest = excluded.digest",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_sv(s, 0, uuid);
    wa_bind_s(s, 1, section);
    wa_bind_sv(s, 2, json);
    wa_bind_s(s, 3, digest);
    return wa_run(s, err);
}

enum wa_code wa_store_digests(struct wa_db *db, struct wa_sv uuid,
                              void (*fn)(void *user, struct wa_sv section, struct wa_sv digest),
                              void *user, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = true;
    if (wa_db_prepare(db, "SELECT section, digest FROM sections WHERE uuid = ?", &s, err) != WA_OK)
        return err->code;
    wa_bind_sv(s, 0, uuid);
    while (row) {
        if (wa_step(s, &row, err) != WA_OK)
            return err->code;
        if (row)
            fn(user, wa_col_sv(s, 0), wa_col_sv(s, 1));
    }
    wa_reset(s);
    return WA_OK;
}

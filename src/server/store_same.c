/* store_same.c - machines that say that nothing has changed since the server last said what it
 * knows.
 *
 * Who says it is known by the connection, whose greeting was signed. The database is asked once
 * for each connection, after each report, and where the answer would be no. A front that was told
 * yes on a connection answers the same question there itself, until it is told that the state is
 * another one: that leaves before the report's own answer, which waits for the commit. All it can
 * say here is which of its own connections have spoken. When they did is written in bulk, so that
 * a kill loses no more than the last minute's times.
 */
#include "os/clock.h"
#include "proto/report.h"
#include "server/store_hosts.h"
#include "server/store_priv.h"

#define ROUND_S 60
#define AT_ONCE 5000u /* times written in one turn of the clock */

static void take_digest(void *user, struct wa_sv section, struct wa_sv digest)
{
    struct wa_section_digests *have = user;
    for (size_t i = 0; i < WA_SEC_COUNT; i++)
        if (wa_sv_eqs(section, wa_section_name((enum wa_section)i)) &&
            digest.n < sizeof have->hex[i] && digest.n > 0)
            memcpy(have->hex[i], digest.p, digest.n);
}

enum wa_code wa_store_known(struct wa_db *db, struct wa_sv uuid, struct wa_section_digests *have,
                            struct wa_err *err)
{
    static const struct wa_section_digests none = {{""}};
    *have = none;
    return wa_store_digests(db, uuid, take_digest, have, err);
}

static enum wa_code read_sum(struct wa_store *s, struct wa_store_conn *c, struct wa_err *err)
{
    struct wa_section_digests have;
    if (wa_store_known(s->db, wa_sv(c->uuid), &have, err) != WA_OK)
        return err->code;
    return wa_section_digests_sum(&have, c->known, err);
}

static void see(struct wa_store *s, struct wa_store_conn *c, int64_t now)
{
    c->seen_at = now;
    wa_fleet_set_reachable(s->fleet, wa_sv(c->uuid), true, now);
}

void wa_store_same(struct wa_store *s, int front, uint32_t id, struct wa_sv sum)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_store_conn *c = wa_store_conn_at(s, front, id);
    if (c == NULL)
        return;
    if (!wa_sv_eqs(sum, c->known) && read_sum(s, c, &err) != WA_OK) {
        c->known[0] = '\0';
        wa_log_err(&s->child.log, WA_LOG_ERROR, "database.failed", &err);
        wa_err_clear(&err);
    }
    see(s, c, wa_clock_now());
    wa_store_reply_known(s, c, wa_sv_eqs(sum, c->known));
}

void wa_store_seen(struct wa_store *s, int front, struct wa_sv ids)
{
    int64_t now = wa_clock_now();
    uint32_t id;
    for (size_t at = 0; at + sizeof id <= ids.n; at += sizeof id) {
        memcpy(&id, ids.p + at, sizeof id);
        struct wa_store_conn *c = wa_store_conn_at(s, front, id);
        if (c != NULL)
            see(s, c, now);
    }
}

void wa_store_conn_changed(struct wa_store *s, struct wa_store_conn *c)
{
    struct wa_err err = WA_ERR_INIT;
    c->known[0] = '\0';
    c->group_no = s->group_no;
    if (c->is_told &&
        wa_chan_post(s->fronts[c->front], WA_S_CHANGED, c->id, WA_SV(""), -1, &err) != WA_OK)
        wa_log_err(&s->child.log, WA_LOG_ERROR, "front.lost", &err);
    c->is_told = false;
}

void wa_store_changed(struct wa_store *s, struct wa_sv uuid)
{
    struct wa_store_conn *c = wa_map_get(&s->conns_by_uuid, uuid);
    if (c != NULL)
        wa_store_conn_changed(s, c);
}

static enum wa_code write_one(struct wa_store *s, struct wa_store_conn *c, struct wa_err *err)
{
    struct wa_stmt *q;
    if (wa_db_prepare(s->db,
                      "UPDATE presence SET last_seen = ?1 WHERE uuid = ?2 AND last_seen < ?1", &q,
                      err) != WA_OK)
        return err->code;
    wa_bind_i64(q, 0, c->seen_at);
    wa_bind_s(q, 1, c->uuid);
    if (wa_run(q, err) == WA_OK)
        c->written_at = c->seen_at;
    return err->code;
}

static enum wa_code write_some(struct wa_store *s, struct wa_err *err)
{
    size_t end = s->seen_cursor + AT_ONCE;
    if (wa_db_begin(s->db, err) != WA_OK)
        return err->code;
    for (; s->seen_cursor < end && s->seen_cursor < s->conns_by_uuid.n; s->seen_cursor++) {
        struct wa_store_conn *c = s->conns_by_uuid.items[s->seen_cursor].value;
        if (c->seen_at > c->written_at && write_one(s, c, err) != WA_OK)
            break;
    }
    if (err->code == WA_OK && wa_db_commit(s->db, err) == WA_OK)
        return WA_OK;
    wa_db_rollback(s->db);
    return err->code;
}

void wa_store_write_seen(struct wa_store *s, int64_t now)
{
    struct wa_err err = WA_ERR_INIT;
    if (s->seen_cursor >= s->conns_by_uuid.n) {
        if (now >= s->seen_round && now - s->seen_round < ROUND_S)
            return;
        s->seen_round = now;
        s->seen_cursor = 0;
    }
    if (s->conns_by_uuid.n > 0 && write_some(s, &err) != WA_OK)
        wa_log_err(&s->child.log, WA_LOG_ERROR, "database.failed", &err);
}

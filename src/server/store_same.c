/* store_same.c - machines that say that nothing has changed since the server last said what it
 * knows.
 *
 * Answered from memory: who says it is known by the connection, whose greeting was signed. The
 * database is asked once for each connection, after each report, and where the answer would be no;
 * when they said it is written in bulk, so that a kill loses no more than the last minute's times.
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
    bool is_known = wa_sv_eqs(sum, c->known);
    c->seen_at = wa_clock_now();
    wa_fleet_set_reachable(s->fleet, wa_sv(c->uuid), true, c->seen_at);
    if (wa_chan_post(s->fronts[front], WA_S_KNOWN, id, is_known ? WA_SV("1") : WA_SV("0"), -1,
                     &err) != WA_OK)
        wa_log_err(&s->child.log, WA_LOG_ERROR, "answer.lost", &err);
}

void wa_store_changed(struct wa_store *s, struct wa_sv uuid)
{
    struct wa_store_conn *c = wa_map_get(&s->conns_by_uuid, uuid);
    if (c != NULL)
        c->known[0] = '\0';
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

/* api_overview.c - the front page: what needs attention, counted, of what the caller sees. */
#include "os/clock.h"
#include "server/api.h"
#include "server/check.h"

#define DAY_S 86400
#define UNSEEN_DAYS 30
#define ENDING_DAYS 7 /* machines get another certificate long before */

/* How many rows of the statement, each a machine, the caller sees. */
static enum wa_code count_seen(const struct wa_api_call *c, struct wa_stmt *s, int64_t *ret,
                               struct wa_err *err)
{
    bool row = true;
    *ret = 0;
    while (wa_step(s, &row, err) == WA_OK && row)
        *ret += !c->who.is_limited || wa_fleet_sees(c->store->fleet, &c->who.view, wa_col_sv(s, 0));
    return err->code;
}

static enum wa_code count_ending(const struct wa_api_call *c, int64_t now, int64_t *ret,
                                 struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(c->store->db,
                      "SELECT c.uuid FROM certificates c WHERE c.not_after > ?1 AND c.not_after < "
                      "?2 AND c.revoked = 0 AND NOT EXISTS (SELECT 1 FROM certificates n WHERE "
                      "n.uuid = c.uuid AND n.issued > c.issued)",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_i64(s, 0, now);
    wa_bind_i64(s, 1, now + ENDING_DAYS * DAY_S);
    return count_seen(c, s, ret, err);
}

static enum wa_code count_failed(const struct wa_api_call *c, int64_t now, int64_t *ret,
                                 struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(c->store->db,
                      "SELECT uuid FROM actions WHERE state IN ('failed', 'refused') AND updated > "
                      "?",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_i64(s, 0, now - DAY_S);
    return count_seen(c, s, ret, err);
}

/* sql: one number; ?1 is a time, ?2 whose it is, "" for anybody's. */
static enum wa_code count_rows(const struct wa_api_call *c, const char *sql, int64_t since,
                               int64_t *ret, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false;
    if (wa_db_prepare(c->store->db, sql, &s, err) != WA_OK)
        return err->code;
    wa_bind_i64(s, 0, since);
    wa_bind_s(s, 1, c->who.is_limited ? c->who.user : "");
    if (wa_step(s, &row, err) != WA_OK)
        return err->code;
    *ret = row ? wa_col_i64(s, 0) : 0;
    wa_reset(s);
    return WA_OK;
}

static void write_hosts(const struct wa_api_call *c, int64_t now, struct wa_jw *w)
{
    struct wa_fleet_sums sums;
    wa_fleet_sum(c->store->fleet, wa_api_view(c), now - (int64_t)UNSEEN_DAYS * DAY_S, &sums);
    const struct {
        const char *key;
        size_t n;
    } shown[] = {{"hosts", sums.total},
                 {"reachable", sums.reachable},
                 {"unseen_30_days", sums.unseen},
                 {"errors", sums.errors},
                 {"to_upgrade", sums.to_upgrade},
                 {"audit_errors", sums.audit_errors},
                 {"audit_warnings", sums.audit_warnings}};
    for (size_t i = 0; i < WA_COUNT(shown); i++)
        wa_jw_kvi(w, shown[i].key, (int64_t)shown[i].n);
}

static enum wa_code overview(struct wa_api_call *c, struct wa_err *err)
{
    struct wa_store *s = c->store;
    int64_t now = wa_clock_now(), ending = 0, failed = 0, halted = 0, running = 0, refused = 0,
            off = 0, backup = 0;
    uint64_t bytes = 0;
    unsigned percent = 0;
    struct wa_jw w;
    wa_server_space(&s->child.config, &bytes, &percent);
    if (wa_store_marked(s->db, "backup", &backup, err) != WA_OK ||
        count_ending(c, now, &ending, err) != WA_OK ||
        count_failed(c, now, &failed, err) != WA_OK ||
        count_rows(c,
                   "SELECT COUNT(*) FROM rollouts WHERE state = 'halted' AND created > ?1 AND (?2 "
                   "= '' OR owner = ?2)",
                   0, &halted, err) != WA_OK ||
        count_rows(c,
                   "SELECT COUNT(*) FROM rollouts WHERE state = 'running' AND created > ?1 AND (?2 "
                   "= '' OR owner = ?2)",
                   0, &running, err) != WA_OK ||
        count_rows(c,
                   "SELECT COUNT(*) FROM uploads WHERE state = 'refused' AND touched > ?1 AND (?2 "
                   "= '' OR \"user\" = ?2)",
                   now - 7 * DAY_S, &refused, err) != WA_OK ||
        count_rows(c,
                   "SELECT COUNT(*) FROM webhooks WHERE is_disabled = 1 AND created > ?1 AND ?2 = "
                   "''",
                   0, &off, err) != WA_OK)
        return err->code;
    wa_jw_init(&w, c->out);
    wa_jw_obj(&w);
    write_hosts(c, now, &w);
    wa_jw_kvi(&w, "certificates_ending", ending);
    wa_jw_kvi(&w, "actions_failed_today", failed);
    wa_jw_kvi(&w, "rollouts_halted", halted);
    wa_jw_kvi(&w, "rollouts_running", running);
    wa_jw_kvi(&w, "uploads_refused", refused);
    wa_jw_kvi(&w, "webhooks_off", off);
    wa_jw_kvi(&w, "server_certificate_until",
              s->front_count > 0 ? s->counts->fronts[0].certificate_until : 0);
    wa_jw_kvi(&w, "authority_until", s->front_count > 0 ? s->counts->fronts[0].authority_until : 0);
    wa_jw_kvi(&w, "journal_missing", (int64_t)s->unnoted);
    wa_jw_kvi(&w, "backup_at", backup);
    wa_jw_kvi(&w, "disk_free_percent", (int64_t)percent);
    wa_jw_kvi(&w, "clock_off_s", wa_node_clock_off(s));
    wa_jw_end(&w);
    return wa_buf_check(c->out, err);
}

static const struct wa_api_route routes[] = {
    {"GET", "/api/v1/overview", WA_MAY_VIEW, false, overview,
     "What needs attention, counted: machines, orders, roll-outs, uploads, certificates", NULL,
     NULL, "Overview"},
};
const struct wa_api_resource wa_api_overview_calls = {routes, WA_COUNT(routes)};

/* metrics.c - the numbers of the store and of its fronts, as Prometheus reads them.
 *
 * They are read when they are asked for; nothing is counted in the database for them but orders by
 * their state. What the database can't say now is left out, and wapt_database_up is 0.
 */
#include "server/metrics.h"

#include "os/clock.h"
#include "os/drives.h"
#include "server/front_priv.h"
#include "server/store_priv.h"

static void begin(struct wa_buf *out, const char *name, const char *type, const char *help)
{
    wa_buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* label NULL: none. */
static void value(struct wa_buf *out, const char *name, const char *label, const char *text,
                  uint64_t v)
{
    wa_buf_adds(out, name);
    if (label != NULL)
        wa_buf_addf(out, "{%s=\"%s\"}", label, text);
    wa_buf_addf(out, " %llu\n", (unsigned long long)v);
}

static void one(struct wa_buf *out, const char *name, const char *type, const char *help,
                uint64_t v)
{
    begin(out, name, type, help);
    value(out, name, NULL, NULL, v);
}

/* --- fronts --- */

/* By enum wa_front_kind + 1; 0: what was none of them. */
static const char *const classes[] = {"other",
                                      [WA_FRONT_PING + 1] = "ping",
                                      [WA_FRONT_FILE + 1] = "file",
                                      [WA_FRONT_HOST + 1] = "host",
                                      [WA_FRONT_ASK_HOST + 1] = "ask_host",
                                      [WA_FRONT_PUSH + 1] = "push",
                                      [WA_FRONT_OPEN + 1] = "open",
                                      [WA_FRONT_API + 1] = "api",
                                      [WA_FRONT_UPLOAD + 1] = "upload",
                                      [WA_FRONT_PAGE + 1] = "page"};
_Static_assert(WA_COUNT(classes) <= WA_HTTP_CLASSES, "each kind is counted by itself");

static void write_answers(const struct wa_store *s, struct wa_buf *out)
{
    begin(out, "wapt_http_answers_total", "counter", "Answers by kind of request and status.");
    for (size_t f = 0; f < s->front_count; f++)
        for (size_t k = 0; k < WA_COUNT(classes); k++)
            for (size_t n = 1; n < WA_HTTP_STATUSES; n++)
                if (s->counts->fronts[f].http.answers[k][n] > 0)
                    wa_buf_addf(
                        out,
                        "wapt_http_answers_total{front=\"%zu\",kind=\"%s\",status=\"%zuxx\"}"
                        " %llu\n",
                        f, classes[k], n,
                        (unsigned long long)s->counts->fronts[f].http.answers[k][n]);
}

#define OF(member) offsetof(struct wa_front_counts, member)
static const struct {
    const char *name, *type, *help;
    size_t at;
} front_metrics[] = {
    {"wapt_front_connections", "gauge", "Connections that are open.", OF(connections)},
    {"wapt_front_websockets", "gauge", "Those of agents.", OF(websockets)},
    {"wapt_front_streams", "gauge", "Streams of events.", OF(streams)},
    {"wapt_front_resident_bytes", "gauge", "Memory of the process.", OF(resident_bytes)},
    {"wapt_front_accepted_total", "counter", "Connections that came.", OF(http.accepted)},
    {"wapt_front_turned_away_total", "counter", "Connections beyond their address's share.",
     OF(http.turned_away)},
    {"wapt_tls_handshakes_total", "counter", "TLS handshakes that succeeded.", OF(http.handshakes)},
    {"wapt_tls_resumed_total", "counter", "Those of them that went on with an earlier session.",
     OF(http.resumed)},
    {"wapt_tls_handshakes_failed_total", "counter", "TLS handshakes that did not.",
     OF(http.handshakes_failed)},
    {"wapt_http_received_bytes_total", "counter", "Bytes of requests.", OF(http.received_bytes)},
    {"wapt_http_sent_bytes_total", "counter", "Bytes of answers.", OF(http.sent_bytes)},
};

static void write_fronts(const struct wa_store *s, struct wa_buf *out)
{
    for (size_t i = 0; i < WA_COUNT(front_metrics); i++) {
        begin(out, front_metrics[i].name, front_metrics[i].type, front_metrics[i].help);
        for (size_t f = 0; f < s->front_count; f++) {
            char number[24];
            uint64_t v = 0;
            memcpy(&v, (const char *)&s->counts->fronts[f] + front_metrics[i].at, sizeof v);
            (void)snprintf(number, sizeof number, "%zu", f);
            value(out, front_metrics[i].name, "front", number, v);
        }
    }
    begin(out, "wapt_front_queue_bytes", "gauge", "What waits on the way to the front.");
    for (size_t f = 0; f < s->front_count; f++) {
        char number[24];
        (void)snprintf(number, sizeof number, "%zu", f);
        value(out, "wapt_front_queue_bytes", "front", number, wa_chan_queued_bytes(s->fronts[f]));
    }
    write_answers(s, out);
}

/* --- the store --- */

static void write_requests(const struct wa_store *s, struct wa_buf *out)
{
    static const char *const kinds[WA_STORE_KINDS] = {"register", "report", "login", "hello",
                                                      "api"};
    begin(out, "wapt_requests_total", "counter", "What the fronts asked the store.");
    for (size_t i = 0; i < WA_STORE_KINDS; i++)
        value(out, "wapt_requests_total", "kind", kinds[i], s->counts->requests[i]);
    begin(out, "wapt_requests_refused_total", "counter",
          "Those answered by an error: auth and denied are people and machines that may not, busy "
          "those that must wait.");
    for (size_t i = 1; i < WA_CODE_COUNT; i++)
        value(out, "wapt_requests_refused_total", "code", wa_code_name((enum wa_code)i),
              s->counts->refused[i]);
}

static enum wa_code count_hosts(struct wa_store *s, const char *status, bool is_reachable,
                                size_t *ret, struct wa_err *err)
{
    const struct wa_fleet_query q = {
        .is[WA_FLEET_STATUS] = status, .is_reachable = is_reachable, .key = WA_FLEET_UUID};
    const struct wa_fleet_host *none[1];
    size_t count = 0;
    return wa_fleet_find(s->fleet, &q, none, &count, ret, err);
}

/* A machine may say any status: those that we know have a name here, the others share one. */
static enum wa_code write_hosts(struct wa_store *s, struct wa_buf *out, struct wa_err *err)
{
    static const char *const statuses[] = {"OK", "TO-UPGRADE", "ERROR"};
    size_t n = 0, known = 0;
    begin(out, "wapt_hosts", "gauge", "Machines by the status that they say.");
    for (size_t i = 0; i < WA_COUNT(statuses); i++) {
        if (count_hosts(s, statuses[i], false, &n, err) != WA_OK)
            return err->code;
        value(out, "wapt_hosts", "status", statuses[i], n);
        known += n;
    }
    value(out, "wapt_hosts", "status", "other", wa_fleet_count(s->fleet) - known);
    if (count_hosts(s, "", true, &n, err) != WA_OK)
        return err->code;
    one(out, "wapt_hosts_reachable", "gauge", "Machines that are connected.", n);
    return WA_OK;
}

static enum wa_code write_actions(struct wa_store *s, struct wa_buf *out, struct wa_err *err)
{
    static const char *const states[] = {"queued",    "sent", "delivered", "refused",  "running",
                                         "postponed", "done", "failed",    "cancelled"};
    uint64_t counts[WA_COUNT(states) + 1] = {0};
    struct wa_stmt *q;
    bool row = false;
    if (wa_db_prepare(s->db, "SELECT state, COUNT(*) FROM actions GROUP BY state", &q, err) !=
        WA_OK)
        return err->code;
    while (wa_step(q, &row, err) == WA_OK && row) {
        size_t i = 0;
        while (i < WA_COUNT(states) && !wa_sv_eqs(wa_col_sv(q, 0), states[i]))
            i++;
        counts[i] += (uint64_t)wa_col_i64(q, 1);
    }
    if (err->code != WA_OK)
        return err->code;
    begin(out, "wapt_actions", "gauge", "Orders by their state.");
    for (size_t i = 0; i < WA_COUNT(states); i++)
        value(out, "wapt_actions", "state", states[i], counts[i]);
    value(out, "wapt_actions", "state", "other", counts[WA_COUNT(states)]);
    return WA_OK;
}

static void write_space(const struct wa_store *s, struct wa_buf *out)
{
    static const char *const folders[][2] = {{"database", "db"}, {"repository", "repo"}};
    begin(out, "wapt_disk_free_bytes", "gauge", "Space left where these lie.");
    for (size_t i = 0; i < WA_COUNT(folders); i++) {
        char path[WA_PATH_MAX];
        uint64_t bytes = 0;
        struct wa_err unknown = WA_ERR_INIT;
        if (wa_server_path(&s->child.config, folders[i][1], path, &unknown) == WA_OK &&
            wa_path_free_bytes(path, &bytes, &unknown) == WA_OK)
            value(out, "wapt_disk_free_bytes", "of", folders[i][0], bytes);
    }
}

static void days(struct wa_buf *out, const char *name, const char *help, int64_t until)
{
    int64_t left = until - wa_clock_now();
    if (until > 0)
        one(out, name, "gauge", help, left > 0 ? (uint64_t)left / 86400 : 0);
}

static void write_store(const struct wa_store *s, struct wa_buf *out)
{
    uint64_t resident = 0, addresses = 0;
    size_t asked = 0;
    wa_memory_own(&resident, &addresses);
    one(out, "wapt_store_resident_bytes", "gauge", "Memory of the process.", resident);
    for (const struct wa_store_question *q = s->questions; q != NULL; q = wa_store_next_question(q))
        asked++;
    one(out, "wapt_store_questions", "gauge", "What other processes were asked and owe.", asked);
    one(out, "wapt_watchers", "gauge", "Streams of events.", s->watcher_count);
    one(out, "wapt_node_leads", "gauge", "1: this server does what is done once for all.",
        wa_node_leads(s) ? 1 : 0);
    if (s->front_count == 0)
        return;
    days(out, "wapt_certificate_days", "Until the server's TLS certificate expires.",
         s->counts->fronts[0].certificate_until);
    days(out, "wapt_authority_days",
         "Until the authority that issues the machines' certificates expires.",
         s->counts->fronts[0].authority_until);
}

static enum wa_code write_database(struct wa_store *s, struct wa_buf *out, struct wa_err *err)
{
    struct wa_journal_head head;
    const struct wa_db_counts *n = wa_db_counts(s->db);
    one(out, "wapt_database_transactions_total", "counter", "Transactions that were begun.",
        n->transactions);
    one(out, "wapt_database_errors_total", "counter", "Statements that failed.", n->errors);
    enum wa_code code = wa_server_journal_head(s->db, s->child.config.node, &head, err);
    if (code == WA_OK)
        code = write_actions(s, out, err);
    one(out, "wapt_database_up", "gauge", "1: the database answers.", code == WA_OK ? 1 : 0);
    if (code == WA_OK)
        one(out, "wapt_journal_entries", "gauge", "The newest entry of this server's journal.",
            (uint64_t)head.seq);
    return code;
}

enum wa_code wa_metrics_write(struct wa_store *s, struct wa_buf *out, struct wa_err *err)
{
    struct wa_err away = WA_ERR_INIT;
    begin(out, "wapt_info", "gauge", "The server's version.");
    value(out, "wapt_info", "version", WA_VERSION, 1);
    write_fronts(s, out);
    write_requests(s, out);
    write_store(s, out);
    write_space(s, out);
    if (write_hosts(s, out, err) != WA_OK)
        return err->code;
    if (write_database(s, out, &away) != WA_OK)
        wa_log_err(&s->child.log, WA_LOG_ERROR, "database.failed", &away);
    return wa_buf_check(out, err);
}

/* health_manager.c - what the manager alone knows of the agent's health: database, queue, packages,
 * server, clock, repository, and its own confinement.
 *
 * For everybody who asks: no names of files below private/, nothing that scripts told. The database
 * is looked through at most once a minute, whoever asks how often.
 */
#include "agent/health.h"
#include "agent/push.h"
#include "agent/repo_trust.h"
#include "os/clock.h"
#include "proto/action.h"

#define DB_LOOK_S 60
#define HOUR_S 3600
#define DAY_S 86400
#define RUNS_LONG_S (4 * HOUR_S)
#define OLD_UPDATE_S (7 * DAY_S)
#define SOON_S (30 * DAY_S)

/* One number of a query; -1: it failed. sql: a literal. */
static int64_t number(struct wa_manager *m, const char *sql, int64_t arg)
{
    struct wa_stmt *s;
    struct wa_err err = WA_ERR_INIT;
    bool has_row = false;
    int64_t value = 0;
    if (wa_db_prepare(m->db, sql, &s, &err) != WA_OK)
        return -1;
    if (arg != 0)
        wa_bind_i64(s, 0, arg);
    if (wa_step(s, &has_row, &err) != WA_OK)
        return -1;
    if (has_row)
        value = wa_col_i64(s, 0);
    wa_reset(s);
    return value;
}

/* --- what it is --- */

static void look_service(struct wa_manager *m, const struct wa_health_report *r)
{
    wa_health_say(r, "service", m->once ? WA_HEALTH_WARNING : WA_HEALTH_GOOD,
                  "systemctl start waptservice, if it is not switched off on purpose",
                  m->once ? "it does not run: this command has started version %s for itself"
                          : "version %s runs",
                  WA_VERSION);
    bool is_whole = strstr(m->confined, "landlock none") == NULL;
    wa_health_say(r, "confinement", is_whole ? WA_HEALTH_GOOD : WA_HEALTH_WARNING,
                  "use a kernel with landlock (5.13, and 'landlock' in its lsm= list)", "%s",
                  m->confined);
}

static void look_database(struct wa_manager *m, const struct wa_health_report *r)
{
    struct wa_stmt *s;
    struct wa_err err = WA_ERR_INIT;
    bool has_row = false;
    int64_t now = wa_clock_now();
    if (m->db_looked_at == 0 || now - m->db_looked_at >= DB_LOOK_S || now < m->db_looked_at) {
        m->db_looked_at = now;
        m->db_is_whole = wa_db_prepare(m->db, "PRAGMA quick_check(1)", &s, &err) == WA_OK &&
                         wa_step(s, &has_row, &err) == WA_OK && has_row &&
                         wa_sv_eqs(wa_col_sv(s, 0), "ok");
        if (has_row)
            wa_reset(s);
    }
    wa_health_say(r, "database", m->db_is_whole ? WA_HEALTH_GOOD : WA_HEALTH_ERROR,
                  "stop the service, put a copy of db/ back from your backup, or move db/ away and "
                  "register again",
                  m->db_is_whole ? "whole, version %lld" : "damaged, version %lld",
                  (long long)number(m, "SELECT MAX(version) FROM schema_version", 0));
}

/* --- what it does --- */

static void look_queue(struct wa_manager *m, const struct wa_health_report *r)
{
    int64_t now = wa_clock_now();
    int64_t waiting = number(m, "SELECT count(*) FROM tasks WHERE state = 'queued'", 0);
    int64_t since = number(m, "SELECT min(started) FROM tasks WHERE state = 'running'", 0);
    int64_t stuck = number(
        m, "SELECT count(*) FROM tasks WHERE state = 'queued' AND max(not_before, created) < ?",
        now - DAY_S);
    int64_t failed = number(m,
                            "SELECT count(*) FROM tasks WHERE state = 'done' AND code NOT IN "
                            "('ok', 'cancelled', 'reboot') AND finished > ?",
                            now - DAY_S);
    if (waiting < 0 || stuck < 0 || failed < 0)
        wa_health_say(r, "queue", WA_HEALTH_ERROR, "see what is said of the database",
                      "it can't be read");
    else if (since > 0 && now - since > RUNS_LONG_S)
        wa_health_say(r, "queue", WA_HEALTH_WARNING, "'wapt-get tasks', perhaps 'wapt-get cancel'",
                      "a task runs for %lld hours", (long long)((now - since) / HOUR_S));
    else if (stuck > 0)
        wa_health_say(r, "queue", WA_HEALTH_WARNING, "'wapt-get tasks', then 'wapt-get restart'",
                      "%lld tasks wait for more than a day", (long long)stuck);
    else if (failed > 0)
        wa_health_say(r, "queue", WA_HEALTH_WARNING, "'wapt-get tasks', 'wapt-get show-task N'",
                      "%lld tasks failed since yesterday", (long long)failed);
    else
        wa_health_say(r, "queue", WA_HEALTH_GOOD, NULL, "%lld tasks wait", (long long)waiting);
}

static void look_packages(struct wa_manager *m, const struct wa_health_report *r)
{
    WA_AUTO_INSTALLED struct wa_installed_list l = {NULL, 0, 0};
    struct wa_err err = WA_ERR_INIT;
    const char *first = NULL;
    size_t bad = 0;
    if (wa_installed_load(m->db, NULL, &l, &err) != WA_OK) {
        wa_health_say(r, "packages", WA_HEALTH_ERROR, "see what is said of the database", "%s",
                      err.text);
        return;
    }
    for (size_t i = 0; i < l.n; i++) {
        if (strcmp(l.items[i].base.status, "ERROR") != 0)
            continue;
        first = first == NULL ? wa_control_get(&l.items[i].base.control, WA_A_PACKAGE) : first;
        bad++;
    }
    if (bad == 0)
        wa_health_say(r, "packages", WA_HEALTH_GOOD, NULL, "%zu are installed, none failed", l.n);
    else
        wa_health_say(r, "packages", WA_HEALTH_WARNING,
                      "'wapt-get show-log PACKAGE', then install or remove it",
                      "%zu of %zu failed, among them '%s'", bad, l.n, first);
}

/* --- the server --- */

static void look_registration(struct wa_manager *m, const struct wa_health_report *r)
{
    int64_t enrolled = 0;
    struct wa_err err = WA_ERR_INIT;
    wa_lock_take(m->lock);
    bool has_key = m->key != NULL, is_doubted = m->twin_doubts > 0;
    wa_lock_give(m->lock);
    if (m->config.wapt_server[0] == '\0')
        wa_health_say(r, "registration", WA_HEALTH_UNKNOWN, NULL, "no server is configured");
    else if (wa_param_i64(m->db, "enrolled_at", &enrolled, &err) != WA_OK || enrolled == 0 ||
             !has_key)
        wa_health_say(r, "registration", WA_HEALTH_ERROR,
                      "wapt-get register --token-file FILE, with a token of 'waptserver "
                      "enrol-token'",
                      has_key ? "the server does not know this machine"
                              : "the machine has no key yet");
    else if (is_doubted)
        wa_health_say(r, "registration", WA_HEALTH_ERROR,
                      "if it is a copy: wapt-get generate-uuid, then register",
                      "another machine reports under this identity");
    else
        wa_health_say(r, "registration", WA_HEALTH_GOOD, NULL, "known to %s",
                      m->config.wapt_server);
}

static void look_server(struct wa_manager *m, const struct wa_health_report *r)
{
    const struct wa_contact *c = &m->contact;
    long long since = (long long)(c->since > 0 ? wa_clock_now() - c->since : 0);
    int64_t owed = number(m, "SELECT count(*) FROM outbox", 0);
    if (m->config.wapt_server[0] == '\0')
        return; /* said above */
    if (m->once || (c->since == 0 && !wa_push_is_up(m)))
        wa_health_say(r, "server", WA_HEALTH_UNKNOWN, NULL, "only a registered service connects");
    else if (c->is_connected)
        wa_health_say(r, "server", WA_HEALTH_GOOD, NULL,
                      "connected for %lld seconds, %lld results owed", since, (long long)owed);
    else
        wa_health_say(r, "server", WA_HEALTH_ERROR,
                      "look whether its address is right, it runs, and nothing on the way stops it",
                      "not connected for %lld seconds: %.500s", since,
                      c->why[0] != '\0' ? c->why : "connecting");
}

static void look_clock(struct wa_manager *m, const struct wa_health_report *r)
{
    const struct wa_contact *c = &m->contact;
    int64_t off = c->clock_off_s < 0 ? -c->clock_off_s : c->clock_off_s;
    if (!c->has_clock)
        wa_health_say(r, "clock", WA_HEALTH_UNKNOWN, NULL,
                      "the server's was not seen since the start");
    else
        wa_health_say(r, "clock", off > WA_ACTION_SKEW_S ? WA_HEALTH_ERROR : WA_HEALTH_GOOD,
                      "set it right, and keep it so by NTP: orders are refused beyond one minute",
                      "%lld seconds off the server's", (long long)off);
}

/* --- the repository --- */

static void look_trust(struct wa_manager *m, const struct wa_health_report *r)
{
    const struct wa_repo_trust *t = NULL;
    struct wa_err err = WA_ERR_INIT;
    int64_t now = wa_clock_now();
    if (wa_repo_trust_loop(m, &t, &err) != WA_OK || wa_repo_trust_fresh(t, now, &err) != WA_OK)
        wa_health_say(r, "root", WA_HEALTH_ERROR,
                      "have the repository published again, then 'wapt-get update'", "%s",
                      err.text);
    else if (t->root == NULL)
        wa_health_say(r, "root", WA_HEALTH_GOOD, NULL,
                      "none: the certificates in ssl/ say whose packages count");
    else
        wa_health_say(r, "root",
                      t->root->expires - now < SOON_S ? WA_HEALTH_WARNING : WA_HEALTH_GOOD,
                      "have a new root signed before that", "version %lld, good for %lld days",
                      (long long)t->root->version, (long long)((t->root->expires - now) / DAY_S));
}

static void look_repository(struct wa_manager *m, const struct wa_health_report *r)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf text;
    const struct wa_json *j = NULL;
    struct wa_err err = WA_ERR_INIT;
    int64_t at = 0, now = wa_clock_now();
    wa_arena_init(&arena, 16u << 20);
    wa_buf_init(&text, 1u << 20);
    if (m->config.repo_count == 0) {
        wa_health_say(r, "repository", WA_HEALTH_WARNING, "set repo_url", "none is configured");
        return;
    }
    if (wa_param_get(m->db, "last_update_status", &text, &err) == WA_OK && text.n > 0 &&
        wa_json_parse(wa_buf_sv(&text), 0, &arena, &j, &err) == WA_OK)
        (void)wa_json_i64(wa_json_get(j, "date"), &at);
    struct wa_sv problems = wa_json_sv(wa_json_get(j, "problems"));
    if (at == 0)
        wa_health_say(r, "repository", WA_HEALTH_WARNING, "wapt-get update",
                      "its list was never fetched");
    else if (now - at > OLD_UPDATE_S)
        wa_health_say(r, "repository", WA_HEALTH_WARNING, "'wapt-get update' says what is wrong",
                      "its list is %lld days old", (long long)((now - at) / DAY_S));
    else if (problems.n > 0)
        wa_health_say(r, "repository", WA_HEALTH_WARNING, "'wapt-get plan' says more", "%.*s",
                      (int)(problems.n < 500 ? problems.n : 500), problems.p);
    else
        wa_health_say(r, "repository", WA_HEALTH_GOOD, NULL, "its list is %lld minutes old",
                      (long long)((now - at) / 60));
}

void wa_health_manager(struct wa_manager *m, const struct wa_health_report *r)
{
    look_service(m, r);
    look_registration(m, r);
    look_server(m, r);
    look_clock(m, r);
    look_repository(m, r);
    look_trust(m, r);
    look_database(m, r);
    look_queue(m, r);
    look_packages(m, r);
}

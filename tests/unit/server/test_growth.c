/* What one machine, one report or one page of a list costs the database is the same however many
 * others there are: everything that is asked again and again is played in a small fleet and in one
 * six times as large, and the work that the database did is compared - SQLite's by each statement,
 * PostgreSQL's by the rows it read with every index that it can use. What counts machines, or looks
 * at what all of them are, may grow as they do and no faster; a page of counts costs its own rows
 * alone, however many others there are.
 */
#include "bench.h"

#include "os/clock.h"
#include "sql/db_priv.h"

#include <sqlite3.h>

#define SMALL 12u
#define LARGE 72u
#define PLAYED 3u /* machines of each size that play: the first warms up */
#define STATEMENTS 96u

struct cost {
    size_t n;
    struct {
        const char *sql; /* SQLite's own copy, for the life of the connection */
        int64_t work;
    } of[STATEMENTS];
    int64_t rows; /* PostgreSQL's */
};
struct place {
    struct bench b;
    struct machine m[LARGE];
    char ids[LARGE][33]; /* of the order that waits for each */
    size_t count;
    struct person p;
    char token[65];
    bool is_sqlite;
};

/* --- what the database did --- */

static void measure_sqlite(struct place *p, struct cost *ret)
{
    for (sqlite3_stmt *s = sqlite3_next_stmt(p->b.store->db->conn, NULL); s != NULL;
         s = sqlite3_next_stmt(p->b.store->db->conn, s)) {
        int64_t work = sqlite3_stmt_status(s, SQLITE_STMTSTATUS_VM_STEP, 1);
        if (work == 0)
            continue;
        assert_true(ret->n < STATEMENTS);
        ret->of[ret->n].sql = sqlite3_sql(s);
        ret->of[ret->n++].work = work;
    }
}

static int64_t rows_read(struct place *p)
{
    char text[32];
    bench_query(&p->b, "SELECT pg_stat_force_next_flush()", text, sizeof text);
    bench_query(&p->b,
                "SELECT (SELECT COALESCE(SUM(seq_tup_read), 0) FROM pg_stat_user_tables) + (SELECT "
                "COALESCE(SUM(idx_tup_read), 0) FROM pg_stat_user_indexes)",
                text, sizeof text);
    return strtoll(text, NULL, 10);
}

static int64_t work_of(const struct cost *c, const char *sql)
{
    for (size_t i = 0; i < c->n; i++)
        if (strcmp(c->of[i].sql, sql) == 0)
            return c->of[i].work;
    return 0;
}

/* --- what is asked again and again --- */

static void serve(struct place *p)
{
    int status;
    assert_false(bench_serve(&p->b, UINT32_MAX, &status, NULL));
}

/* Of the connection that plays. */
static void tell(struct place *p, uint16_t type, const char *id, const char *more)
{
    char text[128];
    (void)snprintf(text, sizeof text, "{\"conn\":7,\"id\":\"%s\"%s}", id, more);
    bench_send(&p->b, type, 0, wa_sv(text));
    serve(p);
}

static void say(struct place *p, struct machine *m, const char *section, const char *json)
{
    struct wa_buf body;
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, 1u << 20);
    wa_buf_addf(
        &text, "{\"purpose\":\"wapt-status\",\"uuid\":\"%s\",\"seq\":%lld,\"time\":%lld,\"%s\":%s}",
        m->uuid, (long long)++m->seq, (long long)wa_clock_now(), section, json);
    machine_seal(m, wa_buf_sv(&text), &body);
    assert_int_equal(bench_ask(&p->b, "POST", "/agent/v1/report", "", "", wa_buf_sv(&body), NULL),
                     200);
    wa_buf_fini(&body);
}

static void page(struct place *p, const char *path, const char *query)
{
    int status = bench_ask(&p->b, "GET", path, query, p->token, WA_SV(""), NULL);
    if (status != 200)
        fail_msg("%s?%s: %d", path, query, status);
}

static char *id_of(struct place *p, const struct machine *m)
{
    return p->ids[m - p->m];
}

static void order(struct place *p, struct machine *m)
{
    struct wa_buf body;
    const char *uuid = m->uuid;
    person_order(&p->p, &uuid, 1, &p->ids[m - p->m], &body);
    assert_int_equal(
        bench_ask(&p->b, "POST", "/api/v1/actions", "", p->token, wa_buf_sv(&body), NULL), 200);
    wa_buf_fini(&body);
}

static void connects(struct place *p, struct machine *m)
{
    size_t sent = p->b.orders;
    assert_int_equal(machine_greet(&p->b, m, 7), 200);
    serve(p);
    assert_int_equal(p->b.orders, sent + 1);
}

static void acknowledges(struct place *p, struct machine *m)
{
    tell(p, WA_S_ACK, id_of(p, m), "");
    tell(p, WA_S_ACK, id_of(p, m), ",\"begun\":true");
}

static void has_done_it(struct place *p, struct machine *m)
{
    assert_int_equal(machine_result(&p->b, m, id_of(p, m), "done", "ok", ""), 200);
}

static void reports(struct place *p, struct machine *m)
{
    assert_int_equal(machine_status(&p->b, m, m->seq % 2 == 0 ? "OK" : "ERROR"), 200);
}

static void has_other_packages(struct place *p, struct machine *m)
{
    say(p, m, "installed_packages",
        "[{\"package\":\"tis-a\",\"version\":\"2-0\",\"install_status\":\"OK\"},"
        "{\"package\":\"tis-c\",\"version\":\"1-0\",\"install_status\":\"ERROR\"}]");
    say(p, m, "last_update_status", "{\"upgrades\":[\"tis-b(=2-0)\"]}");
}

static void has_other_software(struct place *p, struct machine *m)
{
    say(p, m, "installed_softwares",
        "[{\"name\":\"Reader\",\"version\":\"2\"},{\"name\":\"Office\",\"version\":\"1\"}]");
}

static void is_the_same(struct place *p, struct machine *m)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_section_digests have;
    char sum[65];
    WA_ASSERT_OK(wa_store_known(p->b.store->db, wa_sv(m->uuid), &have, &err));
    WA_ASSERT_OK(wa_section_digests_sum(&have, sum, &err));
    p->b.known_to = 0;
    bench_send(&p->b, WA_S_SAME, 7, wa_sv(sum));
    serve(p);
    assert_int_equal(p->b.known_to, 7);
}

static void has_nothing_new(struct place *p, struct machine *m)
{
    const uint32_t seen[] = {7};
    WA_UNUSED(m);
    bench_send(&p->b, WA_S_SEEN, 0, wa_sv_n((const char *)seen, sizeof seen));
    serve(p);
    wa_store_write_seen(p->b.store, wa_clock_now() + 3600);
}

static void is_ordered(struct place *p, struct machine *m)
{
    size_t sent = p->b.orders;
    order(p, m);
    serve(p);
    assert_int_equal(p->b.orders, sent + 1);
}

static void leaves(struct place *p, struct machine *m)
{
    WA_UNUSED(m);
    tell(p, WA_S_GONE, "", "");
}

static void clock_turns(struct place *p, struct machine *m)
{
    WA_UNUSED(m);
    wa_store_dispatch_due(p->b.store);
    wa_store_rollouts(p->b.store);
    serve(p);
}

static void is_looked_at(struct place *p, struct machine *m)
{
    char path[128];
    (void)snprintf(path, sizeof path, "/api/v1/hosts/%s", m->uuid);
    page(p, path, "");
    (void)snprintf(path, sizeof path, "/api/v1/hosts/%s/history", m->uuid);
    page(p, path, "limit=10");
    (void)snprintf(path, sizeof path, "limit=10&host=%s", m->uuid);
    page(p, "/api/v1/actions", path);
}

static void lists_are_paged(struct place *p, struct machine *m)
{
    WA_UNUSED(m);
    page(p, "/api/v1/hosts", "limit=10");
    page(p, "/api/v1/hosts", "limit=10&columns=host_info.platform");
    page(p, "/api/v1/batches", "limit=3");
    page(p, "/api/v1/journal", "limit=3");
    page(p, "/api/v1/session", "");
    page(p, "/api/v1/packages", "limit=3");
}

/* What the search process answers. */

static void is_searched_for(struct place *p, struct machine *m)
{
    WA_UNUSED(m);
    page(p, "/api/v1/hosts", "limit=1&package=tis-rare");
    page(p, "/api/v1/hosts", "limit=1&package=tis-rare&package_status=TO-UPGRADE");
    page(p, "/api/v1/hosts", "limit=1&package_status=ERROR&package=tis-rare");
    page(p, "/api/v1/hosts", "limit=1&software=rare");
}

static void hardware_is_searched_for(struct place *p, struct machine *m)
{
    WA_UNUSED(m);
    page(p, "/api/v1/hosts", "limit=1&hardware=rare");
}

static void packages_are_counted(struct place *p, struct machine *m)
{
    WA_UNUSED(m);
    page(p, "/api/v1/package-states", "limit=1");
}

static void software_is_counted(struct place *p, struct machine *m)
{
    WA_UNUSED(m);
    page(p, "/api/v1/software", "limit=1");
}

static void the_estate_is_counted(struct place *p, struct machine *m)
{
    WA_UNUSED(m);
    page(p, "/api/v1/estate", "limit=1");
}

static const struct step {
    const char *name; /* NULL: whatever it costs */
    void (*play)(struct place *p, struct machine *m);
    bool is_of_all; /* counts or looks at all machines */
} steps[] = {
    {"a machine connects, and what waits for it is sent", connects, false},
    {"it acknowledges its order", acknowledges, false},
    {"its order is done", has_done_it, false},
    {"it reports its state", reports, false},
    {"it reports packages", has_other_packages, false},
    {"it reports software", has_other_software, false},
    {"it says that nothing has changed", is_the_same, false},
    {"it is seen", has_nothing_new, false},
    {"it is ordered something", is_ordered, false},
    {"it leaves", leaves, false},
    {NULL, clock_turns, false}, /* what was given back makes it look through all that waits, once */
    {"the clock turns", clock_turns, false},
    {"it is looked at", is_looked_at, false},
    {"lists are paged", lists_are_paged, false},
    {"machines are searched for", is_searched_for, false},
    {"machines are searched for by what they are", hardware_is_searched_for, true},
    {"packages are counted", packages_are_counted, true},
    {"software is counted", software_is_counted, true},
    {"the estate is counted", the_estate_is_counted, true},
};

static void play(struct place *p, struct machine *m, struct cost *ret)
{
    for (size_t i = 0; i < WA_COUNT(steps); i++) {
        struct cost ignored = {0};
        int64_t before = 0;
        if (p->is_sqlite)
            measure_sqlite(p, &ignored);
        else
            before = rows_read(p);
        steps[i].play(p, m);
        if (p->is_sqlite)
            measure_sqlite(p, &ret[i]);
        else
            ret[i].rows = rows_read(p) - before;
    }
}

/* --- the fleets --- */

/* Each has an order that waits, packages - one that no other has - and software; and another that
 * is on its way, to a connection that some other server has. */
static void grow(struct place *p, size_t count)
{
    char uuid[32], own[320];
    size_t first = p->count;
    for (; p->count < count; p->count++) {
        struct machine *m = &p->m[p->count];
        (void)snprintf(uuid, sizeof uuid, "machine-%zu", p->count);
        machine_new(m, uuid);
        assert_int_equal(machine_register(&p->b, m, WA_CRED_TOKEN, "t"), 200);
        (void)snprintf(
            own, sizeof own,
            "[{\"package\":\"tis-a\",\"version\":\"1-0\",\"install_status\":\"OK\"},"
            "{\"package\":\"tis-b\",\"version\":\"1-0\",\"install_status\":\"OK\"},"
            "{\"package\":\"tis-of-%zu\",\"version\":\"1-0\",\"install_status\":\"OK\"}]",
            p->count);
        say(p, m, "installed_packages", own);
        say(p, m, "installed_softwares",
            "[{\"name\":\"Reader\",\"version\":\"1\"},{\"name\":\"Office\",\"version\":\"1\"}]");
        order(p, m);
    }
    bench_exec(&p->b, "UPDATE actions SET state = 'sent', node = 'other' WHERE state = 'queued'");
    for (; first < count; first++)
        order(p, &p->m[first]);
    if (!p->is_sqlite)
        bench_exec(&p->b, "ANALYZE"); /* as it does itself, some day */
}

/* The last ones: what waits for them comes last. */
static void play_last(struct place *p, struct cost *ret)
{
    for (size_t i = 0; i < PLAYED; i++) {
        struct machine *m = &p->m[p->count - PLAYED + i];
        struct cost one[WA_COUNT(steps)] = {{0}};
        play(p, m, one);
        memcpy(ret, one, sizeof one);
        BENCH_IS(&p->b, "SELECT count(*) FROM actions WHERE state = 'sent' AND node <> 'other'",
                 "0"); /* its last order waits again */
    }
}

/* What it may cost in the large fleet. */
static int64_t limit_of(const struct step *step, int64_t small)
{
    return step->is_of_all ? small * (LARGE / SMALL) : small + small / 4;
}

static void compare(const struct step *step, const struct cost *small, const struct cost *large)
{
    if (large->rows > limit_of(step, small->rows) + 8)
        fail_msg("%s: %lld rows are read in a fleet of %u, %lld in one of %u", step->name,
                 (long long)small->rows, SMALL, (long long)large->rows, LARGE);
    for (size_t i = 0; i < large->n; i++) {
        int64_t was = work_of(small, large->of[i].sql), is = large->of[i].work;
        if (is > limit_of(step, was) + 60)
            fail_msg("%s: %lld steps in a fleet of %u, %lld in one of %u: %s", step->name,
                     (long long)was, SMALL, (long long)is, LARGE, large->of[i].sql);
    }
}

static void test_the_size_of_the_fleet(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    struct cost *small = calloc(2 * WA_COUNT(steps), sizeof *small), *large;
    WA_UNUSED(state);
    assert_true(p != NULL && small != NULL);
    large = small + WA_COUNT(steps);
    bench_new(&p->b);
    p->is_sqlite = strcmp(wa_db_driver(p->b.store->db), "sqlite") == 0;
    if (!p->is_sqlite)
        bench_exec(&p->b, "SET enable_seqscan = off");
    bench_token(&p->b, "t", wa_clock_now() + 3600, LARGE);
    person_new(&p->b, &p->p, true);
    assert_int_equal(bench_login(&p->b, "10.0.0.9", "admin", BENCH_PASSWORD, p->token), 200);
    grow(p, SMALL);
    play_last(p, small);
    grow(p, LARGE);
    play_last(p, large);
    for (size_t i = 0; i < WA_COUNT(steps); i++)
        if (steps[i].name != NULL)
            compare(&steps[i], &small[i], &large[i]);
    for (size_t i = 0; i < p->count; i++)
        machine_free(&p->m[i]);
    person_free(&p->p);
    bench_free(&p->b);
    free(small);
    free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_the_size_of_the_fleet)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

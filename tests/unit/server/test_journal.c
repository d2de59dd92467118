/* The journal: acts come with their entries, and any edit, removal or cut shows. */
#include "bench.h"

#include "os/clock.h"

#define NODE "server-uuid"

struct place {
    struct bench b;
    struct machine m;
    char token[65];
};

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    bench_new(&p->b);
    bench_token(&p->b, "t", wa_clock_now() + 3600, 9);
    machine_new(&p->m, "machine");
    assert_int_equal(machine_register(&p->b, &p->m, WA_CRED_TOKEN, "t"), 200);
    assert_int_equal(bench_login(&p->b, "10.0.0.9", "admin", BENCH_PASSWORD, p->token), 200);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    machine_free(&p->m);
    bench_free(&p->b);
    free(p);
    return 0;
}

static enum wa_code verify(struct place *p, const struct wa_journal_head *head, uint64_t *count)
{
    struct wa_err err = WA_ERR_INIT;
    return wa_server_journal_verify(p->b.store->db, NODE, head, count, &err);
}

struct listed {
    char acts[512];
};

static enum wa_code take_act(void *user, const struct wa_journal_row *r, struct wa_err *err)
{
    struct listed *l = user;
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    size_t n = strlen(l->acts);
    wa_arena_init(&arena, 1u << 20);
    assert_int_equal(wa_json_parse(r->text, 0, &arena, &j, err), WA_OK);
    (void)snprintf(l->acts + n, sizeof l->acts - n, "%.*s/%.*s ",
                   WA_SV_ARG(wa_json_sv(wa_json_get(j, "act"))),
                   WA_SV_ARG(wa_json_sv(wa_json_get(j, "user"))));
    return WA_OK;
}

static void each_act_has_its_entry(void **state)
{
    struct place *p = *state;
    struct listed l = {""};
    struct wa_err err = WA_ERR_INIT;
    struct person signer;
    static const char *const uuids[] = {"machine"};
    char ids[1][33];
    struct wa_buf body;
    uint64_t count = 0;
    person_new(&p->b, &signer, true);
    person_order(&signer, uuids, 1, ids, &body);
    assert_int_equal(machine_greet(&p->b, &p->m, 5), 200);
    assert_int_equal(
        bench_ask(&p->b, "POST", "/api/v1/actions", "", p->token, wa_buf_sv(&body), NULL), 200);
    assert_int_equal(machine_result(&p->b, &p->m, ids[0], "done", "ok", ""), 200);
    assert_int_equal(machine_result(&p->b, &p->m, ids[0], "done", "ok", ""), 200); /* once more */
    assert_int_equal(
        machine_result(&p->b, &p->m, "0123456789abcdef0123456789abcdef", "done", "ok", ""), 200);
    assert_int_equal(bench_publish(&p->b, p->token, NULL, NULL), 200);
    /* What is refused is no act. */
    assert_int_equal(bench_login(&p->b, "10.0.0.9", "admin", "wrong", NULL), 401);
    assert_int_equal(
        bench_ask(&p->b, "DELETE", "/api/v1/hosts/none", "", p->token, WA_SV(""), NULL), 404);
    assert_int_equal(
        bench_ask(&p->b, "DELETE", "/api/v1/hosts/machine", "", p->token, WA_SV(""), NULL), 200);
    WA_ASSERT_OK(wa_server_journal_read(p->b.store->db, NODE, 0, 100, take_act, &l, &err));
    assert_string_equal(l.acts, "host.registered/ login/admin orders.taken/admin action.result/ "
                                "package.changed/admin host.forgotten/admin ");
    assert_int_equal(verify(p, NULL, &count), WA_OK);
    assert_int_equal(count, 6);
    person_free(&signer);
    wa_buf_fini(&body);
}

static void fill(struct place *p, const char *peer)
{
    for (int i = 0; i < 4; i++)
        assert_int_equal(bench_login(&p->b, peer, "admin", BENCH_PASSWORD, NULL), 200);
}

/* Whatever is done to the table by somebody who may write it. */
static void damage_shows(void **state)
{
    static const char *const damages[] = {
        "UPDATE journal SET entry = replace(entry, 'admin', 'adm1n') WHERE seq = 3",
        "UPDATE journal SET at = at + 1 WHERE seq = 2",
        "UPDATE journal SET digest = (SELECT digest FROM journal WHERE seq = 1) WHERE seq = 4",
        "DELETE FROM journal WHERE seq = 1",
        "DELETE FROM journal WHERE seq = 3",
        "UPDATE journal SET seq = seq + 1 WHERE seq = 6",
        "UPDATE journal SET node = 'other' WHERE seq >= 5"};
    struct place *p = *state;
    uint64_t count = 0;
    fill(p, "10.0.0.9");
    assert_int_equal(verify(p, NULL, &count), WA_OK);
    assert_int_equal(count, 6);
    bench_exec(&p->b, "CREATE TABLE whole AS SELECT * FROM journal");
    for (size_t i = 0; i < WA_COUNT(damages); i++) {
        bench_exec(&p->b, damages[i]);
        if (verify(p, NULL, &count) != WA_E_REFUSED)
            fail_msg("not seen: %s", damages[i]);
        bench_exec(&p->b, "DELETE FROM journal");
        bench_exec(&p->b, "INSERT INTO journal SELECT * FROM whole");
        assert_int_equal(verify(p, NULL, &count), WA_OK);
    }
}

/* A head that was seen shows what the chain alone can't. */
static void a_head_shows_cuts(void **state)
{
    struct place *p = *state;
    struct wa_journal_head head;
    struct wa_err err = WA_ERR_INIT;
    uint64_t count = 0;
    fill(p, "10.0.0.9");
    WA_ASSERT_OK(wa_server_journal_head(p->b.store->db, NODE, &head, &err));
    assert_int_equal(head.seq, 6);
    fill(p, "10.0.0.9");
    assert_int_equal(verify(p, &head, &count), WA_OK);
    struct wa_journal_head other = head;
    other.digest[5] = other.digest[5] == '0' ? '1' : '0';
    assert_int_equal(verify(p, &other, &count), WA_E_REFUSED);
    bench_exec(&p->b, "DELETE FROM journal WHERE seq > 4");
    assert_int_equal(verify(p, NULL, &count), WA_OK); /* the chain is whole */
    assert_int_equal(verify(p, &head, &count), WA_E_REFUSED);
    fill(p, "10.0.0.8"); /* others in their place */
    assert_int_equal(verify(p, NULL, &count), WA_OK);
    assert_int_equal(verify(p, &head, &count), WA_E_REFUSED);
}

static void by_the_api(void **state)
{
    struct place *p = *state;
    WA_AUTO_BUF struct wa_buf out;
    struct wa_err err = WA_ERR_INIT;
    wa_buf_init(&out, 1u << 20);
    assert_int_equal(
        bench_ask(&p->b, "GET", "/api/v1/journal/head", "seen=1", p->token, WA_SV(""), &out), 200);
    assert_non_null(strstr(wa_buf_str(&out), "\"seq\":2"));
    assert_non_null(strstr(wa_buf_str(&out), "\"seen\":\""));
    assert_int_equal(
        bench_ask(&p->b, "GET", "/api/v1/journal/head", "seen=99", p->token, WA_SV(""), &out), 200);
    assert_null(strstr(wa_buf_str(&out), "\"seen\""));
    assert_int_equal(
        bench_ask(&p->b, "GET", "/api/v1/journal", "after=1&limit=1", p->token, WA_SV(""), &out),
        200);
    assert_non_null(strstr(wa_buf_str(&out), "login"));
    assert_null(strstr(wa_buf_str(&out), "host.registered"));
    WA_ASSERT_OK(wa_store_set_role(p->b.store->db, "admin", "developer", &err));
    assert_int_equal(bench_ask(&p->b, "GET", "/api/v1/journal", "", p->token, WA_SV(""), &out),
                     403);
    assert_int_equal(bench_ask(&p->b, "GET", "/api/v1/journal/head", "", p->token, WA_SV(""), &out),
                     200);
}

/* --- several chains --- */

static void link_to(struct place *p, const char *node, struct wa_journal_links *links)
{
    struct wa_err err = WA_ERR_INIT;
    WA_ASSERT_OK(wa_server_journal_link(p->b.store->db, node, links, &err));
}

static void note(struct place *p, const char *node)
{
    struct wa_err err = WA_ERR_INIT;
    const struct wa_journal_act act = {.act = "test", .peer = ""};
    WA_ASSERT_OK(wa_server_journal_add(p->b.store->db, node, &act, &err));
}

/* Each chain holds the others' heads: whoever cuts or rewrites one is found by the others. */
static void chains_are_linked(void **state)
{
    static const char *const damages[] = {
        "DELETE FROM journal WHERE node = 'other'",
        "DELETE FROM journal WHERE node = 'other' AND seq > 2",
        "DELETE FROM journal WHERE node = 'server-uuid' AND seq > 1",
        "UPDATE journal SET entry = replace(entry, 'link', 'lynk') WHERE node = 'server-uuid'"};
    struct place *p = *state;
    struct wa_journal_links ours = {0}, theirs = {0};
    uint64_t count = 0;
    for (int i = 0; i < 3; i++)
        note(p, "other");
    link_to(p, NODE, &ours);
    link_to(p, "other", &theirs);
    link_to(p, NODE, &ours); /* a link is no news */
    link_to(p, "other", &theirs);
    assert_int_equal(verify(p, NULL, &count), WA_OK);
    assert_int_equal(count, 7);
    note(p, "other");
    link_to(p, NODE, &ours);
    assert_int_equal(verify(p, NULL, &count), WA_OK);
    assert_int_equal(count, 9);
    bench_exec(&p->b, "CREATE TABLE whole AS SELECT * FROM journal");
    for (size_t i = 0; i < WA_COUNT(damages); i++) {
        bench_exec(&p->b, damages[i]);
        if (verify(p, NULL, &count) != WA_E_REFUSED)
            fail_msg("not seen: %s", damages[i]);
        bench_exec(&p->b, "DELETE FROM journal");
        bench_exec(&p->b, "INSERT INTO journal SELECT * FROM whole");
    }
    WA_VEC_FREE(&ours);
    WA_VEC_FREE(&theirs);
}

static enum wa_code check(const char *path, struct wa_sv text, struct wa_journal_head *last,
                          uint64_t *count)
{
    struct wa_err err = WA_ERR_INIT;
    char node[WA_JOURNAL_NODE];
    WA_AUTO_FD int fd = -1;
    WA_ASSERT_OK(wa_path_replace(path, text, 0600, &err));
    WA_ASSERT_OK(wa_path_open(path, &fd, &err));
    return wa_server_journal_check_archive(fd, node, last, count, &err);
}

/* What is trimmed was exported, the export proves itself, and the chain goes on from it. */
static void trimmed_and_exported(void **state)
{
    struct place *p = *state;
    struct wa_err err = WA_ERR_INIT;
    struct wa_buf out;
    struct wa_buf_sink sink;
    struct wa_journal_head last, again, seen;
    char path[WA_PATH_MAX];
    uint64_t count = 0;
    (void)snprintf(path, sizeof path, "%.3000s/export", p->b.dir);
    wa_buf_init(&out, 1u << 20);
    wa_buf_sink_init(&sink, &out);
    fill(p, "10.0.0.9");
    WA_ASSERT_OK(wa_server_journal_head(p->b.store->db, NODE, &seen, &err));
    WA_ASSERT_OK(wa_server_journal_export(p->b.store->db, NODE, 4, &sink.base, &last, &err));
    assert_int_equal(last.seq, 4);
    assert_int_equal(check(path, wa_buf_sv(&out), &again, &count), WA_OK);
    assert_int_equal(count, 4);
    assert_string_equal(again.digest, last.digest);
    WA_ASSERT_OK(wa_server_journal_trim(p->b.store->db, NODE, 4, "abc", &err));
    BENCH_IS(&p->b, "SELECT MIN(seq) FROM journal", "5");
    assert_int_equal(verify(p, NULL, &count), WA_OK);
    assert_int_equal(count, 3); /* with the entry that tells of it */
    assert_int_equal(verify(p, &seen, &count), WA_OK);
    assert_int_equal(verify(p, &last, &count), WA_OK);
    /* The export, with any byte changed or its end missing. */
    for (size_t i = 0; i < out.n; i += 7) {
        char was = out.p[i];
        out.p[i] = was == '7' ? '8' : '7';
        if (check(path, wa_buf_sv(&out), &again, &count) == WA_OK &&
            strcmp(again.digest, last.digest) == 0 && out.p[i] != was)
            fail_msg("a change at %zu is not seen", i);
        out.p[i] = was;
    }
    assert_int_not_equal(check(path, wa_sv_sub(wa_buf_sv(&out), 0, out.n - 90), &again, &count),
                         WA_OK);
    /* What was trimmed without a word. */
    bench_exec(&p->b, "DELETE FROM journal WHERE seq = 5");
    assert_int_equal(verify(p, NULL, &count), WA_E_REFUSED);
    bench_exec(&p->b, "UPDATE journal_bases SET seq = 5, digest = (SELECT '0123')");
    assert_int_equal(verify(p, NULL, &count), WA_E_REFUSED);
    wa_buf_fini(&out);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(each_act_has_its_entry), TEST(damage_shows),
                                       TEST(a_head_shows_cuts),      TEST(by_the_api),
                                       TEST(chains_are_linked),      TEST(trimmed_and_exported)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

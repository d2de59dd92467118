/* F1A in the store: the TLS certificates that machines get, keep, lose, and can't get. */
#include "bench.h"

#include <openssl/x509v3.h>

#include "crypto/csr.h"
#include "os/clock.h"
#include "server/store_authority.h"

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    bench_new(b);
    bench_token(b, "t", wa_clock_now() + 3600, 99);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    bench_free(*state);
    free(*state);
    return 0;
}

static void ask_for(struct machine *m, const char *name, const struct wa_key *key)
{
    struct wa_err err = WA_ERR_INIT;
    wa_buf_clear(&m->csr);
    WA_ASSERT_OK(wa_csr_make(name, key, &m->csr, &err));
}

/* A machine with a TLS key of its own. */
static void make(struct machine *m, const char *uuid, struct wa_key **ret_tls)
{
    struct wa_err err = WA_ERR_INIT;
    machine_new(m, uuid);
    WA_ASSERT_OK(wa_key_new_p256(ret_tls, &err));
    ask_for(m, uuid, *ret_tls);
}

/* The certificate in the answer; NULL when there is none. */
static struct wa_cert *given(const struct machine *m)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_CERTS struct wa_certs certs = {NULL, 0, 0};
    const struct wa_json *j = NULL;
    struct wa_err err = WA_ERR_INIT;
    wa_arena_init(&arena, 1u << 20);
    WA_ASSERT_OK(wa_json_parse(wa_buf_sv(&m->answer), 0, &arena, &j, &err));
    struct wa_sv pem = wa_json_sv(wa_json_get(j, "certificate"));
    if (pem.n == 0)
        return NULL;
    WA_ASSERT_OK(wa_certs_read_pem(pem, 1, &certs, &err));
    return wa_cert_ref(certs.items[0]);
}

static bool is_revoked(struct bench *b, const struct wa_cert *c)
{
    (void)bench_serve(b, 0, NULL, NULL);
    return strstr(wa_buf_str(&b->revoked), wa_cert_serial(c)) != NULL;
}

static void what_it_is_good_for(void **state)
{
    struct bench *b = *state;
    struct machine m;
    WA_AUTO(wa_key) struct wa_key *tls = NULL;
    make(&m, "machine-1", &tls);
    assert_int_equal(machine_register(b, &m, WA_CRED_TOKEN, "t"), 200);
    WA_AUTO(wa_cert) struct wa_cert *c = given(&m), *again = NULL;
    assert_non_null(c);
    assert_string_equal(wa_cert_cn(c), "machine-1");
    assert_true(wa_cert_matches_key(c, tls));
    assert_false(wa_cert_is_ca(c));
    assert_false(wa_cert_may_sign_code(c));
    assert_int_equal(X509_get_extended_key_usage(wa_cert_native(c)), XKU_SSL_CLIENT);
    assert_int_equal(X509_verify(wa_cert_native(c), wa_key_native(b->relay)), 1);
    assert_in_range(wa_cert_not_after(c), wa_clock_now() + 89 * 86400, wa_clock_now() + 90 * 86400);
    /* Asked again for the same key: the same, as long as it has half its life. */
    assert_int_equal(machine_register(b, &m, WA_CRED_KEY, ""), 200);
    again = given(&m);
    assert_true(wa_cert_equal(c, again));
    bench_exec(b, "UPDATE certificates SET not_after = issued + 1000, issued = issued - 1000");
    assert_int_equal(machine_register(b, &m, WA_CRED_KEY, ""), 200);
    wa_cert_free(again);
    again = given(&m);
    assert_false(wa_cert_equal(c, again));
    assert_false(is_revoked(b, c)); /* its key is the same: it ends by itself */
    machine_free(&m);
}

static void what_it_cannot_ask_for(void **state)
{
    struct bench *b = *state;
    struct machine m;
    WA_AUTO(wa_key) struct wa_key *tls = NULL;
    make(&m, "machine-1", &tls);
    ask_for(&m, "machine-2", tls);
    assert_int_equal(machine_register(b, &m, WA_CRED_TOKEN, "t"), 403);
    ask_for(&m, "machine-1", m.key); /* the network process has the TLS key: not this one */
    assert_int_equal(machine_register(b, &m, WA_CRED_TOKEN, "t"), 403);
    m.csr.p[m.csr.n / 2] ^= 1;
    assert_int_not_equal(machine_register(b, &m, WA_CRED_TOKEN, "t"), 200);
    BENCH_IS(b, "SELECT count(*) FROM hosts", "0");
    BENCH_IS(b, "SELECT count(*) FROM certificates", "0");
    BENCH_IS(b, "SELECT uses FROM tokens", "99");
    machine_free(&m);
}

/* So many days later. */
static void pass_days(struct bench *b, int days)
{
    char sql[160];
    (void)snprintf(sql, sizeof sql,
                   "UPDATE certificates SET issued = issued - %d, not_after = not_after - %d",
                   days * 86400, days * 86400);
    bench_exec(b, sql);
}

/* A hostile machine that takes as many as it may each day: what all are told of stays small, and a
 * machine that only renews has its days. */
static void for_ever_another_key(void **state)
{
    struct bench *b = *state;
    struct machine m, honest;
    char text[32];
    WA_AUTO(wa_key) struct wa_key *tls = NULL;
    WA_AUTO(wa_key) struct wa_key *other = NULL;
    make(&m, "machine-1", &tls);
    make(&honest, "machine-2", &other);
    assert_int_equal(machine_register(b, &m, WA_CRED_TOKEN, "t"), 200);
    assert_int_equal(machine_register(b, &honest, WA_CRED_TOKEN, "t"), 200);
    for (int day = 0; day < 20; day++) {
        for (int i = 0; i < WA_CLIENT_CERTS_A_DAY; i++) {
            WA_AUTO(wa_key) struct wa_key *next = NULL;
            struct wa_err err = WA_ERR_INIT;
            WA_ASSERT_OK(wa_key_new_p256(&next, &err));
            ask_for(&m, "machine-1", next);
            assert_int_equal(machine_register(b, &m, WA_CRED_KEY, ""), 200);
        }
        pass_days(b, 1);
        wa_fleet_remove(b->store->fleet, wa_sv(m.uuid)); /* what it took is given back by then */
    }
    bench_query(b,
                "SELECT count(*) FROM certificates WHERE revoked > 0 AND not_after > issued + 1 "
                "AND not_after > (SELECT max(issued) FROM certificates)",
                text, sizeof text);
    assert_in_range(strtol(text, NULL, 10), 10, 60); /* else 200 */
    pass_days(b, 45);
    assert_int_equal(machine_register(b, &honest, WA_CRED_KEY, ""), 200);
    WA_AUTO(wa_cert) struct wa_cert *c = given(&honest);
    assert_in_range(wa_cert_not_after(c), wa_clock_now() + 89 * 86400, wa_clock_now() + 90 * 86400);
    machine_free(&m);
    machine_free(&honest);
}

/* Far more than a message holds, all of them given up by machines: what an administrator revokes is
 * told. */
static void more_than_a_message(void **state)
{
    struct bench *b = *state;
    struct machine m;
    WA_AUTO(wa_key) struct wa_key *tls = NULL;
    make(&m, "machine-1", &tls);
    assert_int_equal(machine_register(b, &m, WA_CRED_TOKEN, "t"), 200);
    WA_AUTO(wa_cert) struct wa_cert *c = given(&m);
    bench_exec(b, "INSERT INTO certificates (serial, uuid, key, certificate, issued, not_after, "
                  "revoked, reason) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
                  "WHERE i < 600000) SELECT '00112233445566778899aabbccddeeff00' || (100000 + i), "
                  "'x', 'k', '', 1, 99999999999, 1, 'superseded' FROM n");
    bench_exec(b,
               "UPDATE certificates SET revoked = 5, reason = 'stolen' WHERE uuid = 'machine-1'");
    wa_store_tell_revoked(b->store);
    while (b->store->questions != NULL) { /* larger than what a socket takes at once */
        struct wa_err err = WA_ERR_INIT;
        WA_ASSERT_OK(wa_loop_turn(b->store->loop, 0, &err));
        (void)bench_serve(b, 0, NULL, NULL);
    }
    assert_true(is_revoked(b, c));
    assert_int_not_equal(b->store->crl_at, 0);
    size_t lines = 0;
    for (size_t i = 0; i < b->revoked.n; i++)
        lines += b->revoked.p[i] == '\n';
    assert_int_equal(lines, WA_REVOKED_MAX);
    machine_free(&m);
}

/* One key after the other: each takes the certificate of the one before, and not for ever. */
static void another_key(void **state)
{
    struct bench *b = *state;
    struct machine m;
    WA_AUTO(wa_key) struct wa_key *first = NULL;
    make(&m, "machine-1", &first);
    assert_int_equal(machine_register(b, &m, WA_CRED_TOKEN, "t"), 200);
    WA_AUTO(wa_cert) struct wa_cert *c = given(&m), *last = NULL;
    for (int i = 1; i < WA_CLIENT_CERTS_A_DAY + 2; i++) {
        WA_AUTO(wa_key) struct wa_key *next = NULL;
        struct wa_err err = WA_ERR_INIT;
        WA_ASSERT_OK(wa_key_new_p256(&next, &err));
        ask_for(&m, "machine-1", next);
        assert_int_equal(machine_register(b, &m, WA_CRED_KEY, ""), 200);
        wa_cert_free(last);
        last = given(&m);
        assert_true((last != NULL) == (i < WA_CLIENT_CERTS_A_DAY));
    }
    assert_true(is_revoked(b, c));
    ask_for(&m, "machine-1", first); /* its key is burnt */
    assert_int_equal(machine_register(b, &m, WA_CRED_KEY, ""), 200);
    last = given(&m);
    assert_null(last);
    machine_free(&m);
}

static void whoever_goes_loses_it(void **state)
{
    struct bench *b = *state;
    struct machine m, other;
    char session[65], path[100];
    WA_AUTO(wa_key) struct wa_key *tls = NULL, *theirs = NULL;
    make(&m, "machine-1", &tls);
    make(&other, "machine-2", &theirs);
    assert_int_equal(machine_register(b, &m, WA_CRED_TOKEN, "t"), 200);
    assert_int_equal(machine_register(b, &other, WA_CRED_TOKEN, "t"), 200);
    WA_AUTO(wa_cert) struct wa_cert *c = given(&m), *kept = given(&other);
    assert_int_equal(bench_login(b, "10.9.9.9", "admin", BENCH_PASSWORD, session), 200);
    (void)snprintf(path, sizeof path, "/api/v1/hosts/%s", m.uuid);
    assert_int_equal(bench_ask(b, "DELETE", path, "", session, WA_SV(""), NULL), 200);
    assert_true(is_revoked(b, c));
    assert_false(is_revoked(b, kept));
    /* The list for others is the authority's. */
    char file[WA_PATH_MAX];
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf crl;
    wa_buf_init(&crl, 1u << 20);
    (void)snprintf(file, sizeof file, "%.3000s/" WA_CRL_FILE, b->dir);
    WA_ASSERT_OK(wa_path_read(file, 1u << 20, &crl, &err));
    assert_true(wa_sv_starts(wa_buf_sv(&crl), "-----BEGIN X509 CRL-----"));
    /* Alone, without the machine: it gets another, for another key. */
    (void)snprintf(path, sizeof path, "/api/v1/hosts/%s/certificate", other.uuid);
    assert_int_equal(bench_ask(b, "DELETE", path, "", session, WA_SV(""), NULL), 200);
    assert_true(is_revoked(b, kept));
    assert_int_equal(bench_ask(b, "DELETE", path, "", session, WA_SV(""), NULL), 404);
    assert_int_equal(machine_register(b, &other, WA_CRED_KEY, ""), 200);
    assert_null(given(&other));
    BENCH_IS(b, "SELECT count(*) FROM hosts", "1");
    BENCH_IS(b, "SELECT count(*) FROM journal WHERE entry LIKE '%certificate.revoked%'", "1");
    machine_free(&m);
    machine_free(&other);
}

/* The signer takes its time, and meanwhile the machine is forgotten, another one takes its place,
 * or its certificate is revoked: what was signed for it is worth nothing. */
static void whoever_goes_while_it_is_signed(void **state)
{
    struct bench *b = *state;
    char session[65];
    assert_int_equal(bench_login(b, "10.9.9.9", "admin", BENCH_PASSWORD, session), 200);
    for (int i = 0; i < 3; i++) {
        struct machine m, other;
        char name[16], path[100];
        WA_AUTO(wa_key) struct wa_key *tls = NULL;
        (void)snprintf(name, sizeof name, "machine-%d", i);
        make(&m, name, &tls);
        machine_new(&other, name);
        other.seq = 100;
        assert_int_equal(machine_register(b, &m, WA_CRED_TOKEN, "t"), 200);
        WA_AUTO(wa_cert) struct wa_cert *c = given(&m);
        bench_exec(b, "UPDATE certificates SET not_after = issued + 1000, issued = issued - 1000");
        b->is_silent = true;
        assert_int_equal(machine_register(b, &m, WA_CRED_KEY, ""), 0);
        uint32_t asked = b->id;
        (void)snprintf(path, sizeof path, "/api/v1/hosts/%s%s", name, i == 2 ? "/certificate" : "");
        assert_int_equal(bench_ask(b, "DELETE", path, "", session, WA_SV(""), NULL), 200);
        if (i == 1)
            assert_int_equal(machine_register(b, &other, WA_CRED_TOKEN, "t"), 200);
        b->is_silent = false;
        int status = 0;
        wa_buf_clear(&m.answer);
        assert_true(bench_serve(b, asked, &status, &m.answer));
        assert_int_equal(status, 200); /* it was registered before that */
        assert_null(given(&m));
        BENCH_IS(b, "SELECT count(*) FROM certificates WHERE revoked = 0", "0");
        assert_true(is_revoked(b, c));
        machine_free(&m);
        machine_free(&other);
    }
}

/* Machine A's certificate with machine B's messages. */
static void anothers(void **state)
{
    struct bench *b = *state;
    struct machine m;
    WA_AUTO(wa_key) struct wa_key *tls = NULL;
    make(&m, "machine-1", &tls);
    static const char *const shown[] = {"machine-2", "machine-1"};
    for (size_t i = 0; i < WA_COUNT(shown); i++) {
        (void)snprintf(b->shown, sizeof b->shown, "%s", shown[i]);
        int want = i == 0 ? 403 : 200;
        assert_int_equal(machine_register(b, &m, WA_CRED_TOKEN, "t"), want);
        b->shown[0] = '\0';
        if (i == 0)
            assert_int_equal(machine_register(b, &m, WA_CRED_TOKEN, "t"), 200);
        (void)snprintf(b->shown, sizeof b->shown, "%s", shown[i]);
        assert_int_equal(machine_status(b, &m, "OK"), want);
        assert_int_equal(machine_greet(b, &m, 7), want);
    }
    machine_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_it_is_good_for, setup, teardown),
        cmocka_unit_test_setup_teardown(what_it_cannot_ask_for, setup, teardown),
        cmocka_unit_test_setup_teardown(another_key, setup, teardown),
        cmocka_unit_test_setup_teardown(for_ever_another_key, setup, teardown),
        cmocka_unit_test_setup_teardown(more_than_a_message, setup, teardown),
        cmocka_unit_test_setup_teardown(whoever_goes_loses_it, setup, teardown),
        cmocka_unit_test_setup_teardown(whoever_goes_while_it_is_signed, setup, teardown),
        cmocka_unit_test_setup_teardown(anothers, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

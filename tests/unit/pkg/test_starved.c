/* Verification on a machine that has no memory for OpenSSL, or no random bytes: a good package may
 * be refused then, and is called good only when every check was made; a bad one is never good.
 */
#include "packages.h"

#include "../lib/ossl_memory.h"

struct given {
    const char *file, *trusted;
    bool is_good;
};

static const struct given packages[] = {
    {"made/over-sha1-too.wapt", "trust/main", true},
    {"valid/base-ca-chain.wapt", "trust/ca_only", true},
    {"tampered/003-changed-one-byte.wapt", "trust/main", false},
    {"tampered/022-control-uuid.wapt", "trust/main", false},
    {"tampered/093-revoked.wapt", "trust/with_crl", false},
};

static enum wa_code verify(struct package *p, const struct wa_trust *anchors, struct wa_err *err)
{
    WA_AUTO_VERDICT struct wa_verdict v;
    wa_verdict_init(&v);
    enum wa_code code = wa_verify_package(wa_archive_members_get(p->archive), anchors,
                                          vectors_date(), NULL, NULL, &v, err);
    assert_int_equal(v.failed == WA_CHECK_COUNT, code == WA_OK);
    return code;
}

/* Fails number n of what counter counts, for each n; the other packages share most of their steps
 * with the first, so some will do there. */
static void fail_each(const struct given *g, long *counter)
{
    struct package p;
    WA_AUTO(wa_trust) struct wa_trust *anchors = trust_of(g->trusted);
    struct wa_err err = WA_ERR_INIT;
    check_ok(package_open(g->file, &p, &err), &err, g->file);
    for (long n = 0;; n += g == packages ? 1 : 9) {
        struct wa_err why = WA_ERR_INIT;
        *counter = n;
        enum wa_code code = verify(&p, anchors, &why);
        bool has_ended = *counter >= 0;
        *counter = -1;
        if (code == WA_OK && !g->is_good)
            fail_msg("%s is good when number %ld fails", g->file, n);
        if (!has_ended)
            continue;
        assert_int_equal(code == WA_OK, g->is_good);
        print_message("%s: %ld\n", g->file, n);
        break;
    }
    package_close(&p);
}

static void without_memory(void **state)
{
    (void)state;
    for (size_t i = 0; i < WA_COUNT(packages); i++)
        fail_each(&packages[i], &countdown);
}

static void without_randomness(void **state)
{
    (void)state;
    for (size_t i = 0; i < WA_COUNT(packages); i++)
        fail_each(&packages[i], &random_countdown);
}

int main(void)
{
    if (!ossl_memory_take())
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_memory),
        cmocka_unit_test(without_randomness),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What pages and people wish of a root, requests for certificates, and whom a revocation hits: what
 * comes out says what was wished, nothing else is taken, and memory may run out anywhere.
 */
#include "../repo/metadata.h"

#include "console/issuing.h"
#include "console/keys_list.h"
#include "console/revoking.h"
#include "console/root_wish.h"
#include "torture.h"

static struct people people;
static struct wa_buf first, good; /* the root in force, a wish */

/* --- wishes --- */

/* One signer who may do all, by Dave's certificate as PEM; %s: its members' end. */
static void wish_text(const char *head, const char *signer_end, struct wa_buf *out)
{
    WA_AUTO_BUF struct wa_buf pem;
    struct wa_jw w;
    pem_of(&people, DAVE, &pem);
    wa_buf_init(out, 1u << 20);
    wa_buf_addf(out, "{%s\"signers\":[{\"certificate\":", head);
    wa_jw_init(&w, out);
    wa_jw_sv(&w, wa_buf_sv(&pem));
    wa_buf_addf(out,
                ",\"sections\":[\"*\"],\"prefixes\":[\"acme-\"],\"actions\":[],\"groups\":[],"
                "\"units\":[],\"code\":false%s}],\"administrators\":[\"%s\",\"%s\"]}",
                signer_end, wa_cert_fingerprint(people.certs[ALICE]),
                wa_cert_fingerprint(people.certs[BOB]));
}

static enum wa_code wish_of(struct wa_sv text, struct wa_root **ret, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO(wa_root) struct wa_root *in_force = NULL;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, 16u << 20);
    if (wa_root_read(wa_buf_sv(&first), &in_force, err) != WA_OK ||
        wa_json_parse(text, 0, &arena, &j, err) != WA_OK)
        return err->code;
    return wa_root_of_wish(in_force, j, NOW, ret, err);
}

static enum wa_code wish(const char *head, const char *end, struct wa_root **ret,
                         struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    wish_text(head, end, &text);
    return wish_of(wa_buf_sv(&text), ret, err);
}

#define GOOD "\"days\":100,\"threshold\":2,\"published_days\":20,\"timestamp_hours\":12,"
#define MAY ",\"publish\":true"

static void a_wish_is_the_whole_of_it(void **state)
{
    WA_AUTO(wa_root) struct wa_root *r = NULL;
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(state);
    check_ok(wish(GOOD, MAY, &r, &err), &err, "wish");
    assert_int_equal(r->version, 2);
    assert_int_equal(r->threshold, 2);
    assert_int_equal(r->expires, NOW + 100 * DAY);
    assert_int_equal(r->administrators.n, 2);
    assert_int_equal(r->signer_count, 1);
    assert_true(wa_cert_equal(r->signers[0].cert, people.certs[DAVE]));
    assert_true(r->signers[0].may_publish && !r->signers[0].may_sign_code);
    assert_int_equal(r->timestamp_key_count, 1); /* as it was */
    assert_string_equal(r->repository, REPOSITORY);
}

static void what_is_no_wish(void **state)
{
    static const char *const heads[] = {
        "\"days\":0,\"threshold\":2,\"published_days\":20,\"timestamp_hours\":12,",
        "\"days\":99999,\"threshold\":2,\"published_days\":20,\"timestamp_hours\":12,",
        "\"days\":1,\"threshold\":3,\"published_days\":20,\"timestamp_hours\":12,",
        "\"days\":1,\"threshold\":0,\"published_days\":20,\"timestamp_hours\":12,",
        "\"days\":1,\"threshold\":2,\"published_days\":31,\"timestamp_hours\":12,",
        "\"days\":1,\"threshold\":2,\"published_days\":20,\"timestamp_hours\":999,",
        "\"days\":1,\"threshold\":2,\"published_days\":20,",
        GOOD "\"version\":9,",
        GOOD "\"timestamp_keys\":[\"x\"],",
        GOOD "\"timestamp_keys\":[],",
        GOOD "\"days\":1,",
        ""};
    static const char *const ends[] = {"", MAY ",\"more\":1", ",\"publish\":\"yes\""};
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(heads) + WA_COUNT(ends); i++) {
        WA_AUTO(wa_root) struct wa_root *r = NULL;
        struct wa_err err = WA_ERR_INIT;
        bool is_head = i < WA_COUNT(heads);
        enum wa_code code =
            wish(is_head ? heads[i] : GOOD, is_head ? MAY : ends[i - WA_COUNT(heads)], &r, &err);
        if (code == WA_OK || r != NULL)
            fail_msg("wish %zu was taken", i);
    }
}

/* Nothing of another root is taken: who is named by a fingerprint is nobody, and no key is there.
 */
static void a_first_root_stands_alone(void **state)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO(wa_root) struct wa_root *r = NULL;
    const struct wa_json *j = NULL;
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(state);
    wa_arena_init(&arena, 16u << 20);
    check_ok(wa_json_parse(wa_buf_sv(&good), 0, &arena, &j, &err), &err, "JSON");
    assert_int_not_equal(wa_root_of_wish(NULL, j, NOW, &r, &err), WA_OK);
    assert_null(r);
}

static enum wa_code signed_by(enum who who, bool *ret_complete, struct wa_err *err)
{
    WA_AUTO(wa_root) struct wa_root *in_force = NULL;
    WA_AUTO(wa_root) struct wa_root *r = NULL;
    WA_AUTO_CERTS struct wa_certs chain = {0};
    WA_AUTO_BUF struct wa_buf json;
    struct wa_err missing = WA_ERR_INIT;
    wa_buf_init(&json, WA_ROOT_BYTES_MAX);
    if (wa_root_read(wa_buf_sv(&first), &in_force, err) != WA_OK ||
        wish_of(wa_buf_sv(&good), &r, err) != WA_OK ||
        wa_certs_add(&chain, people.certs[who], err) != WA_OK)
        return err->code;
    const struct wa_signer signer = {people.keys[who], &chain};
    if (wa_root_sign(in_force, r, &signer, &json, &missing, err) != WA_OK)
        return err->code;
    *ret_complete = missing.code == WA_OK;
    return missing.code == WA_E_NOMEM ? wa_nomem(err) : WA_OK;
}

static void one_signature_is_one(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    bool is_complete = true;
    WA_UNUSED(state);
    check_ok(signed_by(ALICE, &is_complete, &err), &err, "Alice");
    assert_false(is_complete);
    check_ok(signed_by(CAROL, &is_complete, &err), &err, "Carol, of the old root");
    assert_false(is_complete);
    assert_int_equal(signed_by(DAVE, &is_complete, &err), WA_E_REFUSED);
}

/* --- certificates --- */

static enum wa_code request_of(const char *cn, struct wa_buf *out, struct wa_err *err)
{
    wa_buf_init(out, WA_CSR_BYTES_MAX);
    return wa_csr_make(cn, people.keys[BOB], out, err);
}

struct told {
    size_t lines;
};

static void tell(void *user, const char *label, struct wa_sv value)
{
    struct told *t = user;
    t->lines++;
    assert_true(label[0] != '\0' && value.n > 0);
}

static enum wa_code issue(struct wa_certs *chain, struct wa_err *err)
{
    static const struct wa_cert_request authority = {
        .cn = "Authority", .is_ca = true, .path_length = -1, .days = 100};
    WA_AUTO(wa_cert) struct wa_cert *ca = NULL;
    WA_AUTO_CERTS struct wa_certs issuer = {0};
    WA_AUTO_ISSUING struct wa_issuing i = {.code_signing = true, .days = 10};
    WA_AUTO_BUF struct wa_buf pem;
    struct told t = {0};
    if (request_of("Bob", &pem, err) != WA_OK ||
        wa_cert_issue(&authority, people.keys[ALICE], NULL, NULL, &ca, err) != WA_OK ||
        wa_certs_add(&issuer, ca, err) != WA_OK ||
        wa_issuing_read(wa_buf_sv(&pem), &i, err) != WA_OK ||
        wa_issuing_say(&i, tell, &t, err) != WA_OK)
        return err->code;
    const struct wa_signer signer = {people.keys[ALICE], &issuer};
    return wa_issuing_make(&i, &signer, chain, err);
}

static void what_is_granted_is_what_was_chosen(void **state)
{
    WA_AUTO_CERTS struct wa_certs chain = {0};
    WA_AUTO_ISSUING struct wa_issuing i = {.days = 10};
    WA_AUTO_BUF struct wa_buf pem;
    WA_AUTO_CERTS struct wa_certs alone = {0};
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(state);
    check_ok(issue(&chain, &err), &err, "issue");
    assert_int_equal(chain.n, 2);
    assert_string_equal(wa_cert_cn(chain.items[0]), "Bob");
    assert_true(wa_cert_may_sign_code(chain.items[0]) && !wa_cert_is_ca(chain.items[0]));
    assert_true(wa_cert_matches_key(chain.items[0], people.keys[BOB]));
    /* By somebody who is no authority, and for no time or for ever. */
    check_ok(request_of("Bob", &pem, &err), &err, "request");
    check_ok(wa_issuing_read(wa_buf_sv(&pem), &i, &err), &err, "read");
    check_ok(wa_certs_add(&alone, people.certs[ALICE], &err), &err, "chain");
    const struct wa_signer signer = {people.keys[ALICE], &alone};
    assert_int_equal(wa_issuing_make(&i, &signer, &chain, &err), WA_E_USAGE);
    i.days = 0;
    assert_int_equal(wa_issuing_make(&i, &signer, &chain, &err), WA_E_USAGE);
    i.days = 99999;
    assert_int_equal(wa_issuing_make(&i, &signer, &chain, &err), WA_E_USAGE);
    assert_int_equal(chain.n, 2);
}

static void before_it_ends(void **state)
{
    const struct wa_cert *c = people.certs[ALICE];
    WA_UNUSED(state);
    assert_null(wa_keys_problem(c, wa_cert_not_after(c) - WA_KEYS_SOON_S));
    assert_string_equal(wa_keys_problem(c, wa_cert_not_after(c) - WA_KEYS_SOON_S + 1), "soon");
    assert_string_equal(wa_keys_problem(c, wa_cert_not_after(c)), "expired");
}

/* --- revocation --- */

static void whom_it_hits(void **state)
{
    WA_AUTO_REVOKING struct wa_revoking r;
    WA_AUTO_CERTS struct wa_certs chain = {0};
    struct wa_err err = WA_ERR_INIT;
    const char *alice = wa_cert_fingerprint(people.certs[ALICE]),
               *bob = wa_cert_fingerprint(people.certs[BOB]);
    WA_UNUSED(state);
    wa_revoking_init(&r);
    check_ok(wa_certs_add(&chain, people.certs[BOB], &err), &err, "chain");
    check_ok(wa_certs_add(&chain, people.certs[ALICE], &err), &err, "chain");
    assert_false(wa_revoking_hits(&r, &chain, bob));
    check_ok(wa_revoking_add(&r, wa_sv(alice), &err), &err, "add");
    assert_true(wa_revoking_hits(&r, &chain, bob)); /* she vouches for him */
    chain.n = 1;
    assert_false(wa_revoking_hits(&r, &chain, bob));
    assert_true(wa_revoking_hits(&r, &chain, alice)); /* whose certificate is not there */
    chain.n = 2;
    assert_int_equal(wa_revoking_add(&r, WA_SV("x"), &err), WA_E_INVALID);
    while (r.count < WA_REVOKING_MAX)
        check_ok(wa_revoking_add(&r, wa_sv(bob), &err), &err, "add");
    wa_err_clear(&err);
    assert_int_equal(wa_revoking_add(&r, wa_sv(bob), &err), WA_E_LIMIT);
    wa_err_clear(&err);
    check_ok(wa_revoking_check(&r, &err), &err, "no package is there");
}

/* --- memory --- */

static enum wa_code all_of_it(void *arg, struct wa_err *err)
{
    WA_AUTO_CERTS struct wa_certs chain = {0};
    bool is_complete = false;
    WA_UNUSED(arg);
    return issue(&chain, err) == WA_OK ? signed_by(ALICE, &is_complete, err) : err->code;
}

static void without_memory(void **state)
{
    WA_UNUSED(state);
    assert_true(wa_torture(all_of_it, NULL) > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_wish_is_the_whole_of_it),
                                       cmocka_unit_test(what_is_no_wish),
                                       cmocka_unit_test(a_first_root_stands_alone),
                                       cmocka_unit_test(one_signature_is_one),
                                       cmocka_unit_test(what_is_granted_is_what_was_chosen),
                                       cmocka_unit_test(before_it_ends),
                                       cmocka_unit_test(whom_it_hits),
                                       cmocka_unit_test(without_memory)};
    people_make(&people);
    root_make(&people, (struct root_what){.version = 1}, &first);
    wish_text(GOOD, MAY, &good);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    wa_buf_fini(&first);
    wa_buf_fini(&good);
    people_free(&people);
    return failed;
}

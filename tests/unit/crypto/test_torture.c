/* Each allocation of ours fails in turn: the function says that memory ran out, leaks nothing and
 * changes nothing. (OpenSSL's own allocations fail in test_ossl.c.) */
#include "support.h"
#include "torture.h"

#include "crypto/crl.h"
#include "crypto/csr.h"
#include "crypto/tree.h"

/* What the runs need, made once. */
static struct {
    struct wa_buf crl_pem, chain_pem, key_pem, public_pem;
    struct wa_key *rsa, *ec;
    struct wa_cert *ca;
    struct wa_certs chain;
    char ssl_dir[WA_PATH_MAX];
} given;

static int make_given(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(state);

    read_trust_file("chains/base-intermediate-full.crt", &given.chain_pem);
    read_trust_file("with_crl/ca_with_crl.crt", &given.crl_pem);
    read_trust_file("keys/rsa2048-traditional.pem", &given.key_pem);
    read_trust_file("keys/rsa2048-public.pem", &given.public_pem);
    WA_ASSERT_OK(wa_key_read_pem(wa_buf_sv(&given.key_pem), "x", NULL, NULL, &given.rsa, &err));
    given.ec = new_p256();
    given.ca = issue((struct wa_cert_request){.cn = "CA", .is_ca = true, .path_length = -1},
                     given.ec, NULL, NULL);
    read_chain("chains/base-intermediate-full.crt", &given.chain);
    wa_test_data_path("vectors/trust/with_crl", given.ssl_dir);
    return 0;
}

static int drop_given(void **state)
{
    WA_UNUSED(state);
    wa_buf_fini(&given.chain_pem);
    wa_buf_fini(&given.crl_pem);
    wa_buf_fini(&given.key_pem);
    wa_buf_fini(&given.public_pem);
    wa_key_free(given.rsa);
    wa_key_free(given.ec);
    wa_cert_free(given.ca);
    wa_certs_fini(&given.chain);
    return 0;
}

static enum wa_code digest_source(void *arg, struct wa_err *err)
{
    struct wa_mem_source source;
    char hex[WA_DIGEST_HEX_MAX];
    WA_UNUSED(arg);

    wa_mem_source_init(&source, "abc", 3);
    return wa_digest_source(WA_SHA256, &source.base, hex, err);
}

static enum wa_code read_and_write_certs(void *arg, struct wa_err *err)
{
    WA_AUTO_CERTS struct wa_certs list = {0};
    WA_AUTO_BUF struct wa_buf out;
    WA_UNUSED(arg);
    wa_buf_init(&out, 100000);

    if (wa_certs_add(&list, given.ca, err) != WA_OK)
        return err->code;
    if (wa_certs_read_pem(wa_buf_sv(&given.chain_pem), 16, &list, err) != WA_OK) {
        assert_int_equal(list.n, 1);
        return err->code;
    }
    return wa_certs_write_pem(&list, &out, err);
}

static enum wa_code read_dir(void *arg, struct wa_err *err)
{
    WA_AUTO_CERTS struct wa_certs list = {0};
    WA_UNUSED(arg);

    enum wa_code code = wa_certs_read_dir(given.ssl_dir, &list, err);
    assert_int_equal(list.n, code == WA_OK ? 1 : 0);
    return code;
}

static enum wa_code trust(void *arg, struct wa_err *err)
{
    WA_AUTO(wa_trust) struct wa_trust *t = NULL;
    struct wa_trust_result r;
    WA_UNUSED(arg);

    if (wa_trust_new(&t, err) != WA_OK || wa_trust_add(t, given.ca, err) != WA_OK)
        return err->code;
    if (wa_trust_add_dir(t, given.ssl_dir, err) != WA_OK) {
        assert_int_equal(wa_trust_count(t), 1);
        return err->code;
    }
    if (wa_trust_revoke_lines(t, wa_sv(wa_cert_fingerprint(given.ca)), err) != WA_OK ||
        wa_trust_revoke(t, wa_cert_fingerprint(given.ca), err) != WA_OK ||
        wa_trust_let_order(t, wa_sv(wa_cert_fingerprint(given.ca)), err) != WA_OK)
        return err->code;
    return wa_trust_check(t, &given.chain, vectors_date(), &r, err);
}

static enum wa_code lists(void *arg, struct wa_err *err)
{
    WA_AUTO(wa_trust) struct wa_trust *t = NULL;
    WA_AUTO_BUF struct wa_buf der, again;
    struct wa_crl_info info = {.authority = "untouched"};
    bool is_used = false;
    WA_UNUSED(arg);
    wa_buf_init(&der, 100000);
    wa_buf_init(&again, 100000);

    if (wa_crl_read(wa_buf_sv(&given.crl_pem), &der, &info, err) != WA_OK) {
        assert_string_equal(info.authority, "untouched");
        return err->code;
    }
    if (wa_trust_new(&t, err) != WA_OK ||
        wa_trust_add_crl(t, wa_buf_sv(&der), &given.chain, &is_used, err) != WA_OK)
        return err->code;
    assert_true(is_used);
    return wa_trust_crl(t, 0, &again, &is_used, err);
}

static enum wa_code lists_for_later(void *arg, struct wa_err *err)
{
    WA_AUTO(wa_trust) struct wa_trust *t = NULL;
    WA_AUTO_BUF struct wa_buf der, urls;
    struct wa_crl_info info;
    bool is_worth = false, is_there = false;
    WA_UNUSED(arg);
    wa_buf_init(&der, 100000);
    wa_buf_init(&urls, 100000);

    if (wa_trust_new(&t, err) != WA_OK || wa_trust_add_dir(t, given.ssl_dir, err) != WA_OK ||
        wa_trust_add_kept(t, given.ssl_dir, err) != WA_OK ||
        wa_trust_crl_urls(t, &urls, err) != WA_OK)
        return err->code;
    enum wa_code code = wa_trust_crl_to_keep(t, 0, &given.chain, vectors_date(), &der, &info,
                                             &is_worth, &is_there, err);
    assert_true(code != WA_OK || (is_worth && is_there));
    return code;
}

static enum wa_code keys(void *arg, struct wa_err *err)
{
    WA_AUTO(wa_key) struct wa_key *key = NULL, *half = NULL, *made = NULL;
    WA_AUTO_BUF_SECRET struct wa_buf out;
    WA_UNUSED(arg);
    wa_buf_init(&out, 100000);

    if (wa_key_read_pem(wa_buf_sv(&given.key_pem), "x", NULL, NULL, &key, err) != WA_OK ||
        wa_key_read_public_pem(wa_buf_sv(&given.public_pem), &half, err) != WA_OK ||
        wa_key_new_p256(&made, err) != WA_OK ||
        wa_key_write_pem(key, WA_SV(""), &out, err) != WA_OK)
        return err->code;
    return wa_key_write_public_pem(half, &out, err);
}

static enum wa_code say(void *user, const char *what, struct wa_buf *out, struct wa_err *err)
{
    WA_UNUSED(what);
    WA_UNUSED(err);
    wa_buf_adds(out, user);
    return WA_OK;
}

static enum wa_code encrypted_key(void *arg, struct wa_err *err)
{
    WA_AUTO(wa_key) struct wa_key *key = NULL;

    return wa_key_read_pem(wa_buf_sv(arg), "x", say, (void *)(uintptr_t) "p\xc3\xa4ssword 1", &key,
                           err);
}

static enum wa_code signatures(void *arg, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf sig;
    WA_UNUSED(arg);
    wa_buf_init(&sig, 1000);

    if (wa_sign(given.rsa, WA_SV("x"), &sig, err) != WA_OK)
        return err->code;
    return wa_signature_check(given.rsa, WA_SV("x"), wa_buf_sv(&sig), err);
}

static enum wa_code issuing(void *arg, struct wa_err *err)
{
    static const char *const names[] = {"host.example.test", "10.0.0.1", NULL};
    const struct wa_cert_request what = {
        .cn = "x", .server_auth = true, .dns_names = names, .days = 1};
    WA_AUTO(wa_cert) struct wa_cert *c = NULL;
    WA_UNUSED(arg);

    return wa_cert_issue(&what, given.rsa, given.ca, given.ec, &c, err);
}

static enum wa_code requests(void *arg, struct wa_err *err)
{
    struct wa_key *read = NULL;
    struct wa_csr_said said;
    WA_UNUSED(arg);
    WA_AUTO_BUF struct wa_buf pem;
    char cn[WA_CN_SIZE];
    wa_buf_init(&pem, 10000);
    enum wa_code code = wa_csr_make("m", given.ec, &pem, err);
    if (code == WA_OK)
        code = wa_csr_read_said(wa_buf_sv(&pem), &read, cn, &said, err);
    wa_key_free(read);
    return code;
}

static enum wa_code trees(void *arg, struct wa_err *err)
{
    struct wa_tree_digest leaves[5], root;
    struct wa_tree_proof proof;
    WA_AUTO(wa_tree) struct wa_tree *t = NULL;
    WA_UNUSED(arg);

    for (size_t i = 0; i < WA_COUNT(leaves); i++)
        if (wa_tree_leaf(wa_sv_n(&i, sizeof i), &leaves[i], err) != WA_OK)
            return err->code;
    if (wa_tree_root(leaves, 5, &root, err) != WA_OK || wa_tree_new(leaves, 5, &t, err) != WA_OK ||
        wa_tree_prove(leaves, 5, 4, &proof, err) != WA_OK)
        return err->code;
    return wa_tree_check(&leaves[4], 4, 5, &proof, &root, err);
}

static void every_allocation(void **state)
{
    WA_UNUSED(state);
    static const struct {
        const char *name;
        wa_torture_fn *fn;
    } runs[] = {{"digest_source", digest_source},
                {"certs", read_and_write_certs},
                {"dir", read_dir},
                {"trust", trust},
                {"lists", lists},
                {"lists for later", lists_for_later},
                {"keys", keys},
                {"signatures", signatures},
                {"issuing", issuing},
                {"requests", requests},
                {"trees", trees}};

    for (size_t i = 0; i < WA_COUNT(runs); i++) {
        print_message("%s: %zu allocations\n", runs[i].name, wa_torture(runs[i].fn, NULL));
        assert_queue_empty(runs[i].name);
    }
}

static void keys_under_a_passphrase(void **state)
{
    WA_UNUSED(state);
    static const char *const files[] = {"keys/rsa2048-traditional-aes.pem",
                                        "keys/rsa2048-pbes2.pem"};

    for (size_t i = 0; i < WA_COUNT(files); i++) {
        WA_AUTO_BUF struct wa_buf pem;
        read_trust_file(files[i], &pem);
        (void)wa_torture(encrypted_key, &pem);
        assert_queue_empty(files[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation),
        cmocka_unit_test(keys_under_a_passphrase),
    };
    return cmocka_run_group_tests(tests, make_given, drop_given);
}

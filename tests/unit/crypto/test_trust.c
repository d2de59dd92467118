/* trust: who leads to an anchor and who does not, and why not - by WAPT's vectors and by
 * certificates made for each rule.
 *
 * chains/ are the WAPT/certificate.crt of the vectors' packages, made/ come from made/make.py.
 */
#include "support.h"

#include <openssl/x509v3.h>

#include <openssl/ec.h>
#include <openssl/x509.h>

static void trust_file(struct wa_trust *t, const char *file)
{
    WA_AUTO_CERTS struct wa_certs list = {0};
    struct wa_err err = WA_ERR_INIT;

    read_chain(file, &list);
    for (size_t i = 0; i < list.n; i++)
        WA_ASSERT_OK(wa_trust_add(t, list.items[i], &err));
}

/* Vectors directory, or a file of certificates. */
static struct wa_trust *new_trust(const char *store)
{
    struct wa_trust *t = NULL;
    struct wa_err err = WA_ERR_INIT;
    char path[WA_PATH_MAX], name[256];

    WA_ASSERT_OK(wa_trust_new(&t, &err));
    if (strstr(store, ".crt") != NULL) {
        trust_file(t, store);
        return t;
    }
    (void)snprintf(name, sizeof name, "vectors/trust/%s", store);
    wa_test_data_path(name, path);
    WA_ASSERT_OK(wa_trust_add_dir(t, path, &err));
    return t;
}

struct trust_case {
    const char *store, *chain;
    const char *anchor; /* its common name; NULL: refused */
    const char *says;   /* of the refusal */
    bool may_sign_code;
};

static void try_case(const struct trust_case *c)
{
    WA_AUTO(wa_trust) struct wa_trust *t = new_trust(c->store);
    WA_AUTO_CERTS struct wa_certs chain = {0};
    struct wa_trust_result r;
    struct wa_err err = WA_ERR_INIT;

    memset(&r, 0x55, sizeof r);
    read_chain(c->chain, &chain);
    enum wa_code code = wa_trust_check(t, &chain, vectors_date(), &r, &err);
    assert_queue_empty(c->chain);
    if (c->anchor == NULL) {
        if (code != WA_E_REFUSED || strstr(err.text, c->says) == NULL)
            fail_msg("%s in %s: %s '%s', expected '%s'", c->chain, c->store, wa_code_name(code),
                     err.text, c->says);
        for (size_t i = 0; i < sizeof r; i++)
            assert_int_equal(((const unsigned char *)&r)[i], 0x55); /* written on success only */
        return;
    }
    if (code != WA_OK)
        fail_msg("%s in %s: %s", c->chain, c->store, err.text);
    assert_string_equal(r.anchor_cn, c->anchor);
    assert_string_equal(r.signer_cn, wa_cert_cn(chain.items[0]));
    assert_string_equal(r.signer_fingerprint, wa_cert_fingerprint(chain.items[0]));
    assert_int_equal(r.is_pinned, strcmp(r.signer_fingerprint, r.anchor_fingerprint) == 0);
    if (r.may_sign_code != c->may_sign_code)
        fail_msg("%s in %s: may sign code: %d", c->chain, c->store, r.may_sign_code);
}

/* tests/vectors/expected.json says accept or reject for the packages of these chains, and for what
 * reason. */
static const struct trust_case vectors[] = {
    {"main", "chains/base-simple.crt", "admin", NULL, true},
    {"main", "chains/base-rsa4096.crt", "big4096", NULL, true},
    {"main", "chains/base-encrypted-key.crt", "encrypted", NULL, true},
    {"main", "chains/base-accented-signer.crt",
     "\xc3\x89ric M\xc3\xbcller \xe6\x9d\x8e\xe9\x9b\xb7", NULL, true},
    {"main", "chains/group-nocodesigning.crt", "nocs", NULL, false},
    {"main", "chains/100-nocs-setup-ca.crt", "Example Root CA", NULL, false},
    {"main", "chains/101-nocs-ca-itself.crt", "Example Root CA", NULL, false},
    {"main", "chains/070-cert-appended.crt", "admin", NULL,
     true}, /* refused by the manifest, not by trust */
    {"ca_only", "chains/base-ca-chain.crt", "Example Root CA", NULL, true},
    {"ca_only", "chains/base-ca-leaf-only.crt", "Example Root CA", NULL, true},
    {"ca_only", "chains/base-intermediate.crt", "Example Root CA", NULL, true},
    {"ca_only", "chains/base-intermediate-full.crt", "Example Root CA", NULL, true},
    {"ca_only", "chains/base-noski-leaf.crt", "Example Root CA", NULL, true},
    {"ca_only", "chains/group-ca-nocodesigning.crt", "Example Root CA", NULL, false},
    {"with_crl", "chains/base-ca-chain.crt", "Example Root CA", NULL, true},
    {"leaf_pinned", "leaf_pinned/leaf.crt", "Leaf Codeur", NULL, true},
    {"pinned_leaf", "pinned_leaf/pinned.crt", "Pinned Leaf", NULL, true},
    {"other", "chains/074-untrusted-signer-other-trust.crt", NULL,
     "leads to no trusted certificate", false},
    {"main", "chains/073-untrusted-signer.crt", NULL, "leads to no trusted certificate", false},
    {"main", "chains/076-untrusted-chain-trusted-appended.crt", NULL,
     "leads to no trusted certificate", false},
    {"main", "chains/080-spoofed-admin-subject.crt", NULL, "leads to no trusted certificate",
     false},
    {"main", "chains/082-spoofed-ca-aki.crt", NULL, "is not by this 'Example Root CA'", false},
    {"ca_only", "chains/086-inter-no-keycertsign.crt", NULL, "may not sign certificates", false},
    {"expired", "chains/088-expired-selfsigned.crt", NULL, "expired on 2025-10-19", false},
    {"ca_only", "chains/089-expired-leaf.crt", NULL, "expired on 2025-10-19", false},
    {"ca_only", "chains/090-future-leaf.crt", NULL, "not valid before 2081-08-26", false},
    {"ca_only", "chains/091-expired-intermediate.crt", NULL,
     "'Expired Intermediate' expired on 2025-10-19", false},
    {"with_crl", "chains/093-revoked.crt", NULL, "'Revoked leaf' was revoked by 'Example Root CA'",
     false},
    {"ca_only", "chains/096-weak-rsa1024.crt", NULL, "less than 2048 bits", false},
    {"ca_only", "chains/097-weak-sha1-cert.crt", NULL, "weak digest SHA1", false},
};

static void wapt_vectors(void **state)
{
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(vectors); i++)
        try_case(&vectors[i]);
}

static const struct trust_case rules[] = {
    /* two authorities of one name: the order of the store does not matter, nor a wrong hint */
    {"made/store-namesakes.crt", "made/of-first.crt", "Root", NULL, true},
    {"made/store-namesakes.crt", "made/of-second.crt", "Root", NULL, true},
    {"made/store-namesakes-other-order.crt", "made/of-first.crt", "Root", NULL, true},
    {"made/store-namesakes-other-order.crt", "made/of-second.crt", "Root", NULL, true},
    {"made/store-namesakes.crt", "made/wrong-hint.crt", "Root", NULL, true},
    {"made/store-root.crt", "made/of-second.crt", NULL, "is not by this 'Root'", false},
    /* one authority certified twice */
    {"made/store-root.crt", "made/cross-expired-first.crt", "Root", NULL, true},
    {"made/store-root.crt", "made/cross-expired-last.crt", "Root", NULL, true},
    {"made/store-root.crt", "made/cross-expired-only.crt", NULL, "'Cross' expired on 2021-01-01",
     false},
    /* code can only be given by who may sign it */
    {"made/store-deployer.crt", "made/code-by-deployer.crt", "Deployer", NULL, false},
    {"made/store-deployer.crt", "made/code-below-deployer.crt", "Deployer", NULL, false},
    {"made/store-developer.crt", "made/code-by-developer.crt", "Developer", NULL, true},
    {"made/store-any.crt", "made/code-by-any.crt", "Any purpose", NULL, true},
    {"made/store-any.crt", "made/any-by-any.crt", "Any purpose", NULL, false},
    {"made/store-root.crt", "made/code-limited-first.crt", "Root", NULL, true},
    {"made/store-root.crt", "made/code-limited-last.crt", "Root", NULL, true},
    /* what an issuer must be */
    {"made/store-root.crt", "made/issuer-no-ca.crt", NULL, "is no authority", false},
    {"made/store-root.crt", "made/issuer-no-basic.crt", NULL, "is no authority", false},
    {"made/store-root.crt", "made/issuer-no-usage.crt", "Root", NULL, true},
    {"made/store-root.crt", "made/issued-by-signer.crt", NULL, "is no authority", false},
    /* path length */
    {"made/store-short.crt", "made/short-leaf.crt", "Short root", NULL, true},
    {"made/store-short.crt", "made/short-signer-is-ca.crt", "Short root", NULL, true},
    {"made/store-short.crt", "made/short-rolled.crt", "Short root", NULL, true},
    {"made/store-short.crt", "made/short-too-long.crt", NULL, "allows at most 0 authorities",
     false},
    /* extensions */
    {"made/store-root.crt", "made/unknown.crt", "Root", NULL, true},
    {"made/store-root.crt", "made/policy.crt", "Root", NULL, true},
    {"made/store-root.crt", "made/signer-no-usage.crt", "Root", NULL, true},
    {"made/store-root.crt", "made/critical-unknown.crt", NULL,
     "critical extension that is not understood", false},
    {"made/store-root.crt", "made/critical-policy.crt", NULL,
     "critical extension that is not understood", false},
    {"made/store-root.crt", "made/critical-in-issuer.crt", NULL, "'Critical inter' has a critical",
     false},
    {"made/store-root.crt", "made/signer-key-agreement.crt", NULL, "is not for signing", false},
    {"made/store-root.crt", "made/broken-purpose.crt", NULL, "extensions that can't be read",
     false},
    /* names that an authority may certify */
    {"made/store-constrained.crt", "made/constrained-inside.crt", "Constrained", NULL, true},
    {"made/store-bound.crt", "made/bound-rolled.crt", "Bound", NULL, true},
    {"made/store-bound.crt", "made/bound-rolled-outside.crt", NULL, "may not certify the name",
     true},
    {"made/store-constrained.crt", "made/constrained-outside.crt", NULL,
     "may not certify the name of 'Outside'", false},
    {"made/store-constrained.crt", "made/constrained-excluded.crt", NULL,
     "may not certify the name", false},
    {"made/store-constrained.crt", "made/constrained-other-org.crt", NULL,
     "may not certify the name of 'Other org'", false},
    /* keys */
    {"made/store-root.crt", "made/key-p384.crt", "Root", NULL, true},
    {"made/store-root.crt", "made/key-p521.crt", NULL, "neither P-256 nor P-384", false},
    {"made/store-ed25519.crt", "made/of-ed25519.crt", NULL, "in a way that is not known", false},
    {"made/store-ed25519.crt", "made/store-ed25519.crt", NULL, "neither RSA nor elliptic-curve",
     false},
    /* long and round ways, and 49 of them */
    {"made/store-root.crt", "made/long-16.crt", "Root", NULL, true},
    {"made/store-root.crt", "made/long-17.crt", NULL, "leads to no trusted", false},
    {"made/store-root.crt", "made/ring.crt", NULL, "leads to no trusted", false},
    {"made/store-root.crt", "made/clones.crt", NULL, "leads to no trusted", false},
};

static void each_rule(void **state)
{
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(rules); i++)
        try_case(&rules[i]);
}

/* Every certificate counts where it stands: shifting the date by the length of the anchor's life
 * refuses the whole. */
static void anchors_expire_too(void **state)
{
    WA_UNUSED(state);
    WA_AUTO(wa_trust) struct wa_trust *t = new_trust("ca_only");
    WA_AUTO_CERTS struct wa_certs chain = {0}, ca = {0};
    struct wa_trust_result r;
    struct wa_err err = WA_ERR_INIT;

    read_chain("chains/base-intermediate.crt", &chain);
    read_chain("ca_only/ca.crt", &ca);
    /* the leaf began a day before its authority */
    assert_true(wa_cert_not_before(chain.items[0]) < wa_cert_not_before(ca.items[0]));
    const int64_t start = wa_cert_not_before(ca.items[0]), end = wa_cert_not_after(ca.items[0]);
    WA_ASSERT_OK(wa_trust_check(t, &chain, start, &r, &err));
    WA_ASSERT_OK(wa_trust_check(t, &chain, end, &r, &err));
    assert_int_equal(wa_trust_check(t, &chain, start - 1, &r, &err), WA_E_REFUSED);
    assert_non_null(strstr(err.text, "'Example Root CA' is not valid before"));
    wa_err_clear(&err);
    assert_int_equal(wa_trust_check(t, &chain, end + 1, &r, &err), WA_E_REFUSED);
    assert_non_null(strstr(err.text, "expired on"));
}

static void an_intermediate_can_be_the_anchor(void **state)
{
    WA_UNUSED(state);
    WA_AUTO(wa_trust) struct wa_trust *t = NULL;
    WA_AUTO_CERTS struct wa_certs chain = {0}, alone = {0};
    struct wa_trust_result r;
    struct wa_err err = WA_ERR_INIT;

    read_chain("chains/base-intermediate.crt", &chain);
    WA_ASSERT_OK(wa_certs_add(&alone, chain.items[0], &err));
    WA_ASSERT_OK(wa_trust_new(&t, &err));
    WA_ASSERT_OK(
        wa_trust_add(t, chain.items[1], &err)); /* not self-signed; its own issuer is nowhere */
    WA_ASSERT_OK(wa_trust_check(t, &chain, vectors_date(), &r, &err));
    WA_ASSERT_OK(wa_trust_check(t, &alone, vectors_date(), &r, &err));
    assert_string_equal(r.anchor_cn, "Example Intermediate");
    assert_false(r.is_pinned);
}

static void the_store_is_searched_too(void **state)
{
    WA_UNUSED(state);
    WA_AUTO(wa_trust) struct wa_trust *t = new_trust("ca_only");
    WA_AUTO_CERTS struct wa_certs chain = {0}, alone = {0};
    struct wa_trust_result r;
    struct wa_err err = WA_ERR_INIT;

    read_chain("chains/base-intermediate.crt", &chain);
    WA_ASSERT_OK(wa_certs_add(&alone, chain.items[0], &err));
    WA_ASSERT_CODE(wa_trust_check(t, &alone, vectors_date(), &r, &err), WA_E_REFUSED);
    WA_ASSERT_OK(wa_trust_add(t, chain.items[1], &err));
    WA_ASSERT_OK(wa_trust_add(t, chain.items[1], &err)); /* twice is once */
    assert_int_equal(wa_trust_count(t), 2);
    WA_ASSERT_OK(wa_trust_check(t, &alone, vectors_date(), &r, &err));
}

/* A revoked fingerprint counts on every place of a path. */
static void revoked_fingerprints(void **state)
{
    WA_UNUSED(state);
    WA_AUTO_CERTS struct wa_certs chain = {0};
    read_chain("chains/base-intermediate-full.crt", &chain);

    for (size_t i = 0; i < chain.n; i++) {
        WA_AUTO(wa_trust) struct wa_trust *t = new_trust("ca_only");
        struct wa_trust_result r;
        struct wa_err err = WA_ERR_INIT;
        WA_ASSERT_OK(wa_trust_check(t, &chain, vectors_date(), &r, &err));
        WA_ASSERT_OK(wa_trust_revoke(t, wa_cert_fingerprint(chain.items[i]), &err));
        assert_int_equal(wa_trust_check(t, &chain, vectors_date(), &r, &err), WA_E_REFUSED);
        assert_non_null(strstr(err.text, "is revoked"));
    }
    WA_AUTO(wa_trust) struct wa_trust *t = new_trust("ca_only");
    struct wa_err err = WA_ERR_INIT;
    WA_ASSERT_CODE(wa_trust_revoke(t, "", &err), WA_E_INVALID);
    WA_ASSERT_CODE(wa_trust_revoke(
                       t, "ECBB791EFD245CF2A0DA9B1EFCB31CFC2C5E3761AEDF8BECC5750E98456730EF", &err),
                   WA_E_INVALID);
}

/* form with the fingerprint for each '@'. */
static void write_form(char *out, size_t size, const char *form, const char *fingerprint)
{
    size_t n = 0;
    for (; *form != '\0' && n + 65 < size; form++) {
        if (*form == '@')
            n += (size_t)snprintf(out + n, size - n, "%s", fingerprint);
        else
            out[n++] = *form;
    }
    out[n] = '\0';
}

/* The administrator's own list, as people write one. */
static void revoked_by_a_file(void **state)
{
    static const char *const files[] = {
        "# stolen in spring\n\n@ # Ada\n",
        "@",
        "\r\n  @\r\n",
    };
    static const char *const bad[] = {"@0\n", "@ @\n", "Ada\n", "\n@,"};
    WA_AUTO_CERTS struct wa_certs chain = {0};
    char text[256], path[WA_PATH_MAX + 16];
    struct wa_trust_result r;
    WA_AUTO_BUF struct wa_buf anchor;
    read_trust_file("ca_only/ca.crt", &anchor);
    read_chain("chains/base-ca-chain.crt", &chain);
    const char *fingerprint = wa_cert_fingerprint(chain.items[0]);
    (void)snprintf(path, sizeof path, "%s/ca.crt", (const char *)*state);
    struct wa_err err = WA_ERR_INIT;
    WA_ASSERT_OK(wa_path_replace(path, wa_buf_sv(&anchor), 0644, &err));
    (void)snprintf(path, sizeof path, "%s/revoked.txt", (const char *)*state);
    for (size_t i = 0; i < WA_COUNT(files) + WA_COUNT(bad); i++) {
        WA_AUTO(wa_trust) struct wa_trust *t = NULL;
        bool is_bad = i >= WA_COUNT(files);
        const char *form = is_bad ? bad[i - WA_COUNT(files)] : files[i];
        write_form(text, sizeof text, form, fingerprint);
        WA_ASSERT_OK(wa_path_replace(path, wa_sv(text), 0644, &err));
        WA_ASSERT_OK(wa_trust_new(&t, &err));
        enum wa_code code = wa_trust_add_dir(t, *state, &err);
        assert_int_equal(code, is_bad ? WA_E_INVALID : WA_OK);
        assert_true(!is_bad || strstr(err.text, "revoked.txt") != NULL);
        if (!is_bad)
            assert_int_equal(wa_trust_check(t, &chain, vectors_date(), &r, &err), WA_E_REFUSED);
        wa_err_clear(&err);
    }
}

static void only_those_named_may_order(void **state)
{
    WA_AUTO(wa_trust) struct wa_trust *t = new_trust("ca_only");
    WA_AUTO_CERTS struct wa_certs chain = {0};
    struct wa_trust_result r;
    struct wa_err err = WA_ERR_INIT;
    char list[200];
    WA_UNUSED(state);
    read_chain("chains/base-ca-chain.crt", &chain);
    WA_ASSERT_OK(wa_trust_check(t, &chain, vectors_date(), &r, &err));
    assert_false(r.may_order);
    (void)snprintf(list, sizeof list, " %s,", wa_cert_fingerprint(chain.items[1]));
    WA_ASSERT_OK(wa_trust_let_order(t, wa_sv(list), &err)); /* its authority: not the signer */
    WA_ASSERT_OK(wa_trust_check(t, &chain, vectors_date(), &r, &err));
    assert_false(r.may_order);
    WA_ASSERT_OK(wa_trust_let_order(t, wa_sv(wa_cert_fingerprint(chain.items[0])), &err));
    WA_ASSERT_OK(wa_trust_check(t, &chain, vectors_date(), &r, &err));
    assert_true(r.may_order && wa_trust_may_order(t, r.signer_fingerprint));
    memset(list, 'x', sizeof list - 1);
    list[sizeof list - 1] = '\0';
    WA_ASSERT_CODE(wa_trust_let_order(t, wa_sv(list), &err), WA_E_INVALID);
    wa_err_clear(&err);
    WA_ASSERT_CODE(wa_trust_let_order(t, WA_SV("Ada"), &err), WA_E_INVALID);
}

/* (r, n-s) in the place of (r, s): the same certificate, which holds as well, under another
 * fingerprint. */
static struct wa_cert *twin_of(const struct wa_cert *c)
{
    const ASN1_BIT_STRING *sig = NULL;
    unsigned char *der = NULL, *twin_der = NULL;
    struct wa_cert *twin = NULL;
    struct wa_err err = WA_ERR_INIT;

    X509_get0_signature(&sig, NULL, wa_cert_native(c));
    const unsigned char *p = ASN1_STRING_get0_data(sig);
    ECDSA_SIG *es = d2i_ECDSA_SIG(NULL, &p, ASN1_STRING_length(sig));
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    BIGNUM *s = BN_new(), *r = BN_dup(ECDSA_SIG_get0_r(es));
    BN_sub(s, EC_GROUP_get0_order(group), ECDSA_SIG_get0_s(es));
    ECDSA_SIG_set0(es, r, s);
    int twin_n = i2d_ECDSA_SIG(es, &twin_der);
    /* A certificate ends with its signature: by hand into a copy, lengths of all but the last byte
     * string adjusted. */
    int n = i2d_X509(wa_cert_native(c), &der), old = ASN1_STRING_length(sig);
    unsigned char out[2000];
    assert_true(der[0] == 0x30 && der[1] == 0x82);
    int body = n - 4 - old - 1 - 2 + twin_n + 1 + 2;
    memcpy(out, der, (size_t)(n - old));
    out[2] = (unsigned char)(body >> 8);
    out[3] = (unsigned char)body;
    out[n - old - 2] = (unsigned char)(twin_n + 1);
    memcpy(out + n - old, twin_der, (size_t)twin_n);
    WA_ASSERT_OK(wa_cert_from_der(out, (size_t)(n - old + twin_n), &twin, &err));
    ECDSA_SIG_free(es);
    EC_GROUP_free(group);
    OPENSSL_free(der);
    OPENSSL_free(twin_der);
    return twin;
}

static void a_revoked_certificate_can_t_change_its_fingerprint(void **state)
{
    WA_UNUSED(state);
    WA_AUTO(wa_key) struct wa_key *ca_key = new_p256(), *key = new_p256();
    WA_AUTO(wa_cert)
    struct wa_cert *ca =
        issue((struct wa_cert_request){.cn = "CA", .is_ca = true, .path_length = -1, .days = 3650},
              ca_key, NULL, NULL);

    for (int i = 0; i < 20; i++) { /* r and s have various lengths */
        WA_AUTO(wa_trust) struct wa_trust *t = NULL;
        WA_AUTO_CERTS struct wa_certs chain = {0};
        struct wa_trust_result r;
        struct wa_err err = WA_ERR_INIT;
        WA_AUTO(wa_cert)
        struct wa_cert *leaf =
            issue((struct wa_cert_request){.cn = "leaf", .days = 3650}, key, ca, ca_key);
        WA_AUTO(wa_cert) struct wa_cert *twin = twin_of(leaf);
        const int64_t at = wa_cert_not_before(leaf) + 600;
        assert_string_not_equal(wa_cert_fingerprint(twin), wa_cert_fingerprint(leaf));
        WA_ASSERT_OK(wa_trust_new(&t, &err));
        WA_ASSERT_OK(wa_trust_add(t, ca, &err));
        WA_ASSERT_OK(wa_certs_add(&chain, twin, &err));
        WA_ASSERT_OK(wa_trust_check(t, &chain, at, &r, &err)); /* it does hold */
        WA_ASSERT_OK(wa_trust_revoke(t, wa_cert_fingerprint(leaf), &err));
        assert_int_equal(wa_trust_check(t, &chain, at, &r, &err), WA_E_REFUSED);
        assert_non_null(strstr(err.text, "signed again"));
    }
}

static void chains_have_bounds(void **state)
{
    WA_UNUSED(state);
    WA_AUTO(wa_trust) struct wa_trust *t = new_trust("main"), *empty = NULL;
    WA_AUTO_CERTS struct wa_certs none = {0}, chain = {0};
    WA_AUTO(wa_key) struct wa_key *key = new_p256();
    struct wa_trust_result r;
    struct wa_err err = WA_ERR_INIT;

    WA_ASSERT_CODE(wa_trust_check(t, &none, vectors_date(), &r, &err), WA_E_REFUSED);
    read_chain("main/admin.crt", &chain);
    WA_ASSERT_OK(wa_trust_check(t, &chain, vectors_date(), &r, &err));
    for (size_t i = 0; i < WA_CHAIN_MAX; i++) {
        WA_AUTO(wa_cert)
        struct wa_cert *c = issue((struct wa_cert_request){.cn = "more"}, key, NULL, NULL);
        WA_ASSERT_OK(wa_certs_add(&chain, c, &err));
    }
    WA_ASSERT_CODE(wa_trust_check(t, &chain, vectors_date(), &r, &err), WA_E_REFUSED);
    WA_ASSERT_OK(wa_trust_new(&empty, &err));
    chain.n -= 1;
    assert_int_equal(wa_trust_check(empty, &chain, vectors_date(), &r, &err), WA_E_REFUSED);
    assert_non_null(strstr(err.text, "no certificate is trusted here"));
    chain.n += 1;
}

/* Namesakes by the hundred cost no more signature checks than the cap. */
static void namesakes_have_a_bound(void **state)
{
    WA_AUTO(wa_trust) struct wa_trust *t = NULL;
    WA_AUTO(wa_key) struct wa_key *right = new_p256(), *wrong = new_p256(), *key = new_p256();
    const struct wa_cert_request name = {.cn = "CA", .is_ca = true, .path_length = -1};
    WA_AUTO(wa_cert) struct wa_cert *ca = issue(name, right, NULL, NULL);
    WA_AUTO(wa_cert)
    struct wa_cert *leaf = issue((struct wa_cert_request){.cn = "x"}, key, ca, right);
    WA_AUTO_CERTS struct wa_certs chain = {0};
    struct wa_trust_result r;
    struct wa_err err = WA_ERR_INIT;
    const int64_t at = wa_cert_not_before(leaf) + 600;
    WA_UNUSED(state);
    WA_ASSERT_OK(wa_trust_new(&t, &err));
    WA_ASSERT_OK(wa_certs_add(&chain, leaf, &err));
    for (size_t i = 0; i < WA_TRUST_CHECKS_MAX + 1; i++) {
        WA_AUTO(wa_cert) struct wa_cert *namesake = issue(name, wrong, NULL, NULL);
        WA_ASSERT_OK(wa_trust_add(t, namesake, &err));
    }
    assert_int_equal(wa_trust_check(t, &chain, at, &r, &err), WA_E_REFUSED);
    assert_non_null(strstr(err.text, "signature checks"));
    wa_err_clear(&err);
    WA_ASSERT_OK(wa_trust_add(t, ca, &err)); /* its identifier fits, so it is tried first */
    WA_ASSERT_OK(wa_trust_check(t, &chain, at, &r, &err));
}

/* Whoever reads the first, and whoever reads the last of two, would see two certificates. */
static void an_extension_twice_is_refused(void **state)
{
    WA_AUTO(wa_trust) struct wa_trust *t = NULL;
    WA_AUTO(wa_key) struct wa_key *key = new_p256();
    WA_AUTO(wa_cert)
    struct wa_cert *c = issue((struct wa_cert_request){.cn = "x"}, key, NULL, NULL);
    WA_AUTO(wa_cert) struct wa_cert *twice = NULL;
    WA_AUTO_CERTS struct wa_certs chain = {0};
    struct wa_trust_result r;
    struct wa_err err = WA_ERR_INIT;
    unsigned char *der = NULL;
    const int64_t at = wa_cert_not_before(c) + 600;
    WA_UNUSED(state);
    X509 *x = X509_dup(wa_cert_native(c));
    X509_EXTENSION *own = X509V3_EXT_conf(NULL, NULL, "1.2.3.4", "DER:0500");
    assert_true(own != NULL && X509_add_ext(x, own, -1) == 1 && X509_add_ext(x, own, -1) == 1);
    EVP_PKEY *pkey = EVP_EC_gen("P-256");
    assert_true(pkey != NULL && X509_set_pubkey(x, pkey) == 1 &&
                X509_sign(x, pkey, EVP_sha256()) > 0);
    int n = i2d_X509(x, &der);
    WA_ASSERT_OK(wa_cert_from_der(der, (size_t)n, &twice, &err));
    WA_ASSERT_OK(wa_trust_new(&t, &err));
    WA_ASSERT_OK(wa_trust_add(t, twice, &err));
    WA_ASSERT_OK(wa_certs_add(&chain, twice, &err));
    assert_int_equal(wa_trust_check(t, &chain, at, &r, &err), WA_E_REFUSED);
    assert_non_null(strstr(err.text, "extension twice"));
    OPENSSL_free(der);
    X509_EXTENSION_free(own);
    EVP_PKEY_free(pkey);
    X509_free(x);
}

static void a_store_has_a_bound(void **state)
{
    WA_AUTO(wa_trust) struct wa_trust *t = NULL;
    WA_AUTO(wa_key) struct wa_key *key = new_p256();
    WA_AUTO(wa_cert)
    struct wa_cert *first = issue((struct wa_cert_request){.cn = "x"}, key, NULL, NULL);
    struct wa_err err = WA_ERR_INIT;
    unsigned char *der = NULL;
    WA_UNUSED(state);
    WA_ASSERT_OK(wa_trust_new(&t, &err));
    int n = i2d_X509(wa_cert_native(first), &der);
    for (size_t i = 0; i <= WA_ANCHORS_MAX; i++) { /* a store checks no signature: any will do */
        WA_AUTO(wa_cert) struct wa_cert *c = NULL;
        der[n - 1] = (unsigned char)i;
        der[n - 2] = (unsigned char)(i >> 8);
        WA_ASSERT_OK(wa_cert_from_der(der, (size_t)n, &c, &err));
        enum wa_code code = wa_trust_add(t, c, &err);
        assert_int_equal(code, i < WA_ANCHORS_MAX ? WA_OK : WA_E_LIMIT);
    }
    OPENSSL_free(der);
}

static void directories(void **state)
{
    const char *dir = *state;
    WA_AUTO(wa_trust) struct wa_trust *t = NULL;
    struct wa_err err = WA_ERR_INIT;

    WA_ASSERT_OK(wa_trust_new(&t, &err));
    assert_int_equal(wa_trust_add_dir(t, dir, &err), WA_E_CONFIG);
    assert_non_null(strstr(err.text, dir));
    wa_err_clear(&err);
    assert_int_equal(wa_trust_add_dir(t, "/nonexistent/ssl", &err), WA_E_CONFIG);
    assert_non_null(strstr(err.text, "/nonexistent/ssl"));
    assert_int_equal(wa_trust_count(t), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wapt_vectors),
        cmocka_unit_test(each_rule),
        cmocka_unit_test(anchors_expire_too),
        cmocka_unit_test(an_intermediate_can_be_the_anchor),
        cmocka_unit_test(the_store_is_searched_too),
        cmocka_unit_test(revoked_fingerprints),
        cmocka_unit_test_setup_teardown(revoked_by_a_file, wa_test_tmpdir_setup,
                                        wa_test_tmpdir_teardown),
        cmocka_unit_test(only_those_named_may_order),
        cmocka_unit_test(a_revoked_certificate_can_t_change_its_fingerprint),
        cmocka_unit_test(chains_have_bounds),
        cmocka_unit_test(namesakes_have_a_bound),
        cmocka_unit_test(an_extension_twice_is_refused),
        cmocka_unit_test(a_store_has_a_bound),
        cmocka_unit_test_setup_teardown(directories, wa_test_tmpdir_setup, wa_test_tmpdir_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

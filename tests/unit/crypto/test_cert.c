/* certificates: what is read from one, which blocks of a text are one, directories, and the one
 * form that names it. */
#include "support.h"

/* Facts as openssl's command line states them. */
static const struct {
    const char *file, *fingerprint, *cn, *subject;
    bool is_ca, is_self_issued, may_sign_code;
} facts[] = {
    {"main/admin.crt", "ecbb791efd245cf2a0da9b1efcb31cfc2c5e3761aedf8becc5750e98456730ef", "admin",
     "CN=admin,O=Example,C=FR", true, true, true},
    {"main/nocs.crt", NULL, "nocs", "CN=nocs", true, true, false},
    {"main/accent.crt", NULL, "\xc3\x89ric M\xc3\xbcller \xe6\x9d\x8e\xe9\x9b\xb7", NULL, true,
     true, true},
    {"main/ca.crt", NULL, "Example Root CA", "CN=Example Root CA", true, true, false},
    {"leaf_pinned/leaf.crt", NULL, "Leaf Codeur", "CN=Leaf Codeur", false, false, true},
    {"pathlen/ca_pathlen0.crt", NULL, "Pathlen0 Root", NULL, true, true, false},
    {"chains/096-weak-rsa1024.crt", NULL, "RSA 1024 leaf", NULL, false, false, true},
    {"made/two-names.crt", NULL, "second", "CN=second,CN=first,O=Example", false, false, false},
    {"made/any-by-any.crt", NULL, "Any by any", NULL, false, false, false},
    {"made/key-p521.crt", NULL, "P-521 signer", NULL, false, false, true},
    {"made/broken-purpose.crt", NULL, "Broken purpose", NULL, false, false, false},
    {"made/issuer-no-basic.crt", NULL, "Of no constraints", NULL, false, false, true},
};

static void what_is_told(void **state)
{
    WA_UNUSED(state);

    for (size_t i = 0; i < WA_COUNT(facts); i++) {
        WA_AUTO_CERTS struct wa_certs list = {0};
        read_chain(facts[i].file, &list);
        const struct wa_cert *c = list.items[0];
        if (facts[i].fingerprint != NULL)
            assert_string_equal(wa_cert_fingerprint(c), facts[i].fingerprint);
        assert_string_equal(wa_cert_cn(c), facts[i].cn);
        if (facts[i].subject != NULL)
            assert_string_equal(wa_cert_subject(c), facts[i].subject);
        if (wa_cert_is_ca(c) != facts[i].is_ca ||
            wa_cert_is_self_issued(c) != facts[i].is_self_issued ||
            wa_cert_may_sign_code(c) != facts[i].may_sign_code)
            fail_msg("%s: authority %d, self-issued %d, code %d", facts[i].file, wa_cert_is_ca(c),
                     wa_cert_is_self_issued(c), wa_cert_may_sign_code(c));
        assert_non_null(wa_cert_key(c));
        assert_queue_empty(facts[i].file);
    }
}

static void dates_and_names(void **state)
{
    WA_UNUSED(state);
    WA_AUTO_CERTS struct wa_certs list = {0};

    read_chain("chains/090-future-leaf.crt", &list);
    assert_int_equal(wa_cert_not_before(list.items[0]),
                     wa_date_from_civil(2081, 8, 26, 19, 14, 38));
    assert_int_equal(wa_cert_not_after(list.items[0]), wa_date_from_civil(2091, 8, 24, 19, 14, 38));
    assert_string_equal(wa_cert_issuer(list.items[0]), "CN=Example Root CA");
}

#define A "-----BEGIN CERTIFICATE-----\n"
#define Z "-----END CERTIFICATE-----\n"

/* @ stands for the base64 of a certificate. */
static const struct {
    const char *text;
    enum wa_code code;
    size_t n;
} texts[] = {
    {A "@" Z, WA_OK, 1},
    {"# CN: admin\n" A "@" Z "rest", WA_OK, 1},
    {"\xef\xbb\xbfnot a line\n" A "@" Z, WA_OK, 1},
    {A "@" Z A "@" Z, WA_OK, 1},                /* each once */
    {A "@-----END CERTIFICATE-----", WA_OK, 1}, /* no newline at the end */
    {"-----BEGIN CERTIFICATE-----\r\n@-----END CERTIFICATE-----\r\n", WA_OK, 1}, /* from Windows */
    {A A "@" Z, WA_OK, 1}, /* the nearest beginning counts */
    {"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n" A "@" Z, WA_OK, 1},
    {" " A "@" Z, WA_E_INVALID, 0}, /* lines are exact */
    {"-----BEGIN CERTIFICATE----- \n@" Z, WA_E_INVALID, 0},
    {"-----BEGIN TRUSTED CERTIFICATE-----\n@-----END TRUSTED CERTIFICATE-----\n", WA_E_INVALID, 0},
    {A "@", WA_E_INVALID, 0},
    {"@" Z, WA_E_INVALID, 0},
    {Z A "@", WA_E_INVALID, 0},
    {A Z, WA_E_INVALID, 0},
    {A "AAAA\n" Z, WA_E_INVALID, 0},
    {A "@AAAA\n" Z, WA_E_INVALID, 0},
    {A "!@" Z, WA_E_INVALID, 0},
    {A "Proc-Type: 4,ENCRYPTED\n\n@" Z, WA_E_INVALID, 0},
    {A "@" Z A "AAAA\n" Z, WA_E_INVALID, 0}, /* nothing is kept of a bad list */
    {"", WA_E_INVALID, 0},
};

static void put_text(const char *pattern, const char *base64, struct wa_buf *out)
{
    for (; *pattern != '\0'; pattern++)
        if (*pattern == '@')
            wa_buf_adds(out, base64);
        else
            wa_buf_addc(out, *pattern);
}

static void blocks_of_a_text(void **state)
{
    WA_UNUSED(state);
    WA_AUTO_BUF struct wa_buf pem, text;
    read_trust_file("ca_only/ca.crt", &pem);
    wa_buf_init(&text, 100000);
    char *base64 = pem.p + strlen(A);
    assert_memory_equal(pem.p, A, strlen(A));
    *strstr(base64, "-----END") = '\0';

    for (size_t i = 0; i < WA_COUNT(texts); i++) {
        WA_AUTO_CERTS struct wa_certs list = {0};
        struct wa_err err = WA_ERR_INIT;
        wa_buf_clear(&text);
        put_text(texts[i].text, base64, &text);
        enum wa_code code = wa_certs_read_pem(wa_buf_sv(&text), 16, &list, &err);
        if (code != texts[i].code || list.n != texts[i].n)
            fail_msg("text %zu: %s, %zu certificates, '%s'", i, wa_code_name(code), list.n,
                     err.text);
        assert_queue_empty("reading");
    }
}

static void one_form_and_true_names(void **state)
{
    WA_UNUSED(state);
    static const char *const refused[] = {"made/indefinite.crt", "made/long-length.crt",
                                          "made/trailing.crt", "made/nul-in-name.crt"};

    for (size_t i = 0; i < WA_COUNT(refused); i++) {
        WA_AUTO_CERTS struct wa_certs list = {0};
        WA_AUTO_BUF struct wa_buf pem;
        struct wa_err err = WA_ERR_INIT;
        read_trust_file(refused[i], &pem);
        enum wa_code code = wa_certs_read_pem(wa_buf_sv(&pem), 16, &list, &err);
        if (code != WA_E_INVALID)
            fail_msg("%s: %s", refused[i], wa_code_name(code));
        assert_int_equal(list.n, 0);
        assert_queue_empty(refused[i]);
    }
}

static void lists_have_bounds(void **state)
{
    WA_UNUSED(state);
    WA_AUTO_CERTS struct wa_certs list = {0};
    WA_AUTO_BUF struct wa_buf pem;
    WA_AUTO_STR char *large = wa_calloc(1, WA_CERTFILE_BYTES_MAX + 1);
    struct wa_err err = WA_ERR_INIT;

    read_trust_file("made/long-17.crt", &pem);
    WA_ASSERT_CODE(wa_certs_read_pem(wa_buf_sv(&pem), 15, &list, &err), WA_E_LIMIT);
    assert_int_equal(list.n, 0);
    WA_ASSERT_OK(wa_certs_read_pem(wa_buf_sv(&pem), 16, &list, &err));
    assert_int_equal(list.n, 16);
    WA_ASSERT_CODE(wa_certs_read_pem(wa_sv_n(large, WA_CERTFILE_BYTES_MAX + 1), 15, &list, &err),
                   WA_E_LIMIT);
}

static void written_as_wapt_does(void **state)
{
    WA_UNUSED(state);
    WA_AUTO_CERTS struct wa_certs list = {0}, again = {0};
    WA_AUTO_BUF struct wa_buf pem, out;
    struct wa_err err = WA_ERR_INIT;

    read_trust_file("chains/base-intermediate-full.crt", &pem);
    WA_ASSERT_OK(wa_certs_read_pem(wa_buf_sv(&pem), 16, &list, &err));
    assert_int_equal(list.n, 3);
    wa_buf_init(&out, 100000);
    WA_ASSERT_OK(wa_certs_write_pem(&list, &out, &err));
    WA_ASSERT_SV(wa_buf_sv(&out), wa_buf_str(&pem));
    WA_ASSERT_OK(wa_certs_read_pem(wa_buf_sv(&out), 16, &again, &err));
    assert_true(wa_cert_equal(again.items[2], list.items[2]));
    assert_false(wa_cert_equal(again.items[1], list.items[2]));
}

static void put_file(const char *dir, const char *name, const char *from)
{
    WA_AUTO_BUF struct wa_buf text;
    struct wa_err err = WA_ERR_INIT;
    char path[WA_PATH_MAX + 64];

    wa_buf_init(&text, 100000);
    if (from[0] == '=')
        wa_buf_adds(&text, from + 1);
    else {
        wa_buf_fini(&text);
        read_trust_file(from, &text);
    }
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    WA_ASSERT_OK(wa_path_replace(path, wa_buf_sv(&text), 0644, &err));
}

static void directories(void **state)
{
    const char *dir = *state;
    WA_AUTO_CERTS struct wa_certs list = {0};
    struct wa_err err = WA_ERR_INIT;
    char sub[WA_PATH_MAX + 16];
    WA_AUTO_DIR struct wa_dir made = WA_DIR_INIT;

    put_file(dir, "a.pem", "other/other.crt");
    put_file(dir, "b.crt", "main/nocs.crt");
    put_file(dir, "a.crt", "chains/base-intermediate-full.crt");
    put_file(dir, "c.pem", "main/nocs.crt"); /* known already */
    put_file(dir, "key.pem", "keys/rsa2048-pkcs8.pem");
    put_file(dir, "notes.txt", "main/admin.crt");
    put_file(dir, ".hidden.crt", "main/admin.crt");
    (void)snprintf(sub, sizeof sub, "%s/server.crt", dir);
    WA_ASSERT_OK(wa_dir_make(sub, 0755, &made, &err));
    WA_ASSERT_OK(wa_certs_read_dir(dir, &list, &err));
    assert_int_equal(list.n, 5);
    assert_string_equal(wa_cert_cn(list.items[0]), "Inter Leaf Full");
    assert_string_equal(wa_cert_cn(list.items[2]), "Example Root CA");
    assert_string_equal(wa_cert_cn(list.items[3]), "nocs");
    assert_string_equal(wa_cert_cn(list.items[4]), "other");

    put_file(dir, "d.crt", "=" A "AAAA\n" Z);
    assert_int_equal(wa_certs_read_dir(dir, &list, &err), WA_E_INVALID);
    assert_non_null(strstr(err.text, "d.crt"));
    assert_int_equal(list.n, 5);
    wa_err_clear(&err);
    WA_ASSERT_CODE(wa_certs_read_dir("/nonexistent/directory", &list, &err), WA_E_NOT_FOUND);
}

static void shared_by_count(void **state)
{
    WA_UNUSED(state);
    WA_AUTO_CERTS struct wa_certs a = {0}, b = {0};
    struct wa_err err = WA_ERR_INIT;

    read_chain("main/admin.crt", &a);
    WA_ASSERT_OK(wa_certs_add(&b, a.items[0], &err));
    WA_ASSERT_OK(wa_certs_add(&b, a.items[0], &err));
    assert_int_equal(b.n, 1);
    WA_AUTO(wa_cert) struct wa_cert *c = wa_cert_ref(b.items[0]);
    wa_certs_fini(&a);
    wa_certs_fini(&b);
    assert_string_equal(wa_cert_cn(c), "admin");
}

/* A certificate with a weak key can be looked at; nothing it signed is accepted. */
static void weak_keys_check_nothing(void **state)
{
    WA_UNUSED(state);
    static const char *const weak[] = {"chains/096-weak-rsa1024.crt", "made/key-p521.crt",
                                       "made/store-ed25519.crt"};

    for (size_t i = 0; i < WA_COUNT(weak); i++) {
        WA_AUTO_CERTS struct wa_certs list = {0};
        struct wa_err err = WA_ERR_INIT;
        static const char signature[128] = {0};
        read_chain(weak[i], &list);
        assert_int_equal(wa_signature_check(wa_cert_key(list.items[0]), WA_SV("x"),
                                            wa_sv_n(signature, 128), &err),
                         WA_E_REFUSED);
        assert_non_null(strstr(err.text, "cannot use the key"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_told),
        cmocka_unit_test(dates_and_names),
        cmocka_unit_test(blocks_of_a_text),
        cmocka_unit_test(one_form_and_true_names),
        cmocka_unit_test(lists_have_bounds),
        cmocka_unit_test(written_as_wapt_does),
        cmocka_unit_test_setup_teardown(directories, wa_test_tmpdir_setup, wa_test_tmpdir_teardown),
        cmocka_unit_test(shared_by_count),
        cmocka_unit_test(weak_keys_check_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

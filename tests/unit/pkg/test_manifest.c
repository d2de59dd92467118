/* A manifest is taken only as a list of pairs that no two readers could read differently. */
#include "support.h"

#include "pkg/manifest.h"

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
#define ONES "1111111111111111111111111111111111111111111111111111111111111111"

static void takes_what_wapt_writes(void **state)
{
    /* As WAPT 1.8 writes it, and with the blanks of 1.5. */
    static const char *const good[] = {
        "[[\"setup.py\",\"" ZEROS "\"],[\"\\u00e9.txt\",\"" ONES "\"]]",
        "[[\"setup.py\", \"" ZEROS "\"], [\"\\u00e9.txt\", \"" ONES "\"]]",
    };
    (void)state;
    for (size_t i = 0; i < WA_COUNT(good); i++) {
        WA_AUTO_MANIFEST struct wa_manifest m;
        WA_AUTO_BUF struct wa_buf out;
        struct wa_err err = WA_ERR_INIT;
        wa_buf_init(&out, 4096);
        check_ok(wa_manifest_parse(wa_sv(good[i]), &m, &err), &err, good[i]);
        assert_int_equal(m.n, 2);
        assert_string_equal(wa_manifest_find(&m, "setup.py")->digest, ZEROS);
        assert_string_equal(wa_manifest_find(&m, "\xc3\xa9.txt")->digest, ONES);
        assert_null(wa_manifest_find(&m, "Setup.py"));
        check_ok(wa_manifest_write(&m, &out, &err), &err, "write");
        assert_string_equal(wa_buf_str(&out), good[0]);
    }
}

static void refuses_what_is_ambiguous(void **state)
{
    static const char *const bad[] = {
        "",
        "{}",
        "[",
        "[[\"a\"]]",
        "[[\"a\",\"" ZEROS "\",1]]",
        "[[\"a\",1]]",
        "[[1,\"" ZEROS "\"]]",
        "[\"a\",\"" ZEROS "\"]",
        "{\"a\":\"" ZEROS "\"}",
        "[[\"a\",\"\"]]",
        "[[\"a\",\"" ZEROS "0\"]]",
        "[[\"a\",\"A000000000000000000000000000000000000000000000000000000000000000\"]]",
        "[[\"\",\"" ZEROS "\"]]",
        "[[\"../a\",\"" ZEROS "\"]]",
        "[[\"/a\",\"" ZEROS "\"]]",
        "[[\"./a\",\"" ZEROS "\"]]",
        "[[\"a/\",\"" ZEROS "\"]]",
        "[[\"a\\u0000b\",\"" ZEROS "\"]]",
        "[[\"a\",\"" ZEROS "\"],[\"a\",\"" ONES "\"]]",
        "[[\"a\",\"" ZEROS "\"],[\"A\",\"" ONES "\"]]",
        "[[\"WAPT/manifest.sha256\",\"" ZEROS "\"]]",
        "[[\"WAPT/signature.sha256\",\"" ZEROS "\"]]",
        "[[\"a\",\"" ZEROS "\"]] x",
    };
    (void)state;
    for (size_t i = 0; i < WA_COUNT(bad); i++) {
        struct wa_manifest m;
        struct wa_err err = WA_ERR_INIT;
        if (wa_manifest_parse(wa_sv(bad[i]), &m, &err) != WA_E_INVALID)
            fail_msg("'%s' should be refused", bad[i]);
        assert_true(err.text[0] != '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_what_wapt_writes),
        cmocka_unit_test(refuses_what_is_ambiguous),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

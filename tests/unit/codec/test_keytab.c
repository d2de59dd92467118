/* Keytabs: what MIT's tools write, and what only looks like one. */
#include "support.h"

#include "codec/keytab.h"

static const char head[] = "\x05\x02";
/* PC001$@AD.TEST, version 2, AES-256, in 68 bytes; before it, a deleted one. */
static const char entry[] = "\0\0\0\x44\0\x01\0\x07"
                            "AD.TEST\0\x06"
                            "PC001$\0\0\0\x01\x65\0\0\0\x02\0\x12\0\x20"
                            "0123456789abcdef0123456789abcdef\0\0\x01\x02";
static const char hole[] = "\xff\xff\xff\xfc"
                           "gone";

static struct wa_sv whole(char *out)
{
    size_t n = 0;
    memcpy(out, head, 2), n += 2;
    memcpy(out + n, hole, 8), n += 8;
    memcpy(out + n, entry, sizeof entry - 1), n += sizeof entry - 1;
    return wa_sv_n(out, n);
}

static void an_entry(void **state)
{
    char text[256];
    struct wa_keytab k;
    struct wa_keytab_entry e;
    struct wa_err err = WA_ERR_INIT;
    bool more = false;
    WA_UNUSED(state);
    assert_int_equal(sizeof entry - 1, 4 + 0x44);
    assert_int_equal(wa_keytab_open(&k, whole(text), &err), WA_OK);
    assert_int_equal(wa_keytab_next(&k, &e, &more, &err), WA_OK);
    assert_true(more);
    assert_true(wa_sv_eqs(e.realm, "AD.TEST"));
    assert_int_equal(e.part_count, 1);
    assert_true(wa_sv_eqs(e.parts[0], "PC001$"));
    assert_int_equal(e.enctype, 18);
    assert_true(wa_keytab_is_aes(e.enctype));
    assert_int_equal(e.key.n, 32);
    assert_int_equal(e.version, 0x102); /* the wide one counts */
    assert_int_equal(wa_keytab_next(&k, &e, &more, &err), WA_OK);
    assert_false(more);
    assert_false(wa_keytab_is_aes(23)); /* RC4 */
    assert_false(wa_keytab_is_aes(3));  /* DES */
}

/* Cut anywhere: an error, but where an entry ends. */
static void cut(void **state)
{
    char text[256];
    struct wa_sv all = whole(text);
    WA_UNUSED(state);
    for (size_t n = 0; n < all.n; n++) {
        struct wa_keytab k;
        struct wa_keytab_entry e;
        struct wa_err err = WA_ERR_INIT;
        bool more = true;
        char *exact = malloc(n + 1);
        memcpy(exact, text, n);
        enum wa_code code = wa_keytab_open(&k, wa_sv_n(exact, n), &err);
        while (code == WA_OK && more)
            code = wa_keytab_next(&k, &e, &more, &err);
        assert_int_equal(code, n == 2 || n == 10 ? WA_OK : WA_E_INVALID);
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(an_entry), cmocka_unit_test(cut)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

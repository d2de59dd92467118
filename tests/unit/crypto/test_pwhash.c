/* password hashes: other programs' that hold, ours, and stored texts that must not be worked on. */
#include "support.h"

#include "crypto/pwhash.h"
#include "torture.h"

static const struct {
    const char *password, *hash;
    enum wa_code code;
} cases[] = {
    /* the argon2 library's own test; Python's hashlib, as passlib writes it */
    {"password",
     "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
     WA_OK},
    {"Password",
     "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
     WA_E_AUTH},
    {"calimero",
     "$pbkdf2-sha256$29000$....ABEiM0RVZneImaq7zA$VAuNTjgnXkc1AjlTEyJ.c9OxuzAmhOLIm4ezYabNb2s",
     WA_OK},
    {"calimerO",
     "$pbkdf2-sha256$29000$....ABEiM0RVZneImaq7zA$VAuNTjgnXkc1AjlTEyJ.c9OxuzAmhOLIm4ezYabNb2s",
     WA_E_AUTH},
    {"", "$pbkdf2-sha256$29000$....ABEiM0RVZneImaq7zA$VAuNTjgnXkc1AjlTEyJ.c9OxuzAmhOLIm4ezYabNb2s",
     WA_E_AUTH},
    {"p\xc3\xa4ssword", "$pbkdf2-sha256$1000$$Oa/Mn8jNn3dpz0NOCzFkbTnu00IWCh/ILi5KYqRAPag", WA_OK},
    {"x", "$pbkdf2-sha256$1$/w$LzQQNWVsEgFPX4evwKG7U9kxZAKs4YYN4aYGfMIkiTI", WA_OK},
    /* costs that would stop the server */
    {"x",
     "$argon2id$v=19$m=4194304,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
     WA_E_INVALID},
    {"x",
     "$argon2id$v=19$m=65536,t=4000000,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
     WA_E_INVALID},
    {"x",
     "$argon2id$v=19$m=65536,t=2,p=1000$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
     WA_E_INVALID},
    {"x", "$pbkdf2-sha256$2000000000$/w$LzQQNWVsEgFPX4evwKG7U9kxZAKs4YYN4aYGfMIkiTI", WA_E_INVALID},
    {"x", "$pbkdf2-sha256$0$/w$LzQQNWVsEgFPX4evwKG7U9kxZAKs4YYN4aYGfMIkiTI", WA_E_INVALID},
    /* forms that are none */
    {"x", "", WA_E_INVALID},
    {"x", "x", WA_E_INVALID},
    {"x", "$argon2id$", WA_E_INVALID},
    {"x", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$", WA_E_INVALID},
    {"x", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ", WA_E_INVALID},
    {"x", "$argon2id$v=19$m=8,t=2,p=4$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
     WA_E_INVALID},
    {"x", "$argon2id$v=19$t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
     WA_E_INVALID},
    {"password",
     "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
     WA_E_INVALID},
    {"x", "$pbkdf2-sha256$29000$....$VAuN", WA_E_INVALID},
    {"x", "$pbkdf2-sha256$1$/w$LzQQNWVsEgFPX4evwKG7U9kxZAKs4YYN4aYGfMIkiTI$more", WA_E_INVALID},
    {"x", "$pbkdf2-sha256$1$!!$LzQQNWVsEgFPX4evwKG7U9kxZAKs4YYN4aYGfMIkiTI", WA_E_INVALID},
    {"x", "$pbkdf2-sha256$1", WA_E_INVALID},
    {"x", "$pbkdf2-sha512$1$/w$LzQQNWVsEgFPX4evwKG7U9kxZAKs4YYN4aYGfMIkiTI", WA_E_INVALID},
    {"x", "$6$salt$hash", WA_E_INVALID},
};

static void stored_hashes(void **state)
{
    WA_UNUSED(state);

    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        struct wa_err err = WA_ERR_INIT;
        enum wa_code code = wa_pwhash_check(wa_sv(cases[i].password), cases[i].hash, &err);
        if (code != cases[i].code)
            fail_msg("'%s' by '%s': %s: %s", cases[i].password, cases[i].hash, wa_code_name(code),
                     err.text);
        assert_null(
            strstr(err.text, cases[i].hash[0] == '\0' ? "$" : cases[i].hash)); /* never told */
        assert_queue_empty("checking a password");
    }
}

static void ours(void **state)
{
    WA_UNUSED(state);
    char hash[WA_PWHASH_MAX], other[WA_PWHASH_MAX];
    struct wa_err err = WA_ERR_INIT;
    static char long_text[5000];

    WA_ASSERT_OK(wa_pwhash_make(WA_SV("tr\0e"), hash, &err));
    WA_ASSERT_OK(wa_pwhash_make(WA_SV("tr\0e"), other, &err));
    assert_string_not_equal(hash, other); /* salted */
    assert_true(wa_sv_starts(wa_sv(hash), "$argon2id$v=19$m=19456,t=2,p=1$"));
    WA_ASSERT_OK(wa_pwhash_check(WA_SV("tr\0e"), hash, &err));
    WA_ASSERT_CODE(wa_pwhash_check(WA_SV("tr\0E"), hash, &err), WA_E_AUTH); /* a NUL ends nothing */
    WA_ASSERT_CODE(wa_pwhash_check(WA_SV("tr"), hash, &err), WA_E_AUTH);
    WA_ASSERT_CODE(wa_pwhash_check((struct wa_sv){NULL, 0}, hash, &err), WA_E_AUTH);
    WA_ASSERT_CODE(wa_pwhash_make(WA_SV(""), hash, &err), WA_E_USAGE);
    memset(long_text, 'x', sizeof long_text - 1);
    WA_ASSERT_CODE(wa_pwhash_make(wa_sv(long_text), hash, &err), WA_E_USAGE);
    WA_ASSERT_CODE(wa_pwhash_check(wa_sv(long_text), hash, &err), WA_E_AUTH);
    WA_ASSERT_CODE(wa_pwhash_check(WA_SV("x"), long_text, &err), WA_E_INVALID);
}

static enum wa_code check_one(void *arg, struct wa_err *err)
{
    WA_UNUSED(arg);
    return wa_pwhash_check(WA_SV("x"),
                           "$pbkdf2-sha256$1$/w$LzQQNWVsEgFPX4evwKG7U9kxZAKs4YYN4aYGfMIkiTI", err);
}

static void every_allocation(void **state)
{
    WA_UNUSED(state);
    (void)wa_torture(check_one, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(stored_hashes), cmocka_unit_test(ours),
                                       cmocka_unit_test(every_allocation)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* password hashes: other programs' that hold, ours, and stored texts that must not be worked on. */
#include "support.h"

#include "crypto/pwhash.h"
#include "torture.h"

#define CRYPT "$6$"
#define CALIMERO                                                                                   \
    "93PB/ajU1DSFS.gl5meqkxSbR/vcB2cwWg9NijAAFMcy/ToiTnP864YFuZBEDgqOy5hVOdMdjl9xiTQ/CJYiv0"
#define BCRYPT "abcdefghijklmnopqrstuud2/an2KL3WCtBmGWG/V6iTJRjIObKFe"

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
    /* passlib's, made by its own code and not by libxcrypt */
    {"calimero",
     "$pbkdf2-sha512$1000$c2FsdHNhbHQ$vUaBwnxrmngGnVAO8."
     "iRomx0IBLIni8cmC7tD2nsnuXqLiyKajoPeRM3onBZnnj"
     "vuj6EBlPqGXjr6mF7Ic0t.Q",
     WA_OK},
    {"calimerO",
     "$pbkdf2-sha512$1000$c2FsdHNhbHQ$vUaBwnxrmngGnVAO8."
     "iRomx0IBLIni8cmC7tD2nsnuXqLiyKajoPeRM3onBZnnj"
     "vuj6EBlPqGXjr6mF7Ic0t.Q",
     WA_E_AUTH},
    {"calimero", CRYPT "saltsalt$" CALIMERO, WA_OK},
    {"Calimero", CRYPT "saltsalt$" CALIMERO, WA_E_AUTH},
    {"calimero", CRYPT "rounds=5000$saltsalt$" CALIMERO, WA_OK},
    {"calimero",
     CRYPT
     "rounds=1000$$CDpCIcsrW3c4eV.z8x.5tFrSHdhgPZCFimk93gB.OwM1fjkhqDF26dAI4RoLFVsmj1g24jjFvyEX"
     "C3sXWHUA41",
     WA_OK},
    {"p\xc3\xa4ssword",
     CRYPT
     "rounds=1000$0123456789abcdef$GHZaz7cjHnv7MEmYmXLYG.GZD8XsXIkd1/jpyfrzWji3J3J/EhfUmV4lWFhj"
     "6CpLt8.LDkJOt0chIAT07I///1",
     WA_OK},
    {"calimero", "$2a$04$" BCRYPT, WA_OK},
    {"calimero", "$2b$04$" BCRYPT, WA_OK},
    {"calimero", "$2y$04$" BCRYPT, WA_OK},
    {"calimer", "$2b$04$" BCRYPT, WA_E_AUTH},
    {"", "$2b$04$" BCRYPT, WA_E_AUTH},
    {"p\xc3\xa4ssword", "$2b$04$abcdefghijklmnopqrstuum174eFeoTj0DHmtuueFaS3Wde4P7wHG", WA_OK},
    {"calimero", "$2x$04$" BCRYPT, WA_E_INVALID},
    {"calimero", "$2$04$" BCRYPT, WA_E_INVALID},
    /* costs that would stop the server */
    {"calimero", CRYPT "rounds=1000001$saltsalt$" CALIMERO, WA_E_INVALID},
    {"calimero", CRYPT "rounds=999999999$saltsalt$" CALIMERO, WA_E_INVALID},
    {"calimero", CRYPT "rounds=18446744073709551617$saltsalt$" CALIMERO, WA_E_INVALID},
    {"calimero", "$2b$15$" BCRYPT, WA_E_INVALID},
    {"calimero", "$2b$31$" BCRYPT, WA_E_INVALID},
    {"calimero", "$2b$99$" BCRYPT, WA_E_INVALID},
    {"x",
     "$pbkdf2-sha512$2000001$c2FsdHNhbHQ$vUaBwnxrmngGnVAO8."
     "iRomx0IBLIni8cmC7tD2nsnuXqLiyKajoPeRM3onBZ"
     "nnjvuj6EBlPqGXjr6mF7Ic0t.Q",
     WA_E_INVALID},
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
    {"calimero", CRYPT "rounds=999$saltsalt$" CALIMERO, WA_E_INVALID},
    {"calimero", CRYPT "rounds=05000$saltsalt$" CALIMERO, WA_E_INVALID},
    {"calimero", CRYPT "rounds=$saltsalt$" CALIMERO, WA_E_INVALID},
    {"calimero", CRYPT "rounds=5000$rounds=5000$saltsalt$" CALIMERO, WA_E_INVALID},
    {"calimero", CRYPT "saltsaltsaltsalts$" CALIMERO, WA_E_INVALID},
    {"calimero", CRYPT "salt:alt$" CALIMERO, WA_E_INVALID},
    {"calimero", CRYPT "saltsalt$" CALIMERO "$", WA_E_INVALID},
    {"calimero", CRYPT "saltsalt$" CALIMERO "0", WA_E_INVALID},
    {"calimero", CRYPT "saltsalt$", WA_E_INVALID},
    {"calimero", CRYPT, WA_E_INVALID},
    {"calimero", "$2b$04$", WA_E_INVALID},
    {"calimero", "$2b$4$" BCRYPT, WA_E_INVALID},
    {"calimero", "$2b$03$" BCRYPT, WA_E_INVALID},
    {"calimero", "$2b$04$" BCRYPT ".", WA_E_INVALID},
    {"calimero", "$2b$04$abcdefghijklmnopqrstuvd2/an2KL3WCtBmGWG/V6iTJRjIObKFe", WA_E_INVALID},
    /* kinds that are not kept */
    {"calimero", "$apr1$saltsalt$ngRcSD97FTtre5ceykOMT0", WA_E_INVALID},
    {"calimero", "{SHA}RmS8LdKx0CQJ0q3wEea5ZnD1PQ8=", WA_E_INVALID},
    {"calimero", "abx1IQdfBxfss", WA_E_INVALID},
    {"calimero", "4664bc2dd2b1d02409d2adf011e6b96670f53d0f", WA_E_INVALID},
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

/* crypt(3) takes text that ends at a NUL, and not much of it. */
static void what_crypt_never_sees(void **state)
{
    WA_UNUSED(state);
    static const char *const hashes[] = {CRYPT "saltsalt$" CALIMERO, "$2b$04$" BCRYPT};
    char text[512];
    struct wa_err err = WA_ERR_INIT;
    memset(text, 'x', sizeof text);
    for (size_t i = 0; i < WA_COUNT(hashes); i++) {
        WA_ASSERT_CODE(wa_pwhash_check(WA_SV("calimero\0"), hashes[i], &err), WA_E_AUTH);
        WA_ASSERT_CODE(wa_pwhash_check(wa_sv_n(text, sizeof text), hashes[i], &err), WA_E_AUTH);
        WA_ASSERT_CODE(wa_pwhash_check(wa_sv_n(text, sizeof text - 1), hashes[i], &err), WA_E_AUTH);
        WA_ASSERT_CODE(wa_pwhash_check((struct wa_sv){NULL, 0}, hashes[i], &err), WA_E_AUTH);
        WA_ASSERT_OK(wa_pwhash_judge(hashes[i], &err));
        assert_true(wa_pwhash_is_foreign(hashes[i]));
    }
}

static enum wa_code check_one(void *arg, struct wa_err *err)
{
    WA_UNUSED(arg);
    return wa_pwhash_check(WA_SV("x"),
                           "$pbkdf2-sha256$1$/w$LzQQNWVsEgFPX4evwKG7U9kxZAKs4YYN4aYGfMIkiTI",
                           err) == WA_OK
               ? wa_pwhash_check(WA_SV("calimero"), "$2b$04$" BCRYPT, err)
               : err->code;
}

static void every_allocation(void **state)
{
    WA_UNUSED(state);
    (void)wa_torture(check_one, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(stored_hashes), cmocka_unit_test(ours),
                                       cmocka_unit_test(what_crypt_never_sees),
                                       cmocka_unit_test(every_allocation)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The language of texts: chosen by name or by the environment, in the form of a format, with the
 * forms of a plural; and never anything but what is part of the program. */
#include "testlib.h"

#include <errno.h>
#include <stdlib.h>

#include "base/text.h"

static void environment(const char *all, const char *messages, const char *lang, const char *wishes)
{
    const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG", "LANGUAGE"};
    const char *const values[] = {all, messages, lang, wishes};
    for (size_t i = 0; i < WA_COUNT(names); i++) {
        if (values[i] == NULL)
            assert_int_equal(unsetenv(names[i]), 0);
        else
            assert_int_equal(setenv(names[i], values[i], 1), 0);
    }
    wa_text_from_environment();
}

static void test_environment(void **state)
{
    static const struct {
        const char *all, *messages, *lang, *wishes, *expected;
    } rows[] = {
        {NULL, NULL, NULL, NULL, "en"},
        {NULL, NULL, "fr_FR.UTF-8", NULL, "fr"},
        {NULL, NULL, "fr_BE@euro", NULL, "fr"},
        {NULL, NULL, "fr", NULL, "fr"},
        {NULL, NULL, "frr_DE", NULL, "en"}, /* North Frisian is none of ours */
        {NULL, "en_GB.UTF-8", "fr_FR.UTF-8", NULL, "en"},
        {NULL, "fr_FR.UTF-8", "en_GB.UTF-8", NULL, "fr"},
        {"fr_CA", "en_GB.UTF-8", "en_GB.UTF-8", NULL, "fr"},
        {"", "", "fr_FR", NULL, "fr"}, /* empty is not set */
        {NULL, NULL, "C.UTF-8", "fr", "fr"},
        {NULL, NULL, "de_DE.UTF-8", "de:fr:en", "fr"},
        {NULL, NULL, "fr_FR.UTF-8", "en_US:fr", "en"},
        {NULL, NULL, "C", "fr", "en"}, /* scripts that ask for plain English get it */
        {NULL, NULL, "POSIX", "fr", "en"},
        {NULL, NULL, NULL, "fr", "en"},
        {NULL, NULL, "fr_FR.UTF-8", "../../../tmp/fr:/tmp/fr", "fr"}, /* no path is one */
        {NULL, NULL, "/tmp/fr", "/tmp/fr", "en"},
    };
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(rows); i++) {
        environment(rows[i].all, rows[i].messages, rows[i].lang, rows[i].wishes);
        assert_string_equal(wa_text_language_name(), rows[i].expected);
    }
    wa_text_language(NULL);
}

static void test_texts(void **state)
{
    WA_UNUSED(state);
    struct wa_err err = WA_ERR_INIT;
    static const char unknown[] = "no sentence of ours";
    assert_string_equal(wa_text("memory ran out"), "memory ran out");
    wa_text_language("fr_FR.UTF-8");
    assert_string_equal(wa_text_language_name(), "fr");
    assert_string_equal(wa_text("memory ran out"), "plus de mémoire");
    assert_ptr_equal(wa_text(unknown), unknown);
    assert_string_equal(wa_text(""), ""); /* the header of the translations is no text */
    (void)wa_fail(&err, WA_E_NOT_FOUND, "there is no file '%s'", "x");
    assert_string_equal(err.text, "il n'y a pas de fichier 'x'");
    (void)wa_fail_errno(&err, ENOENT, "cannot open '%s'", "x");
    assert_int_equal(err.code, WA_E_NOT_FOUND);
    assert_string_equal(err.text,
                        "impossible d'ouvrir 'x' : aucun fichier ou répertoire de ce nom");
    wa_text_language("xx");
    assert_string_equal(wa_text("memory ran out"), "memory ran out");
}

/* A thread's own, beside the process's; what is put back is what was there. */
static void test_spoken(void **state)
{
    WA_UNUSED(state);
    const struct wa_language *fr = wa_text_find(WA_SV("fr-CA")), *en = wa_text_find(WA_SV("EN"));
    wa_text_language("fr");
    assert_null(wa_text_find(WA_SV("xx")));
    assert_null(wa_text_find(WA_SV("")));
    assert_string_equal(wa_text_name_of(fr), "fr");
    assert_null(wa_text_speak(en));
    assert_string_equal(wa_text("memory ran out"), "memory ran out");
    assert_string_equal(wa_text_n("%zu machine", "%zu machines", 2), "%zu machines");
    assert_string_equal(wa_text_language_name(), "en");
    wa_text_language(NULL);
    assert_null(wa_text_speak(fr)); /* who sets that speaks it */
    assert_ptr_equal(wa_text_spoken(), fr);
    assert_string_equal(wa_text("memory ran out"), "plus de mémoire");
    assert_ptr_equal(wa_text_speak(NULL), fr);
    assert_string_equal(wa_text("memory ran out"), "memory ran out");
}

/* As processes tell it to each other: what is no language of theirs is none. */
static void test_numbers(void **state)
{
    const struct wa_language *fr = wa_text_find(WA_SV("fr")), *en = wa_text_find(WA_SV("en")),
                             *all[] = {NULL, en, fr}, *got = fr;
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(all); i++) {
        assert_true(wa_text_numbered(wa_text_number(all[i]), &got));
        assert_ptr_equal(got, all[i]);
    }
    assert_int_equal(wa_text_number(NULL), 0);
    got = en;
    for (unsigned n = 3; n <= UINT16_MAX; n++)
        assert_false(wa_text_numbered((uint16_t)n, &got));
    assert_ptr_equal(got, en);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_environment),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_spoken),
        cmocka_unit_test(test_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

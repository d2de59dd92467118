/* Whether a machine is a copy of another: what is known of both, and the answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/evidence.h"

/* "uuid serial machine-id mac,mac", "-" for what is not known. */
static struct wa_evidence evidence(const char *text)
{
    struct wa_host_facts f = {.mac_count = 0};
    struct wa_evidence e;
    char *const outs[] = {f.system_uuid, f.serial, f.machine_id};
    const size_t sizes[] = {sizeof f.system_uuid, sizeof f.serial, sizeof f.machine_id};
    struct wa_sv rest = wa_sv(text), word, mac;
    for (size_t i = 0; wa_sv_split(&rest, ' ', &word); i++) {
        if (wa_sv_eqs(word, "-"))
            continue;
        if (i < 3)
            (void)snprintf(outs[i], sizes[i], "%.*s", WA_SV_ARG(word));
        while (i == 3 && wa_sv_split(&word, ',', &mac))
            (void)snprintf(f.macs[f.mac_count++], sizeof f.macs[0], "%.*s", WA_SV_ARG(mac));
    }
    wa_evidence_of(&f, &e);
    return e;
}

static void test_is_other(void **state)
{
    static const struct {
        const char *then, *now;
        bool is_other;
    } cases[] = {
        {"U1 SER1 m1 a,b", "U1 SER1 m1 a,b", false},
        {"U1 SER1 m1 a,b", "U1 SER1 m1 b,c", false}, /* an adapter was replaced */
        {"U1 SER1 m1 a", "U1 SER1 m1 c", false},     /* the only one, but the firmware vouches */
        {"U1 SER1 m1 a", "U1 SER1 m2 a", false},     /* machine-id made anew */
        {"U1 SER1 m1 a", "U1 SER1 m1 -", false},     /* no adapter is up yet */
        {"U1 SER1 m1 a", "- - m1 -", false},         /* nothing can be read this time */
        {"- - - -", "U1 SER1 m1 a", false},
        {"- - - -", "- - - -", false},
        {"U1 SER1 m1 a", "U2 SER2 m1 c", true}, /* a disk in another machine */
        {"U1 - m1 a", "U2 - m1 a", true},       /* a virtual machine, copied */
        {"U1 SER1 m1 a", "U1 SER2 m1 a", true}, /* a vendor that repeats uuids */
        {"U1 - m1 a", "U1 - m1 c", true},       /* and numbers nothing else */
        {"U1 0000 m1 a", "U1 0000 m1 c", true}, /* or only says so */
        {"U1 None m1 a", "U1 none m1 c", true},
        {"- - m1 a", "- - m1 c", true},
        {"- - m1 -", "- - m2 -", true},         /* a container, copied */
        {"U1 SER1 m1 -", "U1 SER1 m2 -", true}, /* that sees the host's firmware */
        {"- - m1 a", "- - m2 a", false},
    };
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        struct wa_evidence then = evidence(cases[i].then), now = evidence(cases[i].now);
        if (wa_evidence_is_other(&then, &now) != cases[i].is_other)
            fail_msg("'%s' then '%s'", cases[i].then, cases[i].now);
        if (wa_evidence_is_other(&now, &then) != cases[i].is_other)
            fail_msg("'%s' then '%s'", cases[i].now, cases[i].then);
    }
}

static void test_kept_and_read_again(void **state)
{
    struct wa_evidence then = evidence("U1 SER1 m1 a,b"), now = evidence("- SER1 - c"), again;
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf text;
    WA_UNUSED(state);
    wa_buf_init(&text, 4096);
    wa_evidence_keep(&then, &now);
    wa_evidence_write(&now, &text);
    assert_int_equal(wa_evidence_read(wa_buf_sv(&text), &again, &err), WA_OK);
    assert_string_equal(again.system_uuid, "U1");
    assert_string_equal(again.machine_id, "m1");
    assert_int_equal(again.mac_count, 3);
    assert_string_equal(again.macs[0], "c");
    for (int round = 0; round < 20; round++) { /* however many adapters there ever were */
        char more[32];
        (void)snprintf(more, sizeof more, "- - - x%d", round);
        now = evidence(more);
        wa_evidence_keep(&again, &now);
        again = now;
    }
    assert_int_equal(again.mac_count, WA_HOST_MACS);
}

static void test_text_that_is_none(void **state)
{
    static const char *const texts[] = {
        "", "{}", "{\"system_uuid\":\"\",\"serial\":\"\",\"machine_id\":\"\"}",
        "{\"system_uuid\":\"\",\"serial\":1,\"machine_id\":\"\",\"macs\":[]}"};
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(texts); i++) {
        struct wa_err err = WA_ERR_INIT;
        struct wa_evidence e;
        assert_int_not_equal(wa_evidence_read(wa_sv(texts[i]), &e, &err), WA_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_is_other),
        cmocka_unit_test(test_kept_and_read_again),
        cmocka_unit_test(test_text_that_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A tool's line is the person's; what a machine says only fills places in it. */
#include "testlib.h"
#include "torture.h"

#include "console/tool.h"

#define A_PC                                                                                       \
    {                                                                                              \
        WA_SV("AB-12"), WA_SV("pc-1.example.org"), WA_SV("10.0.0.7 fe80::1")                       \
    }

static void check(const char *line, const struct wa_tool_host *h, const char *wanted)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf got;
    const char *const *argv = NULL;
    struct wa_err err = WA_ERR_INIT;
    wa_arena_init(&arena, 1u << 20);
    wa_buf_init(&got, 65536);
    if (wa_tool_argv(line, h, &arena, &argv, &err) != WA_OK) {
        assert_string_equal(wa_code_name(err.code), wanted);
        return;
    }
    for (size_t i = 0; argv[i] != NULL; i++)
        wa_buf_addf(&got, "[%s]", argv[i]);
    assert_string_equal(wa_buf_str(&got), wanted);
}

static void test_words(void **state)
{
    const struct wa_tool_host pc = A_PC;
    WA_UNUSED(state);
    check("ssh -- root@{computer_fqdn}", &pc, "[ssh][--][root@pc-1.example.org]");
    check("  xfreerdp \"/v:{ip}\" \t/u:\"a b\"x \"\" {uuid}{uuid}", &pc,
          "[xfreerdp][/v:10.0.0.7][/u:a bx][][AB-12AB-12]");
    check("\"/opt/my tool\" $(id) `id` ; rm > x | 'y' \\ *", &pc,
          "[/opt/my tool][$(id)][`id`][;][rm][>][x][|]['y'][\\][*]");
    check("", &pc, "config");
    check("  ", &pc, "config");
    check("\"\" x", &pc, "config");
    check("ssh \"x", &pc, "config");
    check("{computer_fqdn} x", &pc, "config");
    check("run-{ip}", &pc, "config");
    check("ssh {password}", &pc, "config");
    check("ssh {", &pc, "config");
    char many[3 * WA_TOOL_ARGS_MAX];
    memset(many, 'x', sizeof many);
    for (size_t i = 1; i < sizeof many; i += 2)
        many[i] = ' ';
    many[sizeof many - 1] = '\0';
    check(many, &pc, "config");
}

/* What a machine that has been taken over says of itself. */
static void test_lies(void **state)
{
    static const char *const fqdns[] = {
        "",     "-oProxyCommand=id", ".x",      "a b", "a\nb", "a\"b", "a;id", "$(id)", "a/../../b",
        "{ip}", "p\xc3\xa9",         "\x1b[2J", "a@b", "a,b",  "a\\b"};
    static const char *const ips[] = {
        "",      "-oProxyCommand=id", "10",           "abc",        "10.0.0.7;id",
        "$(id)", " 10.0.0.7",         "host.example", "10.0.0.7\n", ".1.2.3"};
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(fqdns); i++) {
        const struct wa_tool_host h = {WA_SV("AB"), wa_sv(fqdns[i]), WA_SV("::1")};
        check("ssh {computer_fqdn}", &h, "refused");
        check("ssh {ip}", &h, "[ssh][::1]");
    }
    for (size_t i = 0; i < WA_COUNT(ips); i++) {
        const struct wa_tool_host h = {WA_SV("-x"), WA_SV("pc"), wa_sv(ips[i])};
        check("ssh {ip}", &h, "refused");
        check("ssh {uuid}", &h, "refused");
        check("ssh {computer_fqdn}", &h, "[ssh][pc]");
    }
    char longest[300];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    const struct wa_tool_host h = {WA_SV("AB"), wa_sv(longest), WA_SV("")};
    check("ssh {computer_fqdn}", &h, "refused");
}

static enum wa_code make(void *arg, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const char *const *argv = NULL;
    const struct wa_tool_host pc = A_PC;
    WA_UNUSED(arg);
    wa_arena_init(&arena, 1u << 20);
    return wa_tool_argv("ssh -- {computer_fqdn}", &pc, &arena, &argv, err);
}

static void test_without_memory(void **state)
{
    WA_UNUSED(state);
    assert_true(wa_torture(make, NULL) > 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_words), cmocka_unit_test(test_lies),
                                       cmocka_unit_test(test_without_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

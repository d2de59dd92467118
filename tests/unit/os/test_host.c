/* Facts of a machine, from small texts as machines have them, and from a whole small root. */
#include "support.h"

#include "base/utf8.h"
#include "os/clock.h"
#include "os/host.h"
#include "os/linux/host_priv.h"
#include "os/linux/text_priv.h"
#include "os/rand.h"

#include <sys/utsname.h>

typedef void (*text_fn)(struct wa_sv text, struct wa_host_facts *f);

/* Runs fn over text and compares the field at that offset. */
static void check(text_fn fn, const char *text, size_t offset, const char *expected)
{
    struct wa_host_facts f = {.name = "pc1", .os_version = ""};
    fn(wa_sv(text), &f);
    if (strcmp((const char *)&f + offset, expected) != 0)
        fail_msg("'%s': '%s' instead of '%s'", text, (const char *)&f + offset, expected);
}

#define FIELD(name) offsetof(struct wa_host_facts, name)

static void test_os_release(void **state)
{
    static const struct {
        const char *text;
        size_t field;
        const char *expected;
    } cases[] = {
        {"PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\n", FIELD(os_name),
         "Debian GNU/Linux 12 (bookworm)"},
        {"NAME=Alpine\n", FIELD(os_name), "Alpine"},
        {"ID=debian", FIELD(distrib), "debian"}, /* no newline at the end */
        {"ID=\"rocky\"\r\n", FIELD(distrib), "rocky"},
        {"ID='a b'\n", FIELD(distrib), "a b"},
        {"  ID=x\n", FIELD(distrib), "x"},
        {"#ID=x\nXID=y\n", FIELD(distrib), ""},
        {"ID=first\nID=last\n", FIELD(distrib), "last"}, /* as a shell reads it */
        {"VERSION_ID=\"22.04\"\n", FIELD(os_version), "22.04"},
        {"PRETTY_NAME=\"a \\\"b\\\" \\$c\"\n", FIELD(os_name), "a \"b\" $c"},
        {"PRETTY_NAME='a\\b'\n", FIELD(os_name), "a\\b"},
        {"PRETTY_NAME=\"\x1b[31mred\x01\"\n", FIELD(os_name), "?[31mred?"},
        {"PRETTY_NAME=\"\xff\xc3\xa9\"\n", FIELD(os_name), "?\xc3\xa9"},
        {"ID=\n", FIELD(distrib), ""},
        {"ID=\"", FIELD(distrib), ""},
        {"ID=\\", FIELD(distrib), "\\"},
        {"", FIELD(distrib), ""},
    };
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(cases); i++)
        check(wa_host_os_release, cases[i].text, cases[i].field, cases[i].expected);
}

static void test_debian_tells_its_point_release(void **state)
{
    static const struct {
        const char *id, *file, *expected;
    } cases[] = {
        {"12", "12.4\n", "12.4"},  {"12", "12.11", "12.11"}, {"12", "trixie/sid\n", "12"},
        {"12", "122.4\n", "12"},   {"12", "12\n", "12"},     {"12", "12.\n", "12"},
        {"12", "12.4-evil", "12"}, {"", "12.4", ""},         {"9", "9.13\n", "9.13"},
    };
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        struct wa_host_facts f = {0};
        (void)snprintf(f.os_version, sizeof f.os_version, "%s", cases[i].id);
        wa_host_debian_version(wa_sv(cases[i].file), &f);
        assert_string_equal(f.os_version, cases[i].expected);
    }
}

static void test_language(void **state)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"LANG=fr_FR.UTF-8\n", "fr"}, {"LANG=\"de_DE\"\n", "de"}, {"LANG=en\n", "en"},
        {"LANG=C.UTF-8\n", ""},       {"LANG=POSIX\n", ""},       {"LANG=gsw_CH\n", ""},
        {"LC_TIME=fr_FR\n", ""},      {"LANG=nl@euro\n", "nl"},   {"", ""},
    };
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(cases); i++)
        check(wa_host_locale, cases[i].text, FIELD(language), cases[i].expected);
}

#define ROUTES "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"

static void test_the_gateway_is_that_of_the_best_default_route(void **state)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {ROUTES "eth0\t00000000\t0102A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n", "192.168.2.1"},
        {ROUTES "eth0\t00000000\t0102A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n"
                "eth1\t00000000\t0100000A\t0003\t0\t0\t100\t00000000\t0\t0\t0\n",
         "10.0.0.1"},
        {ROUTES "eth0\t0002A8C0\t0102A8C0\t0003\t0\t0\t0\t00FFFFFF\t0\t0\t0\n", ""},
        {ROUTES "tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n", ""},
        {ROUTES "tun0\t00000000\t0102A8C0\t0003\t0\t0\t0\t00000080\t0\t0\t0\n", ""}, /* half */
        {ROUTES "eth0\t00000000\t0102A8C0\t0003\t0\t0\n", ""},
        {ROUTES "eth0\tx\ty\tz\t0\t0\t0\t0\t0\t0\t0\n", ""},
        {"", ""},
    };
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(cases); i++)
        check(wa_host_route, cases[i].text, FIELD(gateway), cases[i].expected);
}

static void test_the_full_name_is_in_hosts(void **state)
{
    static const struct {
        const char *text, *expected; /* the machine is pc1 */
    } cases[] = {
        {"127.0.1.1\tpc1.example.org\tpc1\n", "pc1.example.org"},
        {"127.0.1.1 pc1 pc1.example.org # comment\n", "pc1.example.org"},
        {"127.0.1.1 PC1.Example.org pc1\n", "PC1.Example.org"},
        {"127.0.0.1 localhost.localdomain localhost\n", ""},
        {"10.0.0.1 pc11.example.org pc11\n", ""},
        {"10.0.0.1 pc1.example.org\n", ""}, /* the short name is not said to be ours */
        {"# 127.0.1.1 pc1.evil pc1\n127.0.1.1 pc1.good pc1\n", "pc1.good"},
        {"127.0.1.1 pc1. pc1\n", ""},
        {"127.0.1.1 pc1\n", ""},
    };
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(cases); i++)
        check(wa_host_hosts, cases[i].text, FIELD(fqdn), cases[i].expected);
}

static void test_a_uuid_that_identifies_nobody_is_none(void **state)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"4c4c4544-0042-3510-8052-b4c04f4d3732\n", "4C4C4544-0042-3510-8052-B4C04F4D3732"},
        {"00000000-0000-0000-0000-000000000000\n", ""},
        {"ffffffff-ffff-ffff-ffff-ffffffffffff\n", ""},
        {"03000200-0400-0500-0006-000700080009\n", ""},
        {"4c4c4544-0042-3510-8052-b4c04f4d373\n", ""},
        {"4c4c4544-0042-3510-8052-b4c04f4d373g\n", ""},
        {"4c4c4544x0042-3510-8052-b4c04f4d3732\n", ""},
        {"Not Settable\n", ""},
        {"", ""},
    };
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(cases); i++)
        check(wa_host_system_uuid, cases[i].text, FIELD(system_uuid), cases[i].expected);
}

static void test_kdcinfo(void **state)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"10.0.0.1\n", "10.0.0.1"},
        {"10.0.0.1:88\n10.0.0.2:88\n", "10.0.0.1"},
        {"#10.0.0.9\n\n 10.0.0.1 \n", "10.0.0.1"},
        {"[2001:db8::1]:88", "2001:db8::1"},
        {"2001:db8::1", "2001:db8::1"},
        {"dc.example.org\n10.0.0.1\n", ""}, /* no address, so not the one that is used */
        {"[", ""},
        {"]", ""},
        {"10.0.0.1\x1b[2J", ""},
        {"", ""},
    };
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(cases); i++)
        check(wa_host_kdcinfo, cases[i].text, FIELD(controller), cases[i].expected);
}

/* What was written is what is read; what others wrote stays, also comments and what is odd. */
static void test_machine_info(void **state)
{
    static const struct {
        const char *before, *description, *after;
    } cases[] = {
        {"", "Front desk", "PRETTY_HOSTNAME=\"Front desk\"\n"},
        {"CHASSIS=laptop", "x", "CHASSIS=laptop\nPRETTY_HOSTNAME=\"x\"\n"},
        {"PRETTY_HOSTNAME=a\nCHASSIS=laptop\n", "", "CHASSIS=laptop\n"},
        {"PRETTY_HOSTNAME=a\n", "", ""},
        {" PRETTY_HOSTNAME = a\n#PRETTY_HOSTNAME=b\n\nx\n", "c",
         " PRETTY_HOSTNAME = a\n#PRETTY_HOSTNAME=b\n\nx\nPRETTY_HOSTNAME=\"c\"\n"},
        {"PRETTY_HOSTNAME=a\nPRETTY_HOSTNAME=b\n", "Ann's \"PC\" \\ $(id) `id` \xc3\xa9",
         "PRETTY_HOSTNAME=\"Ann's \\\"PC\\\" \\\\ \\$(id) \\`id\\` \xc3\xa9\"\n"},
    };
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        WA_AUTO_BUF struct wa_buf after;
        wa_buf_init(&after, 4096);
        wa_host_described(wa_sv(cases[i].before), wa_sv(cases[i].description), &after);
        assert_string_equal(wa_buf_str(&after), cases[i].after);
        check(wa_host_machine_info, wa_buf_str(&after), FIELD(description), cases[i].description);
    }
}

static void test_cleaning_cuts_between_characters(void **state)
{
    char out[6];
    WA_UNUSED(state);
    wa_text_clean(WA_SV("  ab\xc3\xa9\xc3\xa9  "), out, sizeof out);
    assert_string_equal(out, "ab\xc3\xa9"); /* the second one has no room */
    wa_text_clean(WA_SV("\x7f\xc2\x80x"), out, sizeof out);
    assert_string_equal(out, "??x");
    wa_text_clean(WA_SV("abc"), out, 1);
    assert_string_equal(out, "");
}

/* --- a whole root --- */

static void build_root(const struct room *r)
{
    struct utsname u;
    char hosts[512];
    assert_int_equal(uname(&u), 0);
    u.nodename[strcspn(u.nodename, ".")] = '\0';
    (void)snprintf(hosts, sizeof hosts, "127.0.1.1 %s.example.org %s\n", u.nodename, u.nodename);
    put_file(r, "etc/hosts", hosts);
    put_file(r, "etc/os-release",
             "PRETTY_NAME=\"Debian GNU/Linux 12\"\nVERSION_ID=\"12\"\nID=debian\n");
    put_file(r, "etc/debian_version", "12.4\n");
    put_file(r, "etc/machine-info", "PRETTY_HOSTNAME='Front desk'\n");
    put_file(r, "var/lib/sss/pubconf/kdcinfo.A.EXAMPLE", "10.0.0.8\n");
    put_file(r, "var/lib/sss/pubconf/kdcinfo.EXAMPLE.ORG", "10.0.0.9:88\n");
    put_file(r, "var/lib/sss/pubconf/kpasswdinfo.EXAMPLE.ORG", "10.0.0.10\n");
    put_file(r, "etc/default/locale", "LANG=fr_FR.UTF-8\n");
    put_file(r, "etc/resolv.conf", "nameserver 127.0.0.53\nsearch corp.example\n");
    put_file(r, "run/systemd/resolve/resolv.conf", "nameserver 192.0.2.1\nnameserver ::1\n");
    put_file(r, "proc/cpuinfo", "processor\t: 0\nmodel name\t: Fast CPU\nprocessor\t: 1\n");
    put_file(r, "proc/net/route",
             ROUTES "e\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n");
    put_file(r, "sys/class/dmi/id/sys_vendor", "Vendor\n");
    put_file(r, "sys/class/dmi/id/product_name", "Model 1  \n");
    put_file(r, "sys/class/dmi/id/product_serial", "S-1\n");
    put_file(r, "sys/class/dmi/id/product_uuid", "4c4c4544-0042-3510-8052-b4c04f4d3732\n");
}

static void test_a_whole_machine(void **state)
{
    struct room *r = *state;
    struct wa_err err = WA_ERR_INIT;
    static struct wa_host_facts f;
    char fqdn[600];
    build_root(r);
    assert_ok(wa_host_facts_at(r->path, &f, &err));
    (void)snprintf(fqdn, sizeof fqdn, "%s.example.org", f.name);
    struct utsname u;
    assert_int_equal(uname(&u), 0);
    assert_string_equal(f.fqdn, strchr(u.nodename, '.') != NULL ? u.nodename : fqdn);
    assert_string_equal(f.os, "linux");
    assert_string_equal(f.os_name, "Debian GNU/Linux 12");
    assert_string_equal(f.os_version, "12.4");
    assert_string_equal(f.distrib, "debian");
    assert_string_equal(f.language, "fr");
    assert_string_equal(f.system_uuid, "4C4C4544-0042-3510-8052-B4C04F4D3732");
    assert_string_equal(f.manufacturer, "Vendor");
    assert_string_equal(f.product, "Model 1");
    assert_string_equal(f.serial, "S-1");
    assert_string_equal(f.description, "Front desk");
    assert_string_equal(f.controller,
                        strstr(f.fqdn, ".example.org") != NULL ? "10.0.0.9" : "10.0.0.8");
    assert_string_equal(f.cpu, "Fast CPU");
    assert_int_equal(f.cpu_count, 2);
    assert_string_equal(f.gateway, "10.0.0.1");
    assert_int_equal(f.dns_count, 2);
    assert_string_equal(f.dns[0], "192.0.2.1");
    assert_string_equal(f.dns[1], "::1");
}

/* In a root with nothing in it, what the kernel says is still there. */
static void test_a_bare_machine(void **state)
{
    struct room *r = *state;
    struct wa_err err = WA_ERR_INIT;
    static struct wa_host_facts f;
    struct utsname u;
    assert_int_equal(uname(&u), 0);
    assert_ok(wa_host_facts_at(r->path, &f, &err));
    assert_string_equal(f.kernel, u.release);
    assert_string_equal(f.machine, u.machine);
    assert_string_equal(f.architecture, wa_sv_ends(wa_sv(u.machine), "64") ? "x64" : "x86");
    assert_true(f.name[0] != '\0' && f.fqdn[0] != '\0');
    assert_true(f.memory_bytes > 1u << 20);
    assert_true(f.cpu_count > 0);
    assert_string_equal(f.os_name, "");
    assert_string_equal(f.system_uuid, "");
    assert_int_equal(f.dns_count, 0);
}

static void test_this_machine(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    static struct wa_host_facts f;
    WA_UNUSED(state);
    assert_ok(wa_host_facts_read(&f, &err));
    for (size_t i = 0; i < f.addr_count; i++) {
        assert_true(f.addrs[i].iface[0] != '\0' && f.addrs[i].addr[0] != '\0');
        assert_string_not_equal(f.addrs[i].addr, "127.0.0.1");
        assert_string_not_equal(f.addrs[i].addr, "::1");
    }
    assert_true(wa_utf8_valid(wa_sv(f.os_name)));
}

/* --- time and chance --- */

static void test_clocks_and_random_bytes(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    char hex[2 * 100 + 1], uuid[37], other[37];
    int64_t seconds;
    uint32_t us;
    WA_UNUSED(state);
    wa_clock_now_us(&seconds, &us);
    assert_true(seconds > 1700000000 && us < 1000000);
    assert_true(wa_clock_now() >= seconds);
    uint64_t before = wa_clock_mono_ms();
    assert_true(wa_clock_mono_ms() >= before);
    assert_ok(wa_rand_hex(hex, 100, &err));
    assert_int_equal(strspn(hex, "0123456789abcdef"), 200);
    assert_int_equal(strlen(hex), 200);
    assert_ok(wa_rand_hex(hex, 0, &err));
    assert_string_equal(hex, "");
    assert_ok(wa_rand_uuid(uuid, &err));
    assert_ok(wa_rand_uuid(other, &err));
    assert_string_not_equal(uuid, other);
    assert_int_equal(strlen(uuid), 36);
    assert_int_equal(uuid[14], '4');
    assert_non_null(strchr("89ab", uuid[19]));
}

#define T(f) cmocka_unit_test_setup_teardown(f, room_setup, room_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_os_release),
        cmocka_unit_test(test_debian_tells_its_point_release),
        cmocka_unit_test(test_language),
        cmocka_unit_test(test_the_gateway_is_that_of_the_best_default_route),
        cmocka_unit_test(test_the_full_name_is_in_hosts),
        cmocka_unit_test(test_a_uuid_that_identifies_nobody_is_none),
        cmocka_unit_test(test_kdcinfo),
        cmocka_unit_test(test_machine_info),
        cmocka_unit_test(test_cleaning_cuts_between_characters),
        T(test_a_whole_machine),
        T(test_a_bare_machine),
        cmocka_unit_test(test_this_machine),
        cmocka_unit_test(test_clocks_and_random_bytes),
    };
    return cmocka_run_group_tests_name("os/host", tests, NULL, NULL);
}

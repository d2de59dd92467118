/* Three machines - a laptop, a virtual machine, a container without firmware - as small roots with
 * the files that the inventory reads, below tests/unit/os/machines. Each has a file "expected". */
#include "support.h"

#include "os/fs.h"
#include "os/linux/accounts_priv.h"
#include "os/linux/host_priv.h"
#include "os/linux/smbios_priv.h"

static enum wa_code read_in(const char *machine, const char *name, struct wa_buf *out,
                            struct wa_err *err)
{
    char path[WA_PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/%s/%s", getenv("WAPT_MACHINES"), machine, name);
    wa_buf_clear(out);
    return wa_path_read(path, WA_DMI_TABLE_MAX, out, err);
}

static void dump_facts(const char *machine, struct wa_buf *out)
{
    char path[WA_PATH_MAX];
    struct wa_host_facts f;
    struct wa_err err = WA_ERR_INIT;
    (void)snprintf(path, sizeof path, "%s/%s", getenv("WAPT_MACHINES"), machine);
    assert_ok(wa_host_facts_at(path, &f, &err));
    wa_buf_addf(out, "%s|%s|%s|%s\n", f.os_name, f.os_version, f.distrib, f.language);
    wa_buf_addf(out, "%s|%s|%s|%s\n", f.manufacturer, f.product, f.serial, f.system_uuid);
    wa_buf_addf(out, "%s|%u\n", f.cpu, f.cpu_count);
    wa_buf_addf(out, "machine %s\n", f.machine_id);
    for (size_t i = 0; i < f.mac_count; i++)
        wa_buf_addf(out, "mac %s\n", f.macs[i]);
    wa_buf_addf(out, "%s by %s|%s\n", f.gateway, f.gateway_iface, f.workgroup);
    for (size_t i = 0; i < f.dns_count; i++)
        wa_buf_addf(out, "dns %s\n", f.dns[i]);
}

static enum wa_code dump_account(void *user, struct wa_sv name, struct wa_sv members,
                                 struct wa_err *err)
{
    wa_buf_addf(user, "account %.*s: %.*s\n", WA_SV_ARG(name), WA_SV_ARG(members));
    return wa_buf_check(user, err);
}

static void dump_files(const char *machine, struct wa_buf *text, struct wa_buf *out)
{
    struct wa_err err = WA_ERR_INIT, none = WA_ERR_INIT;
    struct wa_memory m = {0};
    struct wa_mount at;
    char last[WA_LOGIN_NAME];
    assert_ok(read_in(machine, "etc/passwd", text, &err));
    assert_ok(wa_passwd_each(wa_buf_sv(text), dump_account, out, &err));
    assert_ok(read_in(machine, "etc/group", text, &err));
    assert_ok(wa_group_each(wa_buf_sv(text), dump_account, out, &err));
    assert_ok(read_in(machine, "proc/meminfo", text, &err));
    wa_meminfo(wa_buf_sv(text), &m);
    assert_ok(read_in(machine, "proc/stat", text, &err));
    wa_boot_time(wa_buf_sv(text), &m);
    wa_buf_addf(out, "memory %llu, swap %llu, since %lld\n", (unsigned long long)m.physical_bytes,
                (unsigned long long)m.swap_bytes, (long long)m.boot_time);
    assert_ok(read_in(machine, "proc/mounts", text, &err));
    struct wa_sv rest = wa_buf_sv(text);
    while (wa_mounts_next(&rest, &at))
        wa_buf_addf(out, "drive %s: %s, %s\n", at.point, at.device, at.type);
    if (read_in(machine, "utmp", text, &none) != WA_OK)
        return;
    wa_buf_adds(out, "here: ");
    wa_utmp_users(wa_buf_sv(text), out);
    wa_utmp_last(wa_buf_sv(text), last);
    wa_buf_addf(out, "; last: %s\n", last);
}

static enum wa_code dump_entry(void *user, const struct wa_dmi_entry *e, struct wa_err *err)
{
    for (size_t i = 0; i < e->n; i++)
        wa_buf_addf(user, "  %s: %s\n", e->values[i].key, e->values[i].text);
    wa_buf_adds(user, "  --\n");
    return wa_buf_check(user, err);
}

static void dump_dmi(struct wa_sv table, struct wa_buf *out)
{
    struct wa_err err = WA_ERR_INIT;
    bool has_vendor_text;
    const char *title;
    for (size_t i = 0; (title = wa_dmi_kind(i, &has_vendor_text)) != NULL; i++) {
        if (wa_dmi_count(table, i) == 0)
            continue;
        wa_buf_addf(out, "%s%s\n", title, has_vendor_text ? " (vendor's)" : "");
        assert_ok(wa_dmi_each(table, i, dump_entry, out, &err));
    }
}

static void test_machines(void **state)
{
    static const char *const machines[] = {"laptop", "vm", "container"};
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(machines); i++) {
        struct wa_err err = WA_ERR_INIT, none = WA_ERR_INIT;
        WA_AUTO_BUF struct wa_buf out, text;
        wa_buf_init(&out, 1u << 20);
        wa_buf_init(&text, 1u << 20);
        dump_facts(machines[i], &out);
        dump_files(machines[i], &text, &out);
        if (read_in(machines[i], "DMI", &text, &none) == WA_OK)
            dump_dmi(wa_buf_sv(&text), &out);
        assert_ok(read_in(machines[i], "expected", &text, &err));
        if (strcmp(wa_buf_str(&out), wa_buf_str(&text)) != 0)
            fail_msg("%s:\n%s", machines[i], wa_buf_str(&out));
    }
}

static void test_users_of_logind(void **state)
{
    static const struct {
        const char *text, *name;
    } rows[] = {
        {"# This is private data.\nNAME=alice\nSTATE=active\nSLICE=user-1000.slice\n", "alice"},
        {"NAME=bob\nSTATE=online\n", "bob"},
        {"NAME=gdm\nSTATE=lingering\n", ""},
        {"NAME=x\nSTATE=closing\n", ""},
        {"NAME=a,b\nSTATE=active\n", ""},
        {"STATE=active\n", ""},
        {"", ""},
    };
    char name[WA_LOGIN_NAME];
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(rows); i++) {
        wa_logind_user(wa_sv(rows[i].text), name);
        assert_string_equal(name, rows[i].name);
    }
}

/* Cut anywhere, a table gives the structures that are whole. */
static void test_a_table_that_breaks_off(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf table;
    WA_UNUSED(state);
    wa_buf_init(&table, WA_DMI_TABLE_MAX);
    assert_ok(read_in("laptop", "DMI", &table, &err));
    size_t before = 0;
    for (size_t n = 0; n <= table.n; n++) {
        size_t found = 0;
        for (size_t k = 0; k < 13; k++)
            found += wa_dmi_count(wa_sv_n(table.p, n), k);
        assert_true(found >= before && found <= before + 1);
        before = found;
    }
    assert_int_equal(before, 14);
}

/* Fields lie beyond a short structure, strings are missing, lengths lie. */
static void test_hostile_structures(void **state)
{
    static const struct {
        const char *bytes;
        size_t n, count;
    } cases[] = {
        {"\x01\x04\0\0\0\0", 6, 0}, /* no field at all: nothing to show */
        {"\x01\x05\0\0\x09"
         "x\0\0",
         8, 0}, /* the ninth of one string */
        {"\x01\x05\0\0\x01"
         "x\0\0",
         8, 1},
        {"\x01\x03\0\0\0\0", 6, 0},                       /* shorter than its head */
        {"\x01\xff\0\0\x01x\0\0", 8, 0},                  /* longer than the table */
        {"\x01\x05\0\0\x01x\0", 7, 0},                    /* no end */
        {"\x7f\x04\0\0\0\0\x01\x05\0\0\x01x\0\0", 14, 0}, /* after the end */
    };
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(cases); i++)
        assert_int_equal(wa_dmi_count(wa_sv_n(cases[i].bytes, cases[i].n), 1), cases[i].count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_machines),
        cmocka_unit_test(test_users_of_logind),
        cmocka_unit_test(test_a_table_that_breaks_off),
        cmocka_unit_test(test_hostile_structures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

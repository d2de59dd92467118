/* What packages say of holds, windows and freezes: what is too much, or can't be read, does not
 * count, and stops nothing. */
#include "agent/manager_priv.h"
#include "agent/scene.h"
#include "base/mem.h"
#include "torture.h"

#define PACKAGES 4u
#define LONG (WA_HOLDS_BYTES_MAX / 2)

struct bench {
    struct wa_manager *m;
    struct wa_scene s;
};

static void bench_init(struct bench *b)
{
    *b = (struct bench){.m = wa_calloc(1, sizeof *b->m)};
    assert_non_null(b->m);
    wa_log_init(&b->m->log, -1, WA_LOG_ERROR, "test");
    wa_buf_init(&b->s.holds, WA_HOLDS_BYTES_MAX);
    wa_buf_init(&b->s.windows, WA_WINDOWS_BYTES_MAX);
    wa_buf_init(&b->s.freezes, WA_WINDOWS_BYTES_MAX);
    wa_buf_init(&b->s.policies, WA_POLICIES_BYTES_MAX);
    b->s.installed.items = wa_calloc(PACKAGES, sizeof *b->s.installed.items);
    assert_non_null(b->s.installed.items);
}

static void bench_fini(struct bench *b)
{
    for (size_t i = 0; i < b->s.installed.n; i++)
        wa_control_fini(&b->s.installed.items[i].base.control);
    wa_free(b->s.installed.items);
    wa_buf_fini(&b->s.holds);
    wa_buf_fini(&b->s.windows);
    wa_buf_fini(&b->s.freezes);
    wa_buf_fini(&b->s.policies);
    wa_free(b->m);
}

/* A group that is installed, and holds this. */
static void add(struct bench *b, const char *name, struct wa_sv holds, const char *windows)
{
    struct wa_installed *p = &b->s.installed.items[b->s.installed.n++].base;
    struct wa_err err = WA_ERR_INIT;
    wa_control_init(&p->control);
    WA_ASSERT_OK(wa_control_set(&p->control, WA_A_PACKAGE, wa_sv(name), &err));
    WA_ASSERT_OK(wa_control_set(&p->control, WA_A_SECTION, WA_SV("group"), &err));
    WA_ASSERT_OK(wa_control_set(&p->control, WA_A_PACKAGES_HELD, holds, &err));
    WA_ASSERT_OK(wa_control_set(&p->control, WA_A_MAINTENANCE_WINDOWS, wa_sv(windows), &err));
    (void)snprintf(p->status, sizeof p->status, "OK");
}

/* "tis-00000,tis-00001,...", of about that length. */
static void many(struct wa_buf *out, size_t length)
{
    for (unsigned i = 0; out->n + 10 < length; i++)
        wa_buf_addf(out, "%stis-%05u", i > 0 ? "," : "", i);
}

static void too_many_holds_stop_nothing(void **state)
{
    WA_AUTO_BUF struct wa_buf holds;
    struct bench b;
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(state);
    bench_init(&b);
    wa_buf_init(&holds, WA_HOLDS_BYTES_MAX);
    many(&holds, LONG + 1000);
    add(&b, "first", wa_buf_sv(&holds), "");
    add(&b, "second", wa_buf_sv(&holds), "");
    add(&b, "wrong", WA_SV("a until tomorrow"), "");
    add(&b, "last", WA_SV("tis-kept"), "mon 01:00-02:00");
    WA_ASSERT_OK(wa_scene_policies(b.m, &b.s, &err));
    struct wa_sv told = wa_buf_sv(&b.s.holds);
    assert_int_equal(told.n, holds.n + sizeof ",tis-kept" - 1);
    assert_true(wa_sv_ends(told, ",tis-kept"));
    assert_string_equal(wa_buf_str(&b.s.windows), "mon 01:00-02:00");
    struct wa_sv by = wa_buf_sv(&b.s.policies);
    assert_true(wa_sv_has(by, WA_SV("\"first\"")) && wa_sv_has(by, WA_SV("\"last\"")));
    assert_false(wa_sv_has(by, WA_SV("\"second\"")) || wa_sv_has(by, WA_SV("\"wrong\"")));
    bench_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(too_many_holds_stop_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

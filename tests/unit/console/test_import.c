/* Which packages come in under which names, and who would miss what leaves. */
#include "torture.h"

#include "console/import.h"
#include "console/removal.h"

struct row {
    const char *package, *version, *architecture, *maturity, *depends, *conflicts;
};

static const struct row theirs[] = {
    {"tis-tool", "2.0-1", "all", "PROD", "tis-lib(>=1.1),smp-other", "tis-rival,smp-rival"},
    {"tis-tool", "1.0-1", "all", "PROD", "", ""},
    {"tis-tool", "3.0-1", "all", "DEV", "", ""},
    {"tis-lib", "1.0-1", "x64", "PROD", "", ""},
    {"tis-lib", "1.2-1", "x64", "PROD", "tis-tool", ""}, /* a circle */
    {"tis-lib", "1.3-1", "x86", "PROD", "", ""},
    {"single", "1-1", "all", "PROD", "tis-none,tis-lib,not a requirement(", ""},
};
static const struct row own[] = {{"acme-tool", "1.5-1", "all", "DEV", "", ""},
                                 {"acme-lib", "1.0-1", "x64", "PROD", "", ""}};

static enum wa_code fill(struct wa_index *ix, const struct row *rows, size_t count,
                         struct wa_err *err)
{
    for (size_t i = 0; i < count; i++) {
        const struct row *r = &rows[i];
        const struct {
            enum wa_attr attr;
            const char *value;
        } values[] = {{WA_A_PACKAGE, r->package},
                      {WA_A_VERSION, r->version},
                      {WA_A_ARCHITECTURE, r->architecture},
                      {WA_A_MATURITY, r->maturity},
                      {WA_A_DEPENDS, r->depends},
                      {WA_A_CONFLICTS, r->conflicts},
                      {WA_A_SIGNER, "Somebody"},
                      {WA_A_FILENAME, r->version}};
        struct wa_control *c = WA_VEC_PUSH(ix);
        if (c == NULL)
            return wa_nomem(err);
        wa_control_init(c);
        for (size_t k = 0; k < WA_COUNT(values); k++)
            if (wa_control_set(c, values[k].attr, wa_sv(values[k].value), err) != WA_OK)
                return err->code;
    }
    return WA_OK;
}

static const struct {
    const char *request; /* "": all */
    const char *prefix, *architecture, *maturities;
    bool every, newer, depends;
    enum wa_code code;
    const char
        *expected; /* "name version depends|conflicts<needed by;" of each, then what misses */
} cases[] = {
    {"tis-tool", NULL, NULL, "PROD", false, false, false, WA_OK,
     "tis-tool 2.0-1 tis-lib(>=1.1),smp-other|tis-rival,smp-rival;"},
    {"tis-tool", NULL, NULL, NULL, false, false, false, WA_OK,
     "tis-tool 3.0-1 |;tis-tool 2.0-1 tis-lib(>=1.1),smp-other|tis-rival,smp-rival;"},
    {"tis-tool", NULL, NULL, "PROD", true, false, false, WA_OK,
     "tis-tool 2.0-1 tis-lib(>=1.1),smp-other|tis-rival,smp-rival;tis-tool 1.0-1 |;"},
    {"tis-tool", "acme", "x64", "PROD", false, false, true, WA_OK,
     "acme-tool 2.0-1 acme-lib(>=1.1),smp-other|acme-rival,smp-rival;"
     "acme-lib 1.2-1 acme-tool|<tis-tool;"
     " -smp-other"},
    {"tis-tool", "acme", NULL, "PROD", false, true, true, WA_OK,
     "acme-tool 2.0-1 acme-lib(>=1.1),smp-other|acme-rival,smp-rival;"
     "acme-lib 1.2-1 acme-tool|<tis-tool;acme-lib 1.3-1 |<tis-tool; -smp-other"},
    {"tis-tool(=1.0-1)", "acme", NULL, NULL, false, true, false, WA_OK, ""}, /* 1.5 is here */
    {"single", "acme", NULL, NULL, false, false, true, WA_OK,
     "single 1-1 tis-none,tis-lib,not a requirement(|; -tis-none -not a requirement("},
    {"tis-none", NULL, NULL, NULL, false, false, false, WA_E_NOT_FOUND, ""},
    {"tis-tool(>=4)", NULL, NULL, NULL, false, false, false, WA_E_NOT_FOUND, ""},
    {"", NULL, "x86", "PROD", false, false, false, WA_OK,
     "single 1-1 tis-none,tis-lib,not a requirement(|;tis-lib 1.3-1 |;"
     "tis-tool 2.0-1 tis-lib(>=1.1),smp-other|tis-rival,smp-rival;"},
};

static void write_plan(const struct wa_import_plan *p, struct wa_buf *out)
{
    for (size_t i = 0; i < p->n; i++) {
        const struct wa_import_item *item = &p->items[i];
        wa_buf_addf(out, "%s %s %s|%s", item->package, wa_control_get(item->entry, WA_A_VERSION),
                    item->depends, item->conflicts);
        if (item->needed_by != NULL)
            wa_buf_addf(out, "<%s", wa_control_get(item->needed_by, WA_A_PACKAGE));
        wa_buf_addc(out, ';');
    }
    for (size_t i = 0; i < p->missing.n; i++) {
        struct wa_sv rest = wa_sv(p->missing.items[i]), what = rest;
        size_t at = 0;
        while (at + 2 < rest.n && memcmp(rest.p + at, ", n", 3) != 0)
            at++;
        wa_buf_addf(out, " -%.*s", (int)at, what.p);
    }
}

static enum wa_code choose(size_t i, struct wa_buf *out, struct wa_err *err)
{
    WA_AUTO_INDEX struct wa_index there;
    WA_AUTO_INDEX struct wa_index here;
    WA_AUTO_IMPORT_PLAN struct wa_import_plan plan;
    struct wa_request r;
    wa_index_init(&there);
    wa_index_init(&here);
    wa_import_plan_init(&plan);
    const struct wa_import_wish wish = {
        .requests = &r,
        .request_count = cases[i].request[0] != '\0',
        .filter = {.architecture = cases[i].architecture, .maturities = cases[i].maturities},
        .signer = "Somebody",
        .prefix = cases[i].prefix,
        .every_version = cases[i].every,
        .only_newer = cases[i].newer,
        .with_depends = cases[i].depends};
    if ((wish.request_count > 0 && wa_request_parse(wa_sv(cases[i].request), &r, err) != WA_OK) ||
        fill(&there, theirs, WA_COUNT(theirs), err) != WA_OK ||
        fill(&here, own, WA_COUNT(own), err) != WA_OK ||
        wa_import_choose(&there, &here, &wish, &plan, err) != WA_OK)
        return err->code;
    write_plan(&plan, out);
    return wa_buf_check(out, err);
}

static void comes_as_wished(void **state)
{
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        WA_AUTO_BUF struct wa_buf out;
        struct wa_err err = WA_ERR_INIT;
        wa_buf_init(&out, 4096);
        assert_int_equal(choose(i, &out, &err), cases[i].code);
        assert_string_equal(wa_buf_str(&out), cases[i].expected);
    }
}

static enum wa_code choose_with_depends(void *arg, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf out;
    WA_UNUSED(arg);
    wa_buf_init(&out, 4096);
    return choose(3, &out, err);
}

static void survives_without_memory(void **state)
{
    WA_UNUSED(state);
    (void)wa_torture(choose_with_depends, NULL);
}

static void names_keep_what_follows_the_prefix(void **state)
{
    static const char *const names[][3] = {{"tis-a-b", "x", "x-a-b"},
                                           {"plain", "x", "plain"},
                                           {"-a", "x", "-a"},
                                           {"tis-a", NULL, "tis-a"}};
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(names); i++) {
        WA_AUTO_BUF struct wa_buf out;
        wa_buf_init(&out, 256);
        wa_import_rename(names[i][0], names[i][1], &out);
        assert_string_equal(wa_buf_str(&out), names[i][2]);
    }
}

static void note(void *user, const struct wa_control *needed, const struct wa_control *by,
                 struct wa_sv requirement)
{
    wa_buf_addf(user, "%s %s<%s %.*s;", wa_control_get(needed, WA_A_PACKAGE),
                wa_control_get(needed, WA_A_VERSION), wa_control_get(by, WA_A_PACKAGE),
                WA_SV_ARG(requirement));
}

static void tells_who_would_miss_it(void **state)
{
    static const struct row rows[] = {{"a", "1", "all", "", "b(>=2),c", ""},
                                      {"b", "2", "all", "", "", ""},
                                      {"b", "3", "all", "", "", ""},
                                      {"c", "4", "all", "", "b(=3)", ""}};
    static char two[] = "2", three[] = "3", four[] = "4", nine[] = "9";
    static const struct {
        char *files[3];
        size_t count;
        const char *expected;
        bool is_last[3]; /* of its name */
    } leaving[] = {{{two}, 1, "", {false}},
                   {{three}, 1, "b 3<c b(=3);", {false}},
                   {{two, nine}, 2, "", {false, false}},
                   {{two, three}, 2, "b 3<a b(>=2);b 3<c b(=3);", {false, true}},
                   {{four}, 1, "c 4<a c;", {true}},
                   {{two, three, four}, 3, "b 3<a b(>=2);c 4<a c;", {false, true, true}},
                   {{two, four, three}, 3, "b 3<a b(>=2);c 4<a c;", {false, true, true}}};
    WA_AUTO_INDEX struct wa_index ix;
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(state);
    wa_index_init(&ix);
    WA_ASSERT_OK(fill(&ix, rows, WA_COUNT(rows), &err));
    assert_ptr_equal(wa_removal_find(&ix, WA_SV("3")), &ix.items[2]);
    assert_null(wa_removal_find(&ix, WA_SV("9")));
    for (size_t i = 0; i < WA_COUNT(leaving); i++) {
        WA_AUTO_BUF struct wa_buf out;
        wa_buf_init(&out, 4096);
        wa_removal_breaks(&ix, leaving[i].files, leaving[i].count, note, &out);
        assert_string_equal(wa_buf_str(&out), leaving[i].expected);
        for (size_t k = 0; k < leaving[i].count; k++)
            assert_int_equal(wa_removal_is_last(&ix, leaving[i].files, leaving[i].count, k),
                             leaving[i].is_last[k]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_as_wished),
        cmocka_unit_test(names_keep_what_follows_the_prefix),
        cmocka_unit_test(tells_who_would_miss_it),
        cmocka_unit_test(survives_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Tables: as wide as what is in them, cut on a terminal only, and no cell can be more than a cell.
 */
#include "torture.h"

#include "cmd/cli.h"

#define EAST "\xe6\x9d\xb1\xe4\xba\xac" /* two letters, four places */

static const struct wa_cli_column columns[] = {{"name", true}, {"uuid", false}, {"note", true}};

/* What printing these rows of three cells writes. */
static void expect(const char *const *cells, size_t count, size_t screen, const char *want)
{
    struct wa_cli cli = {.json = false};
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_TABLE struct wa_cli_table t;
    FILE *before = stdout;
    char *text = NULL;
    size_t n = 0;
    wa_cli_table_init(&t, columns, WA_COUNT(columns));
    t.screen = screen;
    for (size_t i = 0; i < count; i++)
        wa_cli_table_cell(&t, wa_sv(cells[i]));
    stdout = open_memstream(&text, &n);
    assert_non_null(stdout);
    enum wa_code code = wa_cli_table_print(&t, &cli, &err);
    (void)fclose(stdout);
    stdout = before;
    assert_int_equal(code, WA_OK);
    assert_string_equal(text, want);
    free(text);
}

static void is_as_wide_as_its_cells(void **state)
{
    static const char *const cells[] = {"pc-1", "1", "x", "a-longer-name", "22", ""};
    (void)state;
    expect(cells, 6, 0, "name           uuid  note\npc-1           1     x\na-longer-name  22\n");
    expect(cells, 0, 0, "name  uuid  note\n");
}

static void counts_places_not_bytes(void **state)
{
    static const char *const cells[] = {EAST, "1", "x", "e\xcc\x81t\xc3\xa9", "2", "y"};
    (void)state;
    assert_int_equal(wa_cli_width(WA_SV(EAST)), 4);
    assert_int_equal(wa_cli_width(WA_SV("e\xcc\x81")), 1);
    assert_int_equal(wa_cli_width(WA_SV("\xf0\x9f\x98\x80")), 2);
    expect(cells, 6, 0, "name  uuid  note\n" EAST "  1     x\ne\xcc\x81t\xc3\xa9   2     y\n");
}

static void is_cut_on_a_narrow_terminal(void **state)
{
    static const char *const cells[] = {EAST EAST EAST EAST, "0123456789", "a note that is long"};
    (void)state;
    expect(cells, 3, 0,
           "name              uuid        note\n" EAST EAST EAST EAST
           "  0123456789  a note that is long\n");
    /* What must not be cut is not, however narrow it gets. */
    expect(cells, 3, 34,
           "name        uuid        note\n" EAST EAST "\xe2\x80\xa6"
           "   0123456789  a note th\xe2\x80\xa6\n");
    expect(cells, 3, 5,
           "name      uuid        note\n" EAST "\xe6\x9d\xb1\xe2\x80\xa6"
           "   0123456789  a note \xe2\x80\xa6\n");
}

static void a_cell_is_only_a_cell(void **state)
{
    static const char *const cells[] = {"a\nforged  row", "\x1b[2J\x07\xe2\x80\xae\xff",
                                        "tab\tstop"};
    (void)state;
    expect(cells, 3, 0, "name           uuid     note\na forged  row  ?[2J???  tab stop\n");
}

static enum wa_code fill_once(void *arg, struct wa_err *err)
{
    WA_AUTO_TABLE struct wa_cli_table t;
    struct wa_cli cli = {.json = true};
    WA_UNUSED(arg);
    wa_cli_table_init(&t, columns, WA_COUNT(columns));
    for (size_t i = 0; i < 300; i++)
        wa_cli_table_cell(&t, WA_SV("some text that has to be kept"));
    return wa_cli_table_print(&t, &cli, err);
}

static void survives_without_memory(void **state)
{
    (void)state;
    assert_true(wa_torture(fill_once, NULL) > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_as_wide_as_its_cells),     cmocka_unit_test(counts_places_not_bytes),
        cmocka_unit_test(is_cut_on_a_narrow_terminal), cmocka_unit_test(a_cell_is_only_a_cell),
        cmocka_unit_test(survives_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

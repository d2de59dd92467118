/* The command-line kit: what words mean, what is refused and how, and that nothing from outside
 * reaches a terminal as it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cmd/cli.h"

static enum wa_code run(struct wa_cli *cli, struct wa_err *err)
{
    (void)cli;
    (void)err;
    return WA_OK;
}

static const struct wa_cli_option pack_options[] = {
    {"key", 'k', "FILE"},
    {"force", 'f', NULL},
    {"level", 0, "NUMBER"},
};
static const struct wa_cli_command pack = {"pack", pack_options, WA_COUNT(pack_options), 1, 2, run};
static const struct wa_cli_command list = {"list", NULL, 0, 0, 0, run};
static const struct wa_cli_command *const commands[] = {&pack, &list, NULL};
static const struct wa_cli_option shared_options[] = {{"config", 'c', "FILE"}};
static const struct wa_cli_alias aliases[] = {
    {"wrap", "pack", NULL},
    {"--clef", "--key", NULL},
    {"unwrap", NULL, "use 'unzip'"},
    {"-z", NULL, "it is always so"},
};
static const struct wa_cli_program program = {.name = "tool",
                                              .section = 1,
                                              .commands = commands,
                                              .options = shared_options,
                                              .option_count = 1,
                                              .aliases = aliases,
                                              .alias_count = WA_COUNT(aliases)};

/* Splits at blanks; "." stands for an empty word. */
static enum wa_code parse(const char *line, struct wa_cli *cli, struct wa_err *err)
{
    static char words[16][64];
    static char *argv[17];
    struct wa_sv rest = wa_sv(line), word;
    int argc = 0;
    while (wa_sv_split(&rest, ' ', &word)) {
        (void)snprintf(words[argc], sizeof words[0], "%.*s", wa_sv_eqs(word, ".") ? 0 : (int)word.n,
                       word.p);
        argv[argc] = words[argc];
        argc++;
    }
    argv[argc] = NULL;
    memset(cli, 0, sizeof *cli);
    cli->program = &program;
    return wa_cli_parse(cli, argc, argv, err);
}

static void understands_words(void **state)
{
    static const struct {
        const char *line, *key, *config;
        size_t args;
        bool force, json;
    } cases[] = {
        {"tool pack a", NULL, NULL, 1, false, false},
        {"tool pack -k x a", "x", NULL, 1, false, false},
        {"tool pack -kx a", "x", NULL, 1, false, false},
        {"tool pack --key x a b", "x", NULL, 2, false, false},
        {"tool pack --key=x a", "x", NULL, 1, false, false},
        {"tool pack --key= a", "", NULL, 1, false, false},
        {"tool pack -k . a", "", NULL, 1, false, false},
        {"tool pack -k -f a", "-f", NULL, 1, false, false},
        {"tool pack a -fk x", "x", NULL, 1, true, false},
        {"tool pack -fj a", NULL, NULL, 1, true, true},
        {"tool -c c pack a", NULL, "c", 1, false, false},
        {"tool pack a --config c --json", NULL, "c", 1, false, true},
        {"tool pack -k x -k y a", "y", NULL, 1, false, false},
        {"tool pack -- -k a", NULL, NULL, 2, false, false},
        {"tool pack - a", NULL, NULL, 2, false, false},
        {"tool wrap --clef x a", "x", NULL, 1, false, false}, /* WAPT's names */
    };
    (void)state;
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        struct wa_cli cli;
        struct wa_err err = WA_ERR_INIT;
        if (parse(cases[i].line, &cli, &err) != WA_OK)
            fail_msg("'%s': %s", cases[i].line, err.text);
        assert_ptr_equal(cli.command, &pack);
        assert_int_equal(cli.arg_count, cases[i].args);
        assert_int_equal(wa_cli_has(&cli, "force"), cases[i].force);
        assert_int_equal(cli.json, cases[i].json);
        const char *key = wa_cli_get(&cli, "key", NULL), *config = wa_cli_get(&cli, "config", NULL);
        if (cases[i].key == NULL)
            assert_null(key);
        else
            assert_string_equal(key, cases[i].key);
        if (cases[i].config == NULL)
            assert_null(config);
        else
            assert_string_equal(config, cases[i].config);
    }
}

static void refuses_what_makes_no_sense(void **state)
{
    static const struct {
        const char *line, *because;
    } cases[] = {
        {"tool frob", "unknown command 'frob'"},
        {"tool pack --keys x", "unknown option '--keys': is '--key' meant?"},
        {"tool pack --ke x", "unknown option '--ke': is '--key' meant?"}, /* never abbreviated */
        {"tool pack -x", "unknown option '-x'"},
        {"tool pac", "unknown command 'pac': is 'pack' meant?"},
        {"tool pack --zebra x", "unknown option '--zebra'"},
        {"tool unwrap a", "there is no command 'unwrap' here: use 'unzip'"},
        {"tool pack -z a", "there is no option '-z' here: it is always so"},
        {"tool pack --key", "option '--key' needs a value (FILE)"},
        {"tool pack -k", "option '-k' needs a value (FILE)"},
        {"tool pack --force=yes", "option '--force' takes no value"},
        {"tool list --key x", "'list' takes no '--key'"}, /* another command does */
    };
    (void)state;
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        struct wa_cli cli;
        struct wa_err err = WA_ERR_INIT;
        assert_int_equal(parse(cases[i].line, &cli, &err), WA_E_USAGE);
        assert_string_equal(err.text, cases[i].because);
    }
}

static void reads_numbers_within_bounds(void **state)
{
    static const struct {
        const char *line;
        int64_t want;
        bool ok;
    } cases[] = {
        {"tool pack a", 5, true},
        {"tool pack --level 7 a", 7, true},
        {"tool pack --level 11 a", 5, false},
        {"tool pack --level 0 a", 5, false},
        {"tool pack --level x a", 5, false},
        {"tool pack --level= a", 5, false},
        {"tool pack --level 7x a", 5, false},
    };
    (void)state;
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        struct wa_cli cli;
        struct wa_err err = WA_ERR_INIT;
        int64_t n = 5;
        assert_int_equal(parse(cases[i].line, &cli, &err), WA_OK);
        assert_int_equal(wa_cli_int(&cli, "level", 1, 10, &n, &err) == WA_OK, cases[i].ok);
        assert_int_equal(n, cases[i].want);
    }
}

static void keeps_repeated_options(void **state)
{
    struct wa_cli cli;
    struct wa_err err = WA_ERR_INIT;
    (void)state;
    assert_int_equal(parse("tool pack -k x a --key y", &cli, &err), WA_OK);
    assert_string_equal(wa_cli_at(&cli, "key", 0), "x");
    assert_string_equal(wa_cli_at(&cli, "key", 1), "y");
    assert_null(wa_cli_at(&cli, "key", 2));
}

static void tames_text(void **state)
{
    static const char *const cases[][2] = {
        {"plain \xc3\xa9\n\ttext", "plain \xc3\xa9\n\ttext"},
        {"\x1b[2Jgone\r\x07", "?[2Jgone??"},
        {"\xc2\x9b"
         "31m",
         "??31m"}, /* a control character of ISO 8859 */
        {"\xe2\x80\xae"
         "cod.exe",
         "???cod.exe"}, /* text that runs backwards */
        {"bad \xff\xc3", "bad ??"},
        {"\x7f", "?"},
    };
    (void)state;
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        char text[64];
        (void)snprintf(text, sizeof text, "%s", cases[i][0]);
        wa_cli_tame(text);
        assert_string_equal(text, cases[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(understands_words),
        cmocka_unit_test(refuses_what_makes_no_sense),
        cmocka_unit_test(reads_numbers_within_bounds),
        cmocka_unit_test(keeps_repeated_options),
        cmocka_unit_test(tames_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

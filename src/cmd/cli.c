/* cli.c - from argv to a command that runs, and from its result to an exit status.
 *
 * Options may stand before or after the subcommand and among its arguments; "--" ends them. Long
 * names are never abbreviated, so that a new option can't change what a script means. A command of
 * a family may be typed in two words: "root init" is "root-init".
 */
#include "cmd/cli.h"
#include "cmd/help.h"

#include "os/path.h"

#include <assert.h>
#include <stdlib.h>

const struct wa_cli_option wa_cli_common[3] = {
    {"help", 'h', NULL},
    {"json", 'j', NULL},
    {"version", 'V', NULL},
};

/* --- tables --- */

static const struct wa_cli_option *find_in(const struct wa_cli_option *options, size_t n,
                                           struct wa_sv name, char letter)
{
    for (size_t i = 0; i < n; i++)
        if (letter != 0 ? options[i].letter == letter : wa_sv_eqs(name, options[i].name))
            return &options[i];
    return NULL;
}

/* letter 0: by name. */
static const struct wa_cli_option *find_option(const struct wa_cli *cli, struct wa_sv name,
                                               char letter)
{
    const struct wa_cli_option *o = NULL;
    if (cli->command != NULL)
        o = find_in(cli->command->options, cli->command->option_count, name, letter);
    if (o == NULL)
        o = find_in(cli->program->options, cli->program->option_count, name, letter);
    return o != NULL ? o : find_in(wa_cli_common, WA_COUNT(wa_cli_common), name, letter);
}

/* One that is typed: WAPT's names too. */
static const struct wa_cli_option *typed_option(const struct wa_cli *cli, struct wa_sv name)
{
    char word[64];
    const struct wa_cli_option *o = find_option(cli, name, 0);
    (void)snprintf(word, sizeof word, "--%.*s", WA_SV_ARG(name));
    const struct wa_cli_alias *a = wa_cli_alias_find(cli->program, wa_sv(word));
    return o != NULL || a == NULL || a->ours == NULL ? o : find_option(cli, wa_sv(a->ours + 2), 0);
}

static const struct wa_cli_command *find_command(const struct wa_cli_program *p, const char *name)
{
    for (size_t i = 0; p->commands[i] != NULL; i++)
        if (p->commands[i]->name != NULL && strcmp(p->commands[i]->name, name) == 0)
            return p->commands[i];
    const struct wa_cli_alias *a = wa_cli_alias_find(p, wa_sv(name));
    return a != NULL && a->ours != NULL && a->ours[0] != '-' ? find_command(p, a->ours) : NULL;
}

/* --- parsing --- */

static enum wa_code add_given(struct wa_cli *cli, const struct wa_cli_option *o, const char *value,
                              struct wa_err *err)
{
    if (cli->given_count == WA_CLI_GIVEN_MAX)
        return wa_fail(err, WA_E_USAGE, "more than %u options", WA_CLI_GIVEN_MAX);
    cli->given[cli->given_count].option = o;
    cli->given[cli->given_count++].value = value;
    return WA_OK;
}

static enum wa_code parse_long(struct wa_cli *cli, const char *text, char **next, size_t *used,
                               struct wa_err *err)
{
    const char *equals = strchr(text, '=');
    struct wa_sv name = equals == NULL ? wa_sv(text) : wa_sv_n(text, (size_t)(equals - text));
    const struct wa_cli_option *o = typed_option(cli, name);
    if (o == NULL)
        return wa_cli_unknown_option(cli, name, err);
    if (o->arg == NULL && equals != NULL)
        return wa_fail(err, WA_E_USAGE, "option '--%s' takes no value", o->name);
    if (o->arg == NULL)
        return add_given(cli, o, "", err);
    if (equals != NULL)
        return add_given(cli, o, equals + 1, err);
    if (*next == NULL)
        return wa_fail(err, WA_E_USAGE, "option '--%s' needs a value (%s)", o->name, o->arg);
    *used = 1;
    return add_given(cli, o, *next, err);
}

/* "-ab", "-k value", "-kvalue" */
static enum wa_code parse_short(struct wa_cli *cli, const char *text, char **next, size_t *used,
                                struct wa_err *err)
{
    for (; *text != '\0'; text++) {
        const struct wa_cli_option *o = find_option(cli, WA_SV(""), *text);
        if (o == NULL)
            return wa_cli_unknown_option(cli, wa_sv_n(text, 1), err);
        if (o->arg == NULL) {
            if (add_given(cli, o, "", err) != WA_OK)
                return err->code;
            continue;
        }
        if (text[1] != '\0')
            return add_given(cli, o, text + 1, err);
        if (*next == NULL)
            return wa_fail(err, WA_E_USAGE, "option '-%c' needs a value (%s)", *text, o->arg);
        *used = 1;
        return add_given(cli, o, *next, err);
    }
    return WA_OK;
}

/* The second word of "root init". */
static enum wa_code parse_member(struct wa_cli *cli, const char *word, struct wa_err *err)
{
    char name[64];
    (void)snprintf(name, sizeof name, "%s-%s", cli->family, word);
    cli->command = find_command(cli->program, name);
    return cli->command != NULL ? WA_OK : wa_cli_unknown_command(cli, name, err);
}

static enum wa_code parse_word(struct wa_cli *cli, char *word, struct wa_err *err)
{
    if (cli->command == NULL && cli->family != NULL)
        return parse_member(cli, word, err);
    if (cli->command == NULL && cli->arg_count == 0) {
        cli->command = find_command(cli->program, word);
        if (cli->command == NULL && cli->program->family != NULL &&
            strcmp(word, cli->program->family) == 0)
            cli->family = word;
        else if (cli->command == NULL && strcmp(word, "help") != 0)
            return wa_cli_unknown_command(cli, word, err);
        if (cli->command != NULL || cli->family != NULL)
            return WA_OK;
    }
    cli->args[cli->arg_count++] = word; /* never ahead of where argv is being read */
    return WA_OK;
}

/* Whether an option takes a value that is a word of its own, whichever command it is of. */
static bool takes_next(const struct wa_cli *cli, const char *word)
{
    struct wa_cli any = {.program = cli->program};
    bool is_long = word[1] == '-';
    if (strchr(word, '=') != NULL || (!is_long && word[2] != '\0'))
        return false;
    for (size_t i = 0; i == 0 || cli->program->commands[i - 1] != NULL; i++) {
        const struct wa_cli_option *o =
            is_long ? typed_option(&any, wa_sv(word + 2)) : find_option(&any, WA_SV(""), word[1]);
        if (o != NULL)
            return o->arg != NULL;
        any.command = cli->program->commands[i];
    }
    return false;
}

/* Where the command stands among what is before it, so that its options may be before it too; 0:
 * the first plain word is none; -1: there is no plain word. */
static int foresee(const struct wa_cli *cli, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--") == 0)
            return 0;
        if (argv[i][0] != '-' || argv[i][1] == '\0')
            return find_command(cli->program, argv[i]) != NULL ? i : 0;
        if (takes_next(cli, argv[i]))
            i++;
    }
    return -1;
}

/* --help alone is about the program. */
static bool asks_for_help(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

enum wa_code wa_cli_parse(struct wa_cli *cli, int argc, char **argv, struct wa_err *err)
{
    bool options_end = false;
    int at = 0;
    if (cli->program->commands[0] != NULL && cli->program->commands[0]->name == NULL)
        cli->command = cli->program->commands[0];
    else
        at = foresee(cli, argc, argv);
    if (at > 0)
        cli->command = find_command(cli->program, argv[at]);
    else if (at < 0 && cli->program->fallback != NULL && !asks_for_help(argc, argv))
        cli->command = find_command(cli->program, cli->program->fallback);
    cli->args = argv;
    for (int i = 1; i < argc; i++) {
        char *word = argv[i];
        if (i == at)
            continue;
        size_t used = 0;
        enum wa_code code;
        if (options_end || word[0] != '-' || word[1] == '\0') {
            code = parse_word(cli, word, err);
        } else if (strcmp(word, "--") == 0) {
            options_end = true;
            continue;
        } else if (word[1] == '-') {
            code = parse_long(cli, word + 2, &argv[i + 1], &used, err);
        } else {
            code = parse_short(cli, word + 1, &argv[i + 1], &used, err);
        }
        if (code != WA_OK)
            return code;
        i += (int)used;
    }
    cli->json = wa_cli_has(cli, "json");
    return WA_OK;
}

static enum wa_code check_args(const struct wa_cli *cli, struct wa_err *err)
{
    const struct wa_cli_command *c = cli->command;
    if (c == NULL)
        return wa_fail(err, WA_E_USAGE, "no command given");
    for (size_t i = 0; i < cli->arg_count; i++)
        if (wa_cli_check_slash(cli, cli->args[i], err) != WA_OK)
            return err->code;
    const char *args = wa_cli_help_row(cli->program, c->name, NULL)->args;
    const char *first = strchr(args, ' '); /* before it: "[OPTION]..." */
    if (cli->arg_count < c->args_min)
        return wa_fail(err, WA_E_USAGE, "'%s' needs %s",
                       c->name == NULL ? cli->program->name : c->name,
                       first == NULL ? args : first + 1);
    if (cli->arg_count > c->args_max)
        return wa_fail(err, WA_E_USAGE, "'%s' is one argument too many", cli->args[c->args_max]);
    return WA_OK;
}

/* --- access --- */

static bool is_name(const struct wa_cli_option *o, const char *name)
{
    return strcmp(o->name, name) == 0;
}

const char *wa_cli_at(const struct wa_cli *cli, const char *name, size_t i)
{
    for (size_t g = 0; g < cli->given_count; g++)
        if (is_name(cli->given[g].option, name) && i-- == 0)
            return cli->given[g].value;
    return NULL;
}

const char *wa_cli_get(const struct wa_cli *cli, const char *name, const char *fallback)
{
    assert(find_option(cli, wa_sv(name), 0) != NULL || cli->command == NULL);
    for (size_t g = cli->given_count; g > 0; g--)
        if (is_name(cli->given[g - 1].option, name))
            return cli->given[g - 1].value;
    return fallback;
}

bool wa_cli_has(const struct wa_cli *cli, const char *name)
{
    return wa_cli_get(cli, name, NULL) != NULL;
}

enum wa_code wa_cli_int(const struct wa_cli *cli, const char *name, int64_t min, int64_t max,
                        int64_t *ret, struct wa_err *err)
{
    const char *text = wa_cli_get(cli, name, NULL);
    int64_t value;
    if (text == NULL)
        return WA_OK;
    if (!wa_sv_i64(wa_sv(text), &value) || value < min || value > max)
        return wa_fail(err, WA_E_USAGE, "option '--%s' takes a number from %lld to %lld, not '%s'",
                       name, (long long)min, (long long)max, text);
    *ret = value;
    return WA_OK;
}

enum wa_code wa_cli_config(const struct wa_cli *cli, const char *fallback, char out[WA_PATH_MAX],
                           struct wa_err *err)
{
    const char *given = wa_cli_get(cli, "config", fallback);
    struct wa_err absent = WA_ERR_INIT;
    if (!wa_path_is_absolute(given))
        return wa_path_real(given, out, &absent) == WA_OK
                   ? WA_OK
                   : wa_fail(err, WA_E_CONFIG, "there is no configuration '%s'", given);
    int n = snprintf(out, WA_PATH_MAX, "%s", given);
    return n < (int)WA_PATH_MAX ? WA_OK : wa_fail(err, WA_E_LIMIT, "'%s' is too long", given);
}

/* --- running --- */

static void finish_json(struct wa_cli *cli, const struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    struct wa_jw w;
    wa_buf_init(&text, WA_INDEX_BYTES_MAX);
    wa_jw_init(&w, &text);
    wa_jw_obj(&w);
    wa_jw_kvb(&w, "ok", err->code == WA_OK);
    wa_jw_kv(&w, "code", wa_code_name(err->code));
    wa_jw_kv(&w, "error", err->code == WA_OK ? NULL : err->text);
    wa_jw_key(&w, "result");
    if (cli->result.n > 0 && cli->result.failed == WA_OK)
        wa_jw_raw(&w, wa_buf_sv(&cli->result));
    else
        wa_jw_null(&w);
    wa_jw_end(&w);
    (void)puts(wa_buf_str(&text));
}

static int report(struct wa_cli *cli, struct wa_err *err)
{
    wa_cli_progress(cli, "", 0, 0);
    if (err->code == WA_OK && wa_buf_check(&cli->result, err) != WA_OK)
        (void)wa_wrap(err, "writing the result");
    if (cli->json)
        finish_json(cli, err);
    else if (err->code != WA_OK && err->text[0] != '\0')
        wa_cli_say(cli, "%s", err->text);
    if (err->code == WA_E_USAGE && !cli->json)
        (void)fprintf(stderr, wa_text("Try '%s%s%s --help'.\n"), cli->program->name,
                      cli->command != NULL && cli->command->name != NULL ? " " : "",
                      cli->command != NULL && cli->command->name != NULL ? cli->command->name : "");
    int status = wa_code_exit(err->code);
    if ((fflush(stdout) != 0 || ferror(stdout)) && status == 0) {
        wa_cli_say(cli, "cannot write to standard output");
        status = wa_code_exit(WA_E_IO);
    }
    return status;
}

/* --help, --version and "help COMMAND". False: there is a command to run. */
static bool answer_help(const struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    const struct wa_cli_command *c = cli->command;
    bool word = c == NULL && cli->arg_count > 0 && strcmp(cli->args[0], "help") == 0;
    wa_buf_init(&text, 1u << 20);
    if (wa_cli_has(cli, "version")) {
        (void)printf("%s %s\n", cli->program->name, WA_VERSION);
        return true;
    }
    if (!wa_cli_has(cli, "help") && !word)
        return false;
    if (word && cli->arg_count > 1)
        c = find_command(cli->program, cli->args[1]);
    if (word && cli->arg_count > 1 && c == NULL)
        (void)!wa_cli_unknown_command(cli, cli->args[1], err);
    else if (c == NULL)
        wa_cli_help_program(cli->program, &text);
    else
        wa_cli_help_command(cli->program, c, &text);
    (void)fputs(wa_buf_str(&text), stdout);
    return true;
}

/* A command line that makes no sense is answered in JSON too, if that much of it is clear. */
static bool wants_json(const struct wa_cli *cli, int argc, char **argv)
{
    bool found = wa_cli_has(cli, "json");
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        found = found || strcmp(argv[i], "--json") == 0 || strcmp(argv[i], "-j") == 0;
    return found;
}

/* For the build, which installs the answer. */
static int answer_completion(const struct wa_cli_program *program, const char *shell)
{
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, 1u << 20);
    bool ok = wa_cli_completion(program, shell, &text) && text.failed == WA_OK &&
              fputs(wa_buf_str(&text), stdout) >= 0 && fflush(stdout) == 0;
    return wa_code_exit(ok ? WA_OK : WA_E_USAGE);
}

/* --language, of programs that have it: what is said of the command line goes by it too. */
static void speak(const struct wa_cli_program *p, int argc, char **argv)
{
    wa_text_from_environment();
    if (find_in(p->options, p->option_count, WA_SV("language"), 0) == NULL)
        return;
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (wa_sv_starts(wa_sv(argv[i]), "--language="))
            wa_text_language(strchr(argv[i], '=') + 1);
        else if (i + 1 < argc && (strcmp(argv[i], "-L") == 0 || strcmp(argv[i], "--language") == 0))
            wa_text_language(argv[i + 1]);
    }
}

int wa_cli_main(const struct wa_cli_program *program, int argc, char **argv)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_cli cli = {.program = program};
    if (argc == 3 && strcmp(argv[1], "--completion") == 0)
        return answer_completion(program, argv[2]);
    speak(program, argc, argv);
    wa_buf_init(&cli.result, WA_INDEX_BYTES_MAX);
    wa_jw_init(&cli.jw, &cli.result);
    if (wants_json(&cli, argc, argv)) /* programs read it: it has one language */
        wa_text_language(NULL);
    if (wa_cli_parse(&cli, argc, argv, &err) != WA_OK) {
        cli.json = wants_json(&cli, argc, argv);
    } else if (!answer_help(&cli, &err) && check_args(&cli, &err) == WA_OK) {
        enum wa_code code = cli.command->run(&cli, &err);
        if (code == WA_OK)
            wa_err_clear(&err);
        else if (err.code == WA_OK)
            (void)wa_fail(&err, code, "%s", "");
    } else if (err.code == WA_OK) {
        cli.json = false; /* help and version are for people */
    }
    int status = report(&cli, &err);
    wa_buf_fini_secret(&cli.result);
    return status;
}

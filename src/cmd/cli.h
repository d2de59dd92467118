/* cli.h - what all programs share on the command line: options, help, output, errors, exit status.
 *
 * A program is a table of commands, a command a table of options and a function. Results go to
 * stdout, talk to stderr. With --json exactly one JSON object is written to stdout:
 *     {"ok": true, "code": "ok", "error": null, "result": ...}
 * "code" is wa_code_name(), and the exit status wa_code_exit(), of what the command returned.
 * Text from outside never reaches a terminal with control characters in it.
 */
#ifndef WA_CMD_CLI_H
#define WA_CMD_CLI_H

#include "base/buf.h"
#include "codec/json.h"

#define WA_CLI_GIVEN_MAX 256u /* options on one command line */

struct wa_cli_option {
    const char *name; /* long name, without the dashes */
    char letter;      /* 0: none */
    const char *arg;  /* what the help calls its argument; NULL: a flag */
    const char *help; /* one line */
};

struct wa_cli;
struct wa_cli_command {
    const char *name;    /* NULL for a program without subcommands */
    const char *args;    /* synopsis of what follows the options, "FILE..." */
    const char *summary; /* one line */
    const struct wa_cli_option *options;
    size_t option_count;
    size_t args_min, args_max; /* checked before run(); SIZE_MAX: any number */
    /* Errors are reported by the caller. The result may be complete although the code is not
     * WA_OK. */
    enum wa_code (*run)(struct wa_cli *cli, struct wa_err *err);
};

struct wa_cli_program {
    const char *name;                             /* as typed */
    const char *summary;                          /* one line */
    const struct wa_cli_command *const *commands; /* NULL-terminated; one without a name: alone */
    const struct wa_cli_option *options; /* of every command, beside --help, --version, --json */
    size_t option_count;
};

struct wa_cli {
    const struct wa_cli_program *program;
    const struct wa_cli_command *command;
    char **args; /* what is left of argv; not NULL-terminated */
    size_t arg_count;
    bool json;
    struct wa_jw jw; /* with json: the command writes one value here, its result */
    struct wa_buf result;
    struct {
        const struct wa_cli_option *option;
        const char *value;
    } given[WA_CLI_GIVEN_MAX];
    size_t given_count;
};

/* Parses, runs, reports. The result is for main() to return. */
int wa_cli_main(const struct wa_cli_program *program, int argc, char **argv);
/* The parsing alone: sets command, args, json and the given options. WA_E_USAGE. */
WA_CHECK enum wa_code wa_cli_parse(struct wa_cli *cli, int argc, char **argv, struct wa_err *err);

/* --- options, by long name; the name must be in a table --- */
bool wa_cli_has(const struct wa_cli *cli, const char *name);
/* The last value given, else fallback. */
const char *wa_cli_get(const struct wa_cli *cli, const char *name, const char *fallback);
/* The i-th value given; NULL beyond. */
const char *wa_cli_at(const struct wa_cli *cli, const char *name, size_t i);
/* A whole number in [min, max]; *ret keeps its value when the option is absent. WA_E_USAGE. */
WA_CHECK enum wa_code wa_cli_int(const struct wa_cli *cli, const char *name, int64_t min,
                                 int64_t max, int64_t *ret, struct wa_err *err);

/* --- output; nothing is written to stdout with --json but the final object --- */
void wa_cli_out(const struct wa_cli *cli, const char *fmt, ...) WA_FORMAT(2, 3);
/* "key : value", further lines of the value indented so that they can't pose as keys. */
void wa_cli_pair(const struct wa_cli *cli, const char *key, const char *value);
/* A remark on stderr, after the program's name. */
void wa_cli_say(const struct wa_cli *cli, const char *fmt, ...) WA_FORMAT(2, 3);
/* On a terminal only: done of total, on one line of stderr. total 0 wipes it. */
void wa_cli_progress(const struct wa_cli *cli, const char *what, uint64_t done, uint64_t total);
/* Makes text harmless for a terminal, in place: control characters, but for newline and tab, become
 * '?'. */
void wa_cli_tame(char *text);

/* --- questions, asked on the terminal, never on stdin --- */
/* Without echo. twice: asked again and compared. WA_E_AUTH when there is no terminal or the person
 * gives up. out must be a secret buffer. */
WA_CHECK enum wa_code wa_cli_ask_secret(const char *prompt, bool twice, struct wa_buf *out,
                                        struct wa_err *err);
/* First line of a file. */
WA_CHECK enum wa_code wa_cli_read_secret(const char *path, struct wa_buf *out, struct wa_err *err);

/* --- help --- */
void wa_cli_help_program(const struct wa_cli_program *p, struct wa_buf *out);
void wa_cli_help_command(const struct wa_cli_program *p, const struct wa_cli_command *c,
                         struct wa_buf *out);
/* The options that every command of every program has. */
extern const struct wa_cli_option wa_cli_common[3];

#endif

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
#include "base/text.h"
#include "codec/json.h"

#define WA_CLI_GIVEN_MAX 256u /* options on one command line */

/* The words alone; what they mean is in the manual page, from which help.h is made. */
struct wa_cli_option {
    const char *name; /* long name, without the dashes */
    char letter;      /* 0: none */
    const char *arg;  /* name of its value, as in the manual; NULL: a flag */
};

struct wa_cli;
struct wa_help;
struct wa_help_row;
struct wa_cli_command {
    const char *name; /* NULL for a program without subcommands */
    const struct wa_cli_option *options;
    size_t option_count;
    size_t args_min, args_max; /* checked before run(); SIZE_MAX: any number */
    /* Errors are reported by the caller. The result may be complete although the code is not
     * WA_OK. */
    enum wa_code (*run)(struct wa_cli *cli, struct wa_err *err);
};

/* A word that users of WAPT type, and what it is called here: a command, "--option" or "-o". */
struct wa_cli_alias {
    const char *theirs;
    const char *ours; /* taken as if it had been typed; NULL: only the hint is given */
    const char *hint; /* what to do instead, when ours is NULL */
};

struct wa_cli_program {
    const char *name;                             /* as typed */
    int section;                                  /* of the manual */
    const struct wa_cli_command *const *commands; /* NULL-terminated; one without a name: alone */
    const char *fallback; /* the command when none is typed; NULL: that is an error */
    const char *family;   /* "root": "root init" may be typed for "root-init"; NULL: none */
    const struct wa_cli_option *options; /* of every command, beside --help, --version, --json */
    size_t option_count;
    const struct wa_cli_alias *aliases;
    size_t alias_count;
    const struct wa_help *help; /* wa_help_of_program */
};

struct wa_cli {
    const struct wa_cli_program *program;
    const struct wa_cli_command *command;
    const char *family; /* first word of a command typed in two; NULL: none */
    char **args;        /* what is left of argv; not NULL-terminated */
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

/* The file that --config names, else fallback, as an absolute path. WA_E_CONFIG when a relative one
 * does not exist. */
WA_CHECK enum wa_code wa_cli_config(const struct wa_cli *cli, const char *fallback,
                                    char out[WA_PATH_MAX], struct wa_err *err);

/* --- output; nothing is written to stdout with --json but the final object --- */
void wa_cli_out(const struct wa_cli *cli, const char *fmt, ...) WA_FORMAT(2, 3);
/* Rows of CSV, without what their lines end with besides a line feed. */
void wa_cli_csv(const struct wa_cli *cli, struct wa_sv text);
/* "key : value", further lines of the value indented so that they can't pose as keys. */
void wa_cli_pair(const struct wa_cli *cli, const char *key, const char *value);
/* A remark on stderr, after the program's name. */
void wa_cli_say(const struct wa_cli *cli, const char *fmt, ...) WA_FORMAT(2, 3);
/* On a terminal only: done of total, on one line of stderr. total 0 wipes it. */
void wa_cli_progress(const struct wa_cli *cli, const char *what, uint64_t done, uint64_t total);
/* Makes text harmless for a terminal, in place: control characters, but for newline and tab, become
 * '?'. */
void wa_cli_tame(char *text);

/* --- tables (cli_table.c) --- */
#define WA_CLI_COLUMNS_MAX 24u
struct wa_cli_column {
    const char *title;
    bool may_cut; /* on a terminal that is too narrow */
};
struct wa_cli_table {
    const struct wa_cli_column *columns;
    size_t count, cells_count;
    size_t width[WA_CLI_COLUMNS_MAX]; /* of the widest cell so far */
    size_t screen;                    /* places of a line; 0: as the terminal says */
    struct wa_buf cells;              /* texts, each with its NUL */
    bool has_titles;                  /* printed already */
};
/* columns must outlive the table. */
void wa_cli_table_init(struct wa_cli_table *t, const struct wa_cli_column *columns, size_t count);
void wa_cli_table_fini(struct wa_cli_table *t);
#define WA_AUTO_TABLE WA_CLEANUP(wa_cli_table_fini)
/* The next cell, rows from left to right. Text from anywhere: it is made harmless, and one line. */
void wa_cli_table_cell(struct wa_cli_table *t, struct wa_sv text);
/* Room for a text that comes later. */
void wa_cli_table_widen(struct wa_cli_table *t, size_t column, struct wa_sv text);
/* Prints the whole rows there are, under the titles the first time, and forgets them. WA_E_NOMEM.
 */
WA_CHECK enum wa_code wa_cli_table_print(struct wa_cli_table *t, const struct wa_cli *cli,
                                         struct wa_err *err);
/* Places that a text takes on a terminal. */
size_t wa_cli_width(struct wa_sv text);

/* --- questions, asked on the terminal, never on stdin --- */
/* Shows the question and takes "yes" for yes. WA_E_CANCELLED for anything else; WA_E_USAGE without
 * a terminal, naming the option that stands for yes. */
WA_CHECK enum wa_code wa_cli_confirm(const char *question, const char *option, struct wa_err *err);
/* Without echo. twice: asked again and compared. option: the one that names a file instead; NULL:
 * there is none.
 * WA_E_AUTH when there is no terminal or the person gives up. out must be a secret buffer. */
WA_CHECK enum wa_code wa_cli_ask_secret(const char *prompt, bool twice, const char *option,
                                        struct wa_buf *out, struct wa_err *err);
/* First line of a file. */
WA_CHECK enum wa_code wa_cli_read_secret(const char *path, struct wa_buf *out, struct wa_err *err);

/* --- words that are not known (cli_words.c) --- */
/* What a word of WAPT's means here: a command, "--option" or "-o"; NULL: nothing. */
const struct wa_cli_alias *wa_cli_alias_find(const struct wa_cli_program *p, struct wa_sv word);
/* "unknown KIND 'DASHES NAME'", with WAPT's word or the nearest one of ours. WA_E_USAGE. */
WA_CHECK enum wa_code wa_cli_unknown_command(const struct wa_cli *cli, const char *name,
                                             struct wa_err *err);
WA_CHECK enum wa_code wa_cli_unknown_option(const struct wa_cli *cli, struct wa_sv name,
                                            struct wa_err *err);
/* WA_E_USAGE for an option as WAPT's Windows program takes it, "/CommonName=x", saying how to write
 * it. */
WA_CHECK enum wa_code wa_cli_check_slash(const struct wa_cli *cli, const char *word,
                                         struct wa_err *err);

/* --- help --- */
/* What the manual says, in the language of the process, of the program (NULL, NULL), a command or
 * an option (without dashes). Never NULL. */
const struct wa_help_row *wa_cli_help_row(const struct wa_cli_program *p, const char *command,
                                          const char *option);
void wa_cli_help_program(const struct wa_cli_program *p, struct wa_buf *out);
void wa_cli_help_command(const struct wa_cli_program *p, const struct wa_cli_command *c,
                         struct wa_buf *out);
/* Whether the synopsis has this word among the arguments: "FILE". */
bool wa_cli_help_takes(const struct wa_cli_program *p, const char *command, const char *word);
/* What a shell needs to complete this program's words; shell: "bash" or "zsh". False for another.
 */
bool wa_cli_completion(const struct wa_cli_program *p, const char *shell, struct wa_buf *out);
/* The options that every command of every program has. */
extern const struct wa_cli_option wa_cli_common[3];

#endif

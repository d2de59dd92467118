/* cli_help.c - the text of --help: the words are those of the tables that drive the parsing, what
 * is said of them is the manual page's, in the language of the process.
 *
 * tests/unit/cmd/test_manual.py compares the tables with the manual pages, so that neither tells
 * what the other does not know.
 */
#include "cmd/cli.h"
#include "cmd/help.h"

#define LINE 98u          /* places of a line that is broken */
#define OPTION_COLUMN 34u /* where the text of an option begins */
#define COMMAND_COLUMN 25u

static const struct wa_help_row *find_in(const struct wa_help *h, const char *command,
                                         const char *option)
{
    for (size_t i = 0; i < h->count; i++)
        if (strcmp(h->rows[i].command, command) == 0 && strcmp(h->rows[i].option, option) == 0)
            return &h->rows[i];
    return NULL;
}

static const struct wa_help_row *find(const struct wa_cli_program *p, const char *language,
                                      const char *command, const char *option)
{
    char word[64] = "";
    if (option != NULL)
        (void)snprintf(word, sizeof word, "--%s", option);
    for (const struct wa_help *h = p->help; h != NULL && h->language != NULL; h++)
        if (strcmp(h->language, language) == 0)
            return find_in(h, command == NULL ? "" : command, word);
    return NULL;
}

const struct wa_help_row *wa_cli_help_row(const struct wa_cli_program *p, const char *command,
                                          const char *option)
{
    static const struct wa_help_row nothing = {"", "", "", "", ""};
    const struct wa_help_row *row = find(p, wa_text_language_name(), command, option);
    if (row == NULL)
        row = find(p, "en", command, option);
    return row != NULL ? row : &nothing;
}

bool wa_cli_help_takes(const struct wa_cli_program *p, const char *command, const char *word)
{
    const struct wa_help_row *row = find(p, "en", command, NULL);
    return row != NULL && strstr(row->args, word) != NULL;
}

/* text in lines that begin at column, of which used places are taken. */
static void add_wrapped(struct wa_buf *out, const char *text, size_t column, size_t used)
{
    struct wa_sv rest = wa_sv(text), word;
    size_t at = used;
    bool is_first = true;
    while (wa_sv_split(&rest, ' ', &word)) {
        size_t width = wa_cli_width(word);
        if (!is_first && at + 1 + width > LINE) {
            wa_buf_addf(out, "\n%*s", (int)column, "");
            at = column;
        } else if (!is_first) {
            wa_buf_addc(out, ' ');
            at++;
        }
        wa_buf_addsv(out, word);
        at += width;
        is_first = false;
    }
}

/* To the column where the text begins, on a line of its own when the words are too long. */
static void add_text(struct wa_buf *out, size_t used, size_t column, const char *text)
{
    if (used >= column)
        wa_buf_addf(out, "\n%*s", (int)column, "");
    else
        wa_buf_addf(out, "%*s", (int)(column - used), "");
    add_wrapped(out, text, column, column);
    wa_buf_addc(out, '\n');
}

/* command NULL: an option of the program. */
static void add_option(const struct wa_cli_program *p, const char *command,
                       const struct wa_cli_option *o, struct wa_buf *out)
{
    const struct wa_help_row *row = wa_cli_help_row(p, command, o->name);
    size_t start = out->n;
    if (o->letter != 0)
        wa_buf_addf(out, "  -%c, --%s", o->letter, o->name);
    else
        wa_buf_addf(out, "      --%s", o->name);
    if (o->arg != NULL)
        wa_buf_addf(out, " %s", row->args[0] == '\0' ? o->arg : row->args);
    size_t used = out->failed == WA_OK ? wa_cli_width(wa_sv_n(out->p + start, out->n - start)) : 0;
    add_text(out, used, OPTION_COLUMN, row->text);
}

static void add_shared(const struct wa_cli_program *p, struct wa_buf *out)
{
    wa_buf_adds(out, wa_text("\nGeneral options:\n"));
    for (size_t i = 0; i < p->option_count; i++)
        add_option(p, NULL, &p->options[i], out);
    for (size_t i = 0; i < WA_COUNT(wa_cli_common); i++)
        add_option(p, NULL, &wa_cli_common[i], out);
}

/* The manual's summary begins with a small letter. */
static void add_summary(struct wa_buf *out, const char *text)
{
    if (text[0] >= 'a' && text[0] <= 'z') {
        wa_buf_addc(out, (char)(text[0] - 'a' + 'A'));
        text++;
    }
    add_wrapped(out, text, 0, 0);
    wa_buf_adds(out, ".\n");
}

void wa_cli_help_program(const struct wa_cli_program *p, struct wa_buf *out)
{
    if (p->commands[0] != NULL && p->commands[0]->name == NULL) {
        wa_cli_help_command(p, p->commands[0], out);
        return;
    }
    wa_buf_addf(out, wa_text("Usage: %s [OPTION]... COMMAND [ARGUMENT]...\n"), p->name);
    add_summary(out, wa_cli_help_row(p, NULL, NULL)->text);
    wa_buf_adds(out, wa_text("\nCommands:\n"));
    for (size_t i = 0; p->commands[i] != NULL; i++) {
        size_t start = out->n;
        wa_buf_addf(out, "  %s ", p->commands[i]->name);
        add_text(out, out->n - start, COMMAND_COLUMN,
                 wa_cli_help_row(p, p->commands[i]->name, NULL)->text);
    }
    add_shared(p, out);
    wa_buf_addf(out, wa_text("\n'%s help COMMAND' tells more about a command, 'man %d %s' all.\n"),
                p->name, p->section, p->name);
}

void wa_cli_help_command(const struct wa_cli_program *p, const struct wa_cli_command *c,
                         struct wa_buf *out)
{
    const struct wa_help_row *row = wa_cli_help_row(p, c->name, NULL);
    wa_buf_addf(out, wa_text("Usage: %s%s%s %s\n"), p->name, c->name == NULL ? "" : " ",
                c->name == NULL ? "" : c->name, row->args);
    if (row->more[0] == '\0')
        add_summary(out, row->text);
    else
        add_wrapped(out, row->more, 0, 0);
    wa_buf_adds(out, row->more[0] == '\0' ? "" : "\n");
    if (c->option_count > 0)
        wa_buf_adds(out, wa_text("\nOptions:\n"));
    for (size_t i = 0; i < c->option_count; i++)
        add_option(p, c->name, &c->options[i], out);
    add_shared(p, out);
}

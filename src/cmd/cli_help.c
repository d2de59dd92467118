/* cli_help.c - the text of --help, from the tables that also drive the parsing.
 *
 * tests/unit/cmd/test_manual.py compares the tables with the manual pages, so that neither tells
 * what the other does not know.
 */
#include "cmd/cli.h"

static void add_option(const struct wa_cli_option *o, struct wa_buf *out)
{
    size_t start = out->n;
    if (o->letter != 0)
        wa_buf_addf(out, "  -%c, --%s", o->letter, o->name);
    else
        wa_buf_addf(out, "      --%s", o->name);
    if (o->arg != NULL)
        wa_buf_addf(out, " %s", o->arg);
    size_t width = out->n - start;
    if (width >= 34)
        wa_buf_addf(out, "\n%34s", "");
    else
        wa_buf_addf(out, "%*s", (int)(34 - width), "");
    wa_buf_addf(out, "%s\n", o->help);
}

static void add_options(const struct wa_cli_option *options, size_t n, struct wa_buf *out)
{
    for (size_t i = 0; i < n; i++)
        add_option(&options[i], out);
}

static void add_shared(const struct wa_cli_program *p, struct wa_buf *out)
{
    wa_buf_adds(out, "\nGeneral options:\n");
    add_options(p->options, p->option_count, out);
    add_options(wa_cli_common, WA_COUNT(wa_cli_common), out);
}

void wa_cli_help_program(const struct wa_cli_program *p, struct wa_buf *out)
{
    if (p->commands[0] != NULL && p->commands[0]->name == NULL) {
        wa_cli_help_command(p, p->commands[0], out);
        return;
    }
    wa_buf_addf(out, "Usage: %s [OPTION]... COMMAND [ARGUMENT]...\n%s.\n\nCommands:\n", p->name,
                p->summary);
    for (size_t i = 0; p->commands[i] != NULL; i++)
        wa_buf_addf(out, "  %-22s %s\n", p->commands[i]->name, p->commands[i]->summary);
    add_shared(p, out);
    wa_buf_addf(out, "\n'%s help COMMAND' tells more about a command, 'man %d %s' all.\n", p->name,
                p->section, p->name);
}

void wa_cli_help_command(const struct wa_cli_program *p, const struct wa_cli_command *c,
                         struct wa_buf *out)
{
    wa_buf_addf(out, "Usage: %s%s%s [OPTION]...%s%s\n%s.\n", p->name, c->name == NULL ? "" : " ",
                c->name == NULL ? "" : c->name, c->args[0] == '\0' ? "" : " ", c->args, c->summary);
    if (c->option_count > 0)
        wa_buf_adds(out, "\nOptions:\n");
    add_options(c->options, c->option_count, out);
    add_shared(p, out);
}

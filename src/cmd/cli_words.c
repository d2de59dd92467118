/* cli_words.c - answers to words that are not in the tables: what WAPT calls it, or the nearest
 * word of ours.
 *
 * A name of WAPT's is taken only where it means the same; where it does not, the answer says what
 * to type. A near word is never taken by itself: a slip of the keyboard must not become another
 * order.
 */
#include "cmd/cli.h"

#define WORD_MAX 40u

const struct wa_cli_alias *wa_cli_alias_find(const struct wa_cli_program *p, struct wa_sv word)
{
    for (size_t i = 0; i < p->alias_count; i++)
        if (wa_sv_eqs(word, p->aliases[i].theirs))
            return &p->aliases[i];
    return NULL;
}

static size_t least(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* Letters to add, drop or change until one is the other. */
static size_t distance(struct wa_sv a, const char *b)
{
    size_t row[WORD_MAX + 1], n = strlen(b);
    if (a.n > WORD_MAX || n > WORD_MAX)
        return WORD_MAX;
    for (size_t k = 0; k <= n; k++)
        row[k] = k;
    for (size_t i = 0; i < a.n; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t k = 0; k < n; k++) {
            size_t above = row[k + 1];
            row[k + 1] = least(above + 1, row[k] + 1, diagonal + (a.p[i] != b[k]));
            diagonal = above;
        }
    }
    return row[n];
}

struct nearest {
    struct wa_sv word;
    const char *name; /* NULL: none is near */
    size_t distance;
};

static void consider(struct nearest *near, const char *name)
{
    size_t d = name == NULL ? WORD_MAX : distance(near->word, name);
    if (d < near->distance) {
        near->distance = d;
        near->name = name;
    }
}

static struct nearest start(struct wa_sv word)
{
    return (struct nearest){word, NULL, word.n > 4 ? 3 : 2};
}

enum wa_code wa_cli_unknown_command(const struct wa_cli *cli, const char *name, struct wa_err *err)
{
    const struct wa_cli_alias *a = wa_cli_alias_find(cli->program, wa_sv(name));
    struct nearest near = start(wa_sv(name));
    if (a != NULL && a->hint != NULL)
        return wa_fail(err, WA_E_USAGE, "there is no command '%s' here: %s", name,
                       wa_text(a->hint));
    for (size_t i = 0; cli->program->commands[i] != NULL; i++)
        consider(&near, cli->program->commands[i]->name);
    if (near.name == NULL)
        return wa_fail(err, WA_E_USAGE, "unknown command '%s'", name);
    return wa_fail(err, WA_E_USAGE, "unknown command '%s': is '%s' meant?", name, near.name);
}

static void consider_all(struct nearest *near, const struct wa_cli_option *options, size_t n)
{
    for (size_t i = 0; i < n; i++)
        consider(near, options[i].name);
}

/* Whether some other command takes the option, by the name that it is written with here. */
static bool is_anothers(const struct wa_cli *cli, const char *word)
{
    for (size_t i = 0; cli->command != NULL && cli->program->commands[i] != NULL; i++) {
        const struct wa_cli_command *c = cli->program->commands[i];
        for (size_t k = 0; k < c->option_count; k++)
            if (word[1] == '-' ? strcmp(c->options[k].name, word + 2) == 0
                               : c->options[k].letter == word[1])
                return true;
    }
    return false;
}

enum wa_code wa_cli_unknown_option(const struct wa_cli *cli, struct wa_sv name, struct wa_err *err)
{
    char word[WORD_MAX + 3];
    const char *dashes = name.n == 1 ? "-" : "--";
    struct nearest near = start(name);
    (void)snprintf(word, sizeof word, "%s%.*s", dashes, WA_SV_ARG(name));
    const struct wa_cli_alias *a = wa_cli_alias_find(cli->program, wa_sv(word));
    if (a != NULL && a->hint != NULL)
        return wa_fail(err, WA_E_USAGE, "there is no option '%s' here: %s", word, wa_text(a->hint));
    if (is_anothers(cli, a != NULL ? a->ours : word))
        return wa_fail(err, WA_E_USAGE, "'%s' takes no '%s'",
                       cli->command->name != NULL ? cli->command->name : cli->program->name, word);
    if (name.n > 1 && cli->command != NULL)
        consider_all(&near, cli->command->options, cli->command->option_count);
    if (name.n > 1)
        consider_all(&near, cli->program->options, cli->program->option_count);
    if (near.name == NULL)
        return wa_fail(err, WA_E_USAGE, "unknown option '%s%.*s'", dashes, WA_SV_ARG(name));
    return wa_fail(err, WA_E_USAGE, "unknown option '--%.*s': is '--%s' meant?", WA_SV_ARG(name),
                   near.name);
}

enum wa_code wa_cli_check_slash(const struct wa_cli *cli, const char *word, struct wa_err *err)
{
    char option[WORD_MAX + 3];
    if (word[0] != '/' || strchr(word + 1, '/') != NULL)
        return WA_OK;
    (void)snprintf(option, sizeof option, "--%.*s", (int)strcspn(word + 1, "="), word + 1);
    const struct wa_cli_alias *a = wa_cli_alias_find(cli->program, wa_sv(option));
    if (a == NULL)
        return WA_OK;
    return a->ours != NULL ? wa_fail(err, WA_E_USAGE, "'/%s' is '%s' here", option + 2, a->ours)
                           : wa_fail(err, WA_E_USAGE, "there is no '/%s' here: %s", option + 2,
                                     wa_text(a->hint));
}

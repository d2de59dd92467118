/* cli_complete.c - what bash, fish and zsh need to complete the words of a program, from the tables
 * that drive the parsing and what the manual says of them, in each of its languages. The build runs
 * each program for it and installs what it says.
 *
 * Only words of the tables and file names are offered: no program is run while somebody types.
 */
#include "cmd/cli.h"
#include "cmd/help.h"

struct list {
    const struct wa_cli_option *options;
    size_t count;
};

/* The options that hold for c, in three tables. */
static void collect(const struct wa_cli_program *p, const struct wa_cli_command *c,
                    struct list ret[3])
{
    ret[0] = (struct list){c == NULL ? NULL : c->options, c == NULL ? 0 : c->option_count};
    ret[1] = (struct list){p->options, p->option_count};
    ret[2] = (struct list){wa_cli_common, WA_COUNT(wa_cli_common)};
}

static bool is_arg(const struct wa_cli_option *o, const char *arg)
{
    return o->arg != NULL && strcmp(o->arg, arg) == 0;
}

static bool names_file(const struct wa_cli_program *p, const struct wa_cli_command *c)
{
    return c != NULL &&
           (wa_cli_help_takes(p, c->name, "FILE") || wa_cli_help_takes(p, c->name, "DIR"));
}

/* --- bash --- */

enum which { ALL, FILES, DIRS, OTHERS };

static bool is_which(const struct wa_cli_option *o, enum which which)
{
    switch (which) {
    case ALL:
        return true;
    case FILES:
        return is_arg(o, "FILE");
    case DIRS:
        return is_arg(o, "DIR");
    case OTHERS:
        return o->arg != NULL && !is_arg(o, "FILE") && !is_arg(o, "DIR");
    }
    return false;
}

/* name='--a -b'; nothing when there is none. */
static void bash_list(const struct list lists[3], const char *name, enum which which,
                      const char *more, struct wa_buf *out)
{
    bool first = true;
    for (size_t l = 0; l < 3; l++)
        for (size_t i = 0; i < lists[l].count; i++) {
            const struct wa_cli_option *o = &lists[l].options[i];
            if (!is_which(o, which))
                continue;
            wa_buf_addf(out, first ? " %s='%s" : " ", name, more);
            wa_buf_addf(out, "--%s", o->name);
            if (o->letter != 0)
                wa_buf_addf(out, " -%c", o->letter);
            first = false;
        }
    if (!first)
        wa_buf_addc(out, '\'');
}

static void bash_case(const struct wa_cli_program *p, const struct wa_cli_command *c,
                      const char *label, const char *words, struct wa_buf *out)
{
    struct list lists[3];
    collect(p, c, lists);
    wa_buf_addf(out, "    %s)", label);
    bash_list(lists, "words", ALL, words, out);
    bash_list(lists, "files", FILES, "", out);
    bash_list(lists, "dirs", DIRS, "", out);
    bash_list(lists, "others", OTHERS, "", out);
    wa_buf_addf(out, " names=%s ;;\n", names_file(p, c) ? "yes" : "");
}

static void bash(const struct wa_cli_program *p, struct wa_buf *out)
{
    WA_AUTO_BUF struct wa_buf commands;
    bool alone = p->commands[0]->name == NULL;
    wa_buf_init(&commands, 1u << 16);
    for (size_t i = 0; !alone && p->commands[i] != NULL; i++)
        wa_buf_addf(&commands, "%s ", p->commands[i]->name);
    wa_buf_addf(out,
                "# completion of %s for bash; made from its own tables\n"
                "_%s()\n{\n",
                p->name, p->name);
    wa_buf_adds(out, "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
                     "    local command= word words= files= dirs= others= names=\n"
                     "    COMPREPLY=()\n");
    wa_buf_addf(out,
                "    for word in \"${COMP_WORDS[@]:1:COMP_CWORD - 1}\"; do\n"
                "        [[ -z $command && ' %s' == *\" $word \"* ]] && command=$word\n    done\n"
                "    case $command in\n",
                wa_buf_str(&commands));
    bash_case(p, alone ? p->commands[0] : NULL, "''", wa_buf_str(&commands), out);
    for (size_t i = 0; !alone && p->commands[i] != NULL; i++)
        bash_case(p, p->commands[i], p->commands[i]->name, "", out);
    wa_buf_adds(out, "    esac\n"
                     "    if [[ \" $dirs \" == *\" $prev \"* ]]; then\n"
                     "        mapfile -t COMPREPLY < <(compgen -d -- \"$cur\")\n"
                     "    elif [[ \" $files \" == *\" $prev \"* ]]; then\n"
                     "        mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
                     "    elif [[ \" $others \" == *\" $prev \"* ]]; then\n"
                     "        return\n"
                     "    elif [[ $cur == -* || -z $names ]]; then\n"
                     "        mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
                     "    else\n"
                     "        mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
                     "    fi\n}\n");
    wa_buf_addf(out, "complete -o filenames -F _%s %s\n", p->name, p->name);
}

/* --- fish --- */

static void fish_text(const char *text, struct wa_buf *out)
{
    wa_buf_addc(out, '\'');
    for (; *text != '\0'; text++) {
        if (*text == '\'' || *text == '\\')
            wa_buf_addc(out, '\\');
        wa_buf_addc(out, *text);
    }
    wa_buf_addc(out, '\'');
}

/* Options that hold after a command, or, without one, everywhere. */
static void fish_options(const struct wa_cli_program *p, const struct wa_cli_command *c,
                         const struct list *list, struct wa_buf *out)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct wa_cli_option *o = &list->options[i];
        wa_buf_addf(out, "complete -c %s", p->name);
        if (c != NULL && c->name != NULL)
            wa_buf_addf(out, " -n '__fish_seen_subcommand_from %s'", c->name);
        if (o->letter != 0)
            wa_buf_addf(out, " -s %c", o->letter);
        wa_buf_addf(out, " -l %s", o->name);
        if (is_arg(o, "DIR"))
            wa_buf_adds(out, " -x -a '(__fish_complete_directories)'");
        else if (o->arg != NULL)
            wa_buf_adds(out, is_arg(o, "FILE") ? " -r -F" : " -x");
        wa_buf_adds(out, " -d ");
        fish_text(wa_cli_help_row(p, c == NULL ? NULL : c->name, o->name)->text, out);
        wa_buf_addc(out, '\n');
    }
}

static void fish_words(const struct wa_cli_program *p, struct wa_buf *out)
{
    struct list lists[3];
    bool alone = p->commands[0]->name == NULL;
    collect(p, alone ? p->commands[0] : NULL, lists);
    for (size_t l = 0; l < 3; l++)
        fish_options(p, NULL, &lists[l], out);
    if (alone)
        return;
    wa_buf_adds(out, "set --local commands");
    for (size_t i = 0; p->commands[i] != NULL; i++)
        wa_buf_addf(out, " %s", p->commands[i]->name);
    wa_buf_addc(out, '\n');
    for (size_t i = 0; p->commands[i] != NULL; i++) {
        const struct wa_cli_command *c = p->commands[i];
        struct list own = {c->options, c->option_count};
        wa_buf_addf(out,
                    "complete -c %s -f -n \"not __fish_seen_subcommand_from $commands\" -a %s -d ",
                    p->name, c->name);
        fish_text(wa_cli_help_row(p, c->name, NULL)->text, out);
        wa_buf_addf(out, "\ncomplete -c %s -n '__fish_seen_subcommand_from %s' %s\n", p->name,
                    c->name, names_file(p, c) ? "-F" : "-f");
        fish_options(p, c, &own, out);
    }
}

static void fish(const struct wa_cli_program *p, struct wa_buf *out)
{
    wa_buf_addf(out,
                "# completion of %s for fish; made from its own tables and its manual\n"
                "set --local languages $LC_ALL $LC_MESSAGES $LANG\n",
                p->name);
    for (const struct wa_help *h = p->help; h->language != NULL; h++)
        if (strcmp(h->language, "en") != 0) {
            wa_text_language(h->language);
            wa_buf_addf(out, "if string match -q '%s*' -- $languages[1]\n", h->language);
            fish_words(p, out);
            wa_buf_adds(out, "exit\nend\n");
        }
    wa_text_language(NULL);
    fish_words(p, out);
}

/* --- zsh --- */

/* Text between single quotes, in a place where zsh gives brackets and colons a meaning. */
static void zsh_text(const char *text, struct wa_buf *out)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            wa_buf_adds(out, "'\\'");
        else if (strchr("[]:\\", *text) != NULL)
            wa_buf_addc(out, '\\');
        wa_buf_addc(out, *text);
    }
}

static void zsh_value(const char *arg, struct wa_buf *out)
{
    wa_buf_addf(out, ":%s:%s", arg,
                strcmp(arg, "DIR") == 0    ? "_files -/"
                : strcmp(arg, "FILE") == 0 ? "_files"
                                           : " ");
}

static void zsh_options(const struct wa_cli_program *p, const struct wa_cli_command *c,
                        struct wa_buf *out)
{
    struct list lists[3];
    collect(p, c, lists);
    for (size_t l = 0; l < 3; l++)
        for (size_t i = 0; i < lists[l].count; i++) {
            const struct wa_cli_option *o = &lists[l].options[i];
            wa_buf_adds(out, " \\\n        ");
            if (o->letter != 0)
                wa_buf_addf(out, "'*'{-%c,--%s}'[", o->letter, o->name);
            else
                wa_buf_addf(out, "'*--%s[", o->name);
            zsh_text(wa_cli_help_row(p, l > 0 || c == NULL ? NULL : c->name, o->name)->text, out);
            wa_buf_addc(out, ']');
            if (o->arg != NULL)
                zsh_value(o->arg, out);
            wa_buf_addc(out, '\'');
        }
}

static void zsh_rest(const struct wa_cli_program *p, const struct wa_cli_command *c,
                     struct wa_buf *out)
{
    if (c->args_max > 0)
        wa_buf_addf(out, " \\\n        '*: :%s'", names_file(p, c) ? "_files" : " ");
    wa_buf_addc(out, '\n');
}

static void zsh_words(const struct wa_cli_program *p, struct wa_buf *out)
{
    if (p->commands[0]->name == NULL) {
        wa_buf_adds(out, "_arguments");
        zsh_options(p, p->commands[0], out);
        zsh_rest(p, p->commands[0], out);
        return;
    }
    wa_buf_adds(out, "commands=(\n");
    for (size_t i = 0; p->commands[i] != NULL; i++) {
        wa_buf_addf(out, "    '%s:", p->commands[i]->name);
        zsh_text(wa_cli_help_row(p, p->commands[i]->name, NULL)->text, out);
        wa_buf_adds(out, "'\n");
    }
    wa_buf_adds(out, ")\n_arguments -C");
    zsh_options(p, NULL, out);
    wa_buf_adds(out, " \\\n        '1:command:->command' '*::argument:->argument'\n"
                     "if [[ $state == command ]]; then\n    _describe command commands\n"
                     "elif [[ $state == argument ]]; then\n    case $words[1] in\n");
    for (size_t i = 0; p->commands[i] != NULL; i++) {
        wa_buf_addf(out, "    %s) _arguments", p->commands[i]->name);
        zsh_options(p, p->commands[i], out);
        zsh_rest(p, p->commands[i], out);
        wa_buf_adds(out, "        ;;\n");
    }
    wa_buf_adds(out, "    esac\nfi\n");
}

static void zsh(const struct wa_cli_program *p, struct wa_buf *out)
{
    wa_buf_addf(out,
                "#compdef %s\n# completion for zsh; made from the tables of %s and its manual\n"
                "local curcontext=$curcontext state line\nlocal -a commands\n",
                p->name, p->name);
    for (const struct wa_help *h = p->help; h->language != NULL; h++)
        if (strcmp(h->language, "en") != 0) {
            wa_text_language(h->language);
            wa_buf_addf(out, "if [[ ${LC_ALL:-${LC_MESSAGES:-$LANG}} == %s* ]]; then\n",
                        h->language);
            zsh_words(p, out);
            wa_buf_adds(out, "return\nfi\n");
        }
    wa_text_language(NULL);
    zsh_words(p, out);
}

bool wa_cli_completion(const struct wa_cli_program *p, const char *shell, struct wa_buf *out)
{
    if (strcmp(shell, "bash") == 0)
        bash(p, out);
    else if (strcmp(shell, "fish") == 0)
        fish(p, out);
    else if (strcmp(shell, "zsh") == 0)
        zsh(p, out);
    else
        return false;
    return true;
}

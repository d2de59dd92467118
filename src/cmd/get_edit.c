/* get_edit.c - wapt-get edit: a package's sources in an editor. A package, a file's or
 * the repository's, is verified and unpacked into a new folder first; a folder is edited where it
 * is. The editor is the person's own choice, started without a shell.
 */
#include "base/mem.h"
#include "cmd/get_sources.h"
#include "os/proc.h"

#include <stdlib.h>

#define WORDS_MAX 16u

static const struct wa_cli_option options[] = {
    WA_GET_SOURCES_OPTIONS,
    {"no-editor", 0, NULL},
};

/* editor_for_packages, $VISUAL or $EDITOR; *ret NULL when there is none. */
static enum wa_code find_editor(const struct wa_cli *cli, char **ret, struct wa_err *err)
{
    WA_AUTO_STR char *configured = NULL;
    const char *visual = getenv("VISUAL"), *editor = getenv("EDITOR");
    if (wa_get_conf(cli, "editor_for_packages", &configured, err) != WA_OK)
        return err->code;
    const char *found = configured != NULL                    ? configured
                        : visual != NULL && visual[0] != '\0' ? visual
                        : editor != NULL && editor[0] != '\0' ? editor
                                                              : NULL;
    return found == NULL ? WA_OK : wa_sv_dup(wa_sv(found), ret, err);
}

/* This process becomes the editor. */
static enum wa_code open_editor(char *command, const char *folder, struct wa_err *err)
{
    const char *argv[WORDS_MAX + 2];
    char *rest = NULL;
    size_t n = 0;
    for (char *word = strtok_r(command, " \t", &rest); word != NULL;
         word = strtok_r(NULL, " \t", &rest)) {
        if (n == WORDS_MAX)
            return wa_fail(err, WA_E_CONFIG, "the editor's command has more than %u words",
                           WORDS_MAX);
        argv[n++] = word;
    }
    if (n == 0)
        return wa_fail(err, WA_E_CONFIG, "the editor's command is empty");
    argv[n++] = folder;
    argv[n] = NULL;
    (void)fflush(stdout);
    return wa_proc_become(argv[0], argv, err);
}

/* A folder stays where it is. */
static enum wa_code change_in_place(const char *path, const char *depends, struct wa_err *err)
{
    WA_AUTO_GET_SOURCES struct wa_get_sources s = WA_GET_SOURCES_INIT;
    WA_AUTO_CONTROL struct wa_control c;
    wa_control_init(&c);
    if (wa_get_control(path, &c, err) != WA_OK || depends == NULL)
        return err->code;
    wa_get_unsign(&c);
    if (wa_get_add_depends(&c, depends, err) != WA_OK || wa_dir_open(path, &s.dir, err) != WA_OK)
        return err->code;
    return wa_get_sources_control(&s, &c, err);
}

static enum wa_code unpack(struct wa_cli *cli, const char *depends, struct wa_get_sources *s,
                           struct wa_err *err)
{
    WA_AUTO_CONTROL struct wa_control c;
    wa_control_init(&c);
    if (wa_get_sources_begin(cli, NULL, s, err) != WA_OK ||
        wa_get_sources_take(cli, cli->args[0], s, &c, err) != WA_OK ||
        wa_get_add_depends(&c, depends != NULL ? depends : "", err) != WA_OK ||
        wa_get_sources_control(s, &c, err) != WA_OK)
        return err->code;
    return wa_get_sources_end(cli, s, &c, err);
}

static enum wa_code run(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO_GET_SOURCES struct wa_get_sources s = WA_GET_SOURCES_INIT;
    WA_AUTO_STR char *editor = NULL;
    struct wa_stat st;
    struct wa_err absent = WA_ERR_INIT;
    const char *given = cli->args[0], *depends = cli->arg_count > 1 ? cli->args[1] : NULL;
    bool is_dir = wa_path_stat(given, &st, &absent) == WA_OK && st.is_dir;
    if (find_editor(cli, &editor, err) != WA_OK ||
        (is_dir ? change_in_place(given, depends, err) : unpack(cli, depends, &s, err)) != WA_OK)
        return err->code;
    const char *folder = is_dir ? given : s.path;
    bool opens = editor != NULL && !cli->json && !wa_cli_has(cli, "no-editor");
    wa_jw_obj(&cli->jw);
    wa_jw_kv(&cli->jw, "folder", folder);
    wa_jw_kv(&cli->jw, "editor", editor);
    wa_jw_end(&cli->jw);
    wa_cli_out(cli, "%s\n", folder);
    if (!cli->json)
        wa_cli_say(cli, "then: wapt-get build-package '%s'", folder);
    if (!opens)
        return WA_OK;
    wa_cli_say(cli, "starting %s", editor);
    return open_editor(editor, folder, err);
}

const struct wa_cli_command wa_get_edit = {"edit", options, WA_COUNT(options), 1, 2, run};

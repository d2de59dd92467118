/* get_duplicate.c - wapt-get duplicate: the sources of a package again, under another name. What is
 * made is not signed; the old package is verified first, or is the caller's own folder.
 */
#include "base/vec.h"
#include "cmd/get_sources.h"
#include "pkg/version.h"

static const struct wa_cli_option options[] = {
    {"depends", 0, "LIST"},
    {"maturity", 0, "NAME"},
    WA_GET_SOURCES_OPTIONS,
};

static enum wa_code change(struct wa_cli *cli, struct wa_control *c, struct wa_err *err)
{
    const char *name = cli->args[1], *version = cli->arg_count > 2 ? cli->args[2] : NULL;
    const char *maturity = wa_cli_get(cli, "maturity", NULL);
    if (wa_template_check_name(name, err) != WA_OK)
        return err->code;
    if (strcmp(name, wa_control_get(c, WA_A_PACKAGE)) == 0 && version == NULL)
        return wa_fail(err, WA_E_USAGE, "the new package needs another name, or another version");
    if (version != NULL && !wa_pkgversion_is_valid(wa_sv(version)))
        return wa_fail(err, WA_E_USAGE, "'%s' is no version: 1.2.3-1, of at most four numbers",
                       version);
    if (wa_control_set(c, WA_A_PACKAGE, wa_sv(name), err) != WA_OK ||
        (version != NULL && wa_control_set(c, WA_A_VERSION, wa_sv(version), err) != WA_OK) ||
        (maturity != NULL && wa_control_set(c, WA_A_MATURITY, wa_sv(maturity), err) != WA_OK))
        return err->code;
    return wa_get_add_depends(c, wa_cli_get(cli, "depends", ""), err);
}

static bool contains(struct wa_sv text, const char *word)
{
    size_t n = strlen(word);
    for (size_t i = 0; n > 0 && i + n <= text.n; i++)
        if (memcmp(text.p + i, word, n) == 0)
            return true;
    return false;
}

static void check(struct wa_cli *cli, const char *text)
{
    wa_jw_s(&cli->jw, text);
    if (!cli->json)
        wa_cli_say(cli, "check %s", text);
}

/* What was right for the old package and may be wrong for the new one. */
static enum wa_code tell_checks(struct wa_cli *cli, struct wa_get_sources *s, const char *old_name,
                                bool is_renamed, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf setup;
    struct wa_relpath name;
    struct wa_err absent = WA_ERR_INIT;
    wa_buf_init(&setup, WA_SETUP_PY_BYTES_MAX);
    if (wa_relpath_parse(WA_SV("setup.py"), &name, err) != WA_OK)
        return err->code;
    enum wa_code code = wa_file_read(&s->dir, &name, WA_SETUP_PY_BYTES_MAX, &setup, &absent);
    if (code == WA_E_NOT_FOUND)
        return WA_OK;
    if (code != WA_OK) {
        *err = absent;
        return code;
    }
    if (is_renamed && contains(wa_buf_sv(&setup), old_name))
        check(cli, wa_text("setup.py: it names the old package"));
    if (is_renamed)
        check(cli,
              wa_text("conflicts: both packages install the same, and may be in each other's way"));
    return WA_OK;
}

static enum wa_code tell(struct wa_cli *cli, struct wa_get_sources *s, const struct wa_control *c,
                         const char *old_name, struct wa_err *err)
{
    struct wa_jw *w = &cli->jw;
    const char *name = wa_control_get(c, WA_A_PACKAGE);
    wa_jw_obj(w);
    wa_jw_kv(w, "folder", s->path);
    wa_jw_kv(w, "package", name);
    wa_jw_kv(w, "version", wa_control_get(c, WA_A_VERSION));
    wa_jw_key(w, "check");
    wa_jw_arr(w);
    wa_cli_out(cli, "%s\n", s->path);
    if (tell_checks(cli, s, old_name, strcmp(name, old_name) != 0, err) != WA_OK)
        return err->code;
    wa_jw_end(w);
    wa_jw_end(w);
    if (!cli->json)
        wa_cli_say(cli, "it is not signed; then: wapt-get build-package '%s'", s->path);
    return WA_OK;
}

static enum wa_code run(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO_GET_SOURCES struct wa_get_sources s = WA_GET_SOURCES_INIT;
    WA_AUTO_CONTROL struct wa_control c;
    WA_AUTO_STR char *old_name = NULL;
    wa_control_init(&c);
    if (wa_get_sources_begin(cli, cli->arg_count > 3 ? cli->args[3] : NULL, &s, err) != WA_OK ||
        wa_get_sources_take(cli, cli->args[0], &s, &c, err) != WA_OK ||
        wa_sv_dup(wa_sv(wa_control_get(&c, WA_A_PACKAGE)), &old_name, err) != WA_OK ||
        change(cli, &c, err) != WA_OK || wa_get_sources_control(&s, &c, err) != WA_OK ||
        wa_get_sources_end(cli, &s, &c, err) != WA_OK)
        return err->code;
    return tell(cli, &s, &c, old_name, err);
}

const struct wa_cli_command wa_get_duplicate = {"duplicate", options, WA_COUNT(options), 2, 4, run};

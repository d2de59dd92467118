/* get_make.c - wapt-get make-template: the sources of a new package, from an installer, a folder,
 * or nothing.
 *
 * The installer is copied into the sources first, and read there: what was looked at is what will
 * be packed. It is read by tools in processes of their own (get_tool.h), never here, and nothing of
 * it is ever executed.
 */
#include "cmd/agent_main.h"
#include "cmd/get_sources.h"
#include "cmd/get_tool.h"
#include "os/path.h"

static const struct wa_cli_option options[] = {WA_GET_DEFAULTS_OPTIONS, {"icon", 0, "FILE"}};
static const struct wa_relpath icon_name = {WA_ICON_FILE, sizeof WA_ICON_FILE - 1};

/* --- the icon --- */

/* *ret_has: there is one. */
static enum wa_code put_icon(struct wa_get_sources *s, int fd, bool *ret_has, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf png;
    wa_buf_init(&png, WA_ICON_BYTES_MAX);
    if (wa_get_tool_icon(fd, wa_libdir(), &png, err) != WA_OK)
        return err->code;
    *ret_has = png.n > 0;
    return *ret_has ? wa_file_replace(&s->dir, &icon_name, wa_buf_sv(&png), 0644, err) : WA_OK;
}

/* An app is good for a package even if its picture is not. */
static enum wa_code take_own_icon(struct wa_get_sources *s, int fd, bool *ret_has,
                                  struct wa_err *err)
{
    struct wa_err why = WA_ERR_INIT;
    enum wa_code code = put_icon(s, fd, ret_has, &why);
    if (code == WA_OK || code == WA_E_INVALID || code == WA_E_LIMIT)
        return WA_OK;
    *err = why;
    return code;
}

/* The person's. */
static enum wa_code take_icon(struct wa_get_sources *s, const char *path, bool *ret_has,
                              struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    if (wa_path_open(path, &fd, err) != WA_OK || put_icon(s, fd, ret_has, err) != WA_OK)
        return wa_wrap(err, "'%s'", path);
    return *ret_has ? WA_OK : wa_fail(err, WA_E_INVALID, "'%s' has no picture of its own", path);
}

/* --- the sources --- */

/* The last part of a person's path, as the name of a member. */
static enum wa_code base_name(const char *path, struct wa_relpath *ret, struct wa_err *err)
{
    if (wa_relpath_parse(wa_path_name(path), ret, err) != WA_OK)
        return wa_wrap(err, "rename it first");
    if (ret->n > WA_NAME_MAX || wa_sv_ieqs(wa_sv(ret->p), "WAPT") ||
        wa_sv_ieqs(wa_sv(ret->p), "setup.py"))
        return wa_fail(err, WA_E_INVALID,
                       "'%s' can't be the name of a file in a package: rename it first", ret->p);
    return WA_OK;
}

static enum wa_code see_program(void *user, const struct wa_relpath *name, const struct wa_stat *st,
                                struct wa_err *err)
{
    struct wa_installer *inst = user;
    WA_UNUSED(st);
    WA_UNUSED(err);
    size_t n = name->n;
    inst->is_windows = inst->is_windows || (n > 4 && wa_sv_ieqs(wa_sv(name->p + n - 4), ".exe"));
    return WA_OK;
}

static enum wa_code take_dir(struct wa_get_sources *s, const char *path, const char *name,
                             struct wa_installer *inst, struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    inst->kind = WA_INSTALLER_DIR;
    if (wa_dir_open(path, &dir, err) != WA_OK ||
        wa_get_sources_copy_dir(s, &dir, name, err) != WA_OK ||
        wa_dir_walk_files(&s->dir, see_program, inst, err) != WA_OK)
        return wa_wrap(err, "copying '%s'", path);
    return WA_OK;
}

static enum wa_code take_file(struct wa_get_sources *s, int fd, const struct wa_relpath *name,
                              struct wa_installer *inst, bool *ret_icon, struct wa_err *err)
{
    WA_AUTO_FD int copy = -1;
    struct wa_fd_source source;
    if (wa_get_sources_copy(s, fd, name, err) != WA_OK ||
        wa_file_open(&s->dir, name, &copy, err) != WA_OK ||
        wa_fd_source_init(&source, copy, err) != WA_OK)
        return err->code;
    if (wa_installer_kind_of(&source.base, &inst->kind, err) != WA_OK)
        return wa_wrap(err, "'%s'", name->p);
    if (wa_get_tool_read(copy, wa_libdir(), inst, err) != WA_OK)
        return err->code;
    return inst->kind == WA_INSTALLER_MSIX ? take_own_icon(s, copy, ret_icon, err) : WA_OK;
}

/* Of a file, a folder, or a name alone. */
static enum wa_code take(struct wa_get_sources *s, const char *path, struct wa_installer *inst,
                         bool *ret_icon, struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    struct wa_relpath name;
    struct wa_stat st;
    if (wa_path_open(path, &fd, err) != WA_OK || wa_fd_stat(fd, &st, err) != WA_OK ||
        base_name(path, &name, err) != WA_OK)
        return err->code;
    memcpy(inst->file, name.p, name.n + 1); /* base_name() keeps it short enough */
    if (!st.is_dir && !st.is_file)
        return wa_fail(err, WA_E_INVALID, "'%s' is neither a file nor a folder", path);
    enum wa_code code = st.is_dir ? take_dir(s, path, name.p, inst, err)
                                  : take_file(s, fd, &name, inst, ret_icon, err);
    wa_installer_guess(inst);
    return code;
}

static enum wa_code write_setup(struct wa_get_sources *s, const struct wa_installer *inst,
                                struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    struct wa_relpath name;
    wa_buf_init(&text, WA_SETUP_PY_BYTES_MAX);
    if (wa_template_setup(inst, &text, err) != WA_OK ||
        wa_relpath_parse(WA_SV("setup.py"), &name, err) != WA_OK)
        return err->code;
    return wa_file_replace(&s->dir, &name, wa_buf_sv(&text), 0644, err);
}

static void tell_check(void *user, const char *text)
{
    struct wa_cli *cli = user;
    wa_jw_s(&cli->jw, text);
    if (!cli->json)
        wa_cli_say(cli, "check %s", text);
}

static void tell(struct wa_cli *cli, const struct wa_installer *inst, const struct wa_control *c,
                 const char *path, bool has_icon)
{
    struct wa_jw *w = &cli->jw;
    wa_jw_obj(w);
    wa_jw_kv(w, "folder", path);
    wa_jw_kv(w, "package", wa_control_get(c, WA_A_PACKAGE));
    wa_jw_kv(w, "version", wa_control_get(c, WA_A_VERSION));
    wa_jw_kv(w, "kind", wa_installer_kind_name(inst->kind));
    wa_jw_kv(w, "made_by",
             inst->maker == WA_MAKER_UNKNOWN ? NULL : wa_installer_maker_name(inst->maker));
    wa_jw_kvb(w, "icon", has_icon);
    wa_jw_key(w, "check");
    wa_jw_arr(w);
    wa_cli_out(cli, "%s\n", path);
    wa_template_checks(inst, c, !cli->json, tell_check, cli);
    wa_jw_end(w);
    wa_jw_end(w);
    if (!cli->json)
        wa_cli_say(cli, "then: wapt-get build-package '%s'", path);
}

/* What there is no file of is the name of a package, unless it looks like a mistyped file. */
static bool is_name(const char *arg)
{
    struct wa_stat st;
    struct wa_err absent = WA_ERR_INIT, err = WA_ERR_INIT;
    return !wa_installer_is_named(arg) && wa_path_last(arg) == arg &&
           wa_path_stat(arg, &st, &absent) == WA_E_NOT_FOUND &&
           wa_template_check_name(arg, &err) == WA_OK;
}

static enum wa_code run(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO_GET_SOURCES struct wa_get_sources s = WA_GET_SOURCES_INIT;
    WA_AUTO_GET_DEFAULTS struct wa_get_defaults d = {0};
    WA_AUTO_CONTROL struct wa_control c;
    struct wa_installer inst = {.kind = WA_INSTALLER_NONE};
    bool is_empty = is_name(cli->args[0]), has_icon = false;
    wa_control_init(&c);
    if (is_empty && cli->arg_count > 2)
        return wa_fail(err, WA_E_USAGE, "there is no file '%s'", cli->args[0]);
    const char *folder = is_empty && cli->arg_count > 1 ? cli->args[1]
                         : cli->arg_count > 2           ? cli->args[2]
                                                        : NULL;
    if (wa_get_defaults_load(cli, &d, err) != WA_OK ||
        wa_get_sources_begin(cli, folder, &s, err) != WA_OK)
        return err->code;
    if (!is_empty && take(&s, cli->args[0], &inst, &has_icon, err) != WA_OK)
        return err->code;
    const char *icon = wa_cli_get(cli, "icon", NULL);
    if (icon != NULL && take_icon(&s, icon, &has_icon, err) != WA_OK)
        return err->code;
    d.options.package = is_empty ? cli->args[0] : cli->arg_count > 1 ? cli->args[1] : NULL;
    if (wa_template_control(&inst, &d.options, &c, err) != WA_OK ||
        wa_get_sources_control(&s, &c, err) != WA_OK || write_setup(&s, &inst, err) != WA_OK ||
        wa_get_sources_end(cli, &s, &c, err) != WA_OK)
        return err->code;
    tell(cli, &inst, &c, s.path, has_icon);
    return WA_OK;
}

const struct wa_cli_command wa_get_make_template = {
    "make-template", options, WA_COUNT(options), 1, 3, run};

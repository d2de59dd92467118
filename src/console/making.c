/* making.c - see making.h.
 *
 * Values that come from files are facts (pkg/installer.h), values that a person typed are checked
 * by the same rules as the sources of a packager: the control is written, and read again by lint.
 */
#include "console/making.h"

#include "codec/base64.h"
#include "console/local_kind.h"
#include "os/clock.h"
#include "os/fs.h"

#define NAME_BYTES_MAX 1024u
#define CONTROL_FILE "WAPT/control"
#define SETUP_FILE "setup.py"

static const enum wa_attr attrs[] = {
    WA_A_PACKAGE,  WA_A_VERSION,  WA_A_ARCHITECTURE, WA_A_SECTION,       WA_A_NAME,
    WA_A_MATURITY, WA_A_DEPENDS,  WA_A_DESCRIPTION,  WA_A_TARGET_OS,     WA_A_MAINTAINER,
    WA_A_LOCALE,   WA_A_LICENCE,  WA_A_CONFLICTS,    WA_A_EDITOR,        WA_A_IMPACTED_PROCESS,
    WA_A_HOMEPAGE, WA_A_KEYWORDS, WA_A_CATEGORIES,   WA_A_MIN_OS_VERSION};
/* What setup.py is made with. */
static const struct {
    const char *name;
    enum wa_fact fact;
} facts[] = {{"software", WA_FACT_NAME}, {"silent", WA_FACT_SILENT}, {"uninstallkey", WA_FACT_KEY}};

void wa_making_init(struct wa_making *m)
{
    *m = (struct wa_making){.inst = {.kind = WA_INSTALLER_NONE}};
    wa_control_init(&m->control);
    wa_buf_init(&m->text, WA_CONTROL_BYTES_MAX);
    wa_buf_init(&m->setup, WA_SETUP_PY_BYTES_MAX);
    wa_buf_init(&m->icon, WA_ICON_BYTES_MAX);
}

void wa_making_fini(struct wa_making *m)
{
    wa_control_fini(&m->control);
    wa_buf_fini(&m->text);
    wa_buf_fini(&m->setup);
    wa_buf_fini(&m->icon);
    wa_findings_fini(&m->findings);
}

/* --- the page's word --- */

static enum wa_code read_file(const struct wa_json *file, const char *files_dir,
                              struct wa_arena *arena, struct wa_making_file *ret,
                              struct wa_err *err)
{
    struct wa_sv id = WA_SV(""), name = WA_SV("");
    const struct wa_json_field fields[] = {{"id", WA_WANT_SV, true, 64, &id},
                                           {"name", WA_WANT_SV, true, NAME_BYTES_MAX, &name}};
    struct wa_stat st;
    char path[WA_PATH_MAX];
    if (wa_json_read(file, fields, WA_COUNT(fields), "a file", err) != WA_OK ||
        wa_local_file_find(files_dir, id, path, err) != WA_OK ||
        wa_relpath_parse(name, &ret->name, err) != WA_OK || wa_path_stat(path, &st, err) != WA_OK)
        return err->code;
    ret->path = wa_arena_strdup(arena, wa_sv(path));
    ret->size = st.size;
    return ret->path != NULL ? WA_OK : wa_nomem(err);
}

/* The folder that they are all in; "": they are one file. */
static enum wa_code find_folder(const struct wa_making *m, struct wa_sv *ret, struct wa_err *err)
{
    for (size_t i = 0; i < m->count; i++) {
        struct wa_sv name = wa_sv_n(m->files[i].name.p, m->files[i].name.n);
        size_t slash = 0;
        struct wa_sv folder = wa_sv_chr(name, '/', &slash) ? wa_sv_sub(name, 0, slash) : WA_SV("");
        if (i > 0 && (!wa_sv_eq(folder, *ret) || folder.n == 0))
            return wa_fail(err, WA_E_INVALID,
                           "these are several things: drop one installer, or one folder");
        *ret = folder;
    }
    return WA_OK;
}

static enum wa_code read_files(struct wa_making *m, const struct wa_json *files,
                               const char *files_dir, struct wa_arena *arena, struct wa_err *err)
{
    struct wa_sv folder = WA_SV("");
    size_t n = wa_json_count(files);
    m->files = wa_arena_alloc(arena, n + 1, sizeof *m->files);
    if (m->files == NULL)
        return wa_nomem(err);
    for (size_t i = 0; i < n; i++) {
        if (read_file(wa_json_at(files, i), files_dir, arena, &m->files[i], err) != WA_OK)
            return err->code;
        m->count++;
    }
    if (n == 0)
        return WA_OK;
    if (find_folder(m, &folder, err) != WA_OK)
        return err->code;
    struct wa_sv name = folder.n > 0 ? folder : wa_sv(m->files[0].name.p);
    if (name.n > WA_NAME_MAX || wa_sv_ieqs(name, "WAPT") || wa_sv_ieqs(name, SETUP_FILE))
        return wa_fail(err, WA_E_INVALID,
                       "'%.*s' can't be the name of a file in a package: rename it first",
                       WA_SV_ARG(name));
    memcpy(m->inst.file, name.p, name.n);
    m->inst.file[name.n] = '\0';
    m->inst.kind = folder.n > 0 ? WA_INSTALLER_DIR : WA_INSTALLER_NONE;
    return WA_OK;
}

static enum wa_code set_attr(struct wa_making *m, enum wa_attr a, struct wa_sv value,
                             struct wa_err *err)
{
    value = wa_sv_trim(value);
    if (value.n > 0)
        return wa_control_set(&m->control, a, value, err);
    wa_control_unset(&m->control, a);
    return WA_OK;
}

static enum wa_code read_made(struct wa_making *m, const struct wa_json *made, struct wa_err *err)
{
    struct wa_sv kind = WA_SV(""), values[WA_COUNT(attrs)], told[WA_COUNT(facts)];
    struct wa_json_field fields[1 + WA_COUNT(attrs) + WA_COUNT(facts)];
    enum wa_installer_kind k;
    size_t n = 0;
    fields[n++] = (struct wa_json_field){"kind", WA_WANT_SV, true, 16, &kind};
    for (size_t i = 0; i < WA_COUNT(attrs); i++) {
        values[i] = WA_SV("");
        fields[n++] = (struct wa_json_field){wa_attr_name(attrs[i]), WA_WANT_SV, false,
                                             WA_CONTROL_BYTES_MAX / 32, &values[i]};
    }
    for (size_t i = 0; i < WA_COUNT(facts); i++) {
        told[i] = WA_SV("");
        fields[n++] =
            (struct wa_json_field){facts[i].name, WA_WANT_SV, false, WA_FACT_BYTES_MAX, &told[i]};
    }
    if (wa_json_read(made, fields, n, "what is made", err) != WA_OK)
        return err->code;
    /* A folder stays one, whatever the page says, and nothing stays nothing. */
    if (!wa_installer_kind_find(kind, &k) ||
        (k == WA_INSTALLER_DIR) != (m->inst.kind == WA_INSTALLER_DIR) ||
        (k == WA_INSTALLER_NONE) != (m->count == 0))
        return wa_fail(err, WA_E_INVALID, "these files are no installer of kind '%.*s'",
                       WA_SV_ARG(kind));
    m->inst.kind = k;
    for (size_t i = 0; i < WA_COUNT(attrs); i++)
        if (set_attr(m, attrs[i], values[i], err) != WA_OK)
            return err->code;
    for (size_t i = 0; i < WA_COUNT(facts); i++)
        wa_installer_set(&m->inst, facts[i].fact, told[i]);
    m->inst.is_windows =
        wa_sv_starts(wa_sv(wa_control_get(&m->control, WA_A_TARGET_OS)), "windows");
    return wa_control_set(&m->control, WA_A_PRIORITY, WA_SV("optional"), err);
}

/* icon: "": there is to be none. */
static enum wa_code read_icon(struct wa_making *m, struct wa_sv icon, const char *files_dir,
                              struct wa_arena *arena, struct wa_err *err)
{
    char path[WA_PATH_MAX];
    m->own_icon = true;
    if (icon.n == 0)
        return WA_OK;
    if (wa_local_file_find(files_dir, icon, path, err) != WA_OK)
        return err->code;
    m->icon_path = wa_arena_strdup(arena, wa_sv(path));
    return m->icon_path != NULL ? WA_OK : wa_nomem(err);
}

enum wa_code wa_making_read(struct wa_making *m, const struct wa_json *request,
                            const char *files_dir, struct wa_arena *arena, struct wa_sv *ret_key,
                            struct wa_err *err)
{
    struct wa_sv what, key = WA_SV(""), setup = WA_SV(""), icon = {NULL, 0};
    const struct wa_json *files = NULL, *made = NULL;
    const struct wa_json_field fields[] = {
        {"what", WA_WANT_SV, false, 64, &what},
        {"key", WA_WANT_SV, false, 16, &key},
        {"files", WA_WANT_ARRAY, true, WA_LOCAL_FILES, &files},
        {"made", WA_WANT_OBJECT, false, 0, &made},
        {"setup", WA_WANT_SV, false, WA_SETUP_PY_BYTES_MAX, &setup},
        {"icon", WA_WANT_SV, false, 64, &icon}};
    if (wa_json_read(request, fields, WA_COUNT(fields), "the request", err) != WA_OK ||
        read_files(m, files, files_dir, arena, err) != WA_OK ||
        (wa_json_get(request, "icon") != NULL &&
         read_icon(m, icon, files_dir, arena, err) != WA_OK))
        return err->code;
    m->is_told = made != NULL;
    m->own_setup = made != NULL && setup.n > 0;
    if (m->own_setup)
        wa_buf_addsv(&m->setup, setup);
    if (ret_key != NULL)
        *ret_key = key;
    return made == NULL || read_made(m, made, err) == WA_OK ? wa_buf_check(&m->setup, err)
                                                            : err->code;
}

/* --- what the files say --- */

static enum wa_code look(struct wa_making *m, struct wa_reader *reader, struct wa_stop *stop,
                         struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf out;
    WA_AUTO_FD int fd = -1;
    struct wa_fd_source source;
    wa_buf_init(&out, WA_TOOL_OUTPUT_MAX);
    if (wa_path_open(m->files[0].path, &fd, err) != WA_OK ||
        wa_fd_source_init(&source, fd, err) != WA_OK ||
        wa_installer_kind_of(&source.base, &m->inst.kind, err) != WA_OK)
        return err->code;
    /* Of these nothing is read but the name. */
    if (m->inst.kind != WA_INSTALLER_MSU && m->inst.kind != WA_INSTALLER_DMG &&
        wa_reader_ask(reader, wa_installer_kind_name(m->inst.kind), fd, stop, &out, err) != WA_OK)
        return err->code;
    wa_installer_read(&m->inst, wa_buf_sv(&out));
    return WA_OK;
}

static bool is_program(const struct wa_making_file *f)
{
    return f->name.n > 4 && wa_sv_ieqs(wa_sv(f->name.p + f->name.n - 4), ".exe");
}

enum wa_code wa_making_propose(struct wa_making *m, const struct wa_template_options *o,
                               struct wa_reader *reader, struct wa_stop *stop, struct wa_err *err)
{
    for (size_t i = 0; m->inst.kind == WA_INSTALLER_DIR && i < m->count; i++)
        m->inst.is_windows = m->inst.is_windows || is_program(&m->files[i]);
    if (m->inst.kind != WA_INSTALLER_DIR && m->count > 0 && look(m, reader, stop, err) != WA_OK)
        return wa_wrap(err, "'%s'", m->inst.file);
    wa_installer_guess(&m->inst);
    if (wa_template_control(&m->inst, o, &m->control, err) != WA_OK)
        return err->code;
    if (m->inst.kind == WA_INSTALLER_EXE)
        wa_installer_set(&m->inst, WA_FACT_SILENT, wa_sv(wa_template_silent(&m->inst)));
    return WA_OK;
}

/* --- what follows --- */

static enum wa_code write_control(struct wa_making *m, bool *ret_written, struct wa_err *err)
{
    struct wa_err why = WA_ERR_INIT;
    enum wa_code code = wa_control_write(&m->control, false, &m->text, &why);
    wa_buf_addc(&m->text, '\n');
    if (code == WA_OK)
        code = wa_buf_check(&m->text, &why);
    if (code == WA_E_NOMEM)
        return wa_nomem(err);
    if (code != WA_OK)
        return wa_lint_add(&m->findings, WA_LINT_ERROR, "control-syntax", CONTROL_FILE, 0, err,
                           "can't be read: %s", why.text);
    *ret_written = true;
    code = wa_template_check_name(wa_control_get(&m->control, WA_A_PACKAGE), &why);
    if (code == WA_E_NOMEM)
        return wa_nomem(err);
    return code == WA_OK ? WA_OK
                         : wa_lint_add(&m->findings, WA_LINT_ERROR, "package-name", CONTROL_FILE, 1,
                                       err, "%s", why.text);
}

enum wa_code wa_making_lint_setup(int fd, struct wa_reader *reader, struct wa_stop *stop,
                                  struct wa_findings *f, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf out;
    struct wa_err why = WA_ERR_INIT;
    wa_buf_init(&out, WA_TOOL_OUTPUT_MAX);
    enum wa_code code = wa_reader_ask(reader, WA_READER_LINT, fd, stop, &out, &why);
    if (code == WA_OK)
        return wa_lint_take(wa_buf_sv(&out), f, err);
    if (code == WA_E_NOMEM)
        return wa_nomem(err);
    return wa_lint_add(f, WA_LINT_NOTE, "not-parsed", SETUP_FILE, 0, err,
                       "could not be parsed here (%s): the rules about its code were left out",
                       why.text);
}

/* A new file; nothing that must outlive a crash. */
static enum wa_code put(const struct wa_dir *dir, const char *name, struct wa_sv text,
                        struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    struct wa_relpath at;
    return wa_relpath_parse(wa_sv(name), &at, err) == WA_OK &&
                   wa_file_create(dir, &at, 0644, &fd, err) == WA_OK
               ? wa_fd_write_all(fd, text.p, text.n, err)
               : err->code;
}

static enum wa_code lint_text(const char *folder, struct wa_sv text, struct wa_reader *reader,
                              struct wa_stop *stop, struct wa_findings *f, struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    WA_AUTO_FD int fd = -1;
    struct wa_relpath name;
    if (wa_dir_open(folder, &dir, err) != WA_OK || put(&dir, SETUP_FILE, text, err) != WA_OK ||
        wa_relpath_parse(WA_SV(SETUP_FILE), &name, err) != WA_OK ||
        wa_file_open(&dir, &name, &fd, err) != WA_OK)
        return err->code;
    return wa_making_lint_setup(fd, reader, stop, f, err);
}

enum wa_code wa_making_lint_text(struct wa_sv text, struct wa_reader *reader, struct wa_stop *stop,
                                 struct wa_findings *f, struct wa_err *err)
{
    WA_AUTO_SCRATCH struct wa_scratch folder = {.path = ""};
    return wa_scratch_open(&folder, "wapt-making", err) == WA_OK
               ? lint_text(folder.path, text, reader, stop, f, err)
               : err->code;
}

/* The rules about the control; about the files, too. */
static enum wa_code lint(struct wa_making *m, const struct wa_dir *dir, bool is_whole,
                         struct wa_err *err)
{
    const struct wa_build_options options = {.excludes = NULL};
    char section[WA_NAME_MAX + 1];
    return is_whole
               ? wa_lint_tree(dir, &options, wa_clock_now(), &m->findings, err)
               : wa_lint_control(wa_buf_sv(&m->text), wa_clock_now(), &m->findings, section, err);
}

/* The person's picture must be one; an installer is good without. */
static enum wa_code take_icon(struct wa_making *m, struct wa_reader *reader, struct wa_stop *stop,
                              struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    struct wa_err why = WA_ERR_INIT;
    const char *path = m->own_icon                         ? m->icon_path
                       : m->inst.kind == WA_INSTALLER_MSIX ? m->files[0].path
                                                           : NULL;
    wa_buf_clear(&m->icon);
    if (path == NULL)
        return WA_OK;
    if (wa_path_open(path, &fd, err) != WA_OK)
        return err->code;
    enum wa_code code = wa_reader_ask(reader, WA_READER_ICON, fd, stop, &m->icon, &why);
    if (code == WA_OK && (m->icon.n > 0 || !m->own_icon))
        return WA_OK;
    if (code == WA_OK)
        return wa_fail(err, WA_E_INVALID, "that file has no picture of its own");
    if (!m->own_icon && (code == WA_E_INVALID || code == WA_E_LIMIT))
        return WA_OK;
    *err = why;
    return code;
}

enum wa_code wa_making_compose(struct wa_making *m, const struct wa_dir *dir, bool is_whole,
                               struct wa_reader *reader, struct wa_stop *stop, struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    struct wa_relpath name;
    bool is_written = false;
    if (take_icon(m, reader, stop, err) != WA_OK || write_control(m, &is_written, err) != WA_OK ||
        (!m->own_setup && wa_template_setup(&m->inst, &m->setup, err) != WA_OK) ||
        put(dir, CONTROL_FILE, wa_buf_sv(&m->text), err) != WA_OK ||
        put(dir, SETUP_FILE, wa_buf_sv(&m->setup), err) != WA_OK ||
        (m->icon.n > 0 && put(dir, WA_ICON_FILE, wa_buf_sv(&m->icon), err) != WA_OK) ||
        (is_written && lint(m, dir, is_whole, err) != WA_OK) ||
        wa_relpath_parse(WA_SV(SETUP_FILE), &name, err) != WA_OK ||
        wa_file_open(dir, &name, &fd, err) != WA_OK)
        return err->code;
    return wa_making_lint_setup(fd, reader, stop, &m->findings, err);
}

/* --- told --- */

enum wa_code wa_making_write_icon(struct wa_sv png, struct wa_jw *w, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, 2u * WA_ICON_BYTES_MAX);
    wa_base64_encode(png.p, png.n, &text);
    if (wa_buf_check(&text, err) != WA_OK)
        return err->code;
    wa_jw_key(w, "icon");
    if (png.n > 0)
        wa_jw_sv(w, wa_buf_sv(&text));
    else
        wa_jw_null(w);
    return WA_OK;
}

void wa_making_write(const struct wa_making *m, struct wa_jw *w)
{
    wa_jw_key(w, "made");
    wa_jw_obj(w);
    wa_jw_kv(w, "kind", wa_installer_kind_name(m->inst.kind));
    for (size_t i = 0; i < WA_COUNT(attrs); i++)
        wa_jw_kv(w, wa_attr_name(attrs[i]), wa_control_get(&m->control, attrs[i]));
    for (size_t i = 0; i < WA_COUNT(facts); i++)
        wa_jw_kv(w, facts[i].name, m->inst.fact[facts[i].fact]);
    wa_jw_end(w);
}

/* What stands before the colon in that line. */
static struct wa_sv field_at(struct wa_sv control, const struct wa_finding *f)
{
    struct wa_sv line = WA_SV("");
    size_t colon = 0;
    for (unsigned i = 0; i < f->line; i++)
        if (!wa_sv_split(&control, '\n', &line))
            return WA_SV("");
    return strcmp(f->file, CONTROL_FILE) == 0 && wa_sv_chr(line, ':', &colon)
               ? wa_sv_trim(wa_sv_sub(line, 0, colon))
               : WA_SV("");
}

void wa_making_write_findings(const struct wa_findings *f, struct wa_sv control, struct wa_jw *w)
{
    wa_jw_key(w, "findings");
    wa_jw_arr(w);
    for (size_t i = 0; i < f->n; i++) {
        const struct wa_finding *one = &f->items[i];
        wa_jw_obj(w);
        wa_jw_kv(w, "level", wa_lint_level_name(one->level));
        wa_jw_kv(w, "rule", one->rule);
        wa_jw_kv(w, "file", one->file);
        wa_jw_kvi(w, "line", one->line);
        wa_jw_kvsv(w, "field", field_at(control, one));
        wa_jw_kv(w, "text", one->text);
        wa_jw_end(w);
    }
    wa_jw_end(w);
}

void wa_making_say_finding(const struct wa_finding *f, char *out, size_t size)
{
    if (f->line > 0)
        (void)snprintf(out, size, "%s:%u: %s", f->file, f->line, f->text);
    else
        (void)snprintf(out, size, "%s: %s", f->file, f->text);
}

/* get_lint.c - wapt-get lint, and the same before each build: mistakes in source directories.
 *
 * setup.py's code is looked at by wapt_lint.py, in a process of its own that parses it and executes
 * nothing. Where that can't be, fewer rules hold, and that is told.
 */
#include "cmd/get_lint.h"
#include "base/mem.h"
#include "cmd/agent_main.h"
#include "cmd/get.h"
#include "cmd/get_tool.h"
#include "codec/csv.h"
#include "os/clock.h"

/* wapt_lint.py --fix: nothing to translate, or not safely. */
enum { FIX_NOTHING = 4, FIX_IMPOSSIBLE = 5 };

static const struct wa_cli_option options[] = {
    {"fix", 0, NULL},
    {"excludes", 'x', "LIST"},
    WA_GET_LINT_OPTIONS,
};

/* --- lists of words --- */

void wa_get_words_fini(struct wa_get_words *w)
{
    for (size_t i = 0; i < w->n; i++)
        wa_free(w->items[i]);
    WA_VEC_FREE(w);
}

enum wa_code wa_get_words(const struct wa_cli *cli, const char *option, struct wa_get_words *ret,
                          struct wa_err *err)
{
    const char *list;
    for (size_t i = 0; (list = wa_cli_at(cli, option, i)) != NULL; i++) {
        struct wa_sv rest = wa_sv(list), item;
        while (wa_csv_next(&rest, &item)) {
            char **slot = WA_VEC_PUSH(ret);
            if (slot == NULL || wa_sv_dup(item, slot, err) != WA_OK)
                return wa_nomem(err);
        }
    }
    return WA_VEC_PUSH(ret) == NULL ? wa_nomem(err) : WA_OK; /* the NULL at the end */
}

/* --- what is wrong --- */

/* By its text alone, where Python is missing. */
static enum wa_code check_text(int fd, struct wa_findings *f, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    struct wa_fd_source source;
    bool has_install = false;
    wa_buf_init(&text, WA_SETUP_PY_BYTES_MAX);
    if (wa_fd_source_init(&source, fd, err) != WA_OK)
        return err->code;
    size_t n =
        source.base.size < WA_SETUP_PY_BYTES_MAX ? (size_t)source.base.size : WA_SETUP_PY_BYTES_MAX;
    char *p = wa_buf_reserve(&text, n);
    if (n > 0 && (p == NULL || wa_fd_read_at(fd, 0, p, n, err) != WA_OK))
        return p == NULL ? wa_nomem(err) : err->code;
    wa_buf_advance(&text, n);
    for (size_t i = 0; i < n && !has_install; i++)
        has_install = wa_sv_starts(wa_sv_sub(wa_buf_sv(&text), i, 12), "def install(");
    return has_install ? WA_OK
                       : wa_lint_add(f, WA_LINT_WARNING, "install-missing", "setup.py", 0, err,
                                     "has no install(): nothing will be installed; write at least "
                                     "an empty one");
}

static enum wa_code check_setup(const struct wa_dir *dir, struct wa_findings *f, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf out;
    WA_AUTO_FD int fd = -1;
    struct wa_relpath name = {"setup.py", 8};
    struct wa_err why = WA_ERR_INIT;
    int status;
    wa_buf_init(&out, WA_TOOL_OUTPUT_MAX);
    enum wa_code code = wa_file_open(dir, &name, &fd, &why);
    if (code != WA_OK)
        return code == WA_E_NOMEM ? wa_nomem(err) : WA_OK; /* there is none, or wa_lint_tree says */
    code = wa_get_tool_lint(fd, wa_libdir(), NULL, &out, &status, &why);
    if (code == WA_OK)
        return wa_lint_take(wa_buf_sv(&out), f, err);
    if (code == WA_E_NOMEM)
        return wa_nomem(err);
    if (wa_lint_add(f, WA_LINT_NOTE, "not-parsed", "setup.py", 0, err,
                    "could not be parsed here (%s): the rules about its code were left out",
                    why.text) != WA_OK)
        return err->code;
    return check_text(fd, f, err);
}

/* setup.py from Python 2 to Python 3, if it is of Python 2. What can't be translated is left as it
 * is: the rules tell why. */
static enum wa_code fix_setup(const char *path, bool *ret_done, struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    WA_AUTO_BUF struct wa_buf out;
    WA_AUTO_FD int fd = -1;
    struct wa_relpath name = {"setup.py", 8};
    struct wa_err why = WA_ERR_INIT;
    struct wa_stat st;
    int status = FIX_NOTHING;
    wa_buf_init(&out, WA_SETUP_PY_BYTES_MAX);
    if (wa_dir_open(path, &dir, err) != WA_OK)
        return err->code;
    enum wa_code code = wa_file_open(&dir, &name, &fd, &why);
    if (code == WA_E_NOT_FOUND || code == WA_E_INVALID)
        return WA_OK; /* there is none, or wa_lint_tree says */
    if (code != WA_OK || wa_get_tool_lint(fd, wa_libdir(), "--fix", &out, &status, &why) != WA_OK)
        return wa_fail(err, why.code, "cannot translate '%s/setup.py': %s", path, why.text);
    if (status == FIX_NOTHING || status == FIX_IMPOSSIBLE)
        return WA_OK;
    if (status != 0 || out.n == 0)
        return wa_fail(err, WA_E_INVALID, "cannot translate '%s/setup.py': Python itself failed",
                       path);
    if (wa_fd_stat(fd, &st, err) != WA_OK ||
        wa_file_replace(&dir, &name, wa_buf_sv(&out), st.mode, err) != WA_OK)
        return wa_wrap(err, "writing the translation of '%s/setup.py'", path);
    *ret_done = true;
    return WA_OK;
}

/* A directory on another machine: its dates, rights and locks are not what they seem, and it may go
 * away in the middle. */
static enum wa_code check_place(const char *path, struct wa_findings *f, struct wa_err *err)
{
    struct wa_err why = WA_ERR_INIT;
    bool is_remote = false;
    if (wa_path_is_remote(path, &is_remote, &why) != WA_OK || !is_remote)
        return WA_OK;
    return wa_lint_add(f, WA_LINT_WARNING, "network-drive", ".", 0, err,
                       "is on a network drive, where files may be half written or locked by "
                       "others: copy it to a disk of this machine first");
}

enum wa_code wa_get_lint_dir(const char *path, const struct wa_build_options *o,
                             struct wa_findings *f, struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    if (wa_dir_open(path, &dir, err) != WA_OK || check_place(path, f, err) != WA_OK ||
        wa_lint_tree(&dir, o, wa_clock_now(), f, err) != WA_OK ||
        check_setup(&dir, f, err) != WA_OK)
        return wa_wrap(err, "looking at '%s'", path);
    return WA_OK;
}

/* --- telling --- */

void wa_get_lint_json(struct wa_cli *cli, const struct wa_findings *f)
{
    struct wa_jw *w = &cli->jw;
    wa_jw_key(w, "findings");
    wa_jw_arr(w);
    for (size_t i = 0; i < f->n; i++) {
        wa_jw_obj(w);
        wa_jw_kv(w, "level", wa_lint_level_name(f->items[i].level));
        wa_jw_kv(w, "rule", f->items[i].rule);
        wa_jw_kv(w, "file", f->items[i].file);
        wa_jw_kvi(w, "line", f->items[i].line);
        wa_jw_kv(w, "text", f->items[i].text);
        wa_jw_end(w);
    }
    wa_jw_end(w);
}

static void write_finding(const char *path, const struct wa_finding *f, char *out, size_t size)
{
    char place[WA_PATH_MAX + 16];
    const char *file = strcmp(f->file, ".") == 0 ? "" : f->file;
    if (f->line > 0)
        (void)snprintf(place, sizeof place, "%s/%s:%u", path, file, f->line);
    else
        (void)snprintf(place, sizeof place, "%s%s%s", path, file[0] == '\0' ? "" : "/", file);
    (void)snprintf(out, size, "%s: %s: %s [%s]", place, wa_lint_level_name(f->level), f->text,
                   f->rule);
}

void wa_get_lint_say(const struct wa_cli *cli, const char *path, const struct wa_findings *f)
{
    char line[2 * WA_PATH_MAX];
    for (size_t i = 0; i < f->n && !cli->json; i++) {
        write_finding(path, &f->items[i], line, sizeof line);
        if (f->items[i].level != WA_LINT_NOTE)
            wa_cli_say(cli, "%s", line);
    }
}

static enum wa_code lint_one(struct wa_cli *cli, const char *path, const struct wa_build_options *o,
                             const struct wa_get_words *ignored, struct wa_get_tally *tally,
                             struct wa_err *err)
{
    WA_AUTO_FINDINGS struct wa_findings f = {.ignored = (const char *const *)ignored->items};
    struct wa_err why = WA_ERR_INIT;
    char line[2 * WA_PATH_MAX];
    bool is_fixed = false;
    enum wa_code code = wa_cli_has(cli, "fix") ? fix_setup(path, &is_fixed, &why) : WA_OK;
    if (code == WA_OK)
        code = wa_get_lint_dir(path, o, &f, &why);
    size_t errors = wa_findings_count(&f, WA_LINT_ERROR),
           warnings = wa_findings_count(&f, WA_LINT_WARNING);
    if (code == WA_E_NOMEM)
        return wa_nomem(err);
    if (code == WA_OK && errors > 0)
        code = wa_fail(&why, WA_E_INVALID, "'%s' can't be built as it is", path);
    wa_jw_obj(&cli->jw);
    wa_jw_kv(&cli->jw, "source", path);
    wa_jw_kvb(&cli->jw, "fixed", is_fixed);
    wa_jw_kvi(&cli->jw, "errors", (int64_t)errors);
    wa_jw_kvi(&cli->jw, "warnings", (int64_t)warnings);
    wa_get_lint_json(cli, &f);
    wa_jw_kv(&cli->jw, "code", wa_code_name(code));
    wa_jw_kv(&cli->jw, "error", code == WA_OK ? NULL : why.text);
    wa_jw_end(&cli->jw);
    if (is_fixed)
        wa_cli_out(cli, "%s/setup.py: translated to Python 3\n", path);
    for (size_t i = 0; i < f.n; i++) {
        write_finding(path, &f.items[i], line, sizeof line);
        wa_cli_out(cli, "%s\n", line);
    }
    if (code == WA_OK || errors > 0)
        wa_cli_out(cli, "%s: %zu errors, %zu warnings\n", path, errors, warnings);
    wa_get_count(cli, tally, &why);
    return WA_OK;
}

static enum wa_code lint_all(struct wa_cli *cli, const struct wa_build_options *o,
                             const struct wa_get_words *ignored, struct wa_err *err)
{
    struct wa_get_tally tally = {0, 0, WA_OK};
    wa_jw_arr(&cli->jw);
    for (size_t i = 0; i < cli->arg_count; i++)
        if (lint_one(cli, cli->args[i], o, ignored, &tally, err) != WA_OK)
            return err->code;
    wa_jw_end(&cli->jw);
    return wa_get_outcome(&tally, "source directories have errors", err);
}

static enum wa_code run(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO_GET_WORDS struct wa_get_words excludes = {0};
    WA_AUTO_GET_WORDS struct wa_get_words ignored = {0};
    if (wa_get_words(cli, "excludes", &excludes, err) != WA_OK ||
        wa_get_words(cli, "ignore", &ignored, err) != WA_OK)
        return err->code;
    struct wa_build_options o = {.excludes = (const char *const *)excludes.items};
    return lint_all(cli, &o, &ignored, err);
}

const struct wa_cli_command wa_get_lint = {"lint", options, WA_COUNT(options), 1, SIZE_MAX, run};

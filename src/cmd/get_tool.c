/* get_tool.c - runs msiinfo, dpkg-deb, rpm or our wapt_probe.py over one installer, or reads it
 * itself, as confined.
 *
 * None of them is believed: they are C programs over a stranger's bytes, or Python over them, and
 * what is ours (OWN) is no better. Each
 * is started by this very program in another role, which gives up all power but to read that one
 * file, the system's own and what it needs of ours, and to write to one folder: the worst that a
 * file can do by taking one over is to print other properties, which a file may say anyway. Each is
 * called by its path, without a shell, with arguments that are constants.
 */
#include "cmd/get_tool.h"

#include "base/buf.h"
#include "codec/png.h"
#include "os/clock.h"
#include "os/fs.h"
#include "os/pipe.h"
#include "os/priv.h"
#include "os/proc.h"
#include "pkg/appx.h"
#include "pkg/macpkg.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_ARG "/proc/self/fd/0" /* the descriptor, for programs that want a name */
#define NOBODY 65534u
#define MISSING_STATUS 3 /* of wapt_probe.py: pefile is not there */
#define FOREIGN_STATUS 4 /* of what we read ourselves: an archive of something else */
#define ROLE "role:tool"
#define OWN ":" /* before what is no program: this one reads it */
#define OWN_ICON OWN "icon"
#define OWN_MSIX OWN "msix"
#define OWN_PKG OWN "pkg"
#define UNCONFINED_STATUS 125 /* of that role: it could not give up its power, or not start it */
#define ARGV_MAX 16u

enum { ARG_ROLE = 1, ARG_LIBDIR, ARG_TOOL };

struct tool {
    enum wa_installer_kind kind;
    const char *argv[12];
    const char *debian; /* the package that has it */
};
static const struct tool tools[] = {
    {WA_INSTALLER_MSI, {"/usr/bin/msiinfo", "export", FILE_ARG, "Property"}, "msitools"},
    {WA_INSTALLER_MSI, {"/usr/bin/msiinfo", "suminfo", FILE_ARG}, "msitools"},
    {WA_INSTALLER_DEB,
     {"/usr/bin/dpkg-deb", "-f", FILE_ARG, "Package", "Version", "Architecture", "Maintainer",
      "Description", "Homepage"},
     "dpkg"},
    /* Without --nomanifest a file that is no package names others, addresses too, to be read. */
    {WA_INSTALLER_RPM,
     {"/usr/bin/rpm", "-qp", "--nomanifest", "--nosignature", "--nodigest", "--dbpath",
      "/nonexistent", "--qf",
      "Package\t%{NAME}\nVersion\t%{VERSION}\nArchitecture\t%{ARCH}\nVendor\t%{VENDOR}\n"
      "Description\t%{SUMMARY}\nHomepage\t%{URL}\nLicense\t%{LICENSE}\n",
      FILE_ARG},
     "rpm"},
    {WA_INSTALLER_EXE, {"/usr/bin/python3", "-I", "-B", NULL}, "python3-pefile"},
    {WA_INSTALLER_MSIX, {OWN_MSIX}, NULL},
    {WA_INSTALLER_PKG, {OWN_PKG}, NULL},
};

/* --- the role --- */

bool wa_get_is_tool(int argc, char **argv)
{
    return argc > ARG_TOOL && strcmp(argv[ARG_ROLE], ROLE) == 0;
}

/* A PNG is its own picture. */
static enum wa_code read_icon(struct wa_source *file, struct wa_buf *out, struct wa_err *err)
{
    char head[2] = "";
    if (file->size >= sizeof head && file->read_at(file, 0, head, sizeof head, err) != WA_OK)
        return err->code;
    if (memcmp(head, "PK", sizeof head) == 0)
        return wa_appx_icon(file, out, err);
    if (file->size == 0 || file->size > WA_ICON_BYTES_MAX)
        return wa_fail(err, WA_E_INVALID, "no icon");
    size_t n = (size_t)file->size;
    char *p = wa_buf_reserve(out, n);
    if (p == NULL)
        return wa_buf_check(out, err);
    if (file->read_at(file, 0, p, n, err) != WA_OK)
        return err->code;
    wa_buf_advance(out, n);
    return wa_png_is_icon(wa_buf_sv(out)) ? WA_OK : wa_fail(err, WA_E_INVALID, "no icon");
}

static enum wa_code write_out(const struct wa_buf *out, struct wa_err *err)
{
    for (size_t at = 0; at < out->n;) {
        ptrdiff_t n = wa_pipe_write(1, out->p + at, out->n - at);
        if (n < 0 && errno != EINTR)
            return wa_fail_errno(err, errno, "cannot write");
        at += n > 0 ? (size_t)n : 0;
    }
    return WA_OK;
}

/* With nothing but the open file and the pipe. */
static int read_ourselves(const char *what)
{
    WA_AUTO_BUF struct wa_buf out;
    const struct wa_priv p = {.name = "wapt/tool", .no_core = true};
    struct wa_fd_source file;
    char line[WA_PRIV_LINE_MAX];
    struct wa_err err = WA_ERR_INIT;
    wa_buf_init(&out, WA_ICON_BYTES_MAX);
    if (wa_priv_drop(&p, line, &err) != WA_OK)
        return UNCONFINED_STATUS;
    if (wa_fd_source_init_confined(&file, 0, &err) != WA_OK)
        return 1;
    bool is_pkg = strcmp(what, OWN_PKG) == 0;
    enum wa_code code = is_pkg                        ? wa_macpkg_tell(&file.base, &out, &err)
                        : strcmp(what, OWN_ICON) == 0 ? read_icon(&file.base, &out, &err)
                                                      : wa_appx_tell(&file.base, &out, &err);
    if (code != WA_OK && !(code == WA_E_NOT_FOUND && is_pkg)) /* it need not say who it is */
        return code == WA_E_NOT_FOUND ? FOREIGN_STATUS : 1;
    return write_out(&out, &err) == WA_OK ? 0 : 1;
}

int wa_get_tool_main(char **argv)
{
    if (wa_sv_starts(wa_sv(argv[ARG_TOOL]), OWN))
        return read_ourselves(argv[ARG_TOOL]);
    const char *scratch = getenv("TMPDIR");
    const char *const reads[] = {
        "/usr",         "/lib",          "/lib64", "/bin",           "/etc", "/proc",
        "/dev/urandom", "/var/lib/dpkg", FILE_ARG, argv[ARG_LIBDIR], NULL};
    const char *const writes[] = {scratch != NULL ? scratch : "", "/dev/null", NULL};
    const struct wa_priv p = {.name = "wapt/tool",
                              .allow = WA_PRIV_FS_READ | WA_PRIV_FS_WRITE | WA_PRIV_THREADS |
                                       WA_PRIV_SPAWN | WA_PRIV_LIMITS,
                              .read_paths = reads,
                              .write_paths = writes,
                              .no_core = true};
    char line[WA_PRIV_LINE_MAX];
    struct wa_err err = WA_ERR_INIT;
    if (wa_priv_drop(&p, line, &err) == WA_OK)
        (void)!wa_proc_become(argv[ARG_TOOL], (const char *const *)argv + ARG_TOOL, &err);
    return UNCONFINED_STATUS;
}

/* --- one of them --- */

/* The output until its end; WA_E_LIMIT, WA_E_TIMEOUT. */
static enum wa_code read_output(int fd, uint64_t deadline, struct wa_buf *out, struct wa_err *err)
{
    for (;;) {
        uint64_t now = wa_clock_mono_ms();
        struct wa_pipe_wait wait = {.fd = fd};
        size_t ready = 0;
        if (now >= deadline)
            return wa_fail(err, WA_E_TIMEOUT, "it takes longer than %u seconds",
                           WA_TOOL_TIMEOUT_MS / 1000);
        if (wa_pipe_wait(&wait, 1, (int)(deadline - now), &ready, err) != WA_OK)
            return err->code;
        if (ready == 0)
            continue;
        char *p = wa_buf_reserve(out, 4096);
        if (p == NULL)
            return wa_buf_check(out, err);
        ptrdiff_t got = wa_pipe_read(fd, p, 4096);
        if (got < 0 && errno != EINTR && errno != EAGAIN)
            return wa_fail_errno(err, errno, "cannot read what it prints");
        if (got == 0)
            return WA_OK;
        if (got > 0)
            wa_buf_advance(out, (size_t)got);
    }
}

static enum wa_code judge(const struct tool *t, const struct wa_exit *end, struct wa_err *err)
{
    if (end->kind == WA_EXIT_STATUS && end->value == 0)
        return WA_OK;
    if (t->kind == WA_INSTALLER_EXE && end->kind == WA_EXIT_STATUS && end->value == MISSING_STATUS)
        return wa_fail(err, WA_E_NOT_FOUND,
                       "reading a .exe needs the Debian package python3-pefile: install it");
    if (end->kind == WA_EXIT_STATUS && end->value == UNCONFINED_STATUS)
        return wa_fail(err, WA_E_FAILED,
                       "this system does not let the program that reads it be confined");
    if (end->kind == WA_EXIT_STATUS && end->value == FOREIGN_STATUS)
        return wa_fail(err, WA_E_INVALID,
                       "this ZIP archive is no app of Windows: unpack it, and give the folder");
    return wa_fail(err, WA_E_INVALID, "the file is damaged, or not what it looks like");
}

/* A folder for what a tool writes on its way, its own to write to: where we are root, one in ours.
 */
static enum wa_code make_scratch(struct wa_scratch *s, char path[WA_PATH_MAX], struct wa_err *err)
{
    struct wa_relpath own;
    if (wa_scratch_open(s, "wapt-tool", err) != WA_OK)
        return err->code;
    bool is_root = wa_priv_is_root();
    int n = snprintf(path, WA_PATH_MAX, "%s%s", s->path, is_root ? "/own" : "");
    if (n >= (int)WA_PATH_MAX)
        return wa_fail(err, WA_E_LIMIT, "the path of the temporary directory is too long");
    if (!is_root)
        return WA_OK;
    if (wa_relpath_parse(WA_SV("own"), &own, err) != WA_OK ||
        wa_dir_set_mode(&s->dir, 0711, err) != WA_OK ||
        wa_dir_make_sub(&s->dir, &own, 0700, err) != WA_OK)
        return err->code;
    return wa_path_set_owner(path, NOBODY, NOBODY, err);
}

static enum wa_code start(const char *const *tool, const char *libdir, int fd, int out,
                          const char *scratch, struct wa_proc *ret, struct wa_err *err)
{
    struct wa_stat st;
    const char *argv[ARGV_MAX + 1] = {"wapt-tool", ROLE, libdir};
    char tree[32], tmp[WA_PATH_MAX + 16];
    const char *const envp[] = {"PATH=/usr/bin:/bin", "LANG=C.UTF-8", tmp, NULL};
    const int fds[] = {fd, out, -1};
    if (wa_fd_stat(fd, &st, err) != WA_OK)
        return err->code;
    for (size_t i = 0; tool[i] != NULL; i++)
        argv[ARG_TOOL + i] = tool[i];
    (void)snprintf(tree, sizeof tree, "tool-%d", wa_proc_own_pid());
    (void)snprintf(tmp, sizeof tmp, "TMPDIR=%s", scratch);
    const struct wa_spawn s = {
        .argv = argv,
        .envp = envp,
        .cwd = scratch,
        .fds = fds,
        .fd_count = WA_COUNT(fds),
        .set_ids = wa_priv_is_root(),
        .uid = NOBODY,
        .gid = NOBODY,
        .die_with_parent = true,
        .limit_memory_bytes = WA_TOOL_MEMORY_MAX + st.size,
        .limit_file_bytes = WA_TOOL_FILE_MAX,
        .limit_files = 64,
        .tree = tree, /* dpkg-deb has children */
    };
    return wa_proc_spawn(&s, ret, err);
}

/* Ends it by the deadline; whatever is left of its tree too. */
static void finish(struct wa_proc *proc, uint64_t deadline, struct wa_exit *ret)
{
    struct wa_err ignored = WA_ERR_INIT;
    uint64_t now = wa_clock_mono_ms();
    int patience = now < deadline ? (int)(deadline - now) : 0;
    if (wa_proc_wait(proc, patience, ret, &ignored) != WA_OK) {
        wa_proc_kill(proc, WA_PROC_KILL);
        if (wa_proc_wait(proc, -1, ret, &ignored) != WA_OK)
            *ret = (struct wa_exit){WA_EXIT_SIGNAL, 0};
    }
    if (proc->tree[0] != '\0' && wa_tree_kill(proc->tree, &ignored) != WA_OK)
        wa_err_clear(&ignored); /* what is left has no power, and ends with its pipe */
}

static enum wa_code run_in(const char *const *argv, const char *libdir, int fd, const char *scratch,
                           struct wa_buf *out, struct wa_exit *ret, struct wa_err *err)
{
    struct wa_proc proc;
    int pipe[2];
    uint64_t deadline = wa_clock_mono_ms() + WA_TOOL_TIMEOUT_MS;
    if (wa_pipe(pipe, err) != WA_OK)
        return err->code;
    enum wa_code code = start(argv, libdir, fd, pipe[1], scratch, &proc, err);
    wa_fd_close(&pipe[1]);
    if (code == WA_OK) {
        code = read_output(pipe[0], deadline, out, err);
        finish(&proc, code == WA_OK ? deadline : 0, ret);
    }
    wa_fd_close(&pipe[0]);
    return code;
}

/* libdir: "" for one that needs nothing of ours. */
static enum wa_code run(const char *const *argv, const char *libdir, int fd, struct wa_buf *out,
                        struct wa_exit *ret, struct wa_err *err)
{
    WA_AUTO_SCRATCH struct wa_scratch scratch = {.path = ""};
    char own[WA_PATH_MAX];
    struct wa_exit end = {WA_EXIT_SIGNAL, 0};
    if (make_scratch(&scratch, own, err) != WA_OK ||
        run_in(argv, libdir, fd, own, out, &end, err) != WA_OK)
        return err->code;
    *ret = end;
    return WA_OK;
}

static enum wa_code run_tool(const struct tool *t, int fd, const char *libdir, const char *script,
                             struct wa_buf *out, struct wa_err *err)
{
    const char *argv[WA_COUNT(t->argv) + 1] = {NULL};
    struct wa_stat st;
    struct wa_exit end;
    struct wa_err absent = WA_ERR_INIT;
    memcpy(argv, t->argv, sizeof t->argv);
    if (t->kind == WA_INSTALLER_EXE) {
        argv[3] = script;
        if (wa_path_stat(script, &st, &absent) != WA_OK)
            return wa_fail(err, WA_E_NOT_FOUND,
                           "reading a .exe needs '%s': is WAPT installed whole?", script);
    }
    if (argv[0][0] == '/' && wa_path_stat(argv[0], &st, &absent) == WA_E_NOT_FOUND)
        return wa_fail(err, WA_E_NOT_FOUND, "reading a .%s needs the Debian package %s: install it",
                       wa_installer_kind_name(t->kind), t->debian);
    return run(argv, t->kind == WA_INSTALLER_EXE ? libdir : "", fd, out, &end, err) == WA_OK
               ? judge(t, &end, err)
               : err->code;
}

enum wa_code wa_get_tool_output(enum wa_installer_kind kind, int fd, const char *libdir,
                                struct wa_buf *out, struct wa_err *err)
{
    char script[WA_PATH_MAX];
    int n = snprintf(script, sizeof script, "%s/wapt_probe.py", libdir);
    if (n < 0 || (size_t)n >= sizeof script)
        return wa_fail(err, WA_E_CONFIG, "the path of wapt_probe.py is too long");
    for (size_t i = 0; i < WA_COUNT(tools); i++)
        if (tools[i].kind == kind && run_tool(&tools[i], fd, libdir, script, out, err) != WA_OK)
            return err->code;
    return WA_OK;
}

enum wa_code wa_get_tool_read(int fd, const char *libdir, struct wa_installer *inst,
                              struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf out;
    wa_buf_init(&out, WA_TOOL_OUTPUT_MAX);
    if (wa_get_tool_output(inst->kind, fd, libdir, &out, err) != WA_OK)
        return wa_wrap(err, "'%s'", inst->file);
    wa_installer_read(inst, wa_buf_sv(&out));
    return WA_OK;
}

enum wa_code wa_get_tool_icon(int fd, const char *libdir, struct wa_buf *out, struct wa_err *err)
{
    static const struct tool t = {WA_INSTALLER_NONE, {OWN_ICON}, NULL};
    struct wa_err why = WA_ERR_INIT;
    enum wa_code code = run_tool(&t, fd, libdir, "", out, &why);
    if (code == WA_E_INVALID)
        return wa_fail(err, code, "this is no PNG of at most %u pixels a side and %u KiB",
                       WA_ICON_SIDE_MAX, WA_ICON_BYTES_MAX >> 10);
    *err = why;
    return code;
}

enum wa_code wa_get_tool_lint(int fd, const char *libdir, const char *option, struct wa_buf *out,
                              int *ret_status, struct wa_err *err)
{
    char script[WA_PATH_MAX];
    const char *const argv[] = {"/usr/bin/python3", "-I", "-B", script, option, NULL};
    struct wa_err why = WA_ERR_INIT;
    struct wa_stat st;
    struct wa_exit end;
    int n = snprintf(script, sizeof script, "%s/wapt_lint.py", libdir);
    if (n < 0 || (size_t)n >= sizeof script)
        return wa_fail(err, WA_E_CONFIG, "the path of wapt_lint.py is too long");
    if (wa_path_stat(argv[0], &st, &why) != WA_OK || wa_path_stat(script, &st, &why) != WA_OK)
        return wa_fail(err, WA_E_NOT_FOUND, "%s", why.text);
    if (run(argv, libdir, fd, out, &end, err) != WA_OK)
        return err->code;
    if (end.kind != WA_EXIT_STATUS || end.value == UNCONFINED_STATUS ||
        (end.value != 0 && option == NULL))
        return wa_fail(err, WA_E_INVALID, "Python itself failed over it");
    *ret_status = end.value;
    return WA_OK;
}

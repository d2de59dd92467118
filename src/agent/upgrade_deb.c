/* upgrade_deb.c - the Debian package of the agent: judged, made again from what is installed,
 * installed.
 *
 * The package to return to is made from the installed files and scripts and what dpkg knows of
 * them, however the agent came onto the machine: a version that was never here can't be returned
 * to, and no copy of an old package lies about between upgrades. Programs are called by their
 * paths; what they say is kept for the message, and goes nowhere else.
 */
#include <errno.h>

#include "agent/upgrade.h"
#include "os/pipe.h"
#include "os/proc.h"

#define DPKG "/usr/bin/dpkg"
#define DPKG_DEB "/usr/bin/dpkg-deb"
#define DPKG_QUERY "/usr/bin/dpkg-query"
#define DPKG_INFO "/var/lib/dpkg/info/" WA_UP_DEB
#define QUICK_S 120u    /* what asks and copies */
#define INSTALL_S 1200u /* dpkg with its scripts, which wait for the service */
#define TEXT_MAX (64u << 10)

/* --- programs --- */

static enum wa_code open_output(const struct wa_upgrade_tools *t, const char *file, int *ret,
                                struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    struct wa_relpath name;
    if (wa_dir_open(t->dir, &dir, err) != WA_OK ||
        wa_relpath_parse(wa_sv(file), &name, err) != WA_OK ||
        wa_tree_remove(&dir, &name, err) != WA_OK)
        return err->code;
    return wa_file_create(&dir, &name, 0600, ret, err);
}

/* The end of what a program wrote, as one line. */
static void keep_words(struct wa_upgrade_tools *t, int fd)
{
    struct wa_stat st;
    struct wa_err ignored = WA_ERR_INIT;
    t->said[0] = '\0';
    if (wa_fd_stat(fd, &st, &ignored) != WA_OK)
        return;
    size_t n = st.size < sizeof t->said - 1 ? (size_t)st.size : sizeof t->said - 1;
    if (wa_fd_read_at(fd, st.size - n, t->said, n, &ignored) != WA_OK)
        n = 0;
    while (n > 0 && (t->said[n - 1] == '\n' || t->said[n - 1] == ' '))
        n--;
    t->said[n] = '\0';
    for (size_t i = 0; i < n; i++)
        if (t->said[i] == '\n')
            t->said[i] = ' ';
}

static enum wa_code run_into(struct wa_upgrade_tools *t, const char *const *argv,
                             uint32_t timeout_s, const char *file, struct wa_err *err)
{
    static const char *const envp[] = {
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8",
        "HOME=/root", "DEBIAN_FRONTEND=noninteractive", NULL};
    WA_AUTO_FD int fd = -1;
    struct wa_proc p;
    struct wa_exit e = {.value = 0};
    if (open_output(t, file, &fd, err) != WA_OK)
        return err->code;
    const int fds[] = {-1, fd, fd};
    const struct wa_spawn s = {
        .path = argv[0], .argv = argv, .envp = envp, .fds = fds, .fd_count = WA_COUNT(fds)};
    if (wa_proc_spawn(&s, &p, err) != WA_OK)
        return wa_wrap(err, "starting %s", argv[0]);
    if (wa_proc_wait(&p, (int)timeout_s * 1000, &e, err) != WA_OK) {
        struct wa_err late = WA_ERR_INIT;
        wa_proc_kill(&p, WA_PROC_KILL);
        wa_err_clear(err);
        if (wa_proc_wait(&p, -1, &e, &late) != WA_OK)
            return wa_fail(err, late.code, "ending %s: %s", argv[0], late.text);
        return wa_fail(err, WA_E_TIMEOUT, "%s took longer than %u seconds", argv[0], timeout_s);
    }
    keep_words(t, fd);
    if (e.kind == WA_EXIT_STATUS && e.value == 0)
        return WA_OK;
    return wa_fail(err, WA_E_FAILED, "%s %s ended with %s %d: %s", argv[0], argv[1],
                   e.kind == WA_EXIT_SIGNAL ? "signal" : "status", e.value, t->said);
}

enum wa_code wa_upgrade_run(struct wa_upgrade_tools *t, const char *const *argv, uint32_t timeout_s,
                            struct wa_err *err)
{
    return run_into(t, argv, timeout_s, "output", err);
}

static void path_in(const struct wa_upgrade_tools *t, const char *name, char out[3 * WA_PATH_MAX])
{
    (void)snprintf(out, 3 * WA_PATH_MAX, "%s/%s", t->dir, name);
}

/* What a program writes to its output, whole. */
static enum wa_code ask(struct wa_upgrade_tools *t, const char *const *argv, struct wa_buf *out,
                        struct wa_err *err)
{
    char path[3 * WA_PATH_MAX];
    path_in(t, "answer", path);
    if (run_into(t, argv, QUICK_S, "answer", err) != WA_OK)
        return err->code;
    return wa_path_read(path, TEXT_MAX, out, err);
}

/* --- judging --- */

/* The value of "Name: value"; empty: there is none. */
static struct wa_sv field(struct wa_sv text, const char *name)
{
    struct wa_sv line;
    size_t n = strlen(name);
    while (wa_sv_split(&text, '\n', &line))
        if (wa_sv_starts(line, name) && line.n > n + 2 && line.p[n] == ':')
            return wa_sv_sub(line, n + 2, line.n);
    return WA_SV("");
}

enum wa_code wa_upgrade_judge(struct wa_upgrade_tools *t, const char *from,
                              char ret_to[WA_UP_VERSION_MAX], struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    struct wa_err why = WA_ERR_INIT;
    char path[3 * WA_PATH_MAX], to[WA_UP_VERSION_MAX];
    path_in(t, "new.deb", path);
    const char *const argv[] = {DPKG_DEB, "--field", path, "Package", "Version", NULL};
    wa_buf_init(&text, TEXT_MAX);
    if (ask(t, argv, &text, err) != WA_OK)
        return wa_wrap(err, "the file is no Debian package");
    struct wa_sv version = field(wa_buf_sv(&text), "Version");
    if (!wa_sv_eqs(field(wa_buf_sv(&text), "Package"), WA_UP_DEB) || version.n == 0 ||
        version.n >= sizeof to)
        return wa_fail(err, WA_E_REFUSED, "the file is not a Debian package of %s", WA_UP_DEB);
    (void)snprintf(to, sizeof to, "%.*s", WA_SV_ARG(version));
    const char *const compare[] = {DPKG, "--compare-versions", to, "gt", from, NULL};
    if (wa_upgrade_run(t, compare, QUICK_S, &why) != WA_OK)
        return wa_fail(err, WA_E_REFUSED,
                       "version %s is no newer one than %s, which is installed: there is no way "
                       "back but to the version before the last upgrade, when that one failed",
                       to, from);
    memcpy(ret_to, to, sizeof to);
    return WA_OK;
}

/* --- the old package --- */

/* The control file from what dpkg knows. */
static enum wa_code write_control(struct wa_upgrade_tools *t, char ret_from[WA_UP_VERSION_MAX],
                                  struct wa_err *err)
{
    static const char *const argv[] = {DPKG_QUERY, "--status", WA_UP_DEB, NULL};
    WA_AUTO_BUF struct wa_buf text;
    WA_AUTO_BUF struct wa_buf out;
    char path[3 * WA_PATH_MAX];
    struct wa_sv line;
    bool is_left_out = false;
    wa_buf_init(&text, TEXT_MAX);
    wa_buf_init(&out, TEXT_MAX);
    if (ask(t, argv, &text, err) != WA_OK)
        return wa_wrap(err, "dpkg does not know %s: the agent came here by other means", WA_UP_DEB);
    struct wa_sv rest = wa_buf_sv(&text), version = field(rest, "Version");
    if (!wa_sv_eqs(field(rest, "Status"), "install ok installed") || version.n == 0 ||
        version.n >= WA_UP_VERSION_MAX)
        return wa_fail(err, WA_E_CONFLICT,
                       "%s is not installed as a whole: 'dpkg --configure -a' first", WA_UP_DEB);
    while (wa_sv_split(&rest, '\n', &line)) {
        if (line.n > 0 && line.p[0] != ' ')
            is_left_out = wa_sv_starts(line, "Status:") || wa_sv_starts(line, "Conffiles:");
        if (line.n > 0 && !is_left_out)
            wa_buf_addf(&out, "%.*s\n", WA_SV_ARG(line));
    }
    path_in(t, "old/DEBIAN/control", path);
    if (wa_buf_check(&out, err) != WA_OK ||
        wa_path_replace(path, wa_buf_sv(&out), 0644, err) != WA_OK)
        return err->code;
    (void)snprintf(ret_from, WA_UP_VERSION_MAX, "%.*s", WA_SV_ARG(version));
    return WA_OK;
}

static enum wa_code copy_scripts(struct wa_upgrade_tools *t, struct wa_err *err)
{
    static const char *const names[] = {"preinst", "postinst", "prerm", "postrm",
                                        "md5sums", "triggers", "shlibs"};
    char to[3 * WA_PATH_MAX], from[WA_PATH_MAX];
    for (size_t i = 0; i < WA_COUNT(names); i++) {
        struct wa_stat st;
        struct wa_err absent = WA_ERR_INIT;
        char name[64];
        (void)snprintf(from, sizeof from, DPKG_INFO ".%s", names[i]);
        (void)snprintf(name, sizeof name, "old/DEBIAN/%s", names[i]);
        path_in(t, name, to);
        const char *const argv[] = {"/bin/cp", "--archive", "--", from, to, NULL};
        if (wa_path_stat(from, &st, &absent) == WA_OK &&
            wa_upgrade_run(t, argv, QUICK_S, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

/* The installed files. What a merged system reaches through a link (/lib) is no link in the
 * package: links are followed. Those that an administrator keeps out of every installation
 * (documentation, path-exclude of dpkg) are not there, and are left out. */
static enum wa_code copy_files(struct wa_upgrade_tools *t, struct wa_err *err)
{
    char tar[3 * WA_PATH_MAX], old[3 * WA_PATH_MAX];
    path_in(t, "files.tar", tar);
    path_in(t, "old", old);
    const char *const pack[] = {"/bin/tar",
                                "--create",
                                "--file",
                                tar,
                                "--no-recursion",
                                "--ignore-failed-read",
                                "--dereference",
                                "--directory",
                                "/",
                                "--files-from",
                                DPKG_INFO ".list",
                                NULL};
    const char *const unpack[] = {"/bin/tar", "--extract", "--file", tar, "--directory", old, NULL};
    return wa_upgrade_run(t, pack, QUICK_S, err) == WA_OK ? wa_upgrade_run(t, unpack, QUICK_S, err)
                                                          : err->code;
}

enum wa_code wa_upgrade_keep_old(struct wa_upgrade_tools *t, char ret_from[WA_UP_VERSION_MAX],
                                 struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    WA_AUTO_DIR struct wa_dir control = WA_DIR_INIT;
    struct wa_relpath old, made, kept;
    char tree[3 * WA_PATH_MAX], file[3 * WA_PATH_MAX];
    path_in(t, "old", tree);
    path_in(t, "made.deb", file);
    const char *const build[] = {DPKG_DEB, "-Zgzip", "--build", tree, file, NULL};
    if (wa_dir_open(t->dir, &dir, err) != WA_OK ||
        wa_relpath_parse(WA_SV("old"), &old, err) != WA_OK ||
        wa_relpath_parse(WA_SV("made.deb"), &made, err) != WA_OK ||
        wa_relpath_parse(WA_SV("old.deb"), &kept, err) != WA_OK ||
        wa_tree_remove(&dir, &old, err) != WA_OK)
        return err->code;
    path_in(t, "old/DEBIAN", tree);
    if (wa_dir_make(tree, 0755, &control, err) != WA_OK ||
        write_control(t, ret_from, err) != WA_OK || copy_scripts(t, err) != WA_OK ||
        copy_files(t, err) != WA_OK)
        return err->code;
    path_in(t, "old", tree);
    if (wa_upgrade_run(t, build, QUICK_S, err) != WA_OK ||
        wa_file_rename(&dir, &made, &dir, &kept, err) != WA_OK)
        return err->code;
    return wa_tree_remove(&dir, &old, err);
}

enum wa_code wa_upgrade_install(struct wa_upgrade_tools *t, const char *file, struct wa_err *err)
{
    char path[3 * WA_PATH_MAX];
    path_in(t, file, path);
    const char *const argv[] = {DPKG, "--force-confdef,confold,downgrade", "--install", path, NULL};
    return wa_upgrade_run(t, argv, INSTALL_S, err);
}

/* rpm.c - the list of packages out of rpm's database, by rpm itself.
 *
 * The database has had four formats (Berkeley DB, ndb, LMDB, SQLite) and its records one of their
 * own: whoever has such a database has the program that reads it. It runs with what its caller has
 * left, so it can't do more than read; its output is foreign bytes.
 */
#include "os/fs.h"
#include "os/linux/software_priv.h"
#include "os/linux/text_priv.h"
#include "os/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define RPM "/usr/bin/rpm"
#define WAIT_MS 5000 /* ms: from the end of its output to its own */

const char *wa_rpm_database(void)
{
    static const char *const databases[] = {"/var/lib/rpm", "/usr/lib/sysimage/rpm"};
    static const char *const files[] = {"rpmdb.sqlite", "Packages", "Packages.db"};
    for (size_t i = 0; i < WA_COUNT(databases) * WA_COUNT(files); i++) {
        const char *database = databases[i / WA_COUNT(files)];
        char path[256];
        struct wa_stat st;
        struct wa_err ignored = WA_ERR_INIT;
        (void)snprintf(path, sizeof path, "%s/%s", database, files[i % WA_COUNT(files)]);
        if (wa_path_stat(path, &st, &ignored) == WA_OK && st.is_file)
            return database;
    }
    return NULL;
}

enum wa_code wa_rpm_each(struct wa_sv text, wa_software_fn fn, void *user, struct wa_err *err)
{
    struct wa_sv line;
    while (wa_sv_split(&text, '\n', &line)) {
        struct wa_sv part[5];
        char name[256], version[256], architecture[64], publisher[512], key[330];
        struct wa_software item = {.description = ""};
        size_t n = 0;
        while (n < WA_COUNT(part) && wa_sv_split(&line, '\t', &part[n]))
            n++;
        if (n < WA_COUNT(part))
            continue; /* a warning of rpm's, or an older form */
        wa_text_clean(part[0], name, sizeof name);
        wa_text_clean(part[1], version, sizeof version);
        wa_text_clean(part[2], architecture, sizeof architecture);
        wa_text_clean(wa_sv_eqs(part[3], "(none)") ? WA_SV("") : part[3], publisher,
                      sizeof publisher);
        (void)wa_sv_i64(part[4], &item.installed_at);
        if (name[0] == '\0' || version[0] == '\0' || strcmp(name, "gpg-pubkey") == 0)
            continue; /* rpm keeps the keys it trusts among the packages */
        (void)snprintf(key, sizeof key, "%s.%s", name, architecture);
        item.name = name;
        item.version = version;
        item.architecture = architecture;
        item.publisher = publisher;
        item.key = key;
        if (fn(user, &item, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

static enum wa_code read_all(int fd, struct wa_buf *out, struct wa_err *err)
{
    char piece[16384];
    for (;;) {
        ssize_t got = read(fd, piece, sizeof piece);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return wa_fail_errno(err, errno, "cannot read its output");
        if (got == 0)
            return WA_OK;
        wa_buf_add(out, piece, (size_t)got);
        if (wa_buf_check(out, err) != WA_OK)
            return err->code;
    }
}

static enum wa_code run(const char *database, struct wa_buf *out, struct wa_err *err)
{
    const char *const argv[] = {
        RPM,          "--query",       "--all",     "--dbpath", database, "--nosignature",
        "--nodigest", "--queryformat", WA_RPM_FORM, NULL};
    int ends[2];
    struct wa_proc proc;
    struct wa_exit how;
    if (wa_pipe(ends, err) != WA_OK)
        return err->code;
    WA_AUTO_FD int from = ends[0];
    WA_AUTO_FD int to = ends[1];
    WA_AUTO_FD int null = open("/dev/null", O_RDONLY | O_CLOEXEC); /* who may not write asks */
    const int fds[] = {null, to, 2};
    const struct wa_spawn what = {.path = RPM, .argv = argv, .fds = fds, .fd_count = WA_COUNT(fds)};
    if (wa_proc_spawn(&what, &proc, err) != WA_OK)
        return err->code;
    wa_fd_close(&to);
    enum wa_code code = read_all(from, out, err);
    if (code != WA_OK)
        wa_proc_kill(&proc, WA_PROC_KILL);
    struct wa_err why = WA_ERR_INIT;
    if (wa_proc_wait(&proc, WAIT_MS, &how, &why) != WA_OK)
        return code != WA_OK ? code : wa_fail(err, why.code, "%s", why.text);
    if (code == WA_OK && (how.kind != WA_EXIT_STATUS || how.value != 0))
        code = wa_fail(err, WA_E_FAILED, "it ended with %s %d",
                       how.kind == WA_EXIT_SIGNAL ? "signal" : "status", how.value);
    return code;
}

enum wa_code wa_rpm_list(const char *database, wa_software_fn fn, void *user, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, WA_RPM_OUTPUT_MAX);
    if (run(database, &text, err) != WA_OK)
        return wa_wrap(err, "listing the software of '%s' with %s", database, RPM);
    return wa_rpm_each(wa_buf_sv(&text), fn, user, err);
}

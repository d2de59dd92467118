/* software.c - the list of installed packages, from dpkg's own database: no child process, which
 * could hang on a lock. dpkg replaces the file as a whole, so what is open is one state of it.
 * rpm's databases are rpm's to read (rpm.c).
 */
#include "os/software.h"

#include "os/fs.h"
#include "os/linux/software_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define DPKG_STATUS "/var/lib/dpkg/status"

static enum wa_code feed_all(int fd, struct wa_dpkg *d, struct wa_err *err)
{
    char piece[16384];
    for (;;) {
        ssize_t got = read(fd, piece, sizeof piece);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return wa_fail_errno(err, errno, "cannot read");
        if (got == 0)
            return wa_dpkg_end(d, err);
        if (wa_dpkg_feed(d, piece, (size_t)got, err) != WA_OK)
            return err->code;
    }
}

enum wa_code wa_software_list_file(const char *path, wa_software_fn fn, void *user,
                                   struct wa_err *err)
{
    struct wa_dpkg d;
    WA_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return WA_OK; /* no dpkg here */
    if (fd < 0)
        return wa_fail_errno(err, errno, "cannot open '%s'", path);
    wa_dpkg_init(&d, fn, user);
    enum wa_code code = feed_all(fd, &d, err);
    wa_dpkg_fini(&d);
    return code == WA_OK ? code : wa_wrap(err, "listing the installed software from '%s'", path);
}

struct dated {
    wa_software_fn fn;
    void *user;
};

/* dpkg writes the list of a package's files when it installs it, and no other date. */
static enum wa_code tell_dated(void *user, const struct wa_software *item, struct wa_err *err)
{
    const struct dated *d = user;
    const char *const names[] = {item->key, item->name};
    struct wa_software with_date = *item;
    for (size_t i = 0; i < WA_COUNT(names) && with_date.installed_at == 0; i++) {
        char path[WA_PATH_MAX];
        struct wa_stat st;
        struct wa_err ignored = WA_ERR_INIT;
        (void)snprintf(path, sizeof path, "/var/lib/dpkg/info/%s.list", names[i]);
        if (strchr(names[i], '/') == NULL && wa_path_stat(path, &st, &ignored) == WA_OK)
            with_date.installed_at = st.mtime;
    }
    return d->fn(d->user, &with_date, err);
}

enum wa_code wa_software_list(wa_software_fn fn, void *user, struct wa_err *err)
{
    struct dated d = {fn, user};
    const char *database = wa_rpm_database();
    if (wa_software_list_file(DPKG_STATUS, tell_dated, &d, err) != WA_OK || database == NULL)
        return err->code;
    return wa_rpm_list(database, fn, user, err);
}

bool wa_software_needs_child(void)
{
    return wa_rpm_database() != NULL;
}

int64_t wa_software_changed(void)
{
    /* Between two rewrites of the status file dpkg keeps its changes in the other directory. */
    static const char *const paths[] = {DPKG_STATUS, "/var/lib/dpkg/updates"};
    int64_t newest = 0;
    for (size_t i = 0; i < WA_COUNT(paths); i++) {
        struct wa_stat st;
        struct wa_err ignored = WA_ERR_INIT;
        if (wa_path_stat(paths[i], &st, &ignored) == WA_OK && st.mtime > newest)
            newest = st.mtime;
    }
    return newest;
}

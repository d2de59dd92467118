/* accounts.c - where Linux keeps the machine's own accounts and the record of who is at it. */
#include "os/accounts.h"

#include "os/fs.h"
#include "os/linux/accounts_priv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* A file that is not there, or not for us, is an empty one. */
static enum wa_code read_if_there(const char *path, struct wa_buf *text, struct wa_err *err)
{
    if (wa_path_read(path, WA_HOST_TEXT_MAX, text, err) == WA_OK)
        return WA_OK;
    if (err->code == WA_E_NOMEM)
        return err->code;
    wa_err_clear(err);
    wa_buf_clear(text);
    return WA_OK;
}

enum wa_code wa_accounts_list(wa_account_fn fn, void *user, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, WA_HOST_TEXT_MAX);
    if (read_if_there("/etc/passwd", &text, err) != WA_OK)
        return err->code;
    return wa_passwd_each(wa_buf_sv(&text), fn, user, err);
}

enum wa_code wa_groups_list(wa_account_fn fn, void *user, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, WA_HOST_TEXT_MAX);
    if (read_if_there("/etc/group", &text, err) != WA_OK)
        return err->code;
    return wa_group_each(wa_buf_sv(&text), fn, user, err);
}

enum wa_code wa_environment_list(wa_account_fn fn, void *user, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, WA_HOST_TEXT_MAX);
    if (read_if_there("/etc/environment", &text, err) != WA_OK ||
        wa_environment_each(wa_buf_sv(&text), fn, user, err) != WA_OK)
        return err->code;
    for (char **v = environ; *v != NULL; v++)
        if (wa_environment_each(wa_sv(*v), fn, user, err) != WA_OK)
            return err->code;
    return WA_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* Systems without utmp(5), which ends in 2038, have the users of systemd-logind(8). */
static enum wa_code list_logind(struct wa_buf *text, struct wa_buf *out, struct wa_err *err)
{
    char names[256][WA_LOGIN_NAME];
    const struct dirent *e;
    size_t n = 0;
    DIR *d = opendir("/run/systemd/users");
    if (d == NULL)
        return errno == ENOMEM ? wa_nomem(err) : WA_OK;
    while (err->code == WA_OK && n < WA_COUNT(names) && (e = readdir(d)) != NULL) {
        char path[512];
        (void)snprintf(path, sizeof path, "/run/systemd/users/%s", e->d_name);
        wa_buf_clear(text);
        if (e->d_name[0] == '.' || read_if_there(path, text, err) != WA_OK)
            continue;
        wa_logind_user(wa_buf_sv(text), names[n]);
        n += names[n][0] != '\0' ? 1 : 0;
    }
    (void)closedir(d);
    qsort(names, n, sizeof names[0], by_name);
    for (size_t i = 0; i < n; i++)
        wa_buf_addf(out, "%s%s", out->n > 0 ? "," : "", names[i]);
    return err->code;
}

enum wa_code wa_sessions_list(struct wa_buf *out, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf bytes;
    wa_buf_init(&bytes, WA_HOST_TEXT_MAX);
    if (read_if_there("/run/utmp", &bytes, err) != WA_OK)
        return err->code;
    wa_utmp_users(wa_buf_sv(&bytes), out);
    if (out->n == 0 && list_logind(&bytes, out, err) != WA_OK)
        return err->code;
    return wa_buf_check(out, err);
}

/* The end of a file that only grows. */
static enum wa_code read_tail(const char *path, size_t max, struct wa_buf *out, struct wa_err *err)
{
    WA_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    off_t end = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
    if (end <= 0)
        return WA_OK;
    end -= end % WA_UTMP_RECORD; /* one that is being written is not whole */
    off_t from = end > (off_t)max ? end - (off_t)max : 0;
    char *room = wa_buf_reserve(out, (size_t)(end - from));
    if (room == NULL)
        return wa_buf_check(out, err);
    ssize_t got = pread(fd, room, (size_t)(end - from), from);
    if (got > 0)
        wa_buf_advance(out, (size_t)got);
    return WA_OK;
}

enum wa_code wa_sessions_last(char ret[WA_LOGIN_NAME], struct wa_err *err)
{
    const size_t records = 2000;
    WA_AUTO_BUF struct wa_buf bytes;
    wa_buf_init(&bytes, records * WA_UTMP_RECORD);
    if (read_tail("/var/log/wtmp", bytes.max, &bytes, err) != WA_OK)
        return err->code;
    wa_utmp_last(wa_buf_sv(&bytes), ret);
    return WA_OK;
}

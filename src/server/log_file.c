/* log_file.c - what comes by the pipe goes to the file; a full one becomes the next older one. */
#include "server/log_file.h"

#include "os/path.h"
#include "os/pipe.h"
#include "os/proc.h"

/* Opens the file, or makes it. */
static enum wa_code open_file(struct wa_log_file *f, struct wa_err *err)
{
    struct wa_stat st;
    if (wa_file_create(&f->dir, &f->name, 0640, &f->fd, err) == WA_E_EXISTS) {
        wa_err_clear(err);
        if (wa_file_continue(&f->dir, &f->name, &f->fd, err) != WA_OK)
            return err->code;
    }
    if (err->code != WA_OK || wa_fd_stat(f->fd, &st, err) != WA_OK)
        return err->code;
    f->bytes = st.size;
    f->own->fd = f->fd;
    return WA_OK;
}

enum wa_code wa_log_file_open(struct wa_log_file *f, const char *path, uint64_t max_bytes,
                              uint64_t keep, struct wa_log *own, struct wa_err *err)
{
    char where[WA_PATH_MAX];
    const char *last = wa_path_last(path);
    f->max_bytes = max_bytes;
    f->keep = keep;
    f->own = own;
    if (path[0] == '\0') {
        f->max_bytes = UINT64_MAX;
        f->fd = 2;
        return wa_pipe(f->pipe, err) == WA_OK ? wa_fd_set_nonblocking(f->pipe[0], true, err)
                                              : err->code;
    }
    if (wa_path_dir(path, (size_t)(last - path), where, err) != WA_OK ||
        wa_relpath_parse(wa_sv(last), &f->name, err) != WA_OK ||
        wa_dir_open(where, &f->dir, err) != WA_OK || open_file(f, err) != WA_OK ||
        wa_pipe(f->pipe, err) != WA_OK || wa_fd_set_nonblocking(f->pipe[0], true, err) != WA_OK)
        return wa_wrap(err, "the log file '%s'", path);
    return WA_OK;
}

void wa_log_file_close(struct wa_log_file *f)
{
    if (f->own != NULL)
        f->own->fd = 2;
    wa_fd_close(&f->pipe[0]);
    wa_fd_close(&f->pipe[1]);
    if (f->fd == 2)
        f->fd = -1; /* it is everybody's */
    wa_fd_close(&f->fd);
    wa_dir_close(&f->dir);
    wa_syslog_close(&f->syslog);
}

/* 0: the present one. */
static bool name_of(const struct wa_log_file *f, uint64_t number, struct wa_relpath *ret)
{
    char text[WA_RELPATH_MAX + 16];
    struct wa_err ignored = WA_ERR_INIT;
    (void)snprintf(text, sizeof text, number == 0 ? "%s" : "%s.%llu", f->name.p,
                   (unsigned long long)number);
    return wa_relpath_parse(wa_sv(text), ret, &ignored) == WA_OK;
}

/* What can't be renamed stays, and is written on: a log must not stop the server. */
static void rotate(struct wa_log_file *f)
{
    struct wa_err err = WA_ERR_INIT;
    for (uint64_t i = f->keep; i > 0; i--) {
        struct wa_relpath from, to;
        struct wa_err missing = WA_ERR_INIT;
        if (name_of(f, i - 1, &from) && name_of(f, i, &to) &&
            wa_file_rename(&f->dir, &from, &f->dir, &to, &missing) != WA_OK)
            wa_err_clear(&missing);
    }
    if (f->keep == 0 && wa_file_remove(&f->dir, &f->name, &err) != WA_OK)
        wa_err_clear(&err);
    wa_fd_close(&f->fd);
    f->own->fd = 2;
    if (open_file(f, &err) != WA_OK)
        wa_err_clear(&err); /* tried again with the next lines */
}

static void write_piece(struct wa_log_file *f, const char *p, size_t n)
{
    struct wa_err err = WA_ERR_INIT;
    if (f->fd < 0 && open_file(f, &err) != WA_OK) {
        f->lost_bytes += n;
        return;
    }
    if (f->bytes > 0 && f->bytes + n > f->max_bytes)
        rotate(f);
    if (f->fd < 0 || wa_fd_write_all(f->fd, p, n, &err) != WA_OK) {
        f->lost_bytes += n;
        return;
    }
    f->bytes += n;
    if (f->lost_bytes > 0) {
        uint64_t lost = f->lost_bytes;
        f->lost_bytes = 0;
        wa_log(f->own, WA_LOG_WARNING, "log.lost", WA_LF_I("bytes", lost));
    }
}

void wa_log_file_take(struct wa_log_file *f)
{
    char piece[16384];             /* of at least one whole line */
    for (int i = 0; i < 64; i++) { /* the rest the next time: there is other work */
        ptrdiff_t n = wa_pipe_read(f->pipe[0], piece, sizeof piece);
        if (n <= 0)
            return;
        write_piece(f, piece, (size_t)n);
        wa_syslog_take(&f->syslog, piece, (size_t)n);
    }
}

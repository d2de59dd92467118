/* conn_io.c - reading, writing and closing the server's connections, through TLS or, in tests,
 * plainly. Never blocks, never raises SIGPIPE.
 */
#include "net/http_server_priv.h"

#include "os/socket.h"

#include <errno.h>

enum wa_code wa_conn_read(int fd, struct wa_tls *tls, void *p, size_t n, size_t *ret_n,
                          enum wa_tls_want *ret_want, struct wa_err *err)
{
    if (tls != NULL)
        return wa_tls_read(tls, p, n, ret_n, ret_want, err);
    ptrdiff_t got = wa_socket_read(fd, p, n);
    if (got < 0 && errno != EAGAIN)
        return wa_fail_errno(err, errno, "cannot read");
    *ret_want = got < 0 ? WA_TLS_WANT_READ : WA_TLS_DONE;
    *ret_n = got < 0 ? 0 : (size_t)got;
    return WA_OK;
}

bool wa_conn_is_drained(const struct wa_tls *tls, size_t n)
{
    return tls != NULL ? !wa_tls_has_pending(tls) : n < WA_READ_PIECE;
}

static enum wa_code write_plain(int fd, const void *p, size_t n, size_t *ret_n,
                                enum wa_tls_want *ret_want, struct wa_err *err)
{
    ptrdiff_t put = wa_socket_write(fd, p, n);
    if (put < 0 && errno != EAGAIN)
        return wa_fail_errno(err, errno, "cannot write");
    *ret_want = put < 0 ? WA_TLS_WANT_WRITE : WA_TLS_DONE;
    *ret_n = put < 0 ? 0 : (size_t)put;
    return WA_OK;
}

enum wa_code wa_outbox_write(struct wa_outbox *out, int fd, struct wa_tls *tls, size_t *ret_n,
                             enum wa_tls_want *ret_want, struct wa_err *err)
{
    enum wa_tls_want want = WA_TLS_DONE;
    *ret_n = 0;
    while (out->at < out->bytes.n && want == WA_TLS_DONE) {
        const char *p = out->bytes.p + out->at;
        size_t n = 0, left = out->bytes.n - out->at;
        enum wa_code code = tls != NULL ? wa_tls_write(tls, p, left, &n, &want, err)
                                        : write_plain(fd, p, left, &n, &want, err);
        if (code != WA_OK)
            return code;
        out->at += n;
        *ret_n += n;
    }
    if (out->at == out->bytes.n) {
        wa_buf_fini(&out->bytes);
        out->at = 0;
    }
    *ret_want = want;
    return WA_OK;
}

void wa_conn_shut(int fd, struct wa_tls **tls)
{
    if (*tls != NULL)
        wa_tls_close(*tls);
    wa_tls_free(*tls);
    *tls = NULL;
    wa_socket_shut(fd);
}

bool wa_conn_discard(int fd)
{
    char piece[WA_READ_PIECE];
    for (unsigned round = 0; round < WA_ROUNDS_MAX; round++) {
        ptrdiff_t got = wa_socket_read(fd, piece, sizeof piece);
        if (got <= 0)
            return got < 0 && errno == EAGAIN;
    }
    return true;
}

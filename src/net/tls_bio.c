/* tls_bio.c - the socket under OpenSSL, as its own but without SIGPIPE.
 *
 * OpenSSL writes with write(), which kills a process that does not ignore SIGPIPE whenever a peer
 * has gone. A library can't count on that, nor change the process's signals.
 */
#include "net/tls_priv.h"

#include "os/socket.h"

#include <errno.h>

static int descriptor(BIO *b)
{
    return (int)(intptr_t)BIO_get_data(b);
}

static bool comes_back(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK;
}

static int on_write(BIO *b, const char *p, int n)
{
    errno = 0;
    ptrdiff_t put = wa_socket_write(descriptor(b), p, (size_t)n);
    BIO_clear_retry_flags(b);
    if (put <= 0 && comes_back())
        BIO_set_retry_write(b);
    return (int)put;
}

static int on_read(BIO *b, char *p, int n)
{
    errno = 0;
    ptrdiff_t got = wa_socket_read(descriptor(b), p, (size_t)n);
    BIO_clear_retry_flags(b);
    if (got < 0 && comes_back())
        BIO_set_retry_read(b);
    else if (got == 0)
        BIO_set_flags(b, BIO_FLAGS_IN_EOF);
    return (int)got;
}

static long on_ctrl(BIO *b, int what, long number, void *pointer)
{
    WA_UNUSED(number);
    WA_UNUSED(pointer);
    if (what == BIO_CTRL_FLUSH || what == BIO_CTRL_DUP)
        return 1;
    if (what == BIO_CTRL_EOF)
        return BIO_test_flags(b, BIO_FLAGS_IN_EOF) != 0;
    return 0;
}

BIO_METHOD *wa_tls_socket_method(void)
{
    BIO_METHOD *m = BIO_meth_new(BIO_TYPE_SOURCE_SINK | 0x7f, "socket without SIGPIPE");
    if (m == NULL)
        return NULL;
    if (BIO_meth_set_write(m, on_write) != 1 || BIO_meth_set_read(m, on_read) != 1 ||
        BIO_meth_set_ctrl(m, on_ctrl) != 1) {
        BIO_meth_free(m);
        return NULL;
    }
    return m;
}

BIO *wa_tls_socket(BIO_METHOD *method, int fd)
{
    BIO *b = BIO_new(method);
    if (b == NULL)
        return NULL;
    BIO_set_data(b, (void *)(intptr_t)fd);
    BIO_set_init(b, 1);
    return b;
}

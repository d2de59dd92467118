/* pipe.h - bytes through pipes and local sockets, piece by piece, and waiting for several at once.
 */
#ifndef WA_OS_PIPE_H
#define WA_OS_PIPE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/* Bytes moved; 0 at the end of the stream (reading); -1 with errno: EAGAIN when a non-blocking one
 * would have to wait, EPIPE when nobody reads any more. */
ptrdiff_t wa_pipe_read(int fd, void *p, size_t n);
ptrdiff_t wa_pipe_write(int fd, const void *p, size_t n);

struct wa_pipe_wait {
    int fd;        /* negative: not looked at */
    bool to_write; /* wait until it can be written, else until something can be read or it has ended
                    */
    bool is_ready;
};
/* Until one is ready, or timeout_ms has passed, or a signal came: then *ret_count is 0. */
WA_CHECK enum wa_code wa_pipe_wait(struct wa_pipe_wait *list, size_t count, int timeout_ms,
                                   size_t *ret_count, struct wa_err *err);

#endif

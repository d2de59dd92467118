/* chan_priv.h - between chan.c (frames, blocking use) and chan_loop.c (use in a loop). */
#ifndef WA_OS_POSIX_CHAN_PRIV_H
#define WA_OS_POSIX_CHAN_PRIV_H

#include "os/chan.h"

#include <sys/types.h>
#include <sys/uio.h>

#define WA_CHAN_HEAD 12u /* bytes before the payload */

/* A frame to be written; its descriptor goes with its first byte. */
struct wa_chan_frame {
    struct wa_chan_frame *next;
    size_t n, done;
    int fd;
    char bytes[];
};

/* A descriptor that came, and the offset in `in` of a byte of the frame that it came with. */
struct wa_chan_came {
    int fd;
    size_t at;
};

struct wa_chan {
    int fd;
    const struct wa_chan_rule *accept;
    struct wa_buf in;
    size_t at; /* where the unread bytes of `in` begin */
    /* An honest peer can have two on the way: one of the frame at the front, which is not whole
     * yet, and one of the frame whose beginning came with the end of that one. */
    struct wa_chan_came came[2];
    size_t came_count;
    bool is_dead;
    uint32_t patience_ms; /* 0: for ever */
    struct wa_chan_frame *first, **last;
    size_t queued;
    struct wa_loop *loop;
    struct wa_soon soon; /* what was posted in this turn goes out together */
    size_t gathered;     /* bytes of it */
    struct wa_io *io;
    wa_chan_fn on_msg;
    wa_chan_end_fn on_end;
    void *user;
    bool *freed; /* set when the channel is freed inside one of its callbacks */
};

/* In the language that this thread speaks. */
void wa_chan_put_head(char head[WA_CHAN_HEAD], uint16_t type, uint32_t id, size_t n);
/* One recvmsg() that does not wait. WA_E_AGAIN, WA_E_NOT_FOUND at the end of the stream. */
WA_CHECK enum wa_code wa_chan_fill(struct wa_chan *c, struct wa_err *err);
/* The message at the front, if whole; WA_E_AGAIN otherwise. */
WA_CHECK enum wa_code wa_chan_parse(struct wa_chan *c, struct wa_chan_msg *ret, struct wa_err *err);
/* Sends what it can of these, pass_fd (or -1) with them. Returns bytes; 0 when it would block; -1
 * with errno. */
ssize_t wa_chan_send_pieces(int fd, struct iovec *pieces, size_t count, int pass_fd);
/* A piece of bytes that are only read. */
struct iovec wa_chan_piece(const char *p, size_t n);
/* What was posted and waits for the end of the turn goes out, as far as the socket takes it. */
void wa_chan_flush_last(struct wa_chan *c);

#endif

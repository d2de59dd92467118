/* local_site.h - pages for one person's browser, on loopback: files that are built in (assets.h),
 * and calls behind the gate (local_gate.h).
 *
 * Nobody but this person's own processes is answered (the kernel says whose the peer is), and
 * none of them without the token, which the ticket of a link buys once.
 *
 * A call is answered in the language that it asks for (Accept-Language), whatever the program was
 * started in.
 */
#ifndef WA_NET_LOCAL_SITE_H
#define WA_NET_LOCAL_SITE_H

#include "base/log.h"
#include "net/assets.h"
#include "net/local_gate.h"
#include "net/stop.h"

/* An exchange that is answered later: conn NULL when the page has gone meanwhile. The first member
 * of whatever is a connection's user data. */
struct wa_local_exchange {
    struct wa_http_conn *conn;
    struct wa_stop *stop; /* pulled when the page goes; NULL: the work goes on without it */
};

struct wa_local_site;
struct wa_local_site_options {
    struct wa_loop *loop;
    const struct wa_log *log;
    const struct wa_assets *pages;
    int64_t idle_s; /* without a call: then it ends */
    /* Whether there is such a call below /local and /api, and how much of a body it takes. After
     * the gate. WA_E_NOT_FOUND. */
    enum wa_code (*judge)(void *user, const struct wa_http_head *head, size_t *ret_max,
                          struct wa_err *err);
    void (*call)(void *user, struct wa_http_conn *c, struct wa_sv body);
    /* Calls whose body is bytes, which are not collected: whether it is one, and what takes it by
     * wa_http_stream_body(); when all is there call() is called. After the gate. May be NULL. */
    bool (*takes_bytes)(void *user, const struct wa_http_head *head);
    void (*begin_bytes)(void *user, struct wa_http_conn *c);
    /* Every second; true: it is being used, and does not end. */
    bool (*tick)(void *user);
    /* It ends, of itself or by wa_local_site_end(): what waits for something is to be answered at
     * once. Once. */
    void (*ending)(void *user);
    void *user;
};
/* o is copied. */
WA_CHECK enum wa_code wa_local_site_new(const struct wa_local_site_options *o,
                                        struct wa_local_site **ret, struct wa_err *err);
/* Finishes what runs, for a moment, then stops the loop. NULL is allowed. */
void wa_local_site_end(struct wa_local_site *s);
/* At once; before the loop is. NULL is allowed. */
void wa_local_site_free(struct wa_local_site *s);

/* A new link for a browser; out has room for WA_LOCAL_LINK_SIZE. It is a secret. */
#define WA_LOCAL_LINK_SIZE 256
WA_CHECK enum wa_code wa_local_site_link(struct wa_local_site *s, char *out, struct wa_err *err);

void wa_local_answer_json(struct wa_http_conn *c, struct wa_buf *out);

/* --- local_prefs.c: what a person has chosen in the pages --- */
/* dir: made with 0700; NULL: nothing is kept. */
void wa_local_prefs_answer(const char *dir, struct wa_http_conn *c);
void wa_local_prefs_keep(const char *dir, struct wa_http_conn *c, struct wa_sv body);

#endif

/* http_line.c - see http_line.h. Addresses are tried one after another, each next one a moment
 * later while the ones before still may answer (RFC 8305).
 */
#include "net/http_line.h"

#include "base/mem.h"
#include "base/text.h"
#include "os/clock.h"
#include "os/fs.h"

#include <errno.h>

#define HEAD_START_MS 250

/* --- addresses --- */

struct race {
    struct wa_pipe_wait runners[WA_PATIENCE_WAITS];
    size_t count, next; /* next: the address that begins next */
    const struct wa_addresses *addresses;
    const struct wa_line_to *to;
    struct wa_err why; /* the last failure */
};

static void race_end(struct race *r)
{
    for (size_t i = 0; i < r->count; i++)
        wa_fd_close(&r->runners[i].fd);
    r->count = 0;
}

static void failed(struct race *r, int errnum)
{
    wa_err_clear(&r->why);
    (void)wa_fail(&r->why, WA_E_UNREACHABLE, "cannot reach '%s': %s", r->to->url->host,
                  wa_text(strerror(errnum)));
}

static void begin_next(struct race *r)
{
    char text[WA_ADDRESS_TEXT_MAX];
    size_t i = r->next++;
    wa_addresses_text(r->addresses, i, text);
    if (r->to->may_connect != NULL && !r->to->may_connect(r->to->user, text))
        return;
    int fd = wa_socket_connect(r->addresses, i);
    if (fd < 0)
        failed(r, errno);
    else
        r->runners[r->count++] = (struct wa_pipe_wait){.fd = fd, .to_write = true};
}

/* *ret_fd: the first that is connected; -1: none is yet. */
static void judge(struct race *r, int *ret_fd)
{
    size_t left = 0;
    for (size_t i = 0; i < r->count; i++) {
        int *fd = &r->runners[i].fd;
        int outcome = r->runners[i].is_ready && *ret_fd < 0 ? wa_socket_outcome(*fd) : 0;
        if (r->runners[i].is_ready && *ret_fd < 0 && outcome == 0) {
            *ret_fd = *fd;
        } else if (outcome != 0) {
            failed(r, outcome);
            wa_fd_close(fd);
        } else {
            r->runners[left++] = r->runners[i];
        }
    }
    r->count = left;
}

static enum wa_code connect_first(struct race *r, struct wa_patience *p, int *ret_fd,
                                  struct wa_err *err)
{
    size_t all = wa_addresses_count(r->addresses), ready = 0;
    (void)wa_fail(&r->why, WA_E_REFUSED,
                  "no address of '%s' may be connected to: all are private (webhook_networks)",
                  r->to->url->host);
    while (*ret_fd < 0) {
        bool has_more = r->next < all && r->count < WA_PATIENCE_WAITS;
        if (has_more)
            begin_next(r);
        if (r->count == 0 && r->next >= all) {
            *err = r->why;
            return err->code;
        }
        has_more = r->next < all && r->count < WA_PATIENCE_WAITS;
        if (r->count == 0)
            continue;
        if (wa_patience_wait(p, r->runners, r->count, has_more ? HEAD_START_MS : -1, &ready, err) !=
            WA_OK)
            return err->code;
        if (ready > 0)
            judge(r, ret_fd);
    }
    return WA_OK;
}

enum wa_code wa_line_reach(const struct wa_line_to *to, struct wa_patience *p, struct wa_line **ret,
                           struct wa_err *err)
{
    WA_AUTO(wa_addresses) struct wa_addresses *found = NULL;
    WA_AUTO(wa_line) struct wa_line *l = wa_calloc(1, sizeof *l);
    if (l == NULL)
        return wa_nomem(err);
    l->fd = -1;
    if (wa_patience_look_up(p, to->url->host, to->url->port, &found, err) != WA_OK)
        return err->code;
    struct race r = {.addresses = found, .to = to, .why = WA_ERR_INIT};
    enum wa_code code = connect_first(&r, p, &l->fd, err);
    race_end(&r);
    l->since_ms = l->used_ms = wa_clock_mono_ms();
    if (code == WA_OK)
        *ret = WA_TAKE(l);
    return code;
}

/* --- TLS --- */

enum wa_code wa_line_secure(struct wa_line *l, const struct wa_line_to *to, struct wa_patience *p,
                            struct wa_err *err)
{
    struct wa_tls_trust whom = *to->trust;
    enum wa_tls_want want = WA_TLS_WANT_WRITE;
    size_t ready = 0;
    if (whom.host[0] == '\0')
        (void)snprintf(whom.host, sizeof whom.host, "%s", to->url->host);
    if (wa_tls_client_ctx(&whom, &l->ctx, err) != WA_OK ||
        wa_tls_new(l->ctx, l->fd, false, &l->tls, err) != WA_OK)
        return err->code;
    while (want != WA_TLS_DONE) {
        if (wa_tls_handshake(l->tls, &want, err) != WA_OK)
            return err->code;
        struct wa_pipe_wait w = {.fd = l->fd, .to_write = want == WA_TLS_WANT_WRITE};
        if (want != WA_TLS_DONE && wa_patience_wait(p, &w, 1, -1, &ready, err) != WA_OK)
            return err->code;
    }
    return wa_tls_peer_fingerprint(l->tls, l->certificate, err);
}

void wa_line_close(struct wa_line *l)
{
    if (l == NULL)
        return;
    if (l->tls != NULL && !l->is_cut)
        wa_tls_close(l->tls);
    wa_tls_free(l->tls);
    wa_tls_ctx_free(l->ctx);
    wa_fd_close(&l->fd);
    wa_free(l);
}

/* --- bytes --- */

static enum wa_code outcome(ptrdiff_t n, enum wa_tls_want wanted, size_t *ret_n,
                            enum wa_tls_want *ret_want, struct wa_err *err)
{
    *ret_want = n < 0 && errno == EAGAIN ? wanted : WA_TLS_DONE;
    *ret_n = n < 0 ? 0 : (size_t)n;
    return n >= 0 || errno == EAGAIN ? WA_OK
                                     : wa_fail(err, WA_E_UNREACHABLE, "the connection was cut: %s",
                                               wa_text(strerror(errno)));
}

enum wa_code wa_line_read(struct wa_line *l, void *p, size_t n, size_t *ret_n,
                          enum wa_tls_want *ret_want, struct wa_err *err)
{
    enum wa_code code = l->tls != NULL ? wa_tls_read(l->tls, p, n, ret_n, ret_want, err)
                                       : outcome(wa_socket_read(l->fd, p, n), WA_TLS_WANT_READ,
                                                 ret_n, ret_want, err);
    l->is_cut = l->is_cut || code == WA_E_UNREACHABLE ||
                (code == WA_OK && *ret_want == WA_TLS_DONE && *ret_n == 0);
    return code;
}

enum wa_code wa_line_write(struct wa_line *l, const void *p, size_t n, size_t *ret_n,
                           enum wa_tls_want *ret_want, struct wa_err *err)
{
    enum wa_code code = l->tls != NULL ? wa_tls_write(l->tls, p, n, ret_n, ret_want, err)
                                       : outcome(wa_socket_write(l->fd, p, n), WA_TLS_WANT_WRITE,
                                                 ret_n, ret_want, err);
    l->is_cut = l->is_cut || code == WA_E_UNREACHABLE;
    return code;
}

bool wa_line_is_quiet(const struct wa_line *l)
{
    struct wa_pipe_wait w = {.fd = l->fd};
    struct wa_err err = WA_ERR_INIT;
    size_t ready = 0;
    if (l->is_cut || (l->tls != NULL && wa_tls_has_pending(l->tls)))
        return false;
    return wa_pipe_wait(&w, 1, 0, &ready, &err) == WA_OK && ready == 0;
}

/* ldap_conn.c - a conversation with a directory: connect, TLS, one question after the other.
 *
 * It blocks, each step until the deadline of the whole, and belongs into a process that can be
 * ended. Before TLS is agreed on and the certificate accepted, all that is sent is the wish for it,
 * and what the other side sent before is no part of the conversation after it.
 */
#include "net/ldap_priv.h"

#include "base/mem.h"
#include "codec/csv.h"
#include "os/clock.h"
#include "os/fs.h"
#include "os/pipe.h"
#include "os/socket.h"

#include <errno.h>

#define PORT_TLS 636u
#define PORT_PLAIN 389u
#define PIECE 4096u

/* --- waiting --- */

static enum wa_code wait_for(struct wa_ldap *l, bool to_write, struct wa_err *err)
{
    for (;;) {
        struct wa_pipe_wait w = {.fd = l->fd, .to_write = to_write};
        uint64_t now = wa_clock_mono_ms();
        size_t ready = 0;
        if (now >= l->deadline_ms)
            return wa_fail(err, WA_E_TIMEOUT, "the directory does not answer in time");
        if (wa_pipe_wait(&w, 1, (int)(l->deadline_ms - now), &ready, err) != WA_OK)
            return err->code;
        if (ready > 0)
            return WA_OK;
    }
}

static enum wa_code wait_tls(struct wa_ldap *l, enum wa_tls_want want, struct wa_err *err)
{
    return wait_for(l, want == WA_TLS_WANT_WRITE, err);
}

/* --- bytes --- */

static enum wa_code write_some(struct wa_ldap *l, struct wa_sv s, size_t *ret, struct wa_err *err)
{
    enum wa_tls_want want = WA_TLS_DONE;
    *ret = 0;
    if (l->tls != NULL) {
        if (wa_tls_write(l->tls, s.p, s.n, ret, &want, err) != WA_OK)
            return err->code;
        return want == WA_TLS_DONE ? WA_OK : wait_tls(l, want, err);
    }
    ptrdiff_t put = wa_socket_write(l->fd, s.p, s.n);
    if (put < 0 && errno != EAGAIN)
        return wa_fail_errno(err, errno, "cannot write to the directory");
    *ret = put > 0 ? (size_t)put : 0;
    return put > 0 ? WA_OK : wait_for(l, true, err);
}

static enum wa_code write_all(struct wa_ldap *l, const struct wa_buf *out, struct wa_err *err)
{
    struct wa_sv rest = wa_buf_sv(out);
    if (wa_buf_check(out, err) != WA_OK)
        return err->code;
    while (rest.n > 0) {
        size_t n = 0;
        if (write_some(l, rest, &n, err) != WA_OK)
            return err->code;
        rest = wa_sv_sub(rest, n, rest.n);
    }
    return WA_OK;
}

static enum wa_code read_some(struct wa_ldap *l, struct wa_err *err)
{
    char piece[PIECE];
    enum wa_tls_want want = WA_TLS_DONE;
    size_t n = 0;
    if (l->tls != NULL) {
        if (wa_tls_read(l->tls, piece, sizeof piece, &n, &want, err) != WA_OK)
            return err->code;
    } else {
        ptrdiff_t got = wa_socket_read(l->fd, piece, sizeof piece);
        if (got < 0 && errno != EAGAIN)
            return wa_fail_errno(err, errno, "cannot read from the directory");
        want = got < 0 ? WA_TLS_WANT_READ : WA_TLS_DONE;
        n = got > 0 ? (size_t)got : 0;
    }
    if (want != WA_TLS_DONE)
        return wait_tls(l, want, err);
    if (n == 0)
        return wa_fail(err, WA_E_UNREACHABLE, "the directory closed the connection");
    wa_buf_add(&l->in, piece, n);
    return wa_buf_check(&l->in, err);
}

/* The next message, which lives until the next call. */
static enum wa_code receive(struct wa_ldap *l, struct wa_ldap_message *ret, struct wa_err *err)
{
    wa_buf_consume(&l->in, l->taken);
    l->taken = 0;
    for (;;) {
        size_t n = 0;
        if (!wa_ber_length(wa_buf_sv(&l->in), &n) ||
            (l->in.n > 0 && (unsigned char)l->in.p[0] != WA_BER_SEQUENCE))
            return wa_fail(err, WA_E_INVALID, "the directory's answer is not LDAP");
        if (n > WA_LDAP_MESSAGE_MAX)
            return wa_fail(err, WA_E_LIMIT, "the directory's answer has more than %u bytes",
                           WA_LDAP_MESSAGE_MAX);
        if (n > 0 && l->in.n >= n) {
            l->taken = n;
            return wa_ldap_message_read(wa_sv_sub(wa_buf_sv(&l->in), 0, n), ret, err);
        }
        if (read_some(l, err) != WA_OK)
            return err->code;
    }
}

/* The answer to the last question. Message 0 is the server's farewell. */
static enum wa_code receive_answer(struct wa_ldap *l, struct wa_ldap_message *ret,
                                   struct wa_err *err)
{
    if (receive(l, ret, err) != WA_OK)
        return err->code;
    if (ret->id == l->last_id)
        return WA_OK;
    return ret->id == 0 ? wa_fail(err, WA_E_UNREACHABLE, "the directory ended the connection")
                        : wa_fail(err, WA_E_INVALID, "the directory answered another question");
}

static enum wa_code answer_of(struct wa_ldap *l, unsigned op, struct wa_ldap_result *ret,
                              struct wa_err *err)
{
    struct wa_ldap_message m;
    if (receive_answer(l, &m, err) != WA_OK)
        return err->code;
    if (m.op != op)
        return wa_fail(err, WA_E_INVALID, "the directory's answer is of another kind");
    return wa_ldap_result_read(m.body, ret, err);
}

/* --- connecting --- */

static enum wa_code start_tls(struct wa_ldap *l, struct wa_err *err)
{
    struct wa_ldap_result r;
    WA_AUTO_BUF struct wa_buf out;
    wa_buf_init(&out, PIECE);
    wa_ldap_start_tls_write(++l->last_id, &out);
    if (write_all(l, &out, err) != WA_OK || answer_of(l, WA_LDAP_EXTENDED_DONE, &r, err) != WA_OK)
        return err->code;
    if (r.code != WA_LDAP_SUCCESS)
        return wa_fail(err, WA_E_REFUSED,
                       "the directory does not know TLS (result %d), and no password is sent "
                       "without it",
                       (int)r.code);
    if (l->in.n != l->taken) /* somebody put it in front of the encrypted conversation */
        return wa_fail(err, WA_E_REFUSED, "the directory said more before TLS than it was asked");
    return WA_OK;
}

static enum wa_code agree(struct wa_ldap *l, struct wa_err *err)
{
    WA_AUTO(wa_tls) struct wa_tls *tls = NULL;
    enum wa_tls_want want = WA_TLS_WANT_WRITE;
    if (wa_tls_new(l->ctx, l->fd, false, &tls, err) != WA_OK)
        return err->code;
    while (want != WA_TLS_DONE) {
        if (wa_tls_handshake(tls, &want, err) != WA_OK ||
            (want != WA_TLS_DONE && wait_tls(l, want, err) != WA_OK))
            return err->code;
    }
    l->tls = WA_TAKE(tls);
    return WA_OK;
}

static enum wa_code connect_one(struct wa_ldap *l, const struct wa_addresses *a, size_t i,
                                struct wa_err *err)
{
    l->fd = wa_socket_connect(a, i);
    if (l->fd < 0)
        return wa_fail_errno(err, errno, "cannot reach the directory");
    if (wait_for(l, true, err) != WA_OK)
        return err->code;
    int failed = wa_socket_outcome(l->fd);
    return failed == 0 ? WA_OK : wa_fail_errno(err, failed, "cannot reach the directory");
}

/* Any address of the name. Each has its share of the time, so that one that is silent leaves some
 * for the next. */
static enum wa_code reach(struct wa_ldap *l, const char *host, uint16_t port, uint64_t until,
                          struct wa_err *err)
{
    WA_AUTO(wa_addresses) struct wa_addresses *a = NULL;
    if (wa_addresses_find(host, port, &a, err) != WA_OK)
        return err->code;
    enum wa_code code = wa_fail(err, WA_E_UNREACHABLE, "the directory's name has no address");
    for (size_t i = 0; i < wa_addresses_count(a) && code != WA_OK; i++) {
        uint64_t now = wa_clock_mono_ms();
        wa_err_clear(err);
        wa_fd_close(&l->fd);
        l->deadline_ms = now + WA_LDAP_CONNECT_MS < until ? now + WA_LDAP_CONNECT_MS : until;
        code = connect_one(l, a, i, err);
    }
    return code;
}

/* "host", "host:port", "[address]:port". */
static enum wa_code read_server(struct wa_sv text, bool is_ldaps, char host[256],
                                uint16_t *ret_port, struct wa_err *err)
{
    struct wa_sv name = text, port = WA_SV("");
    uint64_t number = is_ldaps ? PORT_TLS : PORT_PLAIN;
    size_t at;
    bool is_bracketed = wa_sv_starts(text, "[") && wa_sv_chr(text, ']', &at);
    if (is_bracketed) {
        name = wa_sv_sub(text, 1, at - 1);
        port = wa_sv_sub(text, at + 1, text.n);
    } else if (wa_sv_chr(text, ':', &at)) {
        name = wa_sv_sub(text, 0, at);
        port = wa_sv_sub(text, at, text.n);
    }
    if (name.n == 0 || name.n > 255 || wa_sv_chr(name, '/', &at) ||
        (port.n > 0 && (port.p[0] != ':' || !wa_sv_u64(wa_sv_sub(port, 1, port.n), &number) ||
                        number == 0 || number > UINT16_MAX)))
        return wa_fail(err, WA_E_CONFIG, "'%.*s' is no name or address of a directory's server",
                       WA_SV_ARG(text));
    (void)snprintf(host, 256, "%.*s", WA_SV_ARG(name));
    *ret_port = (uint16_t)number;
    return WA_OK;
}

static enum wa_code open_one(const struct wa_ldap_where *where, struct wa_sv server, uint64_t until,
                             struct wa_ldap *l, struct wa_err *err)
{
    struct wa_tls_trust trust = *where->trust;
    uint16_t port = 0;
    if (read_server(server, where->is_ldaps, trust.host, &port, err) != WA_OK ||
        wa_tls_client_ctx(&trust, &l->ctx, err) != WA_OK ||
        reach(l, trust.host, port, until, err) != WA_OK)
        return err->code;
    uint64_t now = wa_clock_mono_ms();
    l->deadline_ms = now + WA_LDAP_CONNECT_MS < until ? now + WA_LDAP_CONNECT_MS : until;
    if ((!where->is_ldaps && start_tls(l, err) != WA_OK) || agree(l, err) != WA_OK)
        return err->code;
    l->deadline_ms = until;
    return WA_OK;
}

enum wa_code wa_ldap_open(const struct wa_ldap_where *where, uint64_t deadline_ms,
                          struct wa_ldap *l, struct wa_err *err)
{
    struct wa_sv rest = wa_sv(where->servers), server;
    enum wa_code code = WA_E_CONFIG;
    for (size_t i = 0; i < WA_LDAP_SERVERS_MAX && wa_csv_next(&rest, &server); i++) {
        struct wa_err why = WA_ERR_INIT;
        *l = (struct wa_ldap)WA_LDAP_INIT;
        wa_buf_init(&l->in, WA_LDAP_MESSAGE_MAX + PIECE);
        code = open_one(where, server, deadline_ms, l, &why);
        wa_err_clear(err);
        if (code == WA_OK)
            return WA_OK;
        wa_ldap_close(l);
        (void)wa_fail(err, code, "directory server '%.*s': %s", WA_SV_ARG(server), why.text);
    }
    return err->code != WA_OK ? err->code
                              : wa_fail(err, code, "no directory server is set (ldap_auth_server)");
}

void wa_ldap_close(struct wa_ldap *l)
{
    if (l->tls != NULL)
        wa_tls_close(l->tls);
    wa_tls_free(l->tls);
    wa_tls_ctx_free(l->ctx);
    wa_fd_close(&l->fd);
    wa_buf_fini(&l->in);
    *l = (struct wa_ldap)WA_LDAP_INIT;
}

/* --- questions --- */

enum wa_code wa_ldap_bind(struct wa_ldap *l, struct wa_sv name, struct wa_sv password,
                          struct wa_ldap_result *ret, struct wa_err *err)
{
    WA_AUTO_BUF_SECRET struct wa_buf out;
    wa_buf_init(&out, PIECE);
    /* An empty password is a bind as nobody, which succeeds (RFC 4513, 5.1.2). */
    if (l->tls == NULL || name.n == 0 || password.n == 0)
        return wa_fail(err, WA_E_INTERNAL, "a bind without a name, a password or TLS");
    wa_ldap_bind_write(++l->last_id, name, password, &out);
    if (write_all(l, &out, err) != WA_OK)
        return err->code;
    return answer_of(l, WA_LDAP_BOUND, ret, err);
}

enum wa_code wa_ldap_search(struct wa_ldap *l, const struct wa_ldap_search *s, wa_ldap_entry_fn fn,
                            void *user, int32_t *ret_result, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf out;
    wa_buf_init(&out, WA_LDAP_QUESTION_MAX);
    wa_ldap_search_write(++l->last_id, s, &out);
    if (write_all(l, &out, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i <= WA_LDAP_ENTRIES_MAX; i++) {
        struct wa_ldap_message m;
        struct wa_ldap_entry e;
        struct wa_ldap_result r;
        if (receive_answer(l, &m, err) != WA_OK)
            return err->code;
        if (m.op == WA_LDAP_DONE) {
            if (wa_ldap_result_read(m.body, &r, err) == WA_OK)
                *ret_result = r.code;
            return err->code;
        }
        if (m.op == WA_LDAP_REFERENCE)
            continue;
        if (m.op != WA_LDAP_ENTRY)
            return wa_fail(err, WA_E_INVALID, "the directory's answer is of another kind");
        if (wa_ldap_entry_read(m.body, &e, err) != WA_OK || fn(user, &e, err) != WA_OK)
            return err->code;
    }
    return wa_fail(err, WA_E_LIMIT, "the directory answers without end");
}

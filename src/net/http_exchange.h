/* http_exchange.h - one request and its answer over a connection (http_line.h). Blocking.
 *
 * What could be read in two ways ends the connection: net/http.h says what is refused. After an
 * answer the connection may be used again only if it is known where the answer ended - by a length,
 * by its last chunk, or since it has no body -, nothing came behind it, the whole request was sent,
 * and neither side wants to close. Everything else: it is closed.
 */
#ifndef WA_NET_HTTP_EXCHANGE_H
#define WA_NET_HTTP_EXCHANGE_H

#include "base/buf.h"
#include "base/stream.h"
#include "net/http.h"
#include "net/http_line.h"

struct wa_http_request {
    const char *method;     /* "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT" */
    const char *path;       /* as it is sent, with its query: the caller has looked at it */
    const char *headers;    /* "Name: value\r\n" lines; NULL: none */
    struct wa_source *body; /* NULL: none */
    bool wants_status;      /* alone: the answer's body is not read */
    bool may_repeat;        /* asking twice is as good as once: GET and HEAD anyway */
    bool closes;            /* the connection is not used again */
    uint64_t max_bytes;     /* of the answer's body */
    uint32_t timeout_ms;    /* the whole exchange, 0: none */
    /* Fewer bytes than rate_min_bytes_s on average over each rate_window_s: WA_E_TIMEOUT. 0: any.
     * Half of rate_max_bytes_s when that is less. */
    uint32_t rate_min_bytes_s, rate_window_s;
    uint64_t rate_max_bytes_s; /* the answer comes no faster than this; 0: as fast as it goes */
    uint64_t resume_from; /* GET: bytes the caller has; no byte of anything else is handed on */
    /* At least once a second; false cancels. Of the request's body, then of the answer's; total 0:
     * it is not known. May be NULL. */
    bool (*progress)(void *user, uint64_t done, uint64_t total);
    /* Before the first byte of the body; failing ends it. May be NULL. */
    enum wa_code (*on_answer)(void *user, const struct wa_http_result *r, struct wa_err *err);
    void *user;
    struct wa_stop *stop; /* WA_E_CANCELLED as soon as it is pulled; may be NULL */
};
struct wa_http_outcome {
    bool was_sent;  /* a byte of the request left */
    bool was_heard; /* a byte of an answer came */
    bool is_clean;  /* the connection may be used again */
};
/* An answer of any status is WA_OK. sink: for its body; NULL: nowhere. ret_outcome is set whatever
 * comes back. WA_E_UNREACHABLE: the connection was cut, or what came is no HTTP that may be used;
 * WA_E_TIMEOUT, WA_E_CANCELLED, WA_E_LIMIT, WA_E_DENIED (our certificate is refused),
 * WA_E_CONFLICT and WA_E_INVALID (not the rest that was asked for), and what on_answer and sink
 * say.
 */
WA_CHECK enum wa_code wa_http_exchange(struct wa_line *line, const struct wa_url *url,
                                       const struct wa_http_request *q, struct wa_patience *p,
                                       struct wa_sink *sink, struct wa_http_result *ret,
                                       struct wa_http_outcome *ret_outcome, struct wa_err *err);

#endif

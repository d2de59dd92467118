/* http_client.h - one blocking HTTPS exchange with libcurl, under the policy of net/tls.
 *
 * For the agent's fetch helper, never in a loop; for all else there is http_lines.h. Https only
 * unless allow_http (package repositories whose content is signed), no cookies, no environment
 * proxies, no compression; redirects only where redirects_max says so.
 */
#ifndef WA_NET_HTTP_CLIENT_H
#define WA_NET_HTTP_CLIENT_H

#include "base/buf.h"
#include "base/stream.h"
#include "net/http.h"
#include "net/tls.h"

struct wa_http_call {
    const char *method; /* "GET", "HEAD", "POST", "PUT", "DELETE" */
    const char *url;
    const char *const *headers;  /* "Name: value", NULL-terminated; may be NULL */
    struct wa_source *body;      /* NULL: none */
    const char *proxy;           /* "http://[user:password@]host:port", Basic; NULL: none */
    const char *user, *password; /* Basic, NULL: none; only over https */
    bool allow_http;
    uint64_t max_bytes; /* of the answer's body */
    uint32_t connect_timeout_ms;
    uint32_t timeout_ms; /* whole exchange, 0: none */
    /* Fewer bytes than rate_min_bytes_s on average over each rate_window_s: WA_E_TIMEOUT (slow
     * retrieval). 0: any. Half of rate_max_bytes_s when that is less. */
    uint32_t rate_min_bytes_s, rate_window_s;
    uint64_t rate_max_bytes_s; /* no faster than this; 0: as fast as it goes */
    /* GET without login: how many redirects are followed. From https to https alone, from http
     * also within the same host; under the trust given, but for its host and fingerprint. */
    uint32_t redirects_max;
    uint64_t resume_from; /* GET: bytes the caller has already; no byte of any other answer than the
                             rest is handed on */
    bool (*progress)(void *user, uint64_t done, uint64_t total); /* false cancels; may be NULL */
    void *progress_user;
};
/* An answer of any
 * status is WA_OK; the caller judges ret->status, also of what went to body.
 * trust->host "" means the URL's. WA_E_UNREACHABLE, WA_E_TIMEOUT, WA_E_REFUSED (certificate, with
 * its fingerprint and reason), WA_E_LIMIT, WA_E_CANCELLED, WA_E_INVALID (another part than
 * resume_from asks for), WA_E_CONFLICT (something else than a part), WA_E_CONFIG, and what body's
 * sink says. */
WA_CHECK enum wa_code wa_http_perform(const struct wa_http_call *call,
                                      const struct wa_tls_trust *trust, struct wa_sink *body,
                                      struct wa_http_result *ret, struct wa_err *err);

#endif

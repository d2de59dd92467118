/* http_post.h - one blocking request to an address that the caller has looked at.
 *
 * For a process that is told by others where to send, and can be ended: the name is looked up once,
 * each address is shown to the caller, and only one that it lets is connected to - the same bytes
 * that it saw, so that no second look-up leads elsewhere. No redirects, no cookies; of the answer
 * the status counts, its body is read only where the caller takes one.
 *
 * Through a proxy it is the proxy that looks a name up, and that judges where it leads; the caller
 * is shown what is written as an address.
 */
#ifndef WA_NET_HTTP_POST_H
#define WA_NET_HTTP_POST_H

#include "base/buf.h"
#include "net/tls.h"

struct wa_http_post {
    const char *method; /* NULL: POST */
    const char *url;
    const char *headers; /* "Name: value\r\n" lines */
    struct wa_sv body;
    bool allow_http;
    uint32_t timeout_ms;   /* of all of it; but a look-up of the name is not cut short */
    struct wa_buf *answer; /* NULL: its body is not read; else appended, up to its cap */
    const char *proxy;     /* as of wa_line_to, for https; NULL or "": none */
    const char *bypass;    /* what does not go through it, as of wa_proxy_leads_to() */
    /* Whether this address, as text, may be connected to; NULL: any may. */
    bool (*may_connect)(void *user, const char *address);
    void *user;
};
/* An answer of any status is WA_OK; a proxy that lets nobody through is WA_E_UNREACHABLE.
 * WA_E_REFUSED: no address of the name may be connected to, or the certificate is not trusted;
 * WA_E_UNREACHABLE, WA_E_TIMEOUT, WA_E_CONFIG (the address), WA_E_LIMIT (the answer). trust's host
 * is the URL's. */
WA_CHECK enum wa_code wa_http_post(const struct wa_http_post *p, const struct wa_tls_trust *trust,
                                   int *ret_status, struct wa_err *err);

#endif

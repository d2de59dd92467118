/* http_client_priv.h - between http_client.c and http_client_answer.c. */
#ifndef WA_NET_HTTP_CLIENT_PRIV_H
#define WA_NET_HTTP_CLIENT_PRIV_H

#include "net/http_client.h"
#include "net/pace.h"

#include <curl/curl.h>

struct wa_client_exchange {
    const struct wa_http_call *call;
    const char *url; /* of this hop */
    bool shows_identity;
    struct wa_tls_ctx *tls;
    struct wa_sink *sink;
    struct wa_http_result *result;
    struct wa_err *err; /* what a callback found wrong */
    uint64_t body_at;
    bool is_https, has_policy; /* has_policy: it was installed in this very connection */
    bool has_head;             /* to its end: libcurl takes one that is cut off for an answer */
    size_t head_bytes;         /* of all hops */
    struct wa_pace pace;
    bool may_redirect; /* this hop is not the last that is allowed */
    char *next;        /* where a redirect leads; owned */
    CURL *curl;
};

/* Has libcurl tell what it hears to x. */
void wa_client_answer_take(struct wa_client_exchange *x);
/* Before the first byte of a body is believed. */
WA_CHECK enum wa_code wa_client_answer_check(struct wa_client_exchange *x);
bool wa_client_answer_redirects(const struct wa_client_exchange *x);

#endif

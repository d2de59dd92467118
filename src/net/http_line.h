/* http_line.h - one connection of a client to a server: TCP, and TLS for https.
 *
 * A step never waits; what to wait for is told. One thread at a time.
 */
#ifndef WA_NET_HTTP_LINE_H
#define WA_NET_HTTP_LINE_H

#include "codec/url.h"
#include "net/patience.h"
#include "net/tls.h"

struct wa_line {
    int fd;
    struct wa_tls_ctx *ctx;
    struct wa_tls *tls;   /* NULL: plain */
    char certificate[65]; /* of the server, its SHA-256; "" without TLS */
    bool is_cut;          /* the other side has closed it, or it broke */
    uint64_t since_ms, used_ms;
    struct wa_line *next; /* its owner's */
};
/* Where to. url and trust are not kept. */
struct wa_line_to {
    const struct wa_url *url;
    const struct wa_tls_trust *trust; /* its host "": the URL's */
    const char *proxy;                /* "http://[user:password@]host:port"; NULL: none */
    /* Whether this address, as text, may be connected to; NULL: any may. Not with a proxy. */
    bool (*may_connect)(void *user, const char *address);
    void *user;
};
/* Whether that can be a proxy: WA_E_CONFIG, with no word of what is in it. */
WA_CHECK enum wa_code wa_proxy_check(const char *proxy, struct wa_err *err);
/* Whether what is asked for goes through a proxy at all, but for what bypass lists, separated by
 * commas: names, with all that is below them, addresses and networks. Names without a dot, this
 * machine's own, and what no resolver takes for a name - 127.1 - are never passed on: a proxy would
 * take them for its own. */
bool wa_proxy_leads_to(const struct wa_url *to, struct wa_sv bypass);
/* WA_E_CONFIG names the first of bypass that is nothing of the kind. */
WA_CHECK enum wa_code wa_proxy_bypass_check(struct wa_sv bypass, struct wa_err *err);
/* TCP and, for https, TLS; through the proxy if there is one (http_tunnel.c). WA_E_UNREACHABLE,
 * WA_E_TIMEOUT, WA_E_CANCELLED; WA_E_REFUSED: the certificate, or no address may be connected to;
 * WA_E_DENIED: the proxy lets nobody through to there; WA_E_CONFIG: that can be no proxy. */
WA_CHECK enum wa_code wa_line_open(const struct wa_line_to *to, struct wa_patience *p,
                                   struct wa_line **ret, struct wa_err *err);
void wa_line_close(struct wa_line *l);
WA_AUTO_DEFINE(wa_line, wa_line_close)
/* Its parts. TCP to the URL's host and port, whatever the proxy: of several addresses the first
 * that answers. */
WA_CHECK enum wa_code wa_line_reach(const struct wa_line_to *to, struct wa_patience *p,
                                    struct wa_line **ret, struct wa_err *err);
WA_CHECK enum wa_code wa_line_secure(struct wa_line *l, const struct wa_line_to *to,
                                     struct wa_patience *p, struct wa_err *err);
/* TCP as far as where TLS with the URL's host begins. */
WA_CHECK enum wa_code wa_line_begin(const struct wa_line_to *to, struct wa_patience *p,
                                    struct wa_line **ret, struct wa_err *err);

/* One step. *ret_n 0 with DONE: the other side has closed (reading). WA_E_UNREACHABLE: it was cut.
 */
WA_CHECK enum wa_code wa_line_read(struct wa_line *l, void *p, size_t n, size_t *ret_n,
                                   enum wa_tls_want *ret_want, struct wa_err *err);
WA_CHECK enum wa_code wa_line_write(struct wa_line *l, const void *p, size_t n, size_t *ret_n,
                                    enum wa_tls_want *ret_want, struct wa_err *err);
/* Nothing at all has come that was not read, not even the end: the other side is where we are. */
bool wa_line_is_quiet(const struct wa_line *l);

#endif

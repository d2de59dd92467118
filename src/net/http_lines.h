/* http_lines.h - requests to one server, over connections that are kept for the next one.
 *
 * All connections are made to the same address, under the same trust and with the same identity:
 * whoever has another of these has other lines. From any thread, several at once; nothing is locked
 * while somebody waits.
 *
 * When a kept connection is used: while it has been idle for less than WA_LINE_IDLE_MS and is
 * younger than WA_LINE_AGE_MS - then the server's certificate and ours are judged again - with
 * nothing unread on it, be it the server's good-bye. For what changes something at the server (all
 * but GET, HEAD and what says may_repeat) while it has been idle for less than WA_LINE_ORDER_MS:
 * servers close what has been idle for longer than that.
 *
 * What a server sends unasked, and so late that the next request is on its way already, nobody can
 * tell from that one's answer. Who can send it has the server's TLS key, and could answer anything.
 *
 * What is sent twice: where a kept connection turns out to be closed before the first byte of an
 * answer, GET and HEAD and what may be repeated are sent once more, over a new one, and never a
 * third time. What changes something is sent again only where not a byte of it had left this
 * machine. Else nobody can know whether it was carried out, and the error says so.
 */
#ifndef WA_NET_HTTP_LINES_H
#define WA_NET_HTTP_LINES_H

#include "net/http_exchange.h"

struct wa_http_lines;
/* base: an https URL, whose path comes before that of each request. proxy: as in struct wa_line_to.
 * Nothing is connected to yet; trust and proxy are copied. WA_E_CONFIG: it is not https. */
WA_CHECK enum wa_code wa_http_lines_new(const char *base, const struct wa_tls_trust *trust,
                                        const char *proxy, struct wa_http_lines **ret,
                                        struct wa_err *err);
/* To the same server the same way, under the same trust, but by another certificate, whose key it
 * is. */
WA_CHECK enum wa_code wa_http_lines_as(const struct wa_http_lines *l, struct wa_cert *own,
                                       struct wa_key *own_key, struct wa_http_lines **ret,
                                       struct wa_err *err);
void wa_http_lines_free(struct wa_http_lines *l); /* no request runs any more */
WA_AUTO_DEFINE(wa_http_lines, wa_http_lines_free)
/* As wa_http_exchange(), connecting where that is needed. */
WA_CHECK enum wa_code wa_http_lines_ask(struct wa_http_lines *l, const struct wa_http_request *q,
                                        struct wa_sink *sink, struct wa_http_result *ret,
                                        struct wa_err *err);
/* Closes what has been idle for too long: for those who ask seldom. */
void wa_http_lines_sweep(struct wa_http_lines *l);

#endif

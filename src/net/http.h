/* http.h - HTTP/1.1 messages: parsing of requests and answers (llhttp, made strict), headers, dates
 * of ranges.
 *
 * Refused whole: Transfer-Encoding together with Content-Length, two different Content-Lengths, a
 * Transfer-Encoding that is not exactly "chunked" or comes with HTTP/1.0, chunk extensions and
 * trailer fields, obsolete folding, NUL, other control characters, bare CR or LF in a head, bytes
 * before its first line, no Host or two, absolute or '..' targets, upgrades with a body or to
 * anything but a WebSocket, answers 1xx and 204 that say they have a body, more than
 * WA_HTTP_HEADERS_MAX headers, a head beyond WA_HTTP_HEAD_MAX.
 */
#ifndef WA_NET_HTTP_H
#define WA_NET_HTTP_H

#include "base/arena.h"
#include "base/buf.h"

enum wa_http_method { WA_HTTP_GET, WA_HTTP_HEAD, WA_HTTP_POST, WA_HTTP_PUT, WA_HTTP_DELETE };
const char *wa_http_method_name(enum wa_http_method m);
const char *wa_http_status_text(int status);

struct wa_http_header {
    struct wa_sv name, value;
};

struct wa_http_head {
    enum wa_http_method method; /* requests */
    int status;                 /* answers */
    struct wa_sv path;          /* decoded, begins with '/', no empty or dotted part, no NUL */
    struct wa_sv query;         /* as sent, without '?' */
    struct wa_http_header headers[WA_HTTP_HEADERS_MAX];
    size_t header_count;
    bool keep_alive;
    bool is_http10;  /* the client knows no chunks */
    bool is_upgrade; /* a WebSocket upgrade is asked for */
    bool has_length;
    uint64_t length; /* when has_length */
    bool has_body;   /* one follows: a length above 0, or chunks */
};
/* Value of the first header of that name, any case; empty when absent. */
struct wa_sv wa_http_get(const struct wa_http_head *h, const char *name);

/* What a client keeps of an answer. */
struct wa_http_result {
    int status;
    bool resumed; /* the body begins where the caller asked it to */
    char etag[256], last_modified[64], content_type[128];
    char content_range[64];
    char certificate[65]; /* SHA-256 of the one that the server showed; "" without TLS */
    uint64_t bytes;       /* of the body */
};
/* Takes a header over that it keeps; one that is too long, or has control characters, is left out:
 * a part of a tag is no tag. */
void wa_http_result_take(struct wa_http_result *r, struct wa_sv name, struct wa_sv value);
/* Whether it is what was asked for, the rest behind so many bytes, or all: then sets resumed.
 * WA_E_CONFLICT: not the rest; WA_E_INVALID: another part. Other statuses than 200, 206 and 416 say
 * themselves what they are. */
WA_CHECK enum wa_code wa_http_result_check(struct wa_http_result *r, uint64_t resume_from,
                                           struct wa_err *err);

/* Push parser of one connection's requests. */
struct wa_http_parser;
struct wa_http_events {
    /* The head lives until the next message begins. Failing stops the parser. */
    enum wa_code (*on_head)(void *user, const struct wa_http_head *head, struct wa_err *err);
    enum wa_code (*on_body)(void *user, const void *p, size_t n, struct wa_err *err);
    enum wa_code (*on_done)(void *user, struct wa_err *err);
};
WA_CHECK enum wa_code wa_http_parser_new(bool of_requests, const struct wa_http_events *events,
                                         void *user, struct wa_http_parser **ret,
                                         struct wa_err *err);
void wa_http_parser_free(struct wa_http_parser *p);
WA_AUTO_DEFINE(wa_http_parser, wa_http_parser_free)
/* Stops behind each message, and behind an upgrade head: *ret_used says how far. What follows waits
 * for wa_http_resume(): one request at a time. A failure is for good. */
WA_CHECK enum wa_code wa_http_parse(struct wa_http_parser *p, const void *bytes, size_t n,
                                    size_t *ret_used, struct wa_err *err);
/* The connection has ended; WA_E_INVALID in the middle of a message. */
WA_CHECK enum wa_code wa_http_parse_end(struct wa_http_parser *p, struct wa_err *err);
/* The next message may begin. Never after an upgrade. */
void wa_http_resume(struct wa_http_parser *p);
/* The answers to come are those to HEAD: without a body, whatever length they say. */
void wa_http_expect_no_body(struct wa_http_parser *p);

/* "Range: bytes=a-b" over a body of size bytes. False when absent or not satisfiable as one range
 * (then send all, RFC 9110 14.2), *ret_unsatisfiable for 416. */
bool wa_http_range(struct wa_sv value, uint64_t size, uint64_t *ret_first, uint64_t *ret_count,
                   bool *ret_unsatisfiable);

#endif

/* http_answer.c - what a server answers, one answer behind another over the same connection, or to
 * the asking for a WebSocket: however it is cut into pieces, it means the same. */
#include <stdint.h>
#include <stdlib.h>

#include "net/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct heard {
    int status;
    size_t headers, body, answers, first; /* first: bytes of the first answer */
    bool is_done, is_upgrade;
    enum wa_code code;
};

static enum wa_code on_head(void *user, const struct wa_http_head *h, struct wa_err *err)
{
    struct heard *x = user;
    WA_UNUSED(err);
    if (h->header_count > WA_HTTP_HEADERS_MAX)
        abort();
    for (size_t i = 0; i < h->header_count; i++)
        x->headers += h->headers[i].name.n + h->headers[i].value.n + 1;
    x->status = h->status;
    x->is_upgrade = h->is_upgrade;
    return WA_OK;
}

static enum wa_code on_body(void *user, const void *p, size_t n, struct wa_err *err)
{
    WA_UNUSED(p);
    WA_UNUSED(err);
    ((struct heard *)user)->body += n;
    return WA_OK;
}

static enum wa_code on_done(void *user, struct wa_err *err)
{
    WA_UNUSED(err);
    ((struct heard *)user)->is_done = true;
    return WA_OK;
}

static struct heard hear(const uint8_t *data, size_t size, size_t piece, bool to_head)
{
    static const struct wa_http_events events = {on_head, on_body, on_done};
    struct heard x = {.status = 0};
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO(wa_http_parser) struct wa_http_parser *p = NULL;
    if (wa_http_parser_new(false, &events, &x, &p, &err) != WA_OK)
        return x;
    if (to_head)
        wa_http_expect_no_body(p);
    for (size_t at = 0; at < size && x.code == WA_OK && !x.is_upgrade;) {
        size_t n = size - at < piece ? size - at : piece, used = 0;
        x.code = wa_http_parse(p, data + at, n, &used, &err);
        if (used > n)
            abort();
        at += used;
        if (x.code != WA_OK || !x.is_done)
            continue;
        x.first = x.answers++ == 0 ? at : x.first;
        if (x.is_upgrade)
            break;
        x.is_done = false;
        wa_http_resume(p);
    }
    if (to_head && x.body > 0)
        abort();
    return x;
}

/* Where an answer ends decides whose the next one is. */
static void compare(const uint8_t *data, size_t size, bool to_head)
{
    struct heard whole = hear(data, size, size > 0 ? size : 1, to_head);
    struct heard pieces = hear(data, size, 1, to_head);
    if ((whole.code == WA_OK) != (pieces.code == WA_OK) || whole.answers != pieces.answers ||
        whole.first != pieces.first)
        abort();
    if (whole.code == WA_OK && (whole.status != pieces.status || whole.headers != pieces.headers ||
                                whole.body != pieces.body || whole.is_upgrade != pieces.is_upgrade))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    compare(data, size, false);
    compare(data, size, true);
    return 0;
}

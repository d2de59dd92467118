/* local_gate.c - a request to a local program: whatever comes, nobody gets in without
 * this host and the token, and none with another site's origin. */
#include <stdint.h>
#include <stdlib.h>

#include "net/local_gate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TOKEN "00000000000000000000000000000000000000000000000000000000000000aa"

static bool has(const struct wa_http_head *h, const char *name, const char *value)
{
    for (size_t i = 0; i < h->header_count; i++)
        if (wa_sv_ieqs(h->headers[i].name, name) && wa_sv_eqs(h->headers[i].value, value))
            return true;
    return false;
}

static bool has_other(const struct wa_http_head *h, const char *name, const char *value)
{
    for (size_t i = 0; i < h->header_count; i++)
        if (wa_sv_ieqs(h->headers[i].name, name) && !wa_sv_eqs(h->headers[i].value, value))
            return true;
    return false;
}

static enum wa_code on_head(void *user, const struct wa_http_head *h, struct wa_err *err)
{
    const struct wa_local_gate *g = user;
    struct wa_err why = WA_ERR_INIT;
    WA_UNUSED(err);
    bool file = wa_local_gate_file(g, h, &why) == WA_OK;
    wa_err_clear(&why);
    bool open = wa_local_gate_call(g, h, false, &why) == WA_OK;
    wa_err_clear(&why);
    bool call = wa_local_gate_call(g, h, true, &why) == WA_OK;
    wa_err_clear(&why);
    bool bytes = wa_local_gate_bytes(g, h, &why) == WA_OK;
    if ((file || open || call || bytes) && has_other(h, "host", g->host))
        abort();
    if (bytes && (!has(h, "authorization", "Bearer " TOKEN) || has_other(h, "origin", g->origin) ||
                  has_other(h, "content-type", "application/octet-stream") || !h->has_body))
        abort();
    if (call && (!open || !has(h, "authorization", "Bearer " TOKEN)))
        abort();
    if (open && has_other(h, "origin", g->origin))
        abort();
    return WA_OK;
}

static enum wa_code on_body(void *user, const void *p, size_t n, struct wa_err *err)
{
    WA_UNUSED(user);
    WA_UNUSED(p);
    WA_UNUSED(n);
    WA_UNUSED(err);
    return WA_OK;
}

static enum wa_code on_done(void *user, struct wa_err *err)
{
    WA_UNUSED(user);
    WA_UNUSED(err);
    return WA_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct wa_http_events events = {on_head, on_body, on_done};
    struct wa_local_gate g = {
        .host = "127.0.0.1:1234", .origin = "http://127.0.0.1:1234", .token = TOKEN};
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO(wa_http_parser) struct wa_http_parser *p = NULL;
    size_t used = 0;
    if (wa_http_parser_new(true, &events, &g, &p, &err) == WA_OK)
        (void)!wa_http_parse(p, data, size, &used, &err);
    return 0;
}

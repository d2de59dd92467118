/* front_route.c - what a front makes of the head of a request: nothing that is served needs no
 * form, and what a browser wants is read from its headers the same way each time.
 *
 * The input is a request, as it comes.
 */
#include <stdint.h>
#include <stdlib.h>

#include "net/http_wish.h"
#include "server/front_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static bool is_within(struct wa_sv part, struct wa_sv whole)
{
    return part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

static void check_file(const struct wa_http_head *h, const struct wa_front_route *r)
{
    const char *folder = r->kind == WA_FRONT_HOST ? "wapt-host/" : "wapt/";
    must(h->method == WA_HTTP_GET || h->method == WA_HTTP_HEAD);
    must(is_within(r->file, h->path) && wa_sv_starts(r->file, folder));
    must(!wa_sv_eqs(r->file, "wapt-host/Packages") && !wa_sv_eqs(r->file, "wapt-host/"));
    for (size_t i = 0; i + 1 < r->file.n; i++)
        must(r->file.p[i] != '/' || r->file.p[i + 1] != '.');
}

static void check_route(const struct wa_http_head *h, const struct wa_front_route *r)
{
    bool is_file = r->kind == WA_FRONT_FILE || r->kind == WA_FRONT_HOST;
    bool is_api = r->kind == WA_FRONT_API || r->kind == WA_FRONT_UPLOAD;
    must(h->is_upgrade == (r->kind == WA_FRONT_PUSH));
    must(is_file == (r->file.n > 0));
    must(!is_api || (r->bearer.n > 0 && wa_sv_starts(h->path, "/api/v1/")));
    must(is_within(r->bearer, wa_http_get(h, "authorization")));
    must(r->kind != WA_FRONT_UPLOAD || (h->has_length && h->method == WA_HTTP_PUT));
    must(r->kind != WA_FRONT_PAGE || wa_sv_eqs(h->path, "/"));
    must(is_api || r->kind == WA_FRONT_OPEN || r->body_max == 0);
    must(is_api || !wa_sv_starts(h->path, "/api/v1/") || r->kind == WA_FRONT_OPEN);
    if (is_file)
        check_file(h, r);
}

static enum wa_code on_head(void *user, const struct wa_http_head *h, struct wa_err *err)
{
    struct wa_front_route r = {.kind = WA_FRONT_PING};
    struct wa_err why = WA_ERR_INIT;
    const char *allow = NULL;
    WA_UNUSED(user);
    WA_UNUSED(err);
    enum wa_code code = wa_front_route(h, &r, &allow, &why);
    must(code == why.code);
    must(allow == NULL || code == WA_E_USAGE);
    if (code == WA_OK)
        check_route(h, &r);
    else
        must(code == WA_E_NOT_FOUND || code == WA_E_USAGE || code == WA_E_AUTH ||
             code == WA_E_DENIED);
    /* Without the header there is neither page nor French. */
    must(!wa_front_wants_page(h) || wa_http_get(h, "accept").n >= sizeof "text/html" - 1);
    must(wa_http_language(h) == NULL || wa_http_get(h, "accept-language").n >= 2);
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
    WA_AUTO(wa_http_parser) struct wa_http_parser *p = NULL;
    struct wa_err err = WA_ERR_INIT;
    size_t used = 0;
    if (wa_http_parser_new(true, &events, NULL, &p, &err) == WA_OK &&
        wa_http_parse(p, (const char *)data, size, &used, &err) == WA_OK)
        must(used <= size);
    return 0;
}

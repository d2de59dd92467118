/* http_request.c - a stream of requests means the same in one piece and in many, and nothing that
 * is taken can be read in two ways.
 *
 * The first byte says how long the pieces are.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "net/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct heard {
    struct wa_buf text; /* all that was said, in a fixed form */
    const struct wa_http_head *head;
    bool is_done;
};

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check_path(struct wa_sv path)
{
    struct wa_sv rest = wa_sv_sub(path, 1, path.n), part;
    must(path.n > 0 && path.p[0] == '/' && wa_utf8_valid(path));
    while (wa_sv_split(&rest, '/', &part)) {
        must(!wa_sv_eqs(part, ".") && !wa_sv_eqs(part, "..") && (part.n > 0 || rest.p == NULL));
        for (size_t i = 0; i < part.n; i++)
            must((unsigned char)part.p[i] >= 0x20 && part.p[i] != '\\' && part.p[i] != 0x7f);
    }
}

static enum wa_code on_head(void *user, const struct wa_http_head *h, struct wa_err *err)
{
    struct heard *x = user;
    size_t lengths = 0, codings = 0, hosts = 0;
    WA_UNUSED(err);
    check_path(h->path);
    must(h->header_count <= WA_HTTP_HEADERS_MAX);
    for (size_t i = 0; i < h->header_count; i++) {
        must(h->headers[i].name.n > 0);
        lengths += wa_sv_ieqs(h->headers[i].name, "content-length") ? 1 : 0;
        codings += wa_sv_ieqs(h->headers[i].name, "transfer-encoding") ? 1 : 0;
        hosts += wa_sv_ieqs(h->headers[i].name, "host") ? 1 : 0;
        for (size_t k = 0; k < h->headers[i].value.n; k++)
            must(h->headers[i].value.p[k] != '\0' && h->headers[i].value.p[k] != '\r' &&
                 h->headers[i].value.p[k] != '\n');
    }
    must(lengths + codings <= 1 && hosts <= 1);
    must(h->has_body == (codings == 1 || (lengths == 1 && h->length > 0)));
    must(!h->is_upgrade || !h->has_body);
    wa_buf_addf(&x->text, "%s %d %d %llu ", wa_http_method_name(h->method), h->keep_alive,
                h->is_upgrade, (unsigned long long)h->length);
    wa_buf_addsv(&x->text, h->path);
    wa_buf_addsv(&x->text, h->query);
    x->head = h;
    return WA_OK;
}

static enum wa_code on_body(void *user, const void *p, size_t n, struct wa_err *err)
{
    struct heard *x = user;
    WA_UNUSED(err);
    must(x->head != NULL && x->head->has_body);
    wa_buf_add(&x->text, p, n);
    return WA_OK;
}

static enum wa_code on_done(void *user, struct wa_err *err)
{
    struct heard *x = user;
    WA_UNUSED(err);
    must(x->head != NULL);
    /* The head lives to the end of its message. */
    for (size_t i = 0; i < x->head->header_count; i++) {
        wa_buf_addsv(&x->text, x->head->headers[i].name);
        wa_buf_addc(&x->text, ':');
        wa_buf_addsv(&x->text, x->head->headers[i].value);
    }
    wa_buf_adds(&x->text, "|");
    x->is_done = true;
    return WA_OK;
}

static void run(const uint8_t *data, size_t size, size_t piece, struct heard *x)
{
    static const struct wa_http_events events = {on_head, on_body, on_done};
    WA_AUTO(wa_http_parser) struct wa_http_parser *p = NULL;
    struct wa_err err = WA_ERR_INIT;
    if (wa_http_parser_new(true, &events, x, &p, &err) != WA_OK)
        return;
    for (size_t at = 0; at < size;) {
        size_t n = piece < size - at ? piece : size - at, used = 0;
        x->is_done = false;
        if (wa_http_parse(p, data + at, n, &used, &err) != WA_OK) {
            must(err.code == WA_E_INVALID || err.code == WA_E_LIMIT);
            wa_buf_adds(&x->text, " refused");
            return;
        }
        must(used <= n && (x->is_done || used == n));
        at += used;
        if (!x->is_done)
            continue;
        if (x->head->is_upgrade)
            return; /* the rest is another protocol's */
        x->head = NULL;
        wa_http_resume(p);
    }
    wa_buf_adds(&x->text, wa_http_parse_end(p, &err) == WA_OK ? " end" : " cut");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct heard whole = {.head = NULL}, pieces = {.head = NULL};
    if (size < 2)
        return 0;
    wa_buf_init(&whole.text, 64u << 20);
    wa_buf_init(&pieces.text, 64u << 20);
    run(data + 1, size - 1, size, &whole);
    run(data + 1, size - 1, 1u + data[0] % 64u, &pieces);
    /* A head cut off before it could be refused says less; what was said is the same. */
    must(wa_sv_eq(wa_buf_sv(&whole.text), wa_buf_sv(&pieces.text)));
    wa_buf_fini(&whole.text);
    wa_buf_fini(&pieces.text);
    return 0;
}

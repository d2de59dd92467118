/* url.c - a URL that is taken has nothing in it that another reader could misread; escapes go there
 * and back. */
#include <stdint.h>
#include <stdlib.h>

#include "codec/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_url(struct wa_sv text)
{
    struct wa_url url;
    struct wa_err err = WA_ERR_INIT;

    if (wa_url_parse(text, &url, &err) != WA_OK)
        return;
    if (url.host[0] == '\0' || strpbrk(url.host, "/@?#\\ %") || url.port == 0 || url.path[0] != '/')
        abort();
    if (strpbrk(url.path, "?#\\ \r\n") || strpbrk(url.query, "#\\ \r\n"))
        abort();
}

static void check_escapes(struct wa_sv text)
{
    WA_AUTO_BUF struct wa_buf out, back;
    struct wa_err err = WA_ERR_INIT;
    size_t ignored;

    wa_buf_init(&out, 1u << 20);
    wa_buf_init(&back, 1u << 20);
    wa_url_encode(text, &out);
    if (out.failed != WA_OK || wa_sv_chr(text, '\0', &ignored))
        return;
    if (wa_url_decode(wa_buf_sv(&out), true, &back, &err) != WA_OK ||
        !wa_sv_eq(wa_buf_sv(&back), text))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    WA_AUTO_BUF struct wa_buf out;
    struct wa_err err = WA_ERR_INIT;
    struct wa_sv text = wa_sv_n(data, size);
    bool ignored;

    wa_buf_init(&out, 1u << 20);
    check_url(text);
    check_escapes(text);
    if (wa_url_decode(text, false, &out, &err) != WA_OK && out.n != 0)
        abort();
    wa_buf_clear(&out);
    ignored = wa_url_query_get(text, "key", &out);
    WA_UNUSED(ignored);
    return 0;
}

/* xml.c - what is told of a document ends, is never deeper than the cap, and text is UTF-8 that is
 * no longer than it was written. */
#include <stdint.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "codec/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const struct wa_buf *b, size_t raw)
{
    if (b->n > raw || !wa_utf8_valid(wa_buf_sv(b)))
        abort();
}

static void check_event(const struct wa_xml *x, enum wa_xml_event event)
{
    WA_AUTO_BUF struct wa_buf out;
    wa_buf_init(&out, WA_XML_BYTES_MAX);
    if (event == WA_XML_TEXT)
        wa_xml_text(x, &out);
    check_text(&out, x->text.n);
    for (size_t i = 0; event == WA_XML_OPEN && i < x->attr_count; i++) {
        char name[WA_XML_NAME_MAX + 1];
        memcpy(name, x->attrs[i].name.p, x->attrs[i].name.n);
        name[x->attrs[i].name.n] = '\0';
        wa_buf_clear(&out);
        if (!wa_xml_attr(x, name, &out))
            abort();
        check_text(&out, x->attrs[i].raw.n);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wa_xml x;
    struct wa_err err = WA_ERR_INIT;
    enum wa_xml_event event = WA_XML_END;
    size_t count = 0;
    wa_xml_init(&x, wa_sv_n(data, size));
    while (wa_xml_next(&x, &event, &err) == WA_OK && event != WA_XML_END) {
        if (++count > size || x.depth > WA_XML_DEPTH_MAX)
            abort();
        check_event(&x, event);
    }
    if (err.code == WA_OK && x.depth != 0)
        abort();
    return 0;
}

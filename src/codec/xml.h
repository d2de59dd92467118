/* xml.h - the part of XML 1.0 that manifests are written in, read strictly and in one pass.
 *
 * UTF-8 without control characters; elements, attributes, text, CDATA, comments and processing
 * instructions; references to characters and the five names that XML itself has. A document type is
 * refused, so that nobody declares an entity, and nothing else is ever opened. Prefixes of name
 * spaces are left out of elements' names, and kept in attributes'. Caps are those of base/limits.h.
 *
 *     wa_xml_init(&x, text);
 *     while ((code = wa_xml_next(&x, &event, err)) == WA_OK && event != WA_XML_END)
 *         if (event == WA_XML_OPEN && wa_xml_is(&x, "Package/Identity"))
 *             wa_xml_attr(&x, "Name", &name);
 */
#ifndef WA_CODEC_XML_H
#define WA_CODEC_XML_H

#include "base/buf.h"
#include "base/limits.h"

enum wa_xml_event {
    WA_XML_OPEN,  /* an element, with its attributes */
    WA_XML_TEXT,  /* a piece of the text of the innermost open one */
    WA_XML_CLOSE, /* the innermost one; it is open no more */
    WA_XML_END    /* of the document, all of which was well-formed */
};
struct wa_xml_attr {
    struct wa_sv name, raw;
};
struct wa_xml {
    struct wa_sv rest;
    struct wa_sv open[WA_XML_DEPTH_MAX]; /* names with their prefixes */
    size_t depth;
    struct wa_xml_attr attrs[WA_XML_ATTRS_MAX];
    size_t attr_count;
    struct wa_sv text;
    bool is_cdata, is_empty, has_root;
};

/* text: borrowed for as long as x is used. */
void wa_xml_init(struct wa_xml *x, struct wa_sv text);
/* WA_E_INVALID and WA_E_LIMIT; then x is of no use any more. */
WA_CHECK enum wa_code wa_xml_next(struct wa_xml *x, enum wa_xml_event *ret, struct wa_err *err);
/* Whether the open elements, from the outermost, are these: "Package/Properties/Logo". */
bool wa_xml_is(const struct wa_xml *x, const char *path);
/* After WA_XML_OPEN: appends the attribute of that name; false when there is none. */
bool wa_xml_attr(const struct wa_xml *x, const char *name, struct wa_buf *out);
/* After WA_XML_TEXT: appends it. */
void wa_xml_text(const struct wa_xml *x, struct wa_buf *out);

#endif

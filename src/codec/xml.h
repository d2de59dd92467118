/* xml.h - what manifests written in XML say, read by expat in one pass.
 *
 * Each value is told with its place, prefixes of name spaces left out of elements' names:
 * "/Package/Identity/@Name" is an attribute, "/Package/Properties/Logo" an element that ends, with
 * its text (of one that has elements in it, what follows the last). UTF-8, UTF-16 and ISO-8859-1.
 * A document type is refused, so that nobody declares an entity, and nothing else is ever opened.
 * Caps are those of base/limits.h.
 */
#ifndef WA_CODEC_XML_H
#define WA_CODEC_XML_H

#include "base/sv.h"

/* path and value: until it returns. */
typedef void (*wa_xml_fn)(void *user, const char *path, struct wa_sv value);

/* What was told counts only on WA_OK: an error of WA_E_INVALID or WA_E_LIMIT, with the line, may
 * come after it. */
WA_CHECK enum wa_code wa_xml_read(struct wa_sv document, wa_xml_fn tell, void *user,
                                  struct wa_err *err);

#endif

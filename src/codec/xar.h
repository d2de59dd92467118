/* xar.h - one member of an archive as macOS packs its installers (.pkg).
 *
 * A header, a table of contents in deflated XML (codec/xml.h), then the members. Only what is asked
 * for is inflated, held whole, and no larger than WA_XML_BYTES_MAX; digests are not looked at.
 */
#ifndef WA_CODEC_XAR_H
#define WA_CODEC_XAR_H

#include "base/buf.h"
#include "base/stream.h"

/* Appends the first member of that name, at the top or in a folder there. WA_E_NOT_FOUND: there is
 * none; WA_E_INVALID, WA_E_LIMIT. */
WA_CHECK enum wa_code wa_xar_read(struct wa_source *file, const char *name, struct wa_buf *out,
                                  struct wa_err *err);

#endif

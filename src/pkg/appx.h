/* appx.h - what an app of Windows says of itself: msix, appx, and bundles of them.
 *
 * For the confined process that reads installers, and for nobody else: it parses a stranger's ZIP
 * and XML (codec/zip_read.h, codec/xml.h, with their caps). Nothing is unpacked, and signatures,
 * which are for Windows to judge, are not looked at.
 */
#ifndef WA_PKG_APPX_H
#define WA_PKG_APPX_H

#include "base/buf.h"
#include "base/stream.h"

/* Appends lines for wa_installer_read(): name, identity, version, publisher, description,
 * architecture when there is one alone. WA_E_NOT_FOUND: a ZIP archive without a manifest;
 * WA_E_INVALID, WA_E_LIMIT: damaged, or hostile. */
WA_CHECK enum wa_code wa_appx_tell(struct wa_source *file, struct wa_buf *out, struct wa_err *err);
/* Appends its picture, a PNG that can be an icon (codec/png.h); nothing when it has none. */
WA_CHECK enum wa_code wa_appx_icon(struct wa_source *file, struct wa_buf *out, struct wa_err *err);

#endif

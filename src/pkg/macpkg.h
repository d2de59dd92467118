/* macpkg.h - what an installer of macOS (.pkg) says of itself. As appx.h: for the confined process
 * that reads installers, and for nobody else. */
#ifndef WA_PKG_MACPKG_H
#define WA_PKG_MACPKG_H

#include "base/buf.h"
#include "base/stream.h"

/* Appends lines for wa_installer_read(): identity and version of the first package in it.
 * WA_E_NOT_FOUND: it has none; WA_E_INVALID, WA_E_LIMIT: damaged, or hostile. */
WA_CHECK enum wa_code wa_macpkg_tell(struct wa_source *file, struct wa_buf *out,
                                     struct wa_err *err);

#endif

/* index_priv.h - between index.c and index_crl.c. */
#ifndef WA_PKG_INDEX_PRIV_H
#define WA_PKG_INDEX_PRIV_H

#include "codec/zip_write.h"
#include "pkg/index.h"

void wa_index_crls_fini(struct wa_index *ix);
/* The members crl/<anything>.crl, as they are. */
WA_CHECK enum wa_code wa_index_crls_read(struct wa_members *m, struct wa_index *ix,
                                         struct wa_err *err);
/* Gives those to anchors that an anchor, or a certificate of the index, has signed; the others are
 * passed over. */
WA_CHECK enum wa_code wa_index_crls_teach(const struct wa_index *ix, struct wa_trust *anchors,
                                          struct wa_err *err);
WA_CHECK enum wa_code wa_index_crls_write(const struct wa_index *ix, struct wa_zip_writer *zip,
                                          struct wa_err *err);

#endif

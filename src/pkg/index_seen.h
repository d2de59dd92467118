/* index_seen.h - index entries whose signature held before, so that it is not computed again.
 *
 * Only that is remembered which no later event can change: these very attributes carry a signature
 * by the certificate whose fingerprint is among them, over all of them that must be signed. Whether
 * that certificate is trusted - anchors, revocations, dates - is never remembered but asked each
 * time. So nothing need be forgotten when trust changes. Another version of the program, with other
 * rules perhaps, remembers nothing of this one.
 *
 * Who keeps the memory must be the one who checks, where nobody else can write.
 */
#ifndef WA_PKG_INDEX_SEEN_H
#define WA_PKG_INDEX_SEEN_H

#include "crypto/digest.h"
#include "pkg/control.h"

struct wa_entry_digest {
    uint8_t bytes[WA_SHA256_SIZE];
};

struct wa_seen {
    struct wa_entry_digest *before; /* sorted; read from the memory */
    size_t before_count;
    struct wa_entry_digest *items; /* of the entries kept now */
    size_t n, cap;
};
void wa_seen_init(struct wa_seen *s);
void wa_seen_fini(struct wa_seen *s);
#define WA_AUTO_SEEN WA_CLEANUP(wa_seen_fini)

/* What wa_seen_write wrote. Anything else is no memory: everything is checked, no failure. */
WA_CHECK enum wa_code wa_seen_read(struct wa_seen *s, struct wa_sv memory, struct wa_err *err);
/* Appends the digests of the entries kept now. */
WA_CHECK enum wa_code wa_seen_write(struct wa_seen *s, struct wa_buf *out, struct wa_err *err);

/* The name of an entry in the memory. d: SHA-256. c: as it was read, not changed since. */
WA_CHECK enum wa_code wa_entry_digest(struct wa_digest *d, const struct wa_control *c,
                                      struct wa_entry_digest *ret, struct wa_err *err);
bool wa_seen_has(const struct wa_seen *s, const struct wa_entry_digest *e);
WA_CHECK enum wa_code wa_seen_add(struct wa_seen *s, const struct wa_entry_digest *e,
                                  struct wa_err *err);

#endif

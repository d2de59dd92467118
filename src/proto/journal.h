/* journal.h - the digest that chains the entries of a server's journal (server/journal.h):
 *
 *   SHA-256("wapt-journal\n" node "\n" seq "\n" at "\n" previous digest "\n" text)
 *
 * previous digest: 64 zeros before the first; numbers in decimal; digests in lower-case hex.
 */
#ifndef WA_PROTO_JOURNAL_H
#define WA_PROTO_JOURNAL_H

#include "base/sv.h"

#define WA_JOURNAL_DIGEST 65u /* hex and NUL */
#define WA_JOURNAL_FIRST "0000000000000000000000000000000000000000000000000000000000000000"
#define WA_JOURNAL_NODE 128u
#define WA_JOURNAL_ENTRY_MAX (64u << 10) /* bytes */

WA_CHECK enum wa_code wa_journal_digest_of(struct wa_sv node, int64_t seq, int64_t at,
                                           const char *previous, struct wa_sv text,
                                           char ret[WA_JOURNAL_DIGEST], struct wa_err *err);

#endif

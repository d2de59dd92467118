/* journal.h - what was done on the server, by whom, as a chain: each entry holds the digest of the
 * one before, so that none can be changed or taken out of the middle unnoticed. That the end was
 * cut off shows against a head that was seen before: consoles keep it, and the log has it.
 *
 * Whoever owns the server can write false entries from then on; what was written before stays as
 * it was, or the chain is broken.
 *
 *   digest = SHA-256("wapt-journal\n" node "\n" seq "\n" at "\n" previous digest "\n" text)
 *
 * previous digest: 64 zeros before the first; numbers in decimal; digests in lower-case hex.
 */
#ifndef WA_SERVER_JOURNAL_H
#define WA_SERVER_JOURNAL_H

#include "codec/json.h"
#include "sql/db.h"

#define WA_JOURNAL_DIGEST 65u /* hex and NUL */

struct wa_journal_head {
    int64_t seq; /* 0: there is no entry */
    char digest[WA_JOURNAL_DIGEST];
};

#define WA_JOURNAL_FIELDS 7u
struct wa_journal_item {
    const char *key;
    struct wa_sv value;
};
struct wa_journal_act {
    const char *act; /* "host.registered" */
    struct wa_sv
        user;         /* "" for a machine itself, "root" for whoever may write the server's files */
    const char *peer; /* its address, "" for the server's own */
    struct wa_journal_item what[WA_JOURNAL_FIELDS]; /* ended by a NULL key */
};
/* One entry of the node's: {"act":..., "user":..., "peer":..., "what":{...}}. In the caller's
 * transaction, so that the act and its entry are there together or not at all. */
WA_CHECK enum wa_code wa_server_journal_add(struct wa_db *db, const char *node,
                                            const struct wa_journal_act *a, struct wa_err *err);
WA_CHECK enum wa_code wa_server_journal_head(struct wa_db *db, const char *node,
                                             struct wa_journal_head *ret, struct wa_err *err);
/* The digest of entry seq; WA_E_NOT_FOUND. */
WA_CHECK enum wa_code wa_server_journal_digest(struct wa_db *db, const char *node, int64_t seq,
                                               char ret[WA_JOURNAL_DIGEST], struct wa_err *err);

struct wa_journal_row {
    struct wa_sv node, text; /* borrowed for the call */
    int64_t seq, at;
    const char *digest;
};
typedef enum wa_code (*wa_journal_fn)(void *user, const struct wa_journal_row *row,
                                      struct wa_err *err);
/* Entries after seq, at most limit, in their order. */
WA_CHECK enum wa_code wa_server_journal_read(struct wa_db *db, const char *node, int64_t after,
                                             int64_t limit, wa_journal_fn fn, void *user,
                                             struct wa_err *err);
/* The chains of all nodes, whole: *ret_count entries. WA_E_REFUSED names the first entry that does
 * not fit, with what it says of the damage. head: one that was seen before, of node; NULL: none. */
WA_CHECK enum wa_code wa_server_journal_verify(struct wa_db *db, const char *node,
                                               const struct wa_journal_head *head,
                                               uint64_t *ret_count, struct wa_err *err);

#endif

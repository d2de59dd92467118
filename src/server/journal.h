/* journal.h - what was done on the server, by whom, as a chain: each entry holds the digest of the
 * one before, so that none can be changed or taken out of the middle unnoticed. That the end was
 * cut off shows against a head that was seen before: consoles keep it, and the log has it.
 *
 * Whoever owns the server can write false entries from then on; what was written before stays as
 * it was, or the chain is broken.
 *
 * Each server of a database appends to a chain of its own, and from time to time puts the others'
 * heads into it: who would cut or rewrite one chain would have to rewrite all. What is trimmed has
 * been exported, and the chain says up to where and to which digest; it goes on from there.
 *
 * The digest is proto/journal.h's.
 */
#ifndef WA_SERVER_JOURNAL_H
#define WA_SERVER_JOURNAL_H

#include "base/stream.h"
#include "base/vec.h"
#include "codec/json.h"
#include "proto/journal.h"
#include "sql/db.h"

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
struct wa_journal_link { /* how far another chain was when it was last linked */
    char node[WA_JOURNAL_NODE];
    int64_t seq;
};
struct wa_journal_links {
    WA_VEC(struct wa_journal_link);
};
/* The names of all chains, by name; freed with WA_VEC_FREE(), on failure too. */
WA_CHECK enum wa_code wa_server_journal_chains(struct wa_db *db, struct wa_journal_links *ret,
                                               struct wa_err *err);
/* Puts the heads of the other chains into the node's, where more than links has come to them. */
WA_CHECK enum wa_code wa_server_journal_link(struct wa_db *db, const char *node,
                                             struct wa_journal_links *links, struct wa_err *err);
/* From where a chain goes on: 0 and WA_JOURNAL_FIRST, or where it was trimmed. */
WA_CHECK enum wa_code wa_server_journal_base(struct wa_db *db, const char *node,
                                             struct wa_journal_head *ret, struct wa_err *err);
/* Takes out what is exported, up to through, and says so in the chain. WA_E_NOT_FOUND when there is
 * no such entry; archive_sha256: of the export. */
WA_CHECK enum wa_code wa_server_journal_trim(struct wa_db *db, const char *node, int64_t through,
                                             const char *archive_sha256, struct wa_err *err);

/* A chain from where it goes on, up to through, as a file that proves itself (journal_export.c).
 * *ret_last: its last entry. */
WA_CHECK enum wa_code wa_server_journal_export(struct wa_db *db, const char *node, int64_t through,
                                               struct wa_sink *out,
                                               struct wa_journal_head *ret_last,
                                               struct wa_err *err);
/* Whether such a file is whole, and what it holds. WA_E_REFUSED with what is wrong. */
WA_CHECK enum wa_code wa_server_journal_check_archive(int fd, char node[WA_JOURNAL_NODE],
                                                      struct wa_journal_head *ret_last,
                                                      uint64_t *ret_count, struct wa_err *err);

/* The chains of all nodes, whole: *ret_count entries. WA_E_REFUSED names the first entry that does
 * not fit, or the link that leads nowhere, with what it says of the damage. head: one that was seen
 * before, of node; NULL: none. */
WA_CHECK enum wa_code wa_server_journal_verify(struct wa_db *db, const char *node,
                                               const struct wa_journal_head *head,
                                               uint64_t *ret_count, struct wa_err *err);

#endif

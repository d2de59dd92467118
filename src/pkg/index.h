/* index.h - the Packages file of a repository: reading with every entry checked, and writing
 * (formats.md 3.2). */
#ifndef WA_PKG_INDEX_H
#define WA_PKG_INDEX_H

#include "base/vec.h"
#include "pkg/index_seen.h"
#include "pkg/verify.h"

struct wa_index {
    struct wa_control *items;
    size_t n, cap;
    struct wa_entry_digest *digests; /* of the entries, by index; NULL when not asked for */
    size_t digests_n, digests_cap;
    struct wa_certs certs; /* of the ssl/ members, for chains; trusted by nothing but the anchors */
    struct {
        WA_VEC(struct wa_buf); /* DER or PEM */
    } crls; /* of the crl/ members; believed only when their authority signed them */
};
void wa_index_init(struct wa_index *ix);
void wa_index_fini(struct wa_index *ix);
#define WA_AUTO_INDEX WA_CLEANUP(wa_index_fini)

/* Reads the ZIP. An entry that can't be parsed is left out and counted, it never spoils the others;
 * a broken archive is an error. */
WA_CHECK enum wa_code wa_index_read(struct wa_members *members, struct wa_index *ret,
                                    size_t *ret_bad, struct wa_err *err);
/* Is given the entries of an index, one at a time, to look at or to move away (leaving c
 * initialised). An error ends the reading. */
typedef enum wa_code (*wa_index_entry_fn)(void *user, struct wa_control *c, struct wa_err *err);
/* The entries alone: not one of them stays in memory. Whether the archive is whole is known only at
 * the end. */
WA_CHECK enum wa_code wa_index_each(struct wa_members *members, wa_index_entry_fn fn, void *user,
                                    size_t *ret_bad, struct wa_err *err);
/* All but the entries, added to ix. */
WA_CHECK enum wa_code wa_index_read_certs(struct wa_members *members, struct wa_index *ix,
                                          struct wa_err *err);
/* The same as wa_index_read() with the entries' digests, for a judgement that remembers. */
WA_CHECK enum wa_code wa_index_read_digests(struct wa_members *members, struct wa_index *ret,
                                            size_t *ret_bad, struct wa_err *err);
/* Writes what was read - with its digests, and not judged yet - so that it need not be read again
 * while the index file's SHA-256 is `of`. bad: as wa_index_read() counted. */
WA_CHECK enum wa_code wa_index_save(const struct wa_index *ix, size_t bad,
                                    const char of[WA_SHA256_HEX], struct wa_buf *out,
                                    struct wa_err *err);
/* As if it had just been read, digests and all. WA_E_INVALID: it is of another index file, or
 * damaged, and the index must be read. saved must lie where only the one who judges can write. */
WA_CHECK enum wa_code wa_index_load(struct wa_sv saved, const char of[WA_SHA256_HEX],
                                    struct wa_index *ret, size_t *ret_bad, struct wa_err *err);
typedef void (*wa_index_discard_fn)(void *user, const struct wa_control *c,
                                    const struct wa_err *why);
/* Removes each entry whose signer is not trusted or whose signature does not hold (F2B), telling
 * discard (may be NULL). anchors learns the index's revocation lists first. seen (may be NULL; else
 * the index has digests): a signature that held before is not computed again, and what is kept is
 * added to it. */
WA_CHECK enum wa_code wa_index_keep_trusted(struct wa_index *ix, struct wa_trust *anchors,
                                            int64_t at, struct wa_seen *seen,
                                            wa_index_discard_fn discard, void *user,
                                            size_t *ret_discarded, struct wa_err *err);
/* Adds a copy of c (with filename, size, md5sum set) and the certificates of its chain. */
WA_CHECK enum wa_code wa_index_add(struct wa_index *ix, const struct wa_control *c,
                                   const struct wa_certs *chain, struct wa_err *err);
/* The same, but c's attributes move into the index and c is left empty. */
WA_CHECK enum wa_code wa_index_take(struct wa_index *ix, struct wa_control *c,
                                    const struct wa_certs *chain, struct wa_err *err);
/* The signer's certificate and, as far as the index has them, those that issued it. WA_E_REFUSED
 * when the index does not carry it. */
WA_CHECK enum wa_code wa_index_chain(const struct wa_index *ix, const char *fingerprint,
                                     struct wa_certs *chain, struct wa_err *err);
/* Adds a revocation list (DER or PEM) to an index being made; of two of one authority the newer
 * stays. *ret_changed (may be NULL): the index is another one now. */
WA_CHECK enum wa_code wa_index_add_crl(struct wa_index *ix, struct wa_sv text, bool *ret_changed,
                                       struct wa_err *err);
/* The ZIP, entries sorted by file name; mtime as its members' date. */
WA_CHECK enum wa_code wa_index_write(const struct wa_index *ix, int64_t mtime, struct wa_sink *sink,
                                     struct wa_err *err);
/* The same entry by entry, which the caller gives in the order of their file names. sink stays the
 * caller's. */
struct wa_index_writer;
WA_CHECK enum wa_code wa_index_writer_new(struct wa_sink *sink, int64_t mtime,
                                          struct wa_index_writer **ret, struct wa_err *err);
void wa_index_writer_free(struct wa_index_writer *w);
WA_AUTO_DEFINE(wa_index_writer, wa_index_writer_free)
/* WA_E_INVALID: c can't be written (wa_control_write()); the writer goes on. */
WA_CHECK enum wa_code wa_index_writer_add(struct wa_index_writer *w, const struct wa_control *c,
                                          struct wa_err *err);
/* Certificates and revocation lists of ix, whose entries are not looked at. Nothing may follow. */
WA_CHECK enum wa_code wa_index_writer_end(struct wa_index_writer *w, const struct wa_index *ix,
                                          struct wa_err *err);

#endif

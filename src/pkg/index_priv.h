/* index_priv.h - between the files of an index. */
#ifndef WA_PKG_INDEX_PRIV_H
#define WA_PKG_INDEX_PRIV_H

#include "codec/zip_write.h"
#include "pkg/index.h"

/* --- index_blocks.c --- */

/* A sink for the text of an index. */
struct wa_blocks {
    struct wa_sink base;
    wa_index_entry_fn entry;
    void *user;
    size_t count, bad; /* of entries, read and unreadable; of those that can't be read */
    uint64_t bytes;
    struct wa_buf aside; /* of an entry that is not complete */
    bool has_lines;      /* the entry has begun */
    bool is_line_blank;  /* as far as the line is there */
    bool is_too_long;    /* the entry is, and only its end is looked for */
};
void wa_blocks_init(struct wa_blocks *b, wa_index_entry_fn entry, void *user);
void wa_blocks_fini(struct wa_blocks *b);
#define WA_AUTO_BLOCKS WA_CLEANUP(wa_blocks_fini)
/* After the last piece. */
WA_CHECK enum wa_code wa_blocks_end(struct wa_blocks *b, struct wa_err *err);

/* --- index_crl.c --- */
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

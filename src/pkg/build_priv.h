/* build_priv.h - between build*.c and sign.c: an archive in the making. */
#ifndef WA_PKG_BUILD_PRIV_H
#define WA_PKG_BUILD_PRIV_H

#include "codec/zip_write.h"
#include "crypto/digest.h"
#include "os/fs.h"
#include "pkg/build.h"
#include "pkg/manifest.h"

/* --- the digests of all members but the papers (build_papers.c) --- */
struct wa_listing {
    bool also_sha1;
    struct wa_manifest sha256, sha1;
    struct wa_digest *d256, *d1;
    struct wa_digest_sink first, second;
};
void wa_listing_init(struct wa_listing *l);
void wa_listing_fini(struct wa_listing *l);
#define WA_AUTO_LISTING WA_CLEANUP(wa_listing_fini)
WA_CHECK enum wa_code wa_listing_open(struct wa_listing *l, const struct wa_build_options *o,
                                      struct wa_err *err);
/* A member is listed by what passes through the sink until the end, or from a source at once. */
struct wa_sink *wa_listing_start(struct wa_listing *l);
WA_CHECK enum wa_code wa_listing_end(struct wa_listing *l, const struct wa_relpath *name,
                                     struct wa_err *err);
WA_CHECK enum wa_code wa_listing_source(struct wa_listing *l, const struct wa_relpath *name,
                                        struct wa_source *source, struct wa_err *err);

/* --- what signing makes: the generated members (build_papers.c) --- */
#define WA_PAPERS_MAX 6u
struct wa_papers {
    size_t n; /* 4, or 6 with the pair over SHA-1 */
    struct wa_buf bytes[WA_PAPERS_MAX];
};
void wa_papers_init(struct wa_papers *p);
void wa_papers_fini(struct wa_papers *p);
#define WA_AUTO_PAPERS WA_CLEANUP(wa_papers_fini)
/* Signs the control, and a listing of all other files, to which control and chain are added. */
WA_CHECK enum wa_code wa_papers_make(struct wa_control *c, const struct wa_signer *s,
                                     struct wa_listing *l, struct wa_papers *ret,
                                     struct wa_err *err);
/* Member name of paper i; 0 is the control. */
struct wa_relpath wa_papers_name(size_t i);
/* One that could be among them: what a package had of these goes when it is signed anew. */
bool wa_papers_is_generated(const char *name);

/* --- rules that hold for all that is signed (sign.c) --- */
WA_CHECK enum wa_code wa_signer_check(const struct wa_signer *s, struct wa_err *err);
/* setup.py needs codeSigning. */
WA_CHECK enum wa_code wa_signer_may_pack(const struct wa_signer *s, const char *name,
                                         struct wa_err *err);
/* Version and architecture are such that agents take them. */
WA_CHECK enum wa_code wa_control_check(const struct wa_control *c, struct wa_err *err);
WA_CHECK enum wa_code wa_build_apply(struct wa_control *c, const struct wa_build_options *o,
                                     struct wa_err *err);
/* Dates the signature to come: in UTC when the date is given, else in local time, as WAPT does.
 * ret_mtime: the same for the archive's members. */
WA_CHECK enum wa_code wa_build_date(struct wa_control *c, const struct wa_build_options *o,
                                    int64_t *ret_mtime, struct wa_err *err);

/* --- a new archive beside its place --- */
struct wa_output {
    struct wa_dir dir;
    struct wa_relpath temp; /* n == 0: nothing to remove */
    int fd;
    struct wa_fd_sink sink;
    struct wa_zip_writer *zip;
};
#define WA_OUTPUT_INIT                                                                             \
    {                                                                                              \
        .dir = WA_DIR_INIT, .fd = -1                                                               \
    }
void wa_output_fini(struct wa_output *o);
#define WA_AUTO_OUTPUT WA_CLEANUP(wa_output_fini)
WA_CHECK enum wa_code wa_output_open(struct wa_output *o, const char *dir, int64_t mtime,
                                     struct wa_err *err);
/* Signs, adds the papers, ends the archive, verifies it as a stranger would, and puts it in place
 * under `name`, durable. */
WA_CHECK enum wa_code wa_output_commit(struct wa_output *o, struct wa_control *c,
                                       const struct wa_signer *s, struct wa_listing *l,
                                       const char *name, struct wa_err *err);

#endif

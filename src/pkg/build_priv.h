/* build_priv.h - between build.c, sign.c and build_output.c: an archive in the making. */
#ifndef WA_PKG_BUILD_PRIV_H
#define WA_PKG_BUILD_PRIV_H

#include "codec/zip_write.h"
#include "os/fs.h"
#include "pkg/build.h"
#include "pkg/manifest.h"

/* --- what signing makes: the four generated members --- */
struct wa_papers {
    struct wa_buf control, chain, manifest, signature;
};
void wa_papers_init(struct wa_papers *p);
void wa_papers_fini(struct wa_papers *p);
#define WA_AUTO_PAPERS WA_CLEANUP(wa_papers_fini)
/* From a signed control and a manifest of all other files, to which control and chain are added. */
WA_CHECK enum wa_code wa_papers_make(const struct wa_control *c, const struct wa_signer *s,
                                     struct wa_manifest *m, struct wa_papers *ret,
                                     struct wa_err *err);
#define WA_PAPERS_COUNT 4u
/* Member name of paper i, and its bytes. */
struct wa_relpath wa_papers_name(size_t i);
const struct wa_buf *wa_papers_bytes(const struct wa_papers *p, size_t i);
/* One of the four, or the manifest and signature over SHA-1, which go when signing anew. */
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
WA_CHECK enum wa_code wa_output_open(struct wa_output *o, const char *dir, struct wa_err *err);
/* Adds the papers, ends the archive, verifies it as a stranger would, and puts it in place under
 * `name`, durable. */
WA_CHECK enum wa_code wa_output_commit(struct wa_output *o, const struct wa_control *c,
                                       const struct wa_signer *s, struct wa_manifest *m,
                                       const char *name, struct wa_err *err);

#endif

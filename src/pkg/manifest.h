/* manifest.h - WAPT/manifest.sha256: [name, digest] pairs (formats.md 1.6). */
#ifndef WA_PKG_MANIFEST_H
#define WA_PKG_MANIFEST_H

#include "base/buf.h"
#include "base/relpath.h"

struct wa_manifest_entry {
    struct wa_relpath name;
    char digest[65]; /* hex: SHA-256, or SHA-1 from wa_manifest_parse_sha1() */
};
struct wa_manifest {
    struct wa_manifest_entry *items; /* sorted by name */
    size_t n, cap;
};
void wa_manifest_init(struct wa_manifest *m);
void wa_manifest_fini(struct wa_manifest *m);
#define WA_AUTO_MANIFEST WA_CLEANUP(wa_manifest_fini)
/* Strict: an array of two-string arrays, safe names, lower-case digests, no name twice (folded),
 * none of the signature files. */
WA_CHECK enum wa_code wa_manifest_parse(struct wa_sv text, struct wa_manifest *ret,
                                        struct wa_err *err);
/* The same with SHA-1 digests, of WAPT/manifest.sha1 (formats.md 1.9). */
WA_CHECK enum wa_code wa_manifest_parse_sha1(struct wa_sv text, struct wa_manifest *ret,
                                             struct wa_err *err);
WA_CHECK enum wa_code wa_manifest_add(struct wa_manifest *m, const struct wa_relpath *name,
                                      const char *sha256, struct wa_err *err);
/* CJSON, in the order added or sorted. */
WA_CHECK enum wa_code wa_manifest_write(const struct wa_manifest *m, struct wa_buf *out,
                                        struct wa_err *err);
const struct wa_manifest_entry *wa_manifest_find(const struct wa_manifest *m, const char *name);
/* The members that no manifest lists: signature.sha256, manifest.sha256 and their sha1 sisters. */
bool wa_manifest_is_unlisted(const char *name);

#endif

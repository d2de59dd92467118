/* build.h - making and signing packages (formats.md 1.5-1.8). */
#ifndef WA_PKG_BUILD_H
#define WA_PKG_BUILD_H

#include "base/relpath.h"
#include "crypto/cert.h"
#include "pkg/control.h"

struct wa_manifest;
struct wa_signer {
    const struct wa_key *key;     /* RSA: WAPT's agents know nothing else */
    const struct wa_certs *chain; /* signer first; must match the key */
};
struct wa_build_options {
    const char *const *excludes; /* fnmatch patterns on base names, NULL-terminated; may be NULL */
    bool increment_release;
    bool keep_signature_date;
    bool also_sha1;     /* a second manifest and signature, for what is older than WAPT 1.5 (1.9) */
    bool without_setup; /* of an existing package: leave setup.py out */
    int64_t date;       /* of the signature and the archive, seconds since 1970; 0: now */
    /* of an existing package: every member must be as it is listed here; NULL: whatever is there */
    const struct wa_manifest *only;
    const char *maturity; /* NULL: as in control; so for the next two */
    const char *target_os;
    const char *set_version;
    const char *set_package; /* its name */
    const char *set_depends, *set_conflicts;
    const char *set_held, *set_windows, *set_freezes;
};

/* The same input gives the same bytes but for the date of the signature, and what follows from it:
 * modes are 0644 or 0755, times are the signature's, the order is that of the names, and
 * package_uuid comes from the content and that date. With a date given, or kept, nothing differs.
 */

/* Packs and signs the source directory into dir_out, named canonically (1.4); the sources are not
 * changed but for WAPT/control's version with increment_release. ret_path: room for WA_PATH_MAX.
 * Refused: no WAPT/control, bad version or architecture, setup.py without codeSigning, an expired
 * certificate, unsafe names. Atomic. */
WA_CHECK enum wa_code wa_build_package(const char *source_dir, const char *dir_out,
                                       const struct wa_signer *signer,
                                       const struct wa_build_options *options, char *ret_path,
                                       struct wa_err *err);
/* Removes what runs that were killed more than WA_LEFTOVER_AGE_S ago left of unfinished packages in
 * the folder; wa_build_package() does it by itself. Where that fails they stay, no more. */
void wa_build_sweep(const char *folder);
/* The same in the folder of a file, unless that of `before` (may be NULL) is the same. */
void wa_build_sweep_beside(const char *path, const char *before);
/* Signs an existing .wapt anew, in place: whenever it is interrupted, one whole package is there,
 * the old or the new one. A file that has the usual name of its package (1.4) gets the new usual
 * name when version or maturity change, WA_E_EXISTS if that is taken; another keeps its name.
 * ret_path: room for WA_PATH_MAX, where it is now; may be NULL. */
WA_CHECK enum wa_code wa_sign_package(const char *path, const struct wa_signer *signer,
                                      const struct wa_build_options *options, char *ret_path,
                                      struct wa_err *err);
/* Whether a package's file has the name that a tool gave it (1.4), with the MD5 that some put into
 * it or without. */
bool wa_package_has_usual_name(const struct wa_control *c, const struct wa_relpath *name);
/* Signs a source directory in place: control, certificate, manifest and signature are written into
 * its WAPT/. Each file is replaced atomically, the four together are not: a kill in between leaves
 * a directory whose signature does not hold. Names that every build leaves out, and
 * options->excludes, are not listed. */
WA_CHECK enum wa_code wa_sign_tree(const char *source_dir, const struct wa_signer *signer,
                                   const struct wa_build_options *options, struct wa_err *err);
/* A package without files (group, host, unit, profile...) from its control, into dir_out. */
WA_CHECK enum wa_code wa_build_meta(const struct wa_control *control, const char *dir_out,
                                    const struct wa_signer *signer,
                                    const struct wa_build_options *options, char *ret_path,
                                    struct wa_err *err);
/* Fills signature, signer, uuid, signed_attributes, and the date unless c has one. files: what else
 * is in the package, so that the uuid is of this content; NULL: nothing. */
WA_CHECK enum wa_code wa_sign_control(struct wa_control *c, const struct wa_signer *signer,
                                      const struct wa_manifest *files, struct wa_err *err);

#endif

/* build.h - making and signing packages (formats.md 1.5-1.8). */
#ifndef WA_PKG_BUILD_H
#define WA_PKG_BUILD_H

#include "crypto/cert.h"
#include "pkg/control.h"

struct wa_signer {
    const struct wa_key *key;     /* RSA: WAPT's agents know nothing else */
    const struct wa_certs *chain; /* signer first; must match the key */
};
struct wa_build_options {
    const char *const *excludes; /* fnmatch patterns on base names, NULL-terminated; may be NULL */
    bool increment_release;
    bool keep_signature_date;
    const char *maturity;    /* NULL: as in control */
    const char *set_version; /* NULL: as in control */
};

/* Packs and signs the source directory into dir_out, named canonically (1.4); the sources are not
 * changed but for WAPT/control's version with increment_release. ret_path: room for WA_PATH_MAX.
 * Refused: no WAPT/control, bad version or architecture, setup.py without codeSigning, an expired
 * certificate, unsafe names. Atomic. Same input, same bytes but for package_uuid and signature
 * date. */
WA_CHECK enum wa_code wa_build_package(const char *source_dir, const char *dir_out,
                                       const struct wa_signer *signer,
                                       const struct wa_build_options *options, char *ret_path,
                                       struct wa_err *err);
/* Signs an existing .wapt anew, in place, atomically. */
WA_CHECK enum wa_code wa_sign_package(const char *path, const struct wa_signer *signer,
                                      const struct wa_build_options *options, struct wa_err *err);
/* Signs a source directory in place: control, certificate, manifest and signature are written into
 * its WAPT/. Each file is replaced atomically, the four together are not: a kill in between leaves
 * a directory whose signature does not hold. Names that every build leaves out, and
 * options->excludes, are not listed. */
WA_CHECK enum wa_code wa_sign_tree(const char *source_dir, const struct wa_signer *signer,
                                   const struct wa_build_options *options, struct wa_err *err);
/* A package without files (group, host, unit, profile...) from its control, into dir_out. */
WA_CHECK enum wa_code wa_build_meta(const struct wa_control *control, const char *dir_out,
                                    const struct wa_signer *signer, char *ret_path,
                                    struct wa_err *err);
/* Fills signature, signer, dates, uuid and signed_attributes of c. */
WA_CHECK enum wa_code wa_sign_control(struct wa_control *c, const struct wa_signer *signer,
                                      bool keep_date, struct wa_err *err);

#endif

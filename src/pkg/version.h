/* version.h - versions and their three comparisons (formats.md 2.1). Which is used where:
 * A wa_version_cmp: operating system, agent and software versions. B wa_pkgversion_cmp:
 * requirements and preference among candidates. C wa_entry_cmp (pkg/control.h): is an available
 * package newer than an installed one. docs/formats/versions.md says why. */
#ifndef WA_PKG_VERSION_H
#define WA_PKG_VERSION_H

#include "base/sv.h"

/* A. members 0: as many as there are; else padded with '0' or cut. <0, 0, >0. */
int wa_version_cmp(struct wa_sv a, struct wa_sv b, unsigned members);
/* B. WA_E_INVALID when a packaging part is not a number (WAPT crashes there). */
WA_CHECK enum wa_code wa_pkgversion_cmp(struct wa_sv a, struct wa_sv b, int *ret,
                                        struct wa_err *err);
/* The syntax that building accepts. */
bool wa_pkgversion_is_valid(struct wa_sv v);
/* Increments as inc_build does; out has room for WA_NAME_MAX + 1. */
WA_CHECK enum wa_code wa_pkgversion_increment(struct wa_sv v, char *out, struct wa_err *err);

#endif

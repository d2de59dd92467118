/* request.h - requirements "name(>=1.2-3)", and which packages this machine may take
 * (formats.md 2.2-2.6). */
#ifndef WA_PKG_REQUEST_H
#define WA_PKG_REQUEST_H

#include "pkg/control.h"

struct wa_request {
    char package[WA_NAME_MAX + 1];
    char op[3]; /* "" any version; "=" "==" "<" ">" "<=" ">=" */
    char version[WA_NAME_MAX + 1];
};
/* Grammar of 2.3; blanks around the name are trimmed; an operator without version or the reverse is
 * WA_E_INVALID. */
WA_CHECK enum wa_code wa_request_parse(struct wa_sv text, struct wa_request *ret,
                                       struct wa_err *err);
/* Name and version (2.3, comparison B). A version that B can't compare never matches. */
bool wa_request_matches(const struct wa_request *r, const struct wa_control *c);
/* The same by comparison C (wa_entry_cmp_version), where "=1.2" means every 1.2.x: what a person
 * types to choose from a list. Never for what a package needs. */
bool wa_request_matches_typed(const struct wa_request *r, const struct wa_control *c);
/* "name(=version)" */
void wa_entry_requirement(const struct wa_control *c, struct wa_buf *out);

/* What a machine is and wants; strings borrowed, csv lists in order of preference, "" or NULL: no
 * restriction. */
struct wa_host_caps {
    const char *os, *os_version, *architecture, *wapt_version;
    const char *locales, *maturities;
    const char *blacklist, *whitelist; /* csv of fnmatch patterns */
    char now[40];                      /* isodate, local; "": dates are not judged */
};
/* 2.5. *ret_why (static text, may be NULL) says what excluded it. */
bool wa_host_accepts(const struct wa_host_caps *host, const struct wa_control *c,
                     const char **ret_why);
/* 2.6: <0 when a is the worse candidate. */
int wa_candidate_cmp(const struct wa_host_caps *host, const struct wa_control *a,
                     const struct wa_control *b);

#endif

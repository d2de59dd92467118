/* software_priv.h - the reader of dpkg's status file, for software.c and for tests. */
#ifndef WA_OS_LINUX_SOFTWARE_PRIV_H
#define WA_OS_LINUX_SOFTWARE_PRIV_H

#include "base/buf.h"
#include "os/software.h"

struct wa_dpkg {
    struct wa_buf text; /* paragraphs that are not whole yet */
    size_t searched;    /* bytes of it that hold no end of a paragraph */
    wa_software_fn fn;
    void *user;
};

void wa_dpkg_init(struct wa_dpkg *d, wa_software_fn fn, void *user);
void wa_dpkg_fini(struct wa_dpkg *d);
/* Takes the next piece of the file, cut anywhere, and calls fn for each paragraph that it ends.
 * WA_E_LIMIT for a paragraph that is too long; what fn returns. */
WA_CHECK enum wa_code wa_dpkg_feed(struct wa_dpkg *d, const void *p, size_t n, struct wa_err *err);
/* The last paragraph may lack the blank line after it. */
WA_CHECK enum wa_code wa_dpkg_end(struct wa_dpkg *d, struct wa_err *err);
/* wa_software_list() over another file. */
WA_CHECK enum wa_code wa_software_list_file(const char *path, wa_software_fn fn, void *user,
                                            struct wa_err *err);

/* The lines of `rpm --query --all` in the form of WA_RPM_FORM. */
#define WA_RPM_FORM "%{NAME}\\t%{VERSION}-%{RELEASE}\\t%{ARCH}\\t%{VENDOR}\\t%{INSTALLTIME}\\n"
WA_CHECK enum wa_code wa_rpm_each(struct wa_sv text, wa_software_fn fn, void *user,
                                  struct wa_err *err);
const char *wa_rpm_database(void); /* directory of rpm's database; NULL: there is none */
/* Runs rpm over a database and calls fn for each package. */
WA_CHECK enum wa_code wa_rpm_list(const char *database, wa_software_fn fn, void *user,
                                  struct wa_err *err);

#endif

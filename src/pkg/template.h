/* template.h - the sources of a new package: its control, its setup.py, and what to check in them.
 *
 * What an installer says of itself is put nowhere but into values of the control, which are single
 * lines, and into string literals of setup.py, escaped.
 */
#ifndef WA_PKG_TEMPLATE_H
#define WA_PKG_TEMPLATE_H

#include "pkg/control.h"
#include "pkg/installer.h"

#define WA_ICON_FILE "WAPT/icon.png"

struct wa_template_options {
    const char *prefix;     /* of the package's name, "tis"; "": none */
    const char *package;    /* its name, instead of one made from the installer's; may be NULL */
    const char *maintainer; /* who makes the package */
    const char *maturity;   /* may be NULL */
};
/* The control of a package for inst. WA_E_INVALID for a name that is none, the software's own too
 * where setup.py gives it to the system's package manager. */
WA_CHECK enum wa_code wa_template_control(const struct wa_installer *inst,
                                          const struct wa_template_options *o,
                                          struct wa_control *ret, struct wa_err *err);
/* Appends the text of its setup.py. */
WA_CHECK enum wa_code wa_template_setup(const struct wa_installer *inst, struct wa_buf *out,
                                        struct wa_err *err);
/* The options with which a .exe asks nothing: a person's, else its maker's; "": not known. */
const char *wa_template_silent(const struct wa_installer *inst);
/* Tells each thing that a person must look at; text is one line, valid during the call. is_shown:
 * in the language of this process, else in English. */
typedef void (*wa_template_check_fn)(void *user, const char *text);
void wa_template_checks(const struct wa_installer *inst, const struct wa_control *c, bool is_shown,
                        wa_template_check_fn fn, void *user);

/* The control of a package without files, of section group, host, unit or profile: name is what a
 * person gives (a host's uuid, a group's name, an organisational unit, a profile), depends a comma
 * list. WA_E_INVALID when that can't be the name of one. */
WA_CHECK enum wa_code wa_template_meta(const char *section, const char *name, const char *depends,
                                       const struct wa_template_options *o, struct wa_control *ret,
                                       struct wa_err *err);

/* "Mozilla Firefox 115.0 (x64 de)" is "tis-mozilla-firefox". Appends it. */
void wa_template_name(const char *prefix, struct wa_sv product, struct wa_buf *out);
/* "1:2.3.4~rc1-5" is "2.3.4-1"; "0-1" when there is nothing to take. out: WA_VERSION_TEXT_MAX. */
#define WA_VERSION_TEXT_MAX 64u
void wa_template_version(struct wa_sv text, char out[WA_VERSION_TEXT_MAX]);
/* Whether a person's word can be the name of a package as it is. WA_E_INVALID. */
WA_CHECK enum wa_code wa_template_check_name(const char *name, struct wa_err *err);
/* A string literal of Python that stands for exactly these bytes, which are valid UTF-8. */
void wa_template_python(struct wa_buf *out, struct wa_sv text);

#endif

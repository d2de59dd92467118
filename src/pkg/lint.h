/* lint.h - mistakes in the sources of a package, found before it is built: what agents refuse, and
 * what packagers have regretted. docs/lint.md lists the rules.
 *
 * Nothing of the sources is executed. What setup.py's code does is looked at by python/wapt_lint.py
 * in a process of its own (cmd/get_lint.c), which only parses it.
 */
#ifndef WA_PKG_LINT_H
#define WA_PKG_LINT_H

#include "os/fs.h"
#include "pkg/build.h"

enum wa_lint_level { WA_LINT_NOTE, WA_LINT_WARNING, WA_LINT_ERROR };
const char *wa_lint_level_name(enum wa_lint_level l); /* "note", "warning", "error" */

struct wa_finding {
    enum wa_lint_level level; /* an error stops a build */
    char *rule, *file;        /* "description"; "WAPT/control", "." for the whole */
    unsigned line;            /* from 1; 0: the file as a whole */
    char *text;               /* what is wrong, and what to do */
};
struct wa_findings {
    struct wa_finding *items;
    size_t n, cap;
    const char *const *ignored; /* rules that are not told; NULL-terminated, may be NULL */
};
void wa_findings_fini(struct wa_findings *f);
#define WA_AUTO_FINDINGS WA_CLEANUP(wa_findings_fini)
size_t wa_findings_count(const struct wa_findings *f, enum wa_lint_level l);
WA_CHECK enum wa_code wa_lint_add(struct wa_findings *f, enum wa_lint_level level, const char *rule,
                                  const char *file, unsigned line, struct wa_err *err,
                                  const char *fmt, ...) WA_FORMAT(7, 8);

/* The control and the files of a source directory. now: seconds since 1970. Errors of the system
 * only: mistakes, even a missing control, are findings. */
WA_CHECK enum wa_code wa_lint_tree(const struct wa_dir *dir, const struct wa_build_options *options,
                                   int64_t now, struct wa_findings *f, struct wa_err *err);
/* A control alone. *ret_section: its section, "" when it can't be read; room for WA_NAME_MAX + 1.
 */
WA_CHECK enum wa_code wa_lint_control(struct wa_sv text, int64_t now, struct wa_findings *f,
                                      char *ret_section, struct wa_err *err);
/* What wapt_lint.py prints of setup.py: lines "LINE<tab>LEVEL<tab>RULE<tab>TEXT". Other lines are
 * passed over: the process that writes them is not believed. */
WA_CHECK enum wa_code wa_lint_take(struct wa_sv text, struct wa_findings *f, struct wa_err *err);
/* Left out of every build of these sources. */
bool wa_build_leaves_out(const struct wa_relpath *name, const struct wa_build_options *o);

#endif

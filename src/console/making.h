/* making.h - a package that is being made of what was dropped into a page: what the files say of
 * themselves, what a person makes of it, the control and the setup.py that follow, and what is
 * wrong with them.
 *
 *     wa_making_init(&m);
 *     wa_making_read(&m, request, ...);     the page's word: which files, and what was changed
 *     wa_making_propose(&m, ...);           without such a word: what the files say
 *     wa_making_compose(&m, &dir, ...);     control and setup.py, in dir too, and the findings
 *
 * Blocking; one thread. The files are a stranger's: other programs read them, in a process of their
 * own (reader.h).
 */
#ifndef WA_CONSOLE_MAKING_H
#define WA_CONSOLE_MAKING_H

#include "base/arena.h"
#include "codec/json.h"
#include "console/reader.h"
#include "os/fs.h"
#include "pkg/lint.h"
#include "pkg/template.h"

struct wa_making_file {
    const char *path;       /* where it lies */
    struct wa_relpath name; /* in the package */
    uint64_t size;          /* bytes */
};
struct wa_making {
    struct wa_making_file *files; /* the arena's */
    size_t count;
    struct wa_installer inst;
    struct wa_control control;
    struct wa_buf text, setup; /* WAPT/control and setup.py */
    struct wa_buf icon;        /* WAPT/icon.png; empty: none */
    const char *icon_path;     /* of the picture that the page has said; NULL: none */
    struct wa_findings findings;
    bool is_told;   /* the page has said what the package is to be */
    bool own_setup; /* it has said its setup.py, too */
    bool own_icon;  /* and its icon, or that there is to be none */
};
void wa_making_init(struct wa_making *m);
void wa_making_fini(struct wa_making *m);
#define WA_AUTO_MAKING WA_CLEANUP(wa_making_fini)

/* {"files": [{"id", "name"}], "made": {...}, "setup", "icon"}, and "what" and "key", which are the
 * caller's: ret_key may be NULL. files_dir: where dropped files lie by their identifiers, may be
 * NULL. One name without '/' is an installer, names in one folder are that folder, none is a
 * package without. icon: the identifier of a picture; "": none; left out: the installer's own. */
WA_CHECK enum wa_code wa_making_read(struct wa_making *m, const struct wa_json *request,
                                     const char *files_dir, struct wa_arena *arena,
                                     struct wa_sv *ret_key, struct wa_err *err);
/* What the files say. WA_E_INVALID: they are none of the installers that are understood, damaged,
 * or not what they look like; the errors of wa_reader_ask(). */
WA_CHECK enum wa_code wa_making_propose(struct wa_making *m, const struct wa_template_options *o,
                                        struct wa_reader *reader, struct wa_stop *stop,
                                        struct wa_err *err);
/* Writes both texts and the icon, into dir too, and finds what is wrong with them: no error but of
 * the system, and WA_E_INVALID for a picture that can't be one. is_whole: the files are in dir
 * already, and are looked at, too. */
WA_CHECK enum wa_code wa_making_compose(struct wa_making *m, const struct wa_dir *dir,
                                        bool is_whole, struct wa_reader *reader,
                                        struct wa_stop *stop, struct wa_err *err);
/* "icon": base64 of it, or null; a member of an open object. */
WA_CHECK enum wa_code wa_making_write_icon(struct wa_sv png, struct wa_jw *w, struct wa_err *err);
/* "made": what a page may change, and "kind", "software"; members of an open object. */
void wa_making_write(const struct wa_making *m, struct wa_jw *w);
/* "findings": [{"level", "rule", "file", "line", "field", "text"}], a member of an open object;
 * field: the attribute of the control, whose text it is given, that it is about, or "". */
void wa_making_write_findings(const struct wa_findings *f, struct wa_sv control, struct wa_jw *w);
/* A finding in one line: "setup.py:3: ...". out is cut to its size. */
void wa_making_say_finding(const struct wa_finding *f, char *out, size_t size);

/* What wapt_lint.py says of an open setup.py; a note that it could not be asked. */
WA_CHECK enum wa_code wa_making_lint_setup(int fd, struct wa_reader *reader, struct wa_stop *stop,
                                           struct wa_findings *f, struct wa_err *err);
/* The same of its text, by way of a file of its own. */
WA_CHECK enum wa_code wa_making_lint_text(struct wa_sv text, struct wa_reader *reader,
                                          struct wa_stop *stop, struct wa_findings *f,
                                          struct wa_err *err);

#endif

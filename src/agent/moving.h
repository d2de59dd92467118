/* moving.h - what WAPT 1.5 to 1.8 left on this machine, taken over once (formats.md 8.1, 12.5).
 *
 * The database is a foreign file: root's, as is checked before, but written by other programs over
 * many years, or damaged. Nothing of it is ever executed.
 */
#ifndef WA_AGENT_MOVING_H
#define WA_AGENT_MOVING_H

#include "agent/db.h"
#include "pkg/control.h"

/* --- moving_text.c: values as WAPT's versions wrote them --- */
/* Adds text as UTF-8: what is none is read as Latin-1, and NUL becomes '?'. At most max bytes. */
void wa_old_text(struct wa_sv bytes, size_t max, struct wa_buf *out);
/* The same for one line: what is not shown becomes a blank, and none stands at either end. */
void wa_old_line(struct wa_sv bytes, size_t max, struct wa_buf *out);
/* Adds a JSON list of the keys of `["a"]`, `['a', u'b']`, `'a'` or `a` (formats.md 10.5). */
WA_CHECK enum wa_code wa_old_keys(struct wa_sv text, struct wa_buf *out, struct wa_err *err);

/* --- moving_db.c: its rows --- */
struct wa_old_row {
    struct wa_control control; /* reads back as it is written */
    char status[64];           /* ERROR for what was interrupted */
    char audit_status[64], repo[64];
    bool is_explicit;
    int64_t install_date, audit_on, next_audit; /* 0: not known */
    struct wa_buf output, audit_output;
    struct wa_buf params;   /* one JSON object */
    struct wa_buf keys;     /* JSON list */
    struct wa_buf setup_py; /* verified by nobody here; empty: none */
    char note[160];         /* what of it was not taken; "": all was */
};
/* problem NULL: row is good. Else the row, whose name is in row->note, can't be used for that
 * reason. The row is the reader's; fn may change it. */
typedef enum wa_code (*wa_old_row_fn)(void *user, struct wa_old_row *row, const char *problem,
                                      struct wa_err *err);
/* Opens a copy of waptdb.sqlite, which is changed: its schema becomes that of 1.8.2.
 * WA_E_INVALID: it is no such database, or damaged. */
WA_CHECK enum wa_code wa_old_db_open(const char *path, struct wa_db **ret, struct wa_err *err);
/* Each package once: its last row, but one that was only begun when there is another. A failure of
 * fn ends it. WA_E_LIMIT: more rows than any machine has. */
WA_CHECK enum wa_code wa_old_db_rows(struct wa_db *db, wa_old_row_fn fn, void *user,
                                     struct wa_err *err);
/* The identity that the machine had; nothing is added when there is none. */
WA_CHECK enum wa_code wa_old_db_uuid(struct wa_db *db, struct wa_buf *out, struct wa_err *err);
/* What scripts kept by write_param and set_package_attribute, as one JSON object. *ret_left_out:
 * how many values could not be read, or had no room. */
WA_CHECK enum wa_code wa_old_db_values(struct wa_db *db, struct wa_buf *out, size_t *ret_left_out,
                                       struct wa_err *err);

/* --- moving.c --- */
struct wa_manager;
/* At the start, before anything looks at what is installed: imports db/waptdb.sqlite once, whole or
 * not at all; WAPT's own files stay as they are. A failure must end the start: without it all
 * packages would be installed again. */
WA_CHECK enum wa_code wa_moving_import(struct wa_manager *m, struct wa_err *err);

#endif

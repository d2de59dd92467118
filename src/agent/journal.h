/* journal.h - the log of what is being done to packages, durable before its effect, and of what
 * failed.
 *
 * A row stands while a package's script may run. What is left of it at the next start says how far
 * the work had come; wa_agent_db_recover() finishes or undoes it, whichever the step allows. What
 * a script did in between nobody knows: the package then counts as ERROR, and what it was given is
 * kept for the next attempt.
 */
#ifndef WA_AGENT_JOURNAL_H
#define WA_AGENT_JOURNAL_H

#include "agent/db.h"
#include "codec/json.h"

enum wa_journal_step {
    WA_JOURNAL_SNAPSHOT, /* the administrator's snapshot is taken; the script has not begun */
    WA_JOURNAL_SCRIPT,   /* the script may have begun */
    WA_JOURNAL_UNDO,     /* it failed, and is being undone */
    WA_JOURNAL_OWED      /* was interrupted; the undoing is owed */
};
#define WA_SNAPSHOT_ID_MAX 128u /* bytes of what names a snapshot */

struct wa_journal_entry {
    const struct wa_control *control;
    const char *hook; /* "install" or "uninstall" */
    const char *repo; /* "": not known */
    struct wa_sv params;
    bool is_explicit;
    enum wa_journal_step step;
};
/* Durable when it returns. */
WA_CHECK enum wa_code wa_journal_begin(struct wa_db *db, const struct wa_journal_entry *e,
                                       struct wa_err *err);
/* The next step; snapshot "": none was taken. */
WA_CHECK enum wa_code wa_journal_step(struct wa_db *db, const char *package,
                                      enum wa_journal_step step, const char *snapshot,
                                      struct wa_err *err);
/* What the script has said so far, the end of it: after an interruption it is all there is. */
WA_CHECK enum wa_code wa_journal_output(struct wa_db *db, const char *package, struct wa_sv output,
                                        struct wa_err *err);
/* The hook of that package that runs at present; "" for none. */
WA_CHECK enum wa_code wa_journal_hook(struct wa_db *db, const char *package, char ret_hook[16],
                                      struct wa_err *err);
WA_CHECK enum wa_code wa_journal_end(struct wa_db *db, const char *package, struct wa_err *err);

struct wa_journal_owed {
    struct wa_control control;
    char snapshot[WA_SNAPSHOT_ID_MAX + 1];
    int64_t tries; /* this one included */
};
void wa_journal_owed_fini(struct wa_journal_owed *o);
/* The next undoing that is owed, one more try of it counted before it begins. *ret_found false:
 * none. */
WA_CHECK enum wa_code wa_journal_next_owed(struct wa_db *db, struct wa_journal_owed *ret,
                                           bool *ret_found, struct wa_err *err);

/* At start: packages whose script was interrupted become ERROR, what was not begun is as it was,
 * undoings are owed; interrupted tasks are queued again - what nobody waits for, and removals
 * - or have failed, as those do that were interrupted too often. */
WA_CHECK enum wa_code wa_agent_db_recover(struct wa_db *db, size_t *ret_interrupted,
                                          struct wa_err *err);

/* --- attempts.c: packages that failed, and when the machine tries them again by itself --- */
/* Counts one more failure of this version; why is cut to a line or so. A first interruption may
 * have been the machine's own and costs no wait. */
WA_CHECK enum wa_code wa_attempt_failed(struct wa_db *db, const char *package, const char *version,
                                        const char *why, bool is_interruption, int64_t now,
                                        struct wa_err *err);
/* It succeeded, or is gone. */
WA_CHECK enum wa_code wa_attempt_forget(struct wa_db *db, const char *package, struct wa_err *err);
/* May the machine try this version by itself now? *ret_next: 0 when it may, else from when on.
 * Whoever asks for it or orders it is not bound by this. */
WA_CHECK enum wa_code wa_attempt_next(struct wa_db *db, const char *package, const char *version,
                                      int64_t now, int64_t *ret_next, struct wa_err *err);
/* When the first of what failed may be tried again; 0: nothing waits. */
WA_CHECK enum wa_code wa_attempt_first(struct wa_db *db, int64_t now, int64_t *ret_next,
                                       struct wa_err *err);
/* Array of {"package","version","failures","last_try","next_try","why"}. */
WA_CHECK enum wa_code wa_attempts_write(struct wa_db *db, struct wa_jw *w, struct wa_err *err);

#endif

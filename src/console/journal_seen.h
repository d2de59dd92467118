/* journal_seen.h - how far each server's journal had come when this person last saw it, and whether
 * what was there then is there still: a server whose journal was rewritten or cut can't hide it
 * from a console that has seen it whole. What a machine runs does not hang on it. */
#ifndef WA_CONSOLE_JOURNAL_SEEN_H
#define WA_CONSOLE_JOURNAL_SEEN_H

#include "base/vec.h"
#include "console/client.h"
#include "proto/journal.h"

struct wa_journal_seen {
    char node[WA_JOURNAL_NODE]; /* of the chain; "": of the only one, as files of before have it */
    int64_t seq;
    char digest[WA_JOURNAL_DIGEST];
};
struct wa_journal_seens {
    WA_VEC(struct wa_journal_seen);
};

/* The file in which it is kept for this server; path: WA_PATH_MAX. */
WA_CHECK enum wa_code wa_journal_seen_file(const char *server, char *path, struct wa_err *err);
/* Asks whether what was seen is there still, keeps what is there now unless what was seen has
 * changed, and says to a person at a login what is to be known: nothing when all is well, else a
 * warning - it is another, it was trimmed since, or it could not be looked at. out: initialised.
 */
void wa_journal_seen_warn(struct wa_client *c, const char *server, struct wa_buf *out);

/* --- every entry of a chain, some at a time --- */
struct wa_journal_walk {
    char node[WA_JOURNAL_NODE]; /* "" before wa_journal_walk_begin(): the server's own */
    int64_t seq, total;         /* the last that was looked at; the newest */
    char digest[WA_JOURNAL_DIGEST];
    bool is_over;
};
/* Where the chain goes on. */
WA_CHECK enum wa_code wa_journal_walk_begin(struct wa_client *c, struct wa_journal_walk *w,
                                            struct wa_err *err);
/* The next entries: the digest of each is computed here. At the end the newest is kept.
 * WA_E_REFUSED says which does not fit, and what that means. */
WA_CHECK enum wa_code wa_journal_walk_on(struct wa_client *c, const char *path,
                                         struct wa_journal_walk *w, struct wa_err *err);

#endif

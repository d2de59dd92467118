/* store_scan.h - questions to the scan process on behalf of a call of the API: what is asked, whose
 * request waits for the answer, and what the answer was.
 */
#ifndef WA_SERVER_STORE_SCAN_H
#define WA_SERVER_STORE_SCAN_H

#include "server/api.h"

struct wa_scanning {
    struct wa_scanning *next;         /* of the store's */
    struct wa_store_request *request; /* to be answered by done() */
    const char *op;
    char user[WA_NAME_MAX + 1];
    struct wa_upload upload; /* id "": not about one */
    /* answer: {code,message,file,text,bytes,list}, to be read only when err is WA_OK. */
    void (*done)(struct wa_store *s, struct wa_scanning *k, const struct wa_json *answer,
                 const struct wa_err *err);
};
/* What may stand in a question besides its op; texts of p == NULL are left out. */
struct wa_scan_wish {
    struct wa_sv file, name, sha256, text, replaces;
    int64_t size, reserved; /* bytes */
    unsigned rights;        /* of who asks: wa_api_scan() sets it, and perimeter */
    struct wa_sv perimeter;
};
/* Asks scan, or trust; the call is answered later, by done(). u may be NULL. */
WA_CHECK enum wa_code wa_api_scan(struct wa_api_call *c, enum wa_server_role whom, const char *op,
                                  const struct wa_scan_wish *wish, const struct wa_upload *u,
                                  void (*done)(struct wa_store *s, struct wa_scanning *k,
                                               const struct wa_json *answer,
                                               const struct wa_err *err),
                                  struct wa_err *err);
/* What scan, or trust, answered: its error, or that it was done, in so many words. */
WA_CHECK enum wa_code wa_store_scan_said(struct wa_sv payload, struct wa_arena *arena,
                                         const struct wa_json **ret, struct wa_err *err);
/* A done() that answers with the list. */
void wa_store_answer_list(struct wa_store *s, struct wa_scanning *k, const struct wa_json *answer,
                          const struct wa_err *err);
/* Whether that is being done to the upload right now. */
bool wa_store_is_scanning(const struct wa_store *s, const char *upload, const char *op);
/* Journal and log of a change of the repository that has been made, or refused; names: what a
 * machine's own package says that it is in. */
void wa_store_tell_change(struct wa_store *s, const struct wa_scanning *k, struct wa_sv file,
                          struct wa_sv names, const struct wa_err *err);

#endif

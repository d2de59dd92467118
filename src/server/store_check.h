/* store_check.h - a machine's report, taken apart and its signature checked before the database is
 * asked: what costs most, and needs nothing of the store's. */
#ifndef WA_SERVER_STORE_CHECK_H
#define WA_SERVER_STORE_CHECK_H

#include "proto/report.h"
#include "server/store_priv.h"
#include "server/store_senders.h"

enum wa_statement_kind { WA_STATES_STATUS, WA_STATES_RESULT, WA_STATES_LEAVE };

struct wa_statement_section {
    struct wa_sv text;          /* JSON, in the arena; none: not in the report */
    char digest[WA_SHA256_HEX]; /* that we make of it */
};

struct wa_statement {
    struct wa_arena arena;
    enum wa_statement_kind kind;
    struct wa_envelope envelope;
    struct wa_status_msg status; /* of these the one that kind says */
    struct wa_result_msg result;
    struct wa_leave_msg leave;
    struct wa_statement_section sections[WA_SEC_COUNT];
    bool is_checked;          /* the signature holds, by the key of */
    struct wa_sender checked; /* this certificate, which need not be the machine's any more */
    struct wa_err why;        /* why it is none, for WA_OK it is one */
};

/* Reads body into r, which is zeroed, and to be finished whatever came of it. From any thread. */
void wa_statement_read(struct wa_statement *r, struct wa_sv body, struct wa_senders *senders,
                       struct wa_key **scratch);
void wa_statement_fini(struct wa_statement *r);

/* Threads that read small reports, several at a time; without, and for large ones, the store's own
 * does it. */
WA_CHECK enum wa_code wa_store_checks_start(struct wa_store *s, struct wa_err *err);
/* Waits for what is being read, which is then judged, and answered. */
void wa_store_checks_end(struct wa_store *s);

/* What the database says to it; takes the request over. (store_agent.c) */
void wa_store_judge_report(struct wa_store_request *request, struct wa_statement *r);

#endif

/* report.h - what the machine says to its server, from the task thread. */
#ifndef WA_AGENT_REPORT_H
#define WA_AGENT_REPORT_H

#include "agent/manager_priv.h"

/* --- report.c: talk to the server, from the task thread --- */
WA_CHECK enum wa_code wa_report_register(struct wa_task_run *run, struct wa_err *err);
/* Has the server forget this machine, then forgets key and enrolment. A server that does not know
 * it is told; any other refusal ends it, unless forced. */
WA_CHECK enum wa_code wa_report_unregister(struct wa_task_run *run, struct wa_err *err);
/* A call of the server: where, and whom to trust there, as the configuration is now. Under the lock
 * where the thread is not the task's: a registration exchanges what is read. */
struct wa_server_call {
    char url[2048];
    struct wa_tls_trust trust;
    struct wa_buf pem; /* the trust's text */
    struct wa_buf own; /* its identity */
};
void wa_server_call_fini(struct wa_server_call *call);
#define WA_AUTO_SERVER_CALL WA_CLEANUP(wa_server_call_fini)
WA_CHECK enum wa_code wa_server_call_make(struct wa_manager *m, const char *path,
                                          struct wa_server_call *call, struct wa_err *err);
/* Posts a statement that is sealed. From any thread but the loop's. Errors of the server are errors
 * here. */
WA_CHECK enum wa_code wa_server_call(struct wa_manager *m, const struct wa_server_call *call,
                                     struct wa_sv body, uint32_t timeout_ms,
                                     struct wa_cancel *cancel, struct wa_buf *answer,
                                     struct wa_err *err);
/* POSTs a statement, sealed. answer: the body of a good answer. */
WA_CHECK enum wa_code wa_report_post(struct wa_manager *m, const char *path, struct wa_sv text,
                                     struct wa_buf *answer, struct wa_err *err);
/* The same to where reports go; WA_E_CONFIG before the machine is registered. */
WA_CHECK enum wa_code wa_report_send(struct wa_manager *m, struct wa_sv text, struct wa_buf *answer,
                                     struct wa_err *err);
/* What a machine does by itself about its registration: by its account in the domain, where it is
 * not registered yet (use_kerberos); another TLS certificate, by its own key. */
void wa_report_renew(struct wa_manager *m);
/* Sends what is owed. Failures are kept for later. */
void wa_report_outbox(struct wa_manager *m);

/* --- sections.c, sections_own.c: what the machine is, from the task thread --- */
struct wa_sections {
    struct wa_buf text[WA_SEC_COUNT]; /* canonical JSON; empty: not to be had */
    struct wa_section_digests digests;
};
void wa_sections_fini(struct wa_sections *s);
#define WA_AUTO_SECTIONS WA_CLEANUP(wa_sections_fini)
/* Fills *ret, which is to be finished whatever the result. What could not be found out is logged
 * and left empty. */
WA_CHECK enum wa_code wa_sections_collect(struct wa_manager *m, struct wa_sections *ret,
                                          struct wa_err *err);
/* One that the manager knows by itself, as JSON; nothing where it has none. */
WA_CHECK enum wa_code wa_section_own(struct wa_manager *m, enum wa_section which,
                                     struct wa_buf *out, struct wa_err *err);

/* --- policy.c: the section that says what it goes by, and whose orders it takes --- */
WA_CHECK enum wa_code wa_policy_write(struct wa_manager *m, struct wa_buf *out, struct wa_err *err);

/* --- status.c: the same to the server --- */
/* Sends what has changed since the server last said what it has. is_asked: somebody wants to know
 * that it arrived, so a signed report goes even when nothing has. */
WA_CHECK enum wa_code wa_report_status(struct wa_manager *m, bool is_asked, struct wa_err *err);
/* All sections as one JSON object. */
WA_CHECK enum wa_code wa_status_show(struct wa_manager *m, struct wa_buf *out, struct wa_err *err);

#endif

/* report.h - what an agent tells its server, each a statement signed with the machine's own key
 * (F1A, F1D).
 *
 * Every statement carries uuid, seq (grows by at least one with each, never repeats, kept across
 * restarts) and time. The server refuses a seq that is not greater than the last it took from that
 * machine, and a time more than WA_REPORT_SKEW_S away, naming both clocks.
 */
#ifndef WA_PROTO_REPORT_H
#define WA_PROTO_REPORT_H

#include "proto/envelope.h"

#define WA_PURPOSE_REGISTER "wapt-register"
#define WA_PURPOSE_STATUS "wapt-status"
#define WA_PURPOSE_RESULT "wapt-action-result"
#define WA_PURPOSE_LEAVE "wapt-leave"
#define WA_PURPOSE_HELLO "wapt-hello"

/* --- registration: POST /agent/v1/register --- */
enum wa_cred_kind {
    WA_CRED_KEY,
    WA_CRED_TOKEN,
    WA_CRED_PASSWORD,
    WA_CRED_KERBEROS
}; /* KEY: an enrolled machine proves its key and renews its data */
struct wa_register_msg {
    struct wa_sv uuid;
    int64_t seq, time;
    struct wa_sv certificate; /* PEM, self-signed by the machine's key, CN = uuid */
    struct wa_sv csr;         /* PEM, of its TLS key, CN = uuid; empty: it wants no certificate */
    enum wa_cred_kind cred;
    struct wa_sv token;          /* TOKEN */
    struct wa_sv user, password; /* PASSWORD: an administrator's */
    struct wa_sv ticket;         /* KERBEROS: a SPNEGO token in base64, bound by
                                    wa_register_binding() */
    const struct wa_json *facts; /* host_info as in formats.md 5.7.2 */
};
WA_CHECK enum wa_code wa_register_write(const struct wa_register_msg *m, struct wa_sv facts_json,
                                        struct wa_buf *text, struct wa_err *err);
WA_CHECK enum wa_code wa_register_read(const struct wa_json *statement, struct wa_register_msg *ret,
                                       struct wa_err *err);

/* What a ticket is bound to: 64 hex digits over the machine's name, number, time, certificate and
 * request. A ticket that travels with one registration is good for no other. */
WA_CHECK enum wa_code wa_register_binding(const struct wa_register_msg *m, char ret[65],
                                          struct wa_err *err);

/* Answer, over verified TLS: {"uuid","server_uuid","relay_key","server_time","certificate"}.
 * relay_key: PEM public key of the countersigner. certificate: PEM, for the TLS key of the request;
 * absent when none was issued. */
struct wa_register_answer {
    struct wa_sv uuid, server_uuid, relay_key;
    int64_t server_time;
    struct wa_sv certificate;
};
void wa_register_answer_write(const struct wa_register_answer *a, struct wa_buf *out);
WA_CHECK enum wa_code wa_register_answer_read(const struct wa_json *j,
                                              struct wa_register_answer *ret, struct wa_err *err);

/* --- status and inventory: POST /agent/v1/report --- */
/* The sections a machine may write; each is optional in a message; anything else is refused (no
 * mass assignment). */
enum wa_section {
    WA_SEC_HOST_INFO,
    WA_SEC_HOST_STATUS,
    WA_SEC_INSTALLED_PACKAGES,
    WA_SEC_INSTALLED_SOFTWARES,
    WA_SEC_LAST_UPDATE_STATUS,
    WA_SEC_WAPT_STATUS,
    WA_SEC_AUDIT_STATUS,
    WA_SEC_HOST_CAPABILITIES,
    WA_SEC_HOST_METRICS,
    WA_SEC_DMI,
    WA_SEC_AUTHORIZED_CERTIFICATES,
    WA_SEC_POLICY,
    WA_SEC_COUNT
};
const char *wa_section_name(enum wa_section s); /* "host_info", ... as in formats.md 5.7 */
/* SHA-256 of each section's canonical JSON, lower-case hex; "": there is no such section. */
struct wa_section_digests {
    char hex[WA_SEC_COUNT][65];
};
/* text: the section as canonical JSON, appended. */
WA_CHECK enum wa_code wa_section_canonical(const struct wa_json *section, struct wa_buf *text,
                                           char ret_hex[65], struct wa_err *err);
/* Carries only the sections of which the server has others, and the digests of all
 * ("status_hashes"). */
struct wa_status_msg {
    struct wa_sv uuid;
    int64_t seq, time;
    const struct wa_json *sections[WA_SEC_COUNT]; /* NULL: not in this message */
    struct wa_section_digests digests;
};
/* sections[i]: JSON text or an empty view. */
WA_CHECK enum wa_code wa_status_write(struct wa_sv uuid, int64_t seq, int64_t time,
                                      const struct wa_sv sections[WA_SEC_COUNT],
                                      const struct wa_section_digests *digests, struct wa_buf *text,
                                      struct wa_err *err);
WA_CHECK enum wa_code wa_status_read(const struct wa_json *statement, struct wa_status_msg *ret,
                                     struct wa_err *err);
/* Answer: {"accepted":true,"status_hashes":{...}}, the digests of what the server has now. */
void wa_status_answer_write(const struct wa_section_digests *have, struct wa_buf *out);
WA_CHECK enum wa_code wa_status_answer_read(const struct wa_json *j, struct wa_section_digests *ret,
                                            struct wa_err *err);
/* One digest over all of them, of each with its section's name. */
WA_CHECK enum wa_code wa_section_digests_sum(const struct wa_section_digests *d, char ret_hex[65],
                                             struct wa_err *err);
/* The same digests by themselves, as an object, to be kept. */
void wa_section_digests_write(struct wa_jw *w, const struct wa_section_digests *d);
WA_CHECK enum wa_code wa_section_digests_read(const struct wa_json *j,
                                              struct wa_section_digests *ret, struct wa_err *err);

/* --- what became of an action: POST /agent/v1/report --- */
struct wa_result_msg {
    struct wa_sv uuid;
    int64_t seq, time;
    struct wa_sv action_id; /* 32 hex digits */
    struct wa_sv state;     /* "refused", "running", "postponed", "done", "failed", "cancelled" */
    struct wa_sv code;      /* wa_code_name() */
    struct wa_sv message;   /* for a person, at most 4 KiB */
    const struct wa_json *packages; /* array of {"package","version","status"}; may be NULL */
};
WA_CHECK enum wa_code wa_result_write(const struct wa_result_msg *m, struct wa_sv packages_json,
                                      struct wa_buf *text, struct wa_err *err);
WA_CHECK enum wa_code wa_result_read(const struct wa_json *statement, struct wa_result_msg *ret,
                                     struct wa_err *err);

/* --- the machine leaves: POST /agent/v1/report --- */
struct wa_leave_msg {
    struct wa_sv uuid;
    int64_t seq, time;
};
WA_CHECK enum wa_code wa_leave_write(const struct wa_leave_msg *m, struct wa_buf *text,
                                     struct wa_err *err);
WA_CHECK enum wa_code wa_leave_read(const struct wa_json *statement, struct wa_leave_msg *ret,
                                    struct wa_err *err);

#endif

/* identity.h - who this machine is to its server: its uuid, its key, the certificate that it shows.
 */
#ifndef WA_AGENT_IDENTITY_H
#define WA_AGENT_IDENTITY_H

#include "agent/manager_priv.h"

/* --- identity.c --- */
/* Reads uuid and key if there are any. */
WA_CHECK enum wa_code wa_identity_load(struct wa_manager *m, struct wa_db *db, struct wa_err *err);
/* Makes what is missing: uuid, key, certificate. certificate: PEM. */
WA_CHECK enum wa_code wa_identity_make(struct wa_manager *m, struct wa_buf *certificate,
                                       struct wa_err *err);
/* The machine's uuid, for the loop's thread: the task thread may change it meanwhile. Takes the
 * lock. */
void wa_identity_uuid(const struct wa_manager *m, char ret[WA_UUID_MAX + 1]);
/* Whether nobody has said in the configuration who this machine is. */
bool wa_identity_is_derived(const struct wa_manager *m);
/* Becomes another machine to the server: without key and enrolment, what was owed or ordered is
 * forgotten. wanted empty: a random one. WA_E_CONFIG: the configuration says who it is;
 * WA_E_NOT_FOUND: the firmware does not. */
WA_CHECK enum wa_code wa_identity_change(struct wa_manager *m, struct wa_sv wanted,
                                         bool from_firmware, struct wa_err *err);
/* The same machine, without key and enrolment: as before it was ever registered. */
WA_CHECK enum wa_code wa_identity_forget(struct wa_manager *m, struct wa_err *err);
/* generate-uuid and reset-uuid; the task's data is {"uuid"}, whatever becomes of it. */
WA_CHECK enum wa_code wa_identity_task(struct wa_task_run *run, struct wa_err *err);

/* --- tls_identity.c --- */
/* Reads what there is; what can't be used is logged. */
void wa_tls_identity_load(struct wa_manager *m, struct wa_db *db);
/* Without it from now on: another machine's, or refused. The task thread's, as the next two. */
void wa_tls_identity_forget(struct wa_manager *m);
/* A request for a certificate, PEM: for the key that it has, or for a new one where that is no
 * renewal, or the server refused the one before. */
WA_CHECK enum wa_code wa_tls_identity_request(struct wa_manager *m, bool is_renewal,
                                              struct wa_buf *csr, struct wa_err *err);
/* The server's answer to it; empty: it gave none. */
void wa_tls_identity_take(struct wa_manager *m, struct wa_sv certificate);
/* What to show at that address: nothing anywhere but at our server, and where our own package is.
 * out is initialised here, and *ret points into it. Takes the lock. */
WA_CHECK enum wa_code wa_tls_identity_copy(struct wa_manager *m, const char *url,
                                           struct wa_buf *out, struct wa_sv *ret,
                                           struct wa_err *err);
/* The server has refused it. Takes the lock. */
void wa_tls_identity_doubt(struct wa_manager *m);
/* Whether another one is to be asked for now; not again for an hour. Takes the lock. */
bool wa_tls_identity_is_due(struct wa_manager *m);

#endif

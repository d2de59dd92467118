/* answers.h - what the helpers answer the store, one request at a time. */
#ifndef WA_SERVER_ANSWERS_H
#define WA_SERVER_ANSWERS_H

#include "crypto/key.h"
#include "crypto/pwhash.h"
#include "crypto/seal.h"
#include "net/ldap.h"
#include "proto/login.h"
#include "server/authority.h"
#include "server/ticket.h"

struct wa_signer_keys {
    struct wa_key *relay, *timestamp;
    struct wa_authority authority;
};
/* user: const struct wa_signer_keys *. Signs countersignatures that it composes from
 * {uuid,nonce,sha256}, a timestamp from {repository,version,length,sha256,hours}, and what the
 * authority issues (authority.h), nothing else; anything malformed refuses the whole request. */
WA_CHECK enum wa_code wa_signer_answer(void *user, struct wa_sv request, struct wa_buf *answer,
                                       struct wa_err *err);
struct wa_auth_keys {
    char nobody[WA_PWHASH_MAX]; /* checked for users who do not exist, so that they take as long */
    uint8_t seal[WA_SEAL_KEY];
};
/* user: const struct wa_auth_keys *. Appends what roles.h says of WA_S_CHECKED. */
WA_CHECK enum wa_code wa_auth_answer(void *user, struct wa_sv request, struct wa_buf *answer,
                                     struct wa_err *err);

struct wa_hook_where {
    const char *networks; /* private ones that may be connected to */
    const struct wa_tls_trust *trust;
    const char *proxy, *bypass; /* of wa_http_post */
    bool may_plain;             /* http to others than this machine */
    bool is_plain;              /* the one that is being sent is http */
};
/* user: struct wa_hook_where *. Sends one request; that it was in vain is an answer too. */
WA_CHECK enum wa_code wa_hook_answer(void *user, struct wa_sv request, struct wa_buf *answer,
                                     struct wa_err *err);

/* user: const struct wa_ldap_where *, its servers "" where there is none. Appends WA_S_WHO_IS: what
 * could not be answered is an answer too. */
WA_CHECK enum wa_code wa_directory_answer(void *user, struct wa_sv request, struct wa_buf *answer,
                                          struct wa_err *err);

struct wa_kerberos;
struct wa_kerberos_role {
    struct wa_kerberos *kerberos; /* NULL: tickets are not taken */
    struct wa_ticket_rules rules;
    bool takes_machines;
    char people[WA_LOGIN_BINDING_SIZE]; /* what their tickets are bound to; "": none are taken */
};
/* user: const struct wa_kerberos_role *. Appends WA_S_TICKET_IS: a refusal is an answer too. */
WA_CHECK enum wa_code wa_kerberos_answer(void *user, struct wa_sv request, struct wa_buf *answer,
                                         struct wa_err *err);

struct wa_trust_role {
    const struct wa_log *log;
    char folder[WA_PATH_MAX]; /* trusted/ */
};
/* user: const struct wa_trust_role *. Appends WA_S_TRUSTED: a refusal is an answer too. */
WA_CHECK enum wa_code wa_trust_answer(void *user, struct wa_sv request, struct wa_buf *answer,
                                      struct wa_err *err);

struct wa_wake_where;
/* user: const struct wa_wake_where *. Sends; appends WA_S_WOKEN: a refusal is an answer too. */
WA_CHECK enum wa_code wa_wake_answer(void *user, struct wa_sv request, struct wa_buf *answer,
                                     struct wa_err *err);

#endif

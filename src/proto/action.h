/* action.h - orders (F3A): signed by the administrator as a tree of digests, countersigned by the
 * server for one connection and minute.
 *
 * Action (a leaf; one a machine, JSON text signed as it stands):
 *   {"purpose":"wapt-action","id":"<32
 * hex>","action":"upgrade","uuid":"...","issued_at":s,"not_before":s,"not_after":s,
 *    "packages":["tis-x(=1)"],"force":false}          a cancel: "cancels":["<32 hex>",...] instead,
 * a wake: "macs":["00:16:3e:01:02:03",...]; a message, a describe: "text":"..." besides; an
 * upgrade, an install or a removal that spares what is in use: "only_if_not_running":true besides,
 * which who does not know it refuses, as all that is unknown Batch (signed by the administrator's
 * key; RSA or EC):
 *   {"purpose":"wapt-action-batch","root":"<64
 * hex>","count":n,"issued_at":s,"signer":"<fingerprint>"} Order, what travels to a machine:
 *   {"action":"<text>","index":i,"proof":["<64 hex>",...],"batch":{envelope},"chain":"<PEM, signer
 * first>"} Relay (countersignature, EC P-256 key of the server's signer process; the agent knows
 * its public key since enrolment): leaf:  {"purpose":"wapt-relay","uuid":"...","nonce":"<agent's
 * nonce, 64 hex>","action_sha256":"<64 hex>","time":s} batch:
 * {"purpose":"wapt-relay-batch","root":"<64 hex>","count":n,"time":s} Push message:
 * {"type":"order","order":{...},"relay":{"leaf":"<text>","index":i,"proof":[...],"batch":{envelope}}}
 */
#ifndef WA_PROTO_ACTION_H
#define WA_PROTO_ACTION_H

#include "crypto/cert.h"
#include "crypto/tree.h"
#include "crypto/trust.h"
#include "proto/envelope.h"

enum wa_action_kind {
    WA_ACT_UPDATE,
    WA_ACT_UPGRADE,
    WA_ACT_INSTALL,
    WA_ACT_REMOVE,
    WA_ACT_FORGET,
    WA_ACT_UPDATE_STATUS,
    WA_ACT_AUDIT,
    WA_ACT_CANCEL, /* of other actions, by their identifiers */
    WA_ACT_REBOOT,
    WA_ACT_SHUTDOWN,
    WA_ACT_WAKE,    /* of machines that are off, near the one that it is for: their MAC addresses */
    WA_ACT_MESSAGE, /* to those who are at work there: its text */
    WA_ACT_PROPOSE_UPGRADE, /* to the same */
    WA_ACT_RESTART_AGENT,
    WA_ACT_DESCRIBE, /* the machine: its text is what it is called for people */
    WA_ACT_COUNT
};
const char *wa_action_kind_name(enum wa_action_kind k); /* "update", "upgrade", "install", "remove",
                                                           "forget", "update-status", "audit",
                                                           "cancel", "reboot", "shutdown",
                                                           "wake", "message",
                                                           "propose-upgrade", "restart-agent",
                                                           "describe" */
bool wa_action_kind_find(struct wa_sv name, enum wa_action_kind *ret);
/* Whether it names packages: it must, it can't, it may. */
enum wa_action_takes { WA_TAKES_NONE, WA_TAKES_SOME, WA_TAKES_ANY };
enum wa_action_takes wa_action_kind_takes(enum wa_action_kind k);
/* Whether it can leave out what is in use. */
bool wa_action_kind_spares(enum wa_action_kind k);

struct wa_action {
    char id[33];
    enum wa_action_kind kind;
    char uuid[WA_UUID_MAX + 1];
    int64_t issued_at, not_before, not_after;
    const struct wa_json *packages; /* array of requirement texts */
    const struct wa_json *cancels;  /* array of identifiers, 1 to WA_ACTION_CANCELS_MAX; of a
                                       cancel alone */
    const struct wa_json *macs;     /* array of MAC addresses, 1 to WA_ACTION_MACS_MAX; of a wake
                                       alone */
    struct wa_sv text;              /* of a message: as wa_action_check_text(); of a describe: as
                                       wa_description_is_good() */
    bool force;
    bool only_if_not_running; /* of what spares alone: nothing one of whose programs runs */
};
/* What persons are to read: UTF-8, 1 to WA_ACTION_TEXT_MAX bytes, no character but line ends that
 * can't be seen. */
WA_CHECK enum wa_code wa_action_check_text(struct wa_sv text, struct wa_err *err);
/* One line of what can be seen, UTF-8, at most WA_DESCRIPTION_MAX bytes; may be empty. */
bool wa_description_is_good(struct wa_sv text);
/* items: requirement texts; of a cancel identifiers, of a wake MAC addresses. a->id: 128 fresh
 * random bits as hex, from the caller. */
WA_CHECK enum wa_code wa_action_write(const struct wa_action *a, const char *const *items,
                                      size_t item_count, struct wa_buf *text, struct wa_err *err);
WA_CHECK enum wa_code wa_action_read(struct wa_sv text, struct wa_arena *arena,
                                     struct wa_action *ret, struct wa_err *err);

/* --- console: sign many at once --- */
struct wa_action_batch; /* texts, tree and signature */
/* texts[i]: written by wa_action_write(). key must match chain's first certificate. */
WA_CHECK enum wa_code wa_action_batch_sign(const struct wa_sv *texts, size_t count,
                                           const struct wa_key *key, const struct wa_certs *chain,
                                           int64_t now, struct wa_action_batch **ret,
                                           struct wa_err *err);
void wa_action_batch_free(struct wa_action_batch *b);
/* The order of text i, as JSON. */
WA_CHECK enum wa_code wa_action_batch_order(const struct wa_action_batch *b, size_t i,
                                            struct wa_buf *out, struct wa_err *err);

/* --- a roll-out's statement (proto/rollout.h) --- */
#define WA_PURPOSE_ROLLOUT "wapt-rollout"
struct wa_rollout {
    char id[33], supersedes[33]; /* "": none */
    enum wa_action_kind kind;
    bool force, only_if_not_running;
    const struct wa_json *packages;
    const struct wa_json *machines, *members_of; /* one of them; the other is NULL */
    int64_t issued_at, not_before, not_after;
};

/* --- an order, taken apart (server and agent) --- */
struct wa_order {
    struct wa_sv action_text; /* what is countersigned: the action's, or a roll-out's statement */
    struct wa_action action;  /* of a roll-out: without uuid */
    bool is_rollout;          /* then index, count, proof and root mean nothing */
    struct wa_rollout rollout;
    uint64_t index, count;
    struct wa_tree_proof proof;
    struct wa_tree_digest root;
    struct wa_envelope batch;
    char signer[65]; /* fingerprint that the batch names */
    struct wa_certs chain;
};
void wa_order_fini(struct wa_order *o);
/* Form only. The arena must outlive *ret. */
WA_CHECK enum wa_code wa_order_read(const struct wa_json *order, struct wa_arena *arena,
                                    struct wa_order *ret, struct wa_err *err);
/* What the orders of one message have in common, byte for byte: read and checked once. */
struct wa_order_shared {
    struct wa_sv pem; /* of chain; in the orders' arena, as is what was checked */
    struct wa_certs chain;
    size_t chains; /* so many were read until this one, which is that of the order read last */
    struct wa_sv checked, signature; /* the statement that chain's first certificate has signed */
};
void wa_order_shared_fini(struct wa_order_shared *s);
#define WA_AUTO_ORDER_SHARED WA_CLEANUP(wa_order_shared_fini)
/* As wa_order_read(); all that share must have been parsed into this arena. */
WA_CHECK enum wa_code wa_order_read_shared(const struct wa_json *order, struct wa_arena *arena,
                                           struct wa_order_shared *shared, struct wa_order *ret,
                                           struct wa_err *err);
/* As wa_order_check_signature(), of an order read with the same shared. */
WA_CHECK enum wa_code wa_order_check_shared(const struct wa_order *o,
                                            struct wa_order_shared *shared, struct wa_err *err);
/* Signature of the batch by chain's first certificate, that it is the named signer, and the proof
 * of this action. Trust is another question. */
WA_CHECK enum wa_code wa_order_check_signature(const struct wa_order *o, struct wa_err *err);

/* --- server: countersign --- */
struct wa_relay_request {
    char uuid[WA_UUID_MAX + 1];
    char nonce[65];
    char action_sha256[65];
};
/* One signature for all; appends the JSON of "relay" of each, a line each. */
WA_CHECK enum wa_code wa_relay_sign(const struct wa_relay_request *requests, size_t count,
                                    int64_t now, const struct wa_key *key, struct wa_buf *out,
                                    struct wa_err *err);
#define WA_RELAY_BEGINS "{\"leaf\":" /* such a line */

/* --- agent: all of F3A but "once only", which needs its database --- */
struct wa_order_policy {
    const struct wa_trust *anchors; /* the chain must be trusted, in date, not revoked */
    /* Whether the signer, who is trusted, may order this here: WA_E_REFUSED with the reason;
     * *ret_outside is set where nothing but the groups and units of this machine speaks against
     * it. NULL: whom wa_trust_let_order() named. */
    enum wa_code (*may_order)(void *user, const struct wa_trust_result *signer,
                              enum wa_action_kind kind, bool *ret_outside, struct wa_err *err);
    /* The names that the machine's own signed host package says it is in, ended by NULL, for a
     * roll-out by a rule; NULL: none are known. */
    enum wa_code (*names)(void *user, const char *const **ret, struct wa_err *err);
    bool *ret_outside; /* set where the order would be carried out if the machine were in other
                          groups or units; may be NULL */
    void *user;
    const struct wa_key *relay_key; /* the server's countersigner, from enrolment */
    const char *uuid;               /* this machine */
    const char *nonce;              /* of this connection, 64 hex */
    int64_t now, enrolled_at;
};
/* In order: countersignature (key, nonce, uuid, this action, one minute either way),
 * administrator's signature and proof, signer listed and trusted, machine (or the roll-out's list
 * or rule), not before enrolment (but for a rule, which is for those who join later too), times and
 * their cap. WA_E_REFUSED (or WA_E_INVALID) with the reason. */
WA_CHECK enum wa_code wa_order_check(const struct wa_json *push_message,
                                     const struct wa_order_policy *policy, struct wa_arena *arena,
                                     struct wa_order *ret, struct wa_err *err);

#endif

/* store_db.h - the server's database: hosts, tokens, people, sessions, actions. */
#ifndef WA_SERVER_STORE_DB_H
#define WA_SERVER_STORE_DB_H

#include "server/fleet.h"
#include "sql/db.h"

/* database: its address; "": the SQLite file below dir. Brings the schema up. */
WA_CHECK enum wa_code wa_store_open(const char *dir, const char *database, struct wa_db **ret,
                                    struct wa_err *err);

/* --- people --- */
struct wa_person {
    char name[WA_NAME_MAX + 1];
    char role[32]; /* one of wa_role_names(), or of a newer program */
    bool is_disabled;
};
typedef void (*wa_person_fn)(void *user, const struct wa_person *p);
/* Adds, or changes password and role. */
WA_CHECK enum wa_code wa_store_set_user(struct wa_db *db, const char *name, const char *hash,
                                        const char *role, struct wa_err *err);
WA_CHECK enum wa_code wa_store_person(struct wa_db *db, struct wa_sv name, struct wa_person *ret,
                                      bool *ret_found, struct wa_err *err);
/* All, by name. */
WA_CHECK enum wa_code wa_store_people(struct wa_db *db, wa_person_fn fn, void *user,
                                      struct wa_err *err);
/* WA_E_NOT_FOUND: there is none of that name. */
WA_CHECK enum wa_code wa_store_set_role(struct wa_db *db, const char *name, const char *role,
                                        struct wa_err *err);
WA_CHECK enum wa_code wa_store_set_password(struct wa_db *db, const char *name, const char *hash,
                                            struct wa_err *err);
WA_CHECK enum wa_code wa_store_disable(struct wa_db *db, const char *name, bool is_disabled,
                                       struct wa_err *err);
WA_CHECK enum wa_code wa_store_delete_user(struct wa_db *db, const char *name, struct wa_err *err);
WA_CHECK enum wa_code wa_store_end_sessions(struct wa_db *db, const char *name, struct wa_err *err);
/* hash: appends; nothing when there is no such user, or they are disabled. */
WA_CHECK enum wa_code wa_store_user_hash(struct wa_db *db, struct wa_sv name, struct wa_buf *hash,
                                         struct wa_err *err);

/* Tokens are known by their SHA-256 only. */
WA_CHECK enum wa_code wa_store_add_token(struct wa_db *db, const char *sha256, int64_t expires,
                                         int64_t uses, struct wa_err *err);
/* One use less. WA_E_AUTH with the reason when it is unknown, expired or used up. Inside the
 * caller's transaction. */
WA_CHECK enum wa_code wa_store_use_token(struct wa_db *db, const char *sha256, int64_t now,
                                         struct wa_err *err);

/* --- hosts --- */
/* Certificate PEM of the host appended; *ret_seq the last sequence number. *ret_found false:
 * unknown. */
WA_CHECK enum wa_code wa_store_host(struct wa_db *db, struct wa_sv uuid, struct wa_buf *certificate,
                                    int64_t *ret_seq, bool *ret_found, struct wa_err *err);
WA_CHECK enum wa_code wa_store_put_host(struct wa_db *db, struct wa_sv uuid,
                                        struct wa_sv certificate, const char *by, int64_t seq,
                                        int64_t now, struct wa_err *err);
/* Takes a sequence number that is greater than the last; WA_E_CONFLICT otherwise. */
WA_CHECK enum wa_code wa_store_take_seq(struct wa_db *db, struct wa_sv uuid, int64_t seq,
                                        int64_t now, struct wa_err *err);
/* Those texts of the change that are not NULL, cut as the fleet cuts them. */
WA_CHECK enum wa_code wa_store_set_columns(struct wa_db *db, struct wa_sv uuid,
                                           const struct wa_fleet_change *c, struct wa_err *err);
WA_CHECK enum wa_code wa_store_set_section(struct wa_db *db, struct wa_sv uuid, const char *section,
                                           struct wa_sv json, const char *digest,
                                           struct wa_err *err);
/* Calls fn for each section that is there; digest "" where a registration brought it. */
WA_CHECK enum wa_code wa_store_digests(struct wa_db *db, struct wa_sv uuid,
                                       void (*fn)(void *user, struct wa_sv section,
                                                  struct wa_sv digest),
                                       void *user, struct wa_err *err);
/* With all that is kept of it; WA_E_NOT_FOUND. */
WA_CHECK enum wa_code wa_store_delete_host(struct wa_db *db, const char *uuid, struct wa_err *err);
/* Puts all hosts in f. */
WA_CHECK enum wa_code wa_store_load_fleet(struct wa_db *db, struct wa_fleet *f, struct wa_err *err);

/* --- sessions of people --- */
WA_CHECK enum wa_code wa_store_add_session(struct wa_db *db, const char *sha256, struct wa_sv user,
                                           int64_t expires, struct wa_err *err);
/* Whose session it is; none of somebody who is gone or disabled. */
WA_CHECK enum wa_code wa_store_session(struct wa_db *db, const char *sha256, int64_t now,
                                       struct wa_person *ret, bool *ret_found, struct wa_err *err);
WA_CHECK enum wa_code wa_store_end_session(struct wa_db *db, const char *sha256,
                                           struct wa_err *err);

/* --- actions --- */
WA_CHECK enum wa_code wa_store_add_action(struct wa_db *db, const char *id, const char *batch,
                                          const char *uuid, const char *kind, struct wa_sv order,
                                          int64_t not_before, int64_t not_after, const char *signer,
                                          int64_t now, struct wa_err *err);
WA_CHECK enum wa_code wa_store_action_state(struct wa_db *db, const char *id, struct wa_sv uuid,
                                            struct wa_sv state, struct wa_sv code,
                                            struct wa_sv message, struct wa_sv packages,
                                            int64_t now, struct wa_err *err);

#endif

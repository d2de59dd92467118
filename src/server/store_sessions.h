/* store_sessions.h - by what people are known after they proved who they are: sessions, and API
 * tokens with part of a person's rights. The database has their SHA-256 only. */
#ifndef WA_SERVER_STORE_SESSIONS_H
#define WA_SERVER_STORE_SESSIONS_H

#include "server/store_people.h"

#define WA_ACCESS_ID 12u /* hex digits of the SHA-256 by which one is named */

/* --- sessions --- */
struct wa_person_session {
    char sha256[65];
    char user[WA_NAME_MAX + 1];
    char method[16]; /* password, directory, certificate, kerberos, oidc */
    char peer[64];
    int64_t created, used, expires; /* s since 1970 */
    char certificate[65];           /* that it is good with alone, by its SHA-256; "": with any */
    int64_t due;                    /* when the provider is asked again; 0: never */
};
typedef void (*wa_session_fn)(void *user, const struct wa_person_session *s);
/* Those to end before another of the person begins, at most WA_SESSIONS_MAX of what there is too
 * many of; none when there is room. What is over; then of the address that has most of them, so
 * that what a script leaves open takes nothing from who is at work elsewhere: what nobody came back
 * to since its first minute, before others, and what was used longest ago. */
WA_CHECK enum wa_code wa_store_sessions_to_end(struct wa_db *db, const char *user, int64_t now,
                                               int64_t idle, wa_session_fn fn, void *data,
                                               struct wa_err *err);
/* sealed: by what the provider is asked again; "": by nothing. */
WA_CHECK enum wa_code wa_store_add_session(struct wa_db *db, const struct wa_person_session *s,
                                           const char *sealed, struct wa_err *err);
/* Whose session it is; none of somebody who is gone or disabled, nor one that was not used since
 * now - idle. */
WA_CHECK enum wa_code wa_store_session(struct wa_db *db, const char *sha256, int64_t now,
                                       int64_t idle, struct wa_person *ret,
                                       struct wa_person_session *ret_session, bool *ret_found,
                                       struct wa_err *err);
WA_CHECK enum wa_code wa_store_session_used(struct wa_db *db, const char *sha256, int64_t now,
                                            struct wa_err *err);
WA_CHECK enum wa_code wa_store_end_session(struct wa_db *db, const char *sha256,
                                           struct wa_err *err);
/* By its name; WA_E_NOT_FOUND when the person has none of that name. */
WA_CHECK enum wa_code wa_store_end_session_of(struct wa_db *db, const char *user, const char *id,
                                              struct wa_err *err);
/* All but one, whose digest it is; "": all. */
WA_CHECK enum wa_code wa_store_end_sessions(struct wa_db *db, const char *user, const char *except,
                                            struct wa_err *err);
WA_CHECK enum wa_code wa_store_sessions(struct wa_db *db, const char *user, int64_t now,
                                        wa_session_fn fn, void *data, struct wa_err *err);

/* --- sessions for which a provider is asked again: only the oidc process can open what is kept ---
 */
/* The one whose turn it is; none that was not used since now - idle. sealed: appended. */
WA_CHECK enum wa_code wa_store_due_session(struct wa_db *db, int64_t now, int64_t idle,
                                           struct wa_person_session *ret, struct wa_buf *sealed,
                                           bool *ret_found, struct wa_err *err);
/* Whether it is there yet; its person is, too: whose sessions end when they go. */
WA_CHECK enum wa_code wa_store_has_session(struct wa_db *db, const char *sha256, bool *ret_found,
                                           struct wa_err *err);
/* The provider vouched again: due and expires of s, which may have ended meanwhile; then what is
 * sealed is kept as wa_store_next_grant() has it. */
WA_CHECK enum wa_code wa_store_renew_session(struct wa_db *db, const struct wa_person_session *s,
                                             const char *sealed, struct wa_err *err);
/* Not before due again, unless somebody else has changed that: *ret_taken false. So one asks, of
 * whatever number of servers. Due of s follows. */
WA_CHECK enum wa_code wa_store_put_session_off(struct wa_db *db, struct wa_person_session *s,
                                               int64_t due, bool *ret_taken, struct wa_err *err);
/* What is sealed was of no session in the end, or is of none any more. */
WA_CHECK enum wa_code wa_store_end_grant(struct wa_db *db, const char *session, const char *user,
                                         const char *sealed, struct wa_err *err);
/* Takes one out, to be given back. user: WA_NAME_MAX + 1; sealed: appended. */
WA_CHECK enum wa_code wa_store_next_grant(struct wa_db *db, char session[65], char *user,
                                          struct wa_buf *sealed, bool *ret_found,
                                          struct wa_err *err);

/* --- API tokens --- */
#define WA_API_TOKEN_PREFIX "wapt-api-"
struct wa_api_token {
    char sha256[65];
    char user[WA_NAME_MAX + 1], name[65];
    char rights[256];               /* names, separated by commas */
    bool is_limited;                /* has a perimeter of its own */
    int64_t created, expires, used; /* used 0: never */
};
typedef void (*wa_api_token_fn)(void *user, const struct wa_api_token *t);
/* perimeter: JSON, "" for the person's own. */
WA_CHECK enum wa_code wa_store_add_api_token(struct wa_db *db, const struct wa_api_token *t,
                                             const char *perimeter, struct wa_err *err);
/* The token and whose it is; none that has expired, or of somebody who is gone or disabled.
 * perimeter: appended. */
WA_CHECK enum wa_code wa_store_api_token(struct wa_db *db, const char *sha256, int64_t now,
                                         struct wa_person *ret, struct wa_api_token *ret_token,
                                         struct wa_buf *perimeter, bool *ret_found,
                                         struct wa_err *err);
WA_CHECK enum wa_code wa_store_api_token_used(struct wa_db *db, const char *sha256, int64_t now,
                                              struct wa_err *err);
WA_CHECK enum wa_code wa_store_api_tokens(struct wa_db *db, const char *user, wa_api_token_fn fn,
                                          void *data, struct wa_err *err);
/* WA_E_NOT_FOUND when the person has none of that name. */
WA_CHECK enum wa_code wa_store_drop_api_token(struct wa_db *db, const char *user, const char *id,
                                              struct wa_err *err);

/* Sessions, tokens, recovery codes and certificates of somebody who goes. */
WA_CHECK enum wa_code wa_store_drop_access(struct wa_db *db, const char *user, struct wa_err *err);
/* What has expired. */
WA_CHECK enum wa_code wa_store_clean_access(struct wa_db *db, int64_t now, int64_t idle,
                                            struct wa_err *err);

/* --- proofs that count once --- */
/* *ret_taken false: it was used before. until: when it can be forgotten. */
WA_CHECK enum wa_code wa_store_use_proof(struct wa_db *db, const char *id, int64_t until,
                                         bool *ret_taken, struct wa_err *err);

#endif

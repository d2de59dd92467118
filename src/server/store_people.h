/* store_people.h - people in the server's database: roles, perimeters, second factors. */
#ifndef WA_SERVER_STORE_PEOPLE_H
#define WA_SERVER_STORE_PEOPLE_H

#include "codec/json.h"
#include "sql/db.h"

struct wa_person {
    char name[WA_NAME_MAX + 1];
    char role[32];   /* one of wa_role_names(), or of a newer program */
    char origin[16]; /* who answers for the password: local, directory, oidc */
    bool is_disabled;
    bool is_limited; /* to a perimeter: wa_store_perimeter() */
    bool has_factor; /* a second one, confirmed */
    bool needs_factor;
    bool has_password;  /* that is kept here: "!..." is the hash of none */
    int64_t last_login; /* s since 1970; 0: never */
};
/* Of "users u", in the order in which wa_store_read_person() takes them, first in the row. */
#define WA_PERSON_COLUMNS                                                                          \
    "u.name, u.role, u.origin, u.is_disabled, CASE WHEN u.perimeter = '' THEN 0 ELSE 1 END, "      \
    "CASE WHEN u.totp = '' THEN 0 ELSE 1 END, u.needs_totp, u.last_login, CASE WHEN u.hash = '' "  \
    "OR u.hash LIKE '!%' THEN 0 ELSE 1 END"
#define WA_PERSON_COLUMN_COUNT 9
void wa_store_read_person(struct wa_stmt *s, struct wa_person *ret);

typedef void (*wa_person_fn)(void *user, const struct wa_person *p);
/* Adds, or changes password and role. */
WA_CHECK enum wa_code wa_store_set_user(struct wa_db *db, const char *name, const char *hash,
                                        const char *role, struct wa_err *err);
/* Somebody for whom another answers has just proved who he is: adds, or changes role and perimeter
 * (JSON, "": all machines). subject: who it is for good at that other, whatever the name; "": the
 * name says it. WA_E_CONFLICT when a person of another origin, or another subject, has that name.
 */
WA_CHECK enum wa_code wa_store_set_foreign(struct wa_db *db, const char *name, const char *origin,
                                           const char *subject, const char *role,
                                           const char *perimeter, struct wa_err *err);
/* The next by name of those for whom origin vouches and who have a session or an API token; out "":
 * there is none after that name. */
WA_CHECK enum wa_code wa_store_next_foreign(struct wa_db *db, const char *origin, const char *after,
                                            char out[WA_NAME_MAX + 1], struct wa_err *err);
/* API tokens wait for a login, or for the next that vouches for the person: then, as if that login
 * had been the last. */
WA_CHECK enum wa_code wa_store_pause_tokens(struct wa_db *db, const char *name, struct wa_err *err);
WA_CHECK enum wa_code wa_store_resume_tokens(struct wa_db *db, const char *name, int64_t login,
                                             struct wa_err *err);
/* Whoever vouched for the person does no longer: sessions end, and API tokens wait for a login. */
WA_CHECK enum wa_code wa_store_disown(struct wa_db *db, const char *name, struct wa_err *err);
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
/* The same password's hash of another kind, unless the person has got another one meanwhile. */
WA_CHECK enum wa_code wa_store_replace_hash(struct wa_db *db, const char *name, const char *old,
                                            const char *hash, struct wa_err *err);
/* json: as wa_perimeter_write() makes it; "": all machines. */
WA_CHECK enum wa_code wa_store_set_perimeter(struct wa_db *db, const char *name, const char *json,
                                             struct wa_err *err);
/* Appends it; nothing for somebody without one. */
WA_CHECK enum wa_code wa_store_perimeter(struct wa_db *db, const char *name, struct wa_buf *json,
                                         struct wa_err *err);
WA_CHECK enum wa_code wa_store_disable(struct wa_db *db, const char *name, bool is_disabled,
                                       struct wa_err *err);
WA_CHECK enum wa_code wa_store_delete_user(struct wa_db *db, const char *name, struct wa_err *err);
WA_CHECK enum wa_code wa_store_logged_in(struct wa_db *db, const char *name, int64_t now,
                                         struct wa_err *err);
/* hash: appends; nothing when there is no such user, they are disabled, or another answers for
 * their password. */
WA_CHECK enum wa_code wa_store_user_hash(struct wa_db *db, struct wa_sv name, struct wa_buf *hash,
                                         struct wa_err *err);

/* --- second factors --- */
WA_CHECK enum wa_code wa_store_need_factor(struct wa_db *db, const char *name, bool is_needed,
                                           struct wa_err *err);
/* The sealed secret, the confirmed one or the one that waits for its confirmation; nothing where
 * there is none. *ret_step: of the last code that was taken. */
WA_CHECK enum wa_code wa_store_factor(struct wa_db *db, const char *name, bool is_waiting,
                                      struct wa_buf *sealed, int64_t *ret_step, struct wa_err *err);
/* Has it wait. */
WA_CHECK enum wa_code wa_store_offer_factor(struct wa_db *db, const char *name, const char *sealed,
                                            struct wa_err *err);
/* The one that waits counts from now on. */
WA_CHECK enum wa_code wa_store_confirm_factor(struct wa_db *db, const char *name, int64_t step,
                                              struct wa_err *err);
/* With its recovery codes. */
WA_CHECK enum wa_code wa_store_drop_factor(struct wa_db *db, const char *name, struct wa_err *err);
/* A code counts once, whatever comes at the same time: *ret_taken false when it did already. */
WA_CHECK enum wa_code wa_store_take_step(struct wa_db *db, const char *name, int64_t step,
                                         bool *ret_taken, struct wa_err *err);
WA_CHECK enum wa_code wa_store_add_recovery(struct wa_db *db, const char *name, const char *sha256,
                                            struct wa_err *err);
WA_CHECK enum wa_code wa_store_take_recovery(struct wa_db *db, const char *name, const char *sha256,
                                             bool *ret_taken, struct wa_err *err);

/* --- certificates by which people are known --- */
/* WA_E_EXISTS: it is somebody's already. */
WA_CHECK enum wa_code wa_store_add_certificate(struct wa_db *db, const char *name,
                                               const char *sha256, struct wa_err *err);
WA_CHECK enum wa_code wa_store_drop_certificate(struct wa_db *db, const char *name,
                                                const char *sha256, struct wa_err *err);
/* Those of one person. */
typedef void (*wa_certificate_fn)(void *user, struct wa_sv sha256);
WA_CHECK enum wa_code wa_store_certificates(struct wa_db *db, const char *name,
                                            wa_certificate_fn fn, void *user, struct wa_err *err);
/* Whose it is; *ret_found false: nobody's. */
WA_CHECK enum wa_code wa_store_certificate(struct wa_db *db, const char *sha256,
                                           struct wa_person *ret, bool *ret_found,
                                           struct wa_err *err);

#endif

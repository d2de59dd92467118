/* store_people.h - people and their sessions in the server's database. */
#ifndef WA_SERVER_STORE_PEOPLE_H
#define WA_SERVER_STORE_PEOPLE_H

#include "sql/db.h"

struct wa_person {
    char name[WA_NAME_MAX + 1];
    char role[32]; /* one of wa_role_names(), or of a newer program */
    bool is_disabled;
    bool is_limited; /* to a perimeter: wa_store_perimeter() */
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
/* json: as wa_perimeter_write() makes it; "": all machines. */
WA_CHECK enum wa_code wa_store_set_perimeter(struct wa_db *db, const char *name, const char *json,
                                             struct wa_err *err);
/* Appends it; nothing for somebody without one. */
WA_CHECK enum wa_code wa_store_perimeter(struct wa_db *db, const char *name, struct wa_buf *json,
                                         struct wa_err *err);
WA_CHECK enum wa_code wa_store_disable(struct wa_db *db, const char *name, bool is_disabled,
                                       struct wa_err *err);
WA_CHECK enum wa_code wa_store_delete_user(struct wa_db *db, const char *name, struct wa_err *err);
WA_CHECK enum wa_code wa_store_end_sessions(struct wa_db *db, const char *name, struct wa_err *err);
/* hash: appends; nothing when there is no such user, or they are disabled. */
WA_CHECK enum wa_code wa_store_user_hash(struct wa_db *db, struct wa_sv name, struct wa_buf *hash,
                                         struct wa_err *err);

/* --- sessions of people --- */
WA_CHECK enum wa_code wa_store_add_session(struct wa_db *db, const char *sha256, struct wa_sv user,
                                           int64_t expires, struct wa_err *err);
/* Whose session it is; none of somebody who is gone or disabled. */
WA_CHECK enum wa_code wa_store_session(struct wa_db *db, const char *sha256, int64_t now,
                                       struct wa_person *ret, bool *ret_found, struct wa_err *err);
WA_CHECK enum wa_code wa_store_end_session(struct wa_db *db, const char *sha256,
                                           struct wa_err *err);

#endif

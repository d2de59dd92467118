/* store_hosts.h - machines in the server's database, and the tokens that let them in. */
#ifndef WA_SERVER_STORE_HOSTS_H
#define WA_SERVER_STORE_HOSTS_H

#include "server/fleet.h"
#include "sql/db.h"

/* --- tokens --- */
/* Tokens are known by their SHA-256 only. */
WA_CHECK enum wa_code wa_store_add_token(struct wa_db *db, const char *sha256, int64_t expires,
                                         int64_t uses, struct wa_err *err);
/* One use less. WA_E_AUTH with the reason when it is unknown, expired or used up. Inside the
 * caller's transaction. */
WA_CHECK enum wa_code wa_store_use_token(struct wa_db *db, const char *sha256, int64_t now,
                                         struct wa_err *err);

/* --- hosts --- */
/* The number by which tables of many rows know the machine; WA_E_NOT_FOUND. */
WA_CHECK enum wa_code wa_store_number(struct wa_db *db, struct wa_sv uuid, int64_t *ret,
                                      struct wa_err *err);
struct wa_host_row {
    bool is_there;
    int64_t number; /* as above */
    int64_t last_seq;
};
/* Its certificate, PEM, is appended. */
WA_CHECK enum wa_code wa_store_host(struct wa_db *db, struct wa_sv uuid, struct wa_buf *certificate,
                                    struct wa_host_row *ret, struct wa_err *err);
/* Whether it is registered. */
WA_CHECK enum wa_code wa_store_has_host(struct wa_db *db, struct wa_sv uuid, bool *ret,
                                        struct wa_err *err);
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
/* Of what let a machine in ("token from 10.0.0.1"), the kind: the first word. Who it was, and from
 * where, is for those who may see reports. */
struct wa_sv wa_store_method(struct wa_sv by);
/* With all that is kept of it; WA_E_NOT_FOUND. */
WA_CHECK enum wa_code wa_store_delete_host(struct wa_db *db, const char *uuid, struct wa_err *err);
/* What its host package says that it is in (perimeter.h), whether it is registered or not. */
WA_CHECK enum wa_code wa_store_set_names(struct wa_db *db, struct wa_sv uuid, struct wa_sv names,
                                         struct wa_err *err);
/* The same, appended; *ret_known false: no host package was seen. */
WA_CHECK enum wa_code wa_store_names(struct wa_db *db, const char *uuid, struct wa_buf *names,
                                     bool *ret_known, struct wa_err *err);
/* Tells the fleet, for a machine that has just come. */
WA_CHECK enum wa_code wa_store_show_names(struct wa_db *db, struct wa_sv uuid, struct wa_fleet *f,
                                          struct wa_err *err);
/* Adds or changes the machine, with the names that it says it has. */
WA_CHECK enum wa_code wa_store_fleet_put(struct wa_fleet *f, struct wa_sv uuid,
                                         const struct wa_fleet_change *c, struct wa_err *err);
/* Puts all hosts in f: reachable are those whose connection another server has. */
WA_CHECK enum wa_code wa_store_load_fleet(struct wa_db *db, struct wa_fleet *f, struct wa_err *err);
/* The same of one; takes it out of f when it is not there any more. */
WA_CHECK enum wa_code wa_store_load_host(struct wa_db *db, struct wa_sv uuid, struct wa_fleet *f,
                                         struct wa_err *err);

#endif

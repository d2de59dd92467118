/* role_common.h - what every child of the server does at its start. */
#ifndef WA_SERVER_ROLE_COMMON_H
#define WA_SERVER_ROLE_COMMON_H

#include "base/log.h"
#include "os/priv.h"
#include "server/config.h"
#include "server/roles.h"
#include "sql/db.h"

struct wa_server_child {
    struct wa_server_config config;
    struct wa_log log;
    uint64_t memory_bytes; /* of address space, that it may have; 0: as it is */
};
/* Reads the configuration, opens the log. */
WA_CHECK enum wa_code wa_server_child_init(struct wa_server_child *c, enum wa_server_role role,
                                           const char *config_file, struct wa_err *err);
/* What a process that is confined may read so that it can open the database at that address ("":
 * SQLite's), and more: NULL-terminated, or NULL. The answer lives in r, and more's strings on. */
struct wa_server_reads {
    struct wa_db_files files;
    const char *paths[48];
};
const char *const *wa_server_reads(const char *database, const char *const *more,
                                   struct wa_server_reads *r);
/* Gives up power and says what is left; becomes the configured account (nobody, where it does not
 * exist). */
WA_CHECK enum wa_code wa_server_child_confine(struct wa_server_child *c, enum wa_server_role role,
                                              unsigned allow, const char *const *reads,
                                              const char *const *writes, struct wa_err *err);
/* The child can do its work: tells the supervisor, on descriptor 0. */
void wa_server_child_ready(void);
/* The account of the processes without rights, or nobody. False: that account does not exist. */
bool wa_server_ids(const struct wa_server_config *c, uint32_t *ret_uid, uint32_t *ret_gid);
/* The database, for a command beside the running server. Root gives up its rights before it opens
 * it: it belongs to the account of a process that faces the network. name: for the log. */
/* Only the giving up: what is left can open the database. */
WA_CHECK enum wa_code wa_server_drop_to_db(const struct wa_server_config *c, unsigned more,
                                           const char *const *reads, const char *name,
                                           struct wa_err *err);
WA_CHECK enum wa_code wa_server_open_db(const struct wa_server_config *c, const char *name,
                                        struct wa_db **ret, struct wa_err *err);
/* What is wrong with the server itself is not for clients: its text becomes a general one. */
void wa_server_hide(struct wa_err *err);
/* Whom to trust as a server: the system's authorities ("1", "yes"...), nobody ("0", ""), else those
 * of a file. pem: its text, which ret borrows. */
struct wa_tls_trust;
WA_CHECK enum wa_code wa_server_trust(const struct wa_server_config *c, const char *whom,
                                      struct wa_buf *pem, struct wa_tls_trust *ret,
                                      struct wa_err *err);
/* A secret in a file that only its owner can read, without the end of its line. what: the option
 * that names the file. */
WA_CHECK enum wa_code wa_server_secret(const struct wa_server_config *c, const char *file,
                                       const char *what, struct wa_buf *out, struct wa_err *err);
/* Logs the error; the exit status. */
int wa_server_child_end(struct wa_server_child *c, enum wa_code code, const struct wa_err *err);
/* Answers requests one after another until the store goes. */
typedef enum wa_code (*wa_server_answer_fn)(void *user, struct wa_sv request, struct wa_buf *answer,
                                            struct wa_err *err);
WA_CHECK enum wa_code wa_server_child_serve(enum wa_server_role role, uint16_t answer_type,
                                            wa_server_answer_fn fn, void *user, struct wa_err *err);

#endif

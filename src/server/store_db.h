/* store_db.h - the server's database: its schema, and what is kept in it. */
#ifndef WA_SERVER_STORE_DB_H
#define WA_SERVER_STORE_DB_H

#include "server/store_actions.h"
#include "server/store_hosts.h"
#include "server/store_people.h"
#include "server/store_sessions.h"
#include "server/store_uploads.h"

/* database: its address; "": the SQLite file below dir. Brings the schema up. */
/* Its address: database, or the SQLite file below dir. url: WA_STORE_URL. */
#define WA_STORE_URL (WA_PATH_MAX + 64)
void wa_store_url(const char *dir, const char *database, char *url);
WA_CHECK enum wa_code wa_store_open(const char *dir, const char *database, struct wa_db **ret,
                                    struct wa_err *err);
/* The same without a look at the schema. */
WA_CHECK enum wa_code wa_store_open_as_it_is(const char *dir, const char *database,
                                             struct wa_db **ret, struct wa_err *err);
/* The newest version of the schema; and up to which it is brought. WA_E_CONFIG for one that is not
 * known. */
int64_t wa_store_version(void);
WA_CHECK enum wa_code wa_store_migrate(struct wa_db *db, int64_t version, struct wa_err *err);

/* When something was done last, as "backup"; 0: never. */
WA_CHECK enum wa_code wa_store_mark(struct wa_db *db, const char *name, int64_t at,
                                    struct wa_err *err);
WA_CHECK enum wa_code wa_store_marked(struct wa_db *db, const char *name, int64_t *ret,
                                      struct wa_err *err);

#endif

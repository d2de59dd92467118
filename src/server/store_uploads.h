/* store_uploads.h - uploads under way in the server's database: whose they are, what they shall
 * become, how they ended. Their bytes lie in incoming/, which the database knows nothing of.
 */
#ifndef WA_SERVER_STORE_UPLOADS_H
#define WA_SERVER_STORE_UPLOADS_H

#include "sql/db.h"

struct wa_upload {
    char id[33];
    char user[WA_NAME_MAX + 1];
    char name[WA_NAME_MAX + 1]; /* of the file it shall be */
    char host[WA_UUID_MAX + 1]; /* the machine whose own package it is; "": a package of all */
    char sha256[65];
    int64_t size;                /* bytes, of the whole */
    char state[16];              /* "open", "published", "refused" */
    char code[32], message[512]; /* of a refusal */
    int64_t created, touched;    /* s since 1970 */
};
WA_CHECK enum wa_code wa_store_add_upload(struct wa_db *db, const struct wa_upload *u,
                                          struct wa_err *err);
WA_CHECK enum wa_code wa_store_upload(struct wa_db *db, struct wa_sv id, struct wa_upload *ret,
                                      bool *ret_found, struct wa_err *err);
/* An open one of the same person, for the same file. */
WA_CHECK enum wa_code wa_store_same_upload(struct wa_db *db, const struct wa_upload *like,
                                           struct wa_upload *ret, bool *ret_found,
                                           struct wa_err *err);
typedef void (*wa_upload_fn)(void *user, const struct wa_upload *u);
/* One person's, the newest first. */
WA_CHECK enum wa_code wa_store_uploads(struct wa_db *db, const char *user, wa_upload_fn fn,
                                       void *data, struct wa_err *err);

struct wa_upload_sums { /* of open ones */
    int64_t own_count, own_bytes, all_bytes;
};
WA_CHECK enum wa_code wa_store_upload_sums(struct wa_db *db, const char *user,
                                           struct wa_upload_sums *ret, struct wa_err *err);
/* state, code, message and touched of u. */
WA_CHECK enum wa_code wa_store_set_upload(struct wa_db *db, const struct wa_upload *u,
                                          struct wa_err *err);
WA_CHECK enum wa_code wa_store_delete_upload(struct wa_db *db, const char *id, struct wa_err *err);

#endif

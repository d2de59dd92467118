/* backup.h - a whole server in one archive, and back: database, configuration, secrets, and the
 * repository where it is asked for.
 *
 * The archive is a ZIP, readable by its owner alone: it holds the server's keys.
 *
 *   waptserver.ini, private/, trusted/, repo/   files, as they lie in the server's directory
 *   database.jsonl                              role_dump.c
 *   manifest.jsonl                              the last: a head, then name, size and SHA-256 of
 *                                               each other member
 */
#ifndef WA_SERVER_BACKUP_H
#define WA_SERVER_BACKUP_H

#include "base/vec.h"
#include "codec/zip_read.h"
#include "server/config.h"

typedef void (*wa_backup_progress_fn)(void *user, const char *what, uint64_t done, uint64_t total);

struct wa_backup_result {
    uint64_t files, bytes; /* members, and what they hold */
    uint64_t changed;      /* files that went away meanwhile */
};
/* Of a server that may be running. file: is made, and must not be there yet; it appears when it is
 * whole. */
WA_CHECK enum wa_code wa_server_backup(const struct wa_server_config *c, const char *file,
                                       bool with_repository, wa_backup_progress_fn progress,
                                       void *user, struct wa_backup_result *ret,
                                       struct wa_err *err);

struct wa_restore {
    const char *file;               /* the archive */
    const char *dir;                /* of the server, absolute */
    const char *database;           /* address, "" for SQLite; NULL: as it was */
    const char *node, *bind, *port; /* of the configuration; NULL: as they were */
    bool is_joining; /* one more server of the same: no database, no repository of its own */
    bool force;      /* what is there is replaced */
    wa_backup_progress_fn progress;
    void *user;
};
/* All digests are checked first; then the server is made beside dir, and takes its place at once.
 * former: where what was there is now, "" when there was nothing; WA_PATH_MAX. WA_E_BUSY: a server
 * runs there. */
WA_CHECK enum wa_code wa_server_restore(const struct wa_restore *r, char *former,
                                        struct wa_err *err);

/* --- backup_manifest.c --- */
#define WA_BACKUP_MANIFEST "manifest.jsonl"
#define WA_BACKUP_DATABASE "database.jsonl"
struct wa_backup_member {
    struct wa_relpath name;
    uint64_t bytes;
    char sha256[65];
};
struct wa_backup_manifest {
    int64_t at;
    WA_VEC(struct wa_backup_member);
};
void wa_backup_manifest_write(const struct wa_backup_manifest *m, struct wa_buf *out);
/* Reads it from the archive, and compares every member with it: none more, none less. */
WA_CHECK enum wa_code wa_backup_verify(struct wa_zip *zip, struct wa_backup_manifest *ret,
                                       wa_backup_progress_fn progress, void *user,
                                       struct wa_err *err);

#endif

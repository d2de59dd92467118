/* repo_fetch.h - what comes from repositories, and what is kept of it. */
#ifndef WA_AGENT_REPO_FETCH_H
#define WA_AGENT_REPO_FETCH_H

#include "agent/manager_priv.h"

/* --- repo_fetch.c --- */
typedef enum wa_code (*wa_repo_fn)(struct wa_task_run *run, const struct wa_agent_repo *r,
                                   struct wa_sv address, void *user, struct wa_err *err);
/* Asks one address of the repository after the other, from the *at-th on, until fn succeeds; each
 * failure is told. *at becomes the one that did. The error is the first one's. */
WA_CHECK enum wa_code wa_repo_each(struct wa_task_run *run, const struct wa_agent_repo *r,
                                   size_t *at, wa_repo_fn fn, void *user, struct wa_err *err);
struct wa_repo_get {
    const char *url, *etag; /* etag (may be NULL): not when it still is the one of that tag */
    uint64_t max_bytes, resume_from;
    uint32_t timeout_ms; /* of the whole; 0: as long as bytes come */
    bool is_quiet;       /* nobody is told how far it is */
};
/* One exchange under the repository's settings. */
WA_CHECK enum wa_code wa_repo_fetch(struct wa_task_run *run, const struct wa_agent_repo *r,
                                    const struct wa_repo_get *get, struct wa_sink *sink,
                                    struct wa_fetch_result *ret, struct wa_err *err);
/* The same to a private file, open for reading; the caller removes what is left of it. */
WA_CHECK enum wa_code wa_update_download(struct wa_task_run *run, const struct wa_agent_repo *r,
                                         const struct wa_repo_get *get,
                                         const struct wa_relpath *path, int *ret_fd,
                                         struct wa_fetch_result *ret, struct wa_err *err);

/* --- index_kept.c --- */
#define WA_ETAG_MAX 256 /* with NUL */
/* The repository's index last fetched from url, and its entity tag. False: there is none that is
 * whole. */
bool wa_index_kept_open(struct wa_manager *m, const char *repo, const char *url,
                        char ret_etag[WA_ETAG_MAX], int *ret_fd);
/* SHA-256 of a file. */
WA_CHECK enum wa_code wa_index_digest(int fd, char ret[WA_DIGEST_HEX_MAX], struct wa_err *err);
/* Keeps a fetched and readable one; its file is moved. Failures are logged: it is fetched again. */
void wa_index_kept_save(struct wa_manager *m, const char *repo, const char *url, const char *etag,
                        const struct wa_relpath *fetched, int fd);
/* What is in the index file whose SHA-256 is `of`, if it was the one read last; else, or where what
 * is kept of it is damaged, *ret_is_read is false. */
WA_CHECK enum wa_code wa_index_read_load(struct wa_manager *m, const char *repo,
                                         const char of[WA_SHA256_HEX], struct wa_index *ret,
                                         size_t *ret_bad, bool *ret_is_read, struct wa_err *err);
/* Keeps what was read, before it is judged. A failure is logged: it is read again. */
void wa_index_read_save(struct wa_manager *m, const char *repo, const char of[WA_SHA256_HEX],
                        const struct wa_index *ix, size_t bad);
/* Which entries' signatures held at the last judgement; a failure to save is logged. */
WA_CHECK enum wa_code wa_index_seen_load(struct wa_manager *m, const char *repo,
                                         struct wa_seen *ret, struct wa_err *err);
void wa_index_seen_save(struct wa_manager *m, const char *repo, struct wa_seen *seen);

/* --- crls.c: revocation lists for later --- */
/* Keeps what anchors knows and may be kept; helpers (may be NULL): certificates of the index that
 * brought them. What fails is logged: the lists count for this task all the same. */
void wa_crls_keep(struct wa_manager *m, const struct wa_trust *anchors,
                  const struct wa_certs *helpers);
/* Fetches what is due from the addresses that the anchors name, into anchors and into keeping. */
void wa_crls_fetch(struct wa_task_run *run, struct wa_trust *anchors);

#endif

/* upload.h - a package's way to the server, in pieces: what breaks off is gone on with, also by
 * another run of the program.
 */
#ifndef WA_CONSOLE_UPLOAD_H
#define WA_CONSOLE_UPLOAD_H

#include "console/client.h"

struct wa_upload_job {
    struct wa_source *file;
    const char *name; /* of the package's file, as the repository shall have it */
    const char *host; /* instead: the machine whose own package it is; else NULL */
    /* SHA-256 of what it takes the place of, "none": WA_E_EXISTS if something else is there. NULL:
     * whatever is. */
    const char *replaces;
    /* false cancels; may be NULL */
    bool (*progress)(void *user, uint64_t done, uint64_t total);
    /* Something went wrong, and is tried again; may be NULL. */
    void (*waits)(void *user, const struct wa_err *why);
    void *user;
    uint32_t pause_ms; /* before the first further try; 0: a second */
};
/* Returns when the package is published. WA_E_UNREACHABLE and the like after several tries in which
 * nothing moved: the same call goes on where it was. */
WA_CHECK enum wa_code wa_client_publish(struct wa_client *c, const struct wa_upload_job *job,
                                        struct wa_err *err);

#endif

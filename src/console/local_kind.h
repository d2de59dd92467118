/* local_kind.h - what the pages may have signed: one table (local_prepare.c), a file for each kind.
 *
 * A kind composes the very bytes that will be signed, and shows what these bytes say, decoded again
 * from them. Nothing of what the page sent is shown, nor signed, but by way of these bytes.
 */
#ifndef WA_CONSOLE_LOCAL_KIND_H
#define WA_CONSOLE_LOCAL_KIND_H

#include <stdatomic.h>

#include "base/text.h"
#include "console/assign.h"
#include "console/client.h"
#include "console/hosts.h"
#include "console/local.h"
#include "crypto/trust.h"
#include "pkg/build.h"

struct wa_local_kind;

/* What was composed and is shown; lives until it is done, discarded or too old. */
struct wa_local_prepared {
    char id[33];
    const struct wa_local_kind *kind;
    const struct wa_local_options *options; /* of the program */
    char server_fingerprint[65];            /* by which the server is known now; "": by none */
    struct wa_arena arena;                  /* for what the kind keeps */
    void *own; /* the kind's; its discard() frees what the arena does not */
    struct wa_buf title;
    struct wa_buf lines;       /* JSON: {"label","value"},... written by wa_local_say() */
    struct wa_buf shown;       /* the same as plain text, for the question outside the page */
    struct wa_targets targets; /* machines that are concerned */
    struct wa_buf details;     /* JSON that goes to the page as "details"; empty: none */
    bool needs_gesture;        /* whatever the number of machines: set by prepare() */
    bool is_unsigned;          /* as the kind, or set by prepare(): there is nothing to sign */
    char signer[65];           /* fingerprint of the certificate whose key will sign */
    const char *files_dir;     /* local_files.c's */
    /* How far a commit is, in bytes of the step-th thing; told by wa_local_goes_on(). */
    _Atomic uint64_t done, total;
    _Atomic size_t step, steps;
    _Atomic bool is_stopped; /* the person wants no more of it */

    /* Below: local_prepare.c's. */
    int state;
    char key_id[17];
    int64_t expires_at;
    struct wa_buf result; /* JSON of what was done */
    struct wa_err why;    /* how it failed */
    bool is_busy;         /* a job has it */
};

enum wa_local_gesture {
    WA_LOCAL_GESTURE_NEVER,
    WA_LOCAL_GESTURE_ABOVE, /* so many machines */
    WA_LOCAL_GESTURE_ALWAYS
};

struct wa_local_kind {
    const char *what;
    /* In a thread of the pool. request: the page's object. May ask the server through client. */
    enum wa_code (*prepare)(struct wa_local_prepared *p, const struct wa_json *request,
                            struct wa_client *client, struct wa_err *err);
    /* In a thread of the pool: signs and sends; writes members of what was done into an open
     * object. May tell how far it came when it fails. */
    enum wa_code (*commit)(struct wa_local_prepared *p, const struct wa_signer *signer,
                           struct wa_client *client, struct wa_jw *w, struct wa_err *err);
    void (*discard)(struct wa_local_prepared *p); /* may be NULL */
    enum wa_local_gesture gesture;
    bool needs_code_key;  /* the signer's certificate must be one for code */
    bool needs_authority; /* it must be one that issues others */
    bool is_local;        /* nothing is asked of the server, and client is NULL */
    bool can_stop;        /* commit() looks at wa_local_goes_on() */
    bool is_unsigned;     /* no key is needed, and signer is NULL */
};

/* Adds a line to what is shown; the value may be of any text. */
void wa_local_say(struct wa_local_prepared *p, const char *label, struct wa_sv value);
void wa_local_say_time(struct wa_local_prepared *p, const char *label, int64_t at);
/* From commit(): so much is done; false: it is to stop, with WA_E_CANCELLED. user: what was
 * prepared. As the progress of struct wa_upload_job. */
bool wa_local_goes_on(void *user, uint64_t done, uint64_t total);
/* Where a file lies that was dropped into the page. WA_E_NOT_FOUND. */
#define WA_LOCAL_FILE_ID 33 /* hex, with NUL */
WA_CHECK enum wa_code wa_local_file_find(const char *files_dir, struct wa_sv id,
                                         char out[WA_PATH_MAX], struct wa_err *err);
WA_CHECK enum wa_code wa_local_file_path(const struct wa_local_prepared *p, struct wa_sv id,
                                         char out[WA_PATH_MAX], struct wa_err *err);
/* The machines of these uuids (an array of texts), with the names that the server has for them.
 * WA_E_NOT_FOUND for one that it does not know. */
WA_CHECK enum wa_code wa_local_targets(struct wa_client *client, const struct wa_json *uuids,
                                       struct wa_targets *ret, struct wa_err *err);

/* What is to come and to go, as requests say it: all zero, read with the fields of
 * WA_LOCAL_LISTS_FIELDS. windows and freezes: p NULL: as they are. */
#define WA_LOCAL_LIST_MAX 256u /* of one such list */
#define WA_LOCAL_LISTS 6u
struct wa_local_lists {
    const struct wa_json *lists[WA_LOCAL_LISTS];
    struct wa_sv windows, freezes;
};
#define WA_LOCAL_LISTS_FIELDS(l)                                                                   \
    {"add", WA_WANT_ARRAY, false, WA_LOCAL_LIST_MAX, &(l)->lists[0]},                              \
        {"remove", WA_WANT_ARRAY, false, WA_LOCAL_LIST_MAX, &(l)->lists[1]},                       \
        {"add_conflicts", WA_WANT_ARRAY, false, WA_LOCAL_LIST_MAX, &(l)->lists[2]},                \
        {"remove_conflicts", WA_WANT_ARRAY, false, WA_LOCAL_LIST_MAX, &(l)->lists[3]},             \
        {"hold", WA_WANT_ARRAY, false, WA_LOCAL_LIST_MAX, &(l)->lists[4]},                         \
        {"unhold", WA_WANT_ARRAY, false, WA_LOCAL_LIST_MAX, &(l)->lists[5]},                       \
        {"windows", WA_WANT_SV, false, WA_WINDOWS_BYTES_MAX, &(l)->windows},                       \
    {                                                                                              \
        "freezes", WA_WANT_SV, false, WA_WINDOWS_BYTES_MAX, &(l)->freezes                          \
    }
/* Checked; kept in the arena. */
WA_CHECK enum wa_code wa_local_wish(const struct wa_local_lists *from, struct wa_arena *arena,
                                    struct wa_assign_wish *ret, struct wa_err *err);

/* Whose packages count here. *ret: free it. */
WA_CHECK enum wa_code wa_local_anchors(const struct wa_local_prepared *p, struct wa_trust **ret,
                                       struct wa_err *err);

extern const struct wa_local_kind wa_local_kind_host_packages, wa_local_kind_plan,
    wa_local_kind_import, wa_local_kind_offers, wa_local_kind_promote, wa_local_kind_resign,
    wa_local_kind_kit, wa_local_kind_policy, wa_local_kind_publish, wa_local_kind_upload,
    wa_local_kind_make;
extern const struct wa_local_kind wa_local_kind_actions, wa_local_kind_certificate,
    wa_local_kind_root, wa_local_kind_known_root;
extern const struct wa_local_kind wa_local_kind_cancel, wa_local_kind_grant,
    wa_local_kind_own_certificate;
extern const struct wa_local_kind wa_local_kind_rollout;
extern const struct wa_local_kind wa_local_kind_wake;

#endif

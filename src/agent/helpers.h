/* helpers.h - how the manager asks the other processes, blocking, from its task thread (never from the loop).
 *
 * Each call starts the process through the launcher, talks to it, and ends it; time-outs and cancelling are honoured; whatever the other
 * side sends is checked (sizes, order, count). Errors of the other side arrive as errors here.
 */
#ifndef WA_AGENT_HELPERS_H
#define WA_AGENT_HELPERS_H

#include "agent/roles.h"
#include "net/tls.h"
#include "pkg/members.h"

struct wa_launcher; /* the manager's side of the launcher's channel; usable from the loop's thread and the task thread */

/* Takes over the channel's descriptor. on_ended is called for children that were started with wa_launcher_start() from the loop's thread. */
WA_CHECK enum wa_code wa_launcher_open(int fd, struct wa_launcher **ret, struct wa_err *err);
void wa_launcher_free(struct wa_launcher *l);

/* Set by another thread (wa_cancel_set); looked at at least every 200 ms. */
struct wa_cancel;
WA_CHECK enum wa_code wa_cancel_new(struct wa_cancel **ret, struct wa_err *err);
void wa_cancel_free(struct wa_cancel *c);
void wa_cancel_set(struct wa_cancel *c);
bool wa_cancel_is_set(const struct wa_cancel *c);
void wa_cancel_reset(struct wa_cancel *c);

typedef void (*wa_helper_progress_fn)(void *user, uint64_t done, uint64_t total);
typedef void (*wa_helper_output_fn)(void *user, struct wa_sv text);

/* --- fetch: one exchange; fields as in net/http_client.h, which this process does not link --- */
struct wa_fetch {
    const char *method, *url;
    const char *const *headers; /* NULL-terminated; may be NULL */
    struct wa_sv body;
    const char *proxy, *user, *password;
    const struct wa_tls_trust *trust;
    bool allow_http;
    uint64_t max_bytes, resume_from;
    uint32_t timeout_ms;
};
struct wa_fetch_result {
    int status;
    bool resumed;
    char etag[256], last_modified[64];
    uint64_t bytes;
};
WA_CHECK enum wa_code wa_helper_fetch(struct wa_launcher *l, const struct wa_fetch *what, struct wa_sink *body,
                                      wa_helper_progress_fn progress, void *user, struct wa_cancel *cancel,
                                      struct wa_fetch_result *ret, struct wa_err *err);

/* --- unpack: the members of the package behind fd (the manager's private copy; stays the caller's) --- */
struct wa_unpack;
WA_CHECK enum wa_code wa_helper_unpack(struct wa_launcher *l, int fd, struct wa_cancel *cancel, struct wa_unpack **ret,
                                       struct wa_err *err);
struct wa_members *wa_unpack_members(struct wa_unpack *u);
void wa_unpack_free(struct wa_unpack *u); /* ends the process */

/* --- auth --- */
struct wa_auth_answer {
    bool password_ok;
    bool in_group[16];  /* for groups[i] */
};
/* password empty view with p NULL: groups only. groups: NULL-terminated, at most 16. */
WA_CHECK enum wa_code wa_helper_auth(struct wa_launcher *l, const char *user, struct wa_sv password, const char *const *groups,
                                     struct wa_auth_answer *ret, struct wa_err *err);

/* --- runner --- */
struct wa_run {
    const char *stage;      /* WA_STAGE_ID hex digits */
    enum wa_hook hook;
    uint32_t uid;           /* SESSION_SETUP */
    struct wa_sv request;   /* JSON for wapt_runner.py */
    uint32_t timeout_s;
};
struct wa_run_result {
    struct wa_exit exit;
    bool timed_out;
    bool has_result;        /* the runner wrote its result and ended with status 0 */
};
/* Output (cut to WA_SCRIPT_OUTPUT_MAX, with a line saying how much was left out) goes to output as it comes; the runner's result JSON to
 * result_json. WA_OK whenever it ran to its end, however it ended; the caller judges ret. The whole tree is gone on return. */
WA_CHECK enum wa_code wa_helper_run(struct wa_launcher *l, const struct wa_run *what, wa_helper_output_fn output, void *user,
                                    struct wa_cancel *cancel, struct wa_buf *result_json, struct wa_run_result *ret,
                                    struct wa_err *err);

/* --- network: long-lived, driven by the manager's loop; start only, talk over the channel --- */
WA_CHECK enum wa_code wa_helper_network(struct wa_launcher *l, struct wa_chan **ret, struct wa_err *err);

/* --- entry points of the processes: fd 3 is the channel (launcher: none) --- */
struct wa_agent_paths {
    char base[WA_PATH_MAX];    /* base directory, e.g. /opt/wapt */
    char libdir[WA_PATH_MAX];  /* wapt_runner.py and setuphelpers */
    char user[64];             /* account of network, fetch, unpack */
};
/* Runs until SIGTERM or the manager ends for good; restarts a manager that dies, with back-off. manager: called in the manager's process
 * with the launcher channel's descriptor. once: no restart, ends with the manager's status (wapt-get as root without the service). */
WA_CHECK enum wa_code wa_role_launcher(const struct wa_agent_paths *paths, const char *const *manager_args, bool once, int *ret_status,
                                       struct wa_err *err);
int wa_role_network(void);
int wa_role_unpack(void);
int wa_role_auth(void);
int wa_role_fetch(void); /* in program wapt-fetch; source file apart, links libcurl */

#endif

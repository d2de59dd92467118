/* helpers.h - how the manager asks the other processes, blocking, from its task thread (never from
 * the loop).
 *
 * Each call starts the process through the launcher, talks to it, and ends it; time-outs and
 * cancelling are honoured; whatever the other side sends is checked (sizes, order, count). Errors
 * of the other side arrive as errors here.
 */
#ifndef WA_AGENT_HELPERS_H
#define WA_AGENT_HELPERS_H

#include "agent/roles.h"
#include "net/ldap.h"
#include "pkg/members.h"

/* Whose network, fetch, unpack and inventory processes are; false when that account does not exist,
 * nor is any but root's: then nobody's numbers. */
bool wa_helper_account(const char *user, uint32_t *ret_uid, uint32_t *ret_gid);

struct wa_launcher; /* the manager's side of the launcher's channel; usable from the loop's thread
                       and the task thread */

/* Takes over the channel's descriptor, also on failure. Makes the process ignore SIGPIPE. */
WA_CHECK enum wa_code wa_launcher_open(int fd, struct wa_launcher **ret, struct wa_err *err);
/* False once it is gone or broken: then every call fails, and the manager ends. Does not wait. */
bool wa_launcher_is_there(struct wa_launcher *l);
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
    uint32_t redirects_max;
    uint64_t max_bytes, resume_from, rate_max_bytes_s;
    uint32_t timeout_ms; /* whole exchange, 0: none */
    uint32_t silence_s;  /* longest wait for a connection, or for bytes; 1 to 600 */
};
struct wa_fetch_result {
    int status;
    bool resumed;
    char etag[256], last_modified[64];
    uint64_t bytes;
};
WA_CHECK enum wa_code wa_helper_fetch(struct wa_launcher *l, const struct wa_fetch *what,
                                      struct wa_sink *body, wa_helper_progress_fn progress,
                                      void *user, struct wa_cancel *cancel,
                                      struct wa_fetch_result *ret, struct wa_err *err);

/* --- unpack: the members of the package behind fd (the manager's private copy; stays the caller's)
 * --- */
struct wa_unpack;
WA_CHECK enum wa_code wa_helper_unpack(struct wa_launcher *l, int fd, struct wa_cancel *cancel,
                                       struct wa_unpack **ret, struct wa_err *err);
struct wa_members *wa_unpack_members(struct wa_unpack *u);
void wa_unpack_free(struct wa_unpack *u); /* ends the process */

/* --- auth --- */
struct wa_auth_answer {
    bool password_ok;
    bool in_group[WA_AUTH_GROUPS_MAX]; /* for groups[i] */
};
/* password empty view with p NULL: groups only. groups: NULL-terminated, at most
 * WA_AUTH_GROUPS_MAX. */
WA_CHECK enum wa_code wa_helper_auth(struct wa_launcher *l, const char *user, struct wa_sv password,
                                     const char *const *groups, struct wa_auth_answer *ret,
                                     struct wa_err *err);

/* The same question to a directory, for which a password is always needed. where->trust's text may
 * go when the call returns. WA_E_UNREACHABLE, WA_E_REFUSED (its certificate), ... as
 * wa_ldap_login(). */
WA_CHECK enum wa_code wa_helper_directory(struct wa_launcher *l, const struct wa_ldap_where *where,
                                          const char *user, struct wa_sv password,
                                          const char *const *groups, struct wa_auth_answer *ret,
                                          struct wa_err *err);

/* --- kerberos: this machine's ticket for the service HTTP/host, in base64, appended. binding: what
 * it is good for. WA_E_CONFIG: the machine has no keytab; WA_E_UNREACHABLE, WA_E_TIMEOUT: no
 * directory answers. --- */
WA_CHECK enum wa_code wa_helper_ticket(struct wa_launcher *l, const char *host, const char *binding,
                                       struct wa_buf *ticket, struct wa_err *err);

/* --- inventory: what the machine is, or where its account stands --- */
struct wa_inventory_ask {
    struct wa_sv table; /* the firmware's (os/dmi.h); empty: there is none */
    bool with_environment, with_vendor_text;
    const char *account; /* the machine's: ask for its place instead; NULL: the machine */
};
/* answer: the JSON object of agent/facts.h, of which nothing is checked but its size. */
WA_CHECK enum wa_code wa_helper_inventory(struct wa_launcher *l,
                                          const struct wa_inventory_ask *what,
                                          struct wa_cancel *cancel, struct wa_buf *answer,
                                          struct wa_err *err);

/* Broadcasts what wakes these cards. WA_E_UNREACHABLE: to no network. */
WA_CHECK enum wa_code wa_helper_wake(struct wa_launcher *l, const struct wa_wake *what,
                                     struct wa_cancel *cancel, struct wa_err *err);

/* Writes what the machine is called for people; text: good (proto/action.h). */
WA_CHECK enum wa_code wa_helper_describe(struct wa_launcher *l, struct wa_sv text,
                                         struct wa_cancel *cancel, struct wa_err *err);

/* --- runner --- */
struct wa_run {
    const char *stage; /* WA_STAGE_ID hex digits */
    enum wa_hook hook;
    uint32_t uid;         /* SESSION_SETUP */
    struct wa_sv request; /* JSON for wapt_runner.py */
    uint32_t timeout_s;
};
struct wa_run_result {
    struct wa_exit exit;
    bool timed_out;
    bool has_result; /* the runner wrote its result and ended with status 0 */
};
/* Output (cut to WA_SCRIPT_OUTPUT_MAX, with a line saying how much was left out) goes to output as
 * it comes; the runner's result JSON to result_json. WA_OK whenever it ran to its end, however it
 * ended; the caller judges ret. The whole tree is gone on return. */
WA_CHECK enum wa_code wa_helper_run(struct wa_launcher *l, const struct wa_run *what,
                                    wa_helper_output_fn output, void *user,
                                    struct wa_cancel *cancel, struct wa_buf *result_json,
                                    struct wa_run_result *ret, struct wa_err *err);

/* --- network: long-lived, driven by the manager's loop; start only, talk over the channel --- */
/* Starts it; one that was started before is ended first. *ret, not yet attached, is the caller's.
 * The process ends when the channel is freed. */
WA_CHECK enum wa_code wa_helper_network(struct wa_launcher *l, struct wa_chan **ret,
                                        struct wa_err *err);

struct wa_net_config {
    const char *url;   /* https://server/agent/v1/push */
    const char *proxy; /* NULL: none */
    const struct wa_tls_trust *trust;
    uint32_t backoff_first_ms; /* after a first failure: a random delay up to this, then up to twice
                                  it, ... */
    uint32_t backoff_max_ms;
};
/* Posts NET_CONFIG: connects, or connects anew. chan is attached. */
WA_CHECK enum wa_code wa_net_configure(struct wa_chan *chan, const struct wa_net_config *config,
                                       struct wa_err *err);
struct wa_net_challenge {
    char nonce[65], channel[65]; /* lower-case hex */
    int64_t time;                /* the server's */
};
/* Payload of NET_CHALLENGE. WA_E_INVALID, WA_E_LIMIT. The answer, a hello, goes out as NET_SEND; so
 * do acks. */
WA_CHECK enum wa_code wa_net_challenge_read(struct wa_sv text, struct wa_net_challenge *ret,
                                            struct wa_err *err);
enum wa_net_state_kind { WA_NET_CONNECTING, WA_NET_OPEN, WA_NET_WELCOME, WA_NET_CLOSED };
/* In place of a close status: the server refuses our TLS certificate. */
#define WA_NET_IDENTITY_REFUSED 4900
struct wa_net_state {
    enum wa_net_state_kind state;
    int status; /* CLOSED: the WebSocket's close status where the server gave one (WA_PUSH_CLOSE_*),
                   else 0 */
    char reason[WA_ERR_TEXT_MAX];
};
/* Payload of NET_STATE. WA_E_INVALID, WA_E_LIMIT. After CLOSED it tries again by itself. */
WA_CHECK enum wa_code wa_net_state_read(struct wa_sv text, struct wa_net_state *ret,
                                        struct wa_err *err);

/* --- entry points of the processes: fd 3 is the channel (launcher: none) --- */
struct wa_agent_paths {
    char base[WA_PATH_MAX];   /* base directory, e.g. /opt/wapt */
    char libdir[WA_PATH_MAX]; /* wapt_runner.py and setuphelpers */
    char user[64];            /* account of network, fetch, unpack */
};
/* Must be the first thing main() does in each program that calls wa_role_launcher(): the launcher
 * starts its children as this very program with one argument, "role:network", "role:unpack",
 * "role:auth", "role:inventory", "role:directory", "role:wake" or "role:describe". True when that
 * is what argv says: then the role has run and main() returns *ret_status. */
bool wa_role_dispatch(int argc, char **argv, int *ret_status);
/* Runs until SIGTERM or until the manager ends with status 0; restarts a manager that ends
 * otherwise, with back-off. manager_args: argv, argv[0] included and NULL at the end, with which
 * this very program is started as the manager, channel to the launcher as descriptor 3. once: no
 * restart, ends with the manager's status (128 + signal when killed), which has the caller's
 * descriptors 0 to 2 (wapt-get as root without the service). *ret_status: the manager's last
 * status. WA_E_BUSY: another launcher works for this base directory. */
WA_CHECK enum wa_code wa_role_launcher(const struct wa_agent_paths *paths,
                                       const char *const *manager_args, bool once, int *ret_status,
                                       struct wa_err *err);
/* The launcher of a manager that its own unit has started and that has connected: fd, which is
 * taken over. Runs until that manager goes, or until SIGTERM; then nothing that it started is left.
 * WA_E_DENIED when the peer is not root's process in the unit WA_MANAGER_UNIT. */
#define WA_MANAGER_UNIT "waptservice.service"
#define WA_UPGRADE_UNIT "wapt-upgrade.service"
WA_CHECK enum wa_code wa_role_launcher_of(const struct wa_agent_paths *paths, int fd,
                                          struct wa_err *err);
int wa_role_network(void);
int wa_role_unpack(void);
int wa_role_auth(void);
int wa_role_inventory(void);
int wa_role_wake(void);
int wa_role_describe(void);
int wa_role_directory(void);
int wa_role_kerberos(void); /* in program wapt-kerberos; apart, links Kerberos */
int wa_role_fetch(void);    /* in program wapt-fetch; source file apart, links libcurl */

#endif

/* manager_priv.h - between the files of the manager: its state, and what each room does for the
 * others.
 *
 * Two threads: the loop's (local clients, push channel, timers) and the task thread, which works
 * the queue off one task after another and may block. Each has its own database connection; what
 * they share is behind `lock`.
 */
#ifndef WA_AGENT_MANAGER_PRIV_H
#define WA_AGENT_MANAGER_PRIV_H

#include "agent/config.h"
#include "agent/db.h"
#include "agent/helpers.h"
#include "base/log.h"
#include "base/mem.h"
#include "os/fs.h"
#include "os/host.h"
#include "os/priv.h"
#include "os/thread.h"
#include "pkg/index.h"
#include "pkg/verify.h"
#include "proto/local.h"
#include "proto/report.h"

struct wa_local;      /* localapi.c */
struct wa_repo_trust; /* repo_trust.h */
struct wa_push;       /* push.c */
struct wa_task_run;   /* tasks.c, below */
struct wa_retired;    /* reload.c */

/* What the machine does by itself (scheduler.c); the loop's, but for the last three. Seconds since
 * 1970. */
struct wa_schedule {
    int64_t next_update, next_upgrade, next_audit_check;
    int64_t upgrade_at;    /* when an upgrade that is due and may begin does; 0: not drawn yet */
    int64_t forced_retry;  /* when what is forced is looked at again */
    const char *waits_for; /* what an upgrade that is due waits for; "": nothing */
    /* shared by the two threads */
    int64_t upgrade_due; /* since when the upgrade queued last was due; 0: by an earlier start */
    int64_t forced_at;   /* when the first pending package is forced; 0: none is */
    int64_t owed_at;     /* when the upgrade that was put off or failed is due again; 0: none */
};

/* The push channel, as it was heard of last. */
struct wa_contact {
    bool is_connected;   /* welcomed by the server */
    bool has_clock;      /* clock_off_s is known */
    int64_t since;       /* of that state; 0: there was none yet */
    int64_t clock_off_s; /* seconds that the server's clock is ahead */
    char why[WA_ERR_TEXT_MAX];
};

struct wa_manager {
    struct wa_agent_config config;
    char libdir[WA_PATH_MAX];
    struct wa_log log;
    struct wa_launcher *launcher;
    struct wa_loop *loop;
    struct wa_db *db; /* the loop's */
    struct wa_dir base;
    int lock_fd; /* one manager a base directory */
    struct wa_host_facts facts;
    bool once, has_served; /* once: one command without the service, and whether it came */
    struct wa_local *local;
    struct wa_push *push;
    struct wa_timer *clock;
    struct wa_repo_trust *trust; /* as last loaded; NULL: not yet */
    struct wa_schedule schedule;
    int64_t once_until; /* once: when it ends although nobody came */
    /* shared by the two threads */
    struct wa_lock *lock;
    bool server_is_back;             /* what waits for it need not wait any longer */
    bool server_hears;               /* the push channel is open */
    bool same_asked;                 /* the server was told that nothing has changed... */
    bool same_denied;                /* ... and knows something else */
    struct wa_retired *reload_next;  /* the configuration that is to be exchanged */
    bool reload_done;                /* it was */
    bool upgrade_handed;             /* the agent's replacement was started */
    bool stopping, registered;       /* registered: the push channel should (re)connect */
    char confined[WA_PRIV_LINE_MAX]; /* what is left to it */
    int64_t db_looked_at;            /* the loop's: when the database was looked through */
    bool db_is_whole;
    struct wa_retired *retired;           /* the loop's: former configurations */
    struct wa_contact contact;            /* the loop's */
    bool restarting;                      /* the loop's: ended to be started again */
    uint64_t watchdog_ms, watchdog_at_ms; /* the loop's: 0: nobody watches; the next sign of life */
    struct wa_buf secret; /* token or password of the registration that waits; see tasks.c */
    int64_t running_task;
    int64_t recalled_task;     /* begins no further step: its order was cancelled */
    bool is_at_work;           /* the task thread: false once it has found nothing to do */
    int64_t running_percent;   /* of it that is done */
    bool is_stoppable;         /* that task, by a local user */
    uint64_t stopped_until_ms; /* of the clock that never goes back; no task begins before. 0:
                                  nobody stopped it */
    struct wa_cancel *cancel;
    struct wa_icons_wanted { /* icons.c */
        struct {
            char uuid[WA_UUID_MAX + 1], repo[64];
        } items[WA_ICONS_WANTED_MAX];
        size_t n;
        uint64_t again_ms; /* before, nothing is fetched */
        uint64_t hour_ms;  /* since when `fetched` counts */
        size_t fetched;
    } icons;
    struct wa_auth_known { /* what a directory said of people who proved their password */
        char user[256];
        uint64_t until_ms;
        struct wa_buf groups; /* a line each */
    } known[WA_AUTH_KNOWN_MAX];
    struct wa_key *key;      /* the machine's; NULL before its first registration */
    struct wa_tls_identity { /* by which it shows itself on TLS: tls_identity.c */
        struct wa_buf pem;   /* certificate and key; empty: it has none */
        int64_t until, due;  /* it is good until, and renewed from then on */
        bool is_refused;     /* by the server */
    } tls;
    char uuid[WA_UUID_MAX + 1]; /* changed by the task thread alone, which need not lock to read */
    int64_t twin_doubts; /* reports in a row whose number the server had seen: see report.c */
    /* the task thread's */
    struct wa_thread *thread;
    struct wa_db *tdb;
    bool is_unsettled;       /* the task thread's: what a script did could not be recorded */
    struct wa_key *tls_next; /* what a certificate is being asked for; NULL: nothing */
    int64_t tls_retry_at;    /* before, none is asked for */
    int64_t enrol_at;        /* before, it does not register by itself */
    unsigned enrol_tries;
    int64_t twin_try_at;     /* when who fell silent tries again */
    int64_t place_next;      /* when the directory is asked again */
    int64_t status_retry_at; /* 0: the server has the present status */
    unsigned status_tries;
    int64_t outbox_after; /* before, nothing of what is owed is sent */
    unsigned outbox_failures;
    int64_t hurried_at; /* when a welcome was last made use of */
};

/* --- identity.c --- */
/* Reads uuid and key if there are any. */
WA_CHECK enum wa_code wa_identity_load(struct wa_manager *m, struct wa_db *db, struct wa_err *err);
/* Makes what is missing: uuid, key, certificate. certificate: PEM. */
WA_CHECK enum wa_code wa_identity_make(struct wa_manager *m, struct wa_buf *certificate,
                                       struct wa_err *err);
/* The machine's uuid, for the loop's thread: the task thread may change it meanwhile. Takes the
 * lock. */
void wa_identity_uuid(const struct wa_manager *m, char ret[WA_UUID_MAX + 1]);
/* Whether nobody has said in the configuration who this machine is. */
bool wa_identity_is_derived(const struct wa_manager *m);
/* Becomes another machine to the server: without key and enrolment, what was owed or ordered is
 * forgotten. wanted empty: a random one. WA_E_CONFIG: the configuration says who it is;
 * WA_E_NOT_FOUND: the firmware does not. */
WA_CHECK enum wa_code wa_identity_change(struct wa_manager *m, struct wa_sv wanted,
                                         bool from_firmware, struct wa_err *err);
/* The same machine, without key and enrolment: as before it was ever registered. */
WA_CHECK enum wa_code wa_identity_forget(struct wa_manager *m, struct wa_err *err);
/* generate-uuid and reset-uuid; the task's data is {"uuid"}, whatever becomes of it. */
WA_CHECK enum wa_code wa_identity_task(struct wa_task_run *run, struct wa_err *err);

/* --- tls_identity.c --- */
/* Reads what there is; what can't be used is logged. */
void wa_tls_identity_load(struct wa_manager *m, struct wa_db *db);
/* Without it from now on: another machine's, or refused. The task thread's, as the next two. */
void wa_tls_identity_forget(struct wa_manager *m);
/* A request for a certificate, PEM: for the key that it has, or for a new one where that is no
 * renewal, or the server refused the one before. */
WA_CHECK enum wa_code wa_tls_identity_request(struct wa_manager *m, bool is_renewal,
                                              struct wa_buf *csr, struct wa_err *err);
/* The server's answer to it; empty: it gave none. */
void wa_tls_identity_take(struct wa_manager *m, struct wa_sv certificate);
/* What to show at that address: nothing anywhere but at our server, and where our own package is.
 * out is initialised here, and *ret points into it. Takes the lock. */
WA_CHECK enum wa_code wa_tls_identity_copy(struct wa_manager *m, const char *url,
                                           struct wa_buf *out, struct wa_sv *ret,
                                           struct wa_err *err);
/* The server has refused it. Takes the lock. */
void wa_tls_identity_doubt(struct wa_manager *m);
/* Whether another one is to be asked for now; not again for an hour. Takes the lock. */
bool wa_tls_identity_is_due(struct wa_manager *m);

/* --- auth_ask.c --- */
/* Whether the password is the user's, and in which groups the user is, as service_auth_type says.
 * From a thread of the pool: may take WA_AUTH_TIMEOUT_MS and more. password: p NULL asks for the
 * groups alone. groups: as wa_helper_auth(). */
WA_CHECK enum wa_code wa_auth_ask(struct wa_manager *m, const char *user, struct wa_sv password,
                                  const char *const *groups, struct wa_auth_answer *ret,
                                  struct wa_err *err);
/* Whether a directory tells the groups, which it does with the password only. Without one,
 * wa_auth_ask() then answers what was told of the user in the time of auth_grace before, else "in
 * none". */
bool wa_auth_needs_password(const struct wa_agent_config *c);
/* At the end of all. */
void wa_auth_forget(struct wa_manager *m);
/* Whether that is anything. */
bool wa_auth_is_known(struct wa_manager *m, const char *user);
/* csv: the groups of administrators, of this machine or of the directory. */
const char *wa_auth_admin_groups(const struct wa_agent_config *c);

/* --- place.c: where the machine stands in its organisation, for its unit and profile packages ---
 */
struct wa_place {
    const char *dn;   /* "CN=PC1,OU=...,DC=..."; "": not known */
    const char *site; /* "": not known */
    const char
        *groups; /* csv of the machine account's groups, sorted; "": none, or not asked for */
};
/* Asks the directory again, at most once an hour, from the task thread; may take a minute. A
 * failure is logged, and what was known stays. */
void wa_place_refresh(struct wa_manager *m);
/* As the configuration says, else as the directory said last: a directory that does not answer
 * takes nothing away. The texts live in arena. */
WA_CHECK enum wa_code wa_place_load(const struct wa_manager *m, struct wa_db *db,
                                    struct wa_arena *arena, struct wa_place *ret,
                                    struct wa_err *err);

/* --- assigned.c: the packages that are the machine's own --- */
struct wa_assigned {
    const char *names[WA_ASSIGNED_MAX]; /* the host package first, when the machine has a name */
    size_t n;
};
/* profiles: csv. The texts live in arena. WA_E_LIMIT: too many. */
WA_CHECK enum wa_code wa_assigned_names(const char *uuid, const char *profiles,
                                        const struct wa_place *place, struct wa_arena *arena,
                                        struct wa_assigned *ret, struct wa_err *err);
/* This machine's. */
WA_CHECK enum wa_code wa_assigned_load(const struct wa_manager *m, struct wa_db *db,
                                       struct wa_arena *arena, struct wa_assigned *ret,
                                       struct wa_err *err);

/* --- inventory.c: JSON texts --- */
/* The machine's names: members of host_info, and what a registration carries of it. */
void wa_inventory_names(const struct wa_host_facts *f, struct wa_jw *w);
/* with_params: what was given to the packages' scripts too. */
WA_CHECK enum wa_code wa_inventory_packages(struct wa_db *db, bool with_params, struct wa_buf *out,
                                            struct wa_err *err);
void wa_control_json(struct wa_jw *w, const struct wa_control *c); /* an object's members */

/* --- inventory.c too: what this machine takes --- */
void wa_manager_caps(const struct wa_manager *m, struct wa_host_caps *ret);
/* The signers that count: the accepted root's, else those of a repository's certificates; repo
 * NULL: for all else. */
WA_CHECK enum wa_code wa_manager_anchors(const struct wa_manager *m,
                                         const struct wa_agent_repo *repo,
                                         const struct wa_repo_trust *t, struct wa_trust **ret,
                                         struct wa_err *err);

/* --- report.c: talk to the server, from the task thread --- */
WA_CHECK enum wa_code wa_report_register(struct wa_task_run *run, struct wa_err *err);
/* Has the server forget this machine, then forgets key and enrolment. A server that does not know
 * it is told; any other refusal ends it, unless forced. */
WA_CHECK enum wa_code wa_report_unregister(struct wa_task_run *run, struct wa_err *err);
/* POSTs a statement, sealed. answer: the body of a good answer. */
/* A call of the server: where, and whom to trust there, as the configuration is now. Under the lock
 * where the thread is not the task's: a registration exchanges what is read. */
struct wa_server_call {
    char url[2048];
    struct wa_tls_trust trust;
    struct wa_buf pem; /* the trust's text */
    struct wa_buf own; /* its identity */
};
void wa_server_call_fini(struct wa_server_call *call);
#define WA_AUTO_SERVER_CALL WA_CLEANUP(wa_server_call_fini)
WA_CHECK enum wa_code wa_server_call_make(struct wa_manager *m, const char *path,
                                          struct wa_server_call *call, struct wa_err *err);
/* Posts a statement that is sealed. From any thread but the loop's. Errors of the server are errors
 * here. */
WA_CHECK enum wa_code wa_server_call(struct wa_manager *m, const struct wa_server_call *call,
                                     struct wa_sv body, uint32_t timeout_ms,
                                     struct wa_cancel *cancel, struct wa_buf *answer,
                                     struct wa_err *err);
WA_CHECK enum wa_code wa_report_post(struct wa_manager *m, const char *path, struct wa_sv text,
                                     struct wa_buf *answer, struct wa_err *err);
/* The same to where reports go; WA_E_CONFIG before the machine is registered. */
WA_CHECK enum wa_code wa_report_send(struct wa_manager *m, struct wa_sv text, struct wa_buf *answer,
                                     struct wa_err *err);
/* What a machine does by itself about its registration: by its account in the domain, where it is
 * not registered yet (use_kerberos); another TLS certificate, by its own key. */
void wa_report_renew(struct wa_manager *m);
/* Sends what is owed. Failures are kept for later. */
void wa_report_outbox(struct wa_manager *m);

/* --- sections.c, sections_own.c: what the machine is, from the task thread --- */
struct wa_sections {
    struct wa_buf text[WA_SEC_COUNT]; /* canonical JSON; empty: not to be had */
    struct wa_section_digests digests;
};
void wa_sections_fini(struct wa_sections *s);
#define WA_AUTO_SECTIONS WA_CLEANUP(wa_sections_fini)
/* Fills *ret, which is to be finished whatever the result. What could not be found out is logged
 * and left empty. */
WA_CHECK enum wa_code wa_sections_collect(struct wa_manager *m, struct wa_sections *ret,
                                          struct wa_err *err);
/* One that the manager knows by itself, as JSON; nothing where it has none. */
WA_CHECK enum wa_code wa_section_own(struct wa_manager *m, enum wa_section which,
                                     struct wa_buf *out, struct wa_err *err);

/* --- policy.c: the section that says what it goes by, and whose orders it takes --- */
WA_CHECK enum wa_code wa_policy_write(struct wa_manager *m, struct wa_buf *out, struct wa_err *err);

/* --- status.c: the same to the server --- */
/* Sends what has changed since the server last said what it has. is_asked: somebody wants to know
 * that it arrived, so a signed report goes even when nothing has. */
WA_CHECK enum wa_code wa_report_status(struct wa_manager *m, bool is_asked, struct wa_err *err);
/* All sections as one JSON object. */
WA_CHECK enum wa_code wa_status_show(struct wa_manager *m, struct wa_buf *out, struct wa_err *err);

/* --- tasks.c --- */
struct wa_task_run {
    struct wa_manager *m;
    const struct wa_task *task;
    struct wa_local_request request; /* decoded args */
    struct wa_buf packages;          /* JSON array: what became of each package */
    struct wa_jw packages_jw;
    const struct wa_plan *plan; /* what is being carried out, from step plan_at on; may be NULL */
    size_t plan_at;
    uint64_t told_part; /* percent of the step that was told last */
    struct wa_buf log;  /* what it told, the end of it */
    struct wa_buf data; /* JSON: result for the local client, or empty */
    bool is_cut;        /* by the end of the service */
    bool is_recalled;   /* by an order that cancels its own */
    bool is_lost;       /* the launcher is gone, and what it ran with it: as after a kill */
    bool is_postponed;  /* scheduled, and it is no time for it any more */
    int64_t until;      /* when its maintenance window ends; 0: it has none */
    size_t done, failed;
    enum wa_code first; /* of the first failure */
    char summary[WA_ERR_TEXT_MAX + 2 * WA_NAME_MAX];
};
void wa_task_output(struct wa_task_run *run, struct wa_sv text);
void wa_task_progress(void *run, uint64_t done, uint64_t total);
/* The step of the plan at plan_at begins. */
void wa_task_step(struct wa_task_run *run);
void wa_task_say(struct wa_task_run *run, const char *fmt, ...) WA_FORMAT(2, 3);
/* Counts one package's outcome and tells it. err NULL: good. */
void wa_task_package(struct wa_task_run *run, const struct wa_control *c, const char *status,
                     const struct wa_err *err);
void wa_task_thread(void *m);
/* The service ends, or somebody cancelled: what has steps begins no other one. */
WA_CHECK enum wa_code wa_task_may_go_on(struct wa_task_run *run, struct wa_err *err);
/* From the loop's thread: queues and wakes. */
WA_CHECK enum wa_code wa_manager_queue(struct wa_manager *m, const char *kind,
                                       const struct wa_local_request *args, const char *by,
                                       const char *action_id, int64_t not_before, int64_t *ret_id,
                                       struct wa_err *err);

/* --- task_report.c, of the task thread --- */
/* What may have changed by the task: the plan of what is pending, who may do what. */
void wa_task_follow_up(struct wa_task_run *run);
/* Sends the state, where the task may have changed it. */
void wa_task_report(struct wa_task_run *run);
/* What the server is owed: at its time, or as soon as it is there again. */
void wa_tell_server(struct wa_manager *m);

/* --- power.c --- */
/* Whether this machine's own configuration lets that be ordered. WA_E_REFUSED. */
WA_CHECK enum wa_code wa_power_may(const struct wa_manager *m, enum wa_local_op op,
                                   struct wa_err *err);
/* Restarts the machine or switches it off, after those who are at work were warned; once, whatever
 * becomes of the agent meanwhile. */
WA_CHECK enum wa_code wa_task_power(struct wa_task_run *run, struct wa_err *err);
/* Has machines near this one woken: the request's "packages" are their MAC addresses. */
WA_CHECK enum wa_code wa_task_wake(struct wa_task_run *run, struct wa_err *err);

/* --- scheduler.c --- */
#define WA_SCHEDULER "scheduler"           /* created_by of its tasks */
#define WA_PARAM_WINDOWS "package_windows" /* maintenance windows of the machine's own packages */
#define WA_PARAM_FREEZES "package_freezes"
#define WA_PARAM_HOLDS "package_holds"       /* what packages hold; csv */
#define WA_PARAM_POLICIES "package_policies" /* JSON: by, windows, freezes, holds of each */
#define WA_PARAM_FORCED "pending_forced"     /* lines: when, what */
WA_CHECK enum wa_code wa_schedule_start(struct wa_manager *m, int64_t now, struct wa_err *err);
/* Queues what is due; at each turn of the loop's clock. */
void wa_schedule_turn(struct wa_manager *m, int64_t now);
/* Members of a JSON object. */
WA_CHECK enum wa_code wa_schedule_status(struct wa_manager *m, struct wa_jw *w, struct wa_err *err);
/* The task thread's: what holds now and next, as members of the section "policy". */
WA_CHECK enum wa_code wa_schedule_policy(struct wa_manager *m, struct wa_jw *w, struct wa_err *err);
/* What the clock on the wall shows, as seconds since 1970. */
int64_t wa_schedule_local(int64_t seconds);
/* The task thread's: whether the task may begin now, and until when a scheduled upgrade may go on.
 * WA_E_CANCELLED: what is scheduled is put off; WA_E_REFUSED: an upgrade in a freeze. */
WA_CHECK enum wa_code wa_schedule_begin(struct wa_task_run *run, struct wa_err *err);
/* The task thread's: a task has ended so. A scheduled upgrade that was put off is due again, one
 * that failed after a while that grows with each failure in a row. */
void wa_schedule_ended(const struct wa_task_run *run, enum wa_code code);
/* The task thread's: when the first pending package is forced; 0: none is. */
void wa_schedule_forced(struct wa_manager *m, int64_t at);

/* --- pending.c, of the task thread --- */
/* Plans an upgrade and keeps what it would do. *ret_arrivals: something would be installed. */
WA_CHECK enum wa_code wa_pending_remember(struct wa_manager *m, bool *ret_arrivals,
                                          struct wa_err *err);

/* --- folders.c --- */
/* Checks and mends the agent's folders, and opens the base directory. WA_E_DENIED: others than root
 * could change the agent, or whom it trusts. */
WA_CHECK enum wa_code wa_folders_check(struct wa_manager *m, struct wa_err *err);
/* Of another configuration, without mending: its own file, and whom it trusts. */
WA_CHECK enum wa_code wa_folders_check_config(const struct wa_agent_config *c, struct wa_err *err);

/* --- crls.c: revocation lists for later --- */
/* Keeps what anchors knows and may be kept; helpers (may be NULL): certificates of the index that
 * brought them. What fails is logged: the lists count for this task all the same. */
void wa_crls_keep(struct wa_manager *m, const struct wa_trust *anchors,
                  const struct wa_certs *helpers);
/* Fetches what is due from the addresses that the anchors name, into anchors and into keeping. */
void wa_crls_fetch(struct wa_task_run *run, struct wa_trust *anchors);

/* --- update.c, install.c, hook.c: the work, in the task thread --- */
WA_CHECK enum wa_code wa_task_update(struct wa_task_run *run, struct wa_err *err);
WA_CHECK enum wa_code wa_task_install(struct wa_task_run *run, struct wa_err *err);
/* What installing would need here, what is asked for also when it is installed: into the cache. */
WA_CHECK enum wa_code wa_task_download(struct wa_task_run *run, struct wa_err *err);
WA_CHECK enum wa_code wa_task_upgrade(struct wa_task_run *run, bool download_only,
                                      struct wa_err *err);
WA_CHECK enum wa_code wa_task_remove(struct wa_task_run *run, struct wa_err *err);
WA_CHECK enum wa_code wa_task_forget(struct wa_task_run *run, struct wa_err *err);
WA_CHECK enum wa_code wa_task_audit(struct wa_task_run *run, struct wa_err *err);
/* Runs uninstall() of packages, which stay as they are for the agent: for those who try a script.
 */
WA_CHECK enum wa_code wa_task_uninstall(struct wa_task_run *run, struct wa_err *err);
WA_CHECK enum wa_code wa_task_session(struct wa_task_run *run, struct wa_err *err);
/* Whether such a request of this account's would run anything; in either thread, with its database.
 */
WA_CHECK enum wa_code wa_session_is_needed(struct wa_manager *m, struct wa_db *db, uint32_t uid,
                                           const struct wa_local_request *r, bool *ret,
                                           struct wa_err *err);
WA_CHECK enum wa_code wa_task_clean(struct wa_task_run *run, struct wa_err *err);
/* Seconds between a package's audits; 0: only when asked for. */
int64_t wa_audit_period(const struct wa_manager *m, const struct wa_control *c);

/* One hook of a verified package. */
struct wa_hook_run {
    enum wa_hook hook;
    const struct wa_control *control;
    const char *stage;   /* id; folder staged and verified */
    bool has_persistent; /* the stage has WAPT/persistent */
    uint32_t uid;
    const char *user;
    bool force;
    const char *params; /* JSON object */
};
struct wa_hook_result {
    char upgrade[WA_NAME_MAX + 1]; /* the file that is to replace the agent; "": none */
    char status[64];               /* OK, WARNING, ERROR, RETRY, UNKNOWN or the script's own */
    struct wa_buf output;
    struct wa_buf params; /* JSON object: given and changed */
    char error[512];
    enum wa_code code; /* what status ERROR stands for: WA_E_FAILED, or WA_E_TIMEOUT */
};
void wa_hook_result_init(struct wa_hook_result *r);
void wa_hook_result_fini(struct wa_hook_result *r);
/* A script's bytes as text: what is no UTF-8, and NUL, become '?'. */
void wa_hook_text(struct wa_buf *out, struct wa_sv bytes);
/* Undoes what an interruption left to be undone, before any other task. */
void wa_snapshot_settle(struct wa_manager *m);
/* WA_OK whenever the hook ran, whatever became of it: see ret->status. */
WA_CHECK enum wa_code wa_hook_run(struct wa_task_run *run, const struct wa_hook_run *what,
                                  struct wa_hook_result *ret, struct wa_err *err);
#define WA_PARAM_SCRIPTS "script_params" /* JSON object: what scripts of root's have kept */
/* "params_store": the same. */
WA_CHECK enum wa_code wa_script_store_write(struct wa_manager *m, struct wa_jw *w,
                                            struct wa_err *err);
/* Keeps and queues what the result of a script of root's asks for. WA_E_LIMIT, WA_E_INVALID; what
 * was before the wrong one in the result is done all the same. */
WA_CHECK enum wa_code wa_script_wishes_take(const struct wa_task_run *run,
                                            const struct wa_json *result, struct wa_err *err);
/* A script's parameters, from text that somebody gave: one JSON object, else WA_E_USAGE. */
WA_CHECK enum wa_code wa_params_check(struct wa_sv text, struct wa_arena *arena,
                                      const struct wa_json **ret, struct wa_err *err);
/* A fresh, empty stage. id: WA_STAGE_ID + 1 bytes. */
WA_CHECK enum wa_code wa_stage_new(struct wa_manager *m, char *ret_id, struct wa_dir *ret,
                                   struct wa_err *err);
void wa_stage_remove(struct wa_manager *m, const char *id);
/* Name of a package's folders below private/: its package_uuid, or a digest where it has none that
 * makes a name (packages before WAPT 1.6). */
#define WA_KEPT_ID 64
WA_CHECK enum wa_code wa_kept_id(const struct wa_control *c, char ret[WA_KEPT_ID + 1],
                                 struct wa_err *err);
/* Keeps what later hooks need of a package, from its stage. */
WA_CHECK enum wa_code wa_kept_save(struct wa_manager *m, const struct wa_dir *stage,
                                   const struct wa_control *c, struct wa_err *err);
void wa_kept_remove(struct wa_manager *m, const struct wa_control *c);
/* At start: ends what a kill left half done, and removes what belongs to no installed package. */
WA_CHECK enum wa_code wa_kept_sweep(struct wa_manager *m, struct wa_db *db, struct wa_err *err);
bool wa_kept_has_hook(struct wa_manager *m, const struct wa_control *c, enum wa_hook hook);
/* Whether its papers are kept too: of what WAPT had installed there is only the script. */
bool wa_kept_is_whole(struct wa_manager *m, const struct wa_control *c);
/* One of the kept files, verified again now: after a revocation it is refused. */
WA_CHECK enum wa_code wa_kept_read(struct wa_manager *m, const struct wa_installed_row *row,
                                   const char *file, size_t max, struct wa_buf *out,
                                   struct wa_err *err);
/* Verifies the kept files again and stages them. Refused after a revocation, but for UNINSTALL. */
WA_CHECK enum wa_code wa_kept_stage(struct wa_manager *m, const struct wa_installed_row *row,
                                    enum wa_hook hook, char *ret_id, struct wa_err *err);

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

/* --- upgrade_hand.c: the agent's own replacement; the task thread's, but for the last --- */
#define WA_UPGRADE_RIGHT "upgrade-agent" /* among the root's actions */
/* Puts a Debian package, the file of that name in the verified package, where the upgrade finds
 * it. WA_E_REFUSED: its signer may not, or it failed here before. */
WA_CHECK enum wa_code wa_upgrade_hand(struct wa_task_run *run, struct wa_members *members,
                                      const struct wa_verdict *v, const char *name,
                                      struct wa_err *err);
/* Starts what was handed. It ends this service soon. */
WA_CHECK enum wa_code wa_upgrade_begin(struct wa_manager *m, struct wa_err *err);
/* Tells, once, what became of the last one. */
WA_CHECK enum wa_code wa_upgrade_notice(struct wa_manager *m, struct wa_db *db, struct wa_err *err);

/* --- reload.c --- */
/* The configuration as it is on disk, if this service could take it over. ret: to be freed. */
WA_CHECK enum wa_code wa_reload_check(struct wa_manager *m, struct wa_agent_config *ret,
                                      struct wa_err *err);
WA_CHECK enum wa_code wa_reload_task(struct wa_task_run *run, struct wa_err *err);
void wa_reload_on_signal(void *m, int signum); /* queues it */
void wa_reload_end(struct wa_manager *m);

/* --- icons.c --- */
/* Array of what there is of the icons of those packages, base64; what is missing is fetched later.
 * The loop's thread. */
WA_CHECK enum wa_code wa_icons_write(struct wa_manager *m, const struct wa_local_request *r,
                                     struct wa_jw *w, struct wa_err *err);
/* The task thread's, when nothing else is to be done: fetches one. False: none is wanted. */
bool wa_icons_fetch(struct wa_manager *m);

/* --- localapi.c --- */
WA_CHECK enum wa_code wa_local_start(struct wa_manager *m, struct wa_err *err);
void wa_local_stop(struct wa_manager *m);
bool wa_local_is_idle(const struct wa_manager *m); /* nobody is connected */
/* --- local_stream.c; from any thread --- */
enum wa_local_news {
    WA_NEWS_GENERAL,       /* for who streams */
    WA_NEWS_PROGRESS,      /* of a task: for these, and who follows it */
    WA_NEWS_TALK,          /* what we say about it: for who follows it */
    WA_NEWS_SCRIPT,        /* what a script says that runs as root: for administrators of these */
    WA_NEWS_SCRIPT_RESULT, /* the last line for these; to be told before the next */
    WA_NEWS_RESULT         /* the last line for who follows it */
};
/* The packages of a result without messages. */
void wa_local_states(struct wa_sv packages, struct wa_buf *out);
void wa_local_answer_tell(struct wa_manager *m, int64_t task, enum wa_local_news what,
                          const struct wa_local_answer *a, struct wa_sv data);
void wa_local_state(struct wa_manager *m, bool is_stopped);
void wa_local_upgrades(struct wa_manager *m); /* the task thread's: they may have changed */

/* --- push.c --- */
WA_CHECK enum wa_code wa_push_start(struct wa_manager *m, struct wa_err *err);
void wa_push_stop(struct wa_manager *m);
/* Connects anew if the server, or how it is reached and trusted, is another one now. */
void wa_push_reloaded(struct wa_manager *m);
bool wa_push_is_up(const struct wa_manager *m); /* the network process runs */
/* Tells the server that nothing has changed since it last said what it has, by the sum of these
 * digests. False: it can't be told so now. From the tasks' thread. */
bool wa_push_same(struct wa_manager *m, const char sum[65]);
/* Tells the server, if it is there, that the order is being carried out. From any thread. */
void wa_push_begun(struct wa_manager *m, const char *action_id);

/* --- push_orders.c, of the loop's thread --- */
/* An order of the server's over the connection that our nonce is of: queued, or refused, which is
 * owed to the server then. False: refused. ret_id: its identifier; "" where it has none to be
 * believed. */
bool wa_order_take(struct wa_manager *m, const char *nonce, const struct wa_json *message,
                   struct wa_arena *arena, char ret_id[33]);

/* --- manager.c --- */
struct wa_manager_options {
    const char *config_file, *libdir;
    bool once;
    const char *launcher; /* socket of a launcher in a unit of its own; NULL: it is descriptor 3 */
};
/* The manager's process. Returns the exit status. */
int wa_role_manager(const struct wa_manager_options *options);

#endif

/* manager_priv.h - between the files of the manager: its state. What each of them does for the
 * others is in a header of its name.
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
struct wa_task_run;   /* tasks.h */
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
    bool is_enrolling;               /* what the server has answered is being kept */
    char confined[WA_PRIV_LINE_MAX]; /* what is left to it */
    int64_t db_looked_at;            /* the loop's: when the database was looked through */
    bool db_is_whole;
    struct wa_retired *retired; /* the loop's: former configurations */
    struct wa_contact contact;  /* the loop's */
    struct wa_outside {   /* the loop's: what was for none of its groups, or by none who may order
                             there */
        char ids[16][33]; /* for which the repositories were looked at before they are refused */
        size_t next;
        int64_t at; /* when that was last */
    } outside;
    bool restarting;                      /* the loop's: ended to be started again */
    uint64_t watchdog_ms, watchdog_at_ms; /* the loop's: 0: nobody watches; the next sign of life */
    struct wa_buf secret; /* token or password of the registration that waits; see tasks.c */
    int64_t names_task;   /* an update after which orders are asked for anew; 0: none */
    int64_t updated_task; /* the update that ended last */
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
    uint64_t in_use_look_ms; /* before, nobody looks whether tasks wait for programs that ended */
    int64_t hurried_at;      /* when a welcome was last made use of */
};

#endif

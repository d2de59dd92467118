/* tasks.h - the task thread: one task after another, and what is told of it. */
#ifndef WA_AGENT_TASKS_H
#define WA_AGENT_TASKS_H

#include "agent/manager_priv.h"

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
    bool restarts;      /* the service is started again after it */
    bool is_postponed;  /* scheduled, and it is no time for it any more */
    int64_t until;      /* when its maintenance window ends; 0: it has none */
    bool is_over;       /* what it waited for was in use until its time was over */
    size_t done, failed, postponed;
    size_t done_before;                  /* of done: by an earlier part of the same task */
    char waits_for[WA_IN_USE_BYTES_MAX]; /* csv: programs in the way of what was put off */
    enum wa_code first;                  /* of the first failure */
    char summary[WA_ERR_TEXT_MAX + 2 * WA_NAME_MAX]; /* of what failed; else of what was done */
};
void wa_task_output(struct wa_task_run *run, struct wa_sv text);
void wa_task_progress(void *run, uint64_t done, uint64_t total);
/* The step of the plan at plan_at begins. */
void wa_task_step(struct wa_task_run *run);
void wa_task_say(struct wa_task_run *run, const char *fmt, ...) WA_FORMAT(2, 3);
/* Counts one package's outcome and tells it. err NULL: good. */
void wa_task_package(struct wa_task_run *run, const struct wa_control *c, const char *status,
                     const struct wa_err *err);
/* It waits for its time; program: that runs and is in its way, or NULL. */
void wa_task_put_off_package(struct wa_task_run *run, const struct wa_control *c,
                             const char *program);
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
/* One of the system's programs, by the launcher. WA_E_FAILED: it did not end well. */
WA_CHECK enum wa_code wa_power_start(struct wa_manager *m, enum wa_power what, uint32_t minutes,
                                     struct wa_err *err);
/* Has machines near this one woken: the request's "packages" are their MAC addresses. */
WA_CHECK enum wa_code wa_task_wake(struct wa_task_run *run, struct wa_err *err);

/* --- tell.c --- */
/* Whether somebody is logged on; when that can't be known, somebody is. */
bool wa_is_anybody_there(void);
/* On terminals by the launcher's program, and on desktops by a file of the base directory that
 * sessions watch. Terminals that can't be told are logged, and no failure. */
struct wa_notice {
    const char *name;
    struct wa_sv text; /* of the file */
    enum wa_power what;
    uint32_t minutes;
};
WA_CHECK enum wa_code wa_notice_leave(struct wa_manager *m, const struct wa_notice *n,
                                      struct wa_err *err);
/* Shows the request's text, or that software is waiting; the result says it when nobody is there,
 * or nothing is waiting. */
WA_CHECK enum wa_code wa_task_message(struct wa_task_run *run, struct wa_err *err);
WA_CHECK enum wa_code wa_task_propose(struct wa_task_run *run, struct wa_err *err);

#endif

/* exit.h - between the files of waptexit. */
#ifndef WA_CMD_EXIT_H
#define WA_CMD_EXIT_H

#include "cmd/call.h"
#include "cmd/cli.h"
#include "cmd/exit_countdown.h"
#include "os/term.h"

struct wa_leave {
    struct wa_cli *cli;
    char config[WA_PATH_MAX];
    char priorities[WA_NAME_MAX + 1]; /* csv; empty: all */
    bool spares_running, may_refuse, is_shutdown;
    uint64_t wait_ms;     /* of the countdown */
    uint64_t deadline_ms; /* when the upgrade is ended, as clocks that never go back count;
                             UINT64_MAX: never */
    struct wa_term *term; /* where a person may be; NULL: nobody is asked */
    int64_t others;       /* a task that ran already; 0: none */
};

/* --- exit_show.c: to the person, and to whoever reads afterwards --- */
/* A whole line, on the terminal and, unless it is the terminal, on standard output. */
void wa_leave_tell(struct wa_leave *l, const char *fmt, ...) WA_FORMAT(2, 3);
/* The terminal's last line, over what was in it; nothing without a terminal. */
void wa_leave_line(struct wa_leave *l, const char *fmt, ...) WA_FORMAT(2, 3);
/* Output of scripts. wants_all: all of it on the terminal, else what was said last. */
void wa_leave_output(struct wa_leave *l, struct wa_sv text, bool wants_all);
/* What waits: all, or the first ones. */
void wa_leave_list(struct wa_leave *l, const struct wa_json *names, bool all);

/* --- exit_warn.c --- */
/* Until a shutdown begins. WA_E_DENIED: not root; WA_E_UNREACHABLE: that can't be known. */
WA_CHECK enum wa_code wa_leave_await_shutdown(struct wa_err *err);
/* Tells those who are at work what is installed first. */
WA_CHECK enum wa_code wa_leave_warn(const struct wa_leave *l, const struct wa_json *names,
                                    struct wa_err *err);

/* --- exit_message.c --- */
/* Shows what an administrator has sent; on success this process is the one that shows it. */
WA_CHECK enum wa_code wa_leave_message(const char *config, struct wa_err *err);
/* The same with what this machine says by itself: "leaving", "shutdown". */
WA_CHECK enum wa_code wa_leave_notice(const char *kind, struct wa_err *err);

/* --- exit_work.c: with the service --- */
/* One question, whose answer is waited for half a minute. task: args.task. data in arena. */
WA_CHECK enum wa_code wa_leave_ask(struct wa_leave *l, enum wa_local_op op, int64_t task,
                                   struct wa_arena *arena, const struct wa_json **ret,
                                   struct wa_err *err);
/* The countdown and what the person chooses. WA_CHOICE_NONE never. */
enum wa_choice wa_leave_choose(struct wa_leave *l, const struct wa_json *names);
/* The upgrade, until it has ended, its time is over (WA_E_TIMEOUT), the service is silent
 * (WA_E_UNREACHABLE) or somebody leaves or stops it (WA_E_CANCELLED). Its result is told, and
 * written as JSON. */
WA_CHECK enum wa_code wa_leave_upgrade(struct wa_leave *l, struct wa_err *err);

#endif

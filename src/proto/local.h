/* local.h - what local tools say to the agent over its Unix socket (F1C, F1E): one JSON object a
 * line, both ways.
 *
 * Request:  {"op":"install","args":{...},"password":"...","language":"fr"}    one request a
 *           connection; password only when asked for; language: of what is said to it and of the
 *           task that comes of it, the agent's where there is none or it is not known
 * Answers:  {"event":"auth","reason":"..."}          a password is needed: send {"password":"..."};
 *                                                    three tries
 *           {"event":"task","id":7,"state":"queued|running|done","kind":"...","by":"...",
 *            "code":"...","message":"..."}           code and message: of what is done
 *           {"event":"progress","id":7,"done":n,"total":n,"percent":n,"what":"..."}    done of
 *                                                    this step; total 0: unknown; percent: of all
 *           {"event":"output","text":"..."}          for the reader to escape before a terminal
 *           {"event":"service","state":"working|stopped"}
 *           {"event":"upgrades","count":n}           of packages that wait for an upgrade
 *           {"event":"missed","count":n}             so many events were left out: read faster
 *           {"event":"result","code":"ok|partial|...","message":"...","data":{...}}   last line
 * What answers "events" has task, progress, service, upgrades and missed, and no end.
 * Who the caller is comes from the kernel, never from the request.
 */
#ifndef WA_PROTO_LOCAL_H
#define WA_PROTO_LOCAL_H

#include "codec/json.h"

enum wa_local_op {
    WA_OP_STATUS, /* data: host, version, queue, last update */
    WA_OP_LIST,
    WA_OP_SEARCH,
    WA_OP_SHOW,
    WA_OP_LIST_UPGRADE,
    WA_OP_TASKS,
    WA_OP_CHECK_UPGRADES,
    WA_OP_CATALOGUE, /* what the caller may install and remove; data: {"total","packages":[...]} */
    WA_OP_ICONS,  /* of these packages; data: {"icons":[{"package","state","png"}]}; state: "known",
                     "none", or "coming" and "later": ask again */
    WA_OP_EVENTS, /* everything that happens, from now on */
    WA_OP_CHECK,
    WA_OP_SHOW_LOG,
    WA_OP_SHOW_TASK, /* read only */
    WA_OP_UPDATE,
    WA_OP_UPGRADE,
    WA_OP_DOWNLOAD_UPGRADE,
    WA_OP_CLEAN,
    WA_OP_AUDIT,
    WA_OP_UPDATE_STATUS,
    WA_OP_CANCEL,
    WA_OP_CANCEL_ALL,
    WA_OP_RELOAD,
    WA_OP_RESTART,
    WA_OP_STOP,
    WA_OP_START, /* F1E: no authentication */
    WA_OP_LOCK,  /* the caller's proven passwords hold no longer */
    WA_OP_DOWNLOAD,
    WA_OP_INSTALL,
    WA_OP_REMOVE,
    WA_OP_UNINSTALL, /* root alone: runs the uninstall() of what stays installed */
    WA_OP_FORGET,
    WA_OP_REGISTER,
    WA_OP_UNREGISTER, /* root alone */
    WA_OP_GENERATE_UUID,
    WA_OP_RESET_UUID,
    WA_OP_INVENTORY,     /* F1E: rights and password */
    WA_OP_SESSION_SETUP, /* for the caller's own account */
    WA_OP_REBOOT,        /* these by order alone */
    WA_OP_SHUTDOWN,
    WA_OP_WAKE,
    WA_OP_MESSAGE,
    WA_OP_PROPOSE_UPGRADE,
    WA_OP_RESTART_AGENT,
    WA_OP_DESCRIBE,
    WA_OP_COUNT
};
/* The rights of an operation: the closed table of F1E. RULES: also whom the rules of self-service
 * packages allow it, for what they list. */
enum wa_local_right {
    WA_RIGHT_ANYONE,
    WA_RIGHT_RULES_PASSWORD,
    WA_RIGHT_ADMIN_PASSWORD,
    WA_RIGHT_ROOT,
    WA_RIGHT_NOBODY /* what only an administrator's order begins */
};
const char *wa_local_op_name(enum wa_local_op op); /* "list-upgrade" */
bool wa_local_op_find(struct wa_sv name, enum wa_local_op *ret);
enum wa_local_right wa_local_op_right(enum wa_local_op op);

struct wa_local_request {
    enum wa_local_op op;
    struct wa_sv packages[64]; /* args.packages: requirement texts or names, or words for search;
                                  generate-uuid: an identity */
    size_t package_count;
    bool force;               /* args.force */
    bool only_if_not_running; /* args.only_if_not_running: upgrade, install, remove nothing whose
                                 programs run */
    struct wa_sv priorities;  /* args.priorities, upgrade: csv; only packages of these, with what
                                 they  need; empty: all */
    int64_t task_id;          /* args.task: cancel, tasks */
    /* args.limited: nothing is removed but what is named, nothing goes back to an older version,
     * nothing hidden is installed. Set by the agent; who sends it limits themselves. */
    bool limited;
    bool as_upgrade; /* args.as_upgrade, install: it is an upgrade of what is named, no more than
                        that; set by the agent too */
    /* catalogue: one of wa_local_filter_is(), a category, one of wa_local_sort_is(), the page (from
     * 0) of so many packages */
    struct wa_sv filter, category, sort;
    int64_t page, page_size;
    struct wa_sv text;   /* args.text: of a message, a description */
    struct wa_sv params; /* args.params: JSON object text for setup.py, empty when absent */
    /* register */
    struct wa_sv token, server_url, repo_url, server_user, server_password;
    struct wa_sv password;              /* of the caller */
    const struct wa_language *language; /* that its answer is asked for in; NULL: the agent's */
};
WA_CHECK enum wa_code wa_local_request_read(struct wa_sv line, struct wa_arena *arena,
                                            struct wa_local_request *ret, struct wa_err *err);
WA_CHECK enum wa_code wa_local_request_write(const struct wa_local_request *r, struct wa_buf *out,
                                             struct wa_err *err);

/* "" or "all", "installed", "not-installed", "upgradable" */
bool wa_local_filter_is(struct wa_sv filter);
/* "" or "name", "date": the latest first */
bool wa_local_sort_is(struct wa_sv sort);

enum wa_local_event {
    WA_EV_AUTH,
    WA_EV_TASK,
    WA_EV_PROGRESS,
    WA_EV_OUTPUT,
    WA_EV_RESULT,
    WA_EV_SERVICE,
    WA_EV_UPGRADES,
    WA_EV_MISSED
};
struct wa_local_answer {
    enum wa_local_event event;
    struct wa_sv text; /* reason, state, what, text or message */
    int64_t id, done, total, percent, count;
    struct wa_sv kind, by, message; /* TASK; message: of what is done */
    bool is_done;                   /* TASK, written only: code and message are told too */
    enum wa_code code;              /* RESULT; TASK */
    const struct wa_json *data;     /* RESULT; may be NULL */
};
WA_CHECK enum wa_code wa_local_answer_read(struct wa_sv line, struct wa_arena *arena,
                                           struct wa_local_answer *ret, struct wa_err *err);
/* data_json: JSON text or empty. Ends with a newline. */
void wa_local_answer_write(const struct wa_local_answer *a, struct wa_sv data_json,
                           struct wa_buf *out);

#endif

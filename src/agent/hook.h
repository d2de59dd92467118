/* hook.h - packages' scripts: one hook of a verified package, run, and what it wishes. */
#ifndef WA_AGENT_HOOK_H
#define WA_AGENT_HOOK_H

#include "agent/manager_priv.h"

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

#endif

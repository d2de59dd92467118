/* in_use.h - "only what is not in use": what a plan would disturb while it runs, and roll-outs that
 * wait for that to end. Of the task thread. */
#ifndef WA_AGENT_IN_USE_H
#define WA_AGENT_IN_USE_H

#include "agent/scene.h"
#include "agent/tasks.h"
#include "base/vec.h"
#include "os/moment.h"

/* A program that the step would disturb and that runs. */
bool wa_in_use_step(const struct wa_step *step, char ret_program[WA_PROGRAM_MAX]);
/* The plan of the run's requests, texts, of an install or a removal, without those whose own plan
 * would disturb a program that runs: each of these is told as put off, whole. texts is reordered.
 */
WA_CHECK enum wa_code wa_in_use_plan(struct wa_task_run *run, const struct wa_scene *s,
                                     const char **texts, size_t count, struct wa_plan *plan,
                                     struct wa_err *err);

/* What turned out to be in use while its plan was carried out; free with WA_VEC_FREE. */
struct wa_in_use_late {
    WA_VEC(const struct wa_control *);
};
/* *ret: the step is put off, and told, since a program has begun to run after the plan was made, or
 * since it can't be without another step that was. */
WA_CHECK enum wa_code wa_in_use_began(struct wa_task_run *run, const struct wa_step *step,
                                      struct wa_in_use_late *late, bool *ret, struct wa_err *err);

/* Whether the task comes back to what it has left out: a roll-out's does, within its signed times.
 * code: how it ended this time. */
bool wa_in_use_waits(const struct wa_task_run *run, enum wa_code code);
/* Puts such a task back, or ends it where its time does; what it came to is owed to the server,
 * when it is news. In the caller's transaction. */
WA_CHECK enum wa_code wa_in_use_wait(struct wa_task_run *run, const char *message,
                                     struct wa_err *err);
/* Has tasks begin again of which one of the programs that they wait for has ended. Costs little,
 * also when it is called all the time. */
void wa_in_use_look(struct wa_manager *m);

#endif

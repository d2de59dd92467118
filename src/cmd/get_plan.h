/* get_plan.h - what plan, why and why-not are made from: the state of a machine, from files or from
 * its agent. */
#ifndef WA_CMD_GET_PLAN_H
#define WA_CMD_GET_PLAN_H

#include "base/arena.h"
#include "base/limits.h"
#include "base/vec.h"
#include "cmd/cli.h"
#include "codec/json.h"
#include "pkg/plan.h"

struct wa_get_state {
    struct {
        WA_VEC(struct wa_control);
    } available;
    struct {
        WA_VEC(const char *); /* by index of available: why it is left out, or NULL */
    } left_out;
    struct {
        WA_VEC(struct wa_installed);
    } installed;
    struct wa_host_caps caps;
    const char *holds; /* NULL: none */
    const char *host_packages[WA_ASSIGNED_MAX];
    size_t host_package_count;
    struct wa_arena arena; /* of all texts */
};
void wa_get_state_init(struct wa_get_state *s);
void wa_get_state_fini(struct wa_get_state *s);
#define WA_AUTO_GET_STATE WA_CLEANUP(wa_get_state_fini)
/* Adds packages as "wapt-get list" and "wapt-get search" tell them with --json: the whole object,
 * or its result. */
WA_CHECK enum wa_code wa_get_state_available(struct wa_get_state *s, const struct wa_json *list,
                                             struct wa_err *err);
WA_CHECK enum wa_code wa_get_state_installed(struct wa_get_state *s, const struct wa_json *list,
                                             struct wa_err *err);
WA_CHECK enum wa_code wa_get_state_one(struct wa_get_state *s, const struct wa_json *package,
                                       struct wa_err *err); /* an available one */
/* A text that lives as long as s. */
WA_CHECK enum wa_code wa_get_state_text(struct wa_get_state *s, struct wa_sv text, const char **ret,
                                        struct wa_err *err);

/* From the files and properties that the options name. */
WA_CHECK enum wa_code wa_get_state_files(struct wa_cli *cli, struct wa_get_state *s,
                                         struct wa_err *err);

/* For people (get_plan_show.c). */
void wa_get_show_steps(const struct wa_cli *cli, const struct wa_plan *p);
void wa_get_show_problems(const struct wa_cli *cli, const struct wa_plan *p);
/* WA_OK, or what a plan with problems ends with. */
WA_CHECK enum wa_code wa_get_plan_outcome(const struct wa_plan *p, struct wa_err *err);

/* Fills s from the agent of this machine. NULL in a program without one. */
typedef enum wa_code (*wa_get_live_fn)(struct wa_cli *cli, struct wa_get_state *s,
                                       struct wa_err *err);
extern const wa_get_live_fn wa_get_plan_live; /* get_plan_live.c */

#endif

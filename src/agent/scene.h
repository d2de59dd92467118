/* scene.h - what a plan is made from, in the task thread. */
#ifndef WA_AGENT_SCENE_H
#define WA_AGENT_SCENE_H

#include "agent/place.h"
#include "pkg/plan.h"

/* Everything that a step of a plan points to lives as long as this. */
struct wa_scene {
    struct wa_available available;
    struct wa_installed_list installed;
    struct wa_installed *bare; /* the rows' base parts, as the planner wants them */
    struct wa_host_caps caps;
    struct wa_assigned assigned; /* the machine's own packages */
    struct wa_buf holds;         /* csv: what in.holds points to; the configuration's first */
    size_t package_holds;        /* where in it those of packages begin */
    struct wa_buf windows;       /* csv: maintenance windows of the machine's own packages */
    struct wa_buf freezes;       /* csv: freezes of the same */
    struct wa_buf policies;      /* JSON: which package says which of these */
    struct wa_plan_input in;
    struct wa_arena arena;
};
/* Fills *s, which is to be finished whatever the result. */
WA_CHECK enum wa_code wa_scene_load(struct wa_manager *m, struct wa_scene *s, struct wa_err *err);
void wa_scene_fini(struct wa_scene *s);
#define WA_AUTO_SCENE WA_CLEANUP(wa_scene_fini)
/* Adds what packages say of windows, freezes and holds; of wa_scene_load. */
WA_CHECK enum wa_code wa_scene_policies(const struct wa_manager *m, struct wa_scene *s,
                                        struct wa_err *err);
/* One more package that is to stay as it is. */
WA_CHECK enum wa_code wa_scene_hold(struct wa_scene *s, const char *package, struct wa_err *err);
/* The plan of an upgrade, with what is this machine's own. */
WA_CHECK enum wa_code wa_scene_upgrade(const struct wa_scene *s, struct wa_plan *plan,
                                       struct wa_err *err);

#endif

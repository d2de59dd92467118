/* scene.c - what a plan is made from: packages, installed ones, the machine's properties, its own
 * packages, what is held. Read anew for each plan. */
#include "agent/scene.h"
#include "agent/inventory.h"
#include "agent/place.h"

#include "base/mem.h"

void wa_scene_fini(struct wa_scene *s)
{
    wa_available_fini(&s->available);
    wa_installed_list_fini(&s->installed);
    wa_free(s->bare);
    wa_buf_fini(&s->holds);
    wa_buf_fini(&s->windows);
    wa_buf_fini(&s->freezes);
    wa_buf_fini(&s->policies);
    wa_arena_fini(&s->arena);
}

/* --- loading --- */

enum wa_code wa_scene_load(struct wa_manager *m, struct wa_scene *s, struct wa_err *err)
{
    *s = (struct wa_scene){.bare = NULL};
    wa_arena_init(&s->arena, WA_SCENE_BYTES_MAX);
    wa_buf_init(&s->holds, WA_HOLDS_BYTES_MAX);
    wa_buf_init(&s->windows, WA_WINDOWS_BYTES_MAX);
    wa_buf_init(&s->freezes, WA_WINDOWS_BYTES_MAX);
    wa_buf_init(&s->policies, WA_POLICIES_BYTES_MAX);
    if (wa_available_load(m->tdb, &s->available, err) != WA_OK ||
        wa_installed_load(m->tdb, NULL, &s->installed, err) != WA_OK ||
        wa_assigned_load(m, m->tdb, &s->arena, &s->assigned, err) != WA_OK)
        return err->code;
    s->bare = wa_calloc(s->installed.n, sizeof s->bare[0]);
    if (s->bare == NULL)
        return wa_nomem(err);
    for (size_t i = 0; i < s->installed.n; i++)
        s->bare[i] = s->installed.items[i].base; /* borrowed: the list frees them */
    wa_manager_caps(m, &s->caps);
    wa_buf_adds(&s->holds, m->config.held);
    s->package_holds = s->holds.n;
    if (wa_buf_check(&s->holds, err) != WA_OK || wa_scene_policies(m, s, err) != WA_OK)
        return wa_wrap(err, "what is held");
    s->in = (struct wa_plan_input){.available = s->available.items,
                                   .available_count = s->available.n,
                                   .installed = s->bare,
                                   .installed_count = s->installed.n,
                                   .host = &s->caps,
                                   .holds = wa_buf_str(&s->holds)};
    return WA_OK;
}

enum wa_code wa_scene_hold(struct wa_scene *s, const char *package, struct wa_err *err)
{
    wa_buf_addf(&s->holds, "%s%s", s->holds.n > 0 ? "," : "", package);
    if (wa_buf_check(&s->holds, err) != WA_OK)
        return wa_wrap(err, "holding '%s'", package);
    s->in.holds = wa_buf_str(&s->holds);
    return WA_OK;
}

enum wa_code wa_scene_upgrade(const struct wa_scene *s, struct wa_plan *plan, struct wa_err *err)
{
    return wa_plan_upgrade(&s->in, s->assigned.names, s->assigned.n, plan, err);
}

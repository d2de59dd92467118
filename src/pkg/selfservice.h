/* selfservice.h - the rules of self-service packages: what members of a group may install.
 *
 * A package of section selfservice holds selfservice.json, {"group": {"package": null, ...}, ...},
 * as WAPT writes it; a list of names counts as well. Rules of several packages add up. Groups are
 * told apart without regard to case, packages with it. Who may judge by them is the agent's
 * business.
 */
#ifndef WA_PKG_SELFSERVICE_H
#define WA_PKG_SELFSERVICE_H

#include "base/arena.h"
#include "base/limits.h"
#include "base/map.h"
#include "codec/json.h"

#define WA_SELF_SECTION "selfservice"
#define WA_SELF_FILE "selfservice.json"

struct wa_self_rules {
    const char *groups[WA_SELF_GROUPS_MAX];
    size_t group_count;
    struct wa_map packages; /* name -> which groups list it */
    struct wa_arena arena;
};
WA_CHECK enum wa_code wa_self_rules_init(struct wa_self_rules *r, struct wa_err *err);
void wa_self_rules_fini(struct wa_self_rules *r);
#define WA_AUTO_SELF_RULES WA_CLEANUP(wa_self_rules_fini)
/* Adds the rules of one text. WA_E_INVALID, WA_E_LIMIT: nothing was added. */
WA_CHECK enum wa_code wa_self_rules_add(struct wa_self_rules *r, struct wa_sv json,
                                        struct wa_err *err);
/* The same of "GROUP=PACKAGE,PACKAGE", as persons type it; "GROUP" lists nothing. */
WA_CHECK enum wa_code wa_self_rules_add_typed(struct wa_self_rules *r, const char *text,
                                              struct wa_err *err);
/* Whether one of the groups that in marks (group_count of them) lists the package. */
bool wa_self_rules_allow(const struct wa_self_rules *r, const bool *in, struct wa_sv package);
/* The rules as WAPT writes them. */
void wa_self_rules_write(const struct wa_self_rules *r, struct wa_jw *w);
/* Whether software of this section is offered to users at all. */
bool wa_self_is_offered(const char *section);

#endif

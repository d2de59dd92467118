/* plan_json.h - packages and plans as JSON (docs/json.md). */
#ifndef WA_PKG_PLAN_JSON_H
#define WA_PKG_PLAN_JSON_H

#include "codec/json.h"
#include "pkg/plan.h"

/* A package's attributes as members; others are skipped. ret is initialised here, and finished by
 * the caller also after an error. WA_E_INVALID without a name. */
WA_CHECK enum wa_code wa_control_read_json(const struct wa_json *j, struct wa_control *ret,
                                           struct wa_err *err);
/* The same of an installed one, with install_status and explicit. */
WA_CHECK enum wa_code wa_installed_read_json(const struct wa_json *j, struct wa_installed *ret,
                                             struct wa_err *err);
/* "install", "upgrade", "remove", "keep" */
const char *wa_step_kind_name(enum wa_step_kind kind);
/* Arrays, as values. */
void wa_plan_write_steps(const struct wa_plan *p, struct wa_jw *w);
void wa_plan_write_problems(const struct wa_plan *p, struct wa_jw *w);

#endif

/* health.h - how the agent of a machine is, one line and one remedy for each thing that can be
 * wrong: for 'wapt-get check', and for the log at each start. Nothing is changed by looking. */
#ifndef WA_AGENT_HEALTH_H
#define WA_AGENT_HEALTH_H

#include "agent/config.h"

enum wa_health { WA_HEALTH_GOOD, WA_HEALTH_UNKNOWN, WA_HEALTH_WARNING, WA_HEALTH_ERROR };
const char *wa_health_name(enum wa_health h); /* "good", "unknown", "warning", "error" */

struct wa_health_report {
    /* what: a stable word, "clock". remedy: what to do; "" for what is good or not known. */
    void (*fn)(void *user, const char *what, enum wa_health h, const char *text,
               const char *remedy);
    void *user;
};
/* remedy: not a format; NULL: none. */
void wa_health_say(const struct wa_health_report *r, const char *what, enum wa_health h,
                   const char *remedy, const char *fmt, ...) WA_FORMAT(5, 6);

/* What can be seen from the files of the machine; what only root can see is told as unknown to
 * others. */
void wa_health_machine(const struct wa_agent_config *c, const char *libdir,
                       const struct wa_health_report *r);
/* F2C and F2D: owners and rights of the agent's folders and files (folders.c). */
void wa_health_rights(const struct wa_agent_config *c, const struct wa_health_report *r);
/* Whether certificates that count are good, and for how long (health_certs.c). */
void wa_health_certificates(const struct wa_agent_config *c, const struct wa_health_report *r);

/* What the manager alone knows; the loop's. */
struct wa_manager;
void wa_health_manager(struct wa_manager *m, const struct wa_health_report *r);

#endif

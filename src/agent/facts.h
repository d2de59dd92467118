/* facts.h - what the inventory process says, as JSON: the machine (formats.md 5.7), and where its
 * account stands in a directory. Runs in that process; asks the operating system, sends nothing.
 */
#ifndef WA_AGENT_FACTS_H
#define WA_AGENT_FACTS_H

#include "base/log.h"
#include "codec/json.h"

struct wa_facts_want {
    struct wa_sv table; /* the firmware's, see os/dmi.h */
    bool with_environment, with_vendor_text;
};
/* {"host_info":{},"host_metrics":{},"dmi":{},"installed_softwares":[]}: what could not be found out
 * is logged and left out. The same machine gives the same bytes, metrics apart. */
WA_CHECK enum wa_code wa_facts_machine(const struct wa_facts_want *want, const struct wa_log *log,
                                       struct wa_buf *out, struct wa_err *err);

/* {"is_known":false}, or with the account's "dn" ("" when it can't be told) and "groups", sorted.
 * Asks the name service: may block until a directory answers. */
WA_CHECK enum wa_code wa_facts_place(const char *account, struct wa_buf *out, struct wa_err *err);

/* A section of the inventory: what it is called, and who writes its members or items. */
struct wa_facts_part {
    const char *name; /* NULL: the end of a list of parts */
    bool is_object;
    enum wa_code (*write)(struct wa_jw *w, const struct wa_facts_want *want, struct wa_err *err);
};
extern const struct wa_facts_part wa_facts_machine_parts[]; /* facts_machine.c */

#endif

/* evidence.h - whether this is still the machine whose identity lies here, or a copy of it.
 *
 * A disk that was cloned has the first machine's name, key and database. What it has not is the
 * first machine's hardware.
 */
#ifndef WA_AGENT_EVIDENCE_H
#define WA_AGENT_EVIDENCE_H

#include "codec/json.h"
#include "os/host.h"

struct wa_evidence {
    char system_uuid[64], serial[128], machine_id[64]; /* "": not known, or everybody's */
    char macs[WA_HOST_MACS][24];
    size_t mac_count;
};
void wa_evidence_of(const struct wa_host_facts *f, struct wa_evidence *ret);
/* Whether now can't be the machine that then was. What either does not know says nothing; a part
 * that was replaced makes no other machine. */
bool wa_evidence_is_other(const struct wa_evidence *then, const struct wa_evidence *now);
/* Adds what then knew and now does not see at the moment (an adapter that is not up yet). */
void wa_evidence_keep(const struct wa_evidence *then, struct wa_evidence *now);

void wa_evidence_write(const struct wa_evidence *e, struct wa_buf *out);
WA_CHECK enum wa_code wa_evidence_read(struct wa_sv text, struct wa_evidence *ret,
                                       struct wa_err *err);

#endif

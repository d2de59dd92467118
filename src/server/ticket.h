/* ticket.h - which machine, or which person, a ticket proves: the rules of the organisation over
 * what Kerberos has accepted. */
#ifndef WA_SERVER_TICKET_H
#define WA_SERVER_TICKET_H

#include "base/buf.h"
#include "codec/json.h"

struct wa_ticket_rules {
    const char *realms;      /* csv: those that count beside the keytab's */
    const char *group;       /* SID; "": any machine */
    const char *names_prove; /* csv: realms without PAC, where a principal's name makes a machine */
};
struct wa_ticket_account {
    char name[257]; /* a machine's without the '$': "PC001" */
    char realm[256];
    char account[512]; /* its SID; a machine's principal where there is none */
};
/* principal: "PC001$@REALM". pac: empty when the ticket had none. is_known_realm: of the keytab.
 * WA_E_DENIED, with what is missing. */
WA_CHECK enum wa_code wa_ticket_judge(const struct wa_ticket_rules *rules, struct wa_sv principal,
                                      struct wa_sv pac, bool is_known_realm,
                                      struct wa_ticket_account *ret, struct wa_err *err);
/* The same of a person, by the PAC alone: the account is a person's, and not disabled. Who that is
 * here is the directory's to say. */
WA_CHECK enum wa_code wa_ticket_judge_person(struct wa_sv principal, struct wa_sv pac,
                                             bool is_known_realm, struct wa_ticket_account *ret,
                                             struct wa_err *err);
/* Whether a machine that calls itself so may be the one of that account. name: host_info's
 * computer_name or computer_fqdn. */
bool wa_ticket_is_name_of(struct wa_sv account, struct wa_sv name);

#endif

/* rights.h - what people may do on the server: a role is a set of rights.
 *
 * The server's rights protect the inventory and the repository, and keep mistakes away. What a
 * machine runs they do not decide: that takes a signature which the machine checks itself.
 */
#ifndef WA_SERVER_RIGHTS_H
#define WA_SERVER_RIGHTS_H

#include "base/sv.h"
#include "proto/action.h"

enum wa_right {
    WA_MAY_VIEW = 1,             /* machines, actions, packages */
    WA_MAY_ORDER_CARE = 2,       /* relay what brings nothing new: wa_right_to_order() */
    WA_MAY_ORDER_SOFTWARE = 4,   /* relay install, remove and forget too */
    WA_MAY_UPLOAD_PLAIN = 8,     /* packages without code: group, unit, host, profile... */
    WA_MAY_UPLOAD_CODE = 16,     /* packages with code */
    WA_MAY_DELETE_PACKAGES = 32, /* out of the repository */
    WA_MAY_PUBLISH = 64,         /* the signed documents of the repository */
    WA_MAY_ENROL = 128,          /* let machines in, by one's own login */
    WA_MAY_PEOPLE = 256,         /* who has which role, and what they did */
    WA_MAY_REPORT = 512,         /* write reports; whoever may view may run them */
    WA_MAY_METRICS = 1024,       /* the server's numbers */
    WA_MAY_OWN = 2048 /* one's own account: password, second factor, sessions, tokens. Every role in
                        a session, no token */
};

/* "superadmin", "developer", "deployer", "helpdesk", "readonly": the rights of the role, 0 for a
 * name that is none. */
unsigned wa_role_rights(struct wa_sv role);
/* What is left of the role's rights to somebody with a perimeter: nothing that reaches machines
 * outside it. */
unsigned wa_person_rights(const char *role, bool is_limited);
/* The names, in the order of their power. NULL at the end. */
const char *const *wa_role_names(void);
/* "order-software": the right, 0 for a name that is none. What a token may be given has a name. */
unsigned wa_right_from_name(struct wa_sv name);
/* Names of the rights, separated by commas; out: 256 bytes. */
void wa_right_names(unsigned rights, char *out, size_t size);
/* "developer, deployer" style list of those who have the right; out: for a message. */
void wa_right_holders(unsigned right, char *out, size_t size);
/* What publishing a package of that section needs: who may only combine packages brings in no
 * software. */
unsigned wa_right_to_publish(struct wa_sv section, bool has_code);
/* What relaying an order of that kind needs. */
unsigned wa_right_to_order(enum wa_action_kind kind);

#endif

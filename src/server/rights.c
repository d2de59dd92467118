/* rights.c - the table of roles. The one place that says what a role may. */
#include "server/rights.h"

#include <stdio.h>

#define SEE (WA_MAY_VIEW | WA_MAY_OWN)
#define CARE (SEE | WA_MAY_ORDER_CARE)
#define DEPLOY                                                                                     \
    (CARE | WA_MAY_REPORT | WA_MAY_ORDER_SOFTWARE | WA_MAY_UPLOAD_PLAIN | WA_MAY_DELETE_PACKAGES | \
     WA_MAY_PUBLISH)

static const struct {
    const char *name;
    unsigned rights;
} roles[] = {
    {"superadmin", DEPLOY | WA_MAY_UPLOAD_CODE | WA_MAY_ENROL | WA_MAY_PEOPLE | WA_MAY_METRICS},
    {"developer", DEPLOY | WA_MAY_UPLOAD_CODE | WA_MAY_ENROL},
    {"deployer", DEPLOY | WA_MAY_ENROL},
    {"helpdesk", CARE},
    {"readonly", SEE},
};

unsigned wa_role_rights(struct wa_sv role)
{
    for (size_t i = 0; i < WA_COUNT(roles); i++)
        if (wa_sv_eqs(role, roles[i].name))
            return roles[i].rights;
    return 0;
}

/* Software, and who has which role, are the same for all machines. */
#define REACHES_ALL (WA_MAY_UPLOAD_CODE | WA_MAY_DELETE_PACKAGES | WA_MAY_PEOPLE)

unsigned wa_person_rights(const char *role, bool is_limited)
{
    return wa_role_rights(wa_sv(role)) & ~(is_limited ? (unsigned)REACHES_ALL : 0u);
}

const char *const *wa_role_names(void)
{
    static const char *const names[] = {"superadmin", "developer", "deployer",
                                        "helpdesk",   "readonly",  NULL};
    return names;
}

static const struct {
    const char *name;
    unsigned right;
} right_names[] = {{"view", WA_MAY_VIEW},
                   {"order-care", WA_MAY_ORDER_CARE},
                   {"order-software", WA_MAY_ORDER_SOFTWARE},
                   {"upload", WA_MAY_UPLOAD_PLAIN},
                   {"upload-code", WA_MAY_UPLOAD_CODE},
                   {"delete-packages", WA_MAY_DELETE_PACKAGES},
                   {"publish", WA_MAY_PUBLISH},
                   {"enrol", WA_MAY_ENROL},
                   {"people", WA_MAY_PEOPLE},
                   {"report", WA_MAY_REPORT},
                   {"metrics", WA_MAY_METRICS}};

unsigned wa_right_from_name(struct wa_sv name)
{
    for (size_t i = 0; i < WA_COUNT(right_names); i++)
        if (wa_sv_eqs(name, right_names[i].name))
            return right_names[i].right;
    return 0;
}

void wa_right_names(unsigned rights, char *out, size_t size)
{
    size_t n = 0;
    out[0] = '\0';
    for (size_t i = 0; i < WA_COUNT(right_names) && n < size; i++)
        if ((rights & right_names[i].right) != 0)
            n += (size_t)snprintf(out + n, size - n, "%s%s", n > 0 ? "," : "", right_names[i].name);
}

void wa_right_holders(unsigned right, char *out, size_t size)
{
    size_t n = 0;
    out[0] = '\0';
    for (size_t i = 0; i < WA_COUNT(roles) && n < size; i++)
        if ((roles[i].rights & right) == right)
            n += (size_t)snprintf(out + n, size - n, "%s%s", n > 0 ? ", " : "", roles[i].name);
}

unsigned wa_right_to_order(enum wa_action_kind kind)
{
    switch (kind) {
    case WA_ACT_UPDATE:
    case WA_ACT_UPGRADE:
    case WA_ACT_UPDATE_STATUS:
    case WA_ACT_AUDIT:
    case WA_ACT_REBOOT:
    case WA_ACT_SHUTDOWN:
    case WA_ACT_WAKE:
    case WA_ACT_MESSAGE:
    case WA_ACT_PROPOSE_UPGRADE:
    case WA_ACT_RESTART_AGENT:
    case WA_ACT_DESCRIBE:
    case WA_ACT_CANCEL: /* and what the cancelled ones take: see api_actions.c */
        return WA_MAY_ORDER_CARE;
    case WA_ACT_INSTALL:
    case WA_ACT_REMOVE:
    case WA_ACT_FORGET:
    case WA_ACT_COUNT:
        break;
    }
    return WA_MAY_ORDER_SOFTWARE;
}

unsigned wa_right_to_publish(struct wa_sv section, bool has_code)
{
    static const char *const plain[] = {"group", "host", "unit", "profile", "selfservice", "wsus"};
    for (size_t i = 0; i < WA_COUNT(plain) && !has_code; i++)
        if (wa_sv_eqs(section, plain[i]))
            return WA_MAY_UPLOAD_PLAIN;
    return WA_MAY_UPLOAD_CODE;
}

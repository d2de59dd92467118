/* ticket.c - a ticket proves a machine, or a person, when the directory says so: by the flags of
 * the account in the PAC, never by the look of its name. Where there is no PAC, only a realm that
 * the configuration names in words is believed by the names alone.
 */
#include "server/ticket.h"

#include "codec/csv.h"
#include "server/pac.h"

#define NETBIOS_MAX 15u /* characters of a machine's account in Active Directory */

static bool is_listed(const char *csv, struct wa_sv realm)
{
    struct wa_sv rest = wa_sv(csv), item;
    while (wa_csv_next(&rest, &item))
        if (wa_sv_eq(item, realm))
            return true;
    return false;
}

/* "PC001$" or, without PAC, "host/pc001.example.org". */
static bool machine_name(struct wa_sv account, bool takes_host, struct wa_sv *ret)
{
    size_t at = 0;
    struct wa_sv name = account;
    if (takes_host && wa_sv_starts(account, "host/"))
        name = wa_sv_sub(account, 5, account.n);
    else if (wa_sv_ends(account, "$"))
        name = wa_sv_sub(account, 0, account.n - 1);
    else
        return false;
    *ret = name;
    return name.n > 0 && !wa_sv_chr(name, '/', &at);
}

static enum wa_code by_pac(const struct wa_ticket_rules *rules, struct wa_sv account,
                           struct wa_sv pac, struct wa_ticket_account *m, struct wa_err *err)
{
    struct wa_pac p;
    struct wa_sv name;
    if (wa_pac_read(pac, rules->group, &p, err) != WA_OK)
        return err->code;
    if ((p.flags & (WA_PAC_WORKSTATION | WA_PAC_CONTROLLER)) == 0)
        return wa_fail(err, WA_E_DENIED,
                       "the account '%s' is no machine's (its flags in the directory: 0x%x)",
                       p.account, (unsigned)p.flags);
    if ((p.flags & WA_PAC_DISABLED) != 0)
        return wa_fail(err, WA_E_DENIED, "the account '%s' is disabled", p.account);
    if (!wa_sv_ieqs(account, p.account) || !machine_name(wa_sv(p.account), false, &name))
        return wa_fail(err, WA_E_DENIED, "the ticket of '%.*s' says it is the account '%s'",
                       WA_SV_ARG(account), p.account);
    if (rules->group[0] != '\0' && !p.in_group)
        return wa_fail(err, WA_E_DENIED, "the machine '%s' is not in the group %s (kerberos_group)",
                       p.account, rules->group);
    (void)snprintf(m->name, sizeof m->name, "%.*s", WA_SV_ARG(name));
    (void)snprintf(m->account, sizeof m->account, "%s", p.sid);
    return WA_OK;
}

static enum wa_code by_name(const struct wa_ticket_rules *rules, struct wa_sv principal,
                            struct wa_sv account, struct wa_sv realm, struct wa_ticket_account *m,
                            struct wa_err *err)
{
    struct wa_sv name;
    if (!is_listed(rules->names_prove, realm))
        return wa_fail(err, WA_E_DENIED,
                       "the ticket of '%.*s' does not say what kind of account it is (no PAC): "
                       "realms whose names are believed stand in "
                       "kerberos_realms_where_names_prove_machines",
                       WA_SV_ARG(principal));
    if (rules->group[0] != '\0')
        return wa_fail(err, WA_E_DENIED,
                       "the ticket of '%.*s' names no groups, and kerberos_group asks for one",
                       WA_SV_ARG(principal));
    if (!machine_name(account, true, &name) || name.n >= sizeof m->name ||
        principal.n >= sizeof m->account)
        return wa_fail(err, WA_E_DENIED, "'%.*s' is no machine's name: NAME$ and host/NAME are",
                       WA_SV_ARG(principal));
    (void)snprintf(m->name, sizeof m->name, "%.*s", WA_SV_ARG(name));
    (void)snprintf(m->account, sizeof m->account, "%.*s", WA_SV_ARG(principal));
    return WA_OK;
}

enum wa_code wa_ticket_judge(const struct wa_ticket_rules *rules, struct wa_sv principal,
                             struct wa_sv pac, bool is_known_realm, struct wa_ticket_account *ret,
                             struct wa_err *err)
{
    struct wa_ticket_account m = {.name = ""};
    size_t at = 0;
    if (!wa_sv_chr(principal, '@', &at) || wa_sv_has(principal, WA_SV("\\")))
        return wa_fail(err, WA_E_DENIED, "'%.*s' is no principal of a machine",
                       WA_SV_ARG(principal));
    struct wa_sv account = wa_sv_sub(principal, 0, at),
                 realm = wa_sv_sub(principal, at + 1, principal.n);
    if (realm.n >= sizeof m.realm || (!is_known_realm && !is_listed(rules->realms, realm)))
        return wa_fail(err, WA_E_DENIED,
                       "tickets of the realm '%.*s' don't count here (kerberos_realms)",
                       WA_SV_ARG(realm));
    (void)snprintf(m.realm, sizeof m.realm, "%.*s", WA_SV_ARG(realm));
    if ((pac.n > 0 ? by_pac(rules, account, pac, &m, err)
                   : by_name(rules, principal, account, realm, &m, err)) != WA_OK)
        return err->code;
    *ret = m;
    return WA_OK;
}

/* --- people --- */

/* Disabled accounts get no tickets, but keep those that they have. A machine may have no password
 * that anybody ever typed: whoever is root there would be its person here. */
static enum wa_code person_by_pac(struct wa_sv account, struct wa_sv pac,
                                  struct wa_ticket_account *m, struct wa_err *err)
{
    struct wa_pac p;
    if (wa_pac_read(pac, "", &p, err) != WA_OK)
        return err->code;
    if ((p.flags & (WA_PAC_PERSON | WA_PAC_WORKSTATION | WA_PAC_CONTROLLER | WA_PAC_TRUST)) !=
        WA_PAC_PERSON)
        return wa_fail(err, WA_E_DENIED,
                       "the account '%s' is no person's (its flags in the directory: 0x%x)",
                       p.account, (unsigned)p.flags);
    if ((p.flags & WA_PAC_DISABLED) != 0)
        return wa_fail(err, WA_E_DENIED, "the account '%s' is disabled", p.account);
    if (!wa_sv_ieqs(account, p.account))
        return wa_fail(err, WA_E_DENIED, "the ticket of '%.*s' says it is the account '%s'",
                       WA_SV_ARG(account), p.account);
    (void)snprintf(m->name, sizeof m->name, "%s", p.account);
    (void)snprintf(m->account, sizeof m->account, "%s", p.sid);
    return WA_OK;
}

enum wa_code wa_ticket_judge_person(struct wa_sv principal, struct wa_sv pac, bool is_known_realm,
                                    struct wa_ticket_account *ret, struct wa_err *err)
{
    struct wa_ticket_account m = {.name = ""};
    struct wa_sv rest = principal, account = {NULL, 0};
    if (!wa_sv_split(&rest, '@', &account) || rest.n == 0 || rest.n >= sizeof m.realm ||
        wa_sv_has(principal, WA_SV("\\")))
        return wa_fail(err, WA_E_DENIED, "'%.*s' is no principal of a person",
                       WA_SV_ARG(principal));
    if (!is_known_realm)
        return wa_fail(err, WA_E_DENIED,
                       "people of the realm '%.*s' don't log in here: the service's keys are of "
                       "another",
                       WA_SV_ARG(rest));
    if (pac.n == 0)
        return wa_fail(err, WA_E_DENIED,
                       "the ticket of '%.*s' does not say what account it is (no PAC): people log "
                       "in with tickets of Active Directory",
                       WA_SV_ARG(principal));
    (void)snprintf(m.realm, sizeof m.realm, "%.*s", WA_SV_ARG(rest));
    if (person_by_pac(account, pac, &m, err) != WA_OK)
        return err->code;
    *ret = m;
    return WA_OK;
}

static bool equal_ignoring_case(struct wa_sv a, struct wa_sv b)
{
    char text[260];
    (void)snprintf(text, sizeof text, "%.*s", WA_SV_ARG(b));
    return b.n < sizeof text && wa_sv_ieqs(a, text);
}

bool wa_ticket_is_name_of(struct wa_sv account, struct wa_sv name)
{
    size_t dot = 0;
    if (equal_ignoring_case(account, name)) /* host/NAME may be whole */
        return name.n > 0;
    if (wa_sv_chr(account, '.', &dot))
        return false;
    if (wa_sv_chr(name, '.', &dot))
        name = wa_sv_sub(name, 0, dot);
    if (name.n > NETBIOS_MAX && account.n == NETBIOS_MAX)
        name = wa_sv_sub(name, 0, NETBIOS_MAX);
    return name.n > 0 && equal_ignoring_case(account, name);
}

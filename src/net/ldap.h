/* ldap.h - one question to a directory: is this the password of that person, and in which of these
 * groups is the person.
 *
 * Active Directory, Samba's included, and other LDAP servers (RFC 4511). A password leaves only
 * over verified TLS: ldaps, or StartTLS. Nothing that a person typed becomes part of a filter's or
 * a name's text: values travel as values.
 */
#ifndef WA_NET_LDAP_H
#define WA_NET_LDAP_H

#include "net/tls.h"

struct wa_ldap_where {
    const char *servers; /* csv of "host" or "host:port", at most WA_LDAP_SERVERS_MAX: tried in this
                            order */
    const char *base;    /* DN below which people are; its DC parts are an AD domain's name */
    bool is_ldaps;       /* TLS from the first byte (port 636), else StartTLS (port 389) */
    const struct wa_tls_trust *trust; /* host is set to each server's name */
    /* Who asks about others: "name@domain" or a DN, and its password; NULL: nobody may.
     */
    const char *account;
    struct wa_sv account_password;
};
struct wa_ldap_question {
    /* "name", "name@domain" (the base's), or, AD's alone, "DOMAIN\name" */
    const char *user;
    struct wa_sv password;
    const char *const *groups; /* NULL-terminated, at most WA_AUTH_GROUPS_MAX; NULL: none */
    bool is_check;   /* without the password: is_right is whether the account is there and may be
                        used, as the directory says to where->account */
    const char *sid; /* that the account must have: "S-1-5-21-..."; NULL: whatever it has */
};
#define WA_LDAP_REASON_MAX 128 /* bytes with NUL */
struct wa_ldap_answer {
    bool is_right;
    bool in_group[WA_AUTH_GROUPS_MAX]; /* for groups[i]; none when the password is wrong */
    char reason[WA_LDAP_REASON_MAX];   /* why not, for a log, never for who asked */
};
/* Blocks, at most WA_LDAP_TIMEOUT_MS and the look-up of the servers' names. A wrong password, an
 * account that is locked, disabled or expired, an empty password and a name of no allowed form are
 * WA_OK with is_right false. What is not an answer - no server reachable in time, none whose
 * certificate is trusted, answers of a wrong form or without end - is an error: WA_E_UNREACHABLE,
 * WA_E_TIMEOUT, WA_E_REFUSED, WA_E_INVALID, WA_E_LIMIT, WA_E_CONFIG.
 *
 * AD: groups are those of the token of who was bound, nested ones and primary one included, and the
 * account of that name must be who was bound. Other servers: the person's entry is found by its
 * uid, without a login; groups are those that name it as member, uniqueMember or memberUid, not
 * nested. */
WA_CHECK enum wa_code wa_ldap_login(const struct wa_ldap_where *where,
                                    const struct wa_ldap_question *question,
                                    struct wa_ldap_answer *ret, struct wa_err *err);

/* Whether the account of a machine, by its SID ("S-1-5-21-..."), stands in the unit (a DN) or below
 * it, as the directory says to where->account. Errors as above; WA_E_CONFIG too where there is no
 * such unit, or that account is refused. */
WA_CHECK enum wa_code wa_ldap_is_below(const struct wa_ldap_where *where, const char *sid,
                                       const char *unit, bool *ret, struct wa_err *err);

#endif

/* auth_kerberos.c - a ticket of the machine's account (net/auth_spnego.h), for the kerberos process
 * alone.
 *
 * Only the machine's own AES keys are taken out of the keytab, and they stay in memory, as the
 * tickets do.
 */
#include <errno.h>
#include <krb5.h> /* before ours: it has members that are named like banned functions */

#include "agent/auth_kerberos.h"

#include "base/mem.h"
#include "base/text.h"
#include "codec/keytab.h"
#include "net/auth_spnego.h"

#define KEYS "MEMORY:wapt-machine"
#define TICKETS "MEMORY:wapt-tickets"

struct machine {
    krb5_context context;
    krb5_keytab keys;
    char principal[512];
};

static enum wa_code fail_krb5(struct machine *m, krb5_error_code rc, const char *what,
                              struct wa_err *err)
{
    const char *why = krb5_get_error_message(m->context, rc);
    (void)wa_fail(err, rc == ENOMEM ? WA_E_NOMEM : WA_E_CONFIG, "%s: %s", wa_text(what), why);
    krb5_free_error_message(m->context, why);
    return err->code;
}

/* --- the machine's own keys --- */

static bool is_machine(const struct wa_keytab_entry *e)
{
    return wa_keytab_is_aes(e->enctype) && ((e->part_count == 1 && wa_sv_ends(e->parts[0], "$")) ||
                                            (e->part_count == 2 && wa_sv_eqs(e->parts[0], "host")));
}

/* NAME$ before host/NAME; of several, the newest. */
static bool is_better(const struct wa_keytab_entry *a, const struct wa_keytab_entry *than)
{
    if (than->part_count == 0 || a->part_count != than->part_count)
        return than->part_count == 0 || a->part_count < than->part_count;
    return a->timestamp > than->timestamp;
}

static enum wa_code find_machine(struct wa_sv text, struct wa_keytab_entry *ret, struct wa_err *err)
{
    struct wa_keytab reader;
    struct wa_keytab_entry e;
    bool more = true;
    *ret = (struct wa_keytab_entry){.part_count = 0};
    if (wa_keytab_open(&reader, text, err) != WA_OK)
        return err->code;
    while (wa_keytab_next(&reader, &e, &more, err) == WA_OK && more)
        if (is_machine(&e) && is_better(&e, ret))
            *ret = e;
    if (err->code == WA_OK && ret->part_count == 0)
        return wa_fail(err, WA_E_CONFIG,
                       "the keytab has no AES key of this machine (NAME$ or host/NAME): join it to "
                       "its domain");
    return err->code;
}

static bool is_same_principal(const struct wa_keytab_entry *a, const struct wa_keytab_entry *b)
{
    bool is = a->part_count == b->part_count && wa_sv_eq(a->realm, b->realm);
    for (size_t i = 0; is && i < a->part_count; i++)
        is = wa_sv_eq(a->parts[i], b->parts[i]);
    return is;
}

static enum wa_code add_key(struct machine *m, krb5_principal principal,
                            const struct wa_keytab_entry *e, struct wa_err *err)
{
    krb5_octet key[64];
    krb5_keytab_entry entry = {
        .principal = principal, .vno = e->version, .timestamp = (krb5_timestamp)e->timestamp};
    if (e->key.n > sizeof key)
        return wa_fail(err, WA_E_CONFIG, "a key of the keytab is too long");
    memcpy(key, e->key.p, e->key.n);
    entry.key.enctype = e->enctype;
    entry.key.length = (unsigned)e->key.n;
    entry.key.contents = key;
    krb5_error_code rc = krb5_kt_add_entry(m->context, m->keys, &entry); /* copies */
    wa_wipe(key, sizeof key);
    return rc == 0 ? WA_OK : fail_krb5(m, rc, WA_TEXT("cannot take the machine's key"), err);
}

static enum wa_code add_keys(struct machine *m, struct wa_sv text, struct wa_err *err)
{
    struct wa_keytab reader;
    struct wa_keytab_entry own, e;
    krb5_principal principal = NULL;
    bool more = true;
    if (find_machine(text, &own, err) != WA_OK || wa_keytab_open(&reader, text, err) != WA_OK)
        return err->code;
    (void)snprintf(m->principal, sizeof m->principal, "%.*s%s%.*s@%.*s", WA_SV_ARG(own.parts[0]),
                   own.part_count == 2 ? "/" : "", WA_SV_ARG(own.parts[1]), WA_SV_ARG(own.realm));
    krb5_error_code rc = krb5_parse_name(m->context, m->principal, &principal);
    if (rc != 0)
        return fail_krb5(m, rc, WA_TEXT("cannot use the machine's name"), err);
    while (wa_keytab_next(&reader, &e, &more, err) == WA_OK && more)
        if (wa_keytab_is_aes(e.enctype) && is_same_principal(&e, &own) &&
            add_key(m, principal, &e, err) != WA_OK)
            break;
    krb5_free_principal(m->context, principal);
    return err->code;
}

/* --- the token --- */

static enum wa_code make(struct machine *m, struct wa_sv keytab, const char *host,
                         struct wa_sv binding, struct wa_buf *token, struct wa_err *err)
{
    krb5_error_code rc = krb5_init_context(&m->context);
    if (rc != 0)
        return wa_fail(err, WA_E_CONFIG,
                       "cannot start Kerberos (error %d): is /etc/krb5.conf well formed?", (int)rc);
    rc = krb5_kt_resolve(m->context, KEYS, &m->keys);
    if (rc != 0)
        return fail_krb5(m, rc, WA_TEXT("cannot keep keys"), err);
    if (add_keys(m, keytab, err) != WA_OK)
        return err->code;
    const struct wa_spnego q = {.host = host,
                                .binding = binding,
                                .principal = m->principal,
                                .keys = KEYS,
                                .tickets = TICKETS,
                                .without = WA_E_UNREACHABLE,
                                .no_ticket = WA_TEXT("this machine gets no ticket"),
                                .no_service_ticket =
                                    WA_TEXT("this machine gets no ticket for its server")};
    return wa_spnego_token(&q, token, err);
}

enum wa_code wa_ticket_make(struct wa_sv keytab, const char *host, struct wa_sv binding,
                            struct wa_buf *token, struct wa_err *err)
{
    struct machine m = {.principal = ""};
    (void)make(&m, keytab, host, binding, token, err);
    if (m.keys != NULL)
        (void)krb5_kt_close(m.context, m.keys);
    if (m.context != NULL)
        krb5_free_context(m.context);
    return err->code;
}

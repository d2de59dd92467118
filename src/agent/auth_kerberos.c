/* auth_kerberos.c - a ticket of the machine's account, with MIT's GSSAPI, for the kerberos process
 * alone.
 *
 * Only the machine's own AES keys are taken out of the keytab, and they stay in memory, as the
 * tickets do. The server's principal is HTTP/NAME as it stands in the agent's configuration: no
 * look-up says which service it really is.
 */
#include <errno.h>
#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>
#include <krb5.h> /* before ours: it has members that are named like banned functions */

#include "agent/auth_kerberos.h"

#include "base/mem.h"
#include "codec/keytab.h"

#define KEYS "MEMORY:wapt-machine"
#define TICKETS "MEMORY:wapt-tickets"

static gss_OID_desc spnego = {6, (char[]){"\x2b\x06\x01\x05\x05\x02"}};

struct machine {
    krb5_context context;
    krb5_keytab keys;
    char principal[512];
    gss_name_t name, server;
    gss_cred_id_t cred;
    gss_ctx_id_t session;
};

static enum wa_code fail(struct wa_err *err, enum wa_code code, const char *what, OM_uint32 major,
                         OM_uint32 minor)
{
    OM_uint32 ignored, more = 0;
    gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
    (void)gss_display_status(&ignored, minor != 0 ? minor : major,
                             minor != 0 ? GSS_C_MECH_CODE : GSS_C_GSS_CODE,
                             minor != 0 ? (gss_OID)gss_mech_krb5 : GSS_C_NO_OID, &more, &text);
    (void)wa_fail(err, code, "%s: %.*s", what, (int)text.length, (const char *)text.value);
    (void)gss_release_buffer(&ignored, &text);
    return err->code;
}

static enum wa_code fail_krb5(struct machine *m, krb5_error_code rc, const char *what,
                              struct wa_err *err)
{
    const char *why = krb5_get_error_message(m->context, rc);
    (void)wa_fail(err, rc == ENOMEM ? WA_E_NOMEM : WA_E_CONFIG, "%s: %s", what, why);
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
    return rc == 0 ? WA_OK : fail_krb5(m, rc, "cannot take the machine's key", err);
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
        return fail_krb5(m, rc, "cannot use the machine's name", err);
    while (wa_keytab_next(&reader, &e, &more, err) == WA_OK && more)
        if (wa_keytab_is_aes(e.enctype) && is_same_principal(&e, &own) &&
            add_key(m, principal, &e, err) != WA_OK)
            break;
    krb5_free_principal(m->context, principal);
    return err->code;
}

/* --- the token --- */

static enum wa_code import(const char *text, gss_name_t *ret, struct wa_err *err)
{
    char copy[600];
    OM_uint32 minor = 0;
    int n = snprintf(copy, sizeof copy, "%s", text);
    gss_buffer_desc name = {n > 0 ? (size_t)n : 0, copy};
    if (n <= 0 || (size_t)n >= sizeof copy)
        return wa_fail(err, WA_E_LIMIT, "the name '%s' is too long", text);
    OM_uint32 major = gss_import_name(&minor, &name, (gss_OID)GSS_KRB5_NT_PRINCIPAL_NAME, ret);
    return GSS_ERROR(major) ? fail(err, WA_E_CONFIG, text, major, minor) : WA_OK;
}

static enum wa_code acquire(struct machine *m, struct wa_err *err)
{
    static krb5_enctype aes[] = {ENCTYPE_AES256_CTS_HMAC_SHA1_96, ENCTYPE_AES128_CTS_HMAC_SHA1_96,
                                 ENCTYPE_AES256_CTS_HMAC_SHA384_192,
                                 ENCTYPE_AES128_CTS_HMAC_SHA256_128};
    gss_key_value_element_desc places[] = {{"client_keytab", KEYS}, {"ccache", TICKETS}};
    const gss_key_value_set_desc store = {WA_COUNT(places), places};
    gss_OID_set_desc mechs = {1, &spnego}, inner = {1, (gss_OID)gss_mech_krb5};
    OM_uint32 minor = 0,
              major = gss_acquire_cred_from(&minor, m->name, GSS_C_INDEFINITE, &mechs,
                                            GSS_C_INITIATE, &store, &m->cred, NULL, NULL);
    if (!GSS_ERROR(major))
        major = gss_set_neg_mechs(&minor, m->cred, &inner);
    if (!GSS_ERROR(major))
        major = gss_krb5_set_allowable_enctypes(&minor, m->cred, WA_COUNT(aes), aes);
    return GSS_ERROR(major)
               ? fail(err, WA_E_UNREACHABLE, "this machine gets no ticket", major, minor)
               : WA_OK;
}

static enum wa_code initiate(struct machine *m, struct wa_sv binding, struct wa_buf *token,
                             struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf bound;
    gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
    OM_uint32 minor = 0, ignored, flags = 0;
    wa_buf_init(&bound, binding.n + 1); /* the library's buffers are not const */
    wa_buf_addsv(&bound, binding);
    if (wa_buf_check(&bound, err) != WA_OK)
        return err->code;
    struct gss_channel_bindings_struct to = {.application_data = {bound.n, bound.p}};
    OM_uint32 major = gss_init_sec_context(&minor, m->cred, &m->session, m->server, &spnego,
                                           GSS_C_MUTUAL_FLAG | GSS_C_INTEG_FLAG, 0, &to,
                                           GSS_C_NO_BUFFER, NULL, &out, &flags, NULL);
    if (GSS_ERROR(major))
        (void)fail(err, WA_E_UNREACHABLE, "this machine gets no ticket for its server", major,
                   minor);
    else
        wa_buf_add(token, out.value, out.length);
    (void)gss_release_buffer(&ignored, &out);
    return err->code == WA_OK ? wa_buf_check(token, err) : err->code;
}

static enum wa_code make(struct machine *m, struct wa_sv keytab, const char *host,
                         struct wa_sv binding, struct wa_buf *token, struct wa_err *err)
{
    char server[512];
    krb5_error_code rc = krb5_init_context(&m->context);
    if (rc != 0)
        return wa_fail(err, WA_E_CONFIG,
                       "cannot start Kerberos (error %d): is /etc/krb5.conf well formed?", (int)rc);
    rc = krb5_kt_resolve(m->context, KEYS, &m->keys);
    if (rc != 0)
        return fail_krb5(m, rc, "cannot keep keys", err);
    /* Without a realm: the machine's own domain controllers know where it is, or refer to who does.
     */
    (void)snprintf(server, sizeof server, "HTTP/%s@", host);
    if (add_keys(m, keytab, err) != WA_OK || import(m->principal, &m->name, err) != WA_OK ||
        import(server, &m->server, err) != WA_OK || acquire(m, err) != WA_OK)
        return err->code;
    return initiate(m, binding, token, err);
}

enum wa_code wa_ticket_make(struct wa_sv keytab, const char *host, struct wa_sv binding,
                            struct wa_buf *token, struct wa_err *err)
{
    struct machine m = {.principal = ""};
    OM_uint32 minor;
    (void)make(&m, keytab, host, binding, token, err);
    (void)gss_delete_sec_context(&minor, &m.session, GSS_C_NO_BUFFER);
    (void)gss_release_cred(&minor, &m.cred);
    (void)gss_release_name(&minor, &m.name);
    (void)gss_release_name(&minor, &m.server);
    if (m.keys != NULL)
        (void)krb5_kt_close(m.context, m.keys);
    if (m.context != NULL)
        krb5_free_context(m.context);
    return err->code;
}

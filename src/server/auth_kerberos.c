/* auth_kerberos.c - accepts SPNEGO tokens with MIT's GSSAPI.
 *
 * The library's own configuration is not read: which keys, which encryptions, which replay cache is
 * said here. A token counts only when it was made for this service, with AES, and bound to what the
 * caller says (channel bindings): one that was made for another purpose, or coerced out of a
 * machine, carries none. Nothing is decided about whose ticket it is.
 */
#include <errno.h>
#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>
#include <krb5.h> /* before ours: it has members that are named like banned functions */
#include <stdlib.h>

#include "server/auth_kerberos.h"

#include "base/mem.h"
#include "codec/keytab.h"

#define KEYS "MEMORY:wapt-service"
#define REALMS_MAX 8u

struct wa_kerberos {
    krb5_context context;
    krb5_keytab keys;
    gss_cred_id_t cred;
    char realms[REALMS_MAX][256];
    size_t realm_count;
};

static gss_OID_desc spnego = {6, (char[]){"\x2b\x06\x01\x05\x05\x02"}};

/* --- errors --- */

static void add_text(OM_uint32 status, int kind, char *out, size_t size)
{
    OM_uint32 minor, more = 0;
    gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
    if (gss_display_status(&minor, status, kind, kind == GSS_C_MECH_CODE ? gss_mech_krb5 : NULL,
                           &more, &text) == GSS_S_COMPLETE)
        (void)snprintf(out, size, "%.*s", (int)text.length, (const char *)text.value);
    (void)gss_release_buffer(&minor, &text);
}

static enum wa_code fail(struct wa_err *err, enum wa_code code, const char *what, OM_uint32 major,
                         OM_uint32 minor)
{
    char why[256] = "";
    if (minor != 0)
        add_text(minor, GSS_C_MECH_CODE, why, sizeof why);
    if (why[0] == '\0')
        add_text(major, GSS_C_GSS_CODE, why, sizeof why);
    return wa_fail(err, code, "%s: %s", what, why);
}

static enum wa_code fail_krb5(struct wa_kerberos *k, krb5_error_code rc, const char *what,
                              struct wa_err *err)
{
    const char *why = krb5_get_error_message(k->context, rc);
    (void)wa_fail(err, rc == ENOMEM ? WA_E_NOMEM : WA_E_CONFIG, "%s: %s", what, why);
    krb5_free_error_message(k->context, why);
    return err->code;
}

/* --- keys --- */

static void note_realm(struct wa_kerberos *k, struct wa_sv realm)
{
    if (!wa_kerberos_knows_realm(k, realm) && k->realm_count < REALMS_MAX &&
        realm.n < sizeof k->realms[0])
        (void)snprintf(k->realms[k->realm_count++], sizeof k->realms[0], "%.*s", WA_SV_ARG(realm));
}

static enum wa_code add_key(struct wa_kerberos *k, const struct wa_keytab_entry *e,
                            struct wa_err *err)
{
    krb5_octet key[64];
    krb5_keytab_entry entry = {.vno = e->version, .timestamp = (krb5_timestamp)e->timestamp};
    if (e->key.n > sizeof key)
        return wa_fail(err, WA_E_CONFIG, "a key of the keytab is too long");
    memcpy(key, e->key.p, e->key.n);
    entry.key.enctype = e->enctype;
    entry.key.length = (unsigned)e->key.n;
    entry.key.contents = key;
    krb5_error_code rc = krb5_build_principal_ext(
        k->context, &entry.principal, (unsigned)e->realm.n, e->realm.p, (unsigned)e->parts[0].n,
        e->parts[0].p, (unsigned)e->parts[1].n, e->parts[1].p, 0);
    if (rc == 0)
        rc = krb5_kt_add_entry(k->context, k->keys, &entry); /* copies */
    krb5_free_principal(k->context, entry.principal);
    wa_wipe(key, sizeof key);
    if (rc != 0)
        return fail_krb5(k, rc, "cannot take a key of the keytab", err);
    note_realm(k, e->realm);
    return WA_OK;
}

/* Keys of another service, or of an encryption that is broken, are as if they were not there. */
static enum wa_code add_keys(struct wa_kerberos *k, struct wa_sv text, struct wa_err *err)
{
    struct wa_keytab reader;
    struct wa_keytab_entry e;
    bool more = true, is_service = false;
    size_t count = 0;
    if (wa_keytab_open(&reader, text, err) != WA_OK)
        return err->code;
    while (wa_keytab_next(&reader, &e, &more, err) == WA_OK && more) {
        if (e.part_count != 2 || !wa_sv_ieqs(e.parts[0], "HTTP"))
            continue;
        is_service = true;
        if (!wa_keytab_is_aes(e.enctype))
            continue;
        if (add_key(k, &e, err) != WA_OK)
            return err->code;
        count++;
    }
    if (err->code == WA_OK && count == 0)
        return wa_fail(err, WA_E_CONFIG,
                       is_service
                           ? "the keytab has no AES key of HTTP/...: allow AES for that account "
                             "(msDS-SupportedEncryptionTypes 24), and make the keytab again"
                           : "the keytab has no key of a service HTTP/...");
    return err->code;
}

bool wa_kerberos_knows_realm(const struct wa_kerberos *k, struct wa_sv realm)
{
    for (size_t i = 0; i < k->realm_count; i++)
        if (wa_sv_eqs(realm, k->realms[i]))
            return true;
    return false;
}

/* --- life --- */

static enum wa_code acquire(struct wa_kerberos *k, struct wa_err *err)
{
    gss_key_value_element_desc place = {"keytab", KEYS};
    const gss_key_value_set_desc store = {1, &place};
    gss_OID_set_desc mechs = {1, &spnego}, inner = {1, (gss_OID)gss_mech_krb5};
    OM_uint32 minor = 0,
              major = gss_acquire_cred_from(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, &mechs,
                                            GSS_C_ACCEPT, &store, &k->cred, NULL, NULL);
    if (!GSS_ERROR(major))
        major = gss_set_neg_mechs(&minor, k->cred, &inner);
    return GSS_ERROR(major) ? fail(err, WA_E_CONFIG, "cannot use the keytab", major, minor) : WA_OK;
}

static enum wa_code set_environment(const char *replays, struct wa_err *err)
{
    char name[4096 + 16];
    int n = snprintf(name, sizeof name, "file2:%s", replays);
    if (n < 0 || (size_t)n >= sizeof name)
        return wa_fail(err, WA_E_LIMIT, "the path '%s' is too long", replays);
    return setenv("KRB5_CONFIG", "/dev/null", 1) == 0 && setenv("KRB5RCACHENAME", name, 1) == 0
               ? WA_OK
               : wa_nomem(err);
}

static enum wa_code open_all(struct wa_kerberos *k, struct wa_sv keytab, struct wa_err *err)
{
    krb5_error_code rc = krb5_init_context(&k->context);
    if (rc != 0)
        return wa_fail(err, WA_E_INTERNAL, "cannot start Kerberos: error %d", (int)rc);
    rc = krb5_kt_resolve(k->context, KEYS, &k->keys);
    if (rc != 0)
        return fail_krb5(k, rc, "cannot keep keys", err);
    return add_keys(k, keytab, err) == WA_OK ? acquire(k, err) : err->code;
}

enum wa_code wa_kerberos_new(struct wa_sv keytab, const char *replays, struct wa_kerberos **ret,
                             struct wa_err *err)
{
    WA_AUTO(wa_kerberos) struct wa_kerberos *k = wa_calloc(1, sizeof *k);
    if (k == NULL)
        return wa_nomem(err);
    if (set_environment(replays, err) != WA_OK || open_all(k, keytab, err) != WA_OK)
        return err->code;
    *ret = WA_TAKE(k);
    return WA_OK;
}

void wa_kerberos_free(struct wa_kerberos *k)
{
    OM_uint32 minor;
    if (k == NULL)
        return;
    (void)gss_release_cred(&minor, &k->cred);
    if (k->keys != NULL)
        (void)krb5_kt_close(k->context, k->keys);
    if (k->context != NULL)
        krb5_free_context(k->context);
    wa_free(k);
}

/* --- tickets --- */

/* The session's key, which the KDC has chosen: the last of its object identifier's numbers is its
 * encryption. */
static bool is_aes(gss_ctx_id_t context)
{
    OM_uint32 minor;
    gss_buffer_set_t set = GSS_C_NO_BUFFER_SET;
    bool is = false;
    if (gss_inquire_sec_context_by_oid(&minor, context, GSS_C_INQ_SSPI_SESSION_KEY, &set) ==
            GSS_S_COMPLETE &&
        set != NULL && set->count == 2 && set->elements[1].length > 0) {
        const uint8_t *oid = set->elements[1].value;
        is = wa_keytab_is_aes(oid[set->elements[1].length - 1]);
    }
    (void)gss_release_buffer_set(&minor, &set);
    return is;
}

static enum wa_code take_name(gss_name_t name, struct wa_ticket *t, struct wa_err *err)
{
    OM_uint32 minor;
    gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
    if (gss_display_name(&minor, name, &text, NULL) != GSS_S_COMPLETE)
        return wa_nomem(err);
    bool fits = text.length > 0 && text.length < sizeof t->principal &&
                memchr(text.value, 0, text.length) == NULL;
    if (fits)
        (void)snprintf(t->principal, sizeof t->principal, "%.*s", (int)text.length,
                       (const char *)text.value);
    (void)gss_release_buffer(&minor, &text);
    return fits ? WA_OK : wa_fail(err, WA_E_AUTH, "the ticket is of a name that is no name");
}

/* A PAC whose signature does not hold is none. */
static enum wa_code take_pac(gss_name_t name, struct wa_ticket *t, struct wa_err *err)
{
    OM_uint32 minor;
    gss_buffer_desc attribute = {20, (char[]){"urn:mspac:logon-info"}};
    gss_buffer_desc value = GSS_C_EMPTY_BUFFER, shown = GSS_C_EMPTY_BUFFER;
    int is_authenticated = 0, is_complete = 0, more = -1;
    if (gss_get_name_attribute(&minor, name, &attribute, &is_authenticated, &is_complete, &value,
                               &shown, &more) == GSS_S_COMPLETE &&
        is_authenticated != 0)
        wa_buf_add(&t->pac, value.value, value.length);
    (void)gss_release_buffer(&minor, &value);
    (void)gss_release_buffer(&minor, &shown);
    return wa_buf_check(&t->pac, err);
}

static enum wa_code judge(gss_ctx_id_t context, gss_OID mech, OM_uint32 flags, struct wa_err *err)
{
    if (mech == NULL || !gss_oid_equal(mech, gss_mech_krb5))
        return wa_fail(err, WA_E_AUTH, "the token is not of Kerberos");
    if ((flags & GSS_C_CHANNEL_BOUND_FLAG) == 0)
        return wa_fail(err, WA_E_AUTH,
                       "the ticket is not bound to what it is shown for: it was made for something "
                       "else");
    if (!is_aes(context))
        return wa_fail(err, WA_E_AUTH,
                       "the ticket is not encrypted with AES: allow it for the account "
                       "(msDS-SupportedEncryptionTypes 24)");
    return WA_OK;
}

enum wa_code wa_kerberos_accept(struct wa_kerberos *k, struct wa_sv token, struct wa_sv binding,
                                struct wa_ticket *ret, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf in;
    WA_AUTO_BUF struct wa_buf bound;
    gss_ctx_id_t context = GSS_C_NO_CONTEXT;
    gss_name_t name = GSS_C_NO_NAME;
    gss_OID mech = NULL;
    gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
    OM_uint32 minor = 0, ignored, flags = 0;
    wa_buf_init(&in, token.n + 1); /* the library's buffers are not const */
    wa_buf_init(&bound, binding.n + 1);
    wa_buf_addsv(&in, token);
    wa_buf_addsv(&bound, binding);
    if (wa_buf_check(&in, err) != WA_OK || wa_buf_check(&bound, err) != WA_OK)
        return err->code;
    gss_buffer_desc text = {in.n, in.p};
    struct gss_channel_bindings_struct to = {.application_data = {bound.n, bound.p}};
    OM_uint32 major = gss_accept_sec_context(&minor, &context, k->cred, &text, &to, &name, &mech,
                                             &out, &flags, NULL, NULL);
    if (major == GSS_S_COMPLETE) {
        if (judge(context, mech, flags, err) == WA_OK && take_name(name, ret, err) == WA_OK)
            (void)take_pac(name, ret, err);
    } else if (GSS_ROUTINE_ERROR(major) == GSS_S_BAD_BINDINGS) { /* "Success", says the library */
        (void)wa_fail(err, WA_E_AUTH,
                      "the ticket is bound to something else: it was made for another server, or "
                      "for another purpose");
    } else {
        (void)fail(err, WA_E_AUTH, "the ticket is refused", major, minor);
    }
    (void)gss_release_buffer(&ignored, &out);
    (void)gss_release_name(&ignored, &name);
    (void)gss_delete_sec_context(&ignored, &context, GSS_C_NO_BUFFER);
    return err->code;
}

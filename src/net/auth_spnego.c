/* auth_spnego.c - the client's side of SPNEGO, with MIT's GSSAPI.
 *
 * The server's principal is HTTP/NAME as it stands in a configuration: no look-up says which
 * service it really is. Only AES is asked for, and nothing is delegated.
 */
#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>

#include "net/auth_spnego.h"

#include "base/mem.h"
#include "base/text.h"

static gss_OID_desc spnego = {6, (char[]){"\x2b\x06\x01\x05\x05\x02"}};

struct client {
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
    (void)wa_fail(err, code, "%s: %.*s", wa_text(what), (int)text.length, (const char *)text.value);
    (void)gss_release_buffer(&ignored, &text);
    return err->code;
}

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

/* Without a realm: the client's own domain controllers know where it is, or refer to who does. */
static enum wa_code name_both(struct client *c, const struct wa_spnego *q, struct wa_err *err)
{
    char server[512];
    int n = snprintf(server, sizeof server, "HTTP/%s@", q->host);
    if (n <= 0 || (size_t)n >= sizeof server)
        return wa_fail(err, WA_E_LIMIT, "the name '%s' is too long", q->host);
    return q->principal == NULL || import(q->principal, &c->name, err) == WA_OK
               ? import(server, &c->server, err)
               : err->code;
}

static enum wa_code acquire(struct client *c, const struct wa_spnego *q, struct wa_err *err)
{
    static krb5_enctype aes[] = {ENCTYPE_AES256_CTS_HMAC_SHA1_96, ENCTYPE_AES128_CTS_HMAC_SHA1_96,
                                 ENCTYPE_AES256_CTS_HMAC_SHA384_192,
                                 ENCTYPE_AES128_CTS_HMAC_SHA256_128};
    gss_key_value_element_desc places[] = {{"client_keytab", q->keys}, {"ccache", q->tickets}};
    const gss_key_value_set_desc store = {WA_COUNT(places), places};
    gss_OID_set_desc mechs = {1, &spnego}, inner = {1, (gss_OID)gss_mech_krb5};
    OM_uint32 minor = 0,
              major =
                  gss_acquire_cred_from(&minor, c->name, GSS_C_INDEFINITE, &mechs, GSS_C_INITIATE,
                                        q->keys != NULL ? &store : NULL, &c->cred, NULL, NULL);
    if (!GSS_ERROR(major))
        major = gss_set_neg_mechs(&minor, c->cred, &inner);
    if (!GSS_ERROR(major))
        major = gss_krb5_set_allowable_enctypes(&minor, c->cred, WA_COUNT(aes), aes);
    return GSS_ERROR(major) ? fail(err, q->without, q->no_ticket, major, minor) : WA_OK;
}

static enum wa_code initiate(struct client *c, const struct wa_spnego *q, struct wa_buf *token,
                             struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf bound;
    gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
    OM_uint32 minor = 0, ignored, flags = 0;
    wa_buf_init(&bound, q->binding.n + 1); /* the library's buffers are not const */
    wa_buf_addsv(&bound, q->binding);
    if (wa_buf_check(&bound, err) != WA_OK)
        return err->code;
    struct gss_channel_bindings_struct to = {.application_data = {bound.n, bound.p}};
    OM_uint32 major = gss_init_sec_context(&minor, c->cred, &c->session, c->server, &spnego,
                                           GSS_C_MUTUAL_FLAG | GSS_C_INTEG_FLAG, 0, &to,
                                           GSS_C_NO_BUFFER, NULL, &out, &flags, NULL);
    if (GSS_ERROR(major))
        (void)fail(err, WA_E_UNREACHABLE, q->no_service_ticket, major, minor);
    else
        wa_buf_add(token, out.value, out.length);
    (void)gss_release_buffer(&ignored, &out);
    return err->code == WA_OK ? wa_buf_check(token, err) : err->code;
}

enum wa_code wa_spnego_token(const struct wa_spnego *q, struct wa_buf *token, struct wa_err *err)
{
    struct client c = {.cred = GSS_C_NO_CREDENTIAL};
    OM_uint32 minor;
    if (name_both(&c, q, err) == WA_OK && acquire(&c, q, err) == WA_OK)
        (void)!initiate(&c, q, token, err);
    (void)gss_delete_sec_context(&minor, &c.session, GSS_C_NO_BUFFER);
    (void)gss_release_cred(&minor, &c.cred);
    (void)gss_release_name(&minor, &c.name);
    (void)gss_release_name(&minor, &c.server);
    return err->code;
}

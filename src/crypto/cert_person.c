/* cert_person.c - certificates by which people are known: whether one is for TLS clients, and whom
 * it names.
 */
#include "base/utf8.h"
#include "crypto/cert_priv.h"
#include "crypto/ossl_priv.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#define UPN "1.3.6.1.4.1.311.20.2.3" /* of an otherName: [MS-WCCE] 2.2.2.7.7.1.4 */

bool wa_cert_may_be_client(const struct wa_cert *c)
{
    uint32_t eku = X509_get_extended_key_usage(c->x); /* all bits when absent */
    uint32_t usage = X509_get_key_usage(c->x);

    return c->is_sound && (eku & (XKU_SSL_CLIENT | XKU_ANYEKU)) != 0 &&
           (usage & X509v3_KU_DIGITAL_SIGNATURE) != 0;
}

static bool take(const ASN1_STRING *text, char *out, size_t size)
{
    struct wa_sv s =
        wa_sv_n((const char *)ASN1_STRING_get0_data(text), (size_t)ASN1_STRING_length(text));

    if (s.n == 0 || s.n >= size || memchr(s.p, '\0', s.n) != NULL || !wa_utf8_valid(s))
        return false;
    (void)snprintf(out, size, "%.*s", WA_SV_ARG(s));
    return true;
}

static bool is_upn(const GENERAL_NAME *g)
{
    char oid[64];

    return g->type == GEN_OTHERNAME &&
           OBJ_obj2txt(oid, sizeof oid, g->d.otherName->type_id, 1) > 0 && strcmp(oid, UPN) == 0 &&
           g->d.otherName->value->type == V_ASN1_UTF8STRING;
}

bool wa_cert_person(const struct wa_cert *c, const char *by, char *out, size_t size)
{
    if (strcmp(by, "cn") == 0) {
        (void)snprintf(out, size, "%s", strlen(c->cn) < size ? c->cn : "");
        return out[0] != '\0';
    }
    bool is_email = strcmp(by, "email") == 0, found = false;
    GENERAL_NAMES *names = X509_get_ext_d2i(c->x, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names) && !found; i++) {
        const GENERAL_NAME *g = sk_GENERAL_NAME_value(names, i);
        if (is_email && g->type == GEN_EMAIL)
            found = take(g->d.rfc822Name, out, size);
        else if (!is_email && is_upn(g))
            found = take(g->d.otherName->value->value.utf8string, out, size);
    }
    GENERAL_NAMES_free(names);
    ERR_clear_error();
    return found;
}

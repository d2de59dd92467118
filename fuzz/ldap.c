/* ldap - what a directory says: a message that is taken lies within its bytes, and so does whatever
 * is read from it. */
#include <stdint.h>
#include <stdlib.h>

#include "net/ldap_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(struct wa_sv part, struct wa_sv whole)
{
    if (part.n > 0 && (part.p < whole.p || part.p + part.n > whole.p + whole.n))
        abort();
}

static void check_entry(struct wa_sv body, struct wa_sv whole)
{
    static const char *const names[] = {"supportedCapabilities", "tokenGroups", "objectSid", "cn"};
    struct wa_ldap_entry e;
    struct wa_err err = WA_ERR_INIT;
    struct wa_sv value;
    if (wa_ldap_entry_read(body, &e, &err) != WA_OK)
        return;
    check_inside(e.dn, whole);
    for (size_t i = 0; i < WA_COUNT(names); i++)
        for (size_t k = 0; wa_ldap_value(&e, names[i], k, &value); k++)
            check_inside(value, whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wa_sv rest = wa_sv_n(data, size);
    for (;;) {
        struct wa_ldap_message m;
        struct wa_ldap_result r;
        struct wa_err err = WA_ERR_INIT;
        size_t n = 0;
        if (!wa_ber_length(rest, &n) || n == 0 || n > rest.n)
            return 0;
        struct wa_sv whole = wa_sv_sub(rest, 0, n);
        if (wa_ldap_message_read(whole, &m, &err) == WA_OK) {
            check_inside(m.body, whole);
            check_entry(m.body, whole);
            wa_err_clear(&err);
            if (wa_ldap_result_read(m.body, &r, &err) == WA_OK)
                check_inside(r.text, whole);
        }
        rest = wa_sv_sub(rest, n, rest.n);
    }
}

/* selfservice.c - the rules of a self-service package: what is taken reads back as itself, what is
 * not changes nothing. */
#include <stdint.h>
#include <stdlib.h>

#include "pkg/selfservice.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    WA_AUTO_SELF_RULES struct wa_self_rules r;
    WA_AUTO_SELF_RULES struct wa_self_rules again;
    WA_AUTO_BUF struct wa_buf text;
    struct wa_err err = WA_ERR_INIT;
    struct wa_jw w;
    wa_buf_init(&text, 8 * WA_SELF_BYTES_MAX);
    enum wa_code ready = wa_self_rules_init(&r, &err), too = wa_self_rules_init(&again, &err);
    if (ready != WA_OK || too != WA_OK)
        return 0;
    if (wa_self_rules_add(&r, wa_sv_n(data, size), &err) != WA_OK) {
        if (err.text[0] == '\0' || (err.code != WA_E_NOMEM && r.group_count != 0))
            abort();
        return 0;
    }
    wa_jw_init(&w, &text);
    wa_self_rules_write(&r, &w);
    if (text.failed != WA_OK || text.n > WA_SELF_BYTES_MAX)
        return 0;
    if (wa_self_rules_add(&again, wa_buf_sv(&text), &err) != WA_OK ||
        again.group_count != r.group_count || again.packages.n != r.packages.n)
        abort();
    return 0;
}

/* request.c - what is read as a requirement is read back from its own text, and an entry meets its
 * own requirement. */
#include <stdint.h>
#include <stdlib.h>

#include "pkg/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    WA_AUTO_CONTROL struct wa_control c;
    WA_AUTO_BUF struct wa_buf text;
    struct wa_request r, back;
    struct wa_err err = WA_ERR_INIT;
    wa_control_init(&c);
    wa_buf_init(&text, 4096);
    if (wa_request_parse(wa_sv_n(data, size), &r, &err) != WA_OK)
        return 0;
    wa_buf_addf(&text, "%s", r.package);
    if (r.op[0] != '\0')
        wa_buf_addf(&text, "(%s%s)", r.op, r.version);
    if (wa_request_parse(wa_buf_sv(&text), &back, &err) != WA_OK ||
        strcmp(r.package, back.package) != 0 || strcmp(r.op, back.op) != 0 ||
        strcmp(r.version, back.version) != 0)
        abort();
    if (wa_control_set(&c, WA_A_PACKAGE, wa_sv(r.package), &err) != WA_OK ||
        wa_control_set(&c, WA_A_VERSION, wa_sv(r.version), &err) != WA_OK)
        return 0;
    struct wa_request equal = r;
    (void)snprintf(equal.op, sizeof equal.op, "=");
    struct wa_request less = r;
    (void)snprintf(less.op, sizeof less.op, "<");
    if (wa_request_matches(&less, &c) && wa_request_matches(&equal, &c))
        abort();
    /* As a person types it, a package meets its own version, and none below it. */
    if (r.version[0] != '\0' &&
        (!wa_request_matches_typed(&equal, &c) || wa_request_matches_typed(&less, &c)))
        abort();
    return 0;
}

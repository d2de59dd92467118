/* kit.h - an enrolment kit: one JSON file with all that a new machine needs to know its server and
 * whom to trust, and a token that lets it in.
 *
 *     {"kit":1,"config":"[global]\nwapt_server = ...","certificates":"-----BEGIN...","root":"...",
 *      "token":"wapt1-...","expires":1795690000}
 *
 * It is as good as its way: whoever can change it says whom the machine trusts, and whoever reads
 * it can register a machine while the token lasts. It never holds a private key.
 */
#ifndef WA_PROTO_KIT_H
#define WA_PROTO_KIT_H

#include "base/arena.h"
#include "base/buf.h"
#include "crypto/cert.h"

struct wa_kit {
    struct wa_sv config;   /* text of wapt-get.ini, with an https wapt_server */
    struct wa_sv root;     /* root.json; "": none */
    struct wa_sv token;    /* good until expires, s since 1970 */
    struct wa_certs trust; /* certificates for packages; owned */
    int64_t expires;
};
void wa_kit_fini(struct wa_kit *k);
#define WA_AUTO_KIT WA_CLEANUP(wa_kit_fini)
/* Form, and that the parts are what they should be. Texts live in arena; ret: initialised with
 * zeros. WA_E_INVALID. */
WA_CHECK enum wa_code wa_kit_read(struct wa_sv json, struct wa_arena *arena, struct wa_kit *ret,
                                  struct wa_err *err);
/* out should be a secret buffer. WA_E_INVALID for what could not be read again. */
WA_CHECK enum wa_code wa_kit_write(const struct wa_kit *k, struct wa_buf *out, struct wa_err *err);
/* wapt_server of the configuration; name: room for n bytes. */
WA_CHECK enum wa_code wa_kit_server(struct wa_sv config, char *name, size_t n, struct wa_err *err);

#endif

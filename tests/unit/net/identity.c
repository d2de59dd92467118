/* identity.c - the identities of support.h. */
#include "support.h"

void identity_new(struct identity *i, int kind, const char *cn, const char *const *names,
                  const struct identity *issuer)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_cert *cert = NULL;
    const struct wa_cert_request request = {.cn = cn,
                                            .is_ca = (kind & IDENTITY_CA) != 0,
                                            .path_length = -1,
                                            .server_auth = (kind & IDENTITY_SERVER) != 0,
                                            .client_auth = (kind & IDENTITY_CLIENT) != 0,
                                            .dns_names = names,
                                            .days = (kind & IDENTITY_LONG) != 0 ? 90
                                                    : (kind & IDENTITY_CA) != 0 ? 60
                                                                                : 30};
    *i = (struct identity){.key = NULL};
    wa_buf_init(&i->pem, 65536);
    if ((kind & IDENTITY_RSA) != 0)
        must(wa_key_new_rsa(2048, &i->key, &err));
    else
        must(wa_key_new_p256(&i->key, &err));
    must(wa_cert_issue(&request, i->key, issuer != NULL ? issuer->chain.items[0] : NULL,
                       issuer != NULL ? issuer->key : NULL, &cert, &err));
    must(wa_certs_add(&i->chain, cert, &err));
    must(wa_cert_write_pem(cert, &i->pem, &err));
    wa_cert_free(cert);
}

void identity_free(struct identity *i)
{
    wa_key_free(i->key);
    wa_certs_fini(&i->chain);
    wa_buf_fini(&i->pem);
}

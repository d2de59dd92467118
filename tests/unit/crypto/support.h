/* support.h - what the tests of src/crypto share: vectors, certificates made on the spot, the error
 * queue. */
#ifndef TEST_CRYPTO_SUPPORT_H
#define TEST_CRYPTO_SUPPORT_H

#include "testlib.h"

#include <openssl/err.h>

#include "base/date.h"
#include "base/mem.h"
#include "crypto/trust.h"
#include "os/fs.h"

/* The vectors were made on 2026-11-23: they are judged a week later, for ever. */
static inline int64_t vectors_date(void)
{
    return wa_date_from_civil(2026, 12, 1, 12, 0, 0);
}

/* tests/vectors/trust/<name>, whole. The caller ends it. */
static inline void read_trust_file(const char *name, struct wa_buf *out)
{
    char path[256];
    (void)snprintf(path, sizeof path, "vectors/trust/%s", name);
    wa_test_read(path, out);
    wa_buf_adds(out, ""); /* ends it with a NUL */
}

/* Its certificates. */
static inline void read_chain(const char *name, struct wa_certs *into)
{
    WA_AUTO_BUF struct wa_buf pem;
    struct wa_err err = WA_ERR_INIT;
    read_trust_file(name, &pem);
    WA_ASSERT_OK(wa_certs_read_pem(wa_buf_sv(&pem), 64, into, &err));
}

/* What OpenSSL reports to TLS must never be a left-over of ours. */
static inline void assert_queue_empty(const char *after)
{
    if (ERR_peek_error() != 0)
        fail_msg("%s left an error in OpenSSL's queue: %s", after,
                 ERR_reason_error_string(ERR_peek_error()));
}

static inline struct wa_key *new_p256(void)
{
    struct wa_key *key = NULL;
    struct wa_err err = WA_ERR_INIT;
    WA_ASSERT_OK(wa_key_new_p256(&key, &err));
    return key;
}

/* A certificate for key; self-signed when issuer is NULL. */
static inline struct wa_cert *issue(struct wa_cert_request what, const struct wa_key *key,
                                    const struct wa_cert *issuer, const struct wa_key *issuer_key)
{
    struct wa_cert *c = NULL;
    struct wa_err err = WA_ERR_INIT;
    if (what.days == 0)
        what.days = 10;
    WA_ASSERT_OK(wa_cert_issue(&what, key, issuer, issuer_key, &c, &err));
    return c;
}

#endif

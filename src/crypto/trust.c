/* trust.c - from a signer to an anchor.
 *
 * A path is searched depth first through the anchors and the supplied certificates: every candidate
 * issuer is tried, so that two authorities of one name do not shadow each other; the number of
 * signature checks is bounded, so that nobody can make the search long. A path counts only when
 * every certificate on it, the anchor included, is in date, sound and not revoked.
 */
#include "crypto/trust.h"

#include "base/map.h"
#include "base/mem.h"
#include "crypto/crl_priv.h"
#include "crypto/ossl_priv.h"
#include "os/fs.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#define CHECKS_MAX 256u /* signature checks of one search */

struct wa_trust {
    struct wa_certs anchors;
    struct wa_map by_fingerprint; /* of anchors */
    struct wa_map revoked;
    struct wa_crls crls;
};

enum wa_code wa_trust_new(struct wa_trust **ret, struct wa_err *err)
{
    struct wa_trust *t = wa_calloc(1, sizeof *t);
    if (t == NULL)
        return wa_nomem(err);
    wa_map_init(&t->by_fingerprint, 0);
    wa_map_init(&t->revoked, 0);
    *ret = t;
    return WA_OK;
}

void wa_trust_free(struct wa_trust *t)
{
    if (t == NULL)
        return;
    wa_map_fini(&t->by_fingerprint);
    wa_map_fini(&t->revoked);
    wa_certs_fini(&t->anchors);
    wa_crls_fini(&t->crls);
    wa_free(t);
}

enum wa_code wa_trust_add(struct wa_trust *t, struct wa_cert *anchor, struct wa_err *err)
{
    if (wa_map_get(&t->by_fingerprint, wa_sv(wa_cert_fingerprint(anchor))) != NULL)
        return WA_OK;
    if (t->anchors.n >= WA_ANCHORS_MAX)
        return wa_fail(err, WA_E_LIMIT, "more than %u trusted certificates", WA_ANCHORS_MAX);
    if (wa_map_put(&t->by_fingerprint, wa_sv(wa_cert_fingerprint(anchor)), anchor, NULL, err) !=
        WA_OK)
        return err->code;
    if (wa_certs_add(&t->anchors, anchor, err) != WA_OK) {
        (void)wa_map_take(&t->by_fingerprint, wa_sv(wa_cert_fingerprint(anchor)));
        return err->code;
    }
    return WA_OK;
}

struct crl_reader {
    struct wa_trust *t;
    const char *path;
};

/* Revocation lists lie in the same files as certificates (formats.md 4.2). */
static enum wa_code read_crls(void *user, const char *name, const struct wa_stat *st,
                              struct wa_err *err)
{
    struct crl_reader *r = user;
    struct wa_sv n = wa_sv(name);
    char path[WA_PATH_MAX];
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, WA_CERTFILE_BYTES_MAX);
    if (st->is_dir || name[0] == '.' ||
        !(wa_sv_ends(n, ".crt") || wa_sv_ends(n, ".pem") || wa_sv_ends(n, ".crl")))
        return WA_OK;
    (void)snprintf(path, sizeof path, "%s/%s", r->path, name);
    if (wa_path_read(path, WA_CERTFILE_BYTES_MAX, &text, err) != WA_OK ||
        wa_crls_read_pem(wa_buf_sv(&text), &r->t->crls, err) != WA_OK)
        return wa_wrap(err, "'%s'", path);
    return WA_OK;
}

enum wa_code wa_trust_add_dir(struct wa_trust *t, const char *path, struct wa_err *err)
{
    WA_AUTO_CERTS struct wa_certs list = {0};
    if (wa_certs_read_dir(path, &list, err) != WA_OK)
        return wa_wrap(err, "reading trusted certificates");
    if (list.n == 0)
        return wa_fail(err, WA_E_CONFIG,
                       "there is no certificate in '%s': put those of your package signers there",
                       path);
    for (size_t i = 0; i < list.n; i++)
        if (wa_trust_add(t, list.items[i], err) != WA_OK)
            return err->code;
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    struct crl_reader r = {t, path};
    if (wa_dir_open(path, &dir, err) != WA_OK)
        return err->code;
    return wa_dir_list(&dir, read_crls, &r, err);
}

size_t wa_trust_count(const struct wa_trust *t)
{
    return t->anchors.n;
}

enum wa_code wa_trust_revoke(struct wa_trust *t, const char *fingerprint, struct wa_err *err)
{
    return wa_map_put(&t->revoked, wa_sv(fingerprint), t, NULL, err); /* any value but NULL */
}

/* --- one certificate --- */

static enum wa_code check_digest(X509 *x, const char *cn, struct wa_err *err)
{
    int md = NID_undef;
    if (X509_get_signature_info(x, &md, NULL, NULL, NULL) != 1) {
        ERR_clear_error();
        return wa_fail(err, WA_E_REFUSED, "certificate '%s' is signed in an unknown way", cn);
    }
    if (md == NID_sha256 || md == NID_sha384 || md == NID_sha512)
        return WA_OK;
    return wa_fail(err, WA_E_REFUSED, "certificate '%s' is signed over a weak digest", cn);
}

/* Critical extensions that nobody here understands make a certificate unusable (RFC 5280, 4.2).
 * Name constraints and policies are not evaluated here, so they may not be critical either. */
static enum wa_code check_critical(X509 *x, const char *cn, struct wa_err *err)
{
    for (int i = 0; i < X509_get_ext_count(x); i++) {
        X509_EXTENSION *ext = X509_get_ext(x, i);
        if (X509_EXTENSION_get_critical(ext) == 0)
            continue;
        int nid = OBJ_obj2nid(X509_EXTENSION_get_object(ext));
        if (nid != NID_basic_constraints && nid != NID_key_usage && nid != NID_ext_key_usage &&
            nid != NID_subject_alt_name)
            return wa_fail(err, WA_E_REFUSED,
                           "certificate '%s' has a critical extension that is not understood", cn);
        if (X509_get_ext_by_OBJ(x, X509_EXTENSION_get_object(ext), i) >= 0)
            return wa_fail(err, WA_E_REFUSED, "certificate '%s' has an extension twice", cn);
    }
    return WA_OK;
}

/* What must hold for each certificate of a path, wherever it stands. */
static enum wa_code check_one(const struct wa_trust *t, const struct wa_cert *c, int64_t at,
                              struct wa_err *err)
{
    const char *cn = wa_cert_cn(c);
    X509 *x = wa_cert_native(c);
    if (wa_map_get(&t->revoked, wa_sv(wa_cert_fingerprint(c))) != NULL)
        return wa_fail(err, WA_E_REFUSED, "certificate '%s' (%s) is revoked", cn,
                       wa_cert_fingerprint(c));
    if (at < wa_cert_not_before(c))
        return wa_fail(err, WA_E_REFUSED,
                       "certificate '%s' is not valid yet: check this machine's clock", cn);
    if (at > wa_cert_not_after(c))
        return wa_fail(err, WA_E_REFUSED, "certificate '%s' has expired", cn);
    /* Flags are computed by OpenSSL once; broken extensions show there. */
    if ((X509_get_extension_flags(x) & EXFLAG_INVALID) != 0) {
        ERR_clear_error();
        return wa_fail(err, WA_E_REFUSED, "certificate '%s' has broken extensions", cn);
    }
    if (check_critical(x, cn, err) != WA_OK)
        return err->code;
    return check_digest(x, cn, err);
}

/* The signer itself: if it says what its key is for, signing must be among it. */
static enum wa_code check_signer(const struct wa_cert *c, struct wa_err *err)
{
    uint32_t usage =
        X509_get_key_usage(wa_cert_native(c)); /* all bits set when the extension is absent */
    if ((usage & (X509v3_KU_DIGITAL_SIGNATURE | X509v3_KU_NON_REPUDIATION)) == 0)
        return wa_fail(err, WA_E_REFUSED, "certificate '%s' is not for signing (key usage)",
                       wa_cert_cn(c));
    return WA_OK;
}

/* May issuer have issued a certificate that has below intermediates under it? */
static enum wa_code check_issuer(const struct wa_cert *issuer, unsigned below, struct wa_err *err)
{
    X509 *x = wa_cert_native(issuer);
    long pathlen = X509_get_pathlen(x);
    if (!wa_cert_is_ca(issuer))
        return wa_fail(err, WA_E_REFUSED, "'%s' issued a certificate but is not an authority",
                       wa_cert_cn(issuer));
    if ((X509_get_key_usage(x) & X509v3_KU_KEY_CERT_SIGN) == 0)
        return wa_fail(err, WA_E_REFUSED, "'%s' may not sign certificates (key usage)",
                       wa_cert_cn(issuer));
    if (pathlen >= 0 && (long)below > pathlen)
        return wa_fail(err, WA_E_REFUSED, "'%s' allows only %ld authorities below it",
                       wa_cert_cn(issuer), pathlen);
    return WA_OK;
}

/* --- the search --- */

struct search {
    const struct wa_trust *t;
    const struct wa_certs *chain;
    int64_t at;
    unsigned checks; /* signature checks made */
    const struct wa_cert *path[WA_CHAIN_MAX];
    size_t depth;
    struct wa_err why; /* the most telling refusal so far */
};

/* Keeps the first refusal of a candidate: it is nearest to the signer. */
static void note(struct search *s, const struct wa_err *err)
{
    if (s->why.code == WA_OK)
        s->why = *err;
}

static bool on_path(const struct search *s, const struct wa_cert *c)
{
    for (size_t i = 0; i < s->depth; i++)
        if (wa_cert_equal(s->path[i], c))
            return true;
    return false;
}

/* Number of authorities on the path that are not self-issued, the signer left out (RFC
 * 5280, 4.2.1.9). */
static unsigned authorities_below(const struct search *s)
{
    unsigned n = 0;
    for (size_t i = 1; i < s->depth; i++)
        n += wa_cert_is_self_issued(s->path[i]) ? 0 : 1;
    return n;
}

static bool try_issuer(struct search *s, const struct wa_cert *child, const struct wa_cert *issuer,
                       struct wa_err *err)
{
    X509 *c = wa_cert_native(child), *i = wa_cert_native(issuer);
    if (X509_NAME_cmp(X509_get_issuer_name(c), X509_get_subject_name(i)) != 0)
        return false;
    if (on_path(s, issuer) || s->checks >= CHECKS_MAX || s->depth >= WA_CHAIN_MAX)
        return false;
    s->checks++;
    int rc = X509_verify(c, wa_key_native(wa_cert_key(issuer)));
    ERR_clear_error();
    if (rc != 1) {
        (void)wa_fail(err, WA_E_REFUSED, "the signature of '%s' on certificate '%s' does not hold",
                      wa_cert_cn(issuer), wa_cert_cn(child));
        return false;
    }
    return check_one(s->t, issuer, s->at, err) == WA_OK &&
           check_issuer(issuer, authorities_below(s), err) == WA_OK &&
           wa_crls_check(&s->t->crls, child, issuer, s->at, err) == WA_OK;
}

/* Extends the path from its last certificate. Depth is bounded by WA_CHAIN_MAX, work by CHECKS_MAX.
 */
static const struct wa_cert *extend(struct search *s)
{
    const struct wa_cert *last = s->path[s->depth - 1];
    if (wa_map_get(&s->t->by_fingerprint, wa_sv(wa_cert_fingerprint(last))) != NULL)
        return last;
    const struct wa_certs *from[] = {&s->t->anchors, s->chain};
    for (size_t f = 0; f < WA_COUNT(from); f++) {
        for (size_t i = 0; i < from[f]->n; i++) {
            struct wa_err err = WA_ERR_INIT;
            const struct wa_cert *issuer = from[f]->items[i];
            if (!try_issuer(s, last, issuer, &err)) {
                if (err.code != WA_OK)
                    note(s, &err);
                continue;
            }
            s->path[s->depth++] = issuer;
            const struct wa_cert *anchor = extend(s);
            if (anchor != NULL)
                return anchor;
            s->depth--;
        }
    }
    return NULL;
}

static void fill_result(const struct wa_cert *signer, const struct wa_cert *anchor,
                        struct wa_trust_result *ret)
{
    *ret = (struct wa_trust_result){.is_pinned = signer == anchor,
                                    .may_sign_code = wa_cert_may_sign_code(signer)};
    memcpy(ret->signer_fingerprint, wa_cert_fingerprint(signer), 65);
    memcpy(ret->anchor_fingerprint, wa_cert_fingerprint(anchor), 65);
    (void)snprintf(ret->signer_cn, sizeof ret->signer_cn, "%s", wa_cert_cn(signer));
    (void)snprintf(ret->anchor_cn, sizeof ret->anchor_cn, "%s", wa_cert_cn(anchor));
}

enum wa_code wa_trust_check(const struct wa_trust *t, const struct wa_certs *chain, int64_t at,
                            struct wa_trust_result *ret, struct wa_err *err)
{
    struct search s = {.t = t, .chain = chain, .at = at, .depth = 1};
    if (t->anchors.n == 0)
        return wa_fail(err, WA_E_REFUSED,
                       "no certificate is trusted here: put those of your package signers into the "
                       "ssl directory");
    if (chain->n == 0 || chain->n > WA_CHAIN_MAX)
        return wa_fail(err, WA_E_REFUSED, "a signer's chain has 1 to %u certificates",
                       WA_CHAIN_MAX);
    const struct wa_cert *signer = chain->items[0];
    s.path[0] = signer;
    if (check_one(t, signer, at, err) != WA_OK || check_signer(signer, err) != WA_OK)
        return err->code;
    const struct wa_cert *anchor = extend(&s);
    if (anchor == NULL && s.why.code != WA_OK) {
        *err = s.why;
        return err->code;
    }
    if (anchor == NULL)
        return wa_fail(err, WA_E_REFUSED,
                       "the certificate '%s' (%s), issued by '%s', leads to no trusted certificate",
                       wa_cert_cn(signer), wa_cert_fingerprint(signer), wa_cert_issuer(signer));
    fill_result(signer, anchor, ret);
    return WA_OK;
}

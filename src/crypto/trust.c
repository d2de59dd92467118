/* trust.c - the search for a path from a signer to an anchor of the store.
 *
 * Every certificate with the issuer's name is tried, among the anchors and the supplied ones, so
 * the answer never depends on which of two authorities of one name comes first; key identifiers
 * only decide who is tried first. The search keeps its own stack and a budget of signature checks.
 * The path ends at the first anchor: what stands above one is not looked at.
 */
#include "crypto/trust.h"

#include "crypto/key_priv.h"
#include "crypto/ossl_priv.h"
#include "crypto/trust_priv.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

/* --- the search --- */

/* Who is tried first: namesakes whose key identifier fits, then the others; each time anchors
 * before supplied ones. */
enum { PASSES = 4 };
static bool wants_fit(unsigned pass)
{
    return pass < 2;
}
static bool wants_anchors(unsigned pass)
{
    return pass % 2 == 0;
}

/* How much a refusal tells: one that a mere namesake got says little. */
enum rank { RANK_NONE, RANK_NAMESAKE, RANK_ISSUER, RANK_PATH };

struct frame {
    const struct wa_cert *cert;
    unsigned pass;
    size_t next; /* candidate of the pass */
};

struct search {
    const struct wa_trust *t;
    const struct wa_certs *chain;
    int64_t at;
    unsigned checks;
    struct frame stack[WA_CHAIN_MAX]; /* signer first */
    size_t depth;
    const struct wa_cert *without_code; /* an anchor reached, but not for code */
    struct wa_err why;                  /* the most telling refusal */
    enum rank why_rank;
};

static void note(struct search *s, enum rank rank, struct wa_err *err)
{
    if (rank > s->why_rank) {
        s->why = *err;
        s->why_rank = rank;
    }
    wa_err_clear(err);
}

static bool is_anchor(const struct wa_trust *t, const struct wa_cert *c)
{
    return wa_map_get(&t->by_fingerprint, wa_sv(c->fingerprint)) != NULL;
}

static bool is_on_path(const struct search *s, const struct wa_cert *c)
{
    for (size_t i = 0; i < s->depth; i++)
        if (wa_cert_equal(s->stack[i].cert, c))
            return true;
    return false;
}

/* Authorities on the path that are not self-issued, the signer left out (RFC 5280, 4.2.1.9). */
static size_t authorities(const struct search *s)
{
    size_t n = 0;

    for (size_t i = 1; i < s->depth; i++)
        n += s->stack[i].cert->is_self_issued ? 0 : 1;
    return n;
}

static bool fits(const struct wa_cert *child, const struct wa_cert *issuer)
{
    const ASN1_OCTET_STRING *aki = X509_get0_authority_key_id(child->x);
    const ASN1_OCTET_STRING *ski = X509_get0_subject_key_id(issuer->x);

    return aki != NULL && ski != NULL && ASN1_OCTET_STRING_cmp(aki, ski) == 0;
}

/* The next certificate with the name of the top's issuer; NULL when all have been tried. */
static const struct wa_cert *next_candidate(struct search *s)
{
    struct frame *f = &s->stack[s->depth - 1];
    const X509_NAME *name = X509_get_issuer_name(f->cert->x);

    for (; f->pass < PASSES; f->pass++, f->next = 0) {
        const struct wa_certs *from = wants_anchors(f->pass) ? &s->t->anchors : s->chain;
        while (f->next < from->n) {
            const struct wa_cert *c = from->items[f->next++];
            if (X509_NAME_cmp(name, X509_get_subject_name(c->x)) == 0 &&
                fits(f->cert, c) == wants_fit(f->pass) && !is_on_path(s, c) &&
                (wants_anchors(f->pass) || !is_anchor(s->t, c)))
                return c;
        }
    }
    return NULL;
}

/* Did issuer's key sign child? Counts against the budget. */
static enum wa_code check_signature(struct search *s, const struct wa_cert *child,
                                    const struct wa_cert *issuer, struct wa_err *err)
{
    if (issuer->key->weakness != NULL)
        return wa_fail(err, WA_E_REFUSED, "certificate '%s' is for %s", issuer->cn,
                       issuer->key->weakness);
    s->checks++;
    if (X509_verify(child->x, issuer->key->pkey) != 1)
        return wa_ossl_fail(err, WA_E_REFUSED,
                            "the signature on certificate '%s' is not by this '%s'", child->cn,
                            issuer->cn);
    ERR_clear_error();
    return WA_OK;
}

/* May issuer stand above the top of the path? Only memory that ran out is an error. */
static enum wa_code try_issuer(struct search *s, const struct wa_cert *issuer, bool *ret_ok,
                               struct wa_err *err)
{
    const struct wa_cert *child = s->stack[s->depth - 1].cert;
    enum rank rank = RANK_NAMESAKE;
    enum wa_code code = check_signature(s, child, issuer, err);

    if (code == WA_OK) {
        rank = RANK_ISSUER;
        code = wa_rule_any(s->t, issuer, s->at, err);
    }
    if (code == WA_OK)
        code = wa_rule_issuer(issuer, authorities(s), err);
    if (code == WA_OK)
        code = wa_rule_revoked(s->t, child, issuer, s->at, err);
    *ret_ok = code == WA_OK;
    if (code == WA_E_NOMEM)
        return code;
    if (code != WA_OK)
        note(s, rank, err);
    return WA_OK;
}

/* Is the top of the path, an anchor, revoked by an authority that the store knows? */
static enum wa_code check_anchor_lists(struct search *s, struct wa_err *err)
{
    const struct wa_cert *top = s->stack[s->depth - 1].cert;

    for (size_t i = 0; i < s->t->anchors.n && s->t->crls.n > 0; i++) {
        const struct wa_cert *issuer = s->t->anchors.items[i];
        if (X509_NAME_cmp(X509_get_issuer_name(top->x), X509_get_subject_name(issuer->x)) != 0)
            continue;
        if (check_signature(s, top, issuer, err) != WA_OK) {
            if (err->code == WA_E_NOMEM)
                return err->code;
            wa_err_clear(err);
        } else if (wa_rule_revoked(s->t, top, issuer, s->at, err) != WA_OK) {
            return err->code;
        }
    }
    return WA_OK;
}

/* The path has reached an anchor: do the rules that look at all of it hold? */
static enum wa_code check_path(struct search *s, bool *ret_code, struct wa_err *err)
{
    const struct wa_cert *path[WA_CHAIN_MAX];

    *ret_code = s->stack[0].cert->may_sign_code;
    for (size_t i = 0; i < s->depth; i++) {
        path[i] = s->stack[i].cert;
        *ret_code = *ret_code && (i == 0 || path[i]->may_issue_code);
    }
    if (wa_rule_names(path, s->depth, err) != WA_OK)
        return err->code;
    return check_anchor_lists(s, err);
}

/* Searches from the signer on the stack. *ret_anchor NULL: none; then s->why may say more. */
static enum wa_code find_anchor(struct search *s, const struct wa_cert **ret_anchor, bool *ret_code,
                                struct wa_err *err)
{
    *ret_anchor = NULL;
    while (s->depth > 0) {
        struct frame *top = &s->stack[s->depth - 1];
        bool is_ok = false;
        if (top->pass == 0 && top->next == 0 && is_anchor(s->t, top->cert)) {
            enum wa_code code = check_path(s, ret_code, err);
            if (code == WA_E_NOMEM)
                return code;
            if (code == WA_OK && (*ret_code || !s->stack[0].cert->may_sign_code)) {
                *ret_anchor = top->cert;
                return WA_OK;
            }
            if (code == WA_OK)
                s->without_code = top->cert; /* go on: another path may do for code */
            if (code != WA_OK)
                note(s, RANK_PATH, err);
            s->depth--;
            continue;
        }
        const struct wa_cert *issuer = s->checks < WA_TRUST_CHECKS_MAX ? next_candidate(s) : NULL;
        if (issuer != NULL && try_issuer(s, issuer, &is_ok, err) != WA_OK)
            return err->code;
        if (issuer == NULL)
            s->depth--;
        else if (is_ok && s->depth < WA_CHAIN_MAX)
            s->stack[s->depth++] = (struct frame){.cert = issuer};
    }
    *ret_anchor = s->without_code;
    *ret_code = false;
    return WA_OK;
}

static enum wa_code refuse(const struct search *s, const struct wa_cert *signer, struct wa_err *err)
{
    if (s->checks >= WA_TRUST_CHECKS_MAX)
        return wa_fail(err, WA_E_REFUSED,
                       "the certificate '%s' leads to no trusted one within %u signature checks",
                       signer->cn, WA_TRUST_CHECKS_MAX);
    if (s->why_rank == RANK_NONE)
        return wa_fail(err, WA_E_REFUSED,
                       "the certificate '%s' (%s), issued by '%s', leads to no trusted certificate",
                       signer->cn, signer->fingerprint, signer->issuer);
    *err = s->why;
    return wa_wrap(err, "the certificate '%s' leads to no trusted certificate", signer->cn);
}

enum wa_code wa_trust_check(const struct wa_trust *t, const struct wa_certs *chain, int64_t at,
                            struct wa_trust_result *ret, struct wa_err *err)
{
    struct search s = {.t = t, .chain = chain, .at = at, .depth = 1};
    const struct wa_cert *anchor = NULL;
    bool may_sign_code = false;

    if (chain->n == 0 || chain->n > WA_CHAIN_MAX)
        return wa_fail(err, WA_E_REFUSED,
                       "cannot trust a chain of %zu certificates: it must have 1 to %u", chain->n,
                       WA_CHAIN_MAX);
    const struct wa_cert *signer = chain->items[0];
    if (t->anchors.n == 0)
        return wa_fail(err, WA_E_REFUSED,
                       "no certificate is trusted here: put those of your package signers into the "
                       "trusted directory");
    if (wa_rule_any(t, signer, at, err) != WA_OK || wa_rule_signer(signer, err) != WA_OK)
        return err->code;
    s.stack[0] = (struct frame){.cert = signer};
    if (find_anchor(&s, &anchor, &may_sign_code, err) != WA_OK)
        return err->code;
    if (anchor == NULL)
        return refuse(&s, signer, err);
    *ret = (struct wa_trust_result){.is_pinned = wa_cert_equal(anchor, signer),
                                    .may_sign_code = may_sign_code,
                                    .may_order = wa_trust_may_order(t, signer->fingerprint)};
    (void)snprintf(ret->signer_fingerprint, sizeof ret->signer_fingerprint, "%s",
                   signer->fingerprint);
    (void)snprintf(ret->signer_cn, sizeof ret->signer_cn, "%s", signer->cn);
    (void)snprintf(ret->anchor_fingerprint, sizeof ret->anchor_fingerprint, "%s",
                   anchor->fingerprint);
    (void)snprintf(ret->anchor_cn, sizeof ret->anchor_cn, "%s", anchor->cn);
    return WA_OK;
}

enum wa_code wa_trust_leads(const struct wa_trust *t, const struct wa_cert *authority,
                            const struct wa_certs *helpers, int64_t at, struct wa_err *err)
{
    static const struct wa_certs none = {0};
    struct search s = {.t = t, .chain = helpers != NULL ? helpers : &none, .at = at, .depth = 1};
    const struct wa_cert *anchor = NULL;
    bool may_sign_code = false;

    if (wa_rule_any(t, authority, at, err) != WA_OK)
        return err->code;
    s.stack[0] = (struct frame){.cert = authority};
    if (find_anchor(&s, &anchor, &may_sign_code, err) != WA_OK)
        return err->code;
    return anchor != NULL ? WA_OK : refuse(&s, authority, err);
}

/* crl_keep.c - revocation lists beyond one check: which are worth keeping, and where newer ones
 * are.
 *
 * Nothing is fetched or written here. What counts of a kept list is decided when it is used, by its
 * signature; keeping only those below an anchor bounds what a hostile index can leave on the disk.
 */
#include "codec/url.h"
#include "crypto/crl.h"
#include "crypto/ossl_priv.h"
#include "crypto/trust_priv.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

enum wa_code wa_trust_crl_to_keep(const struct wa_trust *t, size_t i,
                                  const struct wa_certs *helpers, int64_t at, struct wa_buf *out,
                                  struct wa_crl_info *ret_info, bool *ret_keep, bool *ret_there,
                                  struct wa_err *err)
{
    *ret_keep = false;
    *ret_there = i < t->crls.n;
    if (i >= t->crls.n)
        return WA_OK;
    const struct wa_crl *crl = &t->crls.items[i];
    struct wa_err why = WA_ERR_INIT;
    if (crl->signer == NULL || !wa_crl_is_whole(crl->crl))
        return WA_OK;
    if (wa_trust_leads(t, crl->signer, helpers, at, &why) != WA_OK) {
        if (why.code == WA_E_NOMEM)
            return wa_nomem(err);
        return WA_OK;
    }
    if (wa_crl_describe(crl->crl, ret_info, err) != WA_OK ||
        wa_crl_put_der(crl->crl, out, err) != WA_OK)
        return err->code;
    *ret_keep = true;
    return WA_OK;
}

/* --- where to fetch --- */

static bool is_listed(const struct wa_buf *out, struct wa_sv url)
{
    struct wa_sv rest = wa_buf_sv(out), line;

    while (rest.n > 0 && wa_sv_split(&rest, '\n', &line))
        if (wa_sv_eq(line, url))
            return true;
    return false;
}

/* One name of a distribution point, if it is an address that can be fetched. */
static void add_name(const GENERAL_NAME *name, struct wa_buf *out, size_t *left)
{
    struct wa_err ignored = WA_ERR_INIT;
    struct wa_url parts;

    if (name->type != GEN_URI || *left == 0)
        return;
    struct wa_sv url = wa_sv_n(ASN1_STRING_get0_data(name->d.uniformResourceIdentifier),
                               (size_t)ASN1_STRING_length(name->d.uniformResourceIdentifier));
    if (wa_url_parse(url, &parts, &ignored) != WA_OK || is_listed(out, url))
        return;
    wa_buf_addsv(out, url);
    wa_buf_addc(out, '\n');
    --*left;
}

/* A point of another issuer's or for some reasons only is left out: its list would not be whole. */
static void add_point(const DIST_POINT *point, struct wa_buf *out, size_t *left)
{
    if (point->CRLissuer != NULL || point->reasons != NULL || point->distpoint == NULL ||
        point->distpoint->type != 0)
        return;
    for (int i = 0; i < sk_GENERAL_NAME_num(point->distpoint->name.fullname); i++)
        add_name(sk_GENERAL_NAME_value(point->distpoint->name.fullname, i), out, left);
}

enum wa_code wa_trust_crl_urls(const struct wa_trust *t, struct wa_buf *out, struct wa_err *err)
{
    size_t left = WA_CRL_URLS_MAX;

    for (size_t i = 0; i < t->anchors.n; i++) {
        CRL_DIST_POINTS *points =
            X509_get_ext_d2i(t->anchors.items[i]->x, NID_crl_distribution_points, NULL, NULL);
        for (int k = 0; k < sk_DIST_POINT_num(points); k++) /* none: -1 */
            add_point(sk_DIST_POINT_value(points, k), out, &left);
        CRL_DIST_POINTS_free(points);
        if (points == NULL && wa_ossl_ran_out())
            return wa_nomem(err);
        ERR_clear_error(); /* a point that can't be read is none */
    }
    return wa_buf_check(out, err);
}

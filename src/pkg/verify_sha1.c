/* verify_sha1.c - the second pair of manifest and signature, over SHA-1, that WAPT writes beside
 * the first when it is told to (formats.md 1.9).
 *
 * SHA-1 proves nothing here: this pair never makes a package good, and nothing of it is used. But
 * where it is, it must hold, so that no member of a good package is one that anybody could have put
 * there.
 */
#include "pkg/verify_priv.h"

#include "codec/base64.h"
#include "crypto/digest.h"

#define MANIFEST "WAPT/manifest.sha1"
#define SIGNATURE "WAPT/signature"

static enum wa_code read_manifest(struct wa_members *m, const struct wa_verdict *v,
                                  struct wa_manifest *ret, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    WA_AUTO_BUF struct wa_buf base64;
    WA_AUTO_BUF struct wa_buf raw;
    wa_buf_init(&text, WA_MANIFEST_BYTES_MAX);
    wa_buf_init(&base64, WA_SIGNATURE_BYTES_MAX);
    wa_buf_init(&raw, WA_SIGNATURE_BYTES_MAX);
    if (wa_verify_read_small(m, MANIFEST, &text, "half of a pair", err) != WA_OK ||
        wa_verify_read_small(m, SIGNATURE, &base64, "half of a pair", err) != WA_OK ||
        wa_base64_decode(wa_buf_sv(&base64), &raw, err) != WA_OK ||
        wa_signature_check_sha1(wa_cert_key(v->chain.items[0]), wa_buf_sv(&text), wa_buf_sv(&raw),
                                err) != WA_OK)
        return err->code;
    return wa_manifest_parse_sha1(wa_buf_sv(&text), ret, err);
}

/* Names are those of the other manifest, which the members have been compared with. */
static enum wa_code check_files(struct wa_members *m, const struct wa_verdict *v,
                                const struct wa_manifest *sha1, struct wa_err *err)
{
    WA_AUTO(wa_digest) struct wa_digest *d = NULL;
    char digest[WA_DIGEST_HEX_MAX];
    if (wa_digest_new(WA_SHA1, &d, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < sha1->n; i++) {
        const struct wa_manifest_entry *e = &sha1->items[i];
        size_t at;
        if (i >= v->manifest.n || strcmp(e->name.p, v->manifest.items[i].name.p) != 0)
            return wa_fail(err, WA_E_REFUSED, "it lists '%s', and the other one does not",
                           e->name.p);
        if (!wa_members_find(m, e->name.p, &at))
            continue; /* a kept file that was cleaned away */
        if (wa_verify_digest(m, at, d, digest, err) != WA_OK)
            return err->code;
        if (strcmp(digest, e->digest) != 0)
            return wa_fail(err, WA_E_REFUSED, "it gives another digest for '%s'", e->name.p);
    }
    if (sha1->n != v->manifest.n)
        return wa_fail(err, WA_E_REFUSED, "it lists fewer files than the other one");
    return WA_OK;
}

enum wa_code wa_verify_sha1(struct wa_members *m, const struct wa_verdict *v, struct wa_err *err)
{
    WA_AUTO_MANIFEST struct wa_manifest sha1;
    size_t at;
    wa_manifest_init(&sha1);
    if (!wa_members_find(m, MANIFEST, &at) && !wa_members_find(m, SIGNATURE, &at))
        return WA_OK;
    if (read_manifest(m, v, &sha1, err) != WA_OK || check_files(m, v, &sha1, err) != WA_OK)
        return wa_wrap(err, "the manifest over SHA-1");
    return WA_OK;
}

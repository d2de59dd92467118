/* verify.c - the only door to "trusted". See verify.h for the order of checks.
 *
 * Nothing said by the members is believed before the signer's chain leads to an anchor; nothing is
 * written. Members may come from a process that lies: small ones are read once into capped buffers,
 * and what is extracted later is digested again.
 */
#include "pkg/verify_priv.h"

#include "base/mem.h"
#include "base/text.h"
#include "codec/base64.h"
#include "crypto/digest.h"
#include "os/fs.h"
#include "pkg/members_dir.h"

const char *wa_check_name(enum wa_check c)
{
    static const char *const names[] = {
        "archive", "control", "chain", "control-signature", "attributes", "manifest-signature",
        "code",    "files"};
    return c < WA_CHECK_COUNT ? names[c] : "none";
}

void wa_verdict_init(struct wa_verdict *v)
{
    *v = (struct wa_verdict){.failed = WA_CHECK_ARCHIVE};
    wa_control_init(&v->control);
    wa_manifest_init(&v->manifest);
}

void wa_verdict_fini(struct wa_verdict *v)
{
    wa_control_fini(&v->control);
    wa_manifest_fini(&v->manifest);
    wa_certs_fini(&v->chain);
    wa_verdict_init(v);
}

/* The small members that everything else hangs on. */
struct papers {
    struct wa_buf control, manifest, signature, certificate;
};

static void papers_init(struct papers *p)
{
    wa_buf_init(&p->control, WA_CONTROL_BYTES_MAX);
    wa_buf_init(&p->manifest, WA_MANIFEST_BYTES_MAX);
    wa_buf_init(&p->signature, WA_SIGNATURE_BYTES_MAX);
    wa_buf_init(&p->certificate, WA_CERTFILE_BYTES_MAX);
}

static void papers_fini(struct papers *p)
{
    wa_buf_fini(&p->control);
    wa_buf_fini(&p->manifest);
    wa_buf_fini(&p->signature);
    wa_buf_fini(&p->certificate);
}

/* --- control signature --- */

/* Attributes that must be signed whatever the signer says (F2B): they decide what runs where, and
 * who stands for it. */
static const enum wa_attr always_signed[] = {WA_A_PACKAGE,        WA_A_VERSION,
                                             WA_A_ARCHITECTURE,   WA_A_SECTION,
                                             WA_A_PRIORITY,       WA_A_DEPENDS,
                                             WA_A_CONFLICTS,      WA_A_MATURITY,
                                             WA_A_SIGNER,         WA_A_SIGNER_FINGERPRINT,
                                             WA_A_SIGNATURE_DATE, WA_A_SIGNED_ATTRIBUTES};

/* Beyond that minimum, whatever is set must be signed: an unsigned value is anybody's. */
static enum wa_code check_attributes(const struct wa_control *c, struct wa_err *err)
{
    bool listed[WA_ATTR_COUNT];
    (void)wa_control_signed_set(c, listed);
    for (size_t i = 0; i < WA_COUNT(always_signed); i++)
        if (!listed[always_signed[i]])
            return wa_fail(err, WA_E_REFUSED, "attribute '%s' is not signed",
                           wa_attr_name(always_signed[i]));
    for (size_t i = 0; i < WA_A_FILENAME; i++)
        if (i != WA_A_SIGNATURE && !listed[i] && wa_control_get(c, (enum wa_attr)i)[0] != '\0')
            return wa_fail(err, WA_E_REFUSED, "attribute '%s' has a value that is not signed",
                           wa_attr_name((enum wa_attr)i));
    return WA_OK;
}

/* Who the control says it is by: the certificate that stands for it, under its own name. */
static enum wa_code check_named(const struct wa_control *c, const struct wa_cert *signer,
                                struct wa_err *err)
{
    const char *name = wa_control_get(c, WA_A_SIGNER), *cn = wa_cert_cn(signer);
    if (wa_control_get(c, WA_A_SIGNATURE)[0] == '\0')
        return wa_fail(err, WA_E_REFUSED, "the control is not signed");
    if (strcmp(wa_control_get(c, WA_A_SIGNER_FINGERPRINT), wa_cert_fingerprint(signer)) != 0)
        return wa_fail(err, WA_E_REFUSED,
                       "the control names another signer than the certificate '%s'", cn);
    if (strcmp(name, cn) != 0)
        return wa_fail(err, WA_E_REFUSED,
                       "the control calls its signer '%s', the certificate is that of '%s'", name,
                       cn);
    if (wa_key_kind(wa_cert_key(signer)) != WA_KEY_RSA)
        return wa_fail(err, WA_E_REFUSED, "packages are signed with RSA keys, '%s' has another",
                       cn);
    return WA_OK;
}

static enum wa_code check_signature(const struct wa_control *c, const struct wa_cert *signer,
                                    bool *ret_legacy, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf bytes;
    WA_AUTO_BUF struct wa_buf raw;
    wa_buf_init(&bytes, 4 * WA_CONTROL_BYTES_MAX);
    wa_buf_init(&raw, WA_SIGNATURE_BYTES_MAX);
    if (check_named(c, signer, err) != WA_OK)
        return err->code;
    if (wa_base64_decode(wa_sv(wa_control_get(c, WA_A_SIGNATURE)), &raw, err) != WA_OK)
        return wa_wrap(err, "the control's signature");
    for (int legacy = 0; legacy < 2; legacy++) {
        struct wa_err attempt = WA_ERR_INIT;
        wa_buf_clear(&bytes);
        if (wa_control_signed_bytes(c, legacy == 1, &bytes, err) != WA_OK)
            return wa_wrap(err, "the control's signature");
        enum wa_code code =
            wa_signature_check(wa_cert_key(signer), wa_buf_sv(&bytes), wa_buf_sv(&raw), &attempt);
        if (code == WA_OK) {
            *ret_legacy = legacy == 1;
            return WA_OK;
        }
        if (code != WA_E_REFUSED) {
            *err = attempt;
            return code;
        }
    }
    return wa_fail(err, WA_E_REFUSED,
                   "the control's signature does not hold: an attribute was changed after signing");
}

enum wa_code wa_verify_control_by(const struct wa_control *c, const struct wa_cert *signer,
                                  struct wa_err *err)
{
    bool legacy = false;
    if (check_signature(c, signer, &legacy, err) != WA_OK)
        return err->code;
    return check_attributes(c, err);
}

enum wa_code wa_verify_control(const struct wa_control *c, const struct wa_certs *chain,
                               const struct wa_trust *anchors, int64_t at,
                               struct wa_trust_result *ret, struct wa_err *err)
{
    struct wa_trust_result trust;
    if (wa_trust_check(anchors, chain, at, &trust, err) != WA_OK ||
        wa_verify_control_by(c, chain->items[0], err) != WA_OK)
        return err->code;
    *ret = trust;
    return WA_OK;
}

/* --- manifest and files --- */

static enum wa_code check_manifest(const struct papers *p, struct wa_verdict *v, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf raw;
    wa_buf_init(&raw, WA_SIGNATURE_BYTES_MAX);
    if (wa_base64_decode(wa_buf_sv(&p->signature), &raw, err) != WA_OK)
        return wa_wrap(err, "the manifest's signature");
    if (wa_signature_check(wa_cert_key(v->chain.items[0]), wa_buf_sv(&p->manifest), wa_buf_sv(&raw),
                           err) != WA_OK)
        return wa_wrap(err, "the manifest");
    if (wa_sha256_hex(p->manifest.p, p->manifest.n, v->manifest_sha256, err) != WA_OK ||
        wa_sha256_hex(p->signature.p, p->signature.n, v->signature_sha256, err) != WA_OK)
        return err->code;
    return wa_manifest_parse(wa_buf_sv(&p->manifest), &v->manifest, err);
}

/* --- all of it --- */

/* The control that was judged is the one that the manifest lists: same bytes, digested from the
 * buffer, not read again. */
static enum wa_code check_paper(const struct wa_verdict *v, const char *name,
                                const struct wa_buf *bytes, struct wa_err *err)
{
    char digest[65];
    const struct wa_manifest_entry *e = wa_manifest_find(&v->manifest, name);
    if (wa_sha256_hex(bytes->p, bytes->n, digest, err) != WA_OK)
        return err->code;
    if (e == NULL || strcmp(e->digest, digest) != 0)
        return wa_fail(err, WA_E_REFUSED, "'%s' is not the one that was signed", name);
    return WA_OK;
}

/* What only an index may say of a package (its file, size and MD5) is nothing here. */
static void drop_index_attributes(struct wa_control *c)
{
    for (size_t i = WA_A_FILENAME; i < WA_ATTR_COUNT; i++)
        wa_control_unset(c, (enum wa_attr)i);
}

/* The signer: certificate, chain, and that the package is signed at all. */
static enum wa_code check_signer(struct wa_members *m, const struct wa_trust *anchors, int64_t at,
                                 struct papers *p, struct wa_verdict *v, struct wa_err *err)
{
    static const char unsigned_[] = WA_TEXT("the package is not signed over SHA-256");
    if (wa_verify_read_small(m, "WAPT/certificate.crt", &p->certificate, unsigned_, err) != WA_OK ||
        wa_verify_read_small(m, "WAPT/manifest.sha256", &p->manifest, unsigned_, err) != WA_OK ||
        wa_verify_read_small(m, "WAPT/signature.sha256", &p->signature, unsigned_, err) != WA_OK ||
        wa_certs_read_pem(wa_buf_sv(&p->certificate), WA_CHAIN_MAX, &v->chain, err) != WA_OK)
        return err->code;
    return wa_trust_check(anchors, &v->chain, at, &v->trust, err);
}

static enum wa_code run_checks(struct wa_members *m, const struct wa_trust *anchors, int64_t at,
                               bool may_miss, struct papers *p, struct wa_verify_progress *pr,
                               struct wa_verdict *v, struct wa_err *err)
{
    v->failed = WA_CHECK_ARCHIVE;
    if (wa_verify_names(m, pr, err) != WA_OK ||
        wa_verify_read_small(m, "WAPT/control", &p->control, "not a package", err) != WA_OK)
        return err->code;
    v->failed = WA_CHECK_CONTROL;
    if (wa_control_parse(wa_buf_sv(&p->control), &v->control, err) != WA_OK)
        return err->code;
    v->failed = WA_CHECK_CHAIN;
    if (check_signer(m, anchors, at, p, v, err) != WA_OK)
        return err->code;
    v->failed = WA_CHECK_CONTROL_SIGNATURE;
    if (check_signature(&v->control, v->chain.items[0], &v->is_legacy_json, err) != WA_OK)
        return err->code;
    v->failed = WA_CHECK_ATTRIBUTES;
    if (check_attributes(&v->control, err) != WA_OK)
        return err->code;
    drop_index_attributes(&v->control);
    v->failed = WA_CHECK_MANIFEST_SIGNATURE;
    if (check_manifest(p, v, err) != WA_OK)
        return err->code;
    v->failed = WA_CHECK_CODE;
    if (wa_verify_code(m, v, err) != WA_OK)
        return err->code;
    v->failed = WA_CHECK_FILES;
    if (check_paper(v, "WAPT/control", &p->control, err) != WA_OK ||
        check_paper(v, "WAPT/certificate.crt", &p->certificate, err) != WA_OK ||
        wa_verify_files(m, v, pr, may_miss, err) != WA_OK || wa_verify_sha1(m, v, err) != WA_OK)
        return err->code;
    v->failed = WA_CHECK_COUNT;
    return WA_OK;
}

static enum wa_code verify(struct wa_members *members, const struct wa_trust *anchors, int64_t at,
                           bool may_miss, struct wa_verify_progress *pr, struct wa_verdict *v,
                           struct wa_err *err)
{
    struct papers p;
    papers_init(&p);
    enum wa_code code = run_checks(members, anchors, at, may_miss, &p, pr, v, err);
    papers_fini(&p);
    v->passed = (size_t)v->failed;
    return code;
}

enum wa_code wa_verify_package(struct wa_members *members, const struct wa_trust *anchors,
                               int64_t at,
                               bool (*progress)(void *user, uint64_t done, uint64_t total),
                               void *user, struct wa_verdict *v, struct wa_err *err)
{
    struct wa_verify_progress pr = {progress, user, 0, 0};
    return verify(members, anchors, at, false, &pr, v, err);
}

enum wa_code wa_verify_tree(const struct wa_dir *dir, const struct wa_trust *anchors, int64_t at,
                            struct wa_verdict *v, struct wa_err *err)
{
    WA_AUTO(wa_dir_members) struct wa_dir_members *members = NULL;
    struct wa_verify_progress pr = {NULL, NULL, 0, 0};
    if (wa_dir_members_open(dir, &members, err) != WA_OK)
        return err->code;
    return verify(wa_dir_members_get(members), anchors, at, true, &pr, v, err);
}

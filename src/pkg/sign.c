/* sign.c - the signature of a control, who may sign what, and existing packages signed anew.
 *
 * Signing anew copies the members as they are packed; the old control, manifest, signature and
 * certificates never survive it.
 */
#include "base/date.h"
#include "codec/base64.h"
#include "codec/zip_read.h"
#include "crypto/digest.h"
#include "os/clock.h"
#include "os/rand.h"
#include "pkg/build_priv.h"
#include "pkg/version.h"

/* --- rules --- */

enum wa_code wa_signer_check(const struct wa_signer *s, struct wa_err *err)
{
    if (s->chain->n == 0 || !wa_cert_matches_key(s->chain->items[0], s->key))
        return wa_fail(err, WA_E_USAGE, "the certificate does not belong to the private key");
    if (wa_key_kind(s->key) != WA_KEY_RSA)
        return wa_fail(err, WA_E_USAGE,
                       "packages are signed with RSA keys: WAPT's agents know no other");
    int64_t now = wa_clock_now();
    const struct wa_cert *c = s->chain->items[0];
    if (now < wa_cert_not_before(c) || now > wa_cert_not_after(c))
        return wa_fail(
            err, WA_E_USAGE,
            "the certificate '%s' has expired or is not valid yet: no agent would take the package",
            wa_cert_cn(c));
    return WA_OK;
}

enum wa_code wa_signer_may_pack(const struct wa_signer *s, const char *name, struct wa_err *err)
{
    const struct wa_cert *cert = s->chain->items[0];
    if (strcmp(name, "setup.py") != 0 || wa_cert_may_sign_code(cert))
        return WA_OK;
    return wa_fail(err, WA_E_REFUSED,
                   "setup.py needs a certificate with codeSigning, which '%s' has not",
                   wa_cert_cn(cert));
}

enum wa_code wa_control_check(const struct wa_control *c, struct wa_err *err)
{
    static const char *const architectures[] = {"all", "x86", "x64"};
    const char *version = wa_control_get(c, WA_A_VERSION),
               *arch = wa_control_get(c, WA_A_ARCHITECTURE);
    if (!wa_pkgversion_is_valid(wa_sv(version)))
        return wa_fail(err, WA_E_INVALID, "version '%s' is not like 1.2.3-4", version);
    for (size_t i = 0; i < WA_COUNT(architectures); i++)
        if (strcmp(arch, architectures[i]) == 0)
            return WA_OK;
    return wa_fail(err, WA_E_INVALID, "architecture '%s' is none of all, x86, x64", arch);
}

enum wa_code wa_build_apply(struct wa_control *c, const struct wa_build_options *o,
                            struct wa_err *err)
{
    char version[WA_NAME_MAX + 1];
    if (o == NULL)
        return WA_OK;
    if (o->set_version != NULL &&
        wa_control_set(c, WA_A_VERSION, wa_sv(o->set_version), err) != WA_OK)
        return err->code;
    if (o->maturity != NULL && wa_control_set(c, WA_A_MATURITY, wa_sv(o->maturity), err) != WA_OK)
        return err->code;
    if (!o->increment_release)
        return WA_OK;
    if (wa_pkgversion_increment(wa_sv(wa_control_get(c, WA_A_VERSION)), version, err) != WA_OK)
        return err->code;
    return wa_control_set(c, WA_A_VERSION, wa_sv(version), err);
}

/* --- control --- */

static enum wa_code stamp(struct wa_control *c, const struct wa_cert *cert, bool keep_date,
                          struct wa_err *err)
{
    char uuid[37], date[WA_DATE_MAX];
    int64_t seconds;
    uint32_t us;
    wa_clock_now_us(&seconds, &us);
    wa_date_isolocal(seconds, us, date);
    bool keep = keep_date && wa_control_get(c, WA_A_SIGNATURE_DATE)[0] != '\0';
    if (wa_rand_uuid(uuid, err) != WA_OK ||
        wa_control_set(c, WA_A_PACKAGE_UUID, wa_sv(uuid), err) != WA_OK ||
        wa_control_set(c, WA_A_SIGNED_ATTRIBUTES, wa_sv(wa_control_default_signed()), err) !=
            WA_OK ||
        (!keep && wa_control_set(c, WA_A_SIGNATURE_DATE, wa_sv(date), err) != WA_OK) ||
        wa_control_set(c, WA_A_SIGNER, wa_sv(wa_cert_cn(cert)), err) != WA_OK ||
        wa_control_set(c, WA_A_SIGNER_FINGERPRINT, wa_sv(wa_cert_fingerprint(cert)), err) != WA_OK)
        return err->code;
    return WA_OK;
}

enum wa_code wa_sign_control(struct wa_control *c, const struct wa_signer *signer, bool keep_date,
                             struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf bytes;
    WA_AUTO_BUF struct wa_buf raw;
    WA_AUTO_BUF struct wa_buf b64;
    wa_buf_init(&bytes, 4 * WA_CONTROL_BYTES_MAX);
    wa_buf_init(&raw, WA_SIGNATURE_BYTES_MAX);
    wa_buf_init(&b64, WA_SIGNATURE_BYTES_MAX);
    if (stamp(c, signer->chain->items[0], keep_date, err) != WA_OK ||
        wa_control_signed_bytes(c, false, &bytes, err) != WA_OK ||
        wa_sign(signer->key, wa_buf_sv(&bytes), &raw, err) != WA_OK)
        return wa_wrap(err, "signing the control of '%s'", wa_control_get(c, WA_A_PACKAGE));
    wa_base64_encode(raw.p, raw.n, &b64);
    if (wa_buf_check(&b64, err) != WA_OK)
        return err->code;
    return wa_control_set(c, WA_A_SIGNATURE, wa_buf_sv(&b64), err);
}

/* --- an existing package --- */

static enum wa_code copy_members(struct wa_zip *zip, struct wa_output *o, const struct wa_signer *s,
                                 struct wa_manifest *m, struct wa_err *err)
{
    WA_AUTO(wa_digest) struct wa_digest *d = NULL;
    char digest[WA_DIGEST_HEX_MAX];
    if (wa_digest_new(WA_SHA256, &d, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < wa_zip_count(zip); i++) {
        const struct wa_zip_member *z = wa_zip_at(zip, i);
        struct wa_digest_sink sink;
        if (z->is_dir || wa_papers_is_generated(z->name.p))
            continue;
        wa_digest_sink_init(&sink, d, NULL);
        if (wa_signer_may_pack(s, z->name.p, err) != WA_OK ||
            wa_zip_read(zip, z, &sink.base, err) != WA_OK ||
            wa_digest_hex(d, digest, err) != WA_OK ||
            wa_manifest_add(m, &z->name, digest, err) != WA_OK ||
            wa_zip_copy(o->zip, zip, z, err) != WA_OK)
            return wa_wrap(err, "copying '%s'", z->name.p);
    }
    return WA_OK;
}

static enum wa_code read_control(struct wa_zip *zip, struct wa_control *c, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    struct wa_buf_sink sink;
    struct wa_relpath name = wa_papers_name(0);
    const struct wa_zip_member *m = wa_zip_find(zip, name.p);
    wa_buf_init(&text, WA_CONTROL_BYTES_MAX);
    wa_buf_sink_init(&sink, &text);
    if (m == NULL)
        return wa_fail(err, WA_E_INVALID, "not a package: '%s' is missing", name.p);
    if (wa_zip_read(zip, m, &sink.base, err) != WA_OK)
        return err->code;
    return wa_control_parse(wa_buf_sv(&text), c, err);
}

static enum wa_code sign_again(struct wa_zip *zip, const char *dir, const char *name,
                               const struct wa_signer *signer,
                               const struct wa_build_options *options, struct wa_err *err)
{
    WA_AUTO_CONTROL struct wa_control c;
    WA_AUTO_MANIFEST struct wa_manifest m;
    WA_AUTO_OUTPUT struct wa_output o = WA_OUTPUT_INIT;
    wa_control_init(&c);
    wa_manifest_init(&m);
    if (read_control(zip, &c, err) != WA_OK || wa_build_apply(&c, options, err) != WA_OK ||
        wa_control_check(&c, err) != WA_OK ||
        wa_sign_control(&c, signer, options != NULL && options->keep_signature_date, err) !=
            WA_OK ||
        wa_output_open(&o, dir, err) != WA_OK || copy_members(zip, &o, signer, &m, err) != WA_OK)
        return err->code;
    return wa_output_commit(&o, &c, signer, &m, name, err);
}

enum wa_code wa_sign_package(const char *path, const struct wa_signer *signer,
                             const struct wa_build_options *options, struct wa_err *err)
{
    WA_AUTO(wa_zip) struct wa_zip *zip = NULL;
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    WA_AUTO_FD int fd = -1;
    struct wa_fd_source source;
    struct wa_relpath name;
    char folder[WA_PATH_MAX];
    const char *slash = strrchr(path, '/');
    int n = slash == NULL ? snprintf(folder, sizeof folder, ".")
                          : snprintf(folder, sizeof folder, "%.*s", (int)(slash - path + 1), path);
    if (n < 0 || n >= (int)sizeof folder)
        return wa_fail(err, WA_E_LIMIT, "signing: the path is too long");
    if (wa_signer_check(signer, err) != WA_OK ||
        wa_relpath_parse(wa_sv(slash == NULL ? path : slash + 1), &name, err) != WA_OK ||
        wa_dir_open(folder, &dir, err) != WA_OK || wa_file_open(&dir, &name, &fd, err) != WA_OK ||
        wa_fd_source_init(&source, fd, err) != WA_OK ||
        wa_zip_open(&source.base, &zip, err) != WA_OK ||
        sign_again(zip, folder, name.p, signer, options, err) != WA_OK)
        return wa_wrap(err, "signing '%s'", path);
    return WA_OK;
}

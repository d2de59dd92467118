/* sign.c - the signature of a control, who may sign what, and existing packages signed anew.
 *
 * Signing anew copies the members as they are packed; the old control, manifest, signature and
 * certificates never survive it.
 */
#include "base/date.h"
#include "codec/base64.h"
#include "codec/hex.h"
#include "codec/zip_read.h"
#include "crypto/digest.h"
#include "os/clock.h"
#include "os/path.h"
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
    const struct {
        enum wa_attr attr;
        const char *value;
    } wanted[] = {{WA_A_PACKAGE, o->set_package},       {WA_A_VERSION, o->set_version},
                  {WA_A_MATURITY, o->maturity},         {WA_A_TARGET_OS, o->target_os},
                  {WA_A_DEPENDS, o->set_depends},       {WA_A_CONFLICTS, o->set_conflicts},
                  {WA_A_PACKAGES_HELD, o->set_held},    {WA_A_MAINTENANCE_WINDOWS, o->set_windows},
                  {WA_A_FREEZE_PERIODS, o->set_freezes}};
    for (size_t i = 0; i < WA_COUNT(wanted); i++)
        if (wanted[i].value != NULL &&
            wa_control_set(c, wanted[i].attr, wa_sv(wanted[i].value), err) != WA_OK)
            return err->code;
    if (!o->increment_release)
        return WA_OK;
    if (wa_pkgversion_increment(wa_sv(wa_control_get(c, WA_A_VERSION)), version, err) != WA_OK)
        return err->code;
    return wa_control_set(c, WA_A_VERSION, wa_sv(version), err);
}

/* --- control --- */

enum wa_code wa_build_date(struct wa_control *c, const struct wa_build_options *o,
                           int64_t *ret_mtime, struct wa_err *err)
{
    const char *old = wa_control_get(c, WA_A_SIGNATURE_DATE);
    char date[WA_DATE_MAX];
    int64_t seconds = o != NULL ? o->date : 0;
    uint32_t us = 0;
    if (o != NULL && o->keep_signature_date && old[0] != '\0') {
        if (!wa_date_parse_iso(wa_sv(old), &seconds))
            seconds = 0; /* another form of old: the archive's own dates mean nothing */
        *ret_mtime = seconds;
        return WA_OK;
    }
    if (seconds != 0) {
        wa_date_isoutc(seconds, 0, date);
    } else {
        wa_clock_now_us(&seconds, &us);
        wa_date_isolocal(seconds, us, date);
    }
    if (wa_control_set(c, WA_A_SIGNATURE_DATE, wa_sv(date), err) != WA_OK)
        return err->code;
    *ret_mtime = seconds;
    return WA_OK;
}

/* Of the content, the signer and the date, in the form of RFC 9562's version 8: so each signature
 * has its own, as WAPT's random ones, and the same package made twice has the same. */
static enum wa_code make_uuid(const struct wa_control *c, const struct wa_manifest *files,
                              char out[37], struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    uint8_t h[WA_SHA256_SIZE];
    char hex[33];
    wa_buf_init(&text, WA_CONTROL_BYTES_MAX + WA_MANIFEST_BYTES_MAX + 2);
    if (wa_control_write(c, false, &text, err) != WA_OK)
        return err->code;
    wa_buf_adds(&text, "\n\n");
    if ((files != NULL && wa_manifest_write(files, &text, err) != WA_OK) ||
        wa_buf_check(&text, err) != WA_OK || wa_sha256(text.p, text.n, h, err) != WA_OK)
        return err->code;
    h[6] = (uint8_t)((h[6] & 0x0f) | 0x80);
    h[8] = (uint8_t)((h[8] & 0x3f) | 0x80);
    wa_hex_encode(h, 16, hex);
    (void)snprintf(out, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
                   hex + 20);
    return WA_OK;
}

/* What all tools list, and what of ours is set. */
static enum wa_code list_signed(struct wa_control *c, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf list;
    wa_buf_init(&list, WA_CONTROL_BYTES_MAX);
    wa_buf_adds(&list, wa_control_default_signed());
    for (size_t i = 0; i < WA_A_FILENAME; i++)
        if (wa_attr_is_ours((enum wa_attr)i) && wa_control_get(c, (enum wa_attr)i)[0] != '\0')
            wa_buf_addf(&list, ",%s", wa_attr_name((enum wa_attr)i));
    return wa_buf_check(&list, err) == WA_OK
               ? wa_control_set(c, WA_A_SIGNED_ATTRIBUTES, wa_buf_sv(&list), err)
               : err->code;
}

static enum wa_code stamp(struct wa_control *c, const struct wa_cert *cert,
                          const struct wa_manifest *files, struct wa_err *err)
{
    char uuid[37];
    int64_t ignored;
    wa_control_unset(c, WA_A_SIGNATURE);
    wa_control_unset(c, WA_A_PACKAGE_UUID);
    if ((wa_control_get(c, WA_A_SIGNATURE_DATE)[0] == '\0' &&
         wa_build_date(c, NULL, &ignored, err) != WA_OK) ||
        list_signed(c, err) != WA_OK ||
        wa_control_set(c, WA_A_SIGNER, wa_sv(wa_cert_cn(cert)), err) != WA_OK ||
        wa_control_set(c, WA_A_SIGNER_FINGERPRINT, wa_sv(wa_cert_fingerprint(cert)), err) !=
            WA_OK ||
        make_uuid(c, files, uuid, err) != WA_OK)
        return err->code;
    return wa_control_set(c, WA_A_PACKAGE_UUID, wa_sv(uuid), err);
}

enum wa_code wa_sign_control(struct wa_control *c, const struct wa_signer *signer,
                             const struct wa_manifest *files, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf bytes;
    WA_AUTO_BUF struct wa_buf raw;
    WA_AUTO_BUF struct wa_buf b64;
    wa_buf_init(&bytes, 4 * WA_CONTROL_BYTES_MAX);
    wa_buf_init(&raw, WA_SIGNATURE_BYTES_MAX);
    wa_buf_init(&b64, WA_SIGNATURE_BYTES_MAX);
    if (stamp(c, signer->chain->items[0], files, err) != WA_OK ||
        wa_control_signed_bytes(c, false, &bytes, err) != WA_OK ||
        wa_sign(signer->key, wa_buf_sv(&bytes), &raw, err) != WA_OK)
        return wa_wrap(err, "signing the control of '%s'", wa_control_get(c, WA_A_PACKAGE));
    wa_base64_encode(raw.p, raw.n, &b64);
    if (wa_buf_check(&b64, err) != WA_OK)
        return err->code;
    return wa_control_set(c, WA_A_SIGNATURE, wa_buf_sv(&b64), err);
}

/* --- an existing package --- */

struct resigning {
    const struct wa_dir *dir;
    const char *folder;
    struct wa_relpath name; /* of the file, in dir */
    struct wa_fd_source source;
    int fd;
    struct wa_zip *zip;
    const struct wa_signer *signer;
    const struct wa_build_options *options;
};

static enum wa_code open_package(struct resigning *r, struct wa_err *err)
{
    if (wa_file_open(r->dir, &r->name, &r->fd, err) != WA_OK ||
        wa_fd_source_init(&r->source, r->fd, err) != WA_OK)
        return err->code;
    return wa_zip_open(&r->source.base, &r->zip, err);
}

/* Before another takes its place: not every system replaces a file that is open. */
static void close_package(struct resigning *r)
{
    wa_zip_free(r->zip);
    r->zip = NULL;
    wa_fd_close(&r->fd);
}

/* Is it what was checked before? The file may have been written to since. */
static enum wa_code check_listed(const struct wa_build_options *o, const char *name,
                                 const char *digest, struct wa_err *err)
{
    const struct wa_manifest_entry *e =
        o == NULL || o->only == NULL ? NULL : wa_manifest_find(o->only, name);
    if (o == NULL || o->only == NULL || (e != NULL && strcmp(e->digest, digest) == 0))
        return WA_OK;
    return wa_fail(err, WA_E_CONFLICT, "'%s' is not what was checked: the package has changed",
                   name);
}

static enum wa_code copy_members(const struct resigning *r, struct wa_output *o,
                                 struct wa_listing *l, struct wa_err *err)
{
    bool without_setup = r->options != NULL && r->options->without_setup;
    for (size_t i = 0; i < wa_zip_count(r->zip); i++) {
        const struct wa_zip_member *z = wa_zip_at(r->zip, i);
        if (z->is_dir || wa_papers_is_generated(z->name.p) ||
            (without_setup && strcmp(z->name.p, "setup.py") == 0))
            continue;
        if (wa_signer_may_pack(r->signer, z->name.p, err) != WA_OK ||
            wa_zip_read(r->zip, z, wa_listing_start(l), err) != WA_OK ||
            wa_listing_end(l, &z->name, err) != WA_OK ||
            check_listed(r->options, z->name.p, l->sha256.items[l->sha256.n - 1].digest, err) !=
                WA_OK ||
            wa_zip_copy(o->zip, r->zip, z, err) != WA_OK)
            return wa_wrap(err, "copying '%s'", z->name.p);
    }
    return WA_OK;
}

static enum wa_code read_control(struct wa_zip *zip, const struct wa_build_options *o,
                                 struct wa_control *c, struct wa_err *err)
{
    char digest[WA_SHA256_HEX];
    WA_AUTO_BUF struct wa_buf text;
    struct wa_buf_sink sink;
    struct wa_relpath name = wa_papers_name(0);
    const struct wa_zip_member *m = wa_zip_find(zip, name.p);
    wa_buf_init(&text, WA_CONTROL_BYTES_MAX);
    wa_buf_sink_init(&sink, &text);
    if (m == NULL)
        return wa_fail(err, WA_E_INVALID, "not a package: '%s' is missing", name.p);
    if (wa_zip_read(zip, m, &sink.base, err) != WA_OK ||
        wa_sha256_hex(text.p, text.n, digest, err) != WA_OK ||
        check_listed(o, name.p, digest, err) != WA_OK)
        return err->code;
    return wa_control_parse(wa_buf_sv(&text), c, err);
}

bool wa_package_has_usual_name(const struct wa_control *c, const struct wa_relpath *name)
{
    char usual[2 * WA_NAME_MAX + 1], md5[33];
    struct wa_err ignored = WA_ERR_INIT;
    if (wa_control_filename(c, NULL, usual, &ignored) != WA_OK)
        return false;
    if (strcmp(usual, name->p) == 0)
        return true;
    if (name->n < 38 || name->p[name->n - 38] != '_' ||
        !wa_hex_is(wa_sv_n(name->p + name->n - 37, 32), 32))
        return false;
    (void)snprintf(md5, sizeof md5, "%.32s", name->p + name->n - 37);
    return wa_control_filename(c, md5, usual, &ignored) == WA_OK && strcmp(usual, name->p) == 0;
}

/* The name that the file gets. */
static enum wa_code name_after(const struct resigning *r, bool had_usual,
                               const struct wa_control *now, struct wa_relpath *ret,
                               struct wa_err *err)
{
    char usual[2 * WA_NAME_MAX + 1];
    struct wa_relpath name = r->name;
    struct wa_stat st;
    struct wa_err why = WA_ERR_INIT;
    if (had_usual && (wa_control_filename(now, NULL, usual, err) != WA_OK ||
                      wa_relpath_parse(wa_sv(usual), &name, err) != WA_OK))
        return err->code;
    if (strcmp(name.p, r->name.p) != 0 && wa_file_stat(r->dir, &name, &st, &why) == WA_OK)
        return wa_fail(err, WA_E_EXISTS, "its name would be '%s', which is there already", name.p);
    *ret = name;
    return WA_OK;
}

static enum wa_code sign_again(struct resigning *r, struct wa_relpath *ret_name, struct wa_err *err)
{
    WA_AUTO_CONTROL struct wa_control c;
    WA_AUTO_LISTING struct wa_listing l;
    WA_AUTO_OUTPUT struct wa_output o = WA_OUTPUT_INIT;
    struct wa_relpath name;
    int64_t mtime = 0;
    wa_control_init(&c);
    wa_listing_init(&l);
    if (read_control(r->zip, r->options, &c, err) != WA_OK)
        return err->code;
    bool had_usual = wa_package_has_usual_name(&c, &r->name);
    if (wa_build_apply(&c, r->options, err) != WA_OK || wa_control_check(&c, err) != WA_OK ||
        name_after(r, had_usual, &c, &name, err) != WA_OK ||
        wa_build_date(&c, r->options, &mtime, err) != WA_OK ||
        wa_listing_open(&l, r->options, err) != WA_OK ||
        wa_output_open(&o, r->folder, mtime, err) != WA_OK || copy_members(r, &o, &l, err) != WA_OK)
        return err->code;
    close_package(r);
    if (wa_output_commit(&o, &c, r->signer, &l, r->name.p, err) != WA_OK)
        return err->code;
    /* First the content, then the name: there is one whole package at any moment. */
    if (strcmp(name.p, r->name.p) != 0 &&
        wa_file_rename(r->dir, &r->name, r->dir, &name, err) != WA_OK)
        return wa_wrap(err, "it is signed, but keeps its name");
    *ret_name = name;
    return WA_OK;
}

enum wa_code wa_sign_package(const char *path, const struct wa_signer *signer,
                             const struct wa_build_options *options, char *ret_path,
                             struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    struct wa_relpath name;
    char folder[WA_PATH_MAX];
    const char *last = wa_path_last(path);
    if (wa_path_dir(path, (size_t)(last - path), folder, err) != WA_OK ||
        (size_t)(last - path) + WA_RELPATH_MAX >= WA_PATH_MAX)
        return wa_fail(err, WA_E_LIMIT, "signing: the path is too long");
    struct resigning r = {
        .dir = &dir, .folder = folder, .fd = -1, .signer = signer, .options = options};
    if (wa_signer_check(signer, err) == WA_OK &&
        wa_relpath_parse(wa_sv(last), &r.name, err) == WA_OK &&
        wa_dir_open(folder, &dir, err) == WA_OK && open_package(&r, err) == WA_OK)
        (void)sign_again(&r, &name, err);
    close_package(&r);
    if (err->code != WA_OK)
        return wa_wrap(err, "signing '%s'", path);
    char made[WA_PATH_MAX]; /* path may be where the answer goes */
    int n = snprintf(made, sizeof made, "%.*s%s", (int)(last - path), path, name.p);
    if (n >= (int)sizeof made)
        return wa_fail(err, WA_E_LIMIT, "the path is too long");
    if (ret_path != NULL)
        memcpy(ret_path, made, (size_t)n + 1);
    return WA_OK;
}

/* build.c - making and signing packages.
 *
 * The package is written beside its place, verified as a stranger would, then renamed: what stands
 * under its name is whole and holds.
 */
#include "pkg/build.h"

#include "base/date.h"
#include "codec/base64.h"
#include "codec/csv.h"
#include "codec/zip_read.h"
#include "codec/zip_write.h"
#include "crypto/digest.h"
#include "os/clock.h"
#include "os/fs.h"
#include "os/rand.h"
#include "pkg/manifest.h"
#include "pkg/members_dir.h"
#include "pkg/verify.h"
#include "pkg/version.h"

#include <fcntl.h>
#include <unistd.h>

static const char control_name[] = "WAPT/control", certificate_name[] = "WAPT/certificate.crt";

static struct wa_relpath fixed(const char *name)
{
    struct wa_relpath p;
    p.n = strlen(name);
    memcpy(p.p, name, p.n + 1);
    return p;
}

/* --- control --- */

static enum wa_code check_signer(const struct wa_signer *s, struct wa_err *err)
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

enum wa_code wa_sign_control(struct wa_control *c, const struct wa_signer *signer, bool keep_date,
                             struct wa_err *err)
{
    char uuid[37], date[WA_DATE_MAX];
    int64_t seconds;
    uint32_t us;
    const struct wa_cert *cert = signer->chain->items[0];
    WA_AUTO_BUF struct wa_buf bytes;
    WA_AUTO_BUF struct wa_buf raw;
    WA_AUTO_BUF struct wa_buf b64;
    wa_buf_init(&bytes, 4 * WA_CONTROL_BYTES_MAX);
    wa_buf_init(&raw, WA_SIGNATURE_BYTES_MAX);
    wa_buf_init(&b64, WA_SIGNATURE_BYTES_MAX);
    wa_clock_now_us(&seconds, &us);
    wa_date_isolocal(seconds, us, date);
    if (keep_date && wa_control_get(c, WA_A_SIGNATURE_DATE)[0] != '\0')
        (void)snprintf(date, sizeof date, "%s", wa_control_get(c, WA_A_SIGNATURE_DATE));
    if (wa_rand_uuid(uuid, err) != WA_OK ||
        wa_control_set(c, WA_A_PACKAGE_UUID, wa_sv(uuid), err) != WA_OK ||
        wa_control_set(c, WA_A_SIGNED_ATTRIBUTES, wa_sv(wa_control_default_signed()), err) !=
            WA_OK ||
        wa_control_set(c, WA_A_SIGNATURE_DATE, wa_sv(date), err) != WA_OK ||
        wa_control_set(c, WA_A_SIGNER, wa_sv(wa_cert_cn(cert)), err) != WA_OK ||
        wa_control_set(c, WA_A_SIGNER_FINGERPRINT, wa_sv(wa_cert_fingerprint(cert)), err) !=
            WA_OK ||
        wa_control_signed_bytes(c, false, &bytes, err) != WA_OK ||
        wa_sign(signer->key, wa_buf_sv(&bytes), &raw, err) != WA_OK)
        return wa_wrap(err, "signing the control of '%s'", wa_control_get(c, WA_A_PACKAGE));
    wa_base64_encode(raw.p, raw.n, &b64);
    if (wa_buf_check(&b64, err) != WA_OK)
        return err->code;
    return wa_control_set(c, WA_A_SIGNATURE, wa_buf_sv(&b64), err);
}

static enum wa_code check_control(const struct wa_control *c, struct wa_err *err)
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

static enum wa_code apply_options(struct wa_control *c, const struct wa_build_options *o,
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

/* --- writing the archive --- */

/* The members that signing makes anew. */
static bool is_generated(const char *name)
{
    return strcmp(name, control_name) == 0 || strcmp(name, certificate_name) == 0 ||
           wa_manifest_is_unlisted(name);
}

struct output {
    struct wa_dir dir;
    char temp[64];
    int fd;
    struct wa_fd_sink sink;
    struct wa_zip_writer *zip;
};

static void output_fini(struct output *o)
{
    wa_zip_writer_free(o->zip);
    wa_fd_close(&o->fd);
    if (o->temp[0] != '\0')
        (void)unlinkat(o->dir.fd, o->temp, 0);
    wa_dir_close(&o->dir);
}

static enum wa_code output_open(struct output *o, const char *dir, struct wa_err *err)
{
    char suffix[17];
    *o = (struct output){.dir = WA_DIR_INIT, .fd = -1};
    if (wa_dir_open(dir, &o->dir, err) != WA_OK || wa_rand_hex(suffix, 8, err) != WA_OK)
        return err->code;
    (void)snprintf(o->temp, sizeof o->temp, ".wapt.%s.tmp", suffix);
    struct wa_relpath name = fixed(o->temp);
    if (wa_file_create(&o->dir, &name, 0644, &o->fd, err) != WA_OK) {
        o->temp[0] = '\0';
        return err->code;
    }
    wa_fd_sink_init(&o->sink, o->fd);
    return wa_zip_writer_new(&o->sink.base, wa_clock_now(), &o->zip, err);
}

/* Would a stranger who trusts only this signer take what was written? */
static enum wa_code output_verify(const struct output *o, const struct wa_signer *s,
                                  struct wa_err *err)
{
    WA_AUTO(wa_trust) struct wa_trust *anchors = NULL;
    WA_AUTO(wa_archive_members) struct wa_archive_members *members = NULL;
    WA_AUTO_VERDICT struct wa_verdict v;
    struct wa_fd_source source;
    wa_verdict_init(&v);
    if (wa_trust_new(&anchors, err) != WA_OK ||
        wa_trust_add(anchors, s->chain->items[0], err) != WA_OK ||
        wa_fd_source_init(&source, o->fd, err) != WA_OK ||
        wa_archive_members_open(&source.base, &members, err) != WA_OK ||
        wa_verify_package(wa_archive_members_get(members), anchors, wa_clock_now(), NULL, NULL, &v,
                          err) != WA_OK)
        return wa_wrap(err, "the package just made would be refused");
    return WA_OK;
}

/* Puts the file in place under `name`, durable. */
static enum wa_code output_commit(struct output *o, const struct wa_signer *s, const char *name,
                                  struct wa_err *err)
{
    struct wa_relpath from = fixed(o->temp), to;
    if (wa_zip_finish(o->zip, err) != WA_OK || wa_fd_sync(o->fd, err) != WA_OK ||
        output_verify(o, s, err) != WA_OK || wa_relpath_parse(wa_sv(name), &to, err) != WA_OK ||
        wa_file_rename(&o->dir, &from, &o->dir, &to, err) != WA_OK)
        return err->code;
    o->temp[0] = '\0';
    return WA_OK;
}

static enum wa_code add_signed(struct output *o, struct wa_manifest *m, const char *name,
                               const struct wa_buf *bytes, bool listed, struct wa_err *err)
{
    char digest[65];
    struct wa_relpath path = fixed(name);
    if (wa_buf_check(bytes, err) != WA_OK ||
        wa_zip_add_bytes(o->zip, &path, 0600, wa_buf_sv(bytes), err) != WA_OK)
        return err->code;
    if (!listed)
        return WA_OK;
    if (wa_sha256_hex(bytes->p, bytes->n, digest, err) != WA_OK)
        return err->code;
    return wa_manifest_add(m, &path, digest, err);
}

/* Control, certificate, manifest and signature: the end of every signed archive. m lists the files
 * that stand before. */
static enum wa_code add_papers(struct output *o, const struct wa_control *c,
                               const struct wa_signer *s, struct wa_manifest *m, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf control;
    WA_AUTO_BUF struct wa_buf chain;
    WA_AUTO_BUF struct wa_buf manifest;
    WA_AUTO_BUF struct wa_buf raw;
    WA_AUTO_BUF struct wa_buf signature;
    wa_buf_init(&control, WA_CONTROL_BYTES_MAX);
    wa_buf_init(&chain, WA_CERTFILE_BYTES_MAX);
    wa_buf_init(&manifest, WA_MANIFEST_BYTES_MAX);
    wa_buf_init(&raw, WA_SIGNATURE_BYTES_MAX);
    wa_buf_init(&signature, WA_SIGNATURE_BYTES_MAX);
    if (wa_control_write(c, false, &control, err) != WA_OK ||
        add_signed(o, m, control_name, &control, true, err) != WA_OK ||
        wa_certs_write_pem(s->chain, &chain, err) != WA_OK ||
        add_signed(o, m, certificate_name, &chain, true, err) != WA_OK ||
        wa_manifest_write(m, &manifest, err) != WA_OK ||
        wa_sign(s->key, wa_buf_sv(&manifest), &raw, err) != WA_OK)
        return err->code;
    wa_base64_encode_mime(raw.p, raw.n, &signature);
    if (add_signed(o, m, "WAPT/manifest.sha256", &manifest, false, err) != WA_OK)
        return err->code;
    return add_signed(o, m, "WAPT/signature.sha256", &signature, false, err);
}

/* --- from a source directory --- */

/* Left out of every package when at the root, as WAPT does. */
static bool is_left_out(const struct wa_relpath *name, const struct wa_build_options *o)
{
    static const char *const roots[] = {".svn", ".git", ".gitignore", "setup.pyc", "__pycache__"};
    size_t slash = name->n;
    (void)wa_sv_chr(wa_sv(name->p), '/', &slash);
    for (size_t i = 0; i < WA_COUNT(roots); i++)
        if (wa_sv_eqs(wa_sv_n(name->p, slash), roots[i]))
            return true;
    struct wa_sv rest = wa_sv(name->p), part;
    while (o != NULL && o->excludes != NULL && wa_sv_split(&rest, '/', &part))
        for (size_t i = 0; o->excludes[i] != NULL; i++)
            if (wa_fnmatch(wa_sv(o->excludes[i]), part))
                return true;
    return false;
}

static enum wa_code add_source(struct output *o, const struct wa_dir *dir,
                               const struct wa_relpath *name, struct wa_manifest *m,
                               struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    struct wa_fd_source source;
    struct wa_stat st;
    char digest[WA_DIGEST_HEX_MAX];
    if (wa_file_open(dir, name, &fd, err) != WA_OK || wa_fd_stat(fd, &st, err) != WA_OK ||
        wa_fd_source_init(&source, fd, err) != WA_OK ||
        wa_digest_source(WA_SHA256, &source.base, digest, err) != WA_OK ||
        wa_zip_add(o->zip, name, st.mode & 0777u, &source.base, err) != WA_OK)
        return wa_wrap(err, "packing '%s'", name->p);
    return wa_manifest_add(m, name, digest, err);
}

static enum wa_code add_sources(struct output *o, const struct wa_dir *dir,
                                const struct wa_members *members,
                                const struct wa_build_options *options, const struct wa_signer *s,
                                struct wa_manifest *m, struct wa_err *err)
{
    for (size_t i = 0; i < members->n; i++) {
        const struct wa_relpath *name = &members->items[i].name;
        if (is_generated(name->p) || is_left_out(name, options))
            continue;
        if (strcmp(name->p, "setup.py") == 0 && !wa_cert_may_sign_code(s->chain->items[0]))
            return wa_fail(err, WA_E_REFUSED,
                           "setup.py needs a certificate with codeSigning, which '%s' has not",
                           wa_cert_cn(s->chain->items[0]));
        if (add_source(o, dir, name, m, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

static enum wa_code read_source_control(const struct wa_dir *dir,
                                        const struct wa_build_options *options,
                                        struct wa_control *c, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    WA_AUTO_BUF struct wa_buf again;
    struct wa_relpath name = fixed(control_name);
    wa_buf_init(&text, WA_CONTROL_BYTES_MAX);
    wa_buf_init(&again, WA_CONTROL_BYTES_MAX);
    if (wa_file_read(dir, &name, WA_CONTROL_BYTES_MAX, &text, err) != WA_OK ||
        wa_control_parse(wa_buf_sv(&text), c, err) != WA_OK)
        return wa_wrap(err, "no package source");
    if (apply_options(c, options, err) != WA_OK || check_control(c, err) != WA_OK)
        return err->code;
    if (options == NULL || !options->increment_release)
        return WA_OK;
    if (wa_control_write(c, false, &again, err) != WA_OK)
        return err->code;
    return wa_file_replace(dir, &name, wa_buf_sv(&again), 0644, err);
}

static enum wa_code build(const struct wa_dir *dir, struct output *o, const char *dir_out,
                          const struct wa_signer *signer, const struct wa_build_options *options,
                          struct wa_control *c, char *ret_path, struct wa_err *err)
{
    WA_AUTO(wa_dir_members) struct wa_dir_members *members = NULL;
    WA_AUTO_MANIFEST struct wa_manifest m;
    char name[2 * WA_NAME_MAX + 1];
    wa_manifest_init(&m);
    if (read_source_control(dir, options, c, err) != WA_OK ||
        wa_dir_members_open(dir, &members, err) != WA_OK ||
        wa_sign_control(c, signer, options != NULL && options->keep_signature_date, err) != WA_OK ||
        wa_control_filename(c, NULL, name, err) != WA_OK || output_open(o, dir_out, err) != WA_OK ||
        add_sources(o, dir, wa_dir_members_get(members), options, signer, &m, err) != WA_OK ||
        add_papers(o, c, signer, &m, err) != WA_OK || output_commit(o, signer, name, err) != WA_OK)
        return err->code;
    (void)snprintf(ret_path, WA_PATH_MAX, "%s/%s", dir_out, name);
    return WA_OK;
}

enum wa_code wa_build_package(const char *source_dir, const char *dir_out,
                              const struct wa_signer *signer,
                              const struct wa_build_options *options, char *ret_path,
                              struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    WA_AUTO_CONTROL struct wa_control c;
    struct output o = {.dir = WA_DIR_INIT, .fd = -1};
    wa_control_init(&c);
    if (check_signer(signer, err) != WA_OK || wa_dir_open(source_dir, &dir, err) != WA_OK)
        return err->code;
    enum wa_code code = build(&dir, &o, dir_out, signer, options, &c, ret_path, err);
    output_fini(&o);
    return code == WA_OK ? WA_OK : wa_wrap(err, "building '%s'", source_dir);
}

/* --- without sources --- */

enum wa_code wa_build_meta(const struct wa_control *control, const char *dir_out,
                           const struct wa_signer *signer, char *ret_path, struct wa_err *err)
{
    WA_AUTO_CONTROL struct wa_control c;
    WA_AUTO_MANIFEST struct wa_manifest m;
    struct output o = {.dir = WA_DIR_INIT, .fd = -1};
    char name[2 * WA_NAME_MAX + 1];
    wa_control_init(&c);
    wa_manifest_init(&m);
    if (check_signer(signer, err) != WA_OK || wa_control_copy(control, &c, err) != WA_OK ||
        check_control(&c, err) != WA_OK || wa_sign_control(&c, signer, false, err) != WA_OK ||
        wa_control_filename(&c, NULL, name, err) != WA_OK)
        return err->code;
    enum wa_code code = output_open(&o, dir_out, err);
    if (code == WA_OK)
        code = add_papers(&o, &c, signer, &m, err);
    if (code == WA_OK)
        code = output_commit(&o, signer, name, err);
    output_fini(&o);
    if (code == WA_OK)
        (void)snprintf(ret_path, WA_PATH_MAX, "%s/%s", dir_out, name);
    return code;
}

/* --- an existing package, signed anew --- */

static enum wa_code copy_members(struct wa_zip *zip, struct output *o, const struct wa_signer *s,
                                 struct wa_manifest *m, struct wa_err *err)
{
    WA_AUTO(wa_digest) struct wa_digest *d = NULL;
    char digest[WA_DIGEST_HEX_MAX];
    if (wa_digest_new(WA_SHA256, &d, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < wa_zip_count(zip); i++) {
        const struct wa_zip_member *z = wa_zip_at(zip, i);
        struct wa_digest_sink sink;
        if (z->is_dir || is_generated(z->name.p))
            continue;
        if (strcmp(z->name.p, "setup.py") == 0 && !wa_cert_may_sign_code(s->chain->items[0]))
            return wa_fail(err, WA_E_REFUSED,
                           "setup.py needs a certificate with codeSigning, which '%s' has not",
                           wa_cert_cn(s->chain->items[0]));
        wa_digest_sink_init(&sink, d, NULL);
        if (wa_zip_read(zip, z, &sink.base, err) != WA_OK ||
            wa_digest_hex(d, digest, err) != WA_OK ||
            wa_manifest_add(m, &z->name, digest, err) != WA_OK ||
            wa_zip_copy(o->zip, zip, z, err) != WA_OK)
            return wa_wrap(err, "copying '%s'", z->name.p);
    }
    return WA_OK;
}

static enum wa_code read_zip_control(struct wa_zip *zip, struct wa_control *c, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    struct wa_buf_sink sink;
    const struct wa_zip_member *m = wa_zip_find(zip, control_name);
    wa_buf_init(&text, WA_CONTROL_BYTES_MAX);
    wa_buf_sink_init(&sink, &text);
    if (m == NULL)
        return wa_fail(err, WA_E_INVALID, "not a package: '%s' is missing", control_name);
    if (wa_zip_read(zip, m, &sink.base, err) != WA_OK)
        return err->code;
    return wa_control_parse(wa_buf_sv(&text), c, err);
}

static enum wa_code sign_again(struct wa_zip *zip, const char *path, struct output *o,
                               const struct wa_signer *signer,
                               const struct wa_build_options *options, struct wa_err *err)
{
    WA_AUTO_CONTROL struct wa_control c;
    WA_AUTO_MANIFEST struct wa_manifest m;
    char dir[WA_PATH_MAX];
    const char *slash = strrchr(path, '/');
    wa_control_init(&c);
    wa_manifest_init(&m);
    (void)snprintf(dir, sizeof dir, "%.*s", slash == NULL ? 1 : (int)(slash - path + 1),
                   slash == NULL ? "." : path);
    if (read_zip_control(zip, &c, err) != WA_OK || apply_options(&c, options, err) != WA_OK ||
        check_control(&c, err) != WA_OK ||
        wa_sign_control(&c, signer, options != NULL && options->keep_signature_date, err) !=
            WA_OK ||
        output_open(o, dir, err) != WA_OK || copy_members(zip, o, signer, &m, err) != WA_OK ||
        add_papers(o, &c, signer, &m, err) != WA_OK)
        return err->code;
    return output_commit(o, signer, slash == NULL ? path : slash + 1, err);
}

enum wa_code wa_sign_package(const char *path, const struct wa_signer *signer,
                             const struct wa_build_options *options, struct wa_err *err)
{
    WA_AUTO(wa_zip) struct wa_zip *zip = NULL;
    WA_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct wa_fd_source source;
    struct output o = {.dir = WA_DIR_INIT, .fd = -1};
    if (fd < 0)
        return wa_fail(err, WA_E_NOT_FOUND, "cannot open package '%s'", path);
    if (check_signer(signer, err) != WA_OK || wa_fd_source_init(&source, fd, err) != WA_OK ||
        wa_zip_open(&source.base, &zip, err) != WA_OK)
        return wa_wrap(err, "'%s'", path);
    enum wa_code code = sign_again(zip, path, &o, signer, options, err);
    output_fini(&o);
    return code == WA_OK ? WA_OK : wa_wrap(err, "signing '%s'", path);
}

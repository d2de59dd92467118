/* published.c - reading, judging and writing a published list.
 *
 * A list believes nobody it revokes itself: a publisher can't vouch for his own revocation.
 */
#include "repo/published.h"

#include <stdlib.h>

#include "base/date.h"
#include "base/mem.h"
#include "base/relpath.h"
#include "codec/hex.h"
#include "crypto/digest.h"

static enum wa_code read_file(const struct wa_json *j, struct wa_published_file *f,
                              struct wa_err *err)
{
    int64_t length = -1;
    struct wa_sv sha256 = {NULL, 0};
    const struct wa_json_field fields[] = {{"length", WA_WANT_I64, true, 0, &length},
                                           {"sha256", WA_WANT_SV, true, 64, &sha256}};
    if (wa_json_read(j, fields, WA_COUNT(fields), "a published file", err) != WA_OK)
        return err->code;
    if (length < 0 || (uint64_t)length > WA_PACKAGE_BYTES_MAX || !wa_hex_is(sha256, 64))
        return wa_fail(err, WA_E_INVALID, "a length or a SHA-256 that is none");
    f->length = (uint64_t)length;
    memcpy(f->sha256, sha256.p, 64);
    f->sha256[64] = '\0';
    return WA_OK;
}

/* A file beside Packages: no folder, nothing that a file system would take for another name. */
static enum wa_code check_name(struct wa_sv name, struct wa_err *err)
{
    struct wa_relpath path;
    size_t at = 0;
    if (name.n > WA_NAME_MAX || wa_sv_chr(name, '/', &at) || !wa_sv_ends(name, ".wapt"))
        return wa_fail(err, WA_E_INVALID, "it is no name of a package's file");
    return wa_relpath_parse(name, &path, err);
}

static int by_name(const void *a, const void *b)
{
    return wa_sv_cmp(((const struct wa_published_file *)a)->name,
                     ((const struct wa_published_file *)b)->name);
}

static enum wa_code read_files(const struct wa_json *object, struct wa_published *p,
                               struct wa_err *err)
{
    size_t n = wa_json_count(object);
    p->files = wa_arena_alloc(&p->arena, n + 1, sizeof *p->files);
    if (p->files == NULL)
        return wa_nomem(err);
    for (size_t i = 0; i < n; i++) {
        struct wa_published_file *f = &p->files[i];
        f->name = wa_json_key_at(object, i);
        if (check_name(f->name, err) != WA_OK || read_file(wa_json_at(object, i), f, err) != WA_OK)
            return wa_wrap(err, "'%.*s'", WA_SV_ARG(f->name));
    }
    p->file_count = n;
    if (n > 1)
        qsort(p->files, n, sizeof *p->files, by_name);
    return WA_OK;
}

static enum wa_code check_form(const struct wa_published *p, int64_t format, struct wa_err *err)
{
    if (format != 1)
        return wa_fail(err, WA_E_INVALID, "format %lld is not known here: a newer version reads it",
                       (long long)format);
    if (!wa_hex_is(wa_sv(p->repository), 32) || p->version < 1 || p->issued < 0 ||
        p->expires <= p->issued)
        return wa_fail(err, WA_E_INVALID, "its repository, version or dates make no sense");
    for (size_t i = 0; i < wa_json_count(p->revoked); i++)
        if (!wa_hex_is(wa_json_sv(wa_json_at(p->revoked, i)), 64))
            return wa_fail(err, WA_E_INVALID, "'revoked' lists something that is no SHA-256");
    return WA_OK;
}

static enum wa_code read_text(struct wa_published *p, struct wa_err *err)
{
    struct wa_sv purpose, repository = {NULL, 0};
    const struct wa_json *index = NULL, *packages = NULL;
    int64_t format = 0;
    const struct wa_json_field fields[] = {
        {"purpose", WA_WANT_SV, true, 32, &purpose},
        {"format", WA_WANT_I64, true, 0, &format},
        {"repository", WA_WANT_SV, true, 32, &repository},
        {"version", WA_WANT_I64, true, 0, &p->version},
        {"issued", WA_WANT_I64, true, 0, &p->issued},
        {"expires", WA_WANT_I64, true, 0, &p->expires},
        {"index", WA_WANT_OBJECT, true, 0, &index},
        {"packages", WA_WANT_OBJECT, true, 0, &packages},
        {"revoked", WA_WANT_ARRAY, true, WA_PUBLISHED_REVOKED_MAX, &p->revoked},
    };
    if (wa_json_read(p->document.statement, fields, WA_COUNT(fields), "a published list", err) !=
            WA_OK ||
        read_file(index, &p->index, err) != WA_OK)
        return err->code;
    if (p->index.length > WA_INDEX_PACKED_BYTES_MAX)
        return wa_fail(err, WA_E_LIMIT, "an index of more than %u bytes",
                       WA_INDEX_PACKED_BYTES_MAX);
    (void)snprintf(p->repository, sizeof p->repository, "%.*s", WA_SV_ARG(repository));
    if (read_files(packages, p, err) != WA_OK)
        return err->code;
    return check_form(p, format, err);
}

enum wa_code wa_published_read(struct wa_sv json, struct wa_published **ret, struct wa_err *err)
{
    WA_AUTO(wa_published) struct wa_published *p = wa_calloc(1, sizeof *p);
    if (p == NULL)
        return wa_nomem(err);
    wa_arena_init(&p->arena, WA_METADATA_MEMORY_MAX);
    p->length = json.n;
    p->index.name = WA_SV("Packages");
    if (wa_signed_read(json, WA_PUBLISHED_BYTES_MAX, WA_PUBLISHED_PURPOSE, &p->arena, &p->document,
                       err) != WA_OK ||
        read_text(p, err) != WA_OK || wa_sha256_hex(json.p, json.n, p->sha256, err) != WA_OK)
        return wa_wrap(err, "the published list can't be read");
    *ret = WA_TAKE(p);
    return WA_OK;
}

void wa_published_free(struct wa_published *p)
{
    if (p == NULL)
        return;
    wa_arena_fini(&p->arena);
    wa_free(p);
}

/* --- believing --- */

static enum wa_code check_dates(const struct wa_published *p, const struct wa_root *root,
                                int64_t now, struct wa_err *err)
{
    char date[WA_DATE_MAX];
    wa_date_rfc3339(now >= p->expires ? p->expires : p->issued, date);
    if (now >= p->expires)
        return wa_fail(err, WA_E_REFUSED,
                       "published list %lld expired on %s: publish again (wapt-repo publish)",
                       (long long)p->version, date);
    if (p->issued > now + WA_METADATA_SKEW_S)
        return wa_fail(err, WA_E_REFUSED,
                       "published list %lld is of %s, which has not come yet: is the clock right?",
                       (long long)p->version, date);
    if (p->expires - p->issued > root->published_days * 86400)
        return wa_fail(err, WA_E_REFUSED,
                       "published list %lld is good for longer than the %lld days the root allows",
                       (long long)p->version, (long long)root->published_days);
    return WA_OK;
}

/* The one who signed, whose certificate is in date. */
static enum wa_code find_publisher(const struct wa_published *p, const struct wa_root *root,
                                   int64_t now, const struct wa_root_signer **ret,
                                   struct wa_err *err)
{
    for (size_t i = 0; i < root->signer_count; i++) {
        const struct wa_root_signer *s = &root->signers[i];
        struct wa_signed_key key = {.key = wa_cert_key(s->cert)};
        size_t n = 0;
        memcpy(key.id, wa_cert_fingerprint(s->cert), sizeof key.id);
        if (!s->may_publish || wa_published_revokes(p, key.id) ||
            now < wa_cert_not_before(s->cert) || now >= wa_cert_not_after(s->cert))
            continue;
        if (wa_signed_count(&p->document, &key, 1, &n, err) != WA_OK)
            return err->code;
        if (n == 1) {
            *ret = s;
            return WA_OK;
        }
    }
    return wa_fail(err, WA_E_REFUSED,
                   "published list %lld is signed by nobody who may publish under root version "
                   "%lld",
                   (long long)p->version, (long long)root->version);
}

enum wa_code wa_published_check_signer(const struct wa_published *p, const struct wa_root *root,
                                       int64_t now, const struct wa_root_signer **ret_by,
                                       struct wa_err *err)
{
    const struct wa_root_signer *by = NULL;
    if (strcmp(p->repository, root->repository) != 0)
        return wa_fail(err, WA_E_REFUSED, "published list %lld is of another repository",
                       (long long)p->version);
    if (find_publisher(p, root, now, &by, err) != WA_OK)
        return err->code;
    if (ret_by != NULL)
        *ret_by = by;
    return WA_OK;
}

enum wa_code wa_published_check(const struct wa_published *p, const struct wa_root *root,
                                int64_t now, const struct wa_root_signer **ret_by,
                                struct wa_err *err)
{
    const struct wa_root_signer *by = NULL;
    if (wa_published_check_signer(p, root, now, &by, err) != WA_OK ||
        check_dates(p, root, now, err) != WA_OK)
        return err->code;
    if (ret_by != NULL)
        *ret_by = by;
    return WA_OK;
}

const struct wa_published_file *wa_published_find(const struct wa_published *p, struct wa_sv name)
{
    const struct wa_published_file key = {.name = name};
    if (p->file_count == 0)
        return NULL;
    return bsearch(&key, p->files, p->file_count, sizeof *p->files, by_name);
}

bool wa_published_revokes(const struct wa_published *p, const char *fingerprint)
{
    for (size_t i = 0; i < wa_json_count(p->revoked); i++)
        if (wa_sv_eqs(wa_json_sv(wa_json_at(p->revoked, i)), fingerprint))
            return true;
    return false;
}

enum wa_code wa_published_revoke(const struct wa_published *p, struct wa_trust *anchors,
                                 struct wa_err *err)
{
    for (size_t i = 0; i < wa_json_count(p->revoked); i++) {
        char fingerprint[65];
        (void)snprintf(fingerprint, sizeof fingerprint, "%.*s",
                       WA_SV_ARG(wa_json_sv(wa_json_at(p->revoked, i))));
        if (wa_trust_revoke(anchors, fingerprint, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

/* --- writing --- */

static void write_file(struct wa_jw *w, struct wa_sv name, const struct wa_published_file *f)
{
    wa_jw_keysv(w, name);
    wa_jw_obj(w);
    wa_jw_kvi(w, "length", (int64_t)f->length);
    wa_jw_kv(w, "sha256", f->sha256);
    wa_jw_end(w);
}

enum wa_code wa_published_write(const struct wa_published_what *what, struct wa_buf *out,
                                struct wa_err *err)
{
    struct wa_jw w;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "purpose", WA_PUBLISHED_PURPOSE);
    wa_jw_kvi(&w, "format", 1);
    wa_jw_kv(&w, "repository", what->repository);
    wa_jw_kvi(&w, "version", what->version);
    wa_jw_kvi(&w, "issued", what->issued);
    wa_jw_kvi(&w, "expires", what->expires);
    write_file(&w, WA_SV("index"), &what->index);
    wa_jw_key(&w, "packages");
    wa_jw_obj(&w);
    for (size_t i = 0; i < what->file_count; i++)
        write_file(&w, what->files[i].name, &what->files[i]);
    wa_jw_end(&w);
    wa_jw_key(&w, "revoked");
    wa_jw_arr(&w);
    for (size_t i = 0; i < what->revoked_count; i++)
        wa_jw_s(&w, what->revoked[i]);
    wa_jw_end(&w);
    wa_jw_end(&w);
    return wa_buf_check(out, err);
}

/* verify_files.c - the members against the manifest that a trusted signer signed, and their way to
 * the disk.
 *
 * The members may come from a process that lies: their list is checked before it is used, no read
 * may give more than it announced, and what is extracted is digested once more, so that the bytes
 * on the disk are the bytes that were signed, whatever was read before.
 */
#include "base/text.h"
#include "pkg/verify_priv.h"

#include "base/map.h"
#include "crypto/digest.h"
#include "os/fs.h"
#include "os/rand.h"

/* --- the list --- */

static enum wa_code check_name(const struct wa_member *m, struct wa_map *seen, struct wa_err *err)
{
    struct wa_relpath again;
    char folded[WA_RELPATH_MAX + 1];
    void *old = NULL;
    if (m->name.n > WA_RELPATH_MAX || m->name.p[m->name.n] != '\0' ||
        wa_relpath_parse(wa_sv_n(m->name.p, m->name.n), &again, err) != WA_OK)
        return err->code == WA_OK ? wa_fail(err, WA_E_INVALID, "a member has no safe name")
                                  : err->code;
    wa_relpath_fold(&again, folded);
    if (wa_map_put(seen, wa_sv(folded), seen, &old, err) != WA_OK)
        return err->code;
    if (old != NULL)
        return wa_fail(err, WA_E_INVALID, "two members are called '%s'", again.p);
    return WA_OK;
}

/* The pair over SHA-1 is in no manifest, so its size is bounded here. */
static uint64_t size_cap(const char *name)
{
    if (strcmp(name, "WAPT/signature") == 0)
        return WA_SIGNATURE_BYTES_MAX;
    return strcmp(name, "WAPT/manifest.sha1") == 0 ? WA_MANIFEST_BYTES_MAX
                                                   : WA_PACKAGE_INFLATED_MAX;
}

enum wa_code wa_verify_names(const struct wa_members *m, struct wa_verify_progress *p,
                             struct wa_err *err)
{
    WA_AUTO_MAP struct wa_map seen;
    if (wa_rand_map(&seen, err) != WA_OK)
        return err->code;
    if (m->n > WA_ZIP_MEMBERS_MAX)
        return wa_fail(err, WA_E_LIMIT, "more than %u members", WA_ZIP_MEMBERS_MAX);
    for (size_t i = 0; i < m->n; i++) {
        const struct wa_member *item = &m->items[i];
        if (check_name(item, &seen, err) != WA_OK)
            return err->code;
        if (item->is_dir) /* in no manifest: the tools that sign write none, and WAPT's take none */
            return wa_fail(err, WA_E_REFUSED, "directory '%s' was added after signing",
                           item->name.p);
        if (item->size > size_cap(item->name.p))
            return wa_fail(err, WA_E_LIMIT, "'%s' is larger than %llu bytes", item->name.p,
                           (unsigned long long)size_cap(item->name.p));
        p->total += item->size; /* both are far below 2^63 */
        if (p->total > WA_PACKAGE_INFLATED_MAX)
            return wa_fail(err, WA_E_LIMIT, "the files are larger than %llu bytes together",
                           (unsigned long long)WA_PACKAGE_INFLATED_MAX);
    }
    return WA_OK;
}

/* --- reading --- */

/* Lets no more through than was announced: a liar can't fill the disk first and be caught after. */
struct limited {
    struct wa_sink base;
    struct wa_sink *next;
    uint64_t left; /* bytes */
    const char *name;
};

static enum wa_code limited_write(struct wa_sink *s, const void *p, size_t n, struct wa_err *err)
{
    struct limited *l = (struct limited *)s;
    if (n > l->left)
        return wa_fail(err, WA_E_REFUSED, "'%s' is larger than was announced", l->name);
    l->left -= n;
    return l->next->write(l->next, p, n, err);
}

/* Exactly the announced bytes of member i into sink. */
static enum wa_code read_exactly(struct wa_members *m, size_t i, struct wa_sink *sink,
                                 struct wa_err *err)
{
    const char *name = m->items[i].name.p;
    struct limited limited = {{.write = limited_write}, sink, m->items[i].size, name};
    if (m->read(m, i, &limited.base, err) != WA_OK)
        return wa_wrap(err, "reading '%s'", name);
    if (limited.left != 0)
        return wa_fail(err, WA_E_REFUSED, "'%s' is smaller than was announced", name);
    return WA_OK;
}

enum wa_code wa_verify_read_small(struct wa_members *m, const char *name, struct wa_buf *out,
                                  const char *missing, struct wa_err *err)
{
    size_t i;
    struct wa_buf_sink sink;
    wa_buf_sink_init(&sink, out);
    if (!wa_members_find(m, name, &i))
        return wa_fail(err, WA_E_REFUSED, "%s ('%s' is missing)", wa_text(missing), name);
    if (m->items[i].size > out->max)
        return wa_fail(err, WA_E_LIMIT, "'%s' is larger than %zu bytes", name, out->max);
    return read_exactly(m, i, &sink.base, err);
}

static enum wa_code digest_into(struct wa_members *m, size_t i, struct wa_digest *d,
                                struct wa_sink *next, char out[WA_DIGEST_HEX_MAX],
                                struct wa_err *err)
{
    struct wa_digest_sink sink;
    wa_digest_sink_init(&sink, d, next);
    if (read_exactly(m, i, &sink.base, err) != WA_OK)
        return err->code;
    return wa_digest_hex(d, out, err);
}

enum wa_code wa_verify_digest(struct wa_members *m, size_t i, struct wa_digest *d,
                              char out[WA_DIGEST_HEX_MAX], struct wa_err *err)
{
    return digest_into(m, i, d, NULL, out, err);
}

/* --- code --- */

/* setup.py under any spelling that some system would take for it. */
static bool is_setup_py(const struct wa_relpath *name)
{
    char folded[WA_RELPATH_MAX + 1];
    wa_relpath_fold(name, folded);
    return strcmp(folded, "setup.py") == 0;
}

enum wa_code wa_verify_code(const struct wa_members *m, struct wa_verdict *v, struct wa_err *err)
{
    for (size_t i = 0; i < m->n; i++) {
        if (!is_setup_py(&m->items[i].name))
            continue;
        if (strcmp(m->items[i].name.p, "setup.py") != 0)
            return wa_fail(err, WA_E_REFUSED, "'%s' could be taken for setup.py",
                           m->items[i].name.p);
        v->has_setup_py = true;
    }
    if (v->has_setup_py && !v->trust.may_sign_code)
        return wa_fail(err, WA_E_REFUSED,
                       "the package holds setup.py but its signer '%s' has no codeSigning right",
                       v->trust.signer_cn);
    return WA_OK;
}

/* --- against the manifest --- */

static enum wa_code check_file(struct wa_members *m, size_t i, const struct wa_verdict *v,
                               struct wa_digest *d, struct wa_verify_progress *p,
                               struct wa_err *err)
{
    char digest[WA_DIGEST_HEX_MAX];
    const char *name = m->items[i].name.p;
    const struct wa_manifest_entry *e = wa_manifest_find(&v->manifest, name);
    if (e == NULL)
        return wa_fail(err, WA_E_REFUSED, "'%s' is not in the manifest: it was added after signing",
                       name);
    if (digest_into(m, i, d, NULL, digest, err) != WA_OK)
        return err->code;
    if (strcmp(digest, e->digest) != 0)
        return wa_fail(err, WA_E_REFUSED, "'%s' was changed after signing", name);
    p->done += m->items[i].size;
    if (p->fn != NULL && !p->fn(p->user, p->done, p->total))
        return wa_fail(err, WA_E_CANCELLED, "verification was cancelled");
    return WA_OK;
}

/* Names are unique on both sides: as many listed members as manifest entries means that none is
 * missing. */
enum wa_code wa_verify_files(struct wa_members *m, const struct wa_verdict *v,
                             struct wa_verify_progress *p, bool may_miss, struct wa_err *err)
{
    WA_AUTO(wa_digest) struct wa_digest *d = NULL;
    size_t listed = 0;
    if (wa_digest_new(WA_SHA256, &d, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < m->n; i++) {
        if (wa_manifest_is_unlisted(m->items[i].name.p))
            continue;
        if (check_file(m, i, v, d, p, err) != WA_OK)
            return err->code;
        listed++;
    }
    if (listed == v->manifest.n || may_miss)
        return WA_OK;
    size_t first = 0, at;
    while (first + 1 < v->manifest.n && wa_members_find(m, v->manifest.items[first].name.p, &at))
        first++;
    return wa_fail(err, WA_E_REFUSED, "'%s' is missing: it was removed after signing",
                   v->manifest.items[first].name.p);
}

/* --- extraction --- */

/* The digest that member `name` must have; NULL: it is not extracted. The manifest and its
 * signature are kept for the checks to come, what SHA-1 signed is not. */
static const char *wanted_digest(const struct wa_verdict *v, const struct wa_member *m)
{
    if (strcmp(m->name.p, "WAPT/manifest.sha256") == 0)
        return v->manifest_sha256;
    if (strcmp(m->name.p, "WAPT/signature.sha256") == 0)
        return v->signature_sha256;
    const struct wa_manifest_entry *e = wa_manifest_find(&v->manifest, m->name.p);
    return e == NULL ? NULL : e->digest;
}

static enum wa_code extract_one(struct wa_members *m, size_t i, const char *want,
                                const struct wa_dir *dir, struct wa_digest *d, struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    struct wa_fd_sink file;
    char digest[WA_DIGEST_HEX_MAX];
    if (wa_file_create(dir, &m->items[i].name, 0644, &fd, err) != WA_OK)
        return err->code;
    wa_fd_sink_init(&file, fd);
    if (digest_into(m, i, d, &file.base, digest, err) != WA_OK)
        return err->code;
    if (strcmp(digest, want) != 0)
        return wa_fail(err, WA_E_REFUSED, "'%s' is not what was verified", m->items[i].name.p);
    return WA_OK;
}

enum wa_code wa_extract_verified(struct wa_members *members, const struct wa_verdict *v,
                                 const struct wa_dir *dir, struct wa_err *err)
{
    WA_AUTO(wa_digest) struct wa_digest *d = NULL;
    size_t written = 0;
    if (v->failed != WA_CHECK_COUNT)
        return wa_fail(err, WA_E_INTERNAL, "a package that was not verified can't be extracted");
    if (wa_digest_new(WA_SHA256, &d, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < members->n; i++) {
        const char *want = wanted_digest(v, &members->items[i]);
        if (want == NULL)
            continue;
        if (extract_one(members, i, want, dir, d, err) != WA_OK)
            return wa_wrap(err, "extracting the package");
        written++;
    }
    if (written != v->manifest.n + 2) /* the manifest's own two */
        return wa_fail(err, WA_E_REFUSED, "extracting the package: it is not the one verified");
    return WA_OK;
}

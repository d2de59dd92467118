/* publish.c - the metadata's files in a repository's directory.
 *
 * The order of writing keeps a reader who is between two states whole: what a document names is
 * there before the document, and the timestamp comes last.
 */
#include "repo/publish.h"
#include "base/text.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/vec.h"
#include "crypto/digest.h"
#include "pkg/index.h"

#define KEPT_LISTS 3

enum wa_code wa_publish_read(const struct wa_dir *dir, const char *name, size_t max,
                             struct wa_buf *out, struct wa_err *err)
{
    struct wa_relpath path;
    if (wa_relpath_parse(wa_sv(name), &path, err) != WA_OK)
        return err->code;
    return wa_file_read(dir, &path, max, out, err);
}

enum wa_code wa_publish_write(const struct wa_dir *dir, const char *name, struct wa_sv bytes,
                              struct wa_err *err)
{
    struct wa_relpath path;
    if (wa_relpath_parse(wa_sv(name), &path, err) != WA_OK)
        return err->code;
    return wa_file_replace(dir, &path, bytes, 0644, err);
}

bool wa_publish_has_root(const struct wa_dir *dir)
{
    static const struct wa_relpath name = {"root.json", 9};
    struct wa_stat st;
    struct wa_err err = WA_ERR_INIT;
    return wa_file_stat(dir, &name, &st, &err) == WA_OK;
}

enum wa_code wa_publish_root(const struct wa_dir *dir, struct wa_root **ret, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf json;
    WA_AUTO(wa_root) struct wa_root *root = NULL;
    wa_buf_init(&json, WA_ROOT_BYTES_MAX);
    if (wa_publish_read(dir, "root.json", WA_ROOT_BYTES_MAX, &json, err) != WA_OK ||
        wa_root_read(wa_buf_sv(&json), &root, err) != WA_OK || wa_root_check(root, err) != WA_OK)
        return err->code;
    *ret = WA_TAKE(root);
    return WA_OK;
}

/* --- the newest list --- */

struct newest {
    int64_t version, mtime;
    int64_t older[64]; /* versions below, to be tidied away */
    size_t older_count;
};

static enum wa_code see_list(void *user, const char *name, const struct wa_stat *st,
                             struct wa_err *err)
{
    struct newest *n = user;
    struct wa_sv rest = wa_sv(name), number;
    uint64_t version = 0;
    WA_UNUSED(err);
    if (!st->is_file || !wa_sv_ends(rest, ".published.json") || !wa_sv_split(&rest, '.', &number) ||
        !wa_sv_eqs(rest, "published.json") || !wa_sv_u64(number, &version) || version == 0 ||
        version > INT64_MAX)
        return WA_OK;
    if (n->older_count < WA_COUNT(n->older))
        n->older[n->older_count++] = (int64_t)version;
    if ((int64_t)version > n->version) {
        n->version = (int64_t)version;
        n->mtime = st->mtime;
    }
    return WA_OK;
}

enum wa_code wa_publish_last(const struct wa_dir *dir, struct wa_published **ret,
                             int64_t *ret_mtime, struct wa_err *err)
{
    struct newest n = {.version = 0};
    char name[48];
    WA_AUTO_BUF struct wa_buf json;
    wa_buf_init(&json, WA_PUBLISHED_BYTES_MAX);
    *ret = NULL;
    if (wa_dir_list(dir, see_list, &n, err) != WA_OK || n.version == 0)
        return err->code;
    (void)snprintf(name, sizeof name, "%lld.published.json", (long long)n.version);
    if (wa_publish_read(dir, name, WA_PUBLISHED_BYTES_MAX, &json, err) != WA_OK ||
        wa_published_read(wa_buf_sv(&json), ret, err) != WA_OK)
        return wa_wrap(err, "'%s'", name);
    if (ret_mtime != NULL)
        *ret_mtime = n.mtime;
    return WA_OK;
}

/* --- describing --- */

struct proposal {
    const struct wa_dir *dir;
    const struct wa_published *last;
    int64_t last_mtime;
    bool force, is_partial;
    struct wa_buf packed; /* Packages */
    struct wa_index index;
    struct {
        WA_VEC(struct wa_published_file); /* names borrowed from index */
    } files;
};

static enum wa_code open_index(struct proposal *p, struct wa_err *err)
{
    WA_AUTO(wa_archive_members) struct wa_archive_members *members = NULL;
    struct wa_mem_source source;
    size_t bad = 0;
    if (wa_publish_read(p->dir, "Packages", WA_INDEX_PACKED_BYTES_MAX, &p->packed, err) != WA_OK)
        return wa_wrap(err, "the index (wapt-scanpackages makes it)");
    wa_mem_source_init(&source, p->packed.p, p->packed.n);
    if (wa_archive_members_open(&source.base, &members, err) != WA_OK ||
        wa_index_read(wa_archive_members_get(members), &p->index, &bad, err) != WA_OK)
        return wa_wrap(err, "the index");
    return bad == 0 ? WA_OK
                    : wa_fail(err, WA_E_INVALID,
                              wa_text_n("the index has %zu entry that can't be read",
                                        "the index has %zu entries that can't be read", bad),
                              bad);
}

static enum wa_code digest_file(const struct proposal *p, struct wa_published_file *f,
                                struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    struct wa_relpath name;
    struct wa_fd_source source;
    struct wa_stat st;
    const struct wa_published_file *known =
        p->last == NULL ? NULL : wa_published_find(p->last, f->name);
    if (wa_relpath_parse(f->name, &name, err) != WA_OK)
        return err->code;
    if (wa_file_open(p->dir, &name, &fd, err) == WA_E_NOT_FOUND && known != NULL && p->is_partial) {
        wa_err_clear(err);
        f->length = known->length;
        memcpy(f->sha256, known->sha256, sizeof f->sha256);
        return WA_OK;
    }
    if (err->code != WA_OK || wa_fd_stat(fd, &st, err) != WA_OK ||
        wa_fd_source_init(&source, fd, err) != WA_OK)
        return wa_wrap(err, "the package '%.*s' of the index", WA_SV_ARG(f->name));
    f->length = source.base.size;
    if (!p->force && known != NULL && known->length == f->length && st.mtime < p->last_mtime) {
        memcpy(f->sha256, known->sha256, sizeof f->sha256);
        return WA_OK;
    }
    return wa_digest_source(WA_SHA256, &source.base, f->sha256, err);
}

static int by_name(const void *a, const void *b)
{
    return wa_sv_cmp(((const struct wa_published_file *)a)->name,
                     ((const struct wa_published_file *)b)->name);
}

static enum wa_code describe_files(struct proposal *p, struct wa_err *err)
{
    size_t kept = 0;
    for (size_t i = 0; i < p->index.n; i++) {
        struct wa_published_file *f = WA_VEC_PUSH(&p->files);
        if (f == NULL)
            return wa_nomem(err);
        f->name = wa_sv(wa_control_get(&p->index.items[i], WA_A_FILENAME));
    }
    if (p->files.n > 1)
        qsort(p->files.items, p->files.n, sizeof p->files.items[0], by_name);
    for (size_t i = 0; i < p->files.n; i++) {
        if (kept > 0 && wa_sv_eq(p->files.items[kept - 1].name, p->files.items[i].name))
            continue;
        p->files.items[kept] = p->files.items[i];
        if (digest_file(p, &p->files.items[kept++], err) != WA_OK)
            return err->code;
    }
    p->files.n = kept;
    return WA_OK;
}

/* Those of the last list stay revoked. */
static enum wa_code collect_revoked(const struct proposal *p, const struct wa_publish_options *o,
                                    char (*texts)[65], const char **list, size_t *ret,
                                    struct wa_err *err)
{
    size_t n = 0, old = p->last == NULL ? 0 : wa_json_count(p->last->revoked);
    if (old + o->revoked_count > WA_PUBLISHED_REVOKED_MAX)
        return wa_fail(err, WA_E_LIMIT, "more than %u revoked certificates",
                       WA_PUBLISHED_REVOKED_MAX);
    for (size_t i = 0; i < old; i++) {
        (void)snprintf(texts[i], 65, "%.*s",
                       WA_SV_ARG(wa_json_sv(wa_json_at(p->last->revoked, i))));
        list[n++] = texts[i];
    }
    for (size_t i = 0; i < o->revoked_count; i++)
        if (p->last == NULL || !wa_published_revokes(p->last, o->revoked[i]))
            list[n++] = o->revoked[i];
    *ret = n;
    return WA_OK;
}

static enum wa_code write_proposal(const struct proposal *p, const struct wa_root *root,
                                   const struct wa_publish_options *o, struct wa_buf *text,
                                   struct wa_err *err)
{
    size_t revoked_count = 0;
    char(*texts)[65] = wa_calloc(WA_PUBLISHED_REVOKED_MAX, sizeof *texts);
    const char **revoked = wa_calloc(WA_PUBLISHED_REVOKED_MAX, sizeof *revoked);
    enum wa_code code = texts == NULL || revoked == NULL
                            ? wa_nomem(err)
                            : collect_revoked(p, o, texts, revoked, &revoked_count, err);
    struct wa_published_what what = {.repository = root->repository,
                                     .version = o->version,
                                     .issued = o->now,
                                     .expires = o->now + o->days * 86400,
                                     .index = {.name = WA_SV("Packages"), .length = p->packed.n},
                                     .files = p->files.items,
                                     .file_count = p->files.n,
                                     .revoked = revoked,
                                     .revoked_count = revoked_count};
    if (code == WA_OK)
        code = wa_sha256_hex(p->packed.p, p->packed.n, what.index.sha256, err);
    if (code == WA_OK)
        code = wa_published_write(&what, text, err);
    wa_free(revoked);
    wa_free(texts);
    return code;
}

enum wa_code wa_publish_propose(const struct wa_dir *dir, const struct wa_root *root,
                                const struct wa_published *last, int64_t last_mtime,
                                const struct wa_publish_options *o, struct wa_buf *text,
                                struct wa_err *err)
{
    struct proposal p = {.dir = dir,
                         .last = last,
                         .last_mtime = last_mtime,
                         .force = o->force,
                         .is_partial = o->is_partial};
    wa_buf_init(&p.packed, WA_INDEX_PACKED_BYTES_MAX);
    wa_index_init(&p.index);
    enum wa_code code = open_index(&p, err);
    if (code == WA_OK)
        code = describe_files(&p, err);
    if (code == WA_OK)
        code = write_proposal(&p, root, o, text, err);
    WA_VEC_FREE(&p.files);
    wa_index_fini(&p.index);
    wa_buf_fini(&p.packed);
    return code;
}

enum wa_code wa_publish_leave_proposal(const char *path, int64_t now, bool *ret_made,
                                       struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    WA_AUTO(wa_root) struct wa_root *root = NULL;
    WA_AUTO(wa_published) struct wa_published *last = NULL;
    WA_AUTO_BUF struct wa_buf text;
    WA_AUTO_BUF struct wa_buf json;
    struct wa_publish_options o = {.version = 1, .now = now};
    int64_t mtime = 0;
    wa_buf_init(&text, WA_PUBLISHED_BYTES_MAX);
    wa_buf_init(&json, WA_PUBLISHED_BYTES_MAX);
    *ret_made = false;
    if (wa_dir_open(path, &dir, err) != WA_OK)
        return err->code;
    if (!wa_publish_has_root(&dir))
        return WA_OK;
    if (wa_publish_root(&dir, &root, err) != WA_OK ||
        wa_publish_last(&dir, &last, &mtime, err) != WA_OK)
        return wa_wrap(err, "the proposal");
    if (last != NULL && last->version < INT64_MAX)
        o.version = last->version + 1;
    o.days = root->published_days;
    if (wa_publish_propose(&dir, root, last, mtime, &o, &text, err) != WA_OK ||
        wa_signed_none(wa_buf_sv(&text), &json, err) != WA_OK ||
        wa_publish_write(&dir, WA_PROPOSAL_NAME, wa_buf_sv(&json), err) != WA_OK)
        return wa_wrap(err, "the proposal");
    *ret_made = true;
    return WA_OK;
}

/* --- putting in place --- */

void wa_publish_tidy(const struct wa_dir *dir, int64_t version)
{
    static const char *const kinds[] = {"published.json", "Packages"};
    struct newest n = {.version = 0};
    struct wa_err err = WA_ERR_INIT;
    if (wa_dir_list(dir, see_list, &n, &err) != WA_OK)
        return; /* the next time */
    for (size_t i = 0; i < n.older_count; i++)
        for (size_t k = 0; k < WA_COUNT(kinds) && n.older[i] <= version - KEPT_LISTS; k++) {
            char name[48];
            struct wa_relpath path;
            struct wa_err why = WA_ERR_INIT;
            (void)snprintf(name, sizeof name, "%lld.%s", (long long)n.older[i], kinds[k]);
            if (wa_relpath_parse(wa_sv(name), &path, &why) == WA_OK)
                (void)(wa_file_remove(dir, &path, &why) == WA_OK);
        }
}

enum wa_code wa_publish_put(const struct wa_dir *dir, struct wa_sv json, struct wa_err *err)
{
    WA_AUTO(wa_published) struct wa_published *p = NULL;
    WA_AUTO_BUF struct wa_buf packed;
    char name[48], sha256[65];
    wa_buf_init(&packed, WA_INDEX_PACKED_BYTES_MAX);
    if (wa_published_read(json, &p, err) != WA_OK ||
        wa_publish_read(dir, "Packages", WA_INDEX_PACKED_BYTES_MAX, &packed, err) != WA_OK ||
        wa_sha256_hex(packed.p, packed.n, sha256, err) != WA_OK)
        return err->code;
    if (packed.n != p->index.length || strcmp(sha256, p->index.sha256) != 0)
        return wa_fail(err, WA_E_CONFLICT,
                       "the index has changed since the list was made: make it again");
    (void)snprintf(name, sizeof name, "%lld.Packages", (long long)p->version);
    if (wa_publish_write(dir, name, wa_buf_sv(&packed), err) != WA_OK)
        return err->code;
    (void)snprintf(name, sizeof name, "%lld.published.json", (long long)p->version);
    if (wa_publish_write(dir, name, json, err) != WA_OK)
        return err->code;
    wa_publish_tidy(dir, p->version);
    return WA_OK;
}

enum wa_code wa_publish_put_root(const struct wa_dir *dir, struct wa_sv json, struct wa_err *err)
{
    WA_AUTO(wa_root) struct wa_root *r = NULL;
    char name[48];
    if (wa_root_read(json, &r, err) != WA_OK)
        return err->code;
    (void)snprintf(name, sizeof name, "%lld.root.json", (long long)r->version);
    if (wa_publish_write(dir, name, json, err) != WA_OK)
        return err->code;
    return wa_publish_write(dir, "root.json", json, err);
}

enum wa_code wa_publish_stamp(const struct wa_dir *dir, const struct wa_key *key, int64_t now,
                              struct wa_err *err)
{
    WA_AUTO(wa_root) struct wa_root *root = NULL;
    WA_AUTO(wa_published) struct wa_published *last = NULL;
    WA_AUTO_BUF struct wa_buf json;
    struct wa_timestamp t = {.issued = now}, seen;
    wa_buf_init(&json, WA_TIMESTAMP_BYTES_MAX);
    if (wa_publish_root(dir, &root, err) != WA_OK ||
        wa_publish_last(dir, &last, NULL, err) != WA_OK)
        return err->code;
    if (last == NULL)
        return wa_fail(err, WA_E_NOT_FOUND, "nothing is published yet: wapt-repo publish");
    memcpy(t.repository, root->repository, sizeof t.repository);
    memcpy(t.sha256, last->sha256, sizeof t.sha256);
    t.expires = now + root->timestamp_hours * 3600;
    t.version = last->version;
    t.length = last->length;
    if (wa_timestamp_sign(&t, key, &json, err) != WA_OK ||
        wa_timestamp_open(wa_buf_sv(&json), root, now, &seen, err) != WA_OK)
        return err->code;
    return wa_publish_write(dir, "timestamp.json", wa_buf_sv(&json), err);
}

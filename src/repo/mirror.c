/* mirror.c - a run of a mirror: the documents, the index, and the moment at which all of it
 * changes.
 *
 * For whoever looks meanwhile: packages are there before an index names them, the index and the
 * list before a timestamp does. What is accepted is remembered at once, the root first, so that no
 * later run goes back behind it; what machines see changes only when everything is there.
 */
#include "repo/mirror_priv.h"

#include "crypto/digest.h"
#include "os/proc.h"
#include "repo/publish.h"

static const struct wa_relpath own_name = {".mirror", 7};

static enum wa_code fetch_text(const struct wa_mirror_job *j, const char *name, size_t max,
                               struct wa_buf *out, bool *ret_found, struct wa_err *err)
{
    struct wa_buf_sink sink;
    wa_buf_clear(out);
    wa_buf_sink_init(&sink, out);
    *ret_found = false;
    if (j->o->fetch(j->o->fetch_user, name, 0, max, &sink.base, ret_found, err) != WA_OK)
        return wa_wrap(err, "'%s'", name);
    return wa_buf_check(out, err);
}

/* Absence is no error. */
static enum wa_code read_text(const struct wa_dir *dir, const char *name, size_t max,
                              struct wa_buf *out, bool *ret_found, struct wa_err *err)
{
    struct wa_err why = WA_ERR_INIT;
    wa_buf_clear(out);
    enum wa_code code = wa_publish_read(dir, name, max, out, &why);
    *ret_found = code == WA_OK;
    if (code == WA_OK || code == WA_E_NOT_FOUND)
        return WA_OK;
    *err = why;
    return code;
}

static bool is_same(struct wa_sv a, struct wa_sv b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* A file that is as it should be keeps its date: who asks by it need not fetch it again. */
static enum wa_code put(const struct wa_mirror_job *j, const char *name, struct wa_sv bytes,
                        struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf there;
    struct wa_err ignored = WA_ERR_INIT;
    wa_buf_init(&there, bytes.n);
    if (wa_publish_read(&j->dir, name, bytes.n, &there, &ignored) == WA_OK &&
        is_same(wa_buf_sv(&there), bytes))
        return WA_OK;
    return wa_publish_write(&j->dir, name, bytes, err);
}

/* --- the documents --- */

static enum wa_code begin(struct wa_mirror_job *j, struct wa_err *err)
{
    bool is_known = j->o->root.n > 0, has_last = false, has_root = false;
    wa_buf_addsv(&j->root, j->o->root);
    if (wa_buf_check(&j->root, err) != WA_OK)
        return err->code;
    if (!is_known &&
        read_text(&j->own, "root.json", WA_ROOT_BYTES_MAX, &j->root, &is_known, err) != WA_OK)
        return err->code;
    if (is_known)
        return read_text(&j->own, "last.json", WA_PUBLISHED_BYTES_MAX, &j->list, &has_last, err) ==
                       WA_OK
                   ? wa_follow_new(wa_buf_sv(&j->root), wa_buf_sv(&j->list), j->o->now, &j->follow,
                                   err)
                   : err->code;
    if (j->o->anchors == NULL)
        return wa_fail(err, WA_E_CONFIG,
                       "this mirror knows no root of the repository: give --root FILE, as its "
                       "administrators gave it to you, or where it has none --trusted DIR with the "
                       "certificates of those who sign its packages");
    if (fetch_text(j, "root.json", WA_ROOT_BYTES_MAX, &j->root, &has_root, err) != WA_OK)
        return err->code;
    return has_root ? wa_fail(err, WA_E_CONFIG,
                              "the repository has a root: give --root FILE, as its administrators "
                              "gave it to you")
                    : WA_OK;
}

static enum wa_code step(struct wa_mirror_job *j, const struct wa_follow_want *want,
                         struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    bool is_found = false;
    wa_buf_init(&text, want->max_bytes);
    if (fetch_text(j, want->name, want->max_bytes, &text, &is_found, err) != WA_OK)
        return err->code;
    const struct wa_sv bytes = wa_buf_sv(&text);
    if (wa_follow_take(j->follow, is_found ? &bytes : NULL, err) != WA_OK)
        return wa_wrap(err, "'%s'", want->name);
    if (!is_found)
        return WA_OK;
    struct wa_buf *to = want->kind == WA_FOLLOW_ROOT        ? &j->root
                        : want->kind == WA_FOLLOW_TIMESTAMP ? &j->stamp
                                                            : &j->list;
    wa_buf_clear(to);
    wa_buf_addsv(to, bytes);
    if (wa_buf_check(to, err) != WA_OK)
        return err->code;
    return want->kind == WA_FOLLOW_ROOT ? wa_publish_write(&j->own, "root.json", bytes, err)
                                        : WA_OK;
}

static enum wa_code walk(struct wa_mirror_job *j, struct wa_err *err)
{
    struct wa_follow_want want;
    if (j->o->root.n > 0 && wa_publish_write(&j->own, "root.json", j->o->root, err) != WA_OK)
        return err->code;
    while (wa_follow_want(j->follow, &want))
        if (step(j, &want, err) != WA_OK)
            return err->code;
    const struct wa_published *list = wa_follow_published(j->follow);
    j->ret->version = list->version;
    if (wa_publish_write(&j->own, "last.json", wa_buf_sv(&j->list), err) != WA_OK ||
        wa_trust_new(&j->by_root, err) != WA_OK ||
        wa_root_trust(wa_follow_root(j->follow), j->by_root, err) != WA_OK)
        return err->code;
    return wa_published_revoke(list, j->by_root, err);
}

/* --- the index --- */

static bool is_listed(const struct wa_mirror_job *j, struct wa_err *err)
{
    const struct wa_published_file *f = &wa_follow_published(j->follow)->index;
    char sha256[WA_SHA256_HEX];
    return j->packed.n == f->length &&
           wa_sha256_hex(j->packed.p, j->packed.n, sha256, err) == WA_OK &&
           strcmp(sha256, f->sha256) == 0;
}

static enum wa_code find_listed_index(struct wa_mirror_job *j, struct wa_err *err)
{
    const struct wa_published *list = wa_follow_published(j->follow);
    const size_t max = (size_t)list->index.length;
    struct wa_err ignored = WA_ERR_INIT;
    char name[48];
    bool is_found = false;
    if (list->index.length > WA_INDEX_PACKED_BYTES_MAX)
        return wa_fail(err, WA_E_LIMIT, "the index is too large");
    (void)snprintf(name, sizeof name, "%lld.Packages", (long long)list->version);
    if (read_text(&j->dir, name, max, &j->packed, &is_found, &ignored) == WA_OK && is_found &&
        is_listed(j, &ignored))
        return WA_OK;
    if (fetch_text(j, name, max, &j->packed, &is_found, err) != WA_OK ||
        (!is_found && fetch_text(j, "Packages", max, &j->packed, &is_found, err) != WA_OK))
        return err->code;
    if (!is_found)
        return wa_fail(err, WA_E_NOT_FOUND, "the repository has no index");
    if (is_listed(j, err))
        return WA_OK;
    return err->code != WA_OK
               ? err->code
               : wa_fail(err, WA_E_REFUSED, "the index is not the one that the list names");
}

static void discard(void *user, const struct wa_control *c, const struct wa_err *why)
{
    const struct wa_mirror_job *j = user;
    j->ret->refused++;
    j->o->tell(j->o->tell_user, WA_MIRROR_REFUSED, wa_sv(wa_control_get(c, WA_A_FILENAME)), why);
}

static enum wa_code read_index(struct wa_mirror_job *j, struct wa_err *err)
{
    WA_AUTO(wa_archive_members) struct wa_archive_members *members = NULL;
    struct wa_mem_source source;
    size_t bad = 0;
    bool is_found = false;
    if (j->follow != NULL) {
        if (find_listed_index(j, err) != WA_OK)
            return err->code;
    } else {
        if (fetch_text(j, "Packages", WA_INDEX_PACKED_BYTES_MAX, &j->packed, &is_found, err) !=
            WA_OK)
            return err->code;
        if (!is_found)
            return wa_fail(err, WA_E_NOT_FOUND, "the repository has no index");
    }
    wa_mem_source_init(&source, j->packed.p, j->packed.n);
    if (wa_archive_members_open(&source.base, &members, err) != WA_OK ||
        wa_index_read(wa_archive_members_get(members), &j->index, &bad, err) != WA_OK)
        return wa_wrap(err, "the index");
    return j->follow != NULL ? WA_OK
                             : wa_index_keep_trusted(&j->index, j->o->anchors, j->o->now, NULL,
                                                     discard, j, &bad, err);
}

/* --- all at once --- */

/* The roots by which a machine that was off for long walks to the present one. Each is proven by
 * the one after it. */
static enum wa_code fill_roots(const struct wa_mirror_job *j, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf json;
    WA_AUTO(wa_root) struct wa_root *after = NULL;
    wa_buf_init(&json, WA_ROOT_BYTES_MAX);
    if (wa_root_read(wa_buf_sv(&j->root), &after, err) != WA_OK)
        return err->code;
    for (unsigned steps = 0; after->version > 1 && steps < WA_ROOT_STEPS_MAX; steps++) {
        WA_AUTO(wa_root) struct wa_root *root = NULL;
        char name[48];
        bool is_there = false, is_found = false;
        (void)snprintf(name, sizeof name, "%lld.root.json", (long long)after->version - 1);
        if (read_text(&j->dir, name, WA_ROOT_BYTES_MAX, &json, &is_there, err) != WA_OK ||
            (!is_there && fetch_text(j, name, WA_ROOT_BYTES_MAX, &json, &is_found, err) != WA_OK))
            return err->code;
        if (!is_there && !is_found)
            return WA_OK;
        if (wa_root_read(wa_buf_sv(&json), &root, err) != WA_OK ||
            wa_root_check_next(root, after, err) != WA_OK ||
            (!is_there && wa_publish_write(&j->dir, name, wa_buf_sv(&json), err) != WA_OK))
            return wa_wrap(err, "'%s'", name);
        wa_root_free(after);
        after = WA_TAKE(root);
    }
    return WA_OK;
}

static enum wa_code put_documents(const struct wa_mirror_job *j, struct wa_err *err)
{
    const long long root = (long long)wa_follow_root(j->follow)->version;
    const long long list = (long long)j->ret->version;
    char root_name[48], list_name[48], index_name[48];
    (void)snprintf(root_name, sizeof root_name, "%lld.root.json", root);
    (void)snprintf(list_name, sizeof list_name, "%lld.published.json", list);
    (void)snprintf(index_name, sizeof index_name, "%lld.Packages", list);
    if (put(j, index_name, wa_buf_sv(&j->packed), err) != WA_OK ||
        put(j, list_name, wa_buf_sv(&j->list), err) != WA_OK ||
        put(j, root_name, wa_buf_sv(&j->root), err) != WA_OK ||
        put(j, "root.json", wa_buf_sv(&j->root), err) != WA_OK ||
        put(j, "Packages", wa_buf_sv(&j->packed), err) != WA_OK)
        return err->code;
    return put(j, "timestamp.json", wa_buf_sv(&j->stamp), err);
}

static enum wa_code change(struct wa_mirror_job *j, struct wa_err *err)
{
    if ((j->follow != NULL && fill_roots(j, err) != WA_OK) || wa_mirror_place(j, err) != WA_OK)
        return err->code;
    if (j->follow == NULL)
        return put(j, "Packages", wa_buf_sv(&j->packed), err);
    if (put_documents(j, err) != WA_OK)
        return err->code;
    wa_publish_tidy(&j->dir, j->ret->version);
    return WA_OK;
}

/* --- a run --- */

/* A repository itself is none of its mirrors, and a mirror removes what it does not know. */
static enum wa_code open_dirs(struct wa_mirror_job *j, int *ret_lock, struct wa_err *err)
{
    static const struct wa_relpath index = {"Packages", 8};
    static const struct wa_relpath lock = {"lock", 4};
    struct wa_stat st;
    struct wa_err none = WA_ERR_INIT, ignored = WA_ERR_INIT;
    if (wa_dir_make(j->o->dir, 0755, &j->dir, err) != WA_OK)
        return err->code;
    if (wa_file_stat(&j->dir, &own_name, &st, &none) != WA_OK &&
        wa_file_stat(&j->dir, &index, &st, &ignored) == WA_OK)
        return wa_fail(err, WA_E_EXISTS,
                       "'%s' has an index and is no mirror: give a folder of the mirror's own",
                       j->o->dir);
    if (wa_dir_make_sub(&j->dir, &own_name, 0700, err) != WA_OK ||
        wa_file_stat(&j->dir, &own_name, &st, err) != WA_OK)
        return err->code;
    if ((st.mode & 022u) != 0 || st.uid != wa_proc_own_uid())
        return wa_fail(err, WA_E_DENIED,
                       "'%s/%s' says whom this mirror believes, and others can write it: make it "
                       "the account's alone (chown, chmod go-w)",
                       j->o->dir, own_name.p);
    if (wa_dir_open_sub(&j->dir, &own_name, &j->own, err) != WA_OK)
        return err->code;
    return wa_dir_lock(&j->own, &lock, ret_lock, err);
}

static enum wa_code run(struct wa_mirror_job *j, struct wa_err *err)
{
    WA_AUTO_FD int lock = -1;
    if (open_dirs(j, &lock, err) != WA_OK || begin(j, err) != WA_OK ||
        (j->follow != NULL && walk(j, err) != WA_OK) || read_index(j, err) != WA_OK ||
        wa_mirror_read_had(j, err) != WA_OK || wa_mirror_choose(j, err) != WA_OK ||
        wa_mirror_fetch_all(j, err) != WA_OK || change(j, err) != WA_OK)
        return err->code;
    return wa_mirror_sweep(j, err);
}

enum wa_code wa_mirror(const struct wa_mirror_options *o, struct wa_mirror_result *ret,
                       struct wa_err *err)
{
    struct wa_mirror_job j = {.o = o, .ret = ret, .dir = WA_DIR_INIT, .own = WA_DIR_INIT};
    *ret = (struct wa_mirror_result){.version = 0};
    wa_buf_init(&j.root, WA_ROOT_BYTES_MAX);
    wa_buf_init(&j.list, WA_PUBLISHED_BYTES_MAX);
    wa_buf_init(&j.stamp, WA_TIMESTAMP_BYTES_MAX);
    wa_buf_init(&j.packed, WA_INDEX_PACKED_BYTES_MAX);
    wa_buf_init(&j.had_text, WA_PUBLISHED_BYTES_MAX);
    wa_index_init(&j.index);
    enum wa_code code = run(&j, err);
    WA_VEC_FREE(&j.items);
    wa_map_fini(&j.wanted);
    wa_map_fini(&j.had);
    wa_index_fini(&j.index);
    wa_buf_fini(&j.had_text);
    wa_buf_fini(&j.packed);
    wa_buf_fini(&j.stamp);
    wa_buf_fini(&j.list);
    wa_buf_fini(&j.root);
    wa_trust_free(j.by_root);
    wa_follow_free(j.follow);
    wa_dir_close(&j.own);
    wa_dir_close(&j.dir);
    return code;
}

/* publish_judge.c - would an agent take what is to be published? The same questions in the same
 * order, asked before anybody signs.
 */
#include "pkg/index.h"
#include "repo/judge_priv.h"
#include "repo/publish.h"
#include "repo/scan_priv.h"

struct judge {
    const struct wa_dir *dir;
    struct wa_judging by; /* with anchors */
    const struct wa_published *next, *last;
    struct wa_trust *anchors;
    struct wa_index index;
    bool all;
    wa_publish_note_fn note;
    void *user;
    size_t bad;
};

static enum wa_publish_change change_of(const struct judge *j, const struct wa_published_file *f)
{
    const struct wa_published_file *old =
        j->last == NULL ? NULL : wa_published_find(j->last, f->name);
    if (old == NULL)
        return WA_PUBLISH_ADDED;
    return old->length == f->length && strcmp(old->sha256, f->sha256) == 0 ? WA_PUBLISH_SAME
                                                                           : WA_PUBLISH_CHANGED;
}

enum wa_code wa_judge_allowed(const struct wa_judging *j, const struct wa_control *c,
                              const struct wa_trust_result *trust, bool has_code,
                              struct wa_err *err)
{
    const struct wa_root_signer *s = NULL;
    if (j->root == NULL)
        return WA_OK;
    if (wa_root_entry(j->root, trust, &s, err) != WA_OK)
        return err->code;
    return wa_root_allows_package(s, wa_control_get(c, WA_A_SECTION),
                                  wa_control_get(c, WA_A_PACKAGE), has_code, err);
}

enum wa_code wa_judge_package(const struct wa_judging *j, const struct wa_dir *dir,
                              const struct wa_relpath *name, const struct wa_control *entry,
                              uint64_t length, const char *sha256, struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    WA_AUTO(wa_archive_members) struct wa_archive_members *members = NULL;
    WA_AUTO_VERDICT struct wa_verdict v;
    struct wa_fd_source source;
    char digest[WA_DIGEST_HEX_MAX] = "";
    wa_verdict_init(&v);
    if (wa_file_open(dir, name, &fd, err) != WA_OK ||
        wa_fd_source_init(&source, fd, err) != WA_OK ||
        (sha256[0] != '\0' && wa_digest_source(WA_SHA256, &source.base, digest, err) != WA_OK))
        return err->code;
    if (source.base.size != length || strcmp(digest, sha256) != 0)
        return wa_fail(err, WA_E_REFUSED, "it is not the file that the list describes");
    if (wa_archive_members_open(&source.base, &members, err) != WA_OK ||
        wa_verify_package(wa_archive_members_get(members), j->anchors, j->now, NULL, NULL, &v,
                          err) != WA_OK)
        return err->code;
    if (strcmp(wa_control_get(&v.control, WA_A_SIGNATURE), wa_control_get(entry, WA_A_SIGNATURE)) !=
        0)
        return wa_fail(err, WA_E_REFUSED,
                       "the index describes another package under this name: scan again");
    if (wa_judge_allowed(j, &v.control, &v.trust, v.has_setup_py, err) != WA_OK)
        return err->code;
    return j->icons != NULL
               ? wa_scan_icon(j->icons, &v.control, wa_archive_members_get(members), err)
               : WA_OK;
}

static enum wa_code judge_entry(const struct judge *j, const struct wa_control *c,
                                struct wa_err *err)
{
    WA_AUTO_CERTS struct wa_certs chain = {NULL, 0, 0};
    struct wa_trust_result trust;
    if (wa_index_chain(&j->index, wa_control_get(c, WA_A_SIGNER_FINGERPRINT), &chain, err) !=
            WA_OK ||
        wa_verify_control(c, &chain, j->anchors, j->by.now, &trust, err) != WA_OK)
        return err->code;
    return wa_judge_allowed(&j->by, c, &trust, false, err);
}

static enum wa_code judge_file(const struct judge *j, const struct wa_control *entry,
                               const struct wa_published_file *f, struct wa_err *err)
{
    struct wa_relpath name;
    return wa_relpath_parse(f->name, &name, err) == WA_OK
               ? wa_judge_package(&j->by, j->dir, &name, entry, f->length, f->sha256, err)
               : err->code;
}

static enum wa_code judge_one(struct judge *j, const struct wa_control *c, struct wa_err *err)
{
    struct wa_err why = WA_ERR_INIT;
    struct wa_sv name = wa_sv(wa_control_get(c, WA_A_FILENAME));
    const struct wa_published_file *f = wa_published_find(j->next, name);
    enum wa_publish_change change = f == NULL ? WA_PUBLISH_GONE : change_of(j, f);
    enum wa_code code = f == NULL ? wa_fail(&why, WA_E_REFUSED, "the list does not have it")
                                  : judge_entry(j, c, &why);
    if (code == WA_OK && (j->all || change != WA_PUBLISH_SAME))
        code = judge_file(j, c, f, &why);
    if (code == WA_E_NOMEM)
        return wa_nomem(err);
    j->bad += code != WA_OK;
    j->note(j->user, change, name, &why);
    return WA_OK;
}

static enum wa_code open_index(struct judge *j, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf packed;
    WA_AUTO(wa_archive_members) struct wa_archive_members *members = NULL;
    struct wa_mem_source source;
    size_t bad = 0;
    wa_buf_init(&packed, WA_INDEX_PACKED_BYTES_MAX);
    if (wa_publish_read(j->dir, "Packages", WA_INDEX_PACKED_BYTES_MAX, &packed, err) != WA_OK)
        return wa_wrap(err, "the index");
    wa_mem_source_init(&source, packed.p, packed.n);
    if (wa_archive_members_open(&source.base, &members, err) != WA_OK ||
        wa_index_read(wa_archive_members_get(members), &j->index, &bad, err) != WA_OK)
        return wa_wrap(err, "the index");
    return WA_OK;
}

static enum wa_code judge_all(struct judge *j, struct wa_err *err)
{
    const struct wa_err none = WA_ERR_INIT;
    if (wa_root_trust(j->by.root, j->anchors, err) != WA_OK ||
        wa_published_revoke(j->next, j->anchors, err) != WA_OK || open_index(j, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < j->index.n; i++)
        if (judge_one(j, &j->index.items[i], err) != WA_OK)
            return err->code;
    for (size_t i = 0; j->last != NULL && i < j->last->file_count; i++)
        if (wa_published_find(j->next, j->last->files[i].name) == NULL)
            j->note(j->user, WA_PUBLISH_GONE, j->last->files[i].name, &none);
    return WA_OK;
}

enum wa_code wa_publish_judge(const struct wa_dir *dir, const struct wa_root *root,
                              const struct wa_published *next, const struct wa_published *last,
                              bool all, int64_t now, wa_publish_note_fn note, void *user,
                              size_t *ret_bad, struct wa_err *err)
{
    struct judge j = {.dir = dir,
                      .by = {.root = root, .now = now},
                      .next = next,
                      .last = last,
                      .all = all,
                      .note = note,
                      .user = user};
    wa_index_init(&j.index);
    enum wa_code code = wa_trust_new(&j.anchors, err);
    j.by.anchors = j.anchors;
    if (code == WA_OK)
        code = judge_all(&j, err);
    wa_index_fini(&j.index);
    wa_trust_free(j.anchors);
    if (code == WA_OK)
        *ret_bad = j.bad;
    return code;
}

/* scan_publish.c - from an upload to a package that the repository has, or a reason why not.
 *
 * Judged are: that it came as it was announced, its whole signature, what its signer may sign (by
 * the root document where there is one, else by being trusted here), and whether who uploads may
 * publish its section. No front writes to the file from then on: it is locked, and under its new
 * name beyond their reach.
 *
 * A package that is replaced keeps a second name until the new index is in place. Readers find the
 * old or the new one at any moment; after a kill the start finds one of them whole, and indexes it.
 */
#include "crypto/digest.h"
#include "os/clock.h"
#include "pkg/windows.h"
#include "proto/hostid.h"
#include "repo/publish.h"
#include "repo/scan.h"
#include "server/perimeter.h"
#include "server/rights.h"
#include "server/scan_role.h"

#define DIGEST_PIECE (1u << 18)
#define SPARE_FROM (64ull << 20) /* bytes: from there on members are inflated through a window */

/* --- whom to believe --- */

struct anchors {
    struct wa_trust *trust;
    struct wa_root *root; /* NULL: the repository has none */
};

static void anchors_fini(struct anchors *a)
{
    wa_trust_free(a->trust);
    wa_root_free(a->root);
}

static enum wa_code read_root(const struct wa_scan_role *s, struct anchors *a, struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    WA_AUTO(wa_published) struct wa_published *last = NULL;
    if (wa_dir_open(s->wapt, &dir, err) != WA_OK)
        return err->code;
    if (!wa_publish_has_root(&dir))
        return WA_OK;
    if (wa_publish_root(&dir, &a->root, err) != WA_OK ||
        wa_root_trust(a->root, a->trust, err) != WA_OK ||
        wa_publish_last(&dir, &last, NULL, err) != WA_OK)
        return wa_wrap(err, "the repository's root");
    return last != NULL ? wa_published_revoke(last, a->trust, err) : WA_OK;
}

/* Those who may publish here. An empty directory lets nobody. */
static enum wa_code read_anchors(const struct wa_scan_role *s, struct anchors *a,
                                 struct wa_err *err)
{
    if (wa_trust_new(&a->trust, err) != WA_OK || read_root(s, a, err) != WA_OK)
        return err->code;
    if (a->root == NULL && wa_trust_add_dir(a->trust, s->trusted, err) != WA_OK)
        return wa_wrap(err, "the server knows no package signers");
    return WA_OK;
}

/* --- judgement --- */

/* md5: NULL, or gets that digest of the same bytes, for the index. */
static enum wa_code check_digest(struct wa_scan_role *s, struct wa_source *source,
                                 struct wa_sv expected, char *md5, struct wa_err *err)
{
    WA_AUTO(wa_digest) struct wa_digest *d = NULL;
    WA_AUTO(wa_digest) struct wa_digest *other = NULL;
    WA_AUTO_BUF struct wa_buf piece;
    char hex[WA_DIGEST_HEX_MAX];
    wa_buf_init(&piece, DIGEST_PIECE);
    char *p = wa_buf_reserve(&piece, DIGEST_PIECE);
    if (p == NULL)
        return wa_nomem(err);
    if (wa_digest_new(WA_SHA256, &d, err) != WA_OK ||
        (md5 != NULL && wa_digest_new(WA_MD5, &other, err) != WA_OK))
        return err->code;
    for (uint64_t at = 0; at < source->size;) {
        size_t n = source->size - at < DIGEST_PIECE ? (size_t)(source->size - at) : DIGEST_PIECE;
        if (source->read_at(source, at, p, n, err) != WA_OK ||
            wa_digest_add(d, p, n, err) != WA_OK ||
            (md5 != NULL && wa_digest_add(other, p, n, err) != WA_OK))
            return err->code;
        at += n;
        if (!wa_scan_breathe(s, at, source->size))
            return wa_fail(err, WA_E_CANCELLED, "the server is stopping");
    }
    if (wa_digest_hex(d, hex, err) != WA_OK ||
        (md5 != NULL && wa_digest_hex(other, md5, err) != WA_OK))
        return err->code;
    return wa_sv_eqs(expected, hex)
               ? WA_OK
               : wa_fail(err, WA_E_CONFLICT,
                         "what came is not what was announced: it must be sent again");
}

static enum wa_code verify(struct wa_scan_role *s, struct wa_source *source,
                           const struct wa_trust *trust, struct wa_verdict *v, struct wa_err *err)
{
    WA_AUTO(wa_archive_members) struct wa_archive_members *members = NULL;
    if (wa_archive_members_open(source, &members, err) != WA_OK)
        return wa_wrap(err, "the package is refused");
    if (source->size >= SPARE_FROM)
        wa_archive_members_spare_memory(members);
    return wa_verify_package(wa_archive_members_get(members), trust, wa_clock_now(),
                             wa_scan_breathe, s, v, err) == WA_OK
               ? WA_OK
               : wa_wrap(err, "the package is refused");
}

static enum wa_code may_sign(const struct anchors *a, const struct wa_verdict *v,
                             struct wa_err *err)
{
    const struct wa_root_signer *signer = NULL;
    if (a->root == NULL)
        return WA_OK;
    if (wa_root_entry(a->root, &v->trust, &signer, err) != WA_OK ||
        wa_root_allows_package(signer, wa_control_get(&v->control, WA_A_SECTION),
                               wa_control_get(&v->control, WA_A_PACKAGE), v->has_setup_py,
                               err) != WA_OK)
        return wa_wrap(err, "the package is refused");
    return WA_OK;
}

static enum wa_code may_publish(const struct wa_scan_question *q, const struct wa_verdict *v,
                                struct wa_err *err)
{
    const char *section = wa_control_get(&v->control, WA_A_SECTION);
    unsigned needed = wa_right_to_publish(wa_sv(section), v->has_setup_py);
    char holders[128];
    if (((unsigned)q->rights & needed) == needed)
        return WA_OK;
    wa_right_holders(needed, holders, sizeof holders);
    return wa_fail(err, WA_E_DENIED,
                   "publishing a package of section '%s'%s takes one of the roles %s", section,
                   v->has_setup_py ? " that has code" : "", holders);
}

/* Who has a perimeter publishes only what is for machines in it: packages of its own groups, units
 * and profiles. */
static enum wa_code check_perimeter(const struct wa_control *c, struct wa_sv json,
                                    struct wa_err *err)
{
    const char *name = wa_control_get(c, WA_A_PACKAGE), *section = wa_control_get(c, WA_A_SECTION);
    WA_AUTO_PERIMETER struct wa_perimeter p;
    wa_perimeter_init(&p);
    if (wa_perimeter_read(&p, json, err) != WA_OK)
        return err->code;
    return wa_is_policy_section(section) && wa_perimeter_names(&p, wa_sv(name))
               ? WA_OK
               : wa_fail(err, WA_E_DENIED,
                         "'%s' (%s) is not for your perimeter alone: somebody without one must "
                         "publish it",
                         name, section);
}

/* A line each: the person's, the token's. */
static enum wa_code check_perimeters(const struct wa_control *c, struct wa_sv lines,
                                     struct wa_err *err)
{
    struct wa_sv one;
    while (lines.n > 0 && wa_sv_split(&lines, '\n', &one))
        if (check_perimeter(c, one, err) != WA_OK)
            return err->code;
    return WA_OK;
}

/* It is for the place where it was announced. */
static enum wa_code check_place(const struct wa_scan_question *q, const struct wa_verdict *v,
                                struct wa_err *err)
{
    char canonical[2 * WA_NAME_MAX + 1];
    const char *section = wa_control_get(&v->control, WA_A_SECTION);
    bool is_host = wa_sv_eqs(q->op, "accept-host");
    if (is_host != (strcmp(section, "host") == 0))
        return wa_fail(err, WA_E_REFUSED, "a package of section '%s' does not belong there",
                       section);
    if (is_host)
        return wa_sv_eqs(q->name, wa_control_get(&v->control, WA_A_PACKAGE)) &&
                       wa_hostid_is_valid(q->name)
                   ? WA_OK
                   : wa_fail(err, WA_E_REFUSED,
                             "the host package is for another machine than its name says");
    if (wa_control_filename(&v->control, NULL, canonical, err) != WA_OK)
        return err->code;
    return wa_sv_eqs(q->name, canonical)
               ? WA_OK
               : wa_fail(err, WA_E_REFUSED, "the package is '%s', another than its name says",
                         canonical);
}

static enum wa_code judge(struct wa_scan_role *s, const struct wa_scan_question *q, int fd,
                          struct wa_buf *names, char *md5, struct wa_err *err)
{
    WA_CLEANUP(anchors_fini) struct anchors a = {NULL, NULL};
    WA_AUTO_VERDICT struct wa_verdict v;
    struct wa_fd_source source;
    wa_verdict_init(&v);
    if (wa_fd_sync(fd, err) != WA_OK || wa_fd_source_init(&source, fd, err) != WA_OK)
        return err->code;
    if (source.base.size != (uint64_t)q->size)
        return wa_fail(err, WA_E_CONFLICT, "the upload is not whole: %llu of %lld bytes came",
                       (unsigned long long)source.base.size, (long long)q->size);
    if (check_digest(s, &source.base, q->sha256, md5, err) != WA_OK ||
        read_anchors(s, &a, err) != WA_OK || verify(s, &source.base, a.trust, &v, err) != WA_OK ||
        may_sign(&a, &v, err) != WA_OK || may_publish(q, &v, err) != WA_OK)
        return err->code;
    if (check_place(q, &v, err) != WA_OK)
        return err->code;
    if (!wa_sv_eqs(q->op, "accept-host"))
        return check_perimeters(&v.control, q->perimeter, err);
    wa_perimeter_of_depends(wa_control_get(&v.control, WA_A_DEPENDS), names);
    return wa_buf_check(names, err) == WA_OK ? WA_OK : wa_wrap(err, "what the machine is in");
}

/* --- into its place --- */

static const char *md5_of(void *user, const char *file)
{
    const struct wa_scan_fresh *f = user;
    return strcmp(f->file, file) == 0 ? f->md5 : NULL;
}

enum wa_code wa_scan_index(const struct wa_scan_role *s, struct wa_scan_fresh *fresh,
                           struct wa_err *err)
{
    struct wa_scan_result r;
    const struct wa_scan_watch watch = {.md5 = md5_of, .user = fresh};
    struct wa_err why = WA_ERR_INIT;
    bool is_proposed = false;
    if (wa_repo_scan(s->wapt, false, NULL, fresh != NULL ? &watch : NULL, &r, err) != WA_OK)
        return err->code;
    /* For who publishes; without it the index is as good as before. */
    if (wa_publish_leave_proposal(s->wapt, wa_clock_now(), &is_proposed, &why) != WA_OK)
        wa_log_err(&s->child.log, WA_LOG_WARNING, "proposal.failed", &why);
    return WA_OK;
}

/* The package and its entry of the index appear together: when the index can't be written, all is
 * as before. */
static enum wa_code publish(const struct wa_scan_role *s, const struct wa_relpath *part,
                            struct wa_scan_fresh *fresh, struct wa_err *err)
{
    struct wa_relpath to, old;
    struct wa_err none = WA_ERR_INIT, left = WA_ERR_INIT;
    if (wa_scan_path("wapt/", fresh->file, &to, err) != WA_OK ||
        wa_scan_path(WA_SCAN_OLD, fresh->file, &old, err) != WA_OK ||
        wa_tree_remove(&s->repo, &old, err) != WA_OK)
        return err->code;
    bool replaces = wa_file_link(&s->repo, &to, &s->repo, &old, &none) == WA_OK;
    if (!replaces && none.code != WA_E_NOT_FOUND)
        return wa_fail(err, none.code, "%s", none.text);
    bool is_there = wa_file_rename(&s->repo, part, &s->repo, &to, err) == WA_OK;
    if (is_there && wa_scan_index(s, fresh, err) == WA_OK) {
        if (replaces && wa_file_remove(&s->repo, &old, &left) != WA_OK)
            wa_log_err(&s->child.log, WA_LOG_WARNING, "upload.left", &left);
        return WA_OK;
    }
    /* Back: the upload waits for another try, what it had replaced is what it was. */
    if (is_there && (replaces ? wa_file_link(&s->repo, &to, &s->repo, part, &left)
                              : wa_file_rename(&s->repo, &to, &s->repo, part, &left)) != WA_OK)
        wa_log_err(&s->child.log, WA_LOG_WARNING, "upload.left", &left); /* it must come again */
    wa_err_clear(&left);
    if (replaces && wa_file_rename(&s->repo, &old, &s->repo, &to, &left) != WA_OK)
        wa_log_err(&s->child.log, WA_LOG_ERROR, "repository.half_done", &left);
    return err->code;
}

enum wa_code wa_scan_delete(struct wa_scan_role *s, const struct wa_relpath *path,
                            struct wa_err *err)
{
    struct wa_relpath old;
    struct wa_err left = WA_ERR_INIT;
    if (!wa_sv_starts(wa_sv(path->p), "wapt/"))
        return wa_file_remove(&s->repo, path, err); /* a machine's own: no index has it */
    if (wa_scan_path(WA_SCAN_OLD, path->p + 5, &old, err) != WA_OK ||
        wa_file_rename(&s->repo, path, &s->repo, &old, err) != WA_OK)
        return err->code;
    if (wa_scan_index(s, NULL, err) != WA_OK) {
        if (wa_file_rename(&s->repo, &old, &s->repo, path, &left) != WA_OK)
            wa_log_err(&s->child.log, WA_LOG_ERROR, "repository.half_done", &left);
        return err->code;
    }
    if (wa_file_remove(&s->repo, &old, &left) != WA_OK)
        wa_log_err(&s->child.log, WA_LOG_WARNING, "upload.left", &left);
    return WA_OK;
}

/* The upload's file is gone: because it was published, and the answer never came through? Then it
 * is judged as it lies there: who asks may not be who has published it, and names are wanted. */
static enum wa_code was_published(struct wa_scan_role *s, const struct wa_scan_question *q,
                                  const struct wa_relpath *to, struct wa_buf *names,
                                  struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    struct wa_err why = WA_ERR_INIT;
    if (wa_file_open(&s->repo, to, &fd, &why) == WA_OK &&
        judge(s, q, fd, names, NULL, &why) == WA_OK)
        return WA_OK;
    return wa_fail(err, WA_E_CONFLICT, "the upload's bytes are gone: they must be sent again");
}

/* Nobody has put another one there meanwhile: this process alone writes there. */
static enum wa_code check_replaced(struct wa_scan_role *s, const struct wa_scan_question *q,
                                   const struct wa_relpath *to, struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    struct wa_fd_source source;
    struct wa_err why = WA_ERR_INIT;
    if (q->replaces.n == 0)
        return WA_OK;
    enum wa_code code = wa_file_open(&s->repo, to, &fd, &why);
    if (code == WA_E_NOT_FOUND && wa_sv_eqs(q->replaces, "none"))
        return WA_OK;
    if (code == WA_OK && wa_fd_source_init(&source, fd, &why) == WA_OK &&
        check_digest(s, &source.base, q->replaces, NULL, &why) == WA_OK)
        return WA_OK;
    return wa_fail(err, WA_E_EXISTS,
                   "another package is there than this one was made from: somebody has changed it "
                   "meanwhile, read it again");
}

/* With these bytes it can't be otherwise another time. */
static bool is_spent(enum wa_code code)
{
    return code == WA_E_REFUSED || code == WA_E_DENIED || code == WA_E_INVALID ||
           code == WA_E_LIMIT || code == WA_E_EXISTS;
}

enum wa_code wa_scan_accept(struct wa_scan_role *s, const struct wa_scan_question *q,
                            struct wa_buf *names, struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    struct wa_relpath part, to;
    struct wa_err none = WA_ERR_INIT, left = WA_ERR_INIT;
    struct wa_scan_fresh f;
    bool is_host = wa_sv_eqs(q->op, "accept-host"), is_corrupt;
    (void)snprintf(f.file, sizeof f.file, "%.*s%s", WA_SV_ARG(q->name), is_host ? ".wapt" : "");
    if (wa_relpath_parse(q->file, &part, err) != WA_OK ||
        wa_scan_path(is_host ? "wapt-host/" : "wapt/", f.file, &to, err) != WA_OK)
        return err->code;
    enum wa_code code = wa_file_continue_alone(&s->repo, &part, &fd, &none);
    if (code == WA_E_NOT_FOUND)
        return was_published(s, q, &to, names, err);
    if (code != WA_OK)
        return wa_fail(err, code, "%s", none.text);
    code = judge(s, q, fd, names, is_host ? NULL : f.md5, err);
    if (code == WA_OK)
        code = check_replaced(s, q, &to, err);
    if (code == WA_E_CANCELLED && s->is_starved)
        code = wa_nomem(err);
    if (code == WA_OK)
        return is_host ? wa_file_rename(&s->repo, &part, &s->repo, &to, err)
                       : publish(s, &part, &f, err);
    struct wa_stat st;
    is_corrupt = code == WA_E_CONFLICT && wa_fd_stat(fd, &st, &left) == WA_OK &&
                 st.size >= (uint64_t)q->size;
    if ((is_spent(code) || is_corrupt) && wa_tree_remove(&s->repo, &part, &left) != WA_OK)
        wa_log_err(&s->child.log, WA_LOG_WARNING, "upload.left", &left);
    return code;
}

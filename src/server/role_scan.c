/* role_scan.c - the only process that writes the repository: verifies an upload whole before it
 * appears, keeps the index. */
#include "codec/json.h"
#include "os/clock.h"
#include "pkg/verify.h"
#include "pkg/windows.h"
#include "proto/hostid.h"
#include "repo/publish.h"
#include "repo/scan.h"
#include "server/perimeter.h"
#include "server/role_common.h"
#include "server/scan_metadata.h"

struct scan {
    struct wa_server_child child;
    struct wa_dir repo; /* repo/: incoming/, wapt/, wapt-host/ */
    char wapt[WA_PATH_MAX], trusted[WA_PATH_MAX];
};

/* Those who may publish here. An empty directory lets nobody. */
static enum wa_code anchors(const struct scan *s, struct wa_trust **ret, struct wa_err *err)
{
    WA_AUTO(wa_trust) struct wa_trust *t = NULL;
    if (wa_trust_new(&t, err) != WA_OK || wa_trust_add_dir(t, s->trusted, err) != WA_OK)
        return wa_wrap(err, "the server knows no package signers");
    *ret = t;
    t = NULL;
    return WA_OK;
}

static enum wa_code verify(const struct scan *s, int fd, struct wa_verdict *v, struct wa_err *err)
{
    WA_AUTO(wa_trust) struct wa_trust *trust = NULL;
    WA_AUTO(wa_archive_members) struct wa_archive_members *members = NULL;
    struct wa_fd_source source;
    if (anchors(s, &trust, err) != WA_OK || wa_fd_source_init(&source, fd, err) != WA_OK ||
        wa_archive_members_open(&source.base, &members, err) != WA_OK)
        return err->code;
    return wa_verify_package(wa_archive_members_get(members), trust, wa_clock_now(), NULL, NULL, v,
                             err);
}

#define OLD                                                                                        \
    "incoming/old_" /* before the name: what an upload replaces, until the index has the new one   \
                     */

struct question {
    struct wa_sv op, file, name, text, perimeter;
    bool code; /* who uploads may publish code */
};

/* Who has a perimeter publishes only what is for machines in it: packages of its own groups, units
 * and profiles. */
static enum wa_code check_perimeter(const struct wa_control *c, struct wa_sv json,
                                    struct wa_err *err)
{
    const char *name = wa_control_get(c, WA_A_PACKAGE), *section = wa_control_get(c, WA_A_SECTION);
    WA_AUTO_PERIMETER struct wa_perimeter p;
    wa_perimeter_init(&p);
    if (json.n == 0)
        return WA_OK;
    if (wa_perimeter_read(&p, json, err) != WA_OK)
        return err->code;
    return wa_is_policy_section(section) && wa_perimeter_names(&p, wa_sv(name))
               ? WA_OK
               : wa_fail(err, WA_E_DENIED,
                         "'%s' (%s) is not for your perimeter alone: somebody without one must "
                         "publish it",
                         name, section);
}

/* Where the package belongs, if it may be published under that name. */
static enum wa_code judge(struct scan *s, const struct wa_relpath *part, bool is_host,
                          const struct question *q, char canonical[2 * WA_NAME_MAX + 1],
                          struct wa_buf *names, struct wa_err *err)
{
    const struct wa_sv name = q->name;
    WA_AUTO_FD int fd = -1;
    WA_AUTO_VERDICT struct wa_verdict v;
    wa_verdict_init(&v);
    if (wa_file_open(&s->repo, part, &fd, err) != WA_OK || wa_fd_sync(fd, err) != WA_OK ||
        verify(s, fd, &v, err) != WA_OK)
        return wa_wrap(err, "the package is refused");
    if (v.has_setup_py && !q->code)
        return wa_fail(err, WA_E_DENIED,
                       "the package has code: publishing it takes the role developer");
    const char *section = wa_control_get(&v.control, WA_A_SECTION);
    if (is_host != (strcmp(section, "host") == 0))
        return wa_fail(err, WA_E_REFUSED, "a package of section '%s' does not belong there",
                       section);
    if (is_host && !wa_sv_eqs(name, wa_control_get(&v.control, WA_A_PACKAGE)))
        return wa_fail(err, WA_E_REFUSED,
                       "the host package is for another machine than its name says");
    if (wa_control_filename(&v.control, NULL, canonical, err) != WA_OK)
        return err->code;
    if (!is_host && !wa_sv_eqs(name, "upload.wapt") && !wa_sv_eqs(name, canonical))
        return wa_fail(err, WA_E_REFUSED, "the package is '%s', another than its name says",
                       canonical);
    if (!is_host)
        return check_perimeter(&v.control, q->perimeter, err);
    wa_perimeter_of_depends(wa_control_get(&v.control, WA_A_DEPENDS), names);
    return wa_buf_check(names, err) == WA_OK ? WA_OK : wa_wrap(err, "what the machine is in");
}

static enum wa_code rescan(struct scan *s, struct wa_err *err)
{
    struct wa_scan_result r;
    struct wa_err why = WA_ERR_INIT;
    bool is_proposed = false;
    if (wa_repo_scan(s->wapt, false, NULL, NULL, &r, err) != WA_OK)
        return err->code;
    /* For who publishes; without it the index is as good as before. */
    if (wa_publish_leave_proposal(s->wapt, wa_clock_now(), &is_proposed, &why) != WA_OK)
        wa_log_err(&s->child.log, WA_LOG_WARNING, "proposal.failed", &why);
    return WA_OK;
}

static enum wa_code path_of(const char *folder, const char *name, struct wa_relpath *ret,
                            struct wa_err *err)
{
    char text[WA_RELPATH_MAX + 1];
    (void)snprintf(text, sizeof text, "%s%s", folder, name);
    return wa_relpath_parse(wa_sv(text), ret, err);
}

/* The package and its entry of the index appear together: when the index can't be written, all is
 * as before. */
static enum wa_code publish(struct scan *s, const struct wa_relpath *part, const char *canonical,
                            struct wa_err *err)
{
    struct wa_relpath to, old;
    struct wa_err none = WA_ERR_INIT, left = WA_ERR_INIT;
    if (path_of("wapt/", canonical, &to, err) != WA_OK ||
        path_of(OLD, canonical, &old, err) != WA_OK)
        return err->code;
    bool replaces = wa_file_rename(&s->repo, &to, &s->repo, &old, &none) == WA_OK;
    if (!replaces && none.code != WA_E_NOT_FOUND)
        return wa_fail(err, none.code, "%s", none.text);
    if (wa_file_rename(&s->repo, part, &s->repo, &to, err) == WA_OK && rescan(s, err) == WA_OK) {
        if (replaces && wa_file_remove(&s->repo, &old, &left) != WA_OK)
            wa_log_err(&s->child.log, WA_LOG_WARNING, "upload.left", &left);
        return WA_OK;
    }
    if (wa_tree_remove(&s->repo, &to, &left) != WA_OK ||
        (replaces && wa_file_rename(&s->repo, &old, &s->repo, &to, &left) != WA_OK))
        wa_log_err(&s->child.log, WA_LOG_ERROR, "repository.half_done", &left);
    return err->code;
}

static enum wa_code place(struct scan *s, const struct wa_relpath *part, const struct question *q,
                          char canonical[2 * WA_NAME_MAX + 1], struct wa_buf *names,
                          struct wa_err *err)
{
    struct wa_relpath to;
    bool is_host = wa_sv_eqs(q->op, "accept-host");
    if (judge(s, part, is_host, q, canonical, names, err) != WA_OK)
        return err->code;
    if (!is_host)
        return publish(s, part, canonical, err);
    if (path_of("wapt-host/", canonical, &to, err) != WA_OK)
        return err->code;
    return wa_file_rename(&s->repo, part, &s->repo, &to, err);
}

/* A document that was uploaded. */
static enum wa_code take_document(struct scan *s, bool is_root, const struct wa_relpath *part,
                                  struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir wapt = WA_DIR_INIT;
    WA_AUTO_BUF struct wa_buf json;
    size_t max = is_root ? WA_ROOT_BYTES_MAX : WA_PUBLISHED_BYTES_MAX;
    wa_buf_init(&json, max);
    if (wa_file_read(&s->repo, part, max, &json, err) != WA_OK ||
        wa_dir_open(s->wapt, &wapt, err) != WA_OK)
        return err->code;
    return is_root ? wa_scan_take_root(&wapt, wa_buf_sv(&json), wa_clock_now(), err)
                   : wa_scan_take_published(&wapt, wa_buf_sv(&json), wa_clock_now(), err);
}

static enum wa_code stamp(const struct scan *s, bool is_question, struct wa_sv text,
                          struct wa_buf *found, struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir wapt = WA_DIR_INIT;
    if (wa_dir_open(s->wapt, &wapt, err) != WA_OK)
        return err->code;
    return is_question ? wa_scan_to_stamp(&wapt, wa_clock_now(), found, err)
                       : wa_scan_take_timestamp(&wapt, text, wa_clock_now(), err);
}

static enum wa_code carry_out(struct scan *s, const struct question *q,
                              char canonical[2 * WA_NAME_MAX + 1], struct wa_buf *found,
                              struct wa_err *err)
{
    struct wa_relpath path;
    bool is_root = wa_sv_eqs(q->op, "root");
    if (wa_sv_eqs(q->op, "to-stamp") || wa_sv_eqs(q->op, "stamp"))
        return stamp(s, wa_sv_eqs(q->op, "to-stamp"), q->text, found, err);
    if (wa_relpath_parse(q->file, &path, err) != WA_OK)
        return err->code;
    if (wa_sv_eqs(q->op, "delete"))
        return wa_file_remove(&s->repo, &path, err) == WA_OK ? rescan(s, err) : err->code;
    bool is_document = is_root || wa_sv_eqs(q->op, "published");
    enum wa_code code = is_document ? take_document(s, is_root, &path, err)
                                    : place(s, &path, q, canonical, found, err);
    struct wa_err left = WA_ERR_INIT;
    if ((code != WA_OK || is_document) && wa_tree_remove(&s->repo, &path, &left) != WA_OK)
        wa_log_err(&s->child.log, WA_LOG_WARNING, "upload.left", &left);
    if (code == WA_OK && is_document)
        return rescan(s, err); /* for the next proposal */
    return code;
}

/* --- after a kill --- */

static enum wa_code tidy_one(void *user, const char *name, const struct wa_stat *st,
                             struct wa_err *err)
{
    struct scan *s = user;
    struct wa_relpath from, to;
    struct wa_stat there;
    struct wa_err none = WA_ERR_INIT;
    WA_UNUSED(st);
    if (path_of("incoming/", name, &from, err) != WA_OK)
        return err->code;
    if (strncmp(name, "old_", 4) == 0 && path_of("wapt/", name + 4, &to, err) == WA_OK &&
        wa_file_stat(&s->repo, &to, &there, &none) == WA_E_NOT_FOUND)
        return wa_file_rename(&s->repo, &from, &s->repo, &to, err);
    return wa_tree_remove(&s->repo, &from, err);
}

/* Nobody uploads yet: what lies in incoming/ was interrupted. Then the index tells of what is
 * there. */
static void tidy(struct scan *s)
{
    struct wa_relpath incoming;
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    struct wa_err err = WA_ERR_INIT;
    if (path_of("", "incoming", &incoming, &err) != WA_OK ||
        wa_dir_open_sub(&s->repo, &incoming, &dir, &err) != WA_OK ||
        wa_dir_list(&dir, tidy_one, s, &err) != WA_OK || rescan(s, &err) != WA_OK)
        wa_log_err(&s->child.log, WA_LOG_WARNING, "repository.not_tidy", &err);
}

static enum wa_code answer_scan(void *user, struct wa_sv request, struct wa_buf *answer,
                                struct wa_err *err)
{
    struct scan *s = user;
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct question q = {.op = {NULL, 0}};
    WA_AUTO_BUF struct wa_buf found;
    struct wa_err why = WA_ERR_INIT;
    char placed[2 * WA_NAME_MAX + 1] = "";
    struct wa_jw w;
    const struct wa_json_field fields[] = {{"op", WA_WANT_SV, true, 16, &q.op},
                                           {"file", WA_WANT_SV, true, WA_RELPATH_MAX, &q.file},
                                           {"name", WA_WANT_SV, false, WA_RELPATH_MAX, &q.name},
                                           {"text", WA_WANT_SV, false, 8192, &q.text},
                                           {"perimeter", WA_WANT_SV, false, 0, &q.perimeter},
                                           {"code", WA_WANT_BOOL, false, 0, &q.code}};
    wa_buf_init(&found, WA_MEMBERSHIPS_BYTES_MAX);
    wa_arena_init(&arena, 1u << 20);
    if (wa_json_parse(request, 0, &arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "a question", err) != WA_OK)
        return err->code;
    enum wa_code code = carry_out(s, &q, placed, &found, &why);
    if (code != WA_OK)
        wa_log_err(&s->child.log, WA_LOG_WARNING, "upload.refused", &why);
    wa_jw_init(&w, answer);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "code", wa_code_name(code));
    wa_jw_kv(&w, "message", why.text);
    wa_jw_kv(&w, "file", placed);
    wa_jw_kvsv(&w, "text", wa_buf_sv(&found));
    wa_jw_end(&w);
    return wa_buf_check(answer, err);
}

static enum wa_code run(struct scan *s, const char *config_file, struct wa_err *err)
{
    char repo[WA_PATH_MAX];
    if (wa_server_child_init(&s->child, WA_SR_SCAN, config_file, err) != WA_OK ||
        wa_server_path(&s->child.config, "repo", repo, err) != WA_OK ||
        wa_server_path(&s->child.config, "repo/wapt", s->wapt, err) != WA_OK ||
        wa_server_path(&s->child.config, s->child.config.trusted_signers, s->trusted, err) !=
            WA_OK ||
        wa_dir_open(repo, &s->repo, err) != WA_OK)
        return err->code;
    const char *const reads[] = {s->trusted, NULL};
    const char *const writes[] = {repo, NULL};
    if (wa_server_child_confine(&s->child, WA_SR_SCAN,
                                WA_PRIV_FDS | WA_PRIV_FS_READ | WA_PRIV_FS_WRITE, reads, writes,
                                err) != WA_OK)
        return err->code;
    tidy(s);
    return wa_server_child_serve(WA_SR_SCAN, WA_S_SCANNED, answer_scan, s, err);
}

int wa_server_scan(const char *config_file)
{
    struct scan s = {.repo = WA_DIR_INIT};
    struct wa_err err = WA_ERR_INIT;
    enum wa_code code = run(&s, config_file, &err);
    return wa_server_child_end(&s.child, code, &err);
}

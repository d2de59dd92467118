/* repo_trust.c - whose word counts for packages and orders: the root that this machine has accepted
 * for its repository, or, without one, WAPT's classic trust.
 *
 * The first root comes from root.json in the base directory, never from the network. Once there is
 * one, it stays: what can't be read then is an error, not a way back. Root, list and timestamp are
 * rows of the agent's own database, judged again whenever they are read.
 */
#include "agent/repo_trust.h"
#include "agent/identity.h"

#include "base/mem.h"
#include "codec/csv.h"
#include "crypto/digest.h"
#include "os/clock.h"

static const char root_row[] = "repo_root", list_row[] = "repo_published",
                  stamp_row[] = "repo_timestamp", problem_row[] = "repo_problem",
                  host_row[] = "repo_host_version", generation_row[] = "repo_generation";

void wa_repo_trust_fini(struct wa_repo_trust *t)
{
    wa_root_free(t->root);
    wa_published_free(t->published);
    wa_buf_fini(&t->json);
    wa_buf_fini(&t->list);
    wa_buf_fini(&t->stamp);
    *t = (struct wa_repo_trust){.root = NULL};
}

/* --- rows --- */

static enum wa_code get_row(struct wa_db *db, const char *name, size_t max, struct wa_buf *out,
                            struct wa_err *err)
{
    wa_buf_init(out, max);
    if (wa_param_get(db, name, out, err) != WA_OK || wa_buf_check(out, err) != WA_OK)
        return wa_wrap(err, "reading what is known of the repository");
    return WA_OK;
}

/* A list that the root does not vouch for is as if there were none. */
static enum wa_code load_list(struct wa_db *db, struct wa_repo_trust *t, struct wa_err *err)
{
    WA_AUTO(wa_published) struct wa_published *p = NULL;
    struct wa_err why = WA_ERR_INIT;
    if (get_row(db, list_row, WA_PUBLISHED_BYTES_MAX, &t->list, err) != WA_OK || t->list.n == 0)
        return err->code;
    if (wa_published_read(wa_buf_sv(&t->list), &p, &why) == WA_OK &&
        wa_published_check_signer(p, t->root, wa_clock_now(), NULL, &why) == WA_OK)
        t->published = WA_TAKE(p);
    return why.code == WA_E_NOMEM ? wa_nomem(err) : WA_OK;
}

static enum wa_code load_rows(struct wa_db *db, struct wa_repo_trust *t, struct wa_err *err)
{
    if (get_row(db, root_row, WA_ROOT_BYTES_MAX, &t->json, err) != WA_OK || t->json.n == 0)
        return err->code;
    if (wa_root_read(wa_buf_sv(&t->json), &t->root, err) != WA_OK ||
        wa_root_check(t->root, err) != WA_OK)
        return wa_wrap(err, "the root that this machine has accepted can't be used any more");
    if (get_row(db, stamp_row, WA_TIMESTAMP_BYTES_MAX, &t->stamp, err) != WA_OK)
        return err->code;
    return load_list(db, t, err);
}

static enum wa_code in_transaction(struct wa_db *db,
                                   enum wa_code (*work)(struct wa_db *db, const void *arg,
                                                        struct wa_err *err),
                                   const void *arg, struct wa_err *err)
{
    int64_t generation = 0;
    if (wa_db_begin(db, err) != WA_OK)
        return err->code;
    if (work(db, arg, err) != WA_OK ||
        wa_param_i64(db, generation_row, &generation, err) != WA_OK ||
        wa_param_set_i64(db, generation_row, generation + 1, err) != WA_OK ||
        wa_db_commit(db, err) != WA_OK) {
        wa_db_rollback(db);
        return err->code;
    }
    return WA_OK;
}

/* Another repository, or the first root: nothing that counted before does now. */
static enum wa_code write_first(struct wa_db *db, const void *arg, struct wa_err *err)
{
    const struct wa_sv *root = arg;
    if (wa_param_set(db, root_row, *root, err) != WA_OK ||
        wa_param_set(db, list_row, WA_SV(""), err) != WA_OK ||
        wa_param_set(db, stamp_row, WA_SV(""), err) != WA_OK ||
        wa_param_set(db, problem_row, WA_SV(""), err) != WA_OK ||
        wa_param_set(db, host_row, WA_SV(""), err) != WA_OK)
        return err->code;
    return wa_available_forget(db, err);
}

struct next_root {
    struct wa_sv json;
    bool keeps_list;
};

static enum wa_code write_root(struct wa_db *db, const void *arg, struct wa_err *err)
{
    const struct next_root *n = arg;
    if (!n->keeps_list && wa_param_set(db, list_row, WA_SV(""), err) != WA_OK)
        return err->code;
    return wa_param_set(db, root_row, n->json, err);
}

enum wa_code wa_repo_trust_save_root(struct wa_db *db, struct wa_sv json, bool keeps_list,
                                     struct wa_err *err)
{
    const struct next_root n = {json, keeps_list};
    return in_transaction(db, write_root, &n, err);
}

struct state {
    struct wa_sv list, stamp;
};

static enum wa_code write_state(struct wa_db *db, const void *arg, struct wa_err *err)
{
    const struct state *s = arg;
    if (s->list.n > 0 && wa_param_set(db, list_row, s->list, err) != WA_OK)
        return err->code;
    return wa_param_set(db, stamp_row, s->stamp, err);
}

enum wa_code wa_repo_trust_save_state(struct wa_db *db, struct wa_sv list, struct wa_sv stamp,
                                      struct wa_err *err)
{
    const struct state s = {list, stamp};
    return in_transaction(db, write_state, &s, err);
}

enum wa_code wa_repo_trust_save_problem(struct wa_db *db, const char *text, struct wa_err *err)
{
    return wa_param_set(db, problem_row, wa_sv(text), err);
}

/* --- local configuration --- */

/* root.json of the base directory says something that is not known: it is the first one, a newer
 * one, or another repository's. */
static bool is_news(const struct wa_root *local, const struct wa_root *known)
{
    return known == NULL || strcmp(local->repository, known->repository) != 0 ||
           local->version > known->version;
}

static enum wa_code take_local(struct wa_manager *m, struct wa_db *db, struct wa_repo_trust *t,
                               struct wa_err *err)
{
    const struct wa_relpath name = {"root.json", 9};
    WA_AUTO_BUF struct wa_buf text;
    WA_AUTO(wa_root) struct wa_root *r = NULL;
    struct wa_stat st;
    struct wa_err why = WA_ERR_INIT;
    wa_buf_init(&text, WA_ROOT_BYTES_MAX);
    if (wa_file_stat(&m->base, &name, &st, &why) == WA_E_NOT_FOUND)
        return WA_OK;
    if (why.code == WA_OK && (st.uid != 0 || (st.mode & 0022u) != 0))
        (void)wa_fail(&why, WA_E_DENIED, "others than root can write it");
    if (why.code != WA_OK || wa_file_read(&m->base, &name, text.max, &text, &why) != WA_OK ||
        wa_root_read(wa_buf_sv(&text), &r, &why) != WA_OK || wa_root_check(r, &why) != WA_OK) {
        *err = why;
        return wa_wrap(err, "root.json of the agent's directory, which says whom to trust");
    }
    if (!is_news(r, t->root))
        return WA_OK;
    const struct wa_sv json = wa_buf_sv(&text);
    if (in_transaction(db, write_first, &json, err) != WA_OK)
        return err->code;
    wa_log(&m->log, WA_LOG_INFO, "root.accepted", WA_LF_S("repository", r->repository),
           WA_LF_I("version", r->version));
    wa_repo_trust_fini(t);
    t->root = WA_TAKE(r);
    t->json = text;
    text = (struct wa_buf){NULL, 0, 0, 0, WA_OK};
    return WA_OK;
}

enum wa_code wa_repo_trust_load(struct wa_manager *m, struct wa_db *db, struct wa_repo_trust *ret,
                                struct wa_err *err)
{
    *ret = (struct wa_repo_trust){.root = NULL};
    /* The generation first: a write between the two shows at the next look. */
    if (wa_param_i64(db, generation_row, &ret->generation, err) == WA_OK &&
        load_rows(db, ret, err) == WA_OK && take_local(m, db, ret, err) == WA_OK)
        return WA_OK;
    wa_repo_trust_fini(ret);
    return err->code;
}

enum wa_code wa_repo_trust_loop(struct wa_manager *m, const struct wa_repo_trust **ret,
                                struct wa_err *err)
{
    struct wa_repo_trust fresh;
    int64_t generation = 0;
    if (m->trust == NULL)
        m->trust = wa_calloc(1, sizeof *m->trust);
    if (m->trust == NULL)
        return wa_nomem(err);
    if (wa_param_i64(m->db, generation_row, &generation, err) != WA_OK)
        return err->code;
    bool is_known = m->trust->root != NULL && m->trust->generation == generation;
    if (is_known && take_local(m, m->db, m->trust, err) != WA_OK)
        return err->code;
    if (!is_known) {
        if (wa_repo_trust_load(m, m->db, &fresh, err) != WA_OK)
            return err->code;
        wa_repo_trust_fini(m->trust);
        *m->trust = fresh;
    }
    *ret = m->trust;
    return WA_OK;
}

void wa_repo_trust_end(struct wa_manager *m)
{
    if (m->trust != NULL)
        wa_repo_trust_fini(m->trust);
    wa_free(m->trust);
    m->trust = NULL;
}

/* --- what it means --- */

enum wa_code wa_repo_trust_anchors(const struct wa_repo_trust *t, struct wa_trust *into,
                                   struct wa_err *err)
{
    if (wa_root_trust(t->root, into, err) != WA_OK)
        return err->code;
    return t->published == NULL ? WA_OK : wa_published_revoke(t->published, into, err);
}

enum wa_code wa_repo_trust_package(const struct wa_repo_trust *t, const struct wa_trust_result *who,
                                   const struct wa_control *c, bool has_code, struct wa_err *err)
{
    const struct wa_root_signer *s = NULL;
    if (t->root == NULL)
        return WA_OK;
    if (wa_root_entry(t->root, who, &s, err) != WA_OK)
        return err->code;
    return wa_root_allows_package(s, wa_control_get(c, WA_A_SECTION),
                                  wa_control_get(c, WA_A_PACKAGE), has_code, err);
}

enum wa_code wa_repo_trust_fresh(const struct wa_repo_trust *t, int64_t now, struct wa_err *err)
{
    struct wa_timestamp stamp;
    if (t->root == NULL)
        return WA_OK;
    if (t->published == NULL || t->stamp.n == 0)
        (void)wa_fail(err, WA_E_REFUSED, "nothing that the repository publishes is known yet");
    else if (wa_root_check_dates(t->root, now, err) == WA_OK &&
             wa_published_check(t->published, t->root, now, NULL, err) == WA_OK &&
             wa_timestamp_open(wa_buf_sv(&t->stamp), t->root, now, &stamp, err) == WA_OK)
        return WA_OK;
    return wa_wrap(err, "nothing is installed until 'wapt-get update' succeeds");
}

enum wa_code wa_repo_trust_is(const struct wa_published_file *f, const char *what, int fd,
                              struct wa_err *err)
{
    struct wa_fd_source source;
    char digest[WA_DIGEST_HEX_MAX];
    if (wa_fd_source_init(&source, fd, err) != WA_OK)
        return err->code;
    if (source.base.size != f->length)
        return wa_fail(err, WA_E_REFUSED, "%s has %llu bytes, and was published with %llu", what,
                       (unsigned long long)source.base.size, (unsigned long long)f->length);
    if (wa_digest_source(WA_SHA256, &source.base, digest, err) != WA_OK)
        return err->code;
    return strcmp(digest, f->sha256) == 0
               ? WA_OK
               : wa_fail(err, WA_E_REFUSED, "%s is not the one that was published", what);
}

enum wa_code wa_repo_trust_file(const struct wa_repo_trust *t, const char *file, int fd,
                                struct wa_err *err)
{
    if (t->root == NULL)
        return WA_OK;
    const struct wa_published_file *f =
        t->published == NULL ? NULL : wa_published_find(t->published, wa_sv(file));
    if (f == NULL)
        return wa_fail(err, WA_E_REFUSED, "'%s' is not in the list of what is published", file);
    return wa_repo_trust_is(f, "its file", fd, err);
}

enum wa_code wa_repo_trust_host(struct wa_db *db, const struct wa_repo_trust *t,
                                const struct wa_control *c, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf known;
    WA_AUTO_CONTROL struct wa_control before;
    wa_control_init(&before);
    wa_buf_init(&known, WA_NAME_MAX);
    if (t->root == NULL)
        return WA_OK;
    if (get_row(db, host_row, WA_NAME_MAX, &known, err) != WA_OK ||
        wa_control_copy(c, &before, err) != WA_OK ||
        (known.n > 0 && wa_control_set(&before, WA_A_VERSION, wa_buf_sv(&known), err) != WA_OK))
        return err->code;
    if (wa_entry_cmp(c, &before) < 0)
        return wa_fail(err, WA_E_REFUSED,
                       "it is version %s, and this machine had %s already: somebody rolls it back",
                       wa_control_get(c, WA_A_VERSION), wa_buf_str(&known));
    return wa_param_set(db, host_row, wa_sv(wa_control_get(c, WA_A_VERSION)), err);
}

/* --- orders --- */

static void add_names(struct wa_membership *ms, const char *depends)
{
    struct wa_sv rest = wa_sv(depends), item;
    while (ms->n < WA_MEMBERSHIPS_MAX && wa_csv_next(&rest, &item)) {
        struct wa_request r;
        struct wa_err ignored = WA_ERR_INIT;
        if (wa_request_parse(item, &r, &ignored) != WA_OK)
            continue;
        (void)snprintf(ms->names[ms->n], sizeof ms->names[0], "%s", r.package);
        ms->list[ms->n] = ms->names[ms->n];
        ms->n++;
    }
}

static enum wa_code load_membership(struct wa_manager *m, struct wa_db *db,
                                    const struct wa_repo_trust *t, struct wa_membership *ms,
                                    struct wa_err *err)
{
    WA_AUTO_AVAILABLE struct wa_available a = {.n = 0};
    char uuid[WA_UUID_MAX + 1];
    wa_identity_uuid(m, uuid);
    if (wa_available_load_repo(db, "wapt-host", &a, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < a.n; i++)
        if (strcmp(wa_control_get(&a.items[i], WA_A_PACKAGE), uuid) == 0 &&
            (t->published == NULL ||
             !wa_published_revokes(t->published,
                                   wa_control_get(&a.items[i], WA_A_SIGNER_FINGERPRINT))))
            add_names(ms, wa_control_get(&a.items[i], WA_A_DEPENDS));
    return WA_OK;
}

enum wa_code wa_repo_trust_names(struct wa_manager *m, struct wa_db *db,
                                 const struct wa_repo_trust *t, struct wa_membership **ret,
                                 struct wa_err *err)
{
    struct wa_membership *ms = wa_calloc(1, sizeof *ms);
    if (ms == NULL)
        return wa_nomem(err);
    if (load_membership(m, db, t, ms, err) != WA_OK) {
        wa_free(ms);
        return err->code;
    }
    *ret = ms;
    return WA_OK;
}

enum wa_code wa_repo_trust_order(struct wa_manager *m, struct wa_db *db,
                                 const struct wa_repo_trust *t, const struct wa_trust_result *who,
                                 const char *action, bool *ret_outside, struct wa_err *err)
{
    const struct wa_root_signer *s = NULL;
    if (wa_root_entry(t->root, who, &s, err) != WA_OK ||
        wa_root_lets_order(s, action, err) != WA_OK)
        return err->code;
    struct wa_membership *ms = NULL;
    if (wa_repo_trust_names(m, db, t, &ms, err) != WA_OK)
        return err->code;
    enum wa_code code = wa_root_allows_action(s, action, ms->list, ms->list, err);
    *ret_outside = code == WA_E_REFUSED;
    wa_free(ms);
    return code;
}

/* --- for people --- */

static void write_date(struct wa_jw *w, const char *key, int64_t at)
{
    if (at > 0)
        wa_jw_kvi(w, key, at);
}

enum wa_code wa_repo_trust_status(struct wa_manager *m, struct wa_jw *w, struct wa_err *err)
{
    static const struct wa_repo_trust none = {.root = NULL};
    const struct wa_repo_trust *t = &none;
    WA_AUTO_BUF struct wa_buf problem;
    struct wa_timestamp stamp = {.expires = 0};
    struct wa_err why = WA_ERR_INIT, ignored = WA_ERR_INIT;
    if (get_row(m->db, problem_row, WA_ERR_TEXT_MAX, &problem, err) != WA_OK)
        return err->code;
    bool is_well = wa_repo_trust_loop(m, &t, &why) == WA_OK &&
                   wa_repo_trust_fresh(t, wa_clock_now(), &why) == WA_OK;
    wa_jw_kv(w, "trust", t->root != NULL || !is_well ? "root" : "classic");
    if (t->root != NULL) {
        wa_jw_kvi(w, "root_version", t->root->version);
        write_date(w, "root_expires", t->root->expires);
    }
    if (t->published != NULL) {
        wa_jw_kvi(w, "published_version", t->published->version);
        write_date(w, "published_expires", t->published->expires);
    }
    if (t->root != NULL && t->stamp.n > 0 &&
        wa_timestamp_open(wa_buf_sv(&t->stamp), t->root, wa_clock_now(), &stamp, &ignored) == WA_OK)
        write_date(w, "timestamp_expires", stamp.expires);
    wa_jw_kv(w, "trust_problem", problem.n > 0 ? wa_buf_str(&problem) : !is_well ? why.text : NULL);
    return WA_OK;
}

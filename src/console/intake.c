/* intake.c - the index of where packages come from, judged; each package fetched, verified, signed.
 *
 * What comes is a stranger's until it is verified: it lies in a private folder, under names of our
 * own, and is no longer than its index said. The own repository's word counts for nothing but what
 * need not come again.
 */
#include "console/intake.h"

#include "base/mem.h"
#include "codec/url.h"
#include "os/clock.h"
#include "os/fs.h"
#include "os/path.h"

struct wa_intake {
    struct wa_intake_options o;
    struct wa_dir folder;   /* where they come from, unless from a server */
    struct wa_scratch temp; /* ours */
    struct wa_dir dir;      /* that */
    struct wa_index there, here;
    struct wa_import_plan plan;
    struct wa_verdict *verdicts; /* of those fetched, by their number in the plan */
    struct {
        WA_VEC(struct wa_intake_refused);
    } refused;
    enum wa_code lost; /* a refusal that could not be kept */
};

static bool is_wanted(const struct wa_import_wish *w, const struct wa_control *c)
{
    for (size_t i = 0; i < w->request_count; i++)
        if (strcmp(w->requests[i].package, wa_control_get(c, WA_A_PACKAGE)) == 0)
            return true;
    return w->request_count == 0;
}

/* --- indexes --- */

static void refuse(void *user, const struct wa_control *c, const struct wa_err *why)
{
    struct wa_intake *in = user;
    struct wa_err err = WA_ERR_INIT;
    if (!is_wanted(in->o.wish, c) || in->lost != WA_OK)
        return;
    struct wa_intake_refused *slot = WA_VEC_PUSH(&in->refused);
    if (slot == NULL) {
        in->lost = WA_E_NOMEM;
        return;
    }
    wa_control_init(&slot->entry);
    slot->why = NULL;
    if (wa_control_copy(c, &slot->entry, &err) != WA_OK ||
        wa_sv_dup(wa_sv(why->text), &slot->why, &err) != WA_OK)
        in->lost = err.code;
}

static enum wa_code parse_index(const struct wa_buf *packed, struct wa_index *ret,
                                struct wa_err *err)
{
    WA_AUTO(wa_archive_members) struct wa_archive_members *members = NULL;
    struct wa_mem_source source;
    size_t bad = 0;
    wa_mem_source_init(&source, packed->p, packed->n);
    return wa_archive_members_open(&source.base, &members, err) == WA_OK
               ? wa_index_read(wa_archive_members_get(members), ret, &bad, err)
               : err->code;
}

enum wa_code wa_intake_index(struct wa_client *c, const char *base, struct wa_index *ret,
                             struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf packed;
    struct wa_buf_sink sink;
    char path[64];
    bool is_there = false;
    wa_buf_init(&packed, WA_INDEX_PACKED_BYTES_MAX);
    wa_buf_sink_init(&sink, &packed);
    (void)snprintf(path, sizeof path, "%.40s/Packages", base);
    if (wa_client_fetch(c, path, WA_INDEX_PACKED_BYTES_MAX, &sink.base, &is_there, err) != WA_OK)
        return err->code;
    if (!is_there)
        return wa_fail(err, WA_E_NOT_FOUND, "there is no index '%s'", path);
    return parse_index(&packed, ret, err);
}

static enum wa_code read_folder(struct wa_intake *in, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf packed;
    struct wa_relpath name;
    wa_buf_init(&packed, WA_INDEX_PACKED_BYTES_MAX);
    if (wa_dir_open(in->o.folder, &in->folder, err) != WA_OK ||
        wa_relpath_parse(WA_SV("Packages"), &name, err) != WA_OK ||
        wa_file_read(&in->folder, &name, WA_INDEX_PACKED_BYTES_MAX, &packed, err) != WA_OK)
        return err->code;
    return parse_index(&packed, &in->there, err);
}

/* --- files --- */

static enum wa_code copy(int fd, const struct wa_dir *to, const struct wa_relpath *name,
                         uint64_t max, struct wa_err *err)
{
    WA_AUTO_FD int out = -1;
    return wa_file_create(to, name, 0600, &out, err) == WA_OK ? wa_fd_copy(fd, out, max, err)
                                                              : err->code;
}

/* Where the i-th lies here: the names that others give their files are not ours. */
static enum wa_code own_name(const char *kind, size_t i, struct wa_relpath *ret, struct wa_err *err)
{
    char text[64];
    (void)snprintf(text, sizeof text, "%s-%zu.wapt", kind, i);
    return wa_relpath_parse(wa_sv(text), ret, err);
}

static enum wa_code path_of(const struct wa_intake *in, const struct wa_relpath *name, char *out,
                            struct wa_err *err)
{
    int n = snprintf(out, WA_PATH_MAX, "%s/%s", in->temp.path, name->p);
    return n < (int)WA_PATH_MAX ? WA_OK : wa_fail(err, WA_E_LIMIT, "the path is too long");
}

/* An entry for a file that somebody named. */
static enum wa_code add_file(struct wa_intake *in, size_t i, struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    WA_AUTO_VERDICT struct wa_verdict v;
    struct wa_relpath name;
    struct wa_err why = WA_ERR_INIT;
    struct wa_stat st;
    char path[WA_PATH_MAX], size[24];
    const struct wa_remake r = {.anchors = in->o.anchors};
    wa_verdict_init(&v);
    if (own_name("file", i, &name, err) != WA_OK || path_of(in, &name, path, err) != WA_OK ||
        wa_path_open(in->o.files[i], &fd, err) != WA_OK ||
        copy(fd, &in->dir, &name, WA_PACKAGE_BYTES_MAX, err) != WA_OK)
        return wa_wrap(err, "'%s'",
                       in->o.file_names != NULL ? in->o.file_names[i] : in->o.files[i]);
    enum wa_code code = wa_remake_verify(path, &r, &v, &why);
    if (code == WA_E_NOMEM)
        return wa_nomem(err);
    if (code != WA_OK && in->o.file_names != NULL &&
        wa_control_set(&v.control, WA_A_FILENAME, wa_sv(in->o.file_names[i]), err) != WA_OK)
        return err->code;
    if (code != WA_OK && in->o.file_names == NULL &&
        wa_control_get(&v.control, WA_A_PACKAGE)[0] == '\0')
        return wa_fail(err, code, "'%s': %s", in->o.files[i], why.text);
    if (code != WA_OK) {
        refuse(in, &v.control, &why);
        return WA_OK;
    }
    if (wa_path_stat(path, &st, err) != WA_OK)
        return err->code;
    (void)snprintf(size, sizeof size, "%llu", (unsigned long long)st.size);
    return wa_control_set(&v.control, WA_A_FILENAME, wa_sv(name.p), err) == WA_OK &&
                   wa_control_set(&v.control, WA_A_SIZE, wa_sv(size), err) == WA_OK
               ? wa_index_add(&in->there, &v.control, &v.chain, err)
               : err->code;
}

static enum wa_code read_there(struct wa_intake *in, struct wa_err *err)
{
    size_t gone = 0;
    if (in->o.file_count > 0) {
        for (size_t i = 0; i < in->o.file_count; i++)
            if (add_file(in, i, err) != WA_OK)
                return err->code;
        return wa_dir_open(in->temp.path, &in->folder, err);
    }
    if (in->o.from != NULL ? wa_intake_index(in->o.from, in->o.base, &in->there, err) != WA_OK
                           : read_folder(in, err) != WA_OK)
        return wa_wrap(err, "the index of where the packages come from");
    return wa_index_keep_trusted(&in->there, in->o.anchors, wa_clock_now(), NULL, refuse, in, &gone,
                                 err);
}

/* --- its life --- */

static enum wa_code open_all(struct wa_intake *in, struct wa_err *err)
{
    if (wa_scratch_open(&in->temp, "wapt-intake", err) != WA_OK ||
        wa_dir_open(in->temp.path, &in->dir, err) != WA_OK || read_there(in, err) != WA_OK)
        return err->code;
    if (in->lost != WA_OK)
        return wa_nomem(err);
    if (in->o.here != NULL && wa_intake_index(in->o.here, "/wapt", &in->here, err) != WA_OK)
        return wa_wrap(err, "the index of the server");
    if (wa_import_choose(&in->there, &in->here, in->o.wish, &in->plan, err) != WA_OK)
        return in->refused.n > 0
                   ? wa_fail(err, WA_E_REFUSED, "%s (%s)", err->text, in->refused.items[0].why)
                   : err->code;
    in->verdicts = wa_calloc(in->plan.n + 1, sizeof *in->verdicts);
    if (in->verdicts == NULL)
        return wa_nomem(err);
    for (size_t i = 0; i < in->plan.n; i++)
        wa_verdict_init(&in->verdicts[i]);
    return WA_OK;
}

enum wa_code wa_intake_open(const struct wa_intake_options *o, struct wa_intake **ret,
                            struct wa_err *err)
{
    WA_AUTO(wa_intake) struct wa_intake *in = wa_calloc(1, sizeof *in);
    if (in == NULL)
        return wa_nomem(err);
    in->o = *o;
    in->folder = in->dir = (struct wa_dir)WA_DIR_INIT;
    wa_index_init(&in->there);
    wa_index_init(&in->here);
    wa_import_plan_init(&in->plan);
    if (open_all(in, err) != WA_OK)
        return err->code;
    *ret = WA_TAKE(in);
    return WA_OK;
}

void wa_intake_free(struct wa_intake *in)
{
    if (in == NULL)
        return;
    for (size_t i = 0; in->verdicts != NULL && i < in->plan.n; i++)
        wa_verdict_fini(&in->verdicts[i]);
    wa_free(in->verdicts);
    for (size_t i = 0; i < in->refused.n; i++) {
        wa_control_fini(&in->refused.items[i].entry);
        wa_free(in->refused.items[i].why);
    }
    WA_VEC_FREE(&in->refused);
    wa_import_plan_fini(&in->plan);
    wa_index_fini(&in->there);
    wa_index_fini(&in->here);
    wa_dir_close(&in->folder);
    wa_dir_close(&in->dir);
    wa_scratch_close(&in->temp);
    wa_free(in);
}

const struct wa_import_plan *wa_intake_plan(const struct wa_intake *in)
{
    return &in->plan;
}

const struct wa_intake_refused *wa_intake_refused(const struct wa_intake *in, size_t *ret_count)
{
    *ret_count = in->refused.n;
    return in->refused.items;
}

const struct wa_index *wa_intake_there(const struct wa_intake *in)
{
    return &in->there;
}

void wa_intake_reach(struct wa_intake *in, struct wa_client *from)
{
    in->o.from = from;
}

/* --- one package --- */

static enum wa_code size_of(const struct wa_control *c, uint64_t *ret, struct wa_err *err)
{
    uint64_t n = 0;
    const char *text = wa_control_get(c, WA_A_SIZE);
    for (const char *p = text; *p >= '0' && *p <= '9' && n < WA_PACKAGE_BYTES_MAX; p++)
        n = n * 10 + (uint64_t)(*p - '0');
    if (n == 0 || n > WA_PACKAGE_BYTES_MAX)
        return wa_fail(err, WA_E_INVALID, "the index says that it has '%s' bytes", text);
    *ret = n;
    return WA_OK;
}

static enum wa_code download(struct wa_intake *in, struct wa_sv file, uint64_t max,
                             const struct wa_relpath *to, struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    WA_AUTO_BUF struct wa_buf path;
    struct wa_fd_sink sink;
    bool is_there = false;
    wa_buf_init(&path, 2 * WA_RELPATH_MAX);
    wa_buf_addf(&path, "%s/%.*s", in->o.base, WA_SV_ARG(file));
    if (wa_buf_check(&path, err) != WA_OK || wa_file_create(&in->dir, to, 0600, &fd, err) != WA_OK)
        return err->code;
    wa_fd_sink_init(&sink, fd);
    if (wa_client_fetch(in->o.from, wa_buf_str(&path), max, &sink.base, &is_there, err) != WA_OK)
        return err->code;
    return is_there ? WA_OK : wa_fail(err, WA_E_NOT_FOUND, "it is not there");
}

static enum wa_code bring(struct wa_intake *in, const struct wa_control *entry,
                          const struct wa_relpath *to, struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    struct wa_relpath from;
    struct wa_sv file = wa_sv(wa_control_get(entry, WA_A_FILENAME));
    uint64_t max = WA_PACKAGE_BYTES_MAX;
    if (wa_sv_starts(file, "./"))
        file = wa_sv_sub(file, 2, file.n);
    if (wa_relpath_parse(file, &from, err) != WA_OK)
        return err->code;
    if (in->o.from != NULL && in->o.file_count == 0)
        return size_of(entry, &max, err) == WA_OK ? download(in, file, max, to, err) : err->code;
    if (in->o.file_count > 0) /* our own copy already */
        return wa_file_link(&in->folder, &from, &in->dir, to, err);
    return wa_file_open(&in->folder, &from, &fd, err) == WA_OK ? copy(fd, &in->dir, to, max, err)
                                                               : err->code;
}

/* What it shall be here. */
static struct wa_remake wish_of(const struct wa_intake *in, size_t i)
{
    const struct wa_import_item *item = &in->plan.items[i];
    bool is_renamed = strcmp(item->package, wa_control_get(item->entry, WA_A_PACKAGE)) != 0;
    return (struct wa_remake){.anchors = in->o.anchors,
                              .entry = item->entry,
                              .package = is_renamed ? item->package : NULL,
                              .maturity = in->o.wish->maturity,
                              .depends = is_renamed ? item->depends : NULL,
                              .conflicts = is_renamed ? item->conflicts : NULL};
}

enum wa_code wa_intake_fetch(struct wa_intake *in, size_t i, bool *ret_has_code, struct wa_err *err)
{
    const struct wa_remake r = wish_of(in, i);
    struct wa_verdict *v = &in->verdicts[i];
    struct wa_relpath name;
    char path[WA_PATH_MAX];
    wa_verdict_fini(v);
    wa_verdict_init(v);
    if (own_name("package", i, &name, err) != WA_OK || path_of(in, &name, path, err) != WA_OK ||
        wa_tree_remove(&in->dir, &name, err) != WA_OK || bring(in, r.entry, &name, err) != WA_OK ||
        wa_remake_verify(path, &r, v, err) != WA_OK)
        return wa_wrap(err, "'%s'", wa_control_get(r.entry, WA_A_PACKAGE));
    if (ret_has_code != NULL)
        *ret_has_code = v->has_setup_py;
    return WA_OK;
}

/* The i-th, fetched and open. */
struct opened {
    int fd;
    struct wa_fd_source source;
    struct wa_archive_members *members;
};

static void close_one(struct opened *o)
{
    wa_archive_members_free(o->members);
    wa_fd_close(&o->fd);
}

static enum wa_code open_one(const struct wa_intake *in, size_t i, struct opened *ret,
                             struct wa_err *err)
{
    struct wa_relpath name;
    if (own_name("package", i, &name, err) != WA_OK ||
        wa_file_open(&in->dir, &name, &ret->fd, err) != WA_OK ||
        wa_fd_source_init(&ret->source, ret->fd, err) != WA_OK)
        return err->code;
    return wa_archive_members_open(&ret->source.base, &ret->members, err);
}

enum wa_code wa_intake_extract(struct wa_intake *in, size_t i, const struct wa_dir *dir,
                               struct wa_err *err)
{
    WA_CLEANUP(close_one) struct opened o = {.fd = -1};
    return open_one(in, i, &o, err) == WA_OK
               ? wa_extract_verified(wa_archive_members_get(o.members), &in->verdicts[i], dir, err)
               : err->code;
}

enum wa_code wa_intake_setup(const struct wa_intake *in, size_t i, struct wa_buf *out,
                             struct wa_err *err)
{
    WA_CLEANUP(close_one) struct opened o = {.fd = -1};
    struct wa_buf_sink sink;
    size_t at = 0;
    wa_buf_sink_init(&sink, out);
    if (open_one(in, i, &o, err) != WA_OK)
        return err->code;
    struct wa_members *members = wa_archive_members_get(o.members);
    if (!wa_members_find(members, "setup.py", &at))
        return WA_OK;
    if (members->items[at].size > out->max)
        return wa_fail(err, WA_E_LIMIT, "its setup.py is too long to be shown");
    return members->read(members, at, &sink.base, err);
}

enum wa_code wa_intake_sign(struct wa_intake *in, size_t i, const struct wa_signer *signer,
                            char *path, struct wa_err *err)
{
    const struct wa_remake r = wish_of(in, i);
    struct wa_relpath name;
    if (own_name("package", i, &name, err) != WA_OK || path_of(in, &name, path, err) != WA_OK)
        return err->code;
    return signer != NULL ? wa_remake_sign(path, &r, &in->verdicts[i], signer, path, err) : WA_OK;
}

enum wa_code wa_intake_delete(struct wa_client *c, struct wa_sv file, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf path;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, 1u << 20);
    wa_buf_init(&path, 4096);
    wa_buf_adds(&path, "/api/v1/packages/");
    wa_url_encode(file, &path);
    return wa_buf_check(&path, err) == WA_OK && wa_client_call(c, "DELETE", wa_buf_str(&path),
                                                               WA_SV(""), &arena, &j, err) == WA_OK
               ? WA_OK
               : wa_wrap(err, "deleting '%.*s'", WA_SV_ARG(file));
}

enum wa_code wa_intake_remove_old(struct wa_client *c, const struct wa_import_item *item,
                                  struct wa_sv *ret_file, struct wa_err *err)
{
    struct wa_sv file = wa_sv(wa_control_get(item->entry, WA_A_FILENAME));
    if (wa_sv_starts(file, "./"))
        file = wa_sv_sub(file, 2, file.n);
    if (wa_intake_delete(c, file, err) != WA_OK)
        return err->code;
    if (ret_file != NULL)
        *ret_file = file;
    return WA_OK;
}

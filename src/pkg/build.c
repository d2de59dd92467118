/* build.c - packages from a source directory, or from a control alone.
 *
 * The sources are read, never changed, but for the version in WAPT/control when that is asked for,
 * and then only once the package is in place.
 */
#include "pkg/build.h"

#include "codec/csv.h"
#include "pkg/build_priv.h"
#include "pkg/lint.h"
#include "pkg/members_dir.h"

/* Left out of every package when at the root, as WAPT does. */
bool wa_build_leaves_out(const struct wa_relpath *name, const struct wa_build_options *o)
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

static enum wa_code add_source(struct wa_output *o, const struct wa_dir *dir,
                               const struct wa_relpath *name, struct wa_listing *l,
                               struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    struct wa_fd_source source;
    struct wa_stat st;
    if (wa_file_open(dir, name, &fd, err) != WA_OK || wa_fd_stat(fd, &st, err) != WA_OK ||
        wa_fd_source_init(&source, fd, err) != WA_OK ||
        wa_listing_source(l, name, &source.base, err) != WA_OK ||
        wa_zip_add(o->zip, name, (st.mode & 0100u) != 0 ? 0755 : 0644, &source.base, err) != WA_OK)
        return wa_wrap(err, "packing '%s'", name->p);
    return WA_OK;
}

static enum wa_code add_sources(struct wa_output *o, const struct wa_dir *dir,
                                const struct wa_members *members,
                                const struct wa_build_options *options, const struct wa_signer *s,
                                struct wa_listing *l, struct wa_err *err)
{
    for (size_t i = 0; i < members->n; i++) {
        const struct wa_relpath *name = &members->items[i].name;
        if (wa_papers_is_generated(name->p) || wa_build_leaves_out(name, options))
            continue;
        if (wa_signer_may_pack(s, name->p, err) != WA_OK ||
            add_source(o, dir, name, l, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

/* The same for files that stay where they are: listed only. */
static enum wa_code list_sources(struct wa_members *members, const struct wa_build_options *options,
                                 const struct wa_signer *s, struct wa_listing *l,
                                 struct wa_err *err)
{
    for (size_t i = 0; i < members->n; i++) {
        const struct wa_relpath *name = &members->items[i].name;
        if (wa_papers_is_generated(name->p) || wa_build_leaves_out(name, options))
            continue;
        if (wa_signer_may_pack(s, name->p, err) != WA_OK ||
            members->read(members, i, wa_listing_start(l), err) != WA_OK ||
            wa_listing_end(l, name, err) != WA_OK)
            return wa_wrap(err, "reading '%s'", name->p);
    }
    return WA_OK;
}

static enum wa_code read_control(const struct wa_dir *dir, const struct wa_build_options *options,
                                 struct wa_control *c, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    struct wa_relpath name = wa_papers_name(0);
    wa_buf_init(&text, WA_CONTROL_BYTES_MAX);
    if (wa_file_read(dir, &name, WA_CONTROL_BYTES_MAX, &text, err) != WA_OK ||
        wa_control_parse(wa_buf_sv(&text), c, err) != WA_OK)
        return wa_wrap(err, "no package source");
    if (wa_build_apply(c, options, err) != WA_OK)
        return err->code;
    return wa_control_check(c, err);
}

/* The incremented version goes back to the sources; all else in them stays as it is written. */
static enum wa_code write_version(const struct wa_dir *dir, const char *version, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    WA_AUTO_BUF struct wa_buf again;
    struct wa_relpath name = wa_papers_name(0);
    struct wa_sv rest, line;
    wa_buf_init(&text, WA_CONTROL_BYTES_MAX);
    wa_buf_init(&again, 2 * WA_CONTROL_BYTES_MAX);
    if (wa_file_read(dir, &name, WA_CONTROL_BYTES_MAX, &text, err) != WA_OK)
        return err->code;
    bool done = false;
    for (rest = wa_buf_sv(&text); wa_sv_split(&rest, '\n', &line);) {
        size_t colon;
        if (again.n > 0 || done)
            wa_buf_addc(&again, '\n');
        bool is_version = !done && wa_sv_chr(line, ':', &colon) && line.p[0] != ' ' &&
                          wa_sv_ieqs(wa_sv_trim(wa_sv_n(line.p, colon)), "version");
        if (is_version)
            wa_buf_addf(&again, "%.*s: %s", (int)colon, line.p, version);
        else
            wa_buf_addsv(&again, line);
        done = done || is_version;
    }
    if (wa_buf_check(&again, err) != WA_OK)
        return err->code;
    return wa_file_replace(dir, &name, wa_buf_sv(&again), 0644, err);
}

static enum wa_code make_path(const char *dir, const char *name, char *ret_path, struct wa_err *err)
{
    char path[WA_PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/%s", dir, name);
    if (n < 0 || n >= (int)sizeof path)
        return wa_fail(err, WA_E_LIMIT, "the path of '%s' is too long", name);
    memcpy(ret_path, path, (size_t)n + 1);
    return WA_OK;
}

static enum wa_code build(const struct wa_dir *dir, const char *dir_out,
                          const struct wa_signer *signer, const struct wa_build_options *options,
                          char *ret_path, struct wa_err *err)
{
    WA_AUTO(wa_dir_members) struct wa_dir_members *members = NULL;
    WA_AUTO_CONTROL struct wa_control c;
    WA_AUTO_LISTING struct wa_listing l;
    WA_AUTO_OUTPUT struct wa_output o = WA_OUTPUT_INIT;
    char name[2 * WA_NAME_MAX + 1], path[WA_PATH_MAX];
    int64_t mtime = 0;
    wa_control_init(&c);
    wa_listing_init(&l);
    if (read_control(dir, options, &c, err) != WA_OK ||
        wa_dir_members_open(dir, &members, err) != WA_OK ||
        wa_build_date(&c, options, &mtime, err) != WA_OK ||
        wa_control_filename(&c, NULL, name, err) != WA_OK ||
        make_path(dir_out, name, path, err) != WA_OK ||
        wa_listing_open(&l, options, err) != WA_OK ||
        wa_output_open(&o, dir_out, mtime, err) != WA_OK ||
        add_sources(&o, dir, wa_dir_members_get(members), options, signer, &l, err) != WA_OK ||
        wa_output_commit(&o, &c, signer, &l, name, err) != WA_OK)
        return err->code;
    if (options != NULL && options->increment_release &&
        write_version(dir, wa_control_get(&c, WA_A_VERSION), err) != WA_OK)
        return wa_wrap(err, "the package is built, but its sources keep their version");
    memcpy(ret_path, path, strlen(path) + 1);
    return WA_OK;
}

enum wa_code wa_build_package(const char *source_dir, const char *dir_out,
                              const struct wa_signer *signer,
                              const struct wa_build_options *options, char *ret_path,
                              struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    wa_build_sweep(dir_out);
    if (wa_signer_check(signer, err) != WA_OK || wa_dir_open(source_dir, &dir, err) != WA_OK ||
        build(&dir, dir_out, signer, options, ret_path, err) != WA_OK)
        return wa_wrap(err, "building '%s'", source_dir);
    return WA_OK;
}

/* A pair over SHA-1 that is not made goes: it would no longer hold. */
static enum wa_code write_papers(const struct wa_dir *dir, const struct wa_papers *papers,
                                 struct wa_err *err)
{
    for (size_t i = 0; i < WA_PAPERS_MAX; i++) {
        struct wa_relpath name = wa_papers_name(i);
        struct wa_err why = WA_ERR_INIT;
        enum wa_code code =
            i < papers->n ? wa_file_replace(dir, &name, wa_buf_sv(&papers->bytes[i]), 0644, &why)
                          : wa_file_remove(dir, &name, &why);
        if (code != WA_OK && (i < papers->n || code != WA_E_NOT_FOUND)) {
            *err = why;
            return code;
        }
    }
    return WA_OK;
}

enum wa_code wa_sign_tree(const char *source_dir, const struct wa_signer *signer,
                          const struct wa_build_options *options, struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    WA_AUTO(wa_dir_members) struct wa_dir_members *members = NULL;
    WA_AUTO_CONTROL struct wa_control c;
    WA_AUTO_LISTING struct wa_listing l;
    WA_AUTO_PAPERS struct wa_papers papers;
    int64_t mtime = 0;
    wa_control_init(&c);
    wa_listing_init(&l);
    wa_papers_init(&papers);
    if (wa_signer_check(signer, err) != WA_OK || wa_dir_open(source_dir, &dir, err) != WA_OK ||
        read_control(&dir, options, &c, err) != WA_OK ||
        wa_dir_members_open(&dir, &members, err) != WA_OK ||
        wa_build_date(&c, options, &mtime, err) != WA_OK ||
        wa_listing_open(&l, options, err) != WA_OK ||
        list_sources(wa_dir_members_get(members), options, signer, &l, err) != WA_OK ||
        wa_papers_make(&c, signer, &l, &papers, err) != WA_OK ||
        write_papers(&dir, &papers, err) != WA_OK)
        return wa_wrap(err, "signing '%s'", source_dir);
    return WA_OK;
}

enum wa_code wa_build_meta(const struct wa_control *control, const char *dir_out,
                           const struct wa_signer *signer, const struct wa_build_options *options,
                           char *ret_path, struct wa_err *err)
{
    WA_AUTO_CONTROL struct wa_control c;
    WA_AUTO_LISTING struct wa_listing l;
    WA_AUTO_OUTPUT struct wa_output o = WA_OUTPUT_INIT;
    char name[2 * WA_NAME_MAX + 1], path[WA_PATH_MAX];
    int64_t mtime = 0;
    wa_control_init(&c);
    wa_listing_init(&l);
    if (wa_signer_check(signer, err) != WA_OK || wa_control_copy(control, &c, err) != WA_OK ||
        wa_build_apply(&c, options, err) != WA_OK || wa_control_check(&c, err) != WA_OK ||
        wa_build_date(&c, options, &mtime, err) != WA_OK ||
        wa_control_filename(&c, NULL, name, err) != WA_OK ||
        make_path(dir_out, name, path, err) != WA_OK ||
        wa_listing_open(&l, options, err) != WA_OK ||
        wa_output_open(&o, dir_out, mtime, err) != WA_OK ||
        wa_output_commit(&o, &c, signer, &l, name, err) != WA_OK)
        return wa_wrap(err, "making package '%s'", wa_control_get(control, WA_A_PACKAGE));
    memcpy(ret_path, path, strlen(path) + 1);
    return WA_OK;
}

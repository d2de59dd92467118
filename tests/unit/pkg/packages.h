/* packages.h - opening packages and trust stores of tests/vectors. */
#ifndef TEST_PKG_PACKAGES_H
#define TEST_PKG_PACKAGES_H

#include "support.h"

#include "os/path.h"
#include "pkg/verify.h"

/* A package in memory. */
struct package {
    struct wa_buf bytes;
    struct wa_mem_source source;
    struct wa_archive_members *archive;
};

static inline enum wa_code package_open(const char *name, struct package *p, struct wa_err *err)
{
    read_vector(name, &p->bytes);
    p->archive = NULL;
    wa_mem_source_init(&p->source, p->bytes.p, p->bytes.n);
    return wa_archive_members_open(&p->source.base, &p->archive, err);
}

static inline void package_close(struct package *p)
{
    wa_archive_members_free(p->archive);
    wa_buf_fini(&p->bytes);
}

/* A directory of tests/vectors as trust store; an empty one is a store without anchors. */
static inline struct wa_trust *trust_of(const char *name)
{
    char path[WA_PATH_MAX];
    struct wa_err err = WA_ERR_INIT;
    struct wa_trust *t = NULL;
    (void)snprintf(path, sizeof path, "%s/%s", WA_VECTORS, name);
    check_ok(wa_trust_new(&t, &err), &err, "trust");
    enum wa_code code = wa_trust_add_dir(t, path, &err);
    if (code != WA_E_CONFIG)
        check_ok(code, &err, path);
    return t;
}

/* A temporary directory of the test's own. */
struct scratch {
    char path[WA_PATH_MAX];
    struct wa_dir dir;
};

static inline void scratch_make(struct scratch *s)
{
    struct wa_err err = WA_ERR_INIT;
    s->dir = (struct wa_dir)WA_DIR_INIT;
    check_ok(wa_temp_dir("wapt-test", s->path, &err), &err, "temporary directory");
    check_ok(wa_dir_open(s->path, &s->dir, &err), &err, s->path);
}

static inline void scratch_drop(struct scratch *s)
{
    WA_AUTO_DIR struct wa_dir parent = WA_DIR_INIT;
    struct wa_relpath name;
    struct wa_err err = WA_ERR_INIT;
    char folder[WA_PATH_MAX];
    const char *last = wa_path_last(s->path);
    check_ok(wa_path_dir(s->path, (size_t)(last - s->path), folder, &err), &err, s->path);
    wa_dir_close(&s->dir);
    check_ok(wa_dir_open(folder, &parent, &err), &err, folder);
    check_ok(wa_relpath_parse(wa_sv(last), &name, &err), &err, last);
    check_ok(wa_tree_remove(&parent, &name, &err), &err, s->path);
}

static inline void write_file(const struct wa_dir *dir, const char *name, const char *text)
{
    struct wa_relpath path;
    struct wa_err err = WA_ERR_INIT;
    check_ok(wa_relpath_parse(wa_sv(name), &path, &err), &err, name);
    const char *slash = strrchr(name, '/');
    if (slash != NULL) {
        struct wa_relpath parent;
        check_ok(wa_relpath_parse(wa_sv_n(name, (size_t)(slash - name)), &parent, &err), &err,
                 name);
        check_ok(wa_dir_make_sub(dir, &parent, 0755, &err), &err, name);
    }
    check_ok(wa_file_replace(dir, &path, wa_sv(text), 0644, &err), &err, name);
}

static inline void read_file(const struct wa_dir *dir, const char *name, struct wa_buf *out)
{
    struct wa_relpath path;
    struct wa_err err = WA_ERR_INIT;
    wa_buf_init(out, 64u << 20);
    check_ok(wa_relpath_parse(wa_sv(name), &path, &err), &err, name);
    check_ok(wa_file_read(dir, &path, 64u << 20, out, &err), &err, name);
}

#endif

/* kind_make.c - a package made of files that were dropped into the page: put together here, shown,
 * then built, signed and published.
 *
 * What is shown is read again from the sources as they lie in a private folder: they are what is
 * built. Nothing of the files is executed, nor unpacked.
 */
#include "base/mem.h"
#include "codec/url.h"
#include "console/local_publish.h"
#include "console/making.h"
#include "console/upload.h"
#include "crypto/digest.h"
#include "os/fs.h"

#define SOURCES "sources"
#define FILES_SAID 20u /* by name; more of them by their number */
#define PACKAGES_ASKED 1000

struct make {
    struct wa_making m;
    struct wa_control control; /* as it was read back */
    struct wa_buf setup, icon;
    char setup_sha256[WA_DIGEST_HEX_MAX];
    char (*digests)[WA_DIGEST_HEX_MAX]; /* of the files */
    char icon_sha256[WA_DIGEST_HEX_MAX];
    uint64_t total; /* bytes of them */
    struct wa_scratch temp;
    struct wa_dir dir;              /* the sources */
    char name[2 * WA_NAME_MAX + 1]; /* of the package's file */
    bool is_there;                  /* the server has one of that name */
};

/* --- the sources --- */

/* What is a program of Linux must be executable again: a browser does not tell modes. */
static enum wa_code is_executable(int fd, bool *ret, struct wa_err *err)
{
    struct wa_stat st;
    char head[4] = "";
    if (wa_fd_stat(fd, &st, err) != WA_OK ||
        (st.size >= sizeof head && wa_fd_read_at(fd, 0, head, sizeof head, err) != WA_OK))
        return err->code;
    *ret = memcmp(head,
                  "\x7f"
                  "ELF",
                  4) == 0 ||
           memcmp(head, "#!", 2) == 0;
    return WA_OK;
}

static enum wa_code put(const struct make *k, const struct wa_dir *from,
                        const struct wa_making_file *f, struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    WA_AUTO_FD int out = -1;
    struct wa_relpath id;
    bool runs = false;
    const char *slash = strrchr(f->path, '/');
    if (wa_relpath_parse(wa_sv(slash + 1), &id, err) != WA_OK ||
        wa_file_open(from, &id, &fd, err) != WA_OK || is_executable(fd, &runs, err) != WA_OK)
        return err->code;
    if (wa_file_create(&k->dir, &f->name, runs ? 0755 : 0644, &out, err) != WA_OK)
        return err->code;
    return wa_fd_copy(fd, out, WA_PACKAGE_BYTES_MAX, err);
}

static enum wa_code digest(const struct make *k, const struct wa_making_file *f,
                           char out[WA_DIGEST_HEX_MAX], struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    struct wa_fd_source source;
    return wa_file_open(&k->dir, &f->name, &fd, err) == WA_OK &&
                   wa_fd_source_init(&source, fd, err) == WA_OK
               ? wa_digest_source(WA_SHA256, &source.base, out, err)
               : err->code;
}

static enum wa_code collect(struct wa_local_prepared *p, struct make *k, struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir from = WA_DIR_INIT;
    struct wa_relpath sources;
    k->digests = wa_arena_alloc(&p->arena, k->m.count + 1, sizeof *k->digests);
    if (k->digests == NULL)
        return wa_nomem(err);
    if (wa_scratch_open(&k->temp, "wapt-making", err) != WA_OK ||
        wa_relpath_parse(WA_SV(SOURCES), &sources, err) != WA_OK ||
        wa_dir_make_sub(&k->temp.dir, &sources, 0755, err) != WA_OK ||
        wa_dir_open_sub(&k->temp.dir, &sources, &k->dir, err) != WA_OK ||
        (k->m.count > 0 && wa_dir_open(p->files_dir, &from, err) != WA_OK))
        return err->code;
    for (size_t i = 0; i < k->m.count; i++) {
        const struct wa_making_file *f = &k->m.files[i];
        if (put(k, &from, f, err) != WA_OK || digest(k, f, k->digests[i], err) != WA_OK)
            return wa_wrap(err, "'%s'", f->name.p);
        k->total += f->size;
    }
    return WA_OK;
}

static enum wa_code read_icon(struct make *k, struct wa_err *err)
{
    struct wa_relpath icon;
    if (k->m.icon.n == 0)
        return WA_OK;
    return wa_relpath_parse(WA_SV(WA_ICON_FILE), &icon, err) == WA_OK &&
                   wa_file_read(&k->dir, &icon, WA_ICON_BYTES_MAX, &k->icon, err) == WA_OK
               ? wa_sha256_hex(k->icon.p, k->icon.n, k->icon_sha256, err)
               : err->code;
}

/* What will be signed, from the very files. */
static enum wa_code read_back(struct make *k, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    struct wa_relpath control, setup;
    wa_buf_init(&text, WA_CONTROL_BYTES_MAX);
    if (wa_relpath_parse(WA_SV("WAPT/control"), &control, err) != WA_OK ||
        wa_relpath_parse(WA_SV("setup.py"), &setup, err) != WA_OK ||
        wa_file_read(&k->dir, &control, WA_CONTROL_BYTES_MAX, &text, err) != WA_OK ||
        wa_control_parse(wa_buf_sv(&text), &k->control, err) != WA_OK ||
        wa_file_read(&k->dir, &setup, WA_SETUP_PY_BYTES_MAX, &k->setup, err) != WA_OK)
        return err->code;
    return wa_sha256_hex(k->setup.p, k->setup.n, k->setup_sha256, err) == WA_OK &&
                   read_icon(k, err) == WA_OK
               ? wa_control_filename(&k->control, NULL, k->name, err)
               : err->code;
}

/* --- what is there --- */

static enum wa_code ask_whether_there(struct make *k, struct wa_client *client, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf path;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, 16u << 20);
    wa_buf_init(&path, 4096);
    wa_buf_addf(&path, "/api/v1/packages?limit=%d&package=", PACKAGES_ASKED);
    wa_url_encode(wa_sv(wa_control_get(&k->control, WA_A_PACKAGE)), &path);
    if (wa_buf_check(&path, err) != WA_OK ||
        wa_client_call(client, "GET", wa_buf_str(&path), WA_SV(""), &arena, &j, err) != WA_OK)
        return err->code;
    const struct wa_json *rows = wa_json_get(j, "packages");
    for (size_t i = 0; i < wa_json_count(rows); i++)
        k->is_there =
            k->is_there || wa_sv_eqs(wa_json_sv(wa_json_get(wa_json_at(rows, i), "file")), k->name);
    return WA_OK;
}

/* --- what is shown --- */

static void say_files(struct wa_local_prepared *p, const struct make *k)
{
    char text[WA_RELPATH_MAX + WA_DIGEST_HEX_MAX + 64];
    for (size_t i = 0; i < k->m.count && i < FILES_SAID; i++) {
        (void)snprintf(text, sizeof text, wa_text("%s, %llu bytes, SHA-256 %s"),
                       k->m.files[i].name.p, (unsigned long long)k->m.files[i].size, k->digests[i]);
        wa_local_say(p, wa_text("File"), wa_sv(text));
    }
    if (k->m.count <= FILES_SAID)
        return;
    (void)snprintf(text, sizeof text, wa_text("%zu in all, %llu bytes"), k->m.count,
                   (unsigned long long)k->total);
    wa_local_say(p, wa_text("Files"), wa_sv(text));
}

static void say(struct wa_local_prepared *p, const struct make *k)
{
    static const struct {
        const char *label;
        enum wa_attr attr;
    } lines[] = {{WA_TEXT("Package"), WA_A_PACKAGE},
                 {WA_TEXT("Version"), WA_A_VERSION},
                 {WA_TEXT("Architecture"), WA_A_ARCHITECTURE},
                 {WA_TEXT("System"), WA_A_TARGET_OS},
                 {WA_TEXT("Section"), WA_A_SECTION},
                 {WA_TEXT("Maturity"), WA_A_MATURITY},
                 {WA_TEXT("Needs"), WA_A_DEPENDS},
                 {WA_TEXT("Excludes"), WA_A_CONFLICTS},
                 {WA_TEXT("Description"), WA_A_DESCRIPTION}};
    char text[2048];
    wa_buf_addf(&p->title, wa_text("make %s %s"), wa_control_get(&k->control, WA_A_PACKAGE),
                wa_control_get(&k->control, WA_A_VERSION));
    for (size_t i = 0; i < WA_COUNT(lines); i++)
        if (wa_control_get(&k->control, lines[i].attr)[0] != '\0')
            wa_local_say(p, wa_text(lines[i].label),
                         wa_sv(wa_control_get(&k->control, lines[i].attr)));
    (void)snprintf(text, sizeof text, wa_text("what it runs on machines: %zu bytes, SHA-256 %s"),
                   k->setup.n, k->setup_sha256);
    wa_local_say(p, "setup.py", wa_sv(text));
    if (k->icon.n > 0) {
        (void)snprintf(text, sizeof text, wa_text("%zu bytes, SHA-256 %s"), k->icon.n,
                       k->icon_sha256);
        wa_local_say(p, wa_text("Icon"), wa_sv(text));
    }
    say_files(p, k);
    if (k->is_there)
        wa_local_say(p, wa_text("Takes the place of"), wa_sv(k->name));
    for (size_t i = 0; i < k->m.findings.n; i++)
        if (k->m.findings.items[i].level == WA_LINT_WARNING) {
            wa_making_say_finding(&k->m.findings.items[i], text, sizeof text);
            wa_local_say(p, wa_text("Mind"), wa_sv(text));
        }
}

static enum wa_code write_details(struct wa_local_prepared *p, const struct make *k,
                                  struct wa_err *err)
{
    struct wa_jw w;
    wa_jw_init(&w, &p->details);
    wa_jw_obj(&w);
    wa_jw_kvsv(&w, "control", wa_buf_sv(&k->m.text));
    wa_jw_kvsv(&w, "setup", wa_buf_sv(&k->setup));
    wa_jw_key(&w, "files");
    wa_jw_arr(&w);
    for (size_t i = 0; i < k->m.count; i++) {
        wa_jw_obj(&w);
        wa_jw_kv(&w, "name", k->m.files[i].name.p);
        wa_jw_kvi(&w, "size", (int64_t)k->m.files[i].size);
        wa_jw_kv(&w, "sha256", k->digests[i]);
        wa_jw_end(&w);
    }
    wa_jw_end(&w);
    wa_making_write_findings(&k->m.findings, wa_buf_sv(&k->m.text), &w);
    if (wa_making_write_icon(wa_buf_sv(&k->icon), &w, err) != WA_OK)
        return err->code;
    wa_jw_end(&w);
    return WA_OK;
}

/* Agents would refuse it, or it could never do its work. */
static enum wa_code check_findings(const struct make *k, struct wa_err *err)
{
    char text[2048];
    for (size_t i = 0; i < k->m.findings.n; i++)
        if (k->m.findings.items[i].level == WA_LINT_ERROR) {
            wa_making_say_finding(&k->m.findings.items[i], text, sizeof text);
            return wa_fail(err, WA_E_INVALID, "%s", text);
        }
    return WA_OK;
}

static enum wa_code prepare(struct wa_local_prepared *p, const struct wa_json *request,
                            struct wa_client *client, struct wa_err *err)
{
    struct make *k = wa_arena_alloc(&p->arena, 1, sizeof *k);
    if (k == NULL)
        return wa_nomem(err);
    *k = (struct make){.dir = WA_DIR_INIT};
    wa_making_init(&k->m);
    wa_control_init(&k->control);
    wa_buf_init(&k->setup, WA_SETUP_PY_BYTES_MAX);
    wa_buf_init(&k->icon, WA_ICON_BYTES_MAX);
    p->own = k;
    if (wa_making_read(&k->m, request, p->files_dir, &p->arena, NULL, err) != WA_OK)
        return err->code;
    if (!k->m.is_told)
        return wa_fail(err, WA_E_INVALID, "what is it to be?");
    if (collect(p, k, err) != WA_OK ||
        wa_making_compose(&k->m, &k->dir, true, p->options->reader, wa_client_stop(client), err) !=
            WA_OK ||
        check_findings(k, err) != WA_OK || read_back(k, err) != WA_OK ||
        ask_whether_there(k, client, err) != WA_OK)
        return err->code;
    say(p, k);
    return write_details(p, k, err);
}

/* --- the work --- */

static enum wa_code build(struct wa_local_prepared *p, const struct wa_signer *signer,
                          struct wa_client *client, struct wa_local_changes *ours,
                          struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    const struct make *k = p->own;
    const struct wa_build_options options = {.excludes = NULL};
    struct wa_fd_source source;
    char sources[WA_PATH_MAX + 16], path[WA_PATH_MAX];
    (void)snprintf(sources, sizeof sources, "%s/" SOURCES, k->temp.path);
    if (!wa_local_goes_on(p, 0, 0))
        return wa_fail(err, WA_E_CANCELLED, "stopped before it was its turn");
    if (wa_build_package(sources, k->temp.path, signer, &options, path, err) != WA_OK ||
        wa_path_open(path, &fd, err) != WA_OK || wa_fd_source_init(&source, fd, err) != WA_OK)
        return err->code;
    const struct wa_upload_job job = {.file = &source.base,
                                      .name = k->name,
                                      .replaces = k->is_there ? NULL : "none",
                                      .progress = wa_local_goes_on,
                                      .user = p};
    if (wa_client_publish(client, &job, err) == WA_OK)
        wa_local_changes_add(ours, wa_sv(k->name));
    return err->code;
}

static enum wa_code commit(struct wa_local_prepared *p, const struct wa_signer *signer,
                           struct wa_client *client, struct wa_jw *w, struct wa_err *err)
{
    WA_AUTO_LOCAL_CHANGES struct wa_local_changes ours;
    const struct make *k = p->own;
    struct wa_err why = WA_ERR_INIT;
    wa_local_changes_init(&ours);
    atomic_store(&p->steps, 1);
    atomic_store(&p->step, 1);
    enum wa_code code = build(p, signer, client, &ours, &why);
    if (code == WA_E_AUTH || code == WA_E_NOMEM) {
        *err = why;
        return err->code;
    }
    wa_jw_key(w, "packages");
    wa_jw_arr(w);
    wa_jw_obj(w);
    wa_jw_kv(w, "package", wa_control_get(&k->control, WA_A_PACKAGE));
    wa_jw_kv(w, "version", wa_control_get(&k->control, WA_A_VERSION));
    wa_jw_kv(w, "file", k->name);
    wa_jw_kv(w, "code", wa_code_name(why.code));
    wa_jw_kv(w, "error", why.code == WA_OK ? NULL : why.text);
    wa_jw_end(w);
    wa_jw_end(w);
    wa_jw_kvi(w, "failed", why.code != WA_OK);
    wa_local_publish_after(p, &ours, client, signer, w);
    return WA_OK;
}

static void discard(struct wa_local_prepared *p)
{
    struct make *k = p->own;
    if (k == NULL)
        return;
    wa_making_fini(&k->m);
    wa_control_fini(&k->control);
    wa_buf_fini(&k->setup);
    wa_buf_fini(&k->icon);
    wa_dir_close(&k->dir);
    wa_scratch_close(&k->temp);
}

/* Machines run it once they are assigned it: one can reach them all. */
const struct wa_local_kind wa_local_kind_make = {.what = "make",
                                                 .prepare = prepare,
                                                 .commit = commit,
                                                 .discard = discard,
                                                 .gesture = WA_LOCAL_GESTURE_ALWAYS,
                                                 .needs_code_key = true,
                                                 .can_stop = true};

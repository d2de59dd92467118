/* assign_hosts.c - machines' own packages, changed on the administrator's side: what the server has
 * is verified before anything of it is taken over, so that nothing gets signed that no trusted
 * person had signed; and the new one takes the place of just that file, or of none.
 */
#include "base/mem.h"
#include "console/assign.h"
#include "console/import.h"
#include "console/upload.h"
#include "os/clock.h"
#include "os/fs.h"
#include "pkg/version.h"

void wa_assign_hosts_fini(struct wa_assign_hosts *h)
{
    for (size_t i = 0; h->items != NULL && i < h->n; i++) {
        wa_control_fini(&h->items[i].current);
        wa_assign_diff_fini(&h->items[i].diff);
        wa_verdict_fini(&h->items[i].verdict);
    }
    wa_free(h->items);
    wa_scratch_close(&h->temp);
    *h = (struct wa_assign_hosts){.items = NULL};
}

enum wa_code wa_assign_hosts_init(struct wa_assign_hosts *h, const struct wa_targets *t,
                                  struct wa_err *err)
{
    *h = (struct wa_assign_hosts){.items = wa_calloc(t->count + 1, sizeof *h->items)};
    if (h->items == NULL)
        return wa_nomem(err);
    h->n = t->count;
    for (size_t i = 0; i < h->n; i++) {
        h->items[i].target = &t->items[i];
        wa_control_init(&h->items[i].current);
        wa_assign_diff_init(&h->items[i].diff);
        wa_verdict_init(&h->items[i].verdict);
    }
    return wa_scratch_open(&h->temp, "wapt-assign", err);
}

static enum wa_code path_of(const struct wa_assign_hosts *h, size_t i, char path[WA_PATH_MAX],
                            struct wa_err *err)
{
    int n = snprintf(path, WA_PATH_MAX, "%s/%s.wapt", h->temp.path, h->items[i].target->uuid);
    return n < (int)WA_PATH_MAX ? WA_OK : wa_fail(err, WA_E_LIMIT, "the path is too long");
}

/* --- what is there --- */

static enum wa_code fetch(struct wa_assign_hosts *h, size_t i, struct wa_client *c, bool *ret_found,
                          struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    WA_AUTO_FD int fd = -1;
    struct wa_relpath name;
    struct wa_fd_sink sink;
    struct wa_fd_source source;
    char from[WA_UUID_MAX + 64], file[WA_UUID_MAX + 16];
    (void)snprintf(file, sizeof file, "%s.wapt", h->items[i].target->uuid);
    (void)snprintf(from, sizeof from, "/api/v1/host-packages/%s", h->items[i].target->uuid);
    if (wa_dir_open(h->temp.path, &dir, err) != WA_OK ||
        wa_relpath_parse(wa_sv(file), &name, err) != WA_OK ||
        wa_tree_remove(&dir, &name, err) != WA_OK ||
        wa_file_create(&dir, &name, 0600, &fd, err) != WA_OK)
        return err->code;
    wa_fd_sink_init(&sink, fd);
    if (wa_client_fetch(c, from, WA_PACKAGE_BYTES_MAX, &sink.base, ret_found, err) != WA_OK)
        return err->code;
    if (!*ret_found)
        return wa_tree_remove(&dir, &name, err);
    return wa_fd_source_init(&source, fd, err) == WA_OK
               ? wa_digest_source(WA_SHA256, &source.base, h->items[i].replaces, err)
               : err->code;
}

/* It is that machine's, and somebody trusted has signed it. */
static enum wa_code judge(struct wa_assign_hosts *h, size_t i, const struct wa_trust *anchors,
                          struct wa_err *err)
{
    struct wa_assign_host *host = &h->items[i];
    const struct wa_remake r = {.anchors = anchors};
    char path[WA_PATH_MAX];
    if (path_of(h, i, path, err) != WA_OK ||
        wa_remake_verify(path, &r, &host->verdict, err) != WA_OK)
        return wa_wrap(err, "the package that it has is not taken over");
    const struct wa_control *c = &host->verdict.control;
    if (strcmp(wa_control_get(c, WA_A_PACKAGE), host->target->uuid) != 0 ||
        strcmp(wa_control_get(c, WA_A_SECTION), "host") != 0)
        return wa_fail(err, WA_E_REFUSED, "the server has the package of another machine for it");
    return wa_control_copy(c, &host->current, err);
}

/* The time, which grows by itself, unless it does not. */
static enum wa_code next_version(struct wa_assign_host *host, struct wa_err *err)
{
    const char *is = wa_control_get(&host->current, WA_A_VERSION);
    int c = 1;
    (void)snprintf(host->version, sizeof host->version, "%lld", (long long)wa_clock_now());
    if (wa_control_get(&host->current, WA_A_PACKAGE)[0] != '\0' &&
        wa_pkgversion_cmp(wa_sv(host->version), wa_sv(is), &c, err) != WA_OK)
        return err->code;
    return c > 0 ? WA_OK : wa_pkgversion_increment(wa_sv(is), host->version, err);
}

static enum wa_code look(struct wa_assign_hosts *h, size_t i, bool is_there,
                         const struct wa_trust *anchors, const struct wa_assign_wish *w,
                         struct wa_err *err)
{
    struct wa_assign_host *host = &h->items[i];
    if (is_there && judge(h, i, anchors, err) != WA_OK)
        return err->code;
    if (!is_there)
        (void)snprintf(host->replaces, sizeof host->replaces, "none");
    if (wa_assign_apply(&host->current, w, &host->diff, err) != WA_OK ||
        next_version(host, err) != WA_OK)
        return err->code;
    host->is_written = host->diff.n > 0 || (is_there && h->resigns);
    return WA_OK;
}

enum wa_code wa_assign_look(struct wa_assign_hosts *h, size_t i, struct wa_client *c,
                            const struct wa_trust *anchors, const struct wa_assign_wish *w,
                            struct wa_err *err)
{
    struct wa_assign_host *host = &h->items[i];
    bool is_there = false;
    wa_err_clear(&host->why);
    host->is_written = false;
    wa_assign_diff_fini(&host->diff);
    wa_control_fini(&host->current);
    wa_control_init(&host->current);
    wa_verdict_fini(&host->verdict);
    wa_verdict_init(&host->verdict);
    if (fetch(h, i, c, &is_there, err) != WA_OK)
        return err->code;
    if (look(h, i, is_there, anchors, w, &host->why) == WA_E_NOMEM)
        return wa_nomem(err);
    return WA_OK;
}

/* --- what becomes of it --- */

static enum wa_code sign(struct wa_assign_hosts *h, size_t i, const struct wa_signer *signer,
                         char path[WA_PATH_MAX], struct wa_err *err)
{
    struct wa_assign_host *host = &h->items[i];
    const char *set[WA_ASSIGN_LISTS];
    for (size_t k = 0; k < WA_ASSIGN_LISTS; k++) {
        const char *is = wa_control_get(&host->current, wa_assign_attr((enum wa_assign_list)k));
        set[k] = strcmp(is, host->diff.lists[k]) != 0 ? host->diff.lists[k] : NULL;
    }
    struct wa_build_options o = {.set_version = host->version,
                                 .set_depends = set[WA_ASSIGN_DEPENDS],
                                 .set_conflicts = set[WA_ASSIGN_CONFLICTS],
                                 .set_held = set[WA_ASSIGN_HELD],
                                 .set_windows = set[WA_ASSIGN_WINDOWS],
                                 .set_freezes = set[WA_ASSIGN_FREEZES]};
    if (path_of(h, i, path, err) != WA_OK)
        return err->code;
    if (wa_control_get(&host->current, WA_A_PACKAGE)[0] != '\0') {
        o.only = &host->verdict.manifest;
        return wa_sign_package(path, signer, &o, path, err);
    }
    WA_AUTO_CONTROL struct wa_control c;
    wa_control_init(&c);
    return wa_assign_new_host(host->target->uuid, &c, err) == WA_OK
               ? wa_build_meta(&c, h->temp.path, signer, &o, path, err)
               : err->code;
}

static enum wa_code put(struct wa_assign_hosts *h, size_t i, struct wa_client *c,
                        const struct wa_signer *signer, struct wa_err *err)
{
    const struct wa_assign_host *host = &h->items[i];
    WA_AUTO_FD int fd = -1;
    struct wa_fd_source source;
    char path[WA_PATH_MAX];
    if (sign(h, i, signer, path, err) != WA_OK || wa_path_open(path, &fd, err) != WA_OK ||
        wa_fd_source_init(&source, fd, err) != WA_OK)
        return err->code;
    const struct wa_upload_job job = {
        .file = &source.base, .host = host->target->uuid, .replaces = host->replaces};
    return wa_client_publish(c, &job, err);
}

enum wa_code wa_assign_put(struct wa_assign_hosts *h, size_t i, struct wa_client *c,
                           const struct wa_signer *signer, struct wa_err *err)
{
    struct wa_assign_host *host = &h->items[i];
    if (host->why.code == WA_OK && host->is_written)
        (void)put(h, i, c, signer, &host->why);
    *err = host->why;
    return err->code;
}

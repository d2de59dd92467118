/* scan_names.c - packages in a repository's folder get their usual names (formats.md 1.4).
 *
 * Only the name of the file changes, to one that is free; what can't be read keeps its name, and
 * the scan tells why. Names come from controls that nobody has judged, made safe as for any new
 * package.
 */
#include "pkg/build.h"
#include "repo/scan_priv.h"

static const struct wa_relpath lock_name = {".Packages.lock", 14};

static enum wa_code read_control(const struct wa_dir *dir, const struct wa_relpath *name,
                                 struct wa_control *ret, struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    WA_AUTO(wa_archive_members) struct wa_archive_members *members = NULL;
    WA_AUTO_BUF struct wa_buf text;
    struct wa_buf_sink sink;
    struct wa_fd_source source;
    size_t at;
    wa_buf_init(&text, WA_CONTROL_BYTES_MAX);
    wa_buf_sink_init(&sink, &text);
    if (wa_file_open(dir, name, &fd, err) != WA_OK ||
        wa_fd_source_init(&source, fd, err) != WA_OK ||
        wa_archive_members_open(&source.base, &members, err) != WA_OK)
        return err->code;
    struct wa_members *m = wa_archive_members_get(members);
    if (!wa_members_find(m, "WAPT/control", &at))
        return wa_fail(err, WA_E_INVALID, "not a package: it has no WAPT/control");
    if (m->read(m, at, &sink.base, err) != WA_OK)
        return err->code;
    return wa_control_parse(wa_buf_sv(&text), ret, err);
}

/* *ret_new: its usual name, "" when it has that. */
static enum wa_code rename_one(const struct wa_dir *dir, const char *file,
                               char ret_new[2 * WA_NAME_MAX + 1], struct wa_err *err)
{
    WA_AUTO_CONTROL struct wa_control c;
    struct wa_relpath from, to;
    struct wa_stat st;
    struct wa_err missing = WA_ERR_INIT;
    wa_control_init(&c);
    ret_new[0] = '\0';
    if (wa_relpath_parse(wa_sv(file), &from, err) != WA_OK ||
        read_control(dir, &from, &c, err) != WA_OK)
        return err->code;
    if (wa_package_has_usual_name(&c, &from))
        return WA_OK;
    if (wa_control_filename(&c, NULL, ret_new, err) != WA_OK ||
        wa_relpath_parse(wa_sv(ret_new), &to, err) != WA_OK)
        return err->code;
    if (wa_file_stat(dir, &to, &st, &missing) == WA_OK)
        return wa_fail(err, WA_E_EXISTS, "its name would be '%s', which is there already", to.p);
    return wa_file_rename(dir, &from, dir, &to, err);
}

enum wa_code wa_repo_rename(const char *path, wa_rename_fn tell, void *user, size_t *ret_renamed,
                            struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    WA_AUTO_FD int lock = -1;
    struct wa_scan_files files = {NULL, 0, 0};
    size_t renamed = 0;
    if (wa_dir_open(path, &dir, err) != WA_OK || wa_dir_lock(&dir, &lock_name, &lock, err) != WA_OK)
        return wa_wrap(err, "renaming the packages of '%s'", path);
    enum wa_code code = wa_scan_files_list(&dir, &files, err);
    for (size_t i = 0; code == WA_OK && i < files.n; i++) {
        char name[2 * WA_NAME_MAX + 1];
        struct wa_err why = WA_ERR_INIT;
        if (rename_one(&dir, files.items[i].name, name, &why) == WA_E_NOMEM)
            code = wa_nomem(err);
        if (name[0] == '\0') /* it has its name, or can't be read */
            continue;
        renamed += why.code == WA_OK ? 1 : 0;
        tell(user, files.items[i].name, name, &why);
    }
    wa_scan_files_fini(&files);
    if (code == WA_OK)
        *ret_renamed = renamed;
    return code;
}

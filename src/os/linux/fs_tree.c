/* fs_tree.c - lists, walks and removal of trees, and durable renames. Never through a link; depth
 * is bounded. */
#include "os/linux/fs_priv.h"

#include "base/mem.h"
#include "base/vec.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct names {
    WA_VEC(char *);
};

static void names_free(struct names *v)
{
    for (size_t i = 0; i < v->n; i++)
        wa_free(v->items[i]);
    WA_VEC_FREE(v);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Entries of the directory, sorted. fd stays the caller's. */
static enum wa_code read_names(int fd, struct names *v, struct wa_err *err)
{
    int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = again < 0 ? NULL : fdopendir(again);
    if (d == NULL) {
        (void)wa_fail_errno(err, errno, "cannot list a directory");
        wa_fd_close(&again);
        return err->code;
    }
    enum wa_code code = WA_OK;
    while (code == WA_OK) {
        errno = 0;
        struct dirent *e = readdir(d);
        if (e == NULL && errno != 0)
            code = wa_fail_errno(err, errno, "cannot list a directory");
        if (e == NULL)
            break;
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        char *copy = wa_strdup(e->d_name);
        char **slot = copy == NULL ? NULL : WA_VEC_PUSH(v);
        if (slot == NULL) {
            wa_free(copy);
            code = wa_nomem(err);
        } else {
            *slot = copy;
        }
    }
    (void)closedir(d);
    if (code == WA_OK && v->n > 1)
        qsort(v->items, v->n, sizeof v->items[0], by_text);
    return code;
}

enum wa_code wa_dir_list(const struct wa_dir *dir, wa_walk_fn fn, void *user, struct wa_err *err)
{
    struct names v = {0};
    enum wa_code code = read_names(dir->fd, &v, err);
    for (size_t i = 0; code == WA_OK && i < v.n; i++) {
        struct stat st;
        struct wa_stat info;
        if (fstatat(dir->fd, v.items[i], &st, AT_SYMLINK_NOFOLLOW) != 0) {
            if (errno == ENOENT)
                continue; /* went meanwhile */
            code = wa_fail_errno(err, errno, "cannot look at '%s'", v.items[i]);
            break;
        }
        wa_stat_fill(&st, &info);
        code = fn(user, v.items[i], &info, err);
    }
    names_free(&v);
    return code;
}

struct walk {
    wa_walk_files_fn fn;
    void *user;
    unsigned depth;
    struct wa_relpath prefix; /* n 0 at the top */
};

static enum wa_code walk_dir(int fd, struct walk *w, struct wa_err *err);

static enum wa_code walk_entry(int fd, const char *name, struct walk *w, struct wa_err *err)
{
    char text[WA_RELPATH_MAX + WA_NAME_MAX + 2];
    struct wa_relpath path;
    struct stat st;
    struct wa_stat info;
    (void)snprintf(text, sizeof text, "%s%s%s", w->prefix.p, w->prefix.n == 0 ? "" : "/", name);
    if (wa_relpath_parse(wa_sv(text), &path, err) != WA_OK)
        return err->code;
    if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return wa_fail_errno(err, errno, "cannot look at '%s'", path.p);
    wa_stat_fill(&st, &info);
    if (info.is_file)
        return w->fn(w->user, &path, &info, err);
    if (!info.is_dir)
        return wa_fail(err, WA_E_INVALID, "'%s' is a link or a special file", path.p);
    WA_AUTO_FD int sub = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (sub < 0)
        return wa_fail_errno(err, errno, "cannot open directory '%s'", path.p);
    struct wa_relpath saved = w->prefix;
    w->prefix = path;
    w->depth++;
    enum wa_code code = walk_dir(sub, w, err);
    w->depth--;
    w->prefix = saved;
    return code;
}

static enum wa_code walk_dir(int fd, struct walk *w, struct wa_err *err)
{
    struct names v = {0};
    if (w->depth > WA_RELPATH_DEPTH_MAX)
        return wa_fail(err, WA_E_LIMIT, "directories are nested more than %u deep",
                       WA_RELPATH_DEPTH_MAX);
    enum wa_code code = read_names(fd, &v, err);
    for (size_t i = 0; code == WA_OK && i < v.n; i++)
        code = walk_entry(fd, v.items[i], w, err);
    names_free(&v);
    return code;
}

enum wa_code wa_dir_walk_files(const struct wa_dir *dir, wa_walk_files_fn fn, void *user,
                               struct wa_err *err)
{
    struct walk w = {.fn = fn, .user = user};
    w.prefix.n = 0;
    w.prefix.p[0] = '\0';
    return walk_dir(dir->fd, &w, err);
}

/* Removes what is below the directory; names there may be anything, so no relpath here. */
static enum wa_code empty_dir(int fd, unsigned depth, struct wa_err *err)
{
    struct names v = {0};
    if (depth > 512)
        return wa_fail(err, WA_E_LIMIT, "directories are nested too deep to be removed");
    enum wa_code code = read_names(fd, &v, err);
    for (size_t i = 0; code == WA_OK && i < v.n; i++) {
        if (unlinkat(fd, v.items[i], 0) == 0 || errno == ENOENT)
            continue;
        if (errno != EISDIR && errno != EPERM) {
            code = wa_fail_errno(err, errno, "cannot remove '%s'", v.items[i]);
            break;
        }
        int sub = openat(fd, v.items[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (sub < 0) {
            code = wa_fail_errno(err, errno, "cannot remove '%s'", v.items[i]);
            break;
        }
        code = empty_dir(sub, depth + 1, err);
        wa_fd_close(&sub);
        if (code == WA_OK && unlinkat(fd, v.items[i], AT_REMOVEDIR) != 0 && errno != ENOENT)
            code = wa_fail_errno(err, errno, "cannot remove directory '%s'", v.items[i]);
    }
    names_free(&v);
    return code;
}

enum wa_code wa_tree_remove(const struct wa_dir *dir, const struct wa_relpath *sub,
                            struct wa_err *err)
{
    WA_AUTO_FD int parent = -1;
    const char *last = NULL;
    if (wa_open_parent(dir, sub, WA_PARENT_IS_THERE, &parent, &last, err) != WA_OK) {
        if (err->code != WA_E_NOT_FOUND)
            return err->code;
        wa_err_clear(err);
        return WA_OK;
    }
    if (unlinkat(parent, last, 0) == 0 || errno == ENOENT)
        return WA_OK;
    WA_AUTO_FD int fd = openat(parent, last, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return wa_fail_errno(err, errno, "cannot remove '%s'", sub->p);
    if (empty_dir(fd, 0, err) != WA_OK)
        return wa_wrap(err, "removing '%s'", sub->p);
    if (unlinkat(parent, last, AT_REMOVEDIR) != 0 && errno != ENOENT)
        return wa_fail_errno(err, errno, "cannot remove '%s'", sub->p);
    return WA_OK;
}

enum wa_code wa_file_remove(const struct wa_dir *dir, const struct wa_relpath *name,
                            struct wa_err *err)
{
    WA_AUTO_FD int parent = -1;
    const char *last = NULL;
    if (wa_open_parent(dir, name, WA_PARENT_IS_THERE, &parent, &last, err) != WA_OK)
        return err->code;
    if (unlinkat(parent, last, 0) != 0)
        return wa_fail_errno(err, errno, "cannot remove '%s'", name->p);
    return WA_OK;
}

enum wa_code wa_file_rename(const struct wa_dir *from, const struct wa_relpath *old_name,
                            const struct wa_dir *to, const struct wa_relpath *new_name,
                            struct wa_err *err)
{
    WA_AUTO_FD int old_dir = -1;
    WA_AUTO_FD int new_dir = -1;
    const char *old_last = NULL, *new_last = NULL;
    if (wa_open_parent(from, old_name, WA_PARENT_IS_THERE, &old_dir, &old_last, err) != WA_OK ||
        wa_open_parent(to, new_name, WA_PARENT_KEEP, &new_dir, &new_last, err) != WA_OK)
        return err->code;
    if (renameat(old_dir, old_last, new_dir, new_last) != 0)
        return wa_fail_errno(err, errno, "cannot rename '%s' to '%s'", old_name->p, new_name->p);
    if (wa_fd_sync(new_dir, err) != WA_OK)
        return err->code;
    return wa_fd_sync(old_dir, err);
}

enum wa_code wa_file_link(const struct wa_dir *from, const struct wa_relpath *old_name,
                          const struct wa_dir *to, const struct wa_relpath *new_name,
                          struct wa_err *err)
{
    WA_AUTO_FD int old_dir = -1;
    WA_AUTO_FD int new_dir = -1;
    const char *old_last = NULL, *new_last = NULL;
    if (wa_open_parent(from, old_name, WA_PARENT_IS_THERE, &old_dir, &old_last, err) != WA_OK ||
        wa_open_parent(to, new_name, WA_PARENT_KEEP, &new_dir, &new_last, err) != WA_OK)
        return err->code;
    if (linkat(old_dir, old_last, new_dir, new_last, 0) != 0)
        return wa_fail_errno(err, errno, "cannot link '%s' as '%s'", old_name->p, new_name->p);
    return wa_fd_sync(new_dir, err);
}

enum wa_code wa_file_exchange(const struct wa_dir *dir, const struct wa_relpath *a,
                              const struct wa_relpath *b, struct wa_err *err)
{
    WA_AUTO_FD int a_dir = -1;
    WA_AUTO_FD int b_dir = -1;
    const char *a_last = NULL, *b_last = NULL;
    if (wa_open_parent(dir, a, WA_PARENT_IS_THERE, &a_dir, &a_last, err) != WA_OK ||
        wa_open_parent(dir, b, WA_PARENT_IS_THERE, &b_dir, &b_last, err) != WA_OK)
        return err->code;
    if (renameat2(a_dir, a_last, b_dir, b_last, RENAME_EXCHANGE) != 0)
        return wa_fail_errno(err, errno, "cannot exchange '%s' and '%s'", a->p, b->p);
    if (wa_fd_sync(a_dir, err) != WA_OK)
        return err->code;
    return wa_fd_sync(b_dir, err);
}

/* fs_temp.c - private temporary directories, and what becomes of those whose process was killed:
 * the next one of the same account takes them away.
 *
 * A process that lives holds a lock on its directory, which the kernel gives back when it ends,
 * however it ends. The root is everybody's: what is a link, or another account's, is not touched.
 */
#include "os/linux/fs_priv.h"

#include "os/clock.h"
#include "os/rand.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define RANDOM_BYTES 12u
#define YOUNG_S 60 /* somebody has just made it, and has not come to lock it */

static const char *temp_root(void)
{
    const char *root = getenv("TMPDIR");
    return root != NULL && root[0] == '/' ? root : "/tmp";
}

enum wa_code wa_temp_dir(const char *prefix, char *out, struct wa_err *err)
{
    char suffix[2 * RANDOM_BYTES + 1];
    if (wa_rand_hex(suffix, RANDOM_BYTES, err) != WA_OK)
        return err->code;
    int n = snprintf(out, WA_PATH_MAX, "%s/%s-%s", temp_root(), prefix, suffix);
    if (n < 0 || (size_t)n >= WA_PATH_MAX)
        return wa_fail(err, WA_E_LIMIT, "the path of the temporary directory is too long");
    if (mkdir(out, 0700) != 0)
        return wa_fail_errno(err, errno, "cannot make temporary directory '%s'", out);
    return WA_OK;
}

static enum wa_code hold(const struct wa_dir *dir, struct wa_err *err)
{
    return flock(dir->fd, LOCK_EX | LOCK_NB) == 0
               ? WA_OK
               : wa_fail_errno(err, errno, "cannot lock a temporary directory");
}

struct sweep {
    const struct wa_dir *root;
    const char *prefix;
};

/* One that others can at most pass through, to what root has given them in it. */
static bool is_ours(const struct wa_stat *st)
{
    return st->is_dir && st->uid == (uint32_t)geteuid() && (st->mode & 066) == 0 &&
           st->mtime < wa_clock_now() - YOUNG_S;
}

static bool has_name(const char *name, const char *prefix)
{
    size_t n = strlen(prefix);
    return strncmp(name, prefix, n) == 0 && name[n] == '-' &&
           strspn(name + n + 1, "0123456789abcdef") == 2 * (size_t)RANDOM_BYTES &&
           strlen(name) == n + 1 + 2 * (size_t)RANDOM_BYTES;
}

/* What can't be taken away stays: it is nobody's trouble but the disk's. */
static enum wa_code sweep_one(void *user, const char *name, const struct wa_stat *st,
                              struct wa_err *err)
{
    const struct sweep *s = user;
    struct wa_relpath path;
    struct wa_stat opened;
    struct wa_err failed = WA_ERR_INIT;
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    WA_UNUSED(err);
    if (!has_name(name, s->prefix) || !is_ours(st) ||
        wa_relpath_parse(wa_sv(name), &path, &failed) != WA_OK ||
        wa_dir_open_sub(s->root, &path, &dir, &failed) != WA_OK ||
        wa_fd_stat(dir.fd, &opened, &failed) != WA_OK || !is_ours(&opened) ||
        hold(&dir, &failed) != WA_OK)
        return WA_OK;
    (void)!wa_tree_remove(s->root, &path, &failed);
    return WA_OK;
}

static void sweep(const char *prefix)
{
    WA_AUTO_DIR struct wa_dir root = WA_DIR_INIT;
    struct wa_err failed = WA_ERR_INIT;
    struct sweep s = {.root = &root, .prefix = prefix};
    if (wa_dir_open(temp_root(), &root, &failed) == WA_OK &&
        wa_dir_list(&root, sweep_one, &s, &failed) != WA_OK)
        wa_err_clear(&failed);
}

enum wa_code wa_scratch_open(struct wa_scratch *s, const char *kind, struct wa_err *err)
{
    *s = (struct wa_scratch){.dir = WA_DIR_INIT};
    sweep(kind);
    if (wa_temp_dir(kind, s->path, err) != WA_OK) {
        s->path[0] = '\0';
        return err->code;
    }
    return wa_dir_open(s->path, &s->dir, err) == WA_OK ? hold(&s->dir, err) : err->code;
}

void wa_scratch_close(struct wa_scratch *s)
{
    if (s->path[0] == '\0')
        return;
    wa_temp_remove(s->path);
    wa_dir_close(&s->dir);
    s->path[0] = '\0';
}

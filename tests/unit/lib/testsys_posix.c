/* testsys_posix.c - what unit tests ask of the system: temporary directories and one lock, by libc
 * alone. */
#include <errno.h>
#include <ftw.h>
#include <pthread.h>
#include <unistd.h>

#include "testlib.h"

void wa_test_tmpdir(char out[WA_PATH_MAX])
{
    const char *base = getenv("TMPDIR");
    int n = snprintf(out, WA_PATH_MAX, "%s/wapt-test-XXXXXX",
                     base != NULL && base[0] == '/' ? base : "/tmp");
    if (n < 0 || (size_t)n >= WA_PATH_MAX || mkdtemp(out) == NULL)
        fail_msg("cannot make a temporary directory: %s", strerror(errno));
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    WA_UNUSED(st);
    WA_UNUSED(at);
    return kind == FTW_DP ? rmdir(path) : unlink(path);
}

void wa_test_tmpdir_remove(const char *path)
{
    if (nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0)
        fail_msg("cannot remove %s: %s", path, strerror(errno));
}

void wa_test_symlink(const char *path)
{
    if (symlink("/etc/passwd", path) != 0)
        fail_msg("cannot make link %s: %s", path, strerror(errno));
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void wa_test_lock(void)
{
    (void)pthread_mutex_lock(&lock);
}

void wa_test_unlock(void)
{
    (void)pthread_mutex_unlock(&lock);
}

/* landlock.c - which files a process may still open. Straight system calls: Debian 12's C library
 * has no wrapper.
 *
 * A process without any WA_PRIV_FS_* gets an empty rule set: it can open nothing at all.
 */
#include "os/fs.h"
#include "os/linux/priv_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Newer than Debian 12's header. */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15)
#endif

#define READ_DIR (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define EXECUTE LANDLOCK_ACCESS_FS_EXECUTE
#define WRITE_DIR                                                                                  \
    (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                               \
     LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |  \
     LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_REFER | LANDLOCK_ACCESS_FS_TRUNCATE)
#define FILE_RIGHTS                                                                                \
    (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | EXECUTE |                      \
     LANDLOCK_ACCESS_FS_TRUNCATE | LANDLOCK_ACCESS_FS_IOCTL_DEV)

#define NET_TCP 3ULL        /* bind and connect, from ABI 4 */
#define SCOPE_ABSTRACT 1ULL /* abstract Unix sockets of others, from ABI 6 */
#define SCOPE_SIGNAL 2ULL   /* signals to others, from ABI 6 */

/* struct landlock_ruleset_attr as newer kernels have it; older ones take the beginning. */
struct rules_attr {
    uint64_t fs, net, scoped;
};

/* Every right that this kernel knows: what is handled and not granted is denied. */
static uint64_t handled_files(int abi)
{
    uint64_t all = (1ULL << 13) - 1; /* ABI 1 */
    if (abi >= 2)
        all |= LANDLOCK_ACCESS_FS_REFER;
    if (abi >= 3)
        all |= LANDLOCK_ACCESS_FS_TRUNCATE;
    if (abi >= 5)
        all |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
    return all;
}

static size_t describe_rules(const struct wa_priv *p, int abi, struct rules_attr *ret)
{
    *ret = (struct rules_attr){.fs = handled_files(abi)};
    if (abi < 4)
        return offsetof(struct rules_attr, net);
    ret->net = (p->allow & WA_PRIV_NET) != 0 ? 0 : NET_TCP;
    if (abi < 6)
        return offsetof(struct rules_attr, scoped);
    ret->scoped = SCOPE_SIGNAL | ((p->allow & WA_PRIV_LOCAL) != 0 ? 0 : SCOPE_ABSTRACT);
    return sizeof *ret;
}

/* A path that is not there gives nothing, and is not counted. */
static enum wa_code allow_path(int rules, const char *path, uint64_t rights, unsigned *count,
                               struct wa_err *err)
{
    struct stat st;
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return WA_OK;
    if (fd < 0)
        return wa_fail_errno(err, errno, "cannot open '%s'", path);
    if (fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode))
        rights &= FILE_RIGHTS;
    struct landlock_path_beneath_attr rule = {.allowed_access = rights, .parent_fd = fd};
    long rc = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    int saved = errno;
    (void)close(fd);
    if (rc != 0)
        return wa_fail_errno(err, saved, "cannot allow '%s'", path);
    ++*count;
    return WA_OK;
}

static enum wa_code allow_all(int rules, const char *const *paths, uint64_t rights, unsigned *count,
                              struct wa_err *err)
{
    *count = 0;
    for (size_t i = 0; paths != NULL && paths[i] != NULL; i++)
        if (allow_path(rules, paths[i], rights, count, err) != WA_OK)
            return err->code;
    return WA_OK;
}

enum wa_code wa_landlock_apply(const struct wa_priv *p, int *ret_abi, unsigned *ret_reads,
                               unsigned *ret_writes, struct wa_err *err)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    *ret_abi = abi > 0 ? (int)abi : 0;
    if (abi <= 0)
        return WA_OK;
    struct rules_attr attr;
    size_t size = describe_rules(p, (int)abi, &attr);
    WA_AUTO_FD int rules = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
    if (rules < 0)
        return wa_fail_errno(err, errno, "cannot make landlock rules");
    uint64_t read_rights = READ_DIR | ((p->allow & WA_PRIV_SPAWN) != 0 ? EXECUTE : 0);
    bool reads =
        (p->allow & (WA_PRIV_FS_READ | WA_PRIV_FS_WRITE | WA_PRIV_NET | WA_PRIV_LOCAL)) != 0;
    if (allow_all(rules, reads ? p->read_paths : NULL, read_rights & attr.fs, ret_reads, err) !=
        WA_OK)
        return err->code;
    bool writes = (p->allow & WA_PRIV_FS_WRITE) != 0;
    uint64_t write_rights =
        READ_DIR | WRITE_DIR | ((p->allow & WA_PRIV_TERM) != 0 ? LANDLOCK_ACCESS_FS_IOCTL_DEV : 0);
    if (allow_all(rules, writes ? p->write_paths : NULL, write_rights & attr.fs, ret_writes, err) !=
        WA_OK)
        return err->code;
    if (syscall(SYS_landlock_restrict_self, rules, 0) != 0)
        return wa_fail_errno(err, errno, "cannot enter landlock");
    return WA_OK;
}

/* drives.c - what is mounted, from the kernel, and how full it is. */
#include "os/drives.h"

#include "base/mem.h"
#include "os/fs.h"
#include "os/linux/accounts_priv.h"
#include "os/linux/text_priv.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define DRIVES_MAX 256u

static enum wa_code tell(const struct wa_mount *at, wa_drive_fn fn, void *user, struct wa_err *err)
{
    struct statvfs fs;
    char shown[1024];
    if (statvfs(at->point, &fs) != 0)
        return WA_OK; /* not ours to look at */
    wa_text_clean(wa_sv(at->point), shown, sizeof shown);
    const struct wa_drive d = {.mount_point = shown,
                               .device = at->device,
                               .type = at->type,
                               .size_bytes = (uint64_t)fs.f_blocks * fs.f_frsize,
                               .free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize};
    return fn(user, &d, err);
}

enum wa_code wa_drive_space(const char *path, uint64_t *ret_free, uint64_t *ret_total,
                            struct wa_err *err)
{
    struct statvfs v;
    if (statvfs(path, &v) != 0)
        return wa_fail_errno(err, errno, "cannot ask for the free space of '%s'", path);
    *ret_free = (uint64_t)v.f_bavail * (uint64_t)v.f_frsize;
    *ret_total = (uint64_t)v.f_blocks * (uint64_t)v.f_frsize;
    return WA_OK;
}

/* The same device is mounted in many places (containers, bind mounts): the first one tells. */
static bool is_new(char (*seen)[256], size_t n, const char *device)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(seen[i], device) == 0)
            return false;
    return true;
}

enum wa_code wa_drives_list(wa_drive_fn fn, void *user, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    char seen[DRIVES_MAX][256];
    struct wa_mount at;
    size_t n = 0;
    wa_buf_init(&text, WA_HOST_TEXT_MAX);
    if (wa_path_read("/proc/self/mounts", WA_HOST_TEXT_MAX, &text, err) != WA_OK)
        return wa_wrap(err, "listing what is mounted");
    struct wa_sv rest = wa_buf_sv(&text);
    while (n < DRIVES_MAX && wa_mounts_next(&rest, &at)) {
        struct stat st; /* containers have single files mounted */
        if (!is_new(seen, n, at.device) || stat(at.point, &st) != 0 || !S_ISDIR(st.st_mode))
            continue;
        memcpy(seen[n++], at.device, sizeof at.device);
        if (tell(&at, fn, user, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

void wa_memory_own(uint64_t *ret_resident, uint64_t *ret_virtual)
{
    WA_AUTO_BUF struct wa_buf text;
    struct wa_err ignored = WA_ERR_INIT;
    struct wa_sv rest, size, resident;
    uint64_t pages = 0, resident_pages = 0, page = (uint64_t)sysconf(_SC_PAGESIZE);
    wa_buf_init(&text, 4096);
    if (wa_path_read("/proc/self/statm", 4096, &text, &ignored) == WA_OK) {
        rest = wa_buf_sv(&text);
        if (wa_text_word(&rest, &size) && wa_text_word(&rest, &resident)) {
            (void)wa_sv_u64(size, &pages);
            (void)wa_sv_u64(resident, &resident_pages);
        }
    }
    *ret_virtual = pages * page;
    *ret_resident = resident_pages * page;
}

enum wa_code wa_memory_read(struct wa_memory *ret, struct wa_err *err)
{
    struct wa_memory m = {0};
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, WA_HOST_TEXT_MAX);
    if (wa_path_read("/proc/meminfo", WA_HOST_TEXT_MAX, &text, err) != WA_OK)
        return wa_wrap(err, "reading how much memory there is");
    wa_meminfo(wa_buf_sv(&text), &m);
    wa_buf_clear(&text);
    if (wa_path_read("/proc/stat", WA_HOST_TEXT_MAX, &text, err) != WA_OK)
        return wa_wrap(err, "reading when the machine was started");
    wa_boot_time(wa_buf_sv(&text), &m);
    *ret = m;
    return WA_OK;
}

uint64_t wa_files_most(void)
{
    struct rlimit l;
    if (getrlimit(RLIMIT_NOFILE, &l) != 0)
        return 0;
    if (l.rlim_cur < l.rlim_max) {
        const struct rlimit most = {l.rlim_max, l.rlim_max};
        if (setrlimit(RLIMIT_NOFILE, &most) == 0)
            l = most;
    }
    return l.rlim_cur;
}

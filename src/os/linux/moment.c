/* moment.c - what the machine is at, from /sys/class/power_supply and /proc. What others write
 * there is compared, never passed on. */
#include "os/moment.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#define SUPPLIES "/sys/class/power_supply"

/* The first bytes of a small file. */
static struct wa_sv read_at(int dir, const char *name, char *out, size_t size)
{
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    ssize_t n = fd < 0 ? -1 : read(fd, out, size);
    if (fd >= 0)
        (void)close(fd);
    return wa_sv_n(out, n < 0 ? 0 : (size_t)n);
}

bool wa_moment_on_battery(void)
{
    bool has_battery = false, has_plug = false, is_fed = false;
    DIR *d = opendir(SUPPLIES);
    if (d == NULL)
        return false;
    for (const struct dirent *e; (e = readdir(d)) != NULL;) { // NOLINT(concurrency-mt-unsafe)
        char path[300], text[64];
        if (e->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof path, "%s/type", e->d_name);
        struct wa_sv type = wa_sv_trim(read_at(dirfd(d), path, text, sizeof text));
        if (wa_sv_eqs(type, "Battery")) {
            /* A mouse has one too: scope says whose it is. */
            (void)snprintf(path, sizeof path, "%s/scope", e->d_name);
            has_battery |=
                !wa_sv_eqs(wa_sv_trim(read_at(dirfd(d), path, text, sizeof text)), "Device");
        } else if (wa_sv_eqs(type, "Mains") || wa_sv_starts(type, "USB")) {
            has_plug = true;
            (void)snprintf(path, sizeof path, "%s/online", e->d_name);
            is_fed |= wa_sv_starts(read_at(dirfd(d), path, text, sizeof text), "1");
        }
    }
    (void)closedir(d);
    return has_battery && has_plug && !is_fed;
}

static struct wa_sv last_part(struct wa_sv path)
{
    size_t at;
    while (wa_sv_chr(path, '/', &at))
        path = wa_sv_sub(path, at + 1, path.n);
    return path;
}

static bool is_called(struct wa_sv name, const char *wanted)
{
    size_t n = strlen(wanted);
    return wa_sv_ieqs(name, wanted) ||
           (name.n == n + 4 && wa_sv_ieqs(wa_sv_sub(name, 0, n), wanted) &&
            wa_sv_ieqs(wa_sv_sub(name, n, 4), ".exe"));
}

/* The file that it runs; for an interpreter's script, and where the file is gone, what it calls
 * itself. */
static bool runs_one(int proc, const char *pid, const char *wanted)
{
    char path[300], text[4096];
    (void)snprintf(path, sizeof path, "%s/exe", pid);
    ssize_t n = readlinkat(proc, path, text, sizeof text);
    if (n > 0 && is_called(last_part(wa_sv_n(text, (size_t)n)), wanted))
        return true;
    (void)snprintf(path, sizeof path, "%s/comm", pid);
    if (is_called(wa_sv_trim(read_at(proc, path, text, sizeof text)), wanted))
        return true;
    (void)snprintf(path, sizeof path, "%s/cmdline", pid);
    struct wa_sv words = read_at(proc, path, text, sizeof text), word;
    return wa_sv_split(&words, '\0', &word) && is_called(last_part(word), wanted);
}

static bool runs(DIR *proc, const char *wanted)
{
    rewinddir(proc);
    for (const struct dirent *e; (e = readdir(proc)) != NULL;) // NOLINT(concurrency-mt-unsafe)
        if (e->d_name[0] >= '1' && e->d_name[0] <= '9' && runs_one(dirfd(proc), e->d_name, wanted))
            return true;
    return false;
}

bool wa_moment_runs(struct wa_sv programs, char ret_program[WA_PROGRAM_MAX])
{
    struct wa_sv item;
    bool found = false;
    DIR *proc = opendir("/proc");
    while (proc != NULL && !found && wa_sv_split(&programs, ',', &item)) {
        char wanted[WA_PROGRAM_MAX];
        item = wa_sv_trim(item);
        if (item.n == 0 || item.n >= sizeof wanted)
            continue;
        (void)snprintf(wanted, sizeof wanted, "%.*s", WA_SV_ARG(item));
        found = runs(proc, wanted);
        if (found)
            memcpy(ret_program, wanted, sizeof wanted);
    }
    if (proc != NULL)
        (void)closedir(proc);
    return found;
}

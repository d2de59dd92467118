/* unit.c - which unit of systemd's a process belongs to: its control group's name, which nobody but
 * systemd gives, and root. */
#include "os/fs.h"
#include "os/service.h"

#define CGROUP_BYTES_MAX (1u << 16)

bool wa_service_says_unit(struct wa_sv cgroups, const char *unit)
{
    char whole[256];
    struct wa_sv line, number, controllers;
    (void)snprintf(whole, sizeof whole, "/system.slice/%.200s", unit);
    while (wa_sv_split(&cgroups, '\n', &line)) { /* number:controllers:path */
        if (!wa_sv_split(&line, ':', &number) || !wa_sv_split(&line, ':', &controllers))
            continue;
        /* systemd's own: the others are not its word. */
        if ((controllers.n == 0 || wa_sv_eqs(controllers, "name=systemd")) &&
            wa_sv_eqs(line, whole))
            return true;
    }
    return false;
}

bool wa_service_is_unit(int pid, const char *unit)
{
    WA_AUTO_BUF struct wa_buf text;
    struct wa_err ignored = WA_ERR_INIT;
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/cgroup", pid);
    wa_buf_init(&text, CGROUP_BYTES_MAX);
    return wa_path_read(path, CGROUP_BYTES_MAX, &text, &ignored) == WA_OK &&
           wa_service_says_unit(wa_buf_sv(&text), unit);
}

/* unit.c - which unit of systemd's a process belongs to: its control group's name, which nobody but
 * systemd gives, and root. */
#include "os/fs.h"
#include "os/service.h"

#define CGROUP_BYTES_MAX (1u << 16)

bool wa_service_is_unit(int pid, const char *unit)
{
    WA_AUTO_BUF struct wa_buf text;
    struct wa_err ignored = WA_ERR_INIT;
    char path[64], end[256];
    (void)snprintf(path, sizeof path, "/proc/%d/cgroup", pid);
    (void)snprintf(end, sizeof end, "/%.250s", unit);
    wa_buf_init(&text, CGROUP_BYTES_MAX);
    if (wa_path_read(path, CGROUP_BYTES_MAX, &text, &ignored) != WA_OK)
        return false;
    struct wa_sv rest = wa_buf_sv(&text), line, part;
    while (wa_sv_split(&rest, '\n', &line)) { /* number:controllers:path */
        if (!wa_sv_split(&line, ':', &part) || !wa_sv_split(&line, ':', &part))
            continue;
        if (wa_sv_ends(line, end))
            return true;
    }
    return false;
}

/* service.h - towards systemd: readiness, watchdog and stop (the sd_notify protocol over
 * NOTIFY_SOCKET, no libsystemd), and what a socket unit hands over. */
#ifndef WA_OS_SERVICE_H
#define WA_OS_SERVICE_H

#include "base/sv.h"

/* "READY=1", "STOPPING=1", "WATCHDOG=1", "EXTEND_TIMEOUT_USEC=..."; silent when nobody asked. */
void wa_service_notify(const char *state);
/* In which milliseconds "WATCHDOG=1" is to be said: half of what is waited for. 0: nobody watches.
 */
uint64_t wa_service_watchdog_ms(void);
/* The one connection with which a socket unit (Accept=yes) has started this process; close-on-exec
 * from here on. WA_E_USAGE when there is none. */
WA_CHECK enum wa_code wa_service_connection(int *ret_fd, struct wa_err *err);
/* Whether the process runs in the control group of that unit of the system's, as the kernel says;
 * not below it, nor in one of that name in another slice. False when it can't be told. */
bool wa_service_is_unit(int pid, const char *unit);
bool wa_service_says_unit(struct wa_sv cgroups,
                          const char *unit); /* the text of /proc/PID/cgroup */

#endif

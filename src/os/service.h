/* service.h - readiness and stop towards systemd (sd_notify protocol over NOTIFY_SOCKET, no
 * libsystemd). */
#ifndef WA_OS_SERVICE_H
#define WA_OS_SERVICE_H

/* "READY=1", "STOPPING=1", "EXTEND_TIMEOUT_USEC=..."; silent when nobody asked. */
void wa_service_notify(const char *state);

#endif

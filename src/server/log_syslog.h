/* log_syslog.h - what matters for security, of the server's log, told to the machine's syslog too
 * (RFC 5424), which may send it away: warnings, logins, changes of people and certificates, the
 * journal's head. Never waited for: what syslog does not take is lost there, and counted. */
#ifndef WA_SERVER_LOG_SYSLOG_H
#define WA_SERVER_LOG_SYSLOG_H

#include "base/err.h"

#include <stdint.h>

#define WA_SYSLOG_PART 4096u /* bytes: a line of the log is shorter */

struct wa_syslog {
    const char *path; /* of its socket; "": there is none. Borrowed */
    int fd;
    char host[256];
    char part[WA_SYSLOG_PART]; /* the beginning of a line whose end has not come */
    size_t part_n;
    uint64_t lost, retry_ms; /* messages; from when on the socket is looked for again */
};
#define WA_SYSLOG_INIT                                                                             \
    {                                                                                              \
        .path = "", .fd = -1                                                                       \
    }
void wa_syslog_open(struct wa_syslog *s, const char *path);
/* The next bytes of the log. */
void wa_syslog_take(struct wa_syslog *s, const char *p, size_t n);
void wa_syslog_close(struct wa_syslog *s);

#endif

/* log_syslog.c - lines of the log as messages of syslog.
 *
 * A line is "TIME LEVEL PROGRAM EVENT ...", one of our own processes' and escaped there: nothing
 * that somebody sent can begin another one.
 */
#include "server/log_syslog.h"

#include "os/clock.h"
#include "os/fs.h"
#include "os/host.h"
#include "os/local.h"
#include "os/socket.h"

#include <errno.h>

#define RETRY_MS 1000u
#define AUTHPRIV (10u << 3)

static bool is_told(struct wa_sv level, struct wa_sv event)
{
    static const char *const events[] = {"journal.head",        "login.granted",  "login.ended",
                                         "user.changed",        "host.forgotten", "host.left",
                                         "certificate.revoked", "server.started"};
    if (wa_sv_eqs(level, "warning") || wa_sv_eqs(level, "error"))
        return true;
    for (size_t i = 0; i < WA_COUNT(events); i++)
        if (wa_sv_eqs(event, events[i]))
            return true;
    return false;
}

/* False: it is not taken now. */
static bool send(struct wa_syslog *s, const char *p, size_t n)
{
    struct wa_err err = WA_ERR_INIT;
    uint64_t now = wa_clock_mono_ms();
    if (s->fd < 0 && now >= s->retry_ms) {
        s->retry_ms = now + RETRY_MS;
        if (wa_local_datagrams(s->path, &s->fd, &err) != WA_OK)
            s->fd = -1;
    }
    if (s->fd < 0)
        return false;
    if (wa_socket_write(s->fd, p, n) >= 0)
        return true;
    if (errno != EAGAIN && errno != ENOBUFS)
        wa_fd_close(&s->fd); /* it was started anew */
    return false;
}

static void tell(struct wa_syslog *s, unsigned severity, struct wa_sv time, struct wa_sv event,
                 struct wa_sv text)
{
    char message[WA_SYSLOG_BYTES_MAX];
    int n;
    if (s->lost > 0) {
        n = snprintf(message, sizeof message, "<%u>1 %.*s %s waptserver - log.lost - messages=%llu",
                     AUTHPRIV + 4, WA_SV_ARG(time), s->host, (unsigned long long)s->lost);
        if (n > 0 && send(s, message, (size_t)n))
            s->lost = 0;
    }
    n = snprintf(message, sizeof message, "<%u>1 %.*s %s waptserver - %.*s - %.*s",
                 AUTHPRIV + severity, WA_SV_ARG(time), s->host, WA_SV_ARG(event), WA_SV_ARG(text));
    if (n <= 0)
        return;
    size_t whole = (size_t)n < sizeof message ? (size_t)n : sizeof message - 1;
    if (!send(s, message, whole))
        s->lost++;
}

static void take_line(struct wa_syslog *s, struct wa_sv line)
{
    struct wa_sv rest = line, time, level, program, event;
    if (!wa_sv_split(&rest, ' ', &time) || !wa_sv_split(&rest, ' ', &level) || rest.p == NULL)
        return;
    struct wa_sv text = rest;
    if (!wa_sv_split(&rest, ' ', &program) || !wa_sv_split(&rest, ' ', &event) ||
        !is_told(level, event) || time.n > 40 || event.n > 32)
        return;
    tell(s, wa_sv_eqs(level, "error") ? 3 : wa_sv_eqs(level, "warning") ? 4 : 6, time, event, text);
}

void wa_syslog_open(struct wa_syslog *s, const char *path)
{
    s->path = path;
    wa_host_name(s->host, sizeof s->host);
    for (char *p = s->host; *p != '\0'; p++)
        if (*p <= ' ' || *p > '~')
            *p = '-';
    if (s->host[0] == '\0')
        (void)snprintf(s->host, sizeof s->host, "-");
}

void wa_syslog_take(struct wa_syslog *s, const char *p, size_t n)
{
    struct wa_sv rest = wa_sv_n(p, n), line;
    size_t at = 0;
    if (s->path[0] == '\0')
        return;
    while (wa_sv_chr(rest, '\n', &at)) {
        line = wa_sv_sub(rest, 0, at);
        rest = wa_sv_sub(rest, at + 1, rest.n);
        if (s->part_n > 0) {
            size_t room = sizeof s->part - s->part_n;
            size_t more = line.n < room ? line.n : room;
            memcpy(s->part + s->part_n, line.p, more);
            line = wa_sv_n(s->part, s->part_n + more);
            s->part_n = 0;
        }
        take_line(s, line);
    }
    size_t room = sizeof s->part - s->part_n, more = rest.n < room ? rest.n : room;
    if (more > 0)
        memcpy(s->part + s->part_n, rest.p, more);
    s->part_n += more;
}

void wa_syslog_close(struct wa_syslog *s)
{
    wa_fd_close(&s->fd);
}

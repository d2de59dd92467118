/* session.c - to which session of processes a local peer belongs, from /proc.
 *
 * A process number is no proof: it may be another process's by now. So its user is compared, and a
 * session is told by the time at which its first process began.
 */
#include "os/local.h"

#include "base/buf.h"
#include "os/fs.h"

#include <sys/stat.h>

#define STAT_BYTES_MAX 4096u
#define FIELD_SESSION 6 /* proc_pid_stat(5) */
#define FIELD_START 22

/* A number of /proc/PID/stat. The name of the program, in parentheses, may hold anything. */
static bool read_field(int pid, int field, int64_t *ret)
{
    WA_AUTO_BUF struct wa_buf text;
    struct wa_err ignored = WA_ERR_INIT;
    char path[64];
    struct wa_sv word = {NULL, 0};
    wa_buf_init(&text, STAT_BYTES_MAX);
    (void)snprintf(path, sizeof path, "/proc/%d/stat", pid);
    if (pid <= 0 || wa_path_read(path, STAT_BYTES_MAX - 1, &text, &ignored) != WA_OK)
        return false;
    size_t at = text.n;
    while (at > 0 && text.p[at - 1] != ')')
        at--;
    struct wa_sv rest = wa_sv_trim(wa_sv_sub(wa_buf_sv(&text), at, text.n));
    for (int i = 3; i <= field; i++)
        if (!wa_sv_split(&rest, ' ', &word))
            return false;
    return at > 0 && wa_sv_i64(word, ret);
}

bool wa_local_session(const struct wa_peer *peer, struct wa_session *ret)
{
    int64_t id = 0, started = 0;
    char path[64];
    struct stat st;
    (void)snprintf(path, sizeof path, "/proc/%d", peer->pid);
    if (peer->pid <= 0 || !read_field(peer->pid, FIELD_SESSION, &id) || stat(path, &st) != 0 ||
        st.st_uid != peer->uid || id <= 0 || id > INT32_MAX ||
        !read_field((int)id, FIELD_START, &started))
        return false;
    *ret = (struct wa_session){(int)id, (uint64_t)started};
    return true;
}

bool wa_session_is_there(const struct wa_session *s)
{
    int64_t started = 0;
    return read_field(s->id, FIELD_START, &started) && (uint64_t)started == s->started;
}

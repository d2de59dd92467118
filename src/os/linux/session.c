/* session.c - to which session of processes a local peer belongs, from /proc.
 *
 * A process number is no proof: it may be another process's by now. So its user is compared, and a
 * session is told by the time at which its first process began.
 */
#include "os/local.h"

#include "base/buf.h"
#include "os/fs.h"

#define STAT_BYTES_MAX 4096u
#define FIELD_SESSION 6 /* proc_pid_stat(5) */
#define FIELD_START 22

/* out is initialised here. */
static bool read_file(int pid, const char *name, struct wa_buf *out)
{
    struct wa_err ignored = WA_ERR_INIT;
    char path[64];
    wa_buf_init(out, STAT_BYTES_MAX);
    (void)snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    return pid > 0 && wa_path_read(path, STAT_BYTES_MAX - 1, out, &ignored) == WA_OK;
}

/* In whose name it acts. The owner of its directory does not tell: that is root for a process that
 * lets nobody look into it. */
static bool is_of(int pid, uint32_t uid)
{
    WA_AUTO_BUF struct wa_buf text;
    struct wa_sv rest, line, word;
    int64_t found = -1;
    if (!read_file(pid, "status", &text))
        return false;
    rest = wa_buf_sv(&text);
    while (wa_sv_split(&rest, '\n', &line))
        if (wa_sv_starts(line, "Uid:\t") && wa_sv_split(&line, '\t', &word) &&
            wa_sv_split(&line, '\t', &word) && wa_sv_split(&line, '\t', &word))
            (void)wa_sv_i64(word, &found);
    return found == (int64_t)uid;
}

/* A number of /proc/PID/stat. The name of the program, in parentheses, may hold anything. */
static bool read_field(int pid, int field, int64_t *ret)
{
    WA_AUTO_BUF struct wa_buf text;
    struct wa_sv word = {NULL, 0};
    if (!read_file(pid, "stat", &text))
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
    if (!read_field(peer->pid, FIELD_SESSION, &id) || !is_of(peer->pid, peer->uid) || id <= 0 ||
        id > INT32_MAX || !read_field((int)id, FIELD_START, &started))
        return false;
    *ret = (struct wa_session){(int)id, (uint64_t)started};
    return true;
}

bool wa_session_is_there(const struct wa_session *s)
{
    int64_t started = 0;
    return read_field(s->id, FIELD_START, &started) && (uint64_t)started == s->started;
}

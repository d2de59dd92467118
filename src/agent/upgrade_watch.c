/* upgrade_watch.c - whether the installed version of the agent works: it answers at its socket, it
 * is the installed program and not one from before, and stays the same process for a while.
 *
 * Who answers is asked of the kernel. What it says is read to a limit and a time: a version that
 * hangs has failed.
 */
#include <errno.h>

#include "agent/config.h"
#include "agent/upgrade.h"
#include "os/clock.h"
#include "os/local.h"
#include "os/pipe.h"
#include "os/proc.h"
#include "os/socket.h"
#include "proto/local.h"

#define ASK_MS 2000u
#define PAUSE_MS 250u
#define STEADY_MS 10000u /* so long it has to answer on end */

static void no_warning(void *user, const char *text)
{
    WA_UNUSED(user);
    WA_UNUSED(text);
}

/* Whether the process runs the file that is at path now. */
static bool is_program(int pid, const char *path)
{
    WA_AUTO_FD int here = -1;
    WA_AUTO_FD int there = -1;
    struct wa_stat a, b;
    struct wa_err ignored = WA_ERR_INIT;
    char exe[64];
    (void)snprintf(exe, sizeof exe, "/proc/%d/exe", pid);
    return wa_path_open(exe, &there, &ignored) == WA_OK &&
           wa_path_open(path, &here, &ignored) == WA_OK &&
           wa_fd_stat(there, &a, &ignored) == WA_OK && wa_fd_stat(here, &b, &ignored) == WA_OK &&
           a.inode == b.inode && a.size == b.size;
}

/* One line to the service, one back; fd does not block. */
static bool talk(int fd, struct wa_buf *answer)
{
    static const char request[] = "{\"op\":\"status\"}\n";
    uint64_t until = wa_clock_mono_ms() + ASK_MS;
    size_t at, count;
    struct wa_err ignored = WA_ERR_INIT;
    if (wa_socket_write(fd, request, sizeof request - 1) != (ptrdiff_t)sizeof request - 1)
        return false;
    while (wa_clock_mono_ms() < until) {
        struct wa_pipe_wait w = {.fd = fd};
        char *p = wa_buf_reserve(answer, 65536);
        if (p == NULL || wa_pipe_wait(&w, 1, (int)PAUSE_MS, &count, &ignored) != WA_OK)
            return false;
        if (count == 0)
            continue;
        ptrdiff_t got = wa_pipe_read(fd, p, 65536);
        if (got == 0 || (got < 0 && errno != EAGAIN))
            return false;
        wa_buf_advance(answer, got > 0 ? (size_t)got : 0);
        if (wa_sv_chr(wa_buf_sv(answer), '\n', &at)) {
            answer->n = at;
            return true;
        }
    }
    return false;
}

static bool ask(const char *socket, const char *program, struct wa_upgrade_look *ret)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf answer;
    WA_AUTO_FD int fd = -1;
    struct wa_err ignored = WA_ERR_INIT;
    struct wa_local_answer a;
    struct wa_peer peer;
    wa_arena_init(&arena, 16u << 20);
    wa_buf_init(&answer, 1u << 20);
    if (wa_local_connect(socket, &fd, &ignored) != WA_OK ||
        wa_local_peer(fd, &peer, &ignored) != WA_OK ||
        wa_fd_set_nonblocking(fd, true, &ignored) != WA_OK || !talk(fd, &answer) ||
        wa_local_answer_read(wa_buf_sv(&answer), &arena, &a, &ignored) != WA_OK ||
        a.event != WA_EV_RESULT || a.code != WA_OK)
        return false;
    *ret = (struct wa_upgrade_look){.pid = peer.pid,
                                    .is_connected = wa_json_bool(wa_json_get(a.data, "connected")),
                                    .is_program = is_program(peer.pid, program)};
    return true;
}

bool wa_upgrade_ask(const struct wa_upgrade *u, struct wa_upgrade_look *ret)
{
    struct wa_agent_config c;
    struct wa_err ignored = WA_ERR_INIT;
    if (wa_agent_config_load(u->config, no_warning, NULL, &c, &ignored) != WA_OK)
        return false;
    bool has_answered = ask(c.local_socket, u->program, ret);
    wa_agent_config_free(&c);
    return has_answered;
}

/* What is still missing; NULL: nothing. */
static const char *missing(const struct wa_upgrade *u, const struct wa_upgrade_look *look)
{
    if (look->pid == 0)
        return "it does not answer";
    if (!look->is_program)
        return "what answers is not the installed program";
    return u->was_connected && !look->is_connected ? "it does not reach its server, as before"
                                                   : NULL;
}

enum wa_code wa_upgrade_watch(const struct wa_upgrade *u, struct wa_err *err)
{
    struct wa_agent_config c;
    if (wa_agent_config_load(u->config, no_warning, NULL, &c, err) != WA_OK)
        return wa_wrap(err, "the configuration");
    uint64_t now = wa_clock_mono_ms(), until = now + (uint64_t)c.upgrade_timeout_s * 1000,
             since = now;
    const char *what = "it does not answer";
    int pid = 0;
    for (; now < until; now = wa_clock_mono_ms()) {
        struct wa_upgrade_look look = {.pid = 0};
        (void)ask(c.local_socket, u->program, &look);
        what = missing(u, &look);
        if (what != NULL || look.pid != pid)
            since = now;
        pid = what == NULL ? look.pid : 0;
        if (pid != 0 && now - since >= STEADY_MS)
            break;
        wa_clock_sleep_ms(PAUSE_MS);
    }
    wa_agent_config_free(&c);
    if (now < until)
        return WA_OK;
    return wa_fail(err, WA_E_TIMEOUT, "it did not work in time: %s",
                   what != NULL ? what : "it did not stay up long enough");
}

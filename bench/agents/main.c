/* main.c - a shard of simulated machines, one process: reads commands, a line each, and answers
 * each with a line of JSON when it is done.
 *
 *     bench_agents PORT FINGERPRINT TOKEN-FILE FIRST COUNT [certificates]
 *
 *     register LINKS          all machines, over so many connections
 *     connect AT-ONCE         all that are not connected, so many on their way at the same time
 *     status COUNT LINKS      signed reports, of one machine after another
 *     same COUNT AT-ONCE      "nothing has changed", over the WebSockets
 *     former COUNT AT-ONCE    the same of the state before the last, which is wrong
 *     orders COUNT            until so many have come since the shard began
 *     queue TIMES BYTES       the first machine tells its queue, whether it was asked or not, with
 * so many bytes that say nothing drop                    all WebSockets end without a word stop
 * what is being done is over, as far as it came count                   what there is now
 *
 * With certificates each machine shows on its WebSocket the one that the server gave it when it
 * registered, and asks for no other, whatever becomes of it. Machines are s000000 and on, so that
 * several processes make one fleet: bench/scale.py drives them.
 */
#include "shard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/fs.h"
#include "os/proc.h"

static void die(const char *what, const char *why)
{
    (void)fprintf(stderr, "bench_agents: %s: %s\n", what, why);
    exit(1);
}

static void must(enum wa_code code, const char *what, const struct wa_err *err)
{
    if (code != WA_OK)
        die(what, err->text);
}

void shard_done(struct shard *s)
{
    uint64_t ms = wa_loop_now_ms(s->place.loop) - s->since_ms;
    s->job = JOB_NONE;
    for (char *p = s->why; *p != '\0'; p++)
        if (*p == '"' || *p == '\\' || *p < ' ')
            *p = '\'';
    (void)printf("{\"done\":%zu,\"failed\":%zu,\"seconds\":%.3f,\"welcome\":%zu,\"orders\":%zu,"
                 "\"twice\":%zu,\"wrong\":%zu,\"lost\":%zu,\"watched\":%zu,\"slowest\":%.3f,"
                 "\"why\":\"%s\"}\n",
                 s->done, s->failed, (double)ms / 1000, s->welcome, s->orders, s->twice, s->wrong,
                 s->lost, s->watched, (double)s->slowest_ms / 1000, s->why);
    (void)fflush(stdout);
}

static void command(struct shard *s, const char *line)
{
    static const struct {
        const char *name;
        enum job job;
    } jobs[] = {{"register", JOB_REGISTER}, {"connect", JOB_CONNECT}, {"status", JOB_STATUS},
                {"orders", JOB_ORDERS},     {"same", JOB_SAME},       {"former", JOB_FORMER}};
    struct wa_err err = WA_ERR_INIT;
    char name[16] = "";
    size_t a = 0, b = 0;
    int n = sscanf(line, "%15s %zu %zu", name, &a, &b); /* our own driver's */
    if (n < 1)
        return;
    if (strcmp(name, "stop") == 0) {
        if (s->job != JOB_NONE)
            shard_done(s);
        return;
    }
    if (strcmp(name, "drop") == 0)
        work_drop(s);
    if (strcmp(name, "queue") == 0)
        work_queue(s, a, b);
    if (strcmp(name, "drop") == 0 || strcmp(name, "count") == 0 || strcmp(name, "queue") == 0) {
        shard_done(s);
        return;
    }
    for (size_t i = 0; i < WA_COUNT(jobs); i++) {
        if (strcmp(name, jobs[i].name) != 0)
            continue;
        bool takes_links = jobs[i].job == JOB_REGISTER || jobs[i].job == JOB_CONNECT;
        must(work_begin(s, jobs[i].job, takes_links ? s->count : a, takes_links ? a : b, &err),
             "command", &err);
        return;
    }
    die("command", line);
}

/* The driver has gone: so do we. */
static void on_commands(void *user, int events)
{
    struct shard *s = user;
    char c;
    ssize_t n;
    WA_UNUSED(events);
    while ((n = read(0, &c, 1)) == 1) {
        if (c != '\n') {
            if (s->line_n + 1 < sizeof s->line)
                s->line[s->line_n++] = c;
            continue;
        }
        s->line[s->line_n] = '\0';
        s->line_n = 0;
        command(s, s->line);
    }
    if (n == 0 || (n < 0 && errno != EAGAIN))
        wa_loop_stop(s->place.loop);
}

static void read_token(struct shard *s, const char *path)
{
    FILE *f = fopen(path, "re");
    if (f == NULL || fgets(s->token, (int)sizeof s->token, f) == NULL)
        die(path, "no token there");
    (void)fclose(f);
    s->token[strcspn(s->token, "\r\n")] = '\0';
}

static void make_machines(struct shard *s)
{
    s->machines = wa_calloc(s->count, sizeof *s->machines);
    if (s->machines == NULL)
        die("machines", "no memory");
    for (size_t i = 0; i < s->count; i++) {
        s->machines[i].shard = s;
        (void)snprintf(s->machines[i].uuid, sizeof s->machines[i].uuid, "s%06u",
                       (unsigned)(s->first + i) % 1000000u);
    }
}

static void set_limits(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        die("limits", "unknown");
    files.rlim_cur = files.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &files) != 0)
        die("limits", "not raised");
}

int main(int argc, char **argv)
{
    static struct shard s;
    struct wa_err err = WA_ERR_INIT;
    if (argc != 6 && argc != 7)
        die("usage", "bench_agents PORT FINGERPRINT TOKEN-FILE FIRST COUNT [certificates]");
    set_limits();
    wa_proc_ignore_broken_pipes();
    s.place.address = 0x7f000001u;
    s.place.port = (uint16_t)strtoul(argv[1], NULL, 10);
    (void)snprintf(s.trust.fingerprint, sizeof s.trust.fingerprint, "%s", argv[2]);
    read_token(&s, argv[3]);
    s.first = strtoul(argv[4], NULL, 10);
    s.count = strtoul(argv[5], NULL, 10);
    s.has_certificates = argc == 7;
    if (s.count == 0)
        die("usage", "no machine");
    make_machines(&s);
    must(wa_loop_new(&s.place.loop, &err), "loop", &err);
    must(wa_tls_client_ctx(&s.trust, &s.place.tls, &err), "trust", &err);
    must(wa_timer_new(s.place.loop, work_clock, &s, &s.clock, &err), "clock", &err);
    must(wa_fd_set_nonblocking(0, true, &err), "commands", &err);
    must(wa_io_new(s.place.loop, 0, on_commands, &s, &s.commands, &err), "commands", &err);
    must(wa_io_set(s.commands, WA_IO_READ, &err), "commands", &err);
    wa_timer_start(s.clock, 20, 20);
    must(wa_loop_run(s.place.loop, &err), "loop", &err);
    return 0; /* the machines go with the process */
}

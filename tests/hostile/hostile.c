/* hostile.c - the agent's child processes after somebody has taken them over.
 *
 * The real roles run, confined as they always are, until wa_role_child_begin() is over; from there
 * on each message that they send passes through here, and a scenario says what becomes of it. The
 * scenario is the file "scenario" beside the program, read before the process is confined; without
 * one the processes are the real ones. A line of it:
 *
 *   ROLE WHEN VERB [ARGUMENT...]      WHEN: begin, or a message's number, or NUMBER/nth of them
 *
 * Bytes are given in hex. What a verb does stands beside its name in the table at the end.
 */
#include <unistd.h>

#include "agent/manager_priv.h"
#include "agent/role_priv.h"
#include "base/limits.h"
#include "base/mem.h"
#include "codec/hex.h"
#include "hostile.h"

#define SCENARIO_MAX (1u << 20)
#define STEPS_MAX 64
#define ARGS_MAX 4

struct message {
    struct wa_chan *chan;
    unsigned type, id, nth;
    struct wa_buf payload;
    bool is_dropped;
    int copies;
};

struct step {
    unsigned type, nth; /* type 0: begin; nth 0: each */
    const char *verb;
    const char *args[ARGS_MAX];
};

static struct {
    const char *role; /* NULL: this process is none that was taken over */
    char text[SCENARIO_MAX];
    struct step steps[STEPS_MAX];
    size_t n;
    unsigned seen[256];
    struct message kept;
} at;

enum wa_code __real_wa_role_child_begin(struct wa_role_child *c, enum wa_role role,
                                        struct wa_priv *p, struct wa_err *err);
enum wa_code __wrap_wa_role_child_begin(struct wa_role_child *c, enum wa_role role,
                                        struct wa_priv *p, struct wa_err *err);
enum wa_code __real_wa_chan_send(struct wa_chan *c, uint16_t type, uint32_t id,
                                 struct wa_sv payload, int fd, struct wa_err *err);
enum wa_code __wrap_wa_chan_send(struct wa_chan *c, uint16_t type, uint32_t id,
                                 struct wa_sv payload, int fd, struct wa_err *err);
enum wa_code __real_wa_chan_post(struct wa_chan *c, uint16_t type, uint32_t id,
                                 struct wa_sv payload, int fd, struct wa_err *err);
enum wa_code __wrap_wa_chan_post(struct wa_chan *c, uint16_t type, uint32_t id,
                                 struct wa_sv payload, int fd, struct wa_err *err);

/* --- the scenario --- */

static void take_line(char *line)
{
    char *state = NULL, *end = NULL;
    const char *role = strtok_r(line, " ", &state), *when = strtok_r(NULL, " ", &state);
    struct step s = {.verb = strtok_r(NULL, " ", &state)};
    if (role == NULL || strcmp(role, at.role) != 0 || s.verb == NULL || at.n == STEPS_MAX)
        return;
    if (strcmp(when, "begin") != 0) {
        s.type = (unsigned)strtoul(when, &end, 10);
        s.nth = *end == '/' ? (unsigned)strtoul(end + 1, NULL, 10) : 0;
    }
    for (size_t i = 0; i < ARGS_MAX; i++)
        s.args[i] = strtok_r(NULL, " ", &state);
    at.steps[at.n++] = s;
}

static void load(const char *role)
{
    char path[WA_PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (n <= 0)
        return;
    path[n] = '\0';
    char *slash = strrchr(path, '/');
    (void)snprintf(slash + 1, sizeof path - (size_t)(slash + 1 - path), "scenario");
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return;
    at.text[fread(at.text, 1, sizeof at.text - 1, f)] = '\0';
    (void)fclose(f);
    at.role = role;
    char *state = NULL;
    for (char *line = strtok_r(at.text, "\n", &state); line != NULL;
         line = strtok_r(NULL, "\n", &state))
        take_line(line);
}

static unsigned number(const char *text, unsigned same)
{
    return text == NULL || strcmp(text, "=") == 0 ? same : (unsigned)strtoul(text, NULL, 10);
}

/* The bytes of a hex text, into the buffer. */
static void bytes(const char *hex, struct wa_buf *out)
{
    size_t n = hex == NULL ? 0 : strlen(hex) / 2;
    wa_buf_init(out, WA_IPC_MESSAGE_MAX);
    char *p = n == 0 ? NULL : wa_buf_reserve(out, n);
    if (p != NULL && wa_hex_decode(wa_sv_n(hex, 2 * n), p, n))
        wa_buf_advance(out, n);
}

/* --- what a step does --- */

static void say(struct wa_chan *chan, unsigned type, unsigned id, struct wa_sv payload, int fd)
{
    struct wa_err ignored = WA_ERR_INIT;
    (void)!__real_wa_chan_send(chan, (uint16_t)type, id, payload, fd, &ignored);
}

static void do_drop(struct message *m, const char *const *args)
{
    WA_UNUSED(args);
    m->is_dropped = true;
}

static void do_twice(struct message *m, const char *const *args)
{
    WA_UNUSED(args);
    m->copies = 2;
}

static void do_id(struct message *m, const char *const *args)
{
    m->id = number(args[0], m->id);
}

static void do_payload(struct message *m, const char *const *args)
{
    wa_buf_fini(&m->payload);
    bytes(args[0], &m->payload);
}

/* Each place in turn; `back` too: what was the second becomes the first. */
static void exchange(struct message *m, const char *const *args, bool back)
{
    WA_AUTO_BUF struct wa_buf one, two, out;
    bytes(args[0], &one);
    bytes(args[1], &two);
    wa_buf_init(&out, WA_IPC_MESSAGE_MAX);
    struct wa_sv rest = wa_buf_sv(&m->payload), a = wa_buf_sv(&one), b = wa_buf_sv(&two);
    while (rest.n > 0) {
        bool is_a = wa_sv_eq(wa_sv_sub(rest, 0, a.n), a);
        bool is_b = back && wa_sv_eq(wa_sv_sub(rest, 0, b.n), b);
        wa_buf_addsv(&out, is_a ? b : is_b ? a : wa_sv_sub(rest, 0, 1));
        rest = wa_sv_sub(rest, is_a ? a.n : is_b ? b.n : 1, rest.n);
    }
    wa_buf_clear(&m->payload);
    wa_buf_addsv(&m->payload, wa_buf_sv(&out));
}

static void do_replace(struct message *m, const char *const *args)
{
    exchange(m, args, false);
}

static void do_swap(struct message *m, const char *const *args)
{
    exchange(m, args, true);
}

static void do_keep(struct message *m, const char *const *args)
{
    WA_UNUSED(args);
    at.kept = (struct message){.type = m->type, .id = m->id};
    wa_buf_init(&at.kept.payload, WA_IPC_MESSAGE_MAX);
    wa_buf_addsv(&at.kept.payload, wa_buf_sv(&m->payload));
}

static void do_again(struct message *m, const char *const *args)
{
    WA_UNUSED(args);
    say(m->chan, at.kept.type, at.kept.id, wa_buf_sv(&at.kept.payload), -1);
}

static void do_say(struct message *m, const char *const *args)
{
    WA_AUTO_BUF struct wa_buf payload;
    bytes(args[2], &payload);
    for (unsigned left = number(args[3], 1); left > 0; left--)
        say(m->chan, number(args[0], m->type), number(args[1], m->id), wa_buf_sv(&payload), -1);
}

static void do_long(struct message *m, const char *const *args)
{
    size_t n = number(args[2], 0);
    char *zeros = wa_calloc(1, n + 1);
    for (unsigned left = number(args[3], 1); zeros != NULL && left > 0; left--)
        say(m->chan, number(args[0], m->type), number(args[1], m->id), wa_sv_n(zeros, n), -1);
    wa_free(zeros);
}

static void do_pass(struct message *m, const char *const *args)
{
    WA_AUTO_BUF struct wa_buf payload;
    bytes(args[2], &payload);
    say(m->chan, number(args[0], m->type), number(args[1], m->id), wa_buf_sv(&payload), 2);
}

static void do_raw(struct message *m, const char *const *args)
{
    WA_AUTO_BUF struct wa_buf raw;
    bytes(args[0], &raw);
    if (write(wa_chan_fd(m->chan), raw.p, raw.n) < 0)
        (void)dprintf(2, "hostile: %s could not write\n", at.role);
}

static void do_silent(struct message *m, const char *const *args)
{
    WA_UNUSED(m);
    WA_UNUSED(args);
    (void)dprintf(2, "hostile: %s is silent\n", at.role);
    for (;;)
        (void)pause();
}

static void do_end(struct message *m, const char *const *args)
{
    WA_UNUSED(m);
    _exit((int)number(args[0], 0));
}

static void do_try(struct message *m, const char *const *args)
{
    WA_UNUSED(m);
    hostile_try(at.role, args[0], args[1] != NULL ? args[1] : "");
}

static const struct {
    const char *name;
    void (*act)(struct message *m, const char *const *args);
} verbs[] = {
    {"drop", do_drop},       /* not sent */
    {"twice", do_twice},     /* sent twice */
    {"id", do_id},           /* NUMBER: as an answer to another question */
    {"payload", do_payload}, /* BYTES instead of its own */
    {"replace", do_replace}, /* BYTES BYTES: in it, the first by the second */
    {"swap", do_swap},       /* BYTES BYTES: in it, each by the other */
    {"keep", do_keep},       /* for "again" */
    {"again", do_again},     /* what was kept, before this one */
    {"say", do_say},         /* TYPE ID [BYTES [TIMES]]: a message before this one; "=": as this */
    {"long", do_long},       /* TYPE ID LENGTH [TIMES]: the same, of zeros */
    {"pass", do_pass},       /* TYPE ID [BYTES]: the same, with a descriptor */
    {"raw", do_raw},         /* BYTES: no frame */
    {"silent", do_silent},   /* for ever */
    {"end", do_end},         /* STATUS */
    {"try", do_try},         /* WHAT TARGET: see tries.c */
};

static void play(struct message *m)
{
    for (size_t i = 0; i < at.n; i++) {
        const struct step *s = &at.steps[i];
        if (s->type != m->type || (s->nth != 0 && s->nth != m->nth))
            continue;
        for (size_t k = 0; k < WA_COUNT(verbs); k++)
            if (strcmp(verbs[k].name, s->verb) == 0)
                verbs[k].act(m, s->args);
    }
}

/* --- between the roles and the channel --- */

typedef enum wa_code (*send_fn)(struct wa_chan *c, uint16_t type, uint32_t id, struct wa_sv payload,
                                int fd, struct wa_err *err);

static enum wa_code pass_on(send_fn real, struct wa_chan *c, uint16_t type, uint32_t id,
                            struct wa_sv payload, int fd, struct wa_err *err)
{
    if (at.role == NULL)
        return real(c, type, id, payload, fd, err);
    struct message m = {
        .chan = c, .type = type, .id = id, .nth = ++at.seen[type % WA_COUNT(at.seen)], .copies = 1};
    wa_buf_init(&m.payload, WA_IPC_MESSAGE_MAX);
    wa_buf_addsv(&m.payload, payload);
    play(&m);
    enum wa_code code = WA_OK;
    for (int i = 0; i < m.copies && !m.is_dropped && code == WA_OK; i++)
        code = real(c, (uint16_t)m.type, m.id, wa_buf_sv(&m.payload), fd, err);
    wa_buf_fini(&m.payload);
    return code;
}

enum wa_code __wrap_wa_chan_send(struct wa_chan *c, uint16_t type, uint32_t id,
                                 struct wa_sv payload, int fd, struct wa_err *err)
{
    return pass_on(__real_wa_chan_send, c, type, id, payload, fd, err);
}

enum wa_code __wrap_wa_chan_post(struct wa_chan *c, uint16_t type, uint32_t id,
                                 struct wa_sv payload, int fd, struct wa_err *err)
{
    return pass_on(__real_wa_chan_post, c, type, id, payload, fd, err);
}

enum wa_code __wrap_wa_role_child_begin(struct wa_role_child *c, enum wa_role role,
                                        struct wa_priv *p, struct wa_err *err)
{
    load(wa_role_name(role));
    enum wa_code code = __real_wa_role_child_begin(c, role, p, err);
    if (code == WA_OK && at.role != NULL) {
        struct message begin = {.chan = c->chan, .id = 1};
        wa_buf_init(&begin.payload, WA_IPC_MESSAGE_MAX);
        play(&begin);
        wa_buf_fini(&begin.payload);
    }
    return code;
}

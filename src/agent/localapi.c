/* localapi.c - the agent's only local interface: a Unix socket whose peer the kernel names (F1C,
 * F1E).
 *
 * One request a connection. Reading is for everybody; what F1E leaves free becomes a task at once;
 * the rest needs root, or an account that belongs to waptselfservice or a local administrators'
 * group and proves its password. Who and why is logged for each decision. A client that does not
 * read is dropped; its task goes on.
 */
#include "agent/manager_priv.h"
#include "base/text.h"
#include "os/clock.h"
#include "os/local.h"
#include "os/pipe.h"
#include "os/priv.h"
#include "os/proc.h"

#include <errno.h>

#define TRIES_MAX 3
#define GRACES 16

enum stage { READING, ASKING_GROUPS, WANTS_PASSWORD, CHECKING, FOLLOWING, CLOSING };

struct client {
    struct client *prev, *next;
    struct wa_local *local;
    int fd;
    struct wa_io *io;
    struct wa_peer peer;
    enum stage stage;
    struct wa_buf in, out;
    struct wa_arena arena;
    struct wa_local_request request;
    int64_t task;
    int tries;
    bool working, gone; /* a question to auth is under way; the client left meanwhile */
    /* the question, owned by the worker while working */
    struct wa_buf password;
    bool is_member, password_ok;
    struct wa_err why;
};

struct wa_local {
    struct wa_manager *m;
    int fd;
    struct wa_io *io;
    struct client *first;
    size_t count;
    uint32_t own_uid; /* of our network, fetch, unpack and inventory processes */
    struct {
        uint32_t uid;
        int64_t until;
    } graces[GRACES];
};

static void client_free(struct client *c)
{
    if (c->prev != NULL)
        c->prev->next = c->next;
    else
        c->local->first = c->next;
    if (c->next != NULL)
        c->next->prev = c->prev;
    c->local->count--;
    wa_buf_fini_secret(&c->in);
    wa_buf_fini(&c->out);
    wa_buf_fini_secret(&c->password);
    wa_arena_fini_secret(&c->arena); /* the request names its sender's password */
    wa_free(c);
}

/* Ends the connection; the memory stays while a worker has it. */
static void drop(struct client *c)
{
    wa_io_free(c->io);
    c->io = NULL;
    wa_fd_close(&c->fd);
    c->gone = true;
    if (!c->working)
        client_free(c);
}

/* --- writing --- */

/* False when the client is gone. */
static bool flush(struct client *c)
{
    struct wa_err err = WA_ERR_INIT;
    while (c->out.n > 0) {
        ptrdiff_t put = wa_pipe_write(c->fd, c->out.p, c->out.n);
        if (put < 0 && errno == EAGAIN)
            break;
        if (put <= 0) {
            drop(c);
            return false;
        }
        wa_buf_consume(&c->out, (size_t)put);
    }
    /* While a worker has the question, nothing is read that could change it. */
    int events = (c->working ? 0 : WA_IO_READ) | (c->out.n > 0 ? WA_IO_WRITE : 0);
    if ((c->stage == CLOSING && c->out.n == 0) || wa_io_set(c->io, events, &err) != WA_OK) {
        drop(c);
        return false;
    }
    return true;
}

static bool send_line(struct client *c, struct wa_sv line)
{
    wa_buf_addsv(&c->out, line);
    if (c->out.failed != WA_OK) { /* does not read */
        drop(c);
        return false;
    }
    return flush(c);
}

static bool answer(struct client *c, const struct wa_local_answer *a, struct wa_sv data)
{
    WA_AUTO_BUF struct wa_buf line;
    wa_buf_init(&line, WA_JSON_BYTES_MAX);
    wa_local_answer_write(a, data, &line);
    if (a->event == WA_EV_RESULT)
        c->stage = CLOSING;
    return send_line(c, wa_buf_sv(&line));
}

static bool finish(struct client *c, enum wa_code code, const char *text, struct wa_sv data)
{
    const struct wa_local_answer a = {
        .event = WA_EV_RESULT, .code = code, .text = wa_sv(wa_text(text))};
    return answer(c, &a, data);
}

static void decision(const struct client *c, bool granted, const char *why)
{
    wa_log(&c->local->m->log, granted ? WA_LOG_INFO : WA_LOG_WARNING,
           granted ? "local.granted" : "local.denied",
           WA_LF_S("operation", wa_local_op_name(c->request.op)), WA_LF_I("uid", c->peer.uid),
           WA_LF_S("user", c->peer.user), WA_LF_I("pid", c->peer.pid), WA_LF_S("why", why));
}

/* --- carrying out --- */

static bool is_task(enum wa_local_op op)
{
    switch (op) {
    case WA_OP_UPDATE:
    case WA_OP_UPGRADE:
    case WA_OP_DOWNLOAD_UPGRADE:
    case WA_OP_DOWNLOAD:
    case WA_OP_CLEAN:
    case WA_OP_AUDIT:
    case WA_OP_UPDATE_STATUS:
    case WA_OP_INSTALL:
    case WA_OP_REMOVE:
    case WA_OP_FORGET:
    case WA_OP_REGISTER:
    case WA_OP_INVENTORY:
    case WA_OP_GENERATE_UUID:
    case WA_OP_RESET_UUID:
    case WA_OP_SESSION_SETUP:
        return true;
    default:
        return false;
    }
}

static void cancel(struct client *c)
{
    struct wa_manager *m = c->local->m;
    struct wa_err err = WA_ERR_INIT;
    bool all = c->request.op == WA_OP_CANCEL_ALL, waiting = false;
    if (wa_task_cancel(m->db, all ? 0 : c->request.task_id, &waiting, &err) != WA_OK) {
        (void)finish(c, err.code, err.text, WA_SV(""));
        return;
    }
    wa_lock_take(m->lock);
    bool meant = m->running_task != 0 &&
                 (all || c->request.task_id == 0 || c->request.task_id == m->running_task);
    bool running = meant && (m->is_stoppable || c->peer.uid == 0);
    if (running)
        wa_cancel_set(m->cancel);
    wa_lock_give(m->lock);
    decision(c, waiting || running, waiting || running ? "free for all" : "nothing to cancel");
    if (waiting || running)
        (void)finish(c, WA_OK, "cancelled", WA_SV(""));
    else if (meant)
        (void)finish(c, WA_E_DENIED,
                     "an administrator ordered it, and it was put off before or can't be put off",
                     WA_SV(""));
    else
        (void)finish(c, WA_E_NOT_FOUND, "no such task waits or runs", WA_SV(""));
}

/* What is free for all is free as it stands: nothing that reaches scripts goes with it. */
static enum wa_code check_arguments(struct client *c, struct wa_err *err)
{
    struct wa_local_request *r = &c->request;
    const struct wa_json *ignored = NULL;
    bool is_free = wa_local_op_right(r->op) == WA_RIGHT_ANYONE && r->op != WA_OP_SESSION_SETUP;
    if (is_free && c->peer.uid != 0)
        r->force = false;
    if (r->op != WA_OP_INSTALL)
        r->params = WA_SV("");
    return r->params.n > 0 ? wa_params_check(r->params, &c->arena, &ignored, err) : WA_OK;
}

static void carry_out(struct client *c)
{
    struct wa_manager *m = c->local->m;
    struct wa_err err = WA_ERR_INIT;
    char by[300];
    if (check_arguments(c, &err) != WA_OK) {
        (void)finish(c, err.code, err.text, WA_SV(""));
    } else if (c->request.op == WA_OP_CANCEL || c->request.op == WA_OP_CANCEL_ALL) {
        cancel(c);
    } else if (c->request.op == WA_OP_RESTART) {
        decision(c, true, "free for all");
        (void)finish(c, WA_OK, "restarting", WA_SV(""));
        m->restarting = true;
        wa_loop_stop(m->loop);
    } else if (is_task(c->request.op)) {
        (void)snprintf(by, sizeof by, "uid %u (%s)", (unsigned)c->peer.uid, c->peer.user);
        if (wa_manager_queue(m, wa_local_op_name(c->request.op), &c->request, by, "", 0, &c->task,
                             &err) != WA_OK) {
            (void)finish(c, err.code, err.text, WA_SV(""));
            return;
        }
        c->stage = FOLLOWING;
        const struct wa_local_answer a = {
            .event = WA_EV_TASK, .id = c->task, .text = WA_SV("queued")};
        (void)answer(c, &a, WA_SV(""));
    } else {
        WA_AUTO_BUF struct wa_buf data;
        wa_buf_init(&data, WA_JSON_BYTES_MAX);
        if (wa_local_data(m, &c->request, &data, &err) != WA_OK)
            (void)finish(c, err.code, err.text, WA_SV(""));
        else
            (void)finish(c, WA_OK, "", wa_buf_sv(&data));
    }
}

/* --- rights --- */

static bool has_grace(const struct wa_local *l, uint32_t uid)
{
    int64_t now = (int64_t)(wa_clock_mono_ms() / 1000);
    for (size_t i = 0; i < GRACES; i++)
        if (l->graces[i].until > now && l->graces[i].uid == uid)
            return true;
    return false;
}

static void give_grace(struct wa_local *l, uint32_t uid)
{
    size_t oldest = 0;
    for (size_t i = 0; i < GRACES; i++) {
        if (l->graces[i].uid == uid) {
            oldest = i;
            break;
        }
        if (l->graces[i].until < l->graces[oldest].until)
            oldest = i;
    }
    l->graces[oldest].uid = uid;
    l->graces[oldest].until = (int64_t)(wa_clock_mono_ms() / 1000) + l->m->config.auth_grace_s;
}

/* In a thread of the pool: one question to the auth helper. */
static enum wa_code ask_auth(void *user, struct wa_err *err)
{
    struct client *c = user;
    const char *groups[17] = {"waptselfservice"};
    char names[15][WA_NAME_MAX + 1];
    size_t n = 1;
    struct wa_sv rest = wa_sv(c->local->m->config.admin_groups), item;
    struct wa_auth_answer a;
    while (n < 16 && wa_sv_split(&rest, ',', &item)) {
        (void)snprintf(names[n - 1], sizeof names[0], "%.*s", WA_SV_ARG(item));
        groups[n] = names[n - 1];
        n += item.n > 0 ? 1 : 0;
    }
    groups[n] = NULL;
    struct wa_sv password =
        c->stage == CHECKING ? wa_buf_sv(&c->password) : (struct wa_sv){NULL, 0};
    if (wa_helper_auth(c->local->m->launcher, c->peer.user, password, groups, &a, err) != WA_OK)
        return err->code;
    c->is_member = false;
    for (size_t i = 0; i < n; i++)
        c->is_member = c->is_member || a.in_group[i];
    c->password_ok = a.password_ok;
    return WA_OK;
}

static void ask_password(struct client *c, const char *reason)
{
    const struct wa_local_answer a = {.event = WA_EV_AUTH, .text = wa_sv(wa_text(reason))};
    c->stage = WANTS_PASSWORD;
    (void)answer(c, &a, WA_SV(""));
}

static void start_question(struct client *c, enum stage stage);

static void answered(void *user, enum wa_code code, const struct wa_err *err)
{
    struct client *c = user;
    c->working = false;
    if (c->gone) {
        client_free(c);
        return;
    }
    if (code != WA_OK) {
        decision(c, false, err->text);
        (void)finish(c, code, err->text, WA_SV(""));
    } else if (!c->is_member) {
        decision(c, false, "neither in waptselfservice nor a local administrator");
        (void)finish(c, WA_E_DENIED,
                     "only root, members of waptselfservice and local administrators may do this",
                     WA_SV(""));
    } else if (c->stage == ASKING_GROUPS && c->request.password.n > 0) {
        wa_buf_addsv(&c->password, c->request.password);
        start_question(c, CHECKING);
    } else if (c->stage == ASKING_GROUPS) {
        ask_password(c, "your password is needed");
    } else if (!c->password_ok && ++c->tries < TRIES_MAX) {
        decision(c, false, "wrong password");
        ask_password(c, "the password is wrong, try again");
    } else if (!c->password_ok) {
        decision(c, false, "wrong password, no more tries");
        (void)finish(c, WA_E_AUTH, "the password is wrong", WA_SV(""));
    } else {
        decision(c, true, "password proven");
        give_grace(c->local, c->peer.uid);
        carry_out(c);
    }
}

static void start_question(struct client *c, enum stage stage)
{
    struct wa_err err = WA_ERR_INIT;
    c->stage = stage;
    c->working = true;
    if (wa_loop_work(c->local->m->loop, ask_auth, answered, c, &err) != WA_OK) {
        c->working = false;
        (void)finish(c, err.code, err.text, WA_SV(""));
        return;
    }
    (void)flush(c);
}

static void authorise(struct client *c)
{
    bool free_for_all = wa_local_op_right(c->request.op) == WA_RIGHT_ANYONE;
    if (c->peer.uid == 0) {
        if (!free_for_all)
            decision(c, true, "root");
        carry_out(c);
    } else if (c->peer.user[0] == '\0') {
        decision(c, false, "an identity without an account");
        (void)finish(c, WA_E_DENIED, "your identity has no account on this machine", WA_SV(""));
    } else if (free_for_all) {
        carry_out(c);
    } else if (has_grace(c->local, c->peer.uid)) {
        decision(c, true, "password proven shortly before");
        carry_out(c);
    } else {
        start_question(c, ASKING_GROUPS);
    }
}

/* --- reading --- */

static void take_password(struct client *c, struct wa_sv line)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_err err = WA_ERR_INIT;
    struct wa_sv password = {NULL, 0};
    const struct wa_json_field fields[] = {{"password", WA_WANT_SV, true, 1024, &password}};
    wa_arena_init(&arena, 64u << 10);
    if (wa_json_parse(line, 0, &arena, &j, &err) != WA_OK ||
        wa_json_read(j, fields, 1, "a password", &err) != WA_OK) {
        (void)finish(c, err.code, err.text, WA_SV(""));
        return;
    }
    wa_buf_fini_secret(&c->password);
    wa_buf_addsv(&c->password, password);
    start_question(c, CHECKING);
}

static void on_line(struct client *c, struct wa_sv line)
{
    struct wa_err err = WA_ERR_INIT;
    if (c->stage == READING) {
        if (wa_local_request_read(line, &c->arena, &c->request, &err) != WA_OK)
            (void)finish(c, err.code, err.text, WA_SV(""));
        else
            authorise(c);
    } else if (c->stage == WANTS_PASSWORD) {
        take_password(c, line);
    } else {
        (void)finish(c, WA_E_INVALID, "one request a connection", WA_SV(""));
    }
}

static void on_client(void *user, int events)
{
    struct client *c = user;
    char piece[4096];
    if ((events & WA_IO_WRITE) != 0 && !flush(c))
        return;
    if ((events & WA_IO_READ) == 0)
        return;
    ptrdiff_t got = wa_pipe_read(c->fd, piece, sizeof piece);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        drop(c);
        return;
    }
    wa_buf_add(&c->in, piece, (size_t)got);
    wa_wipe(piece, (size_t)got);
    size_t at;
    if (c->in.failed != WA_OK) {
        (void)finish(c, WA_E_LIMIT, "the request is too long", WA_SV(""));
    } else if (wa_sv_chr(wa_buf_sv(&c->in), '\n', &at)) {
        /* One line at a time: what follows is read only when asked for. */
        char *line = wa_strndup(c->in.p, at);
        if (line == NULL) {
            drop(c);
            return;
        }
        wa_buf_consume(&c->in, at + 1);
        on_line(c, wa_sv_n(line, at));
        wa_free_secret(line);
    }
}

/* --- accepting --- */

static size_t of_uid(const struct wa_local *l, uint32_t uid)
{
    size_t n = 0;
    for (const struct client *c = l->first; c != NULL; c = c->next)
        n += c->peer.uid == uid ? 1 : 0;
    return n;
}

static enum wa_code admit(struct wa_local *l, int fd, struct wa_err *err)
{
    struct wa_peer peer;
    if (wa_local_peer(fd, &peer, err) != WA_OK)
        return err->code;
    if (peer.uid == l->own_uid) /* taken over, or somebody who has its account */
        return wa_fail(err, WA_E_DENIED,
                       "process %d has the account of this agent's own processes, which have "
                       "nothing to ask",
                       peer.pid);
    if (peer.uid == 0 &&
        wa_priv_is_confined(peer.pid)) /* as the launcher has it: no way round that */
        return wa_fail(err, WA_E_DENIED,
                       "process %d is root's, but has given up what makes it root", peer.pid);
    if (l->count >= WA_LOCAL_CLIENTS_MAX ||
        (peer.uid != 0 && of_uid(l, peer.uid) >= WA_LOCAL_CLIENTS_PER_UID_MAX))
        return wa_fail(err, WA_E_BUSY, "too many local connections of uid %u", (unsigned)peer.uid);
    struct client *c = wa_calloc(1, sizeof *c);
    if (c == NULL)
        return wa_nomem(err);
    *c = (struct client){.local = l, .fd = fd, .peer = peer, .next = l->first};
    wa_buf_init(&c->in, WA_LOCAL_REQUEST_MAX);
    wa_buf_init(&c->out, WA_LOCAL_ANSWERS_MAX);
    wa_buf_init(&c->password, 1024);
    wa_arena_init(&c->arena, 1u << 20);
    if (l->first != NULL)
        l->first->prev = c;
    l->first = c;
    l->count++;
    l->m->has_served = true;
    if (wa_io_new(l->m->loop, fd, on_client, c, &c->io, err) != WA_OK ||
        wa_io_set(c->io, WA_IO_READ, err) != WA_OK) {
        wa_io_free(c->io);
        client_free(c);
        return err->code;
    }
    return WA_OK;
}

static void on_listen(void *user, int events)
{
    struct wa_local *l = user;
    WA_UNUSED(events);
    for (;;) {
        struct wa_err err = WA_ERR_INIT;
        int fd = -1;
        if (wa_local_accept(l->fd, &fd, &err) != WA_OK)
            return;
        if (admit(l, fd, &err) != WA_OK) {
            wa_log_err(&l->m->log, WA_LOG_WARNING, "local.refused", &err);
            wa_fd_close(&fd);
        }
    }
}

bool wa_local_is_idle(const struct wa_manager *m)
{
    return m->local == NULL || m->local->first == NULL;
}

enum wa_code wa_local_start(struct wa_manager *m, struct wa_err *err)
{
    struct wa_local *l = wa_calloc(1, sizeof *l);
    if (l == NULL)
        return wa_nomem(err);
    uint32_t gid = 0;
    l->m = m;
    l->fd = -1;
    (void)wa_helper_account(m->config.helper_user, &l->own_uid, &gid);
    if (wa_local_listen(m->config.local_socket, 0666, &l->fd, err) != WA_OK ||
        wa_io_new(m->loop, l->fd, on_listen, l, &l->io, err) != WA_OK ||
        wa_io_set(l->io, WA_IO_READ, err) != WA_OK) {
        wa_io_free(l->io);
        wa_fd_close(&l->fd);
        wa_free(l);
        return err->code;
    }
    m->local = l;
    return WA_OK;
}

void wa_local_stop(struct wa_manager *m)
{
    struct wa_local *l = m->local;
    if (l == NULL)
        return;
    for (struct client *c = l->first, *next; c != NULL; c = next) {
        next = c->next;
        drop(c);
    }
    wa_io_free(l->io);
    wa_fd_close(&l->fd);
    wa_local_remove(m->config.local_socket);
    if (l->first == NULL)
        wa_free(l); /* else a worker still has a client: the process ends anyway */
    m->local = NULL;
}

/* --- events of tasks, from the task thread --- */

struct event {
    struct wa_manager *m;
    int64_t task;
    bool last;
    size_t n;
    char line[];
};

static void deliver(void *user)
{
    struct event *e = user;
    for (struct client *c = e->m->local != NULL ? e->m->local->first : NULL, *next; c != NULL;
         c = next) {
        next = c->next;
        if (c->stage != FOLLOWING || c->task != e->task || c->gone)
            continue;
        if (e->last)
            c->stage = CLOSING;
        (void)send_line(c, wa_sv_n(e->line, e->n));
    }
    wa_free(e);
}

void wa_local_event(struct wa_manager *m, int64_t task, struct wa_sv line, bool last)
{
    struct wa_err err = WA_ERR_INIT;
    struct event *e = wa_calloc(1, sizeof *e + line.n);
    if (e == NULL)
        return; /* the outcome is in the database all the same */
    *e = (struct event){.m = m, .task = task, .last = last, .n = line.n};
    memcpy(e->line, line.p, line.n);
    if (wa_loop_post(m->loop, deliver, e, &err) != WA_OK)
        wa_free(e);
}

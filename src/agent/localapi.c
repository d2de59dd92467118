/* localapi.c - the agent's only local interface: a Unix socket whose peer the kernel names (F1C,
 * F1E). Here: who is let in, how many, and how long.
 *
 * One request a connection. Nobody can keep others out: each user has a few places, users together
 * never all of them, and whoever is slow in asking or in taking answers loses theirs. What is asked
 * goes on in local_conn.c (lines), local_rights.c (who may), local_ops.c (what is done).
 */
#include "agent/localapi.h"
#include "agent/local_priv.h"

#include "os/clock.h"
#include "os/local.h"
#include "os/priv.h"

#define TURN_MS 1000u
#define PARAM_FAILURES "wrong_passwords" /* lines: uid, how many */
#define FAILURES_BYTES_MAX 4096u

static size_t places_of(const struct wa_local *l, uint32_t uid)
{
    size_t n = 0;
    for (const struct wa_client *c = l->first; c != NULL; c = c->next)
        n += c->peer.uid == uid ? 1 : 0;
    return n;
}

/* --- names --- */

/* Clients whose account is not known yet (is_pending), or that have none. */
static size_t nameless(const struct wa_local *l, bool is_pending)
{
    size_t n = 0;
    for (const struct wa_client *c = l->first; c != NULL; c = c->next)
        n += c->peer.user[0] == '\0' && (c->ask == WA_ASK_NAME) == is_pending ? 1 : 0;
    return n;
}

/* A name that was found is good for a while: a directory that is away keeps nobody out who was here
 * before. Groups and passwords are asked for each time. */
static void remember(struct wa_local *l, const struct wa_peer *peer)
{
    size_t at = 0;
    for (size_t i = 0; i < WA_COUNT(l->names); i++) {
        if (l->names[i].until_ms < l->names[at].until_ms)
            at = i;
        if (l->names[i].uid == peer->uid) {
            at = i;
            break;
        }
    }
    l->names[at].uid = peer->uid;
    l->names[at].until_ms = wa_loop_now_ms(l->m->loop) + WA_LOCAL_NAME_MS;
    memcpy(l->names[at].name, peer->user, sizeof l->names[at].name);
}

static bool recall(const struct wa_local *l, struct wa_peer *peer)
{
    for (size_t i = 0; i < WA_COUNT(l->names); i++)
        if (l->names[i].uid == peer->uid && l->names[i].until_ms > wa_loop_now_ms(l->m->loop)) {
            memcpy(peer->user, l->names[i].name, sizeof peer->user);
            return true;
        }
    return false;
}

/* Numbers without an account are all one to us: a user may have 65,536 of them. */
void wa_client_named(struct wa_client *c)
{
    if (c->peer.user[0] != '\0') {
        remember(c->local, &c->peer);
    } else if (nameless(c->local, false) > WA_LOCAL_CLIENTS_PER_UID_MAX) {
        wa_client_drop(c);
        return;
    }
    wa_client_stage(c, WA_STAGE_READING);
    (void)wa_client_flush(c);
}

/* --- coming and going --- */

void wa_client_stage(struct wa_client *c, enum wa_stage stage)
{
    c->stage = stage;
    c->since_ms = wa_loop_now_ms(c->local->m->loop);
}

void wa_client_drop(struct wa_client *c)
{
    struct wa_local *l = c->local;
    wa_ask_forget(c);
    wa_io_free(c->io);
    wa_fd_close(&c->fd);
    if (c->prev != NULL)
        c->prev->next = c->next;
    else
        l->first = c->next;
    if (c->next != NULL)
        c->next->prev = c->prev;
    l->count--;
    if (l->count == 0)
        wa_timer_stop(l->timer);
    wa_buf_fini_secret(&c->in);
    wa_buf_fini(&c->out);
    wa_buf_fini_secret(&c->password);
    wa_self_rules_fini(&c->caller.rules);
    wa_arena_fini_secret(&c->arena); /* the request names its sender's password */
    wa_free(c);
}

static enum wa_code new_client(struct wa_local *l, int fd, struct wa_client **ret,
                               struct wa_err *err)
{
    struct wa_client *c = wa_calloc(1, sizeof *c);
    if (c == NULL)
        return wa_nomem(err);
    *c = (struct wa_client){.local = l, .fd = fd, .next = l->first};
    wa_buf_init(&c->in, WA_LOCAL_REQUEST_MAX);
    wa_buf_init(&c->out, WA_LOCAL_ANSWERS_MAX);
    wa_buf_init(&c->password, 1024);
    wa_arena_init(&c->arena, 1u << 20);
    if (l->first != NULL)
        l->first->prev = c;
    l->first = c;
    l->count++;
    *ret = c;
    return WA_OK;
}

/* Our own processes have nothing to ask: they were taken over, or somebody has their account. */
static enum wa_code check_foreign(const struct wa_client *c, struct wa_err *err)
{
    if (c->peer.uid == c->local->own_uid)
        return wa_fail(err, WA_E_DENIED,
                       "process %d has the account of this agent's own processes, which have "
                       "nothing to ask",
                       c->peer.pid);
    /* as the launcher has it: no way round that */
    if (c->peer.uid == 0 && wa_priv_is_confined(c->peer.pid))
        return wa_fail(err, WA_E_DENIED,
                       "process %d is root's, but has given up what makes it root", c->peer.pid);
    return WA_OK;
}

static enum wa_code settle(struct wa_client *c, struct wa_err *err)
{
    struct wa_local *l = c->local;
    if (wa_self_rules_init(&c->caller.rules, err) != WA_OK ||
        wa_local_peer_ids(c->fd, &c->peer, err) != WA_OK || check_foreign(c, err) != WA_OK)
        return err->code;
    bool is_root = c->peer.uid == 0, is_known = is_root || recall(l, &c->peer);
    if (l->count > WA_LOCAL_CLIENTS_MAX ||
        (!is_root && (l->count > WA_LOCAL_CLIENTS_MAX - WA_LOCAL_ROOT_PLACES ||
                      places_of(l, c->peer.uid) > WA_LOCAL_CLIENTS_PER_UID_MAX ||
                      (!is_known && nameless(l, true) >= WA_LOCAL_NAMELESS_MAX))))
        return wa_fail(err, WA_E_BUSY, "too many local connections of uid %u",
                       (unsigned)c->peer.uid);
    c->has_session = wa_local_session(&c->peer, &c->session);
    wa_client_stage(c, WA_STAGE_READING);
    if (wa_io_new(l->m->loop, c->fd, wa_client_event, c, &c->io, err) != WA_OK)
        return err->code;
    if (!is_known)
        wa_ask(c, WA_ASK_NAME);
    else if (wa_io_set(c->io, WA_IO_READ, err) != WA_OK)
        return err->code;
    return WA_OK;
}

/* Takes fd over. */
static void admit(struct wa_local *l, int fd)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_client *c = NULL;
    if (new_client(l, fd, &c, &err) != WA_OK) {
        wa_fd_close(&fd);
    } else if (settle(c, &err) == WA_OK) {
        l->m->has_served = true;
        if (l->count == 1)
            wa_timer_start(l->timer, TURN_MS, TURN_MS);
    } else {
        wa_client_drop(c);
    }
    if (err.code != WA_OK)
        wa_log_err(&l->m->log, WA_LOG_WARNING, "local.refused", &err);
}

#define ACCEPTS_MAX 16 /* at once: whoever connects without end leaves others their turn */

static void on_listen(void *user, int events)
{
    struct wa_local *l = user;
    WA_UNUSED(events);
    for (int i = 0; i < ACCEPTS_MAX; i++) {
        struct wa_err err = WA_ERR_INIT;
        int fd = -1;
        if (wa_local_accept(l->fd, &fd, &err) != WA_OK)
            return;
        admit(l, fd);
    }
}

static void on_turn(void *user)
{
    struct wa_local *l = user;
    uint64_t now = wa_loop_now_ms(l->m->loop);
    for (struct wa_client *c = l->first, *next; c != NULL; c = next) {
        next = c->next;
        wa_client_turn(c, now);
    }
}

/* --- wrong passwords --- */

/* Everybody may restart the service: that must not make it forget who guessed. */
static enum wa_code save_failures(const struct wa_local *l, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    WA_AUTO_BUF struct wa_buf was;
    uint64_t now = wa_clock_mono_ms();
    wa_buf_init(&text, FAILURES_BYTES_MAX);
    wa_buf_init(&was, FAILURES_BYTES_MAX);
    for (size_t i = 0; i < WA_COUNT(l->proofs.tries); i++)
        if (l->proofs.tries[i].failures > 0 && l->proofs.tries[i].forgotten_at_ms > now)
            wa_buf_addf(&text, "%u %u\n", (unsigned)l->proofs.tries[i].uid,
                        l->proofs.tries[i].failures);
    if (wa_buf_check(&text, err) != WA_OK ||
        wa_param_get(l->m->db, PARAM_FAILURES, &was, err) != WA_OK)
        return err->code;
    return text.n == 0 && was.n == 0
               ? WA_OK
               : wa_param_set(l->m->db, PARAM_FAILURES, wa_buf_sv(&text), err);
}

static enum wa_code load_failures(struct wa_local *l, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, FAILURES_BYTES_MAX);
    if (wa_param_get(l->m->db, PARAM_FAILURES, &text, err) != WA_OK)
        return err->code;
    struct wa_sv rest = wa_buf_sv(&text), line, word;
    while (wa_sv_split(&rest, '\n', &line)) {
        int64_t uid = 0, failures = 0;
        if (wa_sv_split(&line, ' ', &word) && wa_sv_i64(word, &uid) && wa_sv_i64(line, &failures) &&
            uid > 0 && uid < UINT32_MAX && failures > 0)
            wa_proofs_restore(&l->proofs, (uint32_t)uid, (unsigned)failures, wa_clock_mono_ms());
    }
    return WA_OK;
}

/* --- the whole --- */

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
    if (load_failures(l, err) != WA_OK ||
        wa_timer_new(m->loop, on_turn, l, &l->timer, err) != WA_OK ||
        wa_local_listen(m->config.local_socket, 0666, &l->fd, err) != WA_OK ||
        wa_io_new(m->loop, l->fd, on_listen, l, &l->io, err) != WA_OK ||
        wa_io_set(l->io, WA_IO_READ, err) != WA_OK) {
        wa_io_free(l->io);
        wa_timer_free(l->timer);
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
    struct wa_err err = WA_ERR_INIT;
    if (save_failures(l, &err) != WA_OK)
        wa_log_err(&m->log, WA_LOG_ERROR, "database.failed", &err);
    while (l->first != NULL)
        wa_client_drop(l->first);
    wa_io_free(l->io);
    wa_timer_free(l->timer);
    wa_fd_close(&l->fd);
    wa_local_remove(m->config.local_socket);
    wa_ask_end(l);
    m->local = NULL;
    wa_free(l);
}

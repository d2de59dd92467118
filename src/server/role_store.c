/* role_store.c - the store's process: channels to the others, questions under way, the clock. */
#include "base/mem.h"
#include "base/text.h"
#include "os/clock.h"
#include "os/pipe.h"
#include "os/rand.h"
#include "server/report.h"
#include "server/store_authority.h"
#include "server/store_check.h"

#define SUPERVISOR_FD 3
#define HELPERS_FD 4
#define CLOCK_MS 2000

struct wa_store_question {
    struct wa_store_question *next;
    enum wa_server_role whom;
    uint32_t id;
    wa_store_reply_fn fn;
    void *user;
    const struct wa_language *language; /* of who asked, who goes on in it */
};

static enum wa_code fail_ended(enum wa_server_role whom, struct wa_err *err)
{
    return wa_fail(err, WA_E_BUSY,
                   "the server's %s process has ended, and is being started again: try again in a "
                   "minute",
                   wa_server_role_name(whom));
}

enum wa_code wa_store_ask(struct wa_store *s, enum wa_server_role whom, struct wa_sv payload,
                          wa_store_reply_fn fn, void *user, struct wa_err *err)
{
    if (wa_store_flush(s, err) != WA_OK)
        return err->code;
    if (s->helpers[whom] == NULL)
        return fail_ended(whom, err);
    struct wa_store_question *q = wa_calloc(1, sizeof *q);
    if (q == NULL)
        return wa_nomem(err);
    *q = (struct wa_store_question){s->questions, whom, ++s->next_id, fn, user, wa_text_spoken()};
    if (wa_chan_post(s->helpers[whom], wa_server_rules(WA_SR_STORE, whom)->type, q->id, payload, -1,
                     err) != WA_OK) {
        wa_free(q);
        return err->code;
    }
    s->questions = q;
    return WA_OK;
}

const struct wa_store_question *wa_store_next_question(const struct wa_store_question *q)
{
    return q->next;
}

/* Takes out one that was asked of whom: of this id, or the first. NULL: none. */
static struct wa_store_question *take_question(struct wa_store *s, enum wa_server_role whom,
                                               const uint32_t *id)
{
    struct wa_store_question **at = &s->questions;
    while (*at != NULL && ((*at)->whom != whom || (id != NULL && (*at)->id != *id)))
        at = &(*at)->next;
    struct wa_store_question *q = *at;
    if (q != NULL)
        *at = q->next;
    return q;
}

/* Takes q. */
static void tell(struct wa_store *s, struct wa_store_question *q, struct wa_sv payload)
{
    const struct wa_language *was = wa_text_speak(q->language);
    q->fn(s, q->user, payload);
    (void)wa_text_speak(was);
    wa_free(q);
}

void wa_store_reply(struct wa_store *s, enum wa_server_role whom, const struct wa_chan_msg *msg)
{
    struct wa_store_question *q = take_question(s, whom, &msg->id);
    if (q != NULL)
        tell(s, q, msg->payload);
}

#define OVER_IT "{\"over\":true,"
#define BEFORE_IT "{\"over\":false,"

bool wa_store_ended_over(struct wa_sv payload)
{
    return wa_sv_starts(payload, OVER_IT);
}

bool wa_store_ended_before(struct wa_sv payload)
{
    return wa_sv_starts(payload, BEFORE_IT);
}

static void write_end(enum wa_server_role whom, bool is_over_it, struct wa_buf *out)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_jw w;
    (void)fail_ended(whom, &err);
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kvb(&w, "over", is_over_it);
    wa_jw_err(&w, &err);
    wa_jw_end(&w);
}

static bool is_asked(const struct wa_store *s, enum wa_server_role whom)
{
    const struct wa_store_question *q = s->questions;
    while (q != NULL && q->whom != whom)
        q = q->next;
    return q != NULL;
}

/* The newest comes first: the last one is what it was looking at, one after the other. */
void wa_store_bereave(struct wa_store *s, enum wa_server_role whom)
{
    struct wa_store_question *q;
    wa_chan_free(s->helpers[whom]);
    s->helpers[whom] = NULL; /* nobody asks it again meanwhile */
    while ((q = take_question(s, whom, NULL)) != NULL) {
        WA_AUTO_BUF struct wa_buf answer;
        const struct wa_language *was = wa_text_speak(q->language);
        wa_buf_init(&answer, 4096);
        write_end(whom, !is_asked(s, whom), &answer);
        tell(s, q, wa_buf_sv(&answer));
        (void)wa_text_speak(was);
    }
}

enum wa_code wa_store_note(struct wa_store *s, const struct wa_journal_act *a, struct wa_err *err)
{
    s->is_noted = true;
    return wa_server_journal_add(s->db, s->child.config.node, a, err);
}

/* --- the others --- */

/* Whose channel it is, so that a message is known by where it came from. */
struct peer {
    struct wa_store *store;
    int which; /* of the fronts, or the role of another */
};
struct peers {
    struct peer fronts[WA_STORE_FRONTS], helpers[WA_SR_COUNT];
};

static void on_front(void *user, const struct wa_chan_msg *msg)
{
    struct peer *p = user;
    wa_store_front(p->store, p->which, msg);
}

static void on_reply(void *user, const struct wa_chan_msg *msg)
{
    struct peer *p = user;
    struct wa_err err = WA_ERR_INIT;
    (void)wa_store_flush(p->store, &err);
    wa_store_reply(p->store, (enum wa_server_role)p->which, msg);
}

/* The supervisor starts all of us anew. */
static void on_end(void *user, enum wa_code code, const struct wa_err *err)
{
    struct wa_store *s = ((struct peer *)user)->store;
    if (code != WA_OK)
        wa_log_err(&s->child.log, WA_LOG_ERROR, "channel.failed", err);
    wa_loop_stop(s->loop);
}

/* The supervisor starts the next one. */
static void on_helper_end(void *user, enum wa_code code, const struct wa_err *err)
{
    struct peer *p = user;
    if (code != WA_OK)
        wa_log_err(&p->store->child.log, WA_LOG_ERROR, "channel.failed", err);
    wa_store_bereave(p->store, (enum wa_server_role)p->which);
}

static enum wa_code take_helper(struct peer *p, int fd, struct wa_err *err)
{
    struct wa_store *s = p->store;
    const enum wa_server_role role = (enum wa_server_role)p->which;
    struct wa_chan **chan = &s->helpers[role];
    return wa_chan_new(fd, wa_server_rules(role, WA_SR_STORE), chan, err) == WA_OK
               ? wa_chan_attach(*chan, s->loop, on_reply,
                                wa_server_role_is_alone(role) ? on_helper_end : on_end, p, err)
               : err->code;
}

static void on_supervisor_end(void *user, enum wa_code code, const struct wa_err *err)
{
    on_end(&((struct peers *)user)->helpers[WA_SR_STORE], code, err);
}

/* The next process of a role, when the last one is known to have ended or not. */
static void on_supervisor(void *user, const struct wa_chan_msg *msg)
{
    struct peers *peers = user;
    struct wa_err err = WA_ERR_INIT;
    int fd = msg->fd;
    if (msg->id >= WA_SR_COUNT || !wa_server_role_is_alone((enum wa_server_role)msg->id)) {
        wa_fd_close(&fd);
        return;
    }
    struct peer *p = &peers->helpers[msg->id];
    wa_store_bereave(p->store, (enum wa_server_role)msg->id);
    if (take_helper(p, fd, &err) != WA_OK)
        on_end(p, err.code, &err);
}

/* A database that was away and is back. What was written is there; what was owed is owed still. */
static bool has_database(struct wa_store *s)
{
    struct wa_err err = WA_ERR_INIT;
    if (!wa_db_is_lost(s->db))
        return true;
    wa_node_deaf(s);
    bool is_back = wa_db_reconnect(s->db, &err) == WA_OK && wa_node_listen(s, &err) == WA_OK;
    if (is_back)
        wa_log(&s->child.log, WA_LOG_INFO, "database.back", WA_LF_S("driver", wa_db_driver(s->db)));
    else
        wa_log_err(&s->child.log, WA_LOG_ERROR, "database.away", &err);
    return is_back;
}

#define TELL_HEAD_S 600

/* The journal's head goes where the log goes: away from this machine, if the log does. */
static void tell_head(struct wa_store *s)
{
    struct wa_journal_head head;
    struct wa_err err = WA_ERR_INIT;
    int64_t now = wa_clock_now();
    if (now >= s->told_at && now - s->told_at < TELL_HEAD_S)
        return;
    s->told_at = now;
    if ((!s->node.is_alone &&
         wa_server_journal_link(s->db, s->child.config.node, &s->links, &err) != WA_OK) ||
        wa_server_journal_head(s->db, s->child.config.node, &head, &err) != WA_OK)
        wa_log_err(&s->child.log, WA_LOG_ERROR, "journal.failed", &err);
    else if (head.seq != s->told_seq)
        wa_log(&s->child.log, WA_LOG_INFO, "journal.head", WA_LF_S("node", s->child.config.node),
               WA_LF_I("seq", head.seq), WA_LF_S("digest", head.digest));
    s->told_seq = head.seq;
}

/* Who watches is told of a new head soon. */
static void show_head(struct wa_store *s)
{
    struct wa_journal_head head;
    struct wa_err err = WA_ERR_INIT;
    char name[WA_EVENT_NAME_MAX + 1];
    if (!s->is_noted || wa_server_journal_head(s->db, s->child.config.node, &head, &err) != WA_OK)
        return;
    s->is_noted = false;
    if (head.seq == s->watched_seq)
        return;
    s->watched_seq = head.seq;
    (void)snprintf(name, sizeof name, "%.30s:%lld:%.64s", s->child.config.node, (long long)head.seq,
                   head.digest);
    wa_store_event(s, WA_EVENT_JOURNAL, "head", WA_SV(""), wa_sv(name), WA_SV(""));
}

static void on_clock(void *user)
{
    struct wa_store *s = user;
    struct wa_err err = WA_ERR_INIT;
    (void)wa_store_flush(s, &err);
    if (!has_database(user))
        return;
    wa_err_clear(&err);
    if (wa_node_turn(s, &err) != WA_OK)
        wa_log_err(&s->child.log, WA_LOG_ERROR, "node.failed", &err);
    if (s->node.must_end) {
        wa_loop_stop(s->loop); /* the supervisor starts all of us anew */
        return;
    }
    wa_err_clear(&err);
    if (wa_store_refresh(s, &err) != WA_OK)
        wa_log_err(&s->child.log, WA_LOG_ERROR, "fleet.stale", &err);
    tell_head(user);
    show_head(user);
    wa_store_dispatch_due(user);
    wa_store_rollouts(user);
    wa_store_write_seen(user, wa_clock_now());
    wa_fleet_roll(s->fleet, wa_clock_now());
    wa_store_clean(user, wa_clock_now());
    wa_store_sweep_uploads(user, wa_clock_now());
    wa_store_stamp(user, false);
    wa_store_look_at_revoked(user);
    wa_store_tell_watchers(user);
    wa_store_hooks(user);
    wa_store_check_people(user);
    wa_store_renew_sessions(user);
}

static void on_stop(void *user, int signum)
{
    struct wa_store *s = user;
    WA_UNUSED(signum);
    wa_loop_stop(s->loop);
}

/* --- start --- */

static enum wa_code open_channels(struct wa_store *s, struct peers *peers, struct wa_err *err)
{
    int fd = HELPERS_FD;
    peers->helpers[WA_SR_STORE] = (struct peer){s, WA_SR_STORE};
    if (wa_chan_new(SUPERVISOR_FD, wa_server_rules(WA_SR_SUPERVISOR, WA_SR_STORE), &s->supervisor,
                    err) != WA_OK ||
        wa_chan_attach(s->supervisor, s->loop, on_supervisor, on_supervisor_end, peers, err) !=
            WA_OK)
        return err->code;
    for (int role = WA_SR_SIGNER; role < WA_SR_COUNT; role++) {
        peers->helpers[role] = (struct peer){s, role};
        if (take_helper(&peers->helpers[role], fd++, err) != WA_OK)
            return err->code;
    }
    s->front_count = (size_t)s->child.config.fronts;
    for (size_t i = 0; i < s->front_count; i++) {
        peers->fronts[i] = (struct peer){s, (int)i};
        if (wa_chan_new(fd++, wa_server_rules(WA_SR_FRONT, WA_SR_STORE), &s->fronts[i], err) !=
                WA_OK ||
            wa_chan_attach(s->fronts[i], s->loop, on_front, on_end, &peers->fronts[i], err) !=
                WA_OK)
            return err->code;
    }
    return WA_OK;
}

/* The public half of a key whose private one is the signer's alone: the relay's, for machines that
 * register; the timestamp's, for those who make a root. */
static enum wa_code read_public(struct wa_store *s, const char *name, char **ret,
                                struct wa_err *err)
{
    char path[WA_PATH_MAX];
    WA_AUTO_BUF struct wa_buf pem;
    size_t n = 0;
    wa_buf_init(&pem, 16u << 10);
    if (wa_server_path(&s->child.config, name, path, err) != WA_OK ||
        wa_path_read(path, 16u << 10, &pem, err) != WA_OK)
        return err->code;
    return wa_buf_steal(&pem, ret, &n, err);
}

/* PostgreSQL's views for reports. Without them there are no reports, and all else works. */
static void publish_views(struct wa_store *s)
{
    struct wa_err err = WA_ERR_INIT;
    size_t count = 0;
    bool has_role = false;
    const struct wa_foreign_view *views = wa_report_views(&count);
    if (wa_foreign_publish(s->db, views, count, &has_role, &err) != WA_OK)
        wa_log_err(&s->child.log, WA_LOG_WARNING, "reports.none", &err);
}

/* Those of former versions. A server that is not stopped yet may be one, and reads them: a node has
 * its row before it makes its own views, so either it is seen here, or it makes them after this. */
static void drop_views(struct wa_store *s)
{
    struct wa_err err = WA_ERR_INIT;
    size_t count = 0;
    bool is_one = false;
    if (wa_db_begin(s->db, &err) != WA_OK) {
        wa_log_err(&s->child.log, WA_LOG_WARNING, "reports.former_views", &err);
        return;
    }
    if (wa_node_is_one_version(s, &is_one, &err) == WA_OK &&
        (!is_one || wa_foreign_drop_former(s->db, &count, &err) == WA_OK) &&
        wa_db_commit(s->db, &err) == WA_OK)
        return;
    wa_db_rollback(s->db);
    wa_log_err(&s->child.log, WA_LOG_WARNING, "reports.former_views", &err);
}

/* SQLite keeps 2 MiB of pages by itself: a group of orders has more, which then go to the disk and
 * come back before its commit. */
static enum wa_code keep_pages(struct wa_db *db, struct wa_err *err)
{
    bool is_sqlite = strcmp(wa_db_driver(db), "sqlite") == 0;
    return is_sqlite ? wa_db_exec(db, "PRAGMA cache_size = -16384", err) : WA_OK;
}

static enum wa_code run(struct wa_store *s, struct peers *peers, const char *config_file,
                        struct wa_err *err)
{
    char db[WA_PATH_MAX];
    if (wa_server_child_init(&s->child, WA_SR_STORE, config_file, err) != WA_OK ||
        read_public(s, "private/relay.pub", &s->relay_public, err) != WA_OK ||
        read_public(s, "private/timestamp.pub", &s->timestamp_public, err) != WA_OK ||
        wa_server_path(&s->child.config, "db", db, err) != WA_OK ||
        wa_server_path(&s->child.config, s->child.config.trusted_signers, s->trusted, err) !=
            WA_OK ||
        wa_rand_bytes(&s->throttle.seed, sizeof s->throttle.seed, err) != WA_OK ||
        wa_rand_bytes(&s->codes.seed, sizeof s->codes.seed, err) != WA_OK ||
        wa_rand_bytes(&s->persons.seed, sizeof s->persons.seed, err) != WA_OK ||
        wa_rand_bytes(&s->moves.seed, sizeof s->moves.seed, err) != WA_OK ||
        wa_rand_map(&s->conns_by_uuid, err) != WA_OK || wa_senders_new(&s->senders, err) != WA_OK ||
        wa_rand_map(&s->conns_by_id, err) != WA_OK || wa_loop_new(&s->loop, err) != WA_OK)
        return err->code;
    s->node.is_alone = s->child.config.database[0] == '\0';
    char repository[WA_PATH_MAX];
    if (wa_server_path(&s->child.config, "repo/wapt", repository, err) != WA_OK ||
        wa_server_path(&s->child.config, "repo/wapt/root.json", s->root, err) != WA_OK ||
        wa_server_path(&s->child.config, s->child.config.certificate_issuers, s->issuers, err) !=
            WA_OK)
        return err->code;
    const char *const reads[] = {s->trusted, repository,
                                 s->child.config.certificate_issuers[0] != '\0' ? s->issuers : NULL,
                                 NULL};
    const char *const writes[] = {db, NULL};
    struct wa_server_reads all;
    unsigned net = s->child.config.database[0] != '\0' ? WA_PRIV_NET : 0; /* PostgreSQL's */
    if (wa_server_child_confine(
            &s->child, WA_SR_STORE,
            WA_PRIV_FDS | WA_PRIV_FS_READ | WA_PRIV_FS_WRITE | WA_PRIV_THREADS | net,
            wa_server_reads(s->child.config.database, reads, &all), writes, err) != WA_OK ||
        wa_store_open(s->child.config.dir, s->child.config.database, &s->db, err) != WA_OK ||
        keep_pages(s->db, err) != WA_OK || wa_fleet_new(&s->fleet, err) != WA_OK ||
        wa_node_join(s, err) != WA_OK || wa_store_load_fleet(s->db, s->fleet, err) != WA_OK ||
        wa_store_requeue(s, "", err) != WA_OK || wa_store_events_open(s, err) != WA_OK ||
        open_channels(s, peers, err) != WA_OK || wa_node_listen(s, err) != WA_OK ||
        wa_store_group_start(s, err) != WA_OK || wa_store_checks_start(s, err) != WA_OK ||
        wa_loop_on_stop(s->loop, on_stop, s, err) != WA_OK ||
        wa_timer_new(s->loop, on_clock, s, &s->clock, err) != WA_OK)
        return err->code;
    publish_views(s);
    drop_views(s);
    wa_timer_start(s->clock, CLOCK_MS, CLOCK_MS);
    wa_store_look_at_revoked(s);
    wa_server_child_ready();
    enum wa_code code = wa_loop_run(s->loop, err);
    wa_store_checks_end(s);
    struct wa_err late = WA_ERR_INIT;
    return wa_store_flush(s, &late) != WA_OK && code == WA_OK ? (*err = late).code : code;
}

int wa_server_store(const char *config_file)
{
    static struct wa_store store; /* large, one a process */
    static struct wa_store_counts counts;
    static struct peers peers;
    struct wa_err err = WA_ERR_INIT;
    store.counts = &counts;
    enum wa_code code = run(&store, &peers, config_file, &err);
    wa_node_leave(&store);
    wa_node_fini(&store);
    wa_db_close(store.db);
    wa_fleet_free(store.fleet);
    wa_senders_free(store.senders);
    wa_key_free(store.sender);
    wa_digest_free(store.digest);
    wa_store_events_close(&store);
    return wa_server_child_end(&store.child, code, &err);
}

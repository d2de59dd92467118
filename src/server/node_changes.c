/* node_changes.c - what the servers of one database tell each other: presence and changes.
 *
 * A change says only what is to be read again: the tables are the truth. Those of this node itself
 * are passed over.
 */
#include "base/mem.h"
#include "os/clock.h"
#include "os/loop.h"
#include "server/node.h"
#include "server/store_authority.h"
#include "server/store_priv.h"

#define AT_ONCE 1000u /* machines whose presence one transaction writes */

/* --- telling --- */

static const char *const kinds[WA_NODE_KINDS] = {
    "host", "gone", "presence", "orders", "died", "action", "revoked", "people", "watch", "queue"};

static enum wa_code announce(struct wa_db *db, const char *node, enum wa_node_kind kind,
                             struct wa_sv name, struct wa_err *err)
{
    struct wa_stmt *q;
    if (wa_db_prepare(db,
                      "INSERT INTO changes (seq, at, node, kind, name, text) SELECT "
                      "COALESCE(MAX(seq), 0) + 1, ?, ?, ?, ?, '' FROM changes",
                      &q, err) != WA_OK)
        return err->code;
    wa_bind_i64(q, 0, wa_clock_now());
    wa_bind_s(q, 1, node);
    wa_bind_s(q, 2, kinds[kind]);
    wa_bind_sv(q, 3, name);
    return wa_run(q, err) == WA_OK ? wa_db_announce(db, err) : err->code;
}

enum wa_code wa_node_tell(struct wa_store *s, enum wa_node_kind kind, struct wa_sv name,
                          struct wa_err *err)
{
    return s->node.is_alone ? WA_OK : announce(s->db, s->child.config.node, kind, name, err);
}

enum wa_code wa_node_tell_as(struct wa_db *db, const char *node, enum wa_node_kind kind,
                             struct wa_sv name, struct wa_err *err)
{
    return strcmp(wa_db_driver(db), "sqlite") == 0 ? WA_OK : announce(db, node, kind, name, err);
}

void wa_node_tell_now(struct wa_store *s, enum wa_node_kind kind, struct wa_sv name)
{
    struct wa_err err = WA_ERR_INIT;
    if (s->node.is_alone)
        return;
    if (wa_db_begin(s->db, &err) == WA_OK && wa_node_tell(s, kind, name, &err) == WA_OK &&
        wa_db_commit(s->db, &err) == WA_OK)
        return;
    wa_db_rollback(s->db);
    wa_log_err(&s->child.log, WA_LOG_WARNING, "change.not_told", &err);
}

/* --- presence --- */

static char is_seen; /* what the map's entries point to */

void wa_node_presence(struct wa_store *s, const char *uuid)
{
    struct wa_err err = WA_ERR_INIT;
    if (s->node.is_alone)
        return;
    if (wa_map_put(&s->node.seen, wa_sv(uuid), &is_seen, NULL, &err) != WA_OK)
        wa_log_err(&s->child.log, WA_LOG_ERROR, "presence.lost", &err);
}

static enum wa_code set_place(struct wa_store *s, const char *uuid, struct wa_err *err)
{
    static const char *const sql[] = {
        "UPDATE presence SET node = '' WHERE uuid = ?1 AND node = ?2",
        "UPDATE presence SET node = ?2 WHERE uuid = ?1 AND node <> ?2"};
    struct wa_stmt *q;
    bool is_here = wa_store_conn_of(s, uuid) != NULL;
    if (wa_db_prepare(s->db, sql[is_here], &q, err) != WA_OK)
        return err->code;
    wa_bind_s(q, 0, uuid);
    wa_bind_s(q, 1, s->child.config.node);
    if (wa_run(q, err) != WA_OK)
        return err->code;
    return wa_db_changes(s->db) == 0 ? WA_OK : wa_node_tell(s, WA_NODE_PRESENCE, wa_sv(uuid), err);
}

/* What another node had sent to a machine that is here now, and which it did not acknowledge there,
 * goes out from here. */
static enum wa_code take_over(struct wa_store *s, const char *uuid, struct wa_err *err)
{
    struct wa_stmt *q;
    if (wa_store_conn_of(s, uuid) == NULL)
        return WA_OK;
    if (wa_db_prepare(s->db,
                      "UPDATE actions SET state = 'queued', node = '' WHERE uuid = ? AND state = "
                      "'sent' AND node <> ?",
                      &q, err) != WA_OK)
        return err->code;
    wa_bind_s(q, 0, uuid);
    wa_bind_s(q, 1, s->child.config.node);
    if (wa_run(q, err) != WA_OK)
        return err->code;
    s->owes_dispatch |= wa_db_changes(s->db) > 0;
    return WA_OK;
}

/* In a transaction: the first n of them. */
static enum wa_code write_seen(struct wa_store *s, size_t n, struct wa_err *err)
{
    for (size_t i = 0; i < n; i++) {
        char uuid[WA_UUID_MAX + 1];
        (void)snprintf(uuid, sizeof uuid, "%.*s", (int)s->node.seen.items[i].key_n,
                       s->node.seen.items[i].key);
        if (set_place(s, uuid, err) != WA_OK || take_over(s, uuid, err) != WA_OK)
            return err->code;
    }
    return wa_db_commit(s->db, err);
}

enum wa_code wa_node_write_presence(struct wa_store *s, struct wa_err *err)
{
    struct wa_map *seen = &s->node.seen;
    while (seen->n > 0) {
        size_t n = seen->n < AT_ONCE ? seen->n : AT_ONCE;
        if (wa_db_begin(s->db, err) != WA_OK)
            return err->code;
        if (write_seen(s, n, err) != WA_OK) {
            wa_db_rollback(s->db);
            return err->code;
        }
        for (; n > 0; n--)
            (void)wa_map_take(seen, wa_sv_n(seen->items[n - 1].key, seen->items[n - 1].key_n));
    }
    return WA_OK;
}

/* --- taking in --- */

static void tell(struct wa_store *s, const char *what, const char *uuid, const char *state)
{
    wa_store_event_elsewhere(s, WA_EVENT_HOST, what, wa_sv(uuid), WA_SV(""), wa_sv(state));
}

/* The newest place of a machine: when it is not here any more, its connection here is a dead one.
 */
static enum wa_code read_place(struct wa_store *s, const char *uuid, struct wa_err *err)
{
    struct wa_stmt *q;
    bool row = false;
    if (wa_db_prepare(s->db, "SELECT node FROM presence WHERE uuid = ?", &q, err) != WA_OK)
        return err->code;
    wa_bind_s(q, 0, uuid);
    if (wa_step(q, &row, err) != WA_OK)
        return err->code;
    bool is_elsewhere =
        row && wa_col_sv(q, 0).n > 0 && !wa_sv_eqs(wa_col_sv(q, 0), s->child.config.node);
    if (row)
        wa_reset(q);
    bool is_pending = wa_map_get(&s->node.seen, wa_sv(uuid)) != NULL; /* ours is newer */
    if (is_elsewhere && !is_pending)
        wa_store_disconnect(s, uuid);
    if (!is_elsewhere && wa_store_conn_of(s, uuid) != NULL)
        wa_node_presence(s, uuid); /* the other's last word is older than its coming here */
    const struct wa_fleet_host *h = wa_fleet_get(s->fleet, wa_sv(uuid));
    bool was_there = h != NULL && h->is_reachable;
    bool is_there = is_elsewhere || wa_store_conn_of(s, uuid) != NULL;
    wa_fleet_set_reachable(s->fleet, wa_sv(uuid), is_there, -1);
    if (h != NULL && was_there != is_there)
        tell(s, is_there ? "connected" : "disconnected", uuid, "");
    return WA_OK;
}

static enum wa_code on_host(struct wa_store *s, const char *uuid, struct wa_err *err)
{
    const struct wa_fleet_host *h = wa_fleet_get(s->fleet, wa_sv(uuid));
    bool is_new = h == NULL;
    char status[64];
    (void)snprintf(status, sizeof status, "%s", is_new ? "" : h->status);
    if (wa_store_load_host(s->db, wa_sv(uuid), s->fleet, err) != WA_OK)
        return err->code;
    wa_store_changed(s, wa_sv(uuid));
    h = wa_fleet_get(s->fleet, wa_sv(uuid));
    if (h != NULL && (is_new || strcmp(h->status, status) == 0))
        tell(s, is_new ? "registered" : "inventory", uuid, "");
    else if (h != NULL)
        tell(s, "status", uuid, h->status);
    return read_place(s, uuid, err);
}

static enum wa_code on_action(struct wa_store *s, const char *id, struct wa_err *err)
{
    struct wa_stmt *q;
    bool row = false;
    if (wa_db_prepare(s->db, "SELECT uuid, state FROM actions WHERE id = ?", &q, err) != WA_OK)
        return err->code;
    wa_bind_s(q, 0, id);
    if (wa_step(q, &row, err) != WA_OK || !row)
        return err->code;
    wa_store_event_elsewhere(s, WA_EVENT_ACTION, "state", wa_col_sv(q, 0), wa_sv(id),
                             wa_col_sv(q, 1));
    wa_reset(q);
    return WA_OK;
}

static enum wa_code on_gone(struct wa_store *s, const char *uuid, struct wa_err *err)
{
    wa_store_disconnect(s, uuid);
    if (wa_fleet_get(s->fleet, wa_sv(uuid)) != NULL)
        tell(s, "forgotten", uuid, "");
    return wa_store_load_host(s->db, wa_sv(uuid), s->fleet, err);
}

static enum wa_code on_orders(struct wa_store *s, const char *batch, struct wa_err *err)
{
    WA_UNUSED(err);
    if (batch[0] != '\0') {
        wa_store_event_elsewhere(s, WA_EVENT_ACTION, "ordered", WA_SV(""), wa_sv(batch),
                                 WA_SV("queued"));
        wa_store_dispatch_batch(s, batch);
    }
    s->owes_dispatch |= batch[0] == '\0';
    return WA_OK;
}

static enum wa_code read_places(struct wa_store *s, struct wa_err *err)
{
    struct wa_stmt *q;
    bool row = true;
    if (wa_db_prepare(s->db, "SELECT uuid, node FROM presence", &q, err) != WA_OK)
        return err->code;
    while (wa_step(q, &row, err) == WA_OK && row) {
        char uuid[WA_UUID_MAX + 1];
        wa_col_text(q, 0, uuid, sizeof uuid);
        wa_fleet_set_reachable(
            s->fleet, wa_sv(uuid),
            wa_store_conn_of(s, uuid) != NULL ||
                (wa_col_sv(q, 1).n > 0 && !wa_sv_eqs(wa_col_sv(q, 1), s->child.config.node)),
            -1);
    }
    return err->code;
}

static enum wa_code on_died(struct wa_store *s, const char *name, struct wa_err *err)
{
    WA_UNUSED(name);
    s->owes_dispatch = true;
    return read_places(s, err);
}

/* These two once for all that came together. */
static enum wa_code on_revoked(struct wa_store *s, const char *uuid, struct wa_err *err)
{
    WA_UNUSED(uuid);
    WA_UNUSED(err);
    s->node.revoked_elsewhere = true;
    return WA_OK;
}

static enum wa_code on_people(struct wa_store *s, const char *name, struct wa_err *err)
{
    WA_UNUSED(name);
    WA_UNUSED(err);
    s->node.people_elsewhere = true;
    return WA_OK;
}

static enum wa_code on_watch(struct wa_store *s, const char *uuid, struct wa_err *err)
{
    WA_UNUSED(err);
    wa_queue_ask(s, uuid);
    return WA_OK;
}

static enum wa_code on_queue(struct wa_store *s, const char *uuid, struct wa_err *err)
{
    WA_UNUSED(err);
    wa_store_event_elsewhere(s, WA_EVENT_QUEUE, "told", wa_sv(uuid), WA_SV(""), WA_SV(""));
    return WA_OK;
}

static void pass_on(struct wa_store *s)
{
    bool revoked = s->node.revoked_elsewhere, people = s->node.people_elsewhere;
    s->node.revoked_elsewhere = s->node.people_elsewhere = false;
    if (revoked)
        wa_store_tell_revoked(s);
    if (people)
        wa_store_tell_watchers(s); /* who may not watch any more is shown out */
}

void wa_node_died(struct wa_store *s)
{
    struct wa_err err = WA_ERR_INIT;
    if (on_died(s, "", &err) != WA_OK)
        wa_log_err(&s->child.log, WA_LOG_ERROR, "presence.stale", &err);
}

struct change {
    char kind[16], name[WA_NAME_MAX + 1];
};

static enum wa_code act(struct wa_store *s, const struct change *c, struct wa_err *err)
{
    static enum wa_code (*const fns[WA_NODE_KINDS])(struct wa_store * s, const char *name,
                                                    struct wa_err *err) = {
        on_host,   on_gone,    read_place, on_orders, on_died,
        on_action, on_revoked, on_people,  on_watch,  on_queue};
    for (size_t i = 0; i < WA_NODE_KINDS; i++)
        if (strcmp(c->kind, kinds[i]) == 0)
            return fns[i](s, c->name, err);
    return WA_OK; /* of a newer server */
}

struct changes {
    WA_VEC(struct change);
};

/* Changes of others up to the newest, read whole before any is acted on: acting asks the same
 * connection. */
static enum wa_code collect(struct wa_store *s, int64_t newest, struct changes *ret,
                            struct wa_err *err)
{
    struct wa_stmt *q;
    bool row = true;
    if (wa_db_prepare(s->db,
                      "SELECT kind, name FROM changes WHERE seq > ?1 AND seq <= ?2 AND node <> ?3 "
                      "ORDER BY seq",
                      &q, err) != WA_OK)
        return err->code;
    wa_bind_i64(q, 0, s->node.known);
    wa_bind_i64(q, 1, newest);
    wa_bind_s(q, 2, s->child.config.node);
    while (wa_step(q, &row, err) == WA_OK && row) {
        struct change *c = WA_VEC_PUSH(ret);
        if (c == NULL) {
            wa_reset(q);
            return wa_nomem(err);
        }
        wa_col_text(q, 0, c->kind, sizeof c->kind);
        wa_col_text(q, 1, c->name, sizeof c->name);
    }
    return err->code;
}

/* The newest change there is. WA_E_CONFLICT: some were forgotten before they were read here. */
static enum wa_code newest_of(struct wa_store *s, int64_t *ret, struct wa_err *err)
{
    struct wa_stmt *q;
    bool row = false;
    if (wa_db_prepare(s->db, "SELECT MAX(seq), MIN(seq) FROM changes", &q, err) != WA_OK ||
        wa_step(q, &row, err) != WA_OK)
        return err->code;
    *ret = row ? wa_col_i64(q, 0) : 0;
    int64_t oldest = row ? wa_col_i64(q, 1) : 0;
    if (row)
        wa_reset(q);
    s->node.must_end = oldest > s->node.known + 1;
    return !s->node.must_end ? WA_OK
                             : wa_fail(err, WA_E_CONFLICT,
                                       "this server was away for so long that it must begin anew");
}

enum wa_code wa_node_take_in(struct wa_store *s, struct wa_err *err)
{
    int64_t newest = 0;
    struct changes list = {0};
    if (s->node.is_alone)
        return WA_OK;
    if (newest_of(s, &newest, err) != WA_OK || newest <= s->node.known)
        return err->code;
    enum wa_code code = collect(s, newest, &list, err);
    for (size_t i = 0; code == WA_OK && i < list.n; i++)
        code = act(s, &list.items[i], err);
    if (code == WA_OK)
        s->node.known = newest;
    WA_VEC_FREE(&list);
    pass_on(s);
    return code;
}

/* --- being woken --- */

static void on_wake(void *user, int events)
{
    struct wa_store *s = user;
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(events);
    bool was_woken = wa_db_was_woken(s->db);
    if (wa_db_is_lost(s->db))
        wa_node_deaf(s); /* the clock opens it anew */
    else if (was_woken && wa_node_take_in(s, &err) != WA_OK)
        wa_log_err(&s->child.log, WA_LOG_ERROR, "changes.not_taken", &err);
}

enum wa_code wa_node_listen(struct wa_store *s, struct wa_err *err)
{
    int fd = wa_db_wake_fd(s->db);
    wa_node_deaf(s);
    for (size_t i = 0; i < s->node.peers.n; i++)
        s->node.peers.items[i].moved_ms = 0; /* nobody could be seen to live meanwhile */
    if (fd < 0)
        return WA_OK;
    if (wa_db_listen(s->db, err) != WA_OK ||
        wa_io_new(s->loop, fd, on_wake, s, &s->node.wake, err) != WA_OK)
        return err->code;
    return wa_io_set(s->node.wake, WA_IO_READ, err);
}

void wa_node_deaf(struct wa_store *s)
{
    if (s->node.wake != NULL)
        wa_io_free(s->node.wake);
    s->node.wake = NULL;
}

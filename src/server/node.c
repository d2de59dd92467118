/* node.c - the life of a node: joining, heartbeat, who leads, burying the dead, leaving.
 *
 * What is done about another node happens in a transaction that looks again whether its heartbeat
 * has really stopped. What others change is taken in by node_changes.c.
 */
#include "server/node.h"

#include "base/mem.h"
#include "os/clock.h"
#include "os/loop.h"
#include "os/rand.h"
#include "server/store_priv.h"

#define LEASE_MS 15000u
#define CHANGES_KEPT_S 3600
#define CLOCK_OFF_S 30 /* beyond, it is told */

bool wa_node_leads(const struct wa_store *s)
{
    return s->node.is_alone || s->node.is_leading;
}

/* One statement of up to two texts. */
static enum wa_code run2(struct wa_db *db, const char *sql, const char *a, const char *b,
                         struct wa_err *err)
{
    struct wa_stmt *q;
    if (wa_db_prepare(db, sql, &q, err) != WA_OK)
        return err->code;
    if (a != NULL)
        wa_bind_s(q, 0, a);
    if (b != NULL)
        wa_bind_s(q, 1, b);
    return wa_run(q, err);
}

static enum wa_code read_number(struct wa_stmt *q, int64_t *ret, bool *ret_found,
                                struct wa_err *err)
{
    if (wa_step(q, ret_found, err) != WA_OK)
        return err->code;
    *ret = *ret_found ? wa_col_i64(q, 0) : 0;
    if (*ret_found)
        wa_reset(q);
    return WA_OK;
}

/* --- joining and leaving --- */

static enum wa_code enter(struct wa_store *s, struct wa_err *err)
{
    struct wa_stmt *q;
    if (wa_db_prepare(s->db,
                      "INSERT INTO nodes (name, boot, beat, leads, started, version) VALUES (?1, "
                      "?2, 1, 0, ?3, ?4) ON CONFLICT (name) DO UPDATE SET boot = excluded.boot, "
                      "beat = nodes.beat + 1, started = excluded.started, version = "
                      "excluded.version",
                      &q, err) != WA_OK)
        return err->code;
    wa_bind_s(q, 0, s->child.config.node);
    wa_bind_s(q, 1, s->node.boot);
    wa_bind_i64(q, 2, wa_clock_now());
    wa_bind_s(q, 3, WA_VERSION);
    return wa_run(q, err);
}

/* In a transaction: the node's machines are nowhere, and its orders wait. */
static enum wa_code clear(struct wa_store *s, const char *name, struct wa_err *err)
{
    if (run2(s->db, "UPDATE presence SET node = '' WHERE node = ?", name, NULL, err) != WA_OK)
        return err->code;
    return run2(s->db,
                "UPDATE actions SET state = 'queued', node = '' WHERE state = 'sent' AND node = ?",
                name, NULL, err);
}

static enum wa_code newest_change(struct wa_store *s, int64_t *ret, struct wa_err *err)
{
    struct wa_stmt *q;
    bool found = false;
    if (wa_db_prepare(s->db, "SELECT MAX(seq) FROM changes", &q, err) != WA_OK)
        return err->code;
    return read_number(q, ret, &found, err);
}

static enum wa_code join(struct wa_store *s, struct wa_err *err)
{
    if (enter(s, err) != WA_OK || clear(s, s->child.config.node, err) != WA_OK ||
        newest_change(s, &s->node.known, err) != WA_OK)
        return err->code;
    return wa_node_tell(s, WA_NODE_DIED, wa_sv(s->child.config.node), err);
}

static enum wa_code in_transaction(struct wa_store *s,
                                   enum wa_code (*fn)(struct wa_store *s, struct wa_err *err),
                                   struct wa_err *err)
{
    if (wa_db_begin(s->db, err) != WA_OK)
        return err->code;
    if (fn(s, err) == WA_OK && wa_db_commit(s->db, err) == WA_OK)
        return WA_OK;
    wa_db_rollback(s->db);
    return err->code;
}

enum wa_code wa_node_join(struct wa_store *s, struct wa_err *err)
{
    struct wa_node *n = &s->node;
    n->lease_ms = LEASE_MS;
    if (wa_rand_map(&n->seen, err) != WA_OK || wa_rand_hex(n->boot, 16, err) != WA_OK)
        return err->code;
    return n->is_alone ? WA_OK : in_transaction(s, join, err);
}

enum wa_code wa_node_is_one_version(const struct wa_store *s, bool *ret, struct wa_err *err)
{
    struct wa_stmt *q;
    bool is_other = false;
    if (wa_db_prepare(s->db, "SELECT 1 FROM nodes WHERE version <> ?", &q, err) != WA_OK)
        return err->code;
    wa_bind_s(q, 0, WA_VERSION);
    if (wa_step(q, &is_other, err) != WA_OK)
        return err->code;
    if (is_other)
        wa_reset(q);
    *ret = !is_other;
    return WA_OK;
}

static enum wa_code leave(struct wa_store *s, struct wa_err *err)
{
    if (run2(s->db, "DELETE FROM nodes WHERE name = ? AND boot = ?", s->child.config.node,
             s->node.boot, err) != WA_OK)
        return err->code;
    if (wa_db_changes(s->db) != 1)
        return WA_OK; /* another has the name by now */
    if (clear(s, s->child.config.node, err) != WA_OK)
        return err->code;
    return wa_node_tell(s, WA_NODE_DIED, wa_sv(s->child.config.node), err);
}

void wa_node_leave(struct wa_store *s)
{
    struct wa_err err = WA_ERR_INIT;
    if (s->db == NULL || s->node.boot[0] == '\0' || s->node.is_alone)
        return;
    if (in_transaction(s, leave, &err) != WA_OK)
        wa_log_err(&s->child.log, WA_LOG_WARNING, "node.not_left", &err);
}

void wa_node_fini(struct wa_store *s)
{
    wa_node_deaf(s);
    wa_map_fini(&s->node.seen);
    WA_VEC_FREE(&s->node.peers);
    WA_VEC_FREE(&s->links);
}

/* --- heartbeat --- */

/* All that are connected here are to be written as such again. */
static void mark_all(struct wa_store *s)
{
    for (size_t i = 0; i < s->conns_by_uuid.n; i++)
        wa_node_presence(s, ((struct wa_store_conn *)s->conns_by_uuid.items[i].value)->uuid);
}

/* The row is another's, or gone: then the others took this node for dead. */
static enum wa_code come_back(struct wa_store *s, struct wa_err *err)
{
    struct wa_stmt *q;
    int64_t beat = 0, known = s->node.known;
    bool found = false;
    if (wa_db_prepare(s->db, "SELECT beat FROM nodes WHERE name = ?", &q, err) != WA_OK)
        return err->code;
    wa_bind_s(q, 0, s->child.config.node);
    if (read_number(q, &beat, &found, err) != WA_OK)
        return err->code;
    s->node.must_end = found;
    if (found)
        return wa_fail(err, WA_E_CONFLICT,
                       "another server uses the name '%s' in this database: give each its own "
                       "(node = NAME in '%s')",
                       s->child.config.node, s->child.config.file);
    if (in_transaction(s, join, err) != WA_OK)
        return err->code;
    s->node.is_leading = false;
    s->node.known = known; /* what others changed meanwhile: whose machine is elsewhere by now? */
    if (wa_node_take_in(s, err) != WA_OK)
        return err->code;
    mark_all(s);
    wa_log(&s->child.log, WA_LOG_WARNING, "node.came_back", WA_LF_S("node", s->child.config.node));
    return WA_OK;
}

static enum wa_code beat(struct wa_store *s, struct wa_err *err)
{
    struct wa_stmt *q;
    if (wa_db_prepare(s->db,
                      "UPDATE nodes SET beat = beat + 1, clock = ? WHERE name = ? AND boot = ?", &q,
                      err) != WA_OK)
        return err->code;
    wa_bind_i64(q, 0, wa_clock_now());
    wa_bind_s(q, 1, s->child.config.node);
    wa_bind_s(q, 2, s->node.boot);
    if (wa_run(q, err) != WA_OK)
        return err->code;
    return wa_db_changes(s->db) == 1 ? WA_OK : come_back(s, err);
}

/* --- the others --- */

static struct wa_node_peer *peer_of(struct wa_node *n, struct wa_sv name, struct wa_err *err)
{
    for (size_t i = 0; i < n->peers.n; i++)
        if (wa_sv_eqs(name, n->peers.items[i].name))
            return &n->peers.items[i];
    struct wa_node_peer *p = WA_VEC_PUSH(&n->peers);
    if (p == NULL)
        (void)wa_nomem(err);
    else
        (void)snprintf(p->name, sizeof p->name, "%.*s", WA_SV_ARG(name));
    return p;
}

static int64_t size_of(int64_t off)
{
    return off < 0 ? -off : off;
}

/* What signatures, sessions and windows stand on. A beat is some seconds old when it is seen. */
static void look_at_clock(const struct wa_store *s, struct wa_node_peer *p, int64_t clock)
{
    int64_t off = clock - wa_clock_now(), before = p->clock_off_s;
    p->clock_off_s = off;
    if (size_of(off) > CLOCK_OFF_S && size_of(before) <= CLOCK_OFF_S)
        wa_log(&s->child.log, WA_LOG_WARNING, "node.clock_differs", WA_LF_S("node", p->name),
               WA_LF_I("seconds", off));
}

int64_t wa_node_clock_off(const struct wa_store *s)
{
    int64_t most = 0;
    for (size_t i = 0; i < s->node.peers.n; i++)
        if (size_of(s->node.peers.items[i].clock_off_s) > size_of(most))
            most = s->node.peers.items[i].clock_off_s;
    return most;
}

static enum wa_code look(struct wa_store *s, struct wa_err *err)
{
    struct wa_node *n = &s->node;
    struct wa_stmt *q;
    bool row = true;
    uint64_t now = wa_clock_mono_ms();
    if (wa_db_prepare(s->db, "SELECT name, beat, leads, clock FROM nodes", &q, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < n->peers.n; i++)
        n->peers.items[i].is_there = false;
    while (wa_step(q, &row, err) == WA_OK && row) {
        struct wa_node_peer *p = peer_of(n, wa_col_sv(q, 0), err);
        if (p == NULL) {
            wa_reset(q);
            break;
        }
        if (p->beat != wa_col_i64(q, 1) && p->moved_ms != 0)
            look_at_clock(s, p, wa_col_i64(q, 3));
        if (p->beat != wa_col_i64(q, 1) || p->moved_ms == 0)
            p->moved_ms = now;
        p->beat = wa_col_i64(q, 1);
        p->leads = wa_col_i64(q, 2) != 0;
        p->is_there = true;
    }
    for (size_t i = 0; i < n->peers.n; i++)
        if (!n->peers.items[i].is_there)
            n->peers.items[i--] = n->peers.items[--n->peers.n];
    return err->code;
}

static bool is_dead(const struct wa_store *s, const struct wa_node_peer *p)
{
    return strcmp(p->name, s->child.config.node) != 0 &&
           wa_clock_mono_ms() - p->moved_ms > s->node.lease_ms;
}

/* --- who leads --- */

/* The one that leads, by what was seen last; NULL: none. */
static const struct wa_node_peer *leader(const struct wa_node *n)
{
    for (size_t i = 0; i < n->peers.n; i++)
        if (n->peers.items[i].leads)
            return &n->peers.items[i];
    return NULL;
}

/* In a transaction: unless somebody leads who is alive. */
static enum wa_code take_lead(struct wa_store *s, struct wa_err *err)
{
    const struct wa_node_peer *was = leader(&s->node);
    struct wa_stmt *q;
    int64_t beat_now = 0;
    bool found = false;
    if (wa_db_prepare(s->db, "SELECT beat FROM nodes WHERE leads = 1", &q, err) != WA_OK ||
        read_number(q, &beat_now, &found, err) != WA_OK)
        return err->code;
    if (found && (was == NULL || was->beat != beat_now))
        return WA_OK; /* somebody was faster, or is alive after all: the next look tells */
    return run2(s->db, "UPDATE nodes SET leads = CASE WHEN name = ? THEN 1 ELSE 0 END",
                s->child.config.node, NULL, err);
}

static enum wa_code find_leader(struct wa_store *s, struct wa_err *err)
{
    struct wa_node *n = &s->node;
    const struct wa_node_peer *p = leader(n);
    bool was_leading = n->is_leading;
    if ((p == NULL || is_dead(s, p)) &&
        (in_transaction(s, take_lead, err) != WA_OK || look(s, err) != WA_OK))
        return err->code;
    p = leader(n);
    n->is_leading = p != NULL && strcmp(p->name, s->child.config.node) == 0;
    if (n->is_leading != was_leading)
        wa_log(&s->child.log, WA_LOG_INFO, n->is_leading ? "node.leads" : "node.follows",
               WA_LF_S("node", s->child.config.node));
    return WA_OK;
}

enum wa_code wa_node_check_lead(struct wa_store *s, struct wa_err *err)
{
    struct wa_stmt *q;
    int64_t leads = 0;
    bool found = false;
    if (s->node.is_alone)
        return WA_OK;
    if (wa_db_prepare(s->db, "SELECT leads FROM nodes WHERE name = ? AND boot = ?", &q, err) !=
        WA_OK)
        return err->code;
    wa_bind_s(q, 0, s->child.config.node);
    wa_bind_s(q, 1, s->node.boot);
    if (read_number(q, &leads, &found, err) != WA_OK)
        return err->code;
    return leads == 1 ? WA_OK : wa_fail(err, WA_E_CONFLICT, "another server leads by now");
}

/* In a transaction. */
static enum wa_code bury_one(struct wa_store *s, const struct wa_node_peer *p, struct wa_err *err)
{
    struct wa_stmt *q;
    if (wa_node_check_lead(s, err) != WA_OK ||
        wa_db_prepare(s->db, "DELETE FROM nodes WHERE name = ? AND beat = ?", &q, err) != WA_OK)
        return err->code;
    wa_bind_s(q, 0, p->name);
    wa_bind_i64(q, 1, p->beat);
    if (wa_run(q, err) != WA_OK)
        return err->code;
    if (wa_db_changes(s->db) != 1)
        return wa_fail(err, WA_E_CONFLICT, "'%s' is alive after all", p->name);
    if (clear(s, p->name, err) != WA_OK ||
        wa_node_tell(s, WA_NODE_DIED, wa_sv(p->name), err) != WA_OK)
        return err->code;
    return wa_db_commit(s->db, err);
}

static void bury(struct wa_store *s, const struct wa_node_peer *p)
{
    struct wa_err err = WA_ERR_INIT;
    if (wa_db_begin(s->db, &err) == WA_OK && bury_one(s, p, &err) == WA_OK) {
        wa_log(&s->child.log, WA_LOG_WARNING, "node.died", WA_LF_S("node", p->name));
        wa_node_died(s);
        return;
    }
    wa_db_rollback(s->db);
    wa_log_err(&s->child.log, WA_LOG_WARNING, "node.not_buried", &err);
}

/* In a transaction. */
static enum wa_code forget_changes(struct wa_store *s, struct wa_err *err)
{
    struct wa_stmt *q;
    if (wa_db_prepare(s->db,
                      "DELETE FROM changes WHERE at < ? AND seq < (SELECT MAX(seq) FROM changes)",
                      &q, err) != WA_OK)
        return err->code;
    wa_bind_i64(q, 0, wa_clock_now() - CHANGES_KEPT_S);
    return wa_run(q, err);
}

static enum wa_code lead(struct wa_store *s, struct wa_err *err)
{
    int64_t now = wa_clock_now();
    for (size_t i = 0; i < s->node.peers.n; i++)
        if (is_dead(s, &s->node.peers.items[i]))
            bury(s, &s->node.peers.items[i]);
    if (now >= s->node.cleaned_at && now - s->node.cleaned_at < CHANGES_KEPT_S / 4)
        return WA_OK;
    s->node.cleaned_at = now;
    return in_transaction(s, forget_changes, err);
}

enum wa_code wa_node_turn(struct wa_store *s, struct wa_err *err)
{
    if (s->node.is_alone)
        return WA_OK;
    if (beat(s, err) != WA_OK || look(s, err) != WA_OK || find_leader(s, err) != WA_OK ||
        (s->node.is_leading && lead(s, err) != WA_OK) || wa_node_write_presence(s, err) != WA_OK)
        return err->code;
    return wa_node_take_in(s, err);
}

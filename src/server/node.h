/* node.h - this server among several over one database.
 *
 * Each is a node: it has a name, a row in the table of nodes and a heartbeat in it. One of them
 * leads, and does what is done once for all: wa_node_leads(). What a node changes it tells the
 * others in the same transaction, as a row of the table of changes; PostgreSQL's NOTIFY only wakes
 * them, and a node that missed one reads on from where it was. Changes are numbered under the
 * database's write lock, so no number becomes visible after a greater one.
 *
 * Whether another node is alive is judged by its heartbeat's counter and our own clock alone: no
 * two clocks are compared. A node that was taken for dead and was not comes back by itself.
 *
 * With SQLite there is one node: it leads, and tells nobody.
 */
#ifndef WA_SERVER_NODE_H
#define WA_SERVER_NODE_H

#include "base/map.h"
#include "base/vec.h"
#include "sql/db.h"

#define WA_NODE_NAME_MAX 63u /* bytes */

struct wa_store;
struct wa_io;

struct wa_node_peer {
    char name[WA_NODE_NAME_MAX + 1];
    int64_t beat;
    uint64_t moved_ms;   /* when the beat last changed, by our clock */
    int64_t clock_off_s; /* its clock then, against ours */
    bool is_there, leads;
};

struct wa_node {
    bool is_alone, is_leading;
    bool revoked_elsewhere, people_elsewhere; /* among what is being taken in */
    bool must_end; /* what this run knows can't be trusted any more: begin anew */
    int64_t cleaned_at;
    char boot[33]; /* of this run */
    int64_t known; /* changes up to this one are taken in */
    uint64_t lease_ms;
    struct wa_io *wake;
    struct wa_map seen; /* machines that came or left, not written yet: uuid -> nothing */
    struct {
        WA_VEC(struct wa_node_peer);
    } peers;
};

/* What others are told of. */
enum wa_node_kind {
    WA_NODE_HOST,     /* name: a machine, new or changed */
    WA_NODE_GONE,     /* name: a machine that is no more */
    WA_NODE_PRESENCE, /* name: a machine that has come to another node, or left one */
    WA_NODE_ORDERS,   /* name: a batch that may go out; "": look at all that waits */
    WA_NODE_DIED,     /* name: a node; its machines are nowhere, its orders wait again */
    WA_NODE_ACTION,   /* name: an order of which a machine has told */
    WA_NODE_REVOKED,  /* name: a machine, whose certificates are good no longer */
    WA_NODE_PEOPLE,   /* name: a person, whose rights, sessions or tokens are others now */
    WA_NODE_WATCH,    /* name: a machine of another node, whose queue somebody looks at */
    WA_NODE_QUEUE,    /* name: a machine that has told its queue */
    WA_NODE_KINDS
};

/* Joins the others unless is_alone, before the fleet is read: what an earlier run of this node had
 * is nobody's. */
WA_CHECK enum wa_code wa_node_join(struct wa_store *s, struct wa_err *err);
/* Wakes when others announce something; again after the connection was lost. */
WA_CHECK enum wa_code wa_node_listen(struct wa_store *s, struct wa_err *err);
/* Before a lost connection is opened anew. */
void wa_node_deaf(struct wa_store *s);
/* Each tick of the clock: heartbeat, who is alive, who leads, what others changed. must_end is set
 * where another server uses this node's name, or changes were missed. */
WA_CHECK enum wa_code wa_node_turn(struct wa_store *s, struct wa_err *err);
/* By how much another's clock differs from ours, the most, s; a few seconds say nothing. */
int64_t wa_node_clock_off(const struct wa_store *s);
/* Takes in what others have changed. */
WA_CHECK enum wa_code wa_node_take_in(struct wa_store *s, struct wa_err *err);
/* Whether every node is of this program's version, by their rows: this moment's, in a transaction.
 */
WA_CHECK enum wa_code wa_node_is_one_version(const struct wa_store *s, bool *ret,
                                             struct wa_err *err);
/* Leaves in good order: the others need not wait for the heartbeat to stop. */
void wa_node_leave(struct wa_store *s);
/* Frees what the node holds. */
void wa_node_fini(struct wa_store *s);

/* Whether what is done once for all servers is this one's to do. Two may believe so for a moment:
 * what must not be done twice asks wa_node_check_lead() inside its transaction. */
bool wa_node_leads(const struct wa_store *s);
/* In the caller's transaction: WA_E_CONFLICT unless this node leads until it commits. */
WA_CHECK enum wa_code wa_node_check_lead(struct wa_store *s, struct wa_err *err);
/* In the caller's transaction: tells the others. name: at most 255 bytes. */
WA_CHECK enum wa_code wa_node_tell(struct wa_store *s, enum wa_node_kind kind, struct wa_sv name,
                                   struct wa_err *err);
/* The same in a transaction of its own: what is told was committed before. A failure is logged. */
void wa_node_tell_now(struct wa_store *s, enum wa_node_kind kind, struct wa_sv name);
/* In the caller's transaction, and by who is no node (a command of root's: node ""): where no other
 * server can be, nobody. */
WA_CHECK enum wa_code wa_node_tell_as(struct wa_db *db, const char *node, enum wa_node_kind kind,
                                      struct wa_sv name, struct wa_err *err);
/* A machine has come to this node, or has left it: written with the next few, not at once. */
void wa_node_presence(struct wa_store *s, const char *uuid);
/* Writes them. */
WA_CHECK enum wa_code wa_node_write_presence(struct wa_store *s, struct wa_err *err);
/* Another node has died: its machines are not reachable, its orders may go out. */
void wa_node_died(struct wa_store *s);

#endif

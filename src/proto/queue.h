/* queue.h - a machine's own queue, told to its server while somebody looks at it: two messages of
 * the agent's WebSocket (proto/push.h).
 *
 *   server: {"type":"watch","seconds":60}   the machine tells its queue now, and when it has
 * changed: once a second at most, so long
 *   agent:  {"type":"queue","stopped":false,"left_out":0,"tasks":[{...},...]}   "stopped": by a
 * user, for a while; "left_out": tasks that there was no room for
 *
 * A task: {"id","kind","state","code","message","created_by","created","not_before","started",
 * "finished","progress","packages","waits_for"} as 'wapt-get tasks --json' has them, and
 * "priority", "cancel" (32 hex: by which a signed cancel names it; "": by nothing) and "log" (the
 * end of what it told). What runs comes first, then what waits in its order, then what is done,
 * the newest first.
 *
 * It is for display: nothing that the server says here changes what the machine does, and nothing
 * that the machine says is believed.
 */
#ifndef WA_PROTO_QUEUE_H
#define WA_PROTO_QUEUE_H

#include "codec/json.h"

void wa_queue_watch_write(int64_t seconds, struct wa_buf *out);
WA_CHECK enum wa_code wa_queue_watch_read(const struct wa_json *m, int64_t *ret_seconds,
                                          struct wa_err *err);
/* tasks: a JSON array. */
void wa_queue_write(bool is_stopped, int64_t left_out, struct wa_sv tasks, struct wa_buf *out);
/* What a machine says of its queue, written anew as an object without "type": known members alone,
 * each of its kind; long texts are cut, and what a newer agent says besides is left out.
 * WA_E_INVALID, WA_E_LIMIT. */
WA_CHECK enum wa_code wa_queue_copy(const struct wa_json *m, struct wa_buf *out,
                                    struct wa_err *err);

#endif

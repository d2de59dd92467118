/* push.h - the messages of the agent's WebSocket, GET /agent/v1/push. JSON text frames, one object
 * each:
 *
 *   server: {"type":"challenge","nonce":"<64 hex>","time":s}
 *   agent:  {"type":"hello","hello":{envelope of purpose wapt-hello}}
 *             statement: {"purpose","uuid","nonce":<server's>,"agent_nonce":"<64 hex>",
 *             "channel":"<64 hex tls-exporter>","seq":<number of its last statement>,"time":s}
 *   server: {"type":"welcome"}, or closes with 4401 (unknown or wrong key: register again) or 4403
 *   server: {"type":"order",...} see proto/action.h; {"type":"watch"...} see proto/queue.h
 *   agent:  {"type":"ack","id":"<action id>"}   the order is stored, or refused and that is
 * reported; with "begun":true after it: it is being carried out (for display; may be lost);
 *           {"type":"queue",...} see proto/queue.h
 *
 * seq: one lower than what the server has had is a copy's of the machine, and no machine to order.
 */
#ifndef WA_PROTO_PUSH_H
#define WA_PROTO_PUSH_H

#include "proto/envelope.h"

#define WA_PUSH_CLOSE_REGISTER 4401
#define WA_PUSH_CLOSE_REFUSED 4403

enum wa_push_type {
    WA_PUSH_CHALLENGE,
    WA_PUSH_HELLO,
    WA_PUSH_WELCOME,
    WA_PUSH_ORDER,
    WA_PUSH_ACK,
    WA_PUSH_SAME,
    WA_PUSH_WATCH, /* proto/queue.h */
    WA_PUSH_QUEUE,
    WA_PUSH_OTHER /* of a type that is not known here: of a newer program, or none */
};
/* Parses and names the message; *ret lives in the arena. */
WA_CHECK enum wa_code wa_push_parse(struct wa_sv text, struct wa_arena *arena,
                                    enum wa_push_type *ret_type, const struct wa_json **ret,
                                    struct wa_err *err);
void wa_push_challenge_write(const char nonce[65], int64_t now, struct wa_buf *out);
WA_CHECK enum wa_code wa_push_challenge_read(const struct wa_json *m, char ret_nonce[65],
                                             int64_t *ret_time, struct wa_err *err);
struct wa_hello {
    char uuid[WA_UUID_MAX + 1];
    char nonce[65], agent_nonce[65], channel[65];
    int64_t seq; /* of the last numbered statement that the machine has made; 0: none */
    int64_t time;
};
/* The whole message, signed. */
WA_CHECK enum wa_code wa_push_hello_write(const struct wa_hello *h, const struct wa_key *key,
                                          struct wa_buf *out, struct wa_err *err);
/* Opens; the signature is checked by wa_envelope_check() with the machine's key, nonce and channel
 * by the caller. */
WA_CHECK enum wa_code wa_push_hello_read(const struct wa_json *m, struct wa_arena *arena,
                                         struct wa_hello *ret, struct wa_envelope *ret_envelope,
                                         struct wa_err *err);
void wa_push_welcome_write(struct wa_buf *out);
/* order and relay: JSON texts. */
void wa_push_order_write(struct wa_sv order, struct wa_sv relay, struct wa_buf *out);
void wa_push_ack_write(const char *action_id, bool has_begun, struct wa_buf *out);
WA_CHECK enum wa_code wa_push_ack_read(const struct wa_json *m, char ret_id[33],
                                       bool *ret_has_begun, struct wa_err *err);

/* {"type":"same","sha256":"<64 hex>"}: the machine is as its server knows it, by the sum of the
 * digests that the server said last (proto/report.h). Who says so is known by the connection.
 * Answered by
 * {"type":"same","known":true}, or false: then all of it is reported. */
void wa_push_same_write(const char sha256[65], struct wa_buf *out);
WA_CHECK enum wa_code wa_push_same_read(const struct wa_json *m, char ret_sha256[65],
                                        struct wa_err *err);
void wa_push_known_write(bool is_known, struct wa_buf *out);
WA_CHECK enum wa_code wa_push_known_read(const struct wa_json *m, bool *ret_is_known,
                                         struct wa_err *err);

#endif

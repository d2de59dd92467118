/* push.c - the messages of the agent's WebSocket: form only, trust is judged by whoever receives
 * them. */
#include "proto/push.h"

#include "codec/hex.h"
#include "proto/hostid.h"

enum wa_code wa_push_parse(struct wa_sv text, struct wa_arena *arena, enum wa_push_type *ret_type,
                           const struct wa_json **ret, struct wa_err *err)
{
    static const char *const names[] = {"challenge", "hello", "welcome", "order",
                                        "ack",       "same",  "watch",   "queue"};
    const struct wa_json *j = NULL;
    if (wa_json_parse(text, 0, arena, &j, err) != WA_OK)
        return wa_wrap(err, "reading a push message");
    struct wa_sv type = wa_json_sv(wa_json_get(j, "type"));
    for (size_t i = 0; i < WA_COUNT(names); i++) {
        if (!wa_sv_eqs(type, names[i]))
            continue;
        *ret_type = (enum wa_push_type)i;
        *ret = j;
        return WA_OK;
    }
    if (type.n == 0)
        return wa_fail(err, WA_E_INVALID, "a push message of no type");
    *ret_type = WA_PUSH_OTHER;
    *ret = j;
    return WA_OK;
}

/* 64 lower-case hex digits into out. */
static enum wa_code take_hex64(struct wa_sv s, const char *what, char out[65], struct wa_err *err)
{
    if (!wa_hex_is(s, 64))
        return wa_fail(err, WA_E_INVALID, "'%s' of a push message is not 64 hex digits", what);
    memcpy(out, s.p, 64);
    out[64] = '\0';
    return WA_OK;
}

void wa_push_challenge_write(const char nonce[65], int64_t now, struct wa_buf *out)
{
    struct wa_jw w;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "type", "challenge");
    wa_jw_kv(&w, "nonce", nonce);
    wa_jw_kvi(&w, "time", now);
    wa_jw_end(&w);
}

enum wa_code wa_push_challenge_read(const struct wa_json *m, char ret_nonce[65], int64_t *ret_time,
                                    struct wa_err *err)
{
    struct wa_sv type = {0}, nonce = {0};
    int64_t time = 0;
    const struct wa_json_field fields[] = {
        {"type", WA_WANT_SV, true, 16, &type},
        {"nonce", WA_WANT_SV, true, 64, &nonce},
        {"time", WA_WANT_I64, true, 0, &time},
    };
    if (wa_json_read(m, fields, WA_COUNT(fields), "a challenge", err) != WA_OK)
        return err->code;
    if (take_hex64(nonce, "nonce", ret_nonce, err) != WA_OK)
        return err->code;
    *ret_time = time;
    return WA_OK;
}

enum wa_code wa_push_hello_write(const struct wa_hello *h, const struct wa_key *key,
                                 struct wa_buf *out, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    WA_AUTO_BUF struct wa_buf envelope;
    wa_buf_init(&text, 4096);
    wa_buf_init(&envelope, 32u << 10);
    struct wa_jw w;
    wa_jw_init(&w, &text);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "purpose", "wapt-hello");
    wa_jw_kv(&w, "uuid", h->uuid);
    wa_jw_kv(&w, "nonce", h->nonce);
    wa_jw_kv(&w, "agent_nonce", h->agent_nonce);
    wa_jw_kv(&w, "channel", h->channel);
    wa_jw_kvi(&w, "seq", h->seq);
    wa_jw_kvi(&w, "time", h->time);
    wa_jw_end(&w);
    if (wa_buf_check(&text, err) != WA_OK ||
        wa_envelope_seal(wa_buf_sv(&text), key, &envelope, err) != WA_OK)
        return err->code;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "type", "hello");
    wa_jw_key(&w, "hello");
    wa_jw_raw(&w, wa_buf_sv(&envelope));
    wa_jw_end(&w);
    return wa_buf_check(out, err);
}

enum wa_code wa_push_hello_read(const struct wa_json *m, struct wa_arena *arena,
                                struct wa_hello *ret, struct wa_envelope *ret_envelope,
                                struct wa_err *err)
{
    struct wa_sv type = {0}, purpose = {0}, uuid = {0}, nonce = {0}, agent_nonce = {0},
                 channel = {0};
    const struct wa_json *inner = NULL;
    struct wa_hello h = {0};
    struct wa_envelope e;
    const struct wa_json_field outer[] = {
        {"type", WA_WANT_SV, true, 16, &type},
        {"hello", WA_WANT_OBJECT, true, 0, &inner},
    };
    const struct wa_json_field fields[] = {
        {"purpose", WA_WANT_SV, true, 32, &purpose},
        {"uuid", WA_WANT_SV, true, WA_UUID_MAX, &uuid},
        {"nonce", WA_WANT_SV, true, 64, &nonce},
        {"agent_nonce", WA_WANT_SV, true, 64, &agent_nonce},
        {"channel", WA_WANT_SV, true, 64, &channel},
        {"seq", WA_WANT_I64, true, 0, &h.seq},
        {"time", WA_WANT_I64, true, 0, &h.time},
    };
    if (wa_json_read(m, outer, WA_COUNT(outer), "a hello", err) != WA_OK ||
        wa_envelope_open(inner, "wapt-hello", arena, &e, err) != WA_OK ||
        wa_json_read(e.statement, fields, WA_COUNT(fields), "a hello", err) != WA_OK ||
        take_hex64(nonce, "nonce", h.nonce, err) != WA_OK ||
        take_hex64(agent_nonce, "agent_nonce", h.agent_nonce, err) != WA_OK ||
        take_hex64(channel, "channel", h.channel, err) != WA_OK ||
        wa_hostid_copy(uuid, h.uuid, err) != WA_OK)
        return err->code;
    *ret = h;
    *ret_envelope = e;
    return WA_OK;
}

void wa_push_welcome_write(struct wa_buf *out)
{
    wa_buf_adds(out, "{\"type\":\"welcome\"}");
}

void wa_push_order_write(struct wa_sv order, struct wa_sv relay, struct wa_buf *out)
{
    struct wa_jw w;
    (void)wa_buf_reserve(out, order.n + relay.n + 64); /* what fails shows at the end */
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "type", "order");
    wa_jw_key(&w, "order");
    wa_jw_raw(&w, order);
    wa_jw_key(&w, "relay");
    wa_jw_raw(&w, relay);
    wa_jw_end(&w);
}

void wa_push_ack_write(const char *action_id, bool has_begun, struct wa_buf *out)
{
    struct wa_jw w;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "type", "ack");
    wa_jw_kv(&w, "id", action_id);
    if (has_begun)
        wa_jw_kvb(&w, "begun", true);
    wa_jw_end(&w);
}

enum wa_code wa_push_ack_read(const struct wa_json *m, char ret_id[33], bool *ret_has_begun,
                              struct wa_err *err)
{
    struct wa_sv type = {0}, id = {0};
    bool has_begun = false;
    const struct wa_json_field fields[] = {
        {"type", WA_WANT_SV, true, 16, &type},
        {"id", WA_WANT_SV, true, 32, &id},
        {"begun", WA_WANT_BOOL, false, 0, &has_begun},
    };
    if (wa_json_read(m, fields, WA_COUNT(fields), "an acknowledgement", err) != WA_OK)
        return err->code;
    if (!wa_hex_is(id, 32))
        return wa_fail(err, WA_E_INVALID, "an acknowledgement of no action");
    memcpy(ret_id, id.p, 32);
    ret_id[32] = '\0';
    *ret_has_begun = has_begun;
    return WA_OK;
}

void wa_push_same_write(const char sha256[65], struct wa_buf *out)
{
    struct wa_jw w;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "type", "same");
    wa_jw_kv(&w, "sha256", sha256);
    wa_jw_end(&w);
}

enum wa_code wa_push_same_read(const struct wa_json *m, char ret_sha256[65], struct wa_err *err)
{
    struct wa_sv type = {0}, sum = {0};
    const struct wa_json_field fields[] = {{"type", WA_WANT_SV, true, 16, &type},
                                           {"sha256", WA_WANT_SV, true, 64, &sum}};
    if (wa_json_read(m, fields, WA_COUNT(fields), "an unchanged state", err) != WA_OK)
        return err->code;
    return take_hex64(sum, "sha256", ret_sha256, err);
}

void wa_push_known_write(bool is_known, struct wa_buf *out)
{
    struct wa_jw w;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "type", "same");
    wa_jw_kvb(&w, "known", is_known);
    wa_jw_end(&w);
}

enum wa_code wa_push_known_read(const struct wa_json *m, bool *ret_is_known, struct wa_err *err)
{
    struct wa_sv type = {0};
    const struct wa_json_field fields[] = {{"type", WA_WANT_SV, true, 16, &type},
                                           {"known", WA_WANT_BOOL, true, 0, ret_is_known}};
    return wa_json_read(m, fields, WA_COUNT(fields), "the answer to an unchanged state", err);
}

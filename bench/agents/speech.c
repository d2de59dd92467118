/* speech.c - what simulated machines say and hear: the messages of src/proto, signed with a key of
 * each machine's own. */
#include "shard.h"

#include "base/mem.h"
#include "codec/hex.h"
#include "crypto/cert.h"
#include "crypto/csr.h"
#include "os/clock.h"
#include "os/rand.h"
#include "proto/action.h"
#include "proto/push.h"
#include "proto/report.h"

static enum wa_code make_certificate(struct machine *m, struct wa_buf *pem, struct wa_err *err)
{
    const struct wa_cert_request request = {
        .cn = m->uuid, .path_length = -1, .client_auth = true, .days = 30};
    struct wa_cert *cert = NULL;
    if (wa_key_new_p256(&m->key, err) != WA_OK ||
        wa_cert_issue(&request, m->key, NULL, NULL, &cert, err) != WA_OK)
        return err->code;
    enum wa_code code = wa_cert_write_pem(cert, pem, err);
    wa_cert_free(cert);
    return code;
}

enum wa_code speech_register(struct machine *m, struct wa_buf *body, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf pem;
    WA_AUTO_BUF struct wa_buf facts;
    WA_AUTO_BUF struct wa_buf text;
    WA_AUTO_BUF struct wa_buf csr;
    wa_buf_init(&pem, 16384);
    wa_buf_init(&facts, 16384);
    wa_buf_init(&text, 65536);
    wa_buf_init(&csr, WA_CSR_BYTES_MAX);
    if (make_certificate(m, &pem, err) != WA_OK)
        return err->code;
    if (m->shard->has_certificates && (wa_key_new_p256(&m->tls_key, err) != WA_OK ||
                                       wa_csr_make(m->uuid, m->tls_key, &csr, err) != WA_OK))
        return err->code;
    wa_buf_addf(&facts,
                "{\"computer_name\":\"pc-%s\",\"computer_fqdn\":\"pc-%s.site%u.example.org\","
                "\"os_name\":\"Debian GNU/Linux 12 (bookworm)\"}",
                m->uuid, m->uuid, (unsigned)(m - m->shard->machines) % 40);
    const struct wa_register_msg msg = {.uuid = wa_sv(m->uuid),
                                        .seq = ++m->seq,
                                        .time = wa_clock_now(),
                                        .certificate = wa_buf_sv(&pem),
                                        .csr = wa_buf_sv(&csr),
                                        .cred = WA_CRED_TOKEN,
                                        .token = wa_sv(m->shard->token)};
    if (wa_register_write(&msg, wa_buf_sv(&facts), &text, err) != WA_OK)
        return err->code;
    return wa_envelope_seal(wa_buf_sv(&text), m->key, body, err);
}

enum wa_code speech_register_answer(struct machine *m, struct wa_sv body, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_CERTS struct wa_certs certs = {NULL, 0, 0};
    struct wa_tls_trust trust = m->shard->trust;
    struct wa_register_answer a;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, 1u << 20);
    if (wa_json_parse(body, 0, &arena, &j, err) != WA_OK ||
        wa_register_answer_read(j, &a, err) != WA_OK ||
        wa_certs_read_pem(a.certificate, 4, &certs, err) != WA_OK)
        return err->code;
    trust.own = certs.items[0];
    trust.own_key = m->tls_key;
    m->place = m->shard->place;
    return wa_tls_client_ctx(&trust, &m->place.tls, err);
}

/* A state that is another one each time, as after an update. */
enum wa_code speech_status(struct machine *m, struct wa_buf *body, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf section;
    WA_AUTO_BUF struct wa_buf text;
    const struct wa_json *j = NULL;
    struct wa_section_digests digests = {{""}};
    struct wa_sv sections[WA_SEC_COUNT] = {{NULL, 0}};
    wa_arena_init(&arena, 1u << 20);
    wa_buf_init(&section, 16384);
    wa_buf_init(&text, 65536);
    wa_buf_addf(&section,
                "{\"date\":\"2026-11-26T12:00:00\",\"errors\":[],\"pending\":{\"additional\":[],"
                "\"install\":[],\"remove\":[],\"upgrade\":[\"tis-firefox\",\"tis-%lld\"]},"
                "\"running_tasks\":[],\"upgrades\":[\"tis-firefox\"]}",
                (long long)m->seq);
    if (wa_json_parse(wa_buf_sv(&section), 0, &arena, &j, err) != WA_OK)
        return err->code;
    wa_buf_clear(&text);
    if (wa_section_canonical(j, &text, digests.hex[WA_SEC_LAST_UPDATE_STATUS], err) != WA_OK)
        return err->code;
    wa_buf_clear(&text);
    sections[WA_SEC_LAST_UPDATE_STATUS] = wa_buf_sv(&section);
    if (wa_status_write(wa_sv(m->uuid), ++m->seq, wa_clock_now(), sections, &digests, &text, err) !=
        WA_OK)
        return err->code;
    return wa_envelope_seal(wa_buf_sv(&text), m->key, body, err);
}

enum wa_code speech_status_answer(struct machine *m, struct wa_sv body, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_section_digests have;
    wa_arena_init(&arena, 1u << 20);
    if (wa_json_parse(body, 0, &arena, &j, err) != WA_OK ||
        wa_status_answer_read(j, &have, err) != WA_OK)
        return err->code;
    memcpy(m->former, m->sum, sizeof m->former);
    return wa_section_digests_sum(&have, m->sum, err);
}

static enum wa_code hear_challenge(struct machine *m, const struct wa_json *j,
                                   struct wa_buf *answer, struct wa_err *err)
{
    struct wa_hello h = {.seq = m->seq, .time = wa_clock_now()};
    int64_t theirs = 0;
    uint8_t binding[32];
    if (wa_push_challenge_read(j, h.nonce, &theirs, err) != WA_OK ||
        link_binding(m->push, binding, err) != WA_OK ||
        wa_rand_hex(h.agent_nonce, 32, err) != WA_OK)
        return err->code;
    (void)snprintf(h.uuid, sizeof h.uuid, "%s", m->uuid);
    wa_hex_encode(binding, sizeof binding, h.channel);
    memcpy(m->nonce, h.agent_nonce, sizeof m->nonce);
    return wa_push_hello_write(&h, m->key, answer, err);
}

/* That it is for this machine and this connection; the rest is the agents' to judge. */
static enum wa_code hear_order(struct machine *m, const struct wa_json *j, struct wa_arena *arena,
                               struct wa_buf *answer, struct wa_err *err)
{
    struct wa_action a;
    struct wa_sv action = wa_json_sv(wa_json_get(wa_json_get(j, "order"), "action"));
    struct wa_sv leaf = wa_json_sv(wa_json_get(wa_json_get(j, "relay"), "leaf"));
    if (wa_action_read(action, arena, &a, err) != WA_OK)
        return err->code;
    if (strcmp(a.uuid, m->uuid) != 0 || !wa_sv_has(leaf, wa_sv(m->nonce)))
        return wa_fail(err, WA_E_REFUSED, "an order of another machine or connection");
    if (strcmp(a.id, m->last_order) == 0)
        m->shard->twice++;
    memcpy(m->last_order, a.id, sizeof m->last_order);
    wa_push_ack_write(a.id, false, answer);
    return WA_OK;
}

enum wa_code speech_hear(struct machine *m, struct wa_sv text, struct wa_buf *answer,
                         bool *ret_order, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    enum wa_push_type type;
    bool is_known = false;
    wa_arena_init(&arena, 4u << 20);
    *ret_order = false;
    if (wa_push_parse(text, &arena, &type, &j, err) != WA_OK)
        return err->code;
    switch (type) {
    case WA_PUSH_CHALLENGE:
        return hear_challenge(m, j, answer, err);
    case WA_PUSH_WELCOME:
        m->is_welcome = true;
        return WA_OK;
    case WA_PUSH_ORDER:
        *ret_order = true;
        return hear_order(m, j, &arena, answer, err);
    case WA_PUSH_SAME:
        m->is_asking_same = false;
        if (wa_push_known_read(j, &is_known, err) != WA_OK)
            return err->code;
        m->shard->wrong += !is_known;
        return WA_OK;
    case WA_PUSH_WATCH: /* told by command alone */
        m->shard->watched++;
        return WA_OK;
    case WA_PUSH_HELLO:
    case WA_PUSH_ACK:
    case WA_PUSH_QUEUE:
    case WA_PUSH_OTHER:
        break;
    }
    return wa_fail(err, WA_E_INVALID, "the server spoke as an agent");
}

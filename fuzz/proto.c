/* proto.c - the messages between our programs, as a stranger would send them: envelopes, actions,
 * orders, the push channel, registration and reports, the local socket, enrolment tokens. No reader
 * takes anything as signed here: no key is known.
 *
 * The first byte names the message, the rest is its text.
 */
#include <stdint.h>
#include <stdlib.h>

#include "proto/action.h"
#include "proto/local.h"
#include "proto/login.h"
#include "proto/push.h"
#include "proto/queue.h"
#include "proto/report.h"
#include "proto/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is taken is taken again from what was made of it. */
static enum wa_code read_queue(const struct wa_json *m, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf out;
    wa_buf_init(&out, 2u << 20);
    return wa_queue_copy(m, &out, err);
}

static enum wa_code read_push(struct wa_sv text, struct wa_arena *arena, struct wa_err *err)
{
    enum wa_push_type type;
    const struct wa_json *m = NULL;
    struct wa_hello hello;
    struct wa_envelope e;
    char nonce[65], id[33];
    bool has_begun;
    int64_t time;
    if (wa_push_parse(text, arena, &type, &m, err) != WA_OK)
        return err->code;
    switch (type) {
    case WA_PUSH_CHALLENGE:
        return wa_push_challenge_read(m, nonce, &time, err);
    case WA_PUSH_HELLO:
        return wa_push_hello_read(m, arena, &hello, &e, err);
    case WA_PUSH_ACK:
        return wa_push_ack_read(m, id, &has_begun, err);
    case WA_PUSH_SAME:
        if (wa_json_get(m, "known") != NULL)
            return wa_push_known_read(m, &has_begun, err);
        return wa_push_same_read(m, nonce, err);
    case WA_PUSH_WATCH:
        return wa_queue_watch_read(m, &time, err);
    case WA_PUSH_QUEUE:
        return read_queue(m, err);
    case WA_PUSH_WELCOME:
    case WA_PUSH_ORDER:
    case WA_PUSH_OTHER:
        break;
    }
    return WA_OK;
}

static enum wa_code read_order(const struct wa_json *j, struct wa_arena *arena, struct wa_err *err)
{
    struct wa_order o = {.index = 0};
    enum wa_code code = wa_order_read(j, arena, &o, err);
    if (code == WA_OK) { /* whatever it says, it answers */
        struct wa_err ignored = WA_ERR_INIT;
        if (o.is_rollout != (wa_json_get(j, "rollout") != NULL))
            abort();
        if (wa_order_check_signature(&o, &ignored) != WA_OK)
            wa_err_clear(&ignored);
        wa_order_fini(&o);
    }
    return code;
}

static enum wa_code read_statement(unsigned which, const struct wa_json *j, struct wa_arena *arena,
                                   struct wa_err *err)
{
    struct wa_register_msg registration;
    struct wa_register_answer answer;
    struct wa_status_msg status;
    struct wa_result_msg result;
    struct wa_login_msg login;
    struct wa_login_answer said;
    static const char *const groups[] = {"waptselfservice", "Domain Admins", NULL};
    switch (which) {
    case 0:
        return wa_register_read(j, &registration, err);
    case 1:
        return wa_register_answer_read(j, &answer, err);
    case 2: {
        struct wa_section_digests digests;
        struct wa_err ignored = WA_ERR_INIT;
        if (wa_status_answer_read(j, &digests, &ignored) != WA_OK)
            wa_err_clear(&ignored);
        return wa_status_read(j, &status, err);
    }
    case 3: {
        struct wa_leave_msg leave;
        struct wa_err ignored = WA_ERR_INIT;
        if (wa_leave_read(j, &leave, &ignored) != WA_OK)
            wa_err_clear(&ignored);
        return wa_result_read(j, &result, err);
    }
    case 5:
        return wa_login_read(j, arena, &login, err);
    case 6:
        return wa_login_answer_read(j, groups, &said, err);
    default:
        return read_order(j, arena, err);
    }
}

static enum wa_code read_text(unsigned which, struct wa_sv text, struct wa_arena *arena,
                              struct wa_err *err)
{
    struct wa_envelope e;
    struct wa_action action;
    struct wa_local_request request;
    struct wa_local_answer answer;
    struct wa_token token;
    switch (which) {
    case 0:
        return wa_envelope_parse(text, WA_PURPOSE_REGISTER, arena, &e, err);
    case 1:
        return wa_action_read(text, arena, &action, err);
    case 2:
        return wa_local_request_read(text, arena, &request, err);
    case 3:
        return wa_local_answer_read(text, arena, &answer, err);
    case 4: {
        enum wa_code code = wa_token_parse(text, &token, err);
        if (code == WA_OK && !wa_sv_eqs(text, token.text))
            abort();
        return code;
    }
    default:
        return read_push(text, arena, err);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_err err = WA_ERR_INIT;
    enum wa_code code;
    wa_arena_init(&arena, 64u << 20);
    if (size == 0)
        return 0;
    struct wa_sv text = wa_sv_n(data + 1, size - 1);
    unsigned which = data[0] % 13u;
    if (which < 6) {
        code = read_text(which, text, &arena, &err);
    } else {
        code = wa_json_parse(text, 0, &arena, &j, &err);
        if (code == WA_OK)
            code = read_statement(which - 6, j, &arena, &err);
    }
    if (code != err.code || (code != WA_OK && err.text[0] == '\0'))
        abort();
    return 0;
}

/* store_stamp.c - keeps the repository's timestamp fresh: asks scan what is to be stamped, has the
 * signer stamp it, gives it to scan. One round at a time, and another after it when something has
 * changed meanwhile; a round that fails is told, and tried again soon.
 */
#include "os/clock.h"
#include "server/store_scan.h"

static void end_round(struct wa_store *s, const struct wa_err *err)
{
    s->is_stamping = false;
    s->stamp_failed = err->code != WA_OK;
    if (s->stamp_failed)
        wa_log_err(&s->child.log, WA_LOG_ERROR, "timestamp.failed", err);
    if (s->stamp_again)
        wa_store_stamp(s, true);
}

/* What scan says: its error, or the text it found. */
static enum wa_code read_answer(struct wa_sv payload, struct wa_arena *arena, struct wa_sv *ret,
                                struct wa_err *err)
{
    const struct wa_json *j = NULL;
    if (wa_store_scan_said(payload, arena, &j, err) != WA_OK)
        return err->code;
    *ret = wa_json_sv(wa_json_get(j, "text"));
    return WA_OK;
}

static enum wa_code ask_scan(struct wa_store *s, const char *op, struct wa_sv text,
                             wa_store_reply_fn fn, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf question;
    struct wa_jw w;
    wa_buf_init(&question, 8192);
    wa_jw_init(&w, &question);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "op", op);
    wa_jw_kv(&w, "file", "wapt/timestamp.json");
    wa_jw_kvsv(&w, "text", text);
    wa_jw_end(&w);
    if (wa_buf_check(&question, err) != WA_OK)
        return err->code;
    return wa_store_ask(s, WA_SR_SCAN, wa_buf_sv(&question), fn, NULL, err);
}

static void on_put(struct wa_store *s, void *user, struct wa_sv payload)
{
    WA_AUTO_ARENA struct wa_arena arena;
    struct wa_err err = WA_ERR_INIT;
    struct wa_sv unused;
    WA_UNUSED(user);
    wa_arena_init(&arena, 1u << 20);
    if (read_answer(payload, &arena, &unused, &err) == WA_OK)
        wa_log(&s->child.log, WA_LOG_INFO, "timestamp.renewed", WA_LF_S("file", "timestamp.json"));
    end_round(s, &err);
}

static void on_stamped(struct wa_store *s, void *user, struct wa_sv payload)
{
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(user);
    if (ask_scan(s, "stamp", payload, on_put, &err) != WA_OK)
        end_round(s, &err);
}

static void on_state(struct wa_store *s, void *user, struct wa_sv payload)
{
    WA_AUTO_ARENA struct wa_arena arena;
    struct wa_err err = WA_ERR_INIT;
    struct wa_sv text = {NULL, 0};
    WA_UNUSED(user);
    wa_arena_init(&arena, 1u << 20);
    if (read_answer(payload, &arena, &text, &err) != WA_OK || text.n == 0 ||
        wa_store_ask(s, WA_SR_SIGNER, text, on_stamped, NULL, &err) != WA_OK)
        end_round(s, &err);
}

void wa_store_stamp(struct wa_store *s, bool now)
{
    struct wa_err err = WA_ERR_INIT;
    uint64_t at = wa_clock_mono_ms();
    if (now && s->is_stamping)
        s->stamp_again = true; /* what this round looked at may be old already */
    uint64_t pause = s->stamp_failed ? WA_STAMP_RETRY_MS : WA_STAMP_EVERY_MS;
    if (s->is_stamping || (!now && s->stamped_ms != 0 && at - s->stamped_ms < pause))
        return;
    s->is_stamping = true;
    s->stamp_again = false;
    s->stamped_ms = at;
    if (ask_scan(s, "to-stamp", WA_SV(""), on_state, &err) != WA_OK)
        end_round(s, &err);
}

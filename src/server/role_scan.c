/* role_scan.c - the only process that writes the repository: verifies an upload whole before it
 * appears, keeps the index.
 *
 * It does one thing at a time. Verifying many gigabytes takes minutes, in which it answers what
 * takes no time (how long an upload is, what the repository has, the timestamp) in between, and
 * leaves the rest for later.
 */
#include "base/text.h"
#include "codec/json.h"
#include "os/clock.h"
#include "repo/publish.h"
#include "server/perimeter.h"
#include "server/scan_metadata.h"
#include "server/scan_role.h"

#define CHANNEL_FD 3
#define WAITING_MAX 256u

enum wa_code wa_scan_path(const char *folder, const char *name, struct wa_relpath *ret,
                          struct wa_err *err)
{
    char text[WA_RELPATH_MAX + 1];
    int n = snprintf(text, sizeof text, "%s%s", folder, name);
    return n > 0 && (size_t)n < sizeof text
               ? wa_relpath_parse(wa_sv(text), ret, err)
               : wa_fail(err, WA_E_LIMIT, "the name of a file is too long");
}

/* --- documents --- */

/* One that was uploaded; its file goes in any case. */
static enum wa_code take_document(struct wa_scan_role *s, const struct wa_scan_question *q,
                                  const struct wa_relpath *part, struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir wapt = WA_DIR_INIT;
    WA_AUTO_BUF struct wa_buf json;
    struct wa_err left = WA_ERR_INIT;
    bool is_root = wa_sv_eqs(q->op, "root");
    size_t max = is_root ? WA_ROOT_BYTES_MAX : WA_PUBLISHED_BYTES_MAX;
    wa_buf_init(&json, max);
    enum wa_code code = wa_file_read(&s->repo, part, max, &json, err);
    if (code == WA_OK)
        code = wa_dir_open(s->wapt, &wapt, err);
    if (code == WA_OK)
        code = is_root ? wa_scan_take_root(&wapt, wa_buf_sv(&json), wa_clock_now(), err)
                       : wa_scan_take_published(&wapt, wa_buf_sv(&json), wa_clock_now(), err);
    if (wa_tree_remove(&s->repo, part, &left) != WA_OK)
        wa_log_err(&s->child.log, WA_LOG_WARNING, "upload.left", &left);
    return code == WA_OK ? wa_scan_index(s, NULL, err) : code; /* for the next proposal */
}

static enum wa_code stamp(const struct wa_scan_role *s, const struct wa_scan_question *q,
                          struct wa_buf *text, struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir wapt = WA_DIR_INIT;
    if (wa_dir_open(s->wapt, &wapt, err) != WA_OK)
        return err->code;
    return wa_sv_eqs(q->op, "to-stamp")
               ? wa_scan_to_stamp(&wapt, wa_clock_now(), text, err)
               : wa_scan_take_timestamp(&wapt, q->text, wa_clock_now(), err);
}

/* --- questions --- */

static enum wa_code read_question(struct wa_sv text, struct wa_arena *arena,
                                  struct wa_scan_question *q, struct wa_err *err)
{
    const struct wa_json *j = NULL;
    const struct wa_json_field fields[] = {{"op", WA_WANT_SV, true, 16, &q->op},
                                           {"file", WA_WANT_SV, false, WA_RELPATH_MAX, &q->file},
                                           {"name", WA_WANT_SV, false, WA_NAME_MAX, &q->name},
                                           {"sha256", WA_WANT_SV, false, 64, &q->sha256},
                                           {"text", WA_WANT_SV, false, 65536, &q->text},
                                           {"replaces", WA_WANT_SV, false, 64, &q->replaces},
                                           {"perimeter", WA_WANT_SV, false, 0, &q->perimeter},
                                           {"size", WA_WANT_I64, false, 0, &q->size},
                                           {"reserved", WA_WANT_I64, false, 0, &q->reserved},
                                           {"rights", WA_WANT_I64, false, 0, &q->rights}};
    if (wa_json_parse(text, 0, arena, &j, err) != WA_OK)
        return err->code;
    return wa_json_read(j, fields, WA_COUNT(fields), "a question", err);
}

/* It writes neither packages nor their index, and takes no time. */
static bool is_quick(const struct wa_scan_question *q)
{
    static const char *const ops[] = {"part", "drop", "to-stamp", "stamp", "list"};
    for (size_t i = 0; i < WA_COUNT(ops); i++)
        if (wa_sv_eqs(q->op, ops[i]))
            return true;
    return false;
}

static enum wa_code carry_out(struct wa_scan_role *s, const struct wa_scan_question *q,
                              struct wa_scan_found *found, struct wa_err *err)
{
    struct wa_relpath path;
    if (wa_sv_eqs(q->op, "to-stamp") || wa_sv_eqs(q->op, "stamp"))
        return stamp(s, q, &found->text, err);
    if (wa_sv_eqs(q->op, "sweep"))
        return wa_scan_sweep(s, q->size, err);
    if (wa_sv_eqs(q->op, "part"))
        return wa_scan_part(s, q, &found->bytes, err);
    if (wa_sv_eqs(q->op, "list"))
        return wa_catalogue_list(&s->catalogue, &s->repo, q->text, &found->list, err);
    if (wa_relpath_parse(q->file, &path, err) != WA_OK)
        return err->code;
    if (wa_sv_eqs(q->op, "drop"))
        return wa_tree_remove(&s->repo, &path, err);
    if (wa_sv_eqs(q->op, "delete"))
        return wa_scan_delete(s, &path, err);
    if (wa_sv_eqs(q->op, "accept") || wa_sv_eqs(q->op, "accept-host"))
        return wa_scan_accept(s, q, &found->text, err);
    if (wa_sv_eqs(q->op, "root") || wa_sv_eqs(q->op, "published"))
        return take_document(s, q, &path, err);
    return wa_fail(err, WA_E_INTERNAL, "the store asks for '%.*s'", WA_SV_ARG(q->op));
}

static enum wa_code send(struct wa_scan_role *s, uint32_t id, const struct wa_scan_found *found,
                         const struct wa_err *why, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf out;
    struct wa_jw w;
    wa_buf_init(&out, WA_IPC_MESSAGE_MAX);
    wa_jw_init(&w, &out);
    wa_jw_obj(&w);
    wa_jw_err(&w, why);
    wa_jw_kv(&w, "file", found->file);
    wa_jw_kvi(&w, "bytes", found->bytes);
    wa_jw_kvsv(&w, "text", wa_buf_sv(&found->text));
    if (found->list.n > 0) {
        wa_jw_key(&w, "list");
        wa_jw_raw(&w, wa_buf_sv(&found->list));
    }
    wa_jw_end(&w);
    if (wa_buf_check(&out, err) != WA_OK)
        return err->code;
    return wa_chan_send(s->chan, WA_S_SCANNED, id, wa_buf_sv(&out), -1, err);
}

static enum wa_code answer(struct wa_scan_role *s, uint32_t id, const struct wa_scan_question *q,
                           struct wa_err *err)
{
    struct wa_scan_found found = {.bytes = 0};
    struct wa_err why = WA_ERR_INIT;
    wa_buf_init(&found.text, WA_MEMBERSHIPS_BYTES_MAX);
    wa_buf_init(&found.list, WA_IPC_MESSAGE_MAX - 65536);
    if (carry_out(s, q, &found, &why) != WA_OK)
        wa_log_err(&s->child.log, WA_LOG_WARNING, "upload.refused", &why);
    enum wa_code code = send(s, id, &found, &why, err);
    wa_buf_fini(&found.text);
    wa_buf_fini(&found.list);
    return code;
}

/* In the middle of something: what is quick is answered, the rest waits. */
static enum wa_code hear_aside(struct wa_scan_role *s, const struct wa_chan_msg *msg,
                               struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    struct wa_scan_question q = {.op = {NULL, 0}};
    wa_arena_init(&arena, 1u << 20);
    if (read_question(msg->payload, &arena, &q, err) != WA_OK)
        return err->code;
    if (is_quick(&q)) {
        const struct wa_language *was = wa_text_speak(msg->language);
        enum wa_code code = answer(s, msg->id, &q, err);
        (void)wa_text_speak(was);
        return code;
    }
    struct wa_scan_waiting *slot = s->waiting.n < WAITING_MAX ? WA_VEC_PUSH(&s->waiting) : NULL;
    if (slot == NULL) {
        const struct wa_scan_found none = {.bytes = 0};
        struct wa_err busy = WA_ERR_INIT;
        (void)wa_fail(&busy, WA_E_BUSY, "too many wait to be published: try again later");
        return send(s, msg->id, &none, &busy, err);
    }
    slot->id = msg->id;
    slot->language = msg->language;
    wa_buf_init(&slot->text, WA_SCAN_QUESTION_MAX);
    wa_buf_addsv(&slot->text, msg->payload);
    return wa_buf_check(&slot->text, err);
}

bool wa_scan_breathe(void *user, uint64_t done, uint64_t total)
{
    struct wa_scan_role *s = user;
    WA_UNUSED(done);
    WA_UNUSED(total);
    while (!s->is_over) {
        struct wa_chan_msg msg;
        struct wa_err err = WA_ERR_INIT;
        enum wa_code code = wa_chan_recv(s->chan, 0, &msg, &err);
        if (code == WA_E_TIMEOUT)
            return true;
        if (code == WA_OK && hear_aside(s, &msg, &err) == WA_OK)
            continue;
        s->is_over = true;
        s->is_starved = err.code == WA_E_NOMEM;
        if (code != WA_E_NOT_FOUND) /* the store has ended: so do we */
            wa_log_err(&s->child.log, WA_LOG_ERROR, "channel.failed", &err);
    }
    return false;
}

static enum wa_code work(struct wa_scan_role *s, uint32_t id, struct wa_sv text, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf own; /* the channel's is gone with the next receive */
    struct wa_scan_question q = {.op = {NULL, 0}};
    wa_buf_init(&own, WA_SCAN_QUESTION_MAX);
    wa_buf_addsv(&own, text);
    wa_arena_init(&arena, 1u << 20);
    if (wa_buf_check(&own, err) != WA_OK ||
        read_question(wa_buf_sv(&own), &arena, &q, err) != WA_OK)
        return err->code;
    return answer(s, id, &q, err);
}

static enum wa_code serve(struct wa_scan_role *s, struct wa_err *err)
{
    while (!s->is_over) {
        struct wa_chan_msg msg;
        if (s->waiting.n > 0) {
            struct wa_scan_waiting first = s->waiting.items[0];
            memmove(s->waiting.items, s->waiting.items + 1,
                    --s->waiting.n * sizeof s->waiting.items[0]);
            (void)wa_text_speak(first.language);
            enum wa_code code = work(s, first.id, wa_buf_sv(&first.text), err);
            wa_buf_fini(&first.text);
            if (code != WA_OK)
                return code;
            continue;
        }
        enum wa_code code = wa_chan_hear(s->chan, -1, &msg, err);
        if (code == WA_E_NOT_FOUND) {
            wa_err_clear(err);
            return WA_OK; /* the store has ended: so do we */
        }
        if (code != WA_OK || work(s, msg.id, msg.payload, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

/* --- start --- */

static void tidy(struct wa_scan_role *s)
{
    struct wa_err err = WA_ERR_INIT;
    if (wa_scan_tidy(s, &err) != WA_OK || wa_scan_index(s, NULL, &err) != WA_OK)
        wa_log_err(&s->child.log, WA_LOG_WARNING, "repository.not_tidy", &err);
}

static enum wa_code run(struct wa_scan_role *s, const char *config_file, struct wa_err *err)
{
    if (wa_server_child_init(&s->child, WA_SR_SCAN, config_file, err) != WA_OK ||
        wa_server_path(&s->child.config, "repo", s->path, err) != WA_OK ||
        wa_server_path(&s->child.config, "repo/wapt", s->wapt, err) != WA_OK ||
        wa_server_path(&s->child.config, s->child.config.trusted_signers, s->trusted, err) !=
            WA_OK ||
        wa_dir_open(s->path, &s->repo, err) != WA_OK)
        return err->code;
    const char *const reads[] = {s->trusted,
                                 NULL}; /* who is trusted is not for who reads packages */
    const char *const writes[] = {s->path, NULL};
    if (wa_server_child_confine(&s->child, WA_SR_SCAN,
                                WA_PRIV_FDS | WA_PRIV_FS_READ | WA_PRIV_FS_WRITE, reads, writes,
                                err) != WA_OK ||
        wa_chan_new(CHANNEL_FD, wa_server_rules(WA_SR_STORE, WA_SR_SCAN), &s->chan, err) != WA_OK)
        return err->code;
    tidy(s);
    wa_server_child_ready();
    return serve(s, err);
}

int wa_server_scan(const char *config_file)
{
    struct wa_scan_role s = {.repo = WA_DIR_INIT};
    struct wa_err err = WA_ERR_INIT;
    enum wa_code code = run(&s, config_file, &err);
    wa_chan_free(s.chan);
    for (size_t i = 0; i < s.waiting.n; i++)
        wa_buf_fini(&s.waiting.items[i].text);
    WA_VEC_FREE(&s.waiting);
    wa_catalogue_fini(&s.catalogue);
    wa_dir_close(&s.repo);
    return wa_server_child_end(&s.child, code, &err);
}

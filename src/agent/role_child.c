/* role_child.c - the first and the last moments of a child process.
 *
 * A child is started by the launcher with descriptor 3 as its only way out. Before it reads a byte
 * from there it gives up what it does not need; when that fails it ends. It trusts nothing in its
 * environment and opens no file of ours.
 */
#include "agent/role_priv.h"

uint64_t wa_role_memory_limit(uint64_t bytes)
{
#if defined(__SANITIZE_ADDRESS__)
    WA_UNUSED(bytes);
    return 0;
#else
    return bytes;
#endif
}

/* The launcher gives the environment in full; wapt-get's children talk only of what goes wrong. */
static enum wa_log_level log_level(void)
{
    enum wa_log_level level = WA_LOG_INFO;
    const char *name = getenv(WA_ROLE_LOG_ENV);
    return name != NULL && wa_log_level_parse(name, &level) ? level : WA_LOG_INFO;
}

enum wa_code wa_role_child_begin(struct wa_role_child *c, enum wa_role role, struct wa_priv *p,
                                 struct wa_err *err)
{
    char name[32], line[WA_PRIV_LINE_MAX];
    (void)snprintf(name, sizeof name, "waptservice/%s", wa_role_name(role));
    wa_log_init(&c->log, 2, log_level(), name);
    c->chan = NULL;
    if (role != WA_ROLE_AUTH && role != WA_ROLE_DESCRIBE && wa_priv_is_root()) {
        return wa_fail(err, WA_E_DENIED,
                       "cannot run as %s: root was not given up; only the launcher starts this",
                       wa_role_name(role));
    }
    if (wa_chan_new(WA_ROLE_CHANNEL_FD, wa_role_rules(WA_ROLE_MANAGER, role), &c->chan, err) !=
        WA_OK) {
        return wa_wrap(err, "opening the channel to the manager");
    }
    p->name = name;
    p->no_core = true;
    if (wa_priv_drop(p, line, err) != WA_OK) {
        return wa_wrap(err, "giving up privileges");
    }
    wa_log(&c->log, WA_LOG_INFO, "role.confined", WA_LF_S("left", line));
    return WA_OK;
}

int wa_role_child_end(struct wa_role_child *c, enum wa_code code, const struct wa_err *err)
{
    if (code != WA_OK) {
        wa_log_err(&c->log, WA_LOG_ERROR, "role.failed", err);
    }
    wa_chan_free(c->chan);
    c->chan = NULL;
    return wa_code_exit(code);
}

static enum wa_code answer(struct wa_role_child *c, wa_role_work_fn work, uint16_t type, size_t max,
                           struct wa_err *err)
{
    struct wa_chan_msg msg;
    struct wa_err failed = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf out;
    wa_buf_init(&out, max);
    if (wa_chan_hear(c->chan, WA_ROLE_FIRST_WORD_MS, &msg, err) != WA_OK) {
        if (err->code == WA_E_NOT_FOUND) /* the manager changed its mind */
            wa_err_clear(err);
        return err->code;
    }
    if (work(msg.payload, &out, &failed) != WA_OK) {
        wa_log_err(&c->log, WA_LOG_WARNING, "role.refused", &failed);
        wa_buf_clear(&out);
        wa_role_error_write(&failed, &out);
    }
    return wa_chan_send(c->chan, type, msg.id, wa_buf_sv(&out), -1, err);
}

int wa_role_answer_one(enum wa_role role, struct wa_priv *p, wa_role_work_fn work, uint16_t type,
                       size_t max)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_role_child c;
    enum wa_code code = wa_role_child_begin(&c, role, p, &err);
    if (code == WA_OK)
        code = answer(&c, work, type, max, &err);
    return wa_role_child_end(&c, code, &err);
}

void wa_role_error_write(const struct wa_err *e, struct wa_buf *out)
{
    struct wa_jw w;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "code", wa_code_name(e->code == WA_OK ? WA_E_INTERNAL : e->code));
    wa_jw_kv(&w, "message", e->text);
    wa_jw_end(&w);
}

enum wa_code wa_role_error_read(struct wa_sv json, struct wa_err *err)
{
    struct wa_arena WA_AUTO_ARENA arena;
    wa_arena_init(&arena, 4 * WA_ROLE_NOTE_MAX);
    const struct wa_json *j = NULL;
    struct wa_sv code = {0}, message = {0};
    const struct wa_json_field fields[] = {
        {"code", WA_WANT_SV, true, 32, &code},
        {"message", WA_WANT_SV, true, WA_ERR_TEXT_MAX, &message},
    };
    enum wa_code r = wa_json_parse(json, 0, &arena, &j, err);
    if (r == WA_OK) {
        r = wa_json_read(j, fields, WA_COUNT(fields), "an error", err);
    }
    if (r == WA_E_NOMEM) {
        return r;
    }
    if (r != WA_OK) {
        return wa_fail(err, WA_E_REFUSED, "a helper process reported an error in a wrong form");
    }
    enum wa_code told = wa_code_from_name(code);
    if (told == WA_OK || told == WA_E_AGAIN ||
        message.n == 0) { /* no error, or none that says what */
        return wa_fail(err, WA_E_REFUSED, "a helper process reported an error that is none");
    }
    return wa_fail(err, told, "%.*s", WA_SV_ARG(message));
}

bool wa_role_copy(struct wa_sv s, char *out, size_t n)
{
    if (s.n >= n || (s.n > 0 && memchr(s.p, 0, s.n) != NULL)) {
        return false;
    }
    if (s.n > 0) {
        memcpy(out, s.p, s.n);
    }
    out[s.n] = '\0';
    return true;
}

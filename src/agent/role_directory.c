/* role_directory.c - the process that asks a directory one question: is this the user's password,
 * and in which groups is the user.
 *
 * It is apart from auth, which PAM makes root: what a directory, or whoever stands in its place,
 * answers is read here, by a process that has an unprivileged account, no file of ours, no other
 * process, and the one password that it was given. It decides nothing.
 */
#include "agent/auth_question.h"
#include "agent/helpers.h"
#include "agent/role_priv.h"
#include "base/mem.h"

#define MEMORY_MAX (1ull << 30) /* bytes: of address space */

static enum wa_code find_answer(struct wa_auth_question *q, struct wa_buf *out, struct wa_err *err)
{
    const char *groups[WA_AUTH_GROUPS_MAX + 1] = {NULL};
    struct wa_ldap_answer a;
    if (!q->has_directory || !q->has_password)
        return wa_fail(err, WA_E_INVALID, "a question without a directory or a password");
    for (size_t i = 0; i < q->group_count; i++)
        groups[i] = q->groups[i];
    const struct wa_ldap_where where = {
        .servers = q->servers, .base = q->base, .is_ldaps = q->is_ldaps, .trust = &q->trust};
    const struct wa_ldap_question what = {
        .user = q->user, .password = wa_sv(q->password), .groups = groups};
    if (wa_ldap_login(&where, &what, &a, err) != WA_OK)
        return err->code;
    wa_auth_answer_write(q, a.is_right, a.in_group, a.reason, out);
    return WA_OK;
}

static enum wa_code serve(struct wa_role_child *c, struct wa_err *err)
{
    struct wa_chan_msg msg;
    struct wa_auth_question q = {.user = ""};
    struct wa_err failed = WA_ERR_INIT;
    struct wa_arena WA_AUTO_ARENA arena;
    struct wa_buf WA_AUTO_BUF out;
    wa_arena_init(&arena, 16 * WA_ROLE_JSON_MAX);
    wa_buf_init(&out, WA_ROLE_AUTH_MAX);
    enum wa_code code = wa_chan_hear(c->chan, (int)WA_AUTH_TIMEOUT_MS, &msg, err);
    if (code != WA_OK)
        return code == WA_E_NOT_FOUND ? WA_OK : code; /* the manager changed its mind */
    code = wa_auth_question_read(msg.payload, &arena, &q, &failed);
    if (code == WA_OK)
        code = find_answer(&q, &out, &failed);
    if (code != WA_OK) {
        wa_log_err(&c->log, WA_LOG_WARNING, "directory.failed", &failed);
        wa_role_error_write(&failed, &out);
    }
    wa_wipe(q.password, sizeof q.password);
    if (wa_buf_check(&out, err) != WA_OK)
        return err->code;
    return wa_chan_send(c->chan, WA_M_AUTH_ANSWER, msg.id, wa_buf_sv(&out), -1, err);
}

int wa_role_directory(void)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_role_child c;
    struct wa_priv priv = {
        .allow = WA_PRIV_NET | WA_PRIV_FDS,
        .read_paths = wa_priv_net_paths(),
        .limit_memory_bytes = wa_role_memory_limit(MEMORY_MAX),
        .limit_files = 64,
    };
    enum wa_code code = wa_role_child_begin(&c, WA_ROLE_DIRECTORY, &priv, &err);
    if (code == WA_OK)
        code = serve(&c, &err);
    return wa_role_child_end(&c, code, &err);
}

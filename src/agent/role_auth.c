/* role_auth.c - the process that answers one question: is this the user's password, and in which
 * groups is the user.
 *
 * It is apart because PAM and the name service block and load code that is not ours, and because
 * PAM reads the shadow file: this is the one child that keeps root. What it loses all the same: the
 * manager's files (landlock, where the kernel has it), most capabilities, new privileges by exec,
 * and its life after one answer. It keeps sockets: PAM tells the kernel's audit of each log-in and
 * takes a refusal there for a failure, and modules ask sssd, winbind or a directory. It decides
 * nothing: rights are the manager's business.
 */
#include "agent/auth_pam.h"
#include "agent/auth_question.h"
#include "agent/helpers.h"
#include "agent/role_priv.h"
#include "base/mem.h"
#include "os/local.h"

/* What failed is not an answer "no": the whole answer is then an error in "reason" with password_ok
 * false and no groups. */
static enum wa_code find_answer(const struct wa_auth_question *q, bool *ret_ok,
                                bool ret_in[WA_AUTH_GROUPS_MAX], char ret_reason[WA_PAM_REASON_MAX],
                                struct wa_err *err)
{
    bool is_ok = false, is_in[WA_AUTH_GROUPS_MAX] = {false};
    char reason[WA_PAM_REASON_MAX] = "";
    const char *names[WA_AUTH_GROUPS_MAX];
    for (size_t i = 0; i < q->group_count; i++) {
        names[i] = q->groups[i];
    }
    enum wa_code in = wa_user_in_groups(q->user, names, q->group_count, is_in, err);
    if (in == WA_E_NOT_FOUND) { /* no such user: then in no group */
        wa_err_clear(err);
    } else if (in != WA_OK) {
        return in;
    }
    if (q->has_password) {
        enum wa_code code = wa_pam_check(q->user, q->password, &is_ok, reason, err);
        if (code != WA_OK) {
            return code;
        }
    }
    *ret_ok = is_ok;
    memcpy(ret_in, is_in, sizeof is_in);
    memcpy(ret_reason, reason, sizeof reason);
    return WA_OK;
}

static enum wa_code serve(struct wa_role_child *c, struct wa_err *err)
{
    struct wa_chan_msg msg;
    struct wa_auth_question q = {.user = ""};
    bool is_ok = false, in[WA_AUTH_GROUPS_MAX] = {false};
    char reason[WA_PAM_REASON_MAX] = "";
    enum wa_code code = wa_chan_hear(c->chan, (int)WA_AUTH_TIMEOUT_MS, &msg, err);
    if (code != WA_OK) {
        return code == WA_E_NOT_FOUND ? WA_OK : code; /* the manager changed its mind */
    }
    struct wa_arena WA_AUTO_ARENA arena;
    struct wa_buf WA_AUTO_BUF out;
    wa_arena_init(&arena, 16 * WA_ROLE_AUTH_MAX);
    wa_buf_init(&out, WA_ROLE_AUTH_MAX);
    struct wa_err failed = WA_ERR_INIT;
    code = wa_auth_question_read(msg.payload, &arena, &q, &failed);
    if (code == WA_OK) {
        code = find_answer(&q, &is_ok, in, reason, &failed);
    }
    if (code == WA_OK) {
        wa_auth_answer_write(&q, is_ok, in, reason, &out);
    } else {
        wa_log_err(&c->log, WA_LOG_WARNING, "auth.failed", &failed);
        wa_role_error_write(&failed, &out);
    }
    wa_wipe(q.password, sizeof q.password);
    code = wa_buf_check(&out, err);
    return code != WA_OK
               ? code
               : wa_chan_send(c->chan, WA_M_AUTH_ANSWER, msg.id, wa_buf_sv(&out), -1, err);
}

int wa_role_auth(void)
{
    /* PAM's modules and the name service: their configuration, libraries, account databases;
     * sockets of sssd, winbind and the journal. pam_faillock counts failures in /run/faillock. Not
     * the base directory, where the machine's key lies. */
    static const char *const readable[] = {
        "/etc", "/usr",  "/lib", "/lib64",   "/bin",         "/sbin",
        "/run", "/proc", "/dev", "/var/run", "/var/lib/sss", "/var/lib/extrausers",
        NULL,
    };
    static const char *const writable[] = {"/run/faillock", "/dev/null", NULL};
    struct wa_err err = WA_ERR_INIT;
    struct wa_role_child c;
    struct wa_priv priv = {
        .allow = WA_PRIV_FS_READ | WA_PRIV_FS_WRITE | WA_PRIV_NET | WA_PRIV_LOCAL | WA_PRIV_FDS |
                 WA_PRIV_THREADS | WA_PRIV_SPAWN | WA_PRIV_IDS,
        .read_paths = readable,
        .write_paths = writable,
        .limit_files = 64,
    };
    enum wa_code code = wa_role_child_begin(&c, WA_ROLE_AUTH, &priv, &err);
    if (code == WA_OK) {
        code = serve(&c, &err);
    }
    return wa_role_child_end(&c, code, &err);
}

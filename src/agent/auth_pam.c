/* auth_pam.c - PAM, for the auth process alone: it blocks, loads modules that are not ours and
 * needs root.
 *
 * Only authentication and account management are asked, never a session: nothing is opened for the
 * user. The conversation answers what asks for something hidden with the password and nothing else,
 * at most a few times, so that a module that asks again and again ends. Empty passwords are refused
 * here and by PAM_DISALLOW_NULL_AUTHTOK.
 */
#include "agent/auth_pam.h"

#include <security/pam_appl.h>

#include "base/mem.h"
#include "os/fs.h"

/* "wapt" is ours, installed beside the agent. A machine without it asks for the same as before an
 * administrator's command, then as at the console. */
static const char *const services[] = {"wapt", "sudo", "login"};
static const char *const service_dirs[] = {"/etc/pam.d", "/usr/lib/pam.d"};

#define PROMPTS_MAX                                                                                \
    4 /* questions of one exchange: a password is one, a banner may come before it */

struct talk {
    const char *password;
    unsigned asked;
};

/* Frees the first n answers, wiped. */
static void answers_free(struct pam_response *answers, int n)
{
    for (int i = 0; i < n; i++) {
        wa_free_secret(answers[i].resp);
    }
    wa_free(answers);
}

static int converse(int n, const struct pam_message **messages, struct pam_response **ret,
                    void *user)
{
    struct talk *t = user;
    if (n <= 0 || n > PAM_MAX_NUM_MSG) {
        return PAM_CONV_ERR;
    }
    struct pam_response *answers = wa_calloc((size_t)n, sizeof *answers);
    if (answers == NULL) {
        return PAM_BUF_ERR;
    }
    for (int i = 0; i < n; i++) {
        int style = messages[i]->msg_style;
        if (style == PAM_ERROR_MSG || style == PAM_TEXT_INFO) {
            continue;
        }
        if (style == PAM_PROMPT_ECHO_OFF && t->asked++ < PROMPTS_MAX) {
            answers[i].resp = wa_strdup(t->password);
        }
        if (answers[i].resp == NULL) {
            answers_free(answers, i);
            return PAM_CONV_ERR;
        }
    }
    *ret = answers;
    return PAM_SUCCESS;
}

const char *wa_pam_service(void)
{
    for (size_t s = 0; s < WA_COUNT(services); s++) {
        for (size_t d = 0; d < WA_COUNT(service_dirs); d++) {
            char path[64];
            struct wa_stat st;
            struct wa_err ignored = WA_ERR_INIT;
            (void)snprintf(path, sizeof path, "%s/%s", service_dirs[d], services[s]);
            if (wa_path_stat(path, &st, &ignored) == WA_OK) {
                return services[s];
            }
        }
    }
    return NULL;
}

static enum wa_code judge(pam_handle_t *pam, int status, bool *ret_ok,
                          char ret_reason[WA_PAM_REASON_MAX], struct wa_err *err)
{
    switch (status) {
    case PAM_SUCCESS:
        *ret_ok = true;
        ret_reason[0] = '\0';
        return WA_OK;
    case PAM_BUF_ERR:
        return wa_nomem(err);
    case PAM_ABORT:
    case PAM_SYSTEM_ERR:
    case PAM_SERVICE_ERR:
    case PAM_OPEN_ERR:
    case PAM_SYMBOL_ERR:
    case PAM_AUTHINFO_UNAVAIL:
        return wa_fail(err, WA_E_FAILED,
                       "cannot check a password: PAM answered '%s'; see the system's log",
                       pam_strerror(pam, status));
    default:
        *ret_ok = false;
        (void)snprintf(ret_reason, WA_PAM_REASON_MAX, "%s", pam_strerror(pam, status));
        return WA_OK;
    }
}

enum wa_code wa_pam_check(const char *user, const char *password, bool *ret_ok,
                          char ret_reason[WA_PAM_REASON_MAX], struct wa_err *err)
{
    if (user[0] == '\0' || password[0] == '\0') {
        *ret_ok = false;
        (void)snprintf(ret_reason, WA_PAM_REASON_MAX, "an empty user or password is refused");
        return WA_OK;
    }
    const char *service = wa_pam_service();
    if (service == NULL) {
        return wa_fail(err, WA_E_CONFIG,
                       "cannot check a password: no PAM service 'wapt', 'sudo' or 'login' in "
                       "/etc/pam.d; install the file 'wapt' that comes with the agent");
    }
    struct talk talk = {password, 0};
    struct pam_conv conv = {converse, &talk};
    pam_handle_t *pam = NULL;
    int status = pam_start(service, user, &conv, &pam);
    if (status != PAM_SUCCESS) {
        return status == PAM_BUF_ERR
                   ? wa_nomem(err)
                   : wa_fail(err, WA_E_FAILED, "cannot start PAM for service '%s'", service);
    }
    status = pam_authenticate(pam, PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK);
    if (status == PAM_SUCCESS) {
        status = pam_acct_mgmt(pam, PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK);
    }
    enum wa_code code = judge(pam, status, ret_ok, ret_reason, err);
    (void)pam_end(pam, status);
    return code;
}

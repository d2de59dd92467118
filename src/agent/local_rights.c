/* local_rights.c - who may do what over the local interface (F1E), and why; each decision is
 * logged.
 *
 * Root may do everything. An identity without an account may do nothing. What F1E leaves free is
 * free for everybody else. The rest needs a right - administrator, or for what they list the rules
 * of self-service packages - asked anew each time, and a password that was typed in the same
 * session shortly before or is asked for now.
 */
#include "agent/auth_ask.h"
#include "agent/local_priv.h"

#include "base/text.h"
#include "os/clock.h"

void wa_rights_log(const struct wa_client *c, bool granted, const char *why)
{
    char package[WA_NAME_MAX + 1] = ""; /* the first of them */
    if (c->request.package_count > 0)
        (void)snprintf(package, sizeof package, "%.*s", WA_SV_ARG(c->request.packages[0]));
    wa_log(&c->local->m->log, granted ? WA_LOG_INFO : WA_LOG_WARNING,
           granted ? "local.granted" : "local.denied",
           WA_LF_S("operation", wa_local_op_name(c->request.op)), WA_LF_S("package", package),
           WA_LF_I("uid", c->peer.uid), WA_LF_S("user", c->peer.user), WA_LF_I("pid", c->peer.pid),
           WA_LF_S("why", why));
}

static void deny(struct wa_client *c, enum wa_code code, const char *why, const char *text)
{
    wa_rights_log(c, false, why);
    (void)wa_client_finish(c, code, text, WA_SV(""));
}

/* What a person may do who is no administrator is done as it stands: nothing that reaches scripts
 * goes with it. */
static void limit(struct wa_client *c)
{
    c->request.force = false;
    c->request.params = (struct wa_sv){NULL, 0};
    c->request.limited = wa_local_op_right(c->request.op) == WA_RIGHT_RULES_PASSWORD;
}

static void grant(struct wa_client *c, const char *why)
{
    wa_rights_log(c, true, why);
    wa_client_carry_out(c);
}

/* --- what is asked of the rules --- */

/* The section of an installed package: what is hidden from users they can't remove either. */
static enum wa_code section_of(struct wa_client *c, const char *package, char *ret, size_t size,
                               struct wa_err *err)
{
    WA_AUTO_INSTALLED struct wa_installed_list l = {NULL, 0, 0};
    if (wa_installed_load(c->local->m->db, package, &l, err) != WA_OK)
        return err->code;
    (void)snprintf(ret, size, "%s",
                   l.n > 0 ? wa_control_get(&l.items[0].base.control, WA_A_SECTION) : "base");
    return WA_OK;
}

static bool rules_allow(struct wa_client *c, char *why, size_t size)
{
    const struct wa_local_request *r = &c->request;
    if (r->op == WA_OP_REMOVE && !c->local->m->config.uninstall_allowed) {
        (void)snprintf(why, size, "%s", wa_text("the configuration lets users remove nothing"));
        return false;
    }
    for (size_t i = 0; i < r->package_count; i++) {
        char name[WA_NAME_MAX + 1], section[WA_NAME_MAX + 1];
        struct wa_err err = WA_ERR_INIT;
        (void)snprintf(name, sizeof name, "%.*s", WA_SV_ARG(r->packages[i]));
        if (!wa_sv_eqs(r->packages[i], name) ||
            section_of(c, name, section, sizeof section, &err) != WA_OK ||
            !wa_caller_may(&c->caller, name, section)) {
            (void)snprintf(why, size,
                           r->op == WA_OP_REMOVE ? wa_text("no rule lets you remove '%s'")
                                                 : wa_text("no rule lets you install '%s'"),
                           name);
            return false;
        }
    }
    return true;
}

/* Whether the user has the right at all, the password apart. */
static bool has_right(struct wa_client *c)
{
    const struct wa_local_request *r = &c->request;
    char why[2 * WA_NAME_MAX];
    if (c->caller.is_admin)
        return true;
    if (wa_local_op_right(r->op) != WA_RIGHT_RULES_PASSWORD) {
        deny(c, WA_E_DENIED, "neither in waptselfservice nor a local administrator",
             "only root, members of waptselfservice and local administrators may do this");
        return false;
    }
    if (!rules_allow(c, why, sizeof why)) {
        deny(c, WA_E_DENIED, "no rule allows it", why);
        return false;
    }
    if (r->force || r->params.n > 0) {
        deny(c, WA_E_DENIED, "force or parameters from no administrator",
             "force and parameters are for administrators");
        return false;
    }
    return true;
}

/* --- the password --- */

static void ask_password(struct wa_client *c, const char *reason)
{
    const struct wa_local_answer a = {.event = WA_EV_AUTH, .text = wa_sv(wa_text(reason))};
    wa_client_stage(c, WA_STAGE_PASSWORD);
    (void)wa_client_answer(c, &a, WA_SV(""));
}

/* False: too many were wrong, and its time has not come again. */
static bool may_try(struct wa_client *c)
{
    uint64_t wait = wa_proofs_wait_ms(&c->local->proofs, c->peer.uid, wa_clock_mono_ms());
    char text[128];
    if (wait == 0)
        return true;
    (void)snprintf(text, sizeof text,
                   wa_text("too many wrong passwords: try again in %llu seconds"),
                   (unsigned long long)(wait / 1000 + 1));
    deny(c, WA_E_AUTH, "too many wrong passwords", text);
    return false;
}

void wa_rights_password(struct wa_client *c)
{
    wa_client_stage(c, WA_STAGE_ASKING);
    if (may_try(c))
        wa_ask(c, WA_ASK_PASSWORD);
}

static void proven(struct wa_client *c)
{
    uint64_t now = wa_clock_mono_ms();
    wa_proofs_give(&c->local->proofs, c->peer.uid, c->has_session ? &c->session : NULL, now,
                   now + (uint64_t)c->local->m->config.auth_grace_s * 1000);
    c->sees_scripts = c->caller.is_admin;
    if (!c->caller.is_admin)
        limit(c);
    grant(c, c->caller.is_admin ? "password proven" : "by a rule, password proven");
}

/* Without a proof, with the password that came along or is asked for now. */
static void ask_first(struct wa_client *c)
{
    if (!may_try(c))
        return;
    if (c->request.password.n > 0) {
        wa_buf_addsv(&c->password, c->request.password);
        wa_rights_password(c);
    } else {
        ask_password(c, "your password is needed");
    }
}

static void prove(struct wa_client *c)
{
    if (c->has_session &&
        wa_proofs_hold(&c->local->proofs, c->peer.uid, &c->session, wa_clock_mono_ms())) {
        c->sees_scripts = c->caller.is_admin;
        if (!c->caller.is_admin)
            limit(c);
        grant(c, c->caller.is_admin ? "password proven shortly before"
                                    : "by a rule, password proven shortly before");
    } else {
        ask_first(c);
    }
}

static void wrong(struct wa_client *c)
{
    wa_proofs_failed(&c->local->proofs, c->peer.uid, wa_clock_mono_ms());
    if (++c->tries >= WA_LOCAL_TRIES_MAX) {
        deny(c, WA_E_AUTH, "wrong password, no more tries", "the password is wrong");
        return;
    }
    wa_rights_log(c, false, "wrong password");
    if (may_try(c))
        ask_password(c, "the password is wrong, try again");
}

/* --- answers --- */

static void named(struct wa_client *c, const struct wa_ask_answer *a)
{
    if (a->code == WA_OK)
        (void)snprintf(c->peer.user, sizeof c->peer.user, "%s", a->user);
    else if (a->code != WA_E_NOT_FOUND)
        wa_log(&c->local->m->log, WA_LOG_WARNING, "local.unnamed", WA_LF_I("uid", c->peer.uid),
               WA_LF_S("why", a->why));
    wa_client_named(c);
}

static void take_caller(struct wa_client *c, const struct wa_ask_answer *a)
{
    const struct wa_self_rules mine = c->caller.rules;
    c->caller.is_admin = a->is_admin;
    memcpy(c->caller.in, a->in, sizeof c->caller.in);
    c->caller.rules = *a->rules;
    *a->rules = mine;
}

void wa_rights_answered(struct wa_client *c, enum wa_ask ask, const struct wa_ask_answer *a)
{
    bool only_shown = wa_op_shows_rights(c->request.op);
    if (ask == WA_ASK_NAME) {
        named(c, a);
        return;
    }
    if (a->code == WA_OK)
        take_caller(c, a);
    else if (!only_shown) {
        deny(c, a->code, a->why, a->why);
        return;
    }
    /* A directory tells no groups to a wrong password. */
    bool is_unknown =
        ask == WA_ASK_PASSWORD && !a->password_ok && wa_auth_needs_password(&c->local->m->config);
    if (only_shown)
        wa_client_carry_out(c);
    else if (is_unknown)
        wrong(c);
    else if (!has_right(c))
        return;
    else if (ask == WA_ASK_GROUPS)
        prove(c);
    else if (a->password_ok)
        proven(c);
    else
        wrong(c);
}

/* --- the request --- */

void wa_rights_begin(struct wa_client *c)
{
    bool is_free = wa_local_op_right(c->request.op) == WA_RIGHT_ANYONE;
    wa_client_stage(c, WA_STAGE_ASKING);
    if (wa_local_op_right(c->request.op) == WA_RIGHT_NOBODY) {
        deny(c, WA_E_DENIED, "by order alone", "only an administrator's signed order does this");
    } else if (c->peer.uid == 0) {
        c->caller.is_admin = c->sees_scripts = true;
        if (is_free)
            wa_client_carry_out(c);
        else
            grant(c, "root");
    } else if (c->peer.user[0] == '\0') {
        deny(c, WA_E_DENIED, "an identity without an account",
             "your identity has no account on this machine");
    } else if (wa_local_op_right(c->request.op) == WA_RIGHT_ROOT) {
        deny(c, WA_E_DENIED, "not root", "only root may do this");
    } else if (wa_op_shows_rights(c->request.op)) {
        wa_ask(c, WA_ASK_GROUPS);
    } else if (wa_op_reads(c->request.op) && is_free) {
        wa_client_carry_out(c);
    } else if (is_free) {
        if (c->request.op != WA_OP_SESSION_SETUP)
            limit(c);
        grant(c, "free for all");
    } else if (wa_op_is_upgrade(c)) {
        limit(c);
        c->request.as_upgrade = true;
        grant(c, "installed or assigned already: an upgrade");
    } else if (wa_auth_needs_password(&c->local->m->config) &&
               !wa_auth_is_known(c->local->m, c->peer.user)) {
        ask_first(c);
    } else {
        wa_ask(c, WA_ASK_GROUPS);
    }
}

/* api_session.c - the session: its beginning (login.c), who it is, its end. */
#include "server/api.h"
#include "server/login.h"

static enum wa_code call_logout(struct wa_api_call *c, struct wa_err *err)
{
    wa_buf_adds(c->out, "{}");
    wa_log(&c->store->child.log, WA_LOG_INFO, "login.ended", WA_LF_S("user", c->who.user),
           WA_LF_S("peer", c->request->peer));
    if (wa_store_end_session(c->store->db, c->who.session, err) == WA_OK)
        wa_node_tell_now(c->store, WA_NODE_PEOPLE, wa_sv(c->who.user));
    return err->code;
}

/* Who this is, and what may be done now: with a token, with a second factor missing. */
static enum wa_code call_session(struct wa_api_call *c, struct wa_err *err)
{
    struct wa_person p;
    struct wa_jw w;
    char rights[256];
    bool found = false;
    if (wa_store_person(c->store->db, wa_sv(c->who.user), &p, &found, err) != WA_OK)
        return err->code;
    wa_right_names(c->who.rights, rights, sizeof rights);
    wa_jw_init(&w, c->out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "user", c->who.user);
    wa_jw_kv(&w, "role", found ? p.role : "");
    wa_jw_kv(&w, "rights", rights);
    wa_jw_kvb(&w, "limited", c->who.is_limited);
    wa_jw_kvb(&w, "token", c->who.is_token);
    wa_jw_kvb(&w, "second_factor", found && p.has_factor);
    wa_jw_kvb(&w, "lacks_second_factor", c->who.lacks_factor);
    wa_jw_end(&w);
    return WA_OK;
}

/* How one can log in here: before anybody is known. */
static enum wa_code call_ways(struct wa_api_call *c, struct wa_err *err)
{
    const struct wa_server_config *config = &c->store->child.config;
    struct wa_jw w;
    WA_UNUSED(err);
    wa_jw_init(&w, c->out);
    wa_jw_obj(&w);
    wa_jw_kvb(&w, "password", true);
    wa_jw_kvb(&w, "oidc", config->oidc_issuer[0] != '\0');
    wa_jw_kvb(&w, "certificate", config->certificate_login);
    wa_jw_kvb(&w, "kerberos", config->kerberos_login);
    wa_jw_end(&w);
    return WA_OK;
}

static const struct wa_api_route routes[] = {
    {"GET", "/api/v1/session/ways", 0, true, call_ways, "How one can log in", NULL, NULL, "Ways"},
    {"POST", "/api/v1/session/certificate", 0, true, wa_login_certificate_call,
     "Log in by the TLS certificate of the connection", NULL, "Nothing", "Session"},
    {"POST", "/api/v1/session/kerberos", 0, true, wa_login_kerberos_call,
     "Log in by a Kerberos ticket", NULL, "KerberosLogin", "Session"},
    {"POST", "/api/v1/session/oidc/start", 0, true, wa_login_oidc_begin,
     "Begin a login by OpenID Connect", NULL, "OidcStart", "OidcAddress"},
    {"POST", "/api/v1/session/oidc", 0, true, wa_login_oidc_call, "Log in by OpenID Connect", NULL,
     "OidcLogin", "Session"},
    {"POST", "/api/v1/session", 0, true, wa_login_call, "Log in", NULL, "Login", "Session"},
    {"GET", "/api/v1/session", 0, false, call_session, "Who this session is", NULL, NULL, "Who"},
    {"DELETE", "/api/v1/session", WA_MAY_OWN, false, call_logout, "Log out", NULL, NULL, "Nothing"},
};
const struct wa_api_resource wa_api_session_calls = {routes, WA_COUNT(routes)};

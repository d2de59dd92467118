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
    wa_jw_end(&w);
    return WA_OK;
}

static const struct wa_api_route routes[] = {
    {"GET", "/api/v1/session/ways", 0, true, call_ways, "How one can log in", NULL, NULL, "Ways"},
    {"POST", "/api/v1/session/certificate", 0, true, wa_login_certificate_call,
     "Log in by the TLS certificate of the connection", NULL, "Nothing", "Session"},
    {"POST", "/api/v1/session/oidc/start", 0, true, wa_login_oidc_begin,
     "Begin a login by OpenID Connect", NULL, "OidcStart", "OidcAddress"},
    {"POST", "/api/v1/session/oidc", 0, true, wa_login_oidc_call, "Log in by OpenID Connect", NULL,
     "OidcLogin", "Session"},
    {"POST", "/api/v1/session", 0, true, wa_login_call, "Log in", NULL, "Login", "Session"},
    {"GET", "/api/v1/session", 0, false, call_session, "Who this session is", NULL, NULL, "Who"},
    {"DELETE", "/api/v1/session", WA_MAY_OWN, false, call_logout, "Log out", NULL, NULL, "Nothing"},
};
/* The description of what they take and give. */
const char wa_api_session_schemas[] =
    "\"Login\":{\"type\":\"object\",\"required\":[\"user\",\"password\"],\"additionalProperties\":"
    "false,\"properties\":{\"user\":{\"type\":\"string\"},\"password\":{\"type\":\"string\"},"
    "\"code\":{\"type\":\"string\",\"description\":\"of the second factor, or a recovery code\"}}},"
    "\"Ways\":{\"type\":\"object\",\"required\":[\"password\",\"oidc\","
    "\"certificate\"],\"properties\":{"
    "\"password\":{\"type\":\"boolean\"},\"oidc\":{\"type\":\"boolean\"},\"certificate\":{"
    "\"type\":\"boolean\"}}},"
    "\"OidcStart\":{\"type\":\"object\",\"required\":[\"port\",\"state\",\"challenge\"],"
    "\"additionalProperties\":false,\"properties\":{\"port\":{\"type\":\"integer\","
    "\"description\":\"on which the client listens for http://127.0.0.1:PORT/oidc\"},\"state\":{"
    "\"type\":\"string\",\"description\":\"the client's own, to be compared when the browser "
    "comes back\"},\"challenge\":{\"type\":\"string\",\"description\":\"of the verifier, S256\"}}},"
    "\"OidcAddress\":{\"type\":\"object\",\"required\":[\"url\"],\"properties\":{\"url\":{"
    "\"type\":\"string\",\"description\":\"where the person's browser goes\"}}},"
    "\"OidcLogin\":{\"type\":\"object\",\"required\":[\"port\",\"code\",\"verifier\"],"
    "\"additionalProperties\":false,\"properties\":{\"port\":{\"type\":\"integer\"},\"code\":{"
    "\"type\":\"string\"},\"verifier\":{\"type\":\"string\"},\"iss\":{\"type\":\"string\","
    "\"description\":\"as the browser brought it, if it did (RFC 9207)\"}}},"
    "\"Session\":{\"type\":\"object\",\"description\":\"needs alone, where a code of the second "
    "factor is wanted "
    "too\",\"properties\":{\"needs\":{\"type\":\"string\",\"enum\":[\"code\"]},\"token\":{\"type\":"
    "\"string\",\"description\":\"for Authorization: "
    "Bearer\"},\"expires\":{\"type\":\"integer\",\"description\":\"seconds since "
    "1970\"},\"user\":{\"type\":\"string\"},\"role\":{\"type\":\"string\"}}},"
    "\"Who\":{\"type\":\"object\",\"required\":[\"user\",\"role\",\"rights\",\"limited\",\"token\","
    "\"lacks_second_factor\"],\"properties\":{\"user\":{\"type\":\"string\"},\"role\":{\"type\":"
    "\"string\"},\"rights\":{\"type\":\"string\"},\"limited\":{\"type\":\"boolean\"},\"token\":{"
    "\"type\":\"boolean\"},\"lacks_second_factor\":{\"type\":\"boolean\"}}}";
const struct wa_api_resource wa_api_session_calls = {routes, WA_COUNT(routes)};

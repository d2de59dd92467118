/* api.c - the way to the calls: which one, who asks, may they.
 *
 * Every right is checked in wa_store_api(), nowhere else; a call only asks wa_api_need() for what
 * depends on the request's content.
 */
#include "server/api_list.h"
#include "server/api_page.h"

#include "base/text.h"
#include "codec/url.h"
#include "crypto/digest.h"
#include "os/clock.h"
#include "server/login.h"

static const struct wa_api_resource *const resources[] = {
    &wa_api_people_calls,    &wa_api_account_calls,     &wa_api_session_calls,
    &wa_api_hosts_calls,     &wa_api_inventory_calls,   &wa_api_queue_calls,
    &wa_api_reports_calls,   &wa_api_software_calls,    &wa_api_actions_calls,
    &wa_api_batches_calls,   &wa_api_packages_calls,    &wa_api_signers_calls,
    &wa_api_uploads_calls,   &wa_api_journal_calls,     &wa_api_openapi_calls,
    &wa_api_authority_calls, &wa_api_events_calls,      &wa_api_health_calls,
    &wa_api_webhooks_calls,  &wa_api_rollouts_calls,    &wa_api_enrolment_calls,
    &wa_api_overview_calls,  &wa_api_views_calls,       &wa_api_wake_calls,
    &wa_api_estate_calls,    &wa_api_certificate_calls,
};

const struct wa_api_route *wa_api_route_at(size_t i)
{
    for (size_t r = 0; r < WA_COUNT(resources); r++) {
        if (i < resources[r]->count)
            return &resources[r]->routes[i];
        i -= resources[r]->count;
    }
    return NULL;
}

/* --- which call --- */

/* Whether path is what the pattern says, and what stands in its places. */
static bool matches(const char *pattern, struct wa_sv path, struct wa_api_call *c)
{
    struct wa_sv rest = wa_sv(pattern), want, have;
    size_t places = 0;
    while (wa_sv_split(&rest, '/', &want)) {
        if (!wa_sv_split(&path, '/', &have))
            return false;
        if (!wa_sv_starts(want, "{")) {
            if (!wa_sv_eq(want, have))
                return false;
            continue;
        }
        if (have.n == 0 || have.n > WA_RELPATH_MAX || places == WA_API_ARGS)
            return false;
        memcpy(c->args[places], have.p, have.n);
        c->args[places++][have.n] = '\0';
    }
    return path.p == NULL;
}

static const struct wa_api_route *find(const char *method, struct wa_sv path, struct wa_api_call *c)
{
    const struct wa_api_route *r;
    for (size_t i = 0; (r = wa_api_route_at(i)) != NULL; i++)
        if (strcmp(method, r->method) == 0 && matches(r->path, path, c))
            break;
    return r;
}

/* --- who --- */

void wa_api_who_init(struct wa_api_who *who)
{
    *who = (struct wa_api_who){.rights = 0};
    wa_buf_init(&who->perimeter, 2 * WA_PERIMETER_BYTES_MAX + 1);
}

void wa_api_who_fini(struct wa_api_who *who)
{
    wa_fleet_view_fini(&who->view);
    wa_buf_fini(&who->perimeter);
}

/* What is in both; the first is taken as it is when there is none yet. */
static void meet(struct wa_fleet_view *into, struct wa_fleet_view *more)
{
    if (into->is_in == NULL) {
        *into = *more;
        *more = (struct wa_fleet_view){NULL, 0};
        return;
    }
    for (size_t i = 0; i < into->n; i++)
        into->is_in[i] = into->is_in[i] && i < more->n && more->is_in[i];
    wa_fleet_view_fini(more);
}

/* A token's perimeter counts beside the person's: a name must be in both. */
static enum wa_code limit(struct wa_api_call *c, bool person_is, struct wa_sv of_token,
                          struct wa_err *err)
{
    WA_AUTO_PERIMETER struct wa_perimeter p;
    WA_AUTO_BUF struct wa_buf json;
    struct wa_fleet_view more = {NULL, 0};
    struct wa_sv texts[2] = {of_token, {NULL, 0}};
    wa_perimeter_init(&p);
    wa_buf_init(&json, WA_PERIMETER_BYTES_MAX);
    c->who.is_limited = true;
    if (person_is && wa_store_perimeter(c->store->db, c->who.user, &json, err) != WA_OK)
        return err->code;
    texts[1] = wa_buf_sv(&json);
    for (size_t i = 0; i < WA_COUNT(texts); i++) {
        if (i == 0 ? of_token.n == 0 : !person_is)
            continue;
        wa_perimeter_init(&p);
        enum wa_code code = wa_perimeter_read(&p, texts[i], err);
        if (code == WA_OK)
            code = wa_perimeter_view(&p, c->store->fleet, &more, err);
        wa_perimeter_fini(&p);
        if (code != WA_OK)
            return wa_wrap(err, "the perimeter of '%s'", c->who.user);
        meet(&c->who.view, &more);
        if (c->who.perimeter.n > 0)
            wa_buf_addc(&c->who.perimeter, '\n');
        wa_buf_addsv(&c->who.perimeter, texts[i]);
    }
    return wa_buf_check(&c->who.perimeter, err);
}

#define USED_S 60 /* more often it is not written that a session or token was used */

static enum wa_code by_session(struct wa_api_call *c, int64_t now, struct wa_err *err)
{
    struct wa_store *s = c->store;
    struct wa_person p;
    struct wa_person_session n;
    bool found = false;
    if (wa_store_session(s->db, c->who.session, now, s->child.config.session_idle, &p, &n, &found,
                         err) != WA_OK)
        return err->code;
    if (!found)
        return wa_fail(err, WA_E_AUTH, "the session has ended: log in again");
    if (n.certificate[0] != '\0' && strcmp(n.certificate, c->request->person) != 0)
        return wa_fail(err, WA_E_AUTH,
                       "the session is good only with the certificate that it began with");
    if (!c->is_watching && now - n.used >= USED_S &&
        wa_store_session_used(s->db, c->who.session, now, err) != WA_OK)
        return err->code;
    memcpy(c->who.user, p.name, sizeof c->who.user);
    c->who.rights = wa_person_rights(p.role, p.is_limited);
    c->who.lacks_factor = wa_login_lacks_factor(s, &p, n.method);
    if (c->who.lacks_factor)
        c->who.rights &= WA_MAY_OWN;
    return p.is_limited ? limit(c, true, WA_SV(""), err) : WA_OK;
}

/* What the token was given of what its person has now. */
static enum wa_code by_token(struct wa_api_call *c, int64_t now, struct wa_err *err)
{
    struct wa_store *s = c->store;
    struct wa_person p;
    struct wa_api_token t;
    WA_AUTO_BUF struct wa_buf perimeter;
    bool found = false;
    unsigned given = 0;
    struct wa_sv rest, name;
    wa_buf_init(&perimeter, WA_PERIMETER_BYTES_MAX);
    if (wa_store_api_token(s->db, c->who.session, now, &p, &t, &perimeter, &found, err) != WA_OK)
        return err->code;
    if (!found)
        return wa_fail(err, WA_E_AUTH, "the token is none, has expired or was revoked");
    if (strcmp(p.origin, "local") != 0 && now - p.last_login > s->child.config.directory_tokens)
        return wa_fail(err, WA_E_AUTH, "the token's owner must log in again");
    if (!c->is_watching && now - t.used >= USED_S &&
        wa_store_api_token_used(s->db, c->who.session, now, err) != WA_OK)
        return err->code;
    for (rest = wa_sv(t.rights); wa_sv_split(&rest, ',', &name);)
        given |= wa_right_from_name(name);
    memcpy(c->who.user, p.name, sizeof c->who.user);
    c->who.is_token = true;
    c->who.rights = wa_person_rights(p.role, p.is_limited || t.is_limited) & given;
    return p.is_limited || t.is_limited ? limit(c, p.is_limited, wa_buf_sv(&perimeter), err)
                                        : WA_OK;
}

enum wa_code wa_api_find_caller(struct wa_api_call *c, struct wa_err *err)
{
    const char *token = c->request->bearer;
    if (token[0] == '\0')
        return wa_fail(err, WA_E_AUTH, "log in first");
    if (wa_sha256_hex(token, strlen(token), c->who.session, err) != WA_OK)
        return err->code;
    enum wa_code code = wa_sv_starts(wa_sv(token), WA_API_TOKEN_PREFIX)
                            ? by_token(c, wa_clock_now(), err)
                            : by_session(c, wa_clock_now(), err);
    if (code == WA_OK) {
        wa_store_guest(c->store, c->request->peer);
        memcpy(c->request->caller, c->who.user, sizeof c->request->caller);
    }
    return code;
}

const struct wa_fleet_view *wa_api_view(const struct wa_api_call *c)
{
    return c->who.is_limited ? &c->who.view : NULL;
}

enum wa_code wa_api_need_host(const struct wa_api_call *c, const char *uuid, struct wa_err *err)
{
    if (!c->who.is_limited || wa_fleet_sees(c->store->fleet, &c->who.view, wa_sv(uuid)))
        return WA_OK;
    wa_log(&c->store->child.log, WA_LOG_WARNING, "api.outside", WA_LF_S("user", c->who.user),
           WA_LF_S("peer", c->request->peer), WA_LF_S("uuid", uuid));
    return wa_fail(err, WA_E_NOT_FOUND, "there is no host '%s'", uuid);
}

enum wa_code wa_api_need(const struct wa_api_call *c, unsigned right, const char *what,
                         struct wa_err *err)
{
    char holders[128];
    if ((c->who.rights & right) == right)
        return WA_OK;
    if (c->who.lacks_factor)
        return wa_fail(err, WA_E_DENIED, "set up your second factor first, then log in again");
    if ((right & WA_MAY_OWN) != 0)
        return wa_fail(err, WA_E_DENIED, "a token may not do this (%s): log in", what);
    wa_right_holders(right, holders, sizeof holders);
    wa_log(&c->store->child.log, WA_LOG_WARNING, "api.denied", WA_LF_S("user", c->who.user),
           WA_LF_S("peer", c->request->peer), WA_LF_S("what", what));
    if (c->who.is_token)
        return wa_fail(err, WA_E_DENIED, "this token of '%s' may not do this (%s)", c->who.user,
                       what);
    return wa_fail(err, WA_E_DENIED, "'%s' may not do this (%s): it takes one of the roles %s",
                   c->who.user, what, holders);
}

/* --- the query --- */

enum wa_code wa_api_text(const struct wa_api_call *c, const char *name, char *out, size_t size,
                         struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf value;
    wa_buf_init(&value, 8192);
    out[0] = '\0';
    if (!wa_url_query_get(wa_sv(c->request->query), name, &value))
        return WA_OK;
    if (wa_buf_check(&value, err) != WA_OK)
        return err->code;
    if (value.n >= size)
        return wa_fail(err, WA_E_USAGE, "'%s' takes at most %zu bytes", name, size - 1);
    (void)snprintf(out, size, "%s", wa_buf_str(&value));
    return WA_OK;
}

enum wa_code wa_api_number(const struct wa_api_call *c, const char *name, int64_t min, int64_t max,
                           int64_t *ret, struct wa_err *err)
{
    char text[24];
    int64_t v = 0;
    if (wa_api_text(c, name, text, sizeof text, err) != WA_OK || text[0] == '\0')
        return err->code;
    if (!wa_sv_i64(wa_sv(text), &v) || v < min || v > max)
        return wa_fail(err, WA_E_USAGE, "'%s' takes a whole number from %lld to %lld", name,
                       (long long)min, (long long)max);
    *ret = v;
    return WA_OK;
}

/* Whether the rest of a query has that parameter. */
static bool is_said(struct wa_sv rest, struct wa_sv name)
{
    struct wa_sv one, other;
    while (wa_sv_split(&rest, '&', &one))
        if (wa_sv_split(&one, '=', &other) && wa_sv_eq(other, name))
            return true;
    return false;
}

/* A parameter that the call does not know, that is there twice, or whose value can't be read, would
 * be a filter that filters nothing. */
static enum wa_code check_query(const struct wa_api_call *c, const struct wa_api_route *r,
                                struct wa_err *err)
{
    struct wa_sv rest = wa_sv(c->request->query), one, name;
    while (wa_sv_split(&rest, '&', &one)) {
        bool is_known = false;
        WA_AUTO_BUF struct wa_buf value;
        struct wa_err why = WA_ERR_INIT;
        wa_buf_init(&value, 8192);
        if (one.n == 0)
            continue;
        (void)wa_sv_split(&one, '=', &name);
        if (one.p != NULL && wa_url_decode(one, true, &value, &why) != WA_OK)
            return wa_fail(err, WA_E_USAGE, "parameter '%.*s': %s", WA_SV_ARG(name), why.text);
        for (const struct wa_api_param *p = r->params; p != NULL && p->name != NULL; p++)
            is_known |= wa_sv_eqs(name, p->name);
        if (!is_known)
            return wa_fail(err, WA_E_USAGE, "%s %s has no parameter '%.*s'", r->method, r->path,
                           WA_SV_ARG(name));
        if (is_said(rest, name))
            return wa_fail(err, WA_E_USAGE, "parameter '%.*s' is there twice", WA_SV_ARG(name));
    }
    return WA_OK;
}

/* --- the way --- */

/* Its body goes on in a file that the call itself names, when it is asked before. */
static bool wants_file(const struct wa_api_route *route)
{
    return route->takes != NULL && strcmp(route->takes, "Bytes") == 0;
}

/* What changes nothing that outlives it, or is not done yet: no act. All else that is no GET is
 * one.
 */
static bool is_act(const struct wa_api_route *r)
{
    static const char *const others[] = {"/api/v1/session",
                                         "/api/v1/session/oidc",
                                         "/api/v1/session/certificate",
                                         "/api/v1/session/kerberos",
                                         "/api/v1/session/oidc/start",
                                         "/api/v1/uploads",
                                         "/api/v1/uploads/{id}",
                                         "/api/v1/account/second-factor",
                                         "/api/v1/estate",
                                         "/api/v1/report-rows",
                                         "/api/v1/webhooks/{id}/test",
                                         "/api/v1/account/views/{name}",
                                         "/api/v1/account/sessions/{id}"};
    for (size_t i = 0; i < WA_COUNT(others); i++)
        if (strcmp(r->path, others[i]) == 0)
            return false;
    return strcmp(r->method, "GET") != 0;
}

/* The newest entry of the journal; below 0: not known. */
static int64_t newest_entry(struct wa_store *s)
{
    struct wa_journal_head head;
    struct wa_err err = WA_ERR_INIT;
    return wa_server_journal_head(s->db, s->child.config.node, &head, &err) == WA_OK ? head.seq
                                                                                     : -1;
}

static void tell_person(struct wa_store_request *r)
{
    bool is_person = wa_sv_starts(wa_sv(r->act.route->path), "/api/v1/users") ||
                     wa_sv_starts(wa_sv(r->act.route->path), "/api/v1/account/");
    if (is_person)
        wa_store_event(r->store, WA_EVENT_PERSON, "changed", WA_SV(""), wa_sv(r->act.whom),
                       WA_SV(""));
}

void wa_api_acted(struct wa_store_request *r)
{
    struct wa_store *s = r->store;
    const struct wa_api_route *route = r->act.route;
    if (route == NULL)
        return;
    tell_person(r);
    r->act.route = NULL;
    if (r->act.before < 0 || newest_entry(s) != r->act.before)
        return;
    s->unnoted++;
    wa_log(&s->child.log, WA_LOG_ERROR, "journal.missing", WA_LF_S("method", route->method),
           WA_LF_S("path", route->path));
}

/* What it is, for when it is answered: here, or by another process later. */
static void begin_act(struct wa_api_call *c, const struct wa_api_route *r)
{
    struct wa_store_request *q = c->request;
    bool is_own = wa_sv_starts(wa_sv(r->path), "/api/v1/account/");
    if (!is_act(r))
        return;
    q->act.route = r;
    q->act.before = newest_entry(c->store);
    (void)snprintf(q->act.whom, sizeof q->act.whom, "%.255s", is_own ? c->who.user : c->args[0]);
}

static enum wa_code call(struct wa_api_call *c, struct wa_err *err)
{
    struct wa_store_request *r = c->request;
    const struct wa_api_route *route = find(r->method, wa_sv(r->path), c);
    if ((route == NULL || !route->is_open) && wa_api_find_caller(c, err) != WA_OK)
        return err->code;
    if (route == NULL)
        return wa_fail(err, WA_E_NOT_FOUND, "there is nothing at %s %s", r->method, r->path);
    if ((!route->is_open && wa_api_need(c, route->right, route->about, err) != WA_OK) ||
        wa_api_table_begin(r, route, err) != WA_OK || check_query(c, route, err) != WA_OK ||
        wa_api_whole_check(c, route, err) != WA_OK)
        return err->code;
    if (r->is_question && !wants_file(route)) { /* a front asks before it takes a body */
        wa_buf_adds(c->out, "{}");
        return WA_OK;
    }
    begin_act(c, route);
    return route->fn(c, err);
}

/* What persons read of it is in their language, and so is the reason that the log has of it; the
 * journal and the database hold no texts for persons. */
void wa_store_api(struct wa_store_request *r)
{
    const struct wa_language *was = wa_text_speak(r->language);
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF_SECRET struct wa_buf out;
    struct wa_api_call c = {.store = r->store, .request = r, .out = &out};
    wa_buf_init(&out, WA_IPC_MESSAGE_MAX - 4096);
    wa_api_who_init(&c.who);
    if (call(&c, &err) != WA_OK || (!c.is_later && wa_buf_check(&out, &err) != WA_OK))
        wa_store_answer_err(r, &err);
    else if (!c.is_later)
        wa_store_answer_as(r, c.type, wa_buf_sv(&out));
    wa_api_who_fini(&c.who);
    (void)wa_text_speak(was);
}

/* api.c - the way to the calls: which one, who asks, may they.
 *
 * Every right is checked in wa_store_api(), nowhere else; a call only asks wa_api_need() for what
 * depends on the request's content.
 */
#include "server/api_list.h"

#include "codec/url.h"
#include "crypto/digest.h"
#include "os/clock.h"

static const struct wa_api_resource *const resources[] = {
    &wa_api_session_calls, &wa_api_hosts_calls,     &wa_api_inventory_calls, &wa_api_reports_calls,
    &wa_api_actions_calls, &wa_api_packages_calls,  &wa_api_uploads_calls,   &wa_api_journal_calls,
    &wa_api_openapi_calls, &wa_api_authority_calls, &wa_api_events_calls,    &wa_api_health_calls,
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
    wa_buf_init(&who->perimeter, WA_PERIMETER_BYTES_MAX);
}

void wa_api_who_fini(struct wa_api_who *who)
{
    wa_fleet_view_fini(&who->view);
    wa_buf_fini(&who->perimeter);
}

static enum wa_code limit(struct wa_api_call *c, struct wa_err *err)
{
    WA_AUTO_PERIMETER struct wa_perimeter p;
    wa_perimeter_init(&p);
    c->who.is_limited = true;
    if (wa_store_perimeter(c->store->db, c->who.user, &c->who.perimeter, err) != WA_OK ||
        wa_perimeter_read(&p, wa_buf_sv(&c->who.perimeter), err) != WA_OK)
        return wa_wrap(err, "the perimeter of '%s'", c->who.user);
    return wa_perimeter_view(&p, c->store->fleet, &c->who.view, err);
}

enum wa_code wa_api_find_caller(struct wa_api_call *c, struct wa_err *err)
{
    const char *token = c->request->bearer;
    struct wa_person p;
    bool found = false;
    if (token[0] == '\0')
        return wa_fail(err, WA_E_AUTH, "log in first");
    if (wa_sha256_hex(token, strlen(token), c->who.session, err) != WA_OK ||
        wa_store_session(c->store->db, c->who.session, wa_clock_now(), &p, &found, err) != WA_OK)
        return err->code;
    if (!found)
        return wa_fail(err, WA_E_AUTH, "the session has ended: log in again");
    memcpy(c->who.user, p.name, sizeof c->who.user);
    c->who.rights = wa_person_rights(p.role, p.is_limited);
    return p.is_limited ? limit(c, err) : WA_OK;
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
    wa_right_holders(right, holders, sizeof holders);
    wa_log(&c->store->child.log, WA_LOG_WARNING, "api.denied", WA_LF_S("user", c->who.user),
           WA_LF_S("peer", c->request->peer), WA_LF_S("what", what));
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

/* A parameter that the call does not know, or whose value can't be read, would be a filter that
 * filters nothing. */
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
    }
    return WA_OK;
}

/* --- the way --- */

/* Its body goes on in a file that the call itself names, when it is asked before. */
static bool wants_file(const struct wa_api_route *route)
{
    return route->takes != NULL && strcmp(route->takes, "Bytes") == 0;
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
        wa_api_table_begin(r, route, err) != WA_OK || check_query(c, route, err) != WA_OK)
        return err->code;
    if (r->is_question && !wants_file(route)) { /* a front asks before it takes a body */
        wa_buf_adds(c->out, "{}");
        return WA_OK;
    }
    return route->fn(c, err);
}

void wa_store_api(struct wa_store_request *r)
{
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
}

/* api_people.c - who uses the server, for superadmins. The rules of each change are people.c's.
 *
 * A password goes to the auth process and comes back as its hash; it is kept nowhere on the way.
 */
#include "base/mem.h"
#include "crypto/pwhash.h"
#include "server/api.h"
#include "server/api_change.h"
#include "server/api_page.h"

/* --- seeing --- */

static void write_person(struct wa_jw *w, const struct wa_person *p)
{
    wa_jw_kv(w, "name", p->name);
    wa_jw_kv(w, "role", p->role);
    wa_jw_kv(w, "origin", p->origin);
    wa_jw_kvb(w, "disabled", p->is_disabled);
    wa_jw_kvb(w, "limited", p->is_limited);
    wa_jw_kvb(w, "second_factor", p->has_factor);
    wa_jw_kvb(w, "needs_second_factor", p->needs_factor);
    wa_jw_kvi(w, "last_login", p->last_login);
}

static void list_person(void *user, const struct wa_person *p)
{
    struct wa_jw *w = user;
    wa_jw_obj(w);
    write_person(w, p);
    wa_jw_end(w);
}

static enum wa_code call_people(struct wa_api_call *c, struct wa_err *err)
{
    struct wa_jw w;
    wa_jw_init(&w, c->out);
    wa_jw_obj(&w);
    wa_jw_key(&w, "users");
    wa_jw_arr(&w);
    if (wa_store_people(c->store->db, list_person, &w, err) != WA_OK)
        return err->code;
    wa_jw_end(&w);
    wa_jw_end(&w);
    return WA_OK;
}

static enum wa_code find(const struct wa_api_call *c, struct wa_person *ret, struct wa_err *err)
{
    bool found = false;
    if (wa_store_person(c->store->db, wa_sv(c->args[0]), ret, &found, err) != WA_OK || found)
        return err->code;
    return wa_fail(err, WA_E_NOT_FOUND, "there is no user '%s'", c->args[0]);
}

static void list_certificate(void *user, struct wa_sv sha256)
{
    wa_jw_sv(user, sha256);
}

static enum wa_code call_person(struct wa_api_call *c, struct wa_err *err)
{
    struct wa_person p;
    struct wa_jw w;
    WA_AUTO_BUF struct wa_buf perimeter;
    wa_buf_init(&perimeter, WA_PERIMETER_BYTES_MAX);
    if (find(c, &p, err) != WA_OK ||
        wa_store_perimeter(c->store->db, p.name, &perimeter, err) != WA_OK)
        return err->code;
    wa_jw_init(&w, c->out);
    wa_jw_obj(&w);
    write_person(&w, &p);
    wa_jw_key(&w, "perimeter");
    if (perimeter.n > 0)
        wa_jw_raw(&w, wa_buf_sv(&perimeter));
    else
        wa_jw_null(&w);
    wa_jw_key(&w, "certificates");
    wa_jw_arr(&w);
    if (wa_store_certificates(c->store->db, p.name, list_certificate, &w, err) != WA_OK)
        return err->code;
    wa_jw_end(&w);
    wa_jw_end(&w);
    return WA_OK;
}

/* --- changing --- */

/* A member that is a perimeter, or null for none; text: of it. */
static enum wa_code read_perimeter(const struct wa_json *j, struct wa_buf *text, struct wa_err *err)
{
    if (j != NULL && !wa_json_is(j, WA_JSON_NULL))
        wa_json_write(j, text);
    return wa_buf_check(text, err);
}

static enum wa_code call_add(struct wa_api_call *c, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf perimeter;
    const struct wa_json *j = NULL, *limits = NULL;
    struct wa_sv name = {NULL, 0}, role = {NULL, 0}, password = {NULL, 0};
    const struct wa_json_field fields[] = {{"name", WA_WANT_SV, true, WA_NAME_MAX, &name},
                                           {"role", WA_WANT_SV, true, 31, &role},
                                           {"password", WA_WANT_SV, true, 1024, &password},
                                           {"perimeter", WA_WANT_ANY, false, 0, &limits}};
    wa_arena_init(&arena, 1u << 20);
    wa_buf_init(&perimeter, WA_PERIMETER_BYTES_MAX);
    if (wa_json_parse(wa_buf_sv(&c->request->body), 0, &arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "a user", err) != WA_OK ||
        read_perimeter(limits, &perimeter, err) != WA_OK)
        return err->code;
    const struct wa_person_change change = {.what = WA_PERSON_ADD,
                                            .name = wa_arena_strdup(&arena, name),
                                            .role = wa_arena_strdup(&arena, role),
                                            .password = password,
                                            .perimeter = wa_buf_sv(&perimeter)};
    (void)snprintf(c->request->act.whom, sizeof c->request->act.whom, "%.*s", WA_SV_ARG(name));
    return change.name == NULL || change.role == NULL ? wa_nomem(err)
                                                      : wa_api_change_person(c, &change, err);
}

/* One thing at a time: each is one entry in the journal, done or not done. */
static enum wa_code read_change(const struct wa_json *j, struct wa_arena *arena,
                                struct wa_buf *perimeter, struct wa_person_change *ret,
                                struct wa_err *err)
{
    struct wa_sv role = {NULL, 0};
    bool is_disabled = false, needs_factor = false;
    const struct wa_json *limits = NULL, *has;
    const struct wa_json_field fields[] = {
        {"role", WA_WANT_SV, false, 31, &role},
        {"perimeter", WA_WANT_ANY, false, 0, &limits},
        {"disabled", WA_WANT_BOOL, false, 0, &is_disabled},
        {"needs_second_factor", WA_WANT_BOOL, false, 0, &needs_factor}};
    if (wa_json_read(j, fields, WA_COUNT(fields), "a change of a user", err) != WA_OK)
        return err->code;
    if (wa_json_count(j) != 1)
        return wa_fail(err, WA_E_USAGE,
                       "a change is one of role, perimeter, disabled, needs_second_factor");
    if (role.n > 0) {
        ret->what = WA_PERSON_ROLE;
        ret->role = wa_arena_strdup(arena, role);
        return ret->role != NULL ? WA_OK : wa_nomem(err);
    }
    has = wa_json_get(j, "disabled");
    if (has != NULL)
        ret->what = is_disabled ? WA_PERSON_DISABLE : WA_PERSON_ENABLE;
    else if (wa_json_get(j, "needs_second_factor") != NULL)
        ret->what = needs_factor ? WA_PERSON_NEED_FACTOR : WA_PERSON_NEED_NONE;
    else if (limits == NULL)
        return wa_fail(err, WA_E_USAGE, "a role has a name");
    else
        ret->what = WA_PERSON_PERIMETER;
    if (read_perimeter(limits, perimeter, err) != WA_OK)
        return err->code;
    ret->perimeter = wa_buf_sv(perimeter);
    return WA_OK;
}

static enum wa_code call_change(struct wa_api_call *c, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf perimeter;
    const struct wa_json *j = NULL;
    struct wa_person_change change = {.name = c->args[0]};
    wa_arena_init(&arena, 1u << 20);
    wa_buf_init(&perimeter, WA_PERIMETER_BYTES_MAX);
    if (wa_json_parse(wa_buf_sv(&c->request->body), 0, &arena, &j, err) != WA_OK ||
        read_change(j, &arena, &perimeter, &change, err) != WA_OK)
        return err->code;
    return wa_api_change_person(c, &change, err);
}

static enum wa_code call_password(struct wa_api_call *c, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_person_change change = {.what = WA_PERSON_PASSWORD, .name = c->args[0]};
    const struct wa_json_field fields[] = {{"password", WA_WANT_SV, true, 1024, &change.password}};
    wa_arena_init(&arena, 64u << 10);
    if (wa_json_parse(wa_buf_sv(&c->request->body), 0, &arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "a password", err) != WA_OK)
        return err->code;
    return wa_api_change_person(c, &change, err);
}

static enum wa_code change(struct wa_api_call *c, enum wa_person_what what, const char *certificate,
                           struct wa_err *err)
{
    const struct wa_person_change change = {
        .what = what, .name = c->args[0], .certificate = certificate};
    return wa_api_change_person(c, &change, err);
}

static enum wa_code call_remove(struct wa_api_call *c, struct wa_err *err)
{
    return change(c, WA_PERSON_REMOVE, NULL, err);
}

static enum wa_code call_log_out(struct wa_api_call *c, struct wa_err *err)
{
    return change(c, WA_PERSON_LOGOUT, NULL, err);
}

static enum wa_code call_drop_factor(struct wa_api_call *c, struct wa_err *err)
{
    return change(c, WA_PERSON_DROP_FACTOR, NULL, err);
}

static enum wa_code call_trust(struct wa_api_call *c, struct wa_err *err)
{
    return change(c, WA_PERSON_TRUST, c->args[1], err);
}

static enum wa_code call_distrust(struct wa_api_call *c, struct wa_err *err)
{
    return change(c, WA_PERSON_DISTRUST, c->args[1], err);
}

static enum wa_code call_tokens(struct wa_api_call *c, struct wa_err *err)
{
    struct wa_person p;
    return find(c, &p, err) == WA_OK ? wa_api_list_tokens(c, p.name, err) : err->code;
}

static enum wa_code call_revoke(struct wa_api_call *c, struct wa_err *err)
{
    return wa_api_revoke_token(c, c->args[0], c->args[1], err);
}

#define USERS "/api/v1/users"
static const struct wa_api_route routes[] = {
    {"GET", USERS, WA_MAY_PEOPLE, false, call_people, "Who uses the server", wa_api_whole_params,
     NULL, "Users"},
    {"POST", USERS, WA_MAY_PEOPLE, false, call_add, "Add a user", NULL, "NewUser", "Nothing"},
    {"GET", USERS "/{name}", WA_MAY_PEOPLE, false, call_person, "One user", NULL, NULL, "User"},
    {"POST", USERS "/{name}", WA_MAY_PEOPLE, false, call_change, "Change one thing of a user", NULL,
     "UserChange", "Nothing"},
    {"DELETE", USERS "/{name}", WA_MAY_PEOPLE, false, call_remove, "Remove a user", NULL, NULL,
     "Nothing"},
    {"POST", USERS "/{name}/password", WA_MAY_PEOPLE, false, call_password,
     "Give a user another password, and end the sessions", NULL, "Password", "Nothing"},
    {"DELETE", USERS "/{name}/sessions", WA_MAY_PEOPLE, false, call_log_out,
     "End a user's sessions", NULL, NULL, "Nothing"},
    {"DELETE", USERS "/{name}/second-factor", WA_MAY_PEOPLE, false, call_drop_factor,
     "Take the second factor of a user who has lost it", NULL, NULL, "Nothing"},
    {"POST", USERS "/{name}/certificates/{sha256}", WA_MAY_PEOPLE, false, call_trust,
     "Let a user log in by a certificate", NULL, NULL, "Nothing"},
    {"DELETE", USERS "/{name}/certificates/{sha256}", WA_MAY_PEOPLE, false, call_distrust,
     "Let a user no longer log in by a certificate", NULL, NULL, "Nothing"},
    {"GET", USERS "/{name}/tokens", WA_MAY_PEOPLE, false, call_tokens, "A user's API tokens",
     wa_api_whole_params, NULL, "Tokens"},
    {"DELETE", USERS "/{name}/tokens/{id}", WA_MAY_PEOPLE, false, call_revoke,
     "Revoke a user's API token", NULL, NULL, "Nothing"},
};
const struct wa_api_resource wa_api_people_calls = {routes, WA_COUNT(routes)};

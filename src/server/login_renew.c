/* login_renew.c - asks a provider of OpenID Connect again about people who are logged in, session
 * by session, each directory_session: who is gone there, or in other groups, is so here too.
 *
 * The store has no refresh token, only what the oidc process sealed for this very session and
 * person. What the provider says against it ends the session; a provider that does not answer has
 * as long again to do so, and then the session has ended by its own date, whoever runs. One
 * question after the other, so that those who log in wait for one at most; of several servers the
 * leading one asks. Tokens of sessions that have ended are given back, once, as well as can be.
 */
#include "base/mem.h"
#include "os/clock.h"
#include "server/login.h"

struct asked {
    bool is_giving_back;
    struct wa_person_session session; /* its name and its person alone, where it is given back */
};

static void failed(struct wa_store *s, const struct asked *a, const struct wa_err *err)
{
    wa_log(&s->child.log, WA_LOG_WARNING,
           a->is_giving_back ? "grant.not_given_back" : "person.not_checked",
           WA_LF_S("user", a->session.user), WA_LF_S("why", err->text));
}

/* How far what the provider says against somebody goes: other sessions are asked about in their
 * turn. */
enum reach { THIS_SESSION, API_TOKENS_TOO, ALL_THAT_IS_OPEN };

static enum wa_code take_away(struct wa_store *s, const struct asked *a, enum reach reach,
                              struct wa_err *err)
{
    if (reach == ALL_THAT_IS_OPEN)
        return wa_store_disown(s->db, a->session.user, err);
    if (reach == API_TOKENS_TOO && wa_store_pause_tokens(s->db, a->session.user, err) != WA_OK)
        return err->code;
    return wa_store_end_session(s->db, a->session.sha256, err);
}

/* In a transaction. */
static enum wa_code put_out(struct wa_store *s, const struct asked *a, enum reach reach,
                            const char *why, struct wa_err *err)
{
    const struct wa_journal_act act = {
        .act = "user.logged_out",
        .user = wa_sv("oidc"),
        .peer = "",
        .what = {{"name", wa_sv(a->session.user)}, {"why", wa_sv(why)}}};
    if (take_away(s, a, reach, err) != WA_OK || wa_store_note(s, &act, err) != WA_OK)
        return err->code;
    wa_log(&s->child.log, WA_LOG_WARNING, "person.disowned", WA_LF_S("user", a->session.user),
           WA_LF_S("why", why));
    return WA_OK;
}

/* The provider vouches for who it was, as the map's entry says now. */
static enum wa_code go_on(struct wa_store *s, struct asked *a, const struct wa_role_map *map,
                          const struct wa_oidc_says *says, struct wa_err *err)
{
    struct wa_person_session *n = &a->session;
    if (wa_store_set_foreign(s->db, n->user, "oidc", says->subject, map->roles[says->entry],
                             map->perimeters[says->entry], err) != WA_OK ||
        wa_store_resume_tokens(s->db, n->user, n->created, err) != WA_OK)
        return err->code;
    wa_login_judged(s, n, says->sealed[0] != '\0', wa_clock_now());
    return wa_store_renew_session(s->db, n, says->sealed, err);
}

static enum wa_code change(struct wa_store *s, struct asked *a, const struct wa_role_map *map,
                           const struct wa_json *j, struct wa_err *err)
{
    struct wa_oidc_says says = {.entry = 0};
    if (wa_oidc_read_person(map, j, &says, err) != WA_OK)
        return err->code;
    if (strcmp(says.name, a->session.user) != 0)
        return wa_fail(err, WA_E_AUTH, "the provider's answer is about somebody else");
    if (says.entry < map->n)
        return go_on(s, a, map, &says, err);
    if (says.sealed[0] != '\0' &&
        wa_store_renew_session(s->db, &a->session, says.sealed, err) != WA_OK)
        return err->code; /* so that the newest is given back */
    return put_out(s, a, ALL_THAT_IS_OPEN, "none of its groups uses this server", err);
}

/* The session has ended meanwhile, and its person may have been removed, or be another one by now:
 * nothing is done to anybody, and the token that came is given back. */
static enum wa_code pass_over(struct wa_store *s, const struct asked *a, const struct wa_json *j,
                              struct wa_err *err)
{
    char sealed[WA_OIDC_SEALED_MAX];
    struct wa_sv came = wa_json_sv(wa_json_get(j, "sealed"));
    if (came.n == 0 || came.n >= sizeof sealed)
        return WA_OK;
    (void)snprintf(sealed, sizeof sealed, "%.*s", WA_SV_ARG(came));
    return wa_store_end_grant(s->db, a->session.sha256, a->session.user, sealed, err);
}

static enum wa_code decide(struct wa_store *s, struct asked *a, const struct wa_role_map *map,
                           const struct wa_json *j, const char *why, struct wa_err *err)
{
    enum reach reach = wa_json_bool(wa_json_get(j, "gone")) ? API_TOKENS_TOO : THIS_SESSION;
    bool is_open = false;
    if (wa_store_has_session(s->db, a->session.sha256, &is_open, err) != WA_OK)
        return err->code;
    if (!is_open)
        return pass_over(s, a, j, err);
    return why == NULL ? change(s, a, map, j, err) : put_out(s, a, reach, why, err);
}

/* why: NULL when the provider vouches, which j says. */
static enum wa_code in_transaction(struct wa_store *s, struct asked *a, const struct wa_json *j,
                                   const char *why, struct wa_err *err)
{
    WA_AUTO_ROLE_MAP struct wa_role_map map;
    wa_role_map_init(&map);
    if (wa_role_map_read(&map, "oidc_login_roles", s->child.config.oidc_roles, err) != WA_OK ||
        wa_db_begin(s->db, err) != WA_OK)
        return err->code;
    if (decide(s, a, &map, j, why, err) == WA_OK && wa_db_commit(s->db, err) == WA_OK)
        return WA_OK;
    wa_db_rollback(s->db);
    return err->code;
}

/* Whether the error says that the session is the person's no more, and not that it could not be
 * asked. */
static bool is_against(enum wa_code code)
{
    return code == WA_E_AUTH || code == WA_E_DENIED || code == WA_E_CONFLICT;
}

static void put_off(struct wa_store *s, struct asked *a, const struct wa_err *why)
{
    struct wa_err err = WA_ERR_INIT;
    bool is_taken = false;
    failed(s, a, why);
    s->renew_at = wa_clock_now() + WA_OIDC_RETRY_S;
    if (!a->is_giving_back &&
        wa_store_put_session_off(s->db, &a->session, s->renew_at, &is_taken, &err) != WA_OK)
        failed(s, a, &err);
}

static void next(struct wa_store *s);

static void on_answer(struct wa_store *s, void *user, struct wa_sv payload)
{
    struct asked *a = user;
    struct wa_err err = WA_ERR_INIT, why = WA_ERR_INIT;
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, 1u << 20);
    s->is_renewing = false;
    enum wa_code code = wa_json_answer(payload, &arena, &j, &why);
    if (code == WA_OK && !a->is_giving_back)
        code = in_transaction(s, a, j, NULL, &why);
    if (code != WA_OK && !is_against(code))
        put_off(s, a, &why);
    else if (code != WA_OK && a->is_giving_back)
        failed(s, a, &why);
    else if (code != WA_OK && in_transaction(s, a, j, why.text, &err) != WA_OK)
        put_off(s, a, &err);
    wa_free(a);
    next(s);
}

static enum wa_code ask(struct wa_store *s, struct asked *a, const struct wa_buf *sealed,
                        struct wa_err *err)
{
    WA_AUTO_ROLE_MAP struct wa_role_map map;
    WA_AUTO_BUF struct wa_buf question;
    struct wa_jw w;
    wa_role_map_init(&map);
    wa_buf_init(&question, WA_FRONT_PERSON_MAX);
    if (wa_role_map_read(&map, "oidc_login_roles", s->child.config.oidc_roles, err) != WA_OK)
        return err->code;
    wa_jw_init(&w, &question);
    wa_jw_obj(&w);
    wa_jw_key(&w, a->is_giving_back ? "revoke" : "renew");
    wa_jw_obj(&w);
    wa_jw_kv(&w, "session", a->session.sha256);
    wa_jw_kv(&w, "user", a->session.user);
    wa_jw_kvsv(&w, "sealed", wa_buf_sv(sealed));
    wa_jw_end(&w);
    wa_jw_key(&w, "groups");
    wa_jw_arr(&w);
    for (size_t i = 0; i < map.n; i++)
        wa_jw_s(&w, map.groups[i]);
    wa_jw_end(&w);
    wa_jw_end(&w);
    return wa_buf_check(&question, err) == WA_OK
               ? wa_store_ask(s, WA_SR_OIDC, wa_buf_sv(&question), on_answer, a, err)
               : err->code;
}

/* What is to be asked next: of sessions whose turn it is, then of those that have ended. It is this
 * server's then, also where another believes that it leads: a token that is used twice is none any
 * more. */
static enum wa_code find(struct wa_store *s, struct asked *a, struct wa_buf *sealed,
                         bool *ret_found, struct wa_err *err)
{
    int64_t now = wa_clock_now();
    if (wa_store_due_session(s->db, now, s->child.config.session_idle, &a->session, sealed,
                             ret_found, err) != WA_OK)
        return err->code;
    if (*ret_found)
        return wa_store_put_session_off(s->db, &a->session, now + WA_OIDC_CLAIM_S, ret_found, err);
    a->is_giving_back = true;
    return wa_store_next_grant(s->db, a->session.sha256, a->session.user, sealed, ret_found, err);
}

static void next(struct wa_store *s)
{
    struct wa_err err = WA_ERR_INIT;
    bool found = false;
    WA_AUTO_BUF struct wa_buf sealed;
    wa_buf_init(&sealed, WA_OIDC_SEALED_MAX);
    if (wa_clock_now() < s->renew_at && s->renew_at - wa_clock_now() <= WA_OIDC_RETRY_S)
        return;
    struct asked *a = wa_calloc(1, sizeof *a);
    if (a == NULL)
        return; /* the next turn looks again */
    if (find(s, a, &sealed, &found, &err) == WA_OK && found && ask(s, a, &sealed, &err) == WA_OK) {
        s->is_renewing = true;
        return;
    }
    if (err.code != WA_OK)
        put_off(s, a, &err);
    wa_free(a);
}

void wa_store_renew_sessions(struct wa_store *s)
{
    if (s->child.config.oidc_issuer[0] != '\0' && s->helpers[WA_SR_OIDC] != NULL &&
        !s->is_renewing && wa_node_leads(s))
        next(s);
}

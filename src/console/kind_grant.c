/* kind_grant.c - what lasts at the server although nothing is signed for it: who may do what there,
 * a token of one's own, where events are sent.
 *
 * A script in a page has the session's rights for as long as the page lives; these calls would give
 * it more than that, so none of them is relayed (local_relay.c), and whoever is to get something is
 * asked about outside the page. What takes something away is not. The body goes to the server as it
 * is shown: member by member, each of a name that is known here. Of a certificate by which somebody
 * is to log in the server gets the fingerprint, which is computed here from what is shown.
 */
#include "codec/url.h"
#include "console/local_kind.h"

#define GIVE_BYTES_MAX (64u << 10)

struct act {
    const char *word, *title, *method, *before, *after; /* path: before, user, after */
    bool has_user, has_give;
    bool is_certificate; /* what is given: its fingerprint ends the path, and there is no body */
};
static const struct act acts[] = {
    {"user-add", WA_TEXT("A new person at the server"), "POST", "/api/v1/users", "", false, true,
     false},
    {"user-change", WA_TEXT("A change of a person at the server"), "POST", "/api/v1/users/", "",
     true, true, false},
    {"user-password", WA_TEXT("Another password for a person at the server"), "POST",
     "/api/v1/users/", "/password", true, true, false},
    {"user-drop-factor", WA_TEXT("A person at the server loses the second factor"), "DELETE",
     "/api/v1/users/", "/second-factor", true, false, false},
    {"user-certificate", WA_TEXT("A certificate by which a person logs in at the server"), "POST",
     "/api/v1/users/", "/certificates/", true, true, true},
    {"own-password", WA_TEXT("Another password of your own at the server"), "POST",
     "/api/v1/account/password", "", false, true, false},
    {"token", WA_TEXT("A token by which programs have these of your rights"), "POST",
     "/api/v1/account/tokens", "", false, true, false},
    {"webhook", WA_TEXT("Events are sent to another place too"), "POST", "/api/v1/webhooks", "",
     false, true, false},
};

struct grant {
    const struct act *act;
    struct wa_buf path, body; /* secret: a password may be in it */
    struct wa_cert *cert;     /* NULL: it is about none */
};

static const struct act *find_act(struct wa_sv word)
{
    for (size_t i = 0; i < WA_COUNT(acts); i++)
        if (wa_sv_eqs(word, acts[i].word))
            return &acts[i];
    return NULL;
}

/* --- what is shown --- */

static const char *label_of(struct wa_sv key)
{
    static const struct {
        const char *key, *label;
    } known[] = {{"name", WA_TEXT("Name")},
                 {"role", WA_TEXT("Role")},
                 {"password", WA_TEXT("Password")},
                 {"old", WA_TEXT("Present password")},
                 {"new", WA_TEXT("New password")},
                 {"perimeter", WA_TEXT("Perimeter")},
                 {"disabled", WA_TEXT("Disabled")},
                 {"needs_second_factor", WA_TEXT("Needs a second factor")},
                 {"rights", WA_TEXT("Rights")},
                 {"days", WA_TEXT("Days that it is good for")},
                 {"url", WA_TEXT("Address")},
                 {"kinds", WA_TEXT("Events")}};
    for (size_t i = 0; i < WA_COUNT(known); i++)
        if (wa_sv_eqs(key, known[i].key))
            return wa_text(known[i].label);
    return NULL;
}

static bool is_secret(struct wa_sv key)
{
    return wa_sv_eqs(key, "password") || wa_sv_eqs(key, "old") || wa_sv_eqs(key, "new");
}

static enum wa_code say_member(struct wa_local_prepared *p, struct wa_sv key,
                               const struct wa_json *value, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    const char *label = label_of(key);
    wa_buf_init(&text, GIVE_BYTES_MAX);
    if (label == NULL)
        return wa_fail(err, WA_E_INVALID, "'%.*s' is nothing that is given", WA_SV_ARG(key));
    if (is_secret(key))
        wa_buf_adds(&text, wa_text("as it was typed"));
    else if (wa_sv_eqs(key, "perimeter") && wa_json_is(value, WA_JSON_NULL))
        wa_buf_adds(&text, wa_text("all machines"));
    else if (wa_json_is(value, WA_JSON_STRING))
        wa_buf_addsv(&text, wa_json_sv(value));
    else
        wa_json_write(value, &text);
    if (wa_buf_check(&text, err) == WA_OK)
        wa_local_say(p, label, wa_buf_sv(&text));
    return err->code;
}

/* Read again from the very bytes that go to the server. */
static enum wa_code say_all(struct wa_local_prepared *p, const struct grant *g, struct wa_sv user,
                            struct wa_err *err)
{
    struct wa_arena arena;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, 16 * GIVE_BYTES_MAX);
    wa_buf_adds(&p->title, wa_text(g->act->title));
    wa_local_say(p, wa_text("Server"), wa_sv(p->options->server));
    if (g->act->has_user)
        wa_local_say(p, wa_text("Person"), user);
    if (g->cert != NULL) {
        wa_local_say(p, wa_text("Certificate"), wa_sv(wa_cert_subject(g->cert)));
        wa_local_say(p, wa_text("Its SHA-256"), wa_sv(wa_cert_fingerprint(g->cert)));
    } else if (g->act->has_give && wa_json_parse(wa_buf_sv(&g->body), 0, &arena, &j, err) == WA_OK)
        for (size_t i = 0; i < wa_json_count(j); i++)
            if (say_member(p, wa_json_key_at(j, i), wa_json_at(j, i), err) != WA_OK)
                break;
    wa_arena_fini_secret(&arena);
    return err->code;
}

/* --- preparing --- */

/* Whether it gives nobody anything: an account is switched off, a factor asked for. */
static bool takes_away(const struct act *a, const struct wa_json *give)
{
    return strcmp(a->word, "user-change") == 0 && wa_json_count(give) == 1 &&
           (wa_json_bool(wa_json_get(give, "disabled")) ||
            wa_json_bool(wa_json_get(give, "needs_second_factor")));
}

static enum wa_code add_certificate(struct grant *g, const struct wa_json *give, struct wa_err *err)
{
    WA_AUTO_CERTS struct wa_certs certs = {NULL, 0, 0};
    struct wa_sv pem = WA_SV("");
    const struct wa_json_field fields[] = {
        {"certificate", WA_WANT_SV, true, WA_CERTFILE_BYTES_MAX, &pem}};
    if (wa_json_read(give, fields, WA_COUNT(fields), "the certificate", err) != WA_OK ||
        wa_certs_read_pem(pem, WA_CHAIN_MAX, &certs, err) != WA_OK)
        return err->code;
    if (!wa_cert_may_be_client(certs.items[0]))
        return wa_fail(err, WA_E_REFUSED,
                       "the certificate is for other purposes: it takes one for TLS clients "
                       "(clientAuth)");
    g->cert = wa_cert_ref(certs.items[0]);
    wa_buf_adds(&g->path, wa_cert_fingerprint(g->cert));
    return wa_buf_check(&g->path, err);
}

static enum wa_code compose(struct grant *g, struct wa_sv user, const struct wa_json *give,
                            struct wa_err *err)
{
    if (g->act->has_user != (user.n > 0) || g->act->has_give != (give != NULL))
        return wa_fail(err, WA_E_INVALID, "the request does not say whom, or what");
    wa_buf_adds(&g->path, g->act->before);
    wa_url_encode(user, &g->path);
    wa_buf_adds(&g->path, g->act->after);
    if (g->act->is_certificate)
        return add_certificate(g, give, err);
    if (give != NULL)
        wa_json_write(give, &g->body);
    return wa_buf_check(&g->path, err) == WA_OK ? wa_buf_check(&g->body, err) : err->code;
}

static enum wa_code prepare(struct wa_local_prepared *p, const struct wa_json *request,
                            struct wa_client *client, struct wa_err *err)
{
    struct grant *g = wa_arena_alloc(&p->arena, 1, sizeof *g);
    struct wa_sv what, word = {NULL, 0}, user = WA_SV("");
    const struct wa_json *give = NULL;
    const struct wa_json_field fields[] = {{"what", WA_WANT_SV, true, 64, &what},
                                           {"do", WA_WANT_SV, true, 32, &word},
                                           {"user", WA_WANT_SV, false, 256, &user},
                                           {"give", WA_WANT_OBJECT, false, 0, &give}};
    WA_UNUSED(client);
    if (g == NULL)
        return wa_nomem(err);
    g->cert = NULL;
    wa_buf_init(&g->path, 2048);
    wa_buf_init(&g->body, GIVE_BYTES_MAX);
    p->own = g;
    if (wa_json_read(request, fields, WA_COUNT(fields), "the request", err) != WA_OK)
        return err->code;
    g->act = find_act(word);
    if (g->act == NULL)
        return wa_fail(err, WA_E_INVALID, "nothing of that kind is given");
    p->needs_gesture = !takes_away(g->act, give);
    return compose(g, user, give, err) == WA_OK ? say_all(p, g, user, err) : err->code;
}

static enum wa_code commit(struct wa_local_prepared *p, const struct wa_signer *signer,
                           struct wa_client *client, struct wa_jw *w, struct wa_err *err)
{
    static const char *const members[] = {"id", "token", "secret"}; /* shown this once */
    const struct grant *g = p->own;
    struct wa_arena arena;
    const struct wa_json *j = NULL;
    WA_UNUSED(signer);
    wa_arena_init(&arena, 1u << 20);
    if (wa_client_call(client, g->act->method, wa_buf_str(&g->path), wa_buf_sv(&g->body), &arena,
                       &j, err) == WA_OK)
        for (size_t i = 0; i < WA_COUNT(members); i++)
            if (wa_json_get(j, members[i]) != NULL)
                wa_jw_kvsv(w, members[i], wa_json_sv(wa_json_get(j, members[i])));
    wa_arena_fini_secret(&arena);
    return err->code;
}

static void discard(struct wa_local_prepared *p)
{
    struct grant *g = p->own;
    if (g == NULL)
        return;
    wa_cert_free(g->cert);
    wa_buf_fini(&g->path);
    wa_buf_fini_secret(&g->body);
}

const struct wa_local_kind wa_local_kind_grant = {.what = "grant",
                                                  .prepare = prepare,
                                                  .commit = commit,
                                                  .discard = discard,
                                                  .gesture = WA_LOCAL_GESTURE_NEVER,
                                                  .is_unsigned = true};

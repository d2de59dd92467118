/* kind_own_certificate.c - a certificate by which one logs in oneself: the server gets it by TLS
 * from this program, whose key proves that it is one's own. It lasts longer than the page, so that
 * one is asked outside of it; and the server wants the password, and a code where there is one.
 */
#include "console/local_kind.h"

struct wish {
    struct wa_buf password, code; /* secret */
};

static enum wa_code prepare(struct wa_local_prepared *p, const struct wa_json *request,
                            struct wa_client *client, struct wa_err *err)
{
    struct wish *w = wa_arena_alloc(&p->arena, 1, sizeof *w);
    struct wa_sv what, key, password = WA_SV(""), code = WA_SV("");
    const struct wa_json_field fields[] = {{"what", WA_WANT_SV, true, 64, &what},
                                           {"key", WA_WANT_SV, false, 16, &key},
                                           {"password", WA_WANT_SV, true, 1024, &password},
                                           {"code", WA_WANT_SV, false, 64, &code}};
    WA_UNUSED(client);
    if (w == NULL)
        return wa_nomem(err);
    wa_buf_init(&w->password, 1025);
    wa_buf_init(&w->code, 65);
    p->own = w;
    if (wa_json_read(request, fields, WA_COUNT(fields), "the request", err) != WA_OK)
        return err->code;
    wa_buf_addsv(&w->password, password);
    wa_buf_addsv(&w->code, wa_sv_trim(code));
    if (wa_buf_check(&w->password, err) != WA_OK || wa_buf_check(&w->code, err) != WA_OK)
        return err->code;
    p->needs_gesture = true;
    wa_buf_adds(&p->title, wa_text("A certificate by which you log in at the server"));
    wa_local_say(p, wa_text("Server"), wa_sv(p->options->server));
    wa_local_say(p, wa_text("Its SHA-256"), wa_sv(p->signer));
    wa_local_say(p, wa_text("Password"), wa_sv(wa_text("as it was typed")));
    return WA_OK;
}

static enum wa_code commit(struct wa_local_prepared *p, const struct wa_signer *signer,
                           struct wa_client *client, struct wa_jw *w, struct wa_err *err)
{
    const struct wish *wish = p->own;
    bool needs_code = false;
    union {
        const struct wa_key *from;
        struct wa_key *to;
    } key = {signer->key};
    if (wa_client_add_certificate(client, signer->chain->items[0], key.to,
                                  wa_buf_sv(&wish->password), wa_buf_sv(&wish->code), &needs_code,
                                  err) != WA_OK)
        return err->code;
    if (needs_code)
        return wa_fail(err, WA_E_DENIED, "the code of the second factor is needed");
    wa_jw_kv(w, "sha256", p->signer);
    return WA_OK;
}

static void discard(struct wa_local_prepared *p)
{
    struct wish *w = p->own;
    if (w == NULL)
        return;
    wa_buf_fini_secret(&w->password);
    wa_buf_fini_secret(&w->code);
}

const struct wa_local_kind wa_local_kind_own_certificate = {.what = "own-certificate",
                                                            .prepare = prepare,
                                                            .commit = commit,
                                                            .discard = discard,
                                                            .gesture = WA_LOCAL_GESTURE_NEVER};

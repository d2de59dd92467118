/* api_change.c - changes of people that take a hash, which the auth process makes while others are
 * served; and the lists of tokens.
 */
#include "server/api_change.h"
#include "server/node.h"

#include "base/mem.h"
#include "crypto/pwhash.h"

struct change { /* waits for its hash; the texts are copies */
    struct wa_store_request *request;
    struct wa_arena arena;
    struct wa_person_change what;
    const char *by;
};

static void change_free(struct change *k)
{
    wa_arena_fini(&k->arena);
    wa_free(k);
}

static enum wa_code apply(struct wa_store_request *r, const char *by,
                          const struct wa_person_change *what, const char *hash, struct wa_err *err)
{
    struct wa_store *s = r->store;
    const struct wa_person_by who = {s->child.config.node, by, r->peer, true};
    if (wa_people_change(s->db, &who, what, hash, err) != WA_OK)
        return err->code;
    wa_log(&s->child.log, WA_LOG_INFO, "user.changed", WA_LF_S("user", what->name),
           WA_LF_S("by", by), WA_LF_S("peer", r->peer));
    return WA_OK;
}

static void on_hash(struct wa_store *s, void *user, struct wa_sv payload)
{
    struct change *k = user;
    struct wa_err err = WA_ERR_INIT;
    char hash[WA_PWHASH_MAX];
    enum wa_code code = wa_store_checked(payload, &err);
    WA_UNUSED(s);
    (void)snprintf(hash, sizeof hash, "%.*s", WA_SV_ARG(payload));
    if (code == WA_OK && strcmp(hash, "no") == 0)
        code = wa_fail(&err, WA_E_USAGE, "that can't be a password");
    else if (code == WA_OK)
        code = apply(k->request, k->by, &k->what, hash, &err);
    if (code == WA_OK)
        wa_store_answer(k->request, 200, WA_SV("{}"));
    else
        wa_store_answer_err(k->request, &err);
    change_free(k);
}

static const char *keep(struct change *k, const char *text)
{
    return text == NULL ? NULL : wa_arena_strdup(&k->arena, wa_sv(text));
}

static enum wa_code copy(const struct wa_person_change *from, const char *by, struct change *k,
                         struct wa_err *err)
{
    const char *perimeter = wa_arena_strdup(&k->arena, from->perimeter);
    k->what = *from;
    k->what.password = WA_SV("");
    k->what.name = keep(k, from->name);
    k->what.role = keep(k, from->role);
    k->what.keep_session = keep(k, from->keep_session);
    k->what.certificate = NULL;
    k->by = keep(k, by);
    if (perimeter == NULL || k->what.name == NULL || k->by == NULL ||
        (from->role != NULL && k->what.role == NULL) ||
        (from->keep_session != NULL && k->what.keep_session == NULL))
        return wa_nomem(err);
    k->what.perimeter = wa_sv(perimeter);
    return WA_OK;
}

enum wa_code wa_api_change_person(struct wa_api_call *c, const struct wa_person_change *change,
                                  struct wa_err *err)
{
    if (wa_people_check(change, err) != WA_OK)
        return err->code;
    if (!wa_people_takes_password(change->what)) {
        wa_buf_adds(c->out, "{}");
        return apply(c->request, c->who.user, change, "", err);
    }
    struct change *k = wa_calloc(1, sizeof *k);
    if (k == NULL)
        return wa_nomem(err);
    k->request = c->request;
    wa_arena_init(&k->arena, 1u << 20);
    if (copy(change, c->who.user, k, err) != WA_OK ||
        wa_store_ask_hash(c->store, change->password, on_hash, k, err) != WA_OK) {
        change_free(k);
        return err->code;
    }
    c->is_later = true;
    return WA_OK;
}

/* --- tokens --- */

static void list_token(void *user, const struct wa_api_token *t)
{
    struct wa_jw *w = user;
    wa_jw_obj(w);
    wa_jw_kvsv(w, "id", wa_sv_sub(wa_sv(t->sha256), 0, WA_ACCESS_ID));
    wa_jw_kv(w, "name", t->name);
    wa_jw_kv(w, "rights", t->rights);
    wa_jw_kvb(w, "limited", t->is_limited);
    wa_jw_kvi(w, "created", t->created);
    wa_jw_kvi(w, "expires", t->expires);
    wa_jw_kvi(w, "used", t->used);
    wa_jw_end(w);
}

enum wa_code wa_api_list_tokens(struct wa_api_call *c, const char *user, struct wa_err *err)
{
    struct wa_jw w;
    wa_jw_init(&w, c->out);
    wa_jw_obj(&w);
    wa_jw_key(&w, "tokens");
    wa_jw_arr(&w);
    if (wa_store_api_tokens(c->store->db, user, list_token, &w, err) != WA_OK)
        return err->code;
    wa_jw_end(&w);
    wa_jw_end(&w);
    return WA_OK;
}

enum wa_code wa_api_revoke_token(struct wa_api_call *c, const char *user, const char *id,
                                 struct wa_err *err)
{
    struct wa_store *s = c->store;
    const struct wa_journal_act act = {.act = "api_token.revoked",
                                       .user = wa_sv(c->who.user),
                                       .peer = c->request->peer,
                                       .what = {{"name", wa_sv(user)}, {"token", wa_sv(id)}}};
    if (wa_db_begin(s->db, err) != WA_OK)
        return err->code;
    if (wa_store_drop_api_token(s->db, user, id, err) == WA_OK &&
        wa_store_note(s, &act, err) == WA_OK &&
        wa_node_tell(s, WA_NODE_PEOPLE, wa_sv(user), err) == WA_OK &&
        wa_db_commit(s->db, err) == WA_OK) {
        wa_buf_adds(c->out, "{}");
        return WA_OK;
    }
    wa_db_rollback(s->db);
    return err->code;
}

/* local_ask.c - questions about a local user that can take long: the account's name, its groups,
 * its password. Each is asked in a thread of the pool, and outlives a client that leaves.
 *
 * One user has one question under way at a time, whatever the number of connections, so that
 * nobody guesses passwords side by side or takes all threads; a few are under way in all.
 */
#include "agent/auth_ask.h"
#include "agent/local_priv.h"

#include "base/text.h"
#include "codec/csv.h"

#define MEMBERS_OF_ALL "waptselfservice" /* who may do everything, filter or not */

struct wa_question {
    struct wa_question *next;
    struct wa_local *local;   /* NULL: it has ended */
    struct wa_client *client; /* NULL: it has left */
    struct wa_manager *m;
    enum wa_ask ask;
    uint32_t uid;
    char user[256];
    struct wa_buf password;
    struct wa_arena arena;
    struct wa_self_rules rules;
    const char *groups[WA_AUTH_GROUPS_MAX + 1]; /* of all, of the rules, of administrators */
    size_t group_count;
    /* the answer */
    struct wa_account account;
    struct wa_auth_answer auth;
};

static void question_free(struct wa_question *q)
{
    wa_buf_fini_secret(&q->password);
    wa_self_rules_fini(&q->rules);
    wa_arena_fini(&q->arena);
    wa_free(q);
}

/* In a thread of the pool. */
static enum wa_code find_out(void *user, struct wa_err *err)
{
    struct wa_question *q = user;
    if (q->ask == WA_ASK_NAME)
        return wa_user_by_uid(q->uid, &q->account, err);
    struct wa_sv password =
        q->ask == WA_ASK_PASSWORD ? wa_buf_sv(&q->password) : (struct wa_sv){NULL, 0};
    return wa_auth_ask(q->m, q->user, password, q->groups, &q->auth, err);
}

/* --- putting it --- */

static enum wa_code add_administrators(struct wa_question *q, struct wa_err *err)
{
    struct wa_sv rest = wa_sv(wa_auth_admin_groups(&q->m->config)), item;
    while (!q->m->config.admin_filter && wa_csv_next(&rest, &item)) {
        if (q->group_count == WA_AUTH_GROUPS_MAX)
            return wa_fail(err, WA_E_CONFIG, "too many groups: admin_groups, or those of rules");
        q->groups[q->group_count] = wa_arena_strdup(&q->arena, item);
        if (q->groups[q->group_count] == NULL)
            return wa_nomem(err);
        q->group_count++;
    }
    return WA_OK;
}

static enum wa_code fill(struct wa_question *q, const struct wa_client *c, struct wa_err *err)
{
    memcpy(q->user, c->peer.user, sizeof q->user);
    wa_buf_addsv(&q->password, wa_buf_sv(&c->password));
    if (wa_buf_check(&q->password, err) != WA_OK)
        return err->code;
    if (q->ask == WA_ASK_NAME)
        return WA_OK;
    if (wa_self_load(q->m->db, &q->rules, err) != WA_OK)
        return err->code;
    q->groups[q->group_count++] = MEMBERS_OF_ALL;
    for (size_t i = 0; i < q->rules.group_count; i++)
        q->groups[q->group_count++] = q->rules.groups[i];
    return add_administrators(q, err);
}

static enum wa_code question_new(struct wa_client *c, struct wa_question **ret, struct wa_err *err)
{
    struct wa_question *q = wa_calloc(1, sizeof *q);
    if (q == NULL)
        return wa_nomem(err);
    q->local = c->local;
    q->m = c->local->m;
    q->client = c;
    q->ask = c->ask;
    q->uid = c->peer.uid;
    wa_buf_init(&q->password, 1024);
    wa_arena_init(&q->arena, WA_ROLE_AUTH_MAX);
    if (wa_self_rules_init(&q->rules, err) != WA_OK || fill(q, c, err) != WA_OK) {
        question_free(q);
        return err->code;
    }
    *ret = q;
    return WA_OK;
}

/* --- the answer --- */

static void pump(struct wa_local *l);

/* Of the groups that were asked for: all, the rules', the administrators'. A rule may name a person
 * instead of a group, as in WAPT. */
static void tell(struct wa_question *q, enum wa_code code, const char *why)
{
    bool in[WA_SELF_GROUPS_MAX] = {false};
    bool is_admin = q->auth.in_group[0];
    for (size_t i = 0; i < q->rules.group_count; i++)
        in[i] = q->auth.in_group[1 + i] || strcmp(q->rules.groups[i], q->user) == 0;
    for (size_t i = 1 + q->rules.group_count; i < q->group_count; i++)
        is_admin = is_admin || q->auth.in_group[i];
    const struct wa_ask_answer a = {.code = code,
                                    .why = why,
                                    .user = q->account.name,
                                    .is_admin = is_admin,
                                    .password_ok = q->auth.password_ok,
                                    .in = in,
                                    .rules = &q->rules};
    struct wa_client *c = q->client;
    c->question = NULL;
    c->ask = WA_ASK_NOTHING;
    wa_rights_answered(c, q->ask, &a);
}

static void found_out(void *user, enum wa_code code, const struct wa_err *err)
{
    struct wa_question *q = user;
    struct wa_local *l = q->local;
    if (l != NULL) {
        struct wa_question **at = &l->questions;
        while (*at != q)
            at = &(*at)->next;
        *at = q->next;
        l->question_count--;
        if (q->client != NULL)
            tell(q, code, err->text);
        pump(l);
    }
    question_free(q);
}

/* --- whose turn it is --- */

static bool has_one(const struct wa_local *l, uint32_t uid)
{
    for (const struct wa_question *q = l->questions; q != NULL; q = q->next)
        if (q->uid == uid)
            return true;
    return false;
}

/* The one that has waited longest. */
static struct wa_client *next_of(const struct wa_local *l)
{
    struct wa_client *found = NULL;
    for (struct wa_client *c = l->first; c != NULL; c = c->next)
        if (c->ask != WA_ASK_NOTHING && c->question == NULL && !has_one(l, c->peer.uid))
            found = c;
    return found;
}

static enum wa_code begin(struct wa_client *c, struct wa_err *err)
{
    struct wa_local *l = c->local;
    struct wa_question *q = NULL;
    if (question_new(c, &q, err) != WA_OK)
        return err->code;
    if (wa_loop_work(l->m->loop, find_out, found_out, q, err) != WA_OK) {
        question_free(q);
        return err->code;
    }
    q->next = l->questions;
    l->questions = q;
    l->question_count++;
    c->question = q;
    return WA_OK;
}

static void pump(struct wa_local *l)
{
    struct wa_client *c;
    while (l->question_count < WA_LOCAL_QUESTIONS_MAX && (c = next_of(l)) != NULL) {
        const struct wa_language *was = wa_text_speak(c->request.language); /* not who freed it */
        struct wa_err err = WA_ERR_INIT;
        if (begin(c, &err) != WA_OK) {
            c->ask = WA_ASK_NOTHING;
            (void)wa_client_finish(c, err.code, err.text, WA_SV(""));
        }
        (void)wa_text_speak(was);
    }
}

void wa_ask(struct wa_client *c, enum wa_ask ask)
{
    struct wa_err err = WA_ERR_INIT;
    c->ask = ask;
    if (wa_io_set(c->io, c->out.n > 0 ? WA_IO_WRITE : 0, &err) != WA_OK)
        wa_log_err(&c->local->m->log, WA_LOG_WARNING, "local.failed", &err);
    pump(c->local);
}

void wa_ask_forget(struct wa_client *c)
{
    if (c->question != NULL)
        c->question->client = NULL;
    c->question = NULL;
    c->ask = WA_ASK_NOTHING;
}

void wa_ask_end(struct wa_local *l)
{
    for (struct wa_question *q = l->questions; q != NULL; q = q->next) {
        q->local = NULL;
        q->client = NULL;
    }
}

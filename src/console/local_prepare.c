/* local_prepare.c - what a page asks to have signed: composed, shown, confirmed, signed, once.
 *
 * The bytes are fixed when they are shown. A commit names what was shown and nothing else; asked
 * again, it tells how it stands. Above a number of machines, and for what a kind says, a person
 * must say yes outside the page, which any script in it could do for him.
 */
#include "base/date.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "console/local_priv.h"
#include "os/clock.h"
#include "os/rand.h"
#include "pkg/unicode.h"

#define WHAT_MAX 64
#define SHOWN_VALUE_MAX 400u  /* bytes of a value, outside the page */
#define HOSTS_SHOWN_MAX 1000u /* by name, on a terminal */
#define HOSTS_WINDOW_MAX 60u  /* in a window, which holds little */
#define BLANKS_MAX 2u         /* one after the other */
#define HOSTS_LINE 70u        /* bytes of names, about */
#define LINES_BYTES_MAX (4u << 20)

enum { READY, ASKING, CONFIRMED, DONE, FAILED };

static const struct wa_local_kind *const kinds[] = {&wa_local_kind_actions,
                                                    &wa_local_kind_cancel,
                                                    &wa_local_kind_host_packages,
                                                    &wa_local_kind_import,
                                                    &wa_local_kind_promote,
                                                    &wa_local_kind_resign,
                                                    &wa_local_kind_plan,
                                                    &wa_local_kind_kit,
                                                    &wa_local_kind_rollout,
                                                    &wa_local_kind_policy,
                                                    &wa_local_kind_publish,
                                                    &wa_local_kind_certificate,
                                                    &wa_local_kind_wake,
                                                    &wa_local_kind_root,
                                                    &wa_local_kind_upload,
                                                    &wa_local_kind_grant,
                                                    &wa_local_kind_known_root,
                                                    &wa_local_kind_make,
                                                    &wa_local_kind_own_certificate,
                                                    &wa_local_kind_offers};

static const struct wa_local_kind *find_kind(struct wa_sv what)
{
    for (size_t i = 0; i < WA_COUNT(kinds); i++)
        if (wa_sv_eqs(what, kinds[i]->what))
            return kinds[i];
    return NULL;
}

/* --- what is kept --- */

static void prepared_free(struct wa_local_prepared *p)
{
    if (p == NULL)
        return;
    if (p->kind->discard != NULL)
        p->kind->discard(p);
    wa_targets_fini(&p->targets);
    wa_buf_fini(&p->title);
    wa_buf_fini(&p->lines);
    wa_buf_fini(&p->shown);
    wa_buf_fini(&p->details);
    wa_buf_fini(&p->result);
    wa_arena_fini(&p->arena);
    wa_free(p);
}

static struct wa_local_prepared *prepared_new(const struct wa_local_kind *kind, struct wa_err *err)
{
    struct wa_local_prepared *p = wa_calloc(1, sizeof *p);
    if (p == NULL) {
        (void)wa_nomem(err);
        return NULL;
    }
    p->kind = kind;
    p->is_unsigned = kind->is_unsigned;
    wa_arena_init(&p->arena, 256u << 20);
    wa_buf_init(&p->title, 4096);
    wa_buf_init(&p->lines, LINES_BYTES_MAX);
    wa_buf_init(&p->shown, LINES_BYTES_MAX);
    wa_buf_init(&p->details, LINES_BYTES_MAX);
    wa_buf_init(&p->result, LINES_BYTES_MAX);
    if (wa_rand_hex(p->id, 16, err) == WA_OK)
        return p;
    prepared_free(p);
    return NULL;
}

/* Nothing is to be seen of it, though a name with it is another one; beyond wa_utf8_is_shown(),
 * since files and messages may have it. */
static bool is_unseen(uint32_t cp)
{
    return cp == 0xad || cp == 0x34f || cp == 0x115f || cp == 0x1160 || cp == 0x17b4 ||
           cp == 0x17b5 || (cp >= 0x180b && cp <= 0x180f) || cp == 0x2800 || cp == 0x3164 ||
           (cp >= 0xfe00 && cp <= 0xfe0f) || cp == 0xffa0 || (cp >= 0xfff0 && cp <= 0xfffb) ||
           (cp >= 0xe0000 && cp <= 0xe0fff);
}

/* A name may be a machine's own word: it begins no line of its own, and has no blanks up to where a
 * terminal begins the next one. */
static void add_in_line(struct wa_buf *out, struct wa_sv text)
{
    size_t blanks = 0;
    uint32_t cp;
    for (size_t begin = 0, at = 0; wa_utf8_step(text, &at, &cp); begin = at) {
        bool is_blank = cp == ' ' || (cp >= 0xa0 && wa_unicode_isspace(cp));
        if (cp >= WA_UTF8_BAD || cp == '\n' || is_unseen(cp))
            wa_buf_addc(out, '?');
        else if (!is_blank)
            wa_buf_add(out, text.p + begin, at - begin); /* what moves the cursor: not from here */
        else if (blanks < BLANKS_MAX)
            wa_buf_addc(out, ' ');
        blanks = is_blank ? blanks + 1 : 0;
    }
}

void wa_local_say(struct wa_local_prepared *p, const char *label, struct wa_sv value)
{
    struct wa_jw w;
    size_t n = value.n > SHOWN_VALUE_MAX ? wa_utf8_cut(value.p, SHOWN_VALUE_MAX) : value.n;
    if (p->lines.n > 0)
        wa_buf_addc(&p->lines, ',');
    wa_jw_init(&w, &p->lines);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "label", label);
    wa_jw_kvsv(&w, "value", value);
    wa_jw_end(&w);
    wa_buf_adds(&p->shown, "  ");
    add_in_line(&p->shown, wa_sv(label));
    wa_buf_adds(&p->shown, ": ");
    add_in_line(&p->shown, wa_sv_sub(value, 0, n));
    wa_buf_adds(&p->shown, n < value.n ? "...\n" : "\n");
}

void wa_local_say_time(struct wa_local_prepared *p, const char *label, int64_t at)
{
    char text[WA_DATE_MAX];
    wa_date_rfc3339(at, text);
    wa_local_say(p, label, wa_sv(text));
}

bool wa_local_goes_on(void *user, uint64_t done, uint64_t total)
{
    struct wa_local_prepared *p = user;
    atomic_store(&p->done, done);
    atomic_store(&p->total, total);
    return !atomic_load(&p->is_stopped);
}

static struct wa_local_prepared **slot_of(struct wa_local *l, struct wa_sv id)
{
    for (size_t i = 0; i < WA_LOCAL_PREPARED; i++)
        if (l->prepared[i] != NULL && wa_sv_eqs(id, l->prepared[i]->id))
            return &l->prepared[i];
    return NULL;
}

static void drop(struct wa_local *l, struct wa_local_prepared **slot)
{
    wa_local_confirm_end(l, *slot);
    prepared_free(*slot);
    *slot = NULL;
}

void wa_local_prepared_sweep(struct wa_local *l, bool all)
{
    for (size_t i = 0; i < WA_LOCAL_PREPARED; i++) {
        struct wa_local_prepared *p = l->prepared[i];
        if (p != NULL && !p->is_busy && (all || p->expires_at <= wa_clock_now()))
            drop(l, &l->prepared[i]);
    }
}

static uint64_t minute_now(const struct wa_local *l)
{
    return wa_loop_now_ms(l->loop) / 60000u + WA_LOCAL_UNASKED_MIN; /* all zero: long ago */
}

/* What is signed for few machines at a time adds up, or a page could reach all of them unasked. A
 * gesture begins no new count: a page could wait for one. */
static bool needs_gesture(const struct wa_local *l, const struct wa_local_prepared *p)
{
    uint64_t now = minute_now(l);
    size_t before = 0;
    for (size_t i = 0; i < WA_LOCAL_UNASKED_MIN; i++)
        before += now - l->unasked[i].minute < WA_LOCAL_UNASKED_MIN ? l->unasked[i].count : 0;
    return p->needs_gesture || p->kind->gesture == WA_LOCAL_GESTURE_ALWAYS ||
           (p->kind->gesture == WA_LOCAL_GESTURE_ABOVE &&
            before + p->targets.count > l->o->confirm_above);
}

static void count_unasked(struct wa_local *l, const struct wa_local_prepared *p)
{
    uint64_t now = minute_now(l);
    size_t i = now % WA_LOCAL_UNASKED_MIN;
    if (l->unasked[i].minute != now)
        l->unasked[i].count = 0;
    l->unasked[i].minute = now;
    if (p->kind->gesture == WA_LOCAL_GESTURE_ABOVE)
        l->unasked[i].count += p->targets.count;
}

/* The key that p is to be signed with; NULL: there is none, or none is needed. */
static struct wa_local_key *key_of(struct wa_local *l, const struct wa_local_prepared *p)
{
    return p->is_unsigned ? NULL : wa_local_key_find(l, wa_sv(p->key_id));
}

static bool has_what_it_takes(const struct wa_local_prepared *p, const struct wa_local_key *key)
{
    return p->is_unsigned || (key != NULL && wa_local_key_is_open(key));
}

/* --- preparing --- */

static enum wa_code read_request(struct wa_sv body, struct wa_arena *arena,
                                 const struct wa_json **ret, const struct wa_local_kind **ret_kind,
                                 struct wa_err *err)
{
    if (wa_json_parse(body, 0, arena, ret, err) != WA_OK)
        return err->code;
    *ret_kind = find_kind(wa_json_sv(wa_json_get(*ret, "what")));
    return *ret_kind != NULL ? WA_OK : wa_fail(err, WA_E_INVALID, "nothing of that kind is signed");
}

static enum wa_code prepare(struct wa_local_job *job, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    struct wa_local_prepared *p = job->own;
    const struct wa_json *j = NULL;
    const struct wa_local_kind *kind = NULL;
    wa_arena_init(&arena, 64u << 20);
    if (read_request(wa_buf_sv(&job->in), &arena, &j, &kind, err) != WA_OK ||
        kind->prepare(p, j, job->client, err) != WA_OK || wa_buf_check(&p->title, err) != WA_OK ||
        wa_buf_check(&p->lines, err) != WA_OK || wa_buf_check(&p->shown, err) != WA_OK)
        return err->code;
    return wa_buf_check(&p->details, err);
}

static void write_prepared(const struct wa_local *l, const struct wa_local_prepared *p,
                           const struct wa_local_key *key, struct wa_buf *out)
{
    struct wa_jw w;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "id", p->id);
    wa_jw_kvsv(&w, "title", wa_buf_sv(&p->title));
    wa_jw_key(&w, "lines");
    wa_jw_arr(&w);
    if (p->lines.n > 0)
        wa_jw_raw(&w, wa_buf_sv(&p->lines));
    wa_jw_end(&w);
    wa_jw_key(&w, "hosts");
    wa_jw_arr(&w);
    for (size_t i = 0; i < p->targets.count; i++) {
        wa_jw_obj(&w);
        wa_jw_kv(&w, "uuid", p->targets.items[i].uuid);
        wa_jw_kv(&w, "name", p->targets.items[i].name);
        wa_jw_kvb(&w, "reachable", p->targets.items[i].is_reachable);
        wa_jw_end(&w);
    }
    wa_jw_end(&w);
    wa_jw_kvi(&w, "count", (int64_t)p->targets.count);
    if (p->details.n > 0) {
        wa_jw_key(&w, "details");
        wa_jw_raw(&w, wa_buf_sv(&p->details));
    }
    wa_jw_kv(&w, "key", p->key_id);
    wa_jw_kvb(&w, "signs", !p->is_unsigned);
    wa_jw_kv(&w, "needs",
             !has_what_it_takes(p, key) ? "unlock"
             : needs_gesture(l, p)      ? "gesture"
                                        : "none");
    wa_jw_kvi(&w, "expires_at", p->expires_at);
    wa_jw_end(&w);
}

/* Where to keep it: an empty place, else that of the oldest that nobody works on. */
static struct wa_local_prepared **make_room(struct wa_local *l)
{
    struct wa_local_prepared **oldest = NULL;
    for (size_t i = 0; i < WA_LOCAL_PREPARED; i++) {
        struct wa_local_prepared **at = &l->prepared[i];
        if (*at == NULL)
            return at;
        if (!(*at)->is_busy && (oldest == NULL || (*at)->expires_at < (*oldest)->expires_at))
            oldest = at;
    }
    if (oldest != NULL)
        drop(l, oldest);
    return oldest;
}

static void was_prepared(struct wa_local_job *job, struct wa_err *err)
{
    struct wa_local *l = job->local;
    struct wa_local_prepared *p = job->own;
    if (err->code == WA_E_AUTH)
        wa_local_server_lost(l, job->link);
    if (err->code != WA_OK)
        return;
    struct wa_local_prepared **slot = make_room(l);
    if (slot == NULL) {
        (void)wa_fail(err, WA_E_BUSY, "too much is being signed");
        return;
    }
    p->expires_at = wa_clock_now() + WA_LOCAL_PREPARED_S;
    *slot = p;
    job->own = NULL;
    write_prepared(l, p, key_of(l, p), &job->out);
}

static void prepare_fini(struct wa_local_job *job)
{
    prepared_free(job->own);
}

void wa_local_prepare(struct wa_local *l, struct wa_http_conn *c, struct wa_sv body)
{
    WA_AUTO_ARENA struct wa_arena arena;
    struct wa_err err = WA_ERR_INIT;
    const struct wa_json *j = NULL;
    const struct wa_local_kind *kind = NULL;
    wa_arena_init(&arena, 64u << 20);
    if (read_request(body, &arena, &j, &kind, &err) != WA_OK) {
        wa_local_answer_err(c, &err);
        return;
    }
    struct wa_local_job *job = wa_local_job_new(l, c);
    if (job == NULL)
        return;
    struct wa_local_prepared *p = prepared_new(kind, &err);
    const struct wa_local_key *key = wa_local_key_find(l, wa_json_sv(wa_json_get(j, "key")));
    if (p != NULL) {
        p->options = l->o;
        memcpy(p->server_fingerprint, l->server.trust.fingerprint, sizeof p->server_fingerprint);
        p->files_dir = l->o->files_dir;
    }
    job->own = p;
    job->fini = prepare_fini;
    job->work = prepare;
    job->done = was_prepared;
    if (key == NULL && !kind->is_unsigned && err.code == WA_OK)
        (void)wa_fail(&err, WA_E_CONFIG,
                      "there is no key to sign with: make one in the page Keys, or name yours as "
                      "personal_certificate_path in waptconsole.ini");
    else if (err.code == WA_OK && kind->needs_code_key && !key->can_sign_code)
        (void)wa_fail(&err, WA_E_DENIED, "this takes a certificate for code signing");
    else if (err.code == WA_OK && kind->needs_authority && !wa_cert_is_ca(key->chain.items[0]))
        (void)wa_fail(&err, WA_E_DENIED, "this takes the certificate of an authority");
    wa_buf_addsv(&job->in, body);
    if (err.code != WA_OK || (!kind->is_local && wa_local_job_use_server(job, &err) != WA_OK)) {
        wa_local_job_refuse(job, &err);
        return;
    }
    if (!kind->is_unsigned) {
        (void)snprintf(p->key_id, sizeof p->key_id, "%s", key->id);
        (void)snprintf(p->signer, sizeof p->signer, "%s", wa_cert_fingerprint(key->chain.items[0]));
    }
    wa_local_job_start(job);
}

void wa_local_discard(struct wa_local *l, struct wa_http_conn *c, struct wa_sv id)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_local_prepared **slot = slot_of(l, id);
    if (slot == NULL)
        (void)wa_fail(&err, WA_E_NOT_FOUND, "this was done, discarded or shown too long ago");
    else if ((*slot)->is_busy && (*slot)->kind->can_stop) {
        atomic_store(&(*slot)->is_stopped, true);
        wa_http_answer(c, 202, "application/json", WA_SV("{}"), NULL);
        return;
    } else if ((*slot)->is_busy)
        (void)wa_fail(&err, WA_E_CONFLICT, "it is being signed and sent");
    if (err.code != WA_OK) {
        wa_http_answer_err(c, &err);
        return;
    }
    drop(l, slot);
    wa_http_answer(c, 200, "application/json", WA_SV("{}"), NULL);
}

/* --- committing --- */

struct signing {
    struct wa_local_prepared *p;
    struct wa_local_key *key;
};

static enum wa_code sign(struct wa_local_job *job, struct wa_err *err)
{
    struct signing *s = job->own;
    struct wa_signer signer = {NULL, NULL};
    struct wa_jw w;
    if (s->key != NULL)
        signer = (struct wa_signer){s->key->key, &s->key->chain};
    wa_jw_init(&w, &s->p->result);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "state", "done");
    if (s->p->kind->commit(s->p, s->key != NULL ? &signer : NULL, job->client, &w, err) != WA_OK)
        return err->code;
    wa_jw_end(&w);
    return wa_buf_check(&s->p->result, err);
}

static void answer_result(const struct wa_local_prepared *p, struct wa_http_conn *c)
{
    if (p->state == FAILED)
        wa_local_answer_err(c, &p->why);
    else
        wa_http_answer(c, 200, "application/json", wa_buf_sv(&p->result), NULL);
}

static void was_signed(struct wa_local_job *job, struct wa_err *err)
{
    struct signing *s = job->own;
    struct wa_local_prepared *p = s->p;
    if (err->code == WA_E_AUTH)
        wa_local_server_lost(job->local, job->link);
    p->is_busy = false;
    p->state = err->code == WA_OK ? DONE : FAILED;
    p->why = *err;
    if (s->key != NULL)
        wa_local_key_release(s->key);
    wa_log(job->local->o->log, WA_LOG_INFO, "console.signed", WA_LF_S("what", p->kind->what),
           WA_LF_I("hosts", (int64_t)p->targets.count), WA_LF_S("key", p->key_id),
           WA_LF_S("code", wa_code_name(err->code)));
    if (err->code == WA_OK)
        wa_buf_addsv(&job->out, wa_buf_sv(&p->result));
}

static void signing_fini(struct wa_local_job *job)
{
    wa_free(job->own);
}

static void answer_sending(const struct wa_local_prepared *p, struct wa_http_conn *c)
{
    char body[192];
    (void)snprintf(
        body, sizeof body,
        "{\"state\":\"sending\",\"done\":%llu,\"total\":%llu,\"step\":%zu,\"steps\":%zu}",
        (unsigned long long)atomic_load(&p->done), (unsigned long long)atomic_load(&p->total),
        atomic_load(&p->step), atomic_load(&p->steps));
    wa_http_answer(c, 202, "application/json", wa_sv(body), NULL);
}

static void start_signing(struct wa_local *l, struct wa_local_prepared *p, struct wa_http_conn *c)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_local_key *key = key_of(l, p);
    /* Of what can be stopped the page is told how far it is. */
    struct wa_http_conn *waiting = p->kind->can_stop ? NULL : c;
    struct wa_local_job *job = wa_local_job_new(l, waiting);
    struct signing *s = wa_calloc(1, sizeof *s);
    if (job == NULL)
        (void)wa_nomem(&err);
    else if (s == NULL)
        (void)wa_nomem(&err);
    else if (!has_what_it_takes(p, key))
        (void)wa_fail(&err, WA_E_CONFLICT, "the key is locked: unlock it first");
    else if (p->kind->is_local || wa_local_job_use_server(job, &err) == WA_OK) {
        if (p->state != CONFIRMED)
            count_unasked(l, p);
        *s = (struct signing){p, key};
        if (key != NULL)
            key->users++;
        p->is_busy = true;
        job->own = s;
        job->fini = signing_fini;
        job->exchange.stop = NULL; /* what was begun is not left half done because a page went */
        job->work = sign;
        job->done = was_signed;
        wa_local_job_start(job);
        if (waiting == NULL)
            answer_sending(p, c);
        return;
    }
    wa_free(s);
    if (waiting == NULL)
        wa_local_answer_err(c, &err);
    if (job != NULL)
        wa_local_job_refuse(job, &err);
}

static void was_asked(void *user, const struct wa_err *err);

static void answer_waiting(const struct wa_local *l, struct wa_http_conn *c)
{
    char body[WA_LOCAL_WAITING];
    wa_local_confirm_waiting(l, body);
    wa_http_answer(c, 202, "application/json", wa_sv(body), NULL);
}

/* Which machines: a page that was told something else than the person wants would have the number
 * right. Before the lines, so that what is done stands where the code is typed. */
static void add_hosts(const struct wa_local *l, const struct wa_local_prepared *p,
                      struct wa_buf *out)
{
    size_t max = wa_local_prompt_is_there(l) ? HOSTS_WINDOW_MAX : HOSTS_SHOWN_MAX;
    size_t n = p->targets.count < max ? p->targets.count : max, line = 0;
    for (size_t i = 0; i < n; i++) {
        const struct wa_target *t = &p->targets.items[i];
        size_t before = out->n;
        wa_buf_adds(out, line == 0 ? "    " : ", ");
        add_in_line(out, wa_sv(t->name[0] != '\0' ? t->name : t->uuid));
        line += out->n - before;
        if (line < HOSTS_LINE && i + 1 < n)
            continue;
        wa_buf_addc(out, '\n');
        line = 0;
    }
    if (n < p->targets.count)
        wa_buf_addf(out, wa_text("    and %zu others\n"), p->targets.count - n);
}

/* By whose name: a page could have taken another key, or made one. */
static void add_key(const struct wa_local_key *key, struct wa_buf *out)
{
    if (key == NULL)
        return;
    wa_buf_addf(out, "  %s: ", wa_text("Key"));
    add_in_line(out, wa_sv(wa_cert_cn(key->chain.items[0])));
    wa_buf_addf(out, " (%s)\n", wa_cert_fingerprint(key->chain.items[0]));
}

static void ask(struct wa_local *l, struct wa_local_prepared *p, struct wa_http_conn *c)
{
    WA_AUTO_BUF struct wa_buf text;
    struct wa_err err = WA_ERR_INIT;
    wa_buf_init(&text, LINES_BYTES_MAX + 8192);
    add_in_line(&text, wa_buf_sv(&p->title));
    wa_buf_addc(&text, '\n');
    add_hosts(l, p, &text);
    wa_buf_addsv(&text, wa_buf_sv(&p->shown));
    add_key(key_of(l, p), &text);
    if (!has_what_it_takes(p, key_of(l, p)))
        (void)wa_fail(&err, WA_E_CONFLICT, "the key is locked: unlock it first");
    else if (wa_buf_check(&text, &err) == WA_OK &&
             wa_local_confirm(l, wa_buf_sv(&text), was_asked, p, &err) == WA_OK) {
        p->state = ASKING;
        answer_waiting(l, c);
        return;
    }
    wa_local_answer_err(c, &err);
}

static void was_asked(void *user, const struct wa_err *err)
{
    struct wa_local_prepared *p = user;
    p->state = err->code == WA_OK ? CONFIRMED : FAILED;
    p->why = *err;
}

void wa_local_commit(struct wa_local *l, struct wa_http_conn *c, struct wa_sv body)
{
    WA_AUTO_ARENA struct wa_arena arena;
    struct wa_err err = WA_ERR_INIT;
    const struct wa_json *j = NULL;
    struct wa_sv id = WA_SV("");
    const struct wa_json_field fields[] = {{"id", WA_WANT_SV, true, 32, &id}};
    wa_arena_init(&arena, 64u << 10);
    wa_local_prepared_sweep(l, false);
    struct wa_local_prepared **slot =
        wa_json_parse(body, 0, &arena, &j, &err) == WA_OK &&
                wa_json_read(j, fields, WA_COUNT(fields), "the request", &err) == WA_OK
            ? slot_of(l, id)
            : NULL;
    if (slot == NULL) {
        if (err.code == WA_OK)
            (void)wa_fail(&err, WA_E_NOT_FOUND, "this was discarded or shown too long ago");
        wa_http_answer_err(c, &err);
        return;
    }
    struct wa_local_prepared *p = *slot;
    if (p->is_busy)
        answer_sending(p, c);
    else if (p->state == ASKING)
        answer_waiting(l, c);
    else if (p->state == DONE || p->state == FAILED)
        answer_result(p, c);
    else if (p->state == READY && needs_gesture(l, p))
        ask(l, p, c);
    else
        start_signing(l, p, c);
}

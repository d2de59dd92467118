/* store_check.c - reports read and their signatures checked in threads, while the store's own
 * writes what others brought.
 *
 * A thread touches nothing of the store's but the keys that it remembers. What it has found is
 * judged in the store's thread, one report after another: that the key is the machine's now, that
 * the number is new. So two threads that read the same report twice change nothing about it. What
 * comes while all are busy goes to the next that is free, together.
 */
#include "server/store_check.h"

#include "base/mem.h"

#define SMALL (64u << 10)      /* bytes: read in a thread */
#define MEMORY_MAX (16u << 20) /* bytes: of such a one as a tree of nodes */
#define WAITING_MAX                                                                                \
    (32u << 20) /* bytes: then the store reads for itself, and fronts wait for it                  \
                 */
#define PILES 3u
#define PILE_MAX 32u

/* --- one report --- */

static enum wa_code read_sections(struct wa_statement *r, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, WA_JSON_BYTES_MAX);
    for (size_t i = 0; i < WA_SEC_COUNT; i++) {
        struct wa_statement_section *s = &r->sections[i];
        if (r->status.sections[i] == NULL)
            continue;
        wa_buf_clear(&text);
        if (wa_section_canonical(r->status.sections[i], &text, s->digest, err) != WA_OK)
            return wa_wrap(err, "section '%s'", wa_section_name((enum wa_section)i));
        wa_buf_clear(&text);
        wa_json_write(r->status.sections[i], &text);
        if (wa_buf_check(&text, err) != WA_OK)
            return err->code;
        char *copy = wa_arena_strdup(&r->arena, wa_buf_sv(&text));
        if (copy == NULL)
            return wa_nomem(err);
        s->text = wa_sv_n(copy, text.n);
    }
    return WA_OK;
}

/* ret_uuid: whose it says it is. */
static enum wa_code read_message(struct wa_statement *r, struct wa_sv *ret_uuid, struct wa_err *err)
{
    const struct wa_json *j = r->envelope.statement;
    enum wa_code code = r->kind == WA_STATES_STATUS   ? wa_status_read(j, &r->status, err)
                        : r->kind == WA_STATES_RESULT ? wa_result_read(j, &r->result, err)
                                                      : wa_leave_read(j, &r->leave, err);
    *ret_uuid = r->kind == WA_STATES_STATUS   ? r->status.uuid
                : r->kind == WA_STATES_RESULT ? r->result.uuid
                                              : r->leave.uuid;
    return code == WA_OK && r->kind == WA_STATES_STATUS ? read_sections(r, err) : code;
}

static enum wa_code open_report(struct wa_statement *r, struct wa_sv body, struct wa_err *err)
{
    static const char *const purposes[] = {[WA_STATES_STATUS] = WA_PURPOSE_STATUS,
                                           [WA_STATES_RESULT] = WA_PURPOSE_RESULT,
                                           [WA_STATES_LEAVE] = WA_PURPOSE_LEAVE};
    size_t which = 0;
    if (wa_envelope_parse_any(body, purposes, WA_COUNT(purposes), &r->arena, &r->envelope, &which,
                              err) == WA_OK)
        r->kind = (enum wa_statement_kind)which;
    return err->code;
}

void wa_statement_read(struct wa_statement *r, struct wa_sv body, struct wa_senders *senders,
                       struct wa_key **scratch)
{
    struct wa_sv uuid = {NULL, 0};
    struct wa_err ignored = WA_ERR_INIT;
    wa_arena_init(&r->arena, body.n <= SMALL ? MEMORY_MAX : WA_REPORT_MEMORY_MAX);
    if (open_report(r, body, &r->why) == WA_OK && read_message(r, &uuid, &r->why) == WA_OK &&
        wa_senders_get(senders, uuid, &r->checked))
        r->is_checked = wa_sender_check(&r->checked, &r->envelope, scratch, &ignored) == WA_OK;
}

void wa_statement_fini(struct wa_statement *r)
{
    wa_arena_fini(&r->arena);
}

/* --- several, in threads --- */

struct item {
    struct item *next;
    struct wa_store_request *request;
    struct wa_statement report;
};

struct pile {
    struct wa_store_checks *of;
    struct item *first;
    struct wa_key *scratch;
    bool is_busy;
};

struct wa_store_checks {
    struct wa_store *store;
    struct wa_timer *turn;
    struct pile piles[PILES], large; /* large: one report at a time, for its memory */
    struct item *first, **last;      /* waiting */
    struct item *large_first, **large_last;
    size_t count, bytes; /* of the small ones; bytes of all that are not judged yet */
    bool has_turn, is_ending;
};

static void judge(struct item *it)
{
    wa_store_judge_report(it->request, &it->report);
    wa_statement_fini(&it->report);
    wa_free(it);
}

/* In a thread. */
static enum wa_code read_pile(void *user, struct wa_err *err)
{
    struct pile *p = user;
    for (struct item *it = p->first; it != NULL; it = it->next)
        wa_statement_read(&it->report, wa_buf_sv(&it->request->body), p->of->store->senders,
                          &p->scratch);
    return err->code;
}

static void start_piles(struct wa_store_checks *c);
static void start_large(struct wa_store_checks *c);

static void judge_pile(void *user, enum wa_code code, const struct wa_err *err)
{
    struct pile *p = user;
    struct wa_store_checks *c = p->of;
    struct item *it = p->first;
    WA_UNUSED(code);
    WA_UNUSED(err);
    p->first = NULL;
    p->is_busy = false;
    start_piles(c); /* before the disk is waited for */
    start_large(c);
    while (it != NULL) {
        struct item *next = it->next;
        c->bytes -= it->request->body.n;
        wa_store_gather(c->store);
        judge(it);
        it = next;
    }
}

static void read_and_judge(struct wa_store_checks *c, struct pile *p)
{
    struct wa_err err = WA_ERR_INIT;
    p->is_busy = true;
    if (wa_loop_work(c->store->loop, read_pile, judge_pile, p, &err) == WA_OK)
        return;
    (void)read_pile(p, &err);
    judge_pile(p, WA_OK, &err);
}

static void take_pile(struct wa_store_checks *c, struct pile *p, size_t n)
{
    struct item **end = &c->first;
    for (size_t i = 0; i < n; i++)
        end = &(*end)->next;
    p->first = c->first;
    c->first = *end;
    *end = NULL;
    c->count -= n;
    if (c->first == NULL)
        c->last = &c->first;
    read_and_judge(c, p);
}

static void start_large(struct wa_store_checks *c)
{
    struct item *it = c->large_first;
    if (it == NULL || c->large.is_busy || c->is_ending)
        return;
    c->large_first = it->next;
    if (c->large_first == NULL)
        c->large_last = &c->large_first;
    it->next = NULL;
    c->large.first = it;
    read_and_judge(c, &c->large);
}

/* Those that wait go to those that are free, in equal parts. */
static void start_piles(struct wa_store_checks *c)
{
    size_t idle = 0;
    for (size_t i = 0; i < PILES; i++)
        idle += !c->piles[i].is_busy;
    for (size_t i = 0; i < PILES && c->count > 0 && !c->is_ending; i++) {
        if (c->piles[i].is_busy)
            continue;
        size_t n = (c->count + idle - 1) / idle;
        idle--;
        take_pile(c, &c->piles[i], n < PILE_MAX ? n : PILE_MAX);
    }
}

static void on_turn(void *user)
{
    struct wa_store_checks *c = user;
    c->has_turn = false;
    start_piles(c);
    start_large(c);
}

static void read_here(struct wa_store *s, struct item *it)
{
    wa_statement_read(&it->report, wa_buf_sv(&it->request->body), s->senders, &s->sender);
    judge(it);
}

/* Nobody knows yet whose it is: what is large waits in line, or comes again. */
static void refuse(struct item *it)
{
    struct wa_err err = WA_ERR_INIT;
    (void)wa_fail(&err, WA_E_BUSY, "too many large reports come at the same time: later");
    wa_store_answer_err(it->request, &err);
    wa_free(it);
}

void wa_store_report(struct wa_store_request *r)
{
    struct wa_store *s = r->store;
    struct wa_store_checks *c = s->checking;
    struct item *it = wa_calloc(1, sizeof *it);
    if (it == NULL) {
        struct wa_err err = WA_ERR_INIT;
        (void)wa_nomem(&err);
        wa_store_answer_err(r, &err);
        return;
    }
    it->request = r;
    bool is_large = r->body.n > SMALL;
    if (is_large && c != NULL && c->bytes > WAITING_MAX) {
        refuse(it);
        return;
    }
    if (c == NULL || c->is_ending || c->bytes > WAITING_MAX) {
        read_here(s, it);
        return;
    }
    struct item ***last = is_large ? &c->large_last : &c->last;
    **last = it;
    *last = &it->next;
    c->count += !is_large;
    c->bytes += r->body.n;
    if (!c->has_turn) /* what comes in this turn goes together */
        wa_timer_start(c->turn, 0, 0);
    c->has_turn = true;
}

enum wa_code wa_store_checks_start(struct wa_store *s, struct wa_err *err)
{
    struct wa_store_checks *c = wa_calloc(1, sizeof *c);
    if (c == NULL)
        return wa_nomem(err);
    c->store = s;
    c->last = &c->first;
    c->large_last = &c->large_first;
    c->large.of = c;
    for (size_t i = 0; i < PILES; i++)
        c->piles[i].of = c;
    if (wa_timer_new(s->loop, on_turn, c, &c->turn, err) != WA_OK) {
        wa_free(c);
        return err->code;
    }
    s->checking = c;
    return WA_OK;
}

static bool is_busy(const struct wa_store_checks *c)
{
    bool any = c->large.is_busy;
    for (size_t i = 0; i < PILES; i++)
        any |= c->piles[i].is_busy;
    return any;
}

static void free_waiting(struct item *it)
{
    while (it != NULL) {
        struct item *next = it->next;
        wa_store_request_free(it->request);
        wa_free(it);
        it = next;
    }
}

void wa_store_checks_end(struct wa_store *s)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_store_checks *c = s->checking;
    if (c == NULL)
        return;
    c->is_ending = true; /* those that wait have been told nothing, and come again */
    while (is_busy(c) && wa_loop_turn(s->loop, -1, &err) == WA_OK)
        continue;
    free_waiting(c->first);
    free_waiting(c->large_first);
    for (size_t i = 0; i < PILES; i++)
        wa_key_free(c->piles[i].scratch);
    wa_key_free(c->large.scratch);
    wa_timer_free(c->turn);
    wa_free(c);
    s->checking = NULL;
}

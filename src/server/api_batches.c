/* api_batches.c - what was ordered lately: by whom, what, for how many machines, and how far each
 * has come. What somebody does not see is not counted, and a batch of such machines alone is none.
 */
#include "base/mem.h"
#include "os/clock.h"
#include "server/api_page.h"
#include "server/store_batches.h"

#define PAGE 50
#define PAGE_MAX 200 /* rows: the states of each are counted */

struct counting {
    const struct wa_api_call *call;
    struct wa_jw *w;
    char state[16];
    int64_t n, total;
};

static void tell(struct counting *k)
{
    if (k->n > 0)
        wa_jw_kvi(k->w, k->state, k->n);
    k->total += k->n;
    k->n = 0;
}

/* They come sorted by state. */
static void count(void *user, struct wa_sv state, struct wa_sv uuid, int64_t n)
{
    struct counting *k = user;
    const struct wa_api_call *c = k->call;
    if (c->who.is_limited && !wa_fleet_sees(c->store->fleet, &c->who.view, uuid))
        return;
    if (!wa_sv_eqs(state, k->state))
        tell(k);
    (void)snprintf(k->state, sizeof k->state, "%.*s", WA_SV_ARG(state));
    k->n += n;
}

/* One row, if there is something in it that the caller sees. */
static enum wa_code write_batch(const struct wa_api_call *c, const struct wa_batch *b,
                                struct wa_buf *out, struct wa_err *err)
{
    struct wa_jw w;
    struct counting k = {.call = c, .w = &w};
    size_t before = out->n;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "batch", b->id);
    wa_jw_kv(&w, "kind", b->kind);
    wa_jw_kv(&w, "what", b->what);
    wa_jw_kv(&w, "user", b->user);
    wa_jw_kv(&w, "signer", b->signer);
    wa_jw_kvi(&w, "created", b->created);
    wa_jw_key(&w, "counts");
    wa_jw_obj(&w);
    if (wa_batches_states(c->store->db, b->id, !c->who.is_limited, wa_clock_now(), count, &k,
                          err) != WA_OK)
        return err->code;
    tell(&k);
    wa_jw_end(&w);
    wa_jw_kvi(&w, "machines", k.total);
    wa_jw_end(&w);
    if (k.total == 0)
        out->n = before;
    return wa_buf_check(out, err);
}

static enum wa_code write_page(const struct wa_api_call *c, const struct wa_api_page *page,
                               const struct wa_batch *rows, size_t count, struct wa_err *err)
{
    char created[24];
    struct wa_jw w;
    bool has_more = count > (size_t)page->limit;
    wa_jw_init(&w, c->out);
    wa_jw_obj(&w);
    wa_jw_key(&w, "batches");
    wa_jw_arr(&w);
    for (size_t i = 0; i < count && i < (size_t)page->limit; i++) {
        WA_AUTO_BUF struct wa_buf row;
        wa_buf_init(&row, 64u << 10);
        if (write_batch(c, &rows[i], &row, err) != WA_OK)
            return err->code;
        if (row.n > 0)
            wa_jw_raw(&w, wa_buf_sv(&row));
    }
    wa_jw_end(&w);
    if (has_more) {
        const struct wa_batch *last = &rows[page->limit - 1];
        (void)snprintf(created, sizeof created, "%lld", (long long)last->created);
        wa_api_page_next(&w, page, created, last->id);
    }
    wa_jw_end(&w);
    return wa_buf_check(c->out, err);
}

static enum wa_code call_batches(struct wa_api_call *c, struct wa_err *err)
{
    struct wa_api_page page;
    struct wa_batch after = {.created = -1};
    size_t n = 0;
    if (wa_api_page_read(c, PAGE, PAGE_MAX, &page, err) != WA_OK)
        return err->code;
    if (page.has_after &&
        (!wa_sv_i64(wa_sv(page.value), &after.created) || strlen(page.id) >= sizeof after.id))
        return wa_fail(err, WA_E_USAGE, "'after' is not the 'next' of a page of this list");
    if (page.has_after)
        memcpy(after.id, page.id, strlen(page.id) + 1);
    struct wa_batch *rows = wa_calloc((size_t)page.limit + 1, sizeof *rows);
    if (rows == NULL)
        return wa_nomem(err);
    if (wa_batches_list(c->store->db, &after, (size_t)page.limit + 1, rows, &n, err) == WA_OK)
        (void)!write_page(c, &page, rows, n, err);
    wa_free(rows);
    return err->code;
}

static const struct wa_api_param params[] = {WA_API_PAGE_PARAMS, {NULL, NULL, false}};
static const struct wa_api_route routes[] = {
    {"GET", "/api/v1/batches", WA_MAY_VIEW, false, call_batches,
     "What was ordered, the newest first: by whom, for how many, and how far it has come", params,
     NULL, "Batches"},
};
const struct wa_api_resource wa_api_batches_calls = {routes, WA_COUNT(routes)};

/* api_batches.c - what was ordered lately: by whom, what, for how many machines, and how far each
 * has come. What somebody does not see is not counted, and a batch of such machines alone is none.
 */
#include "os/clock.h"
#include "server/api_page.h"
#include "server/store_batches.h"

#define PAGE 50
#define PAGE_MAX 200      /* rows: the states of each are counted */
#define CHUNK 50u         /* rows that are read at once */
#define LOOKED_MAX 50000u /* orders and batches that are looked at for one page */

struct counting {
    const struct wa_api_call *call;
    struct wa_jw *w;
    char state[16];
    int64_t n, total;
    size_t looked; /* rows */
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
    k->looked++;
    if (c->who.is_limited && !wa_fleet_sees(c->store->fleet, &c->who.view, uuid))
        return;
    if (!wa_sv_eqs(state, k->state))
        tell(k);
    (void)snprintf(k->state, sizeof k->state, "%.*s", WA_SV_ARG(state));
    k->n += n;
}

/* One row, if there is something in it that the caller sees. *looked: what it took is added. */
static enum wa_code write_batch(const struct wa_api_call *c, const struct wa_batch *b,
                                struct wa_buf *out, size_t *looked, struct wa_err *err)
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
    *looked += k.looked + 1;
    if (k.total == 0)
        out->n = before;
    return wa_buf_check(out, err);
}

/* A page is filled with what the caller sees, however much there is between that it does not; its
 * 'next' is then the place of a row that it shows. Where too much lies between, the page ends early
 * and the place is a second, which names nothing that is not seen. */
static enum wa_code write_rows(const struct wa_api_call *c, const struct wa_batch *after,
                               int64_t left, struct wa_jw *w, struct wa_batch *ret_next,
                               struct wa_err *err)
{
    struct wa_batch rows[CHUNK], at = *after, shown = {.created = -1};
    size_t chunk = left < (int64_t)CHUNK ? (size_t)left + 1 : CHUNK, n = chunk, looked = 0;
    while (n == chunk) {
        if (wa_batches_list(c->store->db, &at, chunk, rows, &n, err) != WA_OK)
            return err->code;
        for (size_t i = 0; i < n; i++) {
            WA_AUTO_BUF struct wa_buf row;
            wa_buf_init(&row, 64u << 10);
            if (looked > LOOKED_MAX && rows[i].created != at.created) {
                *ret_next = (struct wa_batch){.id = "0", .created = at.created};
                return WA_OK;
            }
            if (write_batch(c, &rows[i], &row, &looked, err) != WA_OK)
                return err->code;
            at = rows[i];
            if (row.n > 0 && left-- == 0) {
                *ret_next = shown;
                return WA_OK;
            }
            if (row.n > 0) {
                wa_jw_raw(w, wa_buf_sv(&row));
                shown = rows[i];
            }
        }
    }
    return WA_OK;
}

static enum wa_code call_batches(struct wa_api_call *c, struct wa_err *err)
{
    struct wa_api_page page;
    struct wa_batch after = {.created = -1}, next = {.created = -1};
    struct wa_jw w;
    char created[24];
    if (wa_api_page_read(c, PAGE, PAGE_MAX, &page, err) != WA_OK)
        return err->code;
    if (page.has_after &&
        (!wa_sv_i64(wa_sv(page.value), &after.created) || strlen(page.id) >= sizeof after.id))
        return wa_fail(err, WA_E_USAGE, "'after' is not the 'next' of a page of this list");
    if (page.has_after)
        memcpy(after.id, page.id, strlen(page.id) + 1);
    wa_jw_init(&w, c->out);
    wa_jw_obj(&w);
    wa_jw_key(&w, "batches");
    wa_jw_arr(&w);
    if (write_rows(c, &after, page.limit, &w, &next, err) != WA_OK)
        return err->code;
    wa_jw_end(&w);
    if (next.id[0] != '\0') {
        (void)snprintf(created, sizeof created, "%lld", (long long)next.created);
        wa_api_page_next(&w, &page, created, next.id);
    }
    wa_jw_end(&w);
    return wa_buf_check(c->out, err);
}

static const struct wa_api_param params[] = {WA_API_PAGE_PARAMS, {NULL, NULL, false}};
static const struct wa_api_route routes[] = {
    {"GET", "/api/v1/batches", WA_MAY_VIEW, false, call_batches,
     "What was ordered, the newest first: by whom, for how many, and how far it has come", params,
     NULL, "Batches"},
};
const struct wa_api_resource wa_api_batches_calls = {routes, WA_COUNT(routes)};

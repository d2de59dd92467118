/* local_gate.c - see local_gate.h.
 *
 * The token counts as a header alone: a cookie would come along with a request that another site
 * makes the browser send, an address would stay in histories. A header that comes twice is no
 * header.
 */
#include "net/local_gate.h"

#include "base/mem.h"
#include "os/rand.h"

enum wa_code wa_local_gate_init(struct wa_local_gate *g, const char *address, uint16_t port,
                                struct wa_err *err)
{
    *g = (struct wa_local_gate){.next = 0};
    (void)snprintf(g->host, sizeof g->host, "%s:%u", address, (unsigned)port);
    (void)snprintf(g->origin, sizeof g->origin, "http://%s", g->host);
    return wa_rand_hex(g->token, 32, err) == WA_OK ? wa_rand_hex(g->proof, 32, err) : err->code;
}

void wa_local_gate_fini(struct wa_local_gate *g)
{
    wa_wipe(g, sizeof *g);
}

enum wa_code wa_local_gate_ticket(struct wa_local_gate *g, uint64_t now_ms,
                                  struct wa_local_ticket *ret, struct wa_err *err)
{
    size_t i = g->next % WA_LOCAL_TICKETS;
    if (wa_rand_hex(ret->secret, 32, err) != WA_OK || wa_rand_hex(ret->answer, 32, err) != WA_OK)
        return err->code;
    g->tickets[i].t = *ret;
    g->tickets[i].until_ms = now_ms + WA_LOCAL_TICKET_MS;
    g->next++;
    return WA_OK;
}

static bool is_secret(struct wa_sv given, const char *secret)
{
    return secret[0] != '\0' && given.n == WA_LOCAL_SECRET_SIZE - 1 &&
           wa_ct_equal(given.p, secret, WA_LOCAL_SECRET_SIZE - 1);
}

enum wa_code wa_local_gate_redeem(struct wa_local_gate *g, struct wa_sv secret, uint64_t now_ms,
                                  char ret_answer[WA_LOCAL_SECRET_SIZE], struct wa_err *err)
{
    for (size_t i = 0; i < WA_LOCAL_TICKETS; i++) {
        struct wa_local_ticket *t = &g->tickets[i].t;
        if (!is_secret(secret, t->secret))
            continue;
        memcpy(ret_answer, t->answer, sizeof t->answer);
        wa_wipe(t, sizeof *t);
        if (now_ms <= g->tickets[i].until_ms)
            return WA_OK;
    }
    return wa_fail(err, WA_E_AUTH, "this link was used or is too old: start the program again");
}

/* *ret empty when absent; false when it comes twice. */
static bool once(const struct wa_http_head *head, const char *name, struct wa_sv *ret)
{
    size_t n = 0;
    *ret = (struct wa_sv){NULL, 0};
    for (size_t i = 0; i < head->header_count; i++)
        if (wa_sv_ieqs(head->headers[i].name, name)) {
            *ret = head->headers[i].value;
            n++;
        }
    return n <= 1;
}

static enum wa_code check_host(const struct wa_local_gate *g, const struct wa_http_head *head,
                               struct wa_err *err)
{
    struct wa_sv host;
    if (!once(head, "host", &host) || !wa_sv_eqs(host, g->host))
        return wa_fail(err, WA_E_DENIED, "this is not the host that was asked for");
    return WA_OK;
}

static enum wa_code other_site(struct wa_err *err)
{
    return wa_fail(err, WA_E_DENIED, "another site may not ask for this");
}

enum wa_code wa_local_gate_file(const struct wa_local_gate *g, const struct wa_http_head *head,
                                struct wa_err *err)
{
    struct wa_sv site, mode, dest;
    if (check_host(g, head, err) != WA_OK)
        return err->code;
    if (head->method != WA_HTTP_GET && head->method != WA_HTTP_HEAD)
        return wa_fail(err, WA_E_DENIED, "there is nothing to change here");
    if (!once(head, "sec-fetch-site", &site) || !once(head, "sec-fetch-mode", &mode) ||
        !once(head, "sec-fetch-dest", &dest))
        return other_site(err);
    if (site.n == 0 || wa_sv_eqs(site, "same-origin") || wa_sv_eqs(site, "none"))
        return WA_OK;
    /* A link that is followed, as from the file that opens the browser: a page of its own. */
    return wa_sv_eqs(mode, "navigate") && wa_sv_eqs(dest, "document") ? WA_OK : other_site(err);
}

#define BYTES "application/octet-stream"

static bool is_type(struct wa_sv type, const char *wanted)
{
    struct wa_sv what = {NULL, 0};
    (void)wa_sv_split(&type, ';', &what);
    return wa_sv_ieqs(wa_sv_trim(what), wanted);
}

static enum wa_code check_call(const struct wa_local_gate *g, const struct wa_http_head *head,
                               const char *wanted, bool needs_token, struct wa_err *err)
{
    struct wa_sv origin, site, type, proof;
    if (check_host(g, head, err) != WA_OK)
        return err->code;
    if (!once(head, "origin", &origin) || !once(head, "sec-fetch-site", &site) ||
        (origin.p != NULL && !wa_sv_eqs(origin, g->origin)) ||
        (site.p != NULL && !wa_sv_eqs(site, "same-origin") && !wa_sv_eqs(site, "none")))
        return other_site(err);
    if (!once(head, "content-type", &type) || (head->has_body && !is_type(type, wanted)))
        return wa_fail(err, WA_E_INVALID, "the body must be %s", wanted);
    if (!needs_token)
        return WA_OK;
    if (!once(head, "authorization", &proof) || !wa_sv_starts(proof, "Bearer ") ||
        !is_secret(wa_sv_sub(proof, 7, proof.n), g->token))
        return wa_fail(err, WA_E_AUTH, "this page is not known any more: open the console again");
    return WA_OK;
}

enum wa_code wa_local_gate_call(const struct wa_local_gate *g, const struct wa_http_head *head,
                                bool needs_token, struct wa_err *err)
{
    return check_call(g, head, "application/json", needs_token, err);
}

enum wa_code wa_local_gate_bytes(const struct wa_local_gate *g, const struct wa_http_head *head,
                                 struct wa_err *err)
{
    if (check_call(g, head, BYTES, true, err) != WA_OK)
        return err->code;
    if (!wa_sv_eqs(wa_http_get(head, "content-type"), BYTES) || !head->has_body ||
        head->query.n > 0)
        return wa_fail(err, WA_E_INVALID, "this call takes a file, and no words in its address");
    return WA_OK;
}

/* Who may speak to a local program: tickets work once and for a moment, and of what a browser can
 * be made to send by another site nothing passes. */
#include "support.h"

#include "net/local_gate.h"

static enum wa_code redeem(struct wa_local_gate *g, const char *secret, uint64_t now)
{
    struct wa_err err = WA_ERR_INIT;
    char answer[WA_LOCAL_SECRET_SIZE];
    return wa_local_gate_redeem(g, wa_sv(secret), now, answer, &err);
}

static void make(struct wa_local_gate *g, uint64_t now, struct wa_local_ticket *ret)
{
    struct wa_err err = WA_ERR_INIT;
    must(wa_local_gate_ticket(g, now, ret, &err));
}

static void test_tickets(void **state)
{
    WA_UNUSED(state);
    struct wa_local_gate g;
    struct wa_err err = WA_ERR_INIT;
    struct wa_local_ticket t[WA_LOCAL_TICKETS + 1];
    char answer[WA_LOCAL_SECRET_SIZE];
    must(wa_local_gate_init(&g, "127.0.0.1", 4711, &err));
    make(&g, 1000, &t[0]);
    assert_int_equal(redeem(&g, "", 1000), WA_E_AUTH);
    assert_int_equal(redeem(&g, g.token, 1000), WA_E_AUTH); /* not the other way round either */
    must(redeem(&g, t[0].secret, 1000 + WA_LOCAL_TICKET_MS));
    assert_int_equal(redeem(&g, t[0].secret, 1000), WA_E_AUTH); /* once */
    make(&g, 1000, &t[0]);
    assert_int_equal(redeem(&g, t[0].secret, 1001 + WA_LOCAL_TICKET_MS), WA_E_AUTH);
    assert_int_equal(redeem(&g, t[0].secret, 1000),
                     WA_E_AUTH); /* it was shown too late: for good */
    for (size_t i = 0; i < WA_COUNT(t); i++)
        make(&g, 2000, &t[i]);
    assert_int_equal(redeem(&g, t[0].secret, 2000),
                     WA_E_AUTH); /* a further one made the oldest void */
    for (size_t i = 1; i < WA_COUNT(t); i++) {
        must(wa_local_gate_redeem(&g, wa_sv(t[i].secret), 2000, answer, &err));
        assert_string_equal(answer, t[i].answer); /* its own one, which nobody was told before */
        assert_string_not_equal(answer, t[i].secret);
    }
    wa_local_gate_fini(&g);
    assert_int_equal(redeem(&g, "", 0), WA_E_AUTH);
}

#define HEADERS 5
struct attempt {
    enum wa_http_method method;
    struct {
        const char *name, *value; /* "TOKEN" in a value: the token */
    } headers[HEADERS];
    enum wa_code file, open, call; /* as a file, as a call without the token, as one with it */
};

static void fill(struct wa_http_head *head, const struct attempt *a, const struct wa_local_gate *g,
                 char values[HEADERS][160])
{
    *head = (struct wa_http_head){.method = a->method, .path = WA_SV("/local/state")};
    for (size_t i = 0; i < HEADERS && a->headers[i].name != NULL; i++) {
        const char *value = a->headers[i].value, *at = strstr(value, "TOKEN");
        (void)snprintf(values[i], 160, "%.*s%s", (int)(at != NULL ? at - value : 100), value,
                       at != NULL ? g->token : "");
        head->headers[head->header_count++] =
            (struct wa_http_header){wa_sv(a->headers[i].name), wa_sv(values[i])};
        if (strcmp(a->headers[i].name, "Content-Type") == 0)
            head->has_body = true;
    }
}

#define HOST                                                                                       \
    {                                                                                              \
        "Host", "127.0.0.1:4711"                                                                   \
    }
#define PROOF                                                                                      \
    {                                                                                              \
        "Authorization", "Bearer TOKEN"                                                            \
    }

static void test_requests(void **state)
{
    static const struct attempt attempts[] = {
        {WA_HTTP_GET, {HOST, PROOF}, WA_OK, WA_OK, WA_OK},
        {WA_HTTP_GET, {HOST}, WA_OK, WA_OK, WA_E_AUTH},
        {WA_HTTP_GET, {PROOF}, WA_E_DENIED, WA_E_DENIED, WA_E_DENIED},
        {WA_HTTP_GET, {{"Host", "localhost:4711"}, PROOF}, WA_E_DENIED, WA_E_DENIED, WA_E_DENIED},
        {WA_HTTP_GET, {{"Host", "127.0.0.1:4712"}, PROOF}, WA_E_DENIED, WA_E_DENIED, WA_E_DENIED},
        {WA_HTTP_GET, {{"Host", "127.0.0.1"}, PROOF}, WA_E_DENIED, WA_E_DENIED, WA_E_DENIED},
        {WA_HTTP_GET, {HOST, HOST, PROOF}, WA_E_DENIED, WA_E_DENIED, WA_E_DENIED},
        {WA_HTTP_POST, {HOST, PROOF}, WA_E_DENIED, WA_OK, WA_OK},
        {WA_HTTP_GET, {HOST, PROOF, {"Origin", "http://127.0.0.1:4711"}}, WA_OK, WA_OK, WA_OK},
        {WA_HTTP_GET, {HOST, PROOF, {"Origin", "null"}}, WA_OK, WA_E_DENIED, WA_E_DENIED},
        {WA_HTTP_GET, {HOST, PROOF, {"Origin", ""}}, WA_OK, WA_E_DENIED, WA_E_DENIED},
        {WA_HTTP_GET,
         {HOST, PROOF, {"Origin", "https://127.0.0.1:4711"}},
         WA_OK,
         WA_E_DENIED,
         WA_E_DENIED},
        {WA_HTTP_GET,
         {HOST, PROOF, {"Sec-Fetch-Site", "cross-site"}},
         WA_E_DENIED,
         WA_E_DENIED,
         WA_E_DENIED},
        {WA_HTTP_GET,
         {HOST,
          PROOF,
          {"Sec-Fetch-Site", "cross-site"},
          {"Sec-Fetch-Mode", "navigate"},
          {"Sec-Fetch-Dest", "document"}},
         WA_OK,
         WA_E_DENIED,
         WA_E_DENIED},
        {WA_HTTP_GET,
         {HOST,
          PROOF,
          {"Sec-Fetch-Site", "cross-site"},
          {"Sec-Fetch-Mode", "navigate"},
          {"Sec-Fetch-Dest", "iframe"}},
         WA_E_DENIED,
         WA_E_DENIED,
         WA_E_DENIED},
        {WA_HTTP_GET, {HOST, PROOF, {"Sec-Fetch-Site", "none"}}, WA_OK, WA_OK, WA_OK},
        {WA_HTTP_GET, {HOST, PROOF, PROOF}, WA_OK, WA_OK, WA_E_AUTH},
        {WA_HTTP_GET, {HOST, {"Authorization", "bearer TOKEN"}}, WA_OK, WA_OK, WA_E_AUTH},
        {WA_HTTP_GET, {HOST, {"Authorization", "TOKEN"}}, WA_OK, WA_OK, WA_E_AUTH},
        {WA_HTTP_GET,
         {HOST,
          {"Authorization",
           "Bearer 0000000000000000000000000000000000000000000000000000000000000000"}},
         WA_OK,
         WA_OK,
         WA_E_AUTH},
        {WA_HTTP_GET, {HOST, {"Cookie", "token=TOKEN"}}, WA_OK, WA_OK, WA_E_AUTH},
        {WA_HTTP_POST,
         {HOST, PROOF, {"Content-Type", "application/json; charset=utf-8"}},
         WA_E_DENIED,
         WA_OK,
         WA_OK},
        {WA_HTTP_POST,
         {HOST, PROOF, {"Content-Type", "text/plain"}},
         WA_E_DENIED,
         WA_E_INVALID,
         WA_E_INVALID},
        {WA_HTTP_POST,
         {HOST, PROOF, {"Content-Type", "application/jsonp"}},
         WA_E_DENIED,
         WA_E_INVALID,
         WA_E_INVALID},
    };
    WA_UNUSED(state);
    struct wa_local_gate g;
    struct wa_err err = WA_ERR_INIT;
    must(wa_local_gate_init(&g, "127.0.0.1", 4711, &err));
    for (size_t i = 0; i < WA_COUNT(attempts); i++) {
        const struct attempt *a = &attempts[i];
        struct wa_http_head head;
        char values[HEADERS][160];
        fill(&head, a, &g, values);
        assert_int_equal(wa_local_gate_file(&g, &head, &err), a->file);
        wa_err_clear(&err);
        assert_int_equal(wa_local_gate_call(&g, &head, false, &err), a->open);
        wa_err_clear(&err);
        assert_int_equal(wa_local_gate_call(&g, &head, true, &err), a->call);
        wa_err_clear(&err);
    }
    wa_local_gate_fini(&g);
}

/* A body that is a file: nothing that a form of another site can send, nor words in the address. */
static void test_files(void **state)
{
    static const struct {
        const char *type; /* NULL: no body */
        const char *query;
        bool has_token;
        enum wa_code code;
    } rows[] = {{"application/octet-stream", "", true, WA_OK},
                {"application/octet-stream", "", false, WA_E_AUTH},
                {"application/octet-stream", "a=b", true, WA_E_INVALID},
                {"application/octet-stream; charset=x", "", true, WA_E_INVALID},
                {"application/json", "", true, WA_E_INVALID},
                {"text/plain", "", true, WA_E_INVALID},
                {"", "", true, WA_E_INVALID},
                {NULL, "", true, WA_E_INVALID}};
    WA_UNUSED(state);
    struct wa_local_gate g;
    struct wa_err err = WA_ERR_INIT;
    must(wa_local_gate_init(&g, "127.0.0.1", 4711, &err));
    assert_string_not_equal(g.token, g.proof);
    for (size_t i = 0; i < WA_COUNT(rows); i++) {
        struct attempt a = {.method = WA_HTTP_PUT, .headers = {HOST}};
        struct wa_http_head head;
        char values[HEADERS][160];
        size_t n = 1;
        if (rows[i].has_token) {
            a.headers[n].name = "Authorization";
            a.headers[n++].value = "Bearer TOKEN";
        }
        if (rows[i].type != NULL) {
            a.headers[n].name = "Content-Type";
            a.headers[n].value = rows[i].type;
        }
        fill(&head, &a, &g, values);
        head.query = wa_sv(rows[i].query);
        assert_int_equal(wa_local_gate_bytes(&g, &head, &err), rows[i].code);
        wa_err_clear(&err);
    }
    wa_local_gate_fini(&g);
    assert_string_equal(g.token, "");
    assert_string_equal(g.proof, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tickets),
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* F1B: whom a client trusts, each row a policy against a server's certificate at a date. */
#include "support.h"

#include "os/clock.h"
#include "os/common/socket_of.h"
#include "os/fs.h"
#include "os/proc.h"

/* The clock of the policy, wrapped at link time: days from now. */
static int64_t days_ahead;
int64_t __real_wa_clock_now(void);
int64_t __wrap_wa_clock_now(void);

int64_t __wrap_wa_clock_now(void)
{
    return __real_wa_clock_now() + days_ahead * 86400;
}

static struct identity ca, other_ca, middle, by_ca, by_other, by_middle, for_client, no_eku, lonely,
    rsa, only_cn, dns_ip, wild, long_lived;

static int setup(void **state)
{
    static const char *const names[] = {"srv.test", "127.0.0.1", NULL};
    static const char *const ip_as_dns[] = {"srv.test", NULL};
    static const char *const wildcard[] = {"*.in.test", "*.test", NULL};
    WA_UNUSED(state);
    identity_new(&ca, IDENTITY_CA, "Test authority", NULL, NULL);
    identity_new(&other_ca, IDENTITY_CA, "Other authority", NULL, NULL);
    identity_new(&middle, IDENTITY_CA, "Middle authority", NULL, &ca);
    identity_new(&by_ca, IDENTITY_SERVER, "srv", names, &ca);
    identity_new(&by_other, IDENTITY_SERVER, "srv", names, &other_ca);
    identity_new(&by_middle, IDENTITY_SERVER, "srv", names, &middle);
    identity_new(&for_client, IDENTITY_CLIENT, "srv", names, &ca);
    identity_new(&no_eku, 0, "srv", names, &ca);
    identity_new(&lonely, IDENTITY_SERVER, "srv", names, NULL);
    identity_new(&rsa, IDENTITY_SERVER | IDENTITY_RSA, "srv", names, &ca);
    identity_new(&only_cn, IDENTITY_SERVER, "srv.test", NULL, &ca);
    identity_new(&dns_ip, IDENTITY_SERVER, "127.0.0.1", ip_as_dns, &ca);
    identity_new(&long_lived, IDENTITY_SERVER | IDENTITY_LONG, "srv", names, &ca);
    identity_new(&wild, IDENTITY_SERVER, "srv", wildcard, &ca);
    return 0;
}

static int teardown(void **state)
{
    struct identity *const all[] = {&ca,        &other_ca,   &middle, &by_ca,     &by_other,
                                    &by_middle, &for_client, &no_eku, &lonely,    &rsa,
                                    &only_cn,   &dns_ip,     &wild,   &long_lived};
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(all); i++)
        identity_free(all[i]);
    return 0;
}

/* --- two ends over a socket pair --- */

struct pair {
    int fds[2];
    struct wa_tls_ctx *client_ctx, *server_ctx;
    struct wa_tls *client, *server;
};

static void pair_new(struct pair *p, const struct identity *server, const struct identity *helper,
                     const struct wa_tls_trust *trust)
{
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_CERTS struct wa_certs chain = {0};
    *p = (struct pair){.client = NULL};
    must(wa_certs_add(&chain, server->chain.items[0], &err));
    if (helper != NULL)
        must(wa_certs_add(&chain, helper->chain.items[0], &err));
    must(wa_socketpair(p->fds, &err));
    must(wa_fd_set_nonblocking(p->fds[0], true, &err));
    must(wa_fd_set_nonblocking(p->fds[1], true, &err));
    must(wa_tls_client_ctx(trust, &p->client_ctx, &err));
    must(wa_tls_server_ctx(&chain, server->key, &p->server_ctx, &err));
    must(wa_tls_new(p->client_ctx, p->fds[0], false, &p->client, &err));
    must(wa_tls_new(p->server_ctx, p->fds[1], true, &p->server, &err));
}

static void pair_free(struct pair *p)
{
    wa_tls_free(p->client);
    wa_tls_free(p->server);
    wa_tls_ctx_free(p->client_ctx);
    wa_tls_ctx_free(p->server_ctx);
    wa_fd_close(&p->fds[0]);
    wa_fd_close(&p->fds[1]);
}

/* The client's outcome. */
static enum wa_code pair_shake(struct pair *p, struct wa_err *err)
{
    enum wa_tls_want client = WA_TLS_WANT_WRITE, server = WA_TLS_WANT_READ;
    enum wa_code code = WA_OK;
    for (int i = 0; i < 20 && code == WA_OK && (client != WA_TLS_DONE || server != WA_TLS_DONE);
         i++) {
        struct wa_err ignored = WA_ERR_INIT;
        if (client != WA_TLS_DONE)
            code = wa_tls_handshake(p->client, &client, err);
        if (server != WA_TLS_DONE && wa_tls_handshake(p->server, &server, &ignored) != WA_OK)
            server = WA_TLS_DONE; /* the client has given up */
    }
    return code;
}

/* --- the table --- */

enum pem { NONE, CA, OTHER_CA, LEAF, MIDDLE, CA_AND_LONELY };
enum print { NO_PRINT, RIGHT_PRINT, WRONG_PRINT };

static const struct trust_case {
    const char *name;
    enum pem pem;
    enum print print;
    const char *host;
    struct identity *server, *helper;
    int64_t days;
    const char *refusal; /* part of the reason; NULL: accepted */
} cases[] = {
    {"an authority and its server", CA, NO_PRINT, "srv.test", &by_ca, NULL, 0, NULL},
    {"any case of the name", CA, NO_PRINT, "SRV.test", &by_ca, NULL, 0, NULL},
    {"an address", CA, NO_PRINT, "127.0.0.1", &by_ca, NULL, 0, NULL},
    {"an RSA key", CA, NO_PRINT, "srv.test", &rsa, NULL, 0, NULL},
    {"a server without extended usage", CA, NO_PRINT, "srv.test", &no_eku, NULL, 0, NULL},
    {"an authority in between, sent", CA, NO_PRINT, "srv.test", &by_middle, &middle, 0, NULL},
    {"an authority in between, given", MIDDLE, NO_PRINT, "srv.test", &by_middle, NULL, 0, NULL},
    {"a wildcard", CA, NO_PRINT, "srv.in.test", &wild, NULL, 0, NULL},
    {"pinned", LEAF, NO_PRINT, "srv.test", &lonely, NULL, 0, NULL},
    {"pinned, for another name", LEAF, NO_PRINT, "elsewhere.test", &lonely, NULL, 0, NULL},
    {"pinned, without a name to look for", LEAF, NO_PRINT, "", &lonely, NULL, 0, NULL},
    {"pinned beside an authority", CA_AND_LONELY, NO_PRINT, "elsewhere.test", &lonely, NULL, 0,
     NULL},
    {"pinned, of an unknown authority", LEAF, NO_PRINT, "srv.test", &by_other, NULL, 0, NULL},
    {"fingerprint", NONE, RIGHT_PRINT, "elsewhere.test", &lonely, NULL, 0, NULL},
    {"fingerprint beside another authority", OTHER_CA, RIGHT_PRINT, "srv.test", &lonely, NULL, 0,
     NULL},
    {"wrong fingerprint, right authority", CA, WRONG_PRINT, "srv.test", &by_ca, NULL, 0, NULL},

    {"nothing is trusted", NONE, NO_PRINT, "srv.test", &by_ca, NULL, 0, "no authority is trusted"},
    {"nothing is trusted, self-signed", NONE, NO_PRINT, "srv.test", &lonely, NULL, 0,
     "no authority is trusted"},
    {"another authority", OTHER_CA, NO_PRINT, "srv.test", &by_ca, NULL, 0,
     "its authority is unknown"},
    {"an authority in between, missing", CA, NO_PRINT, "srv.test", &by_middle, NULL, 0,
     "its authority is unknown"},
    {"self-signed", CA, NO_PRINT, "srv.test", &lonely, NULL, 0, "its authority is unknown"},
    {"another name", CA, NO_PRINT, "elsewhere.test", &by_ca, NULL, 0,
     "it is for 'srv.test', not for"},
    {"another address", CA, NO_PRINT, "127.0.0.2", &by_ca, NULL, 0, "not for '127.0.0.2'"},
    {"no name to look for", CA, NO_PRINT, "", &by_ca, NULL, 0, "not for ''"},
    {"the name only as common name", CA, NO_PRINT, "srv.test", &only_cn, NULL, 0,
     "it is for no host name"},
    {"the address only as common name", CA, NO_PRINT, "127.0.0.1", &dns_ip, NULL, 0,
     "not for '127.0.0.1'"},
    {"a deeper name than the wildcard's", CA, NO_PRINT, "a.srv.in.test", &wild, NULL, 0, "not for"},
    {"too wide a wildcard", CA, NO_PRINT, "srv.test", &wild, NULL, 0, "not for"},
    {"a part of the name", CA, NO_PRINT, "test", &by_ca, NULL, 0, "not for"},
    {"a name with a dot first", CA, NO_PRINT, ".test", &by_ca, NULL, 0, "not for"},
    {"a client's certificate", CA, NO_PRINT, "srv.test", &for_client, NULL, 0, "purpose"},
    {"expired", CA, NO_PRINT, "srv.test", &by_ca, NULL, 31, "it expired on "},
    {"expired with its authority", CA, NO_PRINT, "srv.test", &by_ca, NULL, 61, "it expired on "},
    {"an expired authority", CA, NO_PRINT, "srv.test", &long_lived, NULL, 61,
     "its authority's certificate is not valid now"},
    {"not valid yet", CA, NO_PRINT, "srv.test", &by_ca, NULL, -1, "it is valid only from "},
    {"pinned, expired", LEAF, NO_PRINT, "srv.test", &lonely, NULL, 31, "it expired on "},
    {"pinned, not valid yet", LEAF, NO_PRINT, "srv.test", &lonely, NULL, -1,
     "it is valid only from "},
    {"fingerprint, expired", NONE, RIGHT_PRINT, "srv.test", &lonely, NULL, 31, "it expired on "},
    {"wrong fingerprint", NONE, WRONG_PRINT, "srv.test", &lonely, NULL, 0, "is not trusted"},
    {"another one is pinned", CA_AND_LONELY, NO_PRINT, "srv.test", &by_other, NULL, 0,
     "its authority is unknown"},
};

static void make_trust(const struct trust_case *c, struct wa_buf *pem, struct wa_tls_trust *ret)
{
    const struct identity *first = NULL, *second = NULL;
    switch (c->pem) {
    case NONE:
        break;
    case CA:
        first = &ca;
        break;
    case OTHER_CA:
        first = &other_ca;
        break;
    case LEAF:
        first = c->server;
        break;
    case MIDDLE:
        first = &middle;
        break;
    case CA_AND_LONELY:
        first = &ca;
        second = &lonely;
        break;
    }
    if (first != NULL)
        wa_buf_addsv(pem, wa_buf_sv(&first->pem));
    if (second != NULL)
        wa_buf_addsv(pem, wa_buf_sv(&second->pem));
    *ret = (struct wa_tls_trust){.pem = wa_buf_sv(pem)};
    (void)snprintf(ret->host, sizeof ret->host, "%s", c->host);
    if (c->print != NO_PRINT)
        (void)snprintf(ret->fingerprint, sizeof ret->fingerprint, "%s",
                       wa_cert_fingerprint(c->print == RIGHT_PRINT ? c->server->chain.items[0]
                                                                   : other_ca.chain.items[0]));
}

static void test_f1b_policy(void **state)
{
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        const struct trust_case *c = &cases[i];
        struct wa_err err = WA_ERR_INIT;
        struct wa_tls_trust trust;
        struct pair p;
        WA_AUTO_BUF struct wa_buf pem;
        wa_buf_init(&pem, 65536);
        make_trust(c, &pem, &trust);
        pair_new(&p, c->server, c->helper, &trust);
        days_ahead = c->days;
        enum wa_code code = pair_shake(&p, &err);
        days_ahead = 0;
        if (c->refusal == NULL) {
            if (code != WA_OK)
                fail_msg("'%s': %s", c->name, err.text);
            assert_string_equal(wa_tls_ctx_reason(p.client_ctx), "");
        } else {
            const char *print = wa_cert_fingerprint(c->server->chain.items[0]);
            if (code != WA_E_REFUSED || strstr(err.text, c->refusal) == NULL ||
                strstr(err.text, print) == NULL)
                fail_msg("'%s': %s '%s'", c->name, wa_code_name(code), err.text);
            assert_non_null(strstr(err.text, ": ")); /* cause, and what to do */
            assert_string_equal(wa_tls_ctx_reason(p.client_ctx), err.text);
        }
        pair_free(&p);
    }
}

/* A leaf that is given is pinned; it vouches for nobody else, even when it is marked an authority's
 * child by the same name. */
static void test_f1b_pinned_is_no_authority(void **state)
{
    struct identity impostor;
    struct pair p;
    struct wa_err err = WA_ERR_INIT;
    static const char *const names[] = {"srv.test", NULL};
    WA_UNUSED(state);
    identity_new(&impostor, IDENTITY_SERVER, "srv", names, NULL);
    struct wa_tls_trust trust = {.pem = wa_buf_sv(&lonely.pem), .host = "srv.test"};
    pair_new(&p, &impostor, &lonely, &trust);
    assert_int_equal(pair_shake(&p, &err), WA_E_REFUSED);
    pair_free(&p);
    identity_free(&impostor);
}

static void test_bad_policies(void **state)
{
    struct wa_tls_ctx *ctx = NULL;
    WA_UNUSED(state);
    static const char *const prints[] = {
        "ab", "AB00000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000:00"};
    for (size_t i = 0; i < WA_COUNT(prints); i++) {
        struct wa_err err = WA_ERR_INIT;
        struct wa_tls_trust trust = {.host = "srv.test"};
        (void)snprintf(trust.fingerprint, sizeof trust.fingerprint, "%s", prints[i]);
        assert_int_equal(wa_tls_client_ctx(&trust, &ctx, &err), WA_E_CONFIG);
    }
    struct wa_err err = WA_ERR_INIT;
    struct wa_tls_trust trust = {
        .pem = WA_SV("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")};
    assert_true(wa_tls_client_ctx(&trust, &ctx, &err) != WA_OK);
    assert_null(ctx);
    struct wa_err mismatch = WA_ERR_INIT;
    assert_int_equal(wa_tls_server_ctx(&by_ca.chain, lonely.key, &ctx, &mismatch), WA_E_CONFIG);
    struct wa_err empty = WA_ERR_INIT;
    const struct wa_certs none = {0};
    assert_int_equal(wa_tls_server_ctx(&none, lonely.key, &ctx, &empty), WA_E_CONFIG);
}

/* --- connections --- */

static void accepted_pair(struct pair *p, const struct identity *server)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_tls_trust trust = {.pem = wa_buf_sv(&ca.pem), .host = "srv.test"};
    pair_new(p, server, NULL, &trust);
    must(pair_shake(p, &err));
}

static void test_talk(void **state)
{
    struct pair p, q;
    struct wa_err err = WA_ERR_INIT;
    char in[20000], out[40000];
    size_t n = 0, put = 0;
    enum wa_tls_want want = WA_TLS_DONE;
    WA_UNUSED(state);
    accepted_pair(&p, &by_ca);
    accepted_pair(&q, &rsa);
    memset(out, 'o', sizeof out);
    must(wa_tls_write(p.client, out, sizeof out, &put, &want, &err));
    assert_true(put > 0);
    must(wa_tls_read(p.server, in, 10, &n, &want, &err));
    assert_int_equal(n, 10);
    assert_true(wa_tls_has_pending(p.server));
    while (n < put) {
        size_t more = 0;
        must(wa_tls_read(p.server, in, sizeof in, &more, &want, &err));
        assert_true(want == WA_TLS_DONE && more > 0);
        n += more;
    }
    assert_false(wa_tls_has_pending(p.server));
    must(wa_tls_read(p.server, in, sizeof in, &n, &want, &err));
    assert_int_equal(want, WA_TLS_WANT_READ);

    char print[65];
    must(wa_tls_peer_fingerprint(p.client, print, &err));
    assert_string_equal(print, wa_cert_fingerprint(by_ca.chain.items[0]));
    must(wa_tls_peer_fingerprint(p.server, print, &err));
    assert_string_equal(print, "");

    uint8_t a[32], b[32], c[32];
    must(wa_tls_channel_binding(p.client, a, &err));
    must(wa_tls_channel_binding(p.server, b, &err));
    must(wa_tls_channel_binding(q.client, c, &err));
    assert_memory_equal(a, b, 32);
    assert_memory_not_equal(a, c, 32);

    wa_tls_close(p.client); /* said goodbye: an end. Cut off: a failure */
    n = 1;
    must(wa_tls_read(p.server, in, sizeof in, &n, &want, &err));
    assert_true(want == WA_TLS_DONE && n == 0);
    wa_fd_close(&q.fds[0]);
    assert_int_equal(wa_tls_read(q.server, in, sizeof in, &n, &want, &err), WA_E_UNREACHABLE);
    pair_free(&p);
    pair_free(&q);
}

/* Writing to a peer that has gone is an error, not the end of the process. */
static void test_no_sigpipe(void **state)
{
    struct pair p;
    struct wa_err err = WA_ERR_INIT;
    size_t put = 0;
    enum wa_tls_want want = WA_TLS_DONE;
    WA_UNUSED(state);
    accepted_pair(&p, &by_ca);
    wa_fd_close(&p.fds[0]);
    assert_int_equal(wa_tls_write(p.server, "x", 1, &put, &want, &err), WA_E_UNREACHABLE);
    wa_tls_close(p.server);
    pair_free(&p);
}

/* --- clients with certificates (F1A) --- */

static char revoked[WA_CERT_SERIAL_SIZE];

static bool is_revoked(void *user, const char *serial)
{
    WA_UNUSED(user);
    return strcmp(serial, revoked) == 0;
}

/* The server's outcome of a client that shows this; peer: whom the server takes it for. */
static enum wa_code shown(const struct identity *client, int64_t days, bool lets_people,
                          struct wa_tls_peer *peer, struct wa_err *why)
{
    struct wa_err err = WA_ERR_INIT;
    struct pair p;
    WA_AUTO_BUF struct wa_buf own;
    enum wa_tls_want ours = WA_TLS_WANT_WRITE, theirs = WA_TLS_WANT_READ;
    enum wa_code code = WA_OK;
    wa_buf_init(&own, 65536);
    if (client != NULL) {
        wa_buf_addsv(&own, wa_buf_sv(&client->pem));
        must(wa_key_write_pem(client->key, WA_SV(""), &own, &err));
    }
    const struct wa_tls_trust trust = {
        .pem = wa_buf_sv(&long_lived.pem), .host = "srv.test", .identity = wa_buf_sv(&own)};
    pair_new(&p, &long_lived, NULL, &trust);
    must(wa_tls_ask_clients(p.server_ctx, ca.chain.items[0], is_revoked, NULL, &err));
    if (lets_people)
        wa_tls_let_people(p.server_ctx);
    wa_tls_free(p.server); /* the one of before has not heard of it */
    must(wa_tls_new(p.server_ctx, p.fds[1], true, &p.server, &err));
    days_ahead = days;
    for (int i = 0; i < 20 && code == WA_OK && theirs != WA_TLS_DONE; i++) {
        if (ours != WA_TLS_DONE)
            must(wa_tls_handshake(p.client, &ours, &err));
        code = wa_tls_handshake(p.server, &theirs, why);
    }
    days_ahead = 0;
    if (code == WA_OK)
        must(wa_tls_peer(p.server, peer, &err));
    pair_free(&p);
    return code;
}

static void test_f1a_clients(void **state)
{
    struct identity gone, below;
    WA_UNUSED(state);
    identity_new(&gone, IDENTITY_CLIENT, "gone", NULL, &ca);
    identity_new(&below, IDENTITY_CLIENT, "below", NULL, &middle);
    (void)snprintf(revoked, sizeof revoked, "%s", wa_cert_serial(gone.chain.items[0]));
    const struct {
        const struct identity *client;
        int64_t days;
        const char *name; /* NULL: refused */
    } clients[] = {
        {NULL, 0, ""},      {&for_client, 0, "srv"}, {&for_client, 31, NULL}, {&gone, 0, NULL},
        {&by_ca, 0, NULL}, /* a server's */
        {&lonely, 0, NULL}, {&by_other, 0, NULL},    {&below, 0, NULL},       {&ca, 0, NULL},
    };
    for (size_t i = 0; i < WA_COUNT(clients); i++) {
        struct wa_err err = WA_ERR_INIT;
        struct wa_tls_peer peer = {.name = "nobody asked"};
        enum wa_code code = shown(clients[i].client, clients[i].days, false, &peer, &err);
        if ((code == WA_OK) != (clients[i].name != NULL))
            fail_msg("client %zu: %s '%s'", i, wa_code_name(code), err.text);
        if (code == WA_OK)
            assert_string_equal(peer.name, clients[i].name);
    }
    /* Where people may show theirs: the authority's are judged as before, others name no machine.
     */
    const struct {
        const struct identity *client;
        int64_t days;
        bool is_let;
        const char *name;
    } people[] = {{NULL, 0, true, ""},          {&for_client, 0, true, "srv"},
                  {&for_client, 31, false, ""}, {&gone, 0, false, ""},
                  {&by_ca, 0, false, ""},       {&lonely, 0, true, ""},
                  {&by_other, 0, true, ""},     {&below, 0, true, ""}};
    for (size_t i = 0; i < WA_COUNT(people); i++) {
        struct wa_err err = WA_ERR_INIT;
        struct wa_tls_peer peer = {.name = ""};
        enum wa_code code = shown(people[i].client, people[i].days, true, &peer, &err);
        if ((code == WA_OK) != people[i].is_let)
            fail_msg("person %zu: %s '%s'", i, wa_code_name(code), err.text);
        if (code != WA_OK)
            continue;
        bool is_person = people[i].client != NULL && people[i].name[0] == '\0';
        assert_string_equal(peer.name, people[i].name);
        assert_int_equal(peer.serial[0] != '\0', people[i].name[0] != '\0');
        assert_string_equal(peer.person,
                            is_person ? wa_cert_fingerprint(people[i].client->chain.items[0]) : "");
    }
    identity_free(&gone);
    identity_free(&below);
}

/* --- what a stranger may agree on, with OpenSSL's own client --- */

#include <openssl/ssl.h>

static bool stranger_connects(int max_version, const char *ciphers)
{
    struct pair p;
    struct wa_tls_trust trust = {.host = "srv.test"};
    pair_new(&p, &by_ca, NULL, &trust);
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    assert_non_null(ctx);
    SSL_CTX_set_security_level(ctx, 0);
    assert_int_equal(SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION), 1);
    assert_int_equal(SSL_CTX_set_max_proto_version(ctx, max_version), 1);
    assert_int_equal(SSL_CTX_set_cipher_list(ctx, ciphers), 1);
    SSL *ssl = SSL_new(ctx);
    assert_int_equal(SSL_set_fd(ssl, (int)wa_socket_of(p.fds[0])), 1);
    enum wa_tls_want want = WA_TLS_WANT_READ;
    int rc = 0;
    bool refused = false;
    for (int i = 0; i < 20 && rc != 1 && !refused; i++) {
        struct wa_err err = WA_ERR_INIT;
        rc = SSL_connect(ssl);
        if (want != WA_TLS_DONE)
            refused = wa_tls_handshake(p.server, &want, &err) != WA_OK;
    }
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    pair_free(&p);
    return rc == 1 && !refused;
}

static void test_versions(void **state)
{
    WA_UNUSED(state);
    assert_true(stranger_connects(TLS1_3_VERSION, "DEFAULT"));
    assert_true(stranger_connects(TLS1_2_VERSION, "DEFAULT"));
    assert_false(stranger_connects(TLS1_2_VERSION, "AES128-SHA:ECDHE-ECDSA-AES128-SHA"));
    assert_false(stranger_connects(TLS1_1_VERSION, "ALL:@SECLEVEL=0"));
    assert_false(stranger_connects(TLS1_VERSION, "ALL:@SECLEVEL=0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_f1b_policy),   cmocka_unit_test(test_f1b_pinned_is_no_authority),
        cmocka_unit_test(test_bad_policies), cmocka_unit_test(test_talk),
        cmocka_unit_test(test_no_sigpipe),   cmocka_unit_test(test_versions),
        cmocka_unit_test(test_f1a_clients),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

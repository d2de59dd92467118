/* A directory, as it should be and as it should not, asked who somebody is. It runs in a process of
 * its own, so that what is counted and failed here is the asking alone.
 */
#include "support.h"
#include "torture.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/ldap_priv.h"
#include "os/pipe.h"
#include "os/socket.h"

#define PASSWORD "open sesame"
static const char own_sid[] = "\1\1\1\1\1\1\1\1abcd", /* S-1-1103823438081-1684234849 */
    group_sid[] = "\1\5group", other_sid[] = "\1\5other";

enum manners {
    GOOD,
    NO_TLS,       /* StartTLS is refused */
    TALKS_EARLY,  /* says something behind its consent to TLS, before TLS */
    GARBAGE,      /* not LDAP at all */
    HUGE,         /* announces an answer of a gigabyte */
    INDEFINITE,   /* an answer without a length */
    ENDLESS,      /* entries without end */
    OTHER_ANSWER, /* answers a question that was not asked */
    OTHER_KIND,   /* a search is answered as a bind */
    FAREWELL,     /* ends the conversation by message 0 */
    CLOSES,       /* in the middle of an answer */
    REFUSES,      /* any search */
    OTHER_TOKEN,  /* who is bound is somebody else */
    NOBODY,       /* has that name */
    TWO,          /* have it */
    LONG_SID
};

struct scene {
    const char *name;
    enum manners manners;
    bool is_ad, is_plain; /* is_plain: StartTLS first */
    const char *user, *password;
    /* The account that asks about others, and what the person's entry says beside its SID. */
    bool is_check, has_no_account;
    const char *asked_sid;
    const char *attribute, *value;
    int32_t bind_result;
    const char *bind_text;
    /* what is expected */
    enum wa_code code;
    bool is_right, in_first;
    const char *says; /* in the reason or the error */
};

/* --- the directory --- */

struct fake {
    struct wa_ldap l; /* only for its descriptor, TLS and buffer */
    const struct scene *scene;
    unsigned searches;
};

static void wait_fd(const struct fake *f, bool to_write)
{
    struct wa_pipe_wait w = {.fd = f->l.fd, .to_write = to_write};
    size_t n;
    struct wa_err err = WA_ERR_INIT;
    if (wa_pipe_wait(&w, 1, -1, &n, &err) != WA_OK)
        _exit(2);
}

/* False at the end. */
static bool fake_read(struct fake *f)
{
    char piece[512];
    size_t n = 0;
    struct wa_err err = WA_ERR_INIT;
    enum wa_tls_want want = WA_TLS_DONE;
    if (f->l.tls != NULL) {
        if (wa_tls_read(f->l.tls, piece, sizeof piece, &n, &want, &err) != WA_OK)
            return false;
        if (want != WA_TLS_DONE) {
            wait_fd(f, want == WA_TLS_WANT_WRITE);
            return true;
        }
    } else {
        ptrdiff_t got = wa_socket_read(f->l.fd, piece, sizeof piece);
        if (got < 0 && errno == EAGAIN) {
            wait_fd(f, false);
            return true;
        }
        n = got > 0 ? (size_t)got : 0;
    }
    wa_buf_add(&f->l.in, piece, n);
    return n > 0;
}

static bool fake_write(struct fake *f, struct wa_sv s)
{
    while (s.n > 0) {
        size_t n = 0;
        struct wa_err err = WA_ERR_INIT;
        enum wa_tls_want want = WA_TLS_DONE;
        if (f->l.tls != NULL) {
            if (wa_tls_write(f->l.tls, s.p, s.n, &n, &want, &err) != WA_OK)
                return false;
        } else {
            ptrdiff_t put = wa_socket_write(f->l.fd, s.p, s.n);
            if (put < 0 && errno != EAGAIN)
                return false;
            n = put > 0 ? (size_t)put : 0;
        }
        if (n == 0)
            wait_fd(f, want != WA_TLS_WANT_READ);
        s = wa_sv_sub(s, n, s.n);
    }
    return true;
}

static void add_result(struct wa_buf *out, int32_t id, unsigned op, int32_t code, const char *text)
{
    size_t whole = wa_ber_begin(out, WA_BER_SEQUENCE), body;
    wa_ber_int(out, WA_BER_INT, id);
    body = wa_ber_begin(out, op);
    wa_ber_int(out, WA_BER_ENUM, code);
    wa_ber_octets(out, WA_BER_OCTETS, WA_SV(""));
    wa_ber_octets(out, WA_BER_OCTETS, wa_sv(text));
    wa_ber_end(out, body);
    wa_ber_end(out, whole);
}

struct attribute {
    const char *name;
    struct wa_sv values[3];
};

static void add_entry(struct wa_buf *out, int32_t id, const char *dn, const struct attribute *a,
                      size_t n)
{
    size_t whole = wa_ber_begin(out, WA_BER_SEQUENCE), body, list;
    wa_ber_int(out, WA_BER_INT, id);
    body = wa_ber_begin(out, WA_LDAP_ENTRY);
    wa_ber_octets(out, WA_BER_OCTETS, wa_sv(dn));
    list = wa_ber_begin(out, WA_BER_SEQUENCE);
    for (size_t i = 0; i < n; i++) {
        size_t one = wa_ber_begin(out, WA_BER_SEQUENCE), set;
        wa_ber_octets(out, WA_BER_OCTETS, wa_sv(a[i].name));
        set = wa_ber_begin(out, WA_BER_SET);
        for (size_t k = 0; k < WA_COUNT(a[i].values) && a[i].values[k].p != NULL; k++)
            wa_ber_octets(out, WA_BER_OCTETS, a[i].values[k]);
        wa_ber_end(out, set);
        wa_ber_end(out, one);
    }
    wa_ber_end(out, list);
    wa_ber_end(out, body);
    wa_ber_end(out, whole);
}

static struct wa_sv sid(const char *s)
{
    return wa_sv(s);
}

/* What each search finds: the directory's kind, the token (AD's), the person, the groups. */
static void answer_search(struct fake *f, int32_t id, struct wa_buf *out)
{
    const struct scene *s = f->scene;
    static char long_sid[WA_LDAP_SID_MAX + 1];
    enum { KIND, TOKEN, PERSON, GROUPS } what;
    f->searches++;
    what = f->searches == 1 ? KIND
           : s->is_ad       ? (f->searches == (s->is_check ? 3 : 2)   ? TOKEN
                               : f->searches == (s->is_check ? 2 : 3) ? PERSON
                                                                      : GROUPS)
                            : (f->searches == 2 ? PERSON : GROUPS);
    const struct attribute kind = {"supportedCapabilities", {WA_SV("1.2.840.113556.1.4.800")}};
    const struct attribute token = {
        "tokengroups",
        {sid(s->manners == OTHER_TOKEN ? other_sid : own_sid),
         s->manners == LONG_SID ? wa_sv_n(long_sid, sizeof long_sid) : sid(group_sid)}};
    const struct attribute person[] = {{"objectSid", {sid(own_sid)}},
                                       {s->attribute != NULL ? s->attribute : "cn",
                                        {wa_sv(s->attribute != NULL ? s->value : "a")}}};
    const struct attribute groups[] = {{s->is_ad ? "sAMAccountName" : "cn", {WA_SV("First")}},
                                       {"objectSid", {sid(group_sid)}}};
    const struct attribute others[] = {{s->is_ad ? "sAMAccountName" : "cn", {WA_SV("second")}},
                                       {"objectSid", {sid(other_sid)}}};
    if (what == KIND) {
        add_entry(out, id, "", &kind, s->is_ad ? 1 : 0);
    } else if (what == TOKEN) {
        add_entry(out, id, "", &token, 1);
    } else if (what == PERSON) {
        for (int i = 0; i < (s->manners == NOBODY ? 0 : s->manners == TWO ? 2 : 1); i++)
            add_entry(out, id, "CN=alice,DC=example,DC=org", person + (s->is_ad ? 0 : 1),
                      s->is_ad ? 2 : 1);
        add_result(out, id, WA_LDAP_REFERENCE, 0, ""); /* of any form: it is not read */
    } else {
        add_entry(out, id, "CN=first,DC=example,DC=org", groups, s->is_ad ? 2 : 1);
        if (s->is_ad)
            add_entry(out, id, "CN=second,DC=example,DC=org", others, 2);
    }
    add_result(out, id, WA_LDAP_DONE, s->manners == REFUSES ? 50 : 0, "");
}

static void answer_bind(const struct fake *f, struct wa_sv body, int32_t id, struct wa_buf *out)
{
    struct wa_sv version, name, password;
    const struct scene *s = f->scene;
    bool is_good = f->l.tls != NULL && wa_ber_take_as(&body, WA_BER_INT, &version) &&
                   wa_ber_take_as(&body, WA_BER_OCTETS, &name) &&
                   wa_ber_take_as(&body, 0x80, &password) && wa_sv_eqs(password, PASSWORD) &&
                   wa_sv_eqs(name, s->is_check ? "asks@example.org"
                                   : s->is_ad  ? "alice@example.org"
                                               : "CN=alice,DC=example,DC=org");
    add_result(out, id, WA_LDAP_BOUND, is_good ? s->bind_result : 49,
               s->bind_text != NULL ? s->bind_text : "");
}

/* False: the conversation is over. */
static bool misbehave(struct fake *f, int32_t id, struct wa_buf *out)
{
    static const char indefinite[] = "\x30\x80\x02\x01\x01",
                      huge[] = "\x30\x84\x40\x00\x00\x00\x02";
    switch (f->scene->manners) {
    case GARBAGE:
        wa_buf_adds(out, "HTTP/1.1 400 Bad Request\r\n\r\n");
        return true;
    case HUGE:
        wa_buf_add(out, huge, sizeof huge - 1);
        return true;
    case INDEFINITE:
        wa_buf_add(out, indefinite, sizeof indefinite - 1);
        return true;
    case ENDLESS:
        for (unsigned i = 0; i < WA_LDAP_ENTRIES_MAX + 2; i++)
            add_entry(out, id, "", NULL, 0);
        return true;
    case OTHER_ANSWER:
        add_result(out, id + 1, WA_LDAP_DONE, 0, "");
        return true;
    case OTHER_KIND:
        add_result(out, id, WA_LDAP_BOUND, 0, "");
        return true;
    case FAREWELL:
        add_result(out, 0, WA_LDAP_EXTENDED_DONE, 52, "");
        return true;
    case CLOSES:
        add_result(out, id, WA_LDAP_DONE, 0, "");
        (void)fake_write(f, wa_sv_sub(wa_buf_sv(out), 0, 5));
        return false;
    default:
        return true;
    }
}

static bool handshake(struct fake *f, struct wa_tls_ctx *ctx)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_tls *tls = NULL;
    enum wa_tls_want want = WA_TLS_WANT_READ;
    must(wa_tls_new(ctx, f->l.fd, true, &tls, &err));
    while (want != WA_TLS_DONE) {
        if (wa_tls_handshake(tls, &want, &err) != WA_OK) {
            wa_tls_free(tls);
            return false;
        }
        if (want != WA_TLS_DONE)
            wait_fd(f, want == WA_TLS_WANT_WRITE);
    }
    f->l.tls = tls;
    return true;
}

/* Answers one message. False: the conversation is over. */
static bool answer(struct fake *f, struct wa_tls_ctx *ctx, const struct wa_ldap_message *m)
{
    WA_AUTO_BUF struct wa_buf out;
    wa_buf_init(&out, 1u << 20);
    if (m->op == WA_LDAP_EXTENDED) {
        add_result(&out, m->id, WA_LDAP_EXTENDED_DONE, f->scene->manners == NO_TLS ? 2 : 0, "");
        if (f->scene->manners == TALKS_EARLY)
            add_result(&out, m->id + 1, WA_LDAP_DONE, 0, "");
        return fake_write(f, wa_buf_sv(&out)) && handshake(f, ctx);
    }
    if (m->op == WA_LDAP_SEARCH && f->searches == 0 && !misbehave(f, m->id, &out))
        return false;
    if (out.n > 0)
        return fake_write(f, wa_buf_sv(&out));
    if (m->op == WA_LDAP_SEARCH)
        answer_search(f, m->id, &out);
    else if (m->op == WA_LDAP_BIND)
        answer_bind(f, m->body, m->id, &out);
    return out.n > 0 && fake_write(f, wa_buf_sv(&out));
}

static void converse(const struct scene *scene, struct wa_tls_ctx *ctx, int fd)
{
    struct fake f = {.l = {.fd = fd}, .scene = scene};
    bool goes_on = scene->is_plain || handshake(&f, ctx);
    wa_buf_init(&f.l.in, 1u << 20);
    while (goes_on) {
        size_t n = 0;
        struct wa_ldap_message m;
        struct wa_err err = WA_ERR_INIT;
        if (!wa_ber_length(wa_buf_sv(&f.l.in), &n))
            break;
        if (n == 0 || n > f.l.in.n) {
            goes_on = fake_read(&f);
            continue;
        }
        goes_on = wa_ldap_message_read(wa_sv_sub(wa_buf_sv(&f.l.in), 0, n), &m, &err) == WA_OK &&
                  answer(&f, ctx, &m);
        wa_buf_consume(&f.l.in, n);
    }
    if (f.l.tls != NULL)
        wa_tls_close(f.l.tls);
    wa_tls_free(f.l.tls);
    wa_buf_fini(&f.l.in);
    close(fd);
}

/* One process a scene; returns its id. */
static pid_t serve(const struct scene *scene, const struct identity *id, uint16_t *ret_port)
{
    int fd = listen_loopback(ret_port);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct wa_err err = WA_ERR_INIT;
        struct wa_tls_ctx *ctx = NULL;
        (void)signal(SIGPIPE, SIG_IGN);
        must(wa_tls_server_ctx(&id->chain, id->key, &ctx, &err));
        for (;;) {
            struct wa_pipe_wait w = {.fd = fd};
            char peer[WA_ADDRESS_TEXT_MAX];
            size_t n;
            if (wa_pipe_wait(&w, 1, -1, &n, &err) != WA_OK)
                _exit(2);
            int client = wa_socket_accept(fd, peer);
            if (client >= 0)
                converse(scene, ctx, client);
        }
    }
    close(fd);
    return pid;
}

static void end(pid_t pid)
{
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* --- asking --- */

static const char *const groups[] = {"first", "second", NULL};

static enum wa_code ask(const struct scene *s, const struct identity *id, uint16_t port,
                        struct wa_ldap_answer *ret, struct wa_err *err)
{
    char server[32];
    (void)snprintf(server, sizeof server, "localhost:%u", (unsigned)port);
    const struct wa_tls_trust trust = {.pem = wa_buf_sv(&id->pem)};
    const struct wa_ldap_where where = {server,
                                        "OU=people, DC=example,dc=org",
                                        !s->is_plain,
                                        &trust,
                                        s->has_no_account ? NULL : "asks@example.org",
                                        WA_SV(PASSWORD)};
    const struct wa_ldap_question q = {
        s->user != NULL ? s->user : "alice",
        s->is_check ? WA_SV("") : wa_sv(s->password != NULL ? s->password : PASSWORD), groups,
        s->is_check, s->asked_sid};
    return wa_ldap_login(&where, &q, ret, err);
}

static const struct scene scenes[] = {
    {.name = "AD", .is_ad = true, .is_right = true, .in_first = true},
    {.name = "another", .is_right = true, .in_first = true},
    {.name = "StartTLS", .is_plain = true, .is_ad = true, .is_right = true, .in_first = true},
    {.name = "its domain behind",
     .is_ad = true,
     .user = "alice@EXAMPLE.org",
     .is_right = true,
     .in_first = true},
    {.name = "another domain", .user = "alice@example.com", .says = "of another domain"},
    {.name = "a DN", .user = "CN=alice", .says = "can't be one"},
    {.name = "a filter", .user = "alice)(cn=*", .says = "can't be one"},
    {.name = "no name", .user = "@example.org", .says = "can't be one"},
    {.name = "two domains", .user = "EXAMPLE\\alice@example.org", .says = "can't be one"},
    {.name = "a domain in front", .user = "EXAMPLE\\alice", .says = "no names with a domain"},
    {.name = "no password", .password = "", .says = "empty"},
    {.name = "wrong", .is_ad = true, .password = "wrong", .says = "refuses this name"},
    {.name = "disabled",
     .is_ad = true,
     .bind_result = 49,
     .bind_text = "80090308: LdapErr: DSID-0C090447, data 533, v3839",
     .says = "disabled"},
    {.name = "cannot say",
     .is_ad = true,
     .bind_result = 51,
     .code = WA_E_FAILED,
     .says = "result 51"},
    {.name = "somebody else's password",
     .manners = OTHER_TOKEN,
     .is_ad = true,
     .says = "of another account"},
    {.name = "nobody", .manners = NOBODY, .says = "no such person"},
    {.name = "nobody in AD", .manners = NOBODY, .is_ad = true, .says = "no such account"},
    {.name = "two", .manners = TWO, .says = "several"},
    {.name = "two in AD", .manners = TWO, .is_ad = true, .says = "no such account"},
    {.name = "a token of a wrong form",
     .manners = LONG_SID,
     .is_ad = true,
     .code = WA_E_INVALID,
     .says = "token"},
    {.name = "no TLS",
     .manners = NO_TLS,
     .is_plain = true,
     .code = WA_E_REFUSED,
     .says = "no password is sent"},
    {.name = "more than consent",
     .manners = TALKS_EARLY,
     .is_plain = true,
     .code = WA_E_REFUSED,
     .says = "before TLS"},
    {.name = "garbage", .manners = GARBAGE, .code = WA_E_INVALID, .says = "not LDAP"},
    {.name = "huge", .manners = HUGE, .code = WA_E_LIMIT, .says = "bytes"},
    {.name = "no length", .manners = INDEFINITE, .code = WA_E_INVALID, .says = "not LDAP"},
    {.name = "endless", .manners = ENDLESS, .code = WA_E_LIMIT, .says = "without end"},
    {.name = "another answer",
     .manners = OTHER_ANSWER,
     .code = WA_E_INVALID,
     .says = "another question"},
    {.name = "another kind", .manners = OTHER_KIND, .code = WA_E_INVALID, .says = "another kind"},
    {.name = "farewell", .manners = FAREWELL, .code = WA_E_UNREACHABLE, .says = "ended"},
    {.name = "closes", .manners = CLOSES, .code = WA_E_UNREACHABLE, .says = "closed"},
    {.name = "looked at again",
     .is_check = true,
     .is_ad = true,
     .is_right = true,
     .in_first = true},
    {.name = "elsewhere", .is_check = true, .is_right = true, .in_first = true},
    {.name = "by its number",
     .is_check = true,
     .is_ad = true,
     .asked_sid = "S-1-1103823438081-1684234849",
     .is_right = true,
     .in_first = true},
    {.name = "another one of that name",
     .is_check = true,
     .is_ad = true,
     .asked_sid = "S-1-1103823438081-1684234850",
     .says = "another one"},
    {.name = "no number of an account",
     .is_check = true,
     .is_ad = true,
     .asked_sid = "S-1-",
     .says = "another one"},
    {.name = "a plain account",
     .is_check = true,
     .is_ad = true,
     .attribute = "userAccountControl",
     .value = "66048",
     .is_right = true,
     .in_first = true},
    {.name = "disabled since",
     .is_check = true,
     .is_ad = true,
     .attribute = "userAccountControl",
     .value = "66050",
     .says = "disabled"},
    {.name = "never expires",
     .is_check = true,
     .is_ad = true,
     .attribute = "accountExpires",
     .value = "9223372036854775807",
     .is_right = true,
     .in_first = true},
    {.name = "expired",
     .is_check = true,
     .is_ad = true,
     .attribute = "accountExpires",
     .value = "132223104000000000",
     .says = "expired"},
    {.name = "no number",
     .is_check = true,
     .is_ad = true,
     .attribute = "userAccountControl",
     .value = "x",
     .says = "disabled"},
    {.name = "locked",
     .is_check = true,
     .attribute = "nsAccountLock",
     .value = "TRUE",
     .says = "disabled"},
    {.name = "an old shadow",
     .is_check = true,
     .attribute = "shadowExpire",
     .value = "9000",
     .says = "disabled"},
    {.name = "gone", .is_check = true, .is_ad = true, .manners = NOBODY, .says = "any more"},
    {.name = "two of them", .is_check = true, .manners = TWO, .says = "several"},
    {.name = "nobody may ask",
     .is_check = true,
     .has_no_account = true,
     .code = WA_E_CONFIG,
     .says = "nobody may"},
    {.name = "may not ask any more",
     .is_check = true,
     .bind_result = 49,
     .code = WA_E_CONFIG,
     .says = "ldap_check_account"},
    {.name = "refuses", .manners = REFUSES, .code = WA_E_FAILED, .says = "ldap_auth_base_dn"},
};

static void test_scenes(void **state)
{
    const struct identity *id = *state;
    for (size_t i = 0; i < WA_COUNT(scenes); i++) {
        const struct scene *s = &scenes[i];
        struct wa_err err = WA_ERR_INIT;
        struct wa_ldap_answer a = {.reason = ""};
        uint16_t port;
        pid_t pid = serve(s, id, &port);
        enum wa_code code = ask(s, id, port, &a, &err);
        end(pid);
        const char *said = code == WA_OK ? a.reason : err.text;
        if (code != s->code || a.is_right != s->is_right || a.in_group[0] != s->in_first ||
            a.in_group[1] || (s->says != NULL && strstr(said, s->says) == NULL))
            fail_msg("%s: %s, %s: '%s'", s->name, wa_code_name(code), a.is_right ? "yes" : "no",
                     said);
    }
}

static void test_strangers(void **state)
{
    const struct identity *id = *state;
    struct identity other;
    struct wa_err err = WA_ERR_INIT;
    struct wa_ldap_answer a;
    uint16_t port;
    const char *const names[] = {"localhost", NULL};
    identity_new(&other, IDENTITY_SERVER, "localhost", names, NULL);
    pid_t pid = serve(&scenes[0], id, &port);
    assert_int_equal(ask(&scenes[0], &other, port, &a, &err), WA_E_REFUSED);
    assert_non_null(strstr(err.text, "not trusted"));
    end(pid);
    identity_free(&other);
}

struct turn {
    const struct scene *scene;
    const struct identity *id;
    uint16_t port;
};

static enum wa_code torture_login(void *arg, struct wa_err *err)
{
    const struct turn *t = arg;
    struct wa_ldap_answer a = {.reason = ""};
    enum wa_code code = ask(t->scene, t->id, t->port, &a, err);
    if (code == WA_OK)
        assert_true(a.is_right && a.in_group[0] && !a.in_group[1]);
    /* Which server was asked is said in front of why not. */
    if (code != WA_OK && code != WA_E_NOMEM)
        fail_msg("%s", err->text);
    return code;
}

static void test_no_memory(void **state)
{
    const struct identity *id = *state;
    for (size_t i = 0; i < 3; i++) {
        struct turn t = {&scenes[i], id, 0};
        pid_t pid = serve(&scenes[i], id, &t.port);
        (void)wa_torture(torture_login, &t);
        end(pid);
    }
}

/* --- bytes --- */

static void test_numbers(void **state)
{
    static const int32_t numbers[] = {0,       1,         127,    128,      255,   256,
                                      32767,   -1,        -128,   -129,     65536, 8388607,
                                      8388608, INT32_MAX, -32769, INT32_MIN};
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(numbers); i++) {
        WA_AUTO_BUF struct wa_buf b;
        struct wa_sv rest, value;
        int32_t back = 0;
        wa_buf_init(&b, 64);
        wa_ber_int(&b, WA_BER_INT, numbers[i]);
        rest = wa_buf_sv(&b);
        assert_true(wa_ber_take_as(&rest, WA_BER_INT, &value) && rest.n == 0);
        assert_true(wa_ber_i32(value, &back));
        assert_int_equal(back, numbers[i]);
        assert_true(value.n == 1 ||
                    (unsigned char)value.p[0] != (((unsigned char)value.p[1] & 0x80) ? 0xff : 0));
    }
}

static void test_elements(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
        bool is_one; /* whole */
        bool may_become;
    } rows[] = {
        {"", 0, false, true},
        {"\x04", 1, false, true},
        {"\x04\x00", 2, true, true},
        {"\x04\x01", 2, false, true},
        {"\x04\x81\x01x", 4, true, true},
        {"\x04\x84\x00\x00", 4, false, true},
        {"\x04\x84\x00\x00\x00\x01x", 7, true, true},
        {"\x04\x84\xff\xff\xff\xff", 6, false, true}, /* more than any message */
        {"\x04\x85\x00\x00\x00\x00\x01x", 8, false, false},
        {"\x04\x80", 2, false, false},
        {"\x1f\x81\x01", 3, false, false},
    };
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(rows); i++) {
        struct wa_sv rest = wa_sv_n(rows[i].bytes, rows[i].n), value;
        unsigned tag;
        size_t n;
        assert_int_equal(wa_ber_length(rest, &n), rows[i].may_become);
        assert_int_equal(wa_ber_take(&rest, &tag, &value), rows[i].is_one);
    }
}

static int setup(void **state)
{
    static struct identity id;
    const char *const names[] = {"localhost", NULL};
    identity_new(&id, IDENTITY_SERVER, "localhost", names, NULL);
    *state = &id;
    return 0;
}

static int teardown(void **state)
{
    identity_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),   cmocka_unit_test(test_elements),
        cmocka_unit_test(test_scenes),    cmocka_unit_test(test_strangers),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

/* The local program's calls: what each does, that a page can't forge a gesture, that names forge no
 * line of the question, that a server which is gone is told of; and that with memory running out
 * anywhere a page gets one answer, and nothing leaks or stays half done. */
#include "local_bench.h"
#include "torture.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/clock.h"
#include "proto/journal.h"

#define ACTIONS                                                                                    \
    "{\"what\":\"actions\",\"kind\":\"install\",\"packages\":[\"tis-x\"],\"hosts\":[\"" BENCH_UUID \
    "\"],\"valid_s\":600}"

/* --- small words --- */

static void must(enum wa_code code)
{
    assert_int_equal(code, WA_OK);
}

/* --- each call with memory running out --- */

static char prefs_dir[] = "/tmp/wapt-prefs-XXXXXX";
static char temp_dir[] = "/tmp/wapt-local-test-XXXXXX";

static enum wa_code state_step(struct bench *b, struct wa_buf *out, struct wa_err *err)
{
    if (bench_do(b, WA_HTTP_GET, "/local/state", "", out, err) != WA_OK)
        return err->code;
    /* Without memory to ask, it is not known. */
    assert_true(bench_says(out, "\"login\"") || bench_says(out, "\"unreachable\""));
    return WA_OK;
}

static enum wa_code login_step(struct bench *b, struct wa_buf *out, struct wa_err *err)
{
    if (bench_log_in(b, out, err) != WA_OK) {
        assert_null(b->local.server.link);
        return err->code;
    }
    assert_non_null(b->local.server.link);
    if (bench_do(b, WA_HTTP_GET, "/local/state", "", out, err) != WA_OK)
        return err->code;
    assert_true(bench_says(out, "\"connected\""));
    assert_false(bench_says(out, BENCH_TOKEN));
    return bench_do(b, WA_HTTP_POST, "/local/logout", "", out, err);
}

static enum wa_code certificate_step(struct bench *b, struct wa_buf *out, struct wa_err *err)
{
    char body[96];
    bench_unlock(b);
    (void)snprintf(body, sizeof body, "{\"way\":\"certificate\",\"key\":\"%s\"}",
                   b->local.keys[0].id);
    if (bench_do(b, WA_HTTP_POST, "/local/login", body, out, err) != WA_OK) {
        assert_null(b->local.server.link);
        return err->code;
    }
    /* Its session outlives the key's time for signing. */
    if (bench_do(b, WA_HTTP_POST, "/local/keys/lock", "", out, err) != WA_OK)
        return err->code;
    assert_null(b->local.keys[0].key);
    return bench_do(b, WA_HTTP_GET, "/api/v1/hosts?limit=1", "", out, err);
}

static enum wa_code provider_step(struct bench *b, struct wa_buf *out, struct wa_err *err)
{
    if (bench_do(b, WA_HTTP_POST, "/local/oidc", "{}", out, err) != WA_OK) {
        assert_null(b->local.oidc);
        return err->code;
    }
    assert_true(bench_says(out, "https://id.example.org/auth"));
    if (bench_do(b, WA_HTTP_GET, "/local/oidc", "", out, err) != WA_OK)
        return err->code;
    assert_true(bench_says(out, "browser"));
    if (bench_do(b, WA_HTTP_POST, "/local/logout", "", out, err) != WA_OK)
        return err->code;
    assert_null(b->local.oidc);
    assert_int_equal(bench_do(b, WA_HTTP_GET, "/local/oidc", "", out, err), WA_E_NOT_FOUND);
    wa_err_clear(err);
    return WA_OK;
}

static enum wa_code grant_step(struct bench *b, struct wa_buf *out, struct wa_err *err)
{
    char body[96];
    if (bench_log_in(b, out, err) != WA_OK ||
        bench_prepare(b,
                      "{\"what\":\"grant\",\"do\":\"user-change\","
                      "\"user\":\"a\",\"give\":{\"disabled\":true}}",
                      body, out, err) != WA_OK)
        return err->code;
    return bench_do(b, WA_HTTP_POST, "/local/commit", body, out, err);
}

static enum wa_code journal_step(struct bench *b, struct wa_buf *out, struct wa_err *err)
{
    if (bench_log_in(b, out, err) != WA_OK ||
        bench_do(b, WA_HTTP_POST, "/local/journal", "{}", out, err) != WA_OK)
        return err->code;
    assert_true(bench_says(out, "\"done\":false"));
    if (bench_do(b, WA_HTTP_POST, "/local/journal",
                 "{\"node\":\"n\",\"after\":0,\"digest\":\"" WA_JOURNAL_FIRST "\"}", out,
                 err) != WA_OK)
        return err->code;
    assert_true(bench_says(out, "\"done\":true"));
    return WA_OK;
}

static enum wa_code relay_step(struct bench *b, struct wa_buf *out, struct wa_err *err)
{
    if (bench_log_in(b, out, err) != WA_OK ||
        bench_do(b, WA_HTTP_GET, "/api/v1/hosts?limit=1", "", out, err) != WA_OK)
        return err->code;
    assert_true(bench_says(out, BENCH_UUID));
    return bench_do(b, WA_HTTP_PUT, "/api/v1/reports/x", "{\"query\":\"x\"}", out, err);
}

static enum wa_code events_step(struct bench *b, struct wa_buf *out, struct wa_err *err)
{
    return bench_log_in(b, out, err) == WA_OK
               ? bench_do(b, WA_HTTP_GET, "/api/v1/events?kinds=host", "", out, err)
               : err->code;
}

static enum wa_code pin_step(struct bench *b, struct wa_buf *out, struct wa_err *err)
{
    char sha256[65], body[96];
    b->outage = WA_E_REFUSED;
    if (bench_do(b, WA_HTTP_GET, "/local/pin", "", out, err) != WA_OK ||
        bench_member(out, "sha256", sha256, err) != WA_OK)
        return err->code;
    (void)snprintf(body, sizeof body, "{\"sha256\":\"%s\"}", sha256);
    if (bench_do(b, WA_HTTP_POST, "/local/pin", body, out, err) != WA_OK)
        return err->code;
    assert_true(bench_says(out, "gesture"));
    bench_type(b, true);
    b->outage = WA_OK;
    if (bench_do(b, WA_HTTP_POST, "/local/pin", body, out, err) != WA_OK)
        return err->code;
    assert_true(bench_says(out, "done"));
    assert_string_equal(b->local.server.trust.fingerprint, sha256);
    return WA_OK;
}

static enum wa_code actions_step(struct bench *b, struct wa_buf *out, struct wa_err *err)
{
    return bench_sign(b, ACTIONS, out, err);
}

static enum wa_code gesture_step(struct bench *b, struct wa_buf *out, struct wa_err *err)
{
    b->options.confirm_above = 0;
    return bench_sign(b, ACTIONS, out, err);
}

static enum wa_code cancel_step(struct bench *b, struct wa_buf *out, struct wa_err *err)
{
    return bench_sign(b, "{\"what\":\"cancel\",\"batch\":\"0123456789abcdef0123456789abcdef\"}",
                      out, err);
}

static enum wa_code rollout_step(struct bench *b, struct wa_buf *out, struct wa_err *err)
{
    return bench_sign(
        b,
        "{\"what\":\"rollout\",\"name\":\"n\",\"kind\":\"update\",\"members_of\":[\"g\"],"
        "\"plan\":{\"rings\":[{\"name\":\"all\",\"percent\":100}]},\"valid_s\":3600}",
        out, err);
}

static enum wa_code keys_step(struct bench *b, struct wa_buf *out, struct wa_err *err)
{
    char body[128];
    (void)snprintf(body, sizeof body, "{\"id\":\"%s\"}", b->local.keys[0].id);
    bench_unlock(b);
    if (bench_do(b, WA_HTTP_POST, "/local/keys/lock", body, out, err) != WA_OK)
        return err->code;
    assert_null(b->local.keys[0].key);
    (void)snprintf(body, sizeof body, "{\"id\":\"%s\",\"password\":\"p\",\"seconds\":60}",
                   b->local.keys[0].id);
    if (bench_do(b, WA_HTTP_POST, "/local/keys/unlock", body, out, err) == WA_E_NOMEM)
        return err->code;
    assert_int_equal(err->code, WA_E_NOT_FOUND); /* there is no such file */
    assert_null(b->local.keys[0].key);
    assert_false(b->local.keys[0].is_opening);
    wa_err_clear(err);
    return WA_OK;
}

static enum wa_code password_step(struct bench *b, struct wa_buf *out, struct wa_err *err)
{
    char body[160];
    (void)snprintf(body, sizeof body, "{\"id\":\"%s\",\"old\":\"p\",\"password\":\"a longer one\"}",
                   b->local.keys[0].id);
    if (bench_do(b, WA_HTTP_POST, "/local/keys/password", body, out, err) == WA_E_NOMEM)
        return err->code;
    assert_int_equal(err->code, WA_E_NOT_FOUND); /* there is no such file */
    assert_false(b->local.keys[0].is_opening);
    wa_err_clear(err);
    return WA_OK;
}

static enum wa_code prefs_step(struct bench *b, struct wa_buf *out, struct wa_err *err)
{
    static const char text[] = "{\"theme\":\"dark\"}";
    b->options.prefs_dir = prefs_dir;
    if (bench_do(b, WA_HTTP_PUT, "/local/prefs", text, out, err) != WA_OK ||
        bench_do(b, WA_HTTP_GET, "/local/prefs", "", out, err) != WA_OK)
        return err->code;
    assert_true(bench_says(out, text));
    return WA_OK;
}

#define MADE                                                                                       \
    "\"made\":{\"kind\":\"none\",\"package\":\"acme-x\",\"version\":\"1-1\",\"architecture\":"     \
    "\"all\",\"section\":\"base\",\"description\":\"d\"}"

static enum wa_code make_step(struct bench *b, struct wa_buf *out, struct wa_err *err)
{
    b->options.prefix = "acme";
    if (bench_do(b, WA_HTTP_POST, "/local/make", "{\"files\":[]}", out, err) != WA_OK)
        return err->code;
    assert_true(bench_says(out, "\"acme-package\"") && bench_says(out, "def install"));
    if (bench_do(b, WA_HTTP_POST, "/local/make", "{\"files\":[]," MADE "}", out, err) != WA_OK)
        return err->code;
    assert_true(bench_says(out, "\"acme-x\"") &&
                bench_says(out, "not-parsed")); /* nobody reads it here */
    return WA_OK;
}

static enum wa_code made_step(struct bench *b, struct wa_buf *out, struct wa_err *err)
{
    char body[96];
    bench_unlock(b);
    if (bench_log_in(b, out, err) != WA_OK ||
        bench_prepare(b, "{\"what\":\"make\",\"files\":[]," MADE "}", body, out, err) != WA_OK)
        return err->code;
    assert_true(bench_says(out, "\"needs\":\"gesture\"") && bench_says(out, "acme-x"));
    if (bench_do(b, WA_HTTP_POST, "/local/commit", body, out, err) != WA_OK)
        return err->code;
    bench_type(b, true);
    if (bench_do(b, WA_HTTP_POST, "/local/commit", body, out, err) != WA_OK ||
        bench_do(b, WA_HTTP_POST, "/local/commit", body, out, err) != WA_OK)
        return err->code;
    assert_true(bench_says(out, "\"failed\":1")); /* agents know no signature by such a key */
    return WA_OK;
}

static const struct {
    const char *name;
    enum wa_code (*fn)(struct bench *b, struct wa_buf *out, struct wa_err *err);
} steps[] = {{"certificate", certificate_step},
             {"provider", provider_step},
             {"grant", grant_step},
             {"journal", journal_step},
             {"state", state_step},
             {"login", login_step},
             {"relay", relay_step},
             {"events", events_step},
             {"pin", pin_step},
             {"actions", actions_step},
             {"gesture", gesture_step},
             {"cancel", cancel_step},
             {"rollout", rollout_step},
             {"make", make_step},
             {"made", made_step},
             {"keys", keys_step},
             {"password", password_step},
             {"prefs", prefs_step}};

static enum wa_code run_step(void *arg, struct wa_err *err)
{
    const size_t *i = arg;
    (void)!bench_run(steps[*i].fn, err);
    wa_torture_pause();
    bench_empty_temp();
    wa_torture_resume();
    return err->code;
}

static void test_memory_runs_out(void **state)
{
    WA_UNUSED(state);
    bench_spare(wa_torture_pause, wa_torture_resume);
    assert_non_null(mkdtemp(prefs_dir));
    assert_non_null(mkdtemp(temp_dir));
    assert_int_equal(setenv("TMPDIR", temp_dir, 1),
                     0); /* where nothing can be removed without memory */
    for (size_t i = 0; i < WA_COUNT(steps); i++)
        print_message("%s: %zu allocations\n", steps[i].name, wa_torture(run_step, &i));
    char path[64];
    (void)snprintf(path, sizeof path, "%s/pages.json", prefs_dir);
    assert_true(unlink(path) == 0 && rmdir(prefs_dir) == 0);
    wa_temp_remove(temp_dir);
    assert_int_equal(unsetenv("TMPDIR"), 0);
}

/* --- what is signed, and when --- */

struct story {
    struct bench b;
    struct wa_buf out;
    struct wa_err err;
};

static void begin(struct story *s)
{
    bench_start(&s->b);
    wa_buf_init(&s->out, 128u << 20);
    s->err = (struct wa_err)WA_ERR_INIT;
    bench_unlock(&s->b);
    must(bench_log_in(&s->b, &s->out, &s->err));
}

static void end(struct story *s)
{
    wa_buf_fini(&s->out);
    bench_end(&s->b);
}

static void refused(struct story *s, enum wa_http_method method, const char *path, const char *body,
                    enum wa_code code)
{
    wa_err_clear(&s->err);
    assert_int_equal(bench_do(&s->b, method, path, body, &s->out, &s->err), code);
    wa_err_clear(&s->err);
}

static void test_what_is_shown_is_signed_once(void **state)
{
    WA_UNUSED(state);
    struct story s;
    char body[96], first[96];
    begin(&s);
    must(bench_prepare(&s.b, ACTIONS, body, &s.out, &s.err));
    must(bench_do(&s.b, WA_HTTP_POST, "/local/commit", body, &s.out, &s.err));
    size_t asked = s.b.asked;
    must(bench_do(&s.b, WA_HTTP_POST, "/local/commit", body, &s.out, &s.err));
    assert_true(bench_says(&s.out, "\"done\""));
    assert_int_equal(s.b.asked, asked); /* not again */
    refused(&s, WA_HTTP_POST, "/local/commit", "{\"id\":\"0\"}", WA_E_NOT_FOUND);
    /* Only so many are kept, and the oldest goes. */
    must(bench_prepare(&s.b, ACTIONS, first, &s.out, &s.err));
    for (size_t i = 0; i < WA_LOCAL_PREPARED; i++)
        must(bench_prepare(&s.b, ACTIONS, body, &s.out, &s.err));
    must(bench_do(&s.b, WA_HTTP_POST, "/local/commit", body, &s.out, &s.err));
    /* A key that is locked meanwhile signs nothing. */
    must(bench_prepare(&s.b, ACTIONS, body, &s.out, &s.err));
    must(bench_do(&s.b, WA_HTTP_POST, "/local/keys/lock", "", &s.out, &s.err));
    refused(&s, WA_HTTP_POST, "/local/commit", body, WA_E_CONFLICT);
    end(&s);
}

static void test_few_by_few_adds_up(void **state)
{
    WA_UNUSED(state);
    struct story s;
    char body[96];
    begin(&s);
    s.b.options.confirm_above = 3;
    for (int i = 0; i < 3; i++) {
        must(bench_prepare(&s.b, ACTIONS, body, &s.out, &s.err));
        must(bench_do(&s.b, WA_HTTP_POST, "/local/commit", body, &s.out, &s.err));
        assert_true(bench_says(&s.out, "\"done\""));
    }
    must(bench_prepare(&s.b, ACTIONS, body, &s.out, &s.err));
    must(bench_do(&s.b, WA_HTTP_POST, "/local/commit", body, &s.out, &s.err));
    assert_true(bench_says(&s.out, "gesture"));
    bench_type(&s.b, false);
    refused(&s, WA_HTTP_POST, "/local/commit", body, WA_E_CANCELLED);
    refused(&s, WA_HTTP_POST, "/local/commit", body, WA_E_CANCELLED); /* for good */
    s.b.has_terminal = false;
    must(bench_prepare(&s.b, ACTIONS, body, &s.out, &s.err));
    refused(&s, WA_HTTP_POST, "/local/commit", body, WA_E_DENIED);
    end(&s);
}

/* Not even a person who is there for something else begins a new count; an hour does. */
static void test_a_gesture_gives_no_more(void **state)
{
    static const struct {
        uint64_t minutes;
        const char *needs;
    } rows[] = {{0, "\"needs\":\"gesture\""},
                {WA_LOCAL_UNASKED_MIN - 2, "\"needs\":\"gesture\""},
                {WA_LOCAL_UNASKED_MIN, "\"needs\":\"none\""}};
    WA_UNUSED(state);
    struct story s;
    char body[96];
    begin(&s);
    s.b.options.confirm_above = 1;
    must(bench_prepare(&s.b, ACTIONS, body, &s.out, &s.err));
    must(bench_do(&s.b, WA_HTTP_POST, "/local/commit", body, &s.out, &s.err));
    must(bench_prepare(&s.b, ACTIONS, body, &s.out, &s.err));
    must(bench_do(&s.b, WA_HTTP_POST, "/local/commit", body, &s.out, &s.err));
    bench_type(&s.b, true);
    must(bench_do(&s.b, WA_HTTP_POST, "/local/commit", body, &s.out, &s.err));
    assert_true(bench_says(&s.out, "\"done\""));
    for (size_t i = 0; i < WA_COUNT(rows); i++) {
        for (size_t k = 0; k < WA_LOCAL_UNASKED_MIN; k++)
            s.b.local.unasked[k].minute -= rows[i].minutes - (i > 1 ? rows[i - 1].minutes : 0);
        must(bench_prepare(&s.b, ACTIONS, body, &s.out, &s.err));
        assert_true(bench_says(&s.out, rows[i].needs));
    }
    end(&s);
}

static void test_what_is_asked_can_be_done(void **state)
{
    WA_UNUSED(state);
    struct story s;
    char body[96];
    begin(&s);
    s.b.options.confirm_above = 0;
    must(bench_prepare(&s.b, ACTIONS, body, &s.out, &s.err));
    must(bench_do(&s.b, WA_HTTP_POST, "/local/keys/lock", "", &s.out, &s.err));
    refused(&s, WA_HTTP_POST, "/local/commit", body, WA_E_CONFLICT); /* nobody is asked in vain */
    assert_int_equal(s.b.shown.n, 0);
    /* What was shown too long ago is not signed. */
    bench_unlock(&s.b);
    must(bench_prepare(&s.b, ACTIONS, body, &s.out, &s.err));
    for (size_t i = 0; i < WA_LOCAL_PREPARED; i++)
        if (s.b.local.prepared[i] != NULL)
            s.b.local.prepared[i]->expires_at = wa_clock_now();
    refused(&s, WA_HTTP_POST, "/local/commit", body, WA_E_NOT_FOUND);
    /* One question at a time; that of a page that has gone goes too. */
    must(bench_prepare(&s.b, ACTIONS, body, &s.out, &s.err));
    must(bench_do(&s.b, WA_HTTP_POST, "/local/commit", body, &s.out, &s.err));
    char second[96], path[128];
    must(bench_prepare(&s.b, ACTIONS, second, &s.out, &s.err));
    refused(&s, WA_HTTP_POST, "/local/commit", second, WA_E_BUSY);
    (void)snprintf(path, sizeof path, "/local/prepare/%.32s", strstr(body, ":\"") + 2);
    must(bench_do(&s.b, WA_HTTP_DELETE, path, "", &s.out, &s.err));
    assert_null(s.b.local.confirm);
    must(bench_do(&s.b, WA_HTTP_POST, "/local/commit", second, &s.out, &s.err));
    assert_true(bench_says(&s.out, "gesture"));
    bench_type(&s.b, false);
    /* A key for other purposes. */
    s.b.local.keys[0].can_sign_code = false;
    refused(&s, WA_HTTP_POST, "/local/prepare", "{\"what\":\"make\",\"files\":[],\"made\":{}}",
            WA_E_DENIED);
    refused(&s, WA_HTTP_POST, "/local/prepare",
            "{\"what\":\"certificate\",\"request\":\"x\",\"days\":1}", WA_E_DENIED);
    end(&s);
}

/* Whoever sets the clock back keeps no key open, nor does a clock that stood still. */
static void test_a_key_locks_by_both_clocks(void **state)
{
    WA_UNUSED(state);
    struct story s;
    char body[96];
    for (int i = 0; i < 2; i++) {
        begin(&s);
        must(bench_prepare(&s.b, ACTIONS, body, &s.out, &s.err));
        if (i == 0)
            s.b.local.keys[0].until = 0;
        else
            s.b.local.keys[0].until_ms = 0;
        refused(&s, WA_HTTP_POST, "/local/commit", body, WA_E_CONFLICT);
        must(bench_do(&s.b, WA_HTTP_GET, "/local/state", "", &s.out, &s.err));
        assert_true(bench_says(&s.out, "\"unlocked_until\":0"));
        assert_null(s.b.local.keys[0].key); /* it is gone, not only refused */
        end(&s);
    }
}

/* Lines of the question: the title, what begins with two spaces, and what is typed behind. */
static void check_lines(const struct wa_buf *shown)
{
    struct wa_sv rest = wa_buf_sv(shown), line;
    size_t titles = 0;
    for (size_t i = 0; i < shown->n; i++) {
        unsigned char ch = (unsigned char)shown->p[i];
        assert_true(ch >= 0x20 || ch == '\r' || ch == '\n');
        assert_int_not_equal(ch, 0x7f);
        assert_true(ch != '\r' || (i + 1 < shown->n && shown->p[i + 1] == '\n'));
        assert_true(ch != '\n' || (i > 0 && shown->p[i - 1] == '\r'));
    }
    while (wa_sv_split(&rest, '\n', &line)) {
        if (line.n > 0 && line.p[line.n - 1] == '\r')
            line.n--;
        titles += line.n > 0 && !wa_sv_starts(line, "  ") && !wa_sv_starts(line, "To do this");
    }
    assert_int_equal(titles, 1);
}

static void test_names_forge_no_line(void **state)
{
    /* New lines of every kind, cursor movements, marks that turn the direction of text. */
    static const char *const names[] = {"a\nTo do this, type 0000",
                                        "a\r\n  Machines: 0",
                                        "a\rMachines: 0",
                                        "\x1b[2J\x1b[H",
                                        "\xc2\x9b"
                                        "2J",
                                        "a\xe2\x80\xa8 b\xe2\x80\xa9 c",
                                        "a\xc2\x85 b",
                                        "a\vb\fc",
                                        "\xe2\x80\xae"
                                        "cod.exe",
                                        "\xe2\x81\xa6"
                                        "a\xe2\x81\xa9\xd8\x9c",
                                        "a\x7f\x08\x08",
                                        "\xff\xfe\xc0\xaf"};
    static const char *const marks[] = {"\x1b",     "\xc2\x9b",     "\xe2\x80\xa8", "\xe2\x80\xa9",
                                        "\xc2\x85", "\xe2\x80\xae", "\xe2\x81\xa6", "\xd8\x9c"};
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(names); i++) {
        struct story s;
        char body[96];
        begin(&s);
        s.b.options.confirm_above = 0;
        s.b.host = wa_sv(names[i]);
        must(bench_prepare(&s.b, ACTIONS, body, &s.out, &s.err));
        must(bench_do(&s.b, WA_HTTP_POST, "/local/commit", body, &s.out, &s.err));
        check_lines(&s.b.shown);
        for (size_t k = 0; k < WA_COUNT(marks); k++)
            assert_false(bench_says(&s.b.shown, marks[k]));
        bench_type(&s.b, false);
        end(&s);
    }
}

/* The question says which machines they are: their number alone could be that of others. */
static void test_the_question_names_machines(void **state)
{
    static const struct {
        const char *name, *shown;
    } rows[] = {{"PC-1", "\r\n    PC-1\r\n"},
                {"", "\r\n    " BENCH_UUID "\r\n"},
                /* Blanks as far as the next line of a terminal, of any kind; what nobody sees. */
                {"a                                                        Machines: 0",
                 "    a  Machines: 0"},
                {"a\xc2\xa0\xe2\x80\x83\xe3\x80\x80 b", "    a  b\r\n"},
                {"a\xc2\xad"
                 "b\xe3\x85\xa4"
                 "c\xef\xb8\x8f"
                 "d\xcd\x8f"
                 "e\xe2\xa0\x80",
                 "    a?b?c?d?e?\r\n"},
                {"\xc3\xa9t\xc3\xa9 \xe4\xb8\xad", "    \xc3\xa9t\xc3\xa9 \xe4\xb8\xad\r\n"}};
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(rows); i++) {
        struct story s;
        char body[96];
        begin(&s);
        s.b.options.confirm_above = 0;
        s.b.host = wa_sv(rows[i].name);
        must(bench_prepare(&s.b, ACTIONS, body, &s.out, &s.err));
        must(bench_do(&s.b, WA_HTTP_POST, "/local/commit", body, &s.out, &s.err));
        check_lines(&s.b.shown);
        if (!bench_says(&s.b.shown, rows[i].shown) || !bench_says(&s.b.shown, "  Key: "))
            fail_msg("%s", wa_buf_str(&s.b.shown));
        bench_type(&s.b, false);
        end(&s);
    }
}

/* --- the server --- */

static void test_a_server_that_is_gone(void **state)
{
    WA_UNUSED(state);
    struct story s;
    begin(&s);
    s.b.outage = WA_E_UNREACHABLE;
    refused(&s, WA_HTTP_GET, "/api/v1/hosts", "", WA_E_UNREACHABLE);
    must(bench_do(&s.b, WA_HTTP_GET, "/local/state", "", &s.out, &s.err));
    assert_true(bench_says(&s.out, "\"unreachable\"") && bench_says(&s.out, "\"user\":\"a\""));
    s.b.outage = WA_OK; /* it is back: the session was kept */
    must(bench_do(&s.b, WA_HTTP_GET, "/api/v1/hosts", "", &s.out, &s.err));
    must(bench_do(&s.b, WA_HTTP_GET, "/local/state", "", &s.out, &s.err));
    assert_true(bench_says(&s.out, "\"connected\""));
    s.b.is_logged_out = true; /* it has ended it */
    refused(&s, WA_HTTP_GET, "/api/v1/hosts", "", WA_E_AUTH);
    must(bench_do(&s.b, WA_HTTP_GET, "/local/state", "", &s.out, &s.err));
    assert_true(bench_says(&s.out, "\"login\""));
    refused(&s, WA_HTTP_GET, "/api/v1/events", "", WA_E_AUTH);
    end(&s);
}

static void test_what_is_not_relayed(void **state)
{
    static const char *const paths[] = {"/api/v1/session",
                                        "/api/v1/session/certificate",
                                        "/api/v1/login",
                                        "/api/v1/enrol-tokens",
                                        "/api/v1/enrol-tokens.csv",
                                        "/api/v1/",
                                        "/api/v2/hosts",
                                        "/wapt/Packages",
                                        "/wapt/icons/a.png",
                                        "/local/icons/",
                                        "/local/icons/a",
                                        "/local/icons/a/b.png",
                                        "/local/icons/../Packages.png",
                                        "/local/nothing",
                                        "/local/prepare"};
    WA_UNUSED(state);
    struct story s;
    begin(&s);
    size_t asked = s.b.asked;
    for (size_t i = 0; i < WA_COUNT(paths); i++)
        refused(&s, WA_HTTP_GET, paths[i], "", WA_E_NOT_FOUND);
    /* What lasts longer than the page. */
    static const struct {
        enum wa_http_method method;
        const char *path;
    } lasting[] = {{WA_HTTP_POST, "/api/v1/users"},
                   {WA_HTTP_POST, "/api/v1/users/a"},
                   {WA_HTTP_PUT, "/api/v1/users/a"},
                   {WA_HTTP_POST, "/api/v1/users/a/password"},
                   {WA_HTTP_POST, "/api/v1/users/a/certificates/b"},
                   {WA_HTTP_DELETE, "/api/v1/users/a/second-factor"},
                   {WA_HTTP_POST, "/api/v1/account/tokens"},
                   {WA_HTTP_POST, "/api/v1/account/certificates"},
                   {WA_HTTP_POST, "/api/v1/signers"},
                   {WA_HTTP_POST, "/api/v1/webhooks"},
                   {WA_HTTP_PUT, "/api/v1/webhooks/a"},
                   /* Nobody is nobody. */
                   {WA_HTTP_DELETE, "/api/v1/users/"},
                   {WA_HTTP_DELETE, "/api/v1/users//sessions"},
                   {WA_HTTP_DELETE, "/api/v1/hosts//certificate"},
                   {WA_HTTP_POST, "/api/v1/rollouts//stop"}};
    for (size_t i = 0; i < WA_COUNT(lasting); i++)
        refused(&s, lasting[i].method, lasting[i].path, "{}", WA_E_NOT_FOUND);
    assert_int_equal(s.b.asked, asked);
    must(bench_do(&s.b, WA_HTTP_GET, "/api/v1/users", "", &s.out, &s.err));
    must(bench_do(&s.b, WA_HTTP_DELETE, "/api/v1/users/a", "", &s.out, &s.err));
    must(bench_do(&s.b, WA_HTTP_DELETE, "/api/v1/account/tokens/a", "", &s.out, &s.err));
    must(bench_do(&s.b, WA_HTTP_POST, "/api/v1/webhooks/a/test", "{}", &s.out, &s.err));
    end(&s);
}

/* --- what lasts --- */

#define GRANT "{\"what\":\"grant\",\"do\":"

static void test_what_lasts_is_asked_outside_the_page(void **state)
{
    static const char *const refusals[] = {
        GRANT "\"user-add\"}",
        GRANT "\"user-add\",\"user\":\"a\",\"give\":{}}",
        GRANT "\"user-change\",\"give\":{\"role\":\"superadmin\"}}",
        GRANT "\"user-drop-factor\",\"user\":\"a\",\"give\":{}}",
        GRANT "\"token\",\"give\":{\"name\":\"a\",\"hidden\":1}}",
        GRANT "\"anything\",\"give\":{}}"};
    WA_UNUSED(state);
    struct story s;
    char body[96];
    begin(&s);
    must(bench_do(&s.b, WA_HTTP_POST, "/local/keys/lock", "", &s.out,
                  &s.err)); /* no key is needed */
    for (size_t i = 0; i < WA_COUNT(refusals); i++)
        refused(&s, WA_HTTP_POST, "/local/prepare", refusals[i], WA_E_INVALID);
    must(bench_prepare(
        &s.b,
        GRANT "\"user-add\",\"give\":{\"name\":\"eve\\nRole: none\",\"role\":\"superadmin\","
              "\"password\":\"very secret\"}}",
        body, &s.out, &s.err));
    assert_true(bench_says(&s.out, "\"needs\":\"gesture\"") &&
                bench_says(&s.out, "\"signs\":false"));
    size_t asked = s.b.asked;
    must(bench_do(&s.b, WA_HTTP_POST, "/local/commit", body, &s.out, &s.err));
    assert_true(bench_says(&s.out, "gesture") && bench_says(&s.b.shown, "superadmin"));
    assert_false(bench_says(&s.b.shown, "very secret"));
    check_lines(&s.b.shown);
    assert_int_equal(s.b.asked, asked);
    bench_type(&s.b, false);
    refused(&s, WA_HTTP_POST, "/local/commit", body, WA_E_CANCELLED);
    assert_int_equal(s.b.asked, asked);
    /* Who is switched off gets nothing. */
    must(bench_prepare(&s.b,
                       GRANT "\"user-change\",\"user\":\"a/../b\",\"give\":{\"disabled\":true}}",
                       body, &s.out, &s.err));
    assert_true(bench_says(&s.out, "\"needs\":\"none\""));
    static const char *const gives[] = {
        GRANT "\"user-change\",\"user\":\"a\",\"give\":{\"disabled\":false}}",
        GRANT
        "\"user-change\",\"user\":\"a\",\"give\":{\"disabled\":true,\"role\":\"superadmin\"}}",
        GRANT "\"user-change\",\"user\":\"a\",\"give\":{\"needs_second_factor\":false}}",
        GRANT "\"user-change\",\"user\":\"a\",\"give\":{\"perimeter\":null}}"};
    for (size_t i = 0; i < WA_COUNT(gives); i++) {
        must(bench_prepare(&s.b, gives[i], body, &s.out, &s.err));
        assert_true(bench_says(&s.out, "\"needs\":\"gesture\""));
    }
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_shown_is_signed_once),
        cmocka_unit_test(test_few_by_few_adds_up),
        cmocka_unit_test(test_a_gesture_gives_no_more),
        cmocka_unit_test(test_what_is_asked_can_be_done),
        cmocka_unit_test(test_a_key_locks_by_both_clocks),
        cmocka_unit_test(test_names_forge_no_line),
        cmocka_unit_test(test_the_question_names_machines),
        cmocka_unit_test(test_a_server_that_is_gone),
        cmocka_unit_test(test_what_is_not_relayed),
        cmocka_unit_test(test_what_lasts_is_asked_outside_the_page),
        cmocka_unit_test(test_memory_runs_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

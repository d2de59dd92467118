/* local_bench.c - see local_bench.h. What stands around the local program is replaced when it is
 * linked (--wrap), what it shares with others in page_bench.c.
 */
#include "local_bench.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "codec/url.h"
#include "os/clock.h"
#include "os/fs.h"
#include "os/proc.h"
#include "os/term.h"
#include "os/thread.h"

static struct bench *bench; /* the one that runs */

/* --- what has a thread of its own, done at once --- */

enum wa_code __wrap_wa_thread_start(wa_thread_fn fn, void *user, struct wa_thread **ret,
                                    struct wa_err *err);

enum wa_code __wrap_wa_thread_start(wa_thread_fn fn, void *user, struct wa_thread **ret,
                                    struct wa_err *err)
{
    WA_UNUSED(err);
    fn(user);
    *ret = NULL;
    return WA_OK;
}

/* --- the server --- */

#define SIXTEEN "0123456789abcdef"
#define BENCH_ENROL "wapt1-" SIXTEEN SIXTEEN SIXTEEN SIXTEEN "-" SIXTEEN SIXTEEN "0123456789A"
static const struct {
    const char *method, *begins, *answer;
} script[] = {
    {"GET", "/ping", "{}"},
    {"GET", "/api/v1/session/ways", "{\"password\":true,\"oidc\":true,\"certificate\":true}"},
    {"POST", "/api/v1/session/oidc/start", "{\"url\":\"https://id.example.org/auth\"}"},
    {"POST", "/api/v1/session", "{\"token\":\"" BENCH_TOKEN "\"}"},
    {"GET", "/api/v1/session", "{\"user\":\"a\",\"role\":\"superadmin\",\"rights\":\"view\"}"},
    {"GET", "/api/v1/events", ": here\n\n"},
    {"GET", "/api/v1/journal/head", "{\"node\":\"n\",\"seq\":0,\"trimmed\":0,\"chains\":[]}"},
    {"GET", "/api/v1/journal?", "{\"entries\":[]}"},
    {"POST", "/api/v1/actions", "{\"batch\":\"0123456789abcdef0123456789abcdef\"}"},
    {"POST", "/api/v1/enrol-tokens",
     "{\"token\":\"" BENCH_ENROL "\",\"id\":\"kit\",\"expires\":4000000000}"},
    {"POST", "/api/v1/rollouts", "{\"id\":\"0123456789abcdef0123456789abcdef\"}"},
};

/* Another repository, which the program's options name. */
#define STORE "https://store.example"
#define CAPABILITIES                                                                               \
    "{\"host_capabilities\":{\"os\":\"linux\",\"os_version\":\"12\",\"architecture\":\"x64\","     \
    "\"wapt_version\":\"0.1.0\",\"use_host_packages\":true,\"host_packages_names\":[]},"           \
    "\"installed_packages\":[]}"

/* The way to one of them. */
struct wa_http_lines {
    char base[1024];
};

/* What is asked for below the name of whom is asked; NULL: nobody of that name is there. */
static const char *path_of(const struct wa_http_lines *lines, const struct wa_http_request *q)
{
    const char *const known[] = {bench->options.server, STORE};
    for (size_t i = 0; i < WA_COUNT(known); i++)
        if (strcmp(lines->base, known[i]) == 0)
            return q->path;
    return NULL;
}

/* A file of the folder that serves for both repositories; nobody has a package of his own yet. */
static int find_file(const struct wa_http_lines *lines, const struct wa_http_request *call,
                     const char *path, struct wa_buf *out)
{
    static const char ours[] = "/wapt";
    char file[WA_PATH_MAX];
    struct wa_err err = WA_ERR_INIT;
    if (strcmp(lines->base, STORE) != 0 && strncmp(path, ours, sizeof ours - 1) != 0)
        return strncmp(path, "/api/v1/host-packages/", 22) == 0 ? 404 : 0;
    if (bench->folder == NULL || strcmp(call->method, "GET") != 0)
        return 0;
    if (strncmp(path, ours, sizeof ours - 1) == 0)
        path += sizeof ours - 1;
    (void)snprintf(file, sizeof file, "%s%s", bench->folder, path);
    return wa_path_read(file, 1u << 20, out, &err) == WA_OK ? 200 : 404;
}

static bool is_of_session(const char *path)
{
    static const char place[] = "/api/v1/session";
    size_t n = sizeof place - 1;
    return strncmp(path, place, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

static void write_actions(struct wa_buf *out)
{
    wa_buf_addf(out,
                "{\"actions\":[{\"id\":\"0123456789abcdef0123456789abcdef\",\"uuid\":\"" BENCH_UUID
                "\",\"state\":\"queued\",\"not_after\":%lld}]}",
                (long long)wa_clock_now() + 3600);
}

static void write_hosts(struct wa_buf *out)
{
    struct wa_jw w;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kvi(&w, "total", 1);
    wa_jw_key(&w, "hosts");
    wa_jw_arr(&w);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "uuid", BENCH_UUID);
    wa_jw_kvsv(&w, "name", bench->host);
    wa_jw_kvb(&w, "reachable", true);
    wa_jw_end(&w);
    wa_jw_end(&w);
    wa_jw_end(&w);
}

/* It has all of a package as soon as it was sent. */
static void write_upload(const struct wa_http_request *call, struct wa_buf *out)
{
    uint64_t size = strcmp(call->method, "PUT") == 0 ? call->body->size : 0;
    wa_buf_addf(out, "{\"id\":\"0\",\"state\":\"open\",\"offset\":%llu}", (unsigned long long)size);
}

static void answer_for(const struct wa_http_request *call, const char *path, struct wa_buf *out)
{
    bool is_login = is_of_session(path);
    if (bench->answer.n > 0 && !is_login) {
        wa_buf_addsv(out, wa_buf_sv(&bench->answer));
        return;
    }
    if (strncmp(path, "/api/v1/hosts/", 14) == 0) {
        wa_buf_adds(out, CAPABILITIES);
        return;
    }
    if (strncmp(path, "/api/v1/hosts", 13) == 0) {
        write_hosts(out);
        return;
    }
    if (strncmp(path, "/api/v1/uploads", 15) == 0) {
        write_upload(call, out);
        return;
    }
    if (strncmp(path, "/api/v1/actions?", 16) == 0) {
        write_actions(out);
        return;
    }
    for (size_t i = 0; i < WA_COUNT(script); i++)
        if (strcmp(script[i].method, call->method) == 0 &&
            strncmp(script[i].begins, path, strlen(script[i].begins)) == 0 &&
            (is_login || strcmp(script[i].begins, "/api/v1/session") != 0)) {
            wa_buf_adds(out, script[i].answer);
            return;
        }
    wa_buf_adds(out, "{}");
}

enum wa_code __wrap_wa_http_lines_new(const char *base, const struct wa_tls_trust *trust,
                                      const char *proxy, struct wa_http_lines **ret,
                                      struct wa_err *err);
enum wa_code __wrap_wa_http_lines_as(const struct wa_http_lines *l, struct wa_cert *own,
                                     struct wa_key *own_key, struct wa_http_lines **ret,
                                     struct wa_err *err);
void __wrap_wa_http_lines_free(struct wa_http_lines *l);
void __wrap_wa_http_lines_sweep(struct wa_http_lines *l);
enum wa_code __wrap_wa_http_lines_ask(struct wa_http_lines *lines,
                                      const struct wa_http_request *call, struct wa_sink *body,
                                      struct wa_http_result *ret, struct wa_err *err);
enum wa_code __wrap_wa_tls_look(const char *server, const char *proxy, struct wa_stop *stop,
                                struct wa_url *url, struct wa_cert **ret, struct wa_err *err);

enum wa_code __wrap_wa_http_lines_new(const char *base, const struct wa_tls_trust *trust,
                                      const char *proxy, struct wa_http_lines **ret,
                                      struct wa_err *err)
{
    struct wa_http_lines *l = wa_calloc(1, sizeof *l);
    WA_UNUSED(trust);
    WA_UNUSED(proxy);
    if (l == NULL)
        return wa_nomem(err);
    (void)snprintf(l->base, sizeof l->base, "%s", base);
    *ret = l;
    return WA_OK;
}

enum wa_code __wrap_wa_http_lines_as(const struct wa_http_lines *l, struct wa_cert *own,
                                     struct wa_key *own_key, struct wa_http_lines **ret,
                                     struct wa_err *err)
{
    WA_UNUSED(own);
    WA_UNUSED(own_key);
    return __wrap_wa_http_lines_new(l->base, NULL, NULL, ret, err);
}

void __wrap_wa_http_lines_free(struct wa_http_lines *l)
{
    wa_free(l);
}

void __wrap_wa_http_lines_sweep(struct wa_http_lines *l)
{
    WA_UNUSED(l);
}

enum wa_code __wrap_wa_http_lines_ask(struct wa_http_lines *lines,
                                      const struct wa_http_request *call, struct wa_sink *body,
                                      struct wa_http_result *ret, struct wa_err *err)
{
    struct wa_buf text;
    const char *path = path_of(lines, call);
    bool is_login = path != NULL && is_of_session(path);
    struct wa_http_result r = {.status = bench->is_logged_out && !is_login ? 401 : 200};
    bench->asked++;
    if (wa_stop_is_pulled(call->stop))
        return wa_fail(err, WA_E_CANCELLED, "the transfer was cancelled");
    if (bench->outage != WA_OK)
        return wa_fail(err, bench->outage, "the bench is out of order");
    if (path == NULL)
        return wa_fail(err, WA_E_UNREACHABLE, "there is no such server");
    bench_pause();
    wa_buf_init(&text, 4u << 20);
    int status = bench->answer.n == 0 ? find_file(lines, call, path, &text) : 0;
    if (status == 0)
        answer_for(call, path, &text);
    else
        r.status = status;
    bench_must(text.failed);
    (void)snprintf(r.content_type, sizeof r.content_type, "%s",
                   strncmp(path, "/api/v1/events", 14) == 0 ? "text/event-stream"
                                                            : "application/json");
    bench_resume();
    enum wa_code code = WA_OK;
    if (call->on_answer != NULL)
        code = call->on_answer(call->user, &r, err);
    if (code == WA_OK && text.n > call->max_bytes)
        code = wa_fail(err, WA_E_LIMIT, "the answer is too large");
    if (code == WA_OK && body != NULL)
        code = body->write(body, text.p, text.n, err);
    r.bytes = text.n;
    bench_pause();
    wa_buf_fini(&text);
    bench_resume();
    if (code == WA_OK)
        *ret = r;
    return code;
}

static struct wa_key *the_key, *an_open_key;
static struct wa_cert *the_cert;

enum wa_code __wrap_wa_tls_look(const char *server, const char *proxy, struct wa_stop *stop,
                                struct wa_url *url, struct wa_cert **ret, struct wa_err *err)
{
    WA_UNUSED(stop);
    WA_UNUSED(proxy);
    if (wa_url_parse(wa_sv(server), url, err) != WA_OK)
        return err->code;
    *ret = wa_cert_ref(the_cert);
    return WA_OK;
}

/* --- the terminal --- */

struct wa_term {
    int fds[2];
};

bool __wrap_wa_term_is_out(void);
bool __wrap_wa_term_is_err(void);
enum wa_code __wrap_wa_term_open(const char *path, struct wa_term **ret, struct wa_err *err);
void __wrap_wa_term_close(struct wa_term *t);
int __wrap_wa_term_fd(const struct wa_term *t);
bool __wrap_wa_term_key(struct wa_term *t, char *ret);
void __wrap_wa_term_put(struct wa_term *t, struct wa_sv text);

bool __wrap_wa_term_is_out(void)
{
    return bench->has_terminal;
}

bool __wrap_wa_term_is_err(void)
{
    return bench->has_terminal;
}

static struct wa_term terminal;

enum wa_code __wrap_wa_term_open(const char *path, struct wa_term **ret, struct wa_err *err)
{
    WA_UNUSED(path);
    bench_pause();
    bench_must(wa_pipe(terminal.fds, err));
    bench_must(wa_fd_set_nonblocking(terminal.fds[0], true, err));
    bench_resume();
    *ret = &terminal;
    return WA_OK;
}

void __wrap_wa_term_close(struct wa_term *t)
{
    if (t == NULL)
        return;
    (void)close(t->fds[0]);
    (void)close(t->fds[1]);
}

int __wrap_wa_term_fd(const struct wa_term *t)
{
    return t->fds[0];
}

bool __wrap_wa_term_key(struct wa_term *t, char *ret)
{
    WA_UNUSED(t);
    if (bench->keys == NULL || bench->keys[0] == '\0')
        return false;
    *ret = *bench->keys++;
    return true;
}

void __wrap_wa_term_put(struct wa_term *t, struct wa_sv text)
{
    WA_UNUSED(t);
    bench_pause();
    wa_buf_addsv(&bench->shown, text);
    bench_must(bench->shown.failed);
    bench_resume();
}

/* --- the bench --- */

static enum wa_code on_pin(void *user, const char *sha256, struct wa_err *err)
{
    WA_UNUSED(user);
    WA_UNUSED(sha256);
    WA_UNUSED(err);
    return WA_OK;
}

static bool is_packager;

void bench_be_packager(void)
{
    is_packager = true;
}

static void make_identity(void)
{
    static const struct wa_cert_request request = {
        .cn = "person", .code_signing = true, .path_length = -1, .days = 1000};
    struct wa_err err = WA_ERR_INIT;
    if (the_cert != NULL)
        return;
    bench_must(is_packager ? wa_key_new_rsa(2048, &the_key, &err)
                           : wa_key_new_p256(&the_key, &err));
    bench_must(wa_cert_issue(&request, the_key, NULL, NULL, &the_cert, &err));
}

void bench_start(struct bench *b)
{
    static const struct wa_local_repository store = {
        .name = "store", .url = "https://store.example", .trusted = "/nowhere"};
    struct wa_err err = WA_ERR_INIT;
    struct wa_local *l = &b->local;
    bench_pause();
    make_identity();
    *b = (struct bench){.has_terminal = true, .host = WA_SV("pc")};
    wa_log_init(&b->log, -1, WA_LOG_ERROR, "bench");
    wa_buf_init(&b->answer, 4u << 20);
    wa_buf_init(&b->shown, 16u << 20);
    b->trust.system_cas = true;
    b->options = (struct wa_local_options){.server = "https://server.example",
                                           .trust = &b->trust,
                                           .user = "a",
                                           .repositories = &store,
                                           .repository_count = 1,
                                           .language = "en",
                                           .files_dir = getenv("TMPDIR"),
                                           .idle_s = 3600,
                                           .confirm_above = 20,
                                           .prompter_fd = -1,
                                           .log = &b->log,
                                           .on_pin = on_pin};
    l->o = &b->options;
    l->files_folder = (struct wa_dir)WA_DIR_INIT;
    l->server.trust = b->trust;
    bench_must(wa_loop_new(&l->loop, &err));
    struct wa_local_key *k = &l->keys[l->key_count++];
    k->chain.items = wa_calloc(1, sizeof *k->chain.items);
    if (k->chain.items == NULL)
        abort();
    k->chain.items[0] = wa_cert_ref(the_cert);
    k->chain.n = k->chain.cap = 1;
    k->can_sign_code = true;
    bench_must(wa_sv_dup(WA_SV("/nowhere/person.pem"), &k->place, &err));
    (void)snprintf(k->id, sizeof k->id, "%.16s", wa_cert_fingerprint(the_cert));
    bench = b;
    bench_resume();
}

/* Another one each time, unless the last is still there: reading a key takes longer than the rest.
 */
void bench_unlock(struct bench *b)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_buf pem;
    bench_pause();
    wa_buf_init(&pem, 16384);
    if (an_open_key == NULL) {
        bench_must(wa_key_write_pem(the_key, WA_SV(""), &pem, &err));
        bench_must(wa_key_read_pem(wa_buf_sv(&pem), "the key", NULL, NULL, &an_open_key, &err));
    }
    b->local.keys[0].key = an_open_key;
    b->local.keys[0].until = wa_clock_now() + 100000;
    b->local.keys[0].until_ms = wa_clock_mono_ms() + 100000000;
    an_open_key = NULL;
    wa_buf_fini_secret(&pem);
    bench_resume();
}

void bench_end(struct bench *b)
{
    struct wa_local *l = &b->local;
    struct wa_local_link *link = l->server.link;
    l->is_ending = l->is_over = true;
    wa_local_confirm_end(l, NULL);
    wa_local_oidc_stop(l);
    wa_local_streams_end(l);
    l->server.link = NULL;
    wa_local_link_release(l, link);
    wa_local_prepared_sweep(l, true);
    wa_local_files_fini(l);
    if (l->jobs != NULL || l->streams != NULL || l->confirm != NULL)
        abort();
    bench_pause();
    if (an_open_key == NULL) {
        an_open_key = l->keys[0].key;
        l->keys[0].key = NULL;
    }
    wa_local_keys_fini(l);
    wa_loop_free(l->loop);
    wa_buf_fini(&b->answer);
    wa_buf_fini(&b->shown);
    bench = NULL;
    bench_resume();
}

enum wa_code bench_ask(struct bench *b, enum wa_http_method method, const char *path,
                       struct wa_sv body, struct wa_buf *out, int *ret_status, struct wa_err *err)
{
    struct page p;
    struct wa_err why = WA_ERR_INIT;
    size_t max = 0;
    wa_buf_clear(out);
    page_open(&p, method, path, body);
    if (wa_local_judge(&b->local, &p.head, &max, err) != WA_OK)
        return err->code;
    if (wa_local_files_takes(&p.head)) {
        wa_local_files_begin(&b->local, page_conn(&p));
        if (!p.is_over)
            wa_local_files_end(&b->local, page_conn(&p), WA_SV(""));
        return page_close(&p, out, ret_status, err);
    }
    if (body.n > max)
        return wa_fail(err, WA_E_LIMIT, "the body is too long");
    wa_local_call(&b->local, page_conn(&p), body);
    /* What was posted, and what a terminal says; then the page goes. */
    for (size_t i = 0; i < 4; i++) /* without anything to watch a loop does not even look */
        bench_must(wa_loop_turn(b->local.loop, b->local.streams != NULL ? 1 : 0, &why));
    wa_local_streams_sweep(&b->local);
    return page_close(&p, out, ret_status, err);
}

enum wa_code bench_do(struct bench *b, enum wa_http_method method, const char *path,
                      const char *body, struct wa_buf *out, struct wa_err *err)
{
    int status = 0;
    return bench_ask(b, method, path, wa_sv(body), out, &status, err);
}

void bench_type(struct bench *b, bool is_yes)
{
    static const char mark[] = "type ";
    char code[8] = "x";
    struct wa_err err = WA_ERR_INIT;
    wa_buf_str(&b->shown);
    for (size_t i = 0; is_yes && i + sizeof mark + 4 <= b->shown.n; i++)
        if (memcmp(b->shown.p + i, mark, sizeof mark - 1) == 0)
            memcpy(code, b->shown.p + i + sizeof mark - 1, 4);
    b->keys = code;
    if (b->local.confirm == NULL || write(terminal.fds[1], "k", 1) != 1)
        abort();
    for (size_t i = 0; i < 4; i++)
        bench_must(wa_loop_turn(b->local.loop, 0, &err));
    b->keys = NULL;
}

/* --- what tests do most --- */

bool bench_says(const struct wa_buf *out, const char *text)
{
    return wa_sv_has(wa_buf_sv(out), wa_sv(text));
}

enum wa_code bench_member(const struct wa_buf *out, const char *name, char text[65],
                          struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, 16u << 20);
    if (wa_json_parse(wa_buf_sv(out), 0, &arena, &j, err) == WA_OK)
        (void)snprintf(text, 65, "%.*s", WA_SV_ARG(wa_json_sv(wa_json_get(j, name))));
    return err->code;
}

enum wa_code bench_log_in(struct bench *b, struct wa_buf *out, struct wa_err *err)
{
    return bench_do(b, WA_HTTP_POST, "/local/login", "{\"user\":\"a\",\"password\":\"p\"}", out,
                    err);
}

enum wa_code bench_prepare(struct bench *b, const char *wish, char body[96], struct wa_buf *out,
                           struct wa_err *err)
{
    char id[65] = "";
    if (bench_do(b, WA_HTTP_POST, "/local/prepare", wish, out, err) != WA_OK ||
        bench_member(out, "id", id, err) != WA_OK)
        return err->code;
    (void)snprintf(body, 96, "{\"id\":\"%s\"}", id);
    return WA_OK;
}

enum wa_code bench_sign(struct bench *b, const char *wish, struct wa_buf *out, struct wa_err *err)
{
    char body[96];
    bench_unlock(b);
    if (bench_log_in(b, out, err) != WA_OK || bench_prepare(b, wish, body, out, err) != WA_OK)
        return err->code;
    bool is_asked = bench_says(out, "\"needs\":\"gesture\"");
    if (bench_do(b, WA_HTTP_POST, "/local/commit", body, out, err) != WA_OK)
        return err->code;
    if (is_asked) {
        if (!bench_says(out, "gesture"))
            return wa_fail(err, WA_E_FAILED, "nobody is asked");
        bench_type(b, true);
    }
    /* What can be stopped is asked once more how far it is. */
    for (int i = 0; i < 2 && !bench_says(out, "\"state\":\"done\""); i++)
        if (bench_do(b, WA_HTTP_POST, "/local/commit", body, out, err) != WA_OK)
            return err->code;
    return bench_says(out, "\"state\":\"done\"") ? WA_OK
                                                 : wa_fail(err, WA_E_FAILED, "it is not done");
}

void bench_empty_temp(void)
{
    const char *temp = getenv("TMPDIR");
    bench_must(temp == NULL);
    wa_temp_remove(temp);
    bench_must(mkdir(temp, 0700) != 0);
}

enum wa_code bench_run(enum wa_code (*fn)(struct bench *b, struct wa_buf *out, struct wa_err *err),
                       struct wa_err *err)
{
    struct bench b;
    struct wa_buf out;
    bench_start(&b);
    wa_buf_init(&out, 128u << 20);
    (void)!fn(&b, &out, err);
    wa_buf_fini(&out);
    bench_end(&b);
    return err->code;
}

/* role_fetch.c - the process of one HTTPS exchange, body of program wapt-fetch, the only agent
 * program with libcurl.
 *
 * It learns from the manager what to ask and whom to trust, streams the answer's body back as it
 * comes, says how it ended, and ends itself. It has no file of ours and no key; what it delivers is
 * verified by the manager. Login and password of a repository pass through it: they are the only
 * secret it ever sees.
 */
#include "agent/helpers.h"
#include "agent/role_priv.h"
#include "agent/trust_json.h"
#include "net/http_client.h"
#include "os/clock.h"

#define MEMORY_MAX                                                                                 \
    (2ull << 30) /* bytes of address space: libc reserves 128 MiB for a look-up thread */
#define PROGRESS_EVERY_MS 200u /* ms: a person sees no more */
#define SILENCE_MAX_S 600

struct fetch {
    struct wa_role_child child;
    uint32_t id;
    struct wa_arena arena; /* what call points into */
    struct wa_http_call call;
    struct wa_tls_trust trust;
    struct wa_buf body;
    struct wa_mem_source body_source;
    uint64_t progress_at_ms;
    struct wa_err broken; /* the channel failed inside a callback of libcurl */
};

struct answer_sink {
    struct wa_sink base;
    struct fetch *f;
};

static enum wa_code sink_write(struct wa_sink *sink, const void *p, size_t n, struct wa_err *err)
{
    struct fetch *f = ((struct answer_sink *)(void *)sink)->f;
    const char *at = p;
    while (n > 0) {
        size_t piece = n < WA_ROLE_DATA_MAX ? n : WA_ROLE_DATA_MAX;
        enum wa_code code =
            wa_chan_send(f->child.chan, WA_M_FETCH_DATA, f->id, wa_sv_n(at, piece), -1, err);
        if (code != WA_OK) {
            return code;
        }
        at += piece;
        n -= piece;
    }
    return WA_OK;
}

static bool on_progress(void *user, uint64_t done, uint64_t total)
{
    struct fetch *f = user;
    uint64_t now = wa_clock_mono_ms();
    if (now - f->progress_at_ms < PROGRESS_EVERY_MS) {
        return true;
    }
    f->progress_at_ms = now;
    struct wa_buf WA_AUTO_BUF out;
    wa_buf_init(&out, 64);
    wa_buf_u64le(&out, done);
    wa_buf_u64le(&out, total);
    return wa_buf_check(&out, &f->broken) == WA_OK &&
           wa_chan_send(f->child.chan, WA_M_FETCH_PROGRESS, f->id, wa_buf_sv(&out), -1,
                        &f->broken) == WA_OK;
}

/* A C string in the arena, NULL for an absent one. */
static enum wa_code text_of(struct fetch *f, struct wa_sv s, const char **ret, struct wa_err *err)
{
    if (s.p == NULL) {
        *ret = NULL;
        return WA_OK;
    }
    if (s.n > 0 && memchr(s.p, 0, s.n) != NULL) {
        return wa_fail(err, WA_E_INVALID, "a call holds a text with a NUL inside");
    }
    *ret = wa_arena_strdup(&f->arena, s);
    return *ret != NULL ? WA_OK : wa_nomem(err);
}

static enum wa_code headers_of(struct fetch *f, const struct wa_json *list, struct wa_err *err)
{
    size_t n = wa_json_count(list);
    const char **headers = wa_arena_alloc(&f->arena, n + 1, sizeof *headers);
    if (headers == NULL) {
        return wa_nomem(err);
    }
    for (size_t i = 0; i < n; i++) {
        struct wa_sv h = wa_json_sv(wa_json_at(list, i));
        size_t at = 0;
        if (h.n == 0 || wa_sv_chr(h, '\n', &at) || wa_sv_chr(h, '\r', &at)) {
            return wa_fail(err, WA_E_INVALID, "a call holds a header of a wrong form");
        }
        enum wa_code code = text_of(f, h, &headers[i], err);
        if (code != WA_OK) {
            return code;
        }
    }
    f->call.headers = headers;
    return WA_OK;
}

static enum wa_code call_read(struct fetch *f, struct wa_sv text, struct wa_err *err)
{
    const struct wa_json *j = NULL, *headers = NULL, *trust = NULL;
    struct wa_sv method = {0}, url = {0}, proxy = {0}, user = {0}, password = {0};
    int64_t max_bytes = 0, resume = 0, timeout = 0, silence = 0, redirects = 0, rate = 0;
    const struct wa_json_field fields[] = {
        {"method", WA_WANT_SV, true, 16, &method},
        {"url", WA_WANT_SV, true, 8192, &url},
        {"headers", WA_WANT_ARRAY, true, WA_HTTP_HEADERS_MAX, &headers},
        {"proxy", WA_WANT_SV, false, 2048, &proxy},
        {"user", WA_WANT_SV, false, 1024, &user},
        {"password", WA_WANT_SV, false, 1024, &password},
        {"allow_http", WA_WANT_BOOL, true, 0, &f->call.allow_http},
        {"max_bytes", WA_WANT_I64, true, 0, &max_bytes},
        {"resume_from", WA_WANT_I64, true, 0, &resume},
        {"timeout_ms", WA_WANT_I64, true, 0, &timeout},
        {"silence_s", WA_WANT_I64, true, 0, &silence},
        {"redirects_max", WA_WANT_I64, true, 0, &redirects},
        {"rate_max_bytes_s", WA_WANT_I64, true, 0, &rate},
        {"trust", WA_WANT_OBJECT, true, 0, &trust},
    };
    enum wa_code code = wa_json_parse(text, 0, &f->arena, &j, err);
    if (code == WA_OK) {
        code = wa_json_read(j, fields, WA_COUNT(fields), "a call", err);
    }
    if (code == WA_OK && (max_bytes < 0 || resume < 0 || timeout < 0 || timeout > UINT32_MAX ||
                          silence < 1 || silence > SILENCE_MAX_S || rate < 0 || redirects < 0 ||
                          redirects > WA_HTTP_REDIRECTS_MAX)) {
        code = wa_fail(err, WA_E_INVALID, "a call holds a number out of range");
    }
    if (code == WA_OK) {
        code = wa_trust_read(trust, &f->trust, err);
    }
    const struct {
        struct wa_sv from;
        const char **to;
    } texts[] = {{method, &f->call.method},
                 {url, &f->call.url},
                 {proxy, &f->call.proxy},
                 {user, &f->call.user},
                 {password, &f->call.password}};
    for (size_t i = 0; code == WA_OK && i < WA_COUNT(texts); i++) {
        code = text_of(f, texts[i].from, texts[i].to, err);
    }
    f->call.max_bytes = (uint64_t)max_bytes;
    f->call.resume_from = (uint64_t)resume;
    f->call.timeout_ms = (uint32_t)timeout;
    f->call.connect_timeout_ms = 1000 * (uint32_t)silence;
    f->call.rate_window_s = (uint32_t)silence;
    f->call.rate_min_bytes_s = WA_FETCH_RATE_MIN_BYTES_S;
    f->call.rate_max_bytes_s = (uint64_t)rate;
    f->call.redirects_max = (uint32_t)redirects;
    return code != WA_OK ? code : headers_of(f, headers, err);
}

/* FETCH, any number of FETCH_BODY, FETCH_GO. */
static enum wa_code hear(struct fetch *f, struct wa_err *err)
{
    struct wa_chan_msg msg;
    enum wa_code code = wa_chan_hear(f->child.chan, WA_ROLE_FIRST_WORD_MS, &msg, err);
    if (code != WA_OK) {
        return code;
    }
    if (msg.type != WA_M_FETCH) {
        return wa_fail(err, WA_E_REFUSED, "the manager began with something else than a call");
    }
    f->id = msg.id;
    code = call_read(f, msg.payload, err);
    while (code == WA_OK) {
        code = wa_chan_hear(f->child.chan, WA_ROLE_FIRST_WORD_MS, &msg, err);
        if (code == WA_OK && msg.type == WA_M_FETCH_GO) {
            break;
        }
        if (code == WA_OK && msg.type != WA_M_FETCH_BODY) {
            code = wa_fail(err, WA_E_REFUSED, "the manager sent a second call");
        }
        if (code == WA_OK) {
            wa_buf_addsv(&f->body, msg.payload);
            code = wa_buf_check(&f->body, err);
        }
    }
    return code;
}

static void result_write(const struct wa_http_result *r, struct wa_buf *out)
{
    struct wa_jw w;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kvi(&w, "status", r->status);
    wa_jw_kvb(&w, "resumed", r->resumed);
    wa_jw_kv(&w, "etag", r->etag);
    wa_jw_kv(&w, "last_modified", r->last_modified);
    wa_jw_kvi(&w, "bytes", (int64_t)r->bytes);
    wa_jw_end(&w);
}

static enum wa_code serve(struct fetch *f, struct wa_err *err)
{
    struct wa_http_result result;
    struct answer_sink sink = {{.write = sink_write}, f};
    struct wa_buf WA_AUTO_BUF out;
    struct wa_err failed = WA_ERR_INIT;
    wa_buf_init(&out, WA_ROLE_NOTE_MAX);
    enum wa_code code = hear(f, &failed);
    if (code == WA_E_NOT_FOUND) {
        return WA_OK; /* the manager changed its mind */
    }
    if (code == WA_OK) {
        if (f->body.n > 0) {
            wa_mem_source_init(&f->body_source, f->body.p, f->body.n);
            f->call.body = &f->body_source.base;
        }
        f->call.progress = on_progress;
        f->call.progress_user = f;
        code = wa_http_perform(&f->call, &f->trust, &sink.base, &result, &failed);
    }
    if (code == WA_OK) {
        result_write(&result, &out);
    } else {
        wa_role_error_write(&failed, &out);
    }
    code = wa_buf_check(&out, err);
    return code != WA_OK
               ? code
               : wa_chan_send(f->child.chan, WA_M_FETCH_DONE, f->id, wa_buf_sv(&out), -1, err);
}

int wa_role_fetch(void)
{
    struct wa_err err = WA_ERR_INIT;
    struct fetch f = {.broken = WA_ERR_INIT};
    struct wa_priv priv = {
        .allow = WA_PRIV_NET | WA_PRIV_THREADS | WA_PRIV_FS_READ,
        .read_paths = wa_priv_net_paths(),
        .limit_memory_bytes = wa_role_memory_limit(MEMORY_MAX),
        .limit_files = 64,
    };
    wa_arena_init(&f.arena, 16 * WA_ROLE_JSON_MAX);
    wa_buf_init(&f.body, WA_ROLE_BODY_MAX);
    enum wa_code code = wa_role_child_begin(&f.child, WA_ROLE_FETCH, &priv, &err);
    if (code == WA_OK) {
        code = serve(&f, &err);
    }
    wa_buf_fini(&f.body);
    wa_arena_fini(&f.arena);
    return wa_role_child_end(&f.child, code, &err);
}

/* front_body.c - a request on its way to the store: first the right, then the bytes, then the
 * verdict. A body is collected in memory, or goes into a file of incoming/ that the store names.
 */
#include "base/text.h"
#include "codec/json.h"
#include "net/http_wish.h"
#include "os/drives.h"
#include "os/rand.h"
#include "server/front_priv.h"

/* --- to the store --- */

enum wa_code wa_front_ask(struct wa_exchange *x, struct wa_sv query, bool is_question,
                          struct wa_sv body, struct wa_err *err)
{
    struct wa_front_route route = {.kind = WA_FRONT_PING};
    const char *allow = NULL;
    WA_AUTO_BUF_SECRET struct wa_buf text;
    WA_AUTO_BUF struct wa_buf pem;
    const struct wa_http_head *h = wa_http_conn_head(x->http);
    struct wa_sv last = wa_http_get(h, "last-event-id");
    struct wa_jw w;
    wa_buf_init(&text, WA_SERVER_BODY_MAX + 65536);
    wa_buf_init(&pem, WA_HTTP_HEAD_MAX);
    if (wa_front_route(h, &route, &allow, err) != WA_OK ||
        (x->client.person[0] != '\0' &&
         (wa_sv_eqs(h->path, WA_CERTIFICATE_LOGIN) || wa_sv_eqs(h->path, WA_CERTIFICATE_OWN)) &&
         wa_front_person_pem(x->front, x->http, &pem, err) != WA_OK))
        return err->code;
    wa_jw_init(&w, &text);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "method", wa_http_method_name(h->method));
    wa_jw_kvsv(&w, "path", h->path);
    wa_jw_kvsv(&w, "query", query);
    wa_jw_kvsv(&w, "bearer", route.bearer);
    wa_jw_kv(&w, "peer", x->peer);
    wa_jw_kv(&w, "machine", x->client.name);
    if (x->client.person[0] != '\0')
        wa_jw_kv(&w, "person", x->client.person);
    if (pem.n > 0)
        wa_jw_kvsv(&w, "pem", wa_buf_sv(&pem));
    if (last.n > 0)
        wa_jw_kvsv(&w, "last_event", wa_sv_sub(last, 0, 23));
    wa_jw_kvb(&w, "question", is_question);
    wa_jw_end(&w);
    wa_buf_addc(&text, '\n');
    wa_buf_addsv(&text, body);
    if (wa_buf_check(&text, err) != WA_OK)
        return err->code;
    const struct wa_language *was = wa_text_speak(wa_http_language(h));
    enum wa_code code =
        wa_chan_post(x->front->store, WA_S_REQUEST, x->id, wa_buf_sv(&text), -1, err);
    (void)wa_text_speak(was);
    return code;
}

static enum wa_code ask_store(struct wa_exchange *x, bool is_question, struct wa_sv body,
                              struct wa_err *err)
{
    return wa_front_ask(x, wa_http_conn_head(x->http)->query, is_question, body, err);
}

static void forward(struct wa_exchange *x)
{
    struct wa_err err = WA_ERR_INIT;
    enum wa_code code = ask_store(x, false, wa_buf_sv(&x->body), &err);
    wa_front_drop_body(x);
    if (code != WA_OK)
        wa_front_fail(x, &err);
}

/* --- bodies --- */

static enum wa_code open_part(struct wa_exchange *x, struct wa_err *err)
{
    char hex[33];
    struct wa_relpath path;
    if (wa_rand_hex(hex, 16, err) != WA_OK)
        return err->code;
    (void)snprintf(x->part, sizeof x->part, "incoming/%s.part", hex);
    if (wa_relpath_parse(wa_sv(x->part), &path, err) != WA_OK ||
        wa_file_create(&x->front->repo, &path, 0644, &x->fd, err) != WA_OK)
        return wa_wrap(err, "beginning an upload");
    wa_fd_sink_init(&x->file, x->fd);
    return WA_OK;
}

/* What is needed on this disk by others stays free. */
static enum wa_code check_room(const struct wa_exchange *x, struct wa_err *err)
{
    const struct wa_http_head *h = wa_http_conn_head(x->http);
    uint64_t free_bytes = 0, keep = (uint64_t)x->front->child.config.upload_keep << 20;
    if (wa_path_free_bytes(x->front->repo_path, &free_bytes, err) != WA_OK)
        return err->code;
    return free_bytes >= keep && h->length <= free_bytes - keep
               ? WA_OK
               : wa_fail(err, WA_E_NO_SPACE, "the server's disk is full");
}

/* The file that the store has named, if it is as long as the client thinks. Only one request at a
 * time writes to it, and none once the scan process looks at it. */
static enum wa_code continue_part(struct wa_exchange *x, const struct wa_json *j,
                                  struct wa_err *err)
{
    struct wa_relpath path;
    struct wa_stat st;
    struct wa_sv part = {NULL, 0};
    int64_t offset = 0, size = 0;
    const struct wa_json_field fields[] = {{"part", WA_WANT_SV, true, sizeof x->part - 1, &part},
                                           {"offset", WA_WANT_I64, true, 0, &offset},
                                           {"size", WA_WANT_I64, true, 0, &size}};
    if (wa_json_read(j, fields, WA_COUNT(fields), "where an upload goes on", err) != WA_OK ||
        wa_relpath_parse(part, &path, err) != WA_OK ||
        wa_file_continue_alone(&x->front->repo, &path, &x->fd, err) != WA_OK)
        return err->code == WA_E_NOT_FOUND
                   ? wa_fail(err, WA_E_CONFLICT, "the upload has not begun here: ask for its state")
                   : err->code;
    x->is_resumable = true;
    (void)snprintf(x->part, sizeof x->part, "%.95s", path.p);
    if (wa_fd_stat(x->fd, &st, err) != WA_OK)
        return err->code;
    if ((int64_t)st.size != offset || offset > size)
        return wa_fail(err, WA_E_CONFLICT, "the upload goes on at %llu, not at %lld",
                       (unsigned long long)st.size, (long long)offset);
    x->body_max = (uint64_t)(size - offset);
    wa_fd_sink_init(&x->file, x->fd);
    return WA_OK;
}

/* Who asks may: let the body come. said: the store's word on where to. */
static void take_upload(struct wa_exchange *x, struct wa_sv said)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_err err = WA_ERR_INIT;
    wa_arena_init(&arena, 16384);
    enum wa_code code = wa_json_parse(said, 0, &arena, &j, &err);
    if (code == WA_OK)
        code = wa_json_count(j) > 0 ? continue_part(x, j, &err) : open_part(x, &err);
    if (code == WA_OK)
        code = check_room(x, &err);
    if (code == WA_OK)
        wa_http_stream_body(x->http, x->body_max, &x->file.base);
    else
        wa_front_fail(x, &err);
}

void wa_front_take_body(struct wa_exchange *x, struct wa_sv said)
{
    wa_buf_init(&x->body, WA_FRONT_API_MAX);
    if (x->kind == WA_FRONT_UPLOAD)
        take_upload(x, said);
    else
        wa_http_stream_body(x->http, x->body_max, &x->collect.base);
}

void wa_front_ask_right(struct wa_exchange *x)
{
    struct wa_err err = WA_ERR_INIT;
    x->is_asking = true;
    wa_http_hold_body(x->http);
    if (ask_store(x, true, WA_SV(""), &err) != WA_OK)
        wa_front_fail(x, &err);
}

static void body_came(struct wa_http_conn *c)
{
    struct wa_exchange *x = wa_http_user(c);
    struct wa_err err = WA_ERR_INIT;
    if (x == NULL) {
        (void)wa_fail(&err, WA_E_INTERNAL, "a request that nobody has");
        wa_http_answer_err(c, &err);
        return;
    }
    if (x->is_resumable)
        wa_fd_close(&x->fd); /* the scan process may want it now */
    if (x->kind != WA_FRONT_UPLOAD)
        forward(x);
    else if (ask_store(x, false, wa_sv(x->part), &err) != WA_OK)
        wa_front_fail(x, &err);
}

void wa_front_on_body(void *user, struct wa_http_conn *c, struct wa_sv body)
{
    const struct wa_language *was = wa_text_speak(wa_http_language(wa_http_conn_head(c)));
    WA_UNUSED(user);
    WA_UNUSED(body);
    body_came(c);
    (void)wa_text_speak(was);
}

/* api_uploads.c - packages on their way here, in as many pieces as it takes.
 *
 * An upload says first how long it is and what its digest shall be. Its bytes go from the front
 * straight into a file of incoming/, where a piece that broke off is gone on with; what counts is
 * the file's length. Asking for the same upload again, from wherever, finds the one that is under
 * way. Only at the end does the scan process look at it, and put it in its place or refuse it; how
 * it ended is kept, for who did not hear the answer.
 */
#include "codec/hex.h"
#include "os/clock.h"
#include "os/rand.h"
#include "proto/hostid.h"
#include "server/api_page.h"
#include "server/store_scan.h"

#define MIB ((int64_t)1 << 20)

/* --- answers --- */

static void write_upload(struct wa_jw *w, const struct wa_store *s, const struct wa_upload *u,
                         int64_t offset)
{
    bool is_judged =
        wa_store_is_scanning(s, u->id, "accept") || wa_store_is_scanning(s, u->id, "accept-host");
    wa_jw_obj(w);
    wa_jw_kv(w, "id", u->id);
    wa_jw_kv(w, "name", u->name);
    wa_jw_kv(w, "host", u->host);
    wa_jw_kvi(w, "size", u->size);
    wa_jw_kv(w, "sha256", u->sha256);
    if (offset >= 0)
        wa_jw_kvi(w, "offset", offset);
    wa_jw_kv(w, "state", is_judged ? "judged" : u->state);
    wa_jw_kv(w, "code", u->code);
    wa_jw_kv(w, "message", u->message);
    wa_jw_kvi(w, "created", u->created);
    wa_jw_end(w);
}

static struct wa_sv part_of(const struct wa_upload *u, char out[64])
{
    (void)snprintf(out, 64, "incoming/up_%s.part", u->id);
    return wa_sv(out);
}

static void on_part(struct wa_store *s, struct wa_scanning *k, const struct wa_json *answer,
                    const struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf out;
    struct wa_jw w;
    int64_t bytes = 0;
    struct wa_err why = *err;
    wa_buf_init(&out, 16384);
    wa_jw_init(&w, &out);
    if (why.code == WA_OK && !wa_json_i64(wa_json_get(answer, "bytes"), &bytes))
        (void)wa_fail(&why, WA_E_INTERNAL, "the scan process does not say how long the file is");
    if (why.code == WA_OK)
        write_upload(&w, s, &k->upload, bytes);
    if (why.code == WA_OK && wa_buf_check(&out, &why) == WA_OK)
        wa_store_answer(k->request, 200, wa_buf_sv(&out));
    else
        wa_store_answer_err(k->request, &why);
}

/* The first answer to a new upload. */
static void on_begun(struct wa_store *s, struct wa_scanning *k, const struct wa_json *answer,
                     const struct wa_err *err)
{
    struct wa_err why = WA_ERR_INIT;
    if (err->code != WA_OK && wa_store_delete_upload(s->db, k->upload.id, &why) != WA_OK)
        wa_log_err(&s->child.log, WA_LOG_WARNING, "upload.left", &why); /* it expires */
    on_part(s, k, answer, err);
}

/* Makes the file, where it is not there, if there is room; tells how long it is. */
static enum wa_code ask_part(struct wa_api_call *c, const struct wa_upload *u, bool is_new,
                             struct wa_err *err)
{
    char part[64];
    struct wa_upload_sums sums = {0, 0, 0};
    if (wa_store_upload_sums(c->store->db, c->who.user, &sums, err) != WA_OK)
        return err->code;
    const struct wa_scan_wish wish = {
        .file = part_of(u, part), .size = u->size, .reserved = sums.all_bytes};
    return wa_api_scan(c, WA_SR_SCAN, "part", &wish, u, is_new ? on_begun : on_part, err);
}

/* --- beginning --- */

static enum wa_code read_what(const struct wa_api_call *c, struct wa_upload *u, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_sv name = {NULL, 0}, host = {NULL, 0}, sha256 = {NULL, 0};
    struct wa_relpath path;
    size_t at = 0;
    const struct wa_json_field fields[] = {{"name", WA_WANT_SV, false, WA_NAME_MAX, &name},
                                           {"host", WA_WANT_SV, false, WA_UUID_MAX, &host},
                                           {"size", WA_WANT_I64, true, 0, &u->size},
                                           {"sha256", WA_WANT_SV, true, 64, &sha256}};
    wa_arena_init(&arena, 64u << 10);
    if (wa_json_parse(wa_buf_sv(&c->request->body), 0, &arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "an upload", err) != WA_OK)
        return err->code;
    if ((name.p == NULL) == (host.p == NULL))
        return wa_fail(err, WA_E_USAGE, "an upload has a name, or the host whose own it is");
    if (host.p != NULL && !wa_hostid_is_valid(host))
        return wa_fail(err, WA_E_USAGE, "'%.*s' is not the uuid of a host", WA_SV_ARG(host));
    if (name.p != NULL && (!wa_sv_ends(name, ".wapt") || wa_sv_chr(name, '/', &at) ||
                           name.p[0] == '.' || wa_relpath_parse(name, &path, err) != WA_OK))
        return wa_fail(err, WA_E_USAGE, "'%.*s' is not the name of a package's file",
                       WA_SV_ARG(name));
    if (!wa_hex_is(sha256, 64))
        return wa_fail(err, WA_E_USAGE, "the SHA-256 of an upload has 64 digits");
    (void)snprintf(u->user, sizeof u->user, "%s", c->who.user);
    (void)snprintf(u->sha256, sizeof u->sha256, "%.*s", WA_SV_ARG(sha256));
    (void)snprintf(u->host, sizeof u->host, "%.*s", WA_SV_ARG(host));
    if (host.p != NULL)
        (void)snprintf(u->name, sizeof u->name, "%.*s.wapt", WA_SV_ARG(host));
    else
        (void)snprintf(u->name, sizeof u->name, "%.*s", WA_SV_ARG(name));
    return WA_OK;
}

static enum wa_code check_share(const struct wa_api_call *c, const struct wa_upload *u,
                                struct wa_err *err)
{
    const struct wa_server_config *conf = &c->store->child.config;
    struct wa_upload_sums sums = {0, 0, 0};
    if (u->size < 1 || u->size > (int64_t)WA_PACKAGE_BYTES_MAX || u->size > conf->upload_max * MIB)
        return wa_fail(err, WA_E_LIMIT, "a package of %lld bytes: at most %lld MiB are taken here",
                       (long long)u->size, (long long)conf->upload_max);
    if (wa_store_upload_sums(c->store->db, u->user, &sums, err) != WA_OK)
        return err->code;
    if (sums.own_count >= WA_UPLOADS_OPEN_MAX)
        return wa_fail(err, WA_E_LIMIT,
                       "%lld of your uploads are unfinished: finish or cancel some first",
                       (long long)sums.own_count);
    if (sums.own_bytes > conf->upload_person * MIB - u->size)
        return wa_fail(err, WA_E_LIMIT,
                       "your unfinished uploads would be more than %lld MiB together: finish or "
                       "cancel some first",
                       (long long)conf->upload_person);
    if (sums.all_bytes > conf->upload_all * MIB - u->size)
        return wa_fail(err, WA_E_BUSY,
                       "all unfinished uploads would be more than %lld MiB together: try again "
                       "later",
                       (long long)conf->upload_all);
    return WA_OK;
}

static enum wa_code add(const struct wa_api_call *c, struct wa_upload *u, bool *ret_new,
                        struct wa_err *err)
{
    struct wa_upload same;
    bool found = false;
    if (wa_store_same_upload(c->store->db, u, &same, &found, err) != WA_OK)
        return err->code;
    *ret_new = !found;
    if (found) {
        *u = same;
        return WA_OK;
    }
    if (check_share(c, u, err) != WA_OK || wa_rand_hex(u->id, 16, err) != WA_OK)
        return err->code;
    (void)snprintf(u->state, sizeof u->state, "open");
    u->created = u->touched = wa_clock_now();
    return wa_store_add_upload(c->store->db, u, err);
}

/* --- one that is there --- */

/* Somebody else's is as good as none. */
static enum wa_code find(const struct wa_api_call *c, struct wa_upload *u, struct wa_err *err)
{
    bool found = false;
    if (wa_store_upload(c->store->db, wa_sv(c->args[0]), u, &found, err) != WA_OK)
        return err->code;
    return found && strcmp(u->user, c->who.user) == 0
               ? WA_OK
               : wa_fail(err, WA_E_NOT_FOUND, "you have no such upload: begin it again");
}

static enum wa_code check_open(const struct wa_store *s, const struct wa_upload *u,
                               struct wa_err *err)
{
    if (strcmp(u->state, "open") != 0)
        return wa_fail(err, WA_E_CONFLICT, "the upload is over: it was %s", u->state);
    if (wa_store_is_scanning(s, u->id, "accept") || wa_store_is_scanning(s, u->id, "accept-host"))
        return wa_fail(err, WA_E_BUSY, "the package is being verified");
    return WA_OK;
}

/* How far it has come. The file of one that is being judged may be in its place already: asking for
 * its length would make another. */
static enum wa_code tell(struct wa_api_call *c, const struct wa_upload *u, bool is_new,
                         struct wa_err *err)
{
    struct wa_jw w;
    struct wa_err ignored = WA_ERR_INIT;
    if (check_open(c->store, u, &ignored) == WA_OK)
        return ask_part(c, u, is_new, err);
    wa_jw_init(&w, c->out);
    write_upload(&w, c->store, u, u->size);
    return WA_OK;
}

static enum wa_code call_begin(struct wa_api_call *c, struct wa_err *err)
{
    struct wa_upload u = {.size = 0};
    struct wa_db *db = c->store->db;
    bool is_new = false;
    if (read_what(c, &u, err) != WA_OK ||
        (u.host[0] != '\0' && wa_api_need_host(c, u.host, err) != WA_OK) ||
        wa_db_begin(db, err) != WA_OK)
        return err->code;
    if (add(c, &u, &is_new, err) != WA_OK || wa_db_commit(db, err) != WA_OK) {
        wa_db_rollback(db);
        return err->code;
    }
    return tell(c, &u, is_new, err);
}

static enum wa_code call_look(struct wa_api_call *c, struct wa_err *err)
{
    struct wa_upload u;
    return find(c, &u, err) == WA_OK ? tell(c, &u, false, err) : err->code;
}

/* Asked before the body comes: which file it belongs to. Then, when it has come: how long that is.
 */
static enum wa_code call_piece(struct wa_api_call *c, struct wa_err *err)
{
    struct wa_upload u;
    char part[64];
    struct wa_jw w;
    int64_t offset = -1;
    if (find(c, &u, err) != WA_OK || check_open(c->store, &u, err) != WA_OK ||
        wa_api_number(c, "offset", 0, u.size - 1, &offset, err) != WA_OK)
        return err->code;
    if (offset < 0)
        return wa_fail(err, WA_E_USAGE, "'offset' says where the piece begins");
    if (!c->request->is_question) {
        u.touched = wa_clock_now();
        return wa_store_set_upload(c->store->db, &u, err) == WA_OK ? ask_part(c, &u, false, err)
                                                                   : err->code;
    }
    (void)part_of(&u, part);
    wa_jw_init(&w, c->out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "part", part);
    wa_jw_kvi(&w, "offset", offset);
    wa_jw_kvi(&w, "size", u.size);
    wa_jw_end(&w);
    return WA_OK;
}

static void on_dropped(struct wa_store *s, struct wa_scanning *k, const struct wa_json *answer,
                       const struct wa_err *err)
{
    struct wa_err why = *err;
    WA_UNUSED(answer);
    if (why.code == WA_OK && wa_store_delete_upload(s->db, k->upload.id, &why) == WA_OK)
        wa_store_answer(k->request, 200, WA_SV("{}"));
    else
        wa_store_answer_err(k->request, &why);
}

static enum wa_code call_cancel(struct wa_api_call *c, struct wa_err *err)
{
    struct wa_upload u;
    char part[64];
    if (find(c, &u, err) != WA_OK)
        return err->code;
    if (strcmp(u.state, "open") == 0 && check_open(c->store, &u, err) != WA_OK)
        return err->code;
    const struct wa_scan_wish wish = {.file = part_of(&u, part)};
    return wa_api_scan(c, WA_SR_SCAN, "drop", &wish, &u, on_dropped, err);
}

/* --- the end --- */

static enum wa_code write_placed(const char *file, struct wa_buf *out, struct wa_err *err)
{
    struct wa_jw w;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "code", "ok");
    wa_jw_kv(&w, "message", "");
    wa_jw_kv(&w, "file", file);
    wa_jw_end(&w);
    return wa_buf_check(out, err);
}

/* A verdict; everything else may be tried again with the bytes that are there. */
static bool is_final(enum wa_code code)
{
    return code == WA_E_REFUSED || code == WA_E_DENIED || code == WA_E_INVALID ||
           code == WA_E_LIMIT || code == WA_E_EXISTS;
}

static void on_accepted(struct wa_store *s, struct wa_scanning *k, const struct wa_json *answer,
                        const struct wa_err *err)
{
    struct wa_err why = *err, lost = WA_ERR_INIT;
    struct wa_upload *u = &k->upload;
    WA_AUTO_BUF struct wa_buf out;
    wa_buf_init(&out, 4096);
    wa_store_tell_change(s, k, wa_sv(u->name), wa_json_sv(wa_json_get(answer, "text")), err);
    if (why.code == WA_OK || is_final(why.code)) {
        (void)snprintf(u->state, sizeof u->state, why.code == WA_OK ? "published" : "refused");
        (void)snprintf(u->code, sizeof u->code, "%s", wa_code_name(why.code));
        (void)snprintf(u->message, sizeof u->message, "%.500s", why.text);
        u->touched = wa_clock_now();
        if (wa_store_set_upload(s->db, u, &lost) != WA_OK) /* finishing again tells it */
            wa_log_err(&s->child.log, WA_LOG_WARNING, "upload.left", &lost);
    }
    if (why.code == WA_OK && write_placed(u->name, &out, &why) == WA_OK)
        wa_store_answer(k->request, 200, wa_buf_sv(&out));
    else
        wa_store_answer_err(k->request, &why);
}

static enum wa_code call_finish(struct wa_api_call *c, struct wa_err *err)
{
    struct wa_upload u;
    char part[64], replaces[68];
    if (find(c, &u, err) != WA_OK ||
        wa_api_text(c, "replaces", replaces, sizeof replaces, err) != WA_OK)
        return err->code;
    if (replaces[0] != '\0' && strcmp(replaces, "none") != 0 && !wa_hex_is(wa_sv(replaces), 64))
        return wa_fail(err, WA_E_USAGE, "'replaces' is a SHA-256 of 64 digits, or 'none'");
    if (strcmp(u.state, "published") == 0)
        return write_placed(u.name, c->out, err);
    if (strcmp(u.state, "refused") == 0)
        return wa_fail(err, wa_code_from_name(wa_sv(u.code)), "%s", u.message);
    if (check_open(c->store, &u, err) != WA_OK ||
        (u.host[0] != '\0' && wa_api_need_host(c, u.host, err) != WA_OK))
        return err->code;
    const struct wa_scan_wish wish = {.file = part_of(&u, part),
                                      .name = wa_sv(u.host[0] != '\0' ? u.host : u.name),
                                      .sha256 = wa_sv(u.sha256),
                                      .replaces = wa_sv(replaces),
                                      .size = u.size};
    return wa_api_scan(c, WA_SR_SCAN, u.host[0] != '\0' ? "accept-host" : "accept", &wish, &u,
                       on_accepted, err);
}

struct list {
    const struct wa_store *store;
    struct wa_jw w;
};

static void list_one(void *user, const struct wa_upload *u)
{
    struct list *l = user;
    write_upload(&l->w, l->store, u, -1);
}

static enum wa_code call_list(struct wa_api_call *c, struct wa_err *err)
{
    struct list l = {.store = c->store};
    wa_jw_init(&l.w, c->out);
    wa_jw_obj(&l.w);
    wa_jw_key(&l.w, "uploads");
    wa_jw_arr(&l.w);
    if (wa_store_uploads(c->store->db, c->who.user, list_one, &l, err) != WA_OK)
        return err->code;
    wa_jw_end(&l.w);
    wa_jw_end(&l.w);
    return WA_OK;
}

/* --- what nobody went on with --- */

#define SWEEP_S 3600

static void on_swept(struct wa_store *s, void *user, struct wa_sv payload)
{
    WA_UNUSED(s);
    WA_UNUSED(user);
    WA_UNUSED(payload); /* what could not be removed is in the log of the scan process */
}

void wa_store_sweep_uploads(struct wa_store *s, int64_t now)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_stmt *q;
    char question[64];
    int64_t kept = s->child.config.upload_days * 86400;
    if (now >= s->swept_at && now - s->swept_at < SWEEP_S)
        return;
    s->swept_at = now;
    (void)snprintf(question, sizeof question, "{\"op\":\"sweep\",\"size\":%lld}", (long long)kept);
    if (wa_db_prepare(s->db, "DELETE FROM uploads WHERE touched <= ?", &q, &err) == WA_OK) {
        wa_bind_i64(q, 0, now - kept);
        if (wa_run(q, &err) == WA_OK &&
            wa_store_ask(s, WA_SR_SCAN, wa_sv(question), on_swept, NULL, &err) == WA_OK)
            return;
    }
    wa_log_err(&s->child.log, WA_LOG_WARNING, "uploads.not_swept", &err);
}

/* --- the calls --- */

static const struct wa_api_param piece_params[] = {
    {"offset", "Where the piece begins: the bytes that are there already", true},
    {NULL, NULL, false}};

static const struct wa_api_param finish_params[] = {
    {"replaces",
     "SHA-256 of the file that it takes the place of, or 'none': refused (exists) if another is "
     "there",
     false},
    {NULL, NULL, false}};

static const struct wa_api_route routes[] = {
    {"POST", "/api/v1/uploads", WA_MAY_UPLOAD_PLAIN, false, call_begin,
     "Begin to upload a package, or go on with it", NULL, "UploadBegin", "Upload"},
    {"GET", "/api/v1/uploads", WA_MAY_UPLOAD_PLAIN, false, call_list, "One's own uploads",
     wa_api_whole_params, NULL, "Uploads"},
    {"GET", "/api/v1/uploads/{id}", WA_MAY_UPLOAD_PLAIN, false, call_look,
     "How far an upload has come", NULL, NULL, "Upload"},
    {"PUT", "/api/v1/uploads/{id}", WA_MAY_UPLOAD_PLAIN, false, call_piece,
     "The next bytes of an upload", piece_params, "Bytes", "Upload"},
    {"POST", "/api/v1/uploads/{id}/finish", WA_MAY_UPLOAD_PLAIN, false, call_finish,
     "Have the package verified and published", finish_params, NULL, "Placed"},
    {"DELETE", "/api/v1/uploads/{id}", WA_MAY_UPLOAD_PLAIN, false, call_cancel, "Cancel an upload",
     NULL, NULL, "Nothing"},
};
const struct wa_api_resource wa_api_uploads_calls = {routes, WA_COUNT(routes)};

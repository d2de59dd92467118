/* upload.c - announces a package, sends what the server lacks of it, has it published.
 *
 * The server's word on how much it has decides where the next piece begins; nothing is remembered
 * here. Whether the package is good is for the server, and then for each machine, to find out.
 */
#include "console/upload.h"

#include "crypto/digest.h"
#include "os/clock.h"

#define TRIES_MAX 8u /* without anything moving; the pauses double, and make two minutes */
#define RESTARTS_MAX 3u
#define PAUSE_MS 1000u
#define PAUSE_MAX_MS 30000u
#define JUDGED_EVERY_MS 2000u

struct sending {
    struct wa_client *client;
    const struct wa_upload_job *job;
    char id[33], sha256[WA_SHA256_HEX], state[16];
    uint64_t offset;   /* what the server has */
    unsigned restarts; /* how often it has lost what it had */
};

/* A piece of the file. */
struct piece {
    struct wa_source base;
    struct wa_source *whole;
    uint64_t from;
};

static enum wa_code piece_read(struct wa_source *s, uint64_t offset, void *p, size_t n,
                               struct wa_err *err)
{
    struct piece *piece = (struct piece *)(void *)s;
    return piece->whole->read_at(piece->whole, piece->from + offset, p, n, err);
}

static bool on_progress(void *user, uint64_t done, uint64_t total)
{
    const struct sending *s = user;
    WA_UNUSED(total);
    return s->job->progress == NULL ||
           s->job->progress(s->job->user, s->offset + done, s->job->file->size);
}

static enum wa_code take_answer(struct sending *s, const struct wa_json *j, struct wa_err *err)
{
    struct wa_sv id = {NULL, 0}, state = {NULL, 0};
    int64_t offset = -1;
    const struct wa_json_field fields[] = {{"id", WA_WANT_SV, true, sizeof s->id - 1, &id},
                                           {"state", WA_WANT_SV, true, sizeof s->state - 1, &state},
                                           {"offset", WA_WANT_I64, true, 0, &offset}};
    if (wa_json_read_lax(j, fields, WA_COUNT(fields), "the state of an upload", err) != WA_OK)
        return err->code;
    bool is_good = id.n > 0 && offset >= 0 && (uint64_t)offset <= s->job->file->size;
    for (size_t i = 0; is_good && i < id.n; i++) /* it becomes part of an address */
        is_good = (id.p[i] >= '0' && id.p[i] <= '9') || (id.p[i] >= 'a' && id.p[i] <= 'f');
    if (!is_good)
        return wa_fail(err, WA_E_INVALID, "the server's word on an upload makes no sense");
    (void)snprintf(s->id, sizeof s->id, "%.*s", WA_SV_ARG(id));
    (void)snprintf(s->state, sizeof s->state, "%.*s", WA_SV_ARG(state));
    s->offset = (uint64_t)offset;
    return WA_OK;
}

/* --- steps --- */

static enum wa_code announce(struct sending *s, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf body;
    const struct wa_json *j = NULL;
    struct wa_jw w;
    wa_arena_init(&arena, 1u << 20);
    wa_buf_init(&body, 8192);
    wa_jw_init(&w, &body);
    wa_jw_obj(&w);
    if (s->job->host != NULL)
        wa_jw_kv(&w, "host", s->job->host);
    else
        wa_jw_kv(&w, "name", s->job->name);
    wa_jw_kvi(&w, "size", (int64_t)s->job->file->size);
    wa_jw_kv(&w, "sha256", s->sha256);
    wa_jw_end(&w);
    if (wa_buf_check(&body, err) != WA_OK ||
        wa_client_call(s->client, "POST", "/api/v1/uploads", wa_buf_sv(&body), &arena, &j, err) !=
            WA_OK)
        return err->code;
    return take_answer(s, j, err);
}

static enum wa_code look(struct sending *s, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    char path[96];
    wa_arena_init(&arena, 1u << 20);
    (void)snprintf(path, sizeof path, "/api/v1/uploads/%s", s->id);
    if (wa_client_call(s->client, "GET", path, WA_SV(""), &arena, &j, err) != WA_OK)
        return err->code;
    return take_answer(s, j, err);
}

static enum wa_code send_piece(struct sending *s, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    char path[128];
    uint64_t left = s->job->file->size - s->offset;
    struct piece piece = {
        {.size = left < WA_UPLOAD_PIECE ? left : WA_UPLOAD_PIECE, .read_at = piece_read},
        s->job->file,
        s->offset};
    wa_arena_init(&arena, 1u << 20);
    (void)snprintf(path, sizeof path, "/api/v1/uploads/%s?offset=%llu", s->id,
                   (unsigned long long)s->offset);
    if (wa_client_upload(s->client, path, &piece.base, on_progress, s, &arena, &j, err) != WA_OK ||
        take_answer(s, j, err) != WA_OK)
        return err->code;
    return s->offset > piece.from
               ? WA_OK
               : wa_fail(err, WA_E_CONFLICT, "the server did not keep what was sent");
}

static enum wa_code finish(struct sending *s, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    char path[192];
    const char *replaces = s->job->replaces;
    wa_arena_init(&arena, 1u << 20);
    (void)snprintf(path, sizeof path, "/api/v1/uploads/%s/finish%s%s", s->id,
                   replaces != NULL ? "?replaces=" : "", replaces != NULL ? replaces : "");
    if (wa_client_call(s->client, "POST", path, WA_SV(""), &arena, &j, err) != WA_OK)
        return err->code;
    (void)snprintf(s->state, sizeof s->state, "published");
    return WA_OK;
}

/* Whatever comes next. While the package is judged, which takes minutes for a large one, somebody
 * has asked for that already, perhaps we, before the connection broke off. */
static enum wa_code step(struct sending *s, struct wa_err *err)
{
    if (s->id[0] == '\0')
        return announce(s, err);
    if (strcmp(s->state, "judged") == 0) {
        wa_clock_sleep_ms(JUDGED_EVERY_MS);
        return look(s, err);
    }
    if (strcmp(s->state, "refused") == 0 || s->offset == s->job->file->size)
        return finish(s, err); /* says why, too */
    return send_piece(s, err);
}

/* --- going on --- */

/* The way broke off, or the server has something else than we thought: worth another look. */
static bool is_passing(enum wa_code code)
{
    return code == WA_E_UNREACHABLE || code == WA_E_TIMEOUT || code == WA_E_BUSY ||
           code == WA_E_CONFLICT;
}

static void try_again(struct sending *s, unsigned tries, const struct wa_err *why)
{
    uint64_t before = s->offset;
    uint32_t pause = s->job->pause_ms != 0 ? s->job->pause_ms : PAUSE_MS;
    struct wa_err err = WA_ERR_INIT;
    for (unsigned i = 1; i < tries && pause < PAUSE_MAX_MS; i++)
        pause *= 2;
    if (s->job->waits != NULL)
        s->job->waits(s->job->user, why);
    wa_clock_sleep_ms(pause < PAUSE_MAX_MS ? pause : PAUSE_MAX_MS);
    if (s->id[0] != '\0' && look(s, &err) == WA_E_NOT_FOUND) {
        s->id[0] = '\0'; /* it expired: announced anew */
        s->offset = 0;
    }
    if (s->offset < before)
        s->restarts++;
}

enum wa_code wa_client_publish(struct wa_client *c, const struct wa_upload_job *job,
                               struct wa_err *err)
{
    struct sending s = {.client = c, .job = job};
    if (wa_digest_source(WA_SHA256, job->file, s.sha256, err) != WA_OK)
        return err->code;
    for (unsigned tries = 0; strcmp(s.state, "published") != 0;) {
        struct wa_err why = WA_ERR_INIT;
        uint64_t before = s.offset;
        enum wa_code code = step(&s, &why);
        if (code == WA_OK) {
            tries = 0;
            continue;
        }
        if (!is_passing(code) || tries == TRIES_MAX || s.restarts > RESTARTS_MAX) {
            *err = why;
            return is_passing(code) && s.offset > 0
                       ? wa_fail(err, code,
                                 "%s; %llu of %llu bytes are there: the same command "
                                 "goes on with them",
                                 why.text, (unsigned long long)s.offset,
                                 (unsigned long long)job->file->size)
                       : code;
        }
        try_again(&s, ++tries, &why);
        if (s.offset > before)
            tries = 0;
    }
    return WA_OK;
}

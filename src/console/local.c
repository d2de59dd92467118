/* local.c - the local program: its life, and the table of its calls. What comes in has passed the
 * gate of net/local_site.h.
 */
#include "base/mem.h"
#include "console/local_priv.h"
#include "crypto/digest.h"
#include "os/clock.h"
#include "os/priv.h"

/* How long the end takes, all together. */
#define TURN_MS 20
#define GOODBYE_MS 400u /* the server is told that the session ends */
#define STUCK_MS 250u

extern const struct wa_assets wa_console_pages; /* tools/embed.py */

/* --- the calls --- */

struct route {
    enum wa_http_method method;
    const char *path;
    size_t body_max;
    void (*call)(struct wa_local *l, struct wa_http_conn *c, struct wa_sv body);
};

static void read_prefs(struct wa_local *l, struct wa_http_conn *c, struct wa_sv body)
{
    WA_UNUSED(body);
    wa_local_prefs_answer(l->o->prefs_dir, c);
}

static void write_prefs(struct wa_local *l, struct wa_http_conn *c, struct wa_sv body)
{
    wa_local_prefs_keep(l->o->prefs_dir, c, body);
}

static const struct route routes[] = {
    {WA_HTTP_GET, "/local/state", 0, wa_local_server_state},
    {WA_HTTP_GET, "/local/prefs", 0, read_prefs},
    {WA_HTTP_PUT, "/local/prefs", WA_LOCAL_PREFS_MAX, write_prefs},
    {WA_HTTP_POST, "/local/login", WA_LOCAL_SMALL_MAX, wa_local_login},
    {WA_HTTP_POST, "/local/journal", WA_LOCAL_SMALL_MAX, wa_local_journal},
    {WA_HTTP_POST, "/local/oidc", WA_LOCAL_SMALL_MAX, wa_local_oidc_start},
    {WA_HTTP_GET, "/local/oidc", 0, wa_local_oidc_ask},
    {WA_HTTP_POST, "/local/logout", WA_LOCAL_SMALL_MAX, wa_local_server_logout},
    {WA_HTTP_GET, "/local/pin", 0, wa_local_pin_show},
    {WA_HTTP_POST, "/local/pin", WA_LOCAL_SMALL_MAX, wa_local_pin_set},
    {WA_HTTP_POST, "/local/keys/unlock", WA_LOCAL_SMALL_MAX, wa_local_keys_unlock},
    {WA_HTTP_POST, "/local/keys/lock", WA_LOCAL_SMALL_MAX, wa_local_keys_lock},
    {WA_HTTP_POST, "/local/keys/new", WA_LOCAL_SMALL_MAX, wa_local_keys_new},
    {WA_HTTP_POST, "/local/keys/password", WA_LOCAL_SMALL_MAX, wa_local_keys_password},
    {WA_HTTP_GET, "/local/certificates", 0, wa_local_certificates},
    {WA_HTTP_GET, "/local/root", 0, wa_local_root_show},
    {WA_HTTP_PUT, "/local/root", WA_LOCAL_BODY_MAX, wa_local_root_send},
    {WA_HTTP_POST, "/local/revocation", WA_LOCAL_SMALL_MAX, wa_local_revocation},
    {WA_HTTP_PUT, "/local/files", 0, wa_local_files_end},
    {WA_HTTP_POST, "/local/make", WA_LOCAL_BODY_MAX, wa_local_make},
    {WA_HTTP_POST, "/local/prepare", WA_LOCAL_BODY_MAX, wa_local_prepare},
    {WA_HTTP_POST, "/local/commit", WA_LOCAL_SMALL_MAX, wa_local_commit},
};

static const struct route *find_route(const struct wa_http_head *head)
{
    for (size_t i = 0; i < WA_COUNT(routes); i++)
        if (head->method == routes[i].method && wa_sv_eqs(head->path, routes[i].path))
            return &routes[i];
    return NULL;
}

/* What follows the prefix. */
static bool is_delete_of(const struct wa_http_head *head, const char *prefix, struct wa_sv *ret_id)
{
    if (head->method != WA_HTTP_DELETE || !wa_sv_starts(head->path, prefix))
        return false;
    *ret_id = wa_sv_sub(head->path, strlen(prefix), head->path.n);
    return true;
}

static bool is_discard(const struct wa_http_head *head, struct wa_sv *ret_id)
{
    return is_delete_of(head, "/local/prepare/", ret_id);
}

static bool is_file_removal(const struct wa_http_head *head, struct wa_sv *ret_id)
{
    return is_delete_of(head, "/local/files/", ret_id);
}

static bool is_stream(const struct wa_http_head *head)
{
    return head->method == WA_HTTP_GET && wa_sv_eqs(head->path, "/api/v1/events");
}

enum wa_code wa_local_judge(void *user, const struct wa_http_head *head, size_t *ret_max,
                            struct wa_err *err)
{
    const struct route *r = find_route(head);
    struct wa_sv id;
    WA_UNUSED(user);
    *ret_max = r != NULL ? r->body_max : WA_LOCAL_BODY_MAX;
    return r != NULL || is_discard(head, &id) || is_file_removal(head, &id) ||
                   wa_local_relay_takes(head->method, head->path)
               ? WA_OK
               : wa_fail(err, WA_E_NOT_FOUND, "there is no such call");
}

void wa_local_call(void *user, struct wa_http_conn *c, struct wa_sv body)
{
    struct wa_local *l = user;
    const struct wa_http_head *head = wa_http_conn_head(c);
    const struct route *r = find_route(head);
    struct wa_sv id;
    l->called_ms = wa_loop_now_ms(l->loop);
    if (r != NULL)
        r->call(l, c, body);
    else if (is_discard(head, &id))
        wa_local_discard(l, c, id);
    else if (is_file_removal(head, &id))
        wa_local_files_remove(l, c, id);
    else if (is_stream(head))
        wa_local_stream(l, c);
    else
        wa_local_relay(l, c, body);
}

static bool takes_bytes(void *user, const struct wa_http_head *head)
{
    WA_UNUSED(user);
    return wa_local_files_takes(head);
}

static void begin_bytes(void *user, struct wa_http_conn *c)
{
    struct wa_local *l = user;
    l->called_ms = wa_loop_now_ms(l->loop);
    wa_local_files_begin(l, c);
}

/* --- life --- */

static void ending(void *user)
{
    struct wa_local *l = user;
    l->is_ending = true;
    wa_local_confirm_end(l, NULL);
    wa_local_oidc_stop(l);
    wa_local_streams_end(l);
    wa_local_jobs_stop(l, WA_LOCAL_ALL);
    wa_local_keys_sweep(l, true);
}

static void on_stop(void *user, int signum)
{
    const struct wa_local *l = user;
    WA_UNUSED(signum);
    wa_local_site_end(l->site);
}

static bool tick(void *user)
{
    struct wa_local *l = user;
    wa_local_keys_sweep(l, false);
    wa_local_prepared_sweep(l, false);
    wa_local_files_sweep(l);
    wa_local_confirm_sweep(l);
    wa_local_oidc_sweep(l);
    wa_local_server_watch(l);
    wa_local_streams_sweep(l);
    bool is_used = l->stream_count > 0 || wa_local_files_are_coming(l);
    for (const struct wa_local_job *job = l->jobs; job != NULL; job = job->next)
        is_used = is_used || !job->is_own;
    return is_used;
}

static enum wa_code give_link(void *user, char *out, struct wa_err *err)
{
    const struct wa_local *l = user;
    return wa_local_site_link(l->site, out, err);
}

/* One program for a person and a server. */
static enum wa_code open_door(struct wa_local *l, char *ret_link, struct wa_err *err)
{
    uint8_t digest[WA_SHA256_SIZE];
    char name[32];
    if (wa_sha256(l->o->server, strlen(l->o->server), digest, err) != WA_OK)
        return err->code;
    (void)snprintf(name, sizeof name, "console-%02x%02x%02x%02x", digest[0], digest[1], digest[2],
                   digest[3]);
    const struct wa_local_door_options o = {
        .loop = l->loop, .run_dir = l->o->run_dir, .name = name, .give = give_link, .user = l};
    return wa_local_door_open(&o, &l->door, ret_link, err);
}

static enum wa_code open_site(struct wa_local *l, struct wa_err *err)
{
    const struct wa_local_site_options o = {.loop = l->loop,
                                            .log = l->o->log,
                                            .pages = &wa_console_pages,
                                            .idle_s = l->o->idle_s,
                                            .judge = wa_local_judge,
                                            .call = wa_local_call,
                                            .takes_bytes = takes_bytes,
                                            .begin_bytes = begin_bytes,
                                            .tick = tick,
                                            .ending = ending,
                                            .user = l};
    return wa_loop_on_stop(l->loop, on_stop, l, err) == WA_OK ? wa_local_site_new(&o, &l->site, err)
                                                              : err->code;
}

/* No program can be started from here on, no file written but where that is needed, and no other
 * process of this person can look into this one. */
static enum wa_code confine(const struct wa_local *l, struct wa_err *err)
{
    const struct wa_priv p = {.name = "waptconsole/local",
                              .allow = WA_PRIV_FS_READ | WA_PRIV_FS_WRITE | WA_PRIV_NET |
                                       WA_PRIV_LOCAL | WA_PRIV_THREADS | WA_PRIV_TERM | WA_PRIV_FDS,
                              .read_paths = l->o->read_paths,
                              .write_paths = l->o->write_paths,
                              .no_core = true};
    char line[WA_PRIV_LINE_MAX];
    if (wa_priv_drop(&p, line, err) != WA_OK)
        return err->code;
    wa_log(l->o->log, WA_LOG_INFO, "console.started", WA_LF_S("confined", line));
    return WA_OK;
}

/* *ret_runs false: another program of this person's serves. */
static enum wa_code begin(struct wa_local *l, bool *ret_runs, struct wa_err *err)
{
    char link[WA_LOCAL_LINK_SIZE] = "";
    *ret_runs = false;
    if (wa_loop_pool_size(WA_LOCAL_THREADS, err) != WA_OK ||
        wa_local_prompt_open(l, err) != WA_OK || wa_loop_new(&l->loop, err) != WA_OK ||
        open_door(l, link, err) != WA_OK)
        return err->code;
    *ret_runs = link[0] == '\0';
    if (!*ret_runs || (wa_local_keys_find(l, err) == WA_OK && open_site(l, err) == WA_OK &&
                       give_link(l, link, err) == WA_OK))
        (void)!l->o->on_link(l->o->user_data, link, err);
    wa_wipe(link, sizeof link);
    return err->code == WA_OK && *ret_runs ? confine(l, err) : err->code;
}

/* False: something has not come back after so long. */
static bool await_threads(struct wa_local *l, uint64_t ms)
{
    struct wa_err err = WA_ERR_INIT;
    uint64_t until = wa_clock_mono_ms() + ms;
    while (l->jobs != NULL || l->stream_count > 0) {
        if (wa_clock_mono_ms() >= until || wa_loop_turn(l->loop, TURN_MS, &err) != WA_OK)
            return false;
        wa_local_streams_sweep(l);
    }
    return true;
}

/* What is in threads comes back to the loop, but for what can't be told to. */
static void finish(struct wa_local *l)
{
    struct wa_local_site *site = l->site;
    struct wa_local_link *link = l->server.link;
    ending(l);
    wa_local_door_close(l->door);
    l->site = NULL;
    wa_local_site_free(site);
    l->server.link = NULL;
    wa_local_link_release(l, link);
    if (!await_threads(l, GOODBYE_MS)) {
        l->is_over = true;
        wa_local_jobs_stop(l, WA_LOCAL_REST);
        if (!await_threads(l, STUCK_MS)) {
            wa_log(l->o->log, WA_LOG_WARNING, "console.stuck", WA_LF_S("what", "a thread"));
            l->o->on_stuck(l->o->user_data);
        }
    }
    wa_local_prepared_sweep(l, true);
    wa_local_prompt_close(l);
    wa_local_files_fini(l);
    wa_local_keys_fini(l);
    wa_loop_free(l->loop);
    wa_free(l);
}

enum wa_code wa_local_run(const struct wa_local_options *o, struct wa_err *err)
{
    struct wa_local *l = wa_calloc(1, sizeof *l);
    if (l == NULL)
        return wa_nomem(err);
    l->o = o;
    l->files_folder = (struct wa_dir)WA_DIR_INIT;
    l->server.trust = *o->trust;
    bool runs = false;
    if (begin(l, &runs, err) == WA_OK && runs && wa_loop_run(l->loop, err) == WA_OK)
        wa_log_event(o->log, WA_LOG_INFO, "console.ended", NULL, 0);
    finish(l);
    return err->code;
}

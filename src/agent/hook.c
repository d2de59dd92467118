/* hook.c - one hook of a package's setup.py in its own interpreter: the request, the output, the
 * outcome (formats.md 10). */
#include "agent/hook.h"
#include "agent/inventory.h"
#include "agent/journal.h"
#include "agent/kept.h"
#include "agent/tasks.h"
#include "base/text.h"
#include "base/utf8.h"
#include "os/clock.h"

void wa_hook_result_init(struct wa_hook_result *r)
{
    *r = (struct wa_hook_result){.status = "ERROR", .code = WA_E_FAILED};
    wa_buf_init(&r->output, 2 * WA_SCRIPT_OUTPUT_MAX);
    wa_buf_init(&r->params, 1u << 20);
}

void wa_hook_result_fini(struct wa_hook_result *r)
{
    wa_buf_fini(&r->output);
    wa_buf_fini_secret(&r->params);
}

static enum wa_code write_wapt(struct wa_manager *m, struct wa_jw *w,
                               const struct wa_hook_run *what, struct wa_err *err)
{
    WA_AUTO_INSTALLED struct wa_installed_list list = {NULL, 0, 0};
    wa_jw_key(w, "wapt");
    wa_jw_obj(w);
    wa_jw_kv(w, "wapt_base_dir", m->config.base);
    wa_jw_kv(w, "host_uuid", m->uuid);
    wa_jw_kv(w, "config_filename", m->config.file);
    wa_jw_key(w, "installed");
    wa_jw_arr(w);
    if (what->uid == 0) { /* a user's session need not know what is installed for others */
        if (wa_installed_load(m->tdb, NULL, &list, err) != WA_OK)
            return err->code;
        for (size_t i = 0; i < list.n; i++) {
            wa_jw_obj(w);
            wa_control_json(w, &list.items[i].base.control);
            wa_jw_kv(w, "install_status", list.items[i].base.status);
            wa_jw_kvi(w, "install_date", list.items[i].install_date);
            wa_jw_end(w);
        }
    }
    wa_jw_end(w);
    /* Nor what scripts keep: it may be secret. What a user's script says is its user's word. */
    wa_jw_kvb(w, "takes_wishes", what->uid == 0);
    if (what->uid == 0 && wa_script_store_write(m, w, err) != WA_OK)
        return err->code;
    wa_jw_end(w);
    return WA_OK;
}

/* Parameters come from users' requests and from scripts: only what is one object and nothing beside
 * it becomes part of the request, whose other members say what root does. */
enum wa_code wa_params_check(struct wa_sv text, struct wa_arena *arena, const struct wa_json **ret,
                             struct wa_err *err)
{
    const struct wa_json *j = NULL;
    if (wa_json_parse(text, 0, arena, &j, err) != WA_OK || !wa_json_is(j, WA_JSON_OBJECT))
        return wa_fail(err, WA_E_USAGE,
                       "the parameters are not one JSON object, like '{\"name\": \"value\"}'");
    *ret = j;
    return WA_OK;
}

static enum wa_code write_params(struct wa_jw *w, const char *params, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, 64u << 20);
    if (params == NULL || params[0] == '\0')
        params = "{}";
    if (wa_params_check(wa_sv(params), &arena, &j, err) != WA_OK)
        return err->code;
    wa_jw_key(w, "params");
    wa_jw_json(w, j);
    return WA_OK;
}

static enum wa_code write_request(struct wa_manager *m, const struct wa_hook_run *what,
                                  struct wa_buf *out, struct wa_err *err)
{
    char path[2 * WA_PATH_MAX], id[WA_KEPT_ID + 1];
    struct wa_jw w;
    if (wa_kept_id(what->control, id, err) != WA_OK)
        return err->code;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "hook", wa_hook_name(what->hook));
    if (what->hook == WA_HOOK_SESSION_SETUP) {
        wa_jw_kv(&w, "basedir", "."); /* the user may be in it, but not look at what leads there */
    } else {
        (void)snprintf(path, sizeof path, "%s/private/stage/%s", m->config.base, what->stage);
        wa_jw_kv(&w, "basedir", path);
    }
    wa_jw_key(&w, "control");
    wa_jw_obj(&w);
    wa_control_json(&w, what->control);
    wa_jw_end(&w);
    if (write_params(&w, what->params, err) != WA_OK)
        return err->code;
    wa_jw_kvb(&w, "force", what->force);
    wa_jw_kv(&w, "language", m->facts.language);
    wa_jw_kv(&w, "user", what->user != NULL ? what->user : "root");
    wa_jw_key(&w, "usergroups");
    wa_jw_arr(&w);
    wa_jw_end(&w);
    (void)snprintf(path, sizeof path, "%s/private/persistent/%s", m->config.base, id);
    wa_jw_kv(&w, "persistent_dir", path);
    if (what->has_persistent) {
        (void)snprintf(path, sizeof path, "%s/private/stage/%s/WAPT/persistent", m->config.base,
                       what->stage);
        wa_jw_kv(&w, "persistent_source_dir", path);
    }
    if (write_wapt(m, &w, what, err) != WA_OK)
        return err->code;
    wa_jw_end(&w);
    return wa_buf_check(out, err);
}

#define NOTE_MS 2000u /* between two times that what was said so far is noted down */

struct following {
    struct wa_task_run *run;
    struct wa_buf *kept;
    const char *package; /* whose run is in the journal; NULL: it is in none */
    uint64_t noted_ms;
};

/* Should the machine end now, this is what its administrator has to go by. */
static void note(struct following *f)
{
    struct wa_err err = WA_ERR_INIT;
    uint64_t now = wa_clock_mono_ms();
    if (f->package == NULL || now - f->noted_ms < NOTE_MS)
        return;
    f->noted_ms = now;
    if (wa_journal_output(f->run->m->tdb, f->package, wa_buf_sv(f->kept), &err) != WA_OK)
        wa_log_err(&f->run->m->log, WA_LOG_WARNING, "database.failed", &err);
}

void wa_hook_text(struct wa_buf *out, struct wa_sv bytes)
{
    uint32_t cp;
    for (size_t from = 0, at = 0; wa_utf8_step(bytes, &at, &cp); from = at) {
        if (cp != 0 && cp < WA_UTF8_BAD)
            wa_buf_add(out, bytes.p + from, at - from);
        else
            wa_buf_addc(out, '?');
    }
}

static void on_output(void *user, struct wa_sv bytes)
{
    struct following *f = user;
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, bytes.n);
    wa_hook_text(&text, bytes);
    wa_task_output(f->run, wa_buf_sv(&text));
    if (f->kept->n < WA_SCRIPT_OUTPUT_MAX)
        wa_buf_addsv(f->kept, wa_buf_sv(&text));
    note(f);
}

/* As much of text as fits, no character cut in two. */
static void take_text(char *out, size_t size, struct wa_sv text)
{
    size_t n = text.n < size ? text.n : wa_utf8_cut(text.p, size - 1);
    (void)snprintf(out, size, "%.*s", (int)n, text.p != NULL ? text.p : "");
}

/* What the runner said, believed only if it ended well. */
static void judge(const struct wa_task_run *run, const struct wa_hook_run *what,
                  const struct wa_run_result *ran, struct wa_sv json, struct wa_hook_result *ret)
{
    WA_AUTO_ARENA struct wa_arena arena;
    struct wa_err err = WA_ERR_INIT;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, 32u << 20);
    if (ran->timed_out) {
        ret->code = WA_E_TIMEOUT;
        (void)snprintf(ret->error, sizeof ret->error,
                       wa_text("the script took too long and was ended (hook_timeout, "
                               "hook_timeouts, session_setup_timeout)"));
    } else if (!ran->has_result || wa_json_parse(json, 0, &arena, &j, &err) != WA_OK ||
               !wa_json_is(j, WA_JSON_OBJECT)) {
        (void)snprintf(ret->error, sizeof ret->error,
                       wa_text("the script ended without a result (%s %d)"),
                       ran->exit.kind == WA_EXIT_SIGNAL ? "signal" : "status", ran->exit.value);
    } else {
        struct wa_sv status = wa_json_sv(wa_json_get(j, "status")),
                     error = wa_json_sv(wa_json_get(j, "error"));
        take_text(ret->status, sizeof ret->status, status);
        take_text(ret->error, sizeof ret->error, error);
        if (what->hook == WA_HOOK_INSTALL)
            take_text(ret->upgrade, sizeof ret->upgrade,
                      wa_json_sv(wa_json_get(j, "agent_upgrade")));
        wa_buf_clear(&ret->params);
        if (wa_json_is(wa_json_get(j, "params"), WA_JSON_OBJECT))
            wa_json_write(wa_json_get(j, "params"), &ret->params);
        if (ret->status[0] == '\0')
            (void)snprintf(ret->status, sizeof ret->status, "ERROR");
        if (what->uid == 0 && strcmp(ret->status, "ERROR") != 0 &&
            wa_script_wishes_take(run, j, &err) != WA_OK) {
            (void)snprintf(ret->status, sizeof ret->status, "ERROR");
            (void)snprintf(ret->error, sizeof ret->error, "%s", err.text);
            ret->code = err.code;
        }
    }
    if (ret->error[0] != '\0')
        wa_buf_addf(&ret->output, "%s%s\n",
                    ret->output.n > 0 && ret->output.p[ret->output.n - 1] != '\n' ? "\n" : "",
                    ret->error);
}

/* Seconds. A user's own process can be stopped by its user, and all tasks wait behind it. */
static uint32_t longest(const struct wa_agent_config *c, const struct wa_hook_run *what)
{
    int64_t s = wa_agent_hook_timeout(c, wa_control_get(what->control, WA_A_PACKAGE));
    if (what->hook == WA_HOOK_SESSION_SETUP && s > c->session_setup_timeout_s)
        s = c->session_setup_timeout_s;
    return (uint32_t)s;
}

enum wa_code wa_hook_run(struct wa_task_run *run, const struct wa_hook_run *what,
                         struct wa_hook_result *ret, struct wa_err *err)
{
    struct wa_manager *m = run->m;
    WA_AUTO_BUF_SECRET struct wa_buf request;
    WA_AUTO_BUF struct wa_buf result;
    struct wa_run_result ran;
    const char *package = wa_control_get(what->control, WA_A_PACKAGE);
    bool is_noted = what->hook == WA_HOOK_INSTALL || what->hook == WA_HOOK_UNINSTALL;
    struct following follow = {run, &ret->output, is_noted ? package : NULL, wa_clock_mono_ms()};
    wa_buf_init(&request, WA_JSON_BYTES_MAX);
    wa_buf_init(&result, WA_JSON_BYTES_MAX);
    if (write_request(m, what, &request, err) != WA_OK)
        return err->code;
    const struct wa_run r = {.stage = what->stage,
                             .hook = what->hook,
                             .uid = what->uid,
                             .request = wa_buf_sv(&request),
                             .timeout_s = longest(&m->config, what)};
    if (wa_helper_run(m->launcher, &r, on_output, &follow, m->cancel, &result, &ran, err) != WA_OK)
        return wa_wrap(err, "running %s of '%s'", wa_hook_name(what->hook), package);
    judge(run, what, &ran, wa_buf_sv(&result), ret);
    return WA_OK;
}

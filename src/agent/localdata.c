/* localdata.c - answers that only read: status, lists, search. From the loop's thread and
 * connection. */
#include "agent/health.h"
#include "agent/icons.h"
#include "agent/inventory.h"
#include "agent/journal.h"
#include "agent/local_priv.h"
#include "agent/place.h"
#include "agent/repo_trust.h"
#include "agent/scheduler.h"
#include "agent/tasks.h"
#include "agent/upgrade.h"

#include <strings.h>

/* caller NULL: what they may is not told. */
static void write_allowed(struct wa_jw *w, const struct wa_control *c,
                          const struct wa_caller *caller)
{
    if (caller != NULL)
        wa_jw_kvb(w, "allowed",
                  wa_caller_may(caller, wa_control_get(c, WA_A_PACKAGE),
                                wa_control_get(c, WA_A_SECTION)));
}

static void write_entry(struct wa_jw *w, const struct wa_control *c, const char *repo,
                        const char *installed, const struct wa_caller *caller)
{
    wa_jw_obj(w);
    wa_control_json(w, c);
    wa_jw_kv(w, "repo", repo);
    wa_jw_kv(w, "installed", installed);
    write_allowed(w, c, caller);
    wa_jw_end(w);
}

/* The installed version of a package; "" for none. */
static const char *version_of(const struct wa_installed_list *l, const char *package)
{
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(wa_control_get(&l->items[i].base.control, WA_A_PACKAGE), package) == 0)
            return wa_control_get(&l->items[i].base.control, WA_A_VERSION);
    return "";
}

/* The version that is available for this machine and newer than what is installed; "" for none. */
static const char *newer_than(const struct wa_manager *m, const struct wa_available *a,
                              const struct wa_control *c)
{
    struct wa_host_caps caps;
    const struct wa_control *best = c;
    wa_manager_caps(m, &caps);
    for (size_t i = 0; i < a->n; i++)
        if (strcmp(wa_control_get(&a->items[i], WA_A_PACKAGE), wa_control_get(c, WA_A_PACKAGE)) ==
                0 &&
            wa_entry_cmp(&a->items[i], best) > 0 && wa_host_accepts(&caps, &a->items[i], NULL))
            best = &a->items[i];
    return best == c ||
                   strcmp(wa_control_get(best, WA_A_VERSION), wa_control_get(c, WA_A_VERSION)) == 0
               ? ""
               : wa_control_get(best, WA_A_VERSION);
}

static void write_row(struct wa_jw *w, const struct wa_installed_row *r, const char *newer,
                      const struct wa_caller *caller)
{
    wa_jw_obj(w);
    wa_control_json(w, &r->base.control);
    wa_jw_kv(w, "repo", r->repo);
    wa_jw_kv(w, "install_status", r->base.status);
    wa_jw_kvi(w, "install_date", r->install_date);
    wa_jw_kvb(w, "explicit", r->base.is_explicit);
    wa_jw_kv(w, "last_audit_status", r->audit_status);
    wa_jw_kvi(w, "last_audit_on", r->audit_on);
    wa_jw_kv(w, "newer", newer);
    write_allowed(w, &r->base.control, caller);
    wa_jw_end(w);
}

/* While its next version is installed, WAPT's word for that. */
static const struct wa_installed_row *as_it_is(struct wa_manager *m, struct wa_installed_row *r)
{
    char hook[16];
    struct wa_err ignored = WA_ERR_INIT;
    if (wa_journal_hook(m->db, wa_control_get(&r->base.control, WA_A_PACKAGE), hook, &ignored) ==
            WA_OK &&
        strcmp(hook, "install") == 0)
        (void)snprintf(r->base.status, sizeof r->base.status, "UPGRADING");
    return r;
}

/* Each word is looked for in all texts of all packages: in the loop's thread, for anybody. */
static bool contains(const char *text, struct wa_sv word)
{
    for (size_t n = strlen(text); n >= word.n; n--, text++)
        if (strncasecmp(text, word.p, word.n) == 0)
            return true;
    return false;
}

/* All words occur in name, title, description or keywords. */
bool wa_local_matches(const struct wa_control *c, const struct wa_local_request *r)
{
    static const enum wa_attr where[] = {WA_A_PACKAGE, WA_A_NAME, WA_A_DESCRIPTION, WA_A_KEYWORDS,
                                         WA_A_DESCRIPTION_FR};
    for (size_t i = 0; i < r->package_count; i++) {
        bool found = false;
        for (size_t k = 0; k < WA_COUNT(where); k++)
            found = found || contains(wa_control_get(c, where[k]), r->packages[i]);
        if (!found)
            return false;
    }
    return true;
}

static enum wa_code list(struct wa_manager *m, const struct wa_local_request *r,
                         const struct wa_caller *caller, struct wa_jw *w, struct wa_err *err)
{
    WA_AUTO_INSTALLED struct wa_installed_list l = {NULL, 0, 0};
    WA_AUTO_AVAILABLE struct wa_available a = {.n = 0};
    if (wa_installed_load(m->db, NULL, &l, err) != WA_OK ||
        wa_available_load(m->db, &a, err) != WA_OK)
        return err->code;
    wa_jw_arr(w);
    for (size_t i = 0; i < l.n; i++)
        if (wa_local_matches(&l.items[i].base.control, r))
            write_row(w, as_it_is(m, &l.items[i]), newer_than(m, &a, &l.items[i].base.control),
                      caller);
    wa_jw_end(w);
    return WA_OK;
}

static enum wa_code search(struct wa_manager *m, const struct wa_local_request *r,
                           const struct wa_caller *caller, struct wa_jw *w, struct wa_err *err)
{
    WA_AUTO_AVAILABLE struct wa_available a = {.n = 0};
    WA_AUTO_INSTALLED struct wa_installed_list l = {NULL, 0, 0};
    if (wa_available_load(m->db, &a, err) != WA_OK ||
        wa_installed_load(m->db, NULL, &l, err) != WA_OK)
        return err->code;
    wa_jw_arr(w);
    for (size_t i = 0; i < a.n; i++)
        if (strcmp(a.repos[i], "wapt-host") != 0 && wa_local_matches(&a.items[i], r))
            write_entry(w, &a.items[i], a.repos[i],
                        version_of(&l, wa_control_get(&a.items[i], WA_A_PACKAGE)), caller);
    wa_jw_end(w);
    return WA_OK;
}

static enum wa_code show(struct wa_manager *m, const struct wa_local_request *r, struct wa_jw *w,
                         struct wa_err *err)
{
    WA_AUTO_AVAILABLE struct wa_available a = {.n = 0};
    WA_AUTO_INSTALLED struct wa_installed_list l = {NULL, 0, 0};
    bool found = false;
    if (wa_available_load(m->db, &a, err) != WA_OK ||
        wa_installed_load(m->db, NULL, &l, err) != WA_OK)
        return err->code;
    wa_jw_arr(w);
    for (size_t k = 0; k < r->package_count; k++) {
        struct wa_request q;
        if (wa_request_parse(r->packages[k], &q, err) != WA_OK)
            return err->code;
        for (size_t i = 0; i < l.n; i++)
            if (wa_request_matches_typed(&q, &l.items[i].base.control)) {
                write_row(w, &l.items[i], newer_than(m, &a, &l.items[i].base.control), NULL);
                found = true;
            }
        for (size_t i = 0; i < a.n; i++)
            if (wa_request_matches_typed(&q, &a.items[i])) {
                write_entry(w, &a.items[i], a.repos[i],
                            version_of(&l, wa_control_get(&a.items[i], WA_A_PACKAGE)), NULL);
                found = true;
            }
    }
    wa_jw_end(w);
    return found
               ? WA_OK
               : wa_fail(err, WA_E_NOT_FOUND,
                         "no such package is installed or available: try 'wapt-get update' first");
}

static enum wa_code show_log(struct wa_manager *m, const struct wa_local_request *r,
                             struct wa_jw *w, struct wa_err *err)
{
    WA_AUTO_INSTALLED struct wa_installed_list l = {NULL, 0, 0};
    char name[WA_NAME_MAX + 1];
    if (r->package_count != 1)
        return wa_fail(err, WA_E_USAGE, "show-log takes one package");
    (void)snprintf(name, sizeof name, "%.*s", WA_SV_ARG(r->packages[0]));
    if (wa_installed_load(m->db, name, &l, err) != WA_OK)
        return err->code;
    if (l.n == 0)
        return wa_fail(err, WA_E_NOT_FOUND, "'%s' is not installed", name);
    wa_jw_obj(w);
    wa_jw_kv(w, "package", name);
    wa_jw_kv(w, "install_status", l.items[0].base.status);
    wa_jw_kv(w, "install_output", l.items[0].output);
    wa_jw_kv(w, "install_params", l.items[0].params);
    wa_jw_key(w, "uninstall_key");
    wa_jw_raw(w, wa_sv(l.items[0].uninstall_key)); /* our own JSON */
    wa_jw_kv(w, "last_audit_status", l.items[0].audit_status);
    wa_jw_kv(w, "last_audit_output", l.items[0].audit_output);
    wa_jw_end(w);
    return WA_OK;
}

/* Why a package failed can have the words of its script in it. */
static void write_failed(struct wa_jw *w, const struct wa_json *failed)
{
    wa_jw_arr(w);
    for (size_t i = 0; i < wa_json_count(failed); i++) {
        const struct wa_json *one = wa_json_at(failed, i);
        wa_jw_obj(w);
        for (size_t k = 0; k < wa_json_count(one); k++) {
            struct wa_sv key = wa_json_key_at(one, k);
            wa_jw_keysv(w, key);
            if (wa_sv_eqs(key, "why"))
                wa_jw_s(w, "");
            else
                wa_jw_json(w, wa_json_at(one, k));
        }
        wa_jw_end(w);
    }
    wa_jw_end(w);
}

static enum wa_code without_scripts(struct wa_sv text, struct wa_jw *w, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, 64u << 20);
    if (wa_json_parse(text, 0, &arena, &j, err) != WA_OK)
        return err->code;
    wa_jw_obj(w);
    for (size_t i = 0; i < wa_json_count(j); i++) {
        struct wa_sv key = wa_json_key_at(j, i);
        wa_jw_keysv(w, key);
        if (wa_sv_eqs(key, "failed"))
            write_failed(w, wa_json_at(j, i));
        else
            wa_jw_json(w, wa_json_at(j, i));
    }
    wa_jw_end(w);
    return WA_OK;
}

static enum wa_code pending(struct wa_manager *m, const struct wa_caller *caller, struct wa_jw *w,
                            struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, 1u << 20);
    if (wa_param_get(m->db, "last_update_status", &text, err) != WA_OK)
        return err->code;
    if (text.n > 0 && !caller->is_admin)
        return without_scripts(wa_buf_sv(&text), w, err);
    wa_jw_raw(w, text.n > 0 ? wa_buf_sv(&text)
                            : WA_SV("{\"date\":0,\"upgrades\":[],\"priorities\":[],"
                                    "\"problems\":\"\",\"failed\":[]}"));
    return WA_OK;
}

static enum wa_code tasks(struct wa_manager *m, const struct wa_local_request *r,
                          const struct wa_caller *caller, struct wa_buf *data, struct wa_err *err)
{
    wa_lock_take(m->lock);
    const struct wa_task_progress running = {m->running_task, m->running_percent};
    wa_lock_give(m->lock);
    return r->op == WA_OP_TASKS ? wa_task_list(m->db, &running, caller->is_admin, data, err)
                                : wa_task_show(m->db, r->task_id, &running, data, err);
}

/* What became of the agent's last upgrade by a package. */
static void write_upgrade(struct wa_manager *m, struct wa_jw *w)
{
    struct wa_upgrade_result r;
    struct wa_err absent = WA_ERR_INIT;
    if (wa_upgrade_result_load(&m->base, &r, &absent) != WA_OK)
        return;
    wa_jw_key(w, "agent_upgrade");
    wa_jw_obj(w);
    wa_upgrade_result_write(&r, w);
    wa_jw_end(w);
}

static enum wa_code status(struct wa_manager *m, struct wa_jw *w, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    struct wa_assigned own;
    int64_t enrolled = 0;
    wa_arena_init(&arena, WA_SCENE_BYTES_MAX);
    if (wa_param_i64(m->db, "enrolled_at", &enrolled, err) != WA_OK ||
        wa_assigned_load(m, m->db, &arena, &own, err) != WA_OK)
        return err->code;
    wa_lock_take(m->lock);
    int64_t running = m->running_task;
    bool is_stopped = m->stopped_until_ms != 0;
    wa_jw_obj(w);
    wa_jw_kv(w, "version", WA_VERSION);
    wa_jw_kvi(w, "database_version", wa_agent_db_version());
    wa_jw_kv(w, "uuid", m->uuid);
    wa_jw_kv(w, "server", m->config.wapt_server);
    wa_jw_kv(w, "repository", m->config.repo_url);
    wa_jw_kvi(w, "enrolled_at", enrolled);
    wa_jw_kvi(w, "running_task", running);
    wa_jw_kvb(w, "stopped", is_stopped);
    wa_lock_give(m->lock);
    wa_jw_kvb(w, "connected", m->contact.is_connected);
    write_upgrade(m, w);
    wa_jw_key(w, "own_packages");
    wa_jw_arr(w);
    for (size_t i = 0; i < own.n; i++)
        wa_jw_s(w, own.names[i]);
    wa_jw_end(w);
    enum wa_code code = wa_schedule_status(m, w, err);
    if (code == WA_OK)
        code = wa_repo_trust_status(m, w, err);
    wa_jw_end(w);
    return code;
}

static void add_health(void *user, const char *what, enum wa_health h, const char *text,
                       const char *remedy)
{
    struct wa_jw *w = user;
    wa_jw_obj(w);
    wa_jw_kv(w, "check", what);
    wa_jw_kv(w, "state", wa_health_name(h));
    wa_jw_kv(w, "text", text);
    wa_jw_kv(w, "remedy", remedy);
    wa_jw_end(w);
}

static void check(struct wa_manager *m, struct wa_jw *w)
{
    const struct wa_health_report r = {.fn = add_health, .user = w};
    wa_jw_arr(w);
    wa_health_manager(m, &r);
    wa_jw_end(w);
}

enum wa_code wa_local_data(struct wa_manager *m, const struct wa_local_request *r,
                           const struct wa_caller *caller, struct wa_buf *data, struct wa_err *err)
{
    struct wa_jw w;
    enum wa_code code;
    wa_jw_init(&w, data);
    switch (r->op) {
    case WA_OP_LIST:
        code = list(m, r, caller, &w, err);
        break;
    case WA_OP_SEARCH:
        code = search(m, r, caller, &w, err);
        break;
    case WA_OP_CATALOGUE:
        code = wa_local_catalogue(m, r, caller, &w, err);
        break;
    case WA_OP_ICONS:
        code = wa_icons_write(m, r, &w, err);
        break;
    case WA_OP_SHOW:
        code = show(m, r, &w, err);
        break;
    case WA_OP_SHOW_LOG:
        code = show_log(m, r, &w, err);
        break;
    case WA_OP_LIST_UPGRADE:
    case WA_OP_CHECK_UPGRADES:
        code = pending(m, caller, &w, err);
        break;
    case WA_OP_TASKS:
    case WA_OP_SHOW_TASK:
        code = tasks(m, r, caller, data, err);
        break;
    case WA_OP_CHECK:
        check(m, &w);
        code = wa_buf_check(data, err);
        break;
    case WA_OP_STATUS:
        code = status(m, &w, err);
        break;
    default:
        code = wa_fail(err, WA_E_INTERNAL, "no answer for '%s'", wa_local_op_name(r->op));
        break;
    }
    return code == WA_OK ? wa_buf_check(data, err) : code;
}

/* upgrade_state.c - how far an upgrade of the agent has come, and what became of the last one: two
 * small files of root's, each replaced whole.
 *
 * Nobody but root writes below private/, so what is read here is believed once it has its form.
 */
#include "agent/role_priv.h"
#include "agent/upgrade.h"

static const char *const steps[WA_UP_STEPS] = {"handed", "kept", "saved",
                                               "placed", "back", "restored"};

static enum wa_code read_json(const struct wa_dir *base, const char *name, struct wa_buf *text,
                              struct wa_arena *arena, const struct wa_json **ret,
                              struct wa_err *err)
{
    struct wa_relpath path;
    if (wa_relpath_parse(wa_sv(name), &path, err) != WA_OK ||
        wa_file_read(base, &path, WA_UP_FILE_MAX, text, err) != WA_OK)
        return err->code;
    return wa_json_parse(wa_buf_sv(text), 0, arena, ret, err);
}

static enum wa_code write_json(const struct wa_dir *base, const char *name, struct wa_buf *text,
                               struct wa_err *err)
{
    struct wa_relpath path;
    if (wa_buf_check(text, err) != WA_OK || wa_relpath_parse(wa_sv(name), &path, err) != WA_OK)
        return err->code;
    return wa_file_replace(base, &path, wa_buf_sv(text), 0600, err);
}

static enum wa_code find_step(struct wa_sv name, enum wa_upgrade_step *ret, struct wa_err *err)
{
    for (size_t i = 0; i < WA_UP_STEPS; i++)
        if (wa_sv_eqs(name, steps[i])) {
            *ret = (enum wa_upgrade_step)i;
            return WA_OK;
        }
    return wa_fail(err, WA_E_INVALID, "the state of the upgrade is unknown");
}

enum wa_code wa_upgrade_load(const struct wa_dir *base, struct wa_upgrade *ret, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf text;
    const struct wa_json *j = NULL;
    struct wa_upgrade u = {.starts = 0};
    struct wa_sv step = {0}, package = {0}, sha256 = {0}, config = {0}, program = {0}, from = {0},
                 to = {0}, why = {0};
    const struct wa_json_field fields[] = {
        {"step", WA_WANT_SV, true, 16, &step},
        {"package", WA_WANT_SV, true, 0, &package},
        {"sha256", WA_WANT_SV, true, 0, &sha256},
        {"config", WA_WANT_SV, true, 0, &config},
        {"program", WA_WANT_SV, true, 0, &program},
        {"from", WA_WANT_SV, true, 0, &from},
        {"to", WA_WANT_SV, true, 0, &to},
        {"was_connected", WA_WANT_BOOL, true, 0, &u.was_connected},
        {"starts", WA_WANT_I64, true, 0, &u.starts},
        {"why", WA_WANT_SV, true, 0, &why}};
    wa_arena_init(&arena, 16 * WA_UP_FILE_MAX);
    wa_buf_init(&text, WA_UP_FILE_MAX);
    if (read_json(base, WA_UP_STATE, &text, &arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "the state of an upgrade", err) != WA_OK ||
        find_step(step, &u.step, err) != WA_OK)
        return err->code;
    if (!wa_role_copy(package, u.package, sizeof u.package) ||
        !wa_role_copy(sha256, u.sha256, sizeof u.sha256) ||
        !wa_role_copy(config, u.config, sizeof u.config) ||
        !wa_role_copy(program, u.program, sizeof u.program) ||
        !wa_role_copy(from, u.from, sizeof u.from) || !wa_role_copy(to, u.to, sizeof u.to) ||
        !wa_role_copy(why, u.why, sizeof u.why))
        return wa_fail(err, WA_E_INVALID, "the state of the upgrade has a text that is too long");
    *ret = u;
    return WA_OK;
}

enum wa_code wa_upgrade_save(const struct wa_dir *base, const struct wa_upgrade *u,
                             struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    struct wa_jw w;
    wa_buf_init(&text, WA_UP_FILE_MAX);
    wa_jw_init(&w, &text);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "step", steps[u->step]);
    wa_jw_kv(&w, "package", u->package);
    wa_jw_kv(&w, "sha256", u->sha256);
    wa_jw_kv(&w, "config", u->config);
    wa_jw_kv(&w, "program", u->program);
    wa_jw_kv(&w, "from", u->from);
    wa_jw_kv(&w, "to", u->to);
    wa_jw_kvb(&w, "was_connected", u->was_connected);
    wa_jw_kvi(&w, "starts", u->starts);
    wa_jw_kv(&w, "why", u->why);
    wa_jw_end(&w);
    return write_json(base, WA_UP_STATE, &text, err) == WA_OK
               ? WA_OK
               : wa_wrap(err, "writing down how far the upgrade has come");
}

/* --- what became of it --- */

void wa_upgrade_result_write(const struct wa_upgrade_result *r, struct wa_jw *w)
{
    wa_jw_kv(w, "outcome", r->outcome);
    wa_jw_kv(w, "package", r->package);
    wa_jw_kv(w, "sha256", r->sha256);
    wa_jw_kv(w, "from", r->from);
    wa_jw_kv(w, "to", r->to);
    wa_jw_kv(w, "message", r->message);
    wa_jw_kvi(w, "at", r->at);
}

enum wa_code wa_upgrade_result_save(const struct wa_dir *base, const struct wa_upgrade_result *r,
                                    struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    struct wa_jw w;
    wa_buf_init(&text, WA_UP_FILE_MAX);
    wa_jw_init(&w, &text);
    wa_jw_obj(&w);
    wa_upgrade_result_write(r, &w);
    wa_jw_end(&w);
    return write_json(base, WA_UP_RESULT, &text, err);
}

enum wa_code wa_upgrade_result_load(const struct wa_dir *base, struct wa_upgrade_result *ret,
                                    struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf text;
    const struct wa_json *j = NULL;
    struct wa_upgrade_result r = {.at = 0};
    struct wa_sv outcome = {0}, package = {0}, sha256 = {0}, from = {0}, to = {0}, message = {0};
    const struct wa_json_field fields[] = {
        {"outcome", WA_WANT_SV, true, 0, &outcome}, {"package", WA_WANT_SV, true, 0, &package},
        {"sha256", WA_WANT_SV, true, 0, &sha256},   {"from", WA_WANT_SV, true, 0, &from},
        {"to", WA_WANT_SV, true, 0, &to},           {"message", WA_WANT_SV, true, 0, &message},
        {"at", WA_WANT_I64, true, 0, &r.at}};
    wa_arena_init(&arena, 16 * WA_UP_FILE_MAX);
    wa_buf_init(&text, WA_UP_FILE_MAX);
    if (read_json(base, WA_UP_RESULT, &text, &arena, &j, err) != WA_OK ||
        wa_json_read_lax(j, fields, WA_COUNT(fields), "the result of an upgrade", err) != WA_OK)
        return err->code;
    if (!wa_role_copy(outcome, r.outcome, sizeof r.outcome) ||
        !wa_role_copy(package, r.package, sizeof r.package) ||
        !wa_role_copy(sha256, r.sha256, sizeof r.sha256) ||
        !wa_role_copy(from, r.from, sizeof r.from) || !wa_role_copy(to, r.to, sizeof r.to) ||
        !wa_role_copy(message, r.message, sizeof r.message))
        return wa_fail(err, WA_E_INVALID, "the result of the upgrade has a text that is too long");
    *ret = r;
    return WA_OK;
}

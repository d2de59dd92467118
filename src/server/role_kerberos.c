/* role_kerberos.c - says which machine a Kerberos ticket proves. It holds the service's keys and
 * sees nobody's database: what a client sent is taken apart here, by libraries that are not ours,
 * in a process that can write its replay cache and nothing else, and has no network.
 *
 * Where registration = kerberos is not configured it reads no keytab.
 */
#include "base/mem.h"
#include "codec/base64.h"
#include "codec/csv.h"
#include "os/priv.h"
#include "server/answers.h"
#include "server/auth_kerberos.h"
#include "server/role_common.h"
#include "server/ticket.h"

#define REPLAYS "kerberos" /* folder of the replay cache: it survives restarts */

static enum wa_code read_question(struct wa_sv text, struct wa_arena *arena, struct wa_buf *token,
                                  struct wa_sv *ret_binding, struct wa_err *err)
{
    const struct wa_json *j = NULL;
    struct wa_sv ticket = {NULL, 0};
    const struct wa_json_field fields[] = {
        {"ticket", WA_WANT_SV, true, WA_TICKET_TEXT_MAX, &ticket},
        {"binding", WA_WANT_SV, true, 64, ret_binding}};
    if (wa_json_parse(text, 0, arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "a ticket", err) != WA_OK ||
        wa_base64_decode(ticket, token, err) != WA_OK)
        return err->code;
    return wa_buf_check(token, err);
}

static enum wa_code judge(const struct wa_kerberos_role *r, struct wa_sv request,
                          struct wa_machine_account *m, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf token;
    struct wa_sv binding = {NULL, 0};
    struct wa_ticket t = {.principal = ""};
    size_t at = 0;
    wa_arena_init(&arena, 8 * WA_TICKET_TEXT_MAX);
    wa_buf_init(&token, WA_TICKET_TEXT_MAX);
    wa_buf_init(&t.pac, 1u << 20);
    if (r->kerberos == NULL)
        return wa_fail(err, WA_E_DENIED, "this server takes no Kerberos tickets");
    enum wa_code code = read_question(request, &arena, &token, &binding, err);
    if (code == WA_OK)
        code = wa_kerberos_accept(r->kerberos, wa_buf_sv(&token), binding, &t, err);
    if (code == WA_OK) {
        struct wa_sv principal = wa_sv(t.principal);
        bool known =
            wa_sv_chr(principal, '@', &at) &&
            wa_kerberos_knows_realm(r->kerberos, wa_sv_sub(principal, at + 1, principal.n));
        code = wa_ticket_judge(&r->rules, principal, wa_buf_sv(&t.pac), known, m, err);
    }
    wa_buf_fini(&t.pac);
    return code;
}

enum wa_code wa_kerberos_answer(void *user, struct wa_sv request, struct wa_buf *answer,
                                struct wa_err *err)
{
    struct wa_machine_account m = {.name = ""};
    struct wa_err failed = WA_ERR_INIT;
    struct wa_jw w;
    if (judge(user, request, &m, &failed) == WA_E_NOMEM)
        return wa_nomem(err);
    wa_jw_init(&w, answer);
    wa_jw_obj(&w);
    if (failed.code != WA_OK) {
        wa_jw_kv(&w, "code", wa_code_name(failed.code));
        wa_jw_kv(&w, "message", failed.text);
    } else {
        wa_jw_kv(&w, "name", m.name);
        wa_jw_kv(&w, "realm", m.realm);
        wa_jw_kv(&w, "account", m.account);
    }
    wa_jw_end(&w);
    return wa_buf_check(answer, err);
}

/* --- start --- */

static enum wa_code make_folder(const struct wa_server_config *c, char *path, struct wa_err *err)
{
    uint32_t uid = 0, gid = 0;
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    if (wa_server_path(c, REPLAYS, path, err) != WA_OK ||
        wa_dir_make(path, 0700, &dir, err) != WA_OK)
        return err->code;
    (void)wa_server_ids(c, &uid, &gid);
    return wa_priv_is_root() ? wa_dir_set_owner(&dir, uid, gid, err) : WA_OK;
}

static enum wa_code open_keys(const struct wa_server_config *c, const char *folder,
                              struct wa_kerberos **ret, struct wa_err *err)
{
    char path[WA_PATH_MAX], replays[WA_PATH_MAX + 16];
    struct wa_stat st;
    WA_AUTO_BUF_SECRET struct wa_buf keytab;
    wa_buf_init(&keytab, WA_KEYTAB_BYTES_MAX);
    if (wa_server_path(c, c->kerberos_keytab, path, err) != WA_OK ||
        wa_path_stat(path, &st, err) != WA_OK ||
        wa_path_read(path, WA_KEYTAB_BYTES_MAX, &keytab, err) != WA_OK)
        return wa_wrap(err, "the keytab of this service (kerberos_keytab)");
    if ((st.mode & 077) != 0) /* B4 */
        return wa_fail(err, WA_E_CONFIG,
                       "others than its owner can read the keytab '%s': chmod 600 '%s'", path,
                       path);
    (void)snprintf(replays, sizeof replays, "%s/replays", folder);
    return wa_kerberos_new(wa_buf_sv(&keytab), replays, ret, err);
}

int wa_server_kerberos(const char *config_file)
{
    struct wa_server_child c;
    struct wa_err err = WA_ERR_INIT;
    struct wa_kerberos_role role = {.kerberos = NULL};
    char folder[WA_PATH_MAX] = "";
    const char *const writes[] = {folder, NULL};
    bool is_used = false;
    enum wa_code code = wa_server_child_init(&c, WA_SR_KERBEROS, config_file, &err);
    if (code == WA_OK) {
        is_used = wa_server_lets_in(&c.config, "kerberos");
        role.rules = (struct wa_ticket_rules){c.config.kerberos_realms, c.config.kerberos_group,
                                              c.config.kerberos_names_prove};
    }
    if (code == WA_OK && is_used)
        code = make_folder(&c.config, folder, &err);
    if (code == WA_OK && is_used)
        code = open_keys(&c.config, folder, &role.kerberos, &err);
    if (code == WA_OK)
        code = wa_server_child_confine(
            &c, WA_SR_KERBEROS, WA_PRIV_FDS | (is_used ? WA_PRIV_FS_READ | WA_PRIV_FS_WRITE : 0u),
            NULL, is_used ? writes : NULL, &err);
    if (code == WA_OK)
        code =
            wa_server_child_serve(WA_SR_KERBEROS, WA_S_TICKET_IS, wa_kerberos_answer, &role, &err);
    wa_kerberos_free(role.kerberos);
    return wa_server_child_end(&c, code, &err);
}

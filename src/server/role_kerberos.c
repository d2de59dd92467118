/* role_kerberos.c - says which machine, or which person, a Kerberos ticket proves. It holds the
 * service's keys and sees nobody's database: what a client sent is taken apart here, by libraries
 * that are not ours, in a process that can write its replay cache and nothing else, and has no
 * network.
 *
 * A machine's ticket is bound to its statement, a person's to the certificate by which this server
 * shows itself: neither is worth anything as the other, or at another server. Where neither
 * registration = kerberos nor kerberos_login is configured it reads no keytab.
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
        {"binding", WA_WANT_SV, false, 64, ret_binding}};
    if (wa_json_parse(text, 0, arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "a ticket", err) != WA_OK ||
        wa_base64_decode(ticket, token, err) != WA_OK)
        return err->code;
    return wa_buf_check(token, err);
}

/* Accepted, it is judged by the rules for what it was bound to. */
static enum wa_code accept(const struct wa_kerberos_role *r, struct wa_sv token,
                           struct wa_sv binding, bool is_person, struct wa_ticket_account *m,
                           struct wa_err *err)
{
    struct wa_ticket t = {.principal = ""};
    size_t at = 0;
    wa_buf_init(&t.pac, 1u << 20);
    if (wa_kerberos_accept(r->kerberos, token, binding, &t, err) == WA_OK) {
        struct wa_sv principal = wa_sv(t.principal), pac = wa_buf_sv(&t.pac);
        bool known =
            wa_sv_chr(principal, '@', &at) &&
            wa_kerberos_knows_realm(r->kerberos, wa_sv_sub(principal, at + 1, principal.n));
        if (is_person)
            (void)!wa_ticket_judge_person(principal, pac, known, m, err);
        else
            (void)!wa_ticket_judge(&r->rules, principal, pac, known, m, err);
    }
    wa_buf_fini(&t.pac);
    return err->code;
}

static enum wa_code judge(const struct wa_kerberos_role *r, struct wa_sv request,
                          struct wa_ticket_account *m, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf token;
    struct wa_sv binding = {NULL, 0};
    wa_arena_init(&arena, 8 * WA_TICKET_TEXT_MAX);
    wa_buf_init(&token, WA_TICKET_TEXT_MAX);
    if (r->kerberos == NULL)
        return wa_fail(err, WA_E_DENIED, "this server takes no Kerberos tickets");
    if (read_question(request, &arena, &token, &binding, err) != WA_OK)
        return err->code;
    bool is_person = binding.p == NULL;
    if (is_person ? r->people[0] == '\0' : !r->takes_machines)
        return wa_fail(err, WA_E_DENIED,
                       is_person ? "nobody logs in by Kerberos here: set kerberos_login in the "
                                   "server's configuration"
                                 : "no machine registers by Kerberos here");
    return accept(r, wa_buf_sv(&token), is_person ? wa_sv(r->people) : binding, is_person, m, err);
}

enum wa_code wa_kerberos_answer(void *user, struct wa_sv request, struct wa_buf *answer,
                                struct wa_err *err)
{
    struct wa_ticket_account m = {.name = ""};
    struct wa_err failed = WA_ERR_INIT;
    struct wa_jw w;
    if (judge(user, request, &m, &failed) == WA_E_NOMEM)
        return wa_nomem(err);
    wa_jw_init(&w, answer);
    wa_jw_obj(&w);
    if (failed.code != WA_OK) {
        wa_jw_err(&w, &failed);
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

/* People's tickets are for who shows this certificate: whoever stands in between shows another. */
static enum wa_code bind_people(const struct wa_server_config *c, struct wa_kerberos_role *role,
                                struct wa_err *err)
{
    char path[WA_PATH_MAX];
    WA_AUTO_CERTS struct wa_certs chain = {NULL, 0, 0};
    WA_AUTO_BUF struct wa_buf pem;
    wa_buf_init(&pem, WA_CERTFILE_BYTES_MAX);
    if (!c->kerberos_login)
        return WA_OK;
    if (wa_server_path(c, "private/tls.crt", path, err) != WA_OK ||
        wa_path_read(path, WA_CERTFILE_BYTES_MAX, &pem, err) != WA_OK ||
        wa_certs_read_pem(wa_buf_sv(&pem), WA_CHAIN_MAX, &chain, err) != WA_OK)
        return err->code;
    wa_login_binding(wa_cert_fingerprint(chain.items[0]), role->people);
    return WA_OK;
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
        role.takes_machines = wa_server_lets_in(&c.config, "kerberos");
        is_used = role.takes_machines || c.config.kerberos_login;
        role.rules = (struct wa_ticket_rules){c.config.kerberos_realms, c.config.kerberos_group,
                                              c.config.kerberos_names_prove};
    }
    if (code == WA_OK && is_used)
        code = make_folder(&c.config, folder, &err);
    if (code == WA_OK && is_used)
        code = open_keys(&c.config, folder, &role.kerberos, &err);
    if (code == WA_OK)
        code = bind_people(&c.config, &role, &err);
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

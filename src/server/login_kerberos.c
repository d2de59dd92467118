/* login_kerberos.c - logging in by a Kerberos ticket. The kerberos process says which account it
 * proves, the directory process whether that account - by its SID, whatever it is called - may
 * still be used and which of its groups uses this server: what a ticket said hours ago counts for
 * nothing but who it is.
 *
 * A ticket is worth as much as the directory's password, with which anybody gets one: the second
 * factor is asked for as after a password.
 */
#include "base/mem.h"
#include "os/clock.h"
#include "server/api.h"
#include "server/login.h"
#include "server/login_directory.h"
#include "server/people.h"
#include "server/store_ticket.h"

struct login {
    struct wa_store_request *request;
    char user[WA_NAME_MAX + 1], code[WA_LOGIN_CODE_MAX + 1];
    struct wa_ticket_account account;
};

/* payload: what the process said that was asked last. */
static void refuse(struct login *l, struct wa_sv payload, const struct wa_err *err)
{
    /* A directory that is away is not the address's doing; that a process ended may be. */
    if (err->code != WA_E_AUTH && err->code != WA_E_DENIED && !wa_store_ended_over(payload))
        wa_throttle_back(&l->request->store->throttle, l->request->peer, NULL);
    wa_login_refuse(l->request, l->user, err);
    wa_free(l);
}

static enum wa_code take_in(const struct login *l, struct wa_sv payload, struct wa_err *err)
{
    struct wa_store *s = l->request->store;
    WA_AUTO_ROLE_MAP struct wa_role_map map;
    struct wa_directory_says says = {.entry = 0};
    const struct wa_voucher v = {.user = l->user, .origin = "directory", .subject = ""};
    wa_role_map_init(&map);
    if (wa_role_map_read(&map, "ldap_login_roles", s->child.config.ldap_roles, err) != WA_OK ||
        wa_directory_read(&map, payload, &says, err) != WA_OK)
        return err->code;
    return says.is_right ? wa_login_take_in(s, &v, &map, says.entry, err)
                         : wa_fail(err, WA_E_DENIED,
                                   "the directory does not let '%s' in: the account is not there "
                                   "any more, disabled, or has expired",
                                   l->user);
}

static void on_directory(struct wa_store *s, void *user, struct wa_sv payload)
{
    struct login *l = user;
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(s);
    if (take_in(l, payload, &err) != WA_OK) {
        refuse(l, payload, &err);
        return;
    }
    wa_login_proved(l->request, l->user, "kerberos", l->code);
    wa_free(l);
}

static enum wa_code ask_directory(struct login *l, struct wa_err *err)
{
    struct wa_store *s = l->request->store;
    WA_AUTO_ROLE_MAP struct wa_role_map map;
    char name[WA_PAM_USER_MAX + 1], asked[sizeof l->account.name + sizeof l->account.realm + 1];
    wa_role_map_init(&map);
    wa_directory_name(wa_sv(l->account.name), name);
    if (strlen(name) != strlen(l->account.name) || !wa_person_name_is_valid(wa_sv(name)))
        return wa_fail(err, WA_E_DENIED, "'%s' is no name that a user of this server can have",
                       l->account.name);
    (void)snprintf(l->user, sizeof l->user, "%s", name);
    (void)snprintf(asked, sizeof asked, "%s@%s", l->account.name, l->account.realm);
    if (wa_role_map_read(&map, "ldap_login_roles", s->child.config.ldap_roles, err) != WA_OK)
        return err->code;
    const struct wa_directory_who who = {wa_sv(asked), l->account.account};
    return wa_store_ask_directory(s, &who, (struct wa_sv){NULL, 0}, map.groups, on_directory, l,
                                  err);
}

static void on_ticket(struct wa_store *s, void *user, struct wa_sv payload)
{
    struct login *l = user;
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(s);
    if (wa_store_ticket_read(payload, &l->account, &err) != WA_OK ||
        ask_directory(l, &err) != WA_OK)
        refuse(l, payload, &err);
}

enum wa_code wa_login_kerberos_call(struct wa_api_call *c, struct wa_err *err)
{
    struct wa_store_request *r = c->request;
    struct wa_store *s = c->store;
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_sv ticket = {NULL, 0}, code = WA_SV("");
    const struct wa_json_field fields[] = {
        {"ticket", WA_WANT_SV, true, WA_TICKET_TEXT_MAX, &ticket},
        {"code", WA_WANT_SV, false, WA_LOGIN_CODE_MAX, &code}};
    wa_arena_init(&arena, 8 * WA_TICKET_TEXT_MAX);
    if (!s->child.config.kerberos_login)
        return wa_fail(err, WA_E_DENIED,
                       "nobody logs in by Kerberos here: set kerberos_login in the server's "
                       "configuration");
    if (wa_json_parse(wa_buf_sv(&r->body), 0, &arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "a login", err) != WA_OK ||
        wa_throttle_begin(&s->throttle, r->peer, NULL, wa_clock_now(), err) != WA_OK)
        return err->code;
    struct login *l = wa_calloc(1, sizeof *l);
    if (l == NULL) {
        wa_throttle_back(&s->throttle, r->peer, NULL);
        return wa_nomem(err);
    }
    l->request = r;
    (void)snprintf(l->code, sizeof l->code, "%.*s", WA_SV_ARG(code));
    if (wa_store_ask_ticket(s, ticket, NULL, on_ticket, l, err) != WA_OK) {
        wa_throttle_back(&s->throttle, r->peer, NULL);
        wa_free(l);
        return err->code;
    }
    c->is_later = true;
    return WA_OK;
}

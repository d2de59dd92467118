/* people.c - who may use the server, in which role: the rules of each change.
 *
 * The last superadmin who can log in stays one. What takes a right away ends the sessions too, and
 * each change stands in the journal, in the same transaction.
 */
#include "server/people.h"

#include "base/mem.h"
#include "base/vec.h"
#include "codec/hex.h"
#include "crypto/pwhash.h"
#include "server/journal.h"
#include "server/node.h"
#include "server/perimeter.h"
#include "server/rights.h"
#include "server/role_common.h"
#include "server/store_db.h"

#define PASSWORD_MIN 10u /* characters, as setup asks */

bool wa_person_name_is_valid(struct wa_sv name)
{
    static const char more[] = "._@+-";
    if (name.n == 0 || name.n > WA_NAME_MAX || strchr(more, name.p[0]) != NULL)
        return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_plain && (c == '\0' || strchr(more, c) == NULL))
            return false;
    }
    return true;
}

static enum wa_code check_role(const char *role, struct wa_err *err)
{
    if (role != NULL && wa_role_rights(wa_sv(role)) != 0)
        return WA_OK;
    return wa_fail(err, WA_E_USAGE,
                   "'%s' is no role: these are superadmin, developer, deployer, helpdesk, readonly",
                   role != NULL ? role : "");
}

bool wa_people_takes_password(enum wa_person_what what)
{
    return what == WA_PERSON_ADD || what == WA_PERSON_PASSWORD;
}

enum wa_code wa_people_check(const struct wa_person_change *c, struct wa_err *err)
{
    if (!wa_person_name_is_valid(wa_sv(c->name)))
        return wa_fail(err, WA_E_USAGE,
                       "'%s' can't be a user's name: letters, digits and . _ @ + - within",
                       c->name);
    if ((c->what == WA_PERSON_TRUST || c->what == WA_PERSON_DISTRUST) &&
        !wa_hex_is(wa_sv(c->certificate), 64))
        return wa_fail(err, WA_E_USAGE, "a certificate is named by its SHA-256, 64 digits");
    if (wa_people_takes_password(c->what) && c->password.n < PASSWORD_MIN)
        return wa_fail(err, WA_E_USAGE, "the password must have at least %u characters",
                       PASSWORD_MIN);
    return c->what == WA_PERSON_ADD || c->what == WA_PERSON_ROLE ? check_role(c->role, err) : WA_OK;
}

struct superadmins {
    const char *without;
    size_t n;
};

static void count_superadmin(void *user, const struct wa_person *p)
{
    struct superadmins *s = user;
    s->n += strcmp(p->role, "superadmin") == 0 && strcmp(p->origin, "local") == 0 &&
            p->has_password && !p->is_disabled && !p->is_limited &&
            strcmp(p->name, s->without) != 0;
}

/* Somebody else than name can still do everything. In the transaction of the change. */
static enum wa_code check_not_last(struct wa_db *db, const char *name, struct wa_err *err)
{
    struct superadmins s = {.without = name};
    if (wa_store_people(db, count_superadmin, &s, err) != WA_OK)
        return err->code;
    return s.n > 0 ? WA_OK
                   : wa_fail(err, WA_E_CONFLICT,
                             "'%s' is the last superadmin who can log in: make another one first",
                             name);
}

/* In its one form. */
static enum wa_code set_perimeter(struct wa_db *db, const struct wa_person_change *c,
                                  struct wa_err *err)
{
    WA_AUTO_PERIMETER struct wa_perimeter p;
    WA_AUTO_BUF struct wa_buf json;
    wa_perimeter_init(&p);
    wa_buf_init(&json, WA_PERIMETER_BYTES_MAX);
    if (c->perimeter.n > 0) {
        if (wa_perimeter_read(&p, c->perimeter, err) != WA_OK)
            return err->code;
        wa_perimeter_write(&p, &json);
    }
    return wa_buf_check(&json, err) == WA_OK
               ? wa_store_set_perimeter(db, c->name, wa_buf_str(&json), err)
               : err->code;
}

static enum wa_code add(struct wa_db *db, const struct wa_person_change *c, const char *hash,
                        struct wa_err *err)
{
    struct wa_person p;
    bool found = false;
    if (wa_store_person(db, wa_sv(c->name), &p, &found, err) != WA_OK)
        return err->code;
    if (found)
        return wa_fail(err, WA_E_EXISTS, "there is a user '%s' already", c->name);
    return wa_store_set_user(db, c->name, hash, c->role, err) == WA_OK ? set_perimeter(db, c, err)
                                                                       : err->code;
}

/* Whose password, role and perimeter are kept here; those of others come anew with each login. */
static enum wa_code check_origin(struct wa_db *db, const struct wa_person_change *c,
                                 struct wa_err *err)
{
    bool is_kept = c->what == WA_PERSON_PASSWORD || c->what == WA_PERSON_ROLE ||
                   c->what == WA_PERSON_PERIMETER;
    struct wa_person p;
    bool found = false;
    if (!is_kept || wa_store_person(db, wa_sv(c->name), &p, &found, err) != WA_OK || !found)
        return err->code;
    return strcmp(p.origin, "local") == 0
               ? WA_OK
               : wa_fail(err, WA_E_CONFLICT, "'%s' is known by another (%s): it says that", c->name,
                         p.origin);
}

static enum wa_code log_out(struct wa_db *db, const struct wa_person_change *c, struct wa_err *err)
{
    return wa_store_end_sessions(db, c->name, c->keep_session != NULL ? c->keep_session : "", err);
}

static enum wa_code check_there(struct wa_db *db, const char *name, struct wa_err *err)
{
    struct wa_person p;
    bool found = false;
    if (wa_store_person(db, wa_sv(name), &p, &found, err) != WA_OK || found)
        return err->code;
    return wa_fail(err, WA_E_NOT_FOUND, "there is no user '%s'", name);
}

static void count_certificate(void *user, struct wa_sv sha256)
{
    size_t *n = user;
    WA_UNUSED(sha256);
    ++*n;
}

static enum wa_code add_certificate(struct wa_db *db, const struct wa_person_change *c,
                                    struct wa_err *err)
{
    size_t count = 0;
    if (wa_store_certificates(db, c->name, count_certificate, &count, err) != WA_OK)
        return err->code;
    if (count >= WA_LOGIN_CERTIFICATES_MAX)
        return wa_fail(err, WA_E_LIMIT, "'%s' has %zu certificates: remove one", c->name, count);
    return wa_store_add_certificate(db, c->name, c->certificate, err);
}

static enum wa_code change_access(struct wa_db *db, const struct wa_person_change *c,
                                  struct wa_err *err)
{
    if (check_there(db, c->name, err) != WA_OK)
        return err->code;
    if (c->what == WA_PERSON_NEED_FACTOR || c->what == WA_PERSON_NEED_NONE)
        return wa_store_need_factor(db, c->name, c->what == WA_PERSON_NEED_FACTOR, err);
    if (c->what == WA_PERSON_TRUST)
        return add_certificate(db, c, err);
    if (c->what == WA_PERSON_DISTRUST &&
        wa_store_drop_certificate(db, c->name, c->certificate, err) != WA_OK)
        return err->code;
    if (c->what == WA_PERSON_DROP_FACTOR && wa_store_drop_factor(db, c->name, err) != WA_OK)
        return err->code;
    return log_out(db, c, err);
}

static enum wa_code change(struct wa_db *db, const struct wa_person_change *c, const char *hash,
                           struct wa_err *err)
{
    bool is_loss = (c->what == WA_PERSON_PERIMETER && c->perimeter.n > 0) ||
                   c->what == WA_PERSON_DISABLE || c->what == WA_PERSON_REMOVE ||
                   (c->what == WA_PERSON_ROLE && strcmp(c->role, "superadmin") != 0);
    if ((is_loss && check_not_last(db, c->name, err) != WA_OK) || check_origin(db, c, err) != WA_OK)
        return err->code;
    switch (c->what) {
    case WA_PERSON_ADD:
        return add(db, c, hash, err);
    case WA_PERSON_ROLE:
        return wa_store_set_role(db, c->name, c->role, err);
    case WA_PERSON_PERIMETER:
        return set_perimeter(db, c, err);
    case WA_PERSON_PASSWORD:
        return wa_store_set_password(db, c->name, hash, err) == WA_OK ? log_out(db, c, err)
                                                                      : err->code;
    case WA_PERSON_DISABLE:
    case WA_PERSON_ENABLE:
        return wa_store_disable(db, c->name, c->what == WA_PERSON_DISABLE, err) == WA_OK
                   ? log_out(db, c, err)
                   : err->code;
    case WA_PERSON_LOGOUT:
    case WA_PERSON_NEED_FACTOR:
    case WA_PERSON_NEED_NONE:
    case WA_PERSON_DROP_FACTOR:
    case WA_PERSON_TRUST:
    case WA_PERSON_DISTRUST:
        return change_access(db, c, err);
    case WA_PERSON_REMOVE:
        break;
    }
    return wa_store_delete_user(db, c->name, err) == WA_OK ? wa_store_drop_access(db, c->name, err)
                                                           : err->code;
}

static enum wa_code note(struct wa_db *db, const struct wa_person_by *by,
                         const struct wa_person_change *c, struct wa_err *err)
{
    static const char *const acts[] = {[WA_PERSON_ADD] = "user.added",
                                       [WA_PERSON_ROLE] = "user.role",
                                       [WA_PERSON_PERIMETER] = "user.perimeter",
                                       [WA_PERSON_PASSWORD] = "user.password",
                                       [WA_PERSON_DISABLE] = "user.disabled",
                                       [WA_PERSON_ENABLE] = "user.enabled",
                                       [WA_PERSON_LOGOUT] = "user.logged_out",
                                       [WA_PERSON_NEED_FACTOR] = "user.factor_needed",
                                       [WA_PERSON_NEED_NONE] = "user.factor_not_needed",
                                       [WA_PERSON_DROP_FACTOR] = "user.factor_dropped",
                                       [WA_PERSON_TRUST] = "user.certificate_added",
                                       [WA_PERSON_DISTRUST] = "user.certificate_dropped",
                                       [WA_PERSON_REMOVE] = "user.removed"};
    struct wa_journal_act act = {.act = acts[c->what],
                                 .user = wa_sv(by->user),
                                 .peer = by->peer,
                                 .what = {{"name", wa_sv(c->name)}}};
    size_t n = 1;
    if (c->what == WA_PERSON_ADD || c->what == WA_PERSON_ROLE)
        act.what[n++] = (struct wa_journal_item){"role", wa_sv(c->role)};
    if (c->what == WA_PERSON_ADD || c->what == WA_PERSON_PERIMETER)
        act.what[n++] = (struct wa_journal_item){"perimeter", c->perimeter};
    if (c->what == WA_PERSON_TRUST || c->what == WA_PERSON_DISTRUST)
        act.what[n++] = (struct wa_journal_item){"certificate", wa_sv(c->certificate)};
    return wa_server_journal_add(db, by->node, &act, err);
}

enum wa_code wa_people_change(struct wa_db *db, const struct wa_person_by *by,
                              const struct wa_person_change *c, const char *hash,
                              struct wa_err *err)
{
    if (wa_db_begin(db, err) != WA_OK)
        return err->code;
    if (change(db, c, hash, err) == WA_OK && note(db, by, c, err) == WA_OK &&
        wa_node_tell_as(db, by->is_node ? by->node : "", WA_NODE_PEOPLE, wa_sv(c->name), err) ==
            WA_OK &&
        wa_db_commit(db, err) == WA_OK)
        return WA_OK;
    wa_db_rollback(db);
    return err->code;
}

/* --- on the server itself --- */

enum wa_code wa_server_change_person(const struct wa_server_config *config,
                                     const struct wa_person_change *c, struct wa_err *err)
{
    WA_AUTO(wa_db) struct wa_db *db = NULL;
    char hash[WA_PWHASH_MAX] = "";
    const struct wa_person_by by = {config->node, "root", "", false};
    if (wa_people_check(c, err) != WA_OK ||
        (wa_people_takes_password(c->what) && wa_pwhash_make(c->password, hash, err) != WA_OK) ||
        wa_server_open_db(config, "waptserver/user", &db, err) != WA_OK)
        return err->code;
    return wa_people_change(db, &by, c, hash, err);
}

struct people {
    WA_VEC(struct wa_person);
    bool is_lost;
};

static void keep(void *user, const struct wa_person *p)
{
    struct people *all = user;
    struct wa_person *one = WA_VEC_PUSH(all);
    all->is_lost = all->is_lost || one == NULL;
    if (one != NULL)
        *one = *p;
}

static enum wa_code tell_people(struct wa_db *db, struct people *all, wa_person_listed_fn fn,
                                void *user, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf perimeter;
    wa_buf_init(&perimeter, WA_PERIMETER_BYTES_MAX);
    if (wa_store_people(db, keep, all, err) != WA_OK)
        return err->code;
    if (all->is_lost)
        return wa_nomem(err);
    for (size_t i = 0; i < all->n; i++) {
        wa_buf_clear(&perimeter);
        if (wa_store_perimeter(db, all->items[i].name, &perimeter, err) != WA_OK ||
            fn(user, &all->items[i], wa_buf_sv(&perimeter), err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

enum wa_code wa_server_list_people(const struct wa_server_config *c, wa_person_listed_fn fn,
                                   void *user, struct wa_err *err)
{
    WA_AUTO(wa_db) struct wa_db *db = NULL;
    struct people all = {.is_lost = false};
    if (wa_server_open_db(c, "waptserver/user", &db, err) == WA_OK)
        (void)tell_people(db, &all, fn, user, err);
    WA_VEC_FREE(&all);
    return err->code == WA_OK ? WA_OK : wa_wrap(err, "listing the users");
}

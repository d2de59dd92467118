/* login_check.c - looks again at people for whom the directory vouched: who is disabled there, gone
 * or in other groups is so here soon, in the sessions that are open and for API tokens.
 *
 * No password is kept: an account of the server's own asks. A directory that does not answer takes
 * nothing from anybody; sessions end by themselves. One person after the other, so that those who
 * log in wait for one question at most; of several servers the leading one asks.
 */
#include "os/clock.h"
#include "server/login_directory.h"
#include "server/store_priv.h"

static void failed(struct wa_store *s, const struct wa_err *err)
{
    wa_log(&s->child.log, WA_LOG_WARNING, "person.not_checked", WA_LF_S("user", s->checked),
           WA_LF_S("why", err->text));
}

/* In a transaction: out, with all that is open. */
static enum wa_code disown(struct wa_store *s, const char *why, struct wa_err *err)
{
    const struct wa_journal_act act = {.act = "user.logged_out",
                                       .user = wa_sv("directory"),
                                       .peer = "",
                                       .what = {{"name", wa_sv(s->checked)}, {"why", wa_sv(why)}}};
    if (wa_store_disown(s->db, s->checked, err) != WA_OK || wa_store_note(s, &act, err) != WA_OK)
        return err->code;
    wa_log(&s->child.log, WA_LOG_WARNING, "person.disowned", WA_LF_S("user", s->checked),
           WA_LF_S("why", why));
    return WA_OK;
}

static enum wa_code change(struct wa_store *s, const struct wa_role_map *map,
                           const struct wa_directory_says *says, struct wa_err *err)
{
    struct wa_person p;
    bool found = false;
    if (wa_store_person(s->db, wa_sv(s->checked), &p, &found, err) != WA_OK)
        return err->code;
    if (!found || strcmp(p.origin, "directory") != 0) /* removed while the directory was asked */
        return WA_OK;
    if (!says->is_right)
        return disown(s, "the account is gone, disabled or has expired", err);
    if (says->entry == map->n)
        return disown(s, "none of its groups uses this server", err);
    return wa_store_set_foreign(s->db, s->checked, "directory", "", map->roles[says->entry],
                                map->perimeters[says->entry], err);
}

static enum wa_code take(struct wa_store *s, struct wa_sv payload, struct wa_err *err)
{
    WA_AUTO_ROLE_MAP struct wa_role_map map;
    struct wa_directory_says says = {.entry = 0};
    wa_role_map_init(&map);
    if (wa_role_map_read(&map, "ldap_login_roles", s->child.config.ldap_roles, err) != WA_OK ||
        wa_directory_read(&map, payload, &says, err) != WA_OK || wa_db_begin(s->db, err) != WA_OK)
        return err->code;
    if (change(s, &map, &says, err) == WA_OK && wa_db_commit(s->db, err) == WA_OK)
        return WA_OK;
    wa_db_rollback(s->db);
    return err->code;
}

static void next(struct wa_store *s);

static void on_answer(struct wa_store *s, void *user, struct wa_sv payload)
{
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(user);
    s->is_checking = false;
    if (take(s, payload, &err) != WA_OK)
        failed(s, &err);
    next(s);
}

static enum wa_code ask(struct wa_store *s, struct wa_err *err)
{
    WA_AUTO_ROLE_MAP struct wa_role_map map;
    wa_role_map_init(&map);
    if (wa_role_map_read(&map, "ldap_login_roles", s->child.config.ldap_roles, err) != WA_OK)
        return err->code;
    const struct wa_directory_who who = {wa_sv(s->checked), NULL};
    return wa_store_ask_directory(s, &who, (struct wa_sv){NULL, 0}, map.groups, on_answer, NULL,
                                  err);
}

/* The next of this round; after the last it is over. */
static void next(struct wa_store *s)
{
    struct wa_err err = WA_ERR_INIT;
    char name[WA_NAME_MAX + 1];
    if (wa_store_next_foreign(s->db, "directory", s->checked, name, &err) != WA_OK) {
        failed(s, &err);
        name[0] = '\0';
    }
    (void)snprintf(s->checked, sizeof s->checked, "%s", name);
    if (name[0] == '\0')
        return;
    s->is_checking = ask(s, &err) == WA_OK;
    if (!s->is_checking)
        failed(s, &err); /* the rest of the round comes with the next turn */
}

void wa_store_check_people(struct wa_store *s)
{
    int64_t now = wa_clock_now();
    if (s->child.config.ldap_account[0] == '\0' || s->is_checking || !wa_node_leads(s))
        return;
    if (s->checked[0] == '\0') {
        if (now >= s->checked_at && now - s->checked_at < s->child.config.directory_check)
            return;
        s->checked_at = now;
    }
    next(s);
}

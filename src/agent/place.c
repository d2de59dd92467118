/* place.c - where this machine stands in its organisation: its organisational unit, its site, the
 * groups of its account (formats.md 2.7). Packages of that unit and of those groups are the
 * machine's.
 *
 * The configuration's word comes first. Else it is the directory's, as the system's name service
 * told it last: what a directory that is away can't say is still what it said before, so that
 * nothing is removed because a domain controller is down.
 */
#include "agent/place.h"
#include "agent/backoff.h"
#include "agent/inventory_answer.h"
#include "os/clock.h"

#define ASK_EVERY_S 3600
#define ACCOUNT_MAX 15 /* characters of a computer's account in a directory */

/* What was learnt last, as the parameters "place_dn" and "place_groups". */
static enum wa_code known(struct wa_db *db, const char *name, struct wa_arena *arena,
                          const char **ret, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, WA_PLACE_BYTES_MAX);
    if (wa_param_get(db, name, &text, err) != WA_OK)
        return err->code;
    const char *copy = wa_arena_strdup(arena, wa_buf_sv(&text));
    if (copy == NULL)
        return wa_nomem(err);
    *ret = copy;
    return WA_OK;
}

/* The machine's own name below the unit that the configuration names. */
static enum wa_code forced_dn(const struct wa_manager *m, struct wa_arena *arena, const char **ret,
                              struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, WA_PLACE_BYTES_MAX);
    wa_buf_adds(&text, "CN=");
    for (const char *c = m->facts.name; *c != '\0'; c++)
        wa_buf_addc(&text, *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c);
    wa_buf_addf(&text, ",%s", m->config.host_unit_dn);
    if (wa_buf_check(&text, err) != WA_OK)
        return wa_wrap(err, "host_organizational_unit_dn");
    const char *copy = wa_arena_strdup(arena, wa_buf_sv(&text));
    if (copy == NULL)
        return wa_nomem(err);
    *ret = copy;
    return WA_OK;
}

enum wa_code wa_place_load(const struct wa_manager *m, struct wa_db *db, struct wa_arena *arena,
                           struct wa_place *ret, struct wa_err *err)
{
    struct wa_place p = {.dn = "", .site = m->config.host_site, .groups = ""};
    enum wa_code code = m->config.host_unit_dn[0] != '\0'
                            ? forced_dn(m, arena, &p.dn, err)
                            : known(db, "place_dn", arena, &p.dn, err);
    if (code == WA_OK && m->config.use_ad_groups)
        code = known(db, "place_groups", arena, &p.groups, err);
    if (code != WA_OK)
        return code;
    *ret = p;
    return WA_OK;
}

/* --- the directory's word --- */

/* A distinguished name that the name service does not tell is no other place. */
static enum wa_code keep(struct wa_manager *m, const struct wa_place_answer *a, struct wa_err *err)
{
    if (!a->is_known || wa_param_set(m->tdb, "place_groups", wa_buf_sv(&a->groups), err) != WA_OK ||
        a->dn.n == 0)
        return err->code;
    return wa_param_set(m->tdb, "place_dn", a->dn, err);
}

static enum wa_code ask(struct wa_manager *m, struct wa_err *err)
{
    char account[ACCOUNT_MAX + 2];
    struct wa_place_answer a;
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf answer;
    wa_arena_init(&arena, 16 * WA_PLACE_BYTES_MAX);
    wa_buf_init(&answer, 2 * WA_PLACE_BYTES_MAX);
    (void)snprintf(account, sizeof account, "%.*s$", ACCOUNT_MAX, m->facts.name);
    for (char *c = account; *c != '\0'; c++)
        *c = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
    const struct wa_inventory_ask what = {.account = account};
    if (wa_helper_inventory(m->launcher, &what, m->cancel, &answer, err) != WA_OK)
        return err->code;
    enum wa_code code = wa_place_answer_read(wa_buf_sv(&answer), &arena, &a, err);
    if (code == WA_OK)
        code = keep(m, &a, err);
    wa_buf_fini(&a.groups);
    return code;
}

void wa_place_refresh(struct wa_manager *m)
{
    struct wa_err err = WA_ERR_INIT;
    int64_t now = wa_clock_now();
    bool is_wanted = m->config.host_unit_dn[0] == '\0' || m->config.use_ad_groups;
    if (!is_wanted || wa_is_to_come(m->place_next, now, ASK_EVERY_S))
        return;
    m->place_next = now + ASK_EVERY_S;
    if (ask(m, &err) != WA_OK)
        wa_log_err(&m->log, WA_LOG_WARNING, "place.not_asked", &err);
}

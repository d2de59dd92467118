/* login_foreign.c - people for whom another vouches - a directory, a provider -: they become people
 * here, with the role and perimeter of their groups, anew with each login.
 *
 * Nobody takes a name over that is kept here, is another's, or was somebody else's there.
 */
#include "os/clock.h"
#include "server/login.h"
#include "server/login_directory.h"

#define ONCE_S (2 * WA_OIDC_TOKEN_AGE_S) /* s: longer than any proof lasts */

static enum wa_code use_once(struct wa_store *s, const struct wa_voucher *v, struct wa_err *err)
{
    bool is_taken = false;
    if (v->once == NULL)
        return WA_OK;
    if (wa_store_use_proof(s->db, v->once, wa_clock_now() + ONCE_S, &is_taken, err) != WA_OK)
        return err->code;
    return is_taken ? WA_OK
                    : wa_fail(err, WA_E_AUTH, "this login was used before: begin a new one");
}

enum wa_code wa_login_take_in(struct wa_store *s, const struct wa_voucher *v,
                              const struct wa_role_map *map, size_t entry, struct wa_err *err)
{
    if (entry >= map->n)
        return wa_fail(err, WA_E_DENIED, "none of your groups uses this server");
    if (wa_db_begin(s->db, err) != WA_OK)
        return err->code;
    if (use_once(s, v, err) == WA_OK &&
        wa_store_set_foreign(s->db, v->user, v->origin, v->subject, map->roles[entry],
                             map->perimeters[entry], err) == WA_OK &&
        wa_db_commit(s->db, err) == WA_OK)
        return WA_OK;
    wa_db_rollback(s->db);
    return err->code;
}

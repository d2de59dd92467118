/* orderers.c - what the root of the repository and the server's own certificates say of who signs
 * an order. Revocation by the published list is the machines' to judge.
 */
#include "server/orderers.h"

#include "base/mem.h"
#include "codec/csv.h"
#include "os/clock.h"
#include "server/store_hosts.h"

#define NAMES_MAX 256u

void wa_orderers_fini(struct wa_orderers *o)
{
    wa_trust_free(o->trusted);
    wa_trust_free(o->named);
    wa_root_free(o->root);
    *o = (struct wa_orderers){.root = NULL};
}

/* *ret NULL: there is none. */
static enum wa_code read_root(struct wa_store *s, struct wa_root **ret, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    struct wa_err why = WA_ERR_INIT;
    wa_buf_init(&text, WA_ROOT_BYTES_MAX);
    enum wa_code code = wa_path_read(s->root, WA_ROOT_BYTES_MAX, &text, &why);
    if (code == WA_E_NOT_FOUND)
        return WA_OK;
    if (code != WA_OK)
        return (*err = why).code;
    return wa_root_read(wa_buf_sv(&text), ret, err) == WA_OK ? wa_root_check(*ret, err) : err->code;
}

static enum wa_code load_root(struct wa_store *s, struct wa_orderers *o, struct wa_err *err)
{
    if (read_root(s, &o->root, err) != WA_OK ||
        (o->root != NULL &&
         (wa_trust_new(&o->named, err) != WA_OK || wa_root_trust(o->root, o->named, err) != WA_OK)))
        return wa_wrap(err, "the repository's root, which says who may order");
    return WA_OK;
}

enum wa_code wa_orderers_root_version(struct wa_store *s, int64_t *ret, struct wa_err *err)
{
    WA_AUTO(wa_root) struct wa_root *root = NULL;
    if (read_root(s, &root, err) != WA_OK)
        return wa_wrap(err, "the repository's root");
    *ret = root != NULL ? root->version : 0;
    return WA_OK;
}

enum wa_code wa_orderers_load(struct wa_store *s, struct wa_orderers *ret, struct wa_err *err)
{
    *ret = (struct wa_orderers){.root = NULL};
    if (wa_trust_new(&ret->trusted, err) != WA_OK ||
        wa_trust_add_dir(ret->trusted, s->trusted, err) != WA_OK)
        return err->code;
    return load_root(s, ret, err);
}

/* The perimeter of the root's entry, by what the machine is known to be in. */
static enum wa_code check_machine(const struct wa_root_signer *s, struct wa_db *db,
                                  enum wa_action_kind kind, const char *uuid, struct wa_err *err)
{
    const char *names[NAMES_MAX + 1];
    size_t n = 0;
    struct wa_sv rest, name;
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf text;
    bool is_known = false;
    wa_arena_init(&arena, 1u << 20);
    wa_buf_init(&text, 1u << 20);
    if (wa_store_names(db, uuid, &text, &is_known, err) != WA_OK || !is_known)
        return err->code;
    for (rest = wa_buf_sv(&text); n < NAMES_MAX && wa_csv_next(&rest, &name); n++) {
        char *copy = wa_arena_alloc(&arena, name.n + 1, 1);
        if (copy == NULL)
            return wa_nomem(err);
        memcpy(copy, name.p, name.n);
        copy[name.n] = '\0';
        names[n] = copy;
    }
    names[n] = NULL;
    return wa_root_allows_action(s, wa_action_kind_name(kind), names, names, err);
}

enum wa_code wa_orderers_find(const struct wa_orderers *o, const struct wa_certs *chain,
                              struct wa_orderer *ret, struct wa_err *err)
{
    struct wa_trust_result who;
    struct wa_orderer found = {NULL};
    int64_t now = wa_clock_now();
    if (wa_trust_check(o->trusted, chain, now, &who, err) != WA_OK)
        return err->code;
    if (o->root != NULL && wa_trust_check(o->named, chain, now, &who, err) != WA_OK)
        return wa_wrap(err, "by the repository's root");
    if (o->root != NULL && wa_root_entry(o->root, &who, &found.entry, err) != WA_OK)
        return err->code;
    *ret = found;
    return WA_OK;
}

enum wa_code wa_orderer_check(const struct wa_orderer *who, struct wa_db *db,
                              enum wa_action_kind kind, const char *uuid, struct wa_err *err)
{
    if (who->entry == NULL)
        return WA_OK;
    if (wa_root_lets_order(who->entry, wa_action_kind_name(kind), err) != WA_OK)
        return err->code;
    return uuid == NULL ? WA_OK : check_machine(who->entry, db, kind, uuid, err);
}

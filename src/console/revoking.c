/* revoking.c - what becomes of packages when certificates are revoked.
 *
 * It is told, not judged: the list that revokes is judged whole before it is signed
 * (console/publishing.h).
 */
#include "console/revoking.h"

#include "base/mem.h"
#include "base/text.h"
#include "codec/hex.h"
#include "console/assign.h"
#include "console/intake.h"
#include "console/root_known.h"

void wa_revoking_init(struct wa_revoking *r)
{
    *r = (struct wa_revoking){.count = 0};
    wa_index_init(&r->index);
}

void wa_revoking_fini(struct wa_revoking *r)
{
    wa_free(r->packages.items);
    wa_free(r->hosts.items);
    wa_targets_fini(&r->targets);
    wa_index_fini(&r->index);
}

enum wa_code wa_revoking_add(struct wa_revoking *r, struct wa_sv fingerprint, struct wa_err *err)
{
    if (r->count == WA_REVOKING_MAX)
        return wa_fail(err, WA_E_LIMIT, "at most %u certificates at once", WA_REVOKING_MAX);
    if (!wa_hex_fingerprint(fingerprint, r->fingerprints[r->count]))
        return wa_fail(err, WA_E_INVALID, "'%.*s' is no SHA-256 of a certificate",
                       WA_SV_ARG(fingerprint));
    r->count++;
    return WA_OK;
}

static bool is_one(const struct wa_revoking *r, const char *fingerprint)
{
    for (size_t i = 0; i < r->count; i++)
        if (strcmp(r->fingerprints[i], fingerprint) == 0)
            return true;
    return false;
}

bool wa_revoking_hits(const struct wa_revoking *r, const struct wa_certs *chain, const char *signer)
{
    bool hits = is_one(r, signer);
    for (size_t i = 0; !hits && i < chain->n; i++)
        hits = is_one(r, wa_cert_fingerprint(chain->items[i]));
    return hits;
}

/* --- packages --- */

enum wa_code wa_revoking_find_packages(struct wa_revoking *r, struct wa_client *c,
                                       struct wa_err *err)
{
    if (wa_intake_index(c, "/wapt", &r->index, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < r->index.n; i++) {
        const struct wa_control *entry = &r->index.items[i];
        WA_AUTO_CERTS struct wa_certs chain = {0};
        struct wa_err unknown = WA_ERR_INIT; /* the index lacks the certificate: its name is left */
        const char *signer = wa_control_get(entry, WA_A_SIGNER_FINGERPRINT);
        if (wa_index_chain(&r->index, signer, &chain, &unknown) == WA_E_NOMEM)
            return wa_nomem(err);
        if (!wa_revoking_hits(r, &chain, signer))
            continue;
        const struct wa_control **slot = WA_VEC_PUSH(&r->packages);
        if (slot == NULL)
            return wa_nomem(err);
        *slot = entry;
    }
    return WA_OK;
}

enum wa_code wa_revoking_check(const struct wa_revoking *r, struct wa_err *err)
{
    if (r->packages.n == 0)
        return WA_OK;
    return wa_fail(err, WA_E_CONFLICT,
                   wa_text_n("%zu package of the repository is signed so (%s): sign it anew or "
                             "remove it first, no machine would take the list",
                             "%zu packages of the repository are signed so (%s, ...): sign them "
                             "anew or remove them first, no machine would take the list",
                             r->packages.n),
                   r->packages.n, wa_control_get(r->packages.items[0], WA_A_PACKAGE));
}

/* --- machines' own --- */

static enum wa_code all_hosts(struct wa_client *c, struct wa_targets *ret, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_HOST_LIST struct wa_host_list list = {0};
    wa_arena_init(&arena, 512u << 20);
    if (wa_host_list_fetch(c, "", &arena, &list, err) != WA_OK)
        return err->code;
    return list.n > 0 ? wa_targets_choose(&list, WA_SV("*"), list.n, ret, err) : WA_OK;
}

static enum wa_code take_host(struct wa_revoking *r, const struct wa_assign_host *h,
                              struct wa_err *err)
{
    const char *signer = wa_control_get(&h->verdict.control, WA_A_SIGNER_FINGERPRINT);
    r->unread += h->why.code != WA_OK;
    if (!wa_revoking_hits(r, &h->verdict.chain, signer) &&
        !is_one(r, h->verdict.trust.anchor_fingerprint))
        return WA_OK;
    const struct wa_target **slot = WA_VEC_PUSH(&r->hosts);
    if (slot == NULL)
        return wa_nomem(err);
    *slot = h->target;
    return WA_OK;
}

enum wa_code wa_revoking_find_hosts(struct wa_revoking *r, struct wa_client *c,
                                    const struct wa_trust *anchors,
                                    void (*progress)(void *user, size_t done, size_t of),
                                    void *user, struct wa_err *err)
{
    static const struct wa_assign_wish nothing = {.add = NULL};
    WA_AUTO_ASSIGN_HOSTS struct wa_assign_hosts hosts = {.items = NULL};
    if (all_hosts(c, &r->targets, err) != WA_OK ||
        wa_assign_hosts_init(&hosts, &r->targets, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < hosts.n; i++) {
        if (progress != NULL)
            progress(user, i, hosts.n);
        if (wa_assign_look(&hosts, i, c, anchors, &nothing, err) != WA_OK ||
            take_host(r, &hosts.items[i], err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

void wa_revoking_write(const struct wa_revoking *r, struct wa_jw *w)
{
    wa_jw_key(w, "packages");
    wa_jw_arr(w);
    for (size_t i = 0; i < r->packages.n; i++) {
        const struct wa_control *c = r->packages.items[i];
        wa_jw_obj(w);
        wa_jw_kv(w, "package", wa_control_get(c, WA_A_PACKAGE));
        wa_jw_kv(w, "version", wa_control_get(c, WA_A_VERSION));
        wa_jw_kv(w, "maturity", wa_control_get(c, WA_A_MATURITY));
        wa_jw_kv(w, "signer", wa_control_get(c, WA_A_SIGNER));
        wa_jw_kv(w, "file", wa_control_get(c, WA_A_FILENAME));
        wa_jw_end(w);
    }
    wa_jw_end(w);
    wa_jw_key(w, "hosts");
    wa_jw_arr(w);
    for (size_t i = 0; i < r->hosts.n; i++) {
        wa_jw_obj(w);
        wa_jw_kv(w, "uuid", r->hosts.items[i]->uuid);
        wa_jw_kv(w, "name", r->hosts.items[i]->name);
        wa_jw_end(w);
    }
    wa_jw_end(w);
    wa_jw_kvi(w, "unread", (int64_t)r->unread);
}

/* --- the list in force --- */

enum wa_code wa_revoking_list(struct wa_client *c, const struct wa_root *root, int64_t now,
                              struct wa_published **ret, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf json;
    WA_AUTO(wa_published) struct wa_published *proposal = NULL;
    WA_AUTO(wa_published) struct wa_published *last = NULL;
    bool is_there = false;
    char name[48];
    wa_buf_init(&json, WA_PUBLISHED_BYTES_MAX);
    if (wa_known_fetch(c, WA_PROPOSAL_NAME, WA_PUBLISHED_BYTES_MAX, &json, &is_there, err) != WA_OK)
        return err->code;
    if (!is_there)
        return WA_OK;
    if (wa_published_read(wa_buf_sv(&json), &proposal, err) != WA_OK)
        return err->code;
    (void)snprintf(name, sizeof name, "%lld.published.json", (long long)proposal->version - 1);
    wa_buf_clear(&json);
    if (wa_known_fetch(c, name, WA_PUBLISHED_BYTES_MAX, &json, &is_there, err) != WA_OK)
        return err->code;
    if (!is_there)
        return WA_OK;
    if (wa_published_read(wa_buf_sv(&json), &last, err) != WA_OK ||
        wa_published_check_signer(last, root, now, NULL, err) != WA_OK)
        return err->code;
    *ret = WA_TAKE(last);
    return WA_OK;
}

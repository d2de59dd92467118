/* policy.c - what this machine goes by, as a section of its inventory: maintenance windows, freezes
 * and holds, each with the package that says so, and whose orders it takes.
 *
 * For those who look at it. Nobody decides anything by it, here or elsewhere.
 */
#include "agent/inventory.h"
#include "agent/repo_trust.h"
#include "agent/report.h"
#include "agent/scheduler.h"

#include "codec/csv.h"
#include "os/clock.h"
#include "pkg/plan.h"
#include "pkg/windows.h"
#include "proto/action.h"

#define POLICIES_MEMORY (4u << 20) /* bytes: what packages say, as a tree */

/* What each package says, as pending.c kept it; NULL: nothing yet. */
static enum wa_code load_packages(struct wa_manager *m, struct wa_buf *text, struct wa_arena *arena,
                                  const struct wa_json **ret, struct wa_err *err)
{
    *ret = NULL;
    if (wa_param_get(m->tdb, WA_PARAM_POLICIES, text, err) != WA_OK || text->n == 0)
        return err->code;
    return wa_json_parse(wa_buf_sv(text), 0, arena, ret, err) == WA_OK
               ? WA_OK
               : wa_wrap(err, "what packages say of windows and holds");
}

/* --- windows, freezes, holds --- */

static void write_text(struct wa_jw *w, const char *by, struct wa_sv text)
{
    if (text.n == 0)
        return;
    wa_jw_obj(w);
    wa_jw_kv(w, "by", by);
    wa_jw_kvsv(w, "text", text);
    wa_jw_end(w);
}

/* own: of the configuration, which has no name here. */
static void write_texts(struct wa_jw *w, const char *key, const char *own,
                        const struct wa_json *packages)
{
    char by[WA_NAME_MAX + 1];
    wa_jw_key(w, key);
    wa_jw_arr(w);
    write_text(w, "", wa_sv(own));
    for (size_t i = 0; i < wa_json_count(packages); i++) {
        const struct wa_json *p = wa_json_at(packages, i);
        (void)snprintf(by, sizeof by, "%.*s", WA_SV_ARG(wa_json_sv(wa_json_get(p, "by"))));
        write_text(w, by, wa_json_sv(wa_json_get(p, key)));
    }
    wa_jw_end(w);
}

/* Holds whose last day is over hold nothing. today: "2026-12-31". */
static void write_holds(struct wa_jw *w, const char *by, struct wa_sv list, const char *today)
{
    struct wa_sv item, what, until;
    while (wa_csv_next(&list, &item)) {
        if (!wa_plan_hold_split(item, &what, &until) ||
            (until.n > 0 && wa_sv_cmp(wa_sv(today), until) > 0))
            continue;
        wa_jw_obj(w);
        wa_jw_kvsv(w, "what", what);
        wa_jw_kvsv(w, "until", until);
        wa_jw_kv(w, "by", by);
        wa_jw_end(w);
    }
}

static void write_all_holds(struct wa_manager *m, struct wa_jw *w, const struct wa_json *packages)
{
    struct wa_host_caps caps;
    char by[WA_NAME_MAX + 1], today[11];
    wa_manager_caps(m, &caps);
    (void)snprintf(today, sizeof today, "%.10s", caps.now);
    wa_jw_key(w, "holds");
    wa_jw_arr(w);
    write_holds(w, "", wa_sv(m->config.held), today);
    for (size_t i = 0; i < wa_json_count(packages); i++) {
        const struct wa_json *p = wa_json_at(packages, i);
        (void)snprintf(by, sizeof by, "%.*s", WA_SV_ARG(wa_json_sv(wa_json_get(p, "by"))));
        write_holds(w, by, wa_json_sv(wa_json_get(p, "holds")), today);
    }
    wa_jw_end(w);
}

/* --- whose orders --- */

/* Who may order something here: the root's perimeter is asked. */
static enum wa_code write_by_root(struct wa_manager *m, const struct wa_repo_trust *t,
                                  struct wa_jw *w, struct wa_err *err)
{
    struct wa_membership *in = NULL;
    if (wa_repo_trust_names(m, m->tdb, t, &in, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < t->root->signer_count; i++) {
        const struct wa_root_signer *s = &t->root->signers[i];
        bool may = false;
        for (int kind = 0; !may && kind < WA_ACT_COUNT; kind++) {
            struct wa_err why = WA_ERR_INIT;
            may = wa_root_allows_action(s, wa_action_kind_name((enum wa_action_kind)kind), in->list,
                                        in->list, &why) == WA_OK;
        }
        if (may)
            wa_jw_s(w, wa_cert_fingerprint(s->cert));
    }
    wa_free(in);
    return WA_OK;
}

static enum wa_code write_trust(struct wa_manager *m, struct wa_jw *w, struct wa_err *err)
{
    WA_AUTO_REPO_TRUST struct wa_repo_trust t = {.root = NULL};
    struct wa_sv rest = wa_sv(m->config.action_signers), one;
    struct wa_err why = WA_ERR_INIT;
    if (wa_repo_trust_load(m, m->tdb, &t, &why) == WA_E_NOMEM)
        return wa_nomem(err);
    bool is_unusable = why.code != WA_OK; /* then nobody's orders count */
    wa_jw_kv(w, "trust", t.root != NULL || is_unusable ? "root" : "classic");
    wa_jw_kvi(w, "root_version", t.root != NULL ? t.root->version : 0);
    wa_jw_key(w, "orderers");
    wa_jw_arr(w);
    enum wa_code code = t.root != NULL ? write_by_root(m, &t, w, err) : WA_OK;
    while (t.root == NULL && !is_unusable && wa_csv_next(&rest, &one))
        wa_jw_sv(w, one);
    wa_jw_end(w);
    return code;
}

/* --- all of it --- */

enum wa_code wa_policy_write(struct wa_manager *m, struct wa_buf *out, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf text;
    const struct wa_json *packages = NULL;
    const char *own = m->config.windows;
    struct wa_jw w;
    wa_arena_init(&arena, POLICIES_MEMORY);
    wa_buf_init(&text, WA_POLICIES_BYTES_MAX);
    if (load_packages(m, &text, &arena, &packages, err) != WA_OK)
        return err->code;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    if (wa_schedule_policy(m, &w, err) != WA_OK)
        return err->code;
    write_texts(&w, "windows", own, own[0] != '\0' ? NULL : packages);
    write_texts(&w, "freezes", m->config.freezes, packages);
    write_all_holds(m, &w, packages);
    if (write_trust(m, &w, err) != WA_OK)
        return err->code;
    wa_jw_end(&w);
    return wa_buf_check(out, err);
}

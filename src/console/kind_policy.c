/* kind_policy.c - groups, units, profiles and rules of self-service, made and changed from a page.
 *
 * What the server has is verified before it is shown; what is shown is read from the control and
 * the rules that will be signed.
 */
#include "base/mem.h"
#include "console/local_publish.h"
#include "console/policy.h"
#include "pkg/selfservice.h"

#define NAMES_MAX 256u

struct policy {
    struct wa_policy_wish wish;
    const char *names[NAMES_MAX];
    size_t count;
    struct wa_trust *anchors;
    struct wa_policies ps;
    bool is_shown; /* no more than that: nothing need change */
};

static enum wa_code keep(struct wa_arena *arena, struct wa_sv text, const char **ret,
                         struct wa_err *err)
{
    *ret = text.n > 0 ? wa_arena_strdup(arena, text) : NULL;
    return text.n == 0 || *ret != NULL ? WA_OK : wa_nomem(err);
}

/* An object of the request as text again, for the reader of rules. */
static enum wa_code keep_json(struct wa_arena *arena, const struct wa_json *j, struct wa_sv *ret,
                              struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    const char *kept = NULL;
    wa_buf_init(&text, WA_SELF_BYTES_MAX);
    if (wa_json_count(j) == 0)
        return WA_OK;
    wa_json_write(j, &text);
    if (wa_buf_check(&text, err) != WA_OK || keep(arena, wa_buf_sv(&text), &kept, err) != WA_OK)
        return err->code;
    *ret = wa_sv(kept);
    return WA_OK;
}

static enum wa_code read_names(struct wa_arena *arena, const struct wa_json *names,
                               struct policy *k, struct wa_err *err)
{
    for (size_t i = 0; i < wa_json_count(names); i++) {
        struct wa_sv name = wa_sv_trim(wa_json_sv(wa_json_at(names, i)));
        if (name.n == 0 || name.n > WA_NAME_MAX)
            return wa_fail(err, WA_E_INVALID, "which name has it?");
        if (keep(arena, name, &k->names[k->count++], err) != WA_OK)
            return err->code;
    }
    return k->count > 0 ? WA_OK : wa_fail(err, WA_E_INVALID, "which name has it?");
}

static enum wa_code read_request(const struct wa_json *request, struct wa_arena *arena,
                                 struct policy *k, struct wa_err *err)
{
    struct wa_sv what, key, section = WA_SV(""), description = WA_SV("");
    const struct wa_json *names = NULL, *rules[2] = {NULL};
    struct wa_local_lists lists = {.windows = {NULL, 0}};
    const struct wa_json_field fields[] = {{"what", WA_WANT_SV, true, 64, &what},
                                           {"key", WA_WANT_SV, false, 16, &key},
                                           {"names", WA_WANT_ARRAY, true, NAMES_MAX, &names},
                                           {"section", WA_WANT_SV, false, 32, &section},
                                           {"only_shown", WA_WANT_BOOL, false, 0, &k->is_shown},
                                           {"description", WA_WANT_SV, false, 2048, &description},
                                           WA_LOCAL_LISTS_FIELDS(&lists),
                                           {"add_rules", WA_WANT_OBJECT, false, 0, &rules[0]},
                                           {"remove_rules", WA_WANT_OBJECT, false, 0, &rules[1]}};
    if (wa_json_read(request, fields, WA_COUNT(fields), "the request", err) != WA_OK ||
        read_names(arena, names, k, err) != WA_OK ||
        keep(arena, section, &k->wish.section, err) != WA_OK ||
        keep(arena, description, &k->wish.description, err) != WA_OK ||
        wa_local_wish(&lists, arena, &k->wish.lists, err) != WA_OK ||
        keep_json(arena, rules[0], &k->wish.add_rules, err) != WA_OK)
        return err->code;
    return keep_json(arena, rules[1], &k->wish.remove_rules, err);
}

/* --- what is shown --- */

static void say_change(struct wa_local_prepared *p, const char *package, const char *kind,
                       const char *before, const char *after)
{
    char text[2048];
    (void)snprintf(text, sizeof text, "%s: %s%s%s", kind, before != NULL ? before : "+",
                   before != NULL ? " → " : " ", after != NULL ? after : "-");
    wa_local_say(p, package, wa_sv(text));
}

static void say(struct wa_local_prepared *p, const struct wa_policy *one)
{
    const char *package = wa_control_get(&one->next, WA_A_PACKAGE);
    const char *is = wa_control_get(&one->now, WA_A_VERSION);
    bool is_new = wa_control_get(&one->now, WA_A_PACKAGE)[0] == '\0';
    char text[2048];
    if (one->why.code != WA_OK) {
        (void)snprintf(text, sizeof text, wa_text("stays as it is: %s"), one->why.text);
        wa_local_say(p, one->name, wa_sv(text));
        return;
    }
    (void)snprintf(text, sizeof text, "%s, %s%s%s", wa_control_get(&one->next, WA_A_SECTION),
                   is_new ? wa_text("new: ") : is, is_new ? "" : " → ",
                   wa_control_get(&one->next, WA_A_VERSION));
    wa_local_say(p, package, wa_sv(text));
    const char *was = wa_control_get(&one->now, WA_A_DESCRIPTION),
               *description = wa_control_get(&one->next, WA_A_DESCRIPTION);
    if (strcmp(was, description) != 0)
        say_change(p, package, wa_text("Description"), was[0] != '\0' ? was : NULL, description);
    for (size_t i = 0; i < one->lists.n; i++)
        say_change(p, package, wa_assign_word(one->lists.items[i].list), one->lists.items[i].before,
                   one->lists.items[i].after);
    for (size_t i = 0; i < one->rules.n; i++) {
        const struct wa_policy_rule *r = &one->rules.items[i];
        say_change(p, package, r->group, r->comes ? NULL : r->package,
                   r->comes ? r->package : NULL);
    }
    for (size_t i = 0; i < one->problems.n; i++)
        wa_local_say(p, wa_text("Mind"), wa_sv(one->problems.items[i].text));
}

/* Of each all the rules that it would have, as selfservice.json. */
static void write_rules(const struct wa_policies *ps, struct wa_jw *w)
{
    wa_jw_key(w, "rules");
    wa_jw_arr(w);
    for (size_t i = 0; i < ps->n; i++) {
        const struct wa_buf *text = &ps->items[i].rules.text;
        if (text->n > 0)
            wa_jw_raw(w, wa_buf_sv(text));
        else
            wa_jw_null(w);
    }
    wa_jw_end(w);
}

static enum wa_code show(struct wa_local_prepared *p, const struct policy *k, struct wa_err *err)
{
    struct wa_jw w;
    size_t changed = wa_policies_changed(&k->ps);
    wa_jw_init(&w, &p->details);
    wa_jw_obj(&w);
    wa_jw_key(&w, "packages");
    wa_jw_arr(&w);
    for (size_t i = 0; i < k->ps.n; i++) {
        wa_policy_write(&k->ps.items[i], "", &w);
        if (k->ps.items[i].why.code != WA_OK || k->ps.items[i].is_changed)
            say(p, &k->ps.items[i]);
    }
    wa_jw_end(&w);
    wa_jw_kvi(&w, "changed", (int64_t)changed);
    write_rules(&k->ps, &w);
    wa_jw_end(&w);
    wa_buf_addf(&p->title, wa_text("change what %.100s%s says"), k->names[0],
                k->count > 1 ? " ..." : "");
    for (size_t i = 0; i < k->ps.n && changed == 0; i++)
        if (k->ps.items[i].why.code != WA_OK)
            return wa_fail(err, k->ps.items[i].why.code, "%s", k->ps.items[i].why.text);
    return changed > 0 || k->is_shown ? WA_OK : wa_fail(err, WA_E_CONFLICT, "nothing changes");
}

static enum wa_code prepare(struct wa_local_prepared *p, const struct wa_json *request,
                            struct wa_client *client, struct wa_err *err)
{
    struct policy *k = wa_arena_alloc(&p->arena, 1, sizeof *k);
    if (k == NULL)
        return wa_nomem(err);
    *k = (struct policy){.count = 0};
    p->own = k;
    if (read_request(request, &p->arena, k, err) != WA_OK ||
        wa_local_anchors(p, &k->anchors, err) != WA_OK)
        return err->code;
    const struct wa_policies_options o = {.client = client,
                                          .anchors = k->anchors,
                                          .names = k->names,
                                          .count = k->count,
                                          .wish = &k->wish};
    return wa_policies_open(&o, &k->ps, err) == WA_OK ? show(p, k, err) : err->code;
}

static enum wa_code commit(struct wa_local_prepared *p, const struct wa_signer *signer,
                           struct wa_client *client, struct wa_jw *w, struct wa_err *err)
{
    WA_AUTO_LOCAL_CHANGES struct wa_local_changes ours;
    struct policy *k = p->own;
    size_t failed = 0;
    wa_local_changes_init(&ours);
    wa_jw_key(w, "packages");
    wa_jw_arr(w);
    for (size_t i = 0; i < k->ps.n; i++) {
        struct wa_err told = WA_ERR_INIT; /* in why, too */
        char file[2 * WA_NAME_MAX + 1];
        if (wa_policies_put(&k->ps, i, client, signer, file, &told) == WA_E_AUTH) {
            *err = told;
            return err->code;
        }
        if (file[0] != '\0')
            wa_local_changes_add(&ours, wa_sv(file));
        failed += told.code != WA_OK;
        wa_policy_write(&k->ps.items[i], file, w);
    }
    wa_jw_end(w);
    wa_jw_kvi(w, "failed", (int64_t)failed);
    wa_local_publish_after(p, &ours, client, signer, w);
    return WA_OK;
}

static void discard(struct wa_local_prepared *p)
{
    struct policy *k = p->own;
    if (k == NULL)
        return;
    wa_policies_fini(&k->ps);
    wa_trust_free(k->anchors);
}

/* All machines that are assigned it are reached. */
const struct wa_local_kind wa_local_kind_policy = {.what = "policy",
                                                   .prepare = prepare,
                                                   .commit = commit,
                                                   .discard = discard,
                                                   .gesture = WA_LOCAL_GESTURE_ALWAYS};

/* policy.c - groups, units, profiles and rules of self-service, made and changed.
 *
 * What the server has is verified whole before anything of it is taken over, so that nothing gets
 * signed that no trusted person had signed; all else that such a package holds stays in it. A new
 * version comes beside the old one, which machines have until the new one is published: whatever
 * breaks off, one whole state is there.
 */
#include "console/policy.h"

#include "base/mem.h"
#include "base/text.h"
#include "console/upload.h"
#include "os/path.h"
#include "pkg/selfservice.h"
#include "pkg/template.h"
#include "pkg/version.h"

static const struct wa_relpath rules_file = {WA_SELF_FILE, sizeof WA_SELF_FILE - 1};
static const struct wa_relpath papers_dir = {"WAPT", 4};
static const struct wa_relpath control_file = {"WAPT/control", 12};

bool wa_policy_is(const char *section)
{
    static const char *const sections[] = {"group", "unit", "profile", WA_SELF_SECTION};
    for (size_t i = 0; section != NULL && i < WA_COUNT(sections); i++)
        if (strcmp(section, sections[i]) == 0)
            return true;
    return false;
}

void wa_policies_fini(struct wa_policies *ps)
{
    for (size_t i = 0; ps->items != NULL && i < ps->n; i++) {
        wa_control_fini(&ps->items[i].now);
        wa_control_fini(&ps->items[i].next);
        wa_assign_diff_fini(&ps->items[i].lists);
        wa_policy_rules_fini(&ps->items[i].rules);
        wa_policy_problems_fini(&ps->items[i].problems);
    }
    wa_free(ps->items);
    wa_intake_free(ps->in);
    wa_scratch_close(&ps->temp);
    *ps = (struct wa_policies){.items = NULL};
}

/* --- one's own folder --- */

/* Where the i-th is put together. */
static enum wa_code open_tree(const struct wa_policies *ps, size_t i, char path[WA_PATH_MAX],
                              struct wa_dir *ret, struct wa_err *err)
{
    if (snprintf(path, WA_PATH_MAX, "%s/%zu", ps->temp.path, i) >= (int)WA_PATH_MAX)
        return wa_fail(err, WA_E_LIMIT, "the path is too long");
    return wa_dir_make(path, 0700, ret, err);
}

/* --- what is there --- */

/* The newest of that name, as its place in the intake's plan; false: there is none. */
static bool find(const struct wa_policies *ps, const char *name, size_t *ret)
{
    const struct wa_import_plan *plan = wa_intake_plan(ps->in);
    bool is_found = false;
    for (size_t i = 0; i < plan->n; i++) {
        const struct wa_control *c = plan->items[i].entry;
        if (strcmp(wa_control_get(c, WA_A_PACKAGE), name) == 0 &&
            (!is_found || wa_entry_cmp(c, plan->items[*ret].entry) > 0)) {
            *ret = i;
            is_found = true;
        }
    }
    return is_found;
}

static enum wa_code check_refused(const struct wa_policies *ps, const char *name,
                                  struct wa_err *err)
{
    size_t count = 0;
    const struct wa_intake_refused *r = wa_intake_refused(ps->in, &count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(wa_control_get(&r[i].entry, WA_A_PACKAGE), name) == 0)
            return wa_fail(err, WA_E_REFUSED, "what the server has of it is not taken over: %s",
                           r[i].why);
    return WA_OK;
}

static enum wa_code take_over(struct wa_policies *ps, struct wa_policy *p, size_t at,
                              const struct wa_policy_wish *w, const struct wa_dir *tree,
                              struct wa_err *err)
{
    const struct wa_control *c = wa_intake_plan(ps->in)->items[at].entry;
    const char *section = wa_control_get(c, WA_A_SECTION);
    char version[WA_NAME_MAX + 1];
    if (!wa_policy_is(section))
        return wa_fail(err, WA_E_CONFLICT,
                       "it is of section '%s', which has files of its own: 'wapt-get edit' "
                       "changes such",
                       section);
    if (w->section != NULL && strcmp(w->section, section) != 0)
        return wa_fail(err, WA_E_CONFLICT, "it is of section '%s' already", section);
    if (wa_intake_fetch(ps->in, at, NULL, err) != WA_OK ||
        wa_intake_extract(ps->in, at, tree, err) != WA_OK ||
        wa_control_copy(c, &p->now, err) != WA_OK || wa_control_copy(c, &p->next, err) != WA_OK ||
        wa_pkgversion_increment(wa_sv(wa_control_get(c, WA_A_VERSION)), version, err) != WA_OK)
        return err->code;
    return wa_control_set(&p->next, WA_A_VERSION, wa_sv(version), err);
}

static enum wa_code begin(struct wa_policies *ps, struct wa_policy *p,
                          const struct wa_policy_wish *w, const struct wa_dir *tree,
                          struct wa_err *err)
{
    const struct wa_template_options o = {.prefix = "", .maintainer = ""};
    const char *name = p->name;
    size_t at = 0;
    if (w->section != NULL) { /* the name that a unit of the directory has as a package */
        if (wa_template_meta(w->section, p->name, "", &o, &p->next, err) != WA_OK)
            return err->code;
        name = wa_control_get(&p->next, WA_A_PACKAGE);
    }
    if (check_refused(ps, name, err) != WA_OK)
        return err->code;
    if (find(ps, name, &at)) {
        wa_control_fini(&p->next);
        wa_control_init(&p->next);
        return take_over(ps, p, at, w, tree, err);
    }
    if (w->section == NULL)
        return wa_fail(err, WA_E_NOT_FOUND, "the repository has no such group");
    return wa_dir_make_sub(tree, &papers_dir, 0755, err);
}

/* --- what changes --- */

static enum wa_code set(struct wa_policy *p, enum wa_attr a, const char *value, struct wa_err *err)
{
    if (strcmp(wa_control_get(&p->next, a), value) == 0)
        return WA_OK;
    p->is_changed = true;
    return wa_control_set(&p->next, a, wa_sv(value), err);
}

static enum wa_code change_rules(struct wa_policy *p, const struct wa_policy_wish *w,
                                 const struct wa_dir *tree, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf now;
    struct wa_err none = WA_ERR_INIT;
    wa_buf_init(&now, WA_SELF_BYTES_MAX);
    if (strcmp(wa_control_get(&p->next, WA_A_SECTION), WA_SELF_SECTION) != 0)
        return w->add_rules.n + w->remove_rules.n == 0
                   ? WA_OK
                   : wa_fail(err, WA_E_USAGE,
                             "only a package of section selfservice has rules of self-service");
    enum wa_code code = wa_file_read(tree, &rules_file, WA_SELF_BYTES_MAX, &now, &none);
    if (code != WA_OK && code != WA_E_NOT_FOUND)
        return wa_fail(err, code, "%s", none.text);
    if (wa_policy_rules_apply(wa_buf_sv(&now), w->add_rules, w->remove_rules, &p->rules, err) !=
        WA_OK)
        return wa_wrap(err, WA_SELF_FILE);
    p->is_changed = p->is_changed || p->rules.n > 0;
    return WA_OK;
}

static enum wa_code look(struct wa_policies *ps, size_t i, const struct wa_policy_wish *w,
                         struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir tree = WA_DIR_INIT;
    struct wa_policy *p = &ps->items[i];
    char path[WA_PATH_MAX];
    if (open_tree(ps, i, path, &tree, err) != WA_OK || begin(ps, p, w, &tree, err) != WA_OK ||
        wa_assign_apply(&p->now, &w->lists, &p->lists, err) != WA_OK)
        return err->code;
    p->is_changed = wa_control_get(&p->now, WA_A_PACKAGE)[0] == '\0';
    for (int k = 0; k < WA_ASSIGN_LISTS; k++)
        if (set(p, wa_assign_attr((enum wa_assign_list)k), p->lists.lists[k], err) != WA_OK)
            return err->code;
    if ((w->description != NULL && set(p, WA_A_DESCRIPTION, w->description, err) != WA_OK))
        return err->code;
    return change_rules(p, w, &tree, err);
}

/* --- what would be wrong --- */

/* What the repository will have, once all of these are there. */
static const struct wa_control **then(const struct wa_policies *ps, size_t *ret_n)
{
    const struct wa_index *there = wa_intake_there(ps->in);
    const struct wa_control **all = wa_calloc(there->n + ps->n + 1, sizeof *all);
    size_t n = 0;
    for (size_t i = 0; all != NULL && i < there->n; i++)
        all[n++] = &there->items[i];
    for (size_t i = 0; all != NULL && i < ps->n; i++)
        if (ps->items[i].why.code == WA_OK)
            all[n++] = &ps->items[i].next;
    *ret_n = n;
    return all;
}

static enum wa_code judge(struct wa_policies *ps, struct wa_err *err)
{
    size_t n = 0;
    const struct wa_control **all = then(ps, &n);
    if (all == NULL)
        return wa_nomem(err);
    for (size_t i = 0; i < ps->n && err->code == WA_OK; i++) {
        struct wa_policy *p = &ps->items[i];
        if (p->why.code != WA_OK || wa_policy_check(all, n, &p->next, wa_buf_sv(&p->rules.text),
                                                    &p->problems, err) != WA_OK)
            continue;
        for (size_t k = 0; k < p->problems.n && p->why.code == WA_OK; k++)
            if (p->problems.items[k].is_error)
                (void)wa_fail(&p->why, WA_E_CONFLICT, "%s", p->problems.items[k].text);
    }
    wa_free(all);
    return err->code;
}

static enum wa_code open_all(struct wa_policies *ps, const struct wa_policies_options *o,
                             struct wa_err *err)
{
    static const struct wa_import_wish everything = {.request_count = 0};
    const struct wa_intake_options from = {
        .from = o->client, .base = "/wapt", .anchors = o->anchors, .wish = &everything};
    if (wa_scratch_open(&ps->temp, "wapt-policy", err) != WA_OK ||
        wa_intake_open(&from, &ps->in, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < ps->n; i++)
        if (look(ps, i, o->wish, &ps->items[i].why) == WA_E_NOMEM)
            return wa_nomem(err);
    return judge(ps, err);
}

enum wa_code wa_policies_open(const struct wa_policies_options *o, struct wa_policies *ret,
                              struct wa_err *err)
{
    WA_AUTO_POLICIES struct wa_policies ps = {.items = NULL};
    if (wa_assign_check(&o->wish->lists, err) != WA_OK)
        return err->code;
    if (o->wish->section != NULL && !wa_policy_is(o->wish->section))
        return wa_fail(err, WA_E_USAGE, "'%s' is none of group, unit, profile and selfservice",
                       o->wish->section);
    ps.items = wa_calloc(o->count + 1, sizeof *ps.items);
    if (ps.items == NULL)
        return wa_nomem(err);
    ps.n = o->count;
    for (size_t i = 0; i < ps.n; i++) {
        ps.items[i].name = o->names[i];
        wa_control_init(&ps.items[i].now);
        wa_control_init(&ps.items[i].next);
        wa_assign_diff_init(&ps.items[i].lists);
        wa_policy_rules_init(&ps.items[i].rules);
    }
    if (open_all(&ps, o, err) != WA_OK)
        return err->code;
    *ret = ps;
    ps = (struct wa_policies){.items = NULL};
    return WA_OK;
}

size_t wa_policies_changed(const struct wa_policies *ps)
{
    size_t n = 0;
    for (size_t i = 0; i < ps->n; i++)
        n += ps->items[i].why.code == WA_OK && ps->items[i].is_changed;
    return n;
}

static void write_change(struct wa_jw *w, const char *kind, const char *group, const char *before,
                         const char *after)
{
    wa_jw_obj(w);
    wa_jw_kv(w, "kind", kind);
    wa_jw_kv(w, "group", group);
    wa_jw_kv(w, "before", before);
    wa_jw_kv(w, "after", after);
    wa_jw_end(w);
}

void wa_policy_write(const struct wa_policy *p, const char *file, struct wa_jw *w)
{
    static const enum wa_attr attrs[] = {
        WA_A_PACKAGE,       WA_A_SECTION,     WA_A_VERSION,       WA_A_DEPENDS,
        WA_A_CONFLICTS,     WA_A_DESCRIPTION, WA_A_PACKAGES_HELD, WA_A_MAINTENANCE_WINDOWS,
        WA_A_FREEZE_PERIODS};
    wa_jw_obj(w);
    wa_jw_kv(w, "name", p->name);
    for (size_t i = 0; i < WA_COUNT(attrs); i++)
        wa_jw_kv(w, wa_attr_name(attrs[i]), wa_control_get(&p->next, attrs[i]));
    wa_jw_kv(w, "before",
             wa_control_get(&p->now, WA_A_PACKAGE)[0] != '\0'
                 ? wa_control_get(&p->now, WA_A_VERSION)
                 : NULL);
    wa_jw_kvb(w, "changed", p->is_changed);
    wa_jw_key(w, "changes");
    wa_jw_arr(w);
    for (size_t i = 0; i < p->lists.n; i++)
        write_change(w, wa_attr_name(wa_assign_attr(p->lists.items[i].list)), NULL,
                     p->lists.items[i].before, p->lists.items[i].after);
    for (size_t i = 0; i < p->rules.n; i++) {
        const struct wa_policy_rule *r = &p->rules.items[i];
        write_change(w, "rules", r->group, r->comes ? NULL : r->package,
                     r->comes ? r->package : NULL);
    }
    wa_jw_end(w);
    wa_jw_key(w, "problems");
    wa_jw_arr(w);
    for (size_t i = 0; i < p->problems.n; i++) {
        wa_jw_obj(w);
        wa_jw_kvb(w, "error", p->problems.items[i].is_error);
        wa_jw_kv(w, "text", p->problems.items[i].text);
        wa_jw_end(w);
    }
    wa_jw_end(w);
    wa_jw_kv(w, "file", file[0] != '\0' ? file : NULL);
    wa_jw_kv(w, "code", wa_code_name(p->why.code));
    wa_jw_kv(w, "error", p->why.code == WA_OK ? NULL : p->why.text);
    wa_jw_end(w);
}

/* --- what becomes of it --- */

static enum wa_code write_tree(const struct wa_policy *p, const struct wa_dir *tree,
                               struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, WA_CONTROL_BYTES_MAX);
    if (wa_control_write(&p->next, false, &text, err) != WA_OK)
        return err->code;
    wa_buf_addc(&text, '\n');
    if (wa_buf_check(&text, err) != WA_OK ||
        wa_file_replace(tree, &control_file, wa_buf_sv(&text), 0644, err) != WA_OK)
        return err->code;
    return strcmp(wa_control_get(&p->next, WA_A_SECTION), WA_SELF_SECTION) == 0
               ? wa_file_replace(tree, &rules_file, wa_buf_sv(&p->rules.text), 0644, err)
               : WA_OK;
}

static enum wa_code put(struct wa_policies *ps, size_t i, struct wa_client *c,
                        const struct wa_signer *signer, char *ret_file, struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir tree = WA_DIR_INIT;
    WA_AUTO_FD int fd = -1;
    struct wa_policy *p = &ps->items[i];
    struct wa_fd_source source;
    char folder[WA_PATH_MAX], path[WA_PATH_MAX], name[2 * WA_NAME_MAX + 1];
    if (wa_control_get(&p->next, WA_A_MAINTAINER)[0] == '\0' &&
        wa_control_set(&p->next, WA_A_MAINTAINER, wa_sv(wa_cert_cn(signer->chain->items[0])),
                       err) != WA_OK)
        return err->code;
    if (open_tree(ps, i, folder, &tree, err) != WA_OK || write_tree(p, &tree, err) != WA_OK ||
        wa_build_package(folder, ps->temp.path, signer, NULL, path, err) != WA_OK ||
        wa_control_filename(&p->next, NULL, name, err) != WA_OK ||
        wa_path_open(path, &fd, err) != WA_OK || wa_fd_source_init(&source, fd, err) != WA_OK)
        return err->code;
    const struct wa_upload_job job = {.file = &source.base, .name = name, .replaces = "none"};
    if (wa_client_publish(c, &job, err) != WA_OK)
        return err->code;
    (void)snprintf(ret_file, sizeof name, "%s", name);
    return WA_OK;
}

enum wa_code wa_policies_put(struct wa_policies *ps, size_t i, struct wa_client *c,
                             const struct wa_signer *signer, char *ret_file, struct wa_err *err)
{
    struct wa_policy *p = &ps->items[i];
    ret_file[0] = '\0';
    if (p->why.code == WA_OK && p->is_changed)
        (void)put(ps, i, c, signer, ret_file, &p->why);
    *err = p->why;
    return err->code;
}

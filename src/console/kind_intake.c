/* kind_intake.c - packages of the server's repository, or of another one that is configured here,
 * under the person's own signature: promoted, signed anew, imported.
 *
 * What is shown are the signed entries of an index that was judged; each package must then be the
 * very one of its entry, whole, before it is signed. Where packages may come from the configuration
 * says, never the page.
 */
#include "base/mem.h"
#include "console/intake.h"
#include "console/local_publish.h"
#include "console/upload.h"
#include "os/fs.h"

#define PACKAGES_MAX 256u

struct intake {
    struct wa_import_wish wish;
    struct wa_request requests[PACKAGES_MAX];
    char texts[4][128]; /* prefix, maturity here, maturity there, architecture */
    struct wa_trust *anchors;
    struct wa_client *from; /* ours; NULL: the server itself */
    struct wa_intake *in;
    bool is_import, removes_old;
};

static enum wa_code read_requests(struct intake *k, const struct wa_json *packages,
                                  struct wa_err *err)
{
    k->wish.requests = k->requests;
    k->wish.request_count = wa_json_count(packages);
    for (size_t i = 0; i < wa_json_count(packages); i++)
        if (wa_request_parse(wa_json_sv(wa_json_at(packages, i)), &k->requests[i], err) != WA_OK)
            return err->code;
    return k->wish.request_count > 0 ? WA_OK : wa_fail(err, WA_E_INVALID, "which packages?");
}

/* An empty text is as good as none. */
static const char *keep(char out[128], struct wa_sv text)
{
    (void)snprintf(out, 128, "%.*s", (int)(text.n < 127 ? text.n : 127), text.n > 0 ? text.p : "");
    return out[0] != '\0' ? out : NULL;
}

static enum wa_code read_request(struct intake *k, const struct wa_json *request,
                                 struct wa_sv *ret_from, struct wa_err *err)
{
    struct wa_sv what, key, prefix = WA_SV(""), to = WA_SV(""), there = WA_SV(""),
                            architecture = WA_SV("");
    const struct wa_json *packages = NULL;
    bool no_depends = false;
    const struct wa_json_field fields[] = {
        {"what", WA_WANT_SV, true, 64, &what},
        {"key", WA_WANT_SV, false, 16, &key},
        {"packages", WA_WANT_ARRAY, true, PACKAGES_MAX, &packages},
        {"from", WA_WANT_SV, false, 127, ret_from},
        {"prefix", WA_WANT_SV, false, 64, &prefix},
        {"maturity", WA_WANT_SV, false, 64, &to},
        {"from_maturity", WA_WANT_SV, false, 127, &there},
        {"architecture", WA_WANT_SV, false, 64, &architecture},
        {"newer", WA_WANT_BOOL, false, 0, &k->wish.only_newer},
        {"no_depends", WA_WANT_BOOL, false, 0, &no_depends},
        {"remove_old", WA_WANT_BOOL, false, 0, &k->removes_old}};
    if (wa_json_read(request, fields, WA_COUNT(fields), "the request", err) != WA_OK)
        return err->code;
    k->wish.prefix = keep(k->texts[0], prefix);
    k->wish.maturity = keep(k->texts[1], to);
    k->wish.filter.maturities = keep(k->texts[2], there);
    k->wish.filter.architecture = keep(k->texts[3], architecture);
    k->wish.with_depends = k->is_import && !no_depends;
    k->wish.every_version = wa_sv_eqs(what, "resign");
    if (wa_sv_eqs(what, "promote") && k->wish.maturity == NULL)
        return wa_fail(err, WA_E_INVALID, "to which maturity?");
    return read_requests(k, packages, err);
}

/* --- where from --- */

static enum wa_code open_repository(struct wa_local_prepared *p, struct intake *k,
                                    struct wa_sv name, struct wa_err *err)
{
    for (size_t i = 0; i < p->options->repository_count; i++) {
        const struct wa_local_repository *r = &p->options->repositories[i];
        const struct wa_client_options o = {.server = r->url, .trust = &r->trust};
        if (!wa_sv_eqs(name, r->name))
            continue;
        return wa_trust_new(&k->anchors, err) == WA_OK &&
                       wa_trust_add_dir(k->anchors, r->trusted, err) == WA_OK
                   ? wa_client_open(&o, &k->from, err)
                   : wa_wrap(err, "trusted certificates");
    }
    return wa_fail(err, WA_E_NOT_FOUND,
                   "no repository '%.*s' is configured here: a section of waptconsole.ini with "
                   "repo_url and public_certs_dir is one",
                   WA_SV_ARG(name));
}

/* --- what is shown --- */

static const char *maturity_of(const struct intake *k, const struct wa_import_item *item)
{
    return k->wish.maturity != NULL ? k->wish.maturity : wa_control_get(item->entry, WA_A_MATURITY);
}

static void write_item(struct wa_jw *w, const struct intake *k, const struct wa_import_item *item)
{
    static const enum wa_attr attrs[] = {
        WA_A_PACKAGE,  WA_A_VERSION, WA_A_ARCHITECTURE,       WA_A_LOCALE,
        WA_A_MATURITY, WA_A_SIGNER,  WA_A_SIGNER_FINGERPRINT, WA_A_SIZE};
    for (size_t i = 0; i < WA_COUNT(attrs); i++)
        wa_jw_kv(w, wa_attr_name(attrs[i]), wa_control_get(item->entry, attrs[i]));
    wa_jw_kv(w, "becomes", item->package);
    wa_jw_kv(w, "becomes_maturity", maturity_of(k, item));
    wa_jw_kv(w, "depends", item->depends);
    wa_jw_kv(w, "conflicts", item->conflicts);
    wa_jw_kv(w, "here", item->ours != NULL ? wa_control_get(item->ours, WA_A_VERSION) : NULL);
    wa_jw_kv(w, "needed_by",
             item->needed_by != NULL ? wa_control_get(item->needed_by, WA_A_PACKAGE) : NULL);
}

static void say_item(struct wa_local_prepared *p, const struct intake *k,
                     const struct wa_import_item *item)
{
    char label[256], text[1024];
    const char *maturity = maturity_of(k, item);
    (void)snprintf(label, sizeof label, "%.100s %.60s%s%.40s", item->package,
                   wa_control_get(item->entry, WA_A_VERSION), maturity[0] != '\0' ? " " : "",
                   maturity);
    (void)snprintf(text, sizeof text, wa_text("%.100s, signed by %.100s (%.16s), %.20s bytes"),
                   wa_control_get(item->entry, WA_A_PACKAGE),
                   wa_control_get(item->entry, WA_A_SIGNER),
                   wa_control_get(item->entry, WA_A_SIGNER_FINGERPRINT),
                   wa_control_get(item->entry, WA_A_SIZE));
    wa_local_say(p, label, wa_sv(text));
}

static void write_rest(struct wa_jw *w, const struct intake *k)
{
    const struct wa_import_plan *plan = wa_intake_plan(k->in);
    size_t count = 0;
    const struct wa_intake_refused *r = wa_intake_refused(k->in, &count);
    wa_jw_key(w, "missing");
    wa_jw_arr(w);
    for (size_t i = 0; i < plan->missing.n; i++)
        wa_jw_s(w, plan->missing.items[i]);
    wa_jw_end(w);
    wa_jw_key(w, "refused");
    wa_jw_arr(w);
    for (size_t i = 0; i < count; i++) {
        wa_jw_obj(w);
        wa_jw_kv(w, "package", wa_control_get(&r[i].entry, WA_A_PACKAGE));
        wa_jw_kv(w, "version", wa_control_get(&r[i].entry, WA_A_VERSION));
        wa_jw_kv(w, "error", r[i].why);
        wa_jw_end(w);
    }
    wa_jw_end(w);
    wa_jw_kvi(w, "current", (int64_t)plan->current_count);
}

static enum wa_code show(struct wa_local_prepared *p, const struct intake *k, struct wa_err *err)
{
    const struct wa_import_plan *plan = wa_intake_plan(k->in);
    struct wa_jw w;
    wa_jw_init(&w, &p->details);
    wa_jw_obj(&w);
    wa_jw_key(&w, "packages");
    wa_jw_arr(&w);
    for (size_t i = 0; i < plan->n; i++) {
        wa_jw_obj(&w);
        write_item(&w, k, &plan->items[i]);
        wa_jw_end(&w);
        say_item(p, k, &plan->items[i]);
    }
    wa_jw_end(&w);
    write_rest(&w, k);
    wa_jw_end(&w);
    for (size_t i = 0; i < plan->missing.n; i++)
        wa_local_say(p, wa_text("Missing"), wa_sv(plan->missing.items[i]));
    wa_buf_addf(&p->title, "%s %.100s%s", p->kind->what, k->requests[0].package,
                k->wish.request_count > 1 ? " ..." : "");
    return plan->n > 0 ? WA_OK
                       : wa_fail(err, WA_E_CONFLICT, "all of it is here already, as new or newer");
}

static enum wa_code prepare(struct wa_local_prepared *p, const struct wa_json *request,
                            struct wa_client *client, struct wa_err *err)
{
    struct intake *k = wa_arena_alloc(&p->arena, 1, sizeof *k);
    struct wa_sv from = WA_SV("");
    if (k == NULL)
        return wa_nomem(err);
    *k = (struct intake){.is_import = strcmp(p->kind->what, "import") == 0};
    p->own = k;
    if (read_request(k, request, &from, err) != WA_OK ||
        (k->is_import ? open_repository(p, k, from, err) != WA_OK
                      : wa_local_anchors(p, &k->anchors, err) != WA_OK))
        return err->code;
    if (k->from != NULL)
        wa_client_set_stop(k->from, wa_client_stop(client));
    const struct wa_intake_options o = {.from = k->from != NULL ? k->from : client,
                                        .base = k->from != NULL ? "" : "/wapt",
                                        .anchors = k->anchors,
                                        .here = client,
                                        .wish = &k->wish};
    return wa_intake_open(&o, &k->in, err) == WA_OK ? show(p, k, err) : err->code;
}

/* --- the work --- */

static enum wa_code send(const char *path, const struct wa_import_item *item,
                         const struct intake *k, struct wa_client *client,
                         struct wa_local_changes *ours, struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    WA_AUTO_CONTROL struct wa_control c;
    struct wa_fd_source source;
    char name[2 * WA_NAME_MAX + 1];
    wa_control_init(&c);
    if (wa_control_copy(item->entry, &c, err) != WA_OK ||
        wa_control_set(&c, WA_A_PACKAGE, wa_sv(item->package), err) != WA_OK ||
        wa_control_set(&c, WA_A_MATURITY, wa_sv(maturity_of(k, item)), err) != WA_OK ||
        wa_control_filename(&c, NULL, name, err) != WA_OK ||
        wa_path_open(path, &fd, err) != WA_OK || wa_fd_source_init(&source, fd, err) != WA_OK)
        return err->code;
    const struct wa_upload_job job = {.file = &source.base, .name = name};
    if (wa_client_publish(client, &job, err) != WA_OK)
        return err->code;
    wa_local_changes_add(ours, wa_sv(name));
    return WA_OK;
}

static enum wa_code remove_old(const struct wa_import_item *item, struct wa_client *client,
                               struct wa_local_changes *ours, struct wa_err *err)
{
    struct wa_sv file = wa_sv(wa_control_get(item->entry, WA_A_FILENAME));
    if (wa_sv_starts(file, "./"))
        file = wa_sv_sub(file, 2, file.n);
    if (wa_intake_delete(client, file, err) != WA_OK)
        return err->code;
    wa_local_changes_add(ours, file);
    return WA_OK;
}

static enum wa_code take(struct intake *k, size_t i, const struct wa_signer *signer,
                         struct wa_client *client, struct wa_local_changes *ours,
                         struct wa_err *err)
{
    const struct wa_import_item *item = &wa_intake_plan(k->in)->items[i];
    char path[WA_PATH_MAX];
    if (wa_intake_fetch(k->in, i, NULL, err) != WA_OK ||
        wa_intake_sign(k->in, i, signer, path, err) != WA_OK ||
        send(path, item, k, client, ours, err) != WA_OK)
        return err->code;
    return k->removes_old ? remove_old(item, client, ours, err) : WA_OK;
}

static enum wa_code commit(struct wa_local_prepared *p, const struct wa_signer *signer,
                           struct wa_client *client, struct wa_jw *w, struct wa_err *err)
{
    struct intake *k = p->own;
    const struct wa_import_plan *plan = wa_intake_plan(k->in);
    WA_AUTO_LOCAL_CHANGES struct wa_local_changes ours;
    size_t failed = 0;
    wa_local_changes_init(&ours);
    if (k->from == NULL)
        wa_intake_reach(k->in, client); /* the session may be another one by now */
    else
        wa_client_set_stop(k->from, wa_client_stop(client));
    wa_jw_key(w, "packages");
    wa_jw_arr(w);
    for (size_t i = 0; i < plan->n; i++) {
        struct wa_err why = WA_ERR_INIT;
        if (take(k, i, signer, client, &ours, &why) == WA_E_AUTH) {
            *err = why;
            return err->code;
        }
        failed += why.code != WA_OK;
        wa_jw_obj(w);
        write_item(w, k, &plan->items[i]);
        wa_jw_kv(w, "code", wa_code_name(why.code));
        wa_jw_kv(w, "error", why.code == WA_OK ? NULL : why.text);
        wa_jw_end(w);
    }
    wa_jw_end(w);
    wa_jw_kvi(w, "failed", (int64_t)failed);
    wa_local_publish_after(p, &ours, client, signer, w);
    return WA_OK;
}

static void discard(struct wa_local_prepared *p)
{
    struct intake *k = p->own;
    if (k == NULL)
        return;
    wa_intake_free(k->in);
    wa_client_close(k->from);
    wa_trust_free(k->anchors);
}

/* Packages are installed by machines that are assigned them: one can reach them all. */
#define INTAKE(name)                                                                               \
    {                                                                                              \
        .what = name, .prepare = prepare, .commit = commit, .discard = discard,                    \
        .gesture = WA_LOCAL_GESTURE_ALWAYS                                                         \
    }
const struct wa_local_kind wa_local_kind_import = INTAKE("import");
const struct wa_local_kind wa_local_kind_promote = INTAKE("promote");
const struct wa_local_kind wa_local_kind_resign = INTAKE("resign");

/* kind_intake.c - packages of the server's repository, of another one that is configured here, or
 * of files that were dropped into the page: promoted, signed anew, imported, uploaded; and what
 * another one offers.
 *
 * What is shown are the signed entries of an index that was judged, or of files that were verified;
 * each package must then be the very one of its entry, whole, before it is signed or sent. Whose
 * packages may come in the configuration says, never the page.
 */
#include "base/mem.h"
#include "console/intake.h"
#include "console/local_publish.h"
#include "console/making.h"
#include "console/upload.h"
#include "os/clock.h"
#include "os/fs.h"

#define PACKAGES_MAX 256u
#define OFFERS_MAX 10000u
#define SETUP_SHOWN_MAX (64u << 10) /* bytes: a longer one is not shown */

struct intake {
    char *files[WA_LOCAL_FILES];
    const char *names[WA_LOCAL_FILES];
    size_t file_count;
    struct wa_import_wish wish;
    struct wa_request requests[PACKAGES_MAX];
    char texts[4][128]; /* prefix, maturity here, maturity there, architecture */
    struct wa_trust *anchors;
    struct wa_client *from; /* ours; NULL: the server itself */
    struct wa_intake *in;
    bool is_import, is_offers, is_upload, removes_old, signs;
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
    k->wish.with_depends = (k->is_import || k->wish.prefix != NULL) && !no_depends;
    k->wish.every_version = wa_sv_eqs(what, "resign");
    if (wa_sv_eqs(what, "promote") && k->wish.maturity == NULL)
        return wa_fail(err, WA_E_INVALID, "to which maturity?");
    return read_requests(k, packages, err);
}

/* All that is there, or all that is newer. */
static enum wa_code read_offers(struct intake *k, const struct wa_json *request,
                                struct wa_sv *ret_from, struct wa_err *err)
{
    struct wa_sv what, prefix = WA_SV(""), architecture = WA_SV("");
    const struct wa_json_field fields[] = {{"what", WA_WANT_SV, true, 64, &what},
                                           {"from", WA_WANT_SV, true, 127, ret_from},
                                           {"prefix", WA_WANT_SV, false, 64, &prefix},
                                           {"architecture", WA_WANT_SV, false, 64, &architecture},
                                           {"newer", WA_WANT_BOOL, false, 0, &k->wish.only_newer}};
    if (wa_json_read(request, fields, WA_COUNT(fields), "the request", err) != WA_OK)
        return err->code;
    k->wish.prefix = keep(k->texts[0], prefix);
    k->wish.filter.architecture = keep(k->texts[3], architecture);
    return WA_OK;
}

/* "id" and "name" of each file that was dropped. */
static enum wa_code read_files(struct wa_local_prepared *p, struct intake *k,
                               const struct wa_json *files, struct wa_err *err)
{
    for (size_t i = 0; i < wa_json_count(files); i++) {
        struct wa_sv id = WA_SV(""), name = WA_SV("");
        const struct wa_json_field fields[] = {{"id", WA_WANT_SV, true, 64, &id},
                                               {"name", WA_WANT_SV, true, 1024, &name}};
        char path[WA_PATH_MAX];
        if (wa_json_read(wa_json_at(files, i), fields, WA_COUNT(fields), "a file", err) != WA_OK ||
            wa_local_file_path(p, id, path, err) != WA_OK)
            return err->code;
        k->files[i] = wa_arena_strdup(&p->arena, wa_sv(path));
        k->names[i] = wa_arena_strdup(&p->arena, name);
        if (k->files[i] == NULL || k->names[i] == NULL)
            return wa_nomem(err);
        k->file_count++;
    }
    return k->file_count > 0 ? WA_OK : wa_fail(err, WA_E_INVALID, "which files?");
}

static enum wa_code read_upload(struct wa_local_prepared *p, struct intake *k,
                                const struct wa_json *request, struct wa_sv *ret_from,
                                struct wa_err *err)
{
    struct wa_sv what, key, prefix = WA_SV(""), to = WA_SV("");
    const struct wa_json *files = NULL;
    const struct wa_json_field fields[] = {{"what", WA_WANT_SV, true, 64, &what},
                                           {"key", WA_WANT_SV, false, 16, &key},
                                           {"files", WA_WANT_ARRAY, true, WA_LOCAL_FILES, &files},
                                           {"resign", WA_WANT_BOOL, false, 0, &k->signs},
                                           {"from", WA_WANT_SV, false, 127, ret_from},
                                           {"prefix", WA_WANT_SV, false, 64, &prefix},
                                           {"maturity", WA_WANT_SV, false, 64, &to}};
    k->signs = false;
    if (wa_json_read(request, fields, WA_COUNT(fields), "the request", err) != WA_OK)
        return err->code;
    k->wish.prefix = keep(k->texts[0], prefix);
    k->wish.maturity = keep(k->texts[1], to);
    k->wish.every_version = true;
    if (!k->signs && (k->wish.prefix != NULL || k->wish.maturity != NULL || ret_from->n > 0))
        return wa_fail(err, WA_E_INVALID,
                       "what gets another prefix or maturity, or comes from elsewhere, is signed "
                       "anew");
    return read_files(p, k, files, err);
}

/* --- where from --- */

/* The repository of that name and whose packages count there; reached only for an import. */
static enum wa_code open_repository(struct wa_local_prepared *p, struct intake *k,
                                    struct wa_sv name, struct wa_err *err)
{
    for (size_t i = 0; i < p->options->repository_count; i++) {
        const struct wa_local_repository *r = &p->options->repositories[i];
        const struct wa_client_options o = {
            .server = r->url, .trust = &r->trust, .proxy = r->proxy};
        if (!wa_sv_eqs(name, r->name))
            continue;
        if (wa_trust_new(&k->anchors, err) != WA_OK ||
            wa_trust_add_dir(k->anchors, r->trusted, err) != WA_OK)
            return wa_wrap(err, "trusted certificates");
        return k->is_import ? wa_client_open(&o, &k->from, err) : WA_OK;
    }
    return wa_fail(err, WA_E_NOT_FOUND,
                   "no repository '%.*s' is configured here: a section of waptconsole.ini with "
                   "repo_url and public_certs_dir is one",
                   WA_SV_ARG(name));
}

/* --- what is shown --- */

/* What packagers have regretted: said, and told in full. setup: empty, it has none. */
static enum wa_code write_findings(struct wa_local_prepared *p, const struct wa_control *c,
                                   const struct wa_buf *setup, struct wa_stop *stop,
                                   struct wa_jw *w, struct wa_err *err)
{
    WA_AUTO_FINDINGS struct wa_findings f = {.items = NULL};
    WA_AUTO_BUF struct wa_buf text;
    char section[WA_NAME_MAX + 1], one[1536], line[2048];
    wa_buf_init(&text, WA_CONTROL_BYTES_MAX);
    if (wa_control_write(c, false, &text, err) != WA_OK ||
        wa_lint_control(wa_buf_sv(&text), wa_clock_now(), &f, section, err) != WA_OK ||
        (setup->n > 0 &&
         wa_making_lint_text(wa_buf_sv(setup), p->options->reader, stop, &f, err) != WA_OK))
        return err->code;
    for (size_t i = 0; i < f.n; i++) {
        if (f.items[i].level == WA_LINT_NOTE)
            continue;
        wa_making_say_finding(&f.items[i], one, sizeof one);
        (void)snprintf(line, sizeof line, "%.400s: %s", wa_control_get(c, WA_A_PACKAGE), one);
        wa_local_say(p, wa_text("Mind"), wa_sv(line));
    }
    wa_making_write_findings(&f, wa_buf_sv(&text), w);
    return WA_OK;
}

/* Of a file: that it is whole and the one that was judged, and what it would run. */
static enum wa_code look_into(struct wa_local_prepared *p, const struct intake *k, size_t i,
                              struct wa_stop *stop, struct wa_jw *w, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf setup;
    const struct wa_import_item *item = &wa_intake_plan(k->in)->items[i];
    bool has_code = false;
    wa_buf_init(&setup, WA_SETUP_PY_BYTES_MAX);
    if (!k->is_upload)
        return WA_OK;
    if (wa_intake_fetch(k->in, i, &has_code, err) != WA_OK)
        return err->code;
    if (has_code) {
        struct wa_err too_long = WA_ERR_INIT; /* then it is not shown */
        wa_local_say(p, item->package, wa_sv(wa_text("it has code: setup.py")));
        if (wa_intake_setup(k->in, i, &setup, &too_long) == WA_E_NOMEM)
            return wa_nomem(err);
    }
    if (setup.n > 0 && setup.n <= SETUP_SHOWN_MAX)
        wa_jw_kvsv(w, "setup", wa_buf_sv(&setup));
    return write_findings(p, item->entry, &setup, stop, w, err);
}

static void say_item(struct wa_local_prepared *p, const struct intake *k,
                     const struct wa_import_item *item)
{
    char label[256], text[1024];
    const char *maturity = wa_import_maturity(&k->wish, item);
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

/* Of files: the page has named each of them. */
static void say_refused(struct wa_local_prepared *p, const struct intake *k)
{
    size_t count = 0;
    const struct wa_intake_refused *r = wa_intake_refused(k->in, &count);
    char text[2048];
    for (size_t i = 0; k->is_upload && i < count; i++) {
        (void)snprintf(text, sizeof text, "%.400s: %.1500s",
                       wa_control_get(&r[i].entry, WA_A_FILENAME), r[i].why);
        wa_local_say(p, wa_text("Refused"), wa_sv(text));
    }
}

static enum wa_code show_nothing(const struct intake *k, struct wa_err *err)
{
    size_t count = 0;
    const struct wa_intake_refused *r = wa_intake_refused(k->in, &count);
    if (k->is_upload && count > 0)
        return wa_fail(err, WA_E_REFUSED, "%s: %s", wa_control_get(&r->entry, WA_A_FILENAME),
                       r->why);
    return wa_fail(err, WA_E_CONFLICT, "all of it is here already, as new or newer");
}

static enum wa_code show(struct wa_local_prepared *p, const struct intake *k, struct wa_stop *stop,
                         struct wa_err *err)
{
    const struct wa_import_plan *plan = wa_intake_plan(k->in);
    struct wa_jw w;
    wa_jw_init(&w, &p->details);
    wa_jw_obj(&w);
    wa_jw_key(&w, "packages");
    wa_jw_arr(&w);
    for (size_t i = 0; i < plan->n; i++) {
        say_item(p, k, &plan->items[i]);
        wa_jw_obj(&w);
        wa_intake_write_item(&k->wish, &plan->items[i], &w);
        if (look_into(p, k, i, stop, &w, err) != WA_OK)
            return err->code;
        wa_jw_end(&w);
    }
    wa_jw_end(&w);
    wa_intake_write_rest(k->in, k->is_upload, &w);
    wa_jw_end(&w);
    say_refused(p, k);
    for (size_t i = 0; i < plan->missing.n; i++)
        wa_local_say(p, wa_text("Missing"), wa_sv(plan->missing.items[i]));
    const char *first = k->is_upload ? k->names[0] : k->requests[0].package;
    wa_buf_addf(&p->title, "%s %.100s%s", wa_text(p->kind->what), first,
                k->wish.request_count + k->file_count > 1 ? " ..." : "");
    return plan->n > 0 ? WA_OK : show_nothing(k, err);
}

static enum wa_code show_offers(struct wa_local_prepared *p, const struct intake *k,
                                struct wa_sv from, struct wa_err *err)
{
    static const enum wa_attr attrs[] = {WA_A_PACKAGE,  WA_A_VERSION,     WA_A_ARCHITECTURE,
                                         WA_A_MATURITY, WA_A_DESCRIPTION, WA_A_SIGNER};
    const struct wa_import_plan *plan = wa_intake_plan(k->in);
    size_t count = plan->n < OFFERS_MAX ? plan->n : OFFERS_MAX;
    struct wa_jw w;
    wa_jw_init(&w, &p->details);
    wa_jw_obj(&w);
    wa_jw_key(&w, "packages");
    wa_jw_arr(&w);
    for (size_t i = 0; i < count; i++) {
        const struct wa_import_item *item = &plan->items[i];
        wa_jw_obj(&w);
        for (size_t a = 0; a < WA_COUNT(attrs); a++)
            wa_jw_kv(&w, wa_attr_name(attrs[a]), wa_control_get(item->entry, attrs[a]));
        wa_jw_kv(&w, "here", item->ours != NULL ? wa_control_get(item->ours, WA_A_VERSION) : NULL);
        wa_jw_end(&w);
    }
    wa_jw_end(&w);
    wa_jw_kvi(&w, "left_out", (int64_t)(plan->n - count));
    wa_jw_end(&w);
    wa_buf_addf(&p->title, "%s %.*s", wa_text(p->kind->what), WA_SV_ARG(from));
    return wa_buf_check(&p->title, err);
}

static enum wa_code read_wish(struct wa_local_prepared *p, struct intake *k,
                              const struct wa_json *request, struct wa_sv *ret_from,
                              struct wa_err *err)
{
    if (k->is_offers)
        return read_offers(k, request, ret_from, err);
    return k->is_upload ? read_upload(p, k, request, ret_from, err)
                        : read_request(k, request, ret_from, err);
}

static enum wa_code prepare(struct wa_local_prepared *p, const struct wa_json *request,
                            struct wa_client *client, struct wa_err *err)
{
    struct intake *k = wa_arena_alloc(&p->arena, 1, sizeof *k);
    struct wa_sv from = WA_SV("");
    if (k == NULL)
        return wa_nomem(err);
    bool is_offers = strcmp(p->kind->what, "offers") == 0;
    *k = (struct intake){.is_import = is_offers || strcmp(p->kind->what, "import") == 0,
                         .is_offers = is_offers,
                         .is_upload = strcmp(p->kind->what, "upload") == 0,
                         .signs = true};
    p->own = k;
    if (read_wish(p, k, request, &from, err) != WA_OK ||
        (k->is_import || (k->is_upload && from.n > 0)
             ? open_repository(p, k, from, err)
             : wa_local_anchors(p, &k->anchors, err)) != WA_OK)
        return err->code;
    if (k->from != NULL)
        wa_client_set_stop(k->from, wa_client_stop(client));
    const struct wa_intake_options o = {.from = k->is_upload      ? NULL
                                                : k->from != NULL ? k->from
                                                                  : client,
                                        .base = k->from != NULL ? "" : "/wapt",
                                        .files = k->files,
                                        .file_count = k->file_count,
                                        .file_names = k->names,
                                        .anchors = k->anchors,
                                        .here = client,
                                        .wish = &k->wish};
    if (wa_intake_open(&o, &k->in, err) != WA_OK)
        return err->code;
    return k->is_offers ? show_offers(p, k, from, err) : show(p, k, wa_client_stop(client), err);
}

/* --- the work --- */

static enum wa_code send(struct wa_local_prepared *p, const char *path,
                         const struct wa_import_item *item, const struct intake *k,
                         struct wa_client *client, struct wa_local_changes *ours,
                         struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    WA_AUTO_CONTROL struct wa_control c;
    struct wa_fd_source source;
    char name[2 * WA_NAME_MAX + 1];
    wa_control_init(&c);
    if (wa_control_copy(item->entry, &c, err) != WA_OK ||
        wa_control_set(&c, WA_A_PACKAGE, wa_sv(item->package), err) != WA_OK ||
        wa_control_set(&c, WA_A_MATURITY, wa_sv(wa_import_maturity(&k->wish, item)), err) !=
            WA_OK ||
        wa_control_filename(&c, NULL, name, err) != WA_OK ||
        wa_path_open(path, &fd, err) != WA_OK || wa_fd_source_init(&source, fd, err) != WA_OK)
        return err->code;
    const struct wa_upload_job job = {
        .file = &source.base, .name = name, .progress = wa_local_goes_on, .user = p};
    if (wa_client_publish(client, &job, err) != WA_OK)
        return err->code;
    wa_local_changes_add(ours, wa_sv(name));
    return WA_OK;
}

static enum wa_code remove_old(const struct wa_import_item *item, struct wa_client *client,
                               struct wa_local_changes *ours, struct wa_err *err)
{
    struct wa_sv file = {NULL, 0};
    if (wa_intake_remove_old(client, item, &file, err) != WA_OK)
        return err->code;
    wa_local_changes_add(ours, file);
    return WA_OK;
}

static enum wa_code take(struct wa_local_prepared *p, size_t i, const struct wa_signer *signer,
                         struct wa_client *client, struct wa_local_changes *ours,
                         struct wa_err *err)
{
    struct intake *k = p->own;
    const struct wa_import_item *item = &wa_intake_plan(k->in)->items[i];
    char path[WA_PATH_MAX];
    atomic_store(&p->step, i + 1);
    if (!wa_local_goes_on(p, 0, 0))
        return wa_fail(err, WA_E_CANCELLED, "stopped before it was its turn");
    if (wa_intake_fetch(k->in, i, NULL, err) != WA_OK ||
        wa_intake_sign(k->in, i, k->signs ? signer : NULL, path, err) != WA_OK ||
        send(p, path, item, k, client, ours, err) != WA_OK)
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
    atomic_store(&p->steps, plan->n);
    if (k->from == NULL)
        wa_intake_reach(k->in, client); /* the session may be another one by now */
    else
        wa_client_set_stop(k->from, wa_client_stop(client));
    wa_jw_key(w, "packages");
    wa_jw_arr(w);
    for (size_t i = 0; i < plan->n; i++) {
        struct wa_err why = WA_ERR_INIT;
        if (take(p, i, signer, client, &ours, &why) == WA_E_AUTH) {
            *err = why;
            return err->code;
        }
        failed += why.code != WA_OK;
        wa_jw_obj(w);
        wa_intake_write_item(&k->wish, &plan->items[i], w);
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
        .gesture = WA_LOCAL_GESTURE_ALWAYS, .can_stop = true                                       \
    }

static enum wa_code commit_offers(struct wa_local_prepared *p, const struct wa_signer *signer,
                                  struct wa_client *client, struct wa_jw *w, struct wa_err *err)
{
    WA_UNUSED(p);
    WA_UNUSED(signer);
    WA_UNUSED(client);
    WA_UNUSED(w);
    return wa_fail(err, WA_E_INVALID, "offers are only shown");
}

const struct wa_local_kind wa_local_kind_offers = {.what = WA_TEXT("offers"),
                                                   .prepare = prepare,
                                                   .commit = commit_offers,
                                                   .discard = discard,
                                                   .gesture = WA_LOCAL_GESTURE_NEVER,
                                                   .is_unsigned = true};
const struct wa_local_kind wa_local_kind_import = INTAKE(WA_TEXT("import"));
const struct wa_local_kind wa_local_kind_promote = INTAKE(WA_TEXT("promote"));
const struct wa_local_kind wa_local_kind_resign = INTAKE(WA_TEXT("resign"));
const struct wa_local_kind wa_local_kind_upload = INTAKE(WA_TEXT("upload"));

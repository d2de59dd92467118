/* api_packages.c - uploads and deletions: a front has written the file, the scan process judges it
 * and puts it in its place.
 */
#include "base/mem.h"
#include "server/api.h"

/* What the scan process was asked for, and by whom. */
struct scanning {
    struct wa_store_request *request;
    const char *op;
    char user[WA_NAME_MAX + 1];
    char uuid[WA_UUID_MAX + 1]; /* of a host package, else "" */
};

/* The repository has it already: what the journal can't take is an error of the server's, not of
 * the upload. */
static void note(struct wa_store *s, const struct scanning *k, struct wa_sv file,
                 struct wa_sv names)
{
    struct wa_err err = WA_ERR_INIT;
    const struct wa_journal_act act = {
        .act = "package.changed",
        .user = wa_sv(k->user),
        .peer = k->request->peer,
        .what = {{"op", wa_sv(k->op)}, {"path", wa_sv(k->request->path)}, {"file", file}}};
    if (wa_db_begin(s->db, &err) == WA_OK && wa_store_note(s, &act, &err) == WA_OK &&
        (k->uuid[0] == '\0' || (wa_store_set_names(s->db, wa_sv(k->uuid), names, &err) == WA_OK &&
                                wa_node_tell(s, WA_NODE_HOST, wa_sv(k->uuid), &err) == WA_OK)) &&
        wa_db_commit(s->db, &err) == WA_OK &&
        wa_fleet_set_names(s->fleet, wa_sv(k->uuid), names, &err) == WA_OK)
        return;
    wa_db_rollback(s->db);
    wa_log_err(&s->child.log, WA_LOG_ERROR, "journal.failed", &err);
}

/* What is one machine's own is told as such: perimeters cut by it. */
static void tell(struct wa_store *s, const struct scanning *k, struct wa_sv file)
{
    struct wa_sv uuid = WA_SV(""), path = wa_sv(k->request->path);
    const struct wa_sv own = WA_SV("/api/v1/host-packages/");
    if (strcmp(k->op, "accept-host") == 0)
        uuid = wa_sv_sub(path, own.n, path.n);
    if (wa_sv_ends(uuid, ".wapt"))
        uuid.n -= 5;
    wa_store_event(s, WA_EVENT_PACKAGE, strcmp(k->op, "delete") == 0 ? "deleted" : "published",
                   uuid, file, WA_SV(""));
}

static void on_scanned(struct wa_store *s, void *user, struct wa_sv payload)
{
    struct scanning *k = user;
    struct wa_store_request *r = k->request;
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_err err = WA_ERR_INIT;
    char code[32] = "";
    wa_arena_init(&arena, 1u << 20);
    if (wa_json_parse(payload, 0, &arena, &j, &err) == WA_OK) {
        (void)snprintf(code, sizeof code, "%.*s", WA_SV_ARG(wa_json_sv(wa_json_get(j, "code"))));
        enum wa_code c = wa_code_from_name(code);
        if (c != WA_OK)
            (void)wa_fail(&err, c, "%.*s", WA_SV_ARG(wa_json_sv(wa_json_get(j, "message"))));
    }
    if (err.code == WA_OK) {
        note(s, k, wa_json_sv(wa_json_get(j, "file")), wa_json_sv(wa_json_get(j, "text")));
        tell(s, k, wa_json_sv(wa_json_get(j, "file")));
    }
    wa_log(&s->child.log, err.code == WA_OK ? WA_LOG_INFO : WA_LOG_WARNING,
           err.code == WA_OK ? "package.changed" : "package.refused", WA_LF_S("op", k->op),
           WA_LF_S("user", k->user), WA_LF_S("peer", r->peer), WA_LF_S("path", r->path),
           WA_LF_SV("file", wa_json_sv(wa_json_get(j, "file"))), WA_LF_S("why", err.text));
    if (err.code == WA_OK)
        wa_store_answer(r, 200, payload);
    else
        wa_store_answer_err(r, &err);
    if (err.code == WA_OK && (strcmp(k->op, "root") == 0 || strcmp(k->op, "published") == 0))
        wa_store_stamp(s, true);
    wa_free(k);
}

static enum wa_code ask_scan(struct wa_api_call *c, const char *op, struct wa_sv file,
                             struct wa_sv name, struct wa_err *err)
{
    struct wa_store *s = c->store;
    WA_AUTO_BUF struct wa_buf question;
    struct wa_jw w;
    wa_buf_init(&question, 8192 + 2 * WA_PERIMETER_BYTES_MAX);
    wa_jw_init(&w, &question);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "op", op);
    wa_jw_kvsv(&w, "file", file);
    wa_jw_kvsv(&w, "name", name);
    wa_jw_kvb(&w, "code", (c->who.rights & WA_MAY_UPLOAD_CODE) != 0);
    wa_jw_kvsv(&w, "perimeter", wa_buf_sv(&c->who.perimeter));
    wa_jw_end(&w);
    if (wa_buf_check(&question, err) != WA_OK)
        return err->code;
    struct scanning *k = wa_calloc(1, sizeof *k);
    if (k == NULL)
        return wa_nomem(err);
    *k = (struct scanning){.request = c->request, .op = op};
    if (strcmp(op, "accept-host") == 0)
        (void)snprintf(k->uuid, sizeof k->uuid, "%.*s", WA_SV_ARG(name));
    (void)snprintf(k->user, sizeof k->user, "%s", c->who.user);
    if (wa_store_ask(s, s->scan, WA_S_SCAN, wa_buf_sv(&question), on_scanned, k, err) != WA_OK) {
        wa_free(k);
        return err->code;
    }
    c->is_later = true;
    return WA_OK;
}

/* The upload that a front has written: its name in incoming/. */
static enum wa_code uploaded(const struct wa_api_call *c, struct wa_sv *ret, struct wa_err *err)
{
    struct wa_sv body = wa_buf_sv(&c->request->body);
    if (!wa_sv_starts(body, "incoming/") || !wa_sv_ends(body, ".part"))
        return wa_fail(err, WA_E_INTERNAL, "an upload that no front has written");
    *ret = body;
    return WA_OK;
}

static enum wa_code call_put_package(struct wa_api_call *c, struct wa_err *err)
{
    struct wa_sv part = {NULL, 0};
    return uploaded(c, &part, err) == WA_OK ? ask_scan(c, "accept", part, wa_sv(c->args[0]), err)
                                            : err->code;
}

static enum wa_code call_put_host_package(struct wa_api_call *c, struct wa_err *err)
{
    struct wa_sv part = {NULL, 0}, name = wa_sv(c->args[0]);
    char uuid[WA_RELPATH_MAX + 1];
    if (wa_sv_ends(name, ".wapt"))
        name.n -= 5;
    (void)snprintf(uuid, sizeof uuid, "%.*s", WA_SV_ARG(name));
    return wa_api_need_host(c, uuid, err) == WA_OK && uploaded(c, &part, err) == WA_OK
               ? ask_scan(c, "accept-host", part, name, err)
               : err->code;
}

static enum wa_code call_put_document(struct wa_api_call *c, struct wa_err *err)
{
    struct wa_sv part = {NULL, 0};
    bool is_root = wa_sv_ends(wa_sv(c->request->path), "/root");
    return uploaded(c, &part, err) == WA_OK
               ? ask_scan(c, is_root ? "root" : "published", part, WA_SV(""), err)
               : err->code;
}

static enum wa_code call_delete_package(struct wa_api_call *c, struct wa_err *err)
{
    char file[WA_RELPATH_MAX + 8];
    if (!wa_sv_ends(wa_sv(c->args[0]), ".wapt"))
        return wa_fail(err, WA_E_USAGE, "'%s' is not the name of a package's file", c->args[0]);
    (void)snprintf(file, sizeof file, "wapt/%s", c->args[0]);
    return ask_scan(c, "delete", wa_sv(file), WA_SV(""), err);
}

/* --- the calls --- */

static const struct wa_api_route routes[] = {
    {"PUT", "/api/v1/packages/{file}", WA_MAY_UPLOAD_PLAIN, false, call_put_package,
     "Publish a package", NULL, "Package", "Placed"},
    {"DELETE", "/api/v1/packages/{file}", WA_MAY_DELETE_PACKAGES, false, call_delete_package,
     "Delete a package", NULL, NULL, "Placed"},
    {"PUT", "/api/v1/host-packages/{uuid}", WA_MAY_UPLOAD_PLAIN, false, call_put_host_package,
     "Publish a machine's own package", NULL, "Package", "Placed"},
    {"PUT", "/api/v1/repository/root", WA_MAY_PUBLISH, false, call_put_document,
     "Publish a new root document", NULL, "Document", "Placed"},
    {"PUT", "/api/v1/repository/published", WA_MAY_PUBLISH, false, call_put_document,
     "Publish the signed list of packages", NULL, "Document", "Placed"},
};
const struct wa_api_resource wa_api_packages_calls = {routes, WA_COUNT(routes)};

/* openapi.c - the description of the API, made from the table of calls: what is not in the table
 * does not exist, and what is there is described.
 */
#include "server/api_list.h"
#include "server/schemas.h"

struct wa_sv wa_api_schemas(void)
{
    return wa_sv_n(wa_api_schemas_text, wa_api_schemas_bytes);
}

static void write_content(struct wa_jw *w, const char *type, const char *key, const char *value)
{
    wa_jw_key(w, type);
    wa_jw_obj(w);
    wa_jw_key(w, "schema");
    wa_jw_obj(w);
    wa_jw_kv(w, key, value);
    wa_jw_end(w);
    wa_jw_end(w);
}

/* is_list: it comes as a table too. */
static void write_ref(struct wa_jw *w, const char *about, const char *schema, bool is_list)
{
    char ref[64];
    const char *type = strcmp(schema, "Bytes") == 0     ? "application/octet-stream"
                       : strcmp(schema, "Metrics") == 0 ? "text/plain"
                       : strcmp(schema, "Health") == 0  ? "text/plain"
                       : strcmp(schema, "Events") == 0  ? "text/event-stream"
                                                        : "application/json";
    (void)snprintf(ref, sizeof ref, "#/components/schemas/%s", schema);
    wa_jw_kv(w, "description", about);
    wa_jw_key(w, "content");
    wa_jw_obj(w);
    write_content(w, type, "$ref", ref);
    if (is_list || strcmp(schema, "Rows") == 0)
        write_content(w, "text/csv", "type", "string");
    wa_jw_end(w);
}

static void write_param(struct wa_jw *w, struct wa_sv name, const char *in, const char *about,
                        bool is_number)
{
    wa_jw_obj(w);
    wa_jw_kvsv(w, "name", name);
    wa_jw_kv(w, "in", in);
    if (strcmp(in, "path") == 0)
        wa_jw_kvb(w, "required", true);
    if (about != NULL)
        wa_jw_kv(w, "description", about);
    wa_jw_key(w, "schema");
    wa_jw_obj(w);
    wa_jw_kv(w, "type", is_number ? "integer" : "string");
    wa_jw_end(w);
    wa_jw_end(w);
}

static void write_params(struct wa_jw *w, const struct wa_api_route *r, bool is_list)
{
    struct wa_sv rest = wa_sv(r->path), part;
    wa_jw_key(w, "parameters");
    wa_jw_arr(w);
    while (wa_sv_split(&rest, '/', &part))
        if (wa_sv_starts(part, "{"))
            write_param(w, wa_sv_sub(part, 1, part.n - 2), "path", NULL, false);
    for (const struct wa_api_param *p = r->params; p != NULL && p->name != NULL; p++)
        write_param(w, wa_sv(p->name), "query", p->about, p->is_number);
    if (is_list)
        write_param(w, wa_sv(WA_API_FORMAT), "query",
                    "json, or csv: a table, all of the list unless there is a limit", false);
    wa_jw_end(w);
}

static void write_answers(struct wa_jw *w, const struct wa_api_route *r, bool is_list)
{
    wa_jw_key(w, "responses");
    wa_jw_obj(w);
    wa_jw_key(w, "200");
    wa_jw_obj(w);
    write_ref(w, "done", r->gives, is_list);
    wa_jw_end(w);
    wa_jw_key(w, "default");
    wa_jw_obj(w);
    write_ref(w, "not done: the status says what kind, the text why", "Error", false);
    wa_jw_end(w);
    wa_jw_end(w);
}

/* "get_hosts_by_uuid" */
static void write_name(struct wa_jw *w, const char *method, const char *path)
{
    WA_AUTO_BUF struct wa_buf name;
    struct wa_sv rest = wa_sv(path), part;
    wa_buf_init(&name, 512);
    wa_buf_adds(&name, method);
    while (wa_sv_split(&rest, '/', &part)) {
        bool is_place = wa_sv_starts(part, "{");
        if (part.n == 0 || wa_sv_eqs(part, "api") || wa_sv_eqs(part, "v1"))
            continue;
        wa_buf_adds(&name, is_place ? "_by_" : "_");
        for (size_t i = is_place; i < part.n - is_place; i++)
            wa_buf_addc(&name, part.p[i] == '-' || part.p[i] == '.' ? '_' : part.p[i]);
    }
    wa_jw_kvsv(w, "operationId", wa_buf_sv(&name));
}

static void write_call(struct wa_jw *w, const struct wa_api_route *r, const struct wa_json *schemas)
{
    bool is_list = wa_api_is_list(r, schemas);
    char holders[160], method[8];
    wa_right_holders(r->right, holders, sizeof holders);
    (void)snprintf(method, sizeof method, "%s", r->method);
    for (char *p = method; *p != '\0'; p++)
        *p = (char)(*p | 0x20); /* "get" */
    wa_jw_key(w, method);
    wa_jw_obj(w);
    write_name(w, method, r->path);
    wa_jw_kv(w, "summary", r->about);
    wa_jw_kv(w, "description",
             r->is_open      ? "Needs no session."
             : r->right == 0 ? "Whoever has a session."
                             : holders);
    if (r->is_open) {
        wa_jw_key(w, "security");
        wa_jw_arr(w);
        wa_jw_end(w);
    }
    write_params(w, r, is_list);
    if (r->takes != NULL) {
        wa_jw_key(w, "requestBody");
        wa_jw_obj(w);
        wa_jw_kvb(w, "required", true);
        write_ref(w, r->takes, r->takes, false);
        wa_jw_end(w);
    }
    write_answers(w, r, is_list);
    wa_jw_end(w);
}

/* Calls of the same path stand together, where the first of them does. */
static void write_paths(struct wa_jw *w, const struct wa_json *schemas)
{
    const struct wa_api_route *r, *o;
    wa_jw_key(w, "paths");
    wa_jw_obj(w);
    for (size_t i = 0; (r = wa_api_route_at(i)) != NULL; i++) {
        size_t first = 0;
        while (strcmp(wa_api_route_at(first)->path, r->path) != 0)
            first++;
        if (first != i)
            continue;
        wa_jw_key(w, r->path);
        wa_jw_obj(w);
        for (size_t k = i; (o = wa_api_route_at(k)) != NULL; k++)
            if (strcmp(o->path, r->path) == 0)
                write_call(w, o, schemas);
        wa_jw_end(w);
    }
    wa_jw_end(w);
}

enum wa_code wa_api_describe(struct wa_buf *out, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *schemas = NULL;
    struct wa_jw w;
    wa_arena_init(&arena, 16u << 20);
    if (wa_api_read_schemas(&arena, &schemas, err) != WA_OK)
        return err->code;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "openapi", "3.1.0");
    wa_jw_key(&w, "info");
    wa_jw_obj(&w);
    wa_jw_kv(&w, "title", "waptserver");
    wa_jw_kv(&w, "version", WA_VERSION);
    wa_jw_end(&w);
    write_paths(&w, schemas);
    wa_jw_key(&w, "security");
    wa_jw_raw(&w, WA_SV("[{\"session\":[]}]"));
    wa_jw_key(&w, "components");
    wa_jw_obj(&w);
    wa_jw_key(&w, "securitySchemes");
    wa_jw_raw(&w, WA_SV("{\"session\":{\"type\":\"http\",\"scheme\":\"bearer\"}}"));
    wa_jw_key(&w, "schemas");
    wa_jw_raw(&w, wa_api_schemas());
    wa_jw_end(&w);
    wa_jw_end(&w);
    return wa_buf_check(out, err);
}

static enum wa_code call_openapi(struct wa_api_call *c, struct wa_err *err)
{
    return wa_api_describe(c->out, err);
}

/* --- the calls --- */

static const struct wa_api_route routes[] = {
    {"GET", "/api/v1/openapi.json", 0, false, call_openapi, "This description", NULL, NULL,
     "Description"},
};
const struct wa_api_resource wa_api_openapi_calls = {routes, WA_COUNT(routes)};

/* openapi.c - the description of the API, made from the table of calls: what is not in the table
 * does not exist, and what is there is described.
 */
#include "server/api_list.h"

/* What bodies look like. Answers may gain members; requests take exactly these. */
static const char general[] =
    "\"Nothing\":{\"type\":\"object\"},"
    "\"Error\":{\"type\":\"object\",\"required\":[\"error\"],\"properties\":{\"error\":{"
    "\"type\":\"object\",\"required\":[\"code\",\"message\"],\"properties\":{\"code\":{"
    "\"type\":\"string\"},\"message\":{\"type\":\"string\"}}}}},"
    "\"Hosts\":{\"type\":\"object\",\"required\":[\"total\",\"hosts\"],\"properties\":{"
    "\"total\":{\"type\":\"integer\",\"description\":\"all that match\"},"
    "\"hosts\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":[\"uuid\",\"na"
    "me\",\"fqdn\",\"os\",\"status\",\"audit\",\"description\",\"ips\",\"users\",\"manufactur"
    "er\",\"model\",\"serial\",\"agent\",\"domain\",\"site\",\"unit\",\"reachable\",\"last_se"
    "en\",\"registered_at\",\"groups\"],\"properties\":{\"uuid\":{\"type\":\"string\"},\"name"
    "\":{\"type\":\"string\"},\"fqdn\":{\"type\":\"string\"},\"os\":{\"type\":\"string\"},\"s"
    "tatus\":{\"type\":\"string\"},\"audit\":{\"type\":\"string\"},\"description\":{\"type\":"
    "\"string\"},\"ips\":{\"type\":\"string\"},\"users\":{\"type\":\"string\"},\"manufacturer"
    "\":{\"type\":\"string\"},\"model\":{\"type\":\"string\"},\"serial\":{\"type\":\"string\""
    "},\"agent\":{\"type\":\"string\"},\"domain\":{\"type\":\"string\"},\"site\":{\"type\":\""
    "string\"},\"unit\":{\"type\":\"string\"},\"reachable\":{\"type\":\"boolean\"},\"last_see"
    "n\":{\"type\":\"integer\"},\"registered_at\":{\"type\":\"integer\"},\"groups\":{\"type\""
    ":\"array\",\"items\":{\"type\":\"string\"},\"description\":\"groups, profiles and units "
    "of its own signed package\"}}}},\"next\":{\"$ref\":\"#/components/schemas/Next\"}}},\"Ne"
    "xt\":{\"type\":\"string\",\"description\":\"where the next page begins, for 'after'; abs"
    "ent after the last row\"},\"HostFacets\":{\"type\":\"object\",\"required\":[\"facets\"],"
    "\"properties\":{\"facets\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"required"
    "\":[\"by\",\"value\",\"count\"],\"properties\":{\"by\":{\"type\":\"string\"},\"value\":{"
    "\"type\":\"string\"},\"count\":{\"type\":\"integer\"}}}}}},"
    "\"Host\":{\"type\":\"object\",\"description\":\"by section; all of it is what the machine "
    "says\"},"
    "\"Orders\":{\"type\":\"object\",\"required\":[\"orders\"],\"additionalProperties\":false,"
    "\"properties\":{\"orders\":{\"type\":\"array\",\"maxItems\":10000,\"items\":{\"type\":"
    "\"object\",\"description\":\"signed by an administrator\"}}}},"
    "\"Batch\":{\"type\":\"object\",\"required\":[\"actions\"],\"properties\":{"
    "\"total\":{\"type\":\"integer\"},\"next\":{\"$ref\":\"#/components/schemas/Next\"},"
    "\"batch\":{\"type\":"
    "\"string\"},\"actions\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":["
    "\"id\",\"uuid\",\"state\"],\"properties\":{\"id\":{\"type\":\"string\"},\"uuid\":{\"type\":"
    "\"string\"},\"name\":{\"type\":\"string\"},\"state\":{\"type\":\"string\"},\"code\":{\"type\":"
    "\"string\"},\"message\":{\"type\":\"string\"},\"kind\":{\"type\":\"string\"},"
    "\"not_after\":{\"type\":\"integer\"},\"updated\":{\"type\":\"integer\"},"
    "\"ring\":{\"type\":\"integer\"},\"created\":{\"type\":\"integer\"},\"batch\":{\"type\":"
    "\"string\"},\"packages\":{\"type\":\"array\"}}}},\"counts\":{\"type\":"
    "\"object\",\"description\":\"how "
    "many are in which state\"}}},";

static const char of_packages[] =
    "\"Bytes\":{\"type\":\"string\",\"format\":\"binary\"},"
    "\"UploadBegin\":{\"type\":\"object\",\"required\":[\"size\",\"sha256\"],"
    "\"additionalProperties\":false,\"properties\":{\"name\":{\"type\":\"string\",\"description\":"
    "\"of the package's file\"},\"host\":{\"type\":\"string\",\"description\":\"instead: the "
    "machine whose own package it is\"},\"size\":{\"type\":\"integer\"},\"sha256\":{\"type\":"
    "\"string\"}}},"
    "\"Upload\":{\"type\":\"object\",\"required\":[\"id\",\"name\",\"size\",\"sha256\",\"state\"],"
    "\"properties\":{\"id\":{\"type\":\"string\"},\"name\":{\"type\":\"string\"},\"host\":{"
    "\"type\":\"string\"},\"size\":{\"type\":\"integer\"},\"sha256\":{\"type\":\"string\"},"
    "\"offset\":{\"type\":\"integer\",\"description\":\"bytes that are there: the next piece "
    "begins there\"},\"state\":{\"type\":\"string\",\"enum\":[\"open\",\"judged\",\"published\","
    "\"refused\"]},\"code\":{\"type\":\"string\"},\"message\":{\"type\":\"string\"},"
    "\"created\":{\"type\":\"integer\"}}},"
    "\"Uploads\":{\"type\":\"object\",\"required\":[\"uploads\"],\"properties\":{"
    "\"total\":{\"type\":\"integer\"},\"next\":{\"$ref\":\"#/components/schemas/"
    "Next\"},"
    "\"uploads\":{"
    "\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/Upload\"}}}},"
    "\"Packages\":{\"type\":\"object\",\"required\":[\"total\",\"packages\"],\"properties\":{"
    "\"total\":{\"type\":\"integer\",\"description\":\"all that match\"},"
    "\"next\":{\"$ref\":\"#/components/schemas/Next\"},"
    "\"packages\":{\"type\":"
    "\"array\",\"items\":{\"type\":\"object\",\"required\":[\"package\",\"version\",\"file\"],"
    "\"properties\":{\"package\":{\"type\":\"string\"},\"version\":{\"type\":\"string\"},"
    "\"architecture\":{\"type\":\"string\"},\"section\":{\"type\":\"string\"},\"maturity\":{"
    "\"type\":"
    "\"string\"},\"locale\":{\"type\":\"string\"},\"target_os\":{\"type\":\"string\"},\"name\":{"
    "\"type\":\"string\"},\"description\":{\"type\":\"string\"},\"depends\":{\"type\":\"string\"},"
    "\"conflicts\":{\"type\":\"string\"},\"size\":{\"type\":\"integer\"},\"signer\":{\"type\":"
    "\"string\"},\"signer_fingerprint\":{\"type\":\"string\"},\"signature_date\":{\"type\":"
    "\"string\"},\"package_uuid\":{\"type\":\"string\",\"description\":\"its icon: "
    "/wapt/icons/"
    "UUID.png\"},\"file\":{\"type\":\"string\"},\"is_newest\":{\"type\":\"boolean\"}}}}}},"
    "\"Signer\":{\"type\":\"object\",\"required\":[\"certificate\"],\"additionalProperties\":false,"
    "\"properties\":{\"certificate\":{\"type\":\"string\",\"description\":\"PEM\"}}},"
    "\"Signers\":{\"type\":\"object\",\"required\":[\"signers\"],\"properties\":{"
    "\"total\":{\"type\":\"integer\"},\"next\":{\"$ref\":\"#/components/schemas/"
    "Next\"},"
    "\"signers\":{"
    "\"type\":"
    "\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"fingerprint\":{\"type\":\"string\"}"
    ","
    "\"name\":{\"type\":\"string\"},\"subject\":{\"type\":\"string\"},\"not_after\":{\"type\":"
    "\"integer\"},\"is_authority\":{\"type\":\"boolean\"}}}}}},"
    "\"Document\":{\"type\":\"object\",\"description\":\"signed, as wapt-repo writes it\"},"
    "\"NewEnrolToken\":{\"type\":\"object\",\"required\":[\"server_fingerprint\"],"
    "\"additionalProperties\":false,\"properties\":{\"server_fingerprint\":{\"type\":\"string\","
    "\"description\":\"SHA-256 of the certificate by which the machines shall know this server\"},"
    "\"uses\":{\"type\":\"integer\"},\"seconds\":{\"type\":\"integer\"}}},"
    "\"Placed\":{\"type\":\"object\",\"required\":[\"code\",\"message\",\"file\"],\"properties\":{"
    "\"code\":{\"type\":\"string\"},\"message\":{\"type\":\"string\"},\"file\":{\"type\":"
    "\"string\"}}},";

static const char of_inventory[] =
    "\"History\":{\"type\":\"object\",\"required\":[\"events\"],\"properties\":{"
    "\"next\":{\"$ref\":\"#/components/schemas/Next\"},"
    "\"events\":{"
    "\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":[\"seq\",\"at\",\"event\","
    "\"package\",\"version\",\"was\",\"status\"],\"properties\":{\"seq\":{\"type\":\"integer\"},"
    "\"at\":{\"type\":\"integer\"},\"event\":{\"enum\":[\"installed\",\"upgraded\",\"repaired\","
    "\"failed\",\"removed\",\"audited\"]},\"package\":{\"type\":\"string\"},\"version\":{"
    "\"type\":\"string\"},\"was\":{\"type\":\"string\",\"description\":\"the version "
    "before\"},\"status\":{\"type\":\"string\"}}}}}},"
    "\"Reports\":{\"type\":\"object\",\"required\":[\"reports\"],\"properties\":{"
    "\"total\":{\"type\":\"integer\"},\"next\":{\"$ref\":\"#/components/schemas/"
    "Next\"},"
    "\"reports\":{"
    "\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":[\"name\",\"about\",\"query\","
    "\"author\",\"changed_at\"],\"properties\":{\"name\":{\"type\":\"string\"},\"about\":{"
    "\"type\":\"string\"},\"query\":{\"type\":\"string\"},\"author\":{\"type\":\"string\"},"
    "\"changed_at\":{\"type\":\"integer\"}}}}}},"
    "\"Report\":{\"type\":\"object\",\"required\":[\"query\"],\"additionalProperties\":false,"
    "\"properties\":{\"query\":{\"type\":\"string\",\"maxLength\":16384,\"description\":\"one "
    "SELECT over the views of docs/reports.md\"},\"about\":{\"type\":\"string\"}}},"
    "\"Rows\":{\"type\":\"object\",\"required\":[\"columns\",\"rows\",\"is_cut\"],\"properties\":"
    "{\"columns\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}},\"rows\":{\"type\":"
    "\"array\",\"items\":{\"type\":\"array\"}},\"is_cut\":{\"type\":\"boolean\",\"description\":"
    "\"there were more rows\"}}},"
    "\"SoftwareNames\":{\"type\":\"object\",\"required\":[\"names\"],\"additionalProperties\":"
    "false,\"properties\":{\"names\":{\"type\":\"array\",\"maxItems\":1000,\"items\":{\"type\":"
    "\"object\",\"required\":[\"pattern\",\"name\"],\"additionalProperties\":false,"
    "\"properties\":{\"pattern\":{\"type\":\"string\",\"maxLength\":255},\"name\":{\"type\":"
    "\"string\",\"maxLength\":255}}}}}},"
    "\"Software\":{\"type\":\"object\",\"required\":[\"software\"],\"properties\":{"
    "\"next\":{\"$ref\":\"#/components/schemas/Next\"},"
    "\"software\":{"
    "\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":[\"name\",\"version\","
    "\"publisher\",\"machines\"],\"properties\":{\"name\":{\"type\":\"string\"},\"version\":{"
    "\"type\":\"string\"},\"publisher\":{\"type\":\"string\"},\"machines\":{\"type\":"
    "\"integer\"}}}}}},"
    "\"PackageStates\":{\"type\":\"object\",\"required\":[\"packages\"],\"properties\":{"
    "\"next\":{\"$ref\":\"#/components/schemas/Next\"},"
    ""
    "\"packages\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":[\"package\","
    "\"version\",\"status\",\"machines\"],\"properties\":{\"package\":{\"type\":\"string\"},"
    "\"version\":{\"type\":\"string\"},\"status\":{\"type\":\"string\"},\"machines\":{\"type\":"
    "\"integer\"}}}}}},";

static const char of_the_server[] =
    "\"Journal\":{\"type\":\"object\",\"required\":[\"node\",\"entries\"],\"properties\":{"
    "\"next\":{\"$ref\":\"#/components/schemas/Next\"},"
    "\"node\":{\"type\":\"string\"},\"entries\":{\"type\":\"array\",\"items\":{\"type\":"
    "\"object\",\"required\":[\"seq\",\"at\",\"digest\",\"entry\"],\"properties\":{\"seq\":{"
    "\"type\":\"integer\"},\"at\":{\"type\":\"integer\"},\"digest\":{\"type\":\"string\"},"
    "\"entry\":{\"type\":\"string\",\"description\":\"JSON, as it is digested\"}}}}}},"
    "\"JournalHead\":{\"type\":\"object\",\"required\":[\"node\",\"seq\",\"digest\"],"
    "\"properties\":{\"node\":{\"type\":\"string\"},\"seq\":{\"type\":\"integer\"},"
    "\"digest\":{\"type\":\"string\"},\"seen\":{\"type\":\"string\",\"description\":\"of "
    "the entry that was asked for; absent when it is not there\"},\"trimmed\":{\"type\":"
    "\"integer\",\"description\":\"up to this one entries were exported and taken out\"},"
    "\"chains\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":[\"node\","
    "\"seq\",\"digest\"],\"properties\":{\"node\":{\"type\":\"string\"},\"seq\":{\"type\":"
    "\"integer\"},\"digest\":{\"type\":\"string\"}}}}}},"
    "\"Ready\":{\"type\":\"object\",\"required\":[\"ready\",\"database\",\"signer\",\"disk\"],"
    "\"properties\":{\"ready\":{\"type\":\"boolean\",\"description\":\"the status is 503 when it "
    "is not\"},\"database\":{\"type\":\"boolean\"},\"signer\":{\"type\":\"boolean\"},\"disk\":{"
    "\"type\":\"boolean\"}}},"
    "\"Metrics\":{\"type\":\"string\",\"description\":\"Prometheus text format 0.0.4\"},"
    "\"Events\":{\"type\":\"string\",\"description\":\"server-sent events: id, event (the "
    "kind, or reload, end) and data, which is JSON with id, at, kind, what, uuid, name, "
    "state\"},"
    "\"Description\":{\"type\":\"object\"}";

void wa_api_schemas(struct wa_buf *out)
{
    static const char *const own[] = {wa_api_session_schemas,  wa_api_people_schemas,
                                      wa_api_account_schemas,  wa_api_rollouts_schemas,
                                      wa_api_overview_schemas, wa_api_views_schemas,
                                      wa_api_webhooks_schemas};
    wa_buf_addf(out, "{%s%s%s%s", general, of_packages, of_inventory, of_the_server);
    for (size_t k = 0; k < WA_COUNT(own); k++)
        wa_buf_addf(out, ",%s", own[k]);
    wa_buf_addc(out, '}');
}

static void write_schemas(struct wa_jw *w)
{
    WA_AUTO_BUF struct wa_buf all;
    wa_buf_init(&all, 256u << 10);
    wa_api_schemas(&all);
    wa_jw_raw(w, wa_buf_sv(&all));
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
    write_schemas(&w);
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

/* api_packages.c - packages leave the repository; the signed documents come into it, whose file a
 * front has written. How packages come in is api_uploads.c.
 */
#include "crypto/digest.h"
#include "proto/hostid.h"
#include "server/api_page.h"
#include "server/store_scan.h"

static void on_changed(struct wa_store *s, struct wa_scanning *k, const struct wa_json *answer,
                       const struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf out;
    struct wa_err why = *err;
    bool is_document = strcmp(k->op, "root") == 0 || strcmp(k->op, "published") == 0;
    wa_buf_init(&out, 16384);
    wa_store_tell_change(s, k, wa_json_sv(wa_json_get(answer, "file")), WA_SV(""), err);
    wa_json_write(answer, &out);
    if (why.code == WA_OK && wa_buf_check(&out, &why) == WA_OK)
        wa_store_answer(k->request, 200, wa_buf_sv(&out));
    else
        wa_store_answer_err(k->request, &why);
    if (err->code == WA_OK && is_document)
        wa_store_stamp(s, true);
}

static enum wa_code call_put_document(struct wa_api_call *c, struct wa_err *err)
{
    struct wa_sv part = wa_buf_sv(&c->request->body);
    if (!wa_sv_starts(part, "incoming/") || !wa_sv_ends(part, ".part"))
        return wa_fail(err, WA_E_INTERNAL, "an upload that no front has written");
    const struct wa_scan_wish wish = {.file = part};
    bool is_root = wa_sv_ends(wa_sv(c->request->path), "/root");
    return wa_api_scan(c, WA_SR_SCAN, is_root ? "root" : "published", &wish, NULL, on_changed, err);
}

/* Whoever makes a root says by it who may stamp the time: this server, by this key. */
static enum wa_code call_timestamp_key(struct wa_api_call *c, struct wa_err *err)
{
    char sha256[65];
    struct wa_jw w;
    struct wa_sv pem = wa_sv(c->store->timestamp_public);
    if (wa_sha256_hex(pem.p, pem.n, sha256, err) != WA_OK)
        return err->code;
    wa_jw_init(&w, c->out);
    wa_jw_obj(&w);
    wa_jw_kvsv(&w, "key", pem);
    wa_jw_kv(&w, "sha256", sha256);
    wa_jw_end(&w);
    return wa_buf_check(c->out, err);
}

static enum wa_code call_delete_package(struct wa_api_call *c, struct wa_err *err)
{
    char file[WA_RELPATH_MAX + 8];
    if (!wa_sv_ends(wa_sv(c->args[0]), ".wapt"))
        return wa_fail(err, WA_E_USAGE, "'%s' is not the name of a package's file", c->args[0]);
    (void)snprintf(file, sizeof file, "wapt/%s", c->args[0]);
    const struct wa_scan_wish wish = {.file = wa_sv(file)};
    return wa_api_scan(c, WA_SR_SCAN, "delete", &wish, NULL, on_changed, err);
}

/* --- lists --- */

static const struct wa_api_param list_params[] = {
    {"search", "Words of name, description, keywords, editor or file", false},
    {"package", "Only those of that name", false},
    {"section", "Only those of that section", false},
    {"maturity", "Only those of that maturity", false},
    {"architecture", "Only those of that architecture", false},
    {"signer", "Only those that somebody of that name, or fingerprint, has signed", false},
    {"newest", "1: no older versions", true},
    {"sort", "package, size, section, signed, uuid; before it '-' for the other way", false},
    WA_API_PAGE_PARAMS,
    WA_API_OFFSET_PARAM,
    {NULL, NULL, false}};

static enum wa_code call_list(struct wa_api_call *c, struct wa_err *err)
{
    static const char *const texts[] = {"search",   "package",      "section",
                                        "maturity", "architecture", "signer"};
    WA_AUTO_BUF struct wa_buf query;
    char value[256];
    int64_t newest = 0;
    struct wa_api_page page;
    struct wa_jw w;
    wa_buf_init(&query, 16384);
    wa_jw_init(&w, &query);
    wa_jw_obj(&w);
    for (size_t i = 0; i < WA_COUNT(texts); i++) {
        if (wa_api_text(c, texts[i], value, sizeof value, err) != WA_OK)
            return err->code;
        wa_jw_kv(&w, texts[i], value);
    }
    if (wa_api_page_read(c, 1000, 2000, &page, err) != WA_OK ||
        wa_api_number(c, "newest", 0, 1, &newest, err) != WA_OK)
        return err->code;
    wa_jw_kv(&w, "sort", page.sort);
    wa_jw_kvb(&w, "newest", newest == 1);
    wa_jw_kvi(&w, "offset", page.offset);
    wa_jw_kvi(&w, "limit", page.limit);
    wa_jw_kv(&w, "after", page.has_after ? page.id : "");
    wa_jw_kv(&w, "after_count", page.has_after ? page.value : "");
    wa_jw_end(&w);
    if (wa_buf_check(&query, err) != WA_OK)
        return err->code;
    const struct wa_scan_wish wish = {.text = wa_buf_sv(&query)};
    return wa_api_scan(c, WA_SR_SCAN, "list", &wish, NULL, wa_store_answer_list, err);
}

/* --- machines' own --- */

static enum wa_code file_of(const struct wa_api_call *c, char out[WA_UUID_MAX + 32],
                            struct wa_err *err)
{
    if (!wa_hostid_is_valid(wa_sv(c->args[0])))
        return wa_fail(err, WA_E_USAGE, "'%s' is not the uuid of a host", c->args[0]);
    (void)snprintf(out, WA_UUID_MAX + 32, "wapt-host/%.64s.wapt", c->args[0]);
    return wa_api_need_host(c, c->args[0], err);
}

/* For people; machines fetch theirs as files. */
static enum wa_code call_get_host_package(struct wa_api_call *c, struct wa_err *err)
{
    char file[WA_UUID_MAX + 32];
    if (file_of(c, file, err) != WA_OK)
        return err->code;
    c->is_later = true;
    wa_store_answer_as(c->request, "file", wa_sv(file));
    return WA_OK;
}

static enum wa_code call_delete_host_package(struct wa_api_call *c, struct wa_err *err)
{
    char file[WA_UUID_MAX + 32];
    struct wa_upload none = {.size = 0};
    if (file_of(c, file, err) != WA_OK)
        return err->code;
    (void)snprintf(none.host, sizeof none.host, "%.64s",
                   c->args[0]); /* it is in nothing any more */
    const struct wa_scan_wish wish = {.file = wa_sv(file)};
    return wa_api_scan(c, WA_SR_SCAN, "delete", &wish, &none, on_changed, err);
}

/* --- the calls --- */

static const struct wa_api_route routes[] = {
    {"GET", "/api/v1/packages", WA_MAY_VIEW, false, call_list, "Packages, as a list", list_params,
     NULL, "Packages"},
    {"DELETE", "/api/v1/packages/{file}", WA_MAY_DELETE_PACKAGES, false, call_delete_package,
     "Delete a package", NULL, NULL, "Placed"},
    {"GET", "/api/v1/host-packages/{uuid}", WA_MAY_VIEW, false, call_get_host_package,
     "Fetch a machine's own package", NULL, NULL, "Bytes"},
    {"DELETE", "/api/v1/host-packages/{uuid}", WA_MAY_UPLOAD_PLAIN, false, call_delete_host_package,
     "Delete a machine's own package", NULL, NULL, "Placed"},
    {"GET", "/api/v1/repository/timestamp-key", WA_MAY_VIEW, false, call_timestamp_key,
     "The public key by which this server stamps the time, for the root", NULL, NULL,
     "TimestampKey"},
    {"PUT", "/api/v1/repository/root", WA_MAY_PUBLISH, false, call_put_document,
     "Publish a new root document", NULL, "Document", "Placed"},
    {"PUT", "/api/v1/repository/published", WA_MAY_PUBLISH, false, call_put_document,
     "Publish the signed list of packages", NULL, "Document", "Placed"},
};
const struct wa_api_resource wa_api_packages_calls = {routes, WA_COUNT(routes)};

/* api_search.c - what people ask of the inventory, from parameters to questions for the search
 * process. */
#include "server/api_search.h"

void wa_api_pattern(const char *text, bool is_whole, char out[WA_SEARCH_TEXT])
{
    bool is_part = !is_whole && strpbrk(text, "*?") == NULL;
    size_t n = 0;
    if (is_part)
        out[n++] = '%';
    for (; *text != '\0' && n + 4 < WA_SEARCH_TEXT; text++) {
        if (*text == '%' || *text == '_' || *text == '\\')
            out[n++] = '\\';
        out[n++] = *text == '*' ? '%' : *text == '?' ? '_' : *text;
    }
    if (is_part)
        out[n++] = '%';
    out[n] = '\0';
}

void wa_api_pattern_text(struct wa_sv like, char out[WA_SEARCH_TEXT])
{
    size_t n = 0;
    for (size_t i = 0; i < like.n && n + 1 < WA_SEARCH_TEXT; i++) {
        char c = like.p[i];
        if (c == '\\' && i + 1 < like.n)
            c = like.p[++i];
        else
            c = c == '%' ? '*' : c == '_' ? '?' : c;
        out[n++] = c;
    }
    out[n] = '\0';
}

/* The key after all versions of that key: none is longer. */
static void after(const char *key, char out[WA_VERSION_KEY + 1])
{
    (void)snprintf(out, WA_VERSION_KEY + 1, "%s0", key);
}

static enum wa_code read_limit(struct wa_sv one, char from[WA_VERSION_KEY + 1],
                               char below[WA_VERSION_KEY + 1], struct wa_err *err)
{
    char key[WA_VERSION_KEY];
    size_t n = 0;
    while (n < one.n && (one.p[n] == '<' || one.p[n] == '>' || one.p[n] == '='))
        n++;
    struct wa_sv sign = wa_sv_sub(one, 0, n), version = wa_sv_trim(wa_sv_sub(one, n, one.n));
    bool is_from = wa_sv_eqs(sign, ">="), is_above = wa_sv_eqs(sign, ">");
    bool is_below = wa_sv_eqs(sign, "<"), is_upto = wa_sv_eqs(sign, "<=");
    bool is_same = n == 0 || wa_sv_eqs(sign, "=") || wa_sv_eqs(sign, "==");
    bool is_version = version.n > 0 && (version.p[0] >= '0' && version.p[0] <= '9');
    if (!is_version || !(is_from || is_above || is_below || is_upto || is_same))
        return wa_fail(err, WA_E_USAGE, "versions are given like >=1.2,<2, not '%.*s'",
                       WA_SV_ARG(one));
    wa_inventory_version_key(version, key);
    if (is_from || is_same)
        memcpy(from, key, sizeof key);
    if (is_above)
        after(key, from);
    if (is_below)
        memcpy(below, key, sizeof key);
    if (is_upto || is_same)
        after(key, below);
    return WA_OK;
}

enum wa_code wa_api_range(const char *text, char from[WA_VERSION_KEY + 1],
                          char below[WA_VERSION_KEY + 1], struct wa_err *err)
{
    struct wa_sv rest = wa_sv(text), one;
    from[0] = below[0] = '\0';
    if (text[0] == '\0')
        return WA_OK;
    while (wa_sv_split(&rest, ',', &one))
        if (read_limit(wa_sv_trim(one), from, below, err) != WA_OK)
            return err->code;
    return WA_OK;
}

/* "model:latitude", or a text for any field. "12:34" is no field's. */
static void read_hardware(const char *text, struct wa_api_search *s)
{
    const char *colon = strchr(text, ':');
    s->field[0] = '\0';
    if (colon != NULL && (size_t)(colon - text) < sizeof s->field) {
        (void)snprintf(s->field, sizeof s->field, "%.*s", (int)(colon - text), text);
        if (wa_search_is_field(s->field))
            text = colon + 1;
        else
            s->field[0] = '\0';
    }
    s->hardware[0] = '\0';
    if (text[0] != '\0')
        wa_api_pattern(text, false, s->hardware);
}

static enum wa_code read_range(const struct wa_api_call *c, const char *name, const char *of,
                               char from[WA_VERSION_KEY + 1], char below[WA_VERSION_KEY + 1],
                               struct wa_err *err)
{
    char range[256];
    if (wa_api_text(c, name, range, sizeof range, err) != WA_OK)
        return err->code;
    if (range[0] != '\0' && of[0] == '\0')
        return wa_fail(err, WA_E_USAGE, "'%s' needs a name of what has the version", name);
    return wa_api_range(range, from, below, err);
}

enum wa_code wa_api_search_read(const struct wa_api_call *c, struct wa_api_search *s,
                                struct wa_err *err)
{
    char software[256], package[256], hardware[256];
    if (wa_api_text(c, "software", software, sizeof software, err) != WA_OK ||
        wa_api_text(c, "package", package, sizeof package, err) != WA_OK ||
        wa_api_text(c, "hardware", hardware, sizeof hardware, err) != WA_OK ||
        wa_api_text(c, "package_status", s->status, sizeof s->status, err) != WA_OK ||
        wa_api_text(c, "package_audit", s->audit, sizeof s->audit, err) != WA_OK ||
        read_range(c, "software_version", software, s->software_from, s->software_below, err) !=
            WA_OK ||
        read_range(c, "package_version", package, s->package_from, s->package_below, err) != WA_OK)
        return err->code;
    if (package[0] == '\0' && (s->status[0] != '\0' || s->audit[0] != '\0'))
        (void)snprintf(package, sizeof package, "*");
    s->software[0] = s->package[0] = '\0';
    if (software[0] != '\0')
        wa_api_pattern(software, false, s->software);
    if (package[0] != '\0')
        wa_api_pattern(package, true, s->package);
    read_hardware(hardware, s);
    s->hosts = (struct wa_search_hosts){.software = s->software,
                                        .software_from = s->software_from,
                                        .software_below = s->software_below,
                                        .package = s->package,
                                        .package_from = s->package_from,
                                        .package_below = s->package_below,
                                        .package_status = s->status,
                                        .package_audit = s->audit,
                                        .field = s->field,
                                        .hardware = s->hardware};
    return WA_OK;
}

/* Once for a request, however often it asks. */
static enum wa_code count(struct wa_store_request *r, struct wa_err *err)
{
    struct wa_store *s = r->store;
    size_t theirs = 0;
    if (r->is_search)
        return WA_OK;
    for (const struct wa_store_request *w = s->searches; w != NULL; w = w->next_search)
        theirs += strcmp(w->caller, r->caller) == 0;
    if (theirs >= WA_SEARCHES_EACH)
        return wa_fail(err, WA_E_BUSY, "%zu searches of '%s' are waiting already: wait for one",
                       theirs, r->caller);
    r->is_search = true;
    r->next_search = s->searches;
    s->searches = r;
    return WA_OK;
}

enum wa_code wa_api_search_ask(struct wa_store_request *r, const struct wa_buf *question,
                               wa_store_reply_fn fn, void *user, struct wa_err *err)
{
    return wa_buf_check(question, err) == WA_OK && count(r, err) == WA_OK
               ? wa_store_ask(r->store, WA_SR_SEARCH, wa_buf_sv(question), fn, user, err)
               : err->code;
}

void wa_api_answer_found(struct wa_store *s, void *user, struct wa_sv payload)
{
    struct wa_store_request *r = user;
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    WA_UNUSED(s);
    wa_arena_init(&arena, WA_IPC_MESSAGE_MAX * 4);
    if (wa_json_answer(payload, &arena, &j, &err) == WA_OK)
        wa_store_answer(r, 200, payload);
    else
        wa_store_answer_err(r, &err);
}

enum wa_code wa_api_among(const struct wa_api_call *c, struct wa_hostset *set, bool *ret_is_all,
                          struct wa_err *err)
{
    const struct wa_fleet_view *view = wa_api_view(c);
    *ret_is_all = view == NULL;
    return view == NULL ? WA_OK : wa_fleet_numbers(c->store->fleet, view, set, err);
}

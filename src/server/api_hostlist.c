/* api_hostlist.c - see the header. */
#include "server/api_hostlist.h"

#include "codec/csv.h"
#include "os/clock.h"
#include "server/orderers.h"

void wa_api_hostlist_fini(struct wa_api_hostlist *l)
{
    for (size_t i = 0; i < WA_FLEET_TAGS; i++)
        wa_fleet_view_fini(&l->views[i]);
}

/* Texts by which a list is cut, each a parameter of its name. */
static const enum wa_fleet_key filters[] = {
    WA_FLEET_STATUS, WA_FLEET_AUDIT, WA_FLEET_OS,    WA_FLEET_UNIT,         WA_FLEET_SITE,
    WA_FLEET_DOMAIN, WA_FLEET_MODEL, WA_FLEET_AGENT, WA_FLEET_MANUFACTURER, WA_FLEET_WAITS,
};
static const enum wa_fleet_key numbers[] = {WA_FLEET_ERRORS, WA_FLEET_UPGRADES};
static const struct {
    const char *name;
    enum wa_fleet_tag tag;
    bool is_without;
} tags[] = {{"group", WA_FLEET_IN, false},
            {"held", WA_FLEET_HELD, false},
            {"orderer", WA_FLEET_ORDERERS, false},
            {"no_orderer", WA_FLEET_ORDERERS, true}};

/* --- one parameter --- */

/* "2", ">0", "<=3" */
static enum wa_code read_range(const char *name, const char *text, struct wa_fleet_range *ret,
                               struct wa_err *err)
{
    struct wa_fleet_range r = {.first = 0, .last = INT64_MAX, .is_asked = true};
    const char *digits = text + strspn(text, "<>=");
    struct wa_sv op = wa_sv_n(text, (size_t)(digits - text));
    int64_t n = 0;
    if (text[0] == '\0')
        return WA_OK;
    bool is_number = wa_sv_i64(wa_sv(digits), &n) && n >= 0 && n < INT32_MAX;
    if (op.n == 0 || wa_sv_eqs(op, "="))
        r.first = r.last = n;
    else if (wa_sv_eqs(op, ">") || wa_sv_eqs(op, ">="))
        r.first = n + (op.n == 1);
    else if (wa_sv_eqs(op, "<") || wa_sv_eqs(op, "<="))
        r.last = n - (op.n == 1);
    else
        is_number = false;
    if (!is_number)
        return wa_fail(err, WA_E_USAGE, "'%s' takes a number, like 2, >0 or <=3", name);
    *ret = r;
    return WA_OK;
}

static enum wa_code read_tag(const struct wa_api_call *c, size_t i, struct wa_api_hostlist *l,
                             struct wa_err *err)
{
    enum wa_fleet_tag tag = tags[i].tag;
    char text[1024];
    if (wa_api_text(c, tags[i].name, text, sizeof text, err) != WA_OK || text[0] == '\0')
        return err->code;
    if (l->has_view[tag])
        return wa_fail(err, WA_E_USAGE, "'orderer' and 'no_orderer' exclude each other");
    l->has_view[tag] = true;
    l->query.is_without[tag] = tags[i].is_without;
    return wa_fleet_view_like(c->store->fleet, tag, wa_sv(text), &l->views[tag], err);
}

static enum wa_code read_root(const struct wa_api_call *c, struct wa_fleet_range *ret,
                              struct wa_err *err)
{
    char text[16];
    int64_t newest = 0;
    if (wa_api_text(c, "root", text, sizeof text, err) != WA_OK || text[0] == '\0' ||
        wa_orderers_root_version(c->store, &newest, err) != WA_OK)
        return err->code;
    if (strcmp(text, "none") == 0)
        *ret = (struct wa_fleet_range){.is_asked = true};
    else if (strcmp(text, "older") == 0)
        *ret = (struct wa_fleet_range){1, newest > 0 ? newest - 1 : INT64_MAX, true, false};
    else if (strcmp(text, "newest") == 0)
        *ret = (struct wa_fleet_range){newest > 0 ? newest : INT64_MAX, INT64_MAX, true, false};
    else
        return wa_fail(err, WA_E_USAGE, "'root' takes newest, older or none");
    return WA_OK;
}

static enum wa_code read_window(const struct wa_api_call *c, struct wa_fleet_query *q,
                                struct wa_err *err)
{
    char text[16];
    q->now = wa_clock_now();
    if (wa_api_text(c, "window", text, sizeof text, err) != WA_OK)
        return err->code;
    return wa_fleet_window_find(wa_sv(text), &q->window)
               ? WA_OK
               : wa_fail(err, WA_E_USAGE,
                         "'window' takes now, day, later, any, none or frozen, not '%s'", text);
}

/* --- the other way round --- */

/* Where the query keeps that a filter is meant so; NULL: it is not given, or there is none. */
static bool *not_of_text(struct wa_api_hostlist *l, struct wa_sv name)
{
    for (size_t i = 0; i < WA_COUNT(filters); i++)
        if (wa_sv_eqs(name, wa_fleet_key_name(filters[i])))
            return l->is[filters[i]][0] != '\0' ? &l->query.is_not[filters[i]] : NULL;
    if (wa_sv_eqs(name, "search"))
        return l->page.search[0] != '\0' ? &l->query.is_not_text : NULL;
    if (wa_sv_eqs(name, "window"))
        return l->query.window != WA_WINDOW_ALL ? &l->query.is_not_window : NULL;
    for (size_t i = 0; i < WA_COUNT(tags); i++)
        if (!tags[i].is_without && wa_sv_eqs(name, tags[i].name) && l->has_view[tags[i].tag] &&
            !l->query.is_without[tags[i].tag])
            return &l->query.is_without[tags[i].tag];
    return NULL;
}

static bool *not_of_number(struct wa_api_hostlist *l, struct wa_sv name)
{
    struct wa_fleet_range *r = NULL;
    for (size_t i = 0; i < WA_COUNT(numbers); i++)
        if (wa_sv_eqs(name, wa_fleet_key_name(numbers[i])))
            r = &l->query.ranges[numbers[i]];
    if (wa_sv_eqs(name, "root"))
        r = &l->query.ranges[WA_FLEET_ROOT];
    return r != NULL && r->is_asked ? &r->is_not : NULL;
}

/* After the filters themselves. */
static enum wa_code read_not(const struct wa_api_call *c, struct wa_api_hostlist *l,
                             struct wa_err *err)
{
    char text[512];
    struct wa_sv rest, one;
    if (wa_api_text(c, "not", text, sizeof text, err) != WA_OK)
        return err->code;
    for (rest = wa_sv(text); wa_csv_next(&rest, &one);) {
        bool *is_not = not_of_text(l, one);
        unsigned part = wa_search_part(one);
        if (is_not == NULL)
            is_not = not_of_number(l, one);
        if (is_not == NULL && part == 0)
            return wa_fail(err, WA_E_USAGE, "'not' takes filters that are given, not '%.*s'",
                           WA_SV_ARG(one));
        if (is_not != NULL)
            *is_not = true;
        l->lacks |= part;
    }
    return WA_OK;
}

/* --- all of them --- */

static enum wa_code read_texts(const struct wa_api_call *c, struct wa_api_hostlist *l,
                               struct wa_err *err)
{
    char text[32];
    for (size_t i = 0; i < WA_COUNT(filters); i++)
        if (wa_api_text(c, wa_fleet_key_name(filters[i]), l->is[filters[i]], sizeof l->is[0],
                        err) != WA_OK)
            return err->code;
    for (size_t i = 0; i < WA_COUNT(numbers); i++) {
        const char *name = wa_fleet_key_name(numbers[i]);
        if (wa_api_text(c, name, text, sizeof text, err) != WA_OK ||
            read_range(name, text, &l->query.ranges[numbers[i]], err) != WA_OK)
            return err->code;
    }
    for (size_t i = 0; i < WA_COUNT(tags); i++)
        if (read_tag(c, i, l, err) != WA_OK)
            return err->code;
    return WA_OK;
}

enum wa_code wa_api_hostlist_filters(const struct wa_api_call *c, struct wa_api_hostlist *l,
                                     struct wa_err *err)
{
    int64_t reachable = -1;
    if (read_texts(c, l, err) != WA_OK ||
        read_root(c, &l->query.ranges[WA_FLEET_ROOT], err) != WA_OK ||
        read_window(c, &l->query, err) != WA_OK ||
        wa_api_number(c, "reachable", 0, 1, &reachable, err) != WA_OK ||
        wa_api_number(c, "seen_before", 0, INT64_MAX, &l->query.seen_before, err) != WA_OK ||
        wa_api_number(c, "seen_after", 0, INT64_MAX, &l->query.seen_after, err) != WA_OK)
        return err->code;
    l->query.is_reachable = reachable == 1;
    l->query.is_unreachable = reachable == 0;
    l->query.view = wa_api_view(c);
    return read_not(c, l, err);
}

enum wa_code wa_api_hostlist_lacks(const struct wa_api_hostlist *l, struct wa_search_hosts *q,
                                   struct wa_err *err)
{
    q->lacks = l->lacks;
    return (l->lacks & ~wa_search_parts(q)) == 0
               ? WA_OK
               : wa_fail(err, WA_E_USAGE, "'not' takes filters that are given");
}

enum wa_code wa_api_hostlist_read(const struct wa_api_call *c, int64_t limit, int64_t limit_max,
                                  struct wa_api_hostlist *l, struct wa_err *err)
{
    if (wa_api_page_read(c, limit, limit_max, &l->page, err) != WA_OK ||
        wa_api_hostlist_filters(c, l, err) != WA_OK)
        return err->code;
    l->query.key = WA_FLEET_NAME;
    l->query.offset = (size_t)l->page.offset;
    l->query.limit = (size_t)l->page.limit;
    if (l->page.sort[0] != '\0' &&
        !wa_fleet_key_find(wa_sv(l->page.sort), &l->query.key, &l->query.is_descending))
        return wa_fail(err, WA_E_USAGE, "'sort' takes a column of the list, not '%s'",
                       l->page.sort);
    return WA_OK;
}

void wa_api_hostlist_ready(struct wa_api_hostlist *l)
{
    l->query.text = l->page.search;
    for (size_t i = 0; i < WA_FLEET_TEXTS; i++)
        l->query.is[i] = l->is[i];
    for (size_t i = 0; i < WA_FLEET_TAGS; i++)
        l->query.has[i] = l->has_view[i] ? &l->views[i] : NULL;
    l->query.after_value = l->page.has_after ? l->page.value : NULL;
    l->query.after_uuid = l->page.has_after ? l->page.id : NULL;
}

enum wa_code wa_api_hostlist_by(struct wa_sv name, int *ret, struct wa_err *err)
{
    static const enum wa_fleet_key counted[] = {WA_FLEET_ERRORS, WA_FLEET_UPGRADES, WA_FLEET_ROOT,
                                                WA_FLEET_WINDOWS};
    int found = -1;
    for (size_t i = 0; i < WA_COUNT(filters); i++)
        if (wa_sv_eqs(name, wa_fleet_key_name(filters[i])))
            found = (int)filters[i];
    for (size_t i = 0; i < WA_COUNT(counted); i++)
        if (wa_sv_eqs(name, wa_fleet_key_name(counted[i])))
            found = (int)counted[i];
    for (size_t i = 0; i < WA_COUNT(tags); i++)
        if (!tags[i].is_without && wa_sv_eqs(name, tags[i].name))
            found = WA_FLEET_KEYS + (int)tags[i].tag;
    if (wa_sv_eqs(name, "window"))
        found = WA_FLEET_BY_WINDOW;
    if (found < 0)
        return wa_fail(err, WA_E_USAGE,
                       "'by' takes group, status, audit, os, unit, site, domain, model, agent, "
                       "manufacturer, errors, upgrades, window, windows, waits_for, held, orderer "
                       "and root_version, with commas between");
    *ret = found;
    return WA_OK;
}

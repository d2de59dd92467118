/* rollout.c - the plan of a roll-out: read, and what it says of machines and of how it went so far.
 *
 * An empty ring proves nothing: it stays until a machine is in it, or a person promotes it.
 */
#include "server/rollout.h"

#include "base/buf.h"
#include "codec/csv.h"
#include "codec/hex.h"
#include "crypto/digest.h"

static enum wa_code read_ring(const struct wa_json *j, struct wa_ring *ret, struct wa_err *err)
{
    struct wa_ring r = {.percent = 0};
    const struct wa_json_field fields[] = {
        {"name", WA_WANT_SV, true, 64, &r.name},
        {"machines", WA_WANT_ARRAY, false, WA_ROLLOUT_MACHINES_MAX, &r.machines},
        {"members_of", WA_WANT_ARRAY, false, WA_ROLLOUT_NAMES_MAX, &r.members_of},
        {"percent", WA_WANT_I64, false, 0, &r.percent},
    };
    if (wa_json_read(j, fields, WA_COUNT(fields), "a ring of a roll-out", err) != WA_OK)
        return err->code;
    int ways = (r.machines != NULL) + (r.members_of != NULL) + (r.percent != 0);
    if (r.name.n == 0 || ways != 1 || r.percent < 0 || r.percent > 100)
        return wa_fail(err, WA_E_USAGE,
                       "a ring has a name, and machines or members_of or percent (1 to 100)");
    for (size_t i = 0; i < wa_json_count(r.machines); i++)
        if (!wa_json_is(wa_json_at(r.machines, i), WA_JSON_STRING))
            return wa_fail(err, WA_E_USAGE, "the machines of a ring are texts");
    for (size_t i = 0; i < wa_json_count(r.members_of); i++)
        if (!wa_json_is(wa_json_at(r.members_of, i), WA_JSON_STRING))
            return wa_fail(err, WA_E_USAGE, "the groups of a ring are texts");
    *ret = r;
    return WA_OK;
}

static enum wa_code read_rings(const struct wa_json *list, struct wa_rollout_plan *p,
                               struct wa_err *err)
{
    int64_t percent = 0;
    p->ring_count = wa_json_count(list);
    for (size_t i = 0; i < p->ring_count; i++) {
        if (read_ring(wa_json_at(list, i), &p->rings[i], err) != WA_OK)
            return err->code;
        if (p->rings[i].percent > 0 && p->rings[i].percent <= percent)
            return wa_fail(err, WA_E_USAGE, "the percentages of the rings grow");
        percent = p->rings[i].percent > 0 ? p->rings[i].percent : percent;
    }
    return p->ring_count > 0 && p->rings[p->ring_count - 1].percent == 100
               ? WA_OK
               : wa_fail(err, WA_E_USAGE, "the last ring takes all: percent 100");
}

static bool is_between(int64_t v, int64_t min, int64_t max)
{
    return v >= min && v <= max;
}

enum wa_code wa_rollout_plan_read(const struct wa_json *j, struct wa_rollout_plan *ret,
                                  struct wa_err *err)
{
    struct wa_rollout_plan p = {
        .success_percent = 95, .min_count = 1, .error_percent = 10, .error_count = 1};
    struct wa_sv promote = WA_SV("auto"), windows = WA_SV("");
    const struct wa_json *rings = NULL;
    const struct wa_json_field fields[] = {
        {"rings", WA_WANT_ARRAY, true, WA_ROLLOUT_RINGS_MAX, &rings},
        {"promote", WA_WANT_SV, false, 8, &promote},
        {"success_percent", WA_WANT_I64, false, 0, &p.success_percent},
        {"min_count", WA_WANT_I64, false, 0, &p.min_count},
        {"min_time_s", WA_WANT_I64, false, 0, &p.min_time_s},
        {"error_percent", WA_WANT_I64, false, 0, &p.error_percent},
        {"error_count", WA_WANT_I64, false, 0, &p.error_count},
        {"windows", WA_WANT_SV, false, WA_WINDOWS_BYTES_MAX, &windows},
    };
    if (wa_json_read(j, fields, WA_COUNT(fields), "the plan of a roll-out", err) != WA_OK ||
        read_rings(rings, &p, err) != WA_OK || wa_windows_parse(windows, &p.windows, err) != WA_OK)
        return err->code;
    p.by_hand = wa_sv_eqs(promote, "hand");
    if (!p.by_hand && !wa_sv_eqs(promote, "auto"))
        return wa_fail(err, WA_E_USAGE, "a roll-out is promoted 'auto' or by 'hand'");
    if (!is_between(p.success_percent, 1, 100) || !is_between(p.error_percent, 1, 100) ||
        !is_between(p.min_count, 1, WA_ACTION_HOSTS_MAX) ||
        !is_between(p.error_count, 1, WA_ACTION_HOSTS_MAX) ||
        !is_between(p.min_time_s, 0, WA_ROLLOUT_AGE_MAX_S))
        return wa_fail(err, WA_E_USAGE,
                       "percentages of a roll-out are 1 to 100, counts 1 to %u, its time 0 to %u s",
                       WA_ACTION_HOSTS_MAX, WA_ROLLOUT_AGE_MAX_S);
    *ret = p;
    return WA_OK;
}

enum wa_code wa_rollout_place(const char *statement, const char *uuid, int64_t *ret,
                              struct wa_err *err)
{
    char text[256], hex[WA_SHA256_HEX];
    int64_t v = 0;
    int n = snprintf(text, sizeof text, "%s/%s", statement, uuid);
    if (n < 0 || (size_t)n >= sizeof text)
        return wa_fail(err, WA_E_INVALID, "a machine without a proper uuid");
    if (wa_sha256_hex(text, (size_t)n, hex, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < 8; i++) /* 32 bits of it */
        v = v * 16 + (hex[i] <= '9' ? hex[i] - '0' : hex[i] - 'a' + 10);
    *ret = (v * 100) >> 32;
    return WA_OK;
}

static bool lists(const struct wa_json *list, struct wa_sv name)
{
    for (size_t i = 0; i < wa_json_count(list); i++)
        if (wa_sv_eq(wa_json_sv(wa_json_at(list, i)), name))
            return true;
    return false;
}

bool wa_rollout_lists(const struct wa_json *list, struct wa_sv names)
{
    struct wa_sv rest = names, name;
    while (wa_csv_next(&rest, &name))
        if (lists(list, name))
            return true;
    return false;
}

size_t wa_rollout_ring(const struct wa_rollout_plan *p, const char *uuid, struct wa_sv names,
                       int64_t place)
{
    for (size_t i = 0; i + 1 < p->ring_count; i++) {
        const struct wa_ring *r = &p->rings[i];
        if (r->machines != NULL     ? lists(r->machines, wa_sv(uuid))
            : r->members_of != NULL ? wa_rollout_lists(r->members_of, names)
                                    : place < r->percent)
            return i;
    }
    return p->ring_count - 1;
}

enum wa_rollout_verdict wa_rollout_judge(const struct wa_rollout_plan *p,
                                         const struct wa_ring_counts *counts, size_t ring,
                                         int64_t open_s, int64_t forgiven)
{
    int64_t done = 0, failed = 0;
    for (size_t i = 0; i <= ring && i < p->ring_count; i++) {
        done += counts[i].done;
        failed += counts[i].failed;
    }
    failed -= forgiven < failed ? forgiven : failed;
    if (failed >= p->error_count && failed * 100 >= p->error_percent * (done + failed))
        return WA_ROLLOUT_HALTS;
    if (p->by_hand || ring + 1 >= p->ring_count || open_s < p->min_time_s)
        return WA_ROLLOUT_STAYS;
    const struct wa_ring_counts *c = &counts[ring];
    int64_t ended = c->done + c->failed, needed = c->total < p->min_count ? c->total : p->min_count;
    if (needed == 0 || ended < needed || c->done * 100 < p->success_percent * ended)
        return WA_ROLLOUT_STAYS;
    return WA_ROLLOUT_GOES_ON;
}

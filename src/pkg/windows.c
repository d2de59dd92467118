/* windows.c - maintenance windows and freezes: reading them, and where a moment lies among them.
 *
 * Counts in minutes of the wall's clock; what a change of summer time does to a night's window, by
 * an hour once a year, is left as it is. */
#include "pkg/windows.h"

#include "base/date.h"
#include "codec/csv.h"

#define DAY_MIN 1440
#define WEEK_MIN (7 * DAY_MIN)

bool wa_is_policy_section(const char *section)
{
    static const char *const sections[] = {"host", "group", "unit", "profile"};
    for (size_t i = 0; i < WA_COUNT(sections); i++)
        if (strcmp(section, sections[i]) == 0)
            return true;
    return false;
}

static bool digits(struct wa_sv s, size_t n, int *ret)
{
    uint64_t v;
    if (s.n != n || !wa_sv_u64(s, &v))
        return false;
    *ret = (int)v;
    return true;
}

/* "22:00"; "24:00" is the end of a day. */
static bool parse_clock(struct wa_sv s, int *ret)
{
    struct wa_sv hours;
    int h, m;
    if (!wa_sv_split(&s, ':', &hours) || !digits(hours, 2, &h) || !digits(s, 2, &m) || m > 59 ||
        h * 60 + m > DAY_MIN)
        return false;
    *ret = h * 60 + m;
    return true;
}

static int day_number(struct wa_sv s)
{
    static const char *const names[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
    for (int i = 0; i < (int)WA_COUNT(names); i++)
        if (wa_sv_ieqs(s, names[i]))
            return i;
    return -1;
}

/* "fri", "fri-mon" */
static bool parse_days(struct wa_sv s, uint8_t *ret)
{
    struct wa_sv first;
    unsigned days = 0;
    if (!wa_sv_split(&s, '-', &first))
        return false;
    int at = day_number(first), last = s.n > 0 ? day_number(s) : at;
    if (at < 0 || last < 0)
        return false;
    for (; at != last; at = (at + 1) % 7)
        days |= 1u << at;
    *ret = (uint8_t)(days | 1u << last);
    return true;
}

static bool parse_date(struct wa_sv s, int64_t *ret_day)
{
    char text[24];
    int64_t seconds;
    if (s.n != 10)
        return false;
    (void)snprintf(text, sizeof text, "%.10sT00:00:00", s.p);
    if (!wa_date_parse_iso(wa_sv(text), &seconds))
        return false;
    *ret_day = seconds / 86400 - (seconds % 86400 < 0);
    return true;
}

static bool parse_one(struct wa_sv item, struct wa_window *ret)
{
    struct wa_window w = {.days = 0x7f};
    struct wa_sv rest = item, when = {NULL, 0}, from;
    size_t at;
    if (wa_sv_chr(rest, ' ', &at)) {
        when = wa_sv_sub(rest, 0, at);
        rest = wa_sv_trim(wa_sv_sub(rest, at, rest.n));
    }
    if (when.n > 0 && !parse_days(when, &w.days)) {
        w.days = 0;
        if (!parse_date(when, &w.date))
            return false;
    }
    if (!wa_sv_split(&rest, '-', &from) || !parse_clock(from, &w.from) ||
        !parse_clock(rest, &w.to) || w.from == DAY_MIN)
        return false;
    if (w.to <= w.from)
        w.to += DAY_MIN;
    *ret = w;
    return true;
}

enum wa_code wa_windows_parse(struct wa_sv text, struct wa_windows *ret, struct wa_err *err)
{
    struct wa_windows w = {.n = 0};
    struct wa_sv rest = text, item;
    while (wa_csv_next(&rest, &item)) {
        if (w.n == WA_COUNT(w.items))
            return wa_fail(err, WA_E_LIMIT, "more than %zu maintenance windows", WA_COUNT(w.items));
        if (!parse_one(item, &w.items[w.n]))
            return wa_fail(err, WA_E_INVALID,
                           "'%.*s' is no maintenance window: write 'mon-fri 22:00-05:00', "
                           "'2026-12-24 18:00-23:00' or '12:00-13:00'",
                           WA_SV_ARG(item));
        w.n++;
    }
    *ret = w;
    return WA_OK;
}

static bool begins_on(const struct wa_window *w, int64_t day)
{
    int64_t weekday = ((day + 3) % 7 + 7) % 7; /* 1970-01-01 was a Thursday */
    return w->days != 0 ? (w->days >> weekday & 1u) != 0 : w->date == day;
}

static int64_t day_of(int64_t minute)
{
    return minute / DAY_MIN - (minute % DAY_MIN < 0);
}

/* Of those in which the minute lies the first begin, and the latest end; -1: it lies in none. Only
 * windows of its day and the one before can reach it. */
static int64_t around(const struct wa_windows *w, int64_t minute, int64_t *ret_begin)
{
    int64_t end = -1;
    *ret_begin = minute;
    for (size_t i = 0; i < w->n; i++)
        for (int64_t day = day_of(minute) - 1; day <= day_of(minute); day++) {
            const struct wa_window *x = &w->items[i];
            int64_t from = day * DAY_MIN + x->from, to = day * DAY_MIN + x->to;
            if (!begins_on(x, day) || minute < from || minute >= to)
                continue;
            *ret_begin = from < *ret_begin ? from : *ret_begin;
            end = to > end ? to : end;
        }
    return end;
}

static int64_t end_at(const struct wa_windows *w, int64_t minute)
{
    int64_t begin;
    return around(w, minute, &begin);
}

static int64_t minute_of(int64_t local)
{
    return local / 60 - (local % 60 < 0);
}

int64_t wa_windows_end(const struct wa_windows *w, int64_t local)
{
    int64_t now = minute_of(local), end = end_at(w, now);
    if (end < 0)
        return 0;
    for (int64_t more = end_at(w, end); more > end && end - now < WEEK_MIN; more = end_at(w, end))
        end = more;
    return end * 60;
}

int64_t wa_windows_next(const struct wa_windows *w, int64_t local)
{
    int64_t now = minute_of(local), best = 0;
    if (end_at(w, now) >= 0)
        return local;
    for (size_t i = 0; i < w->n; i++) {
        const struct wa_window *x = &w->items[i];
        int64_t first = x->days != 0 ? day_of(now) : x->date;
        int64_t last = x->days != 0 ? first + 7 : first;
        for (int64_t day = first; day <= last; day++) {
            int64_t begin = day * DAY_MIN + x->from;
            if (begins_on(x, day) && begin > now && (best == 0 || begin < best))
                best = begin;
        }
    }
    return best * 60;
}

bool wa_windows_span(const struct wa_windows *w, int64_t local, int64_t *ret_begin,
                     int64_t *ret_end)
{
    int64_t begin = minute_of(local);
    if (around(w, begin, &begin) < 0) {
        int64_t next = wa_windows_next(w, local);
        if (next == 0)
            return false;
        begin = minute_of(next);
        local = next;
    }
    int64_t end = wa_windows_end(w, local);
    *ret_begin = begin * 60;
    *ret_end = end - local >= WEEK_MIN * 60 - 60 ? INT64_MAX : end;
    return true;
}

/* --- freezes --- */

static bool parse_freeze(struct wa_sv item, int64_t *ret_first, int64_t *ret_last)
{
    static const struct wa_sv word = WA_SV_INIT(" until ");
    struct wa_sv last = item;
    size_t at = 10;
    if (item.n > at + word.n && wa_sv_starts(wa_sv_sub(item, at, item.n), " until ")) {
        last = wa_sv_trim(wa_sv_sub(item, at + word.n, item.n));
        item = wa_sv_sub(item, 0, at);
    }
    return parse_date(item, ret_first) && parse_date(last, ret_last) && *ret_first <= *ret_last;
}

enum wa_code wa_freezes_parse(struct wa_sv text, struct wa_freezes *ret, struct wa_err *err)
{
    struct wa_freezes f = {.n = 0};
    struct wa_sv rest = text, item;
    while (wa_csv_next(&rest, &item)) {
        if (f.n == WA_COUNT(f.items))
            return wa_fail(err, WA_E_LIMIT, "more than %zu freezes", WA_COUNT(f.items));
        if (!parse_freeze(item, &f.items[f.n].first, &f.items[f.n].last))
            return wa_fail(err, WA_E_INVALID,
                           "'%.*s' is no freeze: write '2026-12-20 until 2027-01-03' or "
                           "'2027-05-01'",
                           WA_SV_ARG(item));
        f.n++;
    }
    *ret = f;
    return WA_OK;
}

int64_t wa_freezes_end(const struct wa_freezes *f, int64_t local)
{
    int64_t day = day_of(minute_of(local)), end = day;
    for (size_t i = 0; i < f->n; i++) /* each may go on where another ends */
        for (size_t k = 0; k < f->n; k++)
            if (f->items[k].first <= end && end <= f->items[k].last)
                end = f->items[k].last + 1;
    return end > day ? end * DAY_MIN * 60 : 0;
}

/* date.c - dates as text.
 *
 * Calendar arithmetic is ours: the C library's is local, stateful, or both. Seconds beyond the
 * years 1 to 9999 are taken as the first or the last second of them, so that a number from a
 * message can be shown without a check. No leap seconds: a minute has 60.
 */
#include "base/date.h"

#include <math.h>

static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char *const days[] = {"Thu", "Fri", "Sat", "Sun",
                                   "Mon", "Tue", "Wed"}; /* 1970-01-01 was a Thursday */

#define DAY_S 86400
#define FIRST_S (-62135596800) /* 0001-01-01T00:00:00Z */
#define LAST_S 253402300799    /* 9999-12-31T23:59:59Z */

static int64_t within_years(int64_t seconds)
{
    if (seconds < FIRST_S)
        return FIRST_S;
    return seconds > LAST_S ? LAST_S : seconds;
}

/* Days since 1970-01-01 of a date of the Gregorian calendar, years counted from March so that leap
 * days come last. */
static int64_t days_from_civil(int64_t y, int64_t m, int64_t d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

int64_t wa_date_from_civil(int year, int month, int day, int hour, int minute, int second)
{
    return days_from_civil(year, month, day) * DAY_S + hour * 3600 + minute * 60 + second;
}

void wa_date_to_civil(int64_t seconds, int out[6])
{
    seconds = within_years(seconds);
    int64_t z = seconds / DAY_S, rest = seconds % DAY_S;
    if (rest < 0) {
        rest += DAY_S;
        z--;
    }
    z += 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    int64_t m = mp < 10 ? mp + 3 : mp - 9;
    out[0] = (int)(yoe + era * 400 + (m <= 2));
    out[1] = (int)m;
    out[2] = (int)(doy - (153 * mp + 2) / 5 + 1);
    out[3] = (int)(rest / 3600);
    out[4] = (int)(rest / 60 % 60);
    out[5] = (int)(rest % 60);
}

static void write_iso(const int c[6], uint32_t microseconds, const char *suffix,
                      char out[WA_DATE_MAX])
{
    char fraction[12] = "";
    microseconds %= 1000000u;
    if (microseconds != 0)
        (void)snprintf(fraction, sizeof fraction, ".%06u", (unsigned)microseconds);
    (void)snprintf(out, WA_DATE_MAX, "%04d-%02d-%02dT%02d:%02d:%02d%s%s", c[0] % 10000, c[1] % 100,
                   c[2] % 100, c[3] % 100, c[4] % 100, c[5] % 100, fraction, suffix);
}

void wa_date_isolocal(int64_t seconds, uint32_t microseconds, char out[WA_DATE_MAX])
{
    struct tm tm = {0};
    time_t t = (time_t)within_years(seconds);
    if (localtime_r(&t, &tm) == NULL) {
        wa_date_isoutc(seconds, microseconds, out);
        return;
    }
    const int c[6] = {tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
                      tm.tm_hour,        tm.tm_min,     tm.tm_sec};
    write_iso(c, microseconds, "", out);
}

void wa_date_isoutc(int64_t seconds, uint32_t microseconds, char out[WA_DATE_MAX])
{
    int c[6];
    wa_date_to_civil(seconds, c);
    write_iso(c, microseconds, "", out);
}

void wa_date_rfc3339(int64_t seconds, char out[WA_DATE_MAX])
{
    int c[6];
    wa_date_to_civil(seconds, c);
    write_iso(c, 0, "Z", out);
}

void wa_date_http(int64_t seconds, char out[WA_DATE_MAX])
{
    int c[6];
    wa_date_to_civil(seconds, c);
    seconds = within_years(seconds);
    int64_t day = (seconds - (seconds % DAY_S + DAY_S) % DAY_S) / DAY_S;
    (void)snprintf(out, WA_DATE_MAX, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[(day % 7 + 7) % 7],
                   c[2] % 100, months[(c[1] - 1) % 12], c[0] % 10000, c[3] % 100, c[4] % 100,
                   c[5] % 100);
}

/* count digits at the front of *s, taken away. */
static bool take_number(struct wa_sv *s, size_t count, int *ret)
{
    uint64_t v;
    if (s->n < count || !wa_sv_u64(wa_sv_sub(*s, 0, count), &v))
        return false;
    *s = wa_sv_sub(*s, count, s->n);
    *ret = (int)v;
    return true;
}

static bool take_char(struct wa_sv *s, char c)
{
    if (s->n == 0 || s->p[0] != c)
        return false;
    *s = (struct wa_sv){s->p + 1, s->n - 1};
    return true;
}

/* YYYY-MM-DDTHH:MM:SS, checked against the calendar; *s keeps what follows. */
static bool take_date(struct wa_sv *s, int64_t *ret)
{
    static const char separators[] = {'-', '-', 'T', ':', ':'};
    int c[6], back[6];
    for (size_t i = 0; i < 6; i++)
        if (!take_number(s, i == 0 ? 4 : 2, &c[i]) || (i < 5 && !take_char(s, separators[i])))
            return false;
    if (c[0] < 1 || c[1] < 1 || c[1] > 12 || c[2] < 1 || c[2] > 31 || c[3] > 23 || c[4] > 59 ||
        c[5] > 59)
        return false;
    int64_t at = wa_date_from_civil(c[0], c[1], c[2], c[3], c[4], c[5]);
    wa_date_to_civil(at, back);
    if (back[1] != c[1] || back[2] != c[2])
        return false; /* 31 February */
    *ret = at;
    return true;
}

bool wa_date_parse_iso(struct wa_sv s, int64_t *ret_seconds)
{
    int64_t at;
    if (!take_date(&s, &at) || (s.n > 0 && s.p[0] != '.'))
        return false;
    *ret_seconds = at;
    return true;
}

bool wa_date_parse_isolocal(struct wa_sv s, int64_t *ret_seconds)
{
    char text[WA_DATE_MAX];
    int64_t as_utc, shown;
    if (!wa_date_parse_iso(s, &as_utc))
        return false;
    /* How far the clock on the wall is from UTC then: asked again at what that gives. */
    *ret_seconds = as_utc;
    for (int i = 0; i < 2; i++) {
        wa_date_isolocal(*ret_seconds, 0, text);
        if (!wa_date_parse_iso(wa_sv(text), &shown))
            return false;
        *ret_seconds += as_utc - shown;
    }
    return true;
}

bool wa_date_parse_rfc3339(struct wa_sv s, int64_t *ret_seconds)
{
    int64_t at;
    if (!take_date(&s, &at))
        return false;
    if (take_char(&s, '.')) {
        size_t digits = 0;
        while (s.n > 0 && s.p[0] >= '0' && s.p[0] <= '9') {
            s = (struct wa_sv){s.p + 1, s.n - 1};
            digits++;
        }
        if (digits == 0)
            return false;
    }
    if (!take_char(&s, 'Z') || s.n != 0)
        return false;
    *ret_seconds = at;
    return true;
}

static double unit_seconds(char unit)
{
    switch (unit) {
    case 's':
        return 1;
    case 'm':
        return 60;
    case 'h':
        return 3600;
    case 'd':
        return DAY_S;
    case 'w':
        return 7.0 * DAY_S;
    default:
        return 0;
    }
}

bool wa_date_parse_period(struct wa_sv s, char default_unit, int64_t *ret_seconds)
{
    s = wa_sv_trim(s);
    char unit = default_unit;
    if (s.n > 0 && unit_seconds(s.p[s.n - 1]) > 0)
        unit = s.p[--s.n];
    if (unit_seconds(unit) <= 0)
        return false;
    s = wa_sv_trim(s);
    size_t dot = s.n;
    (void)wa_sv_chr(s, '.', &dot);
    uint64_t whole = 0, part = 0;
    struct wa_sv fraction = wa_sv_sub(s, dot + 1, s.n);
    if (!wa_sv_u64(wa_sv_sub(s, 0, dot), &whole) || whole > 100000000u || fraction.n > 9)
        return false;
    if (dot < s.n && !wa_sv_u64(fraction, &part))
        return false;
    double v = ((double)whole + (double)part / pow(10, (double)fraction.n)) * unit_seconds(unit);
    *ret_seconds = (int64_t)(v + 0.5);
    return true;
}

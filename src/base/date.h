/* date.h - dates as text: WAPT's isodate, RFC 3339 for our own messages, HTTP dates.
 *
 * Times in our own messages and databases are int64_t seconds since 1970 UTC.
 */
#ifndef WA_BASE_DATE_H
#define WA_BASE_DATE_H

#include "base/sv.h"

#define WA_DATE_MAX 40 /* bytes with NUL, any of the forms below */

/* "YYYY-MM-DDTHH:MM:SS[.ffffff]" of WAPT (formats.md 0.3), local time, the fraction left out when
 * 0. */
void wa_date_isolocal(int64_t seconds, uint32_t microseconds, char out[WA_DATE_MAX]);
/* The same in UTC, without a suffix, as WAPT's claims carry it. */
void wa_date_isoutc(int64_t seconds, uint32_t microseconds, char out[WA_DATE_MAX]);
/* "YYYY-MM-DDTHH:MM:SSZ" (RFC 3339). */
void wa_date_rfc3339(int64_t seconds, char out[WA_DATE_MAX]);
/* "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7). */
void wa_date_http(int64_t seconds, char out[WA_DATE_MAX]);
/* Reads YYYY-MM-DDTHH:MM:SS[.f...] as UTC, as WAPT parses it: all after the first '.' is ignored.
 */
bool wa_date_parse_iso(struct wa_sv s, int64_t *ret_seconds);
/* The same as local time; in the hour that a clock is put back, one of the two. */
bool wa_date_parse_isolocal(struct wa_sv s, int64_t *ret_seconds);
bool wa_date_parse_rfc3339(struct wa_sv s, int64_t *ret_seconds);
/* Seconds since 1970 of a calendar date in UTC; any Gregorian year from 1 to 9999. */
int64_t wa_date_from_civil(int year, int month, int day, int hour, int minute, int second);
/* Year, month, day, hour, minute, second. Here and in the texts above, seconds beyond the years 1
 * to 9999 are taken as the first or last second of them. */
void wa_date_to_civil(int64_t seconds, int out[6]);
/* Period of formats.md 0.3: "120", "1.5h", "1w", the unit being default_unit ('s','m','h','d','w')
 * when absent. Rounded to the second; no sign, at most 9 digits after the point. */
bool wa_date_parse_period(struct wa_sv s, char default_unit, int64_t *ret_seconds);

#endif

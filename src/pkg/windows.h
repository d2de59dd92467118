/* windows.h - maintenance windows: when a machine may begin by itself what can disturb its user;
 * and freezes: when it may not be changed.
 *
 * A csv of "mon-fri 22:00-05:00", "sun 00:00-24:00", "2026-12-24 18:00-23:00", "12:00-13:00" (every
 * day), in the machine's local time. A window whose end is not after its begin ends the next day.
 * Freezes: "2026-12-20 until 2027-01-03, 2027-05-01", whole days, the last one too.
 */
#ifndef WA_PKG_WINDOWS_H
#define WA_PKG_WINDOWS_H

#include "base/limits.h"
#include "base/sv.h"

struct wa_window {
    uint8_t days; /* bit 0: Monday; 0: the date below */
    int64_t date; /* days since 1970-01-01 */
    int from, to; /* minutes of its first day; to > from, up to two days */
};
struct wa_windows {
    struct wa_window items[WA_WINDOWS_MAX];
    size_t n; /* 0: no windows, which means any time */
};
/* Whether windows, freezes and holds of a package of this section count: those that only assign. */
bool wa_is_policy_section(const char *section);
/* WA_E_INVALID with the item that is none, WA_E_LIMIT: more than WA_WINDOWS_MAX. */
WA_CHECK enum wa_code wa_windows_parse(struct wa_sv text, struct wa_windows *ret,
                                       struct wa_err *err);
/* When the time in which local lies ends, windows that touch each other taken as one; 0: it lies in
 * none. local: seconds since 1970 as the machine's clock on the wall shows them. A time without
 * end (windows all week) counts a week from now. */
int64_t wa_windows_end(const struct wa_windows *w, int64_t local);
/* When the next one begins, from local on (local itself when it lies in one); 0: never any more. */
int64_t wa_windows_next(const struct wa_windows *w, int64_t local);
/* The window that goes on at local, else the next one, in the same seconds: when it begins (where
 * one goes on: of those that lie around local, the first) and when it ends as above. INT64_MAX:
 * without end. False: there is none any more, or there are no windows at all. */
bool wa_windows_span(const struct wa_windows *w, int64_t local, int64_t *ret_begin,
                     int64_t *ret_end);

struct wa_freezes {
    struct {
        int64_t first, last; /* days since 1970-01-01 */
    } items[WA_FREEZES_MAX];
    size_t n;
};
/* WA_E_INVALID with the item that is none, WA_E_LIMIT: more than WA_FREEZES_MAX. */
WA_CHECK enum wa_code wa_freezes_parse(struct wa_sv text, struct wa_freezes *ret,
                                       struct wa_err *err);
/* When the freeze in which local lies ends, freezes that touch each other taken as one; 0: it lies
 * in none. local: as above. */
int64_t wa_freezes_end(const struct wa_freezes *f, int64_t local);

#endif

/* date.c - a date that is read is written back the same; a period is never negative or absurd. */
#include <stdint.h>
#include <stdlib.h>

#include "base/date.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_dates(struct wa_sv text)
{
    char out[WA_DATE_MAX];
    int64_t at, back;
    if (wa_date_parse_iso(text, &at)) {
        wa_date_isoutc(at, 0, out);
        require(strlen(out) == 19 && text.n >= 19 && memcmp(out, text.p, 19) == 0);
    }
    if (wa_date_parse_rfc3339(text, &at)) {
        wa_date_rfc3339(at, out);
        require(memcmp(out, text.p, 19) == 0 && text.p[text.n - 1] == 'Z');
        require(wa_date_parse_rfc3339(wa_sv(out), &back) && back == at);
    }
}

/* Any number, as a message may carry it. */
static void check_number(int64_t seconds)
{
    char out[WA_DATE_MAX];
    int64_t back;
    wa_date_rfc3339(seconds, out);
    require(wa_date_parse_rfc3339(wa_sv(out), &back));
    require(back == seconds || seconds < -62135596800 || seconds > 253402300799);
    wa_date_isoutc(seconds, (uint32_t)seconds, out);
    require(wa_date_parse_iso(wa_sv(out), &back));
    wa_date_isolocal(seconds, 0, out);
    require(strlen(out) == 19);
    wa_date_http(seconds, out);
    require(strlen(out) == 29);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wa_sv text = wa_sv_n(data, size);
    int64_t seconds = 0;
    check_dates(text);
    if (wa_date_parse_period(text, 'm', &seconds))
        require(seconds >= 0 && seconds <= 60480001000000);
    if (size >= sizeof seconds) {
        memcpy(&seconds, data, sizeof seconds);
        check_number(seconds);
    }
    return 0;
}

/* fleet_schedule.c - when machines may change by themselves: in which window they are, and that
 * time goes on for those who say nothing meanwhile.
 *
 * For lists alone. A machine decides by its own clock and its own windows.
 */
#include "pkg/windows.h"
#include "server/fleet_priv.h"

#define DAY_S 86400

static const char *const window_names[WA_WINDOWS] = {
    [WA_WINDOW_ALL] = "",        [WA_WINDOW_NOW] = "now", [WA_WINDOW_DAY] = "day",
    [WA_WINDOW_LATER] = "later", [WA_WINDOW_ANY] = "any", [WA_WINDOW_FROZEN] = "frozen",
    [WA_WINDOW_NONE] = "none",
};

const char *wa_fleet_window_name(enum wa_fleet_window w)
{
    return w < WA_WINDOWS ? window_names[w] : "";
}

bool wa_fleet_window_find(struct wa_sv text, enum wa_fleet_window *ret)
{
    for (size_t i = 0; i < WA_WINDOWS; i++)
        if (wa_sv_eqs(text, window_names[i])) {
            *ret = (enum wa_fleet_window)i;
            return true;
        }
    return false;
}

enum wa_fleet_window wa_fleet_window_of(const struct wa_fleet_schedule *s, int64_t now)
{
    if (s->frozen_until > now)
        return WA_WINDOW_FROZEN;
    if (s->window_end == INT64_MAX)
        return WA_WINDOW_ANY;
    if (s->window_end <= now)
        return WA_WINDOW_NONE;
    if (s->window_begin <= now)
        return WA_WINDOW_NOW;
    return s->window_begin - now <= DAY_S ? WA_WINDOW_DAY : WA_WINDOW_LATER;
}

/* Machines of one group have the same text: it is read once for those that follow each other. */
struct known {
    char text[WA_FLEET_TEXT_MAX + 1];
    struct wa_windows windows;
};

/* A text that was cut says nothing for certain. */
static const struct wa_windows *windows_of(struct known *k, const char *text)
{
    struct wa_err ignored = WA_ERR_INIT;
    if (strcmp(k->text, text) == 0)
        return &k->windows;
    (void)snprintf(k->text, sizeof k->text, "%s", text);
    if (strlen(text) >= WA_FLEET_TEXT_MAX - 4 ||
        wa_windows_parse(wa_sv(text), &k->windows, &ignored) != WA_OK)
        k->windows.n = 0;
    return &k->windows;
}

void wa_fleet_roll(struct wa_fleet *f, int64_t now)
{
    struct known k = {.text = ""};
    for (size_t i = 0; i < f->by_uuid.n; i++) {
        struct host *h = f->by_uuid.items[i].value;
        struct wa_fleet_schedule *s = &h->shown.schedule;
        int64_t begin = 0, end = 0;
        if (s->window_end == 0 || s->window_end > now)
            continue;
        bool is_some =
            wa_windows_span(windows_of(&k, h->shown.windows), now + s->utc_offset, &begin, &end) &&
            end != INT64_MAX;
        s->window_begin = is_some ? begin - s->utc_offset : 0;
        s->window_end = is_some ? end - s->utc_offset : 0;
        wa_fleet_stale(f, h, WA_FLEET_WINDOW);
    }
}

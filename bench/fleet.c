/* fleet - the lists of 100,000 machines on the server: search, sort, count, a far page. Prints
 * rows.
 *
 * The limit of each is reading every machine's texts once.
 */
#include <string.h>

#include "base/mem.h"
#include "measure.h"
#include "server/fleet.h"

#define COUNT 100000u
#define RUNS 15
#define PAGE 100u

static struct wa_fleet *fleet;
static char *texts; /* all that a search looks at, in one piece */
static size_t text_bytes;
static const struct wa_fleet_host *page[PAGE];

static void add(unsigned i)
{
    static const char *const systems[] = {"Debian GNU/Linux 12 (bookworm)", "Ubuntu 24.04.1 LTS",
                                          "Microsoft Windows 11 Pro"};
    char uuid[40], name[32], fqdn[64];
    struct wa_err err = WA_ERR_INIT;
    unsigned mixed = i * 2654435761u; /* not in the order of anything */
    (void)snprintf(uuid, sizeof uuid, "%08X-0000-4000-8000-%012X", mixed, i);
    (void)snprintf(name, sizeof name, "pc-%05u", mixed % 100000u);
    (void)snprintf(fqdn, sizeof fqdn, "%s.site%u.example.org", name, i % 40);
    const struct wa_fleet_change c = {.name = wa_sv(name),
                                      .fqdn = wa_sv(fqdn),
                                      .os = wa_sv(systems[i % 3]),
                                      .status = i % 50 == 0 ? WA_SV("ERROR") : WA_SV("OK"),
                                      .registered_at = 1,
                                      .last_seen = 1790000000 + mixed % 100000u};
    must(wa_fleet_put(fleet, wa_sv(uuid), &c, &err), &err, "a machine");
    text_bytes += strlen(uuid) + strlen(name) + strlen(fqdn) + strlen(systems[i % 3]) + 8;
}

static void find(const struct wa_fleet_query *q)
{
    size_t count = 0, total = 0;
    struct wa_err err = WA_ERR_INIT;
    must(wa_fleet_find(fleet, q, page, &count, &total, &err), &err, "a list");
}

static void run_query(void *user)
{
    find(user);
}

/* A machine has reported since the last list: its place in the order is another one. */
static void run_after_report(void *user)
{
    static int64_t now = 1800000000;
    wa_fleet_set_reachable(fleet, WA_SV("00000000-0000-4000-8000-000000000000"), true, now++);
    find(user);
}

static void read_texts(void *user)
{
    size_t *found = user;
    const char *p = texts, *end = texts + text_bytes;
    while (p != NULL && p < end) {
        p = memchr(p, '\1', (size_t)(end - p)); /* never there: all of it is looked at */
        *found += p != NULL;
    }
}

int main(void)
{
    static const struct {
        const char *name;
        struct wa_fleet_query q;
        void (*run)(void *user);
    } rows[] = {
        {"first page by name", {.limit = PAGE, .key = WA_FLEET_NAME}, run_query},
        {"page 900 by name", {.limit = PAGE, .key = WA_FLEET_NAME, .offset = 90000}, run_query},
        {"search of a word, counted", {.limit = PAGE, .text = "site7"}, run_query},
        {"search of what is not there", {.limit = PAGE, .text = "no such machine"}, run_query},
        {"status ERROR, counted", {.limit = PAGE, .is[WA_FLEET_STATUS] = "ERROR"}, run_query},
        {"by last seen, one has just reported",
         {.limit = PAGE, .key = WA_FLEET_LAST_SEEN, .is_descending = true},
         run_after_report},
    };
    struct wa_err err = WA_ERR_INIT;
    size_t found = 0;
    must(wa_fleet_new(&fleet, &err), &err, "a fleet");
    for (unsigned i = 0; i < COUNT; i++)
        add(i);
    texts = wa_calloc(1, text_bytes);
    must_be(texts != NULL, "no memory");
    double limit = median_of(RUNS, read_texts, &found);
    for (size_t i = 0; i < WA_COUNT(rows); i++) {
        struct wa_fleet_query q = rows[i].q;
        char name[128];
        (void)snprintf(name, sizeof name, "list of 100,000 machines: %s, CPU", rows[i].name);
        print_row(name, median_of(RUNS, rows[i].run, &q), "s", limit, "looking at all texts once",
                  0.050, false);
    }
    wa_free(texts);
    wa_fleet_free(fleet);
    return 0;
}

/* console_answers.c - what a server says to the console: lists of hosts and results. Whatever it
 * is, machines are chosen once each by a proper uuid. */
#include <stdint.h>
#include <stdlib.h>

#include "console/hosts.h"
#include "console/orders.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_targets(const struct wa_host_list *hosts, const char *words)
{
    WA_AUTO_TARGETS struct wa_targets t = {0};
    struct wa_err err = WA_ERR_INIT;
    if (wa_targets_choose(hosts, wa_sv(words), 100, &t, &err) != WA_OK)
        return;
    wa_targets_sort(&t);
    for (size_t i = 0; i < t.count; i++)
        if (t.items[i].uuid[0] == '\0' ||
            wa_targets_find(&t, wa_sv(t.items[i].uuid)) != &t.items[i])
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const patterns[] = {"pc-*"};
    const struct wa_host_filter filter = {
        .patterns = patterns, .pattern_count = 1, .os = "*", .is_connected = true};
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_err err = WA_ERR_INIT;
    struct wa_orders_tally tally = {0};
    WA_AUTO_HOST_LIST struct wa_host_list list = {0};
    wa_arena_init(&arena, 16u << 20);
    if (wa_json_parse(wa_sv_n(data, size), 0, &arena, &j, &err) != WA_OK)
        return 0;
    const struct wa_json *hosts = wa_json_get(j, "hosts"), *actions = wa_json_get(j, "actions");
    if (wa_host_list_add(&list, hosts, &err) == WA_OK) {
        check_targets(&list, "pc-*");
        if (wa_host_list_sort(&list, &err) == WA_OK)
            check_targets(&list, "pc-1");
    }
    for (size_t i = 0; i < wa_json_count(hosts); i++) {
        (void)wa_host_matches(wa_json_at(hosts, i), &filter);
    }
    for (size_t i = 0; i < wa_json_count(actions); i++)
        wa_orders_count(wa_json_at(actions, i), &tally);
    if (tally.done + tally.failed + tally.queued + tally.sent != wa_json_count(actions) ||
        (wa_orders_outcome(&tally) == WA_OK) != (tally.done == wa_json_count(actions)))
        abort();
    return 0;
}

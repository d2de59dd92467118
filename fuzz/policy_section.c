/* policy_section - what a machine says that it goes by, as lists take it: whatever it is, names and
 * texts keep their caps, and time goes on over its windows. */
#include "server/inventory.h"

#include <stdlib.h>

#define NOW 1764158400

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t items_of(struct wa_sv list)
{
    size_t n = 0;
    struct wa_sv one;
    while (wa_sv_split(&list, ',', &one))
        n++;
    return n;
}

static enum wa_code show(const struct wa_json *j, struct wa_arena *arena, struct wa_fleet *f,
                         struct wa_err *err)
{
    struct wa_fleet_change c = WA_FLEET_UNCHANGED;
    if (wa_inventory_policy_show(WA_SEC_POLICY, j, arena, &c, err) != WA_OK)
        return err->code;
    if (items_of(c.held) > WA_FLEET_SAID_MAX || items_of(c.orderers) > WA_FLEET_SAID_MAX ||
        c.windows.n > WA_INVENTORY_TEXT || c.waits.n > 32)
        abort();
    return wa_fleet_put(f, WA_SV("machine"), &c, err) == WA_OK
               ? wa_fleet_set_tags(f, WA_SV("machine"), WA_FLEET_HELD, c.held, err)
               : err->code;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO(wa_fleet) struct wa_fleet *f = NULL;
    const struct wa_json *j = NULL;
    struct wa_err err = WA_ERR_INIT;
    wa_arena_init(&arena, 16u << 20);
    if (wa_json_parse(wa_sv_n(data, size), 0, &arena, &j, &err) != WA_OK ||
        wa_fleet_new(&f, &err) != WA_OK || show(j, &arena, f, &err) != WA_OK)
        return 0;
    wa_fleet_roll(f, NOW);
    const struct wa_fleet_schedule *s = &wa_fleet_get(f, WA_SV("machine"))->schedule;
    if (s->window_end != 0 && s->window_end <= NOW)
        abort(); /* it is over */
    return 0;
}

/* rollout.c - roll-outs: the statement, as the network brings it ('s' first), and the plan, as a
 * person's console sends it ('p' first), with what both say of a machine.
 */
#include <stdint.h>
#include <stdlib.h>

#include "proto/rollout.h"
#include "server/rollout.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum wa_code read_statement(const struct wa_json *j, struct wa_err *err)
{
    static const char *const names[] = {"grp-paris", "", NULL};
    struct wa_rollout r;
    struct wa_sv signer;
    if (wa_rollout_read(j, &r, &signer, err) != WA_OK)
        return err->code;
    (void)wa_rollout_covers(&r, "machine", names);
    if (signer.n != 64 || (r.machines == NULL) == (r.members_of == NULL))
        abort();
    return WA_OK;
}

static enum wa_code read_plan(const struct wa_json *j, struct wa_err *err)
{
    struct wa_rollout_plan p;
    struct wa_ring_counts counts[WA_ROLLOUT_RINGS_MAX] = {{.total = 9, .done = 8, .failed = 1}};
    if (wa_rollout_plan_read(j, &p, err) != WA_OK)
        return err->code;
    for (int64_t place = 0; place < 100; place += 33)
        if (wa_rollout_ring(&p, "machine", WA_SV("grp-paris,x"), place) >= p.ring_count)
            abort();
    for (size_t ring = 0; ring < p.ring_count; ring++)
        if (wa_rollout_judge(&p, counts, ring, 1000, 0) == WA_ROLLOUT_GOES_ON &&
            ring + 1 >= p.ring_count)
            abort();
    return WA_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_err err = WA_ERR_INIT;
    wa_arena_init(&arena, 64u << 20);
    if (size == 0)
        return 0;
    enum wa_code code = wa_json_parse(wa_sv_n(data + 1, size - 1), 0, &arena, &j, &err);
    if (code == WA_OK)
        code = data[0] == 's' ? read_statement(j, &err) : read_plan(j, &err);
    if (code != err.code || (code != WA_OK && err.text[0] == '\0'))
        abort();
    return 0;
}

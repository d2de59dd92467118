/* agent_messages - what the agent's manager reads from its children, and the launcher from the
 * manager. */
#include <stdlib.h>

#include "agent/helper_priv.h"
#include "agent/inventory_answer.h"
#include "agent/launcher_priv.h"
#include "agent/manager_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum wa_code read_inventory(bool is_place, struct wa_sv text, struct wa_err *err)
{
    struct wa_arena WA_AUTO_ARENA arena;
    struct wa_machine_answer machine;
    struct wa_place_answer place;
    wa_arena_init(&arena, 16u << 20);
    if (!is_place)
        return wa_machine_answer_read(text, &arena, &machine, err);
    enum wa_code code = wa_place_answer_read(text, &arena, &place, err);
    wa_buf_fini(&place.groups);
    return code;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const groups[] = {"g1", "g2", NULL};
    struct wa_fetch_result fetched;
    struct wa_auth_answer answer;
    struct wa_member member;
    struct wa_net_state state;
    struct wa_net_challenge challenge;
    struct wa_start start;
    if (size == 0) {
        return 0;
    }
    struct wa_err err = WA_ERR_INIT;
    struct wa_sv text = wa_sv_n(data + 1, size - 1);
    enum wa_code code = WA_E_INTERNAL;
    switch (data[0] % 9) {
    case 0:
        code = wa_fetch_done_read(text, &fetched, &err);
        break;
    case 1:
        code = wa_auth_answer_read(text, groups, true, &answer, &err);
        break;
    case 2:
        code = wa_unpack_member_read(text, &member, &err);
        if (code == WA_OK && (member.name.n == 0 || member.name.p[0] == '/' ||
                              strstr(member.name.p, "..") == member.name.p)) {
            abort();
        }
        break;
    case 3:
        code = wa_net_state_read(text, &state, &err);
        break;
    case 4:
        code = wa_net_challenge_read(text, &challenge, &err);
        break;
    case 5:
        code = wa_role_error_read(text, &err);
        if (code == WA_OK) {
            abort();
        }
        break;
    case 7:
    case 8:
        code = read_inventory(data[0] % 9 == 7, text, &err);
        break;
    default:
        code = wa_launch_check(text, &start, &err);
        if (code == WA_OK && start.role == WA_ROLE_RUNNER &&
            (start.stage[WA_STAGE_ID] != '\0' || strchr(start.stage, '/') != NULL)) {
            abort();
        }
        break;
    }
    if ((code != WA_OK) != (err.code != WA_OK)) {
        abort();
    }
    return 0;
}

/* inventory_answer.h - what the manager takes of the inventory process's answers. */
#ifndef WA_AGENT_INVENTORY_ANSWER_H
#define WA_AGENT_INVENTORY_ANSWER_H

#include "base/buf.h"
#include "codec/json.h"

/* The trees live in arena; NULL: not to be had. */
struct wa_machine_answer {
    const struct wa_json *host_info, *host_metrics, *dmi; /* objects */
    const struct wa_json *softwares;                      /* an array */
};
/* WA_E_REFUSED: it says what is the manager's to say. */
WA_CHECK enum wa_code wa_machine_answer_read(struct wa_sv text, struct wa_arena *arena,
                                             struct wa_machine_answer *ret, struct wa_err *err);

struct wa_place_answer {
    bool is_known;        /* else there is nothing more */
    struct wa_sv dn;      /* in arena; may be empty */
    struct wa_buf groups; /* csv; the caller's to finish, made ready by the reader */
};
WA_CHECK enum wa_code wa_place_answer_read(struct wa_sv text, struct wa_arena *arena,
                                           struct wa_place_answer *ret, struct wa_err *err);

#endif

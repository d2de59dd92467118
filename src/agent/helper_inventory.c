/* helper_inventory.c - the manager asks the inventory process, and takes no more than there is room
 * for. What the answer says is the caller's to judge: it is a stranger's.
 */
#include "agent/helper_priv.h"

#define GRACE_S 4u /* s: to start it */

static void question_write(const struct wa_inventory_ask *what, struct wa_buf *out)
{
    struct wa_jw w;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "what", what->account != NULL ? "place" : "machine");
    if (what->account != NULL)
        wa_jw_kv(&w, "account", what->account);
    wa_jw_kvb(&w, "environment", what->with_environment);
    wa_jw_kvb(&w, "vendor_text", what->with_vendor_text);
    wa_jw_end(&w);
}

static enum wa_code ask(struct wa_talk *t, const struct wa_inventory_ask *what, struct wa_err *err)
{
    struct wa_buf WA_AUTO_BUF question;
    struct wa_sv table = what->table;
    wa_buf_init(&question, WA_ROLE_NOTE_MAX);
    question_write(what, &question);
    if (wa_buf_check(&question, err) != WA_OK)
        return err->code;
    while (table.n > 0) {
        struct wa_sv piece = wa_sv_sub(table, 0, WA_ROLE_DATA_MAX);
        if (wa_talk_send(t, WA_M_INVENTORY_TABLE, 1, piece, -1, err) != WA_OK)
            return err->code;
        table = wa_sv_sub(table, piece.n, table.n);
    }
    return wa_talk_send(t, WA_M_INVENTORY_ASK, 1, wa_buf_sv(&question), -1, err);
}

static enum wa_code hear(struct wa_talk *t, struct wa_buf *answer, struct wa_err *err)
{
    for (;;) {
        struct wa_chan_msg msg;
        if (wa_talk_recv(t, 1, &msg, err) != WA_OK)
            return err->code;
        if (msg.type == WA_M_INVENTORY_END)
            return msg.payload.n == 0 ? WA_OK : wa_role_error_read(msg.payload, err);
        wa_buf_addsv(answer, msg.payload);
        if (wa_buf_check(answer, err) != WA_OK)
            return err->code == WA_E_LIMIT ? wa_talk_broken(t, "more than an inventory has", err)
                                           : err->code;
    }
}

enum wa_code wa_helper_inventory(struct wa_launcher *l, const struct wa_inventory_ask *what,
                                 struct wa_cancel *cancel, struct wa_buf *answer,
                                 struct wa_err *err)
{
    struct wa_talk t = {.silence_ms = WA_INVENTORY_TIMEOUT_MS, .cancel = cancel};
    enum wa_code code =
        wa_talk_begin(&t, l, WA_ROLE_INVENTORY, WA_INVENTORY_TIMEOUT_MS / 1000 + GRACE_S, err);
    if (code == WA_OK)
        code = ask(&t, what, err);
    if (code == WA_OK)
        code = hear(&t, answer, err);
    wa_talk_end(&t);
    return code;
}

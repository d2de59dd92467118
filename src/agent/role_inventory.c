/* role_inventory.c - the process that says what this machine is, or where its account stands in a
 * directory; one question, then it ends.
 *
 * It reads much of what others wrote - the firmware's table, package databases, mounts, a
 * directory's answers - so it has nothing: no identity of ours, no network, no writing, reading
 * only where those things lie. What only root can read, the firmware's table, comes by the channel.
 * A question about the place is another process than one about the machine: what a firmware says
 * can't change which packages a machine gets. Programs it may start only where rpm has a database.
 */
#include "agent/facts.h"
#include "agent/helpers.h"
#include "agent/role_priv.h"
#include "os/software.h"

#define MEMORY_MAX (1ull << 30) /* bytes: of address space */
#define ACCOUNT_MAX 255u

struct question {
    bool is_place;
    char account[ACCOUNT_MAX + 1];
    struct wa_facts_want want;
};

static enum wa_code question_read(struct wa_sv text, struct question *q, struct wa_err *err)
{
    struct wa_arena WA_AUTO_ARENA arena;
    wa_arena_init(&arena, 16 * WA_ROLE_NOTE_MAX);
    const struct wa_json *j = NULL;
    struct wa_sv what = {0}, account = {0};
    const struct wa_json_field fields[] = {
        {"what", WA_WANT_SV, true, 16, &what},
        {"account", WA_WANT_SV, false, ACCOUNT_MAX, &account},
        {"environment", WA_WANT_BOOL, false, 0, &q->want.with_environment},
        {"vendor_text", WA_WANT_BOOL, false, 0, &q->want.with_vendor_text},
    };
    if (wa_json_parse(text, 0, &arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "a question", err) != WA_OK)
        return err->code;
    q->is_place = wa_sv_eqs(what, "place");
    if ((!q->is_place && !wa_sv_eqs(what, "machine")) ||
        !wa_role_copy(account, q->account, sizeof q->account) ||
        q->is_place != (q->account[0] != '\0'))
        return wa_fail(err, WA_E_INVALID, "a question of a wrong form");
    return WA_OK;
}

static enum wa_code send_answer(struct wa_role_child *c, uint32_t id, struct wa_sv text,
                                struct wa_err *err)
{
    while (text.n > 0) {
        struct wa_sv piece = wa_sv_sub(text, 0, WA_ROLE_DATA_MAX);
        if (wa_chan_send(c->chan, WA_M_INVENTORY_DATA, id, piece, -1, err) != WA_OK)
            return err->code;
        text = wa_sv_sub(text, piece.n, text.n);
    }
    return wa_chan_send(c->chan, WA_M_INVENTORY_END, id, WA_SV(""), -1, err);
}

static enum wa_code send_failure(struct wa_role_child *c, uint32_t id, const struct wa_err *why,
                                 struct wa_err *err)
{
    struct wa_buf WA_AUTO_BUF out;
    wa_buf_init(&out, WA_ROLE_NOTE_MAX);
    wa_role_error_write(why, &out);
    if (wa_buf_check(&out, err) != WA_OK)
        return err->code;
    return wa_chan_send(c->chan, WA_M_INVENTORY_END, id, wa_buf_sv(&out), -1, err);
}

/* Collects the table, if any, up to the question. */
static enum wa_code hear(struct wa_role_child *c, struct wa_buf *table, struct question *q,
                         uint32_t *ret_id, struct wa_err *err)
{
    for (;;) {
        struct wa_chan_msg msg;
        if (wa_chan_hear(c->chan, (int)WA_INVENTORY_TIMEOUT_MS, &msg, err) != WA_OK)
            return err->code;
        if (msg.type == WA_M_INVENTORY_ASK) {
            *ret_id = msg.id;
            return question_read(msg.payload, q, err);
        }
        wa_buf_addsv(table, msg.payload);
        if (wa_buf_check(table, err) != WA_OK)
            return err->code;
    }
}

static enum wa_code serve(struct wa_role_child *c, struct wa_err *err)
{
    struct question q = {.account = ""};
    struct wa_err why = WA_ERR_INIT;
    uint32_t id = 0;
    struct wa_buf WA_AUTO_BUF table;
    struct wa_buf WA_AUTO_BUF answer;
    wa_buf_init(&table, WA_DMI_TABLE_MAX);
    wa_buf_init(&answer, WA_INVENTORY_BYTES_MAX);
    if (hear(c, &table, &q, &id, err) != WA_OK)
        return err->code;
    q.want.table = wa_buf_sv(&table);
    enum wa_code code = q.is_place ? wa_facts_place(q.account, &answer, &why)
                                   : wa_facts_machine(&q.want, &c->log, &answer, &why);
    return code == WA_OK ? send_answer(c, id, wa_buf_sv(&answer), err)
                         : send_failure(c, id, &why, err);
}

int wa_role_inventory(void)
{
    /* Package databases, accounts, the system's own description; libraries, for the name service's
     * modules and rpm. */
    static const char *const readable[] = {
        "/etc", "/usr", "/lib",          "/lib64",       "/bin",         "/proc",         "/sys",
        "/run", "/dev", "/var/lib/dpkg", "/var/lib/rpm", "/var/lib/sss", "/var/log/wtmp", NULL,
    };
    struct wa_err err = WA_ERR_INIT;
    struct wa_role_child c;
    struct wa_priv priv = {
        .allow = WA_PRIV_FS_READ | WA_PRIV_LOCAL | WA_PRIV_FDS |
                 (wa_software_needs_child() ? WA_PRIV_SPAWN : 0u),
        .read_paths = readable,
        .limit_memory_bytes = wa_role_memory_limit(MEMORY_MAX),
        .limit_files = 256, /* a start of rpm uses numbers from 64 on */
    };
    enum wa_code code = wa_role_child_begin(&c, WA_ROLE_INVENTORY, &priv, &err);
    if (code == WA_OK) {
        code = serve(&c, &err);
        if (code == WA_E_NOT_FOUND) /* the manager changed its mind */
            code = WA_OK;
    }
    return wa_role_child_end(&c, code, &err);
}

/* roles.c - the closed table of the agent's messages: who may say what to whom, how large, with or
 * without a descriptor.
 *
 * Nothing here acts. What has no row here does not pass: os/chan refuses it and the channel is
 * dead. The sizes of the launcher's messages are those of their structs, so that the launcher never
 * sees a length it has to believe.
 */
#include "agent/roles.h"

#include "base/limits.h"

static const char *const role_names[WA_ROLE_COUNT] = {
    "launcher",  "manager", "network",   "fetch",    "unpack", "auth", "runner",
    "inventory", "upgrade", "directory", "kerberos", "power",  "wake", "describe",
};
static const char *const hook_names[WA_HOOK_COUNT] = {"install",       "uninstall", "audit",
                                                      "session_setup", "snapshot",  "undo"};

const char *wa_role_name(enum wa_role r)
{
    return (unsigned)r < WA_ROLE_COUNT ? role_names[r] : "unknown";
}

const char *wa_hook_name(enum wa_hook h)
{
    return (unsigned)h < WA_HOOK_COUNT ? hook_names[h] : "unknown";
}

static const struct wa_chan_rule nothing[] = {{0, NULL, 0, false}};

static const struct wa_chan_rule manager_to_launcher[] = {
    {WA_M_START, "start", sizeof(struct wa_start), false},
    {WA_M_KILL, "kill", sizeof(struct wa_kill), false},
    {0, NULL, 0, false},
};
static const struct wa_chan_rule launcher_to_manager[] = {
    {WA_M_STARTED, "started", sizeof(struct wa_started), true},
    {WA_M_FAILED, "failed", sizeof(struct wa_failed), false},
    {WA_M_ENDED, "ended", sizeof(struct wa_ended), false},
    {WA_M_MORE_FD, "more-fd", 0, true},
    {0, NULL, 0, false},
};
static const struct wa_chan_rule manager_to_network[] = {
    {WA_M_NET_CONFIG, "net-config", WA_ROLE_JSON_MAX, false},
    {WA_M_NET_SEND, "net-send", WA_WS_MESSAGE_MAX, false},
    {0, NULL, 0, false},
};
static const struct wa_chan_rule network_to_manager[] = {
    {WA_M_NET_CHALLENGE, "net-challenge", WA_ROLE_NOTE_MAX, false},
    {WA_M_NET_TEXT, "net-text", WA_WS_MESSAGE_MAX, false},
    {WA_M_NET_STATE, "net-state", WA_ROLE_NOTE_MAX, false},
    {0, NULL, 0, false},
};
static const struct wa_chan_rule manager_to_fetch[] = {
    {WA_M_FETCH, "fetch", WA_ROLE_JSON_MAX, false},
    {WA_M_FETCH_BODY, "fetch-body", WA_ROLE_DATA_MAX, false},
    {WA_M_FETCH_GO, "fetch-go", 0, false},
    {0, NULL, 0, false},
};
static const struct wa_chan_rule fetch_to_manager[] = {
    {WA_M_FETCH_DATA, "fetch-data", WA_ROLE_DATA_MAX, false},
    {WA_M_FETCH_PROGRESS, "fetch-progress", 2 * sizeof(uint64_t), false},
    {WA_M_FETCH_DONE, "fetch-done", WA_ROLE_NOTE_MAX, false},
    {0, NULL, 0, false},
};
static const struct wa_chan_rule manager_to_unpack[] = {
    {WA_M_UNPACK_OPEN, "unpack-open", 0, true},
    {WA_M_UNPACK_READ, "unpack-read", sizeof(uint32_t), false},
    {0, NULL, 0, false},
};
static const struct wa_chan_rule unpack_to_manager[] = {
    {WA_M_UNPACK_MEMBER, "unpack-member", WA_ROLE_MEMBER_HEAD + WA_RELPATH_MAX, false},
    {WA_M_UNPACK_LISTED, "unpack-listed", sizeof(uint32_t), false},
    {WA_M_UNPACK_DATA, "unpack-data", WA_ROLE_DATA_MAX, false},
    {WA_M_UNPACK_END, "unpack-end", WA_ROLE_NOTE_MAX, false},
    {0, NULL, 0, false},
};
static const struct wa_chan_rule manager_to_auth[] = {
    {WA_M_AUTH_ASK, "auth-ask", WA_ROLE_AUTH_MAX, false},
    {0, NULL, 0, false},
};
static const struct wa_chan_rule auth_to_manager[] = {
    {WA_M_AUTH_ANSWER, "auth-answer", WA_ROLE_AUTH_MAX, false},
    {0, NULL, 0, false},
};
static const struct wa_chan_rule manager_to_directory[] = {
    {WA_M_AUTH_ASK, "auth-ask", WA_ROLE_JSON_MAX, false},
    {0, NULL, 0, false},
};
static const struct wa_chan_rule manager_to_kerberos[] = {
    {WA_M_TICKET_ASK, "ticket-ask", WA_ROLE_JSON_MAX, false},
    {0, NULL, 0, false},
};
static const struct wa_chan_rule kerberos_to_manager[] = {
    {WA_M_TICKET_ANSWER, "ticket-answer", WA_ROLE_JSON_MAX, false},
    {0, NULL, 0, false},
};
static const struct wa_chan_rule manager_to_inventory[] = {
    {WA_M_INVENTORY_TABLE, "inventory-table", WA_ROLE_DATA_MAX, false},
    {WA_M_INVENTORY_ASK, "inventory-ask", WA_ROLE_NOTE_MAX, false},
    {0, NULL, 0, false},
};
static const struct wa_chan_rule inventory_to_manager[] = {
    {WA_M_INVENTORY_DATA, "inventory-data", WA_ROLE_DATA_MAX, false},
    {WA_M_INVENTORY_END, "inventory-end", WA_ROLE_NOTE_MAX, false},
    {0, NULL, 0, false},
};

static const struct wa_chan_rule manager_to_wake[] = {
    {WA_M_WAKE, "wake", sizeof(struct wa_wake), false},
    {0, NULL, 0, false},
};
static const struct wa_chan_rule wake_to_manager[] = {
    {WA_M_WAKE_DONE, "wake-done", WA_ROLE_NOTE_MAX, false},
    {0, NULL, 0, false},
};

static const struct wa_chan_rule manager_to_describe[] = {
    {WA_M_DESCRIBE, "describe", sizeof(struct wa_describe), false},
    {0, NULL, 0, false},
};
static const struct wa_chan_rule describe_to_manager[] = {
    {WA_M_DESCRIBE_DONE, "describe-done", WA_ROLE_NOTE_MAX, false},
    {0, NULL, 0, false},
};

static const struct {
    enum wa_role from, to;
    const struct wa_chan_rule *rules;
} table[] = {
    {WA_ROLE_MANAGER, WA_ROLE_LAUNCHER, manager_to_launcher},
    {WA_ROLE_LAUNCHER, WA_ROLE_MANAGER, launcher_to_manager},
    {WA_ROLE_MANAGER, WA_ROLE_NETWORK, manager_to_network},
    {WA_ROLE_NETWORK, WA_ROLE_MANAGER, network_to_manager},
    {WA_ROLE_MANAGER, WA_ROLE_FETCH, manager_to_fetch},
    {WA_ROLE_FETCH, WA_ROLE_MANAGER, fetch_to_manager},
    {WA_ROLE_MANAGER, WA_ROLE_UNPACK, manager_to_unpack},
    {WA_ROLE_UNPACK, WA_ROLE_MANAGER, unpack_to_manager},
    {WA_ROLE_MANAGER, WA_ROLE_AUTH, manager_to_auth},
    {WA_ROLE_AUTH, WA_ROLE_MANAGER, auth_to_manager},
    {WA_ROLE_MANAGER, WA_ROLE_DIRECTORY, manager_to_directory},
    {WA_ROLE_DIRECTORY, WA_ROLE_MANAGER, auth_to_manager},
    {WA_ROLE_MANAGER, WA_ROLE_KERBEROS, manager_to_kerberos},
    {WA_ROLE_KERBEROS, WA_ROLE_MANAGER, kerberos_to_manager},
    {WA_ROLE_MANAGER, WA_ROLE_INVENTORY, manager_to_inventory},
    {WA_ROLE_INVENTORY, WA_ROLE_MANAGER, inventory_to_manager},
    {WA_ROLE_MANAGER, WA_ROLE_WAKE, manager_to_wake},
    {WA_ROLE_WAKE, WA_ROLE_MANAGER, wake_to_manager},
    {WA_ROLE_MANAGER, WA_ROLE_DESCRIBE, manager_to_describe},
    {WA_ROLE_DESCRIBE, WA_ROLE_MANAGER, describe_to_manager},
};

const struct wa_chan_rule *wa_role_rules(enum wa_role from, enum wa_role to)
{
    for (size_t i = 0; i < WA_COUNT(table); i++) {
        if (table[i].from == from && table[i].to == to) {
            return table[i].rules;
        }
    }
    return nothing;
}

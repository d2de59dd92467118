/* roles.h - the agent's processes, what each may do, and the closed table of who may say what to
 * whom.
 *
 * - launcher: root, unconfined; fixed-size messages from the manager only; starts the others
 * - manager: root over its own files, confined, executes nothing: decides, verifies, owns database,
 *   queue and key
 * - network: unprivileged, confined: the TLS WebSocket; holds no key but TLS's (the manager signs
 *   its hello)
 * - fetch: unprivileged, confined: one HTTPS exchange, ends (program wapt-fetch, the only one with
 *   libcurl)
 * - unpack: unprivileged, no network, no files: ZIP structure and inflate of one descriptor
 * - auth: root, confined; one question: PAM password, group membership
 * - directory: unprivileged: one question to a directory (LDAP): password, group membership
 * - kerberos: unprivileged: one ticket of the machine (program wapt-kerberos, the only one with
 *   Kerberos)
 * - inventory: unprivileged, reads the machine's files and decodes its firmware's table; one answer
 * - upgrade: replaces the agent; from its start on nobody's child
 * - runner: python3 on one hook of one staged package; not ours once started
 * - power: one of the system's programs, of six that there are
 * - wake: unprivileged: broadcasts what wakes machines near this one
 * - describe: root, confined to /etc: writes what the machine is called for people
 */
#ifndef WA_AGENT_ROLES_H
#define WA_AGENT_ROLES_H

#include "os/chan.h"
#include "os/proc.h"

enum wa_role {
    WA_ROLE_LAUNCHER,
    WA_ROLE_MANAGER,
    WA_ROLE_NETWORK,
    WA_ROLE_FETCH,
    WA_ROLE_UNPACK,
    WA_ROLE_AUTH,
    WA_ROLE_RUNNER,
    WA_ROLE_INVENTORY,
    WA_ROLE_UPGRADE,
    WA_ROLE_DIRECTORY,
    WA_ROLE_KERBEROS,
    WA_ROLE_POWER,
    WA_ROLE_WAKE,
    WA_ROLE_DESCRIBE,
    WA_ROLE_COUNT
};
const char *wa_role_name(enum wa_role r);

enum wa_msg {
    /* manager -> launcher */
    WA_M_START = 1, /* struct wa_start: start a child; answered by STARTED or FAILED, same id */
    WA_M_KILL = 2,  /* struct wa_kill: kill a child's whole tree */
    /* launcher -> manager */
    WA_M_STARTED = 16, /* struct wa_started, carries the manager's end of the child's channel */
    WA_M_FAILED = 17,  /* struct wa_failed */
    WA_M_ENDED = 18,   /* struct wa_ended: a child is gone; id of its START */
    WA_M_MORE_FD = 19, /* empty, carries a descriptor: RUNNER's second and third */
    /* manager -> network */
    WA_M_NET_CONFIG =
        32,             /* JSON: url, proxy, trust (pem, fingerprint, system_cas, host), backoff */
    WA_M_NET_SEND = 33, /* text for the WebSocket */
    /* network -> manager */
    WA_M_NET_CHALLENGE = 48, /* JSON {nonce, time, channel} : please sign a hello */
    WA_M_NET_TEXT = 49,      /* a text message from the server, whole */
    WA_M_NET_STATE = 50,     /* JSON {state: connecting|open|welcome|closed, reason, status} */
    /* manager -> fetch */
    WA_M_FETCH =
        64, /* JSON: wa_http_call and trust; the body follows as FETCH_BODY, then FETCH_GO */
    WA_M_FETCH_BODY = 65,
    WA_M_FETCH_GO = 66,
    /* fetch -> manager */
    WA_M_FETCH_DATA = 80,     /* bytes of the answer's body */
    WA_M_FETCH_PROGRESS = 81, /* u64 done, u64 total */
    WA_M_FETCH_DONE = 82,     /* JSON: wa_http_result or the error {code, message} */
    /* manager -> unpack */
    WA_M_UNPACK_OPEN = 96, /* carries the descriptor of the manager's private copy, read only */
    WA_M_UNPACK_READ = 97, /* u32 index */
    /* unpack -> manager */
    WA_M_UNPACK_MEMBER = 112, /* u64 size, u8 is_dir, name */
    WA_M_UNPACK_LISTED = 113, /* u32 count: the list is complete */
    WA_M_UNPACK_DATA = 114,   /* bytes of the member being read */
    WA_M_UNPACK_END = 115,    /* the member is complete, or {code, message} */
    /* manager -> auth; manager -> directory, with directory:{servers, base, ldaps, trust} */
    WA_M_AUTH_ASK = 128, /* JSON {user, password, groups:[...]} */
    /* auth -> manager, directory -> manager */
    WA_M_AUTH_ANSWER = 144, /* JSON {password_ok, groups:[those the user is in], reason} */
    /* manager -> inventory */
    WA_M_INVENTORY_TABLE = 160, /* bytes of the firmware's table, which only root can read */
    WA_M_INVENTORY_ASK = 161,   /* JSON {what: machine|place, environment, vendor_text, account} */
    /* inventory -> manager */
    WA_M_INVENTORY_DATA = 176, /* bytes of the answer, a JSON object */
    WA_M_INVENTORY_END = 177,  /* the answer is complete, or {code, message} */
    /* manager -> kerberos */
    WA_M_TICKET_ASK = 192, /* JSON {keytab, host, binding} */
    /* kerberos -> manager */
    WA_M_TICKET_ANSWER = 208, /* JSON {ticket}, or {code, message} */
    /* manager -> wake */
    WA_M_WAKE = 224, /* struct wa_wake */
    /* wake -> manager */
    WA_M_WAKE_DONE = 240, /* empty, or {code, message} */
    /* manager -> describe */
    WA_M_DESCRIBE = 232, /* struct wa_describe */
    /* describe -> manager */
    WA_M_DESCRIBE_DONE = 248 /* empty, or {code, message} */
};

/* --- launcher messages: fixed size, host byte order, no pointers, no lengths --- */
#define WA_STAGE_ID 32 /* hex digits: the folder <base>/private/stage/<id> */
enum wa_hook {
    WA_HOOK_INSTALL,
    WA_HOOK_UNINSTALL,
    WA_HOOK_AUDIT,
    WA_HOOK_SESSION_SETUP,
    WA_HOOK_SNAPSHOT, /* not a package's: the administrator's commands around install() */
    WA_HOOK_UNDO,
    WA_HOOK_COUNT
};
const char *wa_hook_name(enum wa_hook h);
/* What POWER's program does. All but the last two tell something to those who are at work. */
enum wa_power {
    WA_POWER_WARN_REBOOT,
    WA_POWER_WARN_SHUTDOWN,
    WA_POWER_SHOW_MESSAGE, /* what is in the file */
    WA_POWER_PROPOSE,
    WA_POWER_REBOOT,
    WA_POWER_SHUTDOWN,
    WA_POWER_COUNT
};
#define WA_NOTICE_MESSAGE "run/message" /* below the base directory */
struct wa_start {
    uint32_t role;    /* any but LAUNCHER and MANAGER */
    uint32_t power;   /* POWER only: enum wa_power */
    uint32_t minutes; /* POWER only, of its warnings: until then; else 0 */
    /* RUNNER only */
    uint32_t hook; /* enum wa_hook */
    uint32_t uid;  /* SESSION_SETUP: whose session; else 0 */
    char stage[WA_STAGE_ID + 1];
    uint32_t timeout_s; /* the launcher kills the tree by itself after this */
};
struct wa_kill {
    uint32_t start_id;
};
struct wa_started {
    int32_t pid;
};
struct wa_failed {
    uint32_t code; /* enum wa_code */
    char text[256];
};
struct wa_ended {
    uint32_t start_id;
    uint32_t is_signal;
    int32_t value;
    uint32_t timed_out; /* by the launcher's own limit */
};
#define WA_WAKE_MAX 64u
struct wa_wake {    /* the only message to WAKE */
    uint32_t count; /* 1 to WA_WAKE_MAX */
    uint8_t macs[WA_WAKE_MAX][6];
};
struct wa_describe {                   /* the only message to DESCRIBE */
    char text[WA_DESCRIPTION_MAX + 1]; /* with its NUL */
};
/* For RUNNER, STARTED carries the write end of the request's pipe (the runner's fd 3), and two
 * MORE_FD of the same id follow: the read ends of the result (its fd 4) and of the output (its fd 1
 * and 2). */

/* --- sizes of the other messages, bytes of payload --- */
#define WA_ROLE_MEMBER_HEAD 9u /* before a member's name: u64 size (little endian), u8 is_dir */

/* The rules of one direction, for wa_chan_new(); ends with a rule whose name is NULL. A direction
 * that has no row in the table gets rules that accept nothing. */
const struct wa_chan_rule *wa_role_rules(enum wa_role from, enum wa_role to);

#endif

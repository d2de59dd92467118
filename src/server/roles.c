/* roles.c - the table of the server's processes: who they are, and what may go from whom to whom,
 * with its largest size.
 */
#include "server/roles.h"

#include "server/config.h"
#include "server/metrics.h"
#include "server/wake.h"

#define ALL WA_IPC_MESSAGE_MAX

static const struct role {
    const char *name;
    int (*body)(const char *config_file);
    bool is_alone;                         /* see wa_server_role_is_alone() */
    struct wa_chan_rule asked[2], says[2]; /* of those who only answer the store */
} roles[WA_SR_COUNT] = {
    [WA_SR_STORE] = {.name = "store", .body = wa_server_store},
    [WA_SR_FRONT] = {.name = "front", .body = wa_server_front},
    [WA_SR_SIGNER] = {"signer",
                      wa_server_signer,
                      false,
                      {{WA_S_SIGN, "sign", ALL, false}},
                      {{WA_S_SIGNED, "signed", ALL, false}}},
    [WA_SR_AUTH] = {"auth",
                    wa_server_auth,
                    true,
                    {{WA_S_CHECK, "check", 4096, false}},
                    {{WA_S_CHECKED, "checked", 1024, false}}},
    [WA_SR_SCAN] = {"scan",
                    wa_server_scan,
                    true,
                    {{WA_S_SCAN, "scan", WA_SCAN_QUESTION_MAX, false}},
                    {{WA_S_SCANNED, "scanned", ALL, false}}},
    [WA_SR_DIRECTORY] = {"directory",
                         wa_server_directory,
                         true,
                         {{WA_S_WHO, "who", WA_FRONT_PERSON_MAX, false}},
                         {{WA_S_WHO_IS, "who-is", WA_FRONT_PERSON_MAX, false}}},
    [WA_SR_SEARCH] = {"search",
                      wa_server_search,
                      true,
                      {{WA_S_SEARCH, "search", WA_SEARCH_BYTES_MAX, false}},
                      {{WA_S_FOUND, "found", ALL, false}}},
    [WA_SR_REPORT] = {"report",
                      wa_server_report,
                      true,
                      {{WA_S_REPORT, "report", WA_SEARCH_BYTES_MAX, false}},
                      {{WA_S_REPORTED, "reported", ALL, false}}},
    [WA_SR_HOOK] = {"hook",
                    wa_server_hook,
                    true,
                    {{WA_S_HOOK, "hook", WA_HOOK_BODY_MAX + 65536, false}},
                    {{WA_S_HOOKED, "hooked", 8192, false}}},
    [WA_SR_KERBEROS] = {"kerberos",
                        wa_server_kerberos,
                        true,
                        {{WA_S_TICKET, "ticket", WA_TICKET_TEXT_MAX + 1024, false}},
                        {{WA_S_TICKET_IS, "ticket-is", 8192, false}}},
    [WA_SR_OIDC] = {"oidc",
                    wa_server_oidc,
                    true,
                    {{WA_S_OIDC, "oidc", WA_FRONT_PERSON_MAX, false}},
                    {{WA_S_OIDC_IS, "oidc-is", WA_FRONT_PERSON_MAX, false}}},
    [WA_SR_TRUST] = {"trust",
                     wa_server_trust_signers,
                     true,
                     {{WA_S_TRUST, "trust", WA_SCAN_QUESTION_MAX, false}},
                     {{WA_S_TRUSTED, "trusted", ALL, false}}},
    [WA_SR_WAKE] = {"wake",
                    wa_server_wake,
                    true,
                    {{WA_S_WAKE, "wake", WA_WAKE_BYTES_MAX, false}},
                    {{WA_S_WOKEN, "woken", WA_WAKE_ANSWER_MAX, false}}},
};

const char *wa_server_role_name(enum wa_server_role r)
{
    return roles[r].name;
}

bool wa_server_role_is_alone(enum wa_server_role r)
{
    return roles[r].is_alone;
}

const struct wa_chan_rule *wa_server_rules(enum wa_server_role from, enum wa_server_role to)
{
    static const struct wa_chan_rule none[] = {{0, NULL, 0, false}};
    static const struct wa_chan_rule front_store[] = {
        {WA_S_REQUEST, "request", WA_SERVER_BODY_MAX + 65536, false},
        {WA_S_HELLO, "hello", 128u << 10, false},
        {WA_S_ACK, "ack", 256, false},
        {WA_S_GONE, "gone", 256, false},
        {WA_S_COUNTS, "counts", sizeof(struct wa_front_counts), false},
        {WA_S_SAME, "same", 64, false},
        {WA_S_SEEN, "seen", WA_FRONT_SEEN_MAX * sizeof(uint32_t), false},
        {WA_S_QUEUE, "queue", WA_QUEUE_BYTES_MAX, false},
        {0, NULL, 0, false}};
    static const struct wa_chan_rule store_front[] = {
        {WA_S_ANSWER, "answer", WA_IPC_MESSAGE_MAX, false},
        {WA_S_ORDER, "order", WA_WS_MESSAGE_MAX, false},
        {WA_S_CLOSE, "close", 0, false},
        {WA_S_KNOWN, "known", 1, false},
        {WA_S_CHANGED, "changed", 0, false},
        {WA_S_REVOKED, "revoked", WA_IPC_MESSAGE_MAX, false},
        {WA_S_GUEST, "guest", 63, false},
        {WA_S_WATCH, "watch", 0, false},
        {0, NULL, 0, false}};
    static const struct wa_chan_rule supervisor_store[] = {{WA_S_HELPER, "helper", 0, true},
                                                           {0, NULL, 0, false}};
    if (to == WA_SR_STORE)
        return from == WA_SR_SUPERVISOR ? supervisor_store
               : from == WA_SR_FRONT    ? front_store
                                        : roles[from].says;
    if (from != WA_SR_STORE || to == WA_SR_SUPERVISOR)
        return none;
    return to == WA_SR_FRONT ? store_front : roles[to].asked;
}

bool wa_server_dispatch(int argc, char **argv, int *ret_status)
{
    if (argc != 3 || strncmp(argv[1], "role:", 5) != 0)
        return false;
    if (strcmp(argv[1], "role:dump") == 0 || strcmp(argv[1], "role:load") == 0) {
        *ret_status =
            strcmp(argv[1], "role:dump") == 0 ? wa_server_dump(argv[2]) : wa_server_load(argv[2]);
        return true;
    }
    for (size_t i = 0; i < WA_SR_COUNT; i++) {
        if (strcmp(argv[1] + 5, roles[i].name) != 0)
            continue;
        *ret_status = roles[i].body(argv[2]);
        return true;
    }
    return false;
}

/* server_store - whatever a front passes on to the store, from clients or of its own mind: requests
 * with any head and body, greetings, acknowledgements; and what a taken-over helper replies. Each
 * request gets one answer that is JSON; and without the session's token nothing is granted.
 *
 * The first byte names the message, the rest is its payload.
 */
#include "base/mem.h"
#include "store_bench.h"

#define CONNECTED UINT32_MAX

/* A machine that has greeted. */
static void connect_one(void)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_store_conn *c = NULL;
    if (wa_store_conn_at(&bench.store, 0, CONNECTED) != NULL)
        return;
    c = wa_calloc(1, sizeof *c);
    if (c == NULL)
        abort();
    *c = (struct wa_store_conn){.id = CONNECTED, .uuid = "host-1"};
    check(wa_store_connect(&bench.store, c, &err));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct {
        char name;
        uint16_t type;
        const char *reply;
    } kinds[] = {{'R', WA_S_REQUEST, "no"},
                 {'N', WA_S_REQUEST, "[]"},
                 {'C', WA_S_REQUEST, "{\"code\":\"ok\",\"message\":\"\",\"file\":\"\"}"},
                 {'H', WA_S_HELLO, "no"},
                 {'A', WA_S_ACK, "no"},
                 {'G', WA_S_GONE, "no"},
                 {'Q', WA_S_QUEUE, "no"}};
    static uint32_t id;
    if (size == 0 || size > (1u << 20))
        return 0;
    if (bench.store.loop == NULL)
        start();
    for (size_t i = 0; i < WA_COUNT(kinds); i++) {
        if ((char)data[0] != kinds[i].name)
            continue;
        bool is_queue = kinds[i].type == WA_S_QUEUE;
        const struct wa_chan_msg msg = {kinds[i].type, is_queue ? CONNECTED : ++id,
                                        wa_sv_n(data + 1, size - 1), -1, NULL};
        connect_one();
        int status = 0;
        wa_store_front(&bench.store, 0, &msg);
        (void)reply(wa_sv(kinds[i].reply));
        size_t n = answers(&status);
        bool asks = msg.type == WA_S_REQUEST || msg.type == WA_S_HELLO;
        if (n != (asks ? 1u : 0u))
            abort();
        if (status == 200 && memmem(data, size, TOKEN, strlen(TOKEN)) == NULL)
            abort();
    }
    memset(&bench.store.throttle, 0, sizeof bench.store.throttle); /* each input for itself */
    return 0;
}

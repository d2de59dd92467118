/* wake.h - magic packets that the server itself sends: where to, and to how many.
 *
 * Machines report their cards and addresses, and some lie. No report is a destination: a machine's
 * address only chooses among the networks that the server is in and those that the configuration
 * lists, and packets go to the broadcast addresses of these and to 255.255.255.255. So the worst
 * that a lie does is a packet for the liar's card in one of these networks, when somebody wakes the
 * liar.
 */
#ifndef WA_SERVER_WAKE_H
#define WA_SERVER_WAKE_H

#include "base/err.h"
#include "base/limits.h"
#include "base/sv.h"

#include <stdint.h>

#define WA_WAKE_BYTES_MAX (128u << 10)  /* of a question: cards and addresses of its machines */
#define WA_WAKE_ANSWER_MAX (512u << 10) /* of its answer: networks */
#define WA_WAKE_NAME 65u                /* of a person, cut: for the rate */

struct wa_wake_network {
    uint8_t address[4]; /* some address in it */
    unsigned bits;
};
struct wa_wake_where {
    uint16_t ports[WA_WAKE_PORTS_MAX];
    size_t port_count; /* 0: nothing is sent */
    struct wa_wake_network networks[WA_WAKE_NETWORKS_MAX];
    size_t count;
};
/* From wol_port and wol_networks. WA_E_CONFIG. */
WA_CHECK enum wa_code wa_wake_where_read(const char *ports, const char *networks,
                                         struct wa_wake_where *ret, struct wa_err *err);

/* How many machines each person has woken of late; all zero at first. */
struct wa_wake_rate {
    struct {
        char user[WA_WAKE_NAME];
        int64_t since;
        size_t machines;
    } people[64];
};
/* WA_E_BUSY: with these more they would be too many within a minute. */
WA_CHECK enum wa_code wa_wake_take(struct wa_wake_rate *r, const char *user, size_t machines,
                                   int64_t now, struct wa_err *err);

#endif

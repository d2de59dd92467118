/* throttle.h - wrong credentials, counted by address and by account. */
#ifndef WA_SERVER_THROTTLE_H
#define WA_SERVER_THROTTLE_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define WA_THROTTLE_ADDRESS 5u  /* wrong ones of an address before it must wait */
#define WA_THROTTLE_ACCOUNT 20u /* wrong ones for an account, from wherever */
#define WA_THROTTLE_WAIT_S                                                                         \
    60 /* s: after the last one; twice as long each time it comes to that                          \
        */
#define WA_THROTTLE_ADDRESS_TIMES 6u /* doublings at most: an hour */
#define WA_THROTTLE_ACCOUNT_TIMES 3u /* eight minutes: it is others who make its owner wait */
#define WA_THROTTLE_CALM_S 7200      /* s without waiting after which it begins anew */

struct wa_throttle {
    uint64_t seed; /* random: nobody can choose whose counter he shares */
    struct wa_throttle_count {
        uint64_t whose;        /* its hash */
        uint32_t wrong, times; /* how often it came to waiting */
        int64_t until;
    } addresses[4096], accounts[1024];
    uint64_t known[64]; /* accounts and addresses that logged in together, the last ones */
    size_t known_at;
};

/* An attempt begins, and counts as wrong until wa_throttle_good() takes it back: many at the same
 * time count too. WA_E_BUSY when it must wait. account: NULL when it is about none. Who logged in
 * from that address before is not locked out by what others do to the account. */
WA_CHECK enum wa_code wa_throttle_begin(struct wa_throttle *t, const char *address,
                                        const char *account, int64_t now, struct wa_err *err);
/* The attempt was none. */
void wa_throttle_back(struct wa_throttle *t, const char *address, const char *account);
void wa_throttle_good(struct wa_throttle *t, const char *address, const char *account);

#endif

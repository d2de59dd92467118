/* store_senders.h - the keys of the machines that have spoken, so that a certificate is not read
 * anew for each signature.
 *
 * A hint for threads that check signatures, and never more: what was checked counts only for the
 * certificate that the database has of the machine when the report is taken.
 */
#ifndef WA_SERVER_STORE_SENDERS_H
#define WA_SERVER_STORE_SENDERS_H

#include "crypto/digest.h"
#include "proto/envelope.h"

struct wa_sender {
    uint8_t certificate[WA_SHA256_SIZE]; /* of its text */
    uint8_t point[WA_KEY_POINT_BYTES];   /* its key */
};

struct wa_senders;
WA_CHECK enum wa_code wa_senders_new(struct wa_senders **ret, struct wa_err *err);
void wa_senders_free(struct wa_senders *s);
/* From any thread. False: the machine is not known here. */
bool wa_senders_get(struct wa_senders *s, struct wa_sv uuid, struct wa_sender *ret);
/* Best effort: what is not kept is read again. */
void wa_senders_keep(struct wa_senders *s, struct wa_sv uuid, const struct wa_sender *sender);
/* Whether the sender's key signed e. scratch: of one thread at a time, NULL at first, the caller's
 * to free. */
WA_CHECK enum wa_code wa_sender_check(const struct wa_sender *sender, const struct wa_envelope *e,
                                      struct wa_key **scratch, struct wa_err *err);

#endif

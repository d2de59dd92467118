/* second_factor.h - setting up one's own second factor. */
#ifndef WA_SERVER_SECOND_FACTOR_H
#define WA_SERVER_SECOND_FACTOR_H

#include "server/api.h"

WA_CHECK enum wa_code wa_factor_offer_call(struct wa_api_call *c, struct wa_err *err);
WA_CHECK enum wa_code wa_factor_confirm_call(struct wa_api_call *c, struct wa_err *err);
WA_CHECK enum wa_code wa_factor_off_call(struct wa_api_call *c, struct wa_err *err);

#endif

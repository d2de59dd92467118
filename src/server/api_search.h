/* api_search.h - parameters of calls that look through the inventory. */
#ifndef WA_SERVER_API_SEARCH_H
#define WA_SERVER_API_SEARCH_H

#include "server/api.h"
#include "server/inventory.h"
#include "server/search.h"

#define WA_SEARCH_TEXT 520u /* bytes of a pattern: 255, each escaped, and two signs */

struct wa_api_search { /* a question with its texts */
    struct wa_search_hosts hosts;
    char software[WA_SEARCH_TEXT], package[WA_SEARCH_TEXT], hardware[WA_SEARCH_TEXT];
    char software_from[WA_VERSION_KEY + 1], software_below[WA_VERSION_KEY + 1];
    char package_from[WA_VERSION_KEY + 1], package_below[WA_VERSION_KEY + 1];
    char status[64], audit[64], field[32];
};
/* The parameters software, software_version, package, package_version, package_status,
 * package_audit and hardware of the call. s is not to be moved after. */
WA_CHECK enum wa_code wa_api_search_read(const struct wa_api_call *c, struct wa_api_search *s,
                                         struct wa_err *err);
#define WA_API_SEARCH_PARAMS                                                                       \
    {"software",                                                                                   \
     "Only machines that have software of such a name: a part of it, or a pattern "                \
     "with * and ?",                                                                               \
     false},                                                                                       \
        {"software_version", "Of these versions, like >=115,<116", false},                         \
        {"package", "Only machines that have the package, or one of a pattern with * and ?",       \
         false},                                                                                   \
        {"package_version", "Of these versions, like <1.2-3", false},                              \
        {"package_status", "In this state, like ERROR", false},                                    \
        {"package_audit", "Of this audit, like WARNING", false},                                   \
    {                                                                                              \
        "hardware",                                                                                \
            "Only machines of such hardware: a part of what they say, or of one field of "         \
            "it, like model:latitude",                                                             \
            false                                                                                  \
    }
/* A text as people write it as a pattern for SQL: '*' and '?' stand for any; without them it is a
 * part, or the whole where is_whole. */
void wa_api_pattern(const char *text, bool is_whole, char out[WA_SEARCH_TEXT]);
/* The pattern as people write it, from SQL's. */
void wa_api_pattern_text(struct wa_sv like, char out[WA_SEARCH_TEXT]);
/* ">=1.2,<2" as keys, from the first and below the second; "" where there is no limit.
 * WA_E_USAGE. */
WA_CHECK enum wa_code wa_api_range(const char *text, char from[WA_VERSION_KEY + 1],
                                   char below[WA_VERSION_KEY + 1], struct wa_err *err);
/* Asks the search process, which nobody asks otherwise, for a request, which may ask several times
 * and waits until it is answered. WA_E_BUSY: the person has as many that wait as anybody may, since
 * everybody else waits behind them. question: written, not checked. */
WA_CHECK enum wa_code wa_api_search_ask(struct wa_store_request *r, const struct wa_buf *question,
                                        wa_store_reply_fn fn, void *user, struct wa_err *err);
/* For wa_api_search_ask(), user: the request: what the search process answered is the answer. */
void wa_api_answer_found(struct wa_store *s, void *user, struct wa_sv payload);
/* The caller's machines; *ret_is_all: all of them, and the set is empty. */
WA_CHECK enum wa_code wa_api_among(const struct wa_api_call *c, struct wa_hostset *set,
                                   bool *ret_is_all, struct wa_err *err);

#endif

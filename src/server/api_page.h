/* api_page.h - the one way through every list of the API: limit, after and next, search, sort.
 *
 * A page ends with "next" unless it is the last one; given back as 'after' it is the place behind
 * the page's last row, whatever came or went meanwhile: nothing is lost, nothing said twice. It is
 * no secret and gives no right: each page is a request of its own.
 */
#ifndef WA_SERVER_API_PAGE_H
#define WA_SERVER_API_PAGE_H

#include "server/api.h"

#define WA_PAGE_TEXT 512u /* bytes with the NUL, of a value and of an identifier */

struct wa_api_page {
    int64_t limit, offset;
    char search[WA_PAGE_TEXT];
    char sort[32]; /* as the query has it, "-name"; "": the list's own order */
    bool has_after;
    char value[WA_PAGE_TEXT], id[WA_PAGE_TEXT]; /* of the last row: by what it is sorted, and who */
};
/* The parameters of the page; limit: when none is said, and at most. WA_E_USAGE for an 'after' that
 * is no list's, or one of another order. */
WA_CHECK enum wa_code wa_api_page_read(const struct wa_api_call *c, int64_t limit,
                                       int64_t limit_max, struct wa_api_page *ret,
                                       struct wa_err *err);
/* The member "next", for a page whose last row has these, and others follow. */
void wa_api_page_next(struct wa_jw *w, const struct wa_api_page *p, const char *value,
                      const char *id);
/* The same where rows have numbers in the order of the list: the place is the last one's. */
void wa_api_page_next_number(struct wa_jw *w, int64_t last);
#define WA_API_PAGE_PARAMS                                                                         \
    {"limit", "At most so many rows", true},                                                       \
    {                                                                                              \
        "after", "The rows behind a page: its 'next'", false                                       \
    }
#define WA_API_OFFSET_PARAM                                                                        \
    {                                                                                              \
        "offset", "So many are left out first: for a table that is scrolled", true                 \
    }

/* Of lists that are short enough to be written whole: the call writes all rows, the page is cut
 * here. Rows are known by the first column of the description. */
extern const struct wa_api_param wa_api_whole_params[];
/* Looks at the request's parameters before the call is made. */
WA_CHECK enum wa_code wa_api_whole_check(const struct wa_api_call *c,
                                         const struct wa_api_route *route, struct wa_err *err);
/* json: what the call gave. out: the page of it that the request asks for. */
WA_CHECK enum wa_code wa_api_whole_cut(struct wa_store_request *r, struct wa_sv json,
                                       struct wa_buf *out, struct wa_err *err);

#endif

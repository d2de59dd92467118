/* page_bench.h - a page's requests to a local program (net/local_site.h), without a browser, a
 * connection or a gate: they are handed to its calls, and what blocks is done at once.
 *
 * For unit tests and fuzz targets: link with dep_page_bench.
 */
#ifndef WA_TEST_PAGE_BENCH_H
#define WA_TEST_PAGE_BENCH_H

#include "net/local_site.h"

/* What keeps failing allocations (torture.h) from the bench's own. */
void bench_spare(void (*pause)(void), void (*resume)(void));
void bench_pause(void);
void bench_resume(void);
void bench_must(enum wa_code code); /* else the test ends */

struct page {
    struct wa_http_head head;
    void *user;
    struct wa_sv in;    /* the request's body */
    struct wa_buf body; /* of the answer */
    int status;         /* 0: not answered yet */
    bool is_stream, is_over;
};
/* path and body must outlive it. */
void page_open(struct page *p, enum wa_http_method method, const char *path, struct wa_sv body);
struct wa_http_conn *page_conn(struct page *p); /* what the program takes for a connection */
/* The page goes. Its answer is added to out; the error is that of an answer that says one. */
WA_CHECK enum wa_code page_close(struct page *p, struct wa_buf *out, int *ret_status,
                                 struct wa_err *err);

#endif

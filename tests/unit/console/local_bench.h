/* local_bench.h - the console's local program without a browser, a server or a terminal: requests
 * are handed to its calls, what it asks a server is answered here, and what blocks is done at once.
 *
 * For the unit tests and the fuzz target: link with local_bench_wraps.
 */
#ifndef WA_TEST_LOCAL_BENCH_H
#define WA_TEST_LOCAL_BENCH_H

#include "console/local_priv.h"
#include "page_bench.h"

#define BENCH_UUID "11111111-2222-4333-8444-555555555555"
#define BENCH_TOKEN "the-servers-session"

struct bench {
    struct wa_local local;
    struct wa_local_options options;
    struct wa_log log;
    struct wa_tls_trust trust;
    /* The server's script. */
    enum wa_code outage;  /* not WA_OK: nothing is answered, but with this */
    bool is_logged_out;   /* 401 to everything but a login */
    struct wa_sv host;    /* "name" of the one machine */
    const char *folder;   /* of its repository, and of the other one's; NULL: there is none */
    struct wa_buf answer; /* empty: as a server would; else this to everything but a login */
    size_t asked;         /* calls that came to it */
    /* The terminal. */
    bool has_terminal;
    struct wa_buf shown; /* what was put on it */
    const char *keys;    /* what is typed next */
};
/* Before the first start: the key is one that packages can be signed with, and so slower. */
void bench_be_packager(void);
/* One key, of a certificate for code; locked. */
void bench_start(struct bench *b);
void bench_end(struct bench *b);
void bench_unlock(struct bench *b);
/* The answer into out (cleared before). *ret_status: 0, it is not answered yet. WA_E_NOT_FOUND: no
 * call of that name. The error is that of an answer that says one. */
WA_CHECK enum wa_code bench_ask(struct bench *b, enum wa_http_method method, const char *path,
                                struct wa_sv body, struct wa_buf *out, int *ret_status,
                                struct wa_err *err);
/* The same with a body as text, where 200 or 202 is wanted. */
WA_CHECK enum wa_code bench_do(struct bench *b, enum wa_http_method method, const char *path,
                               const char *body, struct wa_buf *out, struct wa_err *err);
/* The text of a member that the answer has once. */
WA_CHECK enum wa_code bench_member(const struct wa_buf *out, const char *name, char text[65],
                                   struct wa_err *err);
bool bench_says(const struct wa_buf *out, const char *text);
WA_CHECK enum wa_code bench_log_in(struct bench *b, struct wa_buf *out, struct wa_err *err);
/* Prepared; body: {"id": of it}. */
WA_CHECK enum wa_code bench_prepare(struct bench *b, const char *wish, char body[96],
                                    struct wa_buf *out, struct wa_err *err);
/* With an open key and logged in: shown, by a gesture where that is needed, signed and sent. */
WA_CHECK enum wa_code bench_sign(struct bench *b, const char *wish, struct wa_buf *out,
                                 struct wa_err *err);
/* Types the code that the terminal shows (is_yes), or something else; what it starts is done. */
void bench_type(struct bench *b, bool is_yes);
/* Takes away what is in TMPDIR, which is the test's own: a run without memory leaves folders. */
void bench_empty_temp(void);
/* fn in a bench of its own, as a step of torture.h. */
WA_CHECK enum wa_code bench_run(enum wa_code (*fn)(struct bench *b, struct wa_buf *out,
                                                   struct wa_err *err),
                                struct wa_err *err);

#endif

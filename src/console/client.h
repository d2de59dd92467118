/* client.h - the console's side of the server's API: one login, then calls with its session, over
 * connections that are kept (net/http_lines.h). Blocking. */
#ifndef WA_CONSOLE_CLIENT_H
#define WA_CONSOLE_CLIENT_H

#include "base/stream.h"
#include "codec/json.h"
#include "net/http_lines.h"

enum wa_client_way {
    WA_CLIENT_PASSWORD,
    WA_CLIENT_CERTIFICATE, /* the trust's identity */
    WA_CLIENT_KERBEROS,    /* the person's tickets */
    WA_CLIENT_OIDC         /* the person's browser, which show() sends there */
};

struct wa_client;
struct wa_client_options {
    const char *server; /* https URL */
    const struct wa_tls_trust *trust;
    const char *proxy; /* as in struct wa_line_to (net/http_line.h) */
    const char *user;  /* NULL: nobody logs in, and only wa_client_fetch() works */
    struct wa_sv password;
    struct wa_sv token; /* an API token in place of a login; "": none */
    /* Asked for the code of the second factor, where one is wanted. NULL: then the login fails. */
    enum wa_code (*ask_code)(void *user, struct wa_buf *out, struct wa_err *err);
    void *ask_user;
    enum wa_client_way way;
    enum wa_code (*show)(void *user, const char *url, struct wa_err *err); /* with ask_user */
    struct wa_stop *stop; /* as wa_client_set_stop(); may be NULL */
};
/* Logs in, if user is set and no token is given. WA_E_AUTH, WA_E_REFUSED for the certificate,
 * WA_E_UNREACHABLE. */
WA_CHECK enum wa_code wa_client_open(const struct wa_client_options *o, struct wa_client **ret,
                                     struct wa_err *err);
/* From now on its calls have the session of this token, which it ends. WA_E_INVALID for what can be
 * none. */
WA_CHECK enum wa_code wa_client_take(struct wa_client *c, struct wa_sv token, struct wa_err *err);
/* Ends the session on the server, best effort. */
void wa_client_close(struct wa_client *c);
WA_AUTO_DEFINE(wa_client, wa_client_close)
/* The same session for another thread, with a stop of its own. c must outlive *ret, whose close
 * ends no session. */
WA_CHECK enum wa_code wa_client_lend(const struct wa_client *c, struct wa_stop *stop,
                                     struct wa_client **ret, struct wa_err *err);
/* The same session over connections that show this certificate, whose key it is; both and c must
 * outlive *ret. */
WA_CHECK enum wa_code wa_client_show(const struct wa_client *c, struct wa_cert *cert,
                                     struct wa_key *key, struct wa_client **ret,
                                     struct wa_err *err);
/* Has the server let the caller log in by that certificate from now on. *ret_needs_code: a code of
 * the second factor is wanted besides ("": none is given), and nothing was done. */
WA_CHECK enum wa_code wa_client_add_certificate(struct wa_client *c, struct wa_cert *cert,
                                                struct wa_key *key, struct wa_sv password,
                                                struct wa_sv code, bool *ret_needs_code,
                                                struct wa_err *err);
/* Closes connections that nobody has used for a while: once a second, or never. */
void wa_client_sweep(struct wa_client *c);
/* What ends its exchanges from now on, and must outlive them; NULL: nothing. */
void wa_client_set_stop(struct wa_client *c, struct wa_stop *stop);
struct wa_stop *wa_client_stop(const struct wa_client *c);
/* body: JSON or empty. The answer is parsed into arena. The server's {"error":...} becomes this
 * error. */
WA_CHECK enum wa_code wa_client_call(struct wa_client *c, const char *method, const char *path,
                                     struct wa_sv body, struct wa_arena *arena,
                                     const struct wa_json **ret, struct wa_err *err);
/* The same for an answer that is no JSON: as it is. out: at least WA_CONSOLE_ANSWER_MAX. */
WA_CHECK enum wa_code wa_client_text(struct wa_client *c, const char *method, const char *path,
                                     struct wa_sv body, struct wa_buf *out, struct wa_err *err);
/* An exchange whose answer goes to somebody else, as it comes and whatever its status. */
struct wa_client_pass {
    const char *method, *path;
    struct wa_sv body;       /* JSON; empty: none */
    struct wa_sv last_event; /* at most 20 digits; empty: none */
    uint64_t max;            /* bytes of the answer */
    uint32_t timeout_ms;     /* of all of it; 0: as every call */
    bool is_stream;          /* without an end: only goes_on and the stop say when */
    /* Of struct wa_http_request; may be NULL. */
    enum wa_code (*on_answer)(void *user, const struct wa_http_result *r, struct wa_err *err);
    bool (*goes_on)(void *user, uint64_t done, uint64_t total); /* once a second; may be NULL */
    void *user;
};
WA_CHECK enum wa_code wa_client_pass(struct wa_client *c, const struct wa_client_pass *p,
                                     struct wa_sink *sink, struct wa_http_result *ret,
                                     struct wa_err *err);
/* A file of the repository, at most max bytes of it (more is an error) into sink. *ret_found false:
 * it is not there, and what went to the sink is the server's word for that. WA_E_DENIED: not for
 * whoever asks. Nothing is judged. */
WA_CHECK enum wa_code wa_client_fetch(struct wa_client *c, const char *path, uint64_t max,
                                      struct wa_sink *sink, bool *ret_found, struct wa_err *err);
/* The same for the rest behind the first `from` bytes, which the caller has: no byte of anything
 * else is handed on. WA_E_CONFLICT, WA_E_INVALID: the rest alone can't be had. */
struct wa_client_rest {
    const char *path;
    uint64_t from, max;        /* max: of the rest */
    uint64_t rate_max_bytes_s; /* no faster than this; 0: as fast as it goes */
    bool (*progress)(void *user, uint64_t done, uint64_t total); /* false cancels; may be NULL */
    void *user;
};
WA_CHECK enum wa_code wa_client_fetch_rest(struct wa_client *c, const struct wa_client_rest *r,
                                           struct wa_sink *sink, bool *ret_found,
                                           struct wa_err *err);
/* Sends a file's bytes. progress may be NULL. */
WA_CHECK enum wa_code wa_client_upload(struct wa_client *c, const char *path,
                                       struct wa_source *file,
                                       bool (*progress)(void *user, uint64_t done, uint64_t total),
                                       void *user, struct wa_arena *arena,
                                       const struct wa_json **ret, struct wa_err *err);

#endif

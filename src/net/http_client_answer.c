/* http_client_answer.c - what libcurl tells of an answer while it comes: whether it is the one that
 * was asked for, its header lines, its body, how fast.
 */
#include "net/http_client_priv.h"

static long status_of(const struct wa_client_exchange *x)
{
    long status = 0;
    (void)curl_easy_getinfo(x->curl, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

bool wa_client_answer_redirects(const struct wa_client_exchange *x)
{
    long status = status_of(x);
    return x->call->redirects_max > 0 &&
           (status == 301 || status == 302 || status == 303 || status == 307 || status == 308);
}

/* Its body is nobody's: a redirect's, or one that would come behind bytes it does not belong to. */
static bool is_dropped(const struct wa_client_exchange *x)
{
    return wa_client_answer_redirects(x) || (x->call->resume_from > 0 && status_of(x) != 206);
}

/* Before the first byte of a body is believed. */
enum wa_code wa_client_answer_check(struct wa_client_exchange *x)
{
    long status = status_of(x);
    x->result->status = (int)status;
    if (x->is_https && !x->has_policy)
        return wa_fail(x->err, WA_E_INTERNAL, "the server's certificate was not checked");
    if (wa_client_answer_redirects(x))
        return WA_OK;
    return wa_http_result_check(x->result, x->call->resume_from, x->err);
}

static size_t on_body(char *p, size_t size, size_t count, void *user)
{
    struct wa_client_exchange *x = user;
    size_t n = size * count;
    if (x->result->bytes == 0 && wa_client_answer_check(x) != WA_OK)
        return 0;
    if (n > x->call->max_bytes || x->result->bytes > x->call->max_bytes - n) {
        (void)wa_fail(x->err, WA_E_LIMIT, "the answer is larger than %llu bytes",
                      (unsigned long long)x->call->max_bytes);
        return 0;
    }
    x->result->bytes += n;
    if (x->sink != NULL && !is_dropped(x) && x->sink->write(x->sink, p, n, x->err) != WA_OK)
        return 0;
    return n;
}

static size_t on_header(char *p, size_t size, size_t count, void *user)
{
    struct wa_client_exchange *x = user;
    struct wa_http_result *r = x->result;
    struct wa_sv line = wa_sv_n(p, size * count);
    x->head_bytes += line.n;
    if (x->head_bytes > WA_HTTP_ANSWER_HEAD_MAX) {
        (void)wa_fail(x->err, WA_E_LIMIT, "the answer's header lines are longer than %u bytes",
                      WA_HTTP_ANSWER_HEAD_MAX);
        return 0;
    }
    if (r->bytes == 0 &&
        wa_sv_starts(line, "HTTP/")) { /* another answer's: what an interim one said is void */
        *r = (struct wa_http_result){.status = 0};
        x->has_head = false;
    }
    x->has_head = x->has_head || wa_sv_trim(line).n == 0;
    struct wa_sv name, value = line;
    if (wa_sv_split(&value, ':', &name))
        wa_http_result_take(r, name, wa_sv_trim(value));
    return size * count;
}

static size_t on_upload(char *p, size_t size, size_t count, void *user)
{
    struct wa_client_exchange *x = user;
    struct wa_source *body = x->call->body;
    uint64_t left = body->size - x->body_at;
    size_t n = size * count < left ? size * count : (size_t)left;
    if (body->read_at(body, x->body_at, p, n, x->err) != WA_OK)
        return CURL_READFUNC_ABORT;
    x->body_at += n;
    return n;
}

static int on_progress(void *user, curl_off_t dl_total, curl_off_t dl_now, curl_off_t ul_total,
                       curl_off_t ul_now)
{
    struct wa_client_exchange *x = user;
    bool up = x->call->body != NULL && ul_now < ul_total;
    uint64_t done = (uint64_t)(up ? ul_now : dl_now), total = (uint64_t)(up ? ul_total : dl_total);
    uint64_t before = up ? 0 : x->call->resume_from; /* what the caller has counts as done */
    if (wa_pace_check(&x->pace, (uint64_t)dl_now + (uint64_t)ul_now, x->err) != WA_OK)
        return 1;
    if (x->call->progress == NULL ||
        x->call->progress(x->call->progress_user, before + done, total > 0 ? before + total : 0))
        return 0;
    (void)wa_fail(x->err, WA_E_CANCELLED, "the transfer was cancelled");
    return 1;
}

void wa_client_answer_take(struct wa_client_exchange *x)
{
    CURL *c = x->curl;
    (void)curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
    (void)curl_easy_setopt(c, CURLOPT_WRITEDATA, x);
    (void)curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
    (void)curl_easy_setopt(c, CURLOPT_HEADERDATA, x);
    (void)curl_easy_setopt(c, CURLOPT_READFUNCTION, on_upload);
    (void)curl_easy_setopt(c, CURLOPT_READDATA, x);
    (void)curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
    (void)curl_easy_setopt(c, CURLOPT_XFERINFODATA, x);
    (void)curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
}

/* http_text.c - what HTTP's words mean: methods, statuses, headers by name, ranges. */
#include "net/http.h"

const char *wa_http_method_name(enum wa_http_method m)
{
    static const char *const names[] = {"GET", "HEAD", "POST", "PUT", "DELETE"};
    return names[m];
}

const char *wa_http_status_text(int status)
{
    static const struct {
        int status;
        const char *text;
    } texts[] = {{200, "OK"},
                 {201, "Created"},
                 {202, "Accepted"},
                 {204, "No Content"},
                 {206, "Partial Content"},
                 {304, "Not Modified"},
                 {400, "Bad Request"},
                 {401, "Unauthorized"},
                 {403, "Forbidden"},
                 {404, "Not Found"},
                 {405, "Method Not Allowed"},
                 {409, "Conflict"},
                 {411, "Length Required"},
                 {413, "Content Too Large"},
                 {416, "Range Not Satisfiable"},
                 {429, "Too Many Requests"},
                 {500, "Internal Server Error"},
                 {503, "Service Unavailable"},
                 {504, "Gateway Timeout"},
                 {507, "Insufficient Storage"}};
    for (size_t i = 0; i < WA_COUNT(texts); i++)
        if (texts[i].status == status)
            return texts[i].text;
    return "Status";
}

struct wa_sv wa_http_get(const struct wa_http_head *h, const char *name)
{
    for (size_t i = 0; i < h->header_count; i++)
        if (wa_sv_ieqs(h->headers[i].name, name))
            return h->headers[i].value;
    return (struct wa_sv){NULL, 0};
}

bool wa_http_range(struct wa_sv value, uint64_t size, uint64_t *ret_first, uint64_t *ret_count,
                   bool *ret_unsatisfiable)
{
    uint64_t first = 0, last = 0;
    size_t dash;
    *ret_unsatisfiable = false;
    if (!wa_sv_starts(value, "bytes="))
        return false;
    struct wa_sv spec = wa_sv_sub(value, 6, value.n);
    if (!wa_sv_chr(spec, '-', &dash))
        return false;
    struct wa_sv low = wa_sv_sub(spec, 0, dash), high = wa_sv_sub(spec, dash + 1, spec.n);
    if (low.n == 0) { /* the last so many bytes */
        if (!wa_sv_u64(high, &last))
            return false;
        *ret_unsatisfiable = last == 0 || size == 0;
        first = last >= size ? 0 : size - last;
        last = size == 0 ? 0 : size - 1;
    } else {
        if (!wa_sv_u64(low, &first) || (high.n > 0 && (!wa_sv_u64(high, &last) || last < first)))
            return false;
        *ret_unsatisfiable = first >= size;
        if (high.n == 0 || last >= size)
            last = size == 0 ? 0 : size - 1;
    }
    if (*ret_unsatisfiable)
        return false;
    *ret_first = first;
    *ret_count = last - first + 1;
    return true;
}

void wa_http_result_take(struct wa_http_result *r, struct wa_sv name, struct wa_sv value)
{
    const struct {
        const char *name;
        char *out;
        size_t size;
    } kept[] = {{"etag", r->etag, sizeof r->etag},
                {"last-modified", r->last_modified, sizeof r->last_modified},
                {"content-range", r->content_range, sizeof r->content_range},
                {"content-type", r->content_type, sizeof r->content_type}};
    size_t k = 0;
    while (k < WA_COUNT(kept) && !wa_sv_ieqs(name, kept[k].name))
        k++;
    if (k == WA_COUNT(kept))
        return;
    kept[k].out[0] = '\0';
    if (value.n >= kept[k].size)
        return;
    for (size_t i = 0; i < value.n; i++) /* goes into files and messages */
        if ((unsigned char)value.p[i] < 0x20 || value.p[i] == 0x7f)
            return;
    (void)snprintf(kept[k].out, kept[k].size, "%.*s", WA_SV_ARG(value));
}

/* "bytes 100-199/1000" */
static bool begins_at(const struct wa_http_result *r, uint64_t *ret)
{
    struct wa_sv range = wa_sv(r->content_range), first = {NULL, 0};
    if (!wa_sv_starts(range, "bytes "))
        return false;
    range = wa_sv_sub(range, 6, range.n);
    return wa_sv_split(&range, '-', &first) && wa_sv_u64(first, ret);
}

enum wa_code wa_http_result_check(struct wa_http_result *r, uint64_t resume_from,
                                  struct wa_err *err)
{
    uint64_t first = 0;
    if ((r->status == 200 || r->status == 416) && resume_from > 0)
        return wa_fail(err, WA_E_CONFLICT, "the server does not send the rest of the file");
    if (r->status != 206)
        return WA_OK;
    if (resume_from == 0 || !begins_at(r, &first) || first != resume_from)
        return wa_fail(err, WA_E_INVALID, "the answer is another part than the one asked for");
    r->resumed = true;
    return WA_OK;
}

/* http_wish.c - see http_wish.h. */
#include "net/http_wish.h"

#include "base/text.h"

/* "0.8" in thousandths; what is none is 0. */
static unsigned read_weight(struct wa_sv s)
{
    unsigned weight = 0, step = 1000;
    for (size_t i = 0; i < s.n && i < sizeof "0.123" - 1; i++) {
        if (i == 1 && s.p[i] == '.')
            continue;
        if (s.p[i] < '0' || s.p[i] > '9')
            return 0;
        weight += (unsigned)(s.p[i] - '0') * step;
        step /= 10;
    }
    return weight;
}

/* The next one, and how much it is wanted. */
static bool next(struct wa_sv *header, struct wa_sv *ret_name, unsigned *ret_weight)
{
    struct wa_sv item, one = {NULL, 0}, param;
    if (!wa_sv_split(header, ',', &item))
        return false;
    *ret_weight = 1000;
    (void)wa_sv_split(&item, ';', &one);
    *ret_name = wa_sv_trim(one);
    while (wa_sv_split(&item, ';', &param)) {
        param = wa_sv_trim(param);
        if (wa_sv_starts(param, "q="))
            *ret_weight = read_weight(wa_sv_sub(param, 2, param.n));
    }
    return true;
}

unsigned wa_http_wish(struct wa_sv header, const char *name)
{
    unsigned most = 0, weight;
    struct wa_sv one;
    size_t n = strlen(name);
    while (next(&header, &one, &weight))
        if (weight > most && wa_sv_ieqs(wa_sv_sub(one, 0, n), name) &&
            (one.n == n || one.p[n] == '-'))
            most = weight;
    return most;
}

const struct wa_language *wa_http_language(const struct wa_http_head *h)
{
    const struct wa_language *best = NULL;
    struct wa_sv header = wa_http_get(h, "accept-language"), one;
    unsigned most = 0, weight;
    while (next(&header, &one, &weight)) {
        const struct wa_language *l = weight > most ? wa_text_find(one) : NULL;
        if (l == NULL)
            continue;
        best = l;
        most = weight;
    }
    return best;
}

/* front_page.c - what a browser gets that somebody has pointed at the server: a page that says what
 * this is and where to go. Nothing in it comes from the request or from the configuration, and it
 * loads nothing: it needs no other policy than all answers have. Programs ask for no page and get
 * the error that they got before.
 */
#include "server/front_priv.h"

#define HEAD(language, title)                                                                      \
    "<!DOCTYPE html>\n<html lang=\"" language "\">\n<head>\n<meta charset=\"utf-8\">\n"            \
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"                   \
    "<meta name=\"color-scheme\" content=\"light dark\">\n<title>" title "</title>\n</head>\n"     \
    "<body>\n<main>\n<h1>" title "</h1>\n"
#define FOOT "</main>\n</body>\n</html>\n"

static const char english[] = HEAD("en", "WAPT server") //
    "<p>This server keeps the software of an organisation's computers up to date. There is nothing "
    "to do here in a browser.</p>\n"
    "<p>Administrators use <code>waptconsole</code>, a program on their own computer. Users find "
    "the software of their computer in <code>waptselfservice</code>.</p>\n" FOOT;

static const char french[] = HEAD("fr", "Serveur WAPT") //
    "<p>Ce serveur tient à jour les logiciels des ordinateurs d'une organisation. Il n'y a rien à "
    "faire ici dans un navigateur.</p>\n"
    "<p>Les administrateurs utilisent <code>waptconsole</code>, un programme de leur propre "
    "ordinateur. Les utilisateurs trouvent les logiciels de leur ordinateur dans "
    "<code>waptselfservice</code>.</p>\n" FOOT;

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

/* How much a header of the form "a, b;q=0.8" wants name, or what is of it ("fr-CA" of "fr"). */
static unsigned wish_of(struct wa_sv header, const char *name)
{
    unsigned most = 0;
    struct wa_sv item, one, param;
    size_t n = strlen(name);
    while (wa_sv_split(&header, ',', &item)) {
        unsigned weight = 1000;
        if (!wa_sv_split(&item, ';', &one))
            continue;
        one = wa_sv_trim(one);
        if (one.n < n || !wa_sv_ieqs(wa_sv_sub(one, 0, n), name) || (one.n > n && one.p[n] != '-'))
            continue;
        while (wa_sv_split(&item, ';', &param)) {
            param = wa_sv_trim(param);
            if (wa_sv_starts(param, "q="))
                weight = read_weight(wa_sv_sub(param, 2, param.n));
        }
        most = weight > most ? weight : most;
    }
    return most;
}

bool wa_front_wants_page(const struct wa_http_head *h)
{
    return wa_sv_eqs(h->path, "/") && wish_of(wa_http_get(h, "accept"), "text/html") > 0;
}

bool wa_front_page_is_french(const struct wa_http_head *h)
{
    struct wa_sv languages = wa_http_get(h, "accept-language");
    return wish_of(languages, "fr") > wish_of(languages, "en");
}

void wa_front_page(struct wa_http_conn *c)
{
    bool is_french = wa_front_page_is_french(wa_http_conn_head(c));
    wa_http_answer(c, 200, "text/html; charset=utf-8", wa_sv(is_french ? french : english),
                   is_french ? "Content-Language: fr\r\n" : "Content-Language: en\r\n");
}

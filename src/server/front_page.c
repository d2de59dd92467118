/* front_page.c - what a browser gets that somebody has pointed at the server: a page that says what
 * this is and where to go. Nothing in it comes from the request or from the configuration, and it
 * loads nothing: it needs no other policy than all answers have. Programs ask for no page and get
 * the error that they got before.
 */
#include "base/text.h"
#include "net/http_wish.h"
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

bool wa_front_wants_page(const struct wa_http_head *h)
{
    return wa_sv_eqs(h->path, "/") && wa_http_wish(wa_http_get(h, "accept"), "text/html") > 0;
}

void wa_front_page(struct wa_http_conn *c)
{
    bool is_french = wa_http_language(wa_http_conn_head(c)) == wa_text_find(WA_SV("fr"));
    wa_http_answer(c, 200, "text/html; charset=utf-8", wa_sv(is_french ? french : english),
                   is_french ? "Content-Language: fr\r\n" : "Content-Language: en\r\n");
}

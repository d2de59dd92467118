/* oidc - a provider's description and an ID token's claims, of which nothing is kept that is not
 * what it should be.
 *
 * Input: the description, a newline, the claims, which are read as the token endpoint's answer too.
 */
#include <stdint.h>
#include <stdlib.h>

#include "server/oidc.h"
#include "server/people.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct wa_oidc_settings s = {.issuer = "https://id.example.org",
                                              .client = "wapt",
                                              .secret = "",
                                              .scope = "openid",
                                              .user_claim = "email",
                                              .groups_claim = "groups",
                                              .redirect = "127.0.0.1",
                                              .prompt = ""};
    WA_AUTO_ARENA struct wa_arena arena;
    struct wa_sv rest = wa_sv_n((const char *)data, size), first = {NULL, 0};
    struct wa_oidc_provider p;
    struct wa_oidc_person who;
    struct wa_oidc_tokens tokens;
    static const struct wa_oidc_before before = {"n", "1", "a@b.org"};
    const struct wa_json *claims = NULL;
    struct wa_err err = WA_ERR_INIT;
    wa_arena_init(&arena, 64u << 20);
    (void)wa_sv_split(&rest, '\n', &first);
    if (wa_oidc_read_description(first, s.issuer, &p, &err) == WA_OK &&
        (!wa_sv_starts(wa_sv(p.token), "https:") || !wa_sv_starts(wa_sv(p.keys), "https:")))
        abort();
    wa_err_clear(&err);
    if (wa_json_parse(rest, 0, &arena, &claims, &err) != WA_OK)
        return 0;
    if (wa_oidc_judge(&s, claims, "n", 1000, &who, &err) == WA_OK) {
        if (!wa_person_name_is_valid(wa_sv(who.name)) || who.subject[0] == '\0')
            abort();
        (void)wa_oidc_is_in(&who, "g");
    }
    wa_err_clear(&err);
    if (wa_oidc_judge_again(&s, claims, &before, 1000, &who, &err) == WA_OK &&
        (strcmp(who.name, before.name) != 0 || strcmp(who.subject, before.subject) != 0))
        abort();
    wa_oidc_read_tokens(claims, &tokens);
    if (tokens.refresh.n > WA_OIDC_REFRESH_MAX ||
        (tokens.refresh.n > 0 && memchr(tokens.refresh.p, '\n', tokens.refresh.n) != NULL))
        abort();
    return 0;
}

/* pwhash_crypt.c - two kinds of hashes of crypt(3): sha512-crypt, "$6$rounds=656000$salt$digest",
 * and bcrypt, "$2b$12$", salt and digest. libxcrypt computes them, once their form and their cost
 * have been judged here: it takes more kinds, forms and costs than that.
 *
 * bcrypt looks at the first 72 bytes of a password, and both end it at a NUL.
 */
#include "base/mem.h"
#include "crypto/pwhash.h"

#include <crypt.h>

#define PHRASE_MAX 512u /* bytes: what libxcrypt takes */
#define SHA512_DIGITS 86u
#define SHA512_SALT_MAX 16u
#define BCRYPT_SALT 22u
#define BCRYPT_DIGITS 31u

static bool is_bcrypt(struct wa_sv hash)
{
    return wa_sv_starts(hash, "$2a$") || wa_sv_starts(hash, "$2b$") || wa_sv_starts(hash, "$2y$");
}

bool wa_pwhash_is_crypt(struct wa_sv hash)
{
    return wa_sv_starts(hash, "$6$") || is_bcrypt(hash);
}

/* Of the alphabet of both. */
static bool is_text(struct wa_sv s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '.' && c <= '9')))
            return false;
    }
    return true;
}

/* A number as its writers write it. */
static bool is_number(struct wa_sv s, uint64_t *ret)
{
    return s.n > 0 && s.p[0] != '0' && wa_sv_u64(s, ret);
}

/* rest: what follows "$6$". *ret_rounds: 0 for a form that is none. */
static void read_sha512(struct wa_sv rest, uint64_t *ret_rounds)
{
    struct wa_sv part = {NULL, 0};
    uint64_t rounds = 5000;
    *ret_rounds = 0;
    if (!wa_sv_split(&rest, '$', &part))
        return;
    if (wa_sv_starts(part, "rounds=") && (!is_number(wa_sv_sub(part, 7, part.n), &rounds) ||
                                          rounds < 1000 || !wa_sv_split(&rest, '$', &part)))
        return;
    if (part.n <= SHA512_SALT_MAX && is_text(part) && rest.n == SHA512_DIGITS && is_text(rest))
        *ret_rounds = rounds;
}

/* rest: what follows "$2b$". *ret_cost: 0 for a form that is none. The salt's last digit has four
 * bits that say nothing, and are 0. */
static void read_bcrypt(struct wa_sv rest, uint64_t *ret_cost)
{
    struct wa_sv part = {NULL, 0};
    uint64_t cost = 0;
    *ret_cost = 0;
    if (wa_sv_split(&rest, '$', &part) && part.n == 2 && wa_sv_u64(part, &cost) && cost >= 4 &&
        rest.n == BCRYPT_SALT + BCRYPT_DIGITS && is_text(rest) &&
        strchr(".Oeu", rest.p[BCRYPT_SALT - 1]) != NULL)
        *ret_cost = cost;
}

enum wa_code wa_pwhash_judge_crypt(struct wa_sv hash, struct wa_err *err)
{
    uint64_t cost, most = WA_SHA512_CRYPT_ROUNDS_MAX;
    if (is_bcrypt(hash)) {
        most = WA_BCRYPT_COST_MAX;
        read_bcrypt(wa_sv_sub(hash, 4, hash.n), &cost);
    } else {
        read_sha512(wa_sv_sub(hash, 3, hash.n), &cost);
    }
    if (cost == 0)
        return wa_fail(err, WA_E_INVALID, "a password hash is not well formed");
    return cost <= most ? WA_OK
                        : wa_fail(err, WA_E_INVALID, "a password hash asks for an absurd effort");
}

enum wa_code wa_pwhash_check_crypt(struct wa_sv password, const char *hash, struct wa_err *err)
{
    char phrase[PHRASE_MAX];
    if (password.n >= sizeof phrase ||
        (password.n > 0 && memchr(password.p, 0, password.n) != NULL))
        return wa_fail(err, WA_E_AUTH, "the password is wrong");
    struct crypt_data *work = wa_calloc(1, sizeof *work);
    if (work == NULL)
        return wa_nomem(err);
    if (password.n > 0)
        memcpy(phrase, password.p, password.n);
    phrase[password.n] = '\0';
    const char *made = crypt_rn(phrase, hash, work, (int)sizeof *work);
    bool is_made = made != NULL && strlen(made) == strlen(hash);
    bool is_equal = is_made && wa_ct_equal(made, hash, strlen(hash));
    wa_wipe(work, sizeof *work);
    wa_free(work);
    wa_wipe(phrase, sizeof phrase);
    return is_equal ? WA_OK : wa_fail(err, WA_E_AUTH, "the password is wrong");
}

/* pwhash.c - argon2id for new hashes; passlib's pbkdf2, and crypt's kinds (pwhash_crypt.c), so that
 * WAPT's administrators keep their password.
 *
 * A stored hash is a file's or a database's content: what it asks for is bounded before it is done.
 * Hashing takes tens of milliseconds on purpose; keep it out of event loops. */
#include "crypto/pwhash.h"

#include "base/mem.h"
#include "codec/base64.h"
#include "crypto/ossl_priv.h"
#include "os/rand.h"

#include <argon2.h>
#include <openssl/evp.h>

#define PASSES 2u
#define MEMORY_KIB 19456u
#define LANES 1u
#define SALT 16u
#define HASH 32u

enum wa_code wa_pwhash_make(struct wa_sv password, char out[WA_PWHASH_MAX], struct wa_err *err)
{
    uint8_t salt[SALT];
    if (password.n == 0 || password.n > WA_PASSWORD_MAX)
        return wa_fail(err, WA_E_USAGE, "cannot use a password of %zu bytes: it has 1 to %u",
                       password.n, WA_PASSWORD_MAX);
    if (wa_rand_bytes(salt, sizeof salt, err) != WA_OK)
        return err->code;
    int rc = argon2id_hash_encoded(PASSES, MEMORY_KIB, LANES, password.p, password.n, salt,
                                   sizeof salt, HASH, out, WA_PWHASH_MAX);
    if (rc == ARGON2_MEMORY_ALLOCATION_ERROR)
        return wa_nomem(err);
    if (rc != ARGON2_OK)
        return wa_fail(err, WA_E_INTERNAL, "cannot hash a password: %s", argon2_error_message(rc));
    return WA_OK;
}

static enum wa_code malformed(struct wa_err *err)
{
    return wa_fail(err, WA_E_INVALID, "a password hash is not well formed");
}

/* "m=19456,t=2,p=1" within bounds. */
static bool cost_is_sane(struct wa_sv params)
{
    struct wa_sv part;
    bool seen_memory = false, seen_passes = false;
    while (wa_sv_split(&params, ',', &part)) {
        uint64_t v;
        if (part.n < 3 || part.p[1] != '=' || !wa_sv_u64(wa_sv_sub(part, 2, part.n), &v))
            return false;
        if (part.p[0] == 'm' && v <= WA_PWHASH_MEMORY_KIB_MAX)
            seen_memory = true;
        else if (part.p[0] == 't' && v <= WA_PWHASH_PASSES_MAX)
            seen_passes = true;
        else if (part.p[0] != 'p' || v > 16)
            return false;
    }
    return seen_memory && seen_passes;
}

/* $argon2id$v=19$m=...$salt$hash: the rest is the library's to judge. */
static enum wa_code judge_argon2(struct wa_sv hash, struct wa_err *err)
{
    struct wa_sv part;
    for (int i = 0; i < 4; i++)
        if (!wa_sv_split(&hash, '$', &part))
            return malformed(err);
    return cost_is_sane(part)
               ? WA_OK
               : wa_fail(err, WA_E_INVALID, "a password hash asks for an absurd effort");
}

static enum wa_code check_argon2(struct wa_sv password, const char *hash, struct wa_err *err)
{
    int rc = argon2id_verify(hash, password.p == NULL ? "" : password.p, password.n);
    if (rc == ARGON2_OK)
        return WA_OK;
    if (rc == ARGON2_VERIFY_MISMATCH)
        return wa_fail(err, WA_E_AUTH, "the password is wrong");
    if (rc == ARGON2_MEMORY_ALLOCATION_ERROR)
        return wa_nomem(err);
    return wa_fail(err, WA_E_INVALID, "a password hash is not well formed: %s",
                   argon2_error_message(rc));
}

/* --- passlib's pbkdf2 --- */

struct pbkdf2 {
    const EVP_MD *md;
    size_t size; /* bytes of the digest */
    int rounds;
    struct wa_buf salt, want;
};

/* passlib's alphabet: '.' for '+', no padding. */
static enum wa_code decode_ab64(struct wa_sv text, struct wa_buf *out, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf standard;
    wa_buf_init(&standard, 256);
    for (size_t i = 0; i < text.n; i++)
        wa_buf_addc(&standard, text.p[i] == '.' ? '+' : text.p[i]);
    while (standard.failed == WA_OK && standard.n % 4 != 0)
        wa_buf_addc(&standard, '=');
    if (wa_buf_check(&standard, err) != WA_OK)
        return err->code;
    return wa_base64_decode(wa_buf_sv(&standard), out, err);
}

/* $pbkdf2-sha256$rounds$salt$digest */
static enum wa_code read_pbkdf2(struct wa_sv hash, struct pbkdf2 *ret, struct wa_err *err)
{
    struct wa_sv part[5];
    uint64_t rounds;
    for (size_t i = 0; i < WA_COUNT(part); i++)
        if (!wa_sv_split(&hash, '$', &part[i]))
            return malformed(err);
    if (hash.p != NULL || !wa_sv_u64(part[2], &rounds) || rounds == 0)
        return malformed(err);
    bool is_512 = wa_sv_eqs(part[1], "pbkdf2-sha512");
    if (rounds > WA_PBKDF2_ROUNDS_MAX)
        return wa_fail(err, WA_E_INVALID, "a password hash asks for an absurd effort");
    if (decode_ab64(part[3], &ret->salt, err) != WA_OK ||
        decode_ab64(part[4], &ret->want, err) != WA_OK)
        return wa_wrap(err, "reading a password hash");
    ret->md = is_512 ? EVP_sha512() : EVP_sha256();
    ret->size = is_512 ? 64 : 32;
    ret->rounds = (int)rounds;
    return ret->want.n == ret->size ? WA_OK : malformed(err);
}

static enum wa_code derive(struct wa_sv password, const struct pbkdf2 *k, struct wa_err *err)
{
    uint8_t made[64];
    if (PKCS5_PBKDF2_HMAC(password.p == NULL ? "" : password.p, (int)password.n,
                          (const unsigned char *)wa_buf_str(&k->salt), (int)k->salt.n, k->rounds,
                          k->md, (int)k->size, made) != 1)
        return wa_ossl_fail(err, WA_E_FAILED, "cannot check a password");
    bool equal = wa_ct_equal(made, k->want.p, k->size);
    wa_wipe(made, sizeof made);
    return equal ? WA_OK : wa_fail(err, WA_E_AUTH, "the password is wrong");
}

/* password NULL: is only judged. */
static enum wa_code do_pbkdf2(const struct wa_sv *password, const char *hash, struct wa_err *err)
{
    struct pbkdf2 k = {.md = NULL};
    wa_buf_init(&k.salt, 256);
    wa_buf_init(&k.want, 256);
    if (read_pbkdf2(wa_sv(hash), &k, err) == WA_OK && password != NULL)
        (void)derive(*password, &k, err);
    wa_buf_fini(&k.salt);
    wa_buf_fini(&k.want);
    return err->code;
}

static bool is_pbkdf2(const char *hash)
{
    return wa_sv_starts(wa_sv(hash), "$pbkdf2-sha256$") ||
           wa_sv_starts(wa_sv(hash), "$pbkdf2-sha512$");
}

/* --- all of them --- */

static bool is_argon2(const char *hash)
{
    return wa_sv_starts(wa_sv(hash), "$argon2id$");
}

bool wa_pwhash_is_foreign(const char *hash)
{
    return !is_argon2(hash);
}

static bool is_all(const char *hash, size_t length, const char *of)
{
    return strlen(hash) == length && strspn(hash, of) == length;
}

/* Whoever reads these has the password in minutes: they are not kept. */
static bool is_weak(const char *hash)
{
    static const char *const starts[] = {"{SHA}", "$apr1$", "$1$", "$2$", "$2x$", "$sha1$"};
    static const char hex[] = "0123456789abcdefABCDEF";
    for (size_t i = 0; i < WA_COUNT(starts); i++)
        if (wa_sv_starts(wa_sv(hash), starts[i]))
            return true;
    return is_all(hash, 40, hex) || is_all(hash, 64, hex) || is_all(hash, 128, hex) ||
           is_all(hash, 13,
                  "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"); /* DES */
}

enum wa_code wa_pwhash_judge(const char *hash, struct wa_err *err)
{
    if (strlen(hash) >= WA_PWHASH_MAX)
        return wa_fail(err, WA_E_INVALID, "a password hash is longer than any");
    if (is_argon2(hash))
        return judge_argon2(wa_sv(hash), err);
    if (is_pbkdf2(hash))
        return do_pbkdf2(NULL, hash, err);
    if (wa_pwhash_is_crypt(wa_sv(hash)))
        return wa_pwhash_judge_crypt(wa_sv(hash), err);
    if (is_weak(hash))
        return wa_fail(err, WA_E_INVALID, "a password hash is of a kind that is too weak");
    return wa_fail(err, WA_E_INVALID, "a password hash is of a kind that is not known here");
}

enum wa_code wa_pwhash_check(struct wa_sv password, const char *hash, struct wa_err *err)
{
    if (password.n > WA_PASSWORD_MAX)
        return wa_fail(err, WA_E_AUTH, "the password is wrong");
    if (wa_pwhash_judge(hash, err) != WA_OK)
        return err->code;
    if (is_argon2(hash))
        return check_argon2(password, hash, err);
    return is_pbkdf2(hash) ? do_pbkdf2(&password, hash, err)
                           : wa_pwhash_check_crypt(password, hash, err);
}

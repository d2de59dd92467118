/* pwhash.c - argon2id for new hashes; passlib's pbkdf2-sha256 so that WAPT's administrators keep
 * their password.
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
/* What a stored hash may cost at most: whoever can write it must not be able to stop the server. */

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

static enum wa_code check_argon2(struct wa_sv password, const char *hash, struct wa_err *err)
{
    struct wa_sv rest = wa_sv(hash), part;
    /* $argon2id$v=19$m=...$salt$hash */
    for (int i = 0; i < 4; i++)
        if (!wa_sv_split(&rest, '$', &part))
            return wa_fail(err, WA_E_INVALID, "a password hash is not well formed");
    if (!cost_is_sane(part))
        return wa_fail(err, WA_E_INVALID, "a password hash asks for an absurd effort");
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
static enum wa_code check_pbkdf2(struct wa_sv password, const char *hash, struct wa_err *err)
{
    struct wa_sv rest = wa_sv(hash), part[5];
    uint64_t rounds;
    uint8_t made[HASH];
    WA_AUTO_BUF struct wa_buf salt;
    WA_AUTO_BUF struct wa_buf want;
    wa_buf_init(&salt, 256);
    wa_buf_init(&want, 256);
    for (size_t i = 0; i < WA_COUNT(part); i++)
        if (!wa_sv_split(&rest, '$', &part[i]))
            return wa_fail(err, WA_E_INVALID, "a password hash is not well formed");
    if (rest.p != NULL || !wa_sv_u64(part[2], &rounds) || rounds == 0 ||
        rounds > WA_PBKDF2_ROUNDS_MAX)
        return wa_fail(err, WA_E_INVALID, "a password hash is not well formed");
    if (decode_ab64(part[3], &salt, err) != WA_OK || decode_ab64(part[4], &want, err) != WA_OK)
        return wa_wrap(err, "reading a password hash");
    if (want.n != HASH)
        return wa_fail(err, WA_E_INVALID, "a password hash is not well formed");
    if (PKCS5_PBKDF2_HMAC(password.p == NULL ? "" : password.p, (int)password.n,
                          (const unsigned char *)wa_buf_str(&salt), (int)salt.n, (int)rounds,
                          EVP_sha256(), HASH, made) != 1)
        return wa_ossl_fail(err, WA_E_FAILED, "cannot check a password");
    bool equal = wa_ct_equal(made, want.p, HASH);
    wa_wipe(made, sizeof made);
    return equal ? WA_OK : wa_fail(err, WA_E_AUTH, "the password is wrong");
}

enum wa_code wa_pwhash_check(struct wa_sv password, const char *hash, struct wa_err *err)
{
    if (password.n > WA_PASSWORD_MAX)
        return wa_fail(err, WA_E_AUTH, "the password is wrong");
    if (strlen(hash) >= WA_PWHASH_MAX)
        return wa_fail(err, WA_E_INVALID, "a password hash is longer than any");
    if (wa_sv_starts(wa_sv(hash), "$argon2id$"))
        return check_argon2(password, hash, err);
    if (wa_sv_starts(wa_sv(hash), "$pbkdf2-sha256$"))
        return check_pbkdf2(password, hash, err);
    return wa_fail(err, WA_E_INVALID,
                   "a password hash is of a kind that is not known here: set a new password");
}

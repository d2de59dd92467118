/* token_pkcs11.c - libp11, which is known to this file alone.
 *
 * The module is the token maker's library and runs in this process with all of its rights: so it
 * is loaded only when a person named it with its whole path, by the programs that sign for people.
 * A PIN is tried once. Invariant: whatever is open is held by the key that is handed out, or is
 * closed again.
 */
#include "base/mem.h"
#include "base/text.h"
#include "crypto/key_priv.h"
#include "crypto/ossl_priv.h"
#include "crypto/token.h"
#include "os/fs.h"

#include <libp11.h>
#include <openssl/err.h>

#define LISTED_MAX 8u /* tokens or keys that a message names */

/* Reasons of the PKCS#11 standard (v2.40, 11.1). */
enum {
    CKR_DEVICE_REMOVED = 0x32,
    CKR_PIN_INCORRECT = 0xA0,
    CKR_PIN_INVALID = 0xA1,
    CKR_PIN_LEN_RANGE = 0xA2,
    CKR_PIN_EXPIRED = 0xA3,
    CKR_PIN_LOCKED = 0xA4,
    CKR_TOKEN_NOT_PRESENT = 0xE0,
    CKR_USER_PIN_NOT_INITIALIZED = 0x102
};

struct token {
    PKCS11_CTX *ctx;
    bool is_loaded;
    PKCS11_SLOT *slots;
    unsigned slot_count;
    atomic_bool is_lost;
};

static void token_free(struct token *t)
{
    if (t == NULL)
        return;
    if (t->slots != NULL)
        PKCS11_release_all_slots(t->ctx, t->slots, t->slot_count);
    if (t->is_loaded)
        PKCS11_CTX_unload(t->ctx);
    if (t->ctx != NULL)
        PKCS11_CTX_free(t->ctx);
    ERR_clear_error();
    wa_free(t);
}
WA_AUTO_DEFINE(token, token_free)

static void drop_token(void *owner)
{
    token_free(owner);
}

/* --- the module --- */

static enum wa_code load(struct token *t, const char *module, struct wa_err *err)
{
    struct wa_stat st;
    struct wa_err why = WA_ERR_INIT;
    if (module == NULL || module[0] != '/')
        return wa_fail(err, WA_E_CONFIG,
                       "no PKCS#11 module, with its whole path: give --pkcs11-module, or "
                       "module-path in the URI");
    if (wa_path_stat(module, &st, &why) != WA_OK)
        return wa_fail(err, WA_E_CONFIG, "cannot load the PKCS#11 module: %s", why.text);
    t->ctx = PKCS11_CTX_new();
    if (t->ctx == NULL)
        return wa_nomem(err);
    if (PKCS11_CTX_load(t->ctx, module) != 0)
        return wa_ossl_fail(err, WA_E_CONFIG, "cannot use '%s' as a PKCS#11 module", module);
    t->is_loaded = true;
    if (PKCS11_enumerate_slots(t->ctx, &t->slots, &t->slot_count) != 0)
        return wa_ossl_fail(err, WA_E_UNREACHABLE, "the PKCS#11 module '%s' gives no list of slots",
                            module);
    return WA_OK;
}

/* --- the token --- */

static bool is_meant(const char *wanted, const char *text)
{
    return wanted[0] == '\0' || (text != NULL && strcmp(wanted, text) == 0);
}

static bool fits(const struct wa_token_uri *u, const PKCS11_TOKEN *t)
{
    return t != NULL && t->initialized && is_meant(u->token, t->label) &&
           is_meant(u->manufacturer, t->manufacturer) && is_meant(u->serial, t->serialnr) &&
           is_meant(u->model, t->model);
}

/* "; there are: 'a' (serial 1), 'b' (serial 2)", for messages. */
static void list_tokens(const struct token *t, struct wa_buf *out)
{
    const char *before = wa_text("; there are: ");
    unsigned listed = 0;
    wa_buf_init(out, 4096);
    for (unsigned i = 0; i < t->slot_count && listed < LISTED_MAX; i++) {
        const PKCS11_TOKEN *token = t->slots[i].token;
        if (token == NULL || !token->initialized)
            continue;
        wa_buf_addf(out, wa_text("%s'%s' (serial %s)"), before, token->label, token->serialnr);
        before = ", ";
        listed++;
    }
    if (listed == 0)
        wa_buf_adds(out, wa_text("; none is plugged in"));
}

static enum wa_code find_slot(const struct token *t, const struct wa_token_uri *u,
                              PKCS11_SLOT **ret, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf there;
    PKCS11_SLOT *found = NULL;
    unsigned count = 0;
    for (unsigned i = 0; i < t->slot_count; i++) {
        if (!fits(u, t->slots[i].token))
            continue;
        found = &t->slots[i];
        count++;
    }
    list_tokens(t, &there);
    if (count == 0)
        return wa_fail(err, WA_E_NOT_FOUND, "no token is the one of the URI%s", wa_buf_str(&there));
    if (count > 1)
        return wa_fail(err, WA_E_CONFLICT,
                       "more than one token is the one of the URI: add its "
                       "serial%s",
                       wa_buf_str(&there));
    *ret = found;
    return WA_OK;
}

/* What the token said last; 0: nothing. Empties the queue. */
static int take_reason(void)
{
    int reason = 0;
    for (unsigned long e = ERR_get_error(); e != 0; e = ERR_get_error())
        if (ERR_GET_LIB(e) == ERR_get_CKR_code()) /* the number of libp11's library of reasons */
            reason = ERR_GET_REASON(e);
    return reason;
}

static enum wa_code login_failed(const PKCS11_TOKEN *t, struct wa_err *err)
{
    int reason = take_reason();
    switch (reason) {
    case CKR_PIN_INCORRECT:
    case CKR_PIN_INVALID:
    case CKR_PIN_LEN_RANGE:
        return wa_fail(err, WA_E_AUTH,
                       "wrong PIN for the token '%s'; it locks itself after a few of them",
                       t->label);
    case CKR_PIN_LOCKED:
        return wa_fail(err, WA_E_DENIED,
                       "the token '%s' is locked after too many wrong PINs: its security officer "
                       "can unlock it",
                       t->label);
    case CKR_PIN_EXPIRED:
        return wa_fail(err, WA_E_DENIED,
                       "the PIN of the token '%s' has expired: set a new one with its maker's tool",
                       t->label);
    case CKR_USER_PIN_NOT_INITIALIZED:
        return wa_fail(err, WA_E_CONFIG, "the token '%s' has no PIN for its user yet", t->label);
    case CKR_DEVICE_REMOVED:
    case CKR_TOKEN_NOT_PRESENT:
        return wa_fail(err, WA_E_UNREACHABLE, "the token '%s' has been removed", t->label);
    default:
        return wa_fail(err, WA_E_FAILED, "cannot log in to the token '%s': PKCS#11 error 0x%x",
                       t->label, (unsigned)reason);
    }
}

static enum wa_code login(PKCS11_SLOT *slot, wa_passphrase_fn ask, void *user, struct wa_err *err)
{
    WA_AUTO_BUF_SECRET struct wa_buf pin;
    const PKCS11_TOKEN *t = slot->token;
    char what[WA_TOKEN_TEXT_MAX + 64];
    wa_buf_init(&pin, WA_PASSPHRASE_MAX);
    if (t->userPinLocked)
        return wa_fail(err, WA_E_DENIED,
                       "the token '%s' is locked after too many wrong PINs: its security officer "
                       "can unlock it",
                       t->label);
    if (!t->loginRequired)
        return WA_OK;
    (void)snprintf(what, sizeof what, wa_text("the token '%.*s'%s"), (int)WA_TOKEN_TEXT_MAX,
                   t->label,
                   t->userPinFinalTry ? wa_text(", which locks itself if it is wrong") : "");
    if (!t->secureLogin) { /* else it is typed on the reader itself */
        if (ask == NULL)
            return wa_fail(err, WA_E_AUTH, "nobody can be asked for the PIN of the token '%s'",
                           t->label);
        if (ask(user, what, &pin, err) != WA_OK || wa_buf_check(&pin, err) != WA_OK)
            return err->code;
        if (pin.n == 0) /* the token would count it */
            return wa_fail(err, WA_E_AUTH, "no PIN was typed for the token '%s'", t->label);
    }
    ERR_clear_error(); /* of what went well: the reason is looked for in the queue */
    if (PKCS11_login(slot, 0, t->secureLogin ? NULL : wa_buf_str(&pin)) != 0)
        return login_failed(t, err);
    return WA_OK;
}

/* --- the key --- */

static bool is_key(const struct wa_token_uri *u, const PKCS11_KEY *k)
{
    return is_meant(u->object, k->label) &&
           (u->id_n == 0 || (k->id_len == u->id_n && memcmp(k->id, u->id, u->id_n) == 0));
}

static enum wa_code find_key(const PKCS11_SLOT *slot, const struct wa_token_uri *u,
                             PKCS11_KEY **ret, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf there;
    PKCS11_KEY *keys = NULL, *found = NULL;
    unsigned n = 0, count = 0;
    wa_buf_init(&there, 4096);
    if (PKCS11_enumerate_keys(slot->token, &keys, &n) != 0)
        return wa_ossl_fail(err, WA_E_FAILED, "the token '%s' does not list its keys",
                            slot->token->label);
    for (unsigned i = 0; i < n; i++) {
        if (i < LISTED_MAX)
            wa_buf_addf(&there, "%s'%s'", i == 0 ? wa_text("; it has ") : ", ",
                        keys[i].label != NULL ? keys[i].label : "");
        if (!is_key(u, &keys[i]))
            continue;
        found = &keys[i];
        count++;
    }
    if (count == 0)
        return wa_fail(err, WA_E_NOT_FOUND, "the token '%s' has no such private key%s",
                       slot->token->label, n == 0 ? wa_text(", and no other") : wa_buf_str(&there));
    if (count > 1)
        return wa_fail(err, WA_E_CONFLICT,
                       "the token '%s' has more than one such private key: add object or id%s",
                       slot->token->label, wa_buf_str(&there));
    *ret = found;
    return WA_OK;
}

enum wa_code wa_token_key_open(const struct wa_token_uri *uri, const char *module,
                               wa_passphrase_fn ask, void *user, struct wa_key **ret,
                               struct wa_err *err)
{
    WA_AUTO(token) struct token *t = wa_calloc(1, sizeof *t);
    WA_AUTO(wa_key) struct wa_key *key = NULL;
    PKCS11_SLOT *slot = NULL;
    PKCS11_KEY *found = NULL;
    if (t == NULL)
        return wa_nomem(err);
    if (load(t, uri->module_path[0] != '\0' ? uri->module_path : module, err) != WA_OK ||
        find_slot(t, uri, &slot, err) != WA_OK || login(slot, ask, user, err) != WA_OK ||
        find_key(slot, uri, &found, err) != WA_OK)
        return err->code;
    EVP_PKEY *pkey = PKCS11_get_private_key(found);
    if (pkey == NULL)
        return wa_ossl_fail(err, WA_E_FAILED, "the token '%s' does not give its key's numbers",
                            slot->token->label);
    if (wa_key_adopt_strong(pkey, true, "the token's key", &key, err) != WA_OK)
        return err->code;
    key->lost = &t->is_lost;
    key->owner = WA_TAKE(t);
    key->drop_owner = drop_token;
    *ret = WA_TAKE(key);
    return WA_OK;
}

/* oidc.h - OpenID Connect, authorization code with PKCE: what is asked of a provider, and what of
 * its answers counts. Without the network: role_oidc.c has that.
 *
 * The console makes a verifier and keeps it; the server sees its digest (the challenge), and the
 * verifier only together with the code. The nonce follows from the challenge: an ID token counts
 * for the login that it was asked for and no other, with nothing to be remembered until then.
 */
#ifndef WA_SERVER_OIDC_H
#define WA_SERVER_OIDC_H

#include "codec/json.h"
#include "crypto/jws.h"

#define WA_OIDC_HASH 44         /* a SHA-256 in base64url, with its NUL */
#define WA_OIDC_SUBJECT_MAX 255 /* bytes, as the specification has it */

struct wa_oidc_settings {        /* as the configuration has them; borrowed */
    const char *issuer;          /* https address; "": no provider */
    const char *client, *secret; /* secret "": a public client */
    const char *scope, *user_claim, *groups_claim;
    const char *redirect;       /* "127.0.0.1", "[::1]" or "localhost": where consoles listen */
    const char *prompt;         /* what the provider is to ask for; "": as it likes */
    bool wants_offline;         /* offline_access is asked for, where the provider knows it */
    const char *proxy, *bypass; /* of wa_http_post */
};
/* WA_E_CONFIG names the setting that can't be. */
WA_CHECK enum wa_code wa_oidc_check(const struct wa_oidc_settings *s, struct wa_err *err);

struct wa_oidc_provider {                              /* of its description */
    char authorization[1024], token[1024], keys[1024]; /* https addresses */
    char revocation[1024];                             /* likewise; "": it has none */
    bool has_offline;                                  /* knows the scope offline_access */
    bool says_issuer;                                  /* with each code (RFC 9207) */
    bool takes_post; /* the secret in the body: it does not take it in a header */
};
/* Where the description is. */
void wa_oidc_description_url(const char *issuer, struct wa_buf *out);
/* WA_E_REFUSED: it is not that issuer's, or says what we can't use. */
WA_CHECK enum wa_code wa_oidc_read_description(struct wa_sv text, const char *issuer,
                                               struct wa_oidc_provider *ret, struct wa_err *err);

/* BASE64URL(SHA-256(verifier)). WA_E_USAGE: it is none (RFC 7636, 4.1). */
WA_CHECK enum wa_code wa_oidc_challenge(struct wa_sv verifier, char out[WA_OIDC_HASH],
                                        struct wa_err *err);
WA_CHECK enum wa_code wa_oidc_nonce(const char *challenge, char out[WA_OIDC_HASH],
                                    struct wa_err *err);

struct wa_oidc_begin {
    int64_t port; /* where the console listens */
    struct wa_sv state, challenge;
};
WA_CHECK enum wa_code wa_oidc_begin_read(const struct wa_json *j, struct wa_oidc_begin *ret,
                                         struct wa_err *err);
/* Whether refresh tokens outlast the person's logging out at the provider: then one that is refused
 * says that the person, or the server's access to him, is gone there. */
bool wa_oidc_outlasts(const struct wa_oidc_settings *s, const struct wa_oidc_provider *p);
/* Where the person's browser goes. */
WA_CHECK enum wa_code wa_oidc_address(const struct wa_oidc_settings *s,
                                      const struct wa_oidc_provider *p,
                                      const struct wa_oidc_begin *b, struct wa_buf *out,
                                      struct wa_err *err);

struct wa_oidc_finish {
    int64_t port;
    struct wa_sv code, verifier;
    struct wa_sv issuer; /* as the browser brought it; "": it did not */
};
WA_CHECK enum wa_code wa_oidc_finish_read(const struct wa_json *j, struct wa_oidc_finish *ret,
                                          struct wa_err *err);
/* RFC 9207: a code of another provider is not taken to this one. */
WA_CHECK enum wa_code wa_oidc_check_issuer(const struct wa_oidc_settings *s,
                                           const struct wa_oidc_provider *p, struct wa_sv said,
                                           struct wa_err *err);
/* The form by which the code is exchanged; headers: lines. */
WA_CHECK enum wa_code wa_oidc_exchange(const struct wa_oidc_settings *s,
                                       const struct wa_oidc_provider *p,
                                       const struct wa_oidc_finish *f, struct wa_buf *body,
                                       struct wa_buf *headers, struct wa_err *err);

/* The same by which a refresh token is used (RFC 6749, 6), and by which it is given back (RFC
 * 7009).
 */
WA_CHECK enum wa_code wa_oidc_refresh(const struct wa_oidc_settings *s,
                                      const struct wa_oidc_provider *p, struct wa_sv token,
                                      struct wa_buf *body, struct wa_buf *headers,
                                      struct wa_err *err);
WA_CHECK enum wa_code wa_oidc_revoke(const struct wa_oidc_settings *s,
                                     const struct wa_oidc_provider *p, struct wa_sv token,
                                     struct wa_buf *body, struct wa_buf *headers,
                                     struct wa_err *err);

struct wa_oidc_tokens {   /* of the token endpoint's answer; borrowed */
    struct wa_sv id;      /* the ID token, not looked at yet; "": there is none */
    struct wa_sv refresh; /* "": none, or none that can be kept */
};
void wa_oidc_read_tokens(const struct wa_json *answer, struct wa_oidc_tokens *ret);

struct wa_oidc_person {
    char subject[WA_OIDC_SUBJECT_MAX + 1];
    char name[WA_NAME_MAX + 1];   /* in the one form in which it is kept */
    const struct wa_json *groups; /* an array, one text, or NULL; in the token's arena */
};
/* The claims of a token whose signature holds. WA_E_AUTH with what is wrong. */
WA_CHECK enum wa_code wa_oidc_judge(const struct wa_oidc_settings *s, const struct wa_json *claims,
                                    const char *nonce, int64_t now, struct wa_oidc_person *ret,
                                    struct wa_err *err);
/* The same of a token that a refresh token brought (OpenID Connect Core, 12.2): it is of the login
 * of that nonce, which it may leave out, and of the same subject and name. */
struct wa_oidc_before {
    const char *nonce, *subject, *name;
};
WA_CHECK enum wa_code wa_oidc_judge_again(const struct wa_oidc_settings *s,
                                          const struct wa_json *claims,
                                          const struct wa_oidc_before *before, int64_t now,
                                          struct wa_oidc_person *ret, struct wa_err *err);
bool wa_oidc_is_in(const struct wa_oidc_person *p, const char *group);

#endif

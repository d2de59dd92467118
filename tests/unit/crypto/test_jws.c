/* JSON Web Signatures: two algorithms, keys of a set, and nothing that chooses how it is checked.
 */
#include "support.h"

#include "codec/base64.h"
#include "crypto/jws.h"
#include "torture.h"

/* RFC 7515, A.2 and A.3: the examples' own keys and texts. */
#define RS256_KEY                                                                                  \
    "{\"kty\":\"RSA\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-"   \
    "Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7"  \
    "OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3q"  \
    "Co5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyu"  \
    "XpoQ\",\"e\":\"AQAB\"}"
#define RS256                                                                                      \
    "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLm"  \
    "NvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AA"  \
    "uHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75"  \
    "vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6Bf"  \
    "I7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77" \
    "Rw"
#define ES256_KEY                                                                                  \
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","     \
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}"
#define ES256                                                                                      \
    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLm"  \
    "NvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApm"  \
    "WQxfKTUJqPP3-Kg6NU1Q"
#define SET(keys) "{\"keys\":[" keys "]}"

static enum wa_code check(const char *text, const char *set, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    struct wa_jws j;
    const struct wa_json *keys = NULL;
    wa_arena_init(&arena, 4u << 20);
    if (wa_jws_parse(wa_sv(text), &arena, &j, err) != WA_OK ||
        wa_json_parse(wa_sv(set), 0, &arena, &keys, err) != WA_OK)
        return err->code;
    return wa_jws_check(&j, keys, err);
}

static const struct {
    const char *text, *set;
    enum wa_code code;
} cases[] = {
    {RS256, SET(RS256_KEY), WA_OK},
    {ES256, SET(ES256_KEY), WA_OK},
    {ES256, SET(RS256_KEY "," ES256_KEY), WA_OK},
    {RS256, SET(ES256_KEY), WA_E_NOT_FOUND}, /* of another kind */
    {ES256, SET(""), WA_E_NOT_FOUND},
    {ES256, "{}", WA_E_INVALID},
    {ES256, "[]", WA_E_INVALID},
    {ES256, SET("{\"kty\":\"EC\",\"crv\":\"P-256\"}"), WA_E_INVALID},
    {ES256, SET("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}"), WA_E_INVALID},
    {ES256, SET("{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"AA\",\"y\":\"AA\"}"), WA_E_NOT_FOUND},
    /* a point that is not of the curve */
    {ES256,
     SET("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
         "\"y\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"}"),
     WA_E_INVALID},
    {RS256, SET("{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}"), WA_E_REFUSED}, /* weak */
    {RS256, SET("{\"kty\":\"RSA\",\"n\":\"AA\",\"e\":\"AA\"}"), WA_E_REFUSED},
    {RS256, SET("{\"kty\":\"RSA\",\"use\":\"enc\",\"n\":\"AQAB\",\"e\":\"AQAB\"}"), WA_E_NOT_FOUND},
    {RS256, SET("{\"kty\":\"RSA\",\"alg\":\"PS256\",\"n\":\"AQAB\",\"e\":\"AQAB\"}"),
     WA_E_NOT_FOUND},
    {"", SET(ES256_KEY), WA_E_INVALID},
    {"a.b", SET(ES256_KEY), WA_E_INVALID},
    {"..", SET(ES256_KEY), WA_E_INVALID},
    {"a.b.c.d", SET(ES256_KEY), WA_E_INVALID},
    {"eyJhbGciOiJub25lIn0.e30.", SET(ES256_KEY), WA_E_REFUSED},      /* none */
    {"eyJhbGciOiJIUzI1NiJ9.e30.AAAA", SET(ES256_KEY), WA_E_REFUSED}, /* HS256 */
    {"eyJhbGciOiJFUzI1NiIsImNyaXQiOltdfQ.e30.AAAA", SET(ES256_KEY), WA_E_REFUSED},
    {"eyJhbGciOiJFUzI1NiJ9.W10.AAAA", SET(ES256_KEY), WA_E_INVALID}, /* [] for claims */
    {"eyJhbGciOiJFUzI1NiJ9.e30.AAAA", SET(ES256_KEY), WA_E_REFUSED}, /* too short */
    {"eyJhbGciOiJFUzI1NiIsImFsZyI6Im5vbmUifQ.e30.AAAA", SET(ES256_KEY), WA_E_INVALID}, /* twice */
    {"eyJhbGciOiJFUzI1NiJ9.e30=.AAAA", SET(ES256_KEY), WA_E_INVALID},
};

static void test_cases(void **state)
{
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        struct wa_err err = WA_ERR_INIT;
        if (check(cases[i].text, cases[i].set, &err) != cases[i].code)
            fail_msg("case %zu: %s '%s'", i, wa_code_name(err.code), err.text);
    }
}

/* One bit anywhere, and it holds no more. */
static void test_changes(void **state)
{
    static const char *const texts[] = {RS256, ES256};
    WA_UNUSED(state);
    for (size_t t = 0; t < WA_COUNT(texts); t++)
        for (size_t i = 0; i < strlen(texts[t]); i += 3) {
            char text[2048];
            struct wa_err err = WA_ERR_INIT;
            (void)snprintf(text, sizeof text, "%s", texts[t]);
            text[i] = text[i] == 'A' ? 'B' : 'A';
            if (check(text, SET(RS256_KEY "," ES256_KEY), &err) == WA_OK)
                fail_msg("text %zu holds with another letter at %zu", t, i);
        }
}

/* A text that names its key is checked by no other. */
static void test_names(void **state)
{
    WA_AUTO_BUF struct wa_buf text;
    WA_AUTO_BUF struct wa_buf der;
    WA_AUTO(wa_key) struct wa_key *key = NULL;
    struct wa_err err = WA_ERR_INIT;
    uint8_t point[WA_KEY_POINT_BYTES], both[64] = {0};
    static const char head[] = "{\"alg\":\"ES256\",\"kid\":\"a\"}";
    char one[512], set[1200];
    WA_UNUSED(state);
    wa_buf_init(&text, 4096);
    wa_buf_init(&der, 256);
    WA_ASSERT_OK(wa_key_new_p256(&key, &err));
    wa_base64url_encode(head, strlen(head), &text);
    wa_buf_adds(&text, ".e30");
    WA_ASSERT_OK(wa_sign(key, wa_buf_sv(&text), &der, &err));
    const uint8_t *d = (const uint8_t *)der.p; /* 30 n 02 nr r 02 ns s */
    size_t nr = d[3], ns = d[5 + nr];
    memcpy(both + (nr < 32 ? 32 - nr : 0), d + 4 + (nr > 32 ? nr - 32 : 0), nr < 32 ? nr : 32);
    memcpy(both + 32 + (ns < 32 ? 32 - ns : 0), d + 6 + nr + (ns > 32 ? ns - 32 : 0),
           ns < 32 ? ns : 32);
    wa_buf_addc(&text, '.');
    wa_base64url_encode(both, sizeof both, &text);
    assert_true(wa_key_point(key, point));
    WA_AUTO_BUF struct wa_buf x;
    WA_AUTO_BUF struct wa_buf y;
    wa_buf_init(&x, 64);
    wa_buf_init(&y, 64);
    wa_base64url_encode(point + 1, 32, &x);
    wa_base64url_encode(point + 33, 32, &y);
    (void)snprintf(one, sizeof one, "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"%s\"",
                   wa_buf_str(&x), wa_buf_str(&y));
    (void)snprintf(set, sizeof set, SET("{%s,\"kid\":\"b\"},{%s,\"kid\":\"a\"}"), one, one);
    WA_ASSERT_OK(check(wa_buf_str(&text), set, &err));
    (void)snprintf(set, sizeof set, SET("{%s,\"kid\":\"b\"},{%s}"), one, one);
    assert_int_equal(check(wa_buf_str(&text), set, &err), WA_E_NOT_FOUND);
}

static enum wa_code both(void *arg, struct wa_err *err)
{
    WA_UNUSED(arg);
    return check(ES256, SET(RS256_KEY "," ES256_KEY), err) == WA_OK
               ? check(RS256, SET(RS256_KEY), err)
               : err->code;
}

static void test_torture(void **state)
{
    WA_UNUSED(state);
    assert_true(wa_torture(both, NULL) > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases), cmocka_unit_test(test_changes),
                                       cmocka_unit_test(test_names),
                                       cmocka_unit_test(test_torture)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

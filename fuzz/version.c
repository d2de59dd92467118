/* version.c - each of the comparisons is an order: it turns with its arguments, and equals itself.
 * The input is three versions, a line each. */
#include <stdint.h>
#include <stdlib.h>

#include "pkg/version.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int sign_of(int c)
{
    return (c > 0) - (c < 0);
}

static void check_order(const struct wa_sv v[3], unsigned members)
{
    int c[3][3];
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 3; k++)
            c[i][k] = sign_of(wa_version_cmp(v[i], v[k], members));
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 3; k++)
            if (c[i][k] != -c[k][i])
                abort();
    for (int i = 0; i < 3; i++)
        if (c[i][(i + 1) % 3] < 0 && c[(i + 1) % 3][(i + 2) % 3] < 0 && c[i][(i + 2) % 3] >= 0)
            abort();
}

static void check_package_order(struct wa_sv a, struct wa_sv b)
{
    struct wa_err err = WA_ERR_INIT;
    int there = 0, back = 0;
    enum wa_code code = wa_pkgversion_cmp(a, b, &there, &err);
    err = (struct wa_err)WA_ERR_INIT;
    if (code != wa_pkgversion_cmp(b, a, &back, &err) || sign_of(there) != -sign_of(back))
        abort();
}

static void check_increment(struct wa_sv v)
{
    char next[WA_NAME_MAX + 1];
    struct wa_err err = WA_ERR_INIT;
    if (wa_pkgversion_increment(v, next, &err) != WA_OK)
        return;
    if (!wa_pkgversion_is_valid(v) || !wa_pkgversion_is_valid(wa_sv(next)) ||
        wa_version_cmp(v, wa_sv(next), 0) >= 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wa_sv rest = wa_sv_n(data, size), v[3] = {{NULL, 0}, {NULL, 0}, {NULL, 0}};
    for (int i = 0; i < 3; i++)
        (void)wa_sv_split(&rest, '\n', &v[i]);
    check_order(v, 0);
    check_order(v, 4);
    check_package_order(v[0], v[1]);
    check_increment(v[0]);
    return 0;
}

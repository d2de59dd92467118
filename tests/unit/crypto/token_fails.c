/* token_fails.c - SoftHSM as a PKCS#11 module that fails where the test says: it never locks a
 * token by itself, and nobody can pull it out.
 *
 * WA_TOKEN_GONE: a file; while it is there, the token is not. WA_TOKEN_TELLS: each C_Login is told
 * on the standard error. WA_TOKEN_LOGIN, WA_TOKEN_SIGN: what C_Login and C_Sign return;
 * WA_TOKEN_FLAGS: more flags of each token. Of the standard's table only the places of these
 * functions are known here.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FUNCTIONS 68

struct table {
    unsigned char major, minor;
    void (*fn[FUNCTIONS])(void);
};
enum { GET_TOKEN_INFO = 6, LOGIN = 18, SIGN = 43, FLAGS_AT = 96 };

typedef unsigned long (*get_list_fn)(struct table **);
typedef unsigned long (*token_info_fn)(unsigned long, void *);
typedef unsigned long (*login_fn)(unsigned long, unsigned long, unsigned char *, unsigned long);
typedef unsigned long (*sign_fn)(unsigned long, unsigned char *, unsigned long, unsigned char *,
                                 unsigned long *);

unsigned long C_GetFunctionList(struct table **ret);

static struct table real, ours;

static unsigned long number(const char *name)
{
    const char *text = getenv(name);
    return text == NULL ? 0 : strtoul(text, NULL, 0);
}

/* CKR_DEVICE_REMOVED while it is gone. */
static unsigned long gone(void)
{
    const char *path = getenv("WA_TOKEN_GONE");
    return path != NULL && access(path, F_OK) == 0 ? 0x32 : 0;
}

static unsigned long token_info(unsigned long slot, void *info)
{
    unsigned long flags, more = number("WA_TOKEN_FLAGS");
    unsigned long rv = gone();
    if (rv == 0)
        rv = ((token_info_fn)real.fn[GET_TOKEN_INFO])(slot, info);
    if (rv != 0)
        return rv;
    memcpy(&flags, (char *)info + FLAGS_AT, sizeof flags);
    flags |= more;
    memcpy((char *)info + FLAGS_AT, &flags, sizeof flags);
    return rv;
}

static unsigned long login(unsigned long session, unsigned long who, unsigned char *pin,
                           unsigned long n)
{
    static const char told[] = "token: C_Login\n";
    unsigned long rv = gone() != 0 ? gone() : number("WA_TOKEN_LOGIN");
    if (getenv("WA_TOKEN_TELLS") != NULL && write(2, told, sizeof told - 1) < 0)
        return 5; /* CKR_GENERAL_ERROR */
    return rv != 0 ? rv : ((login_fn)real.fn[LOGIN])(session, who, pin, n);
}

static unsigned long sign(unsigned long session, unsigned char *data, unsigned long n,
                          unsigned char *out, unsigned long *out_n)
{
    unsigned long rv = gone() != 0 ? gone() : number("WA_TOKEN_SIGN");
    return rv != 0 ? rv : ((sign_fn)real.fn[SIGN])(session, data, n, out, out_n);
}

unsigned long C_GetFunctionList(struct table **ret)
{
    struct table *theirs = NULL;
    void *lib = dlopen(WA_SOFTHSM, RTLD_NOW);
    void *symbol = lib == NULL ? NULL : dlsym(lib, "C_GetFunctionList");
    get_list_fn get;
    if (symbol == NULL)
        return 5; /* CKR_GENERAL_ERROR */
    memcpy(&get, &symbol, sizeof get);
    unsigned long rv = get(&theirs);
    if (rv != 0)
        return rv;
    real = *theirs;
    ours = real;
    ours.fn[GET_TOKEN_INFO] = (void (*)(void))token_info;
    ours.fn[LOGIN] = (void (*)(void))login;
    ours.fn[SIGN] = (void (*)(void))sign;
    *ret = &ours;
    return 0;
}

/* directory.c - the machine's account in the name service: its groups by getgrouplist(), which SSSD
 * and winbind answer alike, and its distinguished name from SSSD's own library where that is there.
 *
 * That library is loaded only here, in a process that has given up everything else.
 */
#include "os/directory.h"

#include "base/mem.h"
#include "os/linux/text_priv.h"

#include <dlfcn.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#define GROUPS_MAX 4096
#define TEXT_MAX (1u << 20) /* bytes: a group with thousands of members */

/* "DOMAIN\name" of winbind, "name@domain" of SSSD. */
static struct wa_sv bare_name(const char *name)
{
    struct wa_sv s = wa_sv(name);
    size_t at;
    if (wa_sv_chr(s, '\\', &at))
        s = wa_sv_sub(s, at + 1, s.n);
    if (wa_sv_chr(s, '@', &at))
        s = wa_sv_sub(s, 0, at);
    return s;
}

static enum wa_code tell_group(gid_t gid, char *text, wa_group_fn fn, void *user,
                               struct wa_err *err)
{
    struct group gr, *found = NULL;
    char name[256];
    if (getgrgid_r(gid, &gr, text, TEXT_MAX, &found) != 0 || found == NULL)
        return WA_OK;
    wa_text_clean(bare_name(gr.gr_name), name, sizeof name);
    if (name[0] == '\0' || strchr(name, ',') != NULL || name[strlen(name) - 1] == '$')
        return WA_OK; /* no directory allows a comma; winbind makes a group of each account */
    return fn(user, name, err);
}

/* libsss_nss_idmap, sss_nss_idmap.h */
struct sss_kv {
    char *key, *value;
};
typedef int (*sss_orig_fn)(const char *name, struct sss_kv **ret, int *ret_type);
typedef void (*sss_free_fn)(struct sss_kv *kv);

static void ask_dn(const char *account, char ret_dn[WA_DIRECTORY_DN])
{
    union { /* the only way from an object pointer to a function's that C17 knows */
        void *object;
        sss_orig_fn orig;
        sss_free_fn free_kv;
    } orig, free_kv;
    struct sss_kv *kv = NULL;
    int type = 0;
    void *lib = dlopen("libsss_nss_idmap.so.0", RTLD_NOW | RTLD_LOCAL);
    if (lib == NULL)
        return;
    orig.object = dlsym(lib, "sss_nss_getorigbyname");
    free_kv.object = dlsym(lib, "sss_nss_free_kv");
    if (orig.object != NULL && free_kv.object != NULL && orig.orig(account, &kv, &type) == 0 &&
        kv != NULL) {
        for (size_t i = 0; kv[i].key != NULL; i++)
            if (strcmp(kv[i].key, "originalDN") == 0 && strlen(kv[i].value) < WA_DIRECTORY_DN)
                wa_text_clean(wa_sv(kv[i].value), ret_dn, WA_DIRECTORY_DN);
        free_kv.free_kv(kv);
    }
    (void)dlclose(lib);
}

static enum wa_code tell_groups(const struct passwd *pw, const char *account, char *text,
                                wa_group_fn fn, void *user, struct wa_err *err)
{
    int n = GROUPS_MAX;
    gid_t *groups = wa_calloc(GROUPS_MAX, sizeof *groups);
    if (groups == NULL)
        return wa_nomem(err);
    enum wa_code code = WA_OK;
    if (getgrouplist(account, pw->pw_gid, groups, &n) < 0)
        code = wa_fail(err, WA_E_LIMIT, "'%s' is in more than %d groups", account, GROUPS_MAX);
    for (int i = 0; code == WA_OK && i < n; i++)
        code = tell_group(groups[i], text, fn, user, err);
    wa_free(groups);
    return code;
}

/* The account by the name that the name service has for it. */
static bool find_account(const char *account, const char *workgroup, char name[512],
                         struct passwd *pw, char *text)
{
    struct passwd *found = NULL;
    (void)snprintf(name, 512, "%s", account);
    if (getpwnam_r(name, pw, text, TEXT_MAX, &found) == 0 && found != NULL)
        return true;
    if (workgroup[0] == '\0')
        return false;
    (void)snprintf(name, 512, "%s\\%s", workgroup, account);
    return getpwnam_r(name, pw, text, TEXT_MAX, &found) == 0 && found != NULL;
}

enum wa_code wa_directory_ask(const char *account, const char *workgroup,
                              char ret_dn[WA_DIRECTORY_DN], wa_group_fn fn, void *user,
                              bool *ret_is_known, struct wa_err *err)
{
    struct passwd pw;
    char name[512];
    WA_AUTO_STR char *text = wa_calloc(2, TEXT_MAX);
    if (text == NULL)
        return wa_nomem(err);
    ret_dn[0] = '\0';
    *ret_is_known = false;
    if (!find_account(account, workgroup, name, &pw, text))
        return WA_OK;
    ask_dn(name, ret_dn);
    if (tell_groups(&pw, name, text + TEXT_MAX, fn, user, err) != WA_OK)
        return err->code;
    *ret_is_known = true;
    return WA_OK;
}

/* relpath.c - a path that passes the gate is harmless by a second reading of the rule, comes out as
 * it went in, and its key is stable. */
#include <stdint.h>
#include <stdlib.h>

#include "base/relpath.h"
#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_parts(const char *path)
{
    size_t depth = 0;
    for (const char *part = path; part != NULL; depth++) {
        size_t n = strcspn(part, "/");
        require(n > 0 && n <= WA_NAME_MAX);
        require(part[n - 1] != '.' && part[n - 1] != ' ');
        require(!(n == 3 && wa_sv_ieqs(wa_sv_n(part, 3), "nul")));
        require(!(n >= 4 && part[3] == '.' && wa_sv_ieqs(wa_sv_n(part, 3), "con")));
        part = part[n] == '/' ? part + n + 1 : NULL;
    }
    require(depth <= WA_RELPATH_DEPTH_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wa_relpath path, again;
    struct wa_err err = WA_ERR_INIT;
    char key[WA_RELPATH_MAX + 1], key_again[WA_RELPATH_MAX + 1];
    enum wa_code code = wa_relpath_parse(wa_sv_n(data, size), &path, &err);
    if (code != WA_OK) {
        require(code == WA_E_INVALID && err.code == code && err.text[0] != '\0');
        require(wa_utf8_valid(wa_sv(err.text)) && strpbrk(err.text, "\n\r\x1b") == NULL);
        return 0;
    }
    require(path.n == size && strlen(path.p) == size && memcmp(path.p, data, size) == 0);
    require(wa_utf8_valid(wa_sv(path.p)));
    require(strpbrk(path.p, "\\:<>\"?*|\n\r\t\x1b\x7f") == NULL);
    check_parts(path.p);
    wa_relpath_fold(&path, key);
    require(strlen(key) <= size); /* the long s and the like have shorter letters for theirs */
    again.n = strlen(key);
    memcpy(again.p, key, again.n + 1);
    wa_relpath_fold(&again, key_again);
    require(strcmp(key, key_again) == 0);
    return 0;
}

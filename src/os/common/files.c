/* files.c - what is made of the other calls for files: a copy, the end of a private temporary
 * directory.
 */
#include <string.h>

#include "base/mem.h"

#include "os/fs.h"

void wa_temp_remove(const char *path)
{
    WA_AUTO_DIR struct wa_dir parent = WA_DIR_INIT;
    struct wa_err ignored = WA_ERR_INIT; /* a folder of ours is left over */
    struct wa_relpath name;
    char above[WA_PATH_MAX];
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return;
    (void)snprintf(above, sizeof above, "%.*s", (int)(slash - path + 1), path);
    if (wa_dir_open(above, &parent, &ignored) == WA_OK &&
        wa_relpath_parse(wa_sv(slash + 1), &name, &ignored) == WA_OK &&
        wa_tree_remove(&parent, &name, &ignored) != WA_OK)
        wa_err_clear(&ignored);
}

#define PIECE ((size_t)1 << 20)

enum wa_code wa_fd_copy(int from, int to, uint64_t max, struct wa_err *err)
{
    WA_AUTO_STR char *piece = wa_calloc(PIECE, 1);
    struct wa_fd_source source;
    if (piece == NULL)
        return wa_nomem(err);
    if (wa_fd_source_init(&source, from, err) != WA_OK)
        return err->code;
    if (source.base.size > max)
        return wa_fail(err, WA_E_LIMIT, "it has more than %llu bytes", (unsigned long long)max);
    for (uint64_t at = 0; at < source.base.size;) {
        uint64_t left = source.base.size - at;
        size_t n = left < PIECE ? (size_t)left : PIECE;
        if (source.base.read_at(&source.base, at, piece, n, err) != WA_OK ||
            wa_fd_write_all(to, piece, n, err) != WA_OK)
            return err->code;
        at += n;
    }
    return WA_OK;
}

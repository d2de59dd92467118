/* fs_tree.c - lists, walks and removal of trees, and durable renames. Never through a link; depth
 * is bounded. */
#include "os/win32/win.h"

#include "base/mem.h"
#include "base/vec.h"
#include "os/fs.h"

#define LIST_BYTES 65536u /* of names asked for at once */
#define DEPTH_MAX 512u

/* Flags and classes of Windows 10 that not every header names. */
#define INFO_RENAME_EX 65
#define INFO_RENAME 10
#define INFO_DISPOSITION_EX 64
#define INFO_DISPOSITION 13
#define RENAME_REPLACE 1u
#define RENAME_POSIX 2u /* also over a file that somebody has open */
#define REMOVE_DELETE 1u
#define REMOVE_POSIX 2u
#define REMOVE_READ_ONLY_TOO 0x10u

NTSTATUS NTAPI NtSetInformationFile(HANDLE h, PIO_STATUS_BLOCK status, PVOID info, ULONG n,
                                    FILE_INFORMATION_CLASS what);

struct names {
    WA_VEC(char *);
};

static void names_free(struct names *v)
{
    for (size_t i = 0; i < v->n; i++)
        wa_free(v->items[i]);
    WA_VEC_FREE(v);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* --- names --- */

static enum wa_code add_name(struct names *v, const FILE_ID_BOTH_DIR_INFO *e, struct wa_err *err)
{
    wchar_t wide[WA_NAME_MAX + 1];
    char text[4 * WA_NAME_MAX + 1];
    size_t n = e->FileNameLength / sizeof(wchar_t);
    if (n > WA_NAME_MAX)
        return wa_fail(err, WA_E_LIMIT, "a name in a directory is too long");
    wmemcpy(wide, e->FileName, n);
    wide[n] = L'\0';
    if (wcscmp(wide, L".") == 0 || wcscmp(wide, L"..") == 0)
        return WA_OK;
    if (wa_win_narrow(wide, text, sizeof text, err) != WA_OK)
        return err->code;
    char *copy = wa_strdup(text);
    char **slot = copy == NULL ? NULL : WA_VEC_PUSH(v);
    if (slot == NULL) {
        wa_free(copy);
        return wa_nomem(err);
    }
    *slot = copy;
    return WA_OK;
}

static enum wa_code add_names(struct names *v, const char *room, struct wa_err *err)
{
    for (;;) {
        const FILE_ID_BOTH_DIR_INFO *e = (const FILE_ID_BOTH_DIR_INFO *)(const void *)room;
        if (add_name(v, e, err) != WA_OK)
            return err->code;
        if (e->NextEntryOffset == 0)
            return WA_OK;
        room += e->NextEntryOffset;
    }
}

/* Entries of the directory, sorted. */
static enum wa_code read_names(HANDLE dir, struct names *v, struct wa_err *err)
{
    char *room = wa_calloc(1, LIST_BYTES);
    FILE_INFO_BY_HANDLE_CLASS what = FileIdBothDirectoryRestartInfo;
    enum wa_code code = room == NULL ? wa_nomem(err) : WA_OK;
    while (code == WA_OK && GetFileInformationByHandleEx(dir, what, room, LIST_BYTES)) {
        code = add_names(v, room, err);
        what = FileIdBothDirectoryInfo;
    }
    DWORD error = GetLastError();
    if (code == WA_OK && error != ERROR_NO_MORE_FILES && error != ERROR_FILE_NOT_FOUND)
        code = wa_win_fail(err, error, "cannot list a directory");
    wa_free(room);
    if (code == WA_OK && v->n > 1)
        qsort(v->items, v->n, sizeof v->items[0], by_text);
    return code;
}

/* The entry itself, links too. 0, or the error. */
static DWORD open_entry(HANDLE dir, const char *name, ACCESS_MASK access, HANDLE *ret,
                        struct wa_stat *ret_stat)
{
    struct wa_err err = WA_ERR_INIT;
    wchar_t wide[WA_NAME_MAX + 1];
    if (wa_win_wide(name, wide, WA_COUNT(wide), &err) != WA_OK)
        return ERROR_INVALID_NAME;
    NTSTATUS rc = wa_win_open_part(dir, wide, access, FILE_OPEN, 0, NULL, true, ret);
    return rc != 0 ? wa_win_error_of(rc) : wa_win_stat(*ret, ret_stat);
}

enum wa_code wa_dir_list(const struct wa_dir *dir, wa_walk_fn fn, void *user, struct wa_err *err)
{
    struct names v = {0};
    HANDLE at = wa_win_handle(dir->fd);
    enum wa_code code = read_names(at, &v, err);
    for (size_t i = 0; code == WA_OK && i < v.n; i++) {
        WA_AUTO_HANDLE HANDLE h = INVALID_HANDLE_VALUE;
        struct wa_stat st;
        DWORD error = open_entry(at, v.items[i], 0, &h, &st);
        if (error == ERROR_FILE_NOT_FOUND)
            continue; /* went meanwhile */
        code = error == 0 ? fn(user, v.items[i], &st, err)
                          : wa_win_fail(err, error, "cannot look at '%s'", v.items[i]);
    }
    names_free(&v);
    return code;
}

/* --- walks --- */

struct walk {
    wa_walk_files_fn fn;
    void *user;
    struct wa_relpath prefix; /* n 0 at the top */
};

static enum wa_code walk_dir(HANDLE dir, struct walk *w, struct wa_err *err);

static enum wa_code walk_entry(HANDLE dir, const char *name, struct walk *w, struct wa_err *err)
{
    WA_AUTO_HANDLE HANDLE h = INVALID_HANDLE_VALUE;
    char text[WA_RELPATH_MAX + 4 * WA_NAME_MAX + 2];
    struct wa_relpath path;
    struct wa_stat st;
    (void)snprintf(text, sizeof text, "%s%s%s", w->prefix.p, w->prefix.n == 0 ? "" : "/", name);
    if (wa_relpath_parse(wa_sv(text), &path, err) != WA_OK)
        return err->code;
    DWORD error = open_entry(dir, name, FILE_LIST_DIRECTORY, &h, &st);
    if (error != 0)
        return wa_win_fail(err, error, "cannot look at '%s'", path.p);
    if (st.is_file)
        return w->fn(w->user, &path, &st, err);
    if (!st.is_dir)
        return wa_fail(err, WA_E_INVALID, "'%s' is a link or a special file", path.p);
    struct wa_relpath before = w->prefix;
    w->prefix = path;
    enum wa_code code = walk_dir(h, w, err);
    w->prefix = before;
    return code;
}

/* The depth is bounded by that of a relpath. */
static enum wa_code walk_dir(HANDLE dir, struct walk *w, struct wa_err *err)
{
    struct names v = {0};
    enum wa_code code = read_names(dir, &v, err);
    for (size_t i = 0; code == WA_OK && i < v.n; i++)
        code = walk_entry(dir, v.items[i], w, err);
    names_free(&v);
    return code;
}

enum wa_code wa_dir_walk_files(const struct wa_dir *dir, wa_walk_files_fn fn, void *user,
                               struct wa_err *err)
{
    struct walk w = {.fn = fn, .user = user};
    w.prefix.p[0] = '\0';
    w.prefix.n = 0;
    return walk_dir(wa_win_handle(dir->fd), &w, err);
}

/* --- removing and renaming --- */

static NTSTATUS set(HANDLE h, void *info, ULONG n, int what)
{
    IO_STATUS_BLOCK status;
    return NtSetInformationFile(h, &status, info, n, (FILE_INFORMATION_CLASS)what);
}

DWORD wa_win_remove(HANDLE h)
{
    ULONG flags = REMOVE_DELETE | REMOVE_POSIX | REMOVE_READ_ONLY_TOO;
    BOOLEAN gone = TRUE; /* before Windows 10 */
    unsigned tries = 0;
    DWORD error;
    do {
        NTSTATUS rc = set(h, &flags, sizeof flags, INFO_DISPOSITION_EX);
        error = rc == 0 ? 0 : wa_win_error_of(rc);
        if (error == 0 || error == ERROR_DIR_NOT_EMPTY)
            return error;
        rc = set(h, &gone, sizeof gone, INFO_DISPOSITION);
        error = rc == 0 ? 0 : wa_win_error_of(rc);
    } while (error != 0 && wa_win_wait_turn(error, &tries));
    return error;
}

/* FILE_RENAME_INFORMATION as Windows has it: flags, padding, the folder, the name. */
struct rename_info {
    ULONG flags;
    HANDLE dir;
    ULONG name_bytes;
    wchar_t name[WA_NAME_MAX + 1];
};

DWORD wa_win_rename(HANDLE h, HANDLE dir, const wchar_t *name)
{
    struct rename_info info = {.dir = dir};
    size_t n = wcslen(name);
    unsigned tries = 0;
    DWORD error;
    if (n > WA_NAME_MAX)
        return ERROR_INVALID_NAME;
    wmemcpy(info.name, name, n + 1);
    info.name_bytes = (ULONG)(n * sizeof(wchar_t));
    do {
        info.flags = RENAME_REPLACE | RENAME_POSIX;
        NTSTATUS rc = set(h, &info, sizeof info, INFO_RENAME_EX);
        if (rc == 0)
            return 0;
        info.flags = RENAME_REPLACE; /* file systems and Windows without the former */
        rc = set(h, &info, sizeof info, INFO_RENAME);
        error = rc == 0 ? 0 : wa_win_error_of(rc);
    } while (error != 0 && wa_win_wait_turn(error, &tries));
    return error;
}

/* Handles of our own, so no relpath here. */
static enum wa_code remove_entry(HANDLE dir, const char *name, unsigned depth, struct wa_err *err)
{
    WA_AUTO_HANDLE HANDLE h = INVALID_HANDLE_VALUE;
    struct names v = {0};
    struct wa_stat st;
    if (depth > DEPTH_MAX)
        return wa_fail(err, WA_E_LIMIT, "directories are nested too deep to be removed");
    DWORD error = open_entry(dir, name, DELETE | FILE_LIST_DIRECTORY, &h, &st);
    if (error == ERROR_FILE_NOT_FOUND)
        return WA_OK;
    if (error != 0)
        return wa_win_fail(err, error, "cannot remove '%s'", name);
    enum wa_code code = st.is_dir ? read_names(h, &v, err) : WA_OK;
    for (size_t i = 0; code == WA_OK && i < v.n; i++)
        code = remove_entry(h, v.items[i], depth + 1, err);
    names_free(&v);
    if (code != WA_OK)
        return code;
    error = wa_win_remove(h);
    return error == 0 ? WA_OK : wa_win_fail(err, error, "cannot remove '%s'", name);
}

enum wa_code wa_tree_remove(const struct wa_dir *dir, const struct wa_relpath *sub,
                            struct wa_err *err)
{
    WA_AUTO_HANDLE HANDLE parent = INVALID_HANDLE_VALUE;
    wchar_t last[WA_NAME_MAX + 1];
    const char *slash = strrchr(sub->p, '/');
    if (wa_win_open_parent(wa_win_handle(dir->fd), sub, false, &parent, last, err) != WA_OK) {
        if (err->code != WA_E_NOT_FOUND)
            return err->code;
        wa_err_clear(err);
        return WA_OK;
    }
    if (remove_entry(parent, slash == NULL ? sub->p : slash + 1, 0, err) != WA_OK)
        return wa_wrap(err, "removing '%s'", sub->p);
    return WA_OK;
}

enum wa_code wa_file_remove(const struct wa_dir *dir, const struct wa_relpath *name,
                            struct wa_err *err)
{
    WA_AUTO_HANDLE HANDLE parent = INVALID_HANDLE_VALUE;
    WA_AUTO_HANDLE HANDLE h = INVALID_HANDLE_VALUE;
    wchar_t last[WA_NAME_MAX + 1];
    struct wa_stat st;
    if (wa_win_open_parent(wa_win_handle(dir->fd), name, false, &parent, last, err) != WA_OK)
        return err->code;
    NTSTATUS rc = wa_win_open_part(parent, last, DELETE, FILE_OPEN, 0, NULL, true, &h);
    DWORD error = rc != 0 ? wa_win_error_of(rc) : wa_win_stat(h, &st);
    if (error == 0)
        error = st.is_dir ? ERROR_ACCESS_DENIED : wa_win_remove(h);
    return error == 0 ? WA_OK : wa_win_fail(err, error, "cannot remove '%s'", name->p);
}

enum wa_code wa_file_rename(const struct wa_dir *from, const struct wa_relpath *old_name,
                            const struct wa_dir *to, const struct wa_relpath *new_name,
                            struct wa_err *err)
{
    WA_AUTO_HANDLE HANDLE old_dir = INVALID_HANDLE_VALUE;
    WA_AUTO_HANDLE HANDLE new_dir = INVALID_HANDLE_VALUE;
    WA_AUTO_HANDLE HANDLE h = INVALID_HANDLE_VALUE;
    wchar_t old_last[WA_NAME_MAX + 1], new_last[WA_NAME_MAX + 1];
    if (wa_win_open_parent(wa_win_handle(from->fd), old_name, false, &old_dir, old_last, err) !=
            WA_OK ||
        wa_win_open_parent(wa_win_handle(to->fd), new_name, true, &new_dir, new_last, err) != WA_OK)
        return err->code;
    NTSTATUS rc = wa_win_open_part(old_dir, old_last, DELETE, FILE_OPEN, 0, NULL, true, &h);
    DWORD error = rc != 0 ? wa_win_error_of(rc) : wa_win_rename(h, new_dir, new_last);
    if (error != 0)
        return wa_win_fail(err, error, "cannot rename '%s' to '%s'", old_name->p, new_name->p);
    return WA_OK;
}

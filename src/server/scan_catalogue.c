/* scan_catalogue.c - lists of packages for people. The index is this process's own work, of
 * packages that were verified; it is read again when its file is another one.
 *
 * Signatures are left out: what is shown here decides nothing.
 */
#include "server/scan_catalogue.h"

#include "server/api_page.h"
#include <stdlib.h>

#include "base/vec.h"
#include "codec/json.h"
#include "pkg/index.h"

static const struct wa_relpath index_name = {"wapt/Packages", 13};

/* What of a control is shown, and under which name. */
static const struct {
    enum wa_attr attr;
    const char *key;
} shown[] = {{WA_A_PACKAGE, "package"},
             {WA_A_VERSION, "version"},
             {WA_A_ARCHITECTURE, "architecture"},
             {WA_A_SECTION, "section"},
             {WA_A_MATURITY, "maturity"},
             {WA_A_LOCALE, "locale"},
             {WA_A_TARGET_OS, "target_os"},
             {WA_A_MIN_OS_VERSION, "min_os_version"},
             {WA_A_MAX_OS_VERSION, "max_os_version"},
             {WA_A_MIN_WAPT_VERSION, "min_wapt_version"},
             {WA_A_PRIORITY, "priority"},
             {WA_A_NAME, "name"},
             {WA_A_DESCRIPTION, "description"},
             {WA_A_CATEGORIES, "categories"},
             {WA_A_KEYWORDS, "keywords"},
             {WA_A_MAINTAINER, "maintainer"},
             {WA_A_EDITOR, "editor"},
             {WA_A_LICENCE, "licence"},
             {WA_A_HOMEPAGE, "homepage"},
             {WA_A_DEPENDS, "depends"},
             {WA_A_CONFLICTS, "conflicts"},
             {WA_A_PACKAGES_HELD, "packages_held"},
             {WA_A_MAINTENANCE_WINDOWS, "maintenance_windows"},
             {WA_A_FREEZE_PERIODS, "freeze_periods"},
             {WA_A_INSTALLED_SIZE, "installed_size"},
             {WA_A_PACKAGE_UUID, "package_uuid"},
             {WA_A_SIGNER, "signer"},
             {WA_A_SIGNER_FINGERPRINT, "signer_fingerprint"},
             {WA_A_SIGNATURE_DATE, "signature_date"},
             {WA_A_FILENAME, "file"}};

static void empty(struct wa_catalogue *c)
{
    for (size_t i = 0; i < c->n; i++)
        wa_control_fini(&c->items[i].control);
    c->n = 0;
    c->inode = 0;
}

void wa_catalogue_fini(struct wa_catalogue *c)
{
    empty(c);
    WA_VEC_FREE(c);
}

/* --- reading --- */

static enum wa_code take(void *user, struct wa_control *control, struct wa_err *err)
{
    struct wa_catalogue *c = user;
    struct wa_catalogue_entry *slot = WA_VEC_PUSH(c);
    if (slot == NULL)
        return wa_nomem(err);
    *slot = (struct wa_catalogue_entry){.is_newest = false};
    wa_control_init(&slot->control);
    for (size_t i = 0; i < WA_COUNT(shown); i++) {
        const char *v = wa_control_get(control, shown[i].attr);
        if (v[0] != '\0' && wa_control_set(&slot->control, shown[i].attr, wa_sv(v), err) != WA_OK)
            return err->code;
    }
    return wa_control_set(&slot->control, WA_A_SIZE, wa_sv(wa_control_get(control, WA_A_SIZE)),
                          err);
}

static int by_name(const void *a, const void *b)
{
    const struct wa_control *x = &((const struct wa_catalogue_entry *)a)->control;
    const struct wa_control *y = &((const struct wa_catalogue_entry *)b)->control;
    int order = strcmp(wa_control_get(x, WA_A_PACKAGE), wa_control_get(y, WA_A_PACKAGE));
    if (order == 0)
        order = -wa_entry_cmp(x, y);
    return order != 0 ? order
                      : strcmp(wa_control_get(x, WA_A_FILENAME), wa_control_get(y, WA_A_FILENAME));
}

static bool is_same(const struct wa_control *a, const struct wa_control *b)
{
    static const enum wa_attr what[] = {WA_A_ARCHITECTURE, WA_A_LOCALE, WA_A_MATURITY,
                                        WA_A_TARGET_OS};
    for (size_t i = 0; i < WA_COUNT(what); i++)
        if (strcmp(wa_control_get(a, what[i]), wa_control_get(b, what[i])) != 0)
            return false;
    return true;
}

/* Of one name there are few. */
static void mark_newest(struct wa_catalogue *c)
{
    for (size_t first = 0, i = 0; i < c->n; i++) {
        const struct wa_control *own = &c->items[i].control;
        bool is_beaten = false;
        if (strcmp(wa_control_get(&c->items[first].control, WA_A_PACKAGE),
                   wa_control_get(own, WA_A_PACKAGE)) != 0)
            first = i;
        for (size_t k = first; k < i && !is_beaten; k++)
            is_beaten = is_same(&c->items[k].control, own);
        c->items[i].is_newest = !is_beaten;
    }
}

static enum wa_code read_index(struct wa_catalogue *c, int fd, struct wa_err *err)
{
    WA_AUTO(wa_archive_members) struct wa_archive_members *members = NULL;
    struct wa_fd_source source;
    size_t bad = 0;
    if (wa_fd_source_init(&source, fd, err) != WA_OK ||
        wa_archive_members_open(&source.base, &members, err) != WA_OK)
        return err->code;
    wa_archive_members_spare_memory(members);
    if (wa_index_each(wa_archive_members_get(members), take, c, &bad, err) != WA_OK)
        return err->code;
    if (c->n > 1)
        qsort(c->items, c->n, sizeof c->items[0], by_name);
    mark_newest(c);
    return WA_OK;
}

static enum wa_code refresh(struct wa_catalogue *c, const struct wa_dir *repo, struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    struct wa_stat st;
    struct wa_err missing = WA_ERR_INIT;
    if (wa_file_open(repo, &index_name, &fd, &missing) != WA_OK) {
        empty(c);
        return missing.code == WA_E_NOT_FOUND ? WA_OK
                                              : wa_fail(err, missing.code, "%s", missing.text);
    }
    if (wa_fd_stat(fd, &st, err) != WA_OK)
        return err->code;
    if (st.inode == c->inode && st.size == c->size && st.mtime == c->mtime &&
        st.mtime_ns == c->mtime_ns)
        return WA_OK;
    empty(c);
    if (read_index(c, fd, err) != WA_OK) {
        empty(c);
        return wa_wrap(err, "the index");
    }
    c->inode = st.inode;
    c->size = st.size;
    c->mtime = st.mtime;
    c->mtime_ns = st.mtime_ns;
    return WA_OK;
}

/* --- searching --- */

struct query {
    struct wa_sv search, package, section, maturity, architecture, signer, sort;
    struct wa_sv after, after_count; /* the file behind which the page is, and the how manieth */
    bool newest;
    int64_t offset, limit;
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static bool contains(const char *text, struct wa_sv word)
{
    size_t n = strlen(text);
    for (size_t at = 0; at + word.n <= n; at++) {
        size_t i = 0;
        while (i < word.n && lower(text[at + i]) == lower(word.p[i]))
            i++;
        if (i == word.n)
            return true;
    }
    return false;
}

/* Each word in one of the texts. */
static bool has_words(const struct wa_control *c, struct wa_sv words)
{
    static const enum wa_attr where[] = {WA_A_PACKAGE,  WA_A_NAME,   WA_A_DESCRIPTION,
                                         WA_A_KEYWORDS, WA_A_EDITOR, WA_A_FILENAME};
    struct wa_sv word;
    while (wa_sv_split(&words, ' ', &word)) {
        bool found = word.n == 0;
        for (size_t i = 0; i < WA_COUNT(where) && !found; i++)
            found = contains(wa_control_get(c, where[i]), word);
        if (!found)
            return false;
    }
    return true;
}

static bool is(const struct wa_control *c, enum wa_attr a, struct wa_sv wanted)
{
    return wanted.n == 0 || wa_sv_eqs(wanted, wa_control_get(c, a));
}

static bool matches(const struct wa_catalogue_entry *e, const struct query *q)
{
    const struct wa_control *c = &e->control;
    bool is_signer = q->signer.n == 0 ||
                     wa_sv_eqs(q->signer, wa_control_get(c, WA_A_SIGNER_FINGERPRINT)) ||
                     contains(wa_control_get(c, WA_A_SIGNER), q->signer);
    return (!q->newest || e->is_newest) && is(c, WA_A_PACKAGE, q->package) &&
           is(c, WA_A_SECTION, q->section) && is(c, WA_A_MATURITY, q->maturity) &&
           is(c, WA_A_ARCHITECTURE, q->architecture) && is_signer && has_words(c, q->search);
}

/* --- order --- */

static uint64_t size_of(const struct wa_control *c)
{
    uint64_t n = 0;
    (void)wa_sv_u64(wa_sv(wa_control_get(c, WA_A_SIZE)), &n);
    return n;
}

typedef const struct wa_catalogue_entry *entry;

static int by_size(const void *a, const void *b)
{
    uint64_t x = size_of(&(*(const entry *)a)->control), y = size_of(&(*(const entry *)b)->control);
    return x < y ? -1 : x > y ? 1 : by_name(*(const entry *)a, *(const entry *)b);
}

static int by_text(const void *a, const void *b, enum wa_attr attr)
{
    int order = strcmp(wa_control_get(&(*(const entry *)a)->control, attr),
                       wa_control_get(&(*(const entry *)b)->control, attr));
    return order != 0 ? order : by_name(*(const entry *)a, *(const entry *)b);
}

static int by_section(const void *a, const void *b)
{
    return by_text(a, b, WA_A_SECTION);
}

static int by_signed(const void *a, const void *b)
{
    return by_text(a, b, WA_A_SIGNATURE_DATE);
}

static int by_uuid(const void *a, const void *b)
{
    return by_text(a, b, WA_A_PACKAGE_UUID);
}

static enum wa_code sort(entry *found, size_t n, struct wa_sv how, struct wa_err *err)
{
    static const struct {
        const char *name;
        int (*fn)(const void *a, const void *b);
    } ways[] = {{"package", NULL},
                {"size", by_size},
                {"section", by_section},
                {"signed", by_signed},
                {"uuid", by_uuid}};
    bool is_down = wa_sv_starts(how, "-");
    if (is_down)
        how = wa_sv_sub(how, 1, how.n);
    for (size_t i = 0; i < WA_COUNT(ways); i++) {
        if (how.n > 0 && !wa_sv_eqs(how, ways[i].name))
            continue;
        if (ways[i].fn != NULL && n > 1)
            qsort(found, n, sizeof found[0], ways[i].fn);
        for (size_t k = 0; is_down && k < n / 2; k++) {
            entry one = found[k];
            found[k] = found[n - 1 - k];
            found[n - 1 - k] = one;
        }
        return WA_OK;
    }
    return wa_fail(err, WA_E_USAGE, "'sort' takes package, size, section, signed or uuid");
}

/* --- the answer --- */

static void write_entry(struct wa_jw *w, const struct wa_catalogue_entry *e)
{
    wa_jw_obj(w);
    for (size_t i = 0; i < WA_COUNT(shown); i++)
        wa_jw_kv(w, shown[i].key, wa_control_get(&e->control, shown[i].attr));
    wa_jw_kvi(w, "size", (int64_t)size_of(&e->control));
    wa_jw_kvb(w, "is_newest", e->is_newest);
    wa_jw_end(w);
}

static enum wa_code read_query(struct wa_sv text, struct wa_arena *arena, struct query *q,
                               struct wa_err *err)
{
    const struct wa_json *j = NULL;
    const struct wa_json_field fields[] = {
        {"search", WA_WANT_SV, true, 255, &q->search},
        {"package", WA_WANT_SV, true, 255, &q->package},
        {"section", WA_WANT_SV, true, 255, &q->section},
        {"maturity", WA_WANT_SV, true, 255, &q->maturity},
        {"architecture", WA_WANT_SV, true, 255, &q->architecture},
        {"signer", WA_WANT_SV, true, 255, &q->signer},
        {"sort", WA_WANT_SV, true, 32, &q->sort},
        {"after", WA_WANT_SV, true, 511, &q->after},
        {"after_count", WA_WANT_SV, true, 511, &q->after_count},
        {"newest", WA_WANT_BOOL, true, 0, &q->newest},
        {"offset", WA_WANT_I64, true, 0, &q->offset},
        {"limit", WA_WANT_I64, true, 0, &q->limit}};
    if (wa_json_parse(text, 0, arena, &j, err) != WA_OK)
        return err->code;
    return wa_json_read(j, fields, WA_COUNT(fields), "a question about packages", err);
}

/* Where the page begins. A file that is gone was where the next one is now. */
static size_t first_of(const struct query *q, const entry *found, size_t n)
{
    int64_t count = 0;
    size_t first = 0;
    if (q->after.n > 0) {
        (void)wa_sv_i64(q->after_count, &count);
        first = count > 0 && (uint64_t)count <= n ? (size_t)count - 1 : n;
        for (size_t i = 0; i < n; i++)
            if (wa_sv_eqs(q->after, wa_control_get(&found[i]->control, WA_A_FILENAME)))
                first = i + 1;
    }
    return (uint64_t)q->offset < n - first ? first + (size_t)q->offset : n;
}

static void write_page(const struct query *q, const entry *found, size_t n, struct wa_buf *out)
{
    struct wa_api_page page = {.limit = q->limit};
    size_t first = first_of(q, found, n), end = first;
    char count[24];
    struct wa_jw w;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kvi(&w, "total", (int64_t)n);
    wa_jw_key(&w, "packages");
    wa_jw_arr(&w);
    for (; end < n && end - first < (size_t)q->limit; end++)
        write_entry(&w, found[end]);
    wa_jw_end(&w);
    (void)snprintf(page.sort, sizeof page.sort, "%.*s", WA_SV_ARG(q->sort));
    (void)snprintf(count, sizeof count, "%zu", end);
    if (end > first && end < n)
        wa_api_page_next(&w, &page, count, wa_control_get(&found[end - 1]->control, WA_A_FILENAME));
    wa_jw_end(&w);
}

enum wa_code wa_catalogue_list(struct wa_catalogue *c, const struct wa_dir *repo, struct wa_sv text,
                               struct wa_buf *out, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    struct query q = {.search = {NULL, 0}};
    size_t n = 0;
    wa_arena_init(&arena, 16u << 20);
    if (read_query(text, &arena, &q, err) != WA_OK || refresh(c, repo, err) != WA_OK)
        return err->code;
    entry *found = wa_arena_alloc(&arena, c->n + 1, sizeof *found);
    if (found == NULL)
        return wa_nomem(err);
    for (size_t i = 0; i < c->n; i++)
        if (matches(&c->items[i], &q))
            found[n++] = &c->items[i];
    if (sort(found, n, q.sort, err) != WA_OK)
        return err->code;
    write_page(&q, found, n, out);
    return wa_buf_check(out, err);
}

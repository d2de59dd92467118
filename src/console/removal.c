/* removal.c - who in a repository needs what is about to leave it. A requirement that another
 * package, or version, still meets is not told of.
 */
#include "console/removal.h"

#include "codec/csv.h"
#include "pkg/request.h"

static struct wa_sv file_of(const struct wa_control *c)
{
    struct wa_sv file = wa_sv(wa_control_get(c, WA_A_FILENAME));
    return wa_sv_starts(file, "./") ? wa_sv_sub(file, 2, file.n) : file;
}

const struct wa_control *wa_removal_find(const struct wa_index *ix, struct wa_sv file)
{
    for (size_t i = 0; i < ix->n; i++)
        if (wa_sv_eq(file_of(&ix->items[i]), file))
            return &ix->items[i];
    return NULL;
}

struct leaving {
    const struct wa_index *ix;
    char *const *files;
    size_t count;
};

static bool leaves(const struct leaving *l, const struct wa_control *c)
{
    for (size_t i = 0; i < l->count; i++)
        if (wa_sv_eqs(file_of(c), l->files[i]))
            return true;
    return false;
}

bool wa_removal_is_last(const struct wa_index *ix, char *const *files, size_t count, size_t i)
{
    const struct leaving l = {ix, files, count};
    const struct wa_control *c = wa_removal_find(ix, wa_sv(files[i]));
    const char *name = c != NULL ? wa_control_get(c, WA_A_PACKAGE) : "";
    for (size_t k = 0; c != NULL && k < ix->n; k++)
        if (strcmp(wa_control_get(&ix->items[k], WA_A_PACKAGE), name) == 0 &&
            !leaves(&l, &ix->items[k]))
            return false;
    for (size_t k = i + 1; c != NULL && k < count; k++) {
        const struct wa_control *other = wa_removal_find(ix, wa_sv(files[k]));
        if (other != NULL && strcmp(wa_control_get(other, WA_A_PACKAGE), name) == 0)
            return false;
    }
    return c != NULL;
}

/* What leaves and meets it; NULL when something that stays does, or nothing ever did. */
static const struct wa_control *find_lost(const struct leaving *l, const struct wa_request *r)
{
    const struct wa_control *lost = NULL;
    for (size_t i = 0; i < l->ix->n; i++) {
        const struct wa_control *c = &l->ix->items[i];
        if (strcmp(wa_control_get(c, WA_A_PACKAGE), r->package) != 0 || !wa_request_matches(r, c))
            continue;
        if (!leaves(l, c))
            return NULL;
        lost = c;
    }
    return lost;
}

void wa_removal_breaks(const struct wa_index *ix, char *const *files, size_t count,
                       wa_removal_fn tell, void *user)
{
    const struct leaving l = {ix, files, count};
    for (size_t i = 0; i < ix->n; i++) {
        const struct wa_control *by = &ix->items[i];
        struct wa_sv rest = wa_sv(wa_control_get(by, WA_A_DEPENDS)), item;
        if (rest.n == 0 || leaves(&l, by))
            continue;
        while (wa_csv_next(&rest, &item)) {
            struct wa_request r;
            struct wa_err ignored = WA_ERR_INIT; /* what can't be read is met by nothing */
            const struct wa_control *lost =
                wa_request_parse(item, &r, &ignored) == WA_OK ? find_lost(&l, &r) : NULL;
            if (lost != NULL)
                tell(user, lost, by, item);
        }
    }
}

/* get_verify_index.c - wapt-get verify on a repository's Packages: which entries would an agent
 * keep, and why not the others?
 */
#include "cmd/get.h"
#include "pkg/index.h"

bool wa_get_is_index(const struct wa_members *m)
{
    size_t i;
    return wa_members_find(m, "Packages", &i) && !wa_members_find(m, "WAPT/control", &i);
}

static void tell(struct wa_cli *cli, const struct wa_control *c, const struct wa_err *why)
{
    struct wa_jw *w = &cli->jw;
    const char *package = wa_control_get(c, WA_A_PACKAGE),
               *version = wa_control_get(c, WA_A_VERSION);
    wa_jw_obj(w);
    wa_jw_kv(w, "package", package);
    wa_jw_kv(w, "version", version);
    wa_jw_kv(w, "filename", wa_control_get(c, WA_A_FILENAME));
    wa_jw_kvb(w, "good", why == NULL);
    wa_jw_kv(w, "signer", why == NULL ? wa_control_get(c, WA_A_SIGNER) : NULL);
    wa_jw_kv(w, "error", why == NULL ? NULL : why->text);
    wa_jw_end(w);
    if (why == NULL)
        wa_cli_out(cli, "  %s %s: good, signed by %s\n", package, version,
                   wa_control_get(c, WA_A_SIGNER));
    else
        wa_cli_out(cli, "  %s %s: %s\n", package, version, why->text);
}

static void discarded(void *user, const struct wa_control *c, const struct wa_err *why)
{
    tell(user, c, why);
}

/* The entries, into the list that is open. *ret_bad: those that an agent leaves out. */
static enum wa_code judge(struct wa_cli *cli, struct wa_members *m, size_t *ret_bad,
                          size_t *ret_all, struct wa_err *err)
{
    WA_AUTO_INDEX struct wa_index ix;
    WA_AUTO(wa_trust) struct wa_trust *anchors = NULL; /* its own: the index's lists go into it */
    size_t unreadable = 0, gone = 0;
    int64_t at = 0;
    wa_index_init(&ix);
    if (wa_get_at(cli, &at, err) != WA_OK || wa_get_anchors(cli, &anchors, err) != WA_OK ||
        wa_index_read(m, &ix, &unreadable, err) != WA_OK ||
        wa_index_keep_trusted(&ix, anchors, at, NULL, discarded, cli, &gone, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < ix.n; i++)
        tell(cli, &ix.items[i], NULL);
    *ret_bad = gone + unreadable;
    *ret_all = ix.n + *ret_bad;
    return WA_OK;
}

enum wa_code wa_get_verify_index(struct wa_cli *cli, const char *path, struct wa_members *m,
                                 struct wa_err *err)
{
    struct wa_jw *w = &cli->jw;
    size_t bad = 0, all = 0;
    wa_jw_obj(w);
    wa_jw_kv(w, "file", path);
    wa_jw_key(w, "entries");
    wa_jw_arr(w);
    wa_cli_out(cli, "%s: an index\n", path);
    if (judge(cli, m, &bad, &all, err) == WA_OK && bad > 0)
        (void)wa_fail(err, WA_E_REFUSED, "'%s': %zu of %zu entries are not good", path, bad, all);
    wa_jw_end(w);
    wa_jw_kvb(w, "good", err->code == WA_OK);
    wa_jw_kv(w, "code", wa_code_name(err->code));
    wa_jw_kv(w, "failed", err->code == WA_OK ? NULL : "index");
    wa_jw_kv(w, "error", err->code == WA_OK ? NULL : err->text);
    wa_jw_end(w);
    return err->code;
}

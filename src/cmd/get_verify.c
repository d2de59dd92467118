/* get_verify.c - wapt-get verify: would this machine, or one that trusts the given certificates,
 * take these packages? The very checks of the agent, with its words.
 */
#include "base/date.h"
#include "cmd/get.h"
#include "os/clock.h"

static const struct wa_cli_option options[] = {
    {"trusted", 't', "DIR"},
    {"at", 0, "DATE"},
};

enum wa_code wa_get_at(const struct wa_cli *cli, int64_t *ret, struct wa_err *err)
{
    const char *day = wa_cli_get(cli, "at", NULL);
    char text[WA_DATE_MAX];
    (void)snprintf(text, sizeof text, "%sT12:00:00Z", day != NULL ? day : "");
    if (day != NULL && !wa_date_parse_rfc3339(wa_sv(text), ret))
        return wa_fail(err, WA_E_USAGE, "'%s' is no date: write it as 2026-11-24", day);
    if (day == NULL)
        *ret = wa_clock_now();
    return WA_OK;
}

struct shown {
    const struct wa_cli *cli;
    const char *path;
};

static bool show_progress(void *user, uint64_t done, uint64_t total)
{
    const struct shown *s = user;
    if (total > (64u << 20)) /* smaller ones are done before anybody could read it */
        wa_cli_progress(s->cli, s->path, done, total);
    return true;
}

static enum wa_code verify(const struct wa_cli *cli, const char *path, struct wa_get_package *p,
                           const struct wa_trust *anchors, struct wa_verdict *v, struct wa_err *err)
{
    struct shown shown = {cli, path};
    const struct wa_dir *dir = wa_get_package_dir(p);
    int64_t at = 0;
    if (wa_get_at(cli, &at, err) != WA_OK)
        return err->code;
    enum wa_code code = dir != NULL ? wa_verify_tree(dir, anchors, at, v, err)
                                    : wa_verify_package(wa_get_package_members(p), anchors, at,
                                                        show_progress, &shown, v, err);
    wa_cli_progress(cli, "", 0, 0);
    return code == WA_OK ? WA_OK : wa_wrap(err, "'%s'", path);
}

/* Who signed, why that counts, and what more that signer may do. */
static void tell_good(struct wa_cli *cli, const char *path, const struct wa_verdict *v)
{
    struct wa_jw *w = &cli->jw;
    const struct wa_trust_result *t = &v->trust;
    const char *package = wa_control_get(&v->control, WA_A_PACKAGE),
               *version = wa_control_get(&v->control, WA_A_VERSION);
    wa_jw_kv(w, "package", package);
    wa_jw_kv(w, "version", version);
    wa_jw_kv(w, "signer", t->signer_cn);
    wa_jw_kv(w, "signer_fingerprint", t->signer_fingerprint);
    wa_jw_kv(w, "anchor", t->anchor_cn);
    wa_jw_kv(w, "anchor_fingerprint", t->anchor_fingerprint);
    wa_jw_kvb(w, "is_pinned", t->is_pinned);
    wa_jw_kvb(w, "may_sign_code", t->may_sign_code);
    wa_jw_kvb(w, "may_order", t->may_order);
    wa_jw_kvb(w, "has_setup_py", v->has_setup_py);
    wa_cli_out(cli, "%s: good, %s %s signed by %s (%.16s)%s\n", path, package, version,
               t->signer_cn, t->signer_fingerprint,
               v->has_setup_py ? wa_text(", with setup.py") : "");
    if (t->is_pinned)
        wa_cli_out(cli, "  trusted itself; may sign packages%s%s\n",
                   t->may_sign_code ? wa_text(", code") : "",
                   t->may_order ? wa_text(", orders") : "");
    else
        wa_cli_out(cli, "  trusted by %s (%.16s); may sign packages%s%s\n", t->anchor_cn,
                   t->anchor_fingerprint, t->may_sign_code ? wa_text(", code") : "",
                   t->may_order ? wa_text(", orders") : "");
}

static void tell(struct wa_cli *cli, const char *path, const struct wa_verdict *v,
                 const struct wa_err *why)
{
    struct wa_jw *w = &cli->jw;
    bool good = why->code == WA_OK;
    wa_jw_obj(w);
    wa_jw_kv(w, "file", path);
    wa_jw_kvb(w, "good", good);
    wa_jw_kv(w, "code", wa_code_name(why->code));
    wa_jw_kv(w, "failed", good ? NULL : wa_check_name(v->failed));
    wa_jw_kv(w, "error", good ? NULL : why->text);
    if (good)
        tell_good(cli, path, v);
    wa_jw_end(w);
}

/* Whether the bytes were read and found wanting, rather than not read. */
static bool is_verdict(enum wa_code code)
{
    return code == WA_E_REFUSED || code == WA_E_INVALID || code == WA_E_LIMIT;
}

static enum wa_code judge(struct wa_cli *cli, const char *path, const struct wa_trust *anchors,
                          struct wa_err *why)
{
    WA_AUTO(wa_get_package) struct wa_get_package *p = NULL;
    WA_AUTO_VERDICT struct wa_verdict v;
    wa_verdict_init(&v);
    enum wa_code code = wa_get_package_open(path, &p, why);
    if (code == WA_OK && wa_get_package_dir(p) == NULL &&
        wa_get_is_index(wa_get_package_members(p)))
        return wa_get_verify_index(cli, path, wa_get_package_members(p), why);
    if (code == WA_OK)
        code = verify(cli, path, p, anchors, &v, why);
    if (code != WA_E_NOMEM)
        tell(cli, path, &v, why);
    return code;
}

static enum wa_code run(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO(wa_trust) struct wa_trust *anchors = NULL;
    struct wa_get_tally tally = {0, 0, WA_OK};
    bool refused = false;
    int64_t at = 0;
    if (wa_get_at(cli, &at, err) != WA_OK || wa_get_anchors(cli, &anchors, err) != WA_OK)
        return err->code;
    wa_jw_arr(&cli->jw);
    for (size_t i = 0; i < cli->arg_count; i++) {
        struct wa_err why = WA_ERR_INIT;
        if (judge(cli, cli->args[i], anchors, &why) == WA_E_NOMEM)
            return wa_nomem(err);
        refused = refused || is_verdict(why.code);
        wa_get_count(cli, &tally, &why);
    }
    wa_jw_end(&cli->jw);
    if (tally.bad == 0)
        return WA_OK;
    return wa_fail(err, refused ? WA_E_REFUSED : tally.first, "%zu of %zu are not good", tally.bad,
                   tally.good + tally.bad);
}

const struct wa_cli_command wa_get_verify = {"verify", options,  WA_COUNT(options),
                                             1,        SIZE_MAX, run};

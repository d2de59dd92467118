/* get_show.c - wapt-get show: what the control of a package says, who signed it, by which anchor
 * that is trusted, what the signer may do, and each check with its result. It tells and decides
 * nothing: its status is that of reading; "verify" is for scripts.
 */
#include "cmd/get.h"
#include "os/fs.h"
#include "os/path.h"

static const struct wa_cli_option options[] = {
    {"trusted", 't', "DIR"},
};

static void show_control(struct wa_cli *cli, const struct wa_control *c)
{
    wa_jw_key(&cli->jw, "control");
    wa_jw_obj(&cli->jw);
    for (size_t i = 0; i < WA_A_FILENAME; i++) {
        const char *value = wa_control_get(c, (enum wa_attr)i);
        wa_jw_kv(&cli->jw, wa_attr_name((enum wa_attr)i), value);
        if (value[0] != '\0' && i != WA_A_SIGNATURE && i != WA_A_SIGNED_ATTRIBUTES)
            wa_cli_pair(cli, wa_attr_name((enum wa_attr)i), value);
    }
    wa_jw_end(&cli->jw);
}

/* Each check up to the first that failed; those behind it were not made. */
static void show_checks(struct wa_cli *cli, const struct wa_verdict *v, bool is_known,
                        const struct wa_err *why)
{
    struct wa_jw *w = &cli->jw;
    wa_jw_key(w, "checks");
    wa_jw_arr(w);
    for (size_t i = 0; i < WA_CHECK_COUNT; i++) {
        const char *name = wa_check_name((enum wa_check)i);
        bool is_open = i == WA_CHECK_CHAIN && !is_known;
        const char *state = is_open                  ? wa_text("not made")
                            : i < (size_t)v->failed  ? wa_text("passed")
                            : i == (size_t)v->failed ? wa_text("failed")
                                                     : wa_text("not made");
        char key[64];
        wa_jw_obj(w);
        wa_jw_kv(w, "check", name);
        wa_jw_kv(w, "state", state);
        wa_jw_kv(w, "error", i == (size_t)v->failed ? why->text : NULL);
        wa_jw_end(w);
        (void)snprintf(key, sizeof key, "check %s", name);
        wa_cli_out(cli, "%-24s: %s%s%s\n", key, state, i == (size_t)v->failed ? ", " : "",
                   i == (size_t)v->failed ? why->text : "");
    }
    wa_jw_end(w);
}

static void show_signer(struct wa_cli *cli, const struct wa_verdict *v, bool is_known)
{
    const struct wa_trust_result *t = &v->trust;
    bool is_trusted = is_known && v->failed == WA_CHECK_COUNT;
    char text[512];
    wa_jw_kv(&cli->jw, "signer", t->signer_cn);
    wa_jw_kv(&cli->jw, "signer_fingerprint", t->signer_fingerprint);
    wa_jw_kv(&cli->jw, "anchor", is_known ? t->anchor_cn : NULL);
    wa_jw_kv(&cli->jw, "anchor_fingerprint", is_known ? t->anchor_fingerprint : NULL);
    wa_jw_kvb(&cli->jw, "may_sign_code", is_trusted && t->may_sign_code);
    wa_jw_kvb(&cli->jw, "has_setup_py", v->has_setup_py);
    (void)snprintf(text, sizeof text, "%s (%s)", t->signer_cn, t->signer_fingerprint);
    wa_cli_pair(cli, wa_text("signed by"), text);
    (void)snprintf(text, sizeof text, "%s (%s)", t->anchor_cn, t->anchor_fingerprint);
    wa_cli_pair(cli, wa_text("trusted by"),
                is_known ? text : wa_text("not known here: --trusted names the directory"));
    wa_cli_pair(cli, wa_text("who may"),
                !is_known          ? wa_text("not known here")
                : t->may_sign_code ? wa_text("sign packages, those with code too")
                                   : wa_text("sign packages without code"));
}

/* A signer whom nothing here vouches for: the certificate that the package names. */
static void show_claim(struct wa_cli *cli, const struct wa_verdict *v)
{
    char text[512];
    (void)snprintf(text, sizeof text, "%s", wa_text("nobody who can be told"));
    if (v->chain.n > 0)
        (void)snprintf(text, sizeof text, wa_text("%s (%s), so it says: not trusted"),
                       wa_cert_cn(v->chain.items[0]), wa_cert_fingerprint(v->chain.items[0]));
    wa_cli_pair(cli, wa_text("signed by"), text);
}

/* The judgement; whatever it is, it has been shown. */
static enum wa_code show_verdict(struct wa_cli *cli, struct wa_get_package *p, bool is_signed,
                                 struct wa_err *err)
{
    WA_AUTO_VERDICT struct wa_verdict v;
    struct wa_err why = WA_ERR_INIT;
    bool is_known = false;
    wa_verdict_init(&v);
    if (!is_signed) {
        wa_cli_pair(cli, wa_text("signed by"), wa_text("nobody"));
        wa_jw_kvb(&cli->jw, "good", false);
        return WA_OK;
    }
    v.failed = WA_CHECK_COUNT; /* changed when it is judged */
    enum wa_code code = wa_get_judge(cli, p, &v, &is_known, &why);
    if (code == WA_E_NOMEM)
        return wa_nomem(err);
    if (code != WA_OK && v.failed == WA_CHECK_COUNT) { /* it was not judged at all */
        *err = why;
        return code;
    }
    wa_jw_kvb(&cli->jw, "good", code == WA_OK && is_known);
    if (v.trust.signer_cn[0] != '\0')
        show_signer(cli, &v, is_known);
    else
        show_claim(cli, &v);
    show_checks(cli, &v, is_known, &why);
    return WA_OK;
}

static enum wa_code show(struct wa_cli *cli, const char *path, struct wa_err *err)
{
    WA_AUTO(wa_get_package) struct wa_get_package *p = NULL;
    WA_AUTO_CONTROL struct wa_control c;
    wa_control_init(&c);
    if (wa_get_control(path, &c, err) != WA_OK || wa_get_package_open(path, &p, err) != WA_OK)
        return err->code;
    wa_jw_obj(&cli->jw);
    wa_jw_kv(&cli->jw, "file", path);
    show_control(cli, &c);
    enum wa_code code = show_verdict(cli, p, wa_control_get(&c, WA_A_SIGNATURE)[0] != '\0', err);
    wa_jw_end(&cli->jw);
    return code;
}

/* A name that is no file is one of the service's packages. */
static bool is_path(const char *arg)
{
    struct wa_stat st;
    struct wa_err err = WA_ERR_INIT;
    return wa_path_last(arg) != arg || wa_sv_ends(wa_sv(arg), ".wapt") ||
           wa_path_stat(arg, &st, &err) == WA_OK;
}

static enum wa_code run(struct wa_cli *cli, struct wa_err *err)
{
    if (!is_path(cli->args[0]))
        return wa_get_agent_run(cli, err);
    struct wa_get_tally tally = {0, 0, WA_OK};
    wa_jw_arr(&cli->jw);
    for (size_t i = 0; i < cli->arg_count; i++) {
        struct wa_err why = WA_ERR_INIT;
        if (i > 0)
            wa_cli_out(cli, "\n");
        if (show(cli, cli->args[i], &why) == WA_E_NOMEM)
            return wa_nomem(err);
        wa_get_count(cli, &tally, &why);
    }
    wa_jw_end(&cli->jw);
    return wa_get_outcome(&tally, "could not be shown", err);
}

const struct wa_cli_command wa_get_show = {"show", options, WA_COUNT(options), 1, SIZE_MAX, run};

/* repo_state.c - what the commands that publish have in common: options, what is shown, the
 * question.
 */
#include "cmd/repo_state.h"

#include "os/clock.h"

void wa_repo_tell(void *user, enum wa_publish_change change, struct wa_sv file,
                  const struct wa_err *why)
{
    static const char *const names[] = {"same", "added", "changed", "gone"};
    struct wa_repo_told *t = user;
    struct wa_jw *w = &t->cli->jw;
    t->counts[change]++;
    if (change == WA_PUBLISH_SAME && why->code == WA_OK)
        return;
    wa_jw_obj(w);
    wa_jw_kvsv(w, "file", file);
    wa_jw_kv(w, "change", names[change]);
    wa_jw_kv(w, "code", wa_code_name(why->code));
    wa_jw_kv(w, "error", why->code == WA_OK ? NULL : why->text);
    wa_jw_end(w);
    if (why->code != WA_OK)
        wa_cli_out(t->cli, "  refused  %.*s: %s\n", WA_SV_ARG(file), why->text);
    else if (!t->is_verify)
        wa_cli_out(t->cli, "  %-8s %.*s\n", names[change], WA_SV_ARG(file));
}

enum wa_code wa_repo_job_options(const struct wa_cli *cli, struct wa_publish_job *j,
                                 struct wa_err *err)
{
    const char *text;
    j->o.now = wa_clock_now();
    for (size_t i = 0; (text = wa_cli_at(cli, "revoke", i)) != NULL; i++)
        if (wa_publish_job_revoke(j, wa_sv(text), err) != WA_OK)
            return err->code;
    return wa_cli_int(cli, "days", 1, j->root->published_days, &j->o.days, err);
}

void wa_repo_job_say_unknown(const struct wa_cli *cli, const struct wa_err *why)
{
    if (why->code != WA_OK)
        wa_cli_say(cli, "nothing is taken over from the last list: %s", why->text);
}

void wa_repo_job_say_counts(const struct wa_repo_told *t, const struct wa_publish_job *j)
{
    wa_cli_out(t->cli, "%zu packages added, %zu changed, %zu gone, %zu as before; %zu revoked\n",
               t->counts[WA_PUBLISH_ADDED], t->counts[WA_PUBLISH_CHANGED],
               t->counts[WA_PUBLISH_GONE], t->counts[WA_PUBLISH_SAME],
               wa_json_count(j->next->revoked));
}

enum wa_code wa_repo_job_confirm(const struct wa_cli *cli, struct wa_err *err)
{
    return wa_cli_has(cli, "yes") ? WA_OK : wa_cli_confirm("Publish this state?", "--yes", err);
}

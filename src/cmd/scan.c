/* scan.c - one scan of a repository, told. */
#include "cmd/scan.h"

#include "os/clock.h"
#include "repo/publish.h"

struct telling {
    struct wa_cli *cli;
    enum wa_cmd_scan_tell tell;
};

static void note(void *user, const char *file, const struct wa_err *why)
{
    const struct telling *t = user;
    struct wa_cli *cli = t->cli;
    wa_jw_obj(&cli->jw);
    wa_jw_kv(&cli->jw, "file", file);
    wa_jw_kv(&cli->jw, "code", wa_code_name(why->code));
    wa_jw_kv(&cli->jw, "error", why->text);
    wa_jw_end(&cli->jw);
    if (!cli->json && t->tell != WA_TELL_NOTHING)
        wa_cli_say(cli, "'%s' is left out: %s", file, why->text);
}

/* A line for each package would be slower than the scan. */
static void progress(void *user, size_t done, size_t total)
{
    const struct telling *t = user;
    if (done % 100 == 0 || done == total)
        wa_cli_progress(t->cli, "scanning", done, done < total ? total : 0);
}

static void change(void *user, const char *file, bool is_listed)
{
    const struct telling *t = user;
    wa_cli_say(t->cli, "'%s' is %s", file, is_listed ? wa_text("new or changed") : wa_text("gone"));
}

/* Machines that know the repository's root take nothing of the new index before somebody signs. */
static enum wa_code propose(struct wa_cli *cli, const char *dir, bool *ret_made, struct wa_err *err)
{
    if (wa_publish_leave_proposal(dir, wa_clock_now(), ret_made, err) != WA_OK)
        return err->code;
    if (*ret_made)
        wa_cli_say(cli,
                   "not published yet: an unsigned proposal is left (%s); sign it with "
                   "'wapt-repo publish'",
                   WA_PROPOSAL_NAME);
    return WA_OK;
}

enum wa_code wa_cmd_scan(struct wa_cli *cli, const char *dir, const struct wa_cmd_scan_options *o,
                         struct wa_err *err)
{
    struct wa_scan_result r = {0, 0, 0, 0};
    struct telling t = {cli, o->tell};
    const struct wa_scan_watch watch = {.note = note,
                                        .progress = progress,
                                        .change = o->tell == WA_TELL_CHANGES && !cli->json ? change
                                                                                           : NULL,
                                        .user = &t};
    bool is_proposed = false;
    wa_jw_key(&cli->jw, "left_out");
    wa_jw_arr(&cli->jw);
    enum wa_code code = wa_repo_scan(dir, o->force, o->anchors, &watch, &r, err);
    wa_jw_end(&cli->jw);
    if (code == WA_OK)
        code = propose(cli, dir, &is_proposed, err);
    wa_jw_kvb(&cli->jw, "proposal", is_proposed);
    wa_jw_kvi(&cli->jw, "kept", (int64_t)r.kept);
    wa_jw_kvi(&cli->jw, "added", (int64_t)r.added);
    wa_jw_kvi(&cli->jw, "removed", (int64_t)r.removed);
    wa_jw_kvi(&cli->jw, "bad", (int64_t)r.bad);
    if (code != WA_OK)
        return code;
    wa_cli_out(cli, "%zu packages: %zu as before, %zu new or changed; %zu gone, %zu left out\n",
               r.kept + r.added, r.kept, r.added, r.removed, r.bad);
    return r.bad == 0 ? WA_OK
                      : wa_fail(err, WA_E_PARTIAL,
                                wa_text_n("%zu package was left out of the index",
                                          "%zu packages were left out of the index", r.bad),
                                r.bad);
}

/* con_rollout_make.c - what waptconsole rollout create signs, and the plan beside it.
 *
 * Only the statement is signed: action, machines or groups, times. The plan is the server's to
 * keep, and protects against mistakes, not against who owns it. Nothing of what the server says
 * gets into the statement but the uuids of machines that were named, and these are shown before.
 */
#include "base/date.h"
#include "base/mem.h"
#include "cmd/con_rollout.h"
#include "codec/csv.h"
#include "os/clock.h"
#include "os/rand.h"
#include "proto/rollout.h"

struct make {
    struct wa_cli *cli;
    struct wa_arena arena;
    struct wa_host_list hosts;
    struct wa_rollout r;
    struct wa_rollout_lists lists;
    const char *machines[WA_ROLLOUT_MACHINES_MAX];
    const char *members_of[WA_ROLLOUT_NAMES_MAX];
    char until[WA_DATE_MAX];
};

static void make_fini(struct make *k)
{
    wa_host_list_fini(&k->hosts);
    wa_arena_fini(&k->arena);
}

static enum wa_code keep(struct make *k, struct wa_sv text, const char **ret, struct wa_err *err)
{
    char *copy = wa_arena_alloc(&k->arena, text.n + 1, 1);
    if (copy == NULL)
        return wa_nomem(err);
    if (text.n > 0)
        memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    *ret = copy;
    return WA_OK;
}

/* --- the statement --- */

static enum wa_code read_action(struct make *k, struct wa_err *err)
{
    struct wa_cli *cli = k->cli;
    union {
        char **from;
        const char *const *to;
    } packages = {cli->args + 2};
    int64_t valid_s = 0;
    if (cli->arg_count < 2 || !wa_action_kind_find(wa_sv(cli->args[1]), &k->r.kind) ||
        k->r.kind == WA_ACT_CANCEL || k->r.kind == WA_ACT_WAKE || k->r.kind == WA_ACT_DESCRIBE)
        return wa_fail(err, WA_E_USAGE,
                       "after create comes update, upgrade, install, remove, forget, audit, "
                       "update-status, reboot or shutdown, and its packages");
    k->lists.packages = packages.to;
    k->lists.package_count = cli->arg_count - 2;
    k->r.force = wa_cli_has(cli, "force");
    k->r.only_if_not_running = wa_cli_has(cli, "only-if-not-process-running");
    if (k->r.only_if_not_running && !wa_action_kind_spares(k->r.kind))
        return wa_fail(err, WA_E_USAGE,
                       "--only-if-not-process-running is for 'upgrade', 'install' and 'remove'");
    if (!wa_date_parse_period(wa_sv(wa_cli_get(cli, "valid", "14d")), 'd', &valid_s) || valid_s < 1)
        return wa_fail(err, WA_E_USAGE, "--valid takes a period like 12h or 14d");
    k->r.issued_at = k->r.not_before = wa_clock_now();
    const char *from = wa_cli_get(cli, "from", NULL);
    if (from != NULL && !wa_date_parse_isolocal(wa_sv(from), &k->r.not_before))
        return wa_fail(err, WA_E_USAGE, "--from takes a date like 2027-01-31T20:00:00");
    if (k->r.not_before < k->r.issued_at)
        k->r.not_before = k->r.issued_at;
    k->r.not_after = k->r.not_before + valid_s;
    wa_date_rfc3339(k->r.not_after, k->until);
    (void)snprintf(k->r.supersedes, sizeof k->r.supersedes, "%s",
                   wa_cli_get(cli, "supersedes", ""));
    return wa_rand_hex(k->r.id, 16, err);
}

static enum wa_code read_machines(struct make *k, struct wa_err *err)
{
    WA_AUTO_TARGETS struct wa_targets t = {NULL, 0};
    if (wa_targets_choose(&k->hosts, wa_sv(wa_cli_get(k->cli, "hosts", "")),
                          WA_ROLLOUT_MACHINES_MAX, &t, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < t.count; i++) {
        if (keep(k, wa_sv(t.items[i].uuid), &k->machines[i], err) != WA_OK)
            return err->code;
        wa_cli_say(k->cli, "%s (%s)", t.items[i].name, t.items[i].uuid);
    }
    k->lists.machines = k->machines;
    k->lists.machine_count = t.count;
    return WA_OK;
}

static enum wa_code read_groups(struct make *k, struct wa_err *err)
{
    struct wa_sv rest = wa_sv(wa_cli_get(k->cli, "members-of", "")), name;
    while (wa_csv_next(&rest, &name)) {
        if (k->lists.member_count == WA_ROLLOUT_NAMES_MAX)
            return wa_fail(err, WA_E_LIMIT, "a roll-out is for at most %u groups",
                           WA_ROLLOUT_NAMES_MAX);
        if (keep(k, name, &k->members_of[k->lists.member_count++], err) != WA_OK)
            return err->code;
        wa_cli_say(k->cli, "members of %.*s", WA_SV_ARG(name));
    }
    k->lists.members_of = k->members_of;
    return WA_OK;
}

static enum wa_code read_whom(struct make *k, struct wa_err *err)
{
    if (wa_cli_has(k->cli, "hosts") == wa_cli_has(k->cli, "members-of"))
        return wa_fail(err, WA_E_USAGE,
                       "for whom? Give --hosts NAME,... or --members-of GROUP,..., one of them");
    return wa_cli_has(k->cli, "hosts") ? read_machines(k, err) : read_groups(k, err);
}

/* --- the plan --- */

/* "@HOST+HOST": machines; "10%"; else "GROUP+GROUP". */
static enum wa_code write_ring(struct make *k, struct wa_jw *w, struct wa_sv ring, bool *ret_is_all,
                               struct wa_err *err)
{
    int64_t percent = 0;
    struct wa_sv rest = ring, name;
    WA_AUTO_BUF struct wa_buf words;
    WA_AUTO_TARGETS struct wa_targets t = {NULL, 0};
    wa_buf_init(&words, 64u << 10);
    wa_jw_obj(w);
    wa_jw_kvsv(w, "name", ring);
    if (ring.n > 1 && ring.p[ring.n - 1] == '%') {
        if (!wa_sv_i64(wa_sv_sub(ring, 0, ring.n - 1), &percent))
            return wa_fail(err, WA_E_USAGE, "'%.*s' is no percentage", WA_SV_ARG(ring));
        wa_jw_kvi(w, "percent", percent);
        *ret_is_all = percent == 100;
    } else if (wa_sv_starts(ring, "@")) {
        rest = wa_sv_sub(ring, 1, ring.n);
        while (wa_sv_split(&rest, '+', &name))
            wa_buf_addf(&words, "%s%.*s", words.n > 0 ? "," : "", WA_SV_ARG(name));
        if (wa_buf_check(&words, err) != WA_OK ||
            wa_targets_choose(&k->hosts, wa_buf_sv(&words), WA_ROLLOUT_MACHINES_MAX, &t, err) !=
                WA_OK)
            return err->code;
        wa_jw_key(w, "machines");
        wa_jw_arr(w);
        for (size_t i = 0; i < t.count; i++)
            wa_jw_s(w, t.items[i].uuid);
        wa_jw_end(w);
    } else {
        wa_jw_key(w, "members_of");
        wa_jw_arr(w);
        while (wa_sv_split(&rest, '+', &name))
            wa_jw_sv(w, name);
        wa_jw_end(w);
    }
    wa_jw_end(w);
    return WA_OK;
}

static enum wa_code write_rings(struct make *k, struct wa_jw *w, struct wa_err *err)
{
    struct wa_sv rest = wa_sv(wa_cli_get(k->cli, "rings", "5%,25%,100%")), ring;
    bool is_all = false;
    wa_jw_key(w, "rings");
    wa_jw_arr(w);
    while (wa_csv_next(&rest, &ring)) {
        is_all = false;
        if (write_ring(k, w, ring, &is_all, err) != WA_OK)
            return err->code;
    }
    if (!is_all && write_ring(k, w, WA_SV("100%"), &is_all, err) != WA_OK)
        return err->code;
    wa_jw_end(w);
    return WA_OK;
}

static enum wa_code write_plan(struct make *k, struct wa_buf *out, struct wa_err *err)
{
    struct wa_cli *cli = k->cli;
    struct wa_jw w;
    int64_t success = 95, min_count = 1, min_time_s = 0, errors = 10, error_count = 1;
    if (wa_cli_int(cli, "success", 1, 100, &success, err) != WA_OK ||
        wa_cli_int(cli, "min-count", 1, WA_ACTION_HOSTS_MAX, &min_count, err) != WA_OK ||
        wa_cli_int(cli, "errors", 1, 100, &errors, err) != WA_OK ||
        wa_cli_int(cli, "error-count", 1, WA_ACTION_HOSTS_MAX, &error_count, err) != WA_OK)
        return err->code;
    if (!wa_date_parse_period(wa_sv(wa_cli_get(cli, "min-time", "0s")), 'h', &min_time_s))
        return wa_fail(err, WA_E_USAGE, "--min-time takes a period like 30m or 12h");
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    if (write_rings(k, &w, err) != WA_OK)
        return err->code;
    wa_jw_kv(&w, "promote", wa_cli_has(cli, "by-hand") ? "hand" : "auto");
    wa_jw_kvi(&w, "success_percent", success);
    wa_jw_kvi(&w, "min_count", min_count);
    wa_jw_kvi(&w, "min_time_s", min_time_s);
    wa_jw_kvi(&w, "error_percent", errors);
    wa_jw_kvi(&w, "error_count", error_count);
    wa_jw_kv(&w, "windows", wa_cli_get(cli, "windows", ""));
    wa_jw_end(&w);
    return wa_buf_check(out, err);
}

/* --- both --- */

static enum wa_code confirm(struct make *k, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf what;
    wa_buf_init(&what, 64u << 10);
    wa_buf_addf(&what, "%s", wa_action_kind_name(k->r.kind));
    for (size_t i = 0; i < k->lists.package_count; i++)
        wa_buf_addf(&what, " %s", k->lists.packages[i]);
    if (k->r.force)
        wa_buf_adds(&what, " (force)");
    if (k->r.only_if_not_running)
        wa_buf_addf(&what, " (%s)", wa_text("but for packages whose programs run"));
    if (wa_buf_check(&what, err) != WA_OK)
        return err->code;
    wa_cli_say(k->cli, "roll-out: %s, until %s", wa_buf_str(&what), k->until);
    return wa_cli_has(k->cli, "yes") ? WA_OK : wa_cli_confirm(wa_text("sign it?"), "--yes", err);
}

static enum wa_code write_body(struct make *k, const struct wa_signer *signer, struct wa_buf *body,
                               struct wa_err *err)
{
    struct wa_jw w;
    WA_AUTO_BUF struct wa_buf text;
    WA_AUTO_BUF struct wa_buf order;
    WA_AUTO_BUF struct wa_buf plan;
    wa_buf_init(&text, 2 * WA_ACTION_BYTES_MAX);
    wa_buf_init(&order, 1u << 20);
    wa_buf_init(&plan, WA_ROLLOUT_PLAN_MAX);
    if (write_plan(k, &plan, err) != WA_OK ||
        wa_rollout_write(&k->r, &k->lists, wa_cert_fingerprint(signer->chain->items[0]), &text,
                         err) != WA_OK ||
        confirm(k, err) != WA_OK ||
        wa_rollout_order_write(wa_buf_sv(&text), signer->key, signer->chain, &order, err) != WA_OK)
        return err->code;
    wa_jw_init(&w, body);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "name", wa_cli_get(k->cli, "name", k->cli->args[k->cli->arg_count - 1]));
    wa_jw_key(&w, "order");
    wa_jw_raw(&w, wa_buf_sv(&order));
    wa_jw_key(&w, "plan");
    wa_jw_raw(&w, wa_buf_sv(&plan));
    wa_jw_end(&w);
    return wa_buf_check(body, err);
}

enum wa_code wa_con_rollout_make(struct wa_cli *cli, struct wa_client *client,
                                 const struct wa_signer *signer, struct wa_buf *body,
                                 struct wa_err *err)
{
    struct make *k = wa_calloc(1, sizeof *k);
    if (k == NULL)
        return wa_nomem(err);
    k->cli = cli;
    wa_arena_init(&k->arena, 512u << 20);
    if (read_action(k, err) == WA_OK &&
        wa_host_list_fetch(client, WA_HOST_LIST_NAMES, &k->arena, &k->hosts, err) == WA_OK &&
        read_whom(k, err) == WA_OK)
        (void)write_body(k, signer, body, err);
    make_fini(k);
    wa_free(k);
    return err->code;
}

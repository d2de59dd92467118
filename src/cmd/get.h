/* get.h - the subcommands of wapt-get, one file each, and what several of them need. */
#ifndef WA_CMD_GET_H
#define WA_CMD_GET_H

#include "cmd/cli.h"
#include "codec/ini.h"
#include "pkg/build.h"
#include "pkg/verify.h"

/* Packaging: no agent, no network. */
extern const struct wa_cli_command wa_get_check_valid_codesigning_cert;
extern const struct wa_cli_command wa_get_create_keycert;
extern const struct wa_cli_command wa_get_build_package;
extern const struct wa_cli_command wa_get_build_upload;
extern const struct wa_cli_command wa_get_lint;
extern const struct wa_cli_command wa_get_upload_package;
extern const struct wa_cli_command wa_get_duplicate;
extern const struct wa_cli_command wa_get_edit;
extern const struct wa_cli_command wa_get_make_template;
extern const struct wa_cli_command wa_get_update_package_sources;
extern const struct wa_cli_command wa_get_make_host_template;
extern const struct wa_cli_command wa_get_make_group_template;
extern const struct wa_cli_command wa_get_make_selfservice_template;
extern const struct wa_cli_command wa_get_sign_package;
extern const struct wa_cli_command wa_get_sources_command;
extern const struct wa_cli_command wa_get_show;
extern const struct wa_cli_command wa_get_verify;

/* Carried out by the service (get_agent.c). */
extern const struct wa_cli_command wa_get_add_upgrade_shutdown;
extern const struct wa_cli_command wa_get_remove_upgrade_shutdown;
extern const struct wa_cli_command wa_get_propose_upgrade;
extern const struct wa_cli_command wa_get_enrol;
extern const struct wa_cli_command wa_get_register;
extern const struct wa_cli_command wa_get_uninstall;
extern const struct wa_cli_command wa_get_unregister;
extern const struct wa_cli_command wa_get_get_server_certificate;
extern const struct wa_cli_command wa_get_enable_check_certificate;
extern const struct wa_cli_command wa_get_update;
extern const struct wa_cli_command wa_get_upgrade;
extern const struct wa_cli_command wa_get_download;
extern const struct wa_cli_command wa_get_download_upgrade;
extern const struct wa_cli_command wa_get_install;
extern const struct wa_cli_command wa_get_remove;
extern const struct wa_cli_command wa_get_forget;
extern const struct wa_cli_command wa_get_list;
extern const struct wa_cli_command wa_get_search;
extern const struct wa_cli_command wa_get_list_upgrade;
extern const struct wa_cli_command wa_get_audit;
extern const struct wa_cli_command wa_get_session_setup;
extern const struct wa_cli_command wa_get_update_status;
extern const struct wa_cli_command wa_get_generate_uuid;
extern const struct wa_cli_command wa_get_reset_uuid;
extern const struct wa_cli_command wa_get_inventory;
extern const struct wa_cli_command wa_get_check_upgrades;
extern const struct wa_cli_command wa_get_show_params;
extern const struct wa_cli_command wa_get_upgradedb;
extern const struct wa_cli_command wa_get_show_log;
extern const struct wa_cli_command wa_get_show_task;
extern const struct wa_cli_command wa_get_tasks;
extern const struct wa_cli_command wa_get_cancel;
extern const struct wa_cli_command wa_get_cancel_all;
extern const struct wa_cli_command wa_get_clean;
extern const struct wa_cli_command wa_get_status;
extern const struct wa_cli_command wa_get_catalogue;
extern const struct wa_cli_command wa_get_events;
extern const struct wa_cli_command wa_get_lock;
extern const struct wa_cli_command wa_get_check; /* get_check.c; on its own too */
extern const struct wa_cli_command wa_get_reload;
extern const struct wa_cli_command wa_get_restart;
extern const struct wa_cli_command wa_get_start;
extern const struct wa_cli_command wa_get_stop;
/* The service's tasks as a table. */
WA_CHECK enum wa_code wa_get_show_tasks(const struct wa_cli *cli, const struct wa_json *rows,
                                        struct wa_err *err);
/* A page of the catalogue. */
WA_CHECK enum wa_code wa_get_show_catalogue(const struct wa_cli *cli, const struct wa_json *page,
                                            struct wa_err *err);
/* Prints rows of "list" or "search" (get_agent_table.c). */
WA_CHECK enum wa_code wa_get_show_packages(const struct wa_cli *cli, bool is_list,
                                           const struct wa_json *const *rows, size_t count,
                                           struct wa_err *err);
/* Those of a search's rows that its options want; kept has room for all (get_filter.c). */
WA_CHECK enum wa_code wa_get_filter(const struct wa_cli *cli, const struct wa_json *rows,
                                    const struct wa_json **kept, size_t *ret_count,
                                    struct wa_err *err);
/* The certificate that the server shows, compared by a person and kept; only_this: as the only one
 * that counts. --server, --server-fingerprint and --yes count (get_pin.c). Tells an object. */
WA_CHECK enum wa_code wa_get_pin(struct wa_cli *cli, bool only_this, struct wa_err *err);
/* register, after the server's certificate was pinned where that is asked for; show-params and
 * upgradedb (get_agent_ask.c). */
WA_CHECK enum wa_code wa_get_register_run(struct wa_cli *cli, struct wa_err *err);
WA_CHECK enum wa_code wa_get_show_params_run(struct wa_cli *cli, struct wa_err *err);
WA_CHECK enum wa_code wa_get_upgradedb_run(struct wa_cli *cli, struct wa_err *err);
/* Sends the command of that name, with its arguments, to the service. */
WA_CHECK enum wa_code wa_get_agent_run(struct wa_cli *cli, struct wa_err *err);

/* What would be done, and why (get_plan.c). */
extern const struct wa_cli_command wa_get_plan;
extern const struct wa_cli_command wa_get_why;
extern const struct wa_cli_command wa_get_why_not;

/* --- the packager's certificate and key (get_signer.c) --- */
struct wa_get_signer {
    struct wa_certs chain;
    struct wa_key *key;
    struct wa_signer signer; /* points into the two above */
};
/* From --certificate, --private-key, --pkcs11-module and --private-key-passwd, else from
 * personal_certificate_path and personal_private_key of the configuration, else the key beside the
 * certificate (formats.md 4.6). */
WA_CHECK enum wa_code wa_get_signer_load(const struct wa_cli *cli, struct wa_get_signer *ret,
                                         struct wa_err *err);
/* The certificate alone, with those that lead to a trusted one, and where it is (owned). */
WA_CHECK enum wa_code wa_get_certificate(const struct wa_cli *cli, char **ret_path,
                                         struct wa_certs *chain, struct wa_err *err);
void wa_get_signer_fini(struct wa_get_signer *s);
#define WA_AUTO_GET_SIGNER WA_CLEANUP(wa_get_signer_fini)
/* The options it reads, for a command's table. */
#define WA_GET_SIGNER_OPTIONS                                                                      \
    {"certificate", 'k', "FILE"}, {"private-key", 0, "FILE"}, {"pkcs11-module", 0, "FILE"},        \
    {                                                                                              \
        "private-key-passwd", 'w', "FILE"                                                          \
    }

/* --- how to sign (get_signing.c) --- */
/* The options it reads, for a command's table. */
#define WA_GET_SIGNING_OPTIONS                                                                     \
    {"inc-release", 'i', NULL}, {"maturity", 0, "NAME"}, {"target-os", 0, "LIST"},                 \
        {"keep-signature-date", 0, NULL},                                                          \
    {                                                                                              \
        "message-digest", 'm', "LIST"                                                              \
    }
/* From these, and the date from SOURCE_DATE_EPOCH. Texts stay the command line's. */
WA_CHECK enum wa_code wa_get_signing(const struct wa_cli *cli, struct wa_build_options *ret,
                                     struct wa_err *err);
/* Signs a package, or a source directory, anew and in place. ret_path (room for WA_PATH_MAX): where
 * it is now. */
WA_CHECK enum wa_code wa_get_sign(const char *path, const struct wa_signer *signer,
                                  const struct wa_build_options *o, char *ret_path,
                                  struct wa_err *err);

/* --- configuration of a person's own (get_conf.c) --- */
/* An option of [global] in --config or the user's waptconsole.ini; *ret NULL when absent. Owned. */
WA_CHECK enum wa_code wa_get_conf(const struct wa_cli *cli, const char *key, char **ret,
                                  struct wa_err *err);
/* The whole of it; *ret NULL without one. Free it. */
WA_CHECK enum wa_code wa_get_conf_file(const struct wa_cli *cli, struct wa_ini **ret,
                                       struct wa_err *err);
WA_CHECK enum wa_code wa_get_conf_in(const struct wa_cli *cli, const char *section, const char *key,
                                     char **ret, struct wa_err *err);

/* --- packages given by path (get_package.c) --- */
struct wa_get_package; /* a .wapt file, or a directory with a WAPT/control */
WA_CHECK enum wa_code wa_get_package_open(const char *path, struct wa_get_package **ret,
                                          struct wa_err *err);
void wa_get_package_free(struct wa_get_package *p);
WA_AUTO_DEFINE(wa_get_package, wa_get_package_free)
struct wa_members *wa_get_package_members(struct wa_get_package *p);
/* What the control of the package says, unchecked. WA_E_INVALID when it has none. */
WA_CHECK enum wa_code wa_get_control(const char *path, struct wa_control *ret, struct wa_err *err);
/* NULL for a file. */
const struct wa_dir *wa_get_package_dir(const struct wa_get_package *p);
/* The anchors that --trusted, else public_certs_dir of the configuration, else the agent's own
 * directory holds. */
WA_CHECK enum wa_code wa_get_anchors(const struct wa_cli *cli, struct wa_trust **ret,
                                     struct wa_err *err);

/* Verifies by the anchors that wa_get_anchors() finds (option "trusted"); where nothing says which,
 * by the signer that it names itself, and *ret_is_known is false: whole and unaltered, whoever
 * signed (get_judge.c). v: as wa_verify_package() leaves it, also on failure. */
WA_CHECK enum wa_code wa_get_judge(struct wa_cli *cli, struct wa_get_package *p,
                                   struct wa_verdict *v, bool *ret_is_known, struct wa_err *err);

/* --- verify, of an index (get_verify_index.c) --- */
bool wa_get_is_index(const struct wa_members *m);
/* The time that --at names, else now; seconds since 1970. WA_E_USAGE. */
WA_CHECK enum wa_code wa_get_at(const struct wa_cli *cli, int64_t *ret, struct wa_err *err);
/* Tells of every entry. WA_E_REFUSED when an agent would leave one out. */
WA_CHECK enum wa_code wa_get_verify_index(struct wa_cli *cli, const char *path,
                                          struct wa_members *m, struct wa_err *err);

/* Outcome of a command over several items: WA_OK, what failed when nothing worked, else
 * WA_E_PARTIAL. */
struct wa_get_tally {
    size_t good, bad;
    enum wa_code first; /* of the first failure */
};
/* Tells the failure and counts it; good: code WA_OK. */
void wa_get_count(const struct wa_cli *cli, struct wa_get_tally *t, const struct wa_err *why);
WA_CHECK enum wa_code wa_get_outcome(const struct wa_get_tally *t, const char *what,
                                     struct wa_err *err);

#endif

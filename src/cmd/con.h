/* con.h - the subcommands of waptconsole, one file each, and what several of them need. */
#ifndef WA_CMD_CON_H
#define WA_CMD_CON_H

#include "cmd/get.h"
#include "cmd/repo_state.h"
#include "console/assign.h"
#include "console/client.h"
#include "console/hosts.h"
#include "console/local.h"

extern const struct wa_cli_command wa_con_estate;
extern const struct wa_cli_command wa_con_hosts;
extern const struct wa_cli_command wa_con_host;
extern const struct wa_cli_command wa_con_mirror;
extern const struct wa_cli_command wa_con_orders;
extern const struct wa_cli_command wa_con_overview;
extern const struct wa_cli_command wa_con_journal;
extern const struct wa_cli_command wa_con_webhook;
extern const struct wa_cli_command wa_con_open;
extern const struct wa_cli_command wa_con_action;
extern const struct wa_cli_command wa_con_cancel;
extern const struct wa_cli_command wa_con_rollout;
extern const struct wa_cli_command wa_con_publish;
extern const struct wa_cli_command wa_con_user;
extern const struct wa_cli_command wa_con_token;
extern const struct wa_cli_command wa_con_tool;
extern const struct wa_cli_command wa_con_second_factor;
extern const struct wa_cli_command wa_con_login_certificate;
extern const struct wa_cli_command wa_con_password;
extern const struct wa_cli_command wa_con_sessions;
extern const struct wa_cli_command wa_con_download;
extern const struct wa_cli_command wa_con_forget_host;
extern const struct wa_cli_command wa_con_report;
extern const struct wa_cli_command wa_con_software_names;
extern const struct wa_cli_command wa_con_revoke_certificate;
extern const struct wa_cli_command wa_con_packages;
extern const struct wa_cli_command wa_con_delete_package;
extern const struct wa_cli_command wa_con_signers;
extern const struct wa_cli_command wa_con_upload;
extern const struct wa_cli_command wa_con_host_package;
extern const struct wa_cli_command wa_con_assign;
extern const struct wa_cli_command wa_con_import;
extern const struct wa_cli_command wa_con_plan;
extern const struct wa_cli_command wa_con_policy;
extern const struct wa_cli_command wa_con_kit;
extern const struct wa_cli_command wa_con_resign;
extern const struct wa_cli_command wa_con_promote;
extern const struct wa_cli_command wa_con_root;
extern const struct wa_cli_command wa_con_revoke;
extern const struct wa_cli_command wa_con_keys;
extern const struct wa_cli_command wa_con_sign_request;
extern const struct wa_cli_command wa_con_key_password;
extern const struct wa_cli_command wa_con_key_export;
extern const struct wa_cli_command wa_con_key_import;

/* Where this person's keys are: option "keys-dir", else keys_dir of the configuration, else where
 * wapt-get create-keycert leaves them. *ret: free it; *ret_is_usual: nothing says where. */
WA_CHECK enum wa_code wa_con_keys_dir(const struct wa_cli *cli, char **ret, bool *ret_is_usual,
                                      struct wa_err *err);

/* --- con_hosts_columns.c --- */
struct wa_con_columns {
    struct wa_cli_column heads[WA_CLI_COLUMNS_MAX]; /* titles as they were asked for */
    size_t value[WA_CLI_COLUMNS_MAX]; /* of "values", for a path of the inventory; else SIZE_MAX */
    size_t count;
};
/* text: with commas between. query: gets what the server is to be asked for. WA_E_USAGE. */
WA_CHECK enum wa_code wa_con_columns_read(struct wa_sv text, struct wa_arena *arena,
                                          struct wa_con_columns *ret, struct wa_buf *query,
                                          struct wa_err *err);
/* As a table, or as CSV with --csv. */
WA_CHECK enum wa_code wa_con_columns_show(const struct wa_cli *cli, const struct wa_con_columns *c,
                                          const struct wa_host_list *list,
                                          const struct wa_host_filter *f, struct wa_err *err);

/* --- con_way.c --- */
/* The proxy to the own server or repository (section NULL), where this flag of [global] is set; or
 * to a repository with a section of its own: that one's http_proxy, or, where the flag or its own
 * use_http_proxy_for_repo says so, that of [global]. *ret: ini's; NULL: none. ini may be NULL. */
#define WA_CON_FOR_SERVER "use_http_proxy_for_server"
#define WA_CON_FOR_REPO "use_http_proxy_for_repo"
#define WA_CON_FOR_OTHERS "use_http_proxy_for_templates"
WA_CHECK enum wa_code wa_con_proxy(const struct wa_ini *ini, const char *section, const char *flag,
                                   const char **ret, struct wa_err *err);
/* A certificate and its key, in files. passwd_file: the key's password is its first line; NULL: it
 * is asked for. option: what names such a file instead, for messages; may be NULL. key the same as
 * cert: it is in there, or beside it (NAME.pem for NAME.crt). */
struct wa_con_pair {
    const char *cert, *key, *passwd_file, *option;
};
WA_CHECK enum wa_code wa_con_pair_read(const struct wa_con_pair *p, struct wa_certs *certs,
                                       struct wa_key **ret, struct wa_err *err);
/* The same as struct wa_tls_trust's identity has it. out: secret, WA_TLS_IDENTITY_MAX. */
WA_CHECK enum wa_code wa_con_identity_read(const struct wa_con_pair *p, struct wa_buf *out,
                                           struct wa_err *err);

/* That of a section with client_certificate and client_private_key; nothing where it has none. ini
 * may be NULL. */
WA_CHECK enum wa_code wa_con_section_identity(const struct wa_ini *ini, const char *section,
                                              struct wa_buf *out, struct wa_err *err);

/* Logs in, with the options below, the configuration, and questions. */
WA_CHECK enum wa_code wa_con_connect(const struct wa_cli *cli, struct wa_client **ret,
                                     struct wa_err *err);
/* The same for the i-th of several servers: an option that is given once counts for each, one that
 * is given several times is the i-th's. */
WA_CHECK enum wa_code wa_con_connect_nth(const struct wa_cli *cli, size_t i, struct wa_client **ret,
                                         struct wa_err *err);
/* Which server, and how it is known, without asking anybody; from the options server, user,
 * server-fingerprint and verify-cert, and the configuration. */
struct wa_con_server {
    char *server, *user;
    char *proxy;       /* a secret; NULL: none */
    struct wa_buf pem; /* trust points into it */
    struct wa_tls_trust trust;
};
WA_CHECK enum wa_code wa_con_server_read(const struct wa_cli *cli, struct wa_con_server *ret,
                                         struct wa_err *err);
void wa_con_server_fini(struct wa_con_server *s);
#define WA_AUTO_CON_SERVER WA_CLEANUP(wa_con_server_fini)
/* The way to the repository, with nobody logged in: repo_url of the configuration, if it is https
 * and no --server is given, else the server's own. Paths begin there: "/Packages". *ret_is_pinned:
 * a fingerprint is known. */
WA_CHECK enum wa_code wa_con_reach(const struct wa_cli *cli, struct wa_client **ret,
                                   bool *ret_is_pinned, struct wa_err *err);
/* The way to another repository, by its options "from-fingerprint" and "from-verify-cert", else by
 * that section of the configuration ("": it has none). */
WA_CHECK enum wa_code wa_con_reach_other(const struct wa_cli *cli, const char *url,
                                         const char *section, struct wa_client **ret,
                                         struct wa_err *err);
/* Nothing says which: what a person can do. */
WA_CHECK enum wa_code wa_con_which_server(struct wa_err *err);
/* Adds to the refusal of an unknown certificate what a person can do. */
WA_CHECK enum wa_code wa_con_unknown(struct wa_err *err);
/* The caller's own password, once more, and a code of the second factor: from the files of the
 * options "password-file" and "code-file", or asked for. */
WA_CHECK enum wa_code wa_con_own_password(const struct wa_cli *cli, struct wa_buf *out,
                                          struct wa_err *err);
WA_CHECK enum wa_code wa_con_own_code(const struct wa_cli *cli, struct wa_buf *out,
                                      struct wa_err *err);
/* How the configuration says that this person logs in ("login"): "kerberos"; NULL: it does not say.
 * WA_E_CONFIG: another word. *ret: free it. */
WA_CHECK enum wa_code wa_con_login_way(const struct wa_cli *cli, char **ret, struct wa_err *err);
/* Warns when the journal of the server is not what was seen before. */
void wa_con_check_journal(const struct wa_cli *cli, struct wa_client *c, const char *server);
/* --- con_host_tasks.c --- */
/* The machine's own queue, which it is asked to tell now. */
WA_CHECK enum wa_code wa_con_host_tasks(struct wa_cli *cli, struct wa_client *c, const char *uuid,
                                        struct wa_err *err);

/* Rows of the server's as a table: each column a member of the row, a text or a number. */
struct wa_con_column {
    const char *title, *key;
    bool is_time, may_cut;
};
WA_CHECK enum wa_code wa_con_rows(const struct wa_cli *cli, const struct wa_json *rows,
                                  const struct wa_con_column *columns, size_t count,
                                  struct wa_err *err);
/* The name of an option as that of a parameter of the API: '_' for '-'. */
void wa_con_param(struct wa_sv option, struct wa_buf *out);
/* "&name=value" for each of these options that is given. */
void wa_con_query(const struct wa_cli *cli, const char *const *options, size_t count,
                  struct wa_buf *out);
/* WA_E_USAGE unless the options "hosts", "unit" or "group" say which machines are meant; an empty
 * unit or group would be all of them. */
WA_CHECK enum wa_code wa_con_has_targets(const struct wa_cli *cli, struct wa_err *err);
/* Those, at most max, of the list that they were chosen from, which is in arena; list: empty. */
WA_CHECK enum wa_code wa_con_targets(const struct wa_cli *cli, struct wa_client *c, size_t max,
                                     struct wa_arena *arena, struct wa_host_list *list,
                                     struct wa_targets *ret, struct wa_err *err);
/* All rows of a list of the API, page by page (its member, "next"): shown, and written as an array.
 */
struct wa_con_list {
    const char *path, *member;
    const struct wa_con_column *columns;
    size_t count;
};
WA_CHECK enum wa_code wa_con_list(struct wa_cli *cli, struct wa_client *c,
                                  const struct wa_con_list *l, struct wa_err *err);
/* The same of a list that comes as one. */
WA_CHECK enum wa_code wa_con_show(struct wa_cli *cli, struct wa_client *c,
                                  const struct wa_con_list *l, struct wa_err *err);
/* A call about one of them, which answers with nothing: "path/id" and more. WA_E_USAGE: that can
 * be no name of one. */
struct wa_con_one {
    const char *method, *path, *id, *more;
};
WA_CHECK enum wa_code wa_con_change(struct wa_cli *cli, struct wa_client *c,
                                    const struct wa_con_one *one, struct wa_err *err);
/* Whether a package is whole, and signed by somebody who is trusted here (con_check.c); where no
 * trust is set up, by whom it says. Tells the signer; ret: its control, may be NULL. */
WA_CHECK enum wa_code wa_con_check_package(struct wa_cli *cli, const char *path,
                                           struct wa_control *ret, struct wa_err *err);
/* Publishes the package at path; with --json writes {"file", "code", "error"} only when the caller
 * does. */
WA_CHECK enum wa_code wa_con_upload_one(struct wa_cli *cli, struct wa_client *c, const char *path,
                                        struct wa_err *err);

/* What the options WA_CON_ASSIGN_OPTIONS ask for, checked. Texts stay the command line's. */
WA_CHECK enum wa_code wa_con_assign_wish(const struct wa_cli *cli, struct wa_assign_wish *ret,
                                         struct wa_err *err);
#define WA_CON_ASSIGN_OPTIONS                                                                      \
    {"add-depends", 0, "LIST"}, {"remove-depends", 0, "LIST"}, {"add-conflicts", 0, "LIST"},       \
        {"remove-conflicts", 0, "LIST"}, {"hold", 0, "LIST"}, {"unhold", 0, "LIST"},               \
        {"windows", 0, "LIST"},                                                                    \
    {                                                                                              \
        "freezes", 0, "LIST"                                                                       \
    }
/* Other repositories, of the configuration; texts are ini's. */
struct wa_con_repositories {
    struct wa_local_repository *items;
    size_t n;
    struct wa_buf *pems, *identities; /* secret: keys */
    struct wa_ini *ini;
};
void wa_con_repositories_fini(struct wa_con_repositories *r);
WA_CHECK enum wa_code wa_con_repositories_read(const struct wa_cli *cli,
                                               struct wa_con_repositories *ret, struct wa_err *err);
/* The folder of what is known here of the server's repository: option "known", else that of the
 * server. */
WA_CHECK enum wa_code wa_con_open_known(const struct wa_cli *cli, struct wa_dir *ret,
                                        struct wa_err *err);
/* Signs and publishes the list of the server's repository; writes an object. c, signer: borrowed;
 * NULL: as the command line says. revoked: fingerprints that it takes away, besides those of its
 * options, WA_CON_PUBLISH_OPTIONS. */
WA_CHECK enum wa_code wa_con_publish_list(struct wa_cli *cli, struct wa_client *c,
                                          const struct wa_get_signer *signer, char *const *revoked,
                                          size_t revoked_count, struct wa_err *err);
#define WA_CON_PUBLISH_OPTIONS                                                                     \
    WA_REPO_PUBLISH_OPTIONS, {"root", 0, "FILE"}, {"send-root", 0, "FILE"},                        \
    {                                                                                              \
        "known", 0, "DIR"                                                                          \
    }

/* The process that asks people by a pinentry for waptconsole open. wish: its path, "none", or NULL:
 * one where there are windows and no terminal. *ret_fd: to it; -1: there is none. */
WA_CHECK enum wa_code wa_con_prompter_start(const char *wish, int *ret_fd, struct wa_err *err);
bool wa_con_is_prompter(int argc, char **argv);
int wa_con_prompter_main(char **argv);

/* The process that has installers and scripts read by other programs (console/reader.h), another
 * one in its place when it is killed, and the folders for files that are dropped, and theirs. */
struct wa_con_reader {
    int fd; /* to it; whoever takes it over sets -1 */
    struct wa_scratch files, scratch;
};
WA_CHECK enum wa_code wa_con_reader_start(struct wa_con_reader *ret, struct wa_err *err);
void wa_con_reader_end(struct wa_con_reader *r);
bool wa_con_is_reader(int argc, char **argv);
int wa_con_reader_main(char **argv);

#define WA_CON_SERVER_OPTIONS                                                                      \
    {"server", 0, "URL"}, {"user", 'U', "NAME"}, {"password-file", 0, "FILE"},                     \
        {"code-file", 0, "FILE"}, {"token-file", 0, "FILE"}, {"oidc", 0, NULL},                    \
        {"kerberos", 0, NULL}, {"client-certificate", 0, "FILE"}, {"client-key", 0, "FILE"},       \
        {"client-key-passwd", 0, "FILE"}, {"server-fingerprint", 0, "SHA256"},                     \
    {                                                                                              \
        "verify-cert", 0, "FILE"                                                                   \
    }

#endif

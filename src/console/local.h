/* local.h - the console's local program: serves the pages to a browser on this machine, keeps keys
 * and the session at the server, and signs what a person has seen.
 *
 * docs/internals/console.md has the calls of its interface.
 */
#ifndef WA_CONSOLE_LOCAL_H
#define WA_CONSOLE_LOCAL_H

#include "base/log.h"
#include "net/tls.h"

struct wa_reader;

/* Another repository that packages may be imported from. */
struct wa_local_repository {
    const char *name, *url;
    const char *proxy;         /* as in struct wa_line_to (net/http_line.h); NULL: none */
    struct wa_tls_trust trust; /* its pem and identity too must outlive the run */
    const char *trusted;       /* certificates of those whose packages are taken from there */
};
struct wa_local_options {
    const char *server;               /* https URL */
    const struct wa_tls_trust *trust; /* its pem too must outlive the run */
    const char *proxy;                /* to the server; NULL: none */
    const char *user;                 /* what the page proposes */
    const char *login;                /* "kerberos": it logs in so without asking; NULL: it asks */
    const char *certificate;          /* the person's; NULL: none is configured */
    const char *key;      /* its key: a file or a URI of a token; NULL: beside the certificate */
    const char *keys_dir; /* more of them, NAME.crt beside NAME.pem; NULL: none */
    const char *module;   /* of PKCS#11; NULL: as the URI says */
    const char *trusted;  /* directory of certificates whose packages count here; NULL: none */
    const struct wa_local_repository *repositories;
    size_t repository_count;
    const char *language;  /* of the pages: "en", "fr" */
    const char *prefs_dir; /* where pages keep what a person has chosen; NULL: nowhere */
    int64_t idle_s;        /* without a tab: then it ends */
    size_t confirm_above;  /* machines an hour that need no gesture outside the page */
    const char *run_dir;   /* where a second start finds the first; made with 0700 */
    const char *const *read_paths, *const *write_paths; /* NULL-terminated: all that it may still
                                                           open once it runs (os/priv.h) */
    const char *files_dir;         /* an empty folder of this program's, for what is dropped */
    const char *prefix, *maturity; /* of packages that are made; NULL: none */
    struct wa_reader *reader;      /* reader.h; NULL: there is none */
    int prompter_fd;               /* to a prompter (prompter.h), taken over; -1: there is none */
    const char *term; /* the kind of the terminal, where there is one; NULL: it is not known */
    const struct wa_log *log;
    /* The link is to be shown; before the program is confined. */
    enum wa_code (*on_link)(void *user, const char *link, struct wa_err *err);
    /* A person has said that this is the server's certificate: keep it. */
    enum wa_code (*on_pin)(void *user, const char *sha256, struct wa_err *err);
    /* A thread can't be brought back, by a token that waits for a finger, perhaps: the process is
     * to end now, with what is in its memory. Does not return. */
    void (*on_stuck)(void *user);
    void *user_data;
};
/* Serves until it is idle or asked to end (SIGTERM, SIGINT). Where this person's program for this
 * server runs already, it is asked for a link, and that is all. */
WA_CHECK enum wa_code wa_local_run(const struct wa_local_options *o, struct wa_err *err);

#endif

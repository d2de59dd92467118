/* api.h - the calls of /api/v1: tables, one a resource and file, say which there are, what each
 * needs and what it takes.
 *
 * A call runs in the store, after its caller is known and has the right that the table names; no
 * call checks rights that could stand there. What depends on the request's content (an order's
 * kind, a package with code) is asked by wa_api_need().
 */
#ifndef WA_SERVER_API_H
#define WA_SERVER_API_H

#include "server/perimeter.h"
#include "server/rights.h"
#include "server/store_priv.h"

#define WA_API_ARGS 2

struct wa_api_who {
    char user[WA_NAME_MAX + 1];
    char session[WA_SHA256_HEX]; /* its digest, or the token's */
    bool is_token;               /* an API token, no session */
    bool lacks_factor;           /* and so has no right but to set one up */
    unsigned rights;             /* of enum wa_right */
    bool is_limited;             /* to a perimeter */
    struct wa_buf perimeter;     /* its JSON, a line each where a token has one too; "" without */
    struct wa_fleet_view view;   /* the perimeter over the fleet */
};

struct wa_api_call {
    struct wa_store *store;
    struct wa_store_request *request;
    struct wa_api_who who;
    char args[WA_API_ARGS][WA_RELPATH_MAX + 1]; /* what stood in the path's {places}, decoded */
    struct wa_buf *out;                         /* the answer, JSON */
    const char *type; /* of the answer, one that fronts know; NULL: JSON */
    bool is_watching; /* nobody asks now: what was asked before goes on, which is no use of a
                         session */
    bool is_later;    /* another process is asked: the request is answered when it has */
};
typedef enum wa_code (*wa_api_fn)(struct wa_api_call *c, struct wa_err *err);

struct wa_api_param { /* of the query */
    const char *name, *about;
    bool is_number;
};

struct wa_api_route {
    const char *method, *path; /* "/api/v1/hosts/{uuid}" */
    unsigned right;            /* 0: whoever has a session */
    bool is_open;              /* no session at all */
    wa_api_fn fn;
    const char *about;                 /* for the description */
    const struct wa_api_param *params; /* ended by a NULL name; NULL: none, any is refused */
    const char *takes, *gives;         /* names in the description's schemas; NULL: nothing */
};

struct wa_api_resource { /* the calls of one file */
    const struct wa_api_route *routes;
    size_t count;
};
extern const struct wa_api_resource wa_api_session_calls, wa_api_hosts_calls, wa_api_people_calls,
    wa_api_account_calls, wa_api_inventory_calls, wa_api_queue_calls, wa_api_reports_calls,
    wa_api_software_calls, wa_api_actions_calls, wa_api_packages_calls, wa_api_signers_calls,
    wa_api_uploads_calls, wa_api_journal_calls, wa_api_openapi_calls, wa_api_authority_calls,
    wa_api_events_calls, wa_api_health_calls, wa_api_webhooks_calls, wa_api_rollouts_calls,
    wa_api_enrolment_calls, wa_api_overview_calls, wa_api_views_calls, wa_api_batches_calls,
    wa_api_wake_calls, wa_api_estate_calls, wa_api_certificate_calls;
/* All of them, one after the other; NULL after the last. */
const struct wa_api_route *wa_api_route_at(size_t i);

void wa_api_who_init(struct wa_api_who *who);
void wa_api_who_fini(struct wa_api_who *who);
/* Who asks, by the request's bearer: fills c->who, which is initialised. WA_E_AUTH: nobody, or
 * nobody any more. */
WA_CHECK enum wa_code wa_api_find_caller(struct wa_api_call *c, struct wa_err *err);
/* WA_E_DENIED, naming the roles that have the right, unless the caller has it. what: "uploading
 * packages with code". */
WA_CHECK enum wa_code wa_api_need(const struct wa_api_call *c, unsigned right, const char *what,
                                  struct wa_err *err);
/* The machines that the caller sees, for lists; NULL: all. */
const struct wa_fleet_view *wa_api_view(const struct wa_api_call *c);
/* For a machine: WA_E_NOT_FOUND when it is outside the caller's perimeter, as if it did not exist.
 */
WA_CHECK enum wa_code wa_api_need_host(const struct wa_api_call *c, const char *uuid,
                                       struct wa_err *err);
/* A parameter of the query; empty when it is absent. WA_E_USAGE when it is malformed or longer than
 * out takes. */
WA_CHECK enum wa_code wa_api_text(const struct wa_api_call *c, const char *name, char *out,
                                  size_t size, struct wa_err *err);
/* The same for a whole number between min and max; *ret is left alone when it is absent. */
WA_CHECK enum wa_code wa_api_number(const struct wa_api_call *c, const char *name, int64_t min,
                                    int64_t max, int64_t *ret, struct wa_err *err);
/* For the request's answer that says it is done: an act must have left its entry in the journal,
 * and who watches persons is told of a change of one. */
void wa_api_acted(struct wa_store_request *r);
/* --- store_events.c --- */
/* The caller gets the events of these kinds (bits) after seen, as they happen, until their session
 * ends: the request is answered by it. WA_E_BUSY: there are too many already. */
WA_CHECK enum wa_code wa_store_watch(struct wa_api_call *c, unsigned kinds, uint64_t seen,
                                     struct wa_err *err);
/* The schemas of bodies, by name, as a JSON object (schemas/). */
struct wa_sv wa_api_schemas(void);
/* The description of all calls, OpenAPI 3.1. */
WA_CHECK enum wa_code wa_api_describe(struct wa_buf *out, struct wa_err *err);

#endif

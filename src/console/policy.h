/* policy.h - packages that only say what machines and persons get - groups, organisational units,
 * profiles, rules of self-service - made and changed on the administrator's side (policy.c); what
 * changes in the rules (policy_rules.c); what would be wrong with such a package, found before it
 * is signed (policy_check.c).
 *
 *     wa_policies_open(&options, &ps, &err);    what is there, verified, and what would change
 *     wa_policies_put(ps, i, client, signer, &err);
 *
 * Blocking; one thread.
 */
#ifndef WA_CONSOLE_POLICY_H
#define WA_CONSOLE_POLICY_H

#include "console/assign.h"
#include "console/intake.h"
#include "os/fs.h"

/* Whether packages of that section are such: group, unit, profile, selfservice. */
bool wa_policy_is(const char *section);

struct wa_policy_wish {
    const char *section;     /* of one that is not there yet; NULL: all must be there */
    const char *description; /* NULL: as it is */
    struct wa_assign_wish lists;
    /* As selfservice.json, n 0: none. A group of remove_rules that lists nothing goes whole. */
    struct wa_sv add_rules, remove_rules;
};

/* --- policy_rules.c --- */
struct wa_policy_rule {
    char *group, *package; /* owned */
    bool comes;            /* else it goes */
};
struct wa_policy_rules {
    WA_VEC(struct wa_policy_rule); /* what changes */
    struct wa_buf text;            /* all of them then, as selfservice.json */
};
void wa_policy_rules_init(struct wa_policy_rules *r);
void wa_policy_rules_fini(struct wa_policy_rules *r);
/* current: the text as it is, "" for none. WA_E_INVALID for a text that is no rules. */
WA_CHECK enum wa_code wa_policy_rules_apply(struct wa_sv current, struct wa_sv add,
                                            struct wa_sv remove, struct wa_policy_rules *ret,
                                            struct wa_err *err);

/* --- policy_check.c --- */
struct wa_policy_problem {
    bool is_error; /* machines could never install it; else: not as things are */
    char *text;    /* owned */
};
struct wa_policy_problems {
    WA_VEC(struct wa_policy_problem);
};
void wa_policy_problems_fini(struct wa_policy_problems *p);
/* all: what the repository will have, subject among them, one entry for each package and version.
 * rules: of subject, as selfservice.json, or "". */
WA_CHECK enum wa_code wa_policy_check(const struct wa_control *const *all, size_t count,
                                      const struct wa_control *subject, struct wa_sv rules,
                                      struct wa_policy_problems *ret, struct wa_err *err);

/* --- policy.c --- */
struct wa_policy {
    const char *name;       /* as it was asked for; borrowed */
    struct wa_control now;  /* empty: it is new */
    struct wa_control next; /* as it will be signed, but for the signature */
    struct wa_assign_diff lists;
    struct wa_policy_rules rules;
    struct wa_policy_problems problems;
    bool is_changed;
    struct wa_err why; /* what is wrong with this one, or became of it */
};
struct wa_policies {
    struct wa_policy *items;
    size_t n;
    struct wa_intake *in;
    struct wa_scratch temp;
};
struct wa_policies_options {
    struct wa_client *client; /* borrowed during the call */
    struct wa_trust *anchors; /* whose packages count; borrowed until the end */
    const char *const *names;
    size_t count;
    const struct wa_policy_wish *wish; /* the same for each */
};
/* What is wrong with one alone is in its why; the code is of what stops all. */
WA_CHECK enum wa_code wa_policies_open(const struct wa_policies_options *o, struct wa_policies *ret,
                                       struct wa_err *err);
void wa_policies_fini(struct wa_policies *ps);
#define WA_AUTO_POLICIES WA_CLEANUP(wa_policies_fini)
/* An object: name, package, section, version, before, depends, conflicts, changes, problems, and
 * what became of it. file: as which it was published; "": it was not. */
void wa_policy_write(const struct wa_policy *p, const char *file, struct wa_jw *w);
/* How many can be signed and would change. */
size_t wa_policies_changed(const struct wa_policies *ps);
/* Signs and publishes the i-th; nothing if nothing changes. WA_E_EXISTS when somebody else has made
 * that version meanwhile. The error is in why too. ret_file: room for 2 * WA_NAME_MAX + 1, as the
 * repository has it; "" when there is none. */
WA_CHECK enum wa_code wa_policies_put(struct wa_policies *ps, size_t i, struct wa_client *c,
                                      const struct wa_signer *signer, char *ret_file,
                                      struct wa_err *err);

#endif

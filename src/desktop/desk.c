/* desk.c - the self-service's local program: its life. What comes in has passed the gate of
 * net/local_site.h.
 */
#include "desktop/desk.h"

#include "base/mem.h"
#include "desktop/desk_priv.h"
#include "os/priv.h"

extern const struct wa_assets wa_desktop_pages; /* tools/embed.py */

static void ending(void *user)
{
    struct wa_desk *d = user;
    atomic_store(&d->ends, true);
    wa_desk_events_end(d);
}

static void on_stop(void *user, int signum)
{
    const struct wa_desk *d = user;
    WA_UNUSED(signum);
    wa_local_site_end(d->site);
}

static bool tick(void *user)
{
    struct wa_desk *d = user;
    wa_desk_events_turn(d);
    return d->page_count > 0 || d->busy > 0;
}

static enum wa_code give_link(void *user, char *out, struct wa_err *err)
{
    const struct wa_desk *d = user;
    return wa_local_site_link(d->site, out, err);
}

static enum wa_code open_site(struct wa_desk *d, struct wa_err *err)
{
    const struct wa_local_site_options o = {.loop = d->loop,
                                            .log = d->o->log,
                                            .pages = &wa_desktop_pages,
                                            .idle_s = d->o->idle_s,
                                            .judge = wa_desk_judge,
                                            .call = wa_desk_call,
                                            .tick = tick,
                                            .ending = ending,
                                            .user = d};
    return wa_loop_on_stop(d->loop, on_stop, d, err) == WA_OK ? wa_local_site_new(&o, &d->site, err)
                                                              : err->code;
}

/* No program can be started from here on, no connection made but to sockets of this machine, no
 * file written but where that is needed, and no other process of this person can look into this
 * one. */
static enum wa_code confine(const struct wa_desk *d, struct wa_err *err)
{
    const struct wa_priv p = {.name = "waptselfservice",
                              .allow = WA_PRIV_FS_READ | WA_PRIV_FS_WRITE | WA_PRIV_LOCAL |
                                       WA_PRIV_THREADS,
                              .read_paths = d->o->read_paths,
                              .write_paths = d->o->write_paths,
                              .no_core = true};
    char line[WA_PRIV_LINE_MAX];
    if (wa_priv_drop(&p, line, err) != WA_OK)
        return err->code;
    wa_log(d->o->log, WA_LOG_INFO, "selfservice.started", WA_LF_S("confined", line));
    return WA_OK;
}

/* *ret_runs false: another program of this person's serves. */
static enum wa_code begin(struct wa_desk *d, bool *ret_runs, struct wa_err *err)
{
    char link[WA_LOCAL_LINK_SIZE] = "";
    *ret_runs = false;
    if (wa_loop_new(&d->loop, err) != WA_OK)
        return err->code;
    const struct wa_local_door_options o = {.loop = d->loop,
                                            .run_dir = d->o->run_dir,
                                            .name = "selfservice",
                                            .give = give_link,
                                            .user = d};
    if (wa_local_door_open(&o, &d->door, link, err) != WA_OK)
        return err->code;
    *ret_runs = link[0] == '\0';
    if (!*ret_runs || (open_site(d, err) == WA_OK && give_link(d, link, err) == WA_OK))
        (void)!d->o->on_link(d->o->user_data, link, err);
    wa_wipe(link, sizeof link);
    return err->code == WA_OK && *ret_runs ? confine(d, err) : err->code;
}

/* What is in threads still comes back to the loop. */
static void finish(struct wa_desk *d)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_local_site *site = d->site;
    ending(d);
    wa_local_door_close(d->door);
    d->site = NULL;
    wa_local_site_free(site);
    while (d->loop != NULL && d->busy > 0)
        if (wa_loop_turn(d->loop, -1, &err) != WA_OK)
            break;
    wa_loop_free(d->loop);
    wa_free(d);
}

enum wa_code wa_desk_run(const struct wa_desk_options *o, struct wa_err *err)
{
    struct wa_desk *d = wa_calloc(1, sizeof *d);
    if (d == NULL)
        return wa_nomem(err);
    d->o = o;
    d->fd = -1;
    atomic_init(&d->ends, false);
    bool runs = false;
    if (begin(d, &runs, err) == WA_OK && runs && wa_loop_run(d->loop, err) == WA_OK)
        wa_log_event(o->log, WA_LOG_INFO, "selfservice.ended", NULL, 0);
    finish(d);
    return err->code;
}

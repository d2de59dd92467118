/* torture.c - the wrapped allocator, and the loop that fails it at every place.
 *
 * Knows each block that was made through the wrappers during a run by its address, in a table
 * allocated beside the wrappers: a count alone would go wrong where libc allocates what we free
 * (getline) and the reverse. One lock guards all, since code under test may use threads. Outside a
 * run the wrappers only pass on.
 */
#include "torture.h"

#include "base/text.h"

void *__real_malloc(size_t n);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *p, size_t n);
void __real_free(void *p);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *p, size_t n);
void __wrap_free(void *p);

static struct {
    bool is_running;
    bool is_paused;
    bool is_lasting; /* all allocations from fail_at on fail */
    bool has_failed;
    size_t fail_at; /* number of the allocation that fails, from 1; 0: none */
    size_t made;    /* allocations asked for so far in this run */
    struct slot {
        const void *p; /* NULL: none */
        size_t n;      /* bytes */
    } * slots;
    size_t slot_count; /* a power of two, at most half full */
    size_t live;
    size_t bytes, peak; /* of the live ones, now and at most */
} run;

/* --- the table of live blocks; the lock is held --- */

static size_t slot_of(const void *p)
{
    uint64_t h = (uint64_t)(uintptr_t)p * 0x9e3779b97f4a7c15ULL;
    size_t at = (size_t)(h >> 20) & (run.slot_count - 1);
    while (run.slots[at].p != NULL && run.slots[at].p != p)
        at = (at + 1) & (run.slot_count - 1);
    return at;
}

static void widen(void)
{
    struct slot *old = run.slots;
    size_t old_count = run.slot_count;
    run.slot_count = old_count == 0 ? 1024 : old_count * 2;
    run.slots = __real_calloc(run.slot_count, sizeof *run.slots);
    if (run.slots == NULL)
        abort(); /* the machine itself is out of memory: no test result to give */
    for (size_t i = 0; i < old_count; i++)
        if (old[i].p != NULL)
            run.slots[slot_of(old[i].p)] = old[i];
    __real_free(old);
}

static void add(const void *p, size_t n)
{
    if (run.live * 2 >= run.slot_count)
        widen();
    size_t at = slot_of(p);
    run.live += run.slots[at].p == NULL ? 1 : 0;
    run.bytes += n - run.slots[at].n;
    run.peak = run.bytes > run.peak ? run.bytes : run.peak;
    run.slots[at] = (struct slot){p, n};
}

/* Takes the block out; false when it is not one of ours. Those behind it that would be lost move
 * up. */
static bool take(const void *p, size_t *ret_n)
{
    if (p == NULL || run.slot_count == 0)
        return false;
    size_t at = slot_of(p);
    if (run.slots[at].p == NULL)
        return false;
    *ret_n = run.slots[at].n;
    run.slots[at] = (struct slot){NULL, 0};
    run.live--;
    run.bytes -= *ret_n;
    for (at = (at + 1) & (run.slot_count - 1); run.slots[at].p != NULL;
         at = (at + 1) & (run.slot_count - 1)) {
        const struct slot moved = run.slots[at];
        run.slots[at] = (struct slot){NULL, 0};
        run.slots[slot_of(moved.p)] = moved;
    }
    return true;
}

/* --- the wrappers --- */

/* True when this allocation is to fail. Counts it. */
static bool must_fail(void)
{
    if (!run.is_running || run.is_paused)
        return false;
    run.made++;
    if (run.fail_at == 0 || run.made < run.fail_at || (run.made > run.fail_at && !run.is_lasting))
        return false;
    run.has_failed = true;
    return true;
}

static void *made(void *p, size_t n)
{
    if (p != NULL && run.is_running && !run.is_paused)
        add(p, n);
    return p;
}

void *__wrap_malloc(size_t n)
{
    wa_test_lock();
    void *p = must_fail() ? NULL : made(__real_malloc(n), n);
    wa_test_unlock();
    return p;
}

void *__wrap_calloc(size_t count, size_t size)
{
    wa_test_lock();
    void *p = must_fail() ? NULL : made(__real_calloc(count, size), count * size);
    wa_test_unlock();
    return p;
}

void *__wrap_realloc(void *old, size_t n)
{
    void *p = NULL;
    wa_test_lock();
    if (!must_fail()) {
        /* Out of the table before: the address must not be used once realloc() has had it. */
        size_t old_n = 0;
        bool was_ours = take(old, &old_n);
        p = __real_realloc(old, n);
        if (p == NULL && was_ours)
            add(old, old_n);
        else if (p != NULL && (old == NULL || was_ours))
            (void)made(p, n);
    }
    wa_test_unlock();
    return p;
}

void __wrap_free(void *p)
{
    size_t n = 0;
    wa_test_lock();
    (void)take(p, &n);
    __real_free(p);
    wa_test_unlock();
}

/* --- runs --- */

void wa_torture_pause(void)
{
    wa_test_lock();
    run.is_paused = true;
    wa_test_unlock();
}

void wa_torture_resume(void)
{
    wa_test_lock();
    run.is_paused = false;
    wa_test_unlock();
}

size_t wa_torture_live_count(void)
{
    wa_test_lock();
    size_t n = run.live;
    wa_test_unlock();
    return n;
}

/* Forgets the former run, also one that an assertion left in the middle. */
static void start(size_t fail_at, bool is_lasting)
{
    (void)wa_text_spoken(); /* this thread's own is made at its first use, on Windows */
    wa_test_lock();
    __real_free(run.slots);
    memset(&run, 0, sizeof run);
    run.fail_at = fail_at;
    run.is_lasting = is_lasting;
    run.is_running = true;
    wa_test_unlock();
}

static void stop(void)
{
    wa_test_lock();
    run.is_running = false;
    wa_test_unlock();
}

/* One run, judged. Returns whether it met a failure. */
static bool run_once(wa_torture_fn *fn, void *arg, size_t fail_at, bool is_lasting)
{
    struct wa_err err = WA_ERR_INIT;
    char where[80];
    (void)snprintf(where, sizeof where, "with allocation %zu failing%s", fail_at,
                   is_lasting ? " and all after it" : "");
    if (fail_at == 0)
        (void)snprintf(where, sizeof where, "with memory enough");

    start(fail_at, is_lasting);
    enum wa_code code = fn(arg, &err);
    stop();

    if (run.live != 0)
        fail_msg("%s: %zu blocks leak (%s)", where, run.live, wa_code_name(code));
    if (code != WA_OK && !(run.has_failed && code == WA_E_NOMEM))
        fail_msg("%s: %s: %s", where, wa_code_name(code), err.text);
    if (code != WA_OK && (err.code != code || err.text[0] == '\0'))
        fail_msg("%s: returns %s, but the error says %s '%s'", where, wa_code_name(code),
                 wa_code_name(err.code), err.text);
    if (code == WA_OK && err.code != WA_OK)
        fail_msg("%s: succeeds, but leaves the error %s: %s", where, wa_code_name(err.code),
                 err.text);
    return run.has_failed;
}

size_t wa_torture(wa_torture_fn *fn, void *arg)
{
    (void)run_once(fn, arg, 0, false);
    size_t count = run.made;
    if (count == 0)
        fail_msg("it allocates nothing: there is nothing to torture");
    for (int lasting = 0; lasting < 2; lasting++) {
        size_t at = 1;
        while (run_once(fn, arg, at, lasting != 0))
            at++;
        if (at == 1)
            fail_msg("no allocation was failed");
    }
    return count;
}

size_t wa_torture_peak_bytes(wa_torture_fn *fn, void *arg)
{
    (void)run_once(fn, arg, 0, false);
    return run.peak;
}

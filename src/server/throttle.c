/* throttle.c - counters of wrong credentials in tables of fixed size.
 *
 * An address or account has its counter by a keyed hash, which leads to a few: one of them that
 * remembers nothing is taken. Nothing grows, nothing is pushed out by inventing names, and an
 * account that does not exist is treated like one that does. Where all are others', two share one,
 * and wait for each other.
 */
#include "server/throttle.h"

#include <string.h>

static uint64_t hash(const struct wa_throttle *t, const char *a, const char *b)
{
    uint64_t h = 14695981039346656037u ^ t->seed;
    for (const char *p = a; *p != '\0'; p++)
        h = (h ^ (unsigned char)*p) * 1099511628211u;
    h = (h ^ 0xffu) * 1099511628211u;
    for (const char *p = b; *p != '\0'; p++)
        h = (h ^ (unsigned char)*p) * 1099511628211u;
    h ^= h >> 29;
    h *= 0xbf58476d1ce4e5b9u;
    return h ^ h >> 32;
}

#define WAYS 4u
#define NEVER INT64_MIN /* as the time: none is taken that has another's name */

static bool is_idle(const struct wa_throttle_count *c, int64_t now)
{
    return (c->wrong == 0 || c->until <= now) &&
           (c->times == 0 || c->until + WA_THROTTLE_CALM_S <= now);
}

static struct wa_throttle_count *find(struct wa_throttle_count *table, size_t n, uint64_t whose,
                                      int64_t now)
{
    struct wa_throttle_count *place = &table[whose % (n / WAYS) * WAYS];
    for (size_t i = 0; i < WAYS; i++)
        if (place[i].whose == whose)
            return &place[i];
    for (size_t i = 0; i < WAYS && now != NEVER; i++)
        if (is_idle(&place[i], now)) {
            place[i] = (struct wa_throttle_count){.whose = whose};
            return &place[i];
        }
    return &place[(whose >> 32) % WAYS];
}

static struct wa_throttle_count *of_address(struct wa_throttle *t, const char *address, int64_t now)
{
    return find(t->addresses, WA_COUNT(t->addresses), hash(t, address, ""), now);
}

static struct wa_throttle_count *of_account(struct wa_throttle *t, const char *account, int64_t now)
{
    return find(t->accounts, WA_COUNT(t->accounts), hash(t, "", account), now);
}

#define LONGEST_S ((int64_t)WA_THROTTLE_WAIT_S << WA_THROTTLE_ADDRESS_TIMES)

/* Nobody waits for as long as a clock was set back. */
static bool is_full(struct wa_throttle_count *c, uint32_t most, int64_t now)
{
    if (c->until <= now || c->until - now > LONGEST_S)
        c->wrong = 0;
    if (c->until + WA_THROTTLE_CALM_S <= now)
        c->times = 0;
    return c->wrong >= most;
}

/* One more; the one that fills it sets how long to wait. */
static void count(struct wa_throttle_count *c, uint32_t most, uint32_t times_max, int64_t now)
{
    c->until = now + WA_THROTTLE_WAIT_S;
    if (++c->wrong < most)
        return;
    c->until = now + ((int64_t)WA_THROTTLE_WAIT_S << c->times);
    if (c->times < times_max)
        c->times++;
}

static void uncount(struct wa_throttle_count *c, uint32_t most)
{
    if (c->wrong == 0)
        return;
    if (c->wrong-- == most && c->times > 0)
        c->times--;
}

static bool is_known(const struct wa_throttle *t, const char *address, const char *account)
{
    uint64_t h = hash(t, address, account);
    for (size_t i = 0; i < WA_COUNT(t->known); i++)
        if (t->known[i] == h)
            return true;
    return false;
}

enum wa_code wa_throttle_begin(struct wa_throttle *t, const char *address, const char *account,
                               int64_t now, struct wa_err *err)
{
    struct wa_throttle_count *a = of_address(t, address, now),
                             *n = account != NULL ? of_account(t, account, now) : NULL;
    if (is_full(a, WA_THROTTLE_ADDRESS, now))
        return wa_fail(err, WA_E_BUSY,
                       "too many wrong credentials from your address: wait before the next");
    if (n != NULL && is_full(n, WA_THROTTLE_ACCOUNT, now) && !is_known(t, address, account))
        return wa_fail(err, WA_E_BUSY,
                       "too many wrong passwords for this user: wait before the next");
    count(a, WA_THROTTLE_ADDRESS, WA_THROTTLE_ADDRESS_TIMES, now);
    if (n != NULL)
        count(n, WA_THROTTLE_ACCOUNT, WA_THROTTLE_ACCOUNT_TIMES, now);
    return WA_OK;
}

void wa_throttle_back(struct wa_throttle *t, const char *address, const char *account)
{
    uncount(of_address(t, address, NEVER), WA_THROTTLE_ADDRESS);
    if (account != NULL)
        uncount(of_account(t, account, NEVER), WA_THROTTLE_ACCOUNT);
}

void wa_throttle_good(struct wa_throttle *t, const char *address, const char *account)
{
    wa_throttle_back(t, address, account);
    if (account != NULL && !is_known(t, address, account))
        t->known[t->known_at++ % WA_COUNT(t->known)] = hash(t, address, account);
}

/* measure.h - CPU seconds of this process, medians, and rows as lines of JSON for bench/run.py. */
#ifndef WA_BENCH_MEASURE_H
#define WA_BENCH_MEASURE_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/err.h"

static inline void must(enum wa_code code, const struct wa_err *err, const char *what)
{
    if (code == WA_OK)
        return;
    (void)fprintf(stderr, "bench: %s: %s\n", what, err->text);
    exit(1);
}

static inline void must_be(bool ok, const char *what)
{
    if (ok)
        return;
    (void)fprintf(stderr, "bench: %s\n", what);
    exit(1);
}

static inline double cpu_seconds(void)
{
    struct timespec t;
    must_be(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) == 0, "no clock");
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static inline int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Median CPU seconds of `times` runs, at most 25, after one that is not counted. */
static inline double median_of(int times, void (*work)(void *user), void *user)
{
    double t[25];
    must_be(times > 0 && times <= 25, "too many runs");
    work(user);
    for (int i = 0; i < times; i++) {
        double before = cpu_seconds();
        work(user);
        t[i] = cpu_seconds() - before;
    }
    qsort(t, (size_t)times, sizeof t[0], by_value);
    return t[times / 2];
}

/* name and limit_is must not need escapes. budget 0: none; ratio_budget: the budget is of the
 * ratio. */
static inline void print_row(const char *name, double value, const char *unit, double limit,
                             const char *limit_is, double budget, bool is_ratio_budget)
{
    (void)printf(
        "{\"name\":\"%s\",\"value\":%.9g,\"unit\":\"%s\",\"limit\":%.9g,\"limit_is\":\"%s\","
        "\"budget\":%.9g,\"budget_of\":\"%s\"}\n",
        name, value, unit, limit, limit_is, budget, is_ratio_budget ? "ratio" : "value");
}

#endif

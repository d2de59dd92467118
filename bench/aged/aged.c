/* aged.c - programs in a time that runs faster from the moment on that the file "began" beside them
 * names, in seconds since 1970: theirs in common, whenever each of their processes started.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FASTER 1440

int64_t __wrap_wa_clock_now(void);

static int64_t began;

/* Before main(), which gives up the right to read it. */
__attribute__((constructor)) static void read_began(void)
{
    char path[4096], text[32] = "";
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 8);
    if (n <= 0)
        return;
    path[n] = '\0';
    char *slash = strrchr(path, '/');
    (void)snprintf(slash + 1, 8, "began");
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return;
    if (fgets(text, sizeof text, f) != NULL)
        began = strtoll(text, NULL, 10);
    (void)fclose(f);
}

int64_t __wrap_wa_clock_now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    if (began == 0)
        return t.tv_sec;
    return began + (t.tv_sec - began) * FASTER + (int64_t)t.tv_nsec * FASTER / 1000000000;
}

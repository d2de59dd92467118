/* replay.c - feeds a target its corpus and what lies close to it, so that every find stays a test
 * without libFuzzer.
 *
 * Takes directories and files. Feeds the empty input, then each file as it is, cut short, and with
 * one byte changed, left out or doubled: always the same inputs in the same order. A target that
 * sees something wrong aborts; what it was fed is then said, and its bytes are written to the file
 * named by $WA_REPLAY_SAVE, if set. An empty or missing corpus is a failure: it would be a test
 * that can't fail.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PLACES_MAX 256u /* places of one seed that are tried, evenly spread */
#define PLACES_MIN 16u
#define PLACES_BYTES (1u << 18) /* of one seed: fewer places when it is long, to stay quick */
#define SEED_MAX (16u << 20)    /* bytes */
#define SPREAD_MAX (64u << 10)  /* bytes: larger seeds are fed as they are only */

/* What is being fed, for the signal handler. */
static struct {
    const char *file;
    char text[512];
    const uint8_t *data;
    size_t size;
    const char *save; /* NULL: nowhere */
    unsigned long count;
} now;

static void say_what(int sig)
{
    ssize_t ignored = write(2, now.text, strlen(now.text));
    if (now.save != NULL) {
        int fd = open(now.save, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (fd >= 0)
            ignored = write(fd, now.data, now.size);
    }
    (void)ignored;
    (void)signal(sig, SIG_DFL);
    (void)raise(sig);
}

/* Sanitizers that handle a signal themselves know more than we do. */
static void watch(int sig)
{
    struct sigaction old;
    if (sigaction(sig, NULL, &old) == 0 && old.sa_handler == SIG_DFL)
        (void)signal(sig, say_what);
}

/* The bytes `data` without the `out` bytes at `at`, and with the `in` bytes there instead. In a
 * block of exactly that size, so that a sanitizer sees a read beyond it. */
static void feed(const uint8_t *data, size_t size, size_t at, size_t out, const uint8_t *in,
                 size_t in_n, const char *how)
{
    size_t n = size - out + in_n;
    uint8_t *copy = malloc(n > 0 ? n : 1);
    if (copy == NULL) {
        (void)fprintf(stderr, "memory ran out\n");
        exit(1);
    }
    if (at > 0)
        memcpy(copy, data, at);
    if (in_n > 0)
        memcpy(copy + at, in, in_n);
    if (at + out < size)
        memcpy(copy + at + in_n, data + at + out, size - at - out);
    (void)snprintf(now.text, sizeof now.text, "\nreplay: fed %.300s, %s at byte %zu (%zu bytes)\n",
                   now.file, how, at, n);
    now.data = copy;
    now.size = n;
    now.count++;
    (void)LLVMFuzzerTestOneInput(copy, n);
    now.data = NULL;
    now.size = 0;
    free(copy);
}

static void feed_around(const uint8_t *data, size_t size)
{
    size_t places = size == 0 ? PLACES_MAX : PLACES_BYTES / size;
    places = places > PLACES_MAX ? PLACES_MAX : places < PLACES_MIN ? PLACES_MIN : places;
    size_t step = size / places + 1;
    for (size_t at = 0; at < size; at += step) {
        const uint8_t byte = data[at], low = byte ^ 0x01, high = byte ^ 0x80, zero = 0, full = 0xff;
        const uint8_t twice[2] = {byte, byte};
        feed(data, size, at, size - at, NULL, 0, "cut");
        feed(data, size, at, 1, &low, 1, "lowest bit flipped");
        feed(data, size, at, 1, &high, 1, "highest bit flipped");
        feed(data, size, at, 1, &zero, 1, "zero");
        feed(data, size, at, 1, &full, 1, "0xff");
        feed(data, size, at, 1, NULL, 0, "left out");
        feed(data, size, at, 1, twice, 2, "doubled");
    }
    if (size > 0)
        feed(data, size, size - 1, 1, NULL, 0, "left out");
}

static bool feed_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    struct stat st;
    if (f == NULL || fstat(fileno(f), &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > SEED_MAX) {
        (void)fprintf(stderr, "%s: cannot be read, or is not a file of at most %u bytes\n", path,
                      SEED_MAX);
        if (f != NULL)
            (void)fclose(f);
        return false;
    }
    size_t size = (size_t)st.st_size;
    uint8_t *data = malloc(size + 1);
    bool is_read = data != NULL && fread(data, 1, size + 1, f) == size;
    (void)fclose(f);
    if (is_read) {
        now.file = path;
        feed(data, size, size, 0, NULL, 0, "whole");
        if (size <= SPREAD_MAX)
            feed_around(data, size);
    } else {
        (void)fprintf(stderr, "%s: cannot be read\n", path);
    }
    free(data);
    return is_read;
}

static int is_seed(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* Count of files fed, sorted by name; negative on failure. */
static int feed_directory(const char *path)
{
    struct dirent **entries;
    int n = scandir(path, &entries, is_seed, alphasort), fed = 0;
    if (n < 0) {
        (void)fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return -1;
    }
    for (int i = 0; i < n; i++) {
        char file[4096];
        int len = snprintf(file, sizeof file, "%s/%s", path, entries[i]->d_name);
        if (fed >= 0 && len > 0 && (size_t)len < sizeof file)
            fed = feed_file(file) ? fed + 1 : -1;
        free(entries[i]);
    }
    free(entries);
    return fed;
}

static bool feed_path(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
        return feed_file(path);
    int fed = feed_directory(path);
    if (fed == 0)
        (void)fprintf(stderr, "%s: no seed: put at least one file there\n", path);
    return fed > 0;
}

int main(int argc, char **argv)
{
    static const int signals[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTERM};
    if (argc < 2) {
        (void)fprintf(stderr, "usage: %s CORPUS-DIRECTORY|FILE...\n", argv[0]);
        return 2;
    }
    now.save = getenv("WA_REPLAY_SAVE");
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        watch(signals[i]);
    now.file = "nothing";
    feed(NULL, 0, 0, 0, NULL, 0, "whole");
    for (int i = 1; i < argc; i++)
        if (!feed_path(argv[i]))
            return 1;
    (void)printf("%lu inputs\n", now.count);
    return 0;
}

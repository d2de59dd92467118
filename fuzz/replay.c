/* replay.c - feeds a target the files of its corpus, so that every find stays a test without
 * libFuzzer.
 *
 * Takes directories; a target that sees something wrong aborts. An empty or missing corpus is a
 * failure: it would be a test that can't fail.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int feed_file(const char *path)
{
    struct stat st;
    uint8_t *data;
    FILE *f = fopen(path, "rb");

    if (!f || fstat(fileno(f), &st) != 0) {
        perror(path);
        return -1;
    }
    if (!S_ISREG(st.st_mode)) {
        (void)fclose(f);
        return 0;
    }
    /* Exactly as long as the file, so that a sanitizer sees a read beyond it. */
    data = malloc(st.st_size > 0 ? (size_t)st.st_size : 1);
    if (!data || fread(data, 1, (size_t)st.st_size, f) != (size_t)st.st_size) {
        (void)fprintf(stderr, "cannot read %s\n", path);
        free(data);
        (void)fclose(f);
        return -1;
    }
    (void)fclose(f);
    (void)LLVMFuzzerTestOneInput(data, (size_t)st.st_size);
    free(data);
    return 1;
}

/* Count of files fed, negative on failure. */
static int feed_directory(const char *path)
{
    struct dirent *entry;
    int count = 0;
    DIR *d = opendir(path);

    if (!d) {
        perror(path);
        return -1;
    }
    while ((entry = readdir(d)) != NULL && count >= 0) {
        char file[4096];
        int fed;
        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
        fed = feed_file(file);
        count = fed < 0 ? -1 : count + fed;
    }
    (void)closedir(d);
    return count;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        int count = feed_directory(argv[i]);
        if (count <= 0) {
            (void)fprintf(stderr, "%s: no corpus\n", argv[i]);
            return 1;
        }
        (void)printf("%s: %d inputs\n", argv[i], count);
    }
    return argc > 1 ? 0 : 1;
}

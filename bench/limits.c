/* limits - what the work costs at least: CPU seconds of the bare operations, by the libraries
 * alone.
 *
 *     limits inflate-sha256 FILE.wapt   inflate every member and digest it
 *     limits sha256-deflate LEVEL FILE  digest the file and deflate it, once each
 *     limits stat DIR                   list a directory, with the size and date of each file
 *     limits curl URL CERTIFICATE FILE  download into a file, which is synced
 *     limits wake SECONDS               wake up once a second
 *
 * Nothing of this project is in it, so it reads ZIP in the plainest way and believes what it says.
 */
#include <curl/curl.h>
#include <dirent.h>
#include <fcntl.h>
#include <libdeflate.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

static void must(int ok, const char *what)
{
    if (ok)
        return;
    (void)fprintf(stderr, "limits: %s\n", what);
    exit(1);
}

static double now(void)
{
    struct timespec t;
    must(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) == 0, "no clock");
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint8_t *slurp(const char *path, size_t *ret_n)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    must(fd >= 0 && fstat(fd, &st) == 0, path);
    size_t size = (size_t)st.st_size;
    uint8_t *p = malloc(size + 1);
    must(p != NULL, "no memory");
    for (size_t at = 0; at < size;) {
        ssize_t n = read(fd, p + at, size - at);
        must(n > 0, path);
        at += (size_t)n;
    }
    (void)close(fd);
    *ret_n = size;
    return p;
}

static uint32_t get(const uint8_t *p, unsigned bytes)
{
    uint32_t v = 0;
    while (bytes-- > 0)
        v = v << 8 | p[bytes];
    return v;
}

/* In windows of 256 KiB, as a program must that reads members of any size. */
static void inflate_member(const uint8_t *in, size_t in_n, EVP_MD_CTX *ctx, uint8_t *window)
{
    z_stream z = {0};
    int status = Z_OK;
    must(inflateInit2(&z, -MAX_WBITS) == Z_OK, "no memory");
    z.next_in = (Bytef *)(uintptr_t)in;
    z.avail_in = (uInt)in_n;
    while (status != Z_STREAM_END) {
        z.next_out = window;
        z.avail_out = 256u << 10;
        status = inflate(&z, Z_NO_FLUSH);
        must(status == Z_OK || status == Z_STREAM_END, "a damaged member");
        must(EVP_DigestUpdate(ctx, window, (256u << 10) - z.avail_out) == 1, "no digest");
    }
    (void)inflateEnd(&z);
}

static void one_member(const uint8_t *zip, const uint8_t *entry, EVP_MD_CTX *ctx, uint8_t *window)
{
    uint8_t md[EVP_MAX_MD_SIZE];
    uint32_t method = get(entry + 10, 2), packed = get(entry + 20, 4), at = get(entry + 42, 4);
    const uint8_t *data = zip + at + 30 + get(zip + at + 26, 2) + get(zip + at + 28, 2);
    must(EVP_DigestInit_ex2(ctx, NULL, NULL) == 1, "no digest");
    if (method == 0)
        must(EVP_DigestUpdate(ctx, data, packed) == 1, "no digest");
    else
        inflate_member(data, packed, ctx, window);
    must(EVP_DigestFinal_ex(ctx, md, NULL) == 1, "no digest");
}

static double inflate_sha256(const char *path)
{
    double before = now();
    size_t n;
    uint8_t *zip = slurp(path, &n), *window = malloc(256u << 10);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    must(n >= 22 && window != NULL && ctx != NULL &&
             EVP_DigestInit_ex2(ctx, EVP_sha256(), NULL) == 1,
         "cannot begin");
    const uint8_t *end = zip + n - 22, *entry = zip + get(end + 16, 4);
    for (uint32_t left = get(end + 10, 2); left > 0; left--) {
        one_member(zip, entry, ctx, window);
        entry += 46 + get(entry + 28, 2) + get(entry + 30, 2) + get(entry + 32, 2);
    }
    EVP_MD_CTX_free(ctx);
    free(window);
    free(zip);
    return now() - before;
}

static double digest_and_deflate(int level, const char *path)
{
    size_t n;
    uint8_t *p = slurp(path, &n);
    unsigned char digest[EVP_MAX_MD_SIZE];
    double before = now();
    must(EVP_Digest(p, n, digest, NULL, EVP_sha256(), NULL) == 1, "no digest");
    struct libdeflate_compressor *c = libdeflate_alloc_compressor(level);
    must(c != NULL, "no memory");
    size_t bound = libdeflate_deflate_compress_bound(c, n);
    uint8_t *out = malloc(bound);
    must(out != NULL && libdeflate_deflate_compress(c, p, n, out, bound) > 0, "no memory");
    double took = now() - before;
    libdeflate_free_compressor(c);
    free(out);
    free(p);
    return took;
}

static double stat_all(const char *path)
{
    double before = now();
    size_t count = 0;
    struct stat st;
    DIR *d = opendir(path);
    must(d != NULL, path);
    for (const struct dirent *e = readdir(d); e != NULL; e = readdir(d))
        count += fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0;
    must(count > 0, "nothing there");
    (void)closedir(d);
    return now() - before;
}

static size_t to_file(char *p, size_t size, size_t n, void *user)
{
    const int *fd = user;
    must(write(*fd, p, size * n) == (ssize_t)(size * n), "writing");
    return size * n;
}

static double download(const char *url, const char *certificate, const char *path)
{
    double before = now();
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    must(fd >= 0 && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK, path);
    CURL *c = curl_easy_init();
    must(c != NULL && curl_easy_setopt(c, CURLOPT_URL, url) == CURLE_OK &&
             curl_easy_setopt(c, CURLOPT_CAINFO, certificate) == CURLE_OK &&
             curl_easy_setopt(c, CURLOPT_FAILONERROR, 1L) == CURLE_OK &&
             curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, to_file) == CURLE_OK &&
             curl_easy_setopt(c, CURLOPT_WRITEDATA, &fd) == CURLE_OK,
         "no libcurl");
    CURLcode code = curl_easy_perform(c);
    must(code == CURLE_OK, curl_easy_strerror(code));
    must(fsync(fd) == 0 && close(fd) == 0, path);
    curl_easy_cleanup(c);
    curl_global_cleanup();
    return now() - before;
}

static double wake(int times)
{
    double before = now();
    while (times-- > 0)
        (void)sleep(1);
    return now() - before;
}

int main(int argc, char **argv)
{
    double seconds;
    if (argc == 3 && strcmp(argv[1], "inflate-sha256") == 0)
        seconds = inflate_sha256(argv[2]);
    else if (argc == 4 && strcmp(argv[1], "sha256-deflate") == 0)
        seconds = digest_and_deflate(atoi(argv[2]), argv[3]);
    else if (argc == 3 && strcmp(argv[1], "stat") == 0)
        seconds = stat_all(argv[2]);
    else if (argc == 5 && strcmp(argv[1], "curl") == 0)
        seconds = download(argv[2], argv[3], argv[4]);
    else if (argc == 3 && strcmp(argv[1], "wake") == 0)
        seconds = wake(atoi(argv[2]));
    else {
        (void)fprintf(stderr,
                      "usage: limits inflate-sha256 FILE.wapt | sha256-deflate LEVEL FILE | "
                      "stat DIR | curl URL CERTIFICATE FILE | wake SECONDS\n");
        return 2;
    }
    (void)printf("%.9f\n", seconds);
    return 0;
}

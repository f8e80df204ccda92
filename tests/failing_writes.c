/* Preloaded: from the n-th write below a folder on, writes fail. What counts: write, pwrite, writev, sync, truncate, rename. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static char folder[PATH_MAX];
static atomic_long seen;
static long first = -1, last = -1;

void fail_writes(const char *below, long from, long to) {
    strncpy(folder, below, sizeof folder - 1);
    first = from, last = to;
    atomic_store(&seen, 0);
}

long writes_seen(void) { return atomic_load(&seen); }

static int fails(const char *path) {
    if (!folder[0] || strncmp(path, folder, strlen(folder))) return 0;
    long n = atomic_fetch_add(&seen, 1) + 1;
    if (n < first || n > last) return 0;
    errno = last == LONG_MAX ? ENOSPC : EIO;
    return 1;
}

static int fails_fd(int fd) {
    char link[64], path[PATH_MAX];
    if (!folder[0]) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    int kept = errno;
    ssize_t n = readlink(link, path, sizeof path - 1);
    errno = kept;
    if (n < 0) return 0;
    path[n] = 0;
    return fails(path);
}

#define REAL(type, name, ...) static type (*real)(__VA_ARGS__); if (!real) real = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)
ssize_t write(int fd, const void *b, size_t n) { REAL(ssize_t, write, int, const void *, size_t); return fails_fd(fd) ? -1 : real(fd, b, n); }
ssize_t pwrite(int fd, const void *b, size_t n, off_t o) { REAL(ssize_t, pwrite, int, const void *, size_t, off_t); return fails_fd(fd) ? -1 : real(fd, b, n, o); }
ssize_t pwrite64(int fd, const void *b, size_t n, off64_t o) { REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t); return fails_fd(fd) ? -1 : real(fd, b, n, o); }
ssize_t writev(int fd, const struct iovec *v, int n) { REAL(ssize_t, writev, int, const struct iovec *, int); return fails_fd(fd) ? -1 : real(fd, v, n); }
int fsync(int fd) { REAL(int, fsync, int); return fails_fd(fd) ? -1 : real(fd); }
int fdatasync(int fd) { REAL(int, fdatasync, int); return fails_fd(fd) ? -1 : real(fd); }
int ftruncate(int fd, off_t n) { REAL(int, ftruncate, int, off_t); return fails_fd(fd) ? -1 : real(fd, n); }
int ftruncate64(int fd, off64_t n) { REAL(int, ftruncate64, int, off64_t); return fails_fd(fd) ? -1 : real(fd, n); }
int rename(const char *a, const char *b) { REAL(int, rename, const char *, const char *); return fails(b) ? -1 : real(a, b); }

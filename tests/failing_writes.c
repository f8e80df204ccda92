/* Preloaded: from the n-th write below a folder on, writes fail. What counts: write, pwrite, writev, sendfile, sync, truncate,
   allocate, rename, and making a file or a folder that is not there. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
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
int renameat(int d, const char *a, int e, const char *b) { REAL(int, renameat, int, const char *, int, const char *); return fails(b) ? -1 : real(d, a, e, b); }
int mkdir(const char *p, mode_t m) { REAL(int, mkdir, const char *, mode_t); return access(p, F_OK) && fails(p) ? -1 : real(p, m); }
int posix_fallocate(int fd, off_t o, off_t n) { REAL(int, posix_fallocate, int, off_t, off_t); return fails_fd(fd) ? errno : real(fd, o, n); }
int fallocate(int fd, int m, off_t o, off_t n) { REAL(int, fallocate, int, int, off_t, off_t); return fails_fd(fd) ? -1 : real(fd, m, o, n); }
ssize_t pwritev(int fd, const struct iovec *v, int n, off_t o) { REAL(ssize_t, pwritev, int, const struct iovec *, int, off_t); return fails_fd(fd) ? -1 : real(fd, v, n, o); }
ssize_t sendfile(int to, int from, off_t *o, size_t n) { REAL(ssize_t, sendfile, int, int, off_t *, size_t); return fails_fd(to) ? -1 : real(to, from, o, n); }
ssize_t sendfile64(int to, int from, off64_t *o, size_t n) { REAL(ssize_t, sendfile64, int, int, off64_t *, size_t); return fails_fd(to) ? -1 : real(to, from, o, n); }

#define MADE(path, flags) ((flags) & O_CREAT && access(path, F_OK) && fails(path))
#define MODE(flags) mode_t mode = 0; if ((flags) & (O_CREAT | __O_TMPFILE)) { va_list more; va_start(more, flags); mode = va_arg(more, mode_t); va_end(more); }
int open(const char *p, int flags, ...) { MODE(flags) REAL(int, open, const char *, int, ...); return MADE(p, flags) ? -1 : real(p, flags, mode); }
int open64(const char *p, int flags, ...) { MODE(flags) REAL(int, open64, const char *, int, ...); return MADE(p, flags) ? -1 : real(p, flags, mode); }
int openat(int d, const char *p, int flags, ...) { MODE(flags) REAL(int, openat, int, const char *, int, ...); return MADE(p, flags) ? -1 : real(d, p, flags, mode); }
int openat64(int d, const char *p, int flags, ...) { MODE(flags) REAL(int, openat64, int, const char *, int, ...); return MADE(p, flags) ? -1 : real(d, p, flags, mode); }

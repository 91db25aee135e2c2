/* Writes down, in order, every write, truncation and sync of the database's files, for tests/it/power_cut.rs.
   Loaded before libc (LD_PRELOAD); PARLOR_RECORD names the file to write to.
   A record: what (1 write, 2 sync, 3 truncate), which file (0 database, 1 log), offset, length, and the bytes written.
   A write is written down before it is done, a sync when it has been done. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int out = -1;

static int ends_with(const char *text, const char *end) {
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

static int which(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n < 0) return -1;
    path[n] = 0;
    if (ends_with(path, "/chat.db")) return 0;
    if (ends_with(path, "/chat.db-wal")) return 1;
    return -1;
}

static void all(const void *bytes, size_t count) {
    const char *at = bytes;
    while (count > 0) {
        ssize_t n = write(out, at, count);
        if (n <= 0) abort();
        at += n;
        count -= (size_t)n;
    }
}

static void record(uint8_t what, uint8_t file, uint64_t offset, uint64_t length, const void *bytes) {
    pthread_mutex_lock(&lock);
    if (out < 0) {
        out = open(getenv("PARLOR_RECORD"), O_WRONLY | O_CREAT | O_APPEND, 0600);
        if (out < 0) abort();
    }
    char *whole = malloc(18 + (bytes ? length : 0));
    whole[0] = (char)what;
    whole[1] = (char)file;
    memcpy(whole + 2, &offset, 8);
    memcpy(whole + 10, &length, 8);
    if (bytes) memcpy(whole + 18, bytes, length);
    all(whole, 18 + (bytes ? length : 0));
    free(whole);
    pthread_mutex_unlock(&lock);
}

#define NEXT(name, type) static type next; if (!next) next = (type)dlsym(RTLD_NEXT, name)

typedef ssize_t (*pwrite_like)(int, const void *, size_t, off_t);
ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) {
    NEXT("pwrite", pwrite_like);
    int file = which(fd);
    if (file >= 0) record(1, (uint8_t)file, (uint64_t)offset, count, bytes);
    return next(fd, bytes, count, offset);
}
ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) {
    NEXT("pwrite64", pwrite_like);
    int file = which(fd);
    if (file >= 0) record(1, (uint8_t)file, (uint64_t)offset, count, bytes);
    return next(fd, bytes, count, offset);
}

typedef int (*ftruncate_like)(int, off_t);
int ftruncate(int fd, off_t length) {
    NEXT("ftruncate", ftruncate_like);
    int file = which(fd);
    if (file >= 0) record(3, (uint8_t)file, 0, (uint64_t)length, NULL);
    return next(fd, length);
}
int ftruncate64(int fd, off64_t length) {
    NEXT("ftruncate64", ftruncate_like);
    int file = which(fd);
    if (file >= 0) record(3, (uint8_t)file, 0, (uint64_t)length, NULL);
    return next(fd, length);
}

typedef int (*sync_like)(int);
int fsync(int fd) {
    NEXT("fsync", sync_like);
    int result = next(fd), file = which(fd);
    if (file >= 0 && result == 0) record(2, (uint8_t)file, 0, 0, NULL);
    return result;
}
int fdatasync(int fd) {
    NEXT("fdatasync", sync_like);
    int result = next(fd), file = which(fd);
    if (file >= 0 && result == 0) record(2, (uint8_t)file, 0, 0, NULL);
    return result;
}

// Loaded before the C library (LD_PRELOAD): records what a process asks of the files below one directory, or makes the disk
// fail there.
//
//   RECORDER_ROOT    the directory
//   RECORDER_LOG     record into this file: see `struct record`; nothing is really synced then
//   RECORDER_STOP    kill the process after this many records
//   RECORDER_MARKS   whatever is appended to this file goes into the log, too
//   RECORDER_FAULT   "full": the write with number RECORDER_AT, and all after it, find no space
//                    "once": only that write finds no space
//                    "short": that write writes half, and those after it find no space
//                    "sync": the sync with number RECORDER_AT fails, and writes succeed
//
// One lock is held during every call, so the log has the order in which the kernel saw them. Calls that could change files
// and are not understood here stop the process: a log with a gap would prove nothing.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

// A record: this, then `length` bytes. Integers as the machine has them.
struct record {
    // 'C' a file with this inode was made, 'K' a directory was made, 'U' a name was removed, 'R' renamed, 'D' a directory was
    // synced: the bytes are the path, or two with a zero byte between, relative to the root.
    // 'W' bytes were written at offset, 'T' the file got this size (offset), 'S' it was synced, 'M' a mark.
    uint64_t kind, inode, offset, length;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char root[4096], marks[4096];
static size_t root_length;
static int log_file = -1;
static enum { NONE, FULL, ONCE, SHORT, SYNC } fault;
static long fault_at, writes, syncs, stop_after;

static int (*real_open)(const char *, int, ...);
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_writev)(int, const struct iovec *, int);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static int (*real_ftruncate)(int, off_t), (*real_fsync)(int), (*real_fdatasync)(int);
static int (*real_sync_file_range)(int, off_t, off_t, unsigned);
static int (*real_rename)(const char *, const char *), (*real_unlink)(const char *), (*real_rmdir)(const char *);
static int (*real_mkdir)(const char *, mode_t);
static void *(*real_mmap)(void *, size_t, int, int, int, off_t);

static void stop(const char *why) {
    dprintf(2, "disk recorder: %s\n", why);
    abort();
}

__attribute__((constructor)) static void begin(void) {
    real_open = dlsym(RTLD_NEXT, "open64");
    real_write = dlsym(RTLD_NEXT, "write");
    real_writev = dlsym(RTLD_NEXT, "writev");
    real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
    real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    real_sync_file_range = dlsym(RTLD_NEXT, "sync_file_range");
    real_rename = dlsym(RTLD_NEXT, "rename");
    real_unlink = dlsym(RTLD_NEXT, "unlink");
    real_rmdir = dlsym(RTLD_NEXT, "rmdir");
    real_mkdir = dlsym(RTLD_NEXT, "mkdir");
    real_mmap = dlsym(RTLD_NEXT, "mmap64");
    const char *directory = getenv("RECORDER_ROOT"), *log = getenv("RECORDER_LOG"), *marked = getenv("RECORDER_MARKS");
    const char *kind = getenv("RECORDER_FAULT"), *at = getenv("RECORDER_AT");
    if (!directory) return;
    const char *last = getenv("RECORDER_STOP");
    stop_after = last ? atol(last) : 0;
    snprintf(root, sizeof root, "%s", directory);
    snprintf(marks, sizeof marks, "%s", marked ? marked : "");
    if (log) {
        log_file = real_open(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
        if (log_file < 0) stop("cannot open the log");
    }
    if (kind) {
        fault = !strcmp(kind, "full") ? FULL : !strcmp(kind, "once") ? ONCE : !strcmp(kind, "short") ? SHORT : SYNC;
        fault_at = at ? atol(at) : 0;
    }
    root_length = strlen(root);
}

// The path below the root, or nothing.
static const char *below_root(const char *path) {
    if (!root_length || strncmp(path, root, root_length) || path[root_length] != '/') return NULL;
    return path + root_length + 1;
}

// Whether an open file is below the root (1), the file of marks (2) or neither (0).
static int whose(int file) {
    char link[64], path[4096];
    if (!root_length || file == log_file) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    if (marks[0] && !strcmp(path, marks)) return 2;
    return below_root(path) || !strcmp(path, root);
}

static void put(const void *bytes, size_t length) {
    const char *next = bytes;
    while (length > 0) {
        ssize_t count = real_write(log_file, next, length);
        if (count <= 0) stop("cannot write the log");
        next += count;
        length -= count;
    }
}

static void record(char kind, uint64_t inode, uint64_t offset, const void *bytes, size_t length) {
    if (log_file < 0) return;
    struct record head = {kind, inode, offset, length};
    put(&head, sizeof head);
    put(bytes, length);
    // With the lock held, so that nothing comes after the last record.
    if (stop_after && !--stop_after) kill(getpid(), SIGKILL);
}

static uint64_t inode_of(int file) {
    struct stat status;
    if (fstat(file, &status)) stop("cannot ask for an inode");
    return status.st_ino;
}

#define LOCKED(expression) ({ \
    pthread_mutex_lock(&lock); \
    __typeof__(expression) result = (expression); \
    int error = errno; \
    pthread_mutex_unlock(&lock); \
    errno = error; \
    result; \
})

static int no_space(void) {
    errno = ENOSPC;
    return -1;
}

// How many of `length` bytes the disk takes, or -1.
static ssize_t taken(size_t length) {
    if (fault == NONE || fault == SYNC || length == 0) return length;
    long number = writes++;
    if (number < fault_at || (fault == ONCE && number > fault_at)) return length;
    if (fault == SHORT && number == fault_at && length > 1) return length / 2;
    return no_space();
}

// Whether a new name finds space: not on a full disk.
static int has_space(void) {
    return !((fault == FULL || fault == SHORT) && writes > fault_at);
}

static ssize_t write_at(int file, const void *bytes, size_t length, off_t offset) {
    ssize_t allowed = taken(length);
    if (allowed < 0) return allowed;
    ssize_t count = real_pwrite(file, bytes, allowed, offset);
    if (count > 0) record('W', inode_of(file), offset, bytes, count);
    return count;
}

static ssize_t write_on(int file, const void *bytes, size_t length) {
    ssize_t allowed = taken(length);
    if (allowed < 0) return allowed;
    ssize_t count = real_write(file, bytes, allowed);
    if (count > 0) record('W', inode_of(file), lseek(file, 0, SEEK_CUR) - count, bytes, count);
    return count;
}

static int sync_file(int file, int (*real)(int)) {
    if (fault == SYNC && syncs++ == fault_at) {
        errno = EIO;
        return -1;
    }
    if (log_file < 0) return fault == NONE ? real(file) : 0;
    struct stat status;
    if (fstat(file, &status)) return -1;
    if (!S_ISDIR(status.st_mode)) {
        record('S', status.st_ino, 0, "", 0);
        return 0;
    }
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return -1;
    path[length] = 0;
    const char *relative = below_root(path);
    record('D', 0, 0, relative ? relative : "", relative ? strlen(relative) : 0);
    return 0;
}

static int open_file(const char *path, int flags, mode_t mode) {
    const char *relative = below_root(path);
    int exists = access(path, F_OK) == 0;
    if (relative && (flags & O_CREAT) && !exists && !has_space()) return no_space();
    int file = real_open(path, flags, mode);
    if (file < 0 || !relative) return file;
    if ((flags & O_CREAT) && !exists) record('C', inode_of(file), 0, relative, strlen(relative));
    else if (flags & O_TRUNC) record('T', inode_of(file), 0, "", 0);
    return file;
}

static int rename_file(const char *from, const char *to) {
    const char *a = below_root(from), *b = below_root(to);
    if (!a != !b) stop("rename over the border of the root");
    if (a && !has_space()) return no_space();
    int result = real_rename(from, to);
    if (a && !result) {
        char both[8192];
        int length = snprintf(both, sizeof both, "%s%c%s", a, 0, b);
        record('R', 0, 0, both, length);
    }
    return result;
}

static int remove_name(const char *path, int (*real)(const char *)) {
    const char *relative = below_root(path);
    int result = real(path);
    if (relative && !result) record('U', 0, 0, relative, strlen(relative));
    return result;
}

static int make_directory(const char *path, mode_t mode) {
    const char *relative = below_root(path);
    if (relative && access(path, F_OK) && !has_space()) return no_space();
    int result = real_mkdir(path, mode);
    if (relative && !result) record('K', 0, 0, relative, strlen(relative));
    return result;
}

static int resize(int file, off_t size) {
    int result = real_ftruncate(file, size);
    if (!result) record('T', inode_of(file), size, "", 0);
    return result;
}

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        mode_t mode = 0; \
        if (flags & O_CREAT) { \
            va_list arguments; \
            va_start(arguments, flags); \
            mode = va_arg(arguments, mode_t); \
            va_end(arguments); \
        } \
        if (!real_open) real_open = dlsym(RTLD_NEXT, "open64"); \
        if (!below_root(path)) return real_open(path, flags, mode); \
        return LOCKED(open_file(path, flags, mode)); \
    }
OPEN(open)
OPEN(open64)

ssize_t pwrite64(int file, const void *bytes, size_t length, off_t offset) {
    if (whose(file) != 1) return real_pwrite(file, bytes, length, offset);
    return LOCKED(write_at(file, bytes, length, offset));
}

ssize_t pwrite(int file, const void *bytes, size_t length, off_t offset) {
    return pwrite64(file, bytes, length, offset);
}

ssize_t write(int file, const void *bytes, size_t length) {
    if (!real_write) real_write = dlsym(RTLD_NEXT, "write");
    switch (whose(file)) {
    case 0:
        return real_write(file, bytes, length);
    case 2:
        pthread_mutex_lock(&lock);
        record('M', 0, 0, bytes, length);
        pthread_mutex_unlock(&lock);
        return length;
    default:
        return LOCKED(write_on(file, bytes, length));
    }
}

ssize_t writev(int file, const struct iovec *parts, int count) {
    if (whose(file) == 0) return real_writev(file, parts, count);
    ssize_t total = 0;
    for (int part = 0; part < count; part++) {
        ssize_t written = write(file, parts[part].iov_base, parts[part].iov_len);
        if (written < 0) return total ? total : written;
        total += written;
        if ((size_t)written < parts[part].iov_len) break;
    }
    return total;
}

int ftruncate64(int file, off_t size) {
    if (whose(file) != 1) return real_ftruncate(file, size);
    return LOCKED(resize(file, size));
}

int ftruncate(int file, off_t size) {
    return ftruncate64(file, size);
}

int fsync(int file) {
    if (whose(file) != 1) return real_fsync(file);
    return LOCKED(sync_file(file, real_fsync));
}

int fdatasync(int file) {
    if (whose(file) != 1) return real_fdatasync(file);
    return LOCKED(sync_file(file, real_fdatasync));
}

// Promises nothing about the drive's cache or the file's size, so it counts for nothing.
int sync_file_range(int file, off_t offset, off_t length, unsigned flags) {
    if (whose(file) != 1) return real_sync_file_range(file, offset, length, flags);
    if (fault == SYNC && LOCKED(syncs++) == fault_at) {
        errno = EIO;
        return -1;
    }
    return 0;
}

int rename(const char *from, const char *to) {
    return LOCKED(rename_file(from, to));
}

int unlink(const char *path) {
    return LOCKED(remove_name(path, real_unlink));
}

int rmdir(const char *path) {
    return LOCKED(remove_name(path, real_rmdir));
}

int mkdir(const char *path, mode_t mode) {
    return LOCKED(make_directory(path, mode));
}

static void *map(void *address, size_t length, int protection, int flags, int file, off_t offset) {
    if ((flags & MAP_SHARED) && (protection & PROT_WRITE) && file >= 0 && whose(file) == 1) stop("a shared mapping");
    if (!real_mmap) real_mmap = dlsym(RTLD_NEXT, "mmap64");
    return real_mmap(address, length, protection, flags, file, offset);
}

void *mmap(void *address, size_t length, int protection, int flags, int file, off_t offset) {
    return map(address, length, protection, flags, file, offset);
}

void *mmap64(void *address, size_t length, int protection, int flags, int file, off_t offset) {
    return map(address, length, protection, flags, file, offset);
}

#define NOT_UNDERSTOOD(type, name, file, parameters, arguments) \
    type name parameters { \
        if (whose(file) == 1) stop(#name); \
        type(*real) parameters = dlsym(RTLD_NEXT, #name); \
        return real arguments; \
    }
NOT_UNDERSTOOD(ssize_t, pwritev, file, (int file, const struct iovec *parts, int count, off_t at), (file, parts, count, at))
NOT_UNDERSTOOD(ssize_t, pwritev64, file, (int file, const struct iovec *parts, int count, off_t at), (file, parts, count, at))
NOT_UNDERSTOOD(int, fallocate, file, (int file, int mode, off_t at, off_t length), (file, mode, at, length))
NOT_UNDERSTOOD(int, fallocate64, file, (int file, int mode, off_t at, off_t length), (file, mode, at, length))
NOT_UNDERSTOOD(int, posix_fallocate, file, (int file, off_t at, off_t length), (file, at, length))
NOT_UNDERSTOOD(int, posix_fallocate64, file, (int file, off_t at, off_t length), (file, at, length))
NOT_UNDERSTOOD(ssize_t, copy_file_range, to,
               (int from, off_t *a, int to, off_t *b, size_t length, unsigned flags), (from, a, to, b, length, flags))
NOT_UNDERSTOOD(ssize_t, sendfile64, to, (int to, int from, off_t *at, size_t length), (to, from, at, length))

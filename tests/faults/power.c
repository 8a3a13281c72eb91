/* Writes down, in their order, what a process does to the files of one folder: for power.py.
 *
 * Preloaded. POWER_ROOT is the folder, POWER_LOG the file to write to. A record is a header and its
 * path and data. Only what SQLite and Python's os module call is looked at.
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct header {
    uint32_t kind; /* 'w' write, 's' sync, 't' truncate, 'u' unlink */
    uint32_t path_length;
    uint64_t offset;
    uint64_t data_length;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void note(char kind, const char *path, uint64_t offset, const void *data, size_t length) {
    static int log = -1;
    const char *root = getenv("POWER_ROOT");
    if (root == NULL || strncmp(path, root, strlen(root)) != 0) return;
    pthread_mutex_lock(&mutex);
    if (log < 0)
        log = syscall(SYS_openat, AT_FDCWD, getenv("POWER_LOG"),
                      O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    struct header header = {kind, strlen(path), offset, length};
    if (syscall(SYS_write, log, &header, sizeof header) < 0 ||
        syscall(SYS_write, log, path, strlen(path)) < 0 ||
        (length > 0 && syscall(SYS_write, log, data, length) < 0))
        abort();
    pthread_mutex_unlock(&mutex);
}

static void note_of(int file, char kind, uint64_t offset, const void *data, size_t length) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t found = readlink(link, path, sizeof path - 1);
    if (found <= 0) return;
    path[found] = 0;
    note(kind, path, offset, data, length);
}

#define REAL(name, type) ((type)dlsym(RTLD_NEXT, name))

ssize_t pwrite64(int file, const void *data, size_t length, off64_t offset) {
    ssize_t done = REAL("pwrite64", ssize_t (*)(int, const void *, size_t, off64_t))(
        file, data, length, offset);
    if (done > 0) note_of(file, 'w', offset, data, done);
    return done;
}

ssize_t pwrite(int file, const void *data, size_t length, off_t offset) {
    return pwrite64(file, data, length, offset);
}

ssize_t write(int file, const void *data, size_t length) {
    off_t offset = lseek(file, 0, SEEK_CUR);
    ssize_t done = REAL("write", ssize_t (*)(int, const void *, size_t))(file, data, length);
    if (done > 0) note_of(file, 'w', offset < 0 ? 0 : offset, data, done);
    return done;
}

int fdatasync(int file) {
    int done = REAL("fdatasync", int (*)(int))(file);
    if (done == 0) note_of(file, 's', 0, NULL, 0);
    return done;
}

int fsync(int file) {
    int done = REAL("fsync", int (*)(int))(file);
    if (done == 0) note_of(file, 's', 0, NULL, 0);
    return done;
}

int ftruncate64(int file, off64_t length) {
    int done = REAL("ftruncate64", int (*)(int, off64_t))(file, length);
    if (done == 0) note_of(file, 't', length, NULL, 0);
    return done;
}

int ftruncate(int file, off_t length) { return ftruncate64(file, length); }

int unlink(const char *path) {
    int done = REAL("unlink", int (*)(const char *))(path);
    if (done == 0) note('u', path, 0, NULL, 0);
    return done;
}

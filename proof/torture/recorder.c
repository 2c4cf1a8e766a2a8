/* A preload for tests: records every write and sync of the files under one directory, and lets a process stand still at a chosen one.
 *
 * TORTURE_ROOT   the directory (absolute, resolved)
 * TORTURE_TRACE  file the records are appended to; none when unset
 * TORTURE_POINT  a shared page (struct point) by which a torturer says where to stand still; none when unset
 *
 * A record: struct head, then the path, the other path (of a rename), then the data; paths are relative to the root. Recorded once done, so that
 * nothing is taken for synced that was not. What cannot be recorded (a shared mapping, a link, a copy inside the kernel) leaves a record `X`, so that
 * the reader refuses the trace instead of judging half of it. Must not know what the files hold.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

struct head {
    char what; /* C reate, T runcate, W rite, S ync, R ename, U nlink, M kdir, X: unseen */
    char unused[3];
    int32_t pid;
    uint64_t offset; /* of a write; the size of a truncation */
    uint32_t path, other, data, reserved;
};

enum { BEFORE, BETWEEN, AFTER };

struct point {
    int32_t left;  /* operations until the one to stand at; 0: none */
    int32_t where; /* BEFORE, BETWEEN or AFTER it */
    int32_t at;    /* 1: a process stands there */
    int32_t go;    /* 1: it may go on */
    int32_t pid;   /* who stands there */
    int32_t seen;  /* operations so far */
};

static char root[PATH_MAX];
static size_t root_length;
static int trace = -1;
static struct point *point;

#define REAL(result, name, ...)                                   \
    static result (*real_##name)(__VA_ARGS__);                    \
    if (!real_##name)                                             \
    real_##name = (result(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)

static ssize_t plain_write(int fd, const void *bytes, size_t count) {
    REAL(ssize_t, write, int, const void *, size_t);
    return real_write(fd, bytes, count);
}

static int plain_open(const char *path, int flags, mode_t mode) {
    REAL(int, open64, const char *, int, ...);
    return real_open64(path, flags, mode);
}

static void fail(const char *why) {
    dprintf(2, "the recorder cannot work: %s: %s\n", why, strerror(errno));
    _exit(97);
}

__attribute__((constructor)) static void begin(void) {
    const char *where = getenv("TORTURE_ROOT"), *into = getenv("TORTURE_TRACE"), *page = getenv("TORTURE_POINT");
    if (!where || strlen(where) >= sizeof root)
        return;
    strcpy(root, where);
    root_length = strlen(root);
    if (into && (trace = plain_open(into, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) < 0)
        fail(into);
    if (page) {
        int fd = plain_open(page, O_RDWR | O_CLOEXEC, 0600);
        void *mapped = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *point, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (mapped == MAP_FAILED)
            fail(page);
        point = mapped;
        close(fd);
    }
}

/* The path below the root, or NULL. */
static const char *below(const char *path) {
    if (!root_length || strncmp(path, root, root_length) || (path[root_length] && path[root_length] != '/'))
        return NULL;
    return path + root_length + (path[root_length] == '/');
}

static const char *of_fd(int fd, char *buffer) {
    char link[32];
    ssize_t length;
    if (!root_length || fd < 0)
        return NULL;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    length = readlink(link, buffer, PATH_MAX - 1);
    if (length < 0)
        return NULL;
    buffer[length] = 0;
    return below(buffer);
}

/* The directory part is resolved, the last name is not followed. */
static const char *of_path(int directory, const char *path, char *buffer) {
    char joined[PATH_MAX * 2], parent[PATH_MAX], *slash;
    if (!root_length || !path)
        return NULL;
    if (path[0] != '/') {
        char link[48];
        ssize_t length;
        if (directory == AT_FDCWD)
            snprintf(link, sizeof link, "/proc/self/cwd");
        else
            snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
        if ((length = readlink(link, joined, PATH_MAX - 1)) < 0)
            return NULL;
        snprintf(joined + length, sizeof joined - length, "/%s", path);
    } else
        snprintf(joined, sizeof joined, "%s", path);
    if (!(slash = strrchr(joined, '/')) || !slash[1])
        return NULL;
    *slash = 0;
    if (!realpath(*joined ? joined : "/", parent) || strlen(parent) + strlen(slash + 1) + 2 > PATH_MAX)
        return NULL;
    strcpy(buffer, parent);
    strcat(buffer, "/");
    strcat(buffer, slash + 1);
    return below(buffer);
}

static void record(char what, const char *path, const char *other, uint64_t offset, const void *data, size_t count) {
    struct head head = {what, {0}, getpid(), offset, strlen(path), other ? strlen(other) : 0, count, 0};
    struct iovec parts[] = {{&head, sizeof head}, {(void *)path, head.path}, {(void *)other, head.other}, {(void *)data, count}};
    REAL(ssize_t, writev, int, const struct iovec *, int);
    int before = errno;
    if (trace >= 0 && real_writev(trace, parts, 4) != (ssize_t)(sizeof head + head.path + head.other + count))
        fail("the trace");
    errno = before;
}

/* Whether to stand still at this operation. */
static int reached(void) {
    if (!point)
        return 0;
    __atomic_add_fetch(&point->seen, 1, __ATOMIC_SEQ_CST);
    return __atomic_load_n(&point->left, __ATOMIC_SEQ_CST) > 0 && __atomic_sub_fetch(&point->left, 1, __ATOMIC_SEQ_CST) == 0;
}

static void stand(int reached, int where) {
    if (!reached || point->where != where)
        return;
    int before = errno;
    point->pid = getpid();
    __atomic_store_n(&point->at, 1, __ATOMIC_SEQ_CST);
    while (!__atomic_load_n(&point->go, __ATOMIC_SEQ_CST))
        usleep(200);
    errno = before;
}

typedef ssize_t (*writer)(int fd, const void *bytes, size_t count, off64_t offset);

static ssize_t at_offset(int fd, const void *bytes, size_t count, off64_t offset) {
    REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t);
    return real_pwrite64(fd, bytes, count, offset);
}

static ssize_t at_end(int fd, const void *bytes, size_t count, off64_t offset) {
    (void)offset;
    return plain_write(fd, bytes, count);
}

static ssize_t put(writer real, int fd, const char *path, const char *bytes, size_t count, off64_t offset) {
    ssize_t done = real(fd, bytes, count, offset);
    if (done > 0)
        record('W', path, NULL, real == at_offset ? offset : lseek64(fd, 0, SEEK_CUR) - done, bytes, done);
    return done;
}

static ssize_t store(writer real, int fd, const void *bytes, size_t count, off64_t offset) {
    char buffer[PATH_MAX];
    const char *path = of_fd(fd, buffer);
    if (!path)
        return real(fd, bytes, count, offset);
    int here = reached();
    ssize_t first = 0, rest;
    stand(here, BEFORE);
    if (here && point->where == BETWEEN && count > 1) {
        if ((first = put(real, fd, path, bytes, count / 2, offset)) < 0)
            return first;
        stand(here, BETWEEN);
    }
    rest = put(real, fd, path, (const char *)bytes + first, count - first, offset + first);
    if (rest >= 0 && fcntl(fd, F_GETFL) & O_DSYNC)
        record('S', path, NULL, 0, NULL, 0);
    stand(here, AFTER);
    return rest < 0 ? rest : first + rest;
}

static ssize_t gathered(writer real, int fd, const struct iovec *parts, int count, off64_t offset) {
    size_t total = 0, filled = 0;
    for (int i = 0; i < count; i++)
        total += parts[i].iov_len;
    char *bytes = malloc(total + 1);
    for (int i = 0; i < count; i++) {
        memcpy(bytes + filled, parts[i].iov_base, parts[i].iov_len);
        filled += parts[i].iov_len;
    }
    ssize_t done = store(real, fd, bytes, total, offset);
    free(bytes);
    return done;
}

static int inside(int fd) {
    char buffer[PATH_MAX];
    return of_fd(fd, buffer) != NULL;
}

ssize_t write(int fd, const void *bytes, size_t count) { return store(at_end, fd, bytes, count, 0); }
ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) { return store(at_offset, fd, bytes, count, offset); }
ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) { return store(at_offset, fd, bytes, count, offset); }

ssize_t writev(int fd, const struct iovec *parts, int count) {
    REAL(ssize_t, writev, int, const struct iovec *, int);
    return inside(fd) ? gathered(at_end, fd, parts, count, 0) : real_writev(fd, parts, count);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset) {
    REAL(ssize_t, pwritev64, int, const struct iovec *, int, off64_t);
    return inside(fd) ? gathered(at_offset, fd, parts, count, offset) : real_pwritev64(fd, parts, count, offset);
}
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) { return pwritev64(fd, parts, count, offset); }

#define SIMPLE(what, path, other, offset, call)          \
    do {                                                 \
        int here = (path) ? reached() : 0, result;       \
        stand(here, BEFORE);                             \
        stand(here, BETWEEN);                            \
        result = (call);                                 \
        if (result == 0 && (path))                       \
            record(what, path, other, offset, NULL, 0);  \
        stand(here, AFTER);                              \
        return result;                                   \
    } while (0)

int fsync(int fd) {
    char buffer[PATH_MAX];
    const char *path = of_fd(fd, buffer);
    REAL(int, fsync, int);
    SIMPLE('S', path, NULL, 0, real_fsync(fd));
}

int fdatasync(int fd) {
    char buffer[PATH_MAX];
    const char *path = of_fd(fd, buffer);
    REAL(int, fdatasync, int);
    SIMPLE('S', path, NULL, 0, real_fdatasync(fd));
}

int ftruncate64(int fd, off64_t size) {
    char buffer[PATH_MAX];
    const char *path = of_fd(fd, buffer);
    REAL(int, ftruncate64, int, off64_t);
    SIMPLE('T', path, NULL, size, real_ftruncate64(fd, size));
}
int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

int truncate64(const char *name, off64_t size) {
    char buffer[PATH_MAX];
    const char *path = of_path(AT_FDCWD, name, buffer);
    REAL(int, truncate64, const char *, off64_t);
    SIMPLE('T', path, NULL, size, real_truncate64(name, size));
}
int truncate(const char *name, off_t size) { return truncate64(name, size); }

int unlinkat(int directory, const char *name, int flags) {
    char buffer[PATH_MAX];
    const char *path = of_path(directory, name, buffer);
    REAL(int, unlinkat, int, const char *, int);
    SIMPLE('U', path, NULL, 0, real_unlinkat(directory, name, flags));
}
int unlink(const char *name) { return unlinkat(AT_FDCWD, name, 0); }
int rmdir(const char *name) { return unlinkat(AT_FDCWD, name, AT_REMOVEDIR); }

int renameat(int from, const char *old, int to, const char *fresh) {
    char first[PATH_MAX], second[PATH_MAX];
    const char *path = of_path(from, old, first), *other = of_path(to, fresh, second);
    REAL(int, renameat, int, const char *, int, const char *);
    if (path && !other)
        record('X', path, NULL, 0, NULL, 0);
    SIMPLE('R', path, other, 0, real_renameat(from, old, to, fresh));
}
int rename(const char *old, const char *fresh) { return renameat(AT_FDCWD, old, AT_FDCWD, fresh); }

int mkdirat(int directory, const char *name, mode_t mode) {
    char buffer[PATH_MAX];
    const char *path = of_path(directory, name, buffer);
    REAL(int, mkdirat, int, const char *, mode_t);
    SIMPLE('M', path, NULL, 0, real_mkdirat(directory, name, mode));
}
int mkdir(const char *name, mode_t mode) { return mkdirat(AT_FDCWD, name, mode); }

static int opened(int directory, const char *name, int flags, mode_t mode) {
    char buffer[PATH_MAX];
    REAL(int, openat64, int, const char *, int, ...);
    const char *path = flags & (O_CREAT | O_TRUNC) ? of_path(directory, name, buffer) : NULL;
    int fresh = path && faccessat(directory, name, F_OK, 0) != 0, here = path && (fresh || flags & O_TRUNC) ? reached() : 0, fd;
    stand(here, BEFORE);
    stand(here, BETWEEN);
    fd = real_openat64(directory, name, flags, mode);
    if (fd >= 0 && path && fresh)
        record('C', path, NULL, 0, NULL, 0);
    else if (fd >= 0 && path && flags & O_TRUNC)
        record('T', path, NULL, 0, NULL, 0);
    stand(here, AFTER);
    return fd;
}

#define MODE(flags, mode)                     \
    mode_t mode = 0;                          \
    if ((flags) & (O_CREAT | O_TMPFILE)) {    \
        va_list rest;                         \
        va_start(rest, flags);                \
        mode = va_arg(rest, mode_t);          \
        va_end(rest);                         \
    }

int open(const char *name, int flags, ...) {
    MODE(flags, mode)
    return opened(AT_FDCWD, name, flags, mode);
}
int open64(const char *name, int flags, ...) {
    MODE(flags, mode)
    return opened(AT_FDCWD, name, flags | O_LARGEFILE, mode);
}
int openat(int directory, const char *name, int flags, ...) {
    MODE(flags, mode)
    return opened(directory, name, flags, mode);
}
int openat64(int directory, const char *name, int flags, ...) {
    MODE(flags, mode)
    return opened(directory, name, flags | O_LARGEFILE, mode);
}

int fallocate64(int fd, int mode, off64_t offset, off64_t length) {
    char buffer[PATH_MAX];
    const char *path = of_fd(fd, buffer);
    struct stat status;
    REAL(int, fallocate64, int, int, off64_t, off64_t);
    off64_t size = fstat(fd, &status) == 0 ? status.st_size : 0;
    if (path && mode)
        record('X', path, NULL, 0, NULL, 0);
    SIMPLE('T', path, NULL, offset + length > size ? offset + length : size, real_fallocate64(fd, mode, offset, length));
}
int fallocate(int fd, int mode, off_t offset, off_t length) { return fallocate64(fd, mode, offset, length); }
int posix_fallocate64(int fd, off64_t offset, off64_t length) { return fallocate64(fd, 0, offset, length) ? errno : 0; }
int posix_fallocate(int fd, off_t offset, off_t length) { return posix_fallocate64(fd, offset, length); }

static void unseen(int fd) {
    char buffer[PATH_MAX];
    const char *path = of_fd(fd, buffer);
    if (path)
        record('X', path, NULL, 0, NULL, 0);
}

void *mmap64(void *where, size_t length, int protection, int flags, int fd, off64_t offset) {
    REAL(void *, mmap64, void *, size_t, int, int, int, off64_t);
    if (fd >= 0 && flags & MAP_SHARED && protection & PROT_WRITE)
        unseen(fd);
    return real_mmap64(where, length, protection, flags, fd, offset);
}
void *mmap(void *where, size_t length, int protection, int flags, int fd, off_t offset) {
    return mmap64(where, length, protection, flags, fd, offset);
}

ssize_t sendfile64(int out, int in, off64_t *offset, size_t count) {
    REAL(ssize_t, sendfile64, int, int, off64_t *, size_t);
    unseen(out);
    return real_sendfile64(out, in, offset, count);
}
ssize_t sendfile(int out, int in, off_t *offset, size_t count) { return sendfile64(out, in, offset, count); }

ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t count, unsigned flags) {
    REAL(ssize_t, copy_file_range, int, off64_t *, int, off64_t *, size_t, unsigned);
    unseen(out);
    return real_copy_file_range(in, from, out, to, count, flags);
}

int linkat(int from, const char *old, int to, const char *fresh, int flags) {
    char buffer[PATH_MAX];
    const char *path = of_path(to, fresh, buffer);
    REAL(int, linkat, int, const char *, int, const char *, int);
    if (path)
        record('X', path, NULL, 0, NULL, 0);
    return real_linkat(from, old, to, fresh, flags);
}
int link(const char *old, const char *fresh) { return linkat(AT_FDCWD, old, AT_FDCWD, fresh, 0); }

/* SPDX-License-Identifier: Apache-2.0 */

/* Counts a program's system calls: LD_PRELOAD it.  The counts are in the file
 * that BENCH_CALLS names, an array of struct count, and can be read while the
 * program runs.
 *
 * Counted are the calls that a switch makes for its work, at the C library's
 * functions: what the library does by itself (futexes, memory) isn't.
 * clock_gettime() is one of them in user-mode Linux, not elsewhere.  Slows
 * the program down by next to nothing, unlike tracing it, so batches are as
 * large as ever. */

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* NAME, what it returns, its parameters, its arguments. */
#define CALLS                                                               \
    CALL(sendmsg, ssize_t, (int fd, const struct msghdr *m, int flags),     \
         (fd, m, flags))                                                    \
    CALL(sendmmsg, int, (int fd, struct mmsghdr *m, unsigned int n,         \
                         int flags), (fd, m, n, flags))                     \
    CALL(send, ssize_t, (int fd, const void *p, size_t n, int flags),       \
         (fd, p, n, flags))                                                 \
    CALL(sendto, ssize_t, (int fd, const void *p, size_t n, int flags,      \
                           const struct sockaddr *to, socklen_t len),       \
         (fd, p, n, flags, to, len))                                        \
    CALL(recvmsg, ssize_t, (int fd, struct msghdr *m, int flags),           \
         (fd, m, flags))                                                    \
    CALL(recvmmsg, int, (int fd, struct mmsghdr *m, unsigned int n,         \
                         int flags, struct timespec *t),                    \
         (fd, m, n, flags, t))                                              \
    CALL(recv, ssize_t, (int fd, void *p, size_t n, int flags),             \
         (fd, p, n, flags))                                                 \
    CALL(recvfrom, ssize_t, (int fd, void *p, size_t n, int flags,          \
                             struct sockaddr *from, socklen_t *len),        \
         (fd, p, n, flags, from, len))                                      \
    CALL(read, ssize_t, (int fd, void *p, size_t n), (fd, p, n))            \
    CALL(write, ssize_t, (int fd, const void *p, size_t n), (fd, p, n))     \
    CALL(writev, ssize_t, (int fd, const struct iovec *v, int n),           \
         (fd, v, n))                                                        \
    CALL(poll, int, (struct pollfd *p, nfds_t n, int timeout),              \
         (p, n, timeout))                                                   \
    CALL(epoll_wait, int, (int fd, struct epoll_event *p, int n,            \
                           int timeout), (fd, p, n, timeout))               \
    CALL(socket, int, (int domain, int type, int protocol),                 \
         (domain, type, protocol))                                          \
    CALL(clock_gettime, int, (clockid_t id, struct timespec *t), (id, t))   \
    CALL(close, int, (int fd), (fd))                                        \
    CALL(getrusage, int, (__rusage_who_t who, struct rusage *r), (who, r))

enum {
#define CALL(NAME, TYPE, PARAMETERS, ARGUMENTS) N_##NAME,
    CALLS
#undef CALL
    N_CALLS
};

struct count {
    char name[24];
    uint64_t n;
};

static struct count nowhere[N_CALLS];
static struct count *counts = nowhere;

#define CALL(NAME, TYPE, PARAMETERS, ARGUMENTS)                             \
    static TYPE (*real_##NAME) PARAMETERS;
CALLS
#undef CALL

static void __attribute__((constructor))
init(void)
{
    const char *name = getenv("BENCH_CALLS");
    int fd;

#define CALL(NAME, TYPE, PARAMETERS, ARGUMENTS)                             \
    *(void **) &real_##NAME = dlsym(RTLD_NEXT, #NAME);
    CALLS
#undef CALL

    fd = name ? open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (fd >= 0 && !ftruncate(fd, sizeof nowhere)) {
        void *p = mmap(NULL, sizeof nowhere, PROT_READ | PROT_WRITE,
                       MAP_SHARED, fd, 0);
        counts = p != MAP_FAILED ? p : nowhere;
    }
#define CALL(NAME, TYPE, PARAMETERS, ARGUMENTS)                             \
    strcpy(counts[N_##NAME].name, #NAME);
    CALLS
#undef CALL
}

#define CALL(NAME, TYPE, PARAMETERS, ARGUMENTS)                             \
    TYPE NAME PARAMETERS;                                                   \
    TYPE                                                                    \
    NAME PARAMETERS                                                         \
    {                                                                       \
        if (!real_##NAME) {                                                 \
            *(void **) &real_##NAME = dlsym(RTLD_NEXT, #NAME);              \
        }                                                                   \
        __atomic_fetch_add(&counts[N_##NAME].n, 1, __ATOMIC_RELAXED);       \
        return real_##NAME ARGUMENTS;                                       \
    }
CALLS
#undef CALL

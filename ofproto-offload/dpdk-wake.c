/* SPDX-License-Identifier: Apache-2.0 */

/* Flows get to us without delay.
 *
 * In the userspace datapath, a thread that meets a new flow puts it into a
 * queue for Open vSwitch's threads that offload.  These look into an empty
 * queue with mpsc_queue_tail(), sleep for 1 ms, look again, sleep for 2 ms and
 * so on up to 64 ms.  Most of the time from a flow's first packet to its rule
 * is that sleep.
 *
 * Here, who looks into an empty queue waits until something is in it, and who
 * puts something there wakes him: a system call only if somebody sleeps.  All
 * users of these queues in Open vSwitch look, and sleep if there is nothing,
 * so that they can't tell the difference.
 *
 * A lone flow finds the reader waiting.  Flows that come one on the heels of
 * the other mustn't cost a system call each, least of all the thread that
 * forwards packets: after a batch, the reader naps, and nobody wakes him,
 * before he waits.  What has come meanwhile is the next batch; as long as that
 * is worth it, naps get longer. */

#include <config.h>

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "coverage.h"
#include "dpdk-offload.h"
#include "mpsc-queue.h"
#include "openvswitch/vlog.h"
#include "ovs-atomic.h"
#include "ovs-rcu.h"
#include "ovs-thread.h"
#include "util.h"
#include "wrap.h"

VLOG_DEFINE_THIS_MODULE(offload_wake);

COVERAGE_DEFINE(offload_wake);

OFFLOAD_WRAP(mpsc_queue_insert);
OFFLOAD_WRAP(mpsc_queue_tail);

/* Up to 10 threads that offload, and one of netdev-dpdk's.  With more queues,
 * their readers look and sleep as ever. */
#define MAX_WAITERS 16

/* Naps, in nsec; the kernel's timers make them some 60000 longer. */
#define MIN_NAP_NS 50000
#define MAX_NAP_NS 400000

/* What makes a nap worth it. */
#define MIN_BATCH 4

/* The reader of a queue.  Once it has waited, it is known for ever: queues
 * live as long as the process. */
struct waiter {
    ATOMIC(const struct mpsc_queue *) queue;    /* NULL: unused. */
    atomic_bool waiting;        /* Is it to be woken? */
    int fd;                     /* An eventfd, set before 'queue'. */
    uint64_t nap;               /* The next one, nsec.  Of the reader. */
};

static struct waiter waiters[MAX_WAITERS];
static struct ovs_mutex mutex = OVS_MUTEX_INITIALIZER;  /* To add one. */

/* Waiters are used from the front. */
static struct waiter *
waiter_find(const struct mpsc_queue *queue)
{
    for (size_t i = 0; i < ARRAY_SIZE(waiters); i++) {
        const struct mpsc_queue *q;

        atomic_read_explicit(&waiters[i].queue, &q, memory_order_acquire);
        if (q == queue) {
            return &waiters[i];
        } else if (!q) {
            break;
        }
    }
    return NULL;
}

static struct waiter *
waiter_add(const struct mpsc_queue *queue)
{
    struct waiter *found = NULL;
    int fd = eventfd(0, EFD_CLOEXEC);

    if (fd < 0) {
        VLOG_WARN_ONCE("eventfd: %s; flows are offloaded with delay",
                       ovs_strerror(errno));
        return NULL;
    }
    ovs_mutex_lock(&mutex);
    for (size_t i = 0; i < ARRAY_SIZE(waiters) && !found; i++) {
        const struct mpsc_queue *q;

        atomic_read_relaxed(&waiters[i].queue, &q);
        if (!q) {
            found = &waiters[i];
            found->fd = fd;
            found->nap = MIN_NAP_NS;
            atomic_store_explicit(&found->queue, queue, memory_order_release);
        }
    }
    ovs_mutex_unlock(&mutex);
    if (!found) {
        close(fd);
    }
    return found;
}

static bool
has_batch(struct mpsc_queue *queue)
    OVS_REQUIRES(queue->read_lock)
{
    struct mpsc_queue_node *node = __real_mpsc_queue_tail(queue);
    size_t n = 0;

    while (node && ++n < MIN_BATCH) {
        node = mpsc_queue_next(queue, node);
    }
    return n >= MIN_BATCH;
}

static void
nap(struct waiter *waiter, struct mpsc_queue *queue)
    OVS_REQUIRES(queue->read_lock)
{
    xnanosleep_no_quiesce(waiter->nap);
    waiter->nap = (has_batch(queue) ? MIN(waiter->nap * 2, MAX_NAP_NS)
                   : MAX(waiter->nap / 2, MIN_NAP_NS));
}

/* Waits, quiescent, until something is in 'queue', and returns it. */
static struct mpsc_queue_node *
wait_for(struct waiter *waiter, struct mpsc_queue *queue)
    OVS_REQUIRES(queue->read_lock)
{
    struct mpsc_queue_node *tail;
    uint64_t n;

    ovsrcu_quiesce_start();
    nap(waiter, queue);
    for (;;) {
        atomic_store(&waiter->waiting, true);
        /* Either we see what is put there now, or who puts it there sees
         * that we wait. */
        atomic_thread_fence(memory_order_seq_cst);
        tail = __real_mpsc_queue_tail(queue);
        if (tail) {
            break;
        }
        if (read(waiter->fd, &n, sizeof n) < 0 && errno != EINTR) {
            VLOG_FATAL("eventfd: %s", ovs_strerror(errno));
        }
    }
    atomic_store(&waiter->waiting, false);
    ovsrcu_quiesce_end();
    return tail;
}

struct mpsc_queue_node *
__wrap_mpsc_queue_tail(struct mpsc_queue *queue)
    OVS_REQUIRES(queue->read_lock)
{
    struct mpsc_queue_node *tail = __real_mpsc_queue_tail(queue);
    struct waiter *waiter;

    if (tail) {
        return tail;
    }
    dpdk_queue_end_of_batch();
    waiter = waiter_find(queue);
    if (!waiter) {
        waiter = waiter_add(queue);
    }
    return waiter ? wait_for(waiter, queue) : NULL;
}

void
__wrap_mpsc_queue_insert(struct mpsc_queue *queue,
                         struct mpsc_queue_node *node)
{
    struct waiter *waiter;
    bool waiting = true;
    uint64_t one = 1;

    __real_mpsc_queue_insert(queue, node);
    atomic_thread_fence(memory_order_seq_cst);
    waiter = waiter_find(queue);
    if (!waiter) {
        return;                 /* It has yet to look for the first time. */
    }
    atomic_read_relaxed(&waiter->waiting, &waiting);
    if (waiting) {
        atomic_store_relaxed(&waiter->waiting, false);
        COVERAGE_INC(offload_wake);
        if (write(waiter->fd, &one, sizeof one) < 0) {
            /* Full: there are more wake-ups under way than anybody needs. */
        }
    }
}

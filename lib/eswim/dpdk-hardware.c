/* SPDX-License-Identifier: Apache-2.0 */

/* The hardware's thread, and how frames get to it and from it. */

#include "eswim/dpdk-nic.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <rte_mbuf.h>

/* Frames in a row from one source before others get their turn. */
#define BURST 32

/* What epoll says of the wake-up, where others have their port's index. */
#define WAKE_UP UINT32_MAX

static inline void
count(_Atomic(uint64_t) *counter, uint64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

/* The eswitch's sink.  Runs in the hardware's thread, with 'io_mutex'. */

static bool
to_end(void *nic_, uint16_t index, const void *frame, size_t size)
{
    struct eswim_nic *nic = nic_;
    struct eswim_port *port = &nic->ports[index];

    if (!atomic_load_explicit(&port->admin_up, memory_order_relaxed)) {
        return false;
    } else if (!port->generator) {
        return eswim_guest_send(&port->guest, frame, size);
    } else if (!atomic_load_explicit(&port->plugged, memory_order_relaxed)) {
        return false;
    }
    eswim_generator_receive(port->generator, frame, size);
    return true;
}

static bool
to_software(void *nic_, uint16_t index, const struct eswitch_metadata *md,
            const void *data, size_t size)
{
    struct eswim_nic *nic = nic_;
    struct eswim_port *port = &nic->ports[index];
    struct eswim_queue *queue;
    struct eswim_frame *frame;
    uint16_t n_queues;

    if (!atomic_load_explicit(&port->started, memory_order_relaxed)) {
        return false;
    }
    n_queues = port->dev->data->nb_rx_queues;
    queue = port->rxqs[md->has_queue && md->queue < n_queues
                       ? md->queue : md->hash % n_queues];
    frame = eswim_ring_reserve(&queue->ring, size);
    if (!frame) {
        count(&queue->missed, 1);
        return false;
    }
    memcpy(frame->data, data, size);
    frame->has_mark = md->has_mark;
    frame->mark = md->mark;
    eswim_ring_commit(&queue->ring, frame);
    return true;
}

/* Takes what software has sent on 'port'.  Returns false if there was none. */
static bool
serve_software(struct eswim_port *port)
{
    bool busy = false;

    if (!atomic_load_explicit(&port->started, memory_order_relaxed)) {
        return false;
    }
    for (int i = 0; i < port->dev->data->nb_tx_queues; i++) {
        struct eswim_ring *ring = &port->txqs[i]->ring;
        struct eswim_frame *frame;

        for (int n = 0; n < BURST && (frame = eswim_ring_front(ring)); n++) {
            eswitch_tx(port->nic->reader, port->index, frame->data,
                       frame->len);
            eswim_ring_pop(ring, frame);
            busy = true;
        }
    }
    return busy;
}

/* Takes the far end away, if there is one. */
static void
close_end(struct eswim_port *port)
{
    if (!atomic_load(&port->plugged)) {
        return;
    }
    if (port->guest.fd >= 0) {
        epoll_ctl(port->nic->epoll_fd, EPOLL_CTL_DEL, port->guest.fd, NULL);
        eswim_guest_close(&port->guest);
    }
    atomic_store(&port->plugged, false);
    eswim_port_notify(port, RTE_ETH_EVENT_INTR_LSC);
}

/* Takes what the guest or the wire has sent to 'port'. */
static void
serve_guest(struct eswim_port *port, uint32_t events)
{
    static __thread uint8_t frame[ESWIM_MAX_FRAME];

    if (events & (EPOLLERR | EPOLLHUP)) {
        close_end(port);
        return;
    }
    for (int i = 0; i < BURST && port->guest.fd >= 0; i++) {
        int n = eswim_guest_receive(&port->guest, frame, sizeof frame);

        if (n < 0) {
            close_end(port);
        } else if (!n) {
            break;
        } else if (atomic_load_explicit(&port->admin_up,
                                        memory_order_relaxed)) {
            eswitch_rx(port->nic->reader, port->index, frame, n);
        }
    }
}

static bool
serve_all_software(struct eswim_nic *nic)
{
    bool busy = false;

    for (unsigned int i = 0; i < nic->n_ports; i++) {
        busy |= serve_software(&nic->ports[i]);
    }
    return busy;
}

/* A generator has sent a frame. */
static void
generated(void *port_, const void *frame, size_t size)
{
    struct eswim_port *port = port_;

    eswitch_rx(port->nic->reader, port->index, frame, size);
}

/* Returns in how many nanoseconds a generator is to send something. */
static uint64_t
serve_generators(struct eswim_nic *nic)
{
    uint64_t next = UINT64_MAX;

    for (unsigned int i = 0; i < nic->n_ports; i++) {
        struct eswim_port *port = &nic->ports[i];

        if (port->generator
            && atomic_load_explicit(&port->plugged, memory_order_relaxed)
            && atomic_load_explicit(&port->admin_up, memory_order_relaxed)) {
            uint64_t ns = eswim_generator_send(port->generator, generated,
                                               port);

            next = RTE_MIN(next, ns);
        }
    }
    return next;
}

static void
serve_events(struct eswim_nic *nic, const struct epoll_event events[], int n)
{
    for (int i = 0; i < n; i++) {
        uint64_t value;

        if (events[i].data.u32 != WAKE_UP) {
            serve_guest(&nic->ports[events[i].data.u32], events[i].events);
        } else if (read(nic->wake_fd, &value, sizeof value) < 0) {
            /* Somebody's wake-up of long ago. */
        }
    }
}

/* Waits for at most 'ns' nanoseconds; UINT64_MAX: as long as it takes. */
static int
wait_for_events(const struct eswim_nic *nic, struct epoll_event events[BURST],
                uint64_t ns)
{
    struct timespec timeout = { ns / 1000000000, ns % 1000000000 };

    return epoll_pwait2(nic->epoll_fd, events, BURST,
                        ns == UINT64_MAX ? NULL : &timeout, NULL);
}

static void *
hardware_main(void *nic_)
{
    struct epoll_event events[BURST];
    struct eswim_nic *nic = nic_;

    /* Generators keep time. */
    prctl(PR_SET_TIMERSLACK, 1UL);
    while (!atomic_load(&nic->exiting)) {
        uint64_t next;
        bool busy;
        int n;

        /* Whoever sends something later than we look for it wakes us. */
        atomic_store(&nic->sleeping, true);
        pthread_mutex_lock(&nic->io_mutex);
        busy = serve_all_software(nic);
        next = serve_generators(nic);
        pthread_mutex_unlock(&nic->io_mutex);

        n = wait_for_events(nic, events, busy ? 0 : next);
        atomic_store(&nic->sleeping, false);
        if (n > 0) {
            pthread_mutex_lock(&nic->io_mutex);
            serve_events(nic, events, n);
            pthread_mutex_unlock(&nic->io_mutex);
        }
    }
    return NULL;
}

static void
wake_up(struct eswim_nic *nic)
{
    uint64_t one = 1;

    if (atomic_load(&nic->sleeping)
        && atomic_exchange(&nic->sleeping, false)
        && write(nic->wake_fd, &one, sizeof one) < 0) {
        /* Enough wake-ups are under way. */
    }
}

static int
start_thread(struct eswim_nic *nic)
{
    char name[16];
    int error = pthread_create(&nic->thread, NULL, hardware_main, nic);

    if (!error) {
        nic->has_thread = true;
        snprintf(name, sizeof name, "%.15s", nic->name);
        pthread_setname_np(nic->thread, name);
    }
    return error;
}

/* Starts the thread of 'nic', which has its eswitch and ports but no far ends
 * yet.  Returns 0 or a positive errno; in either case eswim_hardware_stop() is
 * to be called in the end. */
int
eswim_hardware_start(struct eswim_nic *nic)
{
    const struct eswitch_sink sink = {
        .end = to_end, .software = to_software, .aux = nic,
    };
    struct epoll_event event = { .events = EPOLLIN, .data.u32 = WAKE_UP };

    nic->reader = eswitch_reader_create(nic->eswitch, &sink);
    if (!nic->reader) {
        return ENOMEM;
    }
    nic->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    nic->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (nic->epoll_fd < 0 || nic->wake_fd < 0
        || epoll_ctl(nic->epoll_fd, EPOLL_CTL_ADD, nic->wake_fd, &event)) {
        return errno;
    }
    return start_thread(nic);
}

/* Ends the thread of 'nic' and deletes its far ends. */
void
eswim_hardware_stop(struct eswim_nic *nic)
{
    uint64_t one = 1;

    if (nic->has_thread) {
        atomic_store(&nic->exiting, true);
        while (write(nic->wake_fd, &one, sizeof one) < 0 && errno == EINTR) {
            continue;
        }
        pthread_join(nic->thread, NULL);
        nic->has_thread = false;
    }
    for (unsigned int i = 0; i < nic->n_ports; i++) {
        eswim_guest_close(&nic->ports[i].guest);
    }
    if (nic->reader) {
        eswitch_reader_destroy(nic->reader);
        nic->reader = NULL;
    }
    if (nic->wake_fd >= 0) {
        close(nic->wake_fd);
    }
    if (nic->epoll_fd >= 0) {
        close(nic->epoll_fd);
    }
}

static int
open_guest(struct eswim_port *port)
{
    struct epoll_event event = { .events = EPOLLIN,
                                 .data.u32 = port->index };
    int error = eswim_guest_open(&port->guest, port->guest_name);

    if (!error && epoll_ctl(port->nic->epoll_fd, EPOLL_CTL_ADD,
                            port->guest.fd, &event)) {
        error = errno;
        eswim_guest_close(&port->guest);
    }
    return error;
}

/* Gives 'port' a far end, a TAP device by its name.  Returns 0, also if it has
 * one, or a positive errno: see eswim_guest_open(); ENODEV if the NIC was
 * pulled out. */
int
eswim_hardware_plug(struct eswim_port *port)
{
    int error = 0;

    pthread_mutex_lock(&port->nic->io_mutex);
    if (atomic_load(&port->nic->removed)) {
        error = ENODEV;
    } else if (!atomic_load(&port->plugged)) {
        error = port->generator ? 0 : open_guest(port);
        if (!error) {
            atomic_store(&port->plugged, true);
            eswim_port_notify(port, RTE_ETH_EVENT_INTR_LSC);
        }
    }
    pthread_mutex_unlock(&port->nic->io_mutex);
    return error;
}

/* Takes the far end of 'port' away, if it has one. */
void
eswim_hardware_unplug(struct eswim_port *port)
{
    pthread_mutex_lock(&port->nic->io_mutex);
    close_end(port);
    pthread_mutex_unlock(&port->nic->io_mutex);
}

/* Starts the generator of 'port', or stops it ("stop"): see
 * eswim_generator_start().  Returns false, with the reason in 'message', if
 * that makes no sense. */
bool
eswim_hardware_generate(struct eswim_port *port, const char *settings,
                        char message[ESWIM_MESSAGE_LEN])
{
    struct eswim_nic *nic = port->nic;
    uint64_t one = 1;
    bool ok = true;

    if (!port->generator) {
        snprintf(message, ESWIM_MESSAGE_LEN,
                 "the NIC wasn't made with guest=generator");
        return false;
    }
    pthread_mutex_lock(&nic->io_mutex);
    if (!strcmp(settings, "stop")) {
        eswim_generator_stop(port->generator);
    } else {
        ok = eswim_generator_start(port->generator, settings, message,
                                   ESWIM_MESSAGE_LEN);
    }
    pthread_mutex_unlock(&nic->io_mutex);
    if (write(nic->wake_fd, &one, sizeof one) < 0) {
        /* Enough wake-ups are under way. */
    }
    return ok;
}

static uint64_t
ruled_since(void *port_, const void *frame, size_t size)
{
    struct eswim_port *port = port_;

    return eswitch_ruled_since(port->nic->reader, port->index, frame, size);
}

/* How long the flows of the generator of 'port', which must have one, have
 * waited for their rules.  Returns 0 or ENOMEM.  The hardware stands still
 * meanwhile. */
int
eswim_hardware_latency(struct eswim_port *port,
                       struct eswim_generator_latency *latency)
{
    int error;

    pthread_mutex_lock(&port->nic->io_mutex);
    error = eswim_generator_latency(port->generator, ruled_since, port,
                                    latency);
    pthread_mutex_unlock(&port->nic->io_mutex);
    return error;
}

/* Receiving and transmitting, in DPDK's threads. */

/* Copies 'frame' into 'mbuf' and as many more as it takes.  Returns false if
 * there is no memory for these, or they aren't wanted. */
static bool
fill_mbuf(struct eswim_queue *queue, struct rte_mbuf *mbuf,
          const struct eswim_frame *frame)
{
    struct rte_mbuf *last = mbuf;
    uint32_t done = 0;

    mbuf->pkt_len = frame->len;
    mbuf->port = queue->port->dev->data->port_id;
    for (;;) {
        uint32_t n = RTE_MIN(frame->len - done,
                             (uint32_t) rte_pktmbuf_tailroom(last));

        memcpy(rte_pktmbuf_mtod(last, uint8_t *), frame->data + done, n);
        last->data_len = n;
        done += n;
        if (done == frame->len) {
            return true;
        }
        if (!queue->scatter) {
            count(&queue->errors, 1);
            return false;
        }
        last->next = rte_pktmbuf_alloc(queue->mempool);
        if (!last->next) {
            count(&queue->no_mbuf, 1);
            return false;
        }
        last = last->next;
        mbuf->nb_segs++;
    }
}

static struct rte_mbuf *
receive(struct eswim_queue *queue, const struct eswim_frame *frame)
{
    struct rte_mbuf *mbuf = rte_pktmbuf_alloc(queue->mempool);

    if (!mbuf) {
        count(&queue->no_mbuf, 1);
        return NULL;
    }
    if (!fill_mbuf(queue, mbuf, frame)) {
        rte_pktmbuf_free(mbuf);
        return NULL;
    }
    if (frame->has_mark) {
        mbuf->ol_flags |= RTE_MBUF_F_RX_FDIR | RTE_MBUF_F_RX_FDIR_ID;
        mbuf->hash.fdir.hi = frame->mark;
    }
    return mbuf;
}

/* DPDK's receive function: see rte_eth_rx_burst().  A frame for which there is
 * no memory is lost, as in a NIC that has no descriptors. */
uint16_t
eswim_rx_burst(void *rxq, struct rte_mbuf **mbufs, uint16_t n)
{
    struct eswim_queue *queue = rxq;
    struct eswim_frame *frame;
    uint64_t bytes = 0;
    uint16_t i = 0;

    while (i < n && (frame = eswim_ring_front(&queue->ring))) {
        mbufs[i] = receive(queue, frame);
        if (mbufs[i]) {
            bytes += frame->len;
            i++;
        }
        eswim_ring_pop(&queue->ring, frame);
    }
    if (i) {
        count(&queue->packets, i);
        count(&queue->bytes, bytes);
    }
    return i;
}

static bool
transmit(struct eswim_queue *queue, struct rte_mbuf *mbuf)
{
    struct eswim_frame *frame;
    const void *data;

    frame = eswim_ring_reserve(&queue->ring, mbuf->pkt_len);
    if (!frame) {
        return false;
    }
    data = rte_pktmbuf_read(mbuf, 0, mbuf->pkt_len, frame->data);
    if (data != frame->data) {
        memcpy(frame->data, data, mbuf->pkt_len);
    }
    eswim_ring_commit(&queue->ring, frame);
    return true;
}

/* DPDK's transmit function: see rte_eth_tx_burst().  Takes fewer than 'n' if
 * the queue is full. */
uint16_t
eswim_tx_burst(void *txq, struct rte_mbuf **mbufs, uint16_t n)
{
    struct eswim_queue *queue = txq;
    uint64_t bytes = 0;
    uint64_t sent = 0;
    uint16_t i;

    for (i = 0; i < n; i++) {
        uint32_t len = mbufs[i]->pkt_len;

        if (len > ESWITCH_MAX_FRAME) {
            count(&queue->errors, 1);
        } else if (transmit(queue, mbufs[i])) {
            bytes += len;
            sent++;
        } else {
            break;
        }
        rte_pktmbuf_free(mbufs[i]);
    }
    if (sent) {
        count(&queue->packets, sent);
        count(&queue->bytes, bytes);
        wake_up(queue->port->nic);
    }
    return i;
}

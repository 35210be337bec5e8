/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "tc/tc-netlink.h"

#include <errno.h>
#include <linux/netlink.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "coverage.h"
#include "netlink.h"
#include "openvswitch/list.h"
#include "openvswitch/vlog.h"
#include "ovs-thread.h"
#include "random.h"
#include "tc/tc-uapi.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(tc_netlink);

COVERAGE_DEFINE(tc_netlink_send);
COVERAGE_DEFINE(tc_netlink_receive);
COVERAGE_DEFINE(tc_netlink_request);
COVERAGE_DEFINE(tc_netlink_lost);
COVERAGE_DEFINE(tc_netlink_ignored);

/* What we ask for.  Without CAP_NET_ADMIN the kernel grants less
 * (net.core.rmem_max), hence 'rx_size' and 'tx_size' below. */
#define BUFFER_SIZE (1024 * 1024)

/* The kernel charges an answer to the receive buffer by the memory that it
 * takes, not by its length, and drops it if the buffer is full before.  An
 * acknowledgement is some hundred bytes with the kernel's words in it; an
 * echo is allocated as a page (NLMSG_GOODSIZE), or as several for a filter
 * with up to 32 actions. */
#define ACK_COST 2048
#define ECHO_COST 16384

/* One recvmmsg() takes so many answers.  The echo of 32 actions is some 10 KB;
 * memory that no answer is long enough to reach is never touched. */
#define RX_SLOTS 32
#define RX_SLOT_SIZE 16384

/* Consecutive failures of a receive after which a socket is given up. */
#define MAX_RX_ERRORS 16

/* The least room for a dump: the kernel sends at most 32 KB at once. */
#define DUMP_BUFFER_SIZE 65536

static ssize_t
real_sendmsg(int fd, const struct msghdr *msg, int flags)
{
    return sendmsg(fd, msg, flags);
}

static int
real_recvmmsg(int fd, struct mmsghdr *msgs, unsigned int n, int flags)
{
    return recvmmsg(fd, msgs, n, flags, NULL);
}

struct tc_syscalls tc_syscalls = {
    .sendmsg = real_sendmsg,
    .recvmmsg = real_recvmmsg,
};

/* Sockets. */

/* Incremented in the child of a fork: sockets that were opened before are
 * the parent's, too. */
static unsigned int generation;

struct tc_socket {
    struct nl_sock *nl;         /* NULL if closed. */
    int fd;
    unsigned int generation;
    uint32_t seq;               /* Of the next request. */
    size_t tx_size, rx_size;    /* Of the kernel's buffers, bytes. */
};

static void
forked(void)
{
    generation++;
}

static void
watch_forks(void)
{
    pthread_atfork(NULL, NULL, forked);
}

static void
tc_socket_close(struct tc_socket *sock)
{
    if (sock->nl) {
        nl_socket_free(sock->nl);
        sock->nl = NULL;
    }
}

/* Sets one of the kernel's buffers to BUFFER_SIZE, or to what we may have.
 * Returns how large it really is. */
static size_t
set_buffer_size(int fd, int option, int force_option)
{
    int size = BUFFER_SIZE;
    socklen_t len = sizeof size;

    setsockopt(fd, SOL_SOCKET, force_option, &size, sizeof size);
    return !getsockopt(fd, SOL_SOCKET, option, &size, &len) ? size : 0;
}

static int
tc_socket_connect(struct tc_socket *sock)
{
    int on = 1;

    if (nl_connect(sock->nl, NETLINK_ROUTE)) {
        return errno ? errno : EPROTO;
    }
    sock->fd = nl_socket_get_fd(sock->nl);
    nl_socket_set_buffer_size(sock->nl, BUFFER_SIZE, BUFFER_SIZE);
    sock->tx_size = set_buffer_size(sock->fd, SO_SNDBUF, SO_SNDBUFFORCE);
    sock->rx_size = set_buffer_size(sock->fd, SO_RCVBUF, SO_RCVBUFFORCE);

    /* Old kernels know neither: then failures come without words, and with a
     * copy of the request, for which nlmsgerr_parse() is prepared. */
    setsockopt(sock->fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
    setsockopt(sock->fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
    return 0;
}

/* Opens 'sock' if it isn't.  Returns 0 or a positive errno. */
static int
tc_socket_open(struct tc_socket *sock)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, watch_forks);
    if (sock->nl && sock->generation != generation) {
        tc_socket_close(sock);
    }
    if (sock->nl) {
        return 0;
    }

    errno = 0;
    sock->nl = nl_socket_alloc();
    if (!sock->nl) {
        return ENOMEM;
    }
    sock->generation = generation;
    sock->seq = random_uint32();

    int error = tc_socket_connect(sock);
    if (error) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 1);

        VLOG_WARN_RL(&rl, "netlink socket: %s", ovs_strerror(error));
        tc_socket_close(sock);
    }
    return error;
}

/* Sends 'iov'.  Returns the number of bytes sent or a negative errno. */
static ssize_t
tc_socket_send(const struct tc_socket *sock, struct iovec *iov, size_t n_iov)
{
    struct msghdr msg = { .msg_iov = iov, .msg_iovlen = n_iov };
    ssize_t retval;

    do {
        COVERAGE_INC(tc_netlink_send);
        retval = tc_syscalls.sendmsg(sock->fd, &msg, 0);
    } while (retval < 0 && errno == EINTR);
    return retval < 0 ? -errno : retval;
}

/* Receives datagrams, as many as are there but 'n' at most, without waiting:
 * the kernel carries out requests of traffic control while they are being
 * sent, and extends a dump while its last piece is being received, so that an
 * answer that isn't there will never come.  Returns the number of datagrams
 * or a negative errno, -EAGAIN if there is none. */
static int
tc_socket_receive(const struct tc_socket *sock, struct mmsghdr *msgs, size_t n)
{
    int retval;

    do {
        COVERAGE_INC(tc_netlink_receive);
        retval = tc_syscalls.recvmmsg(sock->fd, msgs, n, MSG_DONTWAIT);
    } while (retval < 0 && errno == EINTR);
    return retval < 0 ? -errno : retval;
}

/* Whether a datagram is from the kernel. */
static bool
is_from_kernel(const struct msghdr *msg)
{
    const struct sockaddr_nl *from = msg->msg_name;

    return (msg->msg_namelen == sizeof *from
            && from->nl_family == AF_NETLINK && !from->nl_pid);
}

/* Takes the next message off 'data'.  Returns NULL at the end, or if what is
 * there isn't a message. */
static struct nlmsghdr *
next_message(struct ofpbuf *data)
{
    struct nlmsghdr *nlh = data->data;

    if (data->size < sizeof *nlh || nlh->nlmsg_len < sizeof *nlh
        || nlh->nlmsg_len > data->size) {
        return NULL;
    }
    ofpbuf_pull(data, MIN(NLMSG_ALIGN(nlh->nlmsg_len), data->size));
    return nlh;
}

/* Stores the kernel's words from an NLMSG_ERROR or NLMSG_DONE, whose
 * attributes start at 'ofs'. */
static void
extack_parse(const struct nlmsghdr *nlh, size_t ofs, char *text, size_t size)
{
    const struct nlattr *nla;
    size_t left;

    if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS) || ofs > nlh->nlmsg_len) {
        return;
    }
    NL_ATTR_FOR_EACH (nla, left, ALIGNED_CAST(const struct nlattr *,
                                              (const char *) nlh + ofs),
                      nlh->nlmsg_len - ofs) {
        if (nl_attr_type(nla) == NLMSGERR_ATTR_MSG) {
            size_t n = strnlen(nl_attr_get(nla), nl_attr_get_size(nla));

            n = MIN(n, size - 1);
            memcpy(text, nl_attr_get(nla), n);
            text[n] = '\0';
        }
    }
}

/* Converts the kernel's 0 or negative errno into 0 or a positive one. */
static int
kernel_error(int error)
{
    return error > 0 || error < -4095 ? EPROTO : -error;
}

/* Reads an NLMSG_ERROR, which is an acknowledgement if the error is 0.
 * Returns false if it is malformed. */
static bool
nlmsgerr_parse(const struct nlmsghdr *nlh, int *error,
               char *extack, size_t extack_size)
{
    const struct nlmsgerr *err = NLMSG_DATA(nlh);
    size_t ofs = NLMSG_LENGTH(sizeof *err);

    if (nlh->nlmsg_len < ofs) {
        return false;
    }
    if (!(nlh->nlmsg_flags & NLM_F_CAPPED) && err->error) {
        /* The request follows. */
        size_t copied = MAX(err->msg.nlmsg_len, sizeof err->msg);

        ofs += NLMSG_ALIGN(MIN(copied, nlh->nlmsg_len) - sizeof err->msg);
    }
    *error = kernel_error(err->error);
    extack_parse(nlh, ofs, extack, extack_size);
    return true;
}

/* Pipelines. */

struct tc_request {
    struct tc_reply *reply;
    size_t ofs;                 /* Of its netlink header, bytes. */
    size_t len;                 /* Padded. */
    bool big_answer;            /* Not just an acknowledgement. */
    bool answered;
};

struct tc_pipeline {
    struct tc_thread *thread;

    /* Finished requests one after the other, from 'buf.base' on, then the one
     * that is being written, from 'buf.data' on. */
    struct ofpbuf buf;
    bool writing;
    struct tc_reply *writing_reply;

    struct tc_request requests[TC_PIPELINE_MAX];
    size_t n;
};

/* What a thread has. */
struct tc_thread {
    struct tc_socket sock;
    struct tc_pipeline pipeline, aside;

    struct mmsghdr msgs[RX_SLOTS];
    struct iovec iovs[RX_SLOTS];
    struct sockaddr_nl from[RX_SLOTS];
    uint8_t *rx;                /* RX_SLOTS * RX_SLOT_SIZE bytes. */
};

static __thread struct tc_thread *this_thread;
static pthread_key_t thread_key;

static void
tc_pipeline_init(struct tc_pipeline *p, struct tc_thread *thread)
{
    p->thread = thread;
    ofpbuf_init(&p->buf, 16 * 1024);
    p->writing = false;
    p->n = 0;
}

static void
tc_pipeline_clear(struct tc_pipeline *p)
{
    p->buf.data = p->buf.base;
    p->buf.size = 0;
    p->writing = false;
    p->n = 0;
}

static void
tc_thread_destroy(void *thread_)
{
    struct tc_thread *thread = thread_;

    tc_socket_close(&thread->sock);
    ofpbuf_uninit(&thread->pipeline.buf);
    ofpbuf_uninit(&thread->aside.buf);
    free(thread->rx);
    free(thread);
    this_thread = NULL;
}

static void
make_thread_key(void)
{
    xpthread_key_create(&thread_key, tc_thread_destroy);
}

static struct tc_thread *
tc_thread_get(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    if (!this_thread) {
        struct tc_thread *thread = xzalloc(sizeof *thread);

        pthread_once(&once, make_thread_key);
        tc_pipeline_init(&thread->pipeline, thread);
        tc_pipeline_init(&thread->aside, thread);
        thread->rx = xmalloc(RX_SLOTS * RX_SLOT_SIZE);
        xpthread_setspecific(thread_key, thread);
        this_thread = thread;
    }
    return this_thread;
}

struct tc_pipeline *
tc_pipeline_get(void)
{
    struct tc_pipeline *p = &tc_thread_get()->pipeline;

    tc_pipeline_clear(p);
    return p;
}

struct tc_pipeline *
tc_pipeline_aside(void)
{
    struct tc_pipeline *p = &tc_thread_get()->aside;

    tc_pipeline_clear(p);
    return p;
}

struct ofpbuf *
tc_request_begin_header(struct tc_pipeline *p, int type, unsigned int flags,
                        size_t header_len, struct tc_reply *reply)
{
    ovs_assert(!p->writing);
    if (p->n >= TC_PIPELINE_MAX) {
        tc_pipeline_run(p);
    }

    struct nlmsghdr *nlh = ofpbuf_put_zeros(&p->buf, NLMSG_HDRLEN
                                            + NLMSG_ALIGN(header_len));

    nlh->nlmsg_type = type;
    nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
    p->writing = true;
    p->writing_reply = reply;
    return &p->buf;
}

struct ofpbuf *
tc_request_begin(struct tc_pipeline *p, int type, unsigned int flags,
                 struct tc_reply *reply)
{
    return tc_request_begin_header(p, type, flags, sizeof(struct tcmsg),
                                   reply);
}

struct tcmsg *
tc_request_tcmsg(struct tc_pipeline *p)
{
    ovs_assert(p->writing);
    return ofpbuf_at_assert(&p->buf, NLMSG_HDRLEN, sizeof(struct tcmsg));
}

void
tc_request_set_flags(struct tc_pipeline *p, unsigned int flags)
{
    struct nlmsghdr *nlh = p->buf.data;

    ovs_assert(p->writing);
    nlh->nlmsg_flags |= flags;
}

/* Whether the kernel answers with more than an acknowledgement: it is told
 * to, or asked to read (the third of each four message types, see
 * linux/rtnetlink.h). */
static bool
has_big_answer(const struct nlmsghdr *nlh)
{
    return (nlh->nlmsg_flags & NLM_F_ECHO
            || (nlh->nlmsg_type - RTM_BASE) % 4 == 2);
}

void
tc_request_end(struct tc_pipeline *p)
{
    struct nlmsghdr *nlh = p->buf.data;
    struct tc_request *request = &p->requests[p->n++];

    ovs_assert(p->writing);
    ofpbuf_put_zeros(&p->buf, NLMSG_ALIGN(p->buf.size) - p->buf.size);
    nlh = p->buf.data;
    nlh->nlmsg_len = p->buf.size;
    *request = (struct tc_request) {
        .reply = p->writing_reply,
        .ofs = ofpbuf_headroom(&p->buf),
        .len = p->buf.size,
        .big_answer = has_big_answer(nlh),
    };
    ofpbuf_pull(&p->buf, p->buf.size);
    p->writing = false;
}

void
tc_request_cancel(struct tc_pipeline *p)
{
    ovs_assert(p->writing);
    p->buf.size = 0;
    p->writing = false;
}

/* Gives 'n' requests from 'first' on the same result. */
static void
tc_pipeline_fail(struct tc_pipeline *p, size_t first, size_t n, int error)
{
    for (size_t i = first; i < first + n; i++) {
        p->requests[i].reply->error = error;
    }
}

static void
tc_pipeline_prepare(struct tc_pipeline *p)
{
    for (size_t i = 0; i < p->n; i++) {
        struct tc_reply *reply = p->requests[i].reply;

        reply->error = 0;
        reply->unknown = false;
        reply->extack[0] = '\0';
    }
}

/* How many requests from 'first' on, 'max' at most but one at least, may be
 * sent at once: the kernel takes them if they fit into the socket's send
 * buffer, and no answer is lost if all of them fit into its receive
 * buffer. */
static size_t
tc_pipeline_fit(const struct tc_pipeline *p, size_t first, size_t max)
{
    const struct tc_socket *sock = &p->thread->sock;
    size_t tx = 32, rx = 0;     /* 32: see the kernel's netlink_sendmsg(). */
    size_t i;

    for (i = first; i < first + max; i++) {
        const struct tc_request *request = &p->requests[i];

        tx += request->len;
        rx += ACK_COST + (request->big_answer ? ECHO_COST : 0);
        if (tx > sock->tx_size || rx > sock->rx_size) {
            break;
        }
    }
    return MAX(i - first, 1);
}

/* Sends 'n' requests from 'first' on.  Returns the number of those that the
 * kernel got whole, or a negative errno. */
static int
tc_pipeline_send(struct tc_pipeline *p, size_t first, size_t n)
{
    struct tc_socket *sock = &p->thread->sock;
    char *base = p->buf.base;
    struct iovec iov = { .iov_base = base + p->requests[first].ofs };
    size_t i;

    for (i = first; i < first + n; i++) {
        struct nlmsghdr *nlh = ALIGNED_CAST(struct nlmsghdr *,
                                            base + p->requests[i].ofs);

        nlh->nlmsg_seq = sock->seq + (i - first);
        p->requests[i].answered = false;
        iov.iov_len += p->requests[i].len;
    }
    COVERAGE_ADD(tc_netlink_request, n);

    ssize_t sent = tc_socket_send(sock, &iov, 1);
    if (sent < 0) {
        return sent;
    }
    for (i = first; i < first + n && sent >= p->requests[i].len; i++) {
        sent -= p->requests[i].len;
    }
    return i - first ? i - first : -EMSGSIZE;
}

/* Takes one message of the kernel about the 'n' requests from 'first' on.
 * Returns true if it is an acknowledgement that was missing. */
static bool
tc_pipeline_answer(struct tc_pipeline *p, size_t first, size_t n,
                   const struct nlmsghdr *nlh)
{
    uint32_t i = nlh->nlmsg_seq - p->thread->sock.seq;

    if (i >= n || p->requests[first + i].answered) {
        COVERAGE_INC(tc_netlink_ignored);
        return false;
    }

    struct tc_request *request = &p->requests[first + i];
    struct tc_reply *reply = request->reply;

    if (nlh->nlmsg_type == NLMSG_ERROR) {
        request->answered = nlmsgerr_parse(nlh, &reply->error, reply->extack,
                                           sizeof reply->extack);
        return request->answered;
    } else if (nlh->nlmsg_type >= RTM_BASE && request->big_answer) {
        request->big_answer = false;
        if (reply->echo) {
            struct ofpbuf msg;

            ofpbuf_use_const(&msg, nlh, nlh->nlmsg_len);
            reply->echo(reply, &msg);
        }
    }
    return false;
}

/* Takes one datagram.  Returns the number of requests that it answered. */
static size_t
tc_pipeline_datagram(struct tc_pipeline *p, size_t first, size_t n,
                     const struct mmsghdr *mmsg)
{
    const struct msghdr *msg = &mmsg->msg_hdr;
    const struct nlmsghdr *nlh;
    size_t n_answered = 0;
    struct ofpbuf data;

    if (!is_from_kernel(msg)) {
        COVERAGE_INC(tc_netlink_ignored);
        return 0;
    }

    /* What is left of a truncated message isn't a message to
     * next_message(). */
    ofpbuf_use_const(&data, msg->msg_iov->iov_base,
                     MIN(mmsg->msg_len, msg->msg_iov->iov_len));
    while ((nlh = next_message(&data))) {
        n_answered += tc_pipeline_answer(p, first, n, nlh);
    }
    return n_answered;
}

static int
tc_thread_receive(struct tc_thread *thread)
{
    for (size_t i = 0; i < RX_SLOTS; i++) {
        thread->iovs[i] = (struct iovec) {
            .iov_base = thread->rx + i * RX_SLOT_SIZE,
            .iov_len = RX_SLOT_SIZE,
        };
        thread->msgs[i] = (struct mmsghdr) {
            .msg_hdr = {
                .msg_name = &thread->from[i],
                .msg_namelen = sizeof thread->from[i],
                .msg_iov = &thread->iovs[i],
                .msg_iovlen = 1,
            },
        };
    }
    return tc_socket_receive(&thread->sock, thread->msgs, RX_SLOTS);
}

/* Receives until the 'n' requests from 'first' on are answered or no answer
 * is to be had any more. */
static void
tc_pipeline_receive(struct tc_pipeline *p, size_t first, size_t n)
{
    struct tc_thread *thread = p->thread;
    size_t n_missing = n;
    size_t n_errors = 0;

    while (n_missing) {
        int n_msgs = tc_thread_receive(thread);

        if (n_msgs == -EAGAIN || n_msgs == 0) {
            break;
        } else if (n_msgs < 0) {
            /* ENOBUFS: answers were lost, but others may be there. */
            if (n_msgs != -ENOBUFS || ++n_errors > MAX_RX_ERRORS) {
                tc_socket_close(&thread->sock);
                break;
            }
        }
        for (int i = 0; i < n_msgs; i++) {
            n_missing -= tc_pipeline_datagram(p, first, n, &thread->msgs[i]);
        }
    }
    if (!n_missing) {
        return;
    }

    COVERAGE_ADD(tc_netlink_lost, n_missing);
    for (size_t i = first; i < first + n; i++) {
        if (!p->requests[i].answered) {
            p->requests[i].reply->error = ENOBUFS;
            p->requests[i].reply->unknown = true;
        }
    }
}

/* Whether sending fewer requests at once may help. */
static bool
is_too_much(int error)
{
    return (error == ENOBUFS || error == ENOMEM || error == EMSGSIZE
            || error == EAGAIN);
}

/* Sends up to '*max' requests from 'first' on and receives their answers.
 * Returns the number of requests that have their result; if that is 0 then
 * '*max' is smaller than it was. */
static size_t
tc_pipeline_step(struct tc_pipeline *p, size_t first, size_t *max)
{
    int error = tc_socket_open(&p->thread->sock);
    if (error) {
        tc_pipeline_fail(p, first, p->n - first, error);
        return p->n - first;
    }

    size_t n = tc_pipeline_fit(p, first, MIN(*max, p->n - first));
    int sent = tc_pipeline_send(p, first, n);

    if (sent > 0) {
        tc_pipeline_receive(p, first, sent);
        p->thread->sock.seq += n;
        return sent;
    }

    p->thread->sock.seq += n;
    if (is_too_much(-sent) && n > 1) {
        *max = n / 2;
        return 0;
    }
    tc_pipeline_fail(p, first, n, -sent);
    if (!is_too_much(-sent)) {
        tc_socket_close(&p->thread->sock);
    }
    return n;
}

void
tc_pipeline_run(struct tc_pipeline *p)
{
    size_t max = TC_PIPELINE_MAX;
    size_t first = 0;

    ovs_assert(!p->writing);
    tc_pipeline_prepare(p);
    while (first < p->n) {
        first += tc_pipeline_step(p, first, &max);
    }
    tc_pipeline_clear(p);
}

/* Dumps. */

/* A dump, and its socket: both are kept for the next dump. */
struct tc_dump {
    struct ovs_list node;       /* In 'free_dumps', if it is there. */
    struct tc_socket sock;

    struct ovs_mutex mutex;     /* Held over a receive. */
    uint32_t seq OVS_GUARDED;
    bool finished OVS_GUARDED;  /* The kernel has said that this is all. */
    bool stopped OVS_GUARDED;   /* There is nothing more to be had. */
    bool incomplete OVS_GUARDED;
    int error OVS_GUARDED;      /* Positive errno. */
};

#define MAX_FREE_DUMPS 8

static struct ovs_mutex free_dumps_mutex = OVS_MUTEX_INITIALIZER;
static struct ovs_list free_dumps OVS_GUARDED_BY(free_dumps_mutex)
    = OVS_LIST_INITIALIZER(&free_dumps);
static size_t n_free_dumps OVS_GUARDED_BY(free_dumps_mutex);

static struct tc_dump *
tc_dump_alloc(void)
{
    struct tc_dump *dump = NULL;

    ovs_mutex_lock(&free_dumps_mutex);
    if (!ovs_list_is_empty(&free_dumps)) {
        dump = CONTAINER_OF(ovs_list_pop_front(&free_dumps), struct tc_dump,
                            node);
        n_free_dumps--;
    }
    ovs_mutex_unlock(&free_dumps_mutex);

    if (!dump) {
        dump = xzalloc(sizeof *dump);
        ovs_mutex_init(&dump->mutex);
    }
    return dump;
}

/* Keeps 'dump' for the next one.  Its socket must be clean, or closed. */
static void
tc_dump_free(struct tc_dump *dump)
{
    ovs_mutex_lock(&free_dumps_mutex);
    if (n_free_dumps < MAX_FREE_DUMPS) {
        ovs_list_push_front(&free_dumps, &dump->node);
        n_free_dumps++;
        dump = NULL;
    }
    ovs_mutex_unlock(&free_dumps_mutex);

    if (dump) {
        tc_socket_close(&dump->sock);
        ovs_mutex_destroy(&dump->mutex);
        free(dump);
    }
}

/* Sends 'request' with a fresh sequence number.  Returns 0 or a positive
 * errno. */
static int
tc_dump_send(struct tc_dump *dump, const struct ofpbuf *request)
    OVS_REQUIRES(dump->mutex)
{
    struct nlmsghdr nlh;

    if (request->size < sizeof nlh) {
        return EINVAL;
    }
    memcpy(&nlh, request->data, sizeof nlh);
    nlh.nlmsg_len = request->size;
    nlh.nlmsg_flags |= NLM_F_REQUEST | NLM_F_DUMP;
    nlh.nlmsg_seq = dump->seq = dump->sock.seq++;

    struct iovec iov[2] = {
        { .iov_base = &nlh, .iov_len = sizeof nlh },
        { .iov_base = (char *) request->data + sizeof nlh,
          .iov_len = request->size - sizeof nlh },
    };
    ssize_t sent = tc_socket_send(&dump->sock, iov, 2);
    return sent < 0 ? -sent : sent < request->size ? EMSGSIZE : 0;
}

int
tc_dump_start(const struct ofpbuf *request, struct tc_dump **dumpp)
{
    struct tc_dump *dump = tc_dump_alloc();

    ovs_mutex_lock(&dump->mutex);
    dump->finished = dump->stopped = dump->incomplete = false;
    dump->error = tc_socket_open(&dump->sock);
    if (!dump->error) {
        dump->error = tc_dump_send(dump, request);
    }
    int error = dump->error;
    ovs_mutex_unlock(&dump->mutex);

    if (error) {
        tc_socket_close(&dump->sock);
        tc_dump_free(dump);
        dump = NULL;
    }
    *dumpp = dump;
    return error;
}

/* The kernel's last word on a dump, NLMSG_DONE or NLMSG_ERROR. */
static void
tc_dump_end(struct tc_dump *dump, const struct nlmsghdr *nlh)
    OVS_REQUIRES(dump->mutex)
{
    int error = 0;
    char extack[120] = "";

    dump->finished = dump->stopped = true;
    if (nlh->nlmsg_type == NLMSG_ERROR) {
        if (!nlmsgerr_parse(nlh, &error, extack, sizeof extack)) {
            error = EPROTO;
        }
    } else if (nlh->nlmsg_len >= NLMSG_LENGTH(sizeof error)) {
        memcpy(&error, NLMSG_DATA(nlh), sizeof error);
        error = kernel_error(error);
        extack_parse(nlh, NLMSG_LENGTH(sizeof error), extack, sizeof extack);
    }
    if (error) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 5);

        VLOG_DBG_RL(&rl, "dump failed: %s%s%s", ovs_strerror(error),
                    extack[0] ? ": " : "", extack);
        dump->error = error;
    }
}

/* Looks at what was received into 'buf' and leaves in it the messages that
 * belong to 'dump', with other messages marked for tc_dump_msg() to skip. */
static void
tc_dump_check(struct tc_dump *dump, struct ofpbuf *buf)
    OVS_REQUIRES(dump->mutex)
{
    struct ofpbuf data = ofpbuf_const_initializer(buf->data, buf->size);
    struct nlmsghdr *nlh;

    while (!dump->finished && (nlh = next_message(&data))) {
        if (nlh->nlmsg_seq != dump->seq) {
            COVERAGE_INC(tc_netlink_ignored);
            nlh->nlmsg_type = NLMSG_NOOP;
            continue;
        }
        dump->incomplete |= (nlh->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
        if (nlh->nlmsg_type == NLMSG_DONE || nlh->nlmsg_type == NLMSG_ERROR) {
            tc_dump_end(dump, nlh);
            nlh->nlmsg_type = NLMSG_NOOP;
        }
    }
    if (!dump->finished && data.size) {
        dump->incomplete = true;        /* Malformed, or cut. */
    }
    buf->size -= data.size;
}

/* Receives once.  Returns true if 'buf' has something. */
static bool
tc_dump_receive(struct tc_dump *dump, struct ofpbuf *buf)
    OVS_REQUIRES(dump->mutex)
{
    struct sockaddr_nl from;
    struct iovec iov = {
        .iov_base = ofpbuf_tail(buf), .iov_len = ofpbuf_tailroom(buf),
    };
    struct mmsghdr mmsg = {
        .msg_hdr = {
            .msg_name = &from, .msg_namelen = sizeof from,
            .msg_iov = &iov, .msg_iovlen = 1,
        },
    };
    int retval = tc_socket_receive(&dump->sock, &mmsg, 1);

    if (retval <= 0) {
        /* Without having received something, the kernel doesn't go on with
         * its dump.  Not the errno: it isn't what the kernel says about the
         * dump. */
        dump->stopped = true;
        dump->error = EIO;
        return false;
    } else if (!is_from_kernel(&mmsg.msg_hdr)) {
        COVERAGE_INC(tc_netlink_ignored);
        return false;
    }
    buf->size += MIN(mmsg.msg_len, iov.iov_len);
    dump->incomplete |= (mmsg.msg_hdr.msg_flags & MSG_TRUNC) != 0;
    return true;
}

bool
tc_dump_next(struct tc_dump *dump, struct ofpbuf *buf)
{
    bool got = false;

    ovs_mutex_lock(&dump->mutex);
    while (!got && !dump->stopped) {
        ofpbuf_clear(buf);
        ofpbuf_prealloc_tailroom(buf, DUMP_BUFFER_SIZE);
        if (tc_dump_receive(dump, buf)) {
            tc_dump_check(dump, buf);
            got = buf->size > 0;
        }
    }
    ovs_mutex_unlock(&dump->mutex);
    return got;
}

int
tc_dump_done(struct tc_dump *dump, bool *complete)
{
    ovs_mutex_lock(&dump->mutex);
    int error = dump->error;
    bool clean = dump->finished;
    *complete = clean && !error && !dump->incomplete;
    ovs_mutex_unlock(&dump->mutex);

    if (!clean) {
        tc_socket_close(&dump->sock);
    }
    tc_dump_free(dump);
    return error;
}

bool
tc_dump_msg(struct ofpbuf *buf, struct ofpbuf *msg)
{
    struct nlmsghdr *nlh;

    do {
        nlh = next_message(buf);
    } while (nlh && nlh->nlmsg_type < RTM_BASE);

    if (nlh) {
        ofpbuf_use_const(msg, nlh, nlh->nlmsg_len);
    }
    return nlh != NULL;
}

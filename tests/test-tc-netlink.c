/* SPDX-License-Identifier: Apache-2.0 */

/* The part of lib/tc/ that talks to the kernel, against a made-up one whose
 * system calls fail.
 *
 * The made-up kernel keeps a table of filters, a qdisc and police actions, and
 * answers as the real one does.  A scenario is run again and again, with each
 * kind of fault at its 1st, 2nd, 3rd ... system call until that is one more
 * than it makes.  Whatever happens, what the scenario was told must agree with
 * the made-up kernel's tables, and without a fault everything must work again
 * at once.
 *
 * Usage: test-tc-netlink TEST */

#include <config.h>

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "netlink.h"
#include "offload-port.h"
#include "offload-refusal.h"
#include "openvswitch/ofp-meter.h"
#include "openvswitch/ofpbuf.h"
#include "tc/tc-caps.h"
#include "tc/tc-netlink.h"
#include "tc/tc-police.h"
#include "tc/tc-port.h"
#include "tc/tc-reply.h"
#include "tc/tc-uapi.h"
#include "util.h"

/* What is being tried, for messages. */
static const char *fault_name = "no fault";
static int fault_at;

#define CHECK(CONDITION) \
    check(CONDITION, #CONDITION, __FILE__, __LINE__)
#define CHECK_EQ(A, B) \
    check_eq(A, B, #A, #B, __FILE__, __LINE__)

static void OVS_NO_RETURN
fail(const char *file, int line)
{
    fprintf(stderr, "%s:%d: with %s at system call %d: ",
            file, line, fault_name, fault_at);
    abort();
}

static void
check(bool condition, const char *text, const char *file, int line)
{
    if (!condition) {
        fprintf(stderr, "not true: %s\n", text);
        fail(file, line);
    }
}

static void
check_eq(uint64_t a, uint64_t b, const char *a_text, const char *b_text,
         const char *file, int line)
{
    if (a != b) {
        fprintf(stderr, "%s is %"PRIu64", %s is %"PRIu64"\n",
                a_text, a, b_text, b);
        fail(file, line);
    }
}

/* The made-up kernel's tables. */

#define MAX_FILTERS 200
#define OURS 100                /* Filters from here on have handles like
                                 * ours, those before like an earlier
                                 * daemon's. */
#define FOREIGN 150             /* Filters from here on have no cookie. */
#define MAX_POLICE 32

static struct {
    bool filters[MAX_FILTERS];  /* See handle_of(). */
    bool qdisc, device;
    uint64_t police[MAX_POLICE];    /* Rate by index, 0: isn't there. */
    bool in_use[MAX_POLICE];        /* A rule refers to it. */
} kernel;

/* Datagrams that wait to be received. */
struct datagram {
    unsigned char data[2048];
    size_t len;
    uint32_t from;              /* Port id. */
};

static struct datagram queue[1024];
static size_t n_queue;
static bool lost;               /* An answer was dropped: ENOBUFS is due. */

static void
push(const struct ofpbuf *msg, uint32_t from)
{
    struct datagram *d = &queue[n_queue++];

    CHECK(n_queue < ARRAY_SIZE(queue) && msg->size <= sizeof d->data);
    memcpy(d->data, msg->data, msg->size);
    d->len = msg->size;
    d->from = from;
}

static void
drop_first(void)
{
    if (n_queue) {
        n_queue--;
        memmove(queue, queue + 1, n_queue * sizeof *queue);
        lost = true;
    }
}

/* Begins a message to user space in 'msg'. */
static struct nlmsghdr *
answer_begin(struct ofpbuf *msg, int type, uint32_t seq)
{
    ofpbuf_clear(msg);
    struct nlmsghdr *nlh = ofpbuf_put_zeros(msg, NLMSG_HDRLEN);
    nlh->nlmsg_type = type;
    nlh->nlmsg_seq = seq;
    return nlh;
}

static void
answer_end(struct ofpbuf *msg)
{
    struct nlmsghdr *nlh = msg->data;

    nlh->nlmsg_len = msg->size;
    push(msg, 0);
}

static void
put_ack(struct ofpbuf *msg, uint32_t seq, int error, const char *extack)
{
    struct nlmsghdr *nlh = answer_begin(msg, NLMSG_ERROR, seq);
    struct nlmsgerr *err;

    nlh->nlmsg_flags = NLM_F_CAPPED | (extack ? NLM_F_ACK_TLVS : 0);
    err = ofpbuf_put_zeros(msg, sizeof *err);
    err->error = -error;
    if (extack) {
        nl_msg_put_string(msg, NLMSGERR_ATTR_MSG, extack);
    }
}

static void
answer_ack(uint32_t seq, int error, const char *extack)
{
    struct ofpbuf msg;

    ofpbuf_init(&msg, 0);
    put_ack(&msg, seq, error, extack);
    answer_end(&msg);
    ofpbuf_uninit(&msg);
}

static void
put_stats(struct ofpbuf *msg, uint64_t packets)
{
    struct gnet_stats_basic basic = { .packets = packets,
                                      .bytes = packets * 100 };
    size_t stats = nl_msg_start_nested(msg, TCA_ACT_STATS);

    nl_msg_put_unspec(msg, TCA_STATS_BASIC, &basic, sizeof basic);
    nl_msg_end_nested(msg, stats);
}

static uint32_t
handle_of(uint32_t i)
{
    return i >= OURS && i < FOREIGN ? tc_handle(i) : i;
}

static void
answer_filter(int type, const struct nlmsghdr *request, uint32_t handle)
{
    const struct tcmsg *asked = NLMSG_DATA(request);
    struct ofpbuf msg;
    size_t options, acts, act;

    ofpbuf_init(&msg, 0);
    answer_begin(&msg, type, request->nlmsg_seq);
    struct tcmsg *tcm = ofpbuf_put_zeros(&msg, sizeof *tcm);
    *tcm = *asked;
    tcm->tcm_handle = handle_of(handle);
    tcm->tcm_info = TC_H_MAKE(2u << 16, htons(0x800));
    nl_msg_put_string(&msg, TCA_KIND, "flower");
    options = nl_msg_start_nested(&msg, TCA_OPTIONS);
    acts = nl_msg_start_nested(&msg, TCA_FLOWER_ACT);
    act = nl_msg_start_nested(&msg, 1);
    nl_msg_put_string(&msg, TCA_ACT_KIND, "gact");
    put_stats(&msg, handle);
    if (handle < FOREIGN) {
        nl_msg_put_u128(&msg, TCA_ACT_COOKIE,
                        (ovs_u128) { .u32 = { handle, 1, 2, 3 } });
    }
    nl_msg_end_nested(&msg, act);
    nl_msg_end_nested(&msg, acts);
    nl_msg_end_nested(&msg, options);
    answer_end(&msg);
    ofpbuf_uninit(&msg);
}

static void
answer_done(const struct nlmsghdr *request)
{
    struct ofpbuf msg;

    ofpbuf_init(&msg, 0);
    answer_begin(&msg, NLMSG_DONE, request->nlmsg_seq);
    ofpbuf_put_zeros(&msg, sizeof(int));
    answer_end(&msg);
    ofpbuf_uninit(&msg);
}

static void
dump_filters(const struct nlmsghdr *request)
{
    for (uint32_t i = 1; i < MAX_FILTERS && kernel.qdisc; i++) {
        if (kernel.filters[i]) {
            answer_filter(RTM_NEWTFILTER, request, i);
        }
    }
    answer_done(request);
}

/* Requests about filters.  Returns an errno. */
static int
do_filter(const struct nlmsghdr *request)
{
    const struct tcmsg *tcm = NLMSG_DATA(request);
    uint32_t handle = tcm->tcm_handle & 0x3fffffff;

    if (!kernel.device) {
        return ENODEV;
    } else if (!kernel.qdisc) {
        return EINVAL;
    } else if (handle >= MAX_FILTERS) {
        return ENOSPC;
    } else if (request->nlmsg_type == RTM_NEWTFILTER) {
        if (kernel.filters[handle] && request->nlmsg_flags & NLM_F_EXCL) {
            return EEXIST;
        }
        kernel.filters[handle] = true;
        return 0;
    } else if (!handle) {
        memset(kernel.filters, 0, sizeof kernel.filters);
        return 0;
    } else if (!kernel.filters[handle]) {
        return ENOENT;
    }

    if (request->nlmsg_type == RTM_GETTFILTER
        || request->nlmsg_flags & NLM_F_ECHO) {
        answer_filter(request->nlmsg_type == RTM_GETTFILTER ? RTM_NEWTFILTER
                      : RTM_DELTFILTER, request, handle);
    }
    kernel.filters[handle] = request->nlmsg_type == RTM_GETTFILTER;
    return 0;
}

static int
do_qdisc(const struct nlmsghdr *request)
{
    struct ofpbuf msg;

    if (!kernel.device) {
        return ENODEV;
    } else if (request->nlmsg_type == RTM_NEWQDISC) {
        int error = kernel.qdisc ? EEXIST : 0;

        kernel.qdisc = true;
        return error;
    } else if (!kernel.qdisc) {
        return ENOENT;
    } else if (request->nlmsg_type == RTM_DELQDISC) {
        kernel.qdisc = false;
        memset(kernel.filters, 0, sizeof kernel.filters);
        return 0;
    }

    ofpbuf_init(&msg, 0);
    answer_begin(&msg, RTM_NEWQDISC, request->nlmsg_seq);
    ofpbuf_put(&msg, NLMSG_DATA(request), sizeof(struct tcmsg));
    nl_msg_put_string(&msg, TCA_KIND, "ingress");
    answer_end(&msg);
    ofpbuf_uninit(&msg);
    return 0;
}

static void
answer_police(int type, const struct nlmsghdr *request, uint32_t index)
{
    struct ofpbuf msg;
    size_t tab, act;

    ofpbuf_init(&msg, 0);
    answer_begin(&msg, type, request->nlmsg_seq);
    ofpbuf_put_zeros(&msg, sizeof(struct tcamsg));
    tab = nl_msg_start_nested(&msg, TCA_ACT_TAB);
    act = nl_msg_start_nested(&msg, 1);
    nl_msg_put_string(&msg, TCA_ACT_KIND, "police");
    nl_msg_put_u32(&msg, TCA_ACT_INDEX, TC_POLICE_INDEX_MIN + index);
    put_stats(&msg, 7);
    nl_msg_end_nested(&msg, act);
    nl_msg_end_nested(&msg, tab);
    answer_end(&msg);
    ofpbuf_uninit(&msg);
}

static int
do_police(const struct nlmsghdr *request)
{
    static const uint16_t index_path[] = { TCA_ACT_TAB, 1, TCA_ACT_INDEX };
    static const uint16_t tbf_path[] = { TCA_ACT_TAB, 1, TCA_ACT_OPTIONS,
                                         TCA_POLICE_TBF };
    struct ofpbuf msg = ofpbuf_const_initializer(request, request->nlmsg_len);
    const struct nlattr *nla;
    uint32_t index;

    if (request->nlmsg_type == RTM_NEWACTION) {
        struct tc_police parms;

        nla = tc_reply_find(&msg, sizeof(struct tcamsg), tbf_path, 4);
        CHECK(nla && nl_attr_get_size(nla) == sizeof parms);
        memcpy(&parms, nl_attr_get(nla), sizeof parms);
        index = parms.index - TC_POLICE_INDEX_MIN;
        CHECK(index < MAX_POLICE);
        if (kernel.police[index] && request->nlmsg_flags & NLM_F_EXCL) {
            return EEXIST;
        }
        kernel.police[index] = parms.rate.rate;
        return 0;
    }

    nla = tc_reply_find(&msg, sizeof(struct tcamsg), index_path, 3);
    CHECK(nla != NULL);
    memcpy(&index, nl_attr_get(nla), sizeof index);
    index -= TC_POLICE_INDEX_MIN;
    CHECK(index < MAX_POLICE);
    if (!kernel.police[index]) {
        return ENOENT;
    } else if (request->nlmsg_type == RTM_DELACTION) {
        if (kernel.in_use[index]) {
            return EPERM;
        }
        kernel.police[index] = 0;
    }
    answer_police(request->nlmsg_type, request, index);
    return 0;
}

static void
do_request(const struct nlmsghdr *request)
{
    int error;

    if ((request->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP) {
        if (request->nlmsg_type == RTM_GETTFILTER) {
            dump_filters(request);
        } else {
            for (uint32_t i = 0; i < MAX_POLICE; i++) {
                if (kernel.police[i]) {
                    answer_police(RTM_GETACTION, request, i);
                }
            }
            answer_done(request);
        }
        return;
    }
    switch (request->nlmsg_type) {
    case RTM_NEWTFILTER: case RTM_DELTFILTER: case RTM_GETTFILTER:
        error = do_filter(request);
        break;
    case RTM_NEWQDISC: case RTM_DELQDISC: case RTM_GETQDISC:
        error = do_qdisc(request);
        break;
    case RTM_GETSTATS:
        error = EOPNOTSUPP;     /* As before Linux 4.7. */
        break;
    default:
        error = do_police(request);
        break;
    }
    answer_ack(request->nlmsg_seq, error, error ? "what went wrong" : NULL);
}

/* Faults. */

enum fault {
    NO_FAULT,
    /* Before the kernel gets the requests. */
    SEND_EINTR, SEND_ENOBUFS, SEND_ENOMEM, SEND_EAGAIN, SEND_EMSGSIZE,
    SEND_EPERM, SEND_EBADF, SEND_PARTIAL, SEND_NOTHING,
    /* Before they are read, but nothing is lost. */
    RECEIVE_EINTR, RECEIVE_FOREIGN_SENDER, RECEIVE_FOREIGN_SEQ,
    RECEIVE_GARBAGE, RECEIVE_MERGED, RECEIVE_TWICE, RECEIVE_EMPTY,
    /* Something is lost. */
    RECEIVE_LOSE_FIRST, RECEIVE_LOSE_ALL, RECEIVE_LOSE_QUIETLY,
    RECEIVE_TRUNCATED, RECEIVE_MALFORMED, RECEIVE_ENODEV, RECEIVE_EPERM,
    RECEIVE_NOTHING,
    N_FAULTS
};

static const char *fault_names[N_FAULTS] = {
    "no fault", "EINTR of send", "ENOBUFS of send", "ENOMEM of send",
    "EAGAIN of send", "EMSGSIZE of send", "EPERM of send", "EBADF of send",
    "partial send", "send of 0 bytes",
    "EINTR of receive", "answers from another process",
    "answers to other requests", "garbage", "answers in one datagram",
    "answers twice", "empty datagram",
    "first answer lost", "all answers lost", "answer lost without ENOBUFS",
    "truncated answer", "malformed answer", "ENODEV of receive",
    "EPERM of receive", "receive of 0 datagrams",
};

static enum fault fault;
static int n_calls;
static int vanish_at;           /* The device goes at this system call. */
static bool fault_happened;

/* Whether the fault happens now. */
static bool
is_due(enum fault first, enum fault last)
{
    bool due = ++n_calls == fault_at && fault >= first && fault <= last;

    fault_happened |= due;
    return due;
}

static bool
loses_answers(void)
{
    return fault >= RECEIVE_LOSE_FIRST;
}

static ssize_t
fake_sendmsg(int fd OVS_UNUSED, const struct msghdr *msg,
             int flags OVS_UNUSED)
{
    static const int errors[] = {
        [SEND_EINTR] = EINTR, [SEND_ENOBUFS] = ENOBUFS,
        [SEND_ENOMEM] = ENOMEM, [SEND_EAGAIN] = EAGAIN,
        [SEND_EMSGSIZE] = EMSGSIZE, [SEND_EPERM] = EPERM,
        [SEND_EBADF] = EBADF,
    };
    bool due = is_due(SEND_EINTR, SEND_NOTHING);
    struct ofpbuf all;

    if (n_calls >= vanish_at && vanish_at) {
        kernel.device = kernel.qdisc = false;
        memset(kernel.filters, 0, sizeof kernel.filters);
    }
    if (due && fault <= SEND_EBADF) {
        errno = errors[fault];
        return -1;
    } else if (due && fault == SEND_NOTHING) {
        return 0;
    }

    ofpbuf_init(&all, 0);
    for (size_t i = 0; i < msg->msg_iovlen; i++) {
        ofpbuf_put(&all, msg->msg_iov[i].iov_base, msg->msg_iov[i].iov_len);
    }
    if (due) {
        all.size = all.size * 2 / 3;
    }
    ssize_t sent = all.size;
    while (all.size >= NLMSG_HDRLEN) {
        const struct nlmsghdr *nlh = all.data;

        if (nlh->nlmsg_len > all.size) {
            break;
        }
        do_request(nlh);
        ofpbuf_pull(&all, NLMSG_ALIGN(nlh->nlmsg_len));
    }
    ofpbuf_uninit(&all);
    return sent;
}

/* Puts acknowledgements before all others in the queue that say what isn't
 * true of the requests whose sequence numbers are 'offset' from theirs. */
static void
push_lies(uint32_t offset, uint32_t from)
{
    size_t n = n_queue;
    struct ofpbuf msg;

    CHECK(2 * n < ARRAY_SIZE(queue));
    memmove(queue + n, queue, n * sizeof *queue);
    n_queue = 0;
    ofpbuf_init(&msg, 0);
    for (size_t i = 0; i < n; i++) {
        const struct nlmsghdr *nlh = ALIGNED_CAST(const struct nlmsghdr *,
                                                  queue[n + i].data);

        put_ack(&msg, nlh->nlmsg_seq + offset, EIO, "a lie");
        nlh = msg.data;
        ((struct nlmsghdr *) msg.data)->nlmsg_len = msg.size;
        push(&msg, from);
    }
    ofpbuf_uninit(&msg);
    n_queue = 2 * n;
}

static void
push_garbage(const void *data, size_t len)
{
    struct ofpbuf msg = ofpbuf_const_initializer(data, len);

    push(&msg, 0);
    for (size_t i = n_queue - 1; i > 0; i--) {
        struct datagram tmp = queue[i];

        queue[i] = queue[i - 1];
        queue[i - 1] = tmp;
    }
}

static void
merge_all(void)
{
    for (size_t i = 1; i < n_queue; i++) {
        struct datagram *d = &queue[0];

        if (d->len + queue[i].len > sizeof d->data) {
            memmove(queue + 1, queue + i, (n_queue - i) * sizeof *queue);
            n_queue -= i - 1;
            return;
        }
        memcpy(d->data + d->len, queue[i].data, queue[i].len);
        d->len += queue[i].len;
    }
    n_queue = MIN(n_queue, 1);
}

static void
push_twice(void)
{
    CHECK(2 * n_queue < ARRAY_SIZE(queue));
    for (size_t i = n_queue; i-- > 0; ) {
        queue[2 * i] = queue[2 * i + 1] = queue[i];
    }
    n_queue *= 2;
}

/* Changes the queue as the fault says.  Returns 0 or the receive's errno. */
static int
corrupt_queue(void)
{
    static const uint32_t garbage[] = { 3, UINT32_MAX, 0, 0, 0, 5, 6, 7 };
    struct nlmsghdr *first = ALIGNED_CAST(struct nlmsghdr *, queue[0].data);

    if (!n_queue) {
        return 0;
    }
    switch ((int) fault) {
    case RECEIVE_EINTR:
        return EINTR;
    case RECEIVE_FOREIGN_SENDER:
        push_lies(0, 4711);
        return 0;
    case RECEIVE_FOREIGN_SEQ:
        push_lies(-1000, 0);
        return 0;
    case RECEIVE_GARBAGE:
        push_garbage(garbage, sizeof garbage);
        return 0;
    case RECEIVE_EMPTY:
        push_garbage(garbage, 0);
        return 0;
    case RECEIVE_MERGED:
        merge_all();
        return 0;
    case RECEIVE_TWICE:
        push_twice();
        return 0;
    case RECEIVE_LOSE_FIRST:
    case RECEIVE_LOSE_QUIETLY:
        drop_first();
        lost = fault == RECEIVE_LOSE_FIRST;
        return 0;
    case RECEIVE_LOSE_ALL:
        while (n_queue) {
            drop_first();
        }
        return 0;
    case RECEIVE_TRUNCATED:
        queue[0].len /= 2;
        return 0;
    case RECEIVE_MALFORMED:
        first->nlmsg_len = NLMSG_HDRLEN + 2;
        return 0;
    case RECEIVE_ENODEV:
        return ENODEV;
    case RECEIVE_EPERM:
        return EPERM;
    default:
        return 0;
    }
}

static int
fake_recvmmsg(int fd OVS_UNUSED, struct mmsghdr *msgs, unsigned int n,
              int flags)
{
    CHECK(flags & MSG_DONTWAIT);
    if (is_due(RECEIVE_EINTR, RECEIVE_NOTHING)) {
        errno = corrupt_queue();
        if (errno) {
            return -1;
        } else if (fault == RECEIVE_NOTHING) {
            return 0;
        }
    }
    if (lost) {
        lost = false;
        errno = ENOBUFS;
        return -1;
    } else if (!n_queue) {
        errno = EAGAIN;
        return -1;
    }

    n = MIN(n, n_queue);
    for (unsigned int i = 0; i < n; i++) {
        struct msghdr *msg = &msgs[i].msg_hdr;
        struct sockaddr_nl *from = msg->msg_name;

        CHECK(queue[i].len <= msg->msg_iov->iov_len);
        memcpy(msg->msg_iov->iov_base, queue[i].data, queue[i].len);
        msgs[i].msg_len = queue[i].len;
        *from = (struct sockaddr_nl) { .nl_family = AF_NETLINK,
                                       .nl_pid = queue[i].from };
        msg->msg_namelen = sizeof *from;
    }
    n_queue -= n;
    memmove(queue, queue + n, n_queue * sizeof *queue);
    return n;
}

/* Runs 'scenario' with each fault at each system call. */
static void
with_faults(void (*scenario)(void))
{
    for (fault = SEND_EINTR; fault < N_FAULTS; fault++) {
        fault_name = fault_names[fault];
        for (fault_at = 1; ; fault_at++) {
            n_calls = 0;
            fault_happened = false;
            scenario();
            if (n_calls < fault_at) {
                break;
            }
            if (fault_happened) {
                enum fault this = fault;
                int at = fault_at;

                fault = NO_FAULT;
                scenario();
                fault = this;
                fault_at = at;
            }
        }
        printf("%s: at %d system calls\n", fault_name, fault_at - 1);
        CHECK(fault_at > 1);
    }
}

/* Scenarios. */

struct op {
    struct tc_reply reply;
    uint32_t handle;
    bool echoed;
};

static void
take_echo(struct tc_reply *reply, const struct ofpbuf *msg)
{
    struct op *op = CONTAINER_OF(reply, struct op, reply);
    struct tc_filter filter;

    CHECK(!op->echoed);
    if (tc_filter_parse(msg, &filter)) {
        CHECK_EQ(filter.handle, op->handle);
        CHECK_EQ(filter.counters.sw_packets, op->handle);
        op->echoed = true;
    } else {
        CHECK_EQ(fault, RECEIVE_MALFORMED);
    }
}

static void
request(struct tc_pipeline *p, int type, unsigned int flags, uint32_t handle,
        struct op *op)
{
    *op = (struct op) { .reply = { .echo = take_echo }, .handle = handle };
    struct ofpbuf *msg = tc_request_begin(p, type, flags, &op->reply);
    nl_msg_put_string(msg, TCA_KIND, "flower");
    tc_request_tcmsg(p)->tcm_handle = handle;
    tc_request_end(p);
}

/* What was said of a request must be what the kernel has.  'done' is whether
 * it has the filter, and shouldn't, or the other way round. */
static void
check_reply(const struct op *op, bool done, int expected)
{
    if (op->reply.unknown) {
        CHECK(loses_answers());
        CHECK_EQ(op->reply.error, ENOBUFS);
    } else if (!op->reply.error) {
        CHECK_EQ(expected, 0);
        CHECK(done);
        CHECK(!op->reply.extack[0]);
    } else if (op->reply.error == expected) {
        CHECK(!strcmp(op->reply.extack, "what went wrong"));
    } else {
        /* After the others, sending half as much works. */
        CHECK(fault == SEND_EPERM || fault == SEND_EBADF);
        CHECK(!done || expected);
    }
}

/* How many requests may be unknown after a fault. */
static int
max_unknown(int n)
{
    return (!loses_answers() ? 0
            : fault == RECEIVE_LOSE_FIRST || fault == RECEIVE_LOSE_QUIETLY
            || fault == RECEIVE_TRUNCATED || fault == RECEIVE_MALFORMED ? 1
            : n);
}

/* 64 additions, some of which fail, then as many deletions with echo. */
static void
pipeline_scenario(void)
{
    static struct op ops[TC_PIPELINE_MAX];
    struct tc_pipeline *p = tc_pipeline_get();

    memset(&kernel, 0, sizeof kernel);
    kernel.qdisc = kernel.device = true;
    kernel.filters[10] = true;
    for (int i = 0; i < TC_PIPELINE_MAX; i++) {
        request(p, RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, i + 1, &ops[i]);
    }
    tc_pipeline_run(p);
    int n_unknown = 0;
    for (int i = 0; i < TC_PIPELINE_MAX; i++) {
        check_reply(&ops[i], kernel.filters[i + 1], i == 9 ? EEXIST : 0);
        CHECK(!ops[i].echoed);
        n_unknown += ops[i].reply.unknown;
    }
    CHECK(n_unknown <= max_unknown(TC_PIPELINE_MAX));

    /* Those that are to be deleted are there, but for one. */
    memset(kernel.filters, true, TC_PIPELINE_MAX + 1);
    kernel.filters[20] = false;
    for (int i = 0; i < TC_PIPELINE_MAX; i++) {
        request(p, RTM_DELTFILTER, NLM_F_ECHO, i + 1, &ops[i]);
    }
    tc_pipeline_run(p);
    for (int i = 0; i < TC_PIPELINE_MAX; i++) {
        check_reply(&ops[i], !kernel.filters[i + 1], i == 19 ? ENOENT : 0);
        CHECK(ops[i].echoed || ops[i].reply.error || loses_answers());
    }
    CHECK(fault != NO_FAULT || !n_queue);
}

/* Fewer requests than a pipeline holds, and more. */
static void
overfull_scenario(void)
{
    static struct op ops[TC_PIPELINE_MAX + 20];
    struct tc_pipeline *p = tc_pipeline_get();

    memset(&kernel, 0, sizeof kernel);
    kernel.qdisc = kernel.device = true;
    tc_pipeline_run(p);
    for (int i = 0; i < ARRAY_SIZE(ops); i++) {
        request(p, RTM_NEWTFILTER, NLM_F_CREATE, i + 1, &ops[i]);
        if (i == 5) {
            tc_request_begin(p, RTM_NEWTFILTER, NLM_F_CREATE, NULL);
            tc_request_cancel(p);
        }
    }
    tc_pipeline_run(p);
    for (int i = 0; i < ARRAY_SIZE(ops); i++) {
        check_reply(&ops[i], kernel.filters[i + 1], 0);
    }
}

#define N_DUMP 20

static void
dump_scenario(void)
{
    struct ofpbuf request_, buf, msg;
    bool seen[MAX_FILTERS] = { false };
    struct tc_dump *dump;
    bool complete = true;
    int n = 0;

    memset(&kernel, 0, sizeof kernel);
    kernel.qdisc = kernel.device = true;
    memset(kernel.filters, true, N_DUMP + 1);
    ofpbuf_init(&request_, 0);
    nl_msg_put_nlmsghdr(&request_, sizeof(struct tcmsg), RTM_GETTFILTER, 0);
    ofpbuf_put_zeros(&request_, sizeof(struct tcmsg));
    int error = tc_dump_start(&request_, &dump);
    ofpbuf_uninit(&request_);
    if (error) {
        CHECK(fault >= SEND_ENOBUFS && fault <= SEND_NOTHING);
        n_queue = 0;            /* The socket is closed. */
        return;
    }

    ofpbuf_init(&buf, 0);
    while (tc_dump_next(dump, &buf)) {
        while (tc_dump_msg(&buf, &msg)) {
            struct tc_filter filter;

            if (tc_filter_parse(&msg, &filter)) {
                CHECK(filter.handle && filter.handle <= N_DUMP);
                CHECK(!seen[filter.handle] || fault == RECEIVE_TWICE);
                n += !seen[filter.handle];
                seen[filter.handle] = true;
            }
        }
    }
    ofpbuf_uninit(&buf);
    error = tc_dump_done(dump, &complete);
    if (complete) {
        CHECK_EQ(error, 0);
        CHECK(n == N_DUMP || fault == RECEIVE_LOSE_QUIETLY);
    } else {
        CHECK(fault != NO_FAULT);
        CHECK(loses_answers() || fault == RECEIVE_GARBAGE
              || fault == RECEIVE_FOREIGN_SENDER);
    }
    n_queue = 0;
    lost = false;
}

static void
abandoned_dump_scenario(void)
{
    struct ofpbuf request_, buf;
    struct tc_dump *dump;
    bool complete;

    memset(&kernel, 0, sizeof kernel);
    kernel.qdisc = kernel.device = true;
    memset(kernel.filters, true, N_DUMP + 1);
    ofpbuf_init(&request_, 0);
    nl_msg_put_nlmsghdr(&request_, sizeof(struct tcmsg), RTM_GETTFILTER, 0);
    ofpbuf_put_zeros(&request_, sizeof(struct tcmsg));
    if (!tc_dump_start(&request_, &dump)) {
        ofpbuf_init(&buf, 0);
        tc_dump_next(dump, &buf);
        ofpbuf_uninit(&buf);
        tc_dump_done(dump, &complete);
        CHECK(!complete);
    }
    ofpbuf_uninit(&request_);

    /* What is left in the queue would be gone with the socket; that it is
     * still there must not matter either. */
    lost = false;
    struct tc_pipeline *p = tc_pipeline_get();
    struct op op;
    request(p, RTM_GETTFILTER, 0, 7, &op);
    tc_pipeline_run(p);
    CHECK(!op.reply.error || fault != NO_FAULT);
    CHECK(op.echoed || op.reply.error || loses_answers());
    n_queue = 0;
}

/* A port comes and goes. */
static void
port_scenario(void)
{
    struct offload_refusal refusal = OFFLOAD_REFUSAL_INITIALIZER;
    struct offload_port port = { .name = "p", .ifindex = 5 };

    /* Nothing, an empty qdisc of somebody else's, or one with his filters and
     * those of an earlier daemon. */
    bool existing = fault_at % 3 > 0;
    bool foreign = fault_at % 3 == 2;

    memset(&kernel, 0, sizeof kernel);
    kernel.device = true;
    kernel.qdisc = existing;
    if (foreign) {
        memset(kernel.filters + 1, true, 5);
        memset(kernel.filters + FOREIGN, true, 3);
    }
    int error = tc_port_open(&port, &refusal);
    CHECK_EQ(!!error, offload_refused(&refusal));
    CHECK_EQ(error, 0);         /* One fault isn't enough. */
    CHECK(kernel.qdisc);
    memset(kernel.filters + OURS, true, 10);
    tc_port_close(&port);

    /* The kernel doesn't lose a part of a dump without saying so. */
    for (int i = 1; i < FOREIGN && fault != RECEIVE_LOSE_QUIETLY; i++) {
        CHECK(!kernel.filters[i]);
    }
    /* An empty qdisc is taken for ours if the answer to its making is lost. */
    CHECK(kernel.qdisc == existing || loses_answers());
    CHECK(kernel.qdisc || !foreign);
    for (int i = FOREIGN; i < MAX_FILTERS; i++) {
        CHECK_EQ(kernel.filters[i], foreign && i < FOREIGN + 3);
    }
}

/* A device that goes before a system call. */
static void
test_port_vanishes(void)
{
    for (vanish_at = 1; vanish_at < 40; vanish_at++) {
        struct offload_refusal refusal = OFFLOAD_REFUSAL_INITIALIZER;
        struct offload_port port = { .name = "p", .ifindex = 5 };

        memset(&kernel, 0, sizeof kernel);
        kernel.device = kernel.qdisc = true;
        memset(kernel.filters + 1, true, 5);
        memset(kernel.filters + FOREIGN, true, 3);
        n_calls = 0;
        if (tc_port_open(&port, &refusal)) {
            CHECK(!kernel.device);
            CHECK_EQ(refusal.error, ENODEV);
        } else {
            memset(kernel.filters + OURS, kernel.device, 5);
            CHECK_EQ(tc_port_flush(&port, NULL), 0);
            tc_port_close(&port);
        }
    }
    CHECK(n_calls < vanish_at);
    vanish_at = 0;
}

static int
set_meter(uint32_t id, uint32_t rate)
{
    struct ofputil_meter_band band = { .type = OFPMBT13_DROP, .rate = rate };
    struct ofputil_meter_config config = {
        .meter_id = id, .flags = OFPMF13_KBPS, .n_bands = 1, .bands = &band,
    };
    struct offload_refusal refusal = OFFLOAD_REFUSAL_INITIALIZER;

    return tc_police_set(id, &config, &refusal);
}

/* A meter is made, changed, read and deleted, while a rule refers to it. */
static void
police_scenario(void)
{
    struct ofputil_meter_stats stats = { .n_bands = 0 };
    uint32_t index, again;
    int error;

    memset(kernel.in_use, 0, sizeof kernel.in_use);
    if (set_meter(1, 1000)) {
        /* A lost answer is asked for again. */
        CHECK(fault >= SEND_ENOBUFS && fault <= SEND_NOTHING);
        CHECK(!tc_police_lookup(1, &index));
    } else {
        CHECK(tc_police_lookup(1, &index));
        CHECK_EQ(kernel.police[index - TC_POLICE_INDEX_MIN], 125000);

        error = set_meter(1, 2000);
        CHECK(error || kernel.police[index - TC_POLICE_INDEX_MIN] == 250000);
        CHECK(tc_police_lookup(1, &again) && again == index);
        error = tc_police_get(1, &stats);
        CHECK(error || stats.packet_in_count == 7 || loses_answers());

        kernel.in_use[index - TC_POLICE_INDEX_MIN] = true;
        CHECK_EQ(tc_police_del(1, &stats), 0);
        CHECK(!tc_police_lookup(1, &again));
        kernel.in_use[index - TC_POLICE_INDEX_MIN] = false;
    }

    /* Nothing may be left for ever. */
    fault = NO_FAULT;
    for (int i = 0; i < 3; i++) {
        tc_police_retry();
    }
    for (int i = 0; i < MAX_POLICE; i++) {
        CHECK_EQ(kernel.police[i], 0);
    }
}

static void
test_police(void)
{
    /* with_faults() for a scenario that ends its fault itself. */
    for (int i = SEND_EINTR; i < N_FAULTS; i++) {
        for (fault_at = 1; fault_at < 40; fault_at++) {
            fault = i;
            fault_name = fault_names[i];
            n_calls = 0;
            police_scenario();
        }
    }
}

/* Acknowledgements of unusual forms. */

static struct ofpbuf special;

static ssize_t
special_sendmsg(int fd, const struct msghdr *msg, int flags)
{
    const struct nlmsghdr *nlh = msg->msg_iov[0].iov_base;

    ssize_t retval = fake_sendmsg(fd, msg, flags);
    ((struct nlmsghdr *) special.data)->nlmsg_seq = nlh->nlmsg_seq;
    n_queue = 0;
    push(&special, 0);
    return retval;
}

/* What is made of 'special' as the answer to a request. */
static struct tc_reply
reply_to_special(void)
{
    struct tc_pipeline *p = tc_pipeline_get();
    struct op op;

    ((struct nlmsghdr *) special.data)->nlmsg_len = special.size;
    memset(&kernel, 0, sizeof kernel);
    kernel.qdisc = kernel.device = true;
    request(p, RTM_NEWTFILTER, NLM_F_CREATE, 1, &op);
    tc_syscalls.sendmsg = special_sendmsg;
    tc_pipeline_run(p);
    tc_syscalls.sendmsg = fake_sendmsg;
    return op.reply;
}

static void
test_acks(void)
{
    char words[300];
    struct tc_reply reply;
    struct nlmsghdr *nlh;
    struct nlmsgerr *err;

    ofpbuf_init(&special, 0);

    /* Words that are too long and don't end. */
    memset(words, 'x', sizeof words);
    put_ack(&special, 0, EINVAL, "");
    nl_msg_put_unspec(&special, NLMSGERR_ATTR_MSG, words, sizeof words);
    reply = reply_to_special();
    CHECK_EQ(reply.error, EINVAL);
    CHECK_EQ(strlen(reply.extack), sizeof reply.extack - 1);

    /* A copy of the request before the words: the kernel ignored
     * NETLINK_CAP_ACK. */
    nlh = answer_begin(&special, NLMSG_ERROR, 0);
    nlh->nlmsg_flags = NLM_F_ACK_TLVS;
    err = ofpbuf_put_zeros(&special, sizeof *err);
    err->error = -EBUSY;
    err->msg.nlmsg_len = NLMSG_HDRLEN + 40;
    ofpbuf_put_zeros(&special, 40);
    nl_msg_put_string(&special, NLMSGERR_ATTR_MSG, "after the copy");
    reply = reply_to_special();
    CHECK_EQ(reply.error, EBUSY);
    CHECK(!strcmp(reply.extack, "after the copy"));

    /* Lengths that point out of the message. */
    err = ofpbuf_at_assert(&special, NLMSG_HDRLEN, sizeof *err);
    err->msg.nlmsg_len = UINT32_MAX;
    reply = reply_to_special();
    CHECK_EQ(reply.error, EBUSY);
    err = ofpbuf_at_assert(&special, NLMSG_HDRLEN, sizeof *err);
    err->msg.nlmsg_len = 0;
    reply_to_special();

    /* Errors that aren't. */
    put_ack(&special, 0, -5, NULL);
    CHECK_EQ(reply_to_special().error, EPROTO);
    put_ack(&special, 0, 5000, NULL);
    CHECK_EQ(reply_to_special().error, EPROTO);

    /* Words with a success. */
    put_ack(&special, 0, 0, "a warning");
    reply = reply_to_special();
    CHECK_EQ(reply.error, 0);
    CHECK(!reply.unknown);
    CHECK(!strcmp(reply.extack, "a warning"));
    ofpbuf_uninit(&special);
}

/* What is read from a filter's actions. */

struct counts {
    const char *kind;
    uint32_t index;             /* Of a police action in a full message. */
    bool cookie;
    uint64_t packets, bytes, hw_packets, hw_bytes;
};

static void
put_counts(struct ofpbuf *msg, int basic_type, uint64_t packets,
           uint64_t bytes)
{
    struct gnet_stats_basic basic = { .packets = packets, .bytes = bytes };

    nl_msg_put_unspec(msg, basic_type, &basic, sizeof basic);
    if (packets > UINT32_MAX) {
        nl_msg_put_u64(msg, TCA_STATS_PKT64, packets);
    }
}

static void
put_counts_action(struct ofpbuf *msg, int i, const struct counts *c)
{
    size_t act = nl_msg_start_nested(msg, i + 1);

    nl_msg_put_string(msg, TCA_ACT_KIND, c->kind);
    size_t stats = nl_msg_start_nested(msg, TCA_ACT_STATS);
    put_counts(msg, TCA_STATS_BASIC, c->packets, c->bytes);
    if (c->hw_packets) {
        put_counts(msg, TCA_STATS_BASIC_HW, c->hw_packets, c->hw_bytes);
    }
    nl_msg_end_nested(msg, stats);
    if (c->cookie) {
        nl_msg_put_u128(msg, TCA_ACT_COOKIE,
                        (ovs_u128) { .u32 = { i + 1, 0, 0, 0 } });
    }
    if (c->index) {
        struct tc_police parms = { .index = c->index };
        size_t options = nl_msg_start_nested(msg, TCA_ACT_OPTIONS);

        nl_msg_put_unspec(msg, TCA_POLICE_TBF, &parms, sizeof parms);
        nl_msg_end_nested(msg, options);
    }
    nl_msg_end_nested(msg, act);
}

static struct tc_filter
parse_counts(const struct counts counts[], size_t n)
{
    struct tc_filter filter;
    struct ofpbuf msg;

    ofpbuf_init(&msg, 0);
    nl_msg_put_nlmsghdr(&msg, 0, RTM_NEWTFILTER, 0);
    ofpbuf_put_zeros(&msg, sizeof(struct tcmsg));
    nl_msg_put_string(&msg, TCA_KIND, "flower");
    size_t options = nl_msg_start_nested(&msg, TCA_OPTIONS);
    nl_msg_put_u32(&msg, TCA_FLOWER_FLAGS, TCA_CLS_FLAGS_IN_HW);
    size_t acts = nl_msg_start_nested(&msg, TCA_FLOWER_ACT);
    for (size_t i = 0; i < n; i++) {
        put_counts_action(&msg, i, &counts[i]);
    }
    nl_msg_end_nested(&msg, acts);
    nl_msg_end_nested(&msg, options);
    ((struct nlmsghdr *) msg.data)->nlmsg_len = msg.size;
    CHECK(tc_filter_parse(&msg, &filter));
    CHECK(filter.in_hw);
    ofpbuf_uninit(&msg);
    return filter;
}

#define CHECK_COUNTS(HW_PACKETS, HW_BYTES, SW_PACKETS, SW_BYTES, ...)   \
    do {                                                                \
        const struct counts counts[] = { __VA_ARGS__ };                 \
        struct tc_filter f = parse_counts(counts, ARRAY_SIZE(counts));  \
                                                                        \
        CHECK(f.has_counters);                                          \
        CHECK_EQ(f.counters.hw_packets, HW_PACKETS);                    \
        CHECK_EQ(f.counters.hw_bytes, HW_BYTES);                        \
        CHECK_EQ(f.counters.sw_packets, SW_PACKETS);                    \
        CHECK_EQ(f.counters.sw_bytes, SW_BYTES);                        \
    } while (0)

static void
test_counters(void)
{
    const uint64_t big = UINT64_C(5000000000);
    const struct counts meter_only[] = {
        { .kind = "police", .packets = 1000, .bytes = 100000 },
    };

    /* Hardware's are in the total. */
    CHECK_COUNTS(4, 400, 6, 600,
                 { "gact", 0, true, 10, 1000, 4, 400 });
    /* The first one's bytes, as the packets came. */
    CHECK_COUNTS(10, 1000, 0, 0,
                 { "vlan", 0, true, 10, 1000, 10, 1000 },
                 { "mirred", 0, false, 10, 1040, 10, 1040 });
    /* A driver that reports for the last one only; one that drops. */
    CHECK_COUNTS(7, 700, 0, 0,
                 { "ct", 0, true, 0, 0, 0, 0 },
                 { "mirred", 0, false, 7, 700, 7, 700 });
    CHECK_COUNTS(0, 0, 9, 900,
                 { "ct", 0, true, 9, 900, 0, 0 },
                 { "gact", 0, false, 5, 500, 0, 0 });
    /* More than 32 bits, of each and of both. */
    CHECK_COUNTS(0, 0, big, big * 100,
                 { "gact", 0, true, big, big * 100, 0, 0 });
    CHECK_COUNTS(big, big, 1, 1,
                 { "gact", 0, true, big + 1, big + 1, big, big });
    CHECK_COUNTS(1, 1, big, big,
                 { "gact", 0, true, big + 1, big + 1, 1, 1 });
    /* Hardware was read later than the total. */
    CHECK_COUNTS(12, 1200, 0, 0,
                 { "gact", 0, true, 10, 1000, 12, 1200 });
    /* A meter counts for others, too: terse, and full with and without a
     * cookie that isn't ours to put there. */
    CHECK_COUNTS(0, 0, 3, 300,
                 { "police", 0, false, 1000, 100000, 0, 0 },
                 { "mirred", 0, true, 3, 300, 0, 0 });
    CHECK_COUNTS(0, 0, 3, 300,
                 { "police", 0x10000005, true, 1000, 100000, 0, 0 },
                 { "mirred", 0, true, 3, 300, 0, 0 });
    CHECK(!parse_counts(meter_only, 1).has_counters);
    /* The one of check_pkt_len is the filter's own. */
    CHECK_COUNTS(0, 0, 8, 800,
                 { "police", 0, true, 8, 800, 0, 0 },
                 { "mirred", 0, false, 5, 500, 0, 0 },
                 { "mirred", 0, false, 3, 300, 0, 0 });
    CHECK_COUNTS(0, 0, 8, 800,
                 { "police", 17, true, 8, 800, 0, 0 },
                 { "mirred", 0, false, 5, 500, 0, 0 });
}

static void test_pipeline(void) { with_faults(pipeline_scenario); }
static void test_overfull(void) { with_faults(overfull_scenario); }
static void test_dump(void) { with_faults(dump_scenario); }
static void test_abandoned(void) { with_faults(abandoned_dump_scenario); }
static void test_port(void) { with_faults(port_scenario); }

static const struct {
    const char *name;
    void (*run)(void);
} tests[] = {
    { "acks", test_acks },
    { "counters", test_counters },
    { "pipeline", test_pipeline },
    { "overfull", test_overfull },
    { "dump", test_dump },
    { "abandoned", test_abandoned },
    { "port", test_port },
    { "port-vanishes", test_port_vanishes },
    { "police", test_police },
};

int
main(int argc, char *argv[])
{
    set_program_name(argv[0]);
    tc_caps.probed = true;
    tc_syscalls.sendmsg = fake_sendmsg;
    tc_syscalls.recvmmsg = fake_recvmmsg;
    tc_police_cleanup();
    for (size_t i = 0; argc == 2 && i < ARRAY_SIZE(tests); i++) {
        if (!strcmp(argv[1], tests[i].name)) {
            tests[i].run();
            return 0;
        }
    }
    ovs_fatal(0, "usage: %s TEST", program_name);
}

/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TC_NETLINK_H
#define TC_NETLINK_H 1

/* Conversations with the kernel's traffic control, on libnl-3's sockets.
 *
 * Every thread has a NETLINK_ROUTE socket of its own, opened at its first
 * request and closed when the thread ends, with NETLINK_EXT_ACK and
 * NETLINK_CAP_ACK, so that each failure comes with the kernel's own words and
 * without a copy of the request.  A process that forks gets a new socket at
 * its next request.
 *
 * Requests are written one after the other into a struct tc_pipeline, which
 * belongs to the thread and is reused.  tc_pipeline_run() sends them with as
 * few system calls as the socket buffers allow and returns when every request
 * has its result.  Requests do not depend on each other's success.
 *
 * A thread has two pipelines: tc_pipeline_get() for batches of rules, and
 * tc_pipeline_aside() for what must be asked or done while a batch is being
 * written (qdiscs, meters, capabilities).
 *
 * Nothing allocates memory in the steady state.  No lock is held over a
 * system call but a dump's own, see below.  Threads that wait in here don't
 * quiesce. */

#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "openvswitch/ofpbuf.h"

/* The largest number of requests in a pipeline. */
#define TC_PIPELINE_MAX 64

/* One request's result. */
struct tc_reply {
    /* 0 or a positive errno: the kernel's own, or that of the system call if
     * the request could not be sent, and thus was not carried out. */
    int error;

    /* The acknowledgement was lost, 'error' is ENOBUFS: the request may have
     * been carried out or not.  Only the kernel's tables tell. */
    bool unknown;

    char extack[120];           /* The kernel's words, or "". */

    /* May be NULL.  Called for the message that the kernel echoes
     * (NLM_F_ECHO) or answers a GET with, at most once, before
     * tc_pipeline_run() returns; never called if that message was lost, even
     * if 'error' is 0.  'msg' is an untrusted whole message, gone on return.
     * Must not use the pipelines. */
    void (*echo)(struct tc_reply *, const struct ofpbuf *msg);
    void *aux;
};

struct tc_pipeline;

/* The calling thread's pipeline, empty: what was in it without having been
 * run is dropped. */
struct tc_pipeline *tc_pipeline_get(void);
/* The calling thread's second one, likewise. */
struct tc_pipeline *tc_pipeline_aside(void);

/* Begins a request: netlink header (with a fresh sequence number and
 * NLM_F_REQUEST | NLM_F_ACK | 'flags') and a zeroed struct tcmsg, whose
 * address may change with every byte put into the buffer, hence
 * tc_request_tcmsg().  '*reply' is set when the pipeline is run, apart from
 * 'echo' and 'aux', which must be set before; it must stay in place until
 * tc_pipeline_run() has returned.  If the pipeline is full it is run first.
 *
 * The attributes are put into the returned buffer with nl_msg_put_*() of OVS.
 * The buffer holds this request alone, from its netlink header on, and is
 * valid until tc_request_end() or tc_request_cancel(). */
struct ofpbuf *tc_request_begin(struct tc_pipeline *, int type,
                                unsigned int flags, struct tc_reply *);
struct tcmsg *tc_request_tcmsg(struct tc_pipeline *);

/* Likewise for requests with another header than struct tcmsg: 'header_len'
 * zeroed bytes follow the netlink header (at 'NLMSG_HDRLEN'). */
struct ofpbuf *tc_request_begin_header(struct tc_pipeline *, int type,
                                       unsigned int flags, size_t header_len,
                                       struct tc_reply *);

/* Adds NLM_F_* flags to the request begun last. */
void tc_request_set_flags(struct tc_pipeline *, unsigned int flags);

/* Ends the request begun last, fixes its length. */
void tc_request_end(struct tc_pipeline *);
/* Drops the request begun last, as if it had never been begun. */
void tc_request_cancel(struct tc_pipeline *);

/* Sends what the pipeline holds, fills in each request's reply, and empties
 * the pipeline. */
void tc_pipeline_run(struct tc_pipeline *);

/* A dump, on a socket of its own from a pool.  'request' is a whole netlink
 * message; its flags NLM_F_REQUEST and NLM_F_DUMP, and its sequence number,
 * are set here.  Returns 0 and '*dump', or a positive errno.
 *
 * The kernel doesn't say so if the device or the qdisc that is to be dumped
 * isn't there (any more): it ends the dump at once, without an error.  Nor
 * does it (6.1, tc_dump_tfilter()) if a prio or a chain goes or comes between
 * two receives, by whose number it finds its place again: filters may then be
 * left out, or given twice.  Who misses a filter in a dump should ask for it.
 *
 * tc_dump_next() may be called by several threads at once, each with its own
 * 'buf', which it replaces by whole messages from one receive.  It returns
 * false at the end.  The dump's lock is held over the receive: it is what
 * makes the threads take turns.
 *
 * tc_dump_done() must be called once no thread is in tc_dump_next(), at the
 * end of the dump or before.  Returns 0 or a positive errno: the kernel's own,
 * or EIO if a receive failed. */
struct tc_dump;
int tc_dump_start(const struct ofpbuf *request, struct tc_dump **);
bool tc_dump_next(struct tc_dump *, struct ofpbuf *buf);
/* '*complete' is false if the dump failed, was interrupted by changes
 * (NLM_F_DUMP_INTR), or hasn't been read to its end. */
int tc_dump_done(struct tc_dump *, bool *complete);

/* Takes the next message off 'buf', which tc_dump_next() has filled, and
 * points 'msg' to it: false if there is none. */
bool tc_dump_msg(struct ofpbuf *buf, struct ofpbuf *msg);

/* For tests: replaces the system calls under the sockets. */
struct mmsghdr;
struct tc_syscalls {
    ssize_t (*sendmsg)(int fd, const struct msghdr *, int flags);
    int (*recvmmsg)(int fd, struct mmsghdr *, unsigned int n, int flags);
};
extern struct tc_syscalls tc_syscalls;

#endif /* tc-netlink.h */

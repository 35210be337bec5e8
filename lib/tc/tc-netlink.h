/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TC_NETLINK_H
#define TC_NETLINK_H 1

/* Conversations with the kernel's traffic control, on libnl-3's sockets.
 *
 * Every thread has a NETLINK_ROUTE socket of its own, opened at its first
 * request and closed when the thread ends, with NETLINK_EXT_ACK and
 * NETLINK_CAP_ACK, so that each failure comes with the kernel's own words and
 * without a copy of the request.
 *
 * Requests are written one after the other into a struct tc_pipeline, which
 * belongs to the thread and is reused (tc_pipeline_get()).
 * tc_pipeline_run() sends them with as few system calls as the socket buffers
 * allow and returns when every request has its result.  Requests do not
 * depend on each other's success.
 *
 * No lock is held anywhere in here. */

#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "openvswitch/ofpbuf.h"

struct offload_refusal;

/* The largest number of requests in a pipeline. */
#define TC_PIPELINE_MAX 64

/* One request's result. */
struct tc_reply {
    int error;                  /* 0 or a positive errno. */
    bool unknown;               /* The acknowledgement was lost: the request
                                 * may have been carried out or not. */
    char extack[120];           /* The kernel's words, or "". */

    /* Called for an echoed message (NLM_F_ECHO), at most once, before
     * tc_pipeline_run() returns; 'msg' is an untrusted whole message. */
    void (*echo)(struct tc_reply *, const struct ofpbuf *msg);
    void *aux;
};

struct tc_pipeline;

/* The calling thread's pipeline, empty. */
struct tc_pipeline *tc_pipeline_get(void);

/* Begins a request: netlink header (with a fresh sequence number and
 * NLM_F_REQUEST | NLM_F_ACK | 'flags') and a zeroed struct tcmsg, whose
 * address may change with every byte put into the buffer, hence
 * tc_request_tcmsg().  'reply' must stay in place until tc_pipeline_run()
 * has returned.  If the pipeline is full it is run first.  The attributes are
 * put into the returned buffer with nl_msg_put_*() of OVS; a nested attribute
 * that the caller leaves open is an error of the caller.  */
struct ofpbuf *tc_request_begin(struct tc_pipeline *, int type,
                                unsigned int flags, struct tc_reply *);
struct tcmsg *tc_request_tcmsg(struct tc_pipeline *);
/* Ends the request begun last, fixes its length. */
void tc_request_end(struct tc_pipeline *);
/* Drops the request begun last, as if it had never been begun. */
void tc_request_cancel(struct tc_pipeline *);

void tc_pipeline_run(struct tc_pipeline *);

/* A dump, on a socket of its own from a pool.  tc_dump_next() may be called by
 * several threads at once, each with its own 'buf' (at least 64 KB), and fills
 * it with whole messages from one receive; it returns false at the end.  Only
 * the receive itself is under the dump's lock. */
struct tc_dump;
int tc_dump_start(const struct ofpbuf *request, struct tc_dump **);
bool tc_dump_next(struct tc_dump *, struct ofpbuf *buf);
/* '*complete' is false if the dump failed, was interrupted by changes
 * (NLM_F_DUMP_INTR), or hasn't been read to its end. */
int tc_dump_done(struct tc_dump *, bool *complete);

/* Walks the messages in 'buf': false at the end or at a malformed one. */
bool tc_dump_msg(struct ofpbuf *buf, struct ofpbuf *msg);

/* For tests: replaces the system calls under the sockets. */
struct msghdr;
struct tc_syscalls {
    long (*sendmsg)(int fd, const struct msghdr *, int flags);
    long (*recvmsg)(int fd, struct msghdr *, int flags);
};
extern struct tc_syscalls tc_syscalls;

#endif /* tc-netlink.h */

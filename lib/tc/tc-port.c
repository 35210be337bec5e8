/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "tc/tc-port.h"

#include <errno.h>
#include <linux/netlink.h>
#include <string.h>

#include "hash.h"
#include "netlink.h"
#include "offload-port.h"
#include "offload-refusal.h"
#include "openvswitch/hmap.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/vlog.h"
#include "ovs-rcu.h"
#include "tc/tc-activity.h"
#include "tc/tc-caps.h"
#include "tc/tc-netlink.h"
#include "tc/tc-police.h"
#include "tc/tc-reply.h"
#include "tc/tc-uapi.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(tc_port);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 20);

/* The hooks that filters hang on, on "ingress" as on "clsact". */
#define PARENT_INGRESS TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS)
#define PARENT_EGRESS TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS)

/* How often something is tried that may fail for want of memory, or because
 * filters came or went meanwhile. */
#define MAX_ATTEMPTS 5

static void
put_address(const struct tc_port *tc_port, int ifindex, struct tcmsg *tcm)
{
    tcm->tcm_family = AF_UNSPEC;
    if (tc_port->block) {
        tcm->tcm_ifindex = TCM_IFINDEX_MAGIC_BLOCK;
        tcm->tcm_block_index = tc_port->block;
    } else {
        tcm->tcm_ifindex = ifindex;
        tcm->tcm_parent = tc_port->parent;
    }
}

void
tc_port_address(const struct offload_port *port, struct tcmsg *tcm)
{
    put_address(port->aux, port->ifindex, tcm);
}

/* Flushing. */

/* Filters of one prio on one chain: the kernel deletes them all at once if it
 * isn't told a handle, which is fine if all of them are ours. */
struct group {
    struct hmap_node node;      /* In struct survey's 'groups'. */
    uint32_t chain;
    uint16_t prio;
    ovs_be16 protocol;
    bool has_foreign;
    bool has_ours;
};

/* One of ours. */
struct found {
    struct group *group;
    uint32_t handle;
};

/* What is on a port. */
struct survey {
    struct hmap groups;         /* Contains "struct group"s. */
    struct found *found;
    size_t n_found, allocated_found;
    size_t n_foreign;
    tc_filter_predicate *is_ours;
    const struct tc_observer *observer;     /* Or NULL. */
};

static void
survey_init(struct survey *survey, tc_filter_predicate *is_ours,
            const struct tc_observer *observer)
{
    memset(survey, 0, sizeof *survey);
    survey->is_ours = is_ours;
    survey->observer = observer;
    hmap_init(&survey->groups);
}

static void
survey_destroy(struct survey *survey)
{
    struct group *group;

    HMAP_FOR_EACH_POP (group, node, &survey->groups) {
        free(group);
    }
    hmap_destroy(&survey->groups);
    free(survey->found);
}

static struct group *
survey_group(struct survey *survey, const struct tc_filter *filter)
{
    uint32_t hash = hash_2words(filter->chain, filter->prio);
    struct group *group;

    HMAP_FOR_EACH_WITH_HASH (group, node, hash, &survey->groups) {
        if (group->chain == filter->chain && group->prio == filter->prio
            && group->protocol == filter->protocol) {
            return group;
        }
    }
    group = xzalloc(sizeof *group);
    group->chain = filter->chain;
    group->prio = filter->prio;
    group->protocol = filter->protocol;
    hmap_insert(&survey->groups, &group->node, hash);
    return group;
}

static void
survey_add(struct survey *survey, const struct tc_filter *filter)
{
    struct group *group = survey_group(survey, filter);

    if (survey->is_ours(filter)) {
        if (survey->n_found >= survey->allocated_found) {
            survey->found = x2nrealloc(survey->found,
                                       &survey->allocated_found,
                                       sizeof *survey->found);
        }
        survey->found[survey->n_found++] = (struct found) {
            .group = group, .handle = filter->handle,
        };
        group->has_ours = true;
        if (survey->observer) {
            survey->observer->look(filter, survey->observer->aux);
        }
    } else if (filter->handle || !filter->flower) {
        /* A flower without a handle is the classifier itself. */
        group->has_foreign = true;
        survey->n_foreign++;
    }
}

static int
dump_filters(const struct tcmsg *tcm, struct tc_dump **dumpp)
{
    struct ofpbuf request;
    uint64_t stub[128 / 8];
    int error;

    ofpbuf_use_stub(&request, stub, sizeof stub);
    nl_msg_put_nlmsghdr(&request, sizeof *tcm, RTM_GETTFILTER, 0);
    ofpbuf_put(&request, tcm, sizeof *tcm);
    if (tc_caps.terse_dump) {
        const struct nla_bitfield32 flags = {
            .value = TCA_DUMP_FLAGS_TERSE, .selector = TCA_DUMP_FLAGS_TERSE,
        };

        nl_msg_put_unspec(&request, TCA_DUMP_FLAGS, &flags, sizeof flags);
    }
    error = tc_dump_start(&request, dumpp);
    ofpbuf_uninit(&request);
    return error;
}

int
tc_port_dump_start(const struct offload_port *port, struct tc_dump **dumpp)
{
    struct tcmsg tcm;

    memset(&tcm, 0, sizeof tcm);
    tc_port_address(port, &tcm);
    return dump_filters(&tcm, dumpp);
}

/* Lists the filters on what 'tcm' addresses.  Returns 0 or a positive errno,
 * EAGAIN if the list isn't complete because filters came or went. */
static int
survey_run(struct survey *survey, const struct tcmsg *tcm)
{
    struct ofpbuf buf, msg;
    struct tc_dump *dump;
    bool complete;

    int error = dump_filters(tcm, &dump);
    if (error) {
        return error;
    }

    ofpbuf_init(&buf, 0);
    while (tc_dump_next(dump, &buf)) {
        while (tc_dump_msg(&buf, &msg)) {
            struct tc_filter filter;

            if (tc_filter_parse(&msg, &filter)) {
                survey_add(survey, &filter);
            }
        }
    }
    ofpbuf_uninit(&buf);
    error = tc_dump_done(dump, &complete);
    return error ? error : complete ? 0 : EAGAIN;
}

static void
request_delete(struct tc_pipeline *p, const struct tcmsg *tcm,
               const struct group *group, uint32_t handle,
               struct tc_reply *reply)
{
    struct ofpbuf *msg = tc_request_begin(p, RTM_DELTFILTER, 0, reply);
    struct tcmsg *request = tc_request_tcmsg(p);

    *request = *tcm;
    request->tcm_handle = handle;
    request->tcm_info = TC_H_MAKE((uint32_t) group->prio << 16,
                                  (OVS_FORCE uint16_t) group->protocol);
    nl_msg_put_string(msg, TCA_KIND, "flower");
    nl_msg_put_u32(msg, TCA_CHAIN, group->chain);
    tc_request_end(p);
}

/* Deletions that are under way. */
struct deletions {
    struct tc_pipeline *pipeline;
    struct tc_reply replies[TC_PIPELINE_MAX];
    size_t n;
    int error;                  /* The first failure. */
};

static void
deletions_run(struct deletions *d)
{
    tc_pipeline_run(d->pipeline);
    for (size_t i = 0; i < d->n; i++) {
        int error = d->replies[i].error;

        if (error && !tc_is_gone(error) && !d->error) {
            d->error = error;
        }
    }
    d->n = 0;
}

static void
deletions_add(struct deletions *d, const struct tcmsg *tcm,
              const struct group *group, uint32_t handle)
{
    if (d->n == ARRAY_SIZE(d->replies)) {
        deletions_run(d);
    }
    memset(&d->replies[d->n], 0, sizeof d->replies[d->n]);
    request_delete(d->pipeline, tcm, group, handle, &d->replies[d->n]);
    d->n++;
}

/* Deletes the prios that are all ours at once, if the list is 'complete', and
 * our filters in those that we share with others one by one. */
static int
delete_ours(const struct survey *survey, const struct tcmsg *tcm,
            bool complete)
{
    struct deletions d = { .pipeline = tc_pipeline_aside() };
    const struct group *group;

    HMAP_FOR_EACH (group, node, &survey->groups) {
        if (complete && group->has_ours && !group->has_foreign) {
            deletions_add(&d, tcm, group, 0);
        }
    }
    for (size_t i = 0; i < survey->n_found; i++) {
        const struct found *found = &survey->found[i];

        if (!complete || found->group->has_foreign) {
            deletions_add(&d, tcm, found->group, found->handle);
        }
    }
    deletions_run(&d);
    return d.error;
}

/* One attempt.  Returns EAGAIN if there may be more to delete. */
static int
try_flush(const struct tcmsg *tcm, tc_filter_predicate *is_ours,
          const struct tc_observer *observer, struct tc_flushed *flushed)
{
    struct survey survey;

    survey_init(&survey, is_ours, observer);
    int listed = survey_run(&survey, tcm);
    int error = listed && listed != EAGAIN ? listed : 0;
    if (!error && survey.n_found) {
        error = delete_ours(&survey, tcm, !listed);
    }
    flushed->n_ours += survey.n_found;
    flushed->n_foreign = survey.n_foreign;
    survey_destroy(&survey);
    return error ? error : listed;
}

static int
flush(const struct tcmsg *tcm, tc_filter_predicate *is_ours,
      const struct tc_observer *observer, struct tc_flushed *flushed)
{
    int error;

    memset(flushed, 0, sizeof *flushed);
    for (int i = 0; i < MAX_ATTEMPTS; i++) {
        error = try_flush(tcm, is_ours, observer, flushed);
        if (!error || tc_is_gone(error)) {
            return 0;
        }
    }
    return error;
}

int
tc_flush(const struct tcmsg *tcm, tc_filter_predicate *is_ours,
         struct tc_flushed *flushed)
{
    struct tc_flushed ignored;

    return flush(tcm, is_ours, NULL, flushed ? flushed : &ignored);
}

int
tc_port_flush(struct offload_port *port, const struct tc_observer *observer)
{
    struct tcmsg tcm = { .tcm_family = AF_UNSPEC };
    struct tc_flushed flushed;

    tc_port_address(port, &tcm);
    int error = flush(&tcm, tc_filter_is_ours, observer, &flushed);
    tc_police_retry();
    return error;
}

/* Qdiscs. */

struct qdisc {
    struct tc_reply reply;
    bool found;
    bool ingress, clsact;
    uint32_t block;             /* 0: not shared. */
};

static void
take_qdisc(struct tc_reply *reply, const struct ofpbuf *msg)
{
    static const uint16_t kind_path[] = { TCA_KIND };
    static const uint16_t block_path[] = { TCA_INGRESS_BLOCK };
    struct qdisc *qdisc = reply->aux;
    const struct nlattr *kind, *block;

    kind = tc_reply_find(msg, sizeof(struct tcmsg), kind_path, 1);
    if (kind && nl_attr_get_size(kind)) {
        const char *name = nl_attr_get(kind);
        size_t size = nl_attr_get_size(kind);

        qdisc->ingress = !strncmp(name, "ingress", size);
        qdisc->clsact = !strncmp(name, "clsact", size);
    }
    block = tc_reply_find(msg, sizeof(struct tcmsg), block_path, 1);
    if (block && nl_attr_get_size(block) >= sizeof qdisc->block) {
        memcpy(&qdisc->block, nl_attr_get(block), sizeof qdisc->block);
    }
    qdisc->found = qdisc->ingress || qdisc->clsact;
}

static struct ofpbuf *
request_qdisc(struct tc_pipeline *p, int type, unsigned int flags,
              int ifindex, struct tc_reply *reply)
{
    struct ofpbuf *msg = tc_request_begin(p, type, flags, reply);
    struct tcmsg *tcm = tc_request_tcmsg(p);

    tcm->tcm_family = AF_UNSPEC;
    tcm->tcm_ifindex = ifindex;
    tcm->tcm_parent = TC_H_INGRESS;     /* Same number as TC_H_CLSACT. */
    tcm->tcm_handle = TC_H_MAKE(TC_H_INGRESS, 0);
    return msg;
}

static int
try_read_qdisc(int ifindex, struct qdisc *qdisc)
{
    struct tc_pipeline *p = tc_pipeline_aside();

    qdisc->reply.echo = take_qdisc;
    qdisc->reply.aux = qdisc;

    /* The kernel answers those who listen to all changes, and us only if told
     * to. */
    request_qdisc(p, RTM_GETQDISC, NLM_F_ECHO, ifindex, &qdisc->reply);
    tc_request_end(p);
    tc_pipeline_run(p);

    /* An answer without the message that says what it is was cut. */
    return !qdisc->reply.error && !qdisc->found ? EAGAIN : qdisc->reply.error;
}

/* Finds out which qdisc is on the ingress of a device.  Returns 0 with
 * 'qdisc->found' false if there is none, or a positive errno. */
static int
read_qdisc(int ifindex, struct qdisc *qdisc)
{
    int error = 0;

    for (int i = 0; i < MAX_ATTEMPTS; i++) {
        memset(qdisc, 0, sizeof *qdisc);
        error = try_read_qdisc(ifindex, qdisc);
        if (!error || tc_is_gone(error)) {
            break;
        }
    }
    return error == ENOENT ? 0 : error;
}

/* Makes a qdisc, EEXIST if there is one. */
static void
add_qdisc(int ifindex, const char *kind, uint32_t block,
          struct tc_reply *reply)
{
    struct tc_pipeline *p = tc_pipeline_aside();
    struct ofpbuf *msg;

    memset(reply, 0, sizeof *reply);
    msg = request_qdisc(p, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, ifindex,
                        reply);
    nl_msg_put_string(msg, TCA_KIND, kind);
    nl_msg_put_unspec(msg, TCA_OPTIONS, NULL, 0);
    if (block) {
        nl_msg_put_u32(msg, TCA_INGRESS_BLOCK, block);
    }
    tc_request_end(p);
    tc_pipeline_run(p);
}

static int
delete_qdisc(int ifindex)
{
    struct tc_reply reply = { .error = 0 };

    for (int i = 0; i < MAX_ATTEMPTS; i++) {
        struct tc_pipeline *p = tc_pipeline_aside();

        request_qdisc(p, RTM_DELQDISC, 0, ifindex, &reply);
        tc_request_end(p);
        tc_pipeline_run(p);
        if (!reply.error || tc_is_gone(reply.error)) {
            return 0;
        }
    }
    return reply.error;
}

/* Deletes all filters that are ours on a qdisc of any kind, its egress
 * included.  Returns the number of those that are left, which are somebody
 * else's, or SIZE_MAX if that isn't known. */
static size_t
flush_qdisc(int ifindex, const struct qdisc *qdisc,
            tc_filter_predicate *is_ours)
{
    struct tc_port ingress = { .parent = PARENT_INGRESS,
                               .block = qdisc->block };
    struct tc_port egress = { .parent = PARENT_EGRESS };
    struct tcmsg tcm = { .tcm_family = AF_UNSPEC };
    struct tc_flushed in, out = { .n_foreign = 0 };

    put_address(&ingress, ifindex, &tcm);
    if (tc_flush(&tcm, is_ours, &in)) {
        return SIZE_MAX;
    }
    if (qdisc->clsact) {
        put_address(&egress, ifindex, &tcm);
        if (tc_flush(&tcm, is_ours, &out)) {
            return SIZE_MAX;
        }
    }
    return in.n_foreign + out.n_foreign;
}

/* Opening and closing. */

/* Whether a qdisc that is there will do for 'tc_port'. */
static bool
will_do(const struct qdisc *qdisc, const struct tc_port *tc_port)
{
    return (qdisc->block == tc_port->block
            && (qdisc->clsact || tc_port->parent == PARENT_INGRESS));
}

static int
refuse(struct offload_refusal *refusal, const struct tc_reply *reply,
       const char *what)
{
    int error = offload_refuse(refusal, OFFLOAD_REFUSED_IN_PORT, "tc qdisc",
                               NULL, "%s: %s%s%s", what,
                               ovs_strerror(reply->error),
                               reply->extack[0] ? ": " : "", reply->extack);

    refusal->error = reply->error;
    return error;
}

static int
refuse_existing(struct offload_refusal *refusal, const struct qdisc *qdisc)
{
    return offload_refuse(refusal, OFFLOAD_REFUSED_IN_PORT, "tc qdisc",
                          "delete that qdisc",
                          "there is an %s qdisc, shared block %"PRIu32", with "
                          "somebody else's filters",
                          qdisc->clsact ? "clsact" : "ingress", qdisc->block);
}

/* Sees to it that there is a qdisc for 'tc_port'. */
static int
get_qdisc(const struct offload_port *port, struct tc_port *tc_port,
          struct offload_refusal *refusal)
{
    const char *kind = tc_port->parent == PARENT_EGRESS ? "clsact" : "ingress";
    bool may_be_own = false;
    struct tc_reply reply;
    struct qdisc qdisc;

    for (int i = 0; i < MAX_ATTEMPTS; i++) {
        add_qdisc(port->ifindex, kind, tc_port->block, &reply);
        may_be_own |= reply.unknown;
        if (!reply.error) {
            atomic_store_relaxed(&tc_port->own_qdisc, true);
            return 0;
        } else if (tc_is_gone(reply.error)) {
            break;
        } else if (reply.error != EEXIST && !reply.unknown) {
            continue;
        }

        int error = read_qdisc(port->ifindex, &qdisc);
        if (!error && qdisc.found) {
            if (will_do(&qdisc, tc_port)) {
                if (may_be_own) {
                    atomic_store_relaxed(&tc_port->own_qdisc, true);
                }
                return 0;
            } else if (flush_qdisc(port->ifindex, &qdisc, tc_filter_is_ovs)) {
                return refuse_existing(refusal, &qdisc);
            }
            delete_qdisc(port->ifindex);
        }
    }
    return refuse(refusal, &reply, kind);
}

/* Deletes what an earlier daemon left on a qdisc that was there.  If it left
 * something and nobody else has, then the qdisc was its own, too. */
static void
delete_leftovers(const struct offload_port *port, struct tc_port *tc_port)
{
    struct tcmsg tcm = { .tcm_family = AF_UNSPEC };
    struct tc_flushed flushed;

    put_address(tc_port, port->ifindex, &tcm);
    int error = tc_flush(&tcm, tc_filter_is_ovs, &flushed);
    if (error) {
        VLOG_WARN_RL(&rl, "%s: filters of an earlier run can't be deleted: %s",
                     port->name, ovs_strerror(error));
    }
    if (!error && flushed.n_ours && !flushed.n_foreign) {
        atomic_store_relaxed(&tc_port->own_qdisc, true);
    }
    tc_police_retry();
}

int
tc_port_open(struct offload_port *port, struct offload_refusal *refusal)
{
    struct tc_port *tc_port = xzalloc(sizeof *tc_port);

    atomic_init(&tc_port->own_qdisc, false);
    atomic_init(&tc_port->next_repair, LLONG_MIN);
    tc_caps_probe(port->ifindex);
    tc_police_cleanup();

    if (port->kind == OFFLOAD_PORT_INTERNAL) {
        tc_port->parent = PARENT_EGRESS;
    } else {
        tc_port->parent = PARENT_INGRESS;
        tc_port->block = tc_caps.blocks ? port->block_id : 0;
    }

    int error = get_qdisc(port, tc_port, refusal);
    if (error) {
        free(tc_port);
        return error;
    }

    port->aux = tc_port;
    tc_received(port, &tc_port->before);
    delete_leftovers(port, tc_port);
    return 0;
}

int
tc_port_repair(struct offload_port *port)
{
    struct offload_refusal refusal = OFFLOAD_REFUSAL_INITIALIZER;
    int error = get_qdisc(port, port->aux, &refusal);

    if (error) {
        VLOG_WARN_RL(&rl, "%s: %s", port->name, refusal.detail);
    }
    return error;
}

void
tc_port_close(struct offload_port *port)
{
    struct tc_port *tc_port = port->aux;
    struct tcmsg tcm = { .tcm_family = AF_UNSPEC };
    struct tc_flushed flushed;
    bool own_qdisc;

    tc_port_address(port, &tcm);
    int error = tc_flush(&tcm, tc_filter_is_ours, &flushed);
    atomic_read_relaxed(&tc_port->own_qdisc, &own_qdisc);
    if (error) {
        VLOG_WARN_RL(&rl, "%s: filters can't be deleted: %s", port->name,
                     ovs_strerror(error));
    } else if (own_qdisc && !flushed.n_foreign) {
        struct qdisc qdisc;

        /* The other direction may have somebody's filters, too. */
        if (!read_qdisc(port->ifindex, &qdisc) && qdisc.found
            && will_do(&qdisc, tc_port)
            && !flush_qdisc(port->ifindex, &qdisc, tc_filter_is_ours)) {
            delete_qdisc(port->ifindex);
        }
    }
    tc_police_retry();
    ovsrcu_postpone(free, tc_port);
}

/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OFFLOAD_ACTION_PARSE_H
#define OFFLOAD_ACTION_PARSE_H 1

/* What the parsers of actions share.  Private to lib/offload-action*.c.
 *
 * Netlink attributes are not trusted: a parser looks at a payload only after
 * its length was checked, against the action's row or, inside of a nested
 * attribute, against a table of struct offload_attr. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "offload-action.h"
#include "offload-refusal.h"
#include "offload-rule.h"
#include "openvswitch/types.h"

struct nlattr;

/* What the packet is like where the parser has got to. */
struct offload_packet {
    ovs_be16 eth_type;          /* 0: not known, nothing behind the Ethernet
                                 * header can be touched. */
    int n_vlans, n_mpls;        /* Tags, labels. */
};

struct offload_parser {
    struct offload_rule *rule;
    const struct offload_context *context;
    struct offload_refusal *refusal;

    struct offload_packet packet;
    bool last_in_list;          /* This action ends its list, */
    bool last;                  /* and nothing comes after the list. */
    bool copied;                /* In a branch with something after it: what
                                 * is done here must not be seen there. */
};

/* A new action at the end of the rule's, all zeros but for 'kind', in '*ap'.
 * Returns 0 or, if there are too many, a positive errno. */
int offload_parser_add(struct offload_parser *, enum offload_action_kind,
                       struct offload_action **ap);

/* Fill in the refusal and return its errno. */
int offload_parser_malformed(struct offload_parser *, const char *subject,
                             const char *detail);
int offload_parser_refuse_order(struct offload_parser *, const char *subject,
                                const char *detail);

/* An attribute inside of a nested one. */
enum offload_attr_use {
    OFFLOAD_ATTR_UNKNOWN,       /* Doesn't exist. */
    OFFLOAD_ATTR_COPY,          /* Bytes, copied to 'ofs'. */
    OFFLOAD_ATTR_FLAG,          /* Sets the bool at 'ofs'. */
    OFFLOAD_ATTR_PARSE,         /* 'parse' does it. */
    OFFLOAD_ATTR_IGNORED,       /* Has no influence on what happens to a
                                 * packet. */
    OFFLOAD_ATTR_REFUSED,       /* By name. */
};

struct offload_attr {
    const char *name;
    enum offload_attr_use use;
    uint16_t min_len, max_len;  /* Bytes. */
    uint16_t ofs;               /* In struct offload_action. */
    int (*parse)(struct offload_parser *, const struct nlattr *,
                 struct offload_action *);
    const char *hint;           /* If refused.  Or NULL. */
};

#define OFFLOAD_ATTR_LEN_COPY(MEMBER)                                   \
    .use = OFFLOAD_ATTR_COPY,                                           \
    .min_len = sizeof ((struct offload_action *) NULL)->MEMBER,         \
    .max_len = sizeof ((struct offload_action *) NULL)->MEMBER,         \
    .ofs = offsetof(struct offload_action, MEMBER)

/* Parses the attributes nested in 'nla' into '*action' by their rows.  What
 * is unknown, comes twice or has a wrong length is malformed. */
int offload_parse_nested(struct offload_parser *, const char *subject,
                         const struct nlattr *nla,
                         const struct offload_attr rows[], size_t n_rows,
                         struct offload_action *action);

/* The parsers of whole actions. */
int offload_parse_set(struct offload_parser *, const struct nlattr *);
int offload_parse_set_masked(struct offload_parser *, const struct nlattr *);
int offload_parse_tunnel(struct offload_parser *, const struct nlattr *);
int offload_parse_ct(struct offload_parser *, const struct nlattr *);
int offload_parse_ct_clear(struct offload_parser *, const struct nlattr *);
int offload_parse_clone(struct offload_parser *, const struct nlattr *);
int offload_parse_tunnel_push(struct offload_parser *, const struct nlattr *);
int offload_parse_tunnel_pop(struct offload_parser *, const struct nlattr *);

/* What userspace and sample actions are for, and '*detail' about it. */
const char *offload_userspace_called(const struct nlattr *,
                                     const char **detail);
const char *offload_sample_called(const struct nlattr *, const char **detail);

/* Parses a list of actions.  'more' says that something comes after it. */
int offload_parse_list(struct offload_parser *, const struct nlattr *,
                       size_t len, bool more);

/* Appends what restores the fields that the rule's actions from 'start' on
 * have set. */
int offload_parser_undo_sets(struct offload_parser *, size_t start);

#endif /* offload-action-parse.h */

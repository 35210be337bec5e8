/* SPDX-License-Identifier: Apache-2.0 */

/* The NIC in software, under a program that doesn't know what it asks for.
 *
 *     bad-input DRIVER
 *
 * asks for rules that testpmd can't even write: null pointers, lengths without
 * an end, nonsense of any kind.  Each must be refused with an error of DPDK's,
 * with a type and a message, and leave the NIC's rules as they were. */

#undef NDEBUG
#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_flow.h>
#include <rte_mbuf.h>

#define PORT 1                  /* VF 0's. */
#define N_RANDOM 50000

#define ITEM(TYPE, ...) { .type = RTE_FLOW_ITEM_TYPE_##TYPE, __VA_ARGS__ }
#define ACTION(TYPE, ...) { .type = RTE_FLOW_ACTION_TYPE_##TYPE, __VA_ARGS__ }
#define ITEMS(...) (struct rte_flow_item[]) { __VA_ARGS__, ITEM(END,) }
#define ACTIONS(...) (struct rte_flow_action[]) { __VA_ARGS__, ACTION(END,) }
#define CONF(TYPE, ...) &(struct rte_flow_action_##TYPE) { __VA_ARGS__ }
#define SPEC(TYPE, ...) &(struct rte_flow_item_##TYPE) { __VA_ARGS__ }

static const struct rte_flow_attr transfer = { .transfer = 1 };
static const struct rte_flow_attr ingress = { .ingress = 1 };
static char good_rules[4096];   /* As the driver lists them. */
static unsigned int n_wrong;

static void
wrong(const char *what, const char *how)
{
    printf("%s: %s\n", what, how);
    n_wrong++;
}

/* The NIC. */

static void
start(char *program, char *driver)
{
    struct rte_eth_conf conf = { .rxmode.mq_mode = RTE_ETH_MQ_RX_NONE };
    struct rte_mempool *pool;
    char prefix[40];
    char *args[] = {
        program, "-l", "0", "--no-huge", "-m", "64", "--no-pci",
        "--no-telemetry", "--log-level=error", "--file-prefix", prefix, "-d",
        driver, "--vdev=net_eswim0,vfs=2,guest=generator,counter-refresh=0",
    };

    snprintf(prefix, sizeof prefix, "bad-input-%d", (int) getpid());
    assert(rte_eal_init(RTE_DIM(args), args) >= 0);
    pool = rte_pktmbuf_pool_create("packets", 1023, 0, 0,
                                   RTE_MBUF_DEFAULT_BUF_SIZE, 0);
    assert(pool && rte_eth_dev_is_valid_port(PORT));
    assert(!rte_eth_dev_configure(PORT, 1, 1, &conf));
    assert(!rte_eth_rx_queue_setup(PORT, 0, 64, 0, NULL, pool));
    assert(!rte_eth_tx_queue_setup(PORT, 0, 64, 0, NULL));
    assert(!rte_eth_dev_start(PORT));
}

/* What rules there are, without what is counted. */
static void
list_rules(char text[], size_t size)
{
    FILE *file = fmemopen(text, size, "w");
    struct rte_flow_error error;

    memset(text, 0, size);
    assert(file && !rte_flow_dev_dump(PORT, NULL, file, &error));
    fclose(file);
}

static bool
are_rules_as_before(void)
{
    char text[sizeof good_rules];

    list_rules(text, sizeof text);
    return !strcmp(text, good_rules);
}

static struct rte_flow *
create_good_rule(void)
{
    struct rte_flow_item_ipv4 spec = { .hdr.dst_addr = 0x0100000a };
    struct rte_flow_item items[] = { ITEM(ETH,), ITEM(IPV4, .spec = &spec),
                                     ITEM(END,) };
    struct rte_flow_action *actions
        = ACTIONS(ACTION(COUNT,), ACTION(DROP,));
    struct rte_flow_error error;

    return rte_flow_create(PORT, &transfer, items, actions, &error);
}

/* Rules. */

struct bad_rule {
    const char *what;
    const struct rte_flow_attr *attr;
    const struct rte_flow_item *items;
    const struct rte_flow_action *actions;
};

static void
check_error(const char *what, const struct rte_flow_error *error)
{
    if (!rte_errno) {
        wrong(what, "no errno");
    }
    if (error->type == RTE_FLOW_ERROR_TYPE_NONE || !error->message
        || !error->message[0]) {
        wrong(what, "no reason is given");
    }
}

static void
check_bad_rule(const struct bad_rule *bad)
{
    struct rte_flow_error error = { .type = RTE_FLOW_ERROR_TYPE_NONE };
    struct rte_flow *flow;

    rte_errno = 0;
    if (rte_flow_validate(PORT, bad->attr, bad->items, bad->actions, &error)
        >= 0) {
        wrong(bad->what, "is said to be valid");
    } else {
        check_error(bad->what, &error);
    }

    error = (struct rte_flow_error) { .type = RTE_FLOW_ERROR_TYPE_NONE };
    rte_errno = 0;
    flow = rte_flow_create(PORT, bad->attr, bad->items, bad->actions, &error);
    if (flow) {
        wrong(bad->what, "is taken");
        rte_flow_destroy(PORT, flow, &error);
    } else {
        check_error(bad->what, &error);
    }
    if (!are_rules_as_before()) {
        wrong(bad->what, "leaves a trace");
    }
}

static void
check_bad_attributes(void)
{
    struct rte_flow_item *any = ITEMS(ITEM(ETH,));
    struct rte_flow_action *drop = ACTIONS(ACTION(DROP,));
    const struct bad_rule rules[] = {
        { "no attributes", NULL, any, drop },
        { "no pattern", &transfer, NULL, drop },
        { "no actions", &transfer, any, NULL },
        { "no direction", &(struct rte_flow_attr) { .group = 0 }, any, drop },
        { "two directions",
          &(struct rte_flow_attr) { .ingress = 1, .transfer = 1 }, any, drop },
        { "egress", &(struct rte_flow_attr) { .egress = 1 }, any, drop },
        { "an empty list of actions", &transfer, any,
          &(struct rte_flow_action) ACTION(END,) },
    };

    for (size_t i = 0; i < RTE_DIM(rules); i++) {
        check_bad_rule(&rules[i]);
    }
}

static void
check_bad_items(void)
{
    static const struct rte_flow_item_ipv4 low
        = { .hdr.dst_addr = RTE_BE32(1) };
    static const struct rte_flow_item_ipv4 high
        = { .hdr.dst_addr = RTE_BE32(9) };
    static const struct rte_flow_item_ipv6 extensions = { .has_esp_ext = 1 };
    static const struct rte_flow_item_eth eth = { .hdr.ether_type = 1 };
    static const uint8_t bytes[256];
    static struct rte_flow_item many[65];
    struct rte_flow_action *drop = ACTIONS(ACTION(DROP,));
    const struct {
        const char *what;
        const struct rte_flow_item *items;
    } rows[] = {
        { "an item that there isn't",
          ITEMS({ .type = (enum rte_flow_item_type) 0x7fff }) },
        { "an item of another driver's own",
          ITEMS({ .type = (enum rte_flow_item_type) -9 }) },
        { "a mask without a spec", ITEMS(ITEM(ETH, .mask = &eth)) },
        { "a range without a spec",
          ITEMS(ITEM(ETH,), ITEM(IPV4, .last = &high)) },
        { "a range that ends before it begins",
          ITEMS(ITEM(ETH,), ITEM(IPV4, .spec = &high, .last = &low)) },
        { "a range of addresses",
          ITEMS(ITEM(ETH,), ITEM(IPV4, .spec = &low, .last = &high)) },
        { "extension headers",
          ITEMS(ITEM(ETH,), ITEM(IPV6, .spec = &extensions,
                                 .mask = &extensions)) },
        { "headers upside down", ITEMS(ITEM(TCP,), ITEM(IPV4,)) },
        { "TCP in ARP", ITEMS(ITEM(ETH,), ITEM(ARP_ETH_IPV4,), ITEM(TCP,)) },
        { "Ethernet in Ethernet", ITEMS(ITEM(ETH,), ITEM(ETH,)) },
        { "an option without Geneve",
          ITEMS(ITEM(ETH,), ITEM(GENEVE_OPT, .spec = bytes)) },
        { "a key without GRE",
          ITEMS(ITEM(ETH,), ITEM(IPV4,), ITEM(GRE_KEY, .spec = bytes)) },
        { "an option of 255 words",
          ITEMS(ITEM(ETH,), ITEM(IPV4,), ITEM(UDP,), ITEM(GENEVE,),
                ITEM(GENEVE_OPT, .spec = SPEC(geneve_opt,
                                              .option_len = 255))) },
        { "a port of nobody",
          ITEMS(ITEM(REPRESENTED_PORT,
                     .spec = SPEC(ethdev, .port_id = UINT16_MAX))) },
        { "a port of nobody, as a number",
          ITEMS(ITEM(PORT_ID, .spec = SPEC(port_id, .id = UINT32_MAX))) },
        { "half a port",
          ITEMS(ITEM(PORT_ID, .spec = SPEC(port_id, .id = 1),
                     .mask = SPEC(port_id, .id = 0xf0))) },
        { "65 items", many },
    };

    for (size_t i = 0; i < RTE_DIM(many) - 1; i++) {
        many[i].type = RTE_FLOW_ITEM_TYPE_VLAN;
    }
    for (size_t i = 0; i < RTE_DIM(rows); i++) {
        check_bad_rule(&(struct bad_rule) {
            rows[i].what, &transfer, rows[i].items, drop });
    }
}

struct bad_action {
    const char *what;
    const struct rte_flow_action *actions;
};

static void
check_bad_actions(const struct rte_flow_attr *attr,
                  const struct bad_action rows[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        check_bad_rule(&(struct bad_rule) {
            rows[i].what, attr, ITEMS(ITEM(ETH,), ITEM(IPV4,)),
            rows[i].actions });
    }
}

/* One action, with a fate behind it. */
#define ONE(TYPE, CONF) ACTIONS(ACTION(TYPE, .conf = CONF), ACTION(DROP,))

static void
check_bad_fates(void)
{
    const struct bad_action transfers[] = {
        { "an action that there isn't",
          ACTIONS({ .type = (enum rte_flow_action_type) 0x7fff }) },
        { "no fate", ACTIONS(ACTION(COUNT,)) },
        { "two fates", ACTIONS(ACTION(DROP,), ACTION(DROP,)) },
        { "two counters", ACTIONS(ACTION(COUNT,), ACTION(COUNT,),
                                  ACTION(DROP,)) },
        { "output to nobody",
          ACTIONS(ACTION(REPRESENTED_PORT,
                         .conf = CONF(ethdev, .port_id = UINT16_MAX))) },
        { "output to nowhere", ACTIONS(ACTION(PORT_ID,)) },
        { "a queue", ACTIONS(ACTION(QUEUE, .conf = CONF(queue,))) },
        { "a jump to the same group",
          ACTIONS(ACTION(JUMP, .conf = CONF(jump, .group = 0))) },
        { "a sample without actions",
          ONE(SAMPLE, CONF(sample, .ratio = 1)) },
        { "a sample of no packet",
          ONE(SAMPLE, CONF(sample, .ratio = 0,
                           .actions = ACTIONS(ACTION(DROP,)))) },
        { "a sample without a fate",
          ONE(SAMPLE, CONF(sample, .ratio = 1,
                           .actions = ACTIONS(ACTION(COUNT,)))) },
        { "a sample in a sample",
          ONE(SAMPLE, CONF(sample, .ratio = 1,
                           .actions = ONE(SAMPLE, CONF(sample,)))) },
    };
    const struct bad_action ingresses[] = {
        { "a queue that there isn't",
          ACTIONS(ACTION(QUEUE, .conf = CONF(queue, .index = 99))) },
        { "queues that nobody has named",
          ACTIONS(ACTION(RSS, .conf = CONF(rss, .queue_num = 4))) },
        { "4 billion queues",
          ACTIONS(ACTION(RSS, .conf = CONF(rss, .queue_num = UINT32_MAX,
                                           .queue = (uint16_t[1]) { 0 }))) },
        { "a hash key", ACTIONS(ACTION(RSS, .conf = CONF(rss,
                                                         .key_len = 40))) },
        { "a hash of what is inside",
          ACTIONS(ACTION(RSS, .conf = CONF(rss, .level = UINT32_MAX))) },
        { "a hash that there isn't",
          ACTIONS(ACTION(RSS, .conf = CONF(rss, .func = 99))) },
        { "output of an ingress rule",
          ACTIONS(ACTION(PORT_ID, .conf = CONF(port_id, .id = 2))) },
    };

    check_bad_actions(&transfer, transfers, RTE_DIM(transfers));
    check_bad_actions(&ingress, ingresses, RTE_DIM(ingresses));
}

static void
check_bad_headers(void)
{
    static uint8_t bytes[5000];
    static struct rte_flow_item vlans[200];
    static const struct rte_flow_item_vlan vlan;
    const struct bad_action rows[] = {
        { "a new header of null", ONE(RAW_ENCAP, CONF(raw_encap,
                                                      .size = 14)) },
        { "no new header", ONE(RAW_ENCAP, CONF(raw_encap, .data = bytes)) },
        { "half a new header", ONE(RAW_ENCAP, CONF(raw_encap, .data = bytes,
                                                   .size = 13)) },
        { "new headers of 5000 bytes",
          ONE(RAW_ENCAP, CONF(raw_encap, .data = bytes,
                              .size = sizeof bytes)) },
        { "new headers without an end",
          ONE(RAW_ENCAP, CONF(raw_encap, .data = bytes, .size = SIZE_MAX)) },
        { "a part of the old header",
          ONE(RAW_ENCAP, CONF(raw_encap, .data = bytes, .size = 14,
                              .preserve = bytes)) },
        { "taking nothing off", ONE(RAW_DECAP, CONF(raw_decap,)) },
        { "VXLAN of null", ONE(VXLAN_ENCAP, CONF(vxlan_encap,)) },
        { "VXLAN of nothing",
          ONE(VXLAN_ENCAP, CONF(vxlan_encap, .definition = ITEMS(
                                    ITEM(VOID,)))) },
        { "VXLAN in ARP",
          ONE(VXLAN_ENCAP, CONF(vxlan_encap, .definition = ITEMS(
              ITEM(ETH, .spec = bytes), ITEM(ARP_ETH_IPV4, .spec = bytes),
              ITEM(VXLAN, .spec = bytes)))) },
        { "VXLAN without specs",
          ONE(VXLAN_ENCAP, CONF(vxlan_encap, .definition = ITEMS(
              ITEM(ETH,), ITEM(IPV4,), ITEM(UDP,), ITEM(VXLAN,)))) },
        { "VXLAN in 200 VLANs",
          ONE(VXLAN_ENCAP, CONF(vxlan_encap, .definition = vlans)) },
        { "a tag that isn't a VLAN's",
          ONE(OF_PUSH_VLAN, CONF(of_push_vlan, .ethertype = 0x1234)) },
    };

    vlans[0] = (struct rte_flow_item) ITEM(ETH, .spec = bytes);
    for (size_t i = 1; i < RTE_DIM(vlans) - 1; i++) {
        vlans[i] = (struct rte_flow_item) ITEM(VLAN, .spec = &vlan);
    }
    check_bad_actions(&transfer, rows, RTE_DIM(rows));
}

static void
check_bad_fields(void)
{
#define MODIFY(...) ONE(MODIFY_FIELD, CONF(modify_field, __VA_ARGS__))
#define TTL { .field = RTE_FLOW_FIELD_IPV4_TTL }
#define VALUE { .field = RTE_FLOW_FIELD_VALUE }
    const struct bad_action rows[] = {
        { "no bits", MODIFY(.dst = TTL, .src = VALUE, .width = 0) },
        { "too many bits", MODIFY(.dst = TTL, .src = VALUE, .width = 9) },
        { "4 billion bits",
          MODIFY(.dst = TTL, .src = VALUE, .width = UINT32_MAX) },
        { "far beyond the field",
          MODIFY(.dst = { .field = RTE_FLOW_FIELD_IPV4_TTL,
                          .offset = UINT32_MAX }, .src = VALUE, .width = 8) },
        { "a field that there isn't",
          MODIFY(.dst = { .field = 999 }, .src = VALUE, .width = 8) },
        { "a value as destination",
          MODIFY(.dst = VALUE, .src = VALUE, .width = 8) },
        { "a field deep inside",
          MODIFY(.dst = { .field = RTE_FLOW_FIELD_IPV4_TTL,
                          .level = UINT32_MAX }, .src = VALUE, .width = 8) },
        { "a source that there isn't",
          MODIFY(.dst = TTL, .src = { .field = 999 }, .width = 8) },
        { "a value nowhere",
          MODIFY(.dst = TTL, .src = { .field = RTE_FLOW_FIELD_POINTER },
                 .width = 8) },
        { "an operation that there isn't",
          MODIFY(.operation = 99, .dst = TTL, .src = VALUE, .width = 8) },
        { "a VLAN of 16 bits",
          ONE(OF_SET_VLAN_VID, CONF(of_set_vlan_vid, .vlan_vid = 0xffff)) },
        { "a priority of 8 bits",
          ONE(OF_SET_VLAN_PCP, CONF(of_set_vlan_pcp, .vlan_pcp = 0xff)) },
        { "a priority of IPv4 of 8 bits",
          ONE(SET_IPV4_DSCP, CONF(set_dscp, .dscp = 0xff)) },
    };

    check_bad_actions(&transfer, rows, RTE_DIM(rows));
}

/* Each item and action that DPDK has, without what it needs. */
static void
check_nothing_given(void)
{
    struct rte_flow_error error;
    struct rte_flow *flow;

    for (int type = 0; type < 128; type++) {
        struct rte_flow_item *items
            = ITEMS(ITEM(ETH,), { .type = (enum rte_flow_item_type) type });
        struct rte_flow_action *actions
            = ACTIONS({ .type = (enum rte_flow_action_type) type },
                      ACTION(DROP,));

        flow = rte_flow_create(PORT, &transfer, items,
                               ACTIONS(ACTION(DROP,)), &error);
        assert(!flow || !rte_flow_destroy(PORT, flow, &error));
        flow = rte_flow_create(PORT, &transfer, ITEMS(ITEM(ETH,)), actions,
                               &error);
        assert(!flow || !rte_flow_destroy(PORT, flow, &error));
    }
    if (!are_rules_as_before()) {
        wrong("nothing given", "leaves a trace");
    }
}

/* Any bytes, in any items and actions that have no pointers in them. */

static uint32_t seed = 1;

static uint32_t
any_number(uint32_t n)
{
    seed = seed * 1103515245 + 12345;
    return (seed >> 8) % n;
}

static const void *
any_bytes(void)
{
    static uint8_t buffers[16][256];
    static const uint8_t zeros[256];
    uint8_t *buffer = buffers[any_number(16)];

    if (!any_number(4)) {
        return zeros;
    }
    for (size_t i = 0; i < 64; i++) {
        buffer[i] = any_number(3) ? any_number(4) : any_number(256);
    }
    return buffer;
}

static bool
has_pointers(enum rte_flow_item_type item)
{
    return (item == RTE_FLOW_ITEM_TYPE_RAW
            || item == RTE_FLOW_ITEM_TYPE_GENEVE_OPT
            || item == RTE_FLOW_ITEM_TYPE_FLEX);
}

static const enum rte_flow_action_type plain_actions[] = {
    RTE_FLOW_ACTION_TYPE_PORT_ID, RTE_FLOW_ACTION_TYPE_REPRESENTED_PORT,
    RTE_FLOW_ACTION_TYPE_PORT_REPRESENTOR, RTE_FLOW_ACTION_TYPE_DROP,
    RTE_FLOW_ACTION_TYPE_JUMP, RTE_FLOW_ACTION_TYPE_QUEUE,
    RTE_FLOW_ACTION_TYPE_COUNT, RTE_FLOW_ACTION_TYPE_MARK,
    RTE_FLOW_ACTION_TYPE_OF_POP_VLAN, RTE_FLOW_ACTION_TYPE_OF_PUSH_VLAN,
    RTE_FLOW_ACTION_TYPE_OF_SET_VLAN_VID, RTE_FLOW_ACTION_TYPE_SET_MAC_SRC,
    RTE_FLOW_ACTION_TYPE_SET_IPV4_DST, RTE_FLOW_ACTION_TYPE_SET_IPV6_SRC,
    RTE_FLOW_ACTION_TYPE_SET_TTL, RTE_FLOW_ACTION_TYPE_SET_TP_DST,
    RTE_FLOW_ACTION_TYPE_DEC_TTL, RTE_FLOW_ACTION_TYPE_VXLAN_DECAP,
    RTE_FLOW_ACTION_TYPE_RAW_DECAP,
};

static void
make_any_rule(struct rte_flow_item items[8], struct rte_flow_action actions[8])
{
    uint32_t n_items = any_number(7), n_actions = 1 + any_number(6);

    memset(items, 0, 8 * sizeof *items);
    memset(actions, 0, 8 * sizeof *actions);
    for (uint32_t i = 0; i < n_items; i++) {
        items[i].type = 1 + any_number(60);
        if (!has_pointers(items[i].type)) {
            items[i].spec = any_number(3) ? any_bytes() : NULL;
            items[i].last = any_number(5) ? NULL : any_bytes();
            items[i].mask = any_number(2) ? any_bytes() : NULL;
        }
    }
    for (uint32_t i = 0; i < n_actions; i++) {
        actions[i].type = plain_actions[any_number(RTE_DIM(plain_actions))];
        actions[i].conf = any_number(8) ? any_bytes() : NULL;
    }
}

static void
check_anything(void)
{
    unsigned int n_taken = 0;

    for (unsigned int i = 0; i < N_RANDOM; i++) {
        struct rte_flow_attr attr = {
            .group = any_number(4) ? any_number(3) : any_number(UINT32_MAX),
            .priority = any_number(4) ? any_number(3)
                        : any_number(UINT32_MAX),
            .ingress = !any_number(3), .egress = !any_number(20),
            .transfer = any_number(3),
        };
        struct rte_flow_error error = { .type = RTE_FLOW_ERROR_TYPE_NONE };
        struct rte_flow_action actions[8];
        struct rte_flow_item items[8];
        struct rte_flow *flow;
        bool valid;

        make_any_rule(items, actions);
        valid = !rte_flow_validate(PORT, &attr, items, actions, &error);
        flow = rte_flow_create(PORT, &attr, items, actions, &error);
        if (flow) {
            n_taken++;
            assert(valid && !rte_flow_destroy(PORT, flow, &error));
        } else {
            check_error("anything", &error);
        }
    }
    printf("of %d rules of any bytes, %u were taken\n", N_RANDOM, n_taken);
    if (!are_rules_as_before()) {
        wrong("anything", "leaves a trace");
    }
}

/* Handles. */

static void
check_bad_handle(const char *what, struct rte_flow *flow)
{
    const struct rte_flow_action *count = ACTIONS(ACTION(COUNT,));
    struct rte_flow_error error = { .type = RTE_FLOW_ERROR_TYPE_NONE };
    struct rte_flow_query_count query = { .reset = 1 };

    if (!rte_flow_destroy(PORT, flow, &error)) {
        wrong(what, "can be destroyed");
    } else {
        check_error(what, &error);
    }
    if (!rte_flow_query(PORT, flow, count, &query, &error)) {
        wrong(what, "can be queried");
    } else {
        check_error(what, &error);
    }
    if (!are_rules_as_before()) {
        wrong(what, "leaves a trace");
    }
}

static void
check_bad_queries(struct rte_flow *good)
{
    const struct rte_flow_action *actions[] = {
        ACTIONS(ACTION(RSS,)), ACTIONS(ACTION(COUNT,)),
        ACTIONS(ACTION(VOID,)),
    };

    for (size_t i = 0; i < RTE_DIM(actions); i++) {
        struct rte_flow_error error = { .type = RTE_FLOW_ERROR_TYPE_NONE };

        if (!rte_flow_query(PORT, good, actions[i], NULL, &error)) {
            wrong("a query without an answer", "is answered");
        } else {
            check_error("a query without an answer", &error);
        }
    }
}

static void
check_handles(struct rte_flow *good)
{
    struct rte_flow_error error;
    struct rte_flow *gone = rte_flow_create(
        PORT, &transfer, ITEMS(ITEM(ETH,)), ACTIONS(ACTION(DROP,)), &error);

    assert(gone && !rte_flow_destroy(PORT, gone, &error));
    check_bad_handle("a rule that is gone", gone);
    check_bad_handle("no rule", NULL);
    check_bad_handle("a rule that never was", (void *) (uintptr_t) -1);
    check_bad_queries(good);
}

int
main(int argc, char *argv[])
{
    struct rte_flow *good;

    assert(argc == 2);
    start(argv[0], argv[1]);
    good = create_good_rule();
    assert(good);
    list_rules(good_rules, sizeof good_rules);
    assert(good_rules[0]);

    check_bad_attributes();
    check_bad_items();
    check_bad_fates();
    check_bad_headers();
    check_bad_fields();
    check_nothing_given();
    check_handles(good);
    check_anything();
    rte_eth_dev_stop(PORT);
    rte_eal_cleanup();
    printf("%u wrong\n", n_wrong);
    return n_wrong != 0;
}

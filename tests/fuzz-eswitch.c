/* SPDX-License-Identifier: Apache-2.0 */

/* Fuzzes what reads packets: the parser, the match, and each action.
 *
 * The first byte of the input says at which port the rest of it enters, each
 * of which has rules of its own; 255 says that the rest is the text of a rule,
 * to be created and listed. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "eswim/eswitch.h"
#include "eswim/eswitch-text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(CONDITION)                        \
    do {                                        \
        if (!(CONDITION)) {                     \
            abort();                            \
        }                                       \
    } while (0)

static const char *const rules[] = {
    /* Port 0: what a tunnel's packets need. */
    "port=0 eth / ipv4 / udp / vxlan => jump=1",
    "port=0 eth / ipv6 / udp / vxlan => jump=1",
    "port=0 eth / ipv4 / udp / geneve / geneve_opt class=0x102 type=0x80 "
        "data=0x61626364 => jump=1",
    "port=0 prio=1 eth / ipv4 / udp / geneve => jump=2",
    "port=0 eth / ipv4 / gre => jump=3",
    "port=0 prio=1 eth / ipv4 / gre / gre_key key=0x1234 => jump=3",
    "port=0 eth / ipv6 / gre => jump=3",
    "port=0 group=1 eth / ipv4 => modify eth_dst@2=02:00:00:00:00:01 / "
        "modify ipv4_src@2=1.2.3.4 / modify tcp_dst@2=7 / output=1",
    "port=0 group=1 prio=1 => modify ipv6_src@2=::9 / modify udp_src@2=1 / "
        "modify vxlan_vni=8 / decap=vxlan / output=1",
    "port=0 group=1 prio=2 => decap=vxlan / modify ipv4_ttl@2=3 / output=1",
    "port=0 group=1 prio=3 => decap=geneve / output=1",
    "port=0 group=2 => modify ttl@2=7 / decap=geneve / output=1",
    "port=0 group=3 => modify ttl@2=7 / modify ttl@3=9 / output=1",
    "port=0 group=3 prio=1 eth / ipv6 / gre / ipv6 => decap=gre / "
        "encap=0200000000010200000000020800 / output=1",
    /* Port 1: rewrites of what there is. */
    "port=1 eth / ipv4 / tcp => modify ipv4_dst=9.9.9.9 / modify tp_src=1 / "
        "modify tcp_flags=1 / dec_ttl / output=2",
    "port=1 prio=1 eth / ipv4 => modify ipv4_src=9.9.9.9 / modify dscp=3 / "
        "modify ecn=1 / modify eth_type=0x86dd / jump=9",
    "port=1 eth / ipv6 / ipv6_frag_ext frag=8..0xfff8/0xfff8 => "
        "modify ipv6_src=::1 / modify ipv6_hlim=3 / output=2",
    "port=1 prio=1 eth / ipv6 => modify ipv6_dst=::1 / modify ipv6_dscp=9 / "
        "modify udp_dst=4789 / jump=9",
    "port=1 eth / vlan / vlan => vlan_pop / modify vlan_vid=3 / "
        "modify vlan_type=0x0800 / jump=9",
    "port=1 prio=1 eth / vlan => vlan_pop / vlan_pop / output=2",
    "port=1 eth / mpls bos=0 / mpls => raw_decap=18 / output=2",
    "port=1 prio=1 eth / mpls => raw_decap=18 / "
        "encap=0200000000010200000000020800 / output=2",
    "port=1 eth / arp op=1 => sample [ vlan_push=0x8100 / output=3 ] / drop",
    "port=1 group=9 eth / ipv4 => output=2",
    "port=1 group=9 prio=1 => copy eth_dst=eth_src,48 / output=2",
    /* Port 2: whatever it is. */
    "port=2 => sample [ vlan_push=0x88a8 / modify vlan_vid=9 / output=3 ] / "
        "encap=020000000001020000000002080045000000000000004011000001020304"
        "05060708000012b50000000008000000000001aa00 / jump=1",
    "port=2 group=1 eth / ipv4 / udp / vxlan / eth / ipv4 / udp => "
        "modify ipv4_dst@2=1.1.1.1 / decap=vxlan / output=1",
    "port=2 group=1 prio=1 eth / ipv4 / udp / vxlan / eth / ipv6 => "
        "modify udp_dst@2=5 / modify ipv6_dst@2=::3 / jump=2",
    "port=2 group=2 => encap=02000000000102000000000286dd6000000000001140"
        "fd000000000000000000000000000001fd000000000000000000000000000002"
        "000017c100000000004065580000050000 / output=1",
    "port=2 group=1 prio=2 eth / ipv4 / udp / vxlan / eth => "
        "decap=vxlan / output=1",
    "port=2 ingress eth / ipv4 / icmp => mark=3 / queue=1",
    "port=2 ingress prio=1 eth => rss=1,2,3",
};

static struct eswitch *eswitch;
static struct eswitch_reader *reader;
static struct eswitch_text_rule text_rule;

/* What came in. */
static const uint8_t *frame;
static size_t frame_size;

static void
look_at(const void *data, size_t size)
{
    const uint8_t *p = data;
    volatile uint8_t sum = 0;

    CHECK(size >= 14 && size <= ESWITCH_MAX_FRAME);
    for (size_t i = 0; i < size; i++) {
        sum += p[i];
    }
}

static bool
to_end(void *aux, uint16_t port, const void *data, size_t size)
{
    (void) aux;
    CHECK(port <= 3);
    look_at(data, size);
    return true;
}

static bool
to_software(void *aux, uint16_t port, const struct eswitch_metadata *metadata,
            const void *data, size_t size)
{
    (void) aux;
    CHECK(port <= 3 && metadata->miss);
    look_at(data, size);
    CHECK(size == frame_size && !memcmp(data, frame, size));
    return true;
}

static void
set_up(void)
{
    static const struct eswitch_sink sink = {
        .end = to_end, .software = to_software,
    };
    struct eswitch_params params = ESWITCH_PARAMS_INITIALIZER;
    uint64_t id;

    params.n_vfs = 3;
    params.capacity = 1000;
    CHECK(!eswitch_create(&params, &eswitch, NULL));
    reader = eswitch_reader_create(eswitch, &sink);
    CHECK(reader);
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        CHECK(!eswitch_text_parse(rules[i], &text_rule));
        CHECK(!eswitch_rule_create(eswitch, &text_rule.rule, &id, NULL));
    }
}

static char *
format(size_t (*function)(char *, size_t))
{
    size_t length = function(NULL, 0);
    char *text = malloc(length + 1);

    CHECK(text && function(text, length + 1) == length);
    return text;
}

static size_t
format_items(char *text, size_t size)
{
    return eswitch_text_items(text_rule.rule.items, text_rule.rule.n_items,
                              text, size);
}

static size_t
format_actions(char *text, size_t size)
{
    return eswitch_text_actions(text_rule.rule.actions,
                                text_rule.rule.n_actions, text, size);
}

static void
list_nothing(const struct eswitch_rule_info *info, void *aux)
{
    (void) aux;
    CHECK(info->match && info->actions);
}

/* On port 3, which no other packet's walk needs. */
static void
try_rule(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1), *wrong;
    uint64_t id;

    CHECK(text);
    memcpy(text, data, size);
    text[size] = '\0';
    wrong = eswitch_text_parse(text, &text_rule);
    free(text);
    if (!wrong) {
        text_rule.rule.port = 3;
        if (!eswitch_rule_create(eswitch, &text_rule.rule, &id, NULL)) {
            free(format(format_items));
            free(format(format_actions));
            eswitch_list(eswitch, list_nothing, NULL);
            CHECK(!eswitch_rule_destroy(eswitch, id, NULL));
        }
    }
    free(wrong);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!eswitch) {
        set_up();
    }
    if (!size) {
        return 0;
    } else if (data[0] == 255) {
        try_rule(data + 1, size - 1);
        return 0;
    }
    /* Memory of its own: see ASan. */
    frame_size = size - 1;
    frame = malloc(frame_size ? frame_size : 1);
    CHECK(frame);
    memcpy((uint8_t *) frame, data + 1, frame_size);
    eswitch_rx(reader, data[0] % 3, frame, frame_size);
    free((uint8_t *) frame);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */

#ifndef ESWITCH_TEXT_H
#define ESWITCH_TEXT_H 1

/* Rules as text, for listings and tests.
 *
 *      port=1 [ingress] [group=N] [prio=N] ITEM / ITEM ... => ACTION / ...
 *
 * Words are separated by white space.  An item is its name and its fields:
 *
 *      eth dst=02:00:00:00:00:01 type=0x0800 has_vlan=0
 *      ipv4 src=10.0.0.0/255.255.255.0 frag=0x1..0x1fff/0x1fff
 *
 * Each is field=value, all of whose bits are matched, or field=value/mask, or
 * field=value..last/mask.  A value is a number, decimal or hexadecimal (with
 * 0x, of any length), or an address.  The names of the fields are in
 * eswitch-text.c.  Actions:
 *
 *      output=PORT  software=PORT  drop  jump=GROUP  queue=N  rss=N,N,...
 *      passthru  count  mark=N  vlan_pop  vlan_push=TPID  dec_ttl
 *      modify FIELD[@LEVEL]=VALUE[/MASK]       also +=VALUE and -=VALUE
 *      copy FIELD[@LEVEL][:OFS]=FIELD[@LEVEL][:OFS],WIDTH      likewise
 *      encap=HEX  decap=ITEM  raw_decap=BYTES
 *      sample [ ACTION / ... ]
 *
 * What eswitch_list() shows can be parsed again. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "eswim/eswitch.h"

/* A parsed rule and the memory of what it points to. */
struct eswitch_text_rule {
    struct eswitch_rule rule;
    struct eswitch_item items[ESWITCH_MAX_ITEMS];
    uint8_t bytes[ESWITCH_MAX_ITEMS][3][132];   /* Spec, mask, last. */
    /* The rule's own, from the front, and of samples, from the back. */
    struct eswitch_action actions[2 * ESWITCH_MAX_ACTIONS];
    size_t n_sampled;
    uint8_t blobs[8192];                        /* Of actions. */
    size_t n_blobs;
};

/* Parses 'text'.  Returns null, or what is wrong, to be freed. */
char *eswitch_text_parse(const char *text, struct eswitch_text_rule *);

/* Writes up to 'size' bytes of text, its terminating 0 included, as
 * snprintf() does.  Returns the length of all of the text. */
size_t eswitch_text_items(const struct eswitch_item *, size_t n, char *,
                          size_t size);
size_t eswitch_text_actions(const struct eswitch_action *, size_t n, char *,
                            size_t size);

#endif /* eswitch-text.h */

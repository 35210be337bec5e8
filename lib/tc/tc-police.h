/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TC_POLICE_H
#define TC_POLICE_H 1

/* OpenFlow meters as TC police actions of their own, which rules refer to by
 * index.
 *
 * A meter's police action is made by tc_police_set() and dies with
 * tc_police_del().  Indexes come from the range 0x10000000 to 0x1fffffff,
 * which Open vSwitch uses for the same purpose.  Lookups are lock-free. */

#include <stdbool.h>
#include <stdint.h>

struct offload_refusal;
struct ofputil_meter_config;
struct ofputil_meter_stats;

int tc_police_set(uint32_t meter_id, const struct ofputil_meter_config *,
                  struct offload_refusal *);
int tc_police_get(uint32_t meter_id, struct ofputil_meter_stats *);
int tc_police_del(uint32_t meter_id, struct ofputil_meter_stats *);

#define TC_POLICE_INDEX_MIN 0x10000000
#define TC_POLICE_INDEX_MAX 0x1fffffff

/* Whether a police action with this index is a meter. */
static inline bool
tc_police_is_meter_index(uint32_t index)
{
    return index >= TC_POLICE_INDEX_MIN && index <= TC_POLICE_INDEX_MAX;
}

/* Stores the police index of a meter.  False if it has none. */
bool tc_police_lookup(uint32_t meter_id, uint32_t *index);

/* Deletes what an earlier daemon left in our range.  Once, at start. */
void tc_police_cleanup(void);

#endif /* tc-police.h */

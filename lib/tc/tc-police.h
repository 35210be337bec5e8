/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TC_POLICE_H
#define TC_POLICE_H 1

/* OpenFlow meters as TC police actions of their own, which rules refer to by
 * index.
 *
 * A meter's police action is made by tc_police_set() and dies with
 * tc_police_del().  The kernel doesn't delete one that a rule refers to, and
 * a deleted rule refers to it for a while: then the meter is forgotten, its
 * index stays reserved, and the deletion is tried again on every later
 * occasion.
 *
 * Indexes come from the range that Open vSwitch uses for the same purpose.
 *
 * Units are Open vSwitch's own for TC, so that a meter does the same as there:
 * a kilobit of a rate is 1000 bits, one of a burst 1024 bits, and without a
 * burst (OFPMF13_BURST) the burst is what the rate gives in a second.
 *
 * Thread-safe.  Lookups are lock-free; the lock inside is never held over a
 * system call. */

#include <stdbool.h>
#include <stdint.h>

struct offload_refusal;
struct ofputil_meter_config;
struct ofputil_meter_stats;

#define TC_POLICE_INDEX_MIN 0x10000000
#define TC_POLICE_INDEX_MAX 0x1fffffff

/* Whether a police action with this index is a meter. */
static inline bool
tc_police_is_meter_index(uint32_t index)
{
    return index >= TC_POLICE_INDEX_MIN && index <= TC_POLICE_INDEX_MAX;
}

/* Makes a meter, or changes one in place.  Returns 0, or a positive errno with
 * the refusal (if not NULL) filled in; then a meter that was there is as it
 * was. */
int tc_police_set(uint32_t meter_id, const struct ofputil_meter_config *,
                  struct offload_refusal *);

/* Adds a meter's counters to the statistics (if not NULL): packets and bytes
 * that came in, and packets that the first band dropped.  Returns 0 or a
 * positive errno, ENOENT if there is no such meter. */
int tc_police_get(uint32_t meter_id, struct ofputil_meter_stats *);

/* Likewise, and deletes the meter. */
int tc_police_del(uint32_t meter_id, struct ofputil_meter_stats *);

/* Stores the police index of a meter.  False if it has none. */
bool tc_police_lookup(uint32_t meter_id, uint32_t *index);

/* Deletes what an earlier daemon left in our range.  Only the first call does
 * something. */
void tc_police_cleanup(void);

/* Tries once more to delete what couldn't be deleted before.  To be called
 * when rules have gone. */
void tc_police_retry(void);

#endif /* tc-police.h */

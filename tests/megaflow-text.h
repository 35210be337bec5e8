/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TESTS_MEGAFLOW_TEXT_H
#define TESTS_MEGAFLOW_TEXT_H 1

/* Megaflows as text, for test programs. */

struct match;

/* Parses a megaflow as "ovs-appctl dpctl/dump-flows" shows it.  Ends the
 * program if that can't be done. */
void match_from_text(const char *text, struct match *);

#endif /* tests/megaflow-text.h */

/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TESTS_MEGAFLOW_TEXT_H
#define TESTS_MEGAFLOW_TEXT_H 1

/* Megaflows as text, and what becomes of them, for test programs. */

struct match;
struct offload_refusal;

/* Parses a megaflow as "ovs-appctl dpctl/dump-flows" shows it.  Ends the
 * program if that can't be done. */
void match_from_text(const char *text, struct match *);

/* A line on standard output: its name, and what people are told. */
void print_refusal(const struct offload_refusal *);

#endif /* tests/megaflow-text.h */

/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OFFLOAD_COMMANDS_H
#define OFFLOAD_COMMANDS_H 1

/* Our ovs-appctl commands: commands.c has a row for each.  They run in the
 * main thread, and what each asks of the datapath is bounded. */

struct json;
struct offload_refusal;
struct report;

void commands_register(void);

/* Each in the file of its name. */
void offload_caps(struct report *, int argc, const char *argv[]);
void offload_explain(struct report *, int argc, const char *argv[]);
void offload_refusals(struct report *, int argc, const char *argv[]);
void offload_show(struct report *, int argc, const char *argv[]);

/* Members of 'object' that say why: "code", "subject", "detail", "error" (the
 * name of the kernel's or driver's), "hint", and "reason", all in one
 * sentence.  (refusals.c) */
void refusal_to_json(struct json *object, const struct offload_refusal *);

#endif /* commands.h */

/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OFFLOAD_COMMANDS_H
#define OFFLOAD_COMMANDS_H 1

/* Our ovs-appctl commands. */

void commands_register(void);

#endif /* commands.h */

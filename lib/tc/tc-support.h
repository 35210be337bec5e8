/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TC_SUPPORT_H
#define TC_SUPPORT_H 1

/* offload_backend's match_support() and action_support() for TC: the tables'
 * rows, and what was found out about the kernel (tc-caps.h).  Whether a device
 * takes the rule into hardware, its driver says for each rule only. */

#include "offload-backend.h"

enum offload_support tc_match_support(const struct offload_port *,
                                      enum offload_field_id,
                                      const char **why);
enum offload_support tc_action_support(const struct offload_port *,
                                       enum offload_action_kind,
                                       const char **why);

#endif /* tc-support.h */

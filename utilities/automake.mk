# SPDX-License-Identifier: Apache-2.0

EXTRA_DIST += utilities/check
EXTRA_DIST += utilities/quickstart
EXTRA_DIST += utilities/ovs-offload-dashboard.json
dist_bin_SCRIPTS += utilities/ovs-offload-exporter
dist_bin_SCRIPTS += utilities/ovs-offload-top
EXTRA_DIST += utilities/quickstart.d/eswim
EXTRA_DIST += utilities/quickstart.d/eswim-bed
EXTRA_DIST += utilities/quickstart.d/tc
EXTRA_DIST += utilities/quickstart.d/tc-nic
EXTRA_DIST += utilities/quickstart.d/telling

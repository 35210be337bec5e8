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

# bash-completion looks for a file by the command's name.
completionsdir = $(datadir)/bash-completion/completions
dist_completions_DATA = \
	utilities/completions/ovs-appctl-offload.bash \
	utilities/completions/ovs-offload-doctor \
	utilities/completions/ovs-offload-exporter \
	utilities/completions/ovs-offload-top

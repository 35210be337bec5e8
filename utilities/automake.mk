# SPDX-License-Identifier: Apache-2.0

EXTRA_DIST += utilities/check
EXTRA_DIST += utilities/quickstart
EXTRA_DIST += utilities/ovs-offload-dashboard.json
dist_bin_SCRIPTS += utilities/ovs-offload-doctor
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

# ovs-offload-doctor finds them beside itself or in ../share/ovs-fastpath.
doctordir = $(pkgdatadir)/offload_doctor
dist_doctor_DATA = \
	utilities/offload_doctor/__init__.py \
	utilities/offload_doctor/bundle.py \
	utilities/offload_doctor/check_flows.py \
	utilities/offload_doctor/check_nic.py \
	utilities/offload_doctor/check_ports.py \
	utilities/offload_doctor/check_settings.py \
	utilities/offload_doctor/checks.py \
	utilities/offload_doctor/finding.py \
	utilities/offload_doctor/host.py \
	utilities/offload_doctor/machine.py \
	utilities/offload_doctor/main.py \
	utilities/offload_doctor/output.py

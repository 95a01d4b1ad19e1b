#!/usr/bin/env bash
# Prints where the parts of the running cluster are, one NAME=VALUE a line.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/settings.sh"
node_pid >/dev/null || fail "no cluster is running; start one with: scripts/cluster up"
cat <<LINES
KUBECONFIG=$state/admin.kubeconfig
FORERUN_CLUSTER_KUBECTL=$kubernetes_bin/kubectl
FORERUN_CLUSTER_HELM=$helm_bin/helm
FORERUN_CLUSTER_HELM4=$helm4_bin/helm
FORERUN_CLUSTER_KUBERNETES_VERSION=$kubernetes_version
FORERUN_CLUSTER_NODE=$node
FORERUN_CLUSTER_NODE_IP=$node_address
FORERUN_CLUSTER_LOGS=$state/logs
FORERUN_CLUSTER_RUN=$checkout/scripts/cluster run
LINES

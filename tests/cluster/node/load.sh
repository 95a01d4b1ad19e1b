#!/usr/bin/env bash
# load.sh ARCHIVE: makes the images of an OCI archive known to the node, twice: containerd has them at once
# (imagePullPolicy IfNotPresent and Never), and the node's registry serves them (Always). Runs inside the node.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../settings.sh
source "${BASH_SOURCE[0]%/*}/settings.sh"
LD_LIBRARY_PATH='' python3 "$state/node/registry.py" add "$1" "$state/registry"
"$debian/usr/bin/ctr" --address /run/containerd/containerd.sock --namespace k8s.io images import "$1"

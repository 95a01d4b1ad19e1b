# shellcheck shell=bash disable=SC2034 # used by those who source it
# Versions, paths and addresses of the test cluster, and the few functions every part shares.
# Sourced by scripts/cluster and by the files beside it; not run by itself.

# Kubernetes 1.34 is the newest release whose kubelet accepts cgroup v1 without being told to. The Go
# modules and their checksums are pinned by go.mod and go.sum in kubernetes/, helm/ and helm4/; these
# three lines must name the same versions (build.sh compares them).
kubernetes_version=v1.34.4
helm_version=v3.22.0
helm4_version=v4.3.1
kubernetes_programs=(kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubectl)

checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
parts=$checkout/tests/cluster

# Built once, used by every checkout of this user.
cache=${XDG_CACHE_HOME:-$HOME/.cache}/forerun/cluster
kubernetes_bin=$cache/kubernetes-$kubernetes_version
helm_bin=$cache/helm-$helm_version
helm4_bin=$cache/helm-$helm4_version
debian=$cache/debian-bookworm-trixie
images=$cache/images

# The place is common to the machine, so that a second checkout sees the first one's cluster. It is not below
# the home directory, which PostgreSQL's own user may not enter. Under another name there can be a second cluster.
cgroup=${FORERUN_CLUSTER_NAME:-forerun-cluster}
if [[ ! $cgroup =~ ^forerun-[a-z0-9-]+$ ]]; then
    echo "scripts/cluster: FORERUN_CLUSTER_NAME is forerun- and small letters, digits or hyphens" >&2
    exit 2
fi
state=/var/cache/$cgroup
# The directory itself is locked, so that no lock file is left.
lock=/var/cache

# The node's network is a namespace of its own: these addresses exist nowhere else.
node=node1
node_address=10.88.0.1
pod_network=10.244.0.0/16
pod_range=10.244.0.0/24
service_network=10.96.0.0/16
service_address=10.96.0.1
registry_address=127.0.0.1:5000

# What the node needs to know of all this; up.sh leaves it beside the copy of node/.
node_settings=(
    kubernetes_bin debian images state cgroup node node_address pod_network service_network registry_address
)

note() { printf 'cluster: %s\n' "$*" >&2; }
fail() { printf 'scripts/cluster: %s\n' "$*" >&2; exit 1; }

# The process id (as the machine sees it) of the `unshare` that holds the node, or failure. Its number is
# trusted only as long as that number still is the process we started.
holder_pid() {
    local pid
    pid=$(cat "$state/holder.pid" 2>/dev/null) || return 1
    grep -qsa -- "$state/node/init.sh" "/proc/$pid/cmdline" || return 1
    printf '%s\n' "$pid"
}

# The process id of the node's first process, or failure.
node_pid() {
    local holder child
    holder=$(holder_pid) || return 1
    child=$(cat "/proc/$holder/task/$holder/children" 2>/dev/null) || return 1
    [[ -n $child ]] || return 1
    printf '%s\n' "${child%% *}"
}

# in_node CMD…: CMD as a process of the node (its process, mount and network namespaces).
in_node() {
    local pid
    pid=$(node_pid) || fail "no cluster is running; start one with: scripts/cluster up"
    nsenter --target "$pid" --mount --net --pid --uts --ipc -- "$@"
}

# kubectl as administrator, in the node.
kubectl() { in_node "$kubernetes_bin/kubectl" --kubeconfig "$state/admin.kubeconfig" "$@"; }

# The checkout that owns the running or left-over cluster, or nothing.
owner() { cat "$state/owner" 2>/dev/null || true; }

#!/usr/bin/env bash
# The node's first process: prepares the namespaces it was started in, starts the components and stays.
# When it ends, the kernel ends everything in the node.
#
# Started by up.sh from the copy in the state directory, so that a running cluster does not change with
# the checkout.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../settings.sh
source "${BASH_SOURCE[0]%/*}/settings.sh"

# Programs of the cluster first; nothing of the caller's own environment.
multiarch=$(uname -m)-linux-gnu
export PATH=$kubernetes_bin:$debian/node-bin:$debian/usr/sbin:$debian/usr/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LD_LIBRARY_PATH=$debian/usr/lib/$multiarch XTABLES_LIBDIR=$debian/usr/lib/$multiarch/xtables
export KUBECONFIG=$state/admin.kubeconfig

# What the components write to fixed places of the file system must not reach the machine's own.
isolate_files() {
    # The kubelet passes volumes to containers by mount propagation.
    mount --make-rshared /
    mount -t tmpfs -o mode=755 tmpfs /run
    mkdir -p /run/lock /run/containerd /run/netns
    local directory
    for directory in lib log; do
        mount --bind "$state/var-$directory" "/var/$directory"
    done
    # The kubelet insists on these values, which count for the whole machine. It leaves a setting alone
    # that already reads as it wishes, so it is shown files that do.
    local setting
    while read -r setting; do
        printf '%s\n' "${setting#* }" >"$state/sysctl/${setting%% *}"
        mount --bind "$state/sysctl/${setting%% *}" "/proc/sys/$(tr . / <<<"${setting%% *}")"
    done <<'SETTINGS'
vm.overcommit_memory 1
vm.panic_on_oom 0
kernel.panic 10
kernel.panic_on_oops 1
kernel.keys.root_maxkeys 1000000
kernel.keys.root_maxbytes 25000000
SETTINGS
}

# The kubelet puts all its groups below this one, which makes them easy to find and remove.
create_cgroup() {
    local hierarchy
    if [[ -f /sys/fs/cgroup/cgroup.controllers ]]; then
        mkdir -p "/sys/fs/cgroup/$cgroup"
        sed 's/[^ ]*/+&/g' /sys/fs/cgroup/cgroup.controllers >/sys/fs/cgroup/cgroup.subtree_control
        sed 's/[^ ]*/+&/g' "/sys/fs/cgroup/$cgroup/cgroup.controllers" >"/sys/fs/cgroup/$cgroup/cgroup.subtree_control"
    else
        for hierarchy in /sys/fs/cgroup/*/; do
            mkdir -p "$hierarchy$cgroup"
        done
        # On v1 a new group of the cpuset hierarchy has no processor and no memory until it is told.
        local file
        for file in cpuset.cpus cpuset.mems; do
            cat "/sys/fs/cgroup/cpuset/$file" >"/sys/fs/cgroup/cpuset/$cgroup/$file"
        done
    fi
}

create_network() {
    hostname "$node"
    ip link set lo up
    # A bridge, because the kernels these tests meet have no dummy interface.
    ip link add node type bridge
    ip address add "$node_address/24" dev node
    ip link set node up
    # Whoever looks for the world outside is refused at once, rather than after a wait.
    ip route add unreachable default
    # Where packets to services leave does not matter: kube-proxy changes their destination. But there must be a way.
    ip route add "$service_network" dev node
    echo 1 >/proc/sys/net/ipv4/ip_forward
}

start() { setsid "$state/node/supervise.sh" "$@" & }

# client_flags NAME: how a component of the control plane reaches the API.
client_flags() {
    local config=$state/$1.kubeconfig
    printf '%s\n' "--kubeconfig=$config" "--authentication-kubeconfig=$config" "--authorization-kubeconfig=$config" \
        --bind-address=127.0.0.1 --leader-elect=false
}

isolate_files
create_cgroup
create_network

start registry python3 "$state/node/registry.py" serve "$registry_address" "$state/registry"
start containerd containerd --config "$state/containerd.toml"
start etcd etcd --data-dir "$state/etcd" --unsafe-no-fsync \
    --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
    --listen-peer-urls http://127.0.0.1:2380
start apiserver kube-apiserver \
    --etcd-servers=http://127.0.0.1:2379 \
    --bind-address="$node_address" --advertise-address="$node_address" --secure-port=6443 \
    --tls-cert-file="$state/pki/apiserver.crt" --tls-private-key-file="$state/pki/apiserver.key" \
    --token-auth-file="$state/pki/tokens.csv" --client-ca-file="$state/pki/kubelet-client.crt" \
    --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction --allow-privileged \
    --service-cluster-ip-range="$service_network" \
    --service-account-issuer=https://kubernetes.default.svc \
    --service-account-signing-key-file="$state/pki/service-account.key" \
    --service-account-key-file="$state/pki/service-account.pub" \
    --kubelet-client-certificate="$state/pki/kubelet-client.crt" \
    --kubelet-client-key="$state/pki/kubelet-client.key" \
    --kubelet-preferred-address-types=InternalIP

until [[ $(kubectl get --raw=/readyz 2>/dev/null) == ok ]]; do sleep 0.2; done

mapfile -t flags < <(client_flags controller-manager)
start controller-manager kube-controller-manager "${flags[@]}" --use-service-account-credentials \
    --service-account-private-key-file="$state/pki/service-account.key" --root-ca-file="$state/pki/ca.crt"
mapfile -t flags < <(client_flags scheduler)
start scheduler kube-scheduler "${flags[@]}"
for archive in "$images"/*.tar; do
    until "$state/node/load.sh" "$archive"; do sleep 0.2; done
done
start kubelet kubelet --config="$state/kubelet.yaml" --kubeconfig="$state/kubelet.kubeconfig" \
    --hostname-override="$node" --node-ip="$node_address"
# The limits of connection tracking belong to the machine: zero leaves them as they are.
start kube-proxy kube-proxy --kubeconfig="$state/kube-proxy.kubeconfig" --proxy-mode=iptables \
    --cluster-cidr="$pod_network" --hostname-override="$node" --bind-address="$node_address" \
    --conntrack-max-per-core=0 --conntrack-min=0 \
    --conntrack-tcp-timeout-established=0s --conntrack-tcp-timeout-close-wait=0s
start dns python3 "$state/node/dns.py" "$node_address" "$state/admin.kubeconfig"

# Bash takes in the processes whose parents are gone while it waits.
while :; do wait -n || true; sleep 1; done

#!/usr/bin/env bash
# Starts the cluster and prints where its parts are, one NAME=VALUE a line. A cluster of this checkout that
# already runs is kept.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/settings.sh"

wait_seconds=120

check_machine() {
    ((EUID == 0)) || fail "the cluster needs root (namespaces, mounts, cgroups)"
    local program
    for program in openssl python3 ip unshare nsenter flock setpriv; do
        command -v "$program" >/dev/null || fail "$program is missing (Debian: openssl python3 iproute2 util-linux)"
    done
    local part
    for part in "$kubernetes_bin" "$helm_bin" "$helm4_bin" "$debian" "$images"; do
        [[ -d $part ]] || fail "$part is missing; make it with: scripts/cluster build"
    done
    [[ -w /sys/fs/cgroup ]] || fail "/sys/fs/cgroup is read-only: the kubelet cannot make cgroups here"
}

# kubeconfig NAME USER [GROUP]: an identity, and the file it connects with. Written as JSON, which is YAML too.
kubeconfig() {
    local token
    token=$(openssl rand -hex 16)
    printf '%s,%s,%s%s\n' "$token" "$2" "$2" "${3:+,\"$3\"}" >>"$state/pki/tokens.csv"
    cat >"$state/$1.kubeconfig" <<JSON
{
  "apiVersion": "v1", "kind": "Config", "current-context": "forerun-test",
  "clusters": [{"name": "forerun-test", "cluster": {
    "server": "https://$node_address:6443", "certificate-authority": "$state/pki/ca.crt"}}],
  "users": [{"name": "$2", "user": {"token": "$token"}}],
  "contexts": [{"name": "forerun-test", "context": {"cluster": "forerun-test", "user": "$2"}}]
}
JSON
    chmod 600 "$state/$1.kubeconfig"
}

# certificate NAME SUBJECT [OPENSSL-ARGUMENT…]: self-signed, with an elliptic key, which is made at once.
certificate() {
    local name=$1 subject=$2
    shift 2
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj "$subject" \
        -keyout "$state/pki/$name.key" -out "$state/pki/$name.crt" "$@" 2>/dev/null
}

write_identities() {
    certificate kubelet-client /O=system:masters/CN=apiserver-kubelet-client
    certificate ca /CN=forerun-test-ca
    # Signed by another: a certificate that vouches for itself is no server's certificate to strict clients.
    certificate apiserver /CN=kube-apiserver -CA "$state/pki/ca.crt" -CAkey "$state/pki/ca.key" \
        -addext basicConstraints=critical,CA:FALSE -addext \
        "subjectAltName=DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,IP:127.0.0.1,IP:$node_address,IP:$service_address"
    openssl ecparam -genkey -name prime256v1 -noout -out "$state/pki/service-account.key"
    openssl ec -in "$state/pki/service-account.key" -pubout -out "$state/pki/service-account.pub" 2>/dev/null
    : >"$state/pki/tokens.csv"
    kubeconfig admin admin system:masters
    kubeconfig controller-manager system:kube-controller-manager
    kubeconfig scheduler system:kube-scheduler
    kubeconfig kube-proxy system:kube-proxy
    kubeconfig kubelet "system:node:$node" system:nodes
}

write_configuration() {
    cp -r "$parts/node" "$state/node"
    declare -p "${node_settings[@]}" >"$state/node/settings.sh"
    sed -e "s|@STATE@|$state|g" -e "s|@DEBIAN@|$debian|g" "$parts/node/containerd.toml" >"$state/containerd.toml"
    sed -e "s|@STATE@|$state|g" -e "s|@ADDRESS@|$node_address|g" -e "s|@CGROUP@|$cgroup|g" \
        "$parts/node/kubelet.yaml" >"$state/kubelet.yaml"
    sed -e "s|@PODS@|$pod_range|g" "$parts/node/cni.conflist" >"$state/cni/10-bridge.conflist"
    # Naming the registry as the server, too, keeps containerd from asking the real one afterwards.
    mkdir -p "$state/registries/_default"
    cat >"$state/registries/_default/hosts.toml" <<TOML
server = "http://$registry_address"
[host."http://$registry_address"]
capabilities = ["pull", "resolve"]
TOML
}

start_node() {
    note "starting Kubernetes $kubernetes_version"
    mkdir -m 711 "$state"
    printf '%s\n' "$checkout" >"$state/owner"
    mkdir -p "$state"/{cni,containerd,logs,pids,pki,registry,sysctl,var-lib,var-log,volumes}
    write_identities
    write_configuration
    # The number is written by the very process that becomes `unshare`: there is no moment at which a killed
    # `up` leaves a node behind that `down` would not find.
    # shellcheck disable=SC2016 # expanded by that process
    setsid bash -c 'echo $$ >"$1/holder.pid"; shift; exec "$@"' holder "$state" \
        unshare --mount --net --pid --uts --ipc --fork --kill-child --mount-proc \
        "$state/node/init.sh" >"$state/logs/init.log" 2>&1 </dev/null 9>&- &
}

# Ready: the node says so, and pods can be created (they need the namespace's service account).
is_ready() {
    kubectl get node "$node" 2>/dev/null | grep -q ' Ready ' && kubectl get serviceaccount default >/dev/null 2>&1
}

# Volumes for claims of the default class. There is no provisioner: a claim takes one of these, and each
# serves once.
create_volumes() {
    local number
    {
        cat <<YAML
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: standard, annotations: {storageclass.kubernetes.io/is-default-class: "true"}}
provisioner: kubernetes.io/no-provisioner
YAML
        for number in {01..16}; do
            # Like a volume of a cloud, it can be written by a container that is not root.
            mkdir -p "$state/volumes/$number"
            chmod 777 "$state/volumes/$number"
            cat <<YAML
---
apiVersion: v1
kind: PersistentVolume
metadata: {name: volume-$number}
spec:
  storageClassName: standard
  capacity: {storage: 100Gi}
  accessModes: [ReadWriteOnce, ReadOnlyMany, ReadWriteMany]
  hostPath: {path: $state/volumes/$number}
YAML
        done
    } | kubectl apply -f - >/dev/null
    touch "$state/volumes/created"
}

wait_until_ready() {
    local deadline=$((SECONDS + wait_seconds))
    until node_pid >/dev/null && is_ready; do
        if ((SECONDS > deadline)) || { ((SECONDS > 2)) && ! node_pid >/dev/null; }; then
            tail -n 5 "$state"/logs/*.log >&2 || true
            fail "the node did not become ready; its logs are in $state/logs; remove it with: scripts/cluster down"
        fi
        sleep 0.25
    done
    # Processes in the node's network belong to the cluster, whoever started them: `down` ends them.
    readlink "/proc/$(node_pid)/ns/net" >"$state/network"
}

main() {
    check_machine
    exec 9<"$lock"
    flock --nonblock 9 || { note "another up or down is running; waiting for it"; flock 9; }
    local holder_of
    holder_of=$(owner)
    if [[ -d $state ]]; then
        if [[ $holder_of != "$checkout" ]] && holder_pid >/dev/null; then
            fail "the cluster of $holder_of is running on this machine under the same name.
To end that one: scripts/cluster down --force; for one beside it, set FORERUN_CLUSTER_NAME."
        fi
        # Whatever was left over by an `up` that was killed, or by a reboot.
        holder_pid >/dev/null || "$parts/down.sh" --locked
    fi
    [[ -d $state ]] || start_node
    wait_until_ready
    [[ -f $state/volumes/created ]] || create_volumes
    note "ready after $SECONDS s"
    "$parts/env.sh"
}

main "$@"

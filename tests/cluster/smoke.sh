#!/usr/bin/env bash
# Shows that what the tests rely on works: on a cluster of its own, which it starts, crashes and ends, beside one
# that may be running.
set -euo pipefail
export FORERUN_CLUSTER_NAME=forerun-smoke
# shellcheck source-path=SCRIPTDIR source=settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/settings.sh"

cluster=$checkout/scripts/cluster
namespace=smoke
work=$(mktemp -d)
trap 'finish' EXIT

finish() {
    local status=$?
    if ((status != 0)); then
        printf 'smoke: FAILED; the cluster is kept for a look; end it with:\n  FORERUN_CLUSTER_NAME=%s scripts/cluster down\n' "$cgroup" >&2
    fi
    rm -rf "$work"
    exit "$status"
}

# As the tests do it, through the entry script.
k() { "$cluster" run kubectl --namespace "$namespace" "$@"; }

ok() { printf 'ok    %s (%d s)\n' "$1" "$SECONDS"; }

# expect WHAT WANTED GOT
expect() {
    # shellcheck disable=SC2053 # a pattern
    if [[ $3 == $2 ]]; then
        ok "$1"
    else
        printf 'FAIL  %s\n  wanted: %s\n  got:    %s\n' "$1" "$2" "$3" >&2
        exit 1
    fi
}

# expect_soon WHAT WANTED COMMAND…: the command's output matches the pattern within a minute.
expect_soon() {
    local what=$1 wanted=$2 got='' deadline=$((SECONDS + 60))
    shift 2
    until ((SECONDS > deadline)); do
        got=$("$@" 2>&1 || true)
        # shellcheck disable=SC2053 # a pattern
        [[ $got != $wanted ]] || break
        sleep 0.5
    done
    expect "$what" "$wanted" "$got"
}

pod_of() { k get pods --selector "job-name=$1" --output "jsonpath={.items[*]$2}"; }
job_condition() { k get job "$1" --output 'jsonpath={.status.conditions[?(@.status=="True")].reason}'; }

# What a cluster could leave behind.
traces() {
    findmnt --list --noheadings --output TARGET,SOURCE,FSTYPE
    # A cluster of another name makes control groups of its own.
    find /sys/fs/cgroup -type d -not -path '*/forerun-cluster*'
    sysctl --all 2>/dev/null | grep -E '^(vm\.(overcommit|panic)|kernel\.(panic|keys)|net\.ipv4\.(ip_forward|conf)|net\.netfilter\.nf_conntrack_(max|tcp))'
    ip -oneline link | cut -d: -f2
    ls -d /var/lib/* /var/log/* /run/* /run/lock/* /opt/* /tmp/hostpath_pv /etc/cni /etc/kubernetes "$state" \
        /usr/libexec/* 2>/dev/null || true
    pgrep --full --list-full "$state" || true
}

check_jobs() {
    k apply --filename "$parts/smoke/jobs.yaml" >/dev/null
    expect_soon "a Job that fails for good ends at its first pod" PodFailurePolicy\* job_condition fatal
    expect "... and there is no second pod" 1 "$(pod_of fatal .metadata.name | wc -w)"
    expect "podReplacementPolicy is kept" Failed "$(k get job fatal --output 'jsonpath={.spec.podReplacementPolicy}')"
    expect "the termination message and exit code arrive" '3 no way' \
        "$(pod_of fatal '.status.containerStatuses[0].state.terminated.exitCode') $(pod_of fatal '.status.containerStatuses[0].state.terminated.message')"
    expect_soon "a native sidecar does not hinder its Job" \*CompletionsReached\* job_condition sidecar
    expect_soon "a container above its memory limit is killed" OOMKilled \
        pod_of hungry '.status.containerStatuses[0].state.terminated.reason'
    expect_soon "an image that does not exist is reported" '*not found*ErrImagePull*' k get events \
        --field-selector reason=Failed --output 'jsonpath={range .items[*]}{.message}{"\n"}{end}'
}

check_web() {
    k apply --filename "$parts/smoke/web.yaml" >/dev/null
    k rollout status deployment/web --timeout 60s >/dev/null
    expect "logs" listening "$(k logs deployment/web)"
    expect "exec" uid=0\* "$(k exec deployment/web -- id)"
    expect_soon "a service by its name" 'hello from web' k exec deployment/web -- nc web 80
    expect "a name that does not exist" '*bad address*' "$(k exec deployment/web -- nc no-such-service 80 2>&1 || true)"
    # Not by the function: the process to end is the command itself.
    "$cluster" run kubectl --namespace "$namespace" port-forward service/web 18080:80 >"$work/forward" 2>&1 &
    local forward=$!
    # shellcheck disable=SC2016 # expanded in there
    expect_soon "port-forward" 'hello from web' "$cluster" run bash -c 'cat </dev/tcp/127.0.0.1/18080'
    kill "$forward"
    wait "$forward" || true
}

check_postgres() {
    local psql
    "$cluster" postgres "$namespace" >"$work/postgres"
    # shellcheck disable=SC1091 # written just now
    source "$work/postgres"
    psql=$(printf '%s\n' /usr/lib/postgresql/*/bin/psql | sort -V | tail -n 1)
    "$cluster" image "$work/psql.tar" localhost/psql:1 --libraries --entrypoint '["/bin/psql"]' "/bin/psql=$psql"
    "$cluster" load "$work/psql.tar" >/dev/null
    k create secret generic postgres --from-literal "PGPASSWORD=$FORERUN_CLUSTER_POSTGRES_PASSWORD" >/dev/null
    k apply --filename "$parts/smoke/postgres.yaml" >/dev/null
    expect_soon "a pod waits for PostgreSQL and asks it" 'rows: 7' k logs job/query --container main
    expect "PostgreSQL from the machine" 1 "$("$cluster" run "$psql" "$FORERUN_CLUSTER_POSTGRES_URL" --no-align --tuples-only --command 'SELECT 1')"
    "$cluster" crash postgres
    expect_soon "PostgreSQL comes back after a crash" 1 \
        "$cluster" run "$psql" "$FORERUN_CLUSTER_POSTGRES_URL" --no-align --tuples-only --command 'SELECT 1'
}

check_refusals() {
    "$cluster" run kubectl apply --filename "$parts/smoke/quota.yaml" >/dev/null
    expect_soon "a quota refuses pods" '*exceeded quota*' "$cluster" run kubectl events --namespace smoke-quota --for job/refused
    expect "RBAC refuses what was not allowed" '*Forbidden*' \
        "$(k get secrets --as "system:serviceaccount:$namespace:default" 2>&1 || true)"
    expect "unknown fields are refused" '*unknown field "spec.backoffLimits"*' "$(sed 's/backoffLimit:/backoffLimits:/' "$parts/smoke/postgres.yaml" |
        k apply --dry-run=server --validate=strict --filename - 2>&1 || true)"
}

# check_helm NAME PROGRAM ROLLBACK-OPTION
check_helm() {
    local helm=("$cluster" run "$2" --namespace "$namespace")
    "${helm[@]}" install "$1" "$parts/smoke/chart" --wait --timeout 60s >/dev/null
    expect "$1 installs a chart after its hook Job" first "$(k get configmap "$1-config" --output 'jsonpath={.data.text}')"
    expect "$1 fails an upgrade whose hook Job fails" '*failed*' \
        "$("${helm[@]}" upgrade "$1" "$parts/smoke/chart" --set exitCode=1,text=second "$3" --wait --timeout 60s 2>&1 || true)"
    expect "... and rolls back" '*first*' "$(k get configmap "$1-config" --output 'jsonpath={.data.text}')"
    expect "... and says so" '*Rollback*' "$("${helm[@]}" history "$1")"
    "${helm[@]}" uninstall "$1" --wait >/dev/null
}

is_another() { [[ $(cat "$state/pids/$1") == "$2" ]] || echo yes; }

check_crashes() {
    local component pod
    expect_soon "a Job runs, its volume claim is bound" Running pod_of enduring .status.phase
    pod=$(pod_of enduring .metadata.name)
    for component in apiserver kubelet containerd etcd controller-manager scheduler kube-proxy dns registry; do
        local before
        before=$(cat "$state/pids/$component")
        "$cluster" crash "$component"
        expect_soon "$component is killed and started again" yes is_another "$component" "$before"
    done
    expect_soon "the node is ready" '*Ready *' k get node "$node"
    expect_soon "the Job's pod lives on" uid=65532\* k exec "$pod" -- id
    k exec "$pod" -- touch /gate/open
    expect_soon "the Job ends well" \*CompletionsReached\* job_condition enduring
    expect "... with the same pod" "$pod 0" "$(pod_of enduring .metadata.name) $(pod_of enduring '.status.containerStatuses[0].restartCount')"
    k run after --image docker.io/library/alpine:3 --restart Never --command -- echo after >/dev/null
    expect_soon "a new pod runs" after k logs pod/after
}

check_down() {
    "$cluster" run sleep 3600 &
    local guest=$!
    "$cluster" down
    wait "$guest" 2>/dev/null || true
    # An `up` that is killed while it waits leaves a node that `down` finds.
    "$cluster" up >/dev/null 2>&1 &
    local up=$!
    until node_pid >/dev/null; do sleep 0.1; done
    kill -KILL "$up"
    wait "$up" 2>/dev/null || true
    "$cluster" down
    "$cluster" down
    traces >"$work/after"
    if ! diff "$work/before" "$work/after" >&2; then
        printf 'FAIL  down leaves traces (lines with >)\n' >&2
        exit 1
    fi
    ok "down leaves nothing, after an up that was killed too"
}

main() {
    "$cluster" down
    traces >"$work/before"
    "$cluster" up >/dev/null
    "$cluster" run kubectl create namespace "$namespace" >/dev/null
    expect "the node is ready" "* $kubernetes_version *" "$(k get node "$node" --no-headers --output wide)"
    expect_soon "the namespace is usable" default\* k get serviceaccount default --no-headers
    check_jobs
    check_web
    check_postgres
    check_refusals
    check_helm helm3 "$helm_bin/helm" --atomic
    check_helm helm4 "$helm4_bin/helm" --rollback-on-failure
    check_crashes
    check_down
    printf 'smoke: all well (%d s)\n' "$SECONDS"
}

main

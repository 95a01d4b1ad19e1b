#!/usr/bin/env bash
# postgres.sh [NAMESPACE…]: starts PostgreSQL in the node's network, unless it runs already, and makes it the
# service `postgresql` of the namespaces (`default` when none is named; created where missing). Prints how to
# reach it, one NAME=VALUE a line.
#
# It is the machine's own PostgreSQL, with an empty cluster of its own; it ends with the node.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/settings.sh"

port=5432
data=$state/postgres

find_programs() {
    local directory
    directory=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
    [[ -x $directory/initdb ]] || fail "no PostgreSQL in /usr/lib/postgresql (Debian: apt-get install postgresql)"
    printf '%s\n' "$directory"
}

start_server() {
    local programs=$1 account=nobody
    # PostgreSQL refuses to run as root.
    if getent passwd postgres >/dev/null; then account=postgres; fi
    local as_account=(setpriv "--reuid=$account" "--regid=$(id -g "$account")" --clear-groups)
    install -d -m 700 -o "$account" "$data"
    (umask 077 && openssl rand -hex 16 >"$state/postgres.password")
    install -m 600 -o "$account" "$state/postgres.password" "$data.pwfile"
    (cd / && "${as_account[@]}" "$programs/initdb" --pgdata "$data" --username postgres --pwfile "$data.pwfile" \
        --auth scram-sha-256 --encoding UTF8 --locale C.UTF-8 --no-sync >"$state/logs/initdb.log")
    rm "$data.pwfile"
    echo 'host all all 10.0.0.0/8 scram-sha-256' >>"$data/pg_hba.conf"
    cat >>"$data/postgresql.conf" <<CONF
listen_addresses = '$node_address'
port = $port
unix_socket_directories = ''
max_connections = 200
# A crash of a process loses nothing without it; a crash of the machine loses the test.
fsync = off
CONF
    in_node setsid --fork "$state/node/supervise.sh" postgres "${as_account[@]}" "$programs/postgres" -D "$data" 7<&-
}

create_service() {
    local namespace=$1
    kubectl get namespace "$namespace" >/dev/null 2>&1 || kubectl create namespace "$namespace" >/dev/null
    # Without a selector, the addresses are those given here.
    kubectl apply --namespace "$namespace" -f - >/dev/null <<YAML
apiVersion: v1
kind: Service
metadata: {name: postgresql}
spec:
  ports: [{name: postgresql, port: $port, protocol: TCP}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: postgresql-node, labels: {kubernetes.io/service-name: postgresql}}
addressType: IPv4
ports: [{name: postgresql, port: $port, protocol: TCP}]
endpoints: [{addresses: ["$node_address"], conditions: {ready: true}}]
YAML
}

main() {
    local programs namespace password attempt namespaces=("${@:-default}")
    node_pid >/dev/null || fail "no cluster is running; start one with: scripts/cluster up"
    programs=$(find_programs)
    # Two callers at once would make two passwords for one server.
    exec 7<"$state/logs"
    flock 7
    [[ -f $state/pids/postgres ]] || start_server "$programs"
    for attempt in {1..100}; do
        ! in_node "$programs/pg_isready" --quiet --host "$node_address" --port "$port" || break
        ((attempt < 100)) || fail "PostgreSQL does not start; see: scripts/cluster logs postgres"
        sleep 0.2
    done
    for namespace in "${namespaces[@]}"; do
        create_service "$namespace"
    done
    password=$(cat "$state/postgres.password")
    cat <<LINES
FORERUN_CLUSTER_POSTGRES_HOST=$node_address
FORERUN_CLUSTER_POSTGRES_PORT=$port
FORERUN_CLUSTER_POSTGRES_USER=postgres
FORERUN_CLUSTER_POSTGRES_PASSWORD=$password
FORERUN_CLUSTER_POSTGRES_URL=postgres://postgres:$password@$node_address:$port/postgres
FORERUN_CLUSTER_POSTGRES_POD_URL=postgres://postgres:$password@postgresql:$port/postgres
LINES
}

main "$@"

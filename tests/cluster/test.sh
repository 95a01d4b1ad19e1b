#!/usr/bin/env bash
# test.sh [NAME…]: tells the stories of stories/ (those whose name contains one of the words) on a cluster of its own,
# which it brings up and ends. --list: their names.
#
# Where no cluster can be had: SKIPPED with the reason, or a failure where CI is set.
# FORERUN_STORIES_KEEP=yes leaves the cluster running, for a look at what failed; the next run takes it over.
set -euo pipefail
export FORERUN_CLUSTER_NAME=${FORERUN_CLUSTER_NAME:-forerun-test}
# shellcheck source-path=SCRIPTDIR source=settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/settings.sh"

cluster=$checkout/scripts/cluster
stories=$parts/stories
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/forerun/target}
locked=()
[[ -z ${CI:-} ]] || locked=(--locked)

# Prints why there can be no cluster, or nothing.
obstacle() {
    if ((EUID != 0)); then
        echo "root is needed (namespaces, mounts, cgroups)"
    elif ! unshare --mount --net --pid --fork true 2>/dev/null; then
        echo "this machine does not allow namespaces"
    elif [[ ! -w /sys/fs/cgroup ]]; then
        echo "/sys/fs/cgroup is read-only: the kubelet cannot make cgroups"
    elif ! grep -qs '^VERSION_ID="12"' /etc/os-release || [[ $(uname -m) != x86_64 ]]; then
        echo "the cluster's parts are built for Debian 12 on amd64"
    fi
}

build() {
    note "building forerun and the stories"
    cargo build --quiet "${locked[@]}" --manifest-path "$checkout/Cargo.toml" --package forerun
    cargo build --quiet "${locked[@]}" --manifest-path "$stories/Cargo.toml"
}

# Every image is forerun and the application, on top of one common layer, and the migrations of its version.
load_images() {
    local programs=$CARGO_TARGET_DIR/debug tag libraries
    # Of a debug build, so it needs the libraries of its image. Debug information makes most of the size.
    strip -o "$work/forerun" "$programs/forerun"
    "$cluster" image "$work/base.tar" docker.io/library/forerun:0.1.0 --libraries \
        --entrypoint '["/app/forerun"]' /app/forerun="$work/forerun" /app/my-app="$programs/story-app"
    # The guard takes forerun into images of others, so they have its libraries.
    mapfile -t libraries < <(ldd "$programs/forerun" | awk '/=> \// { print $3 "=" $3 }')
    django 1.0.0
    django broken /app/orders/migrations/0004_stock.py="$stories/images/django-broken/0004_stock.py"
    image v1 v1
    image v1.0.0 v1
    image v2 v1 v2
    image v3 v1 v2 v3
    image v3-broken v1 v2 v3-broken
    image slow v1 slow
    image very-slow v1 very-slow
    image changed changed v1
    image 1.0.0 ledger-1
    image 2.0.0 ledger-1 ledger-2
    image 2.0.1 ledger-1 ledger-2
    # For the chart of examples/helm-hook: the migrations in an image of their own.
    for tag in v2 v3 v3-broken; do
        "$cluster" image "$work/migrations-$tag.tar" "docker.io/library/my-app-migrations:$tag" --base "$work/$tag.tar" \
            --entrypoint '["/app/forerun"]'
    done
    "$cluster" image "$work/psql.tar" docker.io/library/psql:1 --base "$work/base.tar" --libraries /bin/psql="$psql" /bin/sh=/bin/dash
    "$cluster" load "$work"/*.tar >/dev/null
}

# image TAG DIRECTORY…: my-app with the migrations of the directories.
image() {
    local tag=$1
    shift
    "$cluster" image "$work/$tag.tar" "docker.io/library/my-app:$tag" --base "$work/base.tar" \
        --entrypoint '["/app/my-app"]' --env "APP_VERSION=$tag" "${@/#//migrations=$stories/images/}"
}

# django TAG [PATH=FILE…]: the image of examples/django/Dockerfile, from this machine's Python.
django() {
    local tag=$1
    shift
    "$cluster" image "$work/django-$tag.tar" "docker.io/library/django-shop:$tag" --base "$django_base" \
        --user 65532:65532 --directory /app --command '["gunicorn", "--bind", "0.0.0.0:8000", "--worker-tmp-dir", "/dev/shm", "website.wsgi"]' \
        --env PYTHONDONTWRITEBYTECODE=1 --env PYTHONUNBUFFERED=1 --env PYTHONPATH=/usr/local/lib/packages \
        "/app=$checkout/examples/django" "${libraries[@]}" "$@"
}

finish() {
    local status=$?
    rm -rf "$work"
    if [[ -n ${FORERUN_STORIES_KEEP:-} ]]; then
        note "the cluster is kept; end it with: FORERUN_CLUSTER_NAME=$cgroup scripts/cluster down"
    else
        "$cluster" down || status=1
    fi
    exit "$status"
}

main() {
    local reason psql django_base
    reason=$(obstacle)
    if [[ -n $reason ]]; then
        [[ -z ${CI:-} ]] || fail "test: $reason"
        echo "SKIPPED: the stories on a real cluster: $reason"
        return
    fi
    build
    if [[ ${1:-} == --list ]]; then
        exec "$CARGO_TARGET_DIR/debug/forerun-cluster-stories" --list
    fi
    "$cluster" build
    django_base=$(python3 "$parts/django_image.py" "$checkout/examples/django/requirements.txt" \
        "${XDG_CACHE_HOME:-$HOME/.cache}/forerun/python" "$cache/python-images") ||
        fail "the image of examples/django needs python3 with pip, and PyPI once"
    work=$(mktemp -d)
    trap finish EXIT
    "$cluster" up >"$work/environment"
    "$cluster" postgres >>"$work/environment"
    psql=$(printf '%s\n' /usr/lib/postgresql/*/bin/psql | sort -V | tail -n 1)
    [[ -x $psql ]] || fail "no psql in /usr/lib/postgresql (Debian: apt-get install postgresql-client)"
    note "loading images"
    load_images
    local line
    while read -r line; do
        export "${line?}"
    done <"$work/environment"
    "$cluster" run "$psql" --quiet "$FORERUN_CLUSTER_POSTGRES_URL" --command "CREATE ROLE app LOGIN PASSWORD 'app-password'" 2>/dev/null || true
    export FORERUN_STORIES_CHECKOUT=$checkout FORERUN_STORIES_WORK=$work FORERUN_STORIES_PSQL=$psql
    export FORERUN_STORIES_FORERUN=$CARGO_TARGET_DIR/debug/forerun
    note "stories"
    "$cluster" run "$CARGO_TARGET_DIR/debug/forerun-cluster-stories" "$@"
}

main "$@"

#!/usr/bin/env bash
# Fetches and builds what the cluster consists of, into the cache. Each part is skipped when it is there.
#
# Debian's packages are verified by apt against Debian's keys, Go modules by the go.sum files beside this
# one. Nothing is installed on the machine.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/settings.sh"

packages=(
    containerd runc containernetworking-plugins busybox-static iptables conntrack
    libip4tc2 libip6tc2 libxtables12 libnfnetlink0 libnetfilter-conntrack3 libmnl0 libnftnl11
    # bookworm's etcd (3.4) lacks the progress notifications the API server's watch cache relies on;
    # this one runs on bookworm's libc.
    etcd-server/trixie
)
# Only where the machine has no Go that is new enough.
go_needed=1.26
go_packages=(golang-1.26-go/sid golang-1.26-src/sid)

# fetch_packages DIRECTORY PACKAGE…: unpacks Debian packages below the directory, which appears only when complete.
# A package may say its release: NAME/trixie.
fetch_packages() {
    local target=$1 work
    shift
    work=$(mktemp -d "$cache/apt.XXXXXX")
    mkdir -p "$work"/{lists/partial,cache/archives/partial,empty,debs,root}
    local suite suites=(bookworm)
    for suite in trixie sid; do
        if [[ " $*" == *"/$suite"* ]]; then suites+=("$suite"); fi
    done
    for suite in "${suites[@]}"; do
        echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(debian_mirror) $suite main"
    done >"$work/sources.list"
    # A configuration of its own, so that the machine's sources and its list of installed packages stay as they are.
    cat >"$work/apt.conf" <<APT
Dir::Etc::SourceList "$work/sources.list";
Dir::Etc::SourceParts "$work/empty";
Dir::Etc::PreferencesParts "$work/empty";
Dir::State::Lists "$work/lists";
Dir::State::status "/var/lib/dpkg/status";
Dir::Cache "$work/cache";
APT::Sandbox::User "root";
APT::Default-Release "bookworm";
Acquire::Languages "none";
Acquire::Retries "3";
APT
    APT_CONFIG=$work/apt.conf apt-get -qq update
    (cd "$work/debs" && APT_CONFIG=$work/apt.conf apt-get -qq download "$@")
    local package program
    for package in "$work"/debs/*.deb; do
        dpkg-deb --extract "$package" "$work/root"
        basename "$package"
    done >"$work/root/packages.txt"
    # The links that Debian's alternatives system makes when it installs iptables.
    if [[ -x $work/root/usr/sbin/xtables-nft-multi ]]; then
        mkdir "$work/root/node-bin"
        for program in {ip,ip6}tables{,-save,-restore}; do
            ln -s ../usr/sbin/xtables-nft-multi "$work/root/node-bin/$program"
        done
    fi
    chmod 755 "$work/root"
    rm -rf "$target"
    mv "$work/root" "$target"
    rm -rf "$work"
}

# The mirror that the machine itself uses.
debian_mirror() {
    local mirror=${DEBIAN_MIRROR:-}
    if [[ -z $mirror ]]; then
        # shellcheck disable=SC2016 # apt's own variables
        mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Component: main' 2>/dev/null |
            grep -E '/debian/?$' | head -n 1 || true)
    fi
    printf '%s\n' "${mirror:-http://deb.debian.org/debian}"
}

find_go() {
    local candidate version
    for candidate in "$(command -v go || true)" /usr/local/go/bin/go "$cache/go-$go_needed/usr/lib/go-$go_needed/bin/go"; do
        [[ -x $candidate ]] || continue
        version=$(GOTOOLCHAIN=local "$candidate" env GOVERSION)
        version=${version#go}
        if [[ $(printf '%s\n%s\n' "$go_needed" "${version%% *}" | sort -V | head -n 1) == "$go_needed" ]]; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    return 1
}

# Sets $go.
prepare_go() {
    if go=$(find_go); then return; fi
    note "no Go $go_needed on this machine; fetching Debian's (1 min)"
    fetch_packages "$cache/go-$go_needed" "${go_packages[@]}"
    # Debian splits Go's tree in two and joins it by links that are absolute.
    ln -sfn "../../share/go-$go_needed/src" "$cache/go-$go_needed/usr/lib/go-$go_needed/src"
    go=$(find_go) || fail "Debian's Go does not run here"
}

# build_programs DIRECTORY MODULE-DIRECTORY LINKER-FLAGS PACKAGE…: builds the packages pinned by a module directory.
build_programs() {
    local target=$1 modules=$2 linker_flags=$3
    shift 3
    rm -rf "$target.partial"
    mkdir -p "$target.partial"
    # No symbols and no debug information: a third less work, and half the size. -mod=readonly: go.sum decides.
    (
        cd "$parts/$modules"
        export GOTOOLCHAIN=local GOWORK=off GOFLAGS=-mod=readonly CGO_ENABLED=0 GOCACHE=$cache/go-build
        nice "$go" build -trimpath -buildvcs=false -gcflags=all=-dwarf=false -ldflags "-s -w $linker_flags" \
            -o "$target.partial/" "$@" 2> >(grep -v '^go: downloading ' >&2)
    )
    rm -rf "$target"
    mv "$target.partial" "$target"
}

# helm_flags MODULE VERSION: the linker flags that make `helm version` say its version.
helm_flags() {
    printf -- '-X %s/internal/version.%s ' "$1" "version=$2" "$1" "metadata=" "$1" "gitTreeState=clean"
}

# module_version MODULE-DIRECTORY MODULE
module_version() {
    (cd "$parts/$1" && GOTOOLCHAIN=local GOWORK=off GOFLAGS=-mod=readonly "$go" list -m -f '{{.Version}}' "$2")
}

# A change of version must happen in both places.
check_pin() {
    grep -qE "^(require )?[[:space:]]*$2 $3( |\$)" "$parts/$1/go.mod" ||
        fail "tests/cluster/$1/go.mod does not require $2 $3, the version in tests/cluster/settings.sh"
}

main() {
    local program started=$SECONDS
    for program in apt-get dpkg-deb python3; do
        command -v "$program" >/dev/null || fail "$program is missing; the cluster is built on Debian 12 with python3"
    done
    check_pin kubernetes k8s.io/kubernetes "$kubernetes_version"
    check_pin helm helm.sh/helm/v3 "$helm_version"
    check_pin helm4 helm.sh/helm/v4 "$helm4_version"
    mkdir -p "$cache"
    exec 8>"$cache/build.lock"
    flock --nonblock 8 || { note "another build is running; waiting for it"; flock 8; }
    if [[ ${1:-} == go ]]; then
        prepare_go
        printf '%s\n' "$go"
        return
    fi

    if [[ ! -d $debian ]]; then
        note "fetching containerd, runc, CNI plugins, etcd, iptables and busybox from $(debian_mirror) (1 min)"
        fetch_packages "$debian" "${packages[@]}"
    fi
    if [[ ! -d $kubernetes_bin || ! -d $helm_bin || ! -d $helm4_bin ]]; then
        prepare_go
    fi
    if [[ ! -d $kubernetes_bin ]]; then
        note "building Kubernetes $kubernetes_version with $("$go" env GOVERSION) (5 to 6 min on two idle cores)"
        local flags='' package
        local minor=${kubernetes_version#v1.}
        for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
            flags+=" -X $package.gitVersion=$kubernetes_version -X $package.gitMajor=1 -X $package.gitMinor=${minor%%.*}"
            flags+=" -X $package.gitTreeState=clean"
        done
        build_programs "$kubernetes_bin" kubernetes "$flags" "${kubernetes_programs[@]/#/k8s.io/kubernetes/cmd/}"
    fi
    if [[ ! -d $helm_bin ]]; then
        note "building Helm $helm_version (2 min)"
        # The Kubernetes version a chart sees in `helm template`; Helm's own releases are stamped the same way.
        local client package_flags='' package
        client=$(module_version helm k8s.io/client-go)
        client=${client#v0.}
        for package in chartutil lint/rules; do
            package_flags+=" -X helm.sh/helm/v3/pkg/$package.k8sVersionMajor=1"
            package_flags+=" -X helm.sh/helm/v3/pkg/$package.k8sVersionMinor=${client%%.*}"
        done
        build_programs "$helm_bin" helm \
            "$(helm_flags helm.sh/helm/v3 "$helm_version") $package_flags" helm.sh/helm/v3/cmd/helm
    fi
    if [[ ! -d $helm4_bin ]]; then
        note "building Helm $helm4_version (1 min)"
        build_programs "$helm4_bin" helm4 "$(helm_flags helm.sh/helm/v4 "$helm4_version")" helm.sh/helm/v4/cmd/helm
    fi
    # Two gigabytes that only a second build of the very same versions could use.
    rm -rf "$cache/go-build"
    if [[ ! -f $images/complete || $parts/image.py -nt $images/complete || $parts/alpine-nc.sh -nt $images/complete ]]; then
        build_images
    fi
    note "everything is in $cache ($(du -sh "$cache" | cut -f1), $((SECONDS - started)) s)"
}

# The images every cluster starts with: the pod sandbox, and a stand-in for Alpine, made of busybox.
build_images() {
    local busybox=$debian/bin/busybox applet links=()
    for applet in $("$busybox" --list); do
        [[ $applet == busybox ]] || links+=("/bin/$applet->/bin/busybox")
    done
    rm -rf "$images"
    mkdir -p "$images"
    # shellcheck disable=SC2016 # expanded in the container
    python3 "$parts/image.py" "$images/pause.tar" localhost/pause:1 \
        --entrypoint '["/bin/busybox", "sh", "-c", "trap \"exit 0\" TERM INT; while :; do sleep 3600 & wait $!; done"]' \
        "/bin/busybox=$busybox" '/bin/sleep->/bin/busybox'
    # Its shell is dash: busybox's own prefers its applets to the programs in PATH, so also to our nc.
    python3 "$parts/image.py" "$images/alpine.tar" docker.io/library/alpine:3 docker.io/library/alpine:latest \
        --libraries --command '["/bin/sh"]' \
        /bin/sh=/bin/dash "/bin/nc=$parts/alpine-nc.sh" "/bin/busybox=$busybox" "${links[@]}"
    touch "$images/complete"
}

main "$@"

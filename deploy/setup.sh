#!/bin/sh
# Installs what is missing (system packages, node packages, the Node 24 runtime) and builds. Called
# by npm start and npm test; says nothing and takes a moment when there is nothing to do.
#   setup.sh          all that the lab and the tests need, too
#   setup.sh runtime  what an appliance needs: to run the daemons, and to build them
#   setup.sh bench    all, and the DHCP server that ours is measured against
# Exit codes: 0 ready, 1 something is missing (one line says what), 77 not allowed to.
set -eu
cd "$(dirname "$0")/.."

runtime='iproute2 libbpf1 libpcap0.8 redis-server'
build='clang llvm libbpf-dev linux-libc-dev g++ make python3 libpcap-dev'
lab='bird2 curl ethtool iperf3 iputils-ping knot-dnsutils nftables procps socat tcpdump
  traceroute udhcpc util-linux'
tests='bpftool mariadb-server openssl isc-dhcp-client isc-dhcp-relay dhcpcd-base kea-admin
  bind9 bind9-utils bind9-dnsutils knot nsd gdnsd unbound
  haproxy nginx-light nghttp2-client wrk chromium dnsperf debootstrap groff-base
  dpkg-dev binutils'
bench='kea-dhcp4-server postgresql'
# Of these packages, what would run from the next boot on.
services='redis-server bird mariadb isc-dhcp-relay kea-dhcp4-server postgresql
  named knot nsd gdnsd unbound haproxy nginx'

die() {
  code=$1
  shift
  echo "setup: $*" >&2
  exit "$code"
}

# Runs a command silently; when it fails, its output and then one line.
quietly() {
  what=$1
  shift
  if ! "$@" >"$log" 2>&1; then
    tail -n 25 "$log" >&2
    die 1 "$what failed"
  fi
}

missing_packages() {
  # shellcheck disable=SC2086 # a list of words
  present=$(dpkg-query -W -f ' ${db:Status-Status}:${Package} ' $wanted 2>/dev/null || true)
  for package in $wanted; do
    case $present in
    *" installed:$package "*) ;;
    *) printf '%s ' "$package" ;;
    esac
  done
}

apt() {
  # shellcheck disable=SC2086 # a list of words
  DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 \
    -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confold install --no-install-recommends $1
}

install_packages() {
  apt "$1" && return
  # Package lists that are absent or too old.
  apt-get -q -o DPkg::Lock::Timeout=300 update && apt "$1"
}

# A package that we add must not start a daemon, now or at the next boot: the lab has its own.
without_services() {
  policy=/usr/sbin/policy-rc.d
  if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod 755 $policy
    trap 'rm -f $policy "$log"' EXIT
  else
    policy=
  fi
  before=$(for service in $services; do [ ! -e "/etc/init.d/$service" ] || echo "$service"; done)
  quietly "apt-get install $1(see above)" install_packages "$1"
  for service in $services; do
    case " $(echo $before) " in *" $service "*) continue ;; esac
    [ -e "/etc/init.d/$service" ] || continue
    if command -v systemctl >/dev/null; then
      systemctl --quiet disable "$service" >/dev/null 2>&1 || true
    fi
    update-rc.d "$service" disable >/dev/null 2>&1 || true
  done
  [ -z "$policy" ] || rm -f "$policy"
}

# cap and raw-socket are C++, built for the Node that will run them and against the headers that
# come with it, by the node-gyp that comes with npm: not every npm would run their install scripts.
addons_load() {
  node -e "require('cap'); require('raw-socket')" >"$log" 2>&1
}

# NDEBUG: with its assertions, cap would end the process when a link goes down.
build_addon() (
  cd "node_modules/$1"
  CXXFLAGS="${CXXFLAGS-} -DNDEBUG" npm_config_nodedir=$headers node "$node_gyp" rebuild
)

build_addons() {
  for tool in "${CXX:-g++}" make python3; do
    command -v "$tool" >/dev/null || die 1 "$tool is missing: cap and raw-socket cannot be built"
  done
  headers=$(node -p 'path.resolve(process.execPath, "../..")')
  [ -e "$headers/include/node/node.h" ] ||
    die 1 "the headers of Node $(node --version) are missing: $headers/include/node"
  node_gyp=$(npm run --silent env 2>/dev/null | sed -n 's/^npm_config_node_gyp=//p')
  [ -e "$node_gyp" ] || die 1 "npm $(npm --version) has no node-gyp: cap and raw-socket need it"
  for addon in cap raw-socket; do
    echo "setup: build $addon" >&2
    quietly "building $addon" build_addon $addon
  done
  addons_load || {
    cat "$log" >&2
    die 1 "cap and raw-socket were built, but do not load under Node $(node --version)"
  }
}

scope=${1-all}
case $scope in
runtime) wanted="$runtime $build" npm_flags=--omit=dev ;;
all) wanted="$runtime $build $lab $tests" npm_flags= ;;
bench) wanted="$runtime $build $lab $tests $bench" npm_flags= ;;
*) die 1 "no such scope: $scope (runtime, all, bench)" ;;
esac
[ "$(id -u)" = 0 ] ||
  die 77 'root is needed (network namespaces, BPF, apt): run it as root or with sudo'
[ "$(uname -s)" = Linux ] || die 1 'Linux is needed'
node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null ||
  die 1 "Node 20 or newer is needed, here is $(node --version 2>/dev/null || echo none)"
log=$(mktemp)
trap 'rm -f "$log"' EXIT

if command -v dpkg-query >/dev/null && command -v apt-get >/dev/null; then
  packages=$(missing_packages)
  if [ -n "$packages" ]; then
    echo "setup: install $packages" >&2
    without_services "$packages"
  fi
else
  tools='ip tc redis-server clang'
  case $scope in
  all | bench) tools="$tools nft bird curl ethtool iperf3 ping traceroute" ;;
  esac
  for tool in $tools; do
    command -v $tool >/dev/null ||
      die 1 "$tool is missing, and this is no Debian: install it by hand"
  done
fi

# The pinned Node 24 is a package for each architecture (optionalDependencies), so nothing here
# needs an install script: not every npm would run one without being asked.
stamp=node_modules/.edge-lock
lock=$(sha256sum package-lock.json | cut -d ' ' -f 1)-$(uname -m)
have=$(cat $stamp 2>/dev/null || true)
# What has all has what runtime asks for.
if [ "$have" != "$lock" ] && [ "$have" != "$lock$npm_flags" ]; then
  echo 'setup: npm ci' >&2
  # shellcheck disable=SC2086 # no word, or one
  quietly 'npm ci' npm ci --ignore-scripts --no-audit --no-fund $npm_flags
  # npm 9 and 10 leave this link out.
  for own in node_modules/node-linux-*/bin/node; do
    [ ! -x "$own" ] || ln -sf "../${own#node_modules/}" node_modules/.bin/node
  done
  echo "$lock$npm_flags" >$stamp
fi
PATH=$PWD/node_modules/.bin:$PATH
node -e 'process.exit(parseInt(process.versions.node) < 24 ? 1 : 0)' ||
  die 1 "no Node 24 for $(uname -m) among the packages: put one on the PATH" \
    "(here: $(node --version))"
addons_load || build_addons

if ! grep -q ' /sys/fs/bpf bpf ' /proc/mounts; then
  mount -t bpf bpf /sys/fs/bpf 2>/dev/null ||
    die 77 'cannot mount bpf on /sys/fs/bpf: CAP_SYS_ADMIN and CONFIG_BPF_SYSCALL are needed'
fi
sh deploy/kernel.sh "$scope"
node deploy/build.ts

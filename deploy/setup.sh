#!/bin/sh
# Installs what is missing (system packages, node packages, the Node 24 runtime) and builds. Called
# by npm start and npm test; says nothing and takes a moment when there is nothing to do.
# Exit codes: 0 ready, 1 something is missing (one line says what), 77 not allowed to.
set -eu
cd "$(dirname "$0")/.."

runtime='iproute2 libbpf1 redis-server'
build='clang llvm libbpf-dev linux-libc-dev'
lab='bird2 curl ethtool iperf3 iputils-ping nftables procps socat tcpdump traceroute util-linux'
tests='bpftool mariadb-server'
# Of these packages, what would run from the next boot on.
services='redis-server bird mariadb'

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
  for package in $runtime $build $lab $tests; do
    case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) in
    installed) ;;
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
  for tool in ip tc nft redis-server clang bird curl ethtool iperf3 ping traceroute; do
    command -v $tool >/dev/null ||
      die 1 "$tool is missing, and this is no Debian: install it by hand"
  done
fi

# The pinned Node 24 is a package for each architecture (optionalDependencies), so nothing here
# needs an install script: not every npm would run one without being asked.
stamp=node_modules/.edge-lock
lock=$(sha256sum package-lock.json | cut -d ' ' -f 1)-$(uname -m)
if [ "$(cat $stamp 2>/dev/null)" != "$lock" ]; then
  echo 'setup: npm ci' >&2
  quietly 'npm ci' npm ci --ignore-scripts --no-audit --no-fund
  # npm 9 and 10 leave this link out.
  for own in node_modules/node-linux-*/bin/node; do
    [ ! -x "$own" ] || ln -sf "../${own#node_modules/}" node_modules/.bin/node
  done
  echo "$lock" >$stamp
fi
PATH=$PWD/node_modules/.bin:$PATH
node -e 'process.exit(parseInt(process.versions.node) < 24 ? 1 : 0)' ||
  die 1 "no Node 24 for $(uname -m) among the packages: put one on the PATH" \
    "(here: $(node --version))"

if ! grep -q ' /sys/fs/bpf bpf ' /proc/mounts; then
  mount -t bpf bpf /sys/fs/bpf 2>/dev/null ||
    die 77 'cannot mount bpf on /sys/fs/bpf: CAP_SYS_ADMIN and CONFIG_BPF_SYSCALL are needed'
fi
sh deploy/kernel.sh
node deploy/build.ts

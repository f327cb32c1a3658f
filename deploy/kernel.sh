#!/bin/sh
# Tries, in a network namespace of its own, what the data plane and the lab ask of the kernel.
# One line names everything that is missing; exit 1. Silent when all is there. With the argument
# runtime it leaves out nftables, which only the lab has.
set -eu

unshare -n true 2>/dev/null || {
  echo 'setup: cannot make a network namespace: CAP_SYS_ADMIN and CONFIG_NET_NS are needed' >&2
  exit 77
}

missing=$(unshare -n sh -c '
  scope=$1
  try() {
    option=$1
    shift
    "$@" >/dev/null 2>&1 || printf "%s " "$option"
  }
  try CONFIG_VETH ip link add name a0 type veth peer name b0
  ip link set a0 up && ip address add 10.0.0.1/24 dev a0 && ip link set b0 up
  try CONFIG_BRIDGE ip link add name br0 type bridge
  try CONFIG_NET_SCH_INGRESS tc qdisc add dev a0 clsact
  try CONFIG_NET_CLS_BPF tc filter add dev a0 ingress bpf da bytecode "1,6 0 0 0"
  try CONFIG_IP_ROUTE_MULTIPATH ip route add 10.1.0.0/24 nexthop via 10.0.0.2 nexthop via 10.0.0.3
  try CONFIG_IP_MULTIPLE_TABLES ip rule add fwmark 1 lookup 1
  [ "$scope" != runtime ] || exit 0
  try CONFIG_NF_TABLES nft add table ip t
  try CONFIG_NF_TABLES nft "add chain ip t c { type filter hook prerouting priority 0; }"
  try CONFIG_NFT_NUMGEN nft add rule ip t c meta mark set numgen random mod 2
' sh "${1-all}" 2>/dev/null)

[ -z "$missing" ] || {
  echo "setup: this kernel ($(uname -r)) lacks: $missing" >&2
  exit 1
}

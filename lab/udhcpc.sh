#!/bin/sh
# What udhcpc calls in a VM: sets address and route of its link, and touches nothing else (files
# are the host's).
case $1 in
deconfig)
  ip -4 address flush dev "$interface"
  ip link set dev "$interface" up
  ;;
bound | renew)
  ip address replace "$ip/$mask" dev "$interface"
  [ -z "$router" ] || ip route replace default via "${router%% *}" dev "$interface"
  echo "$1 $ip from $serverid for ${lease}s"
  ;;
nak) echo "nak: $message" ;;
esac

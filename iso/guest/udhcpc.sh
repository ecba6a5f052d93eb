#!/bin/busybox sh
# Sets what DHCP gives: address, route and name servers. Called by udhcpc with $1 = what happened.
# shellcheck disable=SC2154
case $1 in
deconfig)
	ip addr flush dev "$interface"
	;;
bound | renew)
	ip addr flush dev "$interface"
	ip addr add "$ip/${mask:-24}" dev "$interface"
	for gateway in $router; do
		ip route add default via "$gateway" dev "$interface" && break
	done
	# Written over: the container has this very file.
	for server in $dns; do
		echo "nameserver $server"
	done >/run/b2d/resolv.conf
	: >/run/b2d/online
	;;
esac

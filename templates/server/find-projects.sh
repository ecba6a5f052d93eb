#!/bin/sh
# Prints the folders below "$1" (default: the home folder) and the usual places that look like BOINC projects, one
# a line. Never fails: what cannot be read is not a project for this account.
look() {
	[ -d "$1" ] || return 0
	for directory in "$1" "$1"/* "$1"/*/*; do
		[ -f "$directory/config.xml" ] && [ -d "$directory/bin" ] && [ -d "$directory/html" ] || continue
		(cd "$directory" 2>/dev/null && pwd -P)
	done
}
{
	look "${1:-${HOME:-/}}"
	look "${1:-${HOME:-/}}/projects"
	if [ -z "${1:-}" ]; then
		look /home/boincadm/projects
		look /var/lib/boinc-server
		look /usr/local/boinc
	fi
} | sort -u
exit 0

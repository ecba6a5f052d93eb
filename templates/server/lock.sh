#!/bin/sh
# Usage: lock.sh PROJECT_ROOT OWNER MINUTES
# Takes the lock of the project; prints "locked", or "busy OWNER" when somebody else holds it. A lock older than MINUTES
# was left behind and is taken over.
umask 022
mkdir -p "$1/.boinc2docker" || exit 1
cd "$1/.boinc2docker" || exit 1
if [ -d lock ] && [ -n "$(find lock -prune -mmin "+$3" 2>/dev/null)" ]; then
	# Renaming decides between two who find it stale at once.
	mv lock "lock.stale.$$" 2>/dev/null && rm -rf "lock.stale.$$"
fi
if mkdir lock 2>/dev/null; then
	printf '%s\n' "$2" >lock/owner
	echo locked
elif [ -d lock ]; then
	printf 'busy %s\n' "$(cat lock/owner 2>/dev/null)"
else
	mkdir lock
	exit 1
fi

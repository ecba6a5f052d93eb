#!/bin/sh
# Usage: daemon-state.sh PROJECT_ROOT [PID_DIR]
# Prints "host NAME", "piddir PATH", "stopped" (if the project is stopped), and for each pid file
# "pid FILE NUMBER alive COMMAND LINE" or "pid FILE NUMBER dead". Changes nothing, unlike bin/status.
cd "$1" || exit 2
host=$(hostname 2>/dev/null || uname -n)
host=${host%%.*}
printf 'host %s\n' "$host"
directory=${2:-$1/pid_$host}
printf 'piddir %s\n' "$directory"
[ ! -e stop_daemons ] || echo stopped
for file in "$directory"/*.pid; do
	[ -f "$file" ] || continue
	pid=
	read -r pid rest <"$file"
	case $pid in
	'' | *[!0-9]*) continue ;;
	esac
	line=
	if [ -r "/proc/$pid/cmdline" ]; then
		line=$(tr '\000\n' '  ' <"/proc/$pid/cmdline")
	elif [ ! -d /proc/self ]; then
		line=$(ps -p "$pid" -o args= 2>/dev/null)
	fi
	if [ -n "$line" ]; then
		printf 'pid %s %s alive %s\n' "${file##*/}" "$pid" "$line"
	else
		printf 'pid %s %s dead\n' "${file##*/}" "$pid"
	fi
done
exit 0

#!/bin/sh
# Usage: checkup.sh PROJECT_ROOT DIRECTORY...
# Prints facts for the doctor: "time SECONDS", "disk FREE_KIB USED_PERCENT DIRECTORY", "unwritable DIRECTORY",
# "absent DIRECTORY", "trigger NAME old|new", "cron yes|no", "entry NAME" for what is in apps/. Changes nothing.
root=$1
shift
cd "$root" || exit 2
printf 'time %s\n' "$(date +%s)"
for directory; do
	if [ ! -d "$directory" ]; then
		printf 'absent %s\n' "$directory"
		continue
	fi
	[ -w "$directory" ] || printf 'unwritable %s\n' "$directory"
	df -Pk "$directory" 2>/dev/null | awk -v directory="$directory" 'NR == 2 { sub("%", "", $5); print "disk", $4, $5, directory }'
done
for trigger in reread_db stop_sched stop_daemons stop_upload; do
	[ -e "$trigger" ] || continue
	if [ -n "$(find "$trigger" -prune -mmin +1 2>/dev/null)" ]; then
		printf 'trigger %s old\n' "$trigger"
	else
		printf 'trigger %s new\n' "$trigger"
	fi
done
if crontab -l 2>/dev/null | grep -v '^[[:space:]]*#' | grep -e --cron | grep -F "$root" >/dev/null; then
	echo 'cron yes'
else
	echo 'cron no'
fi
for entry in apps/*; do
	[ ! -e "$entry" ] || printf 'entry %s\n' "${entry#apps/}"
done
exit 0

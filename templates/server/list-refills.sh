#!/bin/sh
# Usage: list-refills.sh PROJECT_ROOT
# What submit --on-server has left in a project. Prints
#   program running|idle young|old KILOBYTES NAME    a version of the program; young: it was placed or asked for within an hour
#   batch running|idle KILOBYTES NUMBER              the file of a batch; running: the program here makes its jobs
# and "end". Processes are told by their arguments, for a number alone may be another program's by now.
LC_ALL=C
export LC_ALL
cd "$1/.boinc2docker" 2>/dev/null || { echo end; exit 0; }
newline='
'
# The words of all processes, one a line.
if [ -r /proc/self/cmdline ]; then
	words=$(cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' '\n')
else
	words=$(COLUMNS=10000 ps -A -o args= | tr ' ' '\n')
fi

# Whether a process has words that end so, however the project was named when it began.
runs() {
	case "$words$newline" in *"$1$newline"*) echo running ;; *) echo idle ;; esac
}
size() {
	used=$(du -sk "$1" 2>/dev/null) && echo "${used%%[!0-9]*}" || echo 0
}

for folder in program/*/; do
	[ -d "$folder" ] || continue
	name=${folder#program/}
	name=${name%/}
	case $name in *[!0-9a-z]*) continue ;; esac
	[ -n "$(find "$folder" -prune -mmin -60 2>/dev/null)" ] && age=young || age=old
	echo "program $(runs "/.boinc2docker/program/$name/cli.js") $age $(size "$folder") $name"
done
for file in refill/*.jsonl; do
	[ -f "$file" ] || continue
	number=${file#refill/}
	number=${number%.jsonl}
	case $number in *[!0-9]*) continue ;; esac
	echo "batch $(runs "local:$1${newline}refill$newline$number") $(size "$file") $number"
done
echo end

#!/bin/sh
# Usage: publish-image.sh PROJECT_ROOT FILE < lines "packs/NAME OFFSET SIZE" or "images/NAME OFFSET SIZE"
# Stores the parts of FILE under these names in PROJECT_ROOT/.boinc2docker, each in one step, and removes FILE. Prints "done".
umask 022
cd "$1/.boinc2docker" && mkdir -p packs images || exit 1
while read -r target offset size; do
	tail -c "+$((offset + 1))" "$2" | head -c "$size" >"$target.$$"
	if [ "$(($(wc -c <"$target.$$")))" -ne "$size" ]; then
		rm -f "$target.$$"
		echo "$target cannot be written: No space left on device?" >&2
		exit 1
	fi
	mv -f "$target.$$" "$target" || exit 1
done
rm -f "$2"
# What was left by those that were cut off.
find . ! -name . -prune \( -name 'incoming-*' -o -name '.b2d-*.part' \) -mtime +1 -exec rm -f {} +
echo done

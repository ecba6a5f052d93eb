#!/bin/sh
# Usage: publish-image.sh PROJECT_ROOT FILE DOWNLOAD_DIR < lines "packs/NAME OFFSET SIZE" or "images/NAME OFFSET SIZE"
# Stores the parts of FILE under these names in PROJECT_ROOT/.boinc2docker, each in one step, and removes FILE. Prints "done".
# The packs of an image are touched, so they stay for a day (remove-packs.sh), and must be there.
umask 022
cd "$1/.boinc2docker" && mkdir -p packs images || exit 1

want() (
	sides=$(gzip -dc "$1" | sed -n -e '/^pack /!q' -e 's/^pack \([^ ]*\) .*/\1.md5/p')
	cd "$2" && printf '%s\n' "$sides" | xargs touch -c
	for side in $sides; do
		# Data that claims to be from the future.
		[ "${side%.md5}" -nt "$side" ] && touch -c -r "${side%.md5}" "$side"
		[ -f "$side" ] && continue
		echo "$PWD/${side%.md5} is not there any longer; send the image again" >&2
		exit 1
	done
)

while read -r target offset size; do
	tail -c "+$((offset + 1))" "$2" | head -c "$size" >"$target.$$"
	if [ "$(($(wc -c <"$target.$$")))" -ne "$size" ]; then
		rm -f "$target.$$"
		echo "$target cannot be written: No space left on device?" >&2
		exit 1
	fi
	case $target in images/*) want "$target.$$" "$3" || { rm -f "$target.$$"; exit 1; } ;; esac
	mv -f "$target.$$" "$target" || exit 1
done
rm -f "$2"
# What was left by those that were cut off.
find . ! -name . -prune \( -name 'incoming-*' -o -name '.b2d-*.part' \) -mtime +1 -exec rm -f {} +
echo done

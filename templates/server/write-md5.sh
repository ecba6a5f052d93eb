#!/bin/sh
# Usage: write-md5.sh DOWNLOAD_DIR < lines "PATH HASH SIZE"
# Writes PATH.md5 for each line, atomically and never older than PATH, then prints "done PATH". A file whose size is
# not SIZE gets none.
cd "$1" || exit 2
umask 022
while read -r path hash size; do
	bytes=$(wc -c <"$path") || exit 1
	if [ "$((bytes))" -ne "$size" ]; then
		echo "$path has another size than expected" >&2
		exit 1
	fi
	temporary="${path%/*}/.b2d.$$.md5"
	case $path in */*) ;; *) temporary=".b2d.$$.md5" ;; esac
	if printf '%s %s\n' "$hash" "$size" >"$temporary" && chmod 644 "$temporary"; then
		# Data that claims to be from the future would make its side file look stale.
		[ -z "$(find "$path" -newer "$temporary")" ] || touch -r "$path" "$temporary"
		# Data without a side file may be removed as unused until it has one (remove-packs.sh).
		mv -f "$temporary" "$path.md5" && [ -f "$path" ] && echo "done $path" && continue
	fi
	rm -f "$temporary"
	exit 1
done

#!/bin/sh
# Usage: read-manifests.sh PROJECT_ROOT < names of packs, one a line
# For each pack whose manifest is known: "manifest NAME SIZE", a line end, and so many bytes.
cd "$1/.boinc2docker/packs" 2>/dev/null || exit 0
while read -r name; do
	[ -f "$name" ] && size=$(wc -c <"$name") || continue
	printf 'manifest %s %s\n' "$name" "$((size))"
	cat "$name"
done

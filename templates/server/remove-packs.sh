#!/bin/sh
# Usage: remove-packs.sh PROJECT_ROOT DOWNLOAD_DIR < lines "NAME PATH", PATH relative to DOWNLOAD_DIR
# Removes packs and what is known of them and of images that have them; prints "removed NAME" for each.
cd "$1/.boinc2docker" || exit 1
while read -r name path; do
	# First what would lead somebody to the pack.
	for image in images/*; do
		case ${image#images/} in *[!0-9a-z]*) continue ;; esac
		if gzip -dc "$image" 2>/dev/null | grep -F "$name" >/dev/null; then
			rm -f "$image" "$image.checked"
		fi
	done
	rm -f "packs/$name" "$2/$path.md5" "$2/$path" && echo "removed $name"
done
exit 0

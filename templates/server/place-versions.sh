#!/bin/sh
# Usage: place-versions.sh APP_DIRECTORY INCOMING < lines
# Lines, in this order: "version NUMBER/PLATFORM" begins an app version, "file NAME MODE" takes a file from
# INCOMING/files into it, "xml NAME" takes its version.xml. Each version is put together inside INCOMING and then renamed to
# its place, so bin/update_versions never sees half of one. Prints "placed NUMBER/PLATFORM" for each.
umask 022
cd "$1" || exit 1
incoming=$2
current=

place() {
	[ -n "$current" ] || return 0
	if [ -e "$current" ]; then
		echo "$PWD/$current exists already" >&2
		exit 9
	fi
	mkdir -p "${current%/*}" && mv "$incoming/now" "$current" || exit 1
	printf 'placed %s\n' "$current"
}

while read -r kind name mode; do
	case $kind in
	version)
		place
		current=$name
		rm -rf "$incoming/now" && mkdir "$incoming/now" || exit 1
		;;
	file)
		# A link costs nothing; the mode is the same for all versions of a file.
		{ ln "$incoming/files/$name" "$incoming/now/$name" 2>/dev/null || cp -p "$incoming/files/$name" "$incoming/now/$name"; } &&
			chmod "$mode" "$incoming/now/$name" || exit 1
		;;
	xml) cp "$incoming/files/$name" "$incoming/now/version.xml" && chmod 644 "$incoming/now/version.xml" || exit 1 ;;
	esac
done
place
rm -rf "$incoming"

#!/bin/sh
# Usage: find-images.sh PROJECT_ROOT DOWNLOAD_DIR MD5 name NAME... | recent COUNT
# Prints the first of the named images that is known, or those that were used last, each as "record NAME SIZE", a line end, so
# many bytes, then "damaged PATH" for each of its packs that is not as it should be, and "end". Instead of a record with this MD5,
# which the caller has, it prints "same NAME 0".
# A record is gzip'd and begins with lines "pack PATH SIZE MD5"; PATH is relative to DOWNLOAD_DIR.
LC_ALL=C
export LC_ALL
cd "$1/.boinc2docker/images" 2>/dev/null || exit 0
download=$2 had=$3 how=$4
shift 4

# The time of a side file tells who removes unused packs that this one is wanted (remove-packs.sh); so this comes before looking
# whether it is there. A side file that is not valid must not become so by its time.
want() (
	cd "$download" || exit
	sides=$(while read -r kind path rest; do
		[ "$kind" = pack ] || break
		[ "$path" -nt "$path.md5" ] || printf '%s.md5\n' "$path"
	done)
	printf '%s\n' "$sides" | xargs touch -c
	for side in $sides; do
		# Data that claims to be from the future.
		[ "${side%.md5}" -nt "$side" ] && touch -c -r "${side%.md5}" "$side"
	done
)

by_side_files() {
	while read -r kind path size md5 rest; do
		[ "$kind" = pack ] || break
		file=$download/$path hash='' bytes=-1
		[ -f "$file" ] && [ -f "$file.md5" ] && ! [ "$file" -nt "$file.md5" ] && read -r hash rest <"$file.md5"
		[ "$hash" = "$md5" ] && bytes=$(wc -c <"$file")
		[ "$((bytes))" -eq "$size" ] || echo "damaged $path"
	done
}

# Reads everything, so it is done once a week for each pack, whatever images have it.
by_contents() {
	while read -r kind path size md5 rest; do
		[ "$kind" = pack ] || break
		name=${path##*/}
		case $checked in *"/$name"*) continue ;; esac
		[ -z "$(find "../checked/$name" -prune -mtime -7 2>/dev/null)" ] || continue
		hash=$(md5sum <"$download/$path")
		if [ "${hash%% *}" = "$md5" ]; then
			: >"../checked/$name"
		else
			echo "damaged $path"
		fi
	done
}
mkdir -p ../checked 2>/dev/null
checked=$(find ../checked -name 'b2d_pack_*' -mtime -7 2>/dev/null)

record() {
	bytes=$(wc -c <"$1") || return
	case $(md5sum <"$1") in
	"$had "*) printf 'same %s 0\n' "$1" ;;
	*)
		printf 'record %s %s\n' "$1" "$((bytes))"
		cat "$1"
		;;
	esac
	gzip -dc "$1" | want
	damaged=$(gzip -dc "$1" | by_side_files)
	if [ -z "$damaged" ] && command -v md5sum >/dev/null; then
		damaged=$(gzip -dc "$1" | by_contents)
	fi
	[ -z "$damaged" ] || printf '%s\n' "$damaged"
	echo end
}

if [ "$how" = name ]; then
	for name; do
		[ -f "$name" ] || continue
		touch "$name"
		record "$name"
		break
	done
else
	ls -t | grep -E '^[0-9a-f]{64}$' | head -n "$1" | while read -r name; do
		record "$name"
	done
fi 2>/dev/null
exit 0

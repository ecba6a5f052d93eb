#!/bin/sh
# Usage: find-images.sh PROJECT_ROOT DOWNLOAD_DIR COUNT < lines "had MD5" and "name NAME"
# Prints what is known of the named image, or "unknown" at once. If it is not known, or its packs are not as they should be, what is
# known of the COUNT images follows that were used last. Each is "record NAME SIZE", a line end and so many bytes, or "same NAME 0 MD5"
# if the caller has a record with this MD5. Behind them comes "damaged PATH" for each of their packs that is not as it should be,
# and "end" at last.
# A record is gzip'd and begins with lines "pack PATH SIZE MD5"; PATH is relative to DOWNLOAD_DIR.
# Starts as few processes as it can: people wait for this, and on a busy server each costs as much as all that the shell does itself.
LC_ALL=C
export LC_ALL
cd "$1/.boinc2docker/images" 2>/dev/null || exit 0
images=$PWD download=$2 count=$3
newline='
'

# Each function that is given lines gets them as words.
set -f
IFS=$newline

# The time of a side file tells who removes unused packs that this one is wanted (remove-packs.sh); so this comes before looking
# whether it is there. A side file that is not valid must not become so by its time.
want() {
	sides=$touched
	for line; do
		path=${line#* }
		path=${path%% *}
		[ "$path" -nt "$path.md5" ] || sides=$sides$newline$path.md5
	done
	touch -c -- $sides
	for side in $sides; do
		# Data that claims to be from the future.
		[ "${side%.md5}" -nt "$side" ] && touch -c -r "${side%.md5}" "$side"
	done
}

by_side_files() {
	sound=
	for line; do
		rest=${line#* }
		path=${rest%% *}
		hash=''
		[ -f "$path" ] && [ -f "$path.md5" ] && ! [ "$path" -nt "$path.md5" ] && IFS=' ' read -r hash rest <"$path.md5"
		if [ "$hash" = "${line##* }" ]; then
			sound=$sound$newline$path
		else
			echo "damaged $path"
		fi
	done
	[ -n "$sound" ] || return 0
	# One program looks at the sizes of all, and names them in order.
	sizes=$newline$(wc -c -- $sound)$newline
	for line; do
		rest=${line#* }
		path=${rest%% *} rest=${rest#* }
		case $sound$newline in *"$newline$path$newline"*) ;; *) continue ;; esac
		size=${sizes%%" $path$newline"*}
		size=${size##*[!0-9]}
		[ "$size" = "${rest%% *}" ] || echo "damaged $path"
	done
}

# Reads everything, so it is done once a week for each pack, whatever images have it.
by_contents() {
	command -v md5sum >/dev/null || return 0
	[ -d "$images/../checked" ] || mkdir "$images/../checked" 2>/dev/null
	checked=$(find "$images/../checked" -name 'b2d_pack_*' -mtime -7 2>/dev/null)
	for line; do
		rest=${line#* }
		path=${rest%% *}
		mark=$images/../checked/${path##*/}
		case $checked in *"/${path##*/}"*) continue ;; esac
		[ -z "$(find "$mark" -prune -mtime -7 2>/dev/null)" ] || continue
		hash=$(md5sum <"$path")
		if [ "${hash%% *}" = "${line##* }" ]; then
			: >"$mark"
		else
			echo "damaged $path"
		fi
	done
}

# Prints the records with these names; sets `good`.
show() {
	good=no
	[ "$#" -gt 0 ] || return 0
	sums=$newline$(md5sum -- "$@")
	for name; do
		sum=${sums%%"  $name"*}
		sum=${sum##*"$newline"}
		case $had in
		*" ${sum:-none} "*) printf 'same %s 0 %s\n' "$name" "$sum" ;;
		*)
			bytes=$(wc -c <"$name") || continue
			printf 'record %s %s\n' "$name" "$((bytes))"
			cat "$name"
			;;
		esac
	done
	packs=
	for line in $(gzip -dc -- "$@" | sort -u); do
		case $line in "pack "*) packs=$packs$newline$line ;; esac
	done
	[ -n "$packs" ] || return 0
	cd "$download" || return 0
	want $packs
	good=yes
	for look in by_side_files by_contents; do
		damaged=$($look $packs)
		[ -n "$damaged" ] || continue
		good=no
		printf '%s\n' "$damaged"
	done
	cd "$images"
}

{
	had=' ' named= touched=
	while IFS=' ' read -r word value; do
		case $word in
		had) had="$had$value " ;;
		name) [ ! -f "$value" ] || named=$value ;;
		esac
	done
	good=no
	if [ -n "$named" ]; then
		touched=$images/$named
		show "$named"
		touched=
	else
		echo unknown
	fi
	if [ "$good" = no ] && [ "$count" -gt 0 ]; then
		recent=
		for name in $(ls -t); do
			case $name in *[!0-9a-f]*) continue ;; esac
			[ "${#name}" -eq 64 ] || continue
			recent=$recent$newline$name
			count=$((count - 1))
			[ "$count" -gt 0 ] || break
		done
		show $recent
	fi
	echo end
} 2>/dev/null
exit 0

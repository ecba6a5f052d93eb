#!/bin/sh
# Usage: publish-image.sh PROJECT_ROOT DOWNLOAD_DIR INCOMING < tar archive
# Records an image, and takes in packs that travel along. INCOMING is a name that nobody else uses. The archive has "images/NAME", what is
# known of the image, "manifests/NAME" for packs that are new, "packs/NAME" for those that travel along, and "index" with lines
#   pack SHA256 NAME PATH MD5 SIZE     packs/NAME is for DOWNLOAD_DIR/PATH
#   manifest SHA256 NAME
#   record SHA256 NAME                 one of the names in "images", which are all links to one file
#   need PATH                          a pack of the image
#   checked NAME                       a pack whose content was compared with its hash just now
# Nothing is in its place before all have the right hashes. Prints "done", or "different". The packs of an image are touched, so they
# stay for a day (remove-packs.sh), and must be there.
# Starts as few processes as it can: people wait for this, and on a busy server each costs as much as all that the shell does itself.
umask 022
LC_ALL=C
export LC_ALL
cd "$1" || exit 1
for folder in .boinc2docker .boinc2docker/packs .boinc2docker/images .boinc2docker/checked; do
	[ -d "$folder" ] || mkdir -p "$folder" || exit 1
done
cd .boinc2docker && mkdir "$3" || exit 1
download=$2 incoming=$PWD/$3
set --
trap 'rm -rf "$incoming" "$@"' EXIT
trap 'exit 1' HUP INT TERM PIPE
cd "$incoming" && tar -xomf - || exit 1

# What a new file inherits comes from its folder, so packs are written where they are to be.
part_of() {
	part=$download/$1
	part=${part%/*}/.b2d-$$-${1##*/}.part
}
expected=
while read -r kind hash name target rest; do
	case $kind in
	pack)
		part_of "$target"
		if [ -d "$download/$target" ]; then
			echo "$download/$target is a directory" >&2
			exit 1
		fi
		[ -d "${part%/*}" ] || mkdir "${part%/*}" 2>/dev/null || [ -d "${part%/*}" ] || mkdir "${part%/*}" || exit 1
		set -- "$@" "$part"
		# It costs little to have it on the disk for certain.
		dd if="packs/$name" of="$part" bs=1048576 conv=fsync 2>/dev/null || cp "packs/$name" "$part" || exit 1
		;;
	manifest) set -- "$@" "manifests/$name" ;;
	record) set -- "$@" "images/$name" ;;
	*) continue ;;
	esac
	expected="$expected $hash"
done <index
if command -v sha256sum >/dev/null; then
	hashes=$(sha256sum -- "$@")
elif command -v shasum >/dev/null; then
	hashes=$(shasum -a 256 -- "$@")
else
	hashes=$(openssl dgst -sha256 -r "$@")
fi
found=
while read -r hash rest; do
	found="$found $hash"
done <<END
$hashes
END
if [ "$found" != "$expected" ]; then
	echo different
	exit 0
fi

while read -r kind hash name target md5 size; do
	case $kind in
	pack)
		part_of "$target"
		mv -f "$part" "$download/$target" || exit 1
		# As write-md5.sh does it: never older than the data.
		set -- "$@" "$part.md5"
		echo "$md5 $size" >"$part.md5" || exit 1
		[ ! "$download/$target" -nt "$part.md5" ] || touch -r "$download/$target" "$part.md5"
		# Data without a side file may be removed as unused until it has one (remove-packs.sh).
		mv -f "$part.md5" "$download/$target.md5" && [ -f "$download/$target" ] || exit 1
		;;
	checked) : >"../checked/$hash" ;;
	esac
done <index
if [ -d manifests ]; then
	mv -f manifests/* ../packs/ || exit 1
fi

sides=$(while read -r kind path rest; do
	[ "$kind" != need ] || printf '%s.md5\n' "$path"
done <index)
(
	cd "$download" || exit
	touch -c -- $sides
	for side in $sides; do
		# Data that claims to be from the future.
		[ "${side%.md5}" -nt "$side" ] && touch -c -r "${side%.md5}" "$side"
		[ -f "$side" ] && continue
		echo "$PWD/${side%.md5} is not there any longer; send the image again" >&2
		exit 1
	done
) || exit 1

mv -f images/* ../images/ || exit 1
# What was left by those that were cut off.
for left in ../incoming-* ../.b2d-*.part; do
	[ "${left##*/}" = "${incoming##*/}" ] || [ ! -e "$left" ] || find "$left" -prune -mtime +1 -exec rm -rf {} +
done
echo done

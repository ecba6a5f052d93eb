#!/bin/sh
# Usage: probe-staged.sh DOWNLOAD_DIR < paths relative to it, one a line
# One line for each path, in order:
#   absent | other | file SIZE | md5 SIZE HASH LENGTH
# "md5": the side file exists and is not older than the data. Last line: "space KIB", the free space.
cd "$1" || exit 2

# The time of a pack's side file tells who removes unused packs that this one is wanted (remove-packs.sh). A side file that is
# not valid must not become so by its time.
valid() {
	[ -f "$1.md5" ] && [ -r "$1.md5" ] && [ -z "$(find "$1" -newer "$1.md5" 2>/dev/null)" ] || return 1
	case ${1##*/} in
	b2d_pack_*)
		touch -c "$1.md5" 2>/dev/null
		# Data that claims to be from the future.
		[ -z "$(find "$1" -newer "$1.md5" 2>/dev/null)" ] || touch -c -r "$1" "$1.md5"
		;;
	esac
	[ -f "$1.md5" ]
}

while IFS= read -r path; do
	if [ ! -e "$path" ]; then
		echo absent
	elif [ ! -f "$path" ] || [ ! -r "$path" ]; then
		echo other
	elif ! size=$(wc -c 2>/dev/null <"$path"); then
		echo absent
	elif valid "$path"; then
		hash='' length=''
		read -r hash length rest <"$path.md5"
		echo "md5 $((size)) ${hash:--} ${length:--}"
	else
		echo "file $((size))"
	fi
done
df -Pk . | awk 'NR == 2 { print "space", $4 }'

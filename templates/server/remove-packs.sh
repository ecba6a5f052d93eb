#!/bin/sh
# Usage: remove-packs.sh PROJECT_ROOT DOWNLOAD_DIR < paths of packs relative to DOWNLOAD_DIR, one a line
# Removes packs, and before them the records of images that have them. Prints "removed NAME" or "kept NAME" for each; lines
# that are not paths of packs are passed over.
#
# Kept is what came or was asked for within a day: a submission may be under way, and its jobs do not exist yet. Who submits
# (find-images.sh, probe-staged.sh, publish-image.py) touches the side file first and then looks whether it is there; here it is
# taken away first, and then its time is looked at. So one of the two always sees the other.
LC_ALL=C
export LC_ALL
cd "$1" && [ -d "$2" ] || exit 2
store=.boinc2docker

young() {
	[ -n "$(find -L "$1" -prune -mtime -1 2>/dev/null)" ]
}

# Lines "PACK young|old IMAGE".
mentions=$(
	cd "$store/images" 2>/dev/null || exit 0
	for image in *; do
		case $image in *[!0-9a-z]*) continue ;; esac
		young "$image" && when=young || when=old
		gzip -dc "$image" 2>/dev/null |
			sed -n -e '/^pack /!q' -e "s|^pack \([^ ]*/\)\{0,1\}\(b2d_pack_[0-9a-f]*\.tar\.gz\) .*|\2 $when $image|p"
	done
)

wanted() {
	case $images in *" young "*) return 0 ;; esac
	young "$data" || young "$data.gone" || young "$side" || young "$side.gone"
}

# hide FILE, show FILE
hide() {
	[ ! -e "$1" ] || mv -f "$1" "$1.gone"
}
show() {
	[ ! -e "$1.gone" ] || mv -f "$1.gone" "$1"
}

grep -E '^([0-9a-f]{1,8}/)?b2d_pack_[0-9a-f]{32}\.tar\.gz$' | while read -r path; do
	name=${path##*/}
	data=$2/$path
	side=$data.md5
	[ ! -d "$data" ] || continue
	images=$(printf '%s\n' "$mentions" | grep -F "$name ")
	if wanted; then
		echo "kept $name"
		continue
	fi
	hide "$side" || continue
	if wanted; then
		show "$side"
		echo "kept $name"
		continue
	fi
	# Data without a side file is completed by the next submission; that one looks for the data after it wrote the side file.
	hide "$data" || { show "$side"; continue; }
	if [ -e "$side" ]; then
		show "$data"
		rm -f "$side.gone"
		echo "kept $name"
		continue
	fi
	[ -z "$images" ] || printf '%s\n' "$images" | while read -r name when image; do
		rm -f "$store/images/$image"
	done
	rm -f "$store/packs/$name" "$store/checked/$name" "$side.gone" "$data.gone" && echo "removed $name"
done
exit 0

#!/bin/sh
# Usage: list-packs.sh PROJECT_ROOT DOWNLOAD_DIR
# Prints "now TIME" (seconds since 1970), then
#   file TIME SIZE PATH        a pack, its side file (.md5), or what a removal that was cut off left of either (.gone); PATH is
#                              relative to DOWNLOAD_DIR
#   manifest TIME SIZE NAME    a pack whose manifest is known
#   image TIME SIZE NAME       a known image; TIME is when it was sent or asked for
#   has IMAGE NAME             a pack of it
# and "end".
LC_ALL=C
export LC_ALL
pack='b2d_pack_[0-9a-f]{32}\.tar\.gz'
if stat -c %Y / >/dev/null 2>&1; then
	facts() { xargs stat -L -c "$1 %Y %s %n"; }
else
	facts() { xargs stat -L -f "$1 %m %z %N"; }
fi

echo "now $(date +%s)"
cd "$2" || exit 2
printf '%s\n' b2d_pack_* */b2d_pack_* | grep -E "^([0-9a-f]{1,8}/)?$pack(\.md5)?(\.gone)?\$" | facts file 2>/dev/null
if cd "$1/.boinc2docker/packs" 2>/dev/null; then
	printf '%s\n' b2d_pack_* | grep -E "^$pack\$" | facts manifest 2>/dev/null
fi
if cd "$1/.boinc2docker/images" 2>/dev/null; then
	printf '%s\n' * | grep -E '^[0-9a-z]+$' | facts image 2>/dev/null
	for image in *; do
		case $image in *[!0-9a-z]*) continue ;; esac
		gzip -dc "$image" 2>/dev/null |
			sed -n -e '/^pack /!q' -e "s|^pack \([^ ]*/\)\{0,1\}\(b2d_pack_[0-9a-f]*\.tar\.gz\) .*|has $image \2|p"
	done
fi
echo end

#!/bin/sh
# Usage: list-packs.sh PROJECT_ROOT
# Prints "pack NAME SECONDS" for each known pack, how long ago it came, and "used NAME SECONDS" for each pack of each known
# image, how long ago that image was sent or asked for.
cd "$1/.boinc2docker" 2>/dev/null || exit 0
now=$(date +%s)
age() {
	changed=$(stat -c %Y "$1" 2>/dev/null || stat -f %m "$1" 2>/dev/null) || changed=$now
	echo $((now > changed ? now - changed : 0))
}
for image in images/*; do
	case ${image#images/} in *[!0-9a-z]*) continue ;; esac
	used=$(age "$image")
	gzip -dc "$image" 2>/dev/null | while read -r kind path rest; do
		[ "$kind" = pack ] || break
		echo "used ${path##*/} $used"
	done
done
for manifest in packs/b2d_pack_*.tar.gz; do
	[ ! -f "$manifest" ] || echo "pack ${manifest#packs/} $(age "$manifest")"
done
exit 0

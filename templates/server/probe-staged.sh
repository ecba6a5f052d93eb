#!/bin/sh
# Usage: probe-staged.sh DOWNLOAD_DIR < paths relative to it, one a line
# One line for each path, in order:
#   absent | other | file SIZE | md5 SIZE HASH LENGTH
# "md5": the side file exists and is not older than the data. Last line: "space KIB", the free space.
cd "$1" || exit 2
while IFS= read -r path; do
	if [ ! -e "$path" ]; then
		echo absent
	elif [ ! -f "$path" ] || [ ! -r "$path" ]; then
		echo other
	else
		size=$(($(wc -c <"$path")))
		if [ -f "$path.md5" ] && [ -r "$path.md5" ] && [ -z "$(find "$path" -newer "$path.md5" 2>/dev/null)" ]; then
			read -r hash length rest <"$path.md5"
			echo "md5 $size ${hash:--} ${length:--}"
		else
			echo "file $size"
		fi
	fi
done
df -Pk . | awk 'NR == 2 { print "space", $4 }'

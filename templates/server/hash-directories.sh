#!/bin/sh
# Usage: hash-directories.sh DOWNLOAD_DIR DIRECTORY...
# Makes the hash directories that are absent, searchable for the web server. A setgid bit of the parent is inherited.
cd "$1" || exit 2
shift
umask 022
for directory; do
	[ -d "$directory" ] || mkdir "$directory" 2>/dev/null || [ -d "$directory" ] || {
		mkdir "$directory"
		exit 1
	}
done

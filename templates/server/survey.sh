#!/bin/sh
# Usage: survey.sh PROJECT_ROOT KEY_DIR DOWNLOAD_DIR < names, one a line
# Prints what an installation must know: "key present|absent|unreadable", "entry NAME" for what is in apps/,
# "version APP/NUMBER/PLATFORM" for what bin/update_versions would look at, "download NAME" for each given name that is
# a file at the top level of the download directory, "unwritable PATH" for what this account may not change.
cd "$1" || exit 2
if [ ! -e "$2/code_sign_private" ]; then
	echo 'key absent'
elif [ -r "$2/code_sign_private" ]; then
	echo 'key present'
else
	echo 'key unreadable'
fi
for entry in apps/*; do
	[ -e "$entry" ] || continue
	printf 'entry %s\n' "${entry#apps/}"
done
for version in apps/*/*/*/; do
	[ -d "$version" ] || continue
	version=${version#apps/}
	printf 'version %s\n' "${version%/}"
done
while IFS= read -r name; do
	[ ! -f "$3/$name" ] || printf 'download %s\n' "$name"
done
for path in . bin apps "$3"; do
	[ -w "$path" ] || printf 'unwritable %s\n' "$path"
done
exit 0

#!/bin/sh
# Usage: replace-file.sh apply FILE BACKUP MODE < new content
#        replace-file.sh revert FILE BACKUP MODE
# "apply" keeps what FILE holds as BACKUP.before and the new content as BACKUP.after, then puts the new content in place
# with one rename; owner, group and mode stay. "revert" goes back. Exit codes: 9 FILE is not what it should be (somebody
# changed it meanwhile), 8 owner or group cannot be kept.
# For "apply", BACKUP.expected must hold what FILE is expected to be; no such file means that FILE must not exist.
umask 077
action=$1 file=$2 backup=$3 mode=$4
if [ -h "$file" ]; then
	file=$(readlink -f "$file") || exit 9
fi
temporary="${file%/*}/.b2d-${file##*/}.$$"
trap 'rm -f "$temporary"' EXIT

identity() {
	ls -ldn "$1" | awk '{ print substr($1, 1, 10), $3, $4 }'
}

# Puts the content of $1 in place of $file, which has owner and mode of $2 (or MODE if that does not exist).
put() {
	if [ -e "$2" ]; then
		cp -p "$2" "$temporary" && cat "$1" >"$temporary" || exit 1
		[ "$(identity "$temporary")" = "$(identity "$2")" ] || exit 8
	else
		cat "$1" >"$temporary" && chmod "$mode" "$temporary" || exit 1
	fi
	cmp -s "$1" "$temporary" || exit 1
	mv -f "$temporary" "$file"
}

case $action in
apply)
	cat >"$backup.after" || exit 1
	if [ -e "$backup.expected" ]; then
		cmp -s "$file" "$backup.expected" || exit 9
		cp -p "$file" "$backup.before" || exit 1
	elif [ -e "$file" ]; then
		exit 9
	fi
	case $file in */*) mkdir -p "${file%/*}" ;; esac
	put "$backup.after" "$file"
	;;
revert)
	if [ -e "$file" ]; then
		if [ -e "$backup.before" ] && cmp -s "$file" "$backup.before"; then
			exit 0
		fi
		cmp -s "$file" "$backup.after" || exit 9
	fi
	if [ -e "$backup.before" ]; then
		put "$backup.before" "$backup.before"
	else
		rm -f "$file"
	fi
	;;
*) exit 2 ;;
esac

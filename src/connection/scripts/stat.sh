# Arguments: follow|show (links), path. Says `absent`, or mode in hex, size, seconds since the epoch.
path=$2
case $path in -*) path=./$path ;; esac
option=
[ "$1" = show ] || option=-L
if ! [ -e "$path" ] && { [ "$1" = follow ] || ! [ -L "$path" ]; }; then
	# A folder on the way that may not be entered is no proof of absence.
	said=$(ls -d "$path/" 2>&1 >/dev/null)
	case $said in *"Permission denied"*)
		printf '%s\n' "$said" >&2
		exit 1
		;;
	esac
	echo absent
	exit 0
fi
if stat -c '%f %s %Y' / >/dev/null 2>&1; then
	exec stat $option -c '%f %s %Y' "$path"
fi
# BSD and macOS: the mode is octal there.
set -- $(stat $option -f '%p %z %m' "$path") || exit 1
printf '%x %s %s\n' "0$1" "$2" "$3"

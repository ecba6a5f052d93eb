# Argument: folder. For each entry: what it is; NUL; its name; NUL. What it is: mode in hex, size, seconds since the epoch;
# or letter of the type, mode in octal, size, seconds.
[ -e "$1" ] || {
	echo "$1: No such file or directory" >&2
	exit 1
}
CDPATH= cd -- "$1" || {
	echo "$1: Permission denied" >&2
	exit 1
}
[ -r . ] || {
	echo "$1: Permission denied" >&2
	exit 1
}
if find . -prune -printf '' >/dev/null 2>&1; then
	exec find . ! -name . -prune -printf '%y %m %s %T@\0%f\0'
fi
for name in * .[!.]* ..?*; do
	case $name in -*) path=./$name ;; *) path=$name ;; esac
	if [ -e "$path" ] || [ -L "$path" ]; then
		stat -c '%f %s %Y' "$path" 2>/dev/null || {
			set -- $(stat -f '%p %z %m' "$path") && printf '%x %s %s\n' "0$1" "$2" "$3"
		}
		printf '\0%s\0' "$name"
	fi
done

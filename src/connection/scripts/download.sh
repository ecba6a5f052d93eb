# Sends a file. Arguments: path, how many bytes the other side has already.
# Standard output: a line that says what is there, then the rest of the file. Standard error: a line with the SHA-256 if
# the other side has a part; what travels is protected by the connection itself, but that part may be of another file.
path=$1 have=$2
LC_ALL=C
export LC_ALL

# Says the SHA-256 on standard error. Without a program for it, nothing is said.
digest() {
	if [ "$size" -gt 1000000 ] && command -v openssl >/dev/null; then
		digest=$(openssl dgst -sha256 -r <"$path" 2>/dev/null)
	elif command -v sha256sum >/dev/null; then
		digest=$(sha256sum <"$path")
	elif command -v shasum >/dev/null; then
		digest=$(shasum -a 256 <"$path")
	elif command -v sha256 >/dev/null; then
		digest=$(sha256 -q <"$path")
	else
		digest=$(openssl dgst -sha256 -r <"$path")
	fi
	printf 'sha256 %s\n' "${digest%% *}" >&2
}

if [ -d "$path" ]; then
	echo is-folder
	exit 0
fi
if ! [ -r "$path" ]; then
	if [ -e "$path" ]; then echo "failed Permission denied"; else echo "failed No such file or directory"; fi
	exit 0
fi
size=$(($(wc -c <"$path")))
[ "$have" -le "$size" ] || have=0
printf 'file %s %s\n' "$size" "$have"
if [ "$have" -eq 0 ]; then
	exec cat <"$path"
fi
digest &
tail -c +$((have + 1)) <"$path"
code=$?
wait
exit "$code"

# Sends a file. Arguments: path, how many bytes the other side has already.
# Standard output: a line that says what is there, then the rest of the file. Standard error: a line with the SHA-256.
path=$1 have=$2
LC_ALL=C
export LC_ALL

digest() {
	{
		if command -v openssl >/dev/null 2>&1 && [ "$size" -gt 1000000 ]; then
			openssl dgst -sha256 -r <"$path"
		elif command -v sha256sum >/dev/null 2>&1; then
			sha256sum <"$path"
		elif command -v shasum >/dev/null 2>&1; then
			shasum -a 256 <"$path"
		elif command -v sha256 >/dev/null 2>&1; then
			sha256 -q <"$path"
		else
			openssl dgst -sha256 -r <"$path"
		fi
	} 2>/dev/null | tr -d '\\' | cut -c1-64
}

if [ -d "$path" ]; then
	echo is-folder
	exit 0
fi
error=$( (: <"$path") 2>&1) || {
	printf 'failed %s\n' "$(printf %s "$error" | tr '\n' ' ')"
	exit 0
}
size=$(wc -c <"$path" | tr -d ' ')
[ "$have" -le "$size" ] || have=0
printf 'file %s %s\n' "$size" "$have"
{ printf 'sha256 %s\n' "$(digest)" >&2; } &
if [ "$have" -eq 0 ]; then
	cat <"$path"
else
	tail -c +$((have + 1)) <"$path"
fi
code=$?
wait
exit "$code"

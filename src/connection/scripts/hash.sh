# Arguments: md5|sha256, paths. For each readable file a line: its position, its size, its hash.
kind=$1
shift
digest() {
	if command -v "${kind}sum" >/dev/null 2>&1; then
		"${kind}sum"
	elif command -v openssl >/dev/null 2>&1; then
		openssl dgst "-$kind" -r
	elif command -v "$kind" >/dev/null 2>&1; then
		"$kind" -q
	else
		echo "no program for $kind" >&2
		exit 127
	fi
}
position=0
for path; do
	case $path in -*) path=./$path ;; esac
	if [ -f "$path" ] && [ -r "$path" ]; then
		hash=$(digest <"$path") || exit
		size=$(wc -c <"$path")
		printf '%d %d %s\n' "$position" "$size" "${hash%% *}"
	fi
	position=$((position + 1))
done

# Receives a file. Arguments: target, its folder, temporary file in that folder, size, SHA-256, mode, resume|restart.
# Says on standard output how many bytes it has, reads the rest from standard input, and says how it went.
target=$1 folder=$2 part=$3 size=$4 hash=$5 mode=$6 how=$7
umask 077
LC_ALL=C
export LC_ALL

say() { printf '%s\n' "$*"; }
lock=$part.lock
own=no

if [ -d "$target" ]; then
	say is-folder
	exit 0
fi
if ! [ -d "$folder" ]; then
	say no-folder
	exit 0
fi
error=$(mkdir "$lock" 2>&1) && own=yes
if [ "$own" = no ] && ! [ -d "$lock" ]; then
	say "failed $error"
	exit 0
fi
if [ "$own" = no ]; then
	holder=$(cat "$lock/pid" 2>/dev/null)
	if [ -n "$holder" ] && ! kill -0 "$holder" 2>/dev/null; then
		# The one who held it died. Two who see this at once both go on; the names below keep them apart.
		if mv "$lock" "$lock.$$" 2>/dev/null; then
			rm -rf "$lock.$$"
			mkdir "$lock" 2>/dev/null && own=yes
		fi
	fi
fi
if [ "$own" = yes ]; then
	printf '%s' "$$" >"$lock/pid" 2>/dev/null
	trap '[ -s "$part" ] || rm -f "$part"; rm -rf "$lock"' EXIT
else
	# Another upload of the same content is at work, or hangs: go on from a copy of what it has.
	shared=$part
	part=$part.$$
	trap 'rm -f "$part"' EXIT
	[ "$how" = restart ] || cp "$shared" "$part" 2>/dev/null
fi
trap 'exit 1' HUP INT TERM PIPE

fail() {
	rm -f "$part"
	say "failed $1"
	exit 0
}
length() { wc -c <"$1" | tr -d ' '; }
digest() {
	{
		if command -v openssl >/dev/null 2>&1 && [ "$size" -gt 1000000 ]; then
			openssl dgst -sha256 -r <"$1"
		elif command -v sha256sum >/dev/null 2>&1; then
			sha256sum <"$1"
		elif command -v shasum >/dev/null 2>&1; then
			shasum -a 256 <"$1"
		elif command -v sha256 >/dev/null 2>&1; then
			sha256 -q <"$1"
		else
			openssl dgst -sha256 -r <"$1"
		fi
	} 2>/dev/null | tr -d '\\' | cut -c1-64
}

[ "$how" = restart ] && rm -f "$part"
have=0
if [ -f "$part" ]; then
	have=$(length "$part")
	if [ "$have" -gt "$size" ]; then
		rm -f "$part"
		have=0
	fi
fi
error=$( (: >>"$part") 2>&1) || fail "$error"
say "have $have"

error=$(cat 2>&1 >>"$part") || fail "$error"

now=$(length "$part")
if [ "$now" -lt "$size" ]; then
	# The link was cut: what is here is the beginning for the next try.
	say "short $now"
	exit 0
fi
found=$(digest "$part")
if [ "$found" != "$hash" ]; then
	rm -f "$part"
	say "different $found"
	exit 0
fi
error=$(chmod "$mode" "$part" 2>&1) || fail "$error"
# A small file costs little to have on the disk for certain.
[ "$size" -gt 4194304 ] || dd if=/dev/null of="$part" bs=1 count=0 conv=notrunc,fsync 2>/dev/null
error=$(mv -f -- "$part" "$target" 2>&1) || fail "$error"
say done

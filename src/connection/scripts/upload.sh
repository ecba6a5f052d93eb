# Receives a file. Arguments: target, its folder, temporary file in that folder, size, SHA-256, mode, resume|restart.
# Says on standard output how many bytes it has, reads the rest from standard input, and says how it went.
# Starts as few processes as it can: on a busy server each costs more than a megabyte of data.
target=$1 folder=$2 part=$3 size=$4 hash=$5 mode=$6 how=$7
umask 077
LC_ALL=C
export LC_ALL

say() { printf '%s\n' "$*"; }
lock=$part.lock
own=no
newline='
'

if [ -d "$target" ]; then
	say is-folder
	exit 0
fi
if ! [ -d "$folder" ]; then
	say no-folder
	exit 0
fi
# With noclobber the redirection makes the file or fails, in one step.
claim() {
	set -C
	{ true >"$lock"; } 2>/dev/null && own=yes
	set +C
	[ "$own" = no ] || printf '%s' "$$" >"$lock" 2>/dev/null
}
# Until it is known whose the lock is, nothing may end this.
trap '' HUP INT TERM PIPE
# A lock that is neither got nor there was given back in between, or cannot be made.
tries=9
until
	claim
	[ "$own" = yes ] || [ -e "$lock" ] || [ "$tries" = 0 ]
do
	tries=$((tries - 1))
done
if [ "$own" = no ]; then
	holder=
	{ read -r holder <"$lock"; } 2>/dev/null
	if [ -n "$holder" ] && ! kill -0 "$holder" 2>/dev/null; then
		# The one who held it died. Of those who see this at once, one can rename the lock.
		if mv "$lock" "$lock.$$" 2>/dev/null; then
			rm -f "$lock.$$"
			claim
		fi
	fi
fi
shared=$part
[ "$own" = yes ] || part=$part.$$
clean() {
	if [ "$own" = no ]; then
		rm -f "$part"
	elif [ -s "$part" ]; then
		rm -f "$lock"
	else
		rm -f "$lock" "$part"
	fi
}
trap clean EXIT
trap 'exit 1' HUP INT TERM PIPE

fail() {
	rm -f "$part"
	say "failed $1"
	exit 0
}
# Says the SHA-256 of standard input.
hash_input() {
	if [ "$size" -gt 1000000 ] && command -v openssl >/dev/null; then
		openssl dgst -sha256 -r 2>/dev/null
	elif command -v sha256sum >/dev/null; then
		sha256sum
	elif command -v shasum >/dev/null; then
		shasum -a 256
	elif command -v sha256 >/dev/null; then
		sha256 -q
	else
		openssl dgst -sha256 -r
	fi
}
# Appends standard input to the part and puts it in its place, or sets `digest`, with Python, which servers of BOINC have for their
# start scripts: one process takes from a wide pipe, writes, and hashes what it has just written while the processor's cache holds it.
# To read the file once more afterwards takes a third of the time of the transfer, to feed a hash program through a pipe even
# more. It starts while what is to come is on its way.
receive_with_python() {
	[ -x /usr/bin/python3 ] || return 1
	answer=$(
		/usr/bin/python3 -I -S -c '
import fcntl, hashlib, os, sys
part, target, size, wanted, mode = sys.argv[1:]
try:
    # F_SETPIPE_SZ: what the SSH server can hand over at once. Other systems, and sockets, refuse.
    fcntl.fcntl(0, 1031, 1 << 20)
except OSError:
    pass
sha256 = hashlib.sha256()
buffer = bytearray(1 << 18)
try:
    with open(part, "rb", 0) as beginning:
        for chunk in iter(lambda: beginning.read(1 << 18), b""):
            sha256.update(chunk)
    while True:
        received = memoryview(buffer)[: os.readv(0, [buffer])]
        if not received:
            break
        rest = received
        while rest:
            rest = rest[os.write(1, rest) :]
        sha256.update(received)
    digest = sha256.hexdigest()
    if digest == wanted and os.fstat(1).st_size == int(size):
        os.fchmod(1, int(mode, 8))
        os.rename(part, target)
        digest = "done"
except OSError as error:
    sys.stderr.write(error.strerror)
    sys.exit(98)
sys.stderr.write(digest)
' "$part" "$target" "$size" "$hash" "$mode" 2>&1 >>"$part"
	)
	case $? in
	0) digest=$answer ;;
	98) fail "${answer:-$part cannot be written}" ;;
	*) return 1 ;; # It lacks a module, or has died: the hash decides in the end.
	esac
	[ "$digest" != done ] || {
		say done
		exit 0
	}
}
# The same without Python. When it takes long, the hash follows what arrives, and hashes the
# beginning of a resumed part meanwhile: through one descriptor the part is read on at each tick, and when all has come.
# No tee: it reads to the end in spite of a full disk, and costs a fast line more than the hash itself.
receive_and_hash() {
	answer=$(
		{
			{
				# What outlives the transfer for a moment must keep nobody waiting: descriptors of its own.
				{ sleep 2 >/dev/null && while echo && sleep 1 >/dev/null; do :; done; } </dev/null 3<&- 4>&- &
				ticker=$!
				error=$(cat 2>&1 >>"$part" 4>&-) || printf 'failed %s\n' "${error:-$part cannot be written}" >&4
				kill "$ticker"
			} 2>/dev/null | if read -r _; then
				{
					while cat <&3 && read -r _; do :; done
					cat <&3
				} | hash_input
			else
				hash_input <&3
			fi
		} 3<"$part" 4>&1
	)
	case $answer in "failed "*)
		answer=${answer#failed }
		fail "${answer%%"$newline"*}"
		;;
	esac
	digest=${answer%% *}
}

if [ "$own" = no ]; then
	# Another upload of the same content is at work, or hangs: go on from a copy of what it has.
	[ "$how" = restart ] || cp "$shared" "$part" 2>/dev/null
	error=$({ : >>"$part"; } 2>&1) || fail "$error"
fi
[ "$how" = restart ] && rm -f "$part"
have=0
if [ -f "$part" ]; then
	have=$(($(wc -c <"$part")))
	if [ "$have" -gt "$size" ]; then
		rm -f "$part"
		have=0
	fi
fi
say "have $have"

digest=
if [ $((size - have)) -gt 8388608 ] && { : >>"$part"; } 2>/dev/null; then
	receive_with_python || receive_and_hash
else
	error=$(cat 2>&1 >>"$part") || fail "${error:-$part cannot be written}"
fi

now=$(($(wc -c <"$part")))
if [ "$now" -lt "$size" ]; then
	# The link was cut: what is here is the beginning for the next try.
	say "short $now"
	exit 0
fi
if [ -z "$digest" ]; then
	digest=$(hash_input <"$part")
	digest=${digest%% *}
fi
if [ "$digest" != "$hash" ]; then
	rm -f "$part"
	say "different $digest"
	exit 0
fi
# A small file costs little to have on the disk for certain.
[ "$size" -gt 4194304 ] || dd if=/dev/null of="$part" bs=1 count=0 conv=notrunc,fsync 2>/dev/null
error=$({ chmod "$mode" "$part" && mv -f -- "$part" "$target"; } 2>&1) || fail "$error"
say done

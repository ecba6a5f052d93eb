# Runs after the program of a job and copies what is a result into results/: sh -c THIS collect BUSYBOX METRICS N WORD… PATTERN…
# The N words are a command that runs first; its exit code is the whole's. What a pattern finds keeps its path below the shared folder,
# else its name. METRICS may be empty.
b=$1 metrics=$2 n=$3
shift 3
share=/root/shared code=0

# Becomes the command of the first $1 words that follow.
first() {
	left=$1 i=0
	shift
	total=$#
	while [ "$i" -lt "$total" ]; do
		[ "$i" -ge "$left" ] || set -- "$@" "$1"
		shift
		i=$((i + 1))
	done
	exec "$@"
}

take() {
	case $1 in
	"$share"/*) to=${1#"$share"/} ;;
	/*) to=${1##*/} ;;
	*) to=$1 ;;
	esac
	case /$to/ in */../* | /results/*) return ;; esac
	case $to in */*) "$b" mkdir -p "results/${to%/*}" ;; esac
	"$b" cp -RL "$1" "results/$to" || [ "$code" != 0 ] || code=1
}

if [ "$n" -gt 0 ]; then
	(first "$n" "$@") || code=$?
	shift "$n"
fi
cd "$share" || exit 1
# Nothing is split; patterns alone are filled in.
IFS=
for pattern in "$@"; do
	for file in $pattern; do
		if [ -e "$file" ]; then
			take "$file"
		else
			echo "boinc2docker: No file matches the output $pattern." >&2
		fi
	done
done
if [ -n "$metrics" ]; then
	if [ -f "$metrics" ]; then
		"$b" cp "$metrics" "results/metrics.${metrics##*.}" || [ "$code" != 0 ] || code=1
	else
		echo "boinc2docker: There is no file $metrics with metrics." >&2
	fi
fi
exit "$code"

#!/bin/sh
# Collects the results of one app. BOINC's script_assimilator calls it, in the project's tmp_HOST folder, for each job:
#   b2d_assimilate_APP WU_ID PATH...                            the job succeeded; PATHs are its outputs in upload/
#   b2d_assimilate_APP --error MASK WU_NAME WU_ID BATCH_ID      the job failed or was cancelled
# and installs as bin/b2d_assimilate_APP: the name alone stands in config.xml, for arguments there are lost.
#
# Of a cancelled job nothing is kept. Otherwise it writes RESULTS/BATCH/JOB.tgz or RESULTS/BATCH/JOB.error, where RESULTS is the first line of
# .boinc2docker/results_APP, or results/APP. Clients upload what a failed job packed, too: the newest of these, which has its
# whole log, is kept as RESULTS/BATCH/JOB.failed while there is room, for BOINC deletes it next. BATCH comes from job names of the form b2d_BATCH_INDEX, else it is 0.
#
# One bad job never makes it exit non-zero, for that would end the daemon and block the app's other jobs. It exits 1 only
# when nothing can be stored at all (disk full, folder not writable): then the outputs must not be given up, and BOINC
# presents the job again.

# A person may cancel ten thousand jobs at once, so this starts no other program. MASK has bit 16 then, but not 32 as well: that
# is a job that had failed before its instances were called back.
case ${1:-}:${2:-} in
--error:*[!0-9]* | --error:) ;;
--error:*) [ $(($2 & 48)) -ne 16 ] || exit 0 ;;
esac

LC_ALL=C
export LC_ALL
umask 022

self=${0##*/}
app=${self#b2d_assimilate_}
case $0 in
*/*) root=${0%/*}/.. ;;
*) root=.. ;;
esac
root=$(cd "$root" 2>/dev/null && pwd -P) || root=..

results=
setting="$root/.boinc2docker/results_$app"
[ ! -r "$setting" ] || IFS= read -r results <"$setting"
case $results in
/*) ;;
*) results="$root/results/$app" ;;
esac

say() {
	printf '%s: %s\n' "$self" "$*" >&2
}

# The folder of a job's batch, made if absent. Sets $folder.
enter_batch() {
	batch=$(expr "X$1" : 'Xb2d_\([0-9][0-9]*\)_[0-9][0-9]*$') || batch=0
	folder="$results/$batch"
	mkdir -p "$folder" && [ -w "$folder" ] || {
		say "cannot write to $folder; the job will be presented again"
		exit 1
	}
}

# Writes standard input to $folder/$1 so that readers see all or nothing.
store() {
	temporary="$folder/.$1.$$"
	if cat >"$temporary" && mv -f "$temporary" "$folder/$1"; then
		return 0
	fi
	rm -f "$temporary"
	return 1
}

# A job's name as a file name; strange ones become unnamed_WU_ID.
safe_name() {
	case $1 in
	'' | .* | -* | *[!A-Za-z0-9._-]*) printf 'unnamed_%s\n' "$(printf '%s' "$2" | tr -cd '0-9')" ;;
	*) printf '%s\n' "$1" ;;
	esac
}

# Keeps what the newest instance of the failed job $1 uploaded, if it is in the project's own folder and not large. Losing it is
# no reason to present the job again.
keep_failed() {
	newest=
	most=-1
	for path in "$root"/upload/"$1"_*_r*_0 "$root"/upload/*/"$1"_*_r*_0; do
		[ -f "$path" ] && [ -r "$path" ] || continue
		base=${path##*/}
		try=${base#"$1"_}
		try=${try%%_r*}
		random=${base#"$1_${try}_r"}
		case $try:${random%_0} in
		:* | *: | *[!0-9:]*) continue ;;
		esac
		if [ "$try" -gt "$most" ]; then
			most=$try
			newest=$path
		fi
	done
	[ -n "$newest" ] || return 0
	[ "$(wc -c <"$newest")" -le 16777216 ] || return 0
	store "$1.failed" <"$newest" || say "job $1: what its last host uploaded cannot be kept"
}

if [ "${1:-}" = --error ]; then
	job=$(safe_name "${3:-}" "${4:-}")
	enter_batch "$job"
	printf '%s\n' "${2:-0}" | store "$job.error" || {
		say "cannot write $folder/$job.error; the job will be presented again"
		exit 1
	}
	keep_failed "$job"
	exit 0
fi

id=${1:-}
[ $# -eq 0 ] || shift
number=0
for path; do
	base=${path##*/}
	# An output is called JOB_INSTANCE_rRANDOM_NUMBER and may have a suffix.
	job=$(expr "X$base" : 'X\(.*\)_[0-9][0-9]*_r[0-9][0-9]*_[0-9][0-9]*[^_]*$') || job=$base
	job=$(safe_name "$job" "$id")
	enter_batch "$job"
	name="$job.tgz"
	[ "$number" -eq 0 ] || name="${job}_$number.tgz"
	number=$((number + 1))
	if [ ! -f "$path" ] || [ ! -r "$path" ]; then
		# Presented a second time, after the output was collected and removed, this is as it should be.
		[ -f "$folder/$name" ] || {
			say "job $job: the output $base is not there"
			printf '0\nthe output %s was not there\n' "$base" | store "$job.error" || exit 1
		}
		continue
	fi
	if ! cmp -s "$path" "$folder/$name" 2>/dev/null; then
		store "$name" <"$path" || {
			say "cannot write $folder/$name; the job will be presented again"
			exit 1
		}
	fi
	rm -f "$folder/$job.error" "$folder/$job.failed"
done
exit 0

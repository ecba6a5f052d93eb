#!/boinc/busybox sh
# The runner: process 1 of the container of a job. Started by the recipe's entry point as
#     /boinc/busybox sh /boinc/runner
# as root, with the slot folder of the BOINC client mounted at the folder that this file is in. It looks up what the job
# is, starts the image's program as the image's user, watches it, and packs what it leaves in /root/shared/results.
#
# It must not need anything of the image: every tool is an applet of the busybox beside it ("$b2d_box"), and what is
# not a builtin of every ash is called through it. All names begin with b2d_, for a variable that came in with the
# environment stays exported and would reach the program with our value.
#
# Files in the slot:
#   init_data.xml        from the client; holds the name of the job, and the volunteer's account key, which is blanked
#   b2d_params           parameter table: "* WORD…" for all jobs, then "JOBNAME WORD…" for each; see src/job/parameters.ts
#   shared/              /root/shared of the program: inputs, fraction_done, checkpoint/
#   shared/results/      what the program leaves here is the result; empty when the program starts
#   shared/results.tgz   the packed result, for the client
#   fraction_done        progress for docker_wrapper, copied from shared/
# What the program keeps in shared/checkpoint survives when the host starts the job again from the beginning, which it does
# after every end but the program's own; see templates/checkpoint/README.md.
#
# Exit code: the program's, 128 + N if signal N ended it; 126 or 127 if it cannot be started; and of BOINC's codes
# 196 (result too big or disk full), 197 (time limit), 205 (memory limit), 206 (the job cannot be set up).

b2d_say() {
	printf 'boinc2docker: %s\n' "$*"
}

# Ends the set-up: no program has run yet.
b2d_refuse() {
	b2d_say "$@"
	b2d_code=206
	b2d_finish
}

# Writes stdin over the file $1 without ever cutting it short: others read it at the same time.
b2d_overwrite() {
	"$b2d_box" dd of="$1" conv=notrunc bs=65536 2>/dev/null
}

# Keeps the volunteer's account key, name and address from the program. The client writes init_data.xml anew when it
# resumes a job, so this is repeated while the program runs. The length stays, for the client's side may be reading.
b2d_hide_account() {
	"$b2d_box" grep -qE '<(authenticator|user_name|team_name|domain_name|ip_addr|host_cpid)>x*[^<x]' "$b2d_slot/init_data.xml" 2>/dev/null
	# Only 1 says that there is nothing to hide; whoever cannot look hides.
	[ $? != 1 ] || return 0
	"$b2d_box" sed -E ':again
s/(<(authenticator|user_name|team_name|domain_name|ip_addr|host_cpid)>x*)[^<x]/\1x/
tagain' "$b2d_slot/init_data.xml" >"$b2d_private/init_data" 2>/dev/null || return 0
	if [ "$("$b2d_box" stat -c %s "$b2d_private/init_data")" = "$("$b2d_box" stat -c %s "$b2d_slot/init_data.xml")" ]; then
		b2d_overwrite "$b2d_slot/init_data.xml" <"$b2d_private/init_data"
	fi
	"$b2d_box" rm -f "$b2d_private/init_data"
	"$b2d_box" chmod o-rwx "$b2d_slot/init_data.xml" 2>/dev/null
}

# Reads the words of this job into b2d_words: those of all jobs, then its own.
b2d_read_parameters() {
	[ -f "$b2d_slot/init_data.xml" ] || b2d_refuse 'The file init_data.xml is missing in the slot folder, so the name of the job is unknown.'
	b2d_job=$("$b2d_box" sed -n 's/.*<wu_name>\([A-Za-z0-9_.-]*\)<\/wu_name>.*/\1/p' "$b2d_slot/init_data.xml" | "$b2d_box" head -n 1)
	[ -n "$b2d_job" ] || b2d_refuse 'The file init_data.xml does not tell the name of the job.'
	[ -f "$b2d_slot/b2d_params" ] || b2d_refuse "The parameter table b2d_params of the job $b2d_job is missing."
	b2d_common=$("$b2d_box" grep -m 1 '^\* ' "$b2d_slot/b2d_params")
	b2d_own=$("$b2d_box" grep -m 1 -E "^$b2d_job( |\$)" "$b2d_slot/b2d_params")
	[ -n "$b2d_own" ] || b2d_refuse "The parameter table has no line for the job $b2d_job."
	b2d_words="${b2d_common#\*} ${b2d_own#"$b2d_job"}"
	b2d_user= b2d_dir=/ b2d_memory=0 b2d_seconds=0 b2d_output=0 b2d_progress=fraction_done b2d_comparable=no
	b2d_path= b2d_home= b2d_gpu=
	for b2d_word in $b2d_words; do
		case $b2d_word in
		U=*) b2d_decode "${b2d_word#U=}" && b2d_user=$b2d_value ;;
		W=*) b2d_decode "${b2d_word#W=}" && b2d_dir=$b2d_value ;;
		P=*) b2d_decode "${b2d_word#P=}" && b2d_progress=$b2d_value ;;
		M=*) b2d_memory=${b2d_word#M=} ;;
		T=*) b2d_seconds=${b2d_word#T=} ;;
		O=*) b2d_output=${b2d_word#O=} ;;
		R=1) b2d_comparable=yes ;;
		G=*) b2d_gpu=${b2d_word#G=} ;;
		E=PATH=*) b2d_decode "${b2d_word#E=PATH=}" && b2d_path=$b2d_value ;;
		E=HOME=*) b2d_decode "${b2d_word#E=HOME=}" && b2d_home=$b2d_value ;;
		esac
	done
	b2d_has A || b2d_refuse "The parameter table names no command for the job $b2d_job."
	: "${b2d_dir:=/}" "${b2d_path:=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin}"
}

# Sees to it that a job with a GPU has one in the container, and that the program takes the one that the client gave the
# job: docker_wrapper hands all of them over. The client counts them as CUDA does.
b2d_find_gpu() {
	[ -n "$b2d_gpu" ] || return 0
	b2d_device=
	for b2d_try in /dev/nvidiactl /dev/nvidia0 /dev/nvmap /dev/dxg; do
		[ ! -e $b2d_try ] || b2d_device=$b2d_try
	done
	[ -n "$b2d_device" ] || b2d_refuse 'The container has no GPU of NVIDIA: the container engine of this host is not set up for it.'
	b2d_number=$("$b2d_box" sed -n 's/.*<gpu_device_num>\([0-9]*\)<.*/\1/p' "$b2d_slot/init_data.xml" | "$b2d_box" head -n 1)
	# First, so that a variable of the job wins.
	[ -z "$b2d_number" ] || b2d_words="E=CUDA_VISIBLE_DEVICES=$b2d_number $b2d_words"
}

# Decodes one word into b2d_value: plain, or with bytes as \0ooo. The mark keeps newlines at the end.
b2d_decode() {
	case $1 in
	*\\*)
		b2d_value=$(printf '%b_' "$1")
		b2d_value=${b2d_value%_}
		;;
	*) b2d_value=$1 ;;
	esac
}

# Finds the image's user by Docker's rules: b2d_uid, b2d_gid, b2d_home, and b2d_login if he is in further groups.
b2d_find_user() {
	b2d_uid=0 b2d_gid=0 b2d_login= b2d_name= b2d_entry_home=/
	b2d_who=${b2d_user%%:*}
	b2d_group=
	case $b2d_user in *:*) b2d_group=${b2d_user#*:} ;; esac
	: "${b2d_who:=0}"
	if [ -f /etc/passwd ]; then
		while IFS=: read -r b2d_n b2d_x b2d_u b2d_g b2d_x b2d_h b2d_x || [ -n "$b2d_n" ]; do
			if [ "$b2d_n" = "$b2d_who" ] || [ "$b2d_u" = "$b2d_who" ]; then
				b2d_name=$b2d_n b2d_uid=$b2d_u b2d_gid=$b2d_g b2d_entry_home=${b2d_h:-/}
				break
			fi
			b2d_n=
		done </etc/passwd
	fi
	if [ -z "$b2d_name" ]; then
		case $b2d_who in
		*[!0-9]*) b2d_refuse "The image runs as the user $b2d_who, who is not in its /etc/passwd." ;;
		esac
		b2d_uid=$b2d_who
	fi
	if [ -n "$b2d_group" ]; then
		b2d_find_group
	elif [ -n "$b2d_name" ] && [ "$b2d_uid" != 0 ] && [ -f /etc/group ]; then
		while IFS=: read -r b2d_x b2d_x b2d_x b2d_members || [ -n "$b2d_members" ]; do
			case ",$b2d_members," in *",$b2d_name,"*) b2d_login=$b2d_name ;; esac
			b2d_members=
		done </etc/group
	fi
	case $b2d_uid$b2d_gid in *[!0-9]*) b2d_refuse "The numbers of the user $b2d_who in the image's /etc/passwd cannot be read." ;; esac
	: "${b2d_home:=$b2d_entry_home}"
}

b2d_find_group() {
	b2d_found=no
	if [ -f /etc/group ]; then
		while IFS=: read -r b2d_n b2d_x b2d_g b2d_x || [ -n "$b2d_n" ]; do
			if [ "$b2d_n" = "$b2d_group" ] || [ "$b2d_g" = "$b2d_group" ]; then
				b2d_gid=$b2d_g b2d_found=yes
				break
			fi
			b2d_n=
		done </etc/group
	fi
	[ $b2d_found = yes ] && return
	case $b2d_group in
	*[!0-9]*) b2d_refuse "The image runs with the group $b2d_group, which is not in its /etc/group." ;;
	esac
	b2d_gid=$b2d_group
}

# Replaces this shell by a command as the image's user, in a session of its own: that tells its processes from ours.
b2d_become() {
	if [ -n "$b2d_login" ]; then
		# Without the dashes su would take options of the program for its own.
		exec "$b2d_box" setsid "$b2d_box" su -m -s "$b2d_shell" -c 'exec "$@"' -- "$b2d_login" sh "$@"
	elif [ "$b2d_uid$b2d_gid" = 00 ] || [ "$("$b2d_box" id -u)" != 0 ]; then
		exec "$b2d_box" setsid "$@"
	fi
	exec "$b2d_box" setsid "$b2d_box" nsenter -F -S "$b2d_uid" -G "$b2d_gid" -- "$@"
}

# Prints the path of the program $1 as the image's user finds it in the folders of $2, and a mark; 126 or 127 if he does not.
# A shell of busybox with built-in tools would not look at the image, so the path is looked up here.
b2d_lookup='
case $1 in
"") exit 127 ;;
*/*)
	[ -e "$1" ] || exit 127
	[ -f "$1" ] && [ -x "$1" ] || exit 126
	printf %s_ "$1"
	exit 0
	;;
esac
b2d_code=127 IFS=:
set -f
for b2d_dir in $2; do
	b2d_try=${b2d_dir:-.}/$1
	[ -f "$b2d_try" ] || continue
	if [ -x "$b2d_try" ]; then
		printf %s_ "$b2d_try"
		exit 0
	fi
	b2d_code=126
done
exit $b2d_code'

# Becomes the command of kind $1 (A: the program, B: before it, F: after it) with the environment of the job.
b2d_launch() {
	b2d_kind=$1
	set --
	for b2d_word in $b2d_words; do
		case $b2d_word in E=*) b2d_decode "${b2d_word#E=}" && set -- "$@" "$b2d_value" ;; esac
	done
	set -- "HOME=$b2d_home" "$@"
	b2d_first=yes
	for b2d_word in $b2d_words; do
		case $b2d_word in
		"$b2d_kind="*) b2d_decode "${b2d_word#?=}" ;;
		*) continue ;;
		esac
		if [ $b2d_first = yes ]; then
			b2d_first=no
			b2d_program=$(b2d_become "$b2d_box" sh -c "$b2d_lookup" sh "$b2d_value" "$b2d_path")
			b2d_code=$?
			case $b2d_code in
			0) ;;
			126) b2d_say "The command \"$b2d_value\" is in the image but cannot be run as this user: it is not an executable file." ;;
			127) b2d_say "The command \"$b2d_value\" is not in the image." ;;
			*) b2d_say "Could not change to the user ${b2d_user:-root} of the image (code $b2d_code)." ;;
			esac
			[ $b2d_code = 0 ] || exit $b2d_code
			b2d_value=${b2d_program%_}
			# env would take a name with an equals sign for a variable.
			case $b2d_value in *=*) set -- "$@" "$b2d_box" nsenter -F -- ;; esac
		fi
		set -- "$@" "$b2d_value"
	done
	# Some environment variables have names that a shell drops; env, the last step, does not.
	umask 000
	unset OLDPWD
	b2d_become "$b2d_box" env "$@"
}

# Whether the job has a command of kind $1.
b2d_has() {
	case " $b2d_words" in *" $1="*) return 0 ;; esac
	return 1
}

# Prints the processes of the program: as process 1 all that are not in our session; else, when tried outside of a
# container, those of the program's session.
b2d_processes() {
	for b2d_stat in /proc/[0-9]*/stat; do
		read -r b2d_line <"$b2d_stat" || continue
		b2d_pid=${b2d_stat#/proc/}
		set -f
		# shellcheck disable=SC2086
		set -- ${b2d_line##*) }
		set +f
		[ "$1" = Z ] && continue
		if [ $$ = 1 ]; then
			[ "$4" = "$b2d_session" ] || echo "${b2d_pid%/stat}"
		elif [ "$4" = "$b2d_main" ]; then
			echo "${b2d_pid%/stat}"
		fi
	done 2>/dev/null
}

# Sends signal $1 to all processes of the program.
b2d_signal() {
	for b2d_target in $(b2d_processes); do
		kill -s "$1" "$b2d_target" 2>/dev/null
	done
}

# Asks all processes of the program to end, and ends those that do not within 5 seconds.
b2d_stop() {
	b2d_signal TERM
	b2d_until=$(($(b2d_uptime) + 500))
	while [ -n "$(b2d_processes)" ] && [ "$(b2d_uptime)" -lt $b2d_until ]; do
		"$b2d_box" usleep 100000
	done
	b2d_signal KILL
}

# Finds where the kernel counts our memory: a cgroup that holds our processes and no others.
b2d_find_cgroup() {
	b2d_cgroup=
	[ $$ = 1 ] || return 0
	for b2d_try in /sys/fs/cgroup /sys/fs/cgroup/memory; do
		[ -r $b2d_try/memory.stat ] && [ -r $b2d_try/cgroup.procs ] || continue
		if "$b2d_box" grep -qx 1 $b2d_try/cgroup.procs && ! "$b2d_box" grep -qx 0 $b2d_try/cgroup.procs; then
			b2d_cgroup=$b2d_try/memory.stat
			return
		fi
	done
}

# Prints the bytes of memory that the program holds: without file caches, which the kernel takes back when it needs to.
b2d_used_memory() {
	if [ -n "$b2d_cgroup" ]; then
		"$b2d_box" awk '
			$1 == "total_rss" || $1 == "total_shmem" { v1 += $2; is_v1 = 1 }
			$1 == "anon" || $1 == "shmem" { v2 += $2 }
			END { printf "%.0f\n", is_v1 ? v1 : v2 }' "$b2d_cgroup"
		return
	fi
	set --
	for b2d_pid in $(b2d_processes); do
		set -- "$@" "/proc/$b2d_pid/status"
	done
	[ $# -gt 0 ] || return 0
	# Shared pages are counted once: by the process that maps most of them.
	"$b2d_box" awk '
		$1 == "RssAnon:" { anon += $2 }
		$1 == "RssShmem:" && $2 > shmem { shmem = $2 }
		END { printf "%.0f\n", (anon + shmem) * 1024 }' "$@" 2>/dev/null
}

# Copies the program's progress, a number from 0 to 1, to where docker_wrapper reads it.
b2d_copy_progress() {
	[ -f "$b2d_shared/$b2d_progress" ] && [ ! -L "$b2d_shared/$b2d_progress" ] || return 0
	b2d_fraction=
	read -r b2d_fraction b2d_x <"$b2d_shared/$b2d_progress"
	case $b2d_fraction in
	'' | *[!0-9.]* | *.*.*) return 0 ;;
	0* | .* | 1 | 1.* | 1.0*) ;;
	*) return 0 ;;
	esac
	printf '%s\n' "$b2d_fraction" >"$b2d_slot/fraction_done.new" && "$b2d_box" chmod 644 "$b2d_slot/fraction_done.new" &&
		"$b2d_box" mv -f "$b2d_slot/fraction_done.new" "$b2d_slot/fraction_done"
} 2>/dev/null

# Runs beside the program until it is ended: memory, time, progress, the account key. Ticks stand still while the engine
# has the container paused, so a suspended job does not run out of time.
b2d_watch() {
	trap - TERM INT
	b2d_ticks=0
	b2d_peak=0
	while :; do
		b2d_used=$(b2d_used_memory)
		if [ "${b2d_used:-0}" -gt "$b2d_peak" ]; then
			b2d_peak=$b2d_used
			echo "$b2d_peak" >"$b2d_private/peak"
		fi
		if [ "$b2d_memory" -gt 0 ] && [ "${b2d_used:-0}" -gt "$b2d_memory" ]; then
			echo 205 >"$b2d_private/stopped"
			b2d_say "The program was stopped: it used $((b2d_used / 1000000)) MB of memory, and the job may use $((b2d_memory / 1000000)) MB." >"$b2d_private/reason"
			b2d_stop
			return
		fi
		if [ "$b2d_seconds" -gt 0 ] && [ "$b2d_ticks" -ge "$b2d_seconds" ]; then
			echo 197 >"$b2d_private/stopped"
			b2d_say "The program was stopped: it has run for $b2d_seconds s, which is the limit of the job." >"$b2d_private/reason"
			b2d_stop
			return
		fi
		if [ $((b2d_ticks % 2)) = 0 ]; then
			b2d_hide_account
			b2d_copy_progress
		fi
		"$b2d_box" sleep 1 >/dev/null 2>&1
		b2d_ticks=$((b2d_ticks + 1))
	done
}

# Keeps the program's output: the first b2d_log_first bytes and the last b2d_log_last. The first b2d_show_first go to the
# terminal at once; docker_wrapper keeps the last 63 KiB of the terminal and shows it twice.
b2d_log_first=67108864 b2d_log_last=1048576 b2d_show_first=8192 b2d_show_last=12288
b2d_read_output() {
	trap '' TERM INT
	{
		"$b2d_box" head -c $b2d_log_first | "$b2d_box" tee "$b2d_private/log" | {
			"$b2d_box" head -c $b2d_show_first
			"$b2d_box" cat >/dev/null
		}
		"$b2d_box" tail -c $b2d_log_last >"$b2d_private/log.last"
	} <"$b2d_private/output"
}

# Runs the command of kind $1 to its end; its code is b2d_code.
b2d_run() {
	b2d_waited=
	b2d_read_output &
	b2d_reader=$!
	( b2d_launch "$1" ) <"/dev/null" >"$b2d_private/output" 2>&1 &
	b2d_main=$!
	b2d_watch &
	b2d_watcher=$!
	b2d_signalled=yes
	while [ $b2d_signalled = yes ]; do
		b2d_signalled=no
		wait $b2d_main
		b2d_status=$?
		# A signal to us ends the wait as well. The shell forgets a process (127) once its code was told.
		[ $b2d_status = 127 ] && [ -n "$b2d_waited" ] || b2d_code=$b2d_status
		b2d_waited=yes
	done
	[ -n "$(b2d_processes)" ] && b2d_stop
	# A watcher that is stopping the program writes down why before it does.
	kill $b2d_watcher 2>/dev/null
	wait $b2d_watcher 2>/dev/null
	wait $b2d_reader
	b2d_show_rest
	if [ -f "$b2d_private/stopped" ]; then
		read -r b2d_code <"$b2d_private/stopped"
		"$b2d_box" cat "$b2d_private/reason"
	fi
	"$b2d_box" cat "$b2d_private/log" >>"$b2d_private/log.all"
	if [ -s "$b2d_private/log.last" ]; then
		printf '\nboinc2docker: (Some of the output is left out here.)\n' >>"$b2d_private/log.all"
		"$b2d_box" cat "$b2d_private/log.last" >>"$b2d_private/log.all"
	fi
}

# Shows the end of an output that was too long for the terminal.
b2d_show_rest() {
	b2d_size=$("$b2d_box" cat "$b2d_private/log" "$b2d_private/log.last" | "$b2d_box" wc -c)
	if [ "$b2d_size" -le $b2d_show_first ]; then
		[ "$b2d_size" = 0 ] || [ -z "$("$b2d_box" tail -c 1 "$b2d_private/log")" ] || echo
		return
	fi
	b2d_rest=$((b2d_size - b2d_show_first))
	echo
	if [ $b2d_rest -gt $b2d_show_last ]; then
		b2d_say "($((b2d_rest - b2d_show_last)) bytes of output are left out here; .b2d/log.txt in the result has them.)"
		b2d_rest=$b2d_show_last
	fi
	"$b2d_box" cat "$b2d_private/log" "$b2d_private/log.last" | "$b2d_box" tail -c $b2d_rest
	echo
}

# In a VM the folder is a mount of its own, which only becomes empty.
b2d_remove_results() {
	"$b2d_box" rm -rf "$b2d_shared/results" 2>/dev/null
}

# Makes the folder that the image's link /root/shared points to. Of an earlier try that was cut off only checkpoint/ is
# kept, so that every try has the same result.
b2d_clear_shared() {
	b2d_remove_results
	"$b2d_box" rm -rf "$b2d_shared/results.tgz" "$b2d_shared/.results.tgz.part"
	"$b2d_box" mkdir -p "$b2d_shared/checkpoint" "$b2d_shared/results" ||
		b2d_refuse 'The folder shared/ of the job cannot be made. Is the disk full?'
}

# Moves inputs whose names BOINC cannot carry to where they belong. A second try finds them there already.
b2d_move_inputs() {
	for b2d_word in $b2d_words; do
		case $b2d_word in I=*) ;; *) continue ;; esac
		b2d_word=${b2d_word#I=}
		b2d_from=$b2d_slot/shared/${b2d_word%%=*}
		[ -f "$b2d_from" ] || continue
		b2d_decode "${b2d_word#*=}"
		b2d_to=$b2d_shared/$b2d_value
		"$b2d_box" mkdir -p "${b2d_to%/*}" && "$b2d_box" mv -f "$b2d_from" "$b2d_to" ||
			b2d_refuse "The input $b2d_value cannot be put into its place."
	done
}

# Opens the folders to the image's user.
b2d_prepare_shared() {
	# Everybody may write: the client, which has another account under Docker, must be able to clean up even after a kill.
	"$b2d_box" chmod -R a+rwX "$b2d_shared" 2>/dev/null
	"$b2d_box" chown -hR "$b2d_uid:$b2d_gid" "$b2d_shared/checkpoint" "$b2d_shared/results" 2>/dev/null
	# The user may pass through the slot folder and /root, but not look into them.
	[ "$b2d_uid" = 0 ] || "$b2d_box" chmod a+x "$b2d_slot" 2>/dev/null
	if [ $$ = 1 ]; then
		[ -d /root ] || "$b2d_box" mkdir -p /root
		"$b2d_box" chmod a+x /root 2>/dev/null
		[ -e /root/shared ] || "$b2d_box" ln -s "$b2d_shared" /root/shared
	fi
	"$b2d_box" mkdir -p "$b2d_dir" 2>/dev/null
	cd "$b2d_dir" || b2d_refuse "The working directory $b2d_dir of the image cannot be entered."
}

# Puts the log and a summary beside the program's files, unless results are compared byte by byte.
b2d_add_report() {
	[ $b2d_comparable = no ] || return 0
	b2d_report="$b2d_shared/results/.b2d"
	[ -e "$b2d_report" ] || [ -L "$b2d_report" ] && "$b2d_box" rm -rf "$b2d_report"
	"$b2d_box" mkdir -p "$b2d_report" || return 1
	[ ! -f "$b2d_private/log.all" ] || "$b2d_box" mv "$b2d_private/log.all" "$b2d_report/log.txt"
	printf '{"job":"%s","exitCode":%s,"seconds":%s,"peakMemoryBytes":%s}\n' \
		"$b2d_job" "$b2d_code" "$b2d_elapsed" "$b2d_peak" >"$b2d_report/job.json"
	"$b2d_box" chmod -R a+rX "$b2d_report"
}

# Packs shared/results into $1, at most one byte more than allowed. Sorted, owned by root: equal files make equal archives.
b2d_pack() {
	cd "$b2d_shared/results" || return 1
	"$b2d_box" chown -hR 0:0 . 2>/dev/null
	if [ $b2d_comparable = yes ]; then
		"$b2d_box" find . -exec "$b2d_box" touch -h -d @946684800 {} +
	fi
	: >"$b2d_private/pack.failed"
	{
		# Files, links and folders only: nobody can use a socket or a device elsewhere. Not every busybox has a tar that reads
		# a list, so batches are packed and their ends, two empty blocks each, are replaced by one.
		"$b2d_box" find . -mindepth 1 \( -type f -o -type l -o -type d \) -print0 | LC_ALL=C "$b2d_box" sort -z |
			"$b2d_box" xargs -0 -r "$b2d_box" sh -c '
				box=$1 failed=$2
				shift 2
				{ "$box" tar -c -f - --no-recursion "$@" || echo tar >>"$failed"; } | "$box" head -c -1024' sh "$b2d_box" "$b2d_private/pack.failed" ||
			echo xargs >>"$b2d_private/pack.failed"
		"$b2d_box" dd if=/dev/zero bs=1024 count=1 2>/dev/null
	} | "$b2d_box" gzip -c | if [ "$b2d_output" -gt 0 ]; then "$b2d_box" head -c $((b2d_output + 1)); else "$b2d_box" cat; fi |
		# Some heads do not notice that the disk is full.
		"$b2d_box" cat >"$1"
	b2d_packed=$?
	cd /
	return $b2d_packed
}

# Makes shared/results.tgz, or one with the report alone if that cannot be, or none if the disk is full.
b2d_pack_results() {
	if [ -L "$b2d_shared/results" ] || [ ! -d "$b2d_shared/results" ]; then
		b2d_say 'The program replaced the folder /root/shared/results, so there are no results.'
		b2d_remove_results
		"$b2d_box" mkdir -p "$b2d_shared/results"
	fi
	b2d_part="$b2d_shared/.results.tgz.part"
	"$b2d_box" rm -rf "$b2d_part" "$b2d_shared/results.tgz"
	b2d_add_report
	b2d_pack "$b2d_part"
	b2d_packed=$?
	b2d_size=$("$b2d_box" stat -c %s "$b2d_part" 2>/dev/null)
	if [ "$b2d_output" -gt 0 ] && [ "${b2d_size:-0}" -gt "$b2d_output" ]; then
		b2d_say "The packed results are bigger than the $b2d_output bytes that the job may return, so they are dropped."
		b2d_drop_results
	elif [ $b2d_packed != 0 ] || [ -s "$b2d_private/pack.failed" ]; then
		b2d_say 'The results could not be packed completely, so they are dropped. Is the disk full?'
		b2d_drop_results
	fi
	[ ! -f "$b2d_part" ] || "$b2d_box" mv -f "$b2d_part" "$b2d_shared/results.tgz"
}

# The result is lost: the job fails even if the program did not, and only the report travels.
b2d_drop_results() {
	[ "$b2d_code" != 0 ] || b2d_code=196
	"$b2d_box" rm -f "$b2d_part"
	if [ -f "$b2d_shared/results/.b2d/log.txt" ]; then
		"$b2d_box" tail -c 65536 "$b2d_shared/results/.b2d/log.txt" >"$b2d_private/log.all"
	fi
	b2d_remove_results
	"$b2d_box" mkdir -p "$b2d_shared/results"
	b2d_add_report
	# Half an archive is worse than none.
	b2d_pack "$b2d_part" && [ ! -s "$b2d_private/pack.failed" ] || "$b2d_box" rm -f "$b2d_part"
}

# The end of every run: packs what there is and leaves with b2d_code.
b2d_finish() {
	trap '' TERM INT
	"$b2d_box" rm -f "$b2d_private/room"
	b2d_pack_results
	# The client moves the archive and removes the rest; under Docker its account is not ours.
	"$b2d_box" chmod -R a+rwX "$b2d_shared" 2>/dev/null
	if [ "$b2d_interrupted" = yes ]; then
		# The host shuts down, say. When it is back the job starts again, and must not be taken for one that has ended.
		b2d_say 'The job was asked to stop. When it is started again it goes on from its checkpoint.'
		[ "$b2d_code" != 0 ] || b2d_code=143
		exit "$b2d_code"
	fi
	echo "$b2d_code" >"$b2d_private/finished"
	exit "$b2d_code"
}

b2d_forward() {
	b2d_signalled=yes b2d_interrupted=yes
	[ -z "$b2d_main" ] || kill -s "$1" "$b2d_main" 2>/dev/null
}

# Runs a command before or after the program. Only the program's own failure hides that of the one after it.
b2d_run_step() {
	b2d_has "$1" || return 0
	b2d_keep=$b2d_code
	b2d_run "$1"
	[ "$b2d_code" = 0 ] || b2d_say "The command $2 the program ended with exit code $b2d_code."
	[ "$b2d_keep" = 0 ] || b2d_code=$b2d_keep
	[ "$b2d_code" = 0 ]
}

# Hundredths of a second since the host started.
b2d_uptime() {
	read -r b2d_now b2d_x </proc/uptime
	echo "${b2d_now%.*}${b2d_now#*.}"
}

b2d_main() {
	b2d_main= b2d_code=0 b2d_elapsed=0 b2d_peak=0 b2d_job= b2d_comparable=no b2d_output=0 b2d_words= b2d_interrupted=no
	b2d_slot=$1
	b2d_shared=$b2d_slot/shared
	b2d_private=${B2D_PRIVATE:-/.boinc2docker}
	b2d_box=$b2d_slot/busybox
	"$b2d_box" mkdir -p "$b2d_private" || exit 206
	if [ -f "$b2d_private/finished" ] && [ -f "$b2d_shared/results.tgz" ]; then
		# The wrapper was away when the job ended, and starts the container again.
		read -r b2d_code <"$b2d_private/finished"
		b2d_say "The job had ended with exit code $b2d_code already."
		exit "$b2d_code"
	fi
	"$b2d_box" rm -rf "$b2d_private"
	"$b2d_box" mkdir -p "$b2d_private/bin"
	# Others may run the busybox in it, but not look around.
	"$b2d_box" chmod 711 "$b2d_private" "$b2d_private/bin"
	"$b2d_box" cp "$b2d_slot/busybox" "$b2d_private/bin/busybox" || b2d_refuse 'The container has no room for our tools. Is the disk full?'
	"$b2d_box" chmod 755 "$b2d_private/bin/busybox"
	b2d_box=$b2d_private/bin/busybox b2d_shell=$b2d_private/bin/sh
	"$b2d_box" ln -s busybox "$b2d_shell"
	umask 077
	"$b2d_box" mkfifo "$b2d_private/output"
	# Programs may open /dev/stdout again.
	"$b2d_box" chmod 622 "$b2d_private/output"
	b2d_session=$("$b2d_box" cut -d ' ' -f 6 /proc/$$/stat)
	trap 'b2d_forward TERM' TERM
	trap 'b2d_forward INT' INT
	b2d_clear_shared
	b2d_read_parameters
	b2d_hide_account
	b2d_find_gpu
	b2d_find_user
	b2d_find_cgroup
	b2d_move_inputs
	b2d_prepare_shared
	# Room for the report, should the program fill the disk.
	"$b2d_box" dd if=/dev/zero of="$b2d_private/room" bs=65536 count=32 2>/dev/null
	b2d_started=$(b2d_uptime)
	if b2d_run_step B before; then
		b2d_run A
		b2d_say_end
		b2d_run_step F after
	fi
	b2d_finish
}

b2d_say_end() {
	b2d_elapsed=$(($(b2d_uptime) - b2d_started))
	b2d_elapsed=$((b2d_elapsed / 100)).$((b2d_elapsed / 10 % 10))
	[ ! -f "$b2d_private/peak" ] || read -r b2d_peak <"$b2d_private/peak"
	b2d_say "The program ended with exit code $b2d_code after $b2d_elapsed s. It used up to $(((b2d_peak + 999999) / 1000000)) MB of memory."
}

# One compound command, so that the whole file is read before the program can change it.
{
	b2d_main "$(cd "${0%/*}" && pwd)"
	exit
}

#!/bin/sh
# The main program of container jobs on hosts with Linux: sees to the images of earlier jobs and to who builds this one's,
# then becomes docker_wrapper, with the same process id and arguments. An installation fills in the name of its file.
#
# Our images keep their names, so that the next job finds its image ready (image_name in job.toml). Somebody must remove
# them: BOINC's client does so when it starts, which may be months ago, and not on Docker, for it looks for names that
# begin with localhost/. So a job whose image must be built makes room first. An image goes when it is ours, no job in a
# slot of this client names it, it is not among the $keep others that were built last, and no container has it, which
# the engine sees to. Whatever fails here, the job starts.
#
# Jobs of one image that start at the same time would each build it, and all but one of these would stay on the disk
# without a name. So one builds, and the others wait for it.
#
# The container of a job can write to its slot. So the wrapper is run from the folder that this script is in, where
# signed files are, and what is read from slots is only compared.

wrapper=${0%/*}/@WRAPPER@
label=org.boinc.boinc2docker.image
keep=3
# For each step. BOINC takes a task for dead that does not read a message within three minutes, and starts it again.
seconds=20
# For the build of another job, and for our own. Being started again while we wait does no harm.
patience=1200
pause=1

host_has() {
	sed -n "s/.*<$1>\([0-9]*\).*/\1/p" init_data.xml 2>/dev/null | head -n 1
}

# BuildKit keeps what it built when the image is removed, and Docker 28 or older does not bound that by itself; the
# other builder keeps nothing.
choose_builder() {
	case $(host_has docker_version) in
	[0-9] | 1[0-9] | 2[0-8]) export DOCKER_BUILDKIT=0 ;;
	esac
}

within_time() {
	timeout -k 2 "$seconds" "$engine" "$@" 2>/dev/null 8<&- 9<&-
}

named_in() {
	head -c 4096 "$1" | sed -n 's/^image_name = "\(.*\)"$/\1/p'
}

is_there() {
	within_time image inspect --format . "$image" >/dev/null
}

# Names, built last first. Podman puts a word in front of them.
our_images() {
	within_time image ls --filter label=$label --format '{{.Repository}}' | sed -n 's,^\(localhost/\)*\(boinc__b2d_\),\2,p'
}

named_in_slots() {
	for job in ../*/job.toml; do
		if [ -f "$job" ]; then
			named_in "$job"
		fi
	done
}

remove_old_images() {
	# One slot at a time: a job that is set up while we remove looks for its image after that.
	if command -v flock >/dev/null; then
		flock -w "$seconds" 9 || return
	fi
	end=$(($(date +%s) + seconds))
	others=0
	our_images | while read -r old; do
		if named_in_slots | grep -qxF "$old"; then
			continue
		fi
		others=$((others + 1))
		if [ "$others" -le "$keep" ]; then
			continue
		fi
		if [ "$(date +%s)" -ge "$end" ]; then
			break
		fi
		if within_time image rm "$old" >/dev/null; then
			echo "Removed $old, the image of earlier jobs." >&2
		fi
	done
	# What lost its name when two slots built it at once, or comes of a build that was broken off. One that runs now is younger.
	within_time image prune --force --filter label=$label --filter until=1h >/dev/null
}

# Returns when the image is there, or when this job may build it.
wait_for_turn() {
	if command -v flock >/dev/null && flock -w "$patience" 8 && ! is_there; then
		# Has the lock while the wrapper builds; no child of it, which would have to care for its end.
		(keep_turn </dev/null >/dev/null 2>&1 &)
	fi
}

# The wrapper will have the process id of this script.
keep_turn() {
	end=$(($(date +%s) + patience))
	while kill -0 $$ && ! is_there && [ "$(date +%s)" -lt "$end" ]; do
		sleep "$pause"
	done
}

see_to_images() {
	image=$(named_in job.toml)
	case $image in
	*[!0-9a-z_]*) ;;
	boinc__b2d_*)
		if ! is_there; then
			# The folder of all slots is what is locked, and that of the project.
			(remove_old_images) 9<..
			wait_for_turn 8<"${0%/*}"
		fi
		;;
	esac
}

engine=
case $(host_has docker_type) in
1)
	engine=docker
	choose_builder
	;;
2) engine=podman ;;
esac
if [ -n "$engine" ] && [ -f job.toml ] && command -v timeout >/dev/null; then
	see_to_images
fi
exec "$wrapper" "$@"

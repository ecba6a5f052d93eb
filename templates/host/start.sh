#!/bin/sh
# The main program of container jobs on hosts with Linux: makes room where the engine is Docker, then becomes
# docker_wrapper, with the same process id and arguments. An installation fills in the name of its file.
#
# Our images keep their names, so that the next job finds its image ready (image_name in job.toml), and on Docker nobody
# else removes them: BOINC's client looks for names that begin with localhost/, which only Podman prints. An image goes
# when it is ours, no job in a slot of this client names it, it is not among the $keep others that were built last, and
# no container has it, which Docker sees to. Whatever fails here, the job starts.
#
# The container of a job can write to its slot. So the wrapper is run from the folder that this script is in, where
# signed files are, and what is read from slots is only compared.

wrapper=${0%/*}/@WRAPPER@
label=org.boinc.boinc2docker.image
keep=3
# For each step. BOINC gives a task three minutes before it takes it for dead.
seconds=20

engine_is_docker() {
	grep -q '<docker_type>1</docker_type>' init_data.xml 2>/dev/null
}

# BuildKit keeps what it built when the image is removed, and Docker 28 or older does not bound that by itself; the
# other builder keeps nothing.
choose_builder() {
	case $(sed -n 's/.*<docker_version>\([0-9]*\)\..*/\1/p' init_data.xml) in
	[0-9] | 1[0-9] | 2[0-8]) export DOCKER_BUILDKIT=0 ;;
	esac
}

docker_within_time() {
	timeout -k 2 "$seconds" docker "$@" 2>/dev/null 9<&-
}

# Names, built last first.
our_images() {
	docker_within_time image ls --filter label=$label --format '{{.Repository}}' | grep '^boinc__b2d_'
}

named_in_slots() {
	for job in ../*/job.toml; do
		if [ -f "$job" ]; then
			head -c 4096 "$job" | sed -n 's/^image_name = "\(.*\)"$/\1/p'
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
	our_images | while read -r image; do
		if named_in_slots | grep -qxF "$image"; then
			continue
		fi
		others=$((others + 1))
		if [ "$others" -le "$keep" ]; then
			continue
		fi
		if [ "$(date +%s)" -ge "$end" ]; then
			break
		fi
		if docker_within_time image rm "$image" >/dev/null; then
			echo "Removed $image, the image of earlier jobs." >&2
		fi
	done
	# What lost its name when two slots built it at once, or comes of a build that was broken off. One that runs now is younger.
	docker_within_time image prune --force --filter label=$label --filter until=1h >/dev/null
}

if engine_is_docker; then
	choose_builder
	if command -v timeout >/dev/null; then
		# The folder of all slots is what is locked.
		(remove_old_images) 9<..
	fi
fi
exec "$wrapper" "$@"

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
keep=3
# For each of: waiting for another slot, listing, removing. BOINC gives a task three minutes before it takes it for dead.
seconds=20

engine_is_docker() {
	grep -q '<docker_type>1</docker_type>' init_data.xml && command -v timeout && command -v docker
} >/dev/null 2>&1

docker_within_time() {
	timeout -k 2 "$seconds" docker "$@" 2>/dev/null 9<&-
}

# Lines “NAME ID”, built last first. An image that lost its name to a newer one is called <none>.
our_images() {
	docker_within_time image ls --filter label=org.boinc.boinc2docker.image --format '{{.Repository}} {{.ID}}'
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
	our_images | while read -r name id; do
		case $name in
		boinc__b2d_*)
			if named_in_slots | grep -qxF "$name"; then
				continue
			fi
			others=$((others + 1))
			if [ "$others" -le "$keep" ]; then
				continue
			fi
			image=$name
			;;
		'<none>') image=$id ;;
		*) continue ;;
		esac
		if [ "$(date +%s)" -ge "$end" ]; then
			break
		fi
		if docker_within_time image rm "$image" >/dev/null; then
			echo "Removed $image, the image of earlier jobs." >&2
		fi
	done
}

if engine_is_docker; then
	# The folder of all slots is what is locked.
	(remove_old_images) 9<..
fi
exec "$wrapper" "$@"

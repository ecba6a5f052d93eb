# Functions of the guest: logging, the description of a job, sizes, the container's configuration. Read by init and b2d-run.
# Nothing here runs by itself, so that tests can call each function on any machine.
# shellcheck shell=sh

B2D_SLOT=${B2D_SLOT:-/boinc}
B2D_RUN=${B2D_RUN:-/run/b2d}
B2D_DISK=${B2D_DISK:-/disk}

# Seconds since the start, for people.
uptime_seconds() {
	read -r now rest </proc/uptime
	echo "$now"
}

# Writes a line into the log in the slot, to the console, and into VirtualBox's log, from where the wrapper copies it to
# the job's stderr: few lines, therefore. The log is opened anew each time, for the share may lose open files.
log() {
	printf '%9s %s\n' "$(uptime_seconds)" "$*" >>"$B2D_SLOT/b2d_vm.log"
	printf '<3>boinc2docker: %s\n' "$*" >/dev/kmsg
	printf 'boinc2docker: %s\n' "$*" | guestlog
} 2>/dev/null

# Tells the project something: it is in the completion message.
say() {
	printf 'boinc2docker: %s\n' "$*" >>"$B2D_RUN/sentences"
	log "$*"
}

# Ends the run of a job with code $1 and a sentence.
refuse() {
	refuse_code=$1
	shift
	say "$@"
	exit "$refuse_code"
}

# Loads the drivers for the device $1 as named in the list that the build made. Before the first container the list goes.
load_drivers() {
	[ -f /lib/modules/drivers ] || return 0
	while read -r driver_device driver_modules; do
		[ "$driver_device" = "$1" ] || continue
		for driver_module in $driver_modules; do
			[ -d "/sys/module/$driver_module" ] || insmod "/lib/modules/$driver_module.ko"
		done
	done </lib/modules/drivers
}

# Loads drivers for all devices on the PCI bus; $1 is "" or "network/".
load_pci_drivers() {
	for pci_device in /sys/bus/pci/devices/*; do
		read -r pci_vendor <"$pci_device/vendor"
		read -r pci_id <"$pci_device/device"
		read -r pci_class <"$pci_device/class"
		load_drivers "$1${pci_vendor#0x}:${pci_id#0x}"
		[ -n "$1" ] || load_drivers "class/$(printf %s "${pci_class#0x}" | cut -c 1-4)"
	done
}

# Sets the clock by the host's: the host gives a new file its time. A VM's own clock is local time on some hosts, and
# stands while the VM is paused.
sync_clock() {
	: >"$B2D_SLOT/b2d_vm_clock" || return 0
	clock_host=$(stat -c %Y "$B2D_SLOT/b2d_vm_clock")
	rm -f "$B2D_SLOT/b2d_vm_clock"
	clock_off=$((clock_host - $(date +%s)))
	if [ $clock_off -gt 2 ] || [ $clock_off -lt -2 ]; then
		date -s "@$clock_host" >/dev/null
		log "The clock was set by $clock_off s."
	fi
}

is_number() {
	case $1 in '' | *[!0-9]*) return 1 ;; esac
	[ ${#1} -le 15 ]
}

# A word as in parameter tables: plain characters, and bytes as \0ooo.
is_word() {
	case $1 in *[!A-Za-z0-9_./:=,@%+\\-]*) return 1 ;; esac
}

# Reads the description of a job, the file $1, into job_… variables; the packs go line by line into $B2D_RUN/packs, those
# with corrections of times into $B2D_RUN/times, the words of the environment into $B2D_RUN/env. Ends with 206 if it cannot
# be followed.
read_description() {
	[ -f "$1" ] || refuse 206 "The file b2d_vm, which tells the VM what to run, is missing."
	job_image='' job_architecture='' job_tree_bytes=0 job_tree_entries=0 job_network=none job_disk=0 job_dir=/
	: >"$B2D_RUN/packs"
	: >"$B2D_RUN/times"
	: >"$B2D_RUN/env"
	read -r description_key description_version description_rest <"$1"
	[ "$description_key" = b2d_vm ] || refuse 206 "The file b2d_vm is no description of a job."
	[ "$description_version" = 1 ] || refuse 206 "The job is described in version $description_version, and this VM knows version 1: the app's VM image is too old."
	while read -r description_key description_a description_b description_c description_rest || [ -n "$description_key" ]; do
		case $description_key in
		image) job_image=$description_a ;;
		architecture) job_architecture=$description_a ;;
		pack)
			is_number "$description_b" && [ ${#description_a} = 64 ] || description_c=
			case $description_a/$description_c in *[!A-Za-z0-9_./-]* | */ | */*/*) refuse 206 "The list of packs in b2d_vm cannot be read: $description_a $description_b $description_c" ;; esac
			echo "$description_a $description_b $description_c" >>"$B2D_RUN/packs"
			;;
		tree)
			is_number "$description_a" && is_number "$description_b" || refuse 206 "The size of the image in b2d_vm is no number."
			job_tree_bytes=$description_a job_tree_entries=$description_b
			;;
		network) job_network=$description_a ;;
		disk)
			is_number "$description_a" || refuse 206 "The size of the disk in b2d_vm is no number."
			job_disk=$description_a
			;;
		times)
			case $description_a in '' | *[!A-Za-z0-9_.-]*) description_b= ;; esac
			[ -n "$description_b" ] && is_word "$description_b" || refuse 206 "The corrections of times in b2d_vm cannot be read: $description_a $description_b"
			echo "$description_a $description_b" >>"$B2D_RUN/times"
			;;
		env | dir)
			is_word "$description_a" || refuse 206 "A word in b2d_vm has characters that it must not have: $description_a"
			case $description_key$description_a in
			dir*) job_dir=${description_a:-/} ;;
			env*=*) printf '%s\n' "$description_a" >>"$B2D_RUN/env" ;;
			esac
			;;
		esac
		description_key=
	done <"$1"
	[ -s "$B2D_RUN/packs" ] || refuse 206 "The job has no packs: b2d_vm lists none, so there is no image to run."
	case $job_network in none | nat) ;; *) refuse 206 "The job wants the network \"$job_network\", and a VM has none or nat." ;; esac
}

# Docker's word for this machine.
machine_architecture() {
	case $(uname -m) in
	x86_64) echo amd64 ;;
	aarch64) echo arm64 ;;
	*) uname -m ;;
	esac
}

# Checks that the image is for this machine, and that its packs are there in the folder $1 in full length.
check_job() {
	check_machine=$(machine_architecture)
	[ "${job_architecture:-$check_machine}" = "$check_machine" ] || refuse 206 "The image is for $job_architecture, and this VM runs $check_machine."
	while read -r check_hash check_size check_name; do
		[ -f "$1/$check_name" ] || refuse 206 "The pack $check_name of the image is missing."
		check_there=$(stat -c %s "$1/$check_name")
		[ "$check_there" = "$check_size" ] || refuse 206 "The pack $check_name of the image has $check_there bytes instead of $check_size."
	done <"$B2D_RUN/packs"
}

# Inodes that the job's file system gets: what the image has, and what a program may make.
disk_inodes() {
	echo $((job_tree_entries + job_tree_entries / 8 + 8192 + job_disk / 16384))
}

# Size of the job's file system in KiB: contents in whole blocks, what the program may write, inodes, and some room.
disk_kilobytes() {
	disk_bytes=$((job_tree_bytes + job_tree_entries * 4096 + job_disk + $(disk_inodes) * 256))
	echo $(((disk_bytes + disk_bytes / 20) / 1024 + 16384))
}

# Makes the job's file system on the VM's disk and mounts it. Whatever an earlier try left is gone with it; what it holds
# needs no journal, for nobody reads it after a power cut.
make_disk() {
	load_drivers disk
	! grep -q " $B2D_DISK " /proc/mounts || umount "$B2D_DISK"
	disk_tries=0 disk_device=
	until [ -n "$disk_device" ]; do
		for disk_block in /sys/block/sd*; do
			[ -b "/dev/${disk_block##*/}" ] && disk_device=/dev/${disk_block##*/} && break
		done
		disk_tries=$((disk_tries + 1))
		[ $disk_tries -le 300 ] || refuse 206 "The VM has no disk."
		[ -n "$disk_device" ] || usleep 100000
	done
	disk_kb=$(disk_kilobytes)
	disk_has=$(($(cat "/sys/block/${disk_device##*/}/size") / 2))
	[ $disk_kb -le $disk_has ] || refuse 196 "The job needs a disk of $((disk_kb / 1024)) MiB, and that of the VM has $((disk_has / 1024)) MiB."
	/usr/sbin/mke2fs -q -F -t ext4 -b 4096 -I 256 -m 0 -N "$(disk_inodes)" -O '^has_journal,^resize_inode,^metadata_csum,uninit_bg' \
		-E lazy_itable_init=1,nodiscard "$disk_device" "${disk_kb}k" >"$B2D_RUN/mke2fs" 2>&1 ||
		refuse 206 "The VM's disk cannot be formatted: $(tail -n 1 "$B2D_RUN/mke2fs")"
	mount -t ext4 -o noatime,nodiscard,noinit_itable,errors=remount-ro "$disk_device" "$B2D_DISK" ||
		refuse 206 "The VM's disk cannot be mounted."
}

# The runner has freed a little room for its report before this is asked.
disk_is_full() {
	[ "$(stat -f -c %a "$B2D_DISK")" -lt 1024 ] || [ "$(stat -f -c %d "$B2D_DISK")" -lt 1 ]
}

# Prints the hard links of the pack $1, each as TIME//NAME//TARGET and a NUL. GNU tar writes names with escapes, spaces too;
# sed turns those into printf's. A newline, which no line has, stands for a backslash meanwhile.
hard_links() {
	gzip -dc <"$1" |
		gtar -t -v -f - --utc --full-time --numeric-owner --quoting-style=escape --quote-chars=' ' |
		sed -n '/^h.* link to / {
			s|^[^ ]* [^ ]*  *[0-9]* \([^ ]* [^ ]*\) \(.*\) link to \(.*\)$|\1//\2//\3|
			s|\\\\|\n|g
			s|\\\([0-7][0-7][0-7]\)|\\0\1|g
			s|\\ |\\0040|g
			s|\n|\\0134|g
			p
		}' |
		while read -r links_line; do printf '%b\0' "$links_line"; done
}

# Sets times by what hard_links prints: $1 is the root file system, $2 the name of the links that count. A folder that is
# reached by a symbolic link is not entered: it may lead out of the root file system.
# shellcheck disable=SC2016
b2d_set_times='root=$1 name=$2; shift 2
for link; do
	rest=${link#*//}
	case $rest in "$name//"*) target=${rest#"$name//"} ;; *) continue ;; esac
	case $target in */*) folder=$root/${target%/*} ;; *) folder=$root ;; esac
	file=./${target##*/}
	cd -P "$folder" && [ "$PWD" = "$folder" ] && { [ -e "$file" ] || [ -L "$file" ]; } && touch -h -c -d "${link%%//*}" "$file" && continue
	printf "%s\n" "$target" >&2
	exit 1
done'

# Sets the times that the pack $1 in the folder $2 corrects: hard links whose name is that of its line "times" have the time of
# the file that they lead to. The builders of Docker and Podman set it when they make the link, and GNU tar does not.
correct_times() {
	correct_root=$(cd "$B2D_DISK/rootfs" && pwd -P)
	while read -r correct_pack correct_name; do
		[ "$correct_pack" = "$1" ] || continue
		correct_name=$(printf %b_ "$correct_name")
		(
			set -o pipefail
			hard_links "$2/$1" | TZ=UTC0 xargs -0 -r sh -c "$b2d_set_times" sh "$correct_root" "${correct_name%_}"
		) 2>"$B2D_RUN/unpack" || refuse 206 "A time that the pack $1 of the image corrects cannot be set: $(tail -n 1 "$B2D_RUN/unpack")"
	done <"$B2D_RUN/times"
}

# Unpacks the packs from the folder $1, each when its checksum was right.
unpack_image() {
	mkdir -p "$B2D_DISK/rootfs"
	while read -r pack_hash pack_size pack_name; do
		pack_got=$(sha256sum <"$1/$pack_name")
		pack_got=${pack_got%% *}
		[ "$pack_got" = "$pack_hash" ] || refuse 206 "The pack $pack_name of the image is damaged: its SHA-256 is $pack_got instead of $pack_hash."
		if (
			set -o pipefail
			gzip -dc <"$1/$pack_name" |
				gtar -x -p -f - -C "$B2D_DISK/rootfs" --numeric-owner --same-owner --xattrs --xattrs-include='*' --warning=no-timestamp
		) >"$B2D_RUN/unpack" 2>&1; then
			correct_times "$pack_name" "$1"
		else
			! disk_is_full || refuse 196 "The image does not fit on the disk of $(($(disk_kilobytes) / 1024)) MiB that the job asked for."
			refuse 206 "The pack $pack_name of the image cannot be unpacked: $(grep -v 'future' "$B2D_RUN/unpack" | head -n 1)"
		fi
	done <"$B2D_RUN/packs"
}

# A word in JSON: the backslash is all that needs care.
json_word() {
	printf '"%s"' "$(printf %s "$1" | sed 's/\\/\\\\/g')"
}

# Memory for the container in bytes: the VM's, less what the guest's own few processes need. Files in the cache count, but the
# kernel drops them when memory is short.
container_memory() {
	memory_total=$(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo)
	echo $(((memory_total - 24576) * 1024))
}

# The container's first command, in JSON. It applies what the image says about environment and folder, as a Dockerfile
# would, and becomes the runner. Arguments: the folder and NAME=value words, encoded.
# shellcheck disable=SC2016
b2d_enter='for b2d_word; do b2d_value=$(printf %b_ \"$b2d_word\"); set -- \"$@\" \"${b2d_value%_}\"; shift; done; /boinc/busybox mkdir -p \"$1\"; cd \"$1\"; shift; exec /boinc/busybox env \"$@\" /boinc/busybox sh /boinc/runner'

# Prints the configuration of the container. Its powers are those that docker_wrapper's containers have: src/job/jobToml.ts.
container_config() {
	config_capabilities='["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_KILL", "CAP_SETGID", "CAP_SETUID"]'
	cat <<-END
		{
			"ociVersion": "1.0.2",
			"hostname": "boinc",
			"root": { "path": "$B2D_DISK/rootfs" },
			"process": {
				"user": { "uid": 0, "gid": 0 },
				"cwd": "/",
				"env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOSTNAME=boinc", "HOME=/root"],
				"args": [
					"/boinc/busybox", "sh", "-c", "$b2d_enter", "sh", $(json_word "$job_dir")$(while read -r word; do printf ', %s' "$(json_word "$word")"; done <"$B2D_RUN/env")
				],
				"capabilities": {
					"bounding": $config_capabilities,
					"permitted": $config_capabilities,
					"effective": $config_capabilities
				},
				"noNewPrivileges": true,
				"oomScoreAdj": 500,
				"rlimits": [{ "type": "RLIMIT_NOFILE", "hard": 1048576, "soft": 1048576 }]
			},
			"mounts": [
				{ "destination": "/proc", "type": "proc", "source": "proc" },
				{ "destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "strictatime", "mode=755", "size=65536k"] },
				{ "destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"] },
				{ "destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"] },
				{ "destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue", "options": ["nosuid", "noexec", "nodev"] },
				{ "destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"] },
				{ "destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["nosuid", "noexec", "nodev", "relatime", "ro"] },
				{ "destination": "/etc/resolv.conf", "type": "bind", "source": "$B2D_RUN/resolv.conf", "options": ["bind"] },
				{ "destination": "/etc/hosts", "type": "bind", "source": "$B2D_RUN/hosts", "options": ["bind"] },
				{ "destination": "/etc/hostname", "type": "bind", "source": "$B2D_RUN/hostname", "options": ["bind"] },
				{ "destination": "/boinc", "type": "bind", "source": "$B2D_DISK/slot", "options": ["bind"] },
				{ "destination": "/boinc/shared", "type": "bind", "source": "$B2D_SLOT/shared", "options": ["bind"] },
				{ "destination": "/boinc/shared/results", "type": "bind", "source": "$B2D_DISK/results", "options": ["bind"] }
			],
			"linux": {
				"cgroupsPath": "/job",
				"resources": {
					"memory": { "limit": $(container_memory) },
					"pids": { "limit": 4096 },
					"devices": [{ "allow": true }]
				},
				"namespaces": [{ "type": "pid" }, { "type": "ipc" }, { "type": "uts" }, { "type": "mount" }, { "type": "cgroup" }],
				"maskedPaths": ["/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware"],
				"readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
			}
		}
	END
}

# Starts what asks for the network's address; it goes on when there is none yet, for the client may plug the cable in later.
start_network() {
	load_pci_drivers network/
	for network_device in /sys/class/net/*; do
		network_device=${network_device##*/}
		[ "$network_device" != lo ] || continue
		ip link set "$network_device" up
		udhcpc -f -i "$network_device" -t 8 -T 1 -A 20 -s /lib/b2d/udhcpc.sh >/dev/null 2>&1 &
	done
}

# Waits up to 10 s for the network; not that long when no adapter has a cable.
await_network() {
	network_tries=0
	while [ ! -f "$B2D_RUN/online" ] && [ $network_tries -lt 100 ]; do
		[ $network_tries -lt 30 ] || cat /sys/class/net/[!l]*/carrier 2>/dev/null | grep -q 1 || break
		usleep 100000
		network_tries=$((network_tries + 1))
	done
	[ -f "$B2D_RUN/online" ] || say "The VM has got no network address; the program starts without."
}

# Makes the container's view of the slot. The slot itself holds the VM's own files, which are no business of a program, and on
# VirtualBox's share everybody may read the volunteer's account key in init_data.xml; the runner blanks that in the copy.
make_slot_view() {
	mkdir -p "$B2D_DISK/slot/shared" "$B2D_DISK/results" "$B2D_SLOT/shared/results"
	for slot_file in busybox runner b2d_params init_data.xml; do
		[ ! -f "$B2D_SLOT/$slot_file" ] || cp "$B2D_SLOT/$slot_file" "$B2D_DISK/slot/$slot_file" || refuse 206 "The file $slot_file of the job cannot be read."
	done
	[ -f "$B2D_DISK/slot/runner" ] && [ -f "$B2D_DISK/slot/busybox" ] || refuse 206 'The app version lacks the runner or its busybox.'
	chmod 755 "$B2D_DISK/slot/busybox"
	chmod 777 "$B2D_DISK/results"
	if [ -f "$B2D_DISK/slot/init_data.xml" ]; then
		chmod 600 "$B2D_DISK/slot/init_data.xml"
	fi
}

# Takes the progress, which the runner keeps beside itself, to where the wrapper reads it.
carry_progress() {
	carried=
	while sleep 3; do
		read -r fraction <"$B2D_DISK/slot/fraction_done" || continue
		[ "$fraction" != "$carried" ] || continue
		carried=$fraction
		echo "$fraction" >"$B2D_SLOT/fraction_done.new" && mv "$B2D_SLOT/fraction_done.new" "$B2D_SLOT/fraction_done"
	done
}

# What the kernel wrote when it ended a process because memory was used up, since the container started.
killed_for_memory() {
	dmesg | sed -n 's/.*[Oo]ut of memory: Killed process [0-9]* (\(.*\)).*total-vm.*/\1/p' | tail -n 1
}

# Writes the completion file of code $1: sentences, then the end of the output. It gets its name when it is complete, for
# the wrapper reads it the moment it sees it. Its room was reserved at the start.
write_completion() {
	{
		printf '%s\n0\n' "$1"
		cat "$B2D_RUN/sentences"
		tail -c 16384 "$B2D_RUN/output"
	} 2>/dev/null >"$B2D_RUN/completion"
	# Wrapper and volunteer see text; the program's output may be anything.
	tr -d '\000' <"$B2D_RUN/completion" | dd of="$B2D_SLOT/b2d_vm_done.new" bs=65536 conv=notrunc 2>/dev/null
	completion_size=$(tr -d '\000' <"$B2D_RUN/completion" | wc -c)
	truncate -s "$completion_size" "$B2D_SLOT/b2d_vm_done.new"
	[ "$(stat -c %s "$B2D_SLOT/b2d_vm_done.new")" = "$completion_size" ] || return 1
	sync
	mv "$B2D_SLOT/b2d_vm_done.new" "$B2D_SLOT/b2d_vm_done"
}

# Reserves the room of the completion file, so that a full disk of the volunteer cannot make a failure look like a success.
reserve_completion() {
	rm -f "$B2D_SLOT/b2d_vm_done.new"
	dd if=/dev/zero of="$B2D_SLOT/b2d_vm_done.new" bs=1024 count=24 2>/dev/null
}

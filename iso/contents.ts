/** Debian's release that the image is made of. */
export const RELEASE = 'trixie';

/** The package that depends on the current kernel. */
export const KERNEL_META = 'linux-image-amd64';

/** Packages of which something is in the image. The kernel is added when a lock is made. */
export const IMAGE_PACKAGES = [
	'busybox-static',
	'crun',
	'e2fsprogs',
	'isolinux',
	'libacl1',
	'libblkid1',
	'libc6',
	'libcap2',
	'libcom-err2',
	'libext2fs2t64',
	'libseccomp2',
	'libuuid1',
	'libyajl2',
	'syslinux-common',
	'tar',
] as const;

/** Packages that only build the image: xorriso and xz with their libraries. */
export const TOOL_PACKAGES = [
	'libburn4t64',
	'libbz2-1.0',
	'libgcc-s1',
	'libisoburn1t64',
	'libisofs6t64',
	'libjte2',
	'liblzma5',
	'libreadline8t64',
	'libtinfo6',
	'xorriso',
	'xz-utils',
	'zlib1g',
] as const;

/** Programs in the image besides busybox, with their paths in packages and in the image. */
export const PROGRAMS = [
	{ package: 'crun', file: 'usr/bin/crun', target: 'usr/bin/crun' },
	{ package: 'tar', file: 'usr/bin/tar', target: 'usr/bin/gtar' },
	{ package: 'e2fsprogs', file: 'usr/sbin/mke2fs', target: 'usr/sbin/mke2fs' },
] as const;

/**
 * Libraries that stay out: crun's for systemd, tar's for SELinux. There is neither in the guest, so functions that do nothing
 * and return 0 ("not there") take their place, which makes the image 1 MB smaller.
 */
export const STAND_INS = ['libsystemd.so.0', 'libselinux.so.1'] as const;

/**
 * Kernel modules by the device they are for; what they depend on comes along. Ids are those of PCI: `VENDOR:DEVICE`, or
 * `class CLASS`. `always` are loaded when the disk is used: ext4 asks for crc32c without saying so in `depends=`.
 */
export const DRIVERS: readonly { readonly on: string; readonly modules: readonly string[] }[] = [
	// VirtualBox: shared folders and guest log.
	{ on: '80ee:cafe', modules: ['vboxguest', 'vboxsf'] },
	// QEMU, for tests: shared folders by 9p.
	{ on: '1af4:1009', modules: ['9pnet_virtio', '9p'] },
	{ on: '1af4:1049', modules: ['9pnet_virtio', '9p'] },
	// The disk.
	{ on: 'class 0106', modules: ['ahci', 'sd_mod'] },
	{ on: 'disk', modules: ['crc32c_generic', 'ext4'] },
	// Network adapters; loaded only for a job that may use the network.
	{ on: 'network 1af4:1000', modules: ['virtio_net'] },
	{ on: 'network 1af4:1041', modules: ['virtio_net'] },
	{ on: 'network 8086:100e', modules: ['e1000'] },
	{ on: 'network 8086:100f', modules: ['e1000'] },
	{ on: 'network 8086:1004', modules: ['e1000'] },
	{ on: 'network 1022:2000', modules: ['pcnet32'] },
];

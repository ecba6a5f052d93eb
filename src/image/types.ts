import type { Content } from '../common/content.js';

/** What an image says about running it, from its config. Docker's rules apply to empty lists. */
export interface ImageConfig {
	/** Docker's words: `linux`, `windows`. */
	readonly os: string;
	/** Docker's words: `amd64`, `arm64`, … */
	readonly architecture: string;
	readonly entrypoint: readonly string[];
	readonly cmd: readonly string[];
	/** `NAME=value` each. */
	readonly env: readonly string[];
	/** Empty means `/`. */
	readonly workingDir: string;
	/** `name`, `uid`, `name:group`, `uid:gid`; empty means root. */
	readonly user: string;
	readonly labels: Readonly<Record<string, string>>;
}

/** One gzip'd tar with a disjoint part of the flattened image. */
export interface Pack {
	/**
	 * Physical name `b2d_pack_<hash>.tar.gz`; the hash is of the compressed file. Equal parts have equal names on all
	 * machines whose zlib compresses alike; different contents never have one name.
	 */
	readonly name: string;
	/** Bytes of the tar. */
	readonly unpackedSize: number;
	/** The gzip'd file. */
	readonly content: Content;
	readonly entries: number;
}

/** An image that is ready to travel. */
export interface PackedImage {
	/** Hash of the flattened tree and config in lower-case hex: equal images have equal ids anywhere. */
	readonly id: string;
	readonly config: ImageConfig;
	/** In the order in which they must be unpacked: directories are described last. */
	readonly packs: readonly Pack[];
	/** Bytes of all regular files in the tree. */
	readonly treeSize: number;
	/** What a builder on a host cannot keep, or what a person should know before submitting; in plain words. */
	readonly warnings: readonly string[];
	/** Removes the temporary files that the packs are in. */
	dispose(): Promise<void>;
}

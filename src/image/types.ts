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

/** A pack as it is known wherever it lies. A pack is a gzip'd tar with a part of a flattened image. */
export interface PackFacts {
	/**
	 * Physical name `b2d_pack_<hash>.tar.gz`; the hash is of the compressed file. Equal parts have equal names on all
	 * machines whose zlib compresses alike; different contents never have one name.
	 */
	readonly name: string;
	/** Bytes of the gzip'd file. */
	readonly size: number;
	/** Of the gzip'd file, in lower-case hex. */
	readonly sha256: string;
	readonly md5: string;
	/** Bytes of the tar. */
	readonly unpackedSize: number;
	/** Entries of the tar. */
	readonly entries: number;
	/** Packs with files are unpacked before those with directories: what is put into a directory changes its time. */
	readonly kind: 'files' | 'directories';
	/** Of one kind, those with a higher number are unpacked later: they replace what is older. */
	readonly generation: number;
	/** Files of earlier packs to which this one gives a time. */
	readonly times: number;
}

/** A pack that was made here. */
export interface Pack extends PackFacts {
	readonly content: Content;
	/** What is in it, as servers keep it beside the packs: a few per cent of a pack. */
	readonly manifest: Content;
}

/** An image in packs, wherever these are. */
export interface ImageFacts {
	/** Hash of the flattened tree and config in lower-case hex: equal images have equal ids anywhere. */
	readonly id: string;
	readonly config: ImageConfig;
	/** Bytes of all regular files in the tree. */
	readonly treeSize: number;
	/** Files, directories and links in the tree. */
	readonly entries: number;
	/** Path of the link to the job's shared folder in the image, without a slash in front; one character a byte. */
	readonly sharedLink: string;
	/** What a builder on a host cannot keep, or what a person should know before submitting; in plain words. */
	readonly warnings: readonly string[];
}

/** An image all of whose packs a server has. */
export interface ShippedImage extends ImageFacts {
	/** In the order in which they must be unpacked. */
	readonly packs: readonly PackFacts[];
}

/** An image all of whose packs were made here. */
export interface PackedImage extends ShippedImage {
	readonly packs: readonly Pack[];
	/** Removes the temporary files that the packs are in. */
	dispose(): Promise<void>;
}

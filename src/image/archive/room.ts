import { BoincError } from '../../common/errors.js';

const MIB = 2 ** 20;

export interface Room {
	/** What is written, for messages. */
	readonly label: string;
	/** Bytes that are free where it is written. */
	readonly freeBytes: () => Promise<number>;
	/** Bytes of packed data that were read so far; `undefined` where nothing is unpacked. */
	readonly packedBytes?: () => number;
}

/** How often the free space is looked at. */
const EVERY = 64 * MIB;
/** What stays free for everything else on the computer. */
const MARGIN = 256 * MIB;
/** From here on the ratio counts. */
const PLENTY = 1024 * MIB;
const MAX_RATIO = 1000;

/**
 * The pieces as they are, until there is no room for them, or they are a bomb.
 *
 * The free space is the true bound, since nothing in an image says how large its unpacked layers are. It is measured
 * again and again, because other programs write there as well. The ratio only saves the minutes that filling a disk
 * takes: a GiB that comes out of less than a MiB is one byte repeated. gzip ends at about 1030 to 1, zstd at
 * 30,000 to 1. A real image has at least a program beside such a file.
 *
 * Throws `disk-full`, or `archive-corrupt` for a bomb.
 */
export async function* withinRoom<T extends Uint8Array>(
	pieces: AsyncIterable<T>,
	room: Room,
): AsyncGenerator<T, void, undefined> {
	let written = 0;
	let checked = 0;
	for await (const piece of pieces) {
		written += piece.length;
		if (written - checked >= EVERY) {
			checked = written;
			await requireSpace(room);
		}
		const packed = room.packedBytes?.() ?? written;
		if (written > PLENTY && written > packed * MAX_RATIO) {
			throw new BoincError(
				'archive-corrupt',
				`The compressed archive (${room.label}) has ${packed} bytes and unpacks to more than ${written}: it is a bomb, or nothing but a huge empty file.`,
				{ remedy: 'Make large empty files when the job runs, not in the image.', detail: { archive: room.label } },
			);
		}
		yield piece;
	}
}

async function requireSpace({ label, freeBytes }: Room): Promise<void> {
	if ((await freeBytes()) < MARGIN) {
		throw noRoom(label);
	}
}

/** The error for a full local disk. */
export const noRoom = (label: string, cause?: unknown): BoincError =>
	new BoincError('disk-full', `There is no room on this computer to unpack the image (${label}).`, {
		remedy: 'Make room in the folder for temporary files, or set TMPDIR to a folder on a larger disk.',
		detail: { archive: label },
		cause,
	});

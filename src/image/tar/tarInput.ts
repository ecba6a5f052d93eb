import { BoincError } from '../../common/errors.js';
import { ForwardReader, type RandomAccess } from '../archive/randomAccess.js';
import { type ByteString, shortName } from './tarHeader.js';

export interface TarRange {
	readonly source: RandomAccess;
	/** First byte of the archive in the source. */
	readonly start: number;
	/** First byte after it. */
	readonly end: number;
	/** What the archive is, for messages: `layer 2`. */
	readonly label: string;
	/** Whether the two empty blocks at the end must be there: without them, whole entries may be missing. */
	readonly endMark?: 'required';
}

/** The bytes of an archive that is being read, and the errors that name an entry of it. */
export class TarInput {
	readonly range: TarRange;
	/** First byte after the archive, or after what there is of it. */
	readonly end: number;
	readonly #reader: ForwardReader;

	/** `reader` is one of the range's source that somebody else uses between two calls. */
	constructor(range: TarRange, reader: ForwardReader = new ForwardReader(range.source)) {
		this.range = range;
		this.end = Math.min(range.end, range.source.size);
		this.#reader = reader;
	}

	/** What `read` would resolve to, if that is at hand. */
	peek(offset: number, length: number): Buffer | undefined {
		return offset + length <= this.end ? this.#reader.peek(offset, length) : undefined;
	}

	/** `length` bytes, fewer where the archive ends. Valid until the next call. */
	async read(offset: number, length: number): Promise<Buffer> {
		return this.#reader.read(offset, Math.max(0, Math.min(length, this.end - offset)));
	}

	/** The error for damage at or after the entry `name`. */
	corrupt(name: ByteString | undefined, why: string): BoincError {
		const entry = name === undefined ? undefined : shortName(name);
		const where = entry === undefined ? 'at its beginning' : `at or after the entry “${entry}”`;
		return new BoincError('archive-corrupt', `The archive (${this.range.label}) is damaged ${where}: ${why}.`, {
			remedy: 'Save the image again, and compare the sizes if the file was copied.',
			detail: { archive: this.range.label, entry },
		});
	}

	/** The error for an entry that is whole, but that no engine or no host could store. */
	unsupported(name: ByteString, what: string, remedy: string): BoincError {
		const entry = shortName(name);
		return new BoincError('image-unsupported', `The entry “${entry}” of the archive (${this.range.label}) ${what}.`, {
			remedy,
			detail: { archive: this.range.label, entry },
		});
	}
}

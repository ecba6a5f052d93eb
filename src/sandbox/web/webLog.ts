import { appendFile, mkdir } from 'node:fs/promises';
import path from 'node:path';

/** Appends lines to files in the project's log folder, in the order of the calls. Never throws: a full disk loses lines. */
export class WebLog {
	#tail: Promise<void> = Promise.resolve();

	constructor(readonly folder: string) {}

	/** A line of the access log in the common log format with referrer and agent. */
	access(entry: AccessEntry): void {
		const agent = entry.agent.replace(/["\\\n\r]/g, '');
		this.#append(
			'access.log',
			`${entry.address} - - [${commonTime(entry.time)}] "${entry.method} ${entry.target.replace(/["\\\n\r]/g, '')} HTTP/${entry.version}" ${entry.status} ${entry.bytes} "-" "${agent}"`,
		);
	}

	/** A line of `scheduler.log`. */
	scheduler(message: string): void {
		this.#append('scheduler.log', stamped(message));
	}

	/** A line of `file_upload_handler.log`. */
	upload(message: string): void {
		this.#append('file_upload_handler.log', stamped(message));
	}

	/** Resolves when everything that was logged so far is in the files. */
	flush(): Promise<void> {
		return this.#tail;
	}

	#append(name: string, line: string): void {
		this.#tail = this.#tail.then(async () => {
			try {
				await mkdir(this.folder, { recursive: true });
				await appendFile(path.join(this.folder, name), `${line}\n`);
			} catch {
				// Requests must be answered even when nothing can be logged.
			}
		});
	}
}

export interface AccessEntry {
	readonly address: string;
	/** Milliseconds since the epoch. */
	readonly time: number;
	readonly method: string;
	readonly target: string;
	readonly version: string;
	readonly status: number;
	/** Bytes of the body that were sent. */
	readonly bytes: number;
	readonly agent: string;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function commonTime(time: number): string {
	const iso = new Date(time).toISOString();
	return `${iso.slice(8, 10)}/${MONTHS[Number(iso.slice(5, 7)) - 1] ?? ''}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`;
}

function stamped(message: string): string {
	const iso = new Date().toISOString();
	return `${iso.slice(0, 10)} ${iso.slice(11, 23)} ${message}`;
}

import { closeSync, existsSync, openSync, readSync, writeSync } from 'node:fs';

const CHANNEL_SIZE = 1024;
const FILE = 'boinc_mmap_file';
/** Position of each channel in the file. */
const CHANNEL = { processControlRequest: 0, heartbeat: 4, appStatus: 5 } as const;
/** A client that says nothing for so long is taken for dead. */
const HEARTBEAT_WITHIN_MS = 30_000;

/** What the client wants at the moment. */
export interface ClientStatus {
	readonly suspended: boolean;
	readonly quit: boolean;
	readonly abort: boolean;
	readonly noHeartbeat: boolean;
	readonly networkSuspended: boolean;
	readonly gotHeartbeat: boolean;
}

/**
 * The messages between client and task: eight channels of 1024 bytes in a file that the client maps into its memory. The
 * first byte of a channel says that a message is there. Reading and writing the file is as good as mapping it, because
 * both go through the same pages. Without the file (an app version without `api_version`) the client counts as always
 * there and content.
 */
export class ClientChannel {
	readonly #file: number | undefined;
	readonly #clientPid: number;
	#suspended = false;
	#quit = false;
	#abort = false;
	#networkSuspended = false;
	#lastHeartbeat = Date.now();
	#gotHeartbeat = false;

	/** `clientPid` 0 means that it is not known. */
	constructor(clientPid: number, file: string = FILE) {
		this.#clientPid = clientPid;
		this.#file = existsSync(file) ? openSync(file, 'r+') : undefined;
		this.#gotHeartbeat = this.#file === undefined;
	}

	get isPresent(): boolean {
		return this.#file !== undefined;
	}

	/** Takes the messages that wait. Call it about every 100 ms: the client sends the next one when this one is taken. */
	poll(): void {
		const request = this.#take(CHANNEL.processControlRequest) ?? '';
		if (request.includes('<suspend/>')) {
			this.#suspended = true;
		}
		if (request.includes('<resume/>')) {
			this.#suspended = false;
		}
		this.#quit ||= request.includes('<quit/>');
		this.#abort ||= request.includes('<abort/>');
		const heartbeat = this.#take(CHANNEL.heartbeat);
		if (heartbeat !== undefined) {
			this.#gotHeartbeat = true;
			this.#networkSuspended = /<network_suspended(?:\/>|>\s*1)/.test(heartbeat);
			if (heartbeat.includes('<heartbeat/>')) {
				this.#lastHeartbeat = Date.now();
			}
		}
	}

	get status(): ClientStatus {
		const silent = this.#file !== undefined && Date.now() - this.#lastHeartbeat > HEARTBEAT_WITHIN_MS;
		return {
			suspended: this.#suspended,
			quit: this.#quit,
			abort: this.#abort,
			noHeartbeat: silent || !this.#clientLives(),
			networkSuspended: this.#networkSuspended,
			gotHeartbeat: this.#gotHeartbeat,
		};
	}

	/** Tells the client how far the task is; false when it has not taken the last message yet. */
	report(status: {
		readonly cpuTime: number;
		readonly fractionDone: number;
		readonly memory: number;
		readonly wantNetwork: boolean;
	}): boolean {
		const text =
			`<current_cpu_time>${status.cpuTime.toExponential(6)}</current_cpu_time>\n` +
			`<checkpoint_cpu_time>${status.cpuTime.toExponential(6)}</checkpoint_cpu_time>\n` +
			`<want_network>${status.wantNetwork ? 1 : 0}</want_network>\n` +
			`<fraction_done>${status.fractionDone.toExponential(6)}</fraction_done>\n` +
			`<wss>${status.memory.toFixed(0)}</wss>\n`;
		return this.#put(CHANNEL.appStatus, text);
	}

	close(): void {
		if (this.#file !== undefined) {
			closeSync(this.#file);
		}
	}

	#clientLives(): boolean {
		if (this.#clientPid <= 0) {
			return true;
		}
		try {
			process.kill(this.#clientPid, 0);
			return true;
		} catch (error) {
			return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
		}
	}

	/** The waiting message; the channel is free afterwards. */
	#take(channel: number): string | undefined {
		if (this.#file === undefined) {
			return undefined;
		}
		const bytes = Buffer.alloc(CHANNEL_SIZE);
		readSync(this.#file, bytes, 0, CHANNEL_SIZE, channel * CHANNEL_SIZE);
		if (bytes[0] === 0) {
			return undefined;
		}
		writeSync(this.#file, Buffer.from([0]), 0, 1, channel * CHANNEL_SIZE);
		const end = bytes.indexOf(0, 1);
		return bytes.toString('latin1', 1, end < 0 ? CHANNEL_SIZE : end);
	}

	#put(channel: number, text: string): boolean {
		if (this.#file === undefined) {
			return true;
		}
		const flag = Buffer.alloc(1);
		readSync(this.#file, flag, 0, 1, channel * CHANNEL_SIZE);
		if (flag[0] !== 0) {
			return false;
		}
		const bytes = Buffer.from(`${text}\0`, 'latin1').subarray(0, CHANNEL_SIZE - 1);
		writeSync(this.#file, bytes, 0, bytes.length, channel * CHANNEL_SIZE + 1);
		writeSync(this.#file, Buffer.from([1]), 0, 1, channel * CHANNEL_SIZE);
		return true;
	}
}

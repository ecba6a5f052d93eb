import type { Duplex } from 'node:stream';

import type { Content } from '../common/content.js';
import type { Argv, Connection, DialAddress, ExecOptions, ExecResult, TransferOptions, TransferReceipt } from './connection.js';
import { download } from './download.js';
import { execute } from './execution.js';
import type { Spawner } from './serverProcess.js';
import { upload } from './upload.js';

export type Dial = (address: DialAddress, signal?: AbortSignal) => Promise<Duplex>;

/** A connection made of two abilities: starting a shell and opening a stream. Every transport is one of these. */
export class ShellConnection implements Connection {
	readonly name: string;

	constructor(
		readonly spawner: Spawner,
		readonly dialer: Dial,
		readonly closer: () => Promise<void>,
		readonly ended: Promise<void>,
	) {
		this.name = spawner.name;
	}

	exec(argv: Argv, options?: ExecOptions): Promise<ExecResult> {
		return execute(this.spawner, argv, options);
	}

	dial(address: DialAddress, signal?: AbortSignal): Promise<Duplex> {
		return this.dialer(address, signal);
	}

	upload(source: Content, path: string, options?: TransferOptions): Promise<TransferReceipt> {
		return upload(this, source, path, options);
	}

	download(path: string, target: string, options?: TransferOptions): Promise<TransferReceipt> {
		return download(this, path, target, options);
	}

	close(): Promise<void> {
		return this.closer();
	}
}

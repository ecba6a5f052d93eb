import { parentPort } from 'node:worker_threads';

import { BoincError, messageOf } from '../../common/errors.js';
import { GunzipRoom } from './gunzipRoom.js';
import { GROUP_BYTES, keepArchive } from './keepArchive.js';
import { Md5Lanes } from './md5Lanes.js';
import { LANES } from './md5Module.js';
import type { ThreadAnswer, ThreadRequest } from './unpacker.js';

const room = new GunzipRoom();
const lanes = new Md5Lanes();
const waiting: ThreadRequest[] = [];
let isBusy = false;
let timer: NodeJS.Timeout | undefined;

/** Milliseconds that a result waits for others at most. */
const PATIENCE = 50;

/** The thread that unpacks results, one after the other; see `createUnpacker`. */
parentPort?.on('message', (request: ThreadRequest) => {
	waiting.push(request);
	if (!isBusy) {
		void keepMany();
	}
});

/** As many results at a time as are hashed together. Fewer wait for others that may come. */
async function keepMany(): Promise<void> {
	clearTimeout(timer);
	isBusy = true;
	while (waiting.length >= LANES || isMuch()) {
		await keepAll(waiting.splice(0, LANES));
	}
	isBusy = false;
	if (waiting.length > 0) {
		timer = setTimeout(() => void keepFew(), PATIENCE);
	}
}

/** Whether one is so large that few others can come with it. */
const isMuch = (): boolean => waiting.some(({ bytes }) => bytes.length > GROUP_BYTES / 4);

async function keepFew(): Promise<void> {
	isBusy = true;
	await keepAll(waiting.splice(0));
	await keepMany();
}

async function keepAll(requests: readonly ThreadRequest[]): Promise<void> {
	const hashed = requests.filter(({ md5 }) => md5 !== undefined);
	const digests = lanes.digests(hashed.map(({ bytes }) => bytes));
	for (const request of requests) {
		await keep(request, digests[hashed.indexOf(request)] ?? '');
	}
}

/** Unpacks one result, and sends its memory back. */
async function keep({ id, bytes, ...request }: ThreadRequest, digest: string): Promise<void> {
	const answer = (message: Omit<ThreadAnswer, 'id' | 'bytes'>): void =>
		parentPort?.postMessage(
			{ ...message, id, bytes } satisfies ThreadAnswer,
			bytes.buffer instanceof ArrayBuffer ? [bytes.buffer] : [],
		);
	try {
		const archive = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
		answer({ kept: await keepArchive(archive, request, { room, digest }) });
	} catch (error) {
		const ours = BoincError.is(error) ? error : undefined;
		const remedy = ours?.remedy === undefined ? {} : { remedy: ours.remedy };
		answer({ error: { message: messageOf(error), ...(ours && { code: ours.code }), ...remedy } });
	}
}

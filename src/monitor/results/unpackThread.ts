import { parentPort } from 'node:worker_threads';

import { BoincError, messageOf } from '../../common/errors.js';
import { GunzipRoom } from './gunzipRoom.js';
import { keepArchive } from './keepArchive.js';
import type { ThreadAnswer, ThreadRequest } from './unpacker.js';

const room = new GunzipRoom();
let last: Promise<void> = Promise.resolve();

/** The thread that unpacks results, one after the other; see `createUnpacker`. */
parentPort?.on('message', (request: ThreadRequest) => {
	last = last.then(() => keep(request));
});

/** Unpacks one result, and sends its memory back. */
async function keep({ id, bytes, ...request }: ThreadRequest): Promise<void> {
	const answer = (message: Omit<ThreadAnswer, 'id' | 'bytes'>): void =>
		parentPort?.postMessage(
			{ ...message, id, bytes } satisfies ThreadAnswer,
			bytes.buffer instanceof ArrayBuffer ? [bytes.buffer] : [],
		);
	try {
		answer({ kept: await keepArchive(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), request, room) });
	} catch (error) {
		const ours = BoincError.is(error) ? error : undefined;
		const remedy = ours?.remedy === undefined ? {} : { remedy: ours.remedy };
		answer({ error: { message: messageOf(error), ...(ours && { code: ours.code }), ...remedy } });
	}
}

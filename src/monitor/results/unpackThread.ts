import { parentPort } from 'node:worker_threads';

import { BoincError, messageOf } from '../../common/errors.js';
import { keepArchive } from './keepArchive.js';
import type { ThreadAnswer, ThreadRequest } from './unpacker.js';

/** The thread that unpacks results; see `createUnpacker`. */
parentPort?.on('message', ({ id, bytes, ...request }: ThreadRequest) => {
	const answer = (message: ThreadAnswer): void => parentPort?.postMessage(message);
	keepArchive(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), request).then(
		(kept) => answer({ id, kept }),
		(error: unknown) => {
			const ours = BoincError.is(error) ? error : undefined;
			const remedy = ours?.remedy === undefined ? {} : { remedy: ours.remedy };
			answer({ id, error: { message: messageOf(error), ...(ours && { code: ours.code }), ...remedy } });
		},
	);
});

import { parentPort, workerData } from 'node:worker_threads';

import { countContext } from './contextCount.js';
import { type CountAnswer, type CountRequest, REPORT_MS } from './contextSize.js';

/** The thread that counts a build context; see `contextSize`. */
const { context, dockerfile } = workerData as CountRequest;
const answer = (message: CountAnswer): void => parentPort?.postMessage(message);
const counting = countContext(context, dockerfile);
let reported = Date.now();
try {
	for (let next = counting.next(); ; next = counting.next()) {
		if (next.done === true) {
			answer({ whole: next.value });
			break;
		}
		if (Date.now() - reported >= REPORT_MS) {
			reported = Date.now();
			answer({ soFar: next.value });
		}
	}
} catch (error) {
	const { message, code } = error as NodeJS.ErrnoException;
	answer({ error: { message, code } });
}

import { abortError, throwIfAborted } from '../../common/errors.js';

/** What `promise` gives, or an `AbortError` as soon as `signal` fires. The work behind the promise goes on for others. */
export async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
	throwIfAborted(signal);
	if (!signal) {
		return promise;
	}
	let stop: (() => void) | undefined;
	const aborted = new Promise<never>((_resolve, reject) => {
		stop = () => reject(abortError());
		signal.addEventListener('abort', stop, { once: true });
	});
	try {
		return await Promise.race([promise, aborted]);
	} finally {
		if (stop) {
			signal.removeEventListener('abort', stop);
		}
	}
}

import type { Services } from '../../services.js';

/** Shows the output channel. */
export function showLog(services: Services): Promise<void> {
	services.log.show();
	return Promise.resolve();
}

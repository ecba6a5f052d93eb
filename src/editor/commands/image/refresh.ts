import type { Services } from '../../services.js';

/** Looks again for Dockerfiles, the engine and local images. */
export async function refreshImages(services: Services): Promise<void> {
	await (await services.images()).refresh();
}

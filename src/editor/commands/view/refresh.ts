import type { Services } from '../../services.js';
import { serverOf } from '../chooseServer.js';

/** Reads the server of a row again, or all. Trouble is shown in the view. */
export async function refreshView(services: Services, item?: unknown): Promise<void> {
	services.servers.look();
	const only = serverOf(services, item);
	await Promise.all((only ? [only] : services.models.all()).map((model) => model.refresh()));
	services.tree.refresh();
}

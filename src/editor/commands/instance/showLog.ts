import { fileName } from '../../documents/readonlyDocuments.js';
import type { Services } from '../../services.js';
import { InstanceNode } from '../../tree/instanceNode.js';

/** Opens what the host reported of an instance. */
export async function showInstanceLog(services: Services, item?: unknown): Promise<void> {
	if (item instanceof InstanceNode) {
		await openLog(services, item.server.id, item.instance);
	}
}

/** Opens the log of an instance of a server. */
export async function openLog(
	{ documents }: Services,
	serverId: string,
	{ id, name }: { id: number; name: string },
): Promise<void> {
	await documents.open(`/log/${serverId}/${id}/${fileName(name)}.log`);
}

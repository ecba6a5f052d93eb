import type { Services } from '../../services.js';
import { InstanceNode } from '../../tree/instanceNode.js';

/** Opens what the host reported of an instance. */
export async function showInstanceLog(services: Services, item?: unknown): Promise<void> {
	if (item instanceof InstanceNode) {
		await services.documents.openLog(item.server.id, item.instance);
	}
}

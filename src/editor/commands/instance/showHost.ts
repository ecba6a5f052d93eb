import type { Services } from '../../services.js';
import { InstanceNode } from '../../tree/instanceNode.js';

/** Opens what the project knows of the host that an instance was sent to. */
export async function showInstanceHost(services: Services, item?: unknown): Promise<void> {
	if (item instanceof InstanceNode && item.instance.hostId > 0) {
		const { hostId } = item.instance;
		await services.documents.open(`/host/${item.server.id}/${hostId}/host-${hostId}.txt`);
	}
}

import { fileName } from '../../documents/readonlyDocuments.js';
import type { Services } from '../../services.js';
import { InstanceNode } from '../../tree/instanceNode.js';

/** Opens what the host reported of an instance. */
export async function showInstanceLog(services: Services, item?: unknown): Promise<void> {
	if (item instanceof InstanceNode) {
		const { id, name } = item.instance;
		await services.documents.open(`/log/${item.server.id}/${id}/${fileName(name)}.log`);
	}
}

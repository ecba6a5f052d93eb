import { fileName } from '../../documents/readonlyDocuments.js';
import type { Services } from '../../services.js';
import { InstanceNode } from '../../tree/instanceNode.js';

/** Opens the whole output of an instance's program, as its host uploaded it: head and tail first when it is long. */
export async function showFullInstanceLog(services: Services, item?: unknown): Promise<void> {
	if (item instanceof InstanceNode) {
		const { id, name } = item.instance;
		await services.documents.open(`/fulllog-0/${item.server.id}/${id}/${fileName(name)}-full.log`);
	}
}

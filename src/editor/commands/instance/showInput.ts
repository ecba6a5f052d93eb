import { fileName } from '../../documents/readonlyDocuments.js';
import type { Services } from '../../services.js';
import { InstanceNode } from '../../tree/instanceNode.js';

/** Opens, for an instance, the XML that describes its job to clients. */
export async function showInstanceInput(services: Services, item?: unknown): Promise<void> {
	if (item instanceof InstanceNode) {
		const { id, name } = item.instance;
		await services.documents.open(`/input/${item.server.id}/${id}/${fileName(name)}-input.xml`);
	}
}

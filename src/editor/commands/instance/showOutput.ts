import { fileName } from '../../documents/readonlyDocuments.js';
import type { Services } from '../../services.js';
import { InstanceNode } from '../../tree/instanceNode.js';

/** Opens, for an instance, the XML of its outputs. */
export async function showInstanceOutput(services: Services, item?: unknown): Promise<void> {
	if (item instanceof InstanceNode) {
		const { id, name } = item.instance;
		await services.documents.open(`/output/${item.server.id}/${id}/${fileName(name)}-output.xml`);
	}
}

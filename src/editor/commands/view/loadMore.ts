import type { Services } from '../../services.js';
import { LoadMoreNode } from '../../tree/loadMoreNode.js';

/** Shows the next page of a list. */
export function loadMore(services: Services, item?: unknown): Promise<void> {
	if (item instanceof LoadMoreNode) {
		item.parent.loadMore();
		services.tree.refresh(item.parent);
	}
	return Promise.resolve();
}

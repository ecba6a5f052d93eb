/** A batch of one server. */
export interface BatchReference {
	readonly serverId: string;
	readonly batchId: number;
}

/** Whether a value names a batch by its ids, as notifications and stored pages do. */
export function isBatchReference(value: unknown): value is BatchReference {
	return (
		typeof value === 'object' &&
		value !== null &&
		'serverId' in value &&
		typeof value.serverId === 'string' &&
		'batchId' in value &&
		typeof value.batchId === 'number'
	);
}

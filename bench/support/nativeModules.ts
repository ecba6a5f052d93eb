import Module from 'node:module';

/** The product cannot carry the SSH library's native helpers, so the measurement goes without them too. */
export function leaveOutNativeModules(): void {
	const loaders: unknown = Reflect.get(Module, '_extensions');
	if (typeof loaders === 'object' && loaders !== null) {
		Reflect.set(loaders, '.node', () => {
			throw new Error('left out');
		});
	}
}

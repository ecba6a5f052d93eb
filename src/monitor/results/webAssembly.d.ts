/** The part of WebAssembly's interface that is used here; the types of Node.js leave it to those of browsers. */
declare namespace WebAssembly {
	type Module = object;
	interface Memory {
		readonly buffer: ArrayBuffer;
	}
	interface Instance {
		readonly exports: Readonly<Record<string, unknown>>;
	}
	const Module: new (bytes: Uint8Array) => Module;
	const Instance: new (module: Module) => Instance;
	const Memory: new (size: { readonly initial: number }) => Memory;
}

/** The part of WebAssembly's interface that is used here; the types of Node.js leave it to those of browsers. */
declare namespace WebAssembly {
	class Module {
		constructor(bytes: Uint8Array);
	}
	class Instance {
		constructor(module: Module);
		readonly exports: Readonly<Record<string, unknown>>;
	}
	class Memory {
		private constructor();
		readonly buffer: ArrayBuffer;
	}
}

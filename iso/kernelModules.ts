/** Finds kernel modules with what they depend on; `modules.dep` is not in Debian's package. */
export class KernelModules {
	readonly #files: ReadonlyMap<string, string>;
	readonly #unpack: (file: string) => Buffer;
	readonly #modules = new Map<string, { readonly content: Buffer; readonly depends: readonly string[] }>();

	/** `files` are the package's `.ko.xz` files; `unpack` reads one. */
	constructor(files: readonly string[], unpack: (file: string) => Buffer) {
		this.#files = new Map(files.map((file) => [moduleName(file), file]));
		this.#unpack = unpack;
	}

	/** The module and all that it depends on, in the order of loading. */
	loadOrder(name: string): string[] {
		return [...new Set([...this.#module(name).depends.flatMap((each) => this.loadOrder(each)), name])];
	}

	/** A module as it is in the image. */
	content(name: string): Buffer {
		return this.#module(name).content;
	}

	#module(name: string): { readonly content: Buffer; readonly depends: readonly string[] } {
		const known = this.#modules.get(name);
		if (known) {
			return known;
		}
		const file = this.#files.get(name);
		if (file === undefined) {
			throw new Error(`The kernel package has no module ${name}.`);
		}
		const whole = this.#unpack(file);
		const module = { content: slimModule(whole), depends: dependsOf(whole) };
		this.#modules.set(name, module);
		return module;
	}
}

const moduleName = (file: string): string =>
	file
		.slice(file.lastIndexOf('/') + 1)
		.replace(/\.ko(\.xz)?$/, '')
		.replaceAll('-', '_');

function dependsOf(module: Buffer): string[] {
	const list = /\0depends=([^\0]*)\0/.exec(`\0${module.toString('latin1')}`)?.[1] ?? '';
	return list
		.split(',')
		.filter((name) => name !== '')
		.map((name) => name.replaceAll('-', '_'));
}

const TYPE_NOTHING = 0;
const TYPE_NOBITS = 8;

/**
 * A module without its type information for tracers and without the signature at its end, which would not fit any more.
 * The kernel wants neither.
 */
export function slimModule(module: Buffer): Buffer {
	const table = Number(module.readBigUInt64LE(40));
	const size = module.readUInt16LE(58);
	const count = module.readUInt16LE(60);
	const headers = Array.from({ length: count }, (_, index) =>
		Buffer.from(module.subarray(table + index * size, table + (index + 1) * size)),
	);
	const names = headers[module.readUInt16LE(62)];
	if (!names) {
		throw new Error('The kernel module has no table of section names.');
	}
	const nameAt = Number(names.readBigUInt64LE(24));
	const parts: Buffer[] = [Buffer.from(module.subarray(0, 64))];
	let end = 64;
	for (const header of headers) {
		const name = nameAt + header.readUInt32LE(0);
		const type = header.readUInt32LE(4);
		const drop = module.toString('latin1', name, module.indexOf(0, name)).startsWith('.BTF');
		const [offset, length] = [Number(header.readBigUInt64LE(24)), drop ? 0 : Number(header.readBigUInt64LE(32))];
		const alignment = Math.max(1, Number(header.readBigUInt64LE(48)));
		if (drop) {
			header.writeBigUInt64LE(0n, 32);
		}
		if (type === TYPE_NOTHING) {
			continue;
		}
		const gap = (alignment - (end % alignment)) % alignment;
		header.writeBigUInt64LE(BigInt(end + gap), 24);
		if (type !== TYPE_NOBITS) {
			parts.push(Buffer.alloc(gap), module.subarray(offset, offset + length));
			end += gap + length;
		}
	}
	const gap = (8 - (end % 8)) % 8;
	parts[0]?.writeBigUInt64LE(BigInt(end + gap), 40);
	return Buffer.concat([...parts, Buffer.alloc(gap), ...headers]);
}

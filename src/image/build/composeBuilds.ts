import * as v from 'valibot';

/** A service of a compose file that is built from a Dockerfile. */
export interface ComposeBuild {
	readonly service: string;
	/** Relative to the folder of the compose file, or absolute. */
	readonly context: string;
	/** Relative to the context, or absolute. */
	readonly dockerfile: string;
	readonly target: string | undefined;
	readonly args: Readonly<Record<string, string>>;
	readonly platform: string | undefined;
	/** Name of the image, if the file gives it one. */
	readonly image: string | undefined;
}

const scalar = v.union([v.string(), v.number(), v.boolean(), v.null()]);
const build = v.object({
	context: v.optional(v.string(), '.'),
	dockerfile: v.optional(v.string(), 'Dockerfile'),
	dockerfile_inline: v.optional(v.unknown()),
	target: v.optional(v.string()),
	args: v.optional(v.union([v.array(v.string()), v.record(v.string(), scalar)]), {}),
	platforms: v.optional(v.array(v.string()), []),
});
const service = v.object({
	build: v.union([v.string(), build]),
	image: v.optional(v.string()),
	platform: v.optional(v.string()),
});
const file = v.object({ services: v.record(v.string(), v.unknown()) });

/**
 * The services of a compose file that have a build, as far as they can be built by themselves: a context on this computer
 * and a Dockerfile in a file, without variables in its place. Never throws; a broken file has none.
 */
export async function composeBuilds(text: string): Promise<ComposeBuild[]> {
	const { parse } = await import('yaml');
	let parsed: unknown;
	try {
		parsed = parse(text, { logLevel: 'silent' });
	} catch {
		return [];
	}
	const whole = v.safeParse(file, parsed);
	if (!whole.success) {
		return [];
	}
	return Object.entries(whole.output.services).flatMap(([name, value]) => {
		const read = v.safeParse(service, value);
		const found = read.success ? buildOf(name, read.output) : undefined;
		return found && isLocal(found) ? [found] : [];
	});
}

function buildOf(name: string, { build: given, image, platform }: v.InferOutput<typeof service>): ComposeBuild | undefined {
	const full = typeof given === 'string' ? v.parse(build, { context: given }) : given;
	if (full.dockerfile_inline !== undefined) {
		return undefined;
	}
	// A name without a value means this computer's variable, which we leave to the person.
	const pairs = Array.isArray(full.args)
		? full.args.flatMap((word) => (word.includes('=') ? [splitAt(word, word.indexOf('='))] : []))
		: Object.entries(full.args).flatMap(([key, value]) => (value === null ? [] : [[key, String(value)] as const]));
	return {
		service: name,
		context: full.context,
		dockerfile: full.dockerfile,
		target: full.target,
		args: Object.fromEntries(pairs),
		platform: platform ?? full.platforms[0],
		image: image?.includes('$') === true ? undefined : image,
	};
}

const splitAt = (text: string, at: number): readonly [string, string] => [text.slice(0, at), text.slice(at + 1)];

const isLocal = ({ context, dockerfile }: ComposeBuild): boolean =>
	!/\$|^[a-z]+:\/\/|^git@/.test(context) && !dockerfile.includes('$');

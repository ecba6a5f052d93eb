import { DockerfileParser } from 'dockerfile-ast';

export interface BuildArgument {
	readonly name: string;
	/** Undefined when the build must be given one. */
	readonly value: string | undefined;
}

/** What a person can choose when building a Dockerfile. */
export interface DockerfileOutline {
	/** Names of stages that can be built by themselves, in order. The last stage of the file may have none. */
	readonly stages: readonly string[];
	readonly args: readonly BuildArgument[];
}

/** Arguments that builders set themselves. */
const PREDEFINED = /^(BUILD|TARGET)(PLATFORM|OS|ARCH|VARIANT)$/;

/** Reads stages and arguments of a Dockerfile. Never throws: of a broken file it says what can be seen. */
export function dockerfileOutline(text: string): DockerfileOutline {
	const file = DockerfileParser.parse(text);
	const args = new Map<string, BuildArgument>();
	for (const arg of file.getARGs()) {
		const property = arg.getProperty();
		if (property && !PREDEFINED.test(property.getName()) && args.get(property.getName())?.value === undefined) {
			args.set(property.getName(), { name: property.getName(), value: property.getValue() ?? undefined });
		}
	}
	const stages = file.getFROMs().flatMap((from) => from.getBuildStage() ?? []);
	return { stages: [...new Set(stages)], args: [...args.values()] };
}

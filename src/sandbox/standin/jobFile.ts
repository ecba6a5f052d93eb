import { parse } from 'smol-toml';

/** The configuration of a container job as docker_wrapper reads it from `job.toml`. */
export interface JobFile {
	readonly workdir: string;
	readonly projectDirMount: string;
	readonly imageName: string;
	readonly buildArgs: string;
	readonly createArgs: string;
	readonly useGpu: boolean;
	readonly mounts: readonly string[];
	readonly portmaps: readonly string[];
	readonly webGraphicsGuestPort: number;
}

/** A value of the wrong TOML type: the real program dies of an exception. */
export class WrongType extends Error {}

/** What counts without a `job.toml`. */
export const defaultJobFile: JobFile = {
	workdir: '/app',
	projectDirMount: '',
	imageName: '',
	buildArgs: '',
	createArgs: '',
	useGpu: false,
	mounts: [],
	portmaps: [],
	webGraphicsGuestPort: 0,
};

/** Reads the text of a `job.toml`; unknown keys are ignored. Throws `WrongType`, or the parser's error. */
export function parseJobFile(text: string): JobFile {
	const table = parse(text);
	const expect = <T>(name: string, otherwise: T, check: (value: unknown) => T | undefined): T => {
		if (!(name in table)) {
			return otherwise;
		}
		const value = check(table[name]);
		if (value === undefined) {
			throw new WrongType(`type error: ${name}`);
		}
		return value;
	};
	const text_ = (name: string, otherwise: string): string =>
		expect(name, otherwise, (value) => (typeof value === 'string' ? value : undefined));
	const list = (name: string): readonly string[] =>
		expect(name, [] as readonly string[], (value) =>
			Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined,
		);
	return {
		workdir: text_('workdir', defaultJobFile.workdir),
		projectDirMount: text_('project_dir_mount', ''),
		imageName: text_('image_name', ''),
		buildArgs: text_('build_args', ''),
		createArgs: text_('create_args', ''),
		useGpu: expect('use_gpu', false, (value) => (typeof value === 'boolean' ? value : undefined)),
		mounts: list('mount'),
		portmaps: list('portmap'),
		webGraphicsGuestPort: expect('web_graphics_guest_port', 0, (value) => (typeof value === 'number' ? value : undefined)),
	};
}

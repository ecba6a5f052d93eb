import { parseBytes, parseSeconds } from '../../common/parseUnits.js';
import type { Problem } from '../../common/problem.js';
import { isGiven, type Span, valueOf, type YamlDictionary, type YamlPair } from '../../project/yaml/yamlTree.js';
import { placeholders } from '../sweep/names.js';
import { SCHEMA_VERSION } from './jobKeys.js';
import { parameterProblems } from './parameterRules.js';

/** What no single value shows: keys that do not go together, parameters that nobody gives, traps of BOINC. */
export function checkRules(root: YamlDictionary): Problem[] {
	const rules = new Rules(root);
	rules.version();
	rules.image();
	rules.jobs();
	rules.web();
	rules.limits();
	rules.gpu();
	rules.surprises();
	return [...rules.problems, ...parameterProblems(root)];
}

class Rules {
	readonly problems: Problem[] = [];
	readonly #root: YamlDictionary;

	constructor(root: YamlDictionary) {
		this.#root = root;
	}

	version(): void {
		const node = valueOf(this.#root, 'schema');
		if (node?.kind === 'scalar' && Number(node.text) > SCHEMA_VERSION) {
			this.#add(
				node,
				'schema-newer',
				`The file has form ${node.text}, and this program knows form ${SCHEMA_VERSION}.`,
				'Update boinc2docker.',
			);
		}
	}

	image(): void {
		const kinds = this.#pairs('image', 'dockerfile', 'archive');
		for (const { key } of kinds.slice(1)) {
			this.#add(
				key,
				'image-twice',
				`${key.text}: the image is given as ${kinds[0]?.key.text ?? ''} already.`,
				'Keep one of them.',
			);
		}
		if (!kinds.some(({ key }) => key.text === 'dockerfile')) {
			for (const { key } of this.#pairs('context', 'build_args', 'target', 'platform')) {
				this.#add(
					key,
					'without-dockerfile',
					`${key.text} has no effect without dockerfile.`,
					'Name the Dockerfile, or leave it out.',
				);
			}
		}
		const image = valueOf(this.#root, 'image');
		if (image?.kind === 'scalar' && image.text !== '' && !image.text.includes('@sha256:')) {
			const tag = /:([\w][\w.-]*)$/.exec(image.text)?.[1];
			if (tag === undefined || tag === 'latest') {
				this.#add(
					image,
					'image-latest',
					`“${image.text}” may be another image tomorrow: jobs of one batch get the same one, a later batch another.`,
					'Name a version, such as python:3.13-slim.',
					'warning',
				);
			}
		}
	}

	jobs(): void {
		const [count] = this.#pairs('count');
		if (count && this.#pairs('sweep').length > 0) {
			this.#add(
				count.key,
				'count-and-sweep',
				'count and sweep both say how many jobs there are.',
				'Use repeat in the sweep, and leave count out.',
			);
		}
		const sizes = [this.#find('resources', 'max_output'), this.#find('outputs', 'max_size')];
		if (sizes[0] && sizes[1]) {
			this.#add(sizes[1].key, 'size-twice', 'max_size: resources.max_output says it already.', 'Keep one of them.');
		}
		const retries = this.#find('replication', 'retries');
		for (const name of ['max_error_results', 'max_total_results']) {
			const other = this.#find('replication', name);
			if (retries && other) {
				this.#add(other.key, 'retries-twice', `${name}: retries says it already.`, 'Keep one of them.');
			}
		}
		const [target, broadcast] = [this.#find('boinc', 'target'), this.#find('boinc', 'broadcast')];
		if (target && broadcast) {
			this.#add(broadcast.key, 'receivers-twice', 'A job is either for one receiver or for all, not both.', 'Keep one of them.');
		}
	}

	/** Virtual machines have none. */
	gpu(): void {
		const gpu = this.#find('resources', 'gpu');
		const [runtimes] = this.#pairs('runtimes');
		const named = runtimes?.value?.kind === 'list' ? runtimes.value.items : [runtimes?.value];
		const machines = runtimes
			? named.find((item) => item?.kind === 'scalar' && item.text === 'vm')
			: this.#pairs('iso', 'vboxwrapper')[0]?.key;
		if (gpu && machines) {
			this.#add(
				gpu.key,
				'gpu-in-machine',
				'VirtualBox gives a virtual machine no GPU, and the file asks for versions with VirtualBox.',
				'Write runtimes: docker, or leave gpu out.',
			);
		}
	}

	/** Files from the web. */
	web(): void {
		const inputs = valueOf(this.#root, 'inputs');
		for (const item of inputs?.kind === 'list' ? inputs.items : []) {
			const url = valueOf(item, 'url');
			if (url?.kind !== 'scalar' || !isGiven(url)) {
				continue;
			}
			if (!isGiven(valueOf(item, 'sha256'))) {
				this.#add(url, 'url-hash', 'A file from the web needs its SHA-256.', 'Add sha256; the program sha256sum tells it.');
			}
			if (placeholders(url.text).length > 0) {
				this.#add(url, 'parameter-not-here', 'A file from the web is the same for all jobs.', 'Write its whole address.');
			}
		}
	}

	/** BOINC accepts these, and the jobs fail. */
	limits(): void {
		const time = (name: string): { seconds: number; span: Span } | undefined => {
			const node = this.#find('resources', name)?.value;
			try {
				return node?.kind === 'scalar' ? { seconds: parseSeconds(node.text), span: node } : undefined;
			} catch {
				return undefined; // said already
			}
		};
		const [expected, limit, deadline] = [time('time'), time('time_limit'), time('deadline')];
		if (expected && limit && limit.seconds < expected.seconds) {
			this.#add(
				limit.span,
				'limit-below-time',
				'The time limit is below the expected time: the program would be stopped.',
				'Raise it.',
				'warning',
			);
		}
		if (limit && limit.seconds < 120) {
			this.#add(
				limit.span,
				'limit-two-minutes',
				'BOINC replaces a limit under two minutes by twelve hours; our runner still stops the program.',
				'Give two minutes or more.',
				'warning',
			);
		}
		if (expected && deadline && deadline.seconds < expected.seconds) {
			this.#add(
				deadline.span,
				'deadline-below-time',
				'BOINC sends a job to nobody that is expected to run longer than its deadline.',
				'Raise it.',
				'warning',
			);
		}
	}

	/** What surprises people later. */
	surprises(): void {
		const total = this.#find('replication', 'max_total_results')?.value;
		if (total?.kind === 'scalar' && total.text === '1') {
			this.#add(
				total,
				'no-retry',
				'The first failure of a job is final: nothing is tried again.',
				'Allow more copies.',
				'warning',
			);
		}
		const [network] = this.#pairs('network');
		if (network?.value?.kind === 'scalar' && network.value.text === 'host') {
			this.#add(
				network.value,
				'network-host',
				'The program reaches everything that listens on the volunteer’s computer.',
				'Use bridge if the Internet suffices.',
				'warning',
			);
		}
		this.#memory();
	}

	#memory(): void {
		const memory = this.#find('resources', 'memory')?.value;
		if (memory?.kind === 'scalar') {
			try {
				if (parseBytes(memory.text) > 64e9) {
					this.#add(memory, 'memory-rare', 'Hardly any volunteer’s computer has that much memory.', 'Ask for less.', 'warning');
				}
			} catch {
				// said already
			}
		}
	}

	#pairs(...names: string[]): YamlPair[] {
		return this.#root.pairs.filter(({ key, value }) => names.includes(key.text) && isGiven(value));
	}

	#find(section: string, name: string): YamlPair | undefined {
		const inner = valueOf(this.#root, section);
		return inner?.kind === 'map' ? inner.pairs.find(({ key, value }) => key.text === name && isGiven(value)) : undefined;
	}

	#add({ start, end }: Span, code: string, message: string, remedy: string, severity: Problem['severity'] = 'error'): void {
		this.problems.push({ start, end, code, message, remedy, severity });
	}
}

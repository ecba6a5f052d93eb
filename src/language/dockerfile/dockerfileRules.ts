import { type Dockerfile, DockerfileParser, type From, type Instruction } from 'dockerfile-ast';

import type { Problem, Replacement } from '../../common/problem.js';
import { SECRET_FILE, SECRET_NAME, SECRET_VALUE } from '../../common/secretNames.js';
import { RUN_RULES } from './runRules.js';

const DOCS = 'https://docs.docker.com/reference/dockerfile/';

interface Finding {
	readonly code: string;
	readonly severity: Problem['severity'];
	readonly message: string;
	/** The instruction, or a part of the file. */
	readonly at: Instruction | { readonly start: number; readonly end: number };
	readonly fix?: { readonly title: string; readonly edits: readonly Replacement[] };
}

/**
 * Rules for images that run on volunteers' computers: no network by default, no root powers, results in `/root/shared/results/`,
 * every byte downloaded by every host.
 */
export function dockerfileProblems(text: string): Problem[] {
	const rules = new DockerRules(text);
	return rules.all().sort((a, b) => a.start - b.start);
}

class DockerRules {
	readonly #text: string;
	readonly #file: Dockerfile;
	readonly #lineStarts: number[] = [0];
	readonly #all: readonly Instruction[];
	readonly #froms: readonly From[];
	/** Instructions of the last stage, which becomes the image. */
	readonly #last: readonly Instruction[];

	constructor(text: string) {
		this.#text = text;
		this.#file = DockerfileParser.parse(text);
		for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) {
			this.#lineStarts.push(at + 1);
		}
		this.#all = this.#file.getInstructions();
		this.#froms = this.#file.getFROMs();
		const start = this.#froms.at(-1)?.getRange().start.line ?? 0;
		this.#last = this.#all.filter((each) => each.getRange().start.line >= start);
	}

	all(): Problem[] {
		const found = [...this.base(), ...this.image(), ...this.runs(), ...this.copies(), ...this.variables(), ...this.start()];
		return found.map(({ code, severity, message, at, fix }) => ({
			...('start' in at ? at : this.#span(at)),
			code: `docker-${code}`,
			severity,
			message,
			link: DOCS,
			...(fix && { fixes: [fix] }),
		}));
	}

	*base(): Generator<Finding> {
		const stages = new Set(this.#froms.flatMap((from) => from.getBuildStage()?.toLowerCase() ?? []));
		for (const from of this.#froms) {
			const image = from.getImage() ?? '';
			if (image === '' || image.includes('$') || image === 'scratch' || stages.has(image.toLowerCase())) {
				continue;
			}
			const tag = from.getImageTag();
			if (from.getImageDigest() === null && (tag === null || tag === 'latest')) {
				const message = `“${image}” may be another image tomorrow: name a version, so that a later batch computes the same.`;
				yield { code: 'latest', severity: 'warning', message, at: from };
			}
			yield* this.#platform(from, image);
		}
		if (this.#froms.length === 0 && this.#text.trim() !== '') {
			yield { code: 'no-from', severity: 'error', message: 'There is no FROM.', at: { start: 0, end: this.#lineEnd(0) } };
		}
	}

	*#platform(from: From, image: string): Generator<Finding> {
		if (
			/^(i386|arm32v[567]|ppc64le|s390x|riscv64|mips64le)\//.test(image) ||
			/^(?!linux\/(amd64|arm64)|\$|$)/.test(from.getPlatformFlag()?.getValue() ?? '')
		) {
			yield {
				code: 'architecture',
				severity: 'error',
				message: 'Volunteers’ computers run linux/amd64 and linux/arm64 images.',
				at: from,
			};
		}
		if (/windows|nanoserver|servercore/i.test(image)) {
			yield {
				code: 'windows',
				severity: 'error',
				message: 'Volunteers’ computers run Linux containers, also those with Windows.',
				at: from,
			};
		}
	}

	*image(): Generator<Finding> {
		const [last] = this.#last;
		if (!last) {
			return;
		}
		const has = (keyword: string): boolean => this.#last.some((each) => each.getKeyword() === keyword);
		if (!has('CMD') && !has('ENTRYPOINT')) {
			yield {
				code: 'no-command',
				severity: 'hint',
				message: 'Neither CMD nor ENTRYPOINT is here: the base image’s, or the job’s command, is run.',
				at: last,
			};
		}
		const users = this.#last.filter((each) => each.getKeyword() === 'USER');
		const user = users.at(-1);
		if (!user) {
			const end = this.#text.length;
			yield {
				code: 'root',
				severity: 'hint',
				message:
					'The program runs as root of the container. It has few of root’s powers; a user of its own is safer for volunteers.',
				at: last,
				fix: {
					title: 'Add USER 1000',
					edits: [{ start: end, end, text: `${this.#text.endsWith('\n') ? '' : '\n'}USER 1000\n` }],
				},
			};
		} else if (/^(root|0)(:|$)/.test(this.#words(user))) {
			yield { code: 'root', severity: 'warning', message: 'USER root: a user of its own is safer for volunteers.', at: user };
		}
		for (const each of this.#last) {
			yield* this.#imageInstruction(each);
		}
	}

	*#imageInstruction(each: Instruction): Generator<Finding> {
		switch (each.getKeyword()) {
			case 'EXPOSE':
				yield {
					code: 'expose',
					severity: 'warning',
					message: 'No port of a job can be reached on a volunteer’s computer.',
					at: each,
					fix: this.#removal(each),
				};
				break;
			case 'VOLUME':
				yield {
					code: 'volume',
					severity: 'warning',
					message: 'No volume is kept between jobs; only /root/shared is the job’s.',
					at: each,
					fix: this.#removal(each),
				};
				break;
			case 'HEALTHCHECK':
				yield {
					code: 'healthcheck',
					severity: 'hint',
					message: 'Nobody looks at health checks on volunteers’ computers.',
					at: each,
					fix: this.#removal(each),
				};
				break;
			case 'STOPSIGNAL':
				yield { code: 'stopsignal', severity: 'hint', message: 'Jobs are paused and killed, not stopped by a signal.', at: each };
				break;
			case 'ONBUILD':
				yield { code: 'onbuild', severity: 'hint', message: 'ONBUILD has no effect in the image of a job.', at: each };
				break;
			case 'MAINTAINER':
				yield { code: 'maintainer', severity: 'hint', message: 'MAINTAINER is obsolete; use LABEL.', at: each };
				break;
			case 'WORKDIR':
				if (/^\/(root\/shared|boinc)(\/|$)/.test(this.#words(each))) {
					const message = '/root/shared and /boinc are the job’s own folders: what the image has there is hidden.';
					yield { code: 'workdir', severity: 'warning', message, at: each };
				} else if (!/^[/$]/.test(this.#words(each))) {
					yield {
						code: 'workdir-relative',
						severity: 'hint',
						message: 'A relative WORKDIR depends on the base image.',
						at: each,
					};
				}
		}
	}

	*runs(): Generator<Finding> {
		for (const each of this.#all.filter((one) => one.getKeyword() === 'RUN')) {
			const words = this.#words(each);
			const inLast = this.#last.includes(each);
			for (const { code, severity, when, unless, everywhere, message } of RUN_RULES) {
				if (when.test(words) && unless?.test(words) !== true && (inLast || everywhere === true)) {
					yield { code, severity, message, at: each };
				}
			}
		}
	}

	*copies(): Generator<Finding> {
		for (const each of this.#all.filter((one) => ['COPY', 'ADD'].includes(one.getKeyword()))) {
			const words = this.#words(each).split(/\s+/);
			const sources = words.filter((word) => !word.startsWith('--')).slice(0, -1);
			const target = words.at(-1) ?? '';
			if (each.getKeyword() === 'ADD' && sources.some((name) => /^https?:/.test(name))) {
				yield {
					code: 'add-url',
					severity: 'warning',
					message: 'The file may change on the web; download it once and COPY it, or check its hash.',
					at: each,
				};
			}
			if (sources.includes('.') && !words.some((word) => word.startsWith('--from'))) {
				const message =
					'The whole folder becomes part of the image, .git and data too: name what is needed, or write a .dockerignore.';
				yield { code: 'copy-all', severity: 'hint', message, at: each };
			}
			if (sources.some((name) => SECRET_FILE.test(name))) {
				yield {
					code: 'secret-file',
					severity: 'error',
					message: 'Every volunteer can read this file: no keys, no passwords in an image.',
					at: each,
				};
			}
			if (/^\/(root\/shared|boinc)(\/|$)/.test(target) && this.#last.includes(each)) {
				const message =
					'On a volunteer’s computer the job’s own folder stands there and hides it. Put files elsewhere, or make them inputs.';
				yield { code: 'hidden', severity: 'error', message, at: each };
			}
		}
	}

	*variables(): Generator<Finding> {
		for (const each of this.#all.filter((one) => ['ENV', 'ARG', 'LABEL'].includes(one.getKeyword()))) {
			const words = this.#words(each);
			if (each.getKeyword() !== 'LABEL' && SECRET_NAME.test(words.split(/[=\s]/)[0] ?? '') && /[=\s]\S/.test(words)) {
				yield {
					code: 'secret',
					severity: 'error',
					message: 'Every volunteer can read it in the image’s configuration or history: no secrets in an image.',
					at: each,
				};
			} else if (SECRET_VALUE.test(words)) {
				yield { code: 'secret', severity: 'error', message: 'This looks like a key; every volunteer can read it.', at: each };
			}
			if (each.getKeyword() === 'ENV' && /^(B2D_|BOINC_)/.test(words)) {
				yield {
					code: 'reserved',
					severity: 'warning',
					message: 'Variables that begin with B2D_ or BOINC_ are set by the runner.',
					at: each,
				};
			}
		}
		const keys = /-----BEGIN [A-Z ]*PRIVATE KEY-----/.exec(this.#text);
		if (keys) {
			yield {
				code: 'secret',
				severity: 'error',
				message: 'A private key stands in the file.',
				at: { start: keys.index, end: keys.index + keys[0].length },
			};
		}
	}

	*start(): Generator<Finding> {
		const commands = this.#last.filter((each) => ['CMD', 'ENTRYPOINT'].includes(each.getKeyword()));
		for (const keyword of ['CMD', 'ENTRYPOINT']) {
			const same = commands.filter((each) => each.getKeyword() === keyword);
			for (const each of same.slice(0, -1)) {
				yield {
					code: 'twice',
					severity: 'warning',
					message: `Only the last ${keyword} counts.`,
					at: each,
					fix: this.#removal(each),
				};
			}
		}
		for (const each of commands) {
			const words = this.#words(each);
			if (/\b(curl|wget|pip3?\s+install|apt(-get)?\s|git\s+clone|npm\s+install|conda\s+install)/.test(words)) {
				const message = 'Jobs have no network unless they ask for it, and volunteers must allow it: fetch it in a RUN.';
				yield { code: 'network', severity: 'error', message, at: each };
			}
			if (!words.startsWith('[') && each.getKeyword() === 'ENTRYPOINT') {
				yield {
					code: 'shell-form',
					severity: 'warning',
					message: 'The shell form drops the job’s command and arguments: write a JSON list.',
					at: each,
				};
			}
			if (/docker(\.sock)?\b|systemctl|service\s+\w+\s+start/.test(words)) {
				yield { code: 'daemon', severity: 'error', message: 'There is neither systemd nor a Docker daemon in a job.', at: each };
			}
		}
		const cmd = commands.at(-1);
		const script = this.#all.map((each) => this.#words(each)).join('\n');
		if (cmd && /\/(output|results|out)\b/.test(this.#words(cmd)) && !script.includes('/root/shared')) {
			const message = 'Only /root/shared/results/ comes back; what is written elsewhere is lost with the job.';
			yield { code: 'results', severity: 'warning', message, at: cmd };
		} else if (cmd && !script.includes('/root/shared')) {
			const message =
				'Results must be written to /root/shared/results/; nothing here names that folder. If the program does, all is well.';
			yield { code: 'results', severity: 'hint', message, at: cmd };
		}
		const absolute = cmd && /(?<![\w.])\/(home|mnt|data|scratch|Users)\/[\w./-]+/.exec(this.#words(cmd));
		if (cmd && absolute) {
			yield {
				code: 'path',
				severity: 'warning',
				message: `${absolute[0]} is a path of this computer: inputs stand below /root/shared.`,
				at: cmd,
			};
		}
	}

	/** All arguments of an instruction in one line. */
	#words(instruction: Instruction): string {
		return instruction.getRawArgumentsContent()?.replace(/\\\r?\n/g, ' ') ?? '';
	}

	#span(instruction: Instruction): { start: number; end: number } {
		const { start, end } = instruction.getRange();
		return { start: this.#offset(start), end: this.#offset(end) };
	}

	#offset({ line, character }: { line: number; character: number }): number {
		return (this.#lineStarts[line] ?? this.#text.length) + character;
	}

	#lineEnd(line: number): number {
		return (this.#lineStarts[line + 1] ?? this.#text.length + 1) - 1;
	}

	#removal(instruction: Instruction): { title: string; edits: Replacement[] } {
		const { start, end } = instruction.getRange();
		const from = this.#offset({ line: start.line, character: 0 });
		return {
			title: `Remove ${instruction.getKeyword()}`,
			edits: [{ start: from, end: Math.min(this.#text.length, this.#lineEnd(end.line) + 1), text: '' }],
		};
	}
}

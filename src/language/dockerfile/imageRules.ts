import type { From, Instruction } from 'dockerfile-ast';

import type { DockerfileText, Finding } from './dockerfileText.js';

/** About the images that this one is made from. */
export function* baseFindings(file: DockerfileText): Generator<Finding> {
	const stages = new Set(file.froms.flatMap((from) => from.getBuildStage()?.toLowerCase() ?? []));
	for (const from of file.froms) {
		const image = from.getImage() ?? '';
		if (image === '' || image.includes('$') || image === 'scratch' || stages.has(image.toLowerCase())) {
			continue;
		}
		const tag = from.getImageTag();
		if (from.getImageDigest() === null && (tag === null || tag === 'latest')) {
			const message = `“${image}” may be another image tomorrow: name a version, so that a later batch computes the same.`;
			yield { code: 'latest', severity: 'warning', message, at: from };
		}
		yield* platform(from, image);
	}
	if (file.froms.length === 0 && file.text.trim() !== '') {
		yield { code: 'no-from', severity: 'error', message: 'There is no FROM.', at: { start: 0, end: file.lineEnd(0) } };
	}
}

function* platform(from: From, image: string): Generator<Finding> {
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

/** About what the image tells its runner. */
export function* imageFindings(file: DockerfileText): Generator<Finding> {
	const [last] = file.last;
	if (!last) {
		return;
	}
	const has = (keyword: string): boolean => file.last.some((each) => each.getKeyword() === keyword);
	if (!has('CMD') && !has('ENTRYPOINT')) {
		yield {
			code: 'no-command',
			severity: 'hint',
			message: 'Neither CMD nor ENTRYPOINT is here: the base image’s, or the job’s command, is run.',
			at: last,
		};
	}
	const users = file.last.filter((each) => each.getKeyword() === 'USER');
	const user = users.at(-1);
	if (!user) {
		const end = file.text.length;
		yield {
			code: 'root',
			severity: 'hint',
			message:
				'The program runs as root of the container. It has few of root’s powers; a user of its own is safer for volunteers.',
			at: last,
			fix: {
				title: 'Add USER 1000',
				edits: [{ start: end, end, text: `${file.text.endsWith('\n') ? '' : '\n'}USER 1000\n` }],
			},
		};
	} else if (/^(root|0)(:|$)/.test(file.words(user))) {
		yield { code: 'root', severity: 'warning', message: 'USER root: a user of its own is safer for volunteers.', at: user };
	}
	for (const each of file.last) {
		yield* instruction(file, each);
	}
}

function* instruction(file: DockerfileText, each: Instruction): Generator<Finding> {
	switch (each.getKeyword()) {
		case 'EXPOSE':
			yield {
				code: 'expose',
				severity: 'warning',
				message: 'No port of a job can be reached on a volunteer’s computer.',
				at: each,
				fix: file.removal(each),
			};
			break;
		case 'VOLUME':
			yield {
				code: 'volume',
				severity: 'warning',
				message: 'No volume is kept between jobs; only /root/shared is the job’s.',
				at: each,
				fix: file.removal(each),
			};
			break;
		case 'HEALTHCHECK':
			yield {
				code: 'healthcheck',
				severity: 'hint',
				message: 'Nobody looks at health checks on volunteers’ computers.',
				at: each,
				fix: file.removal(each),
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
			if (/^\/(root\/shared|boinc)(\/|$)/.test(file.words(each))) {
				const message = '/root/shared and /boinc are the job’s own folders: what the image has there is hidden.';
				yield { code: 'workdir', severity: 'warning', message, at: each };
			} else if (!/^[/$]/.test(file.words(each))) {
				yield {
					code: 'workdir-relative',
					severity: 'hint',
					message: 'A relative WORKDIR depends on the base image.',
					at: each,
				};
			}
	}
}

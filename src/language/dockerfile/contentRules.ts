import { SECRET_FILE, SECRET_NAME, SECRET_VALUE } from '../../common/secretNames.js';
import type { DockerfileText, Finding } from './dockerfileText.js';
import { RUN_RULES } from './runRules.js';

/** About commands that run while the image is built. */
export function* runFindings(file: DockerfileText): Generator<Finding> {
	for (const each of file.all.filter((one) => one.getKeyword() === 'RUN')) {
		const words = file.words(each);
		const inLast = file.last.includes(each);
		for (const { code, severity, when, unless, everywhere, message } of RUN_RULES) {
			if (when.test(words) && unless?.test(words) !== true && (inLast || everywhere === true)) {
				yield { code, severity, message, at: each };
			}
		}
	}
}

/** About files that come into the image. */
export function* copyFindings(file: DockerfileText): Generator<Finding> {
	for (const each of file.all.filter((one) => ['COPY', 'ADD'].includes(one.getKeyword()))) {
		const words = file.words(each).split(/\s+/);
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
		if (/^\/(root\/shared|boinc)(\/|$)/.test(target) && file.last.includes(each)) {
			const message =
				'On a volunteer’s computer the job’s own folder stands there and hides it. Put files elsewhere, or make them inputs.';
			yield { code: 'hidden', severity: 'error', message, at: each };
		}
	}
}

/** About variables and labels, and secrets in the file. */
export function* variableFindings(file: DockerfileText): Generator<Finding> {
	for (const each of file.all.filter((one) => ['ENV', 'ARG', 'LABEL'].includes(one.getKeyword()))) {
		const words = file.words(each);
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
	const keys = /-----BEGIN [A-Z ]*PRIVATE KEY-----/.exec(file.text);
	if (keys) {
		yield {
			code: 'secret',
			severity: 'error',
			message: 'A private key stands in the file.',
			at: { start: keys.index, end: keys.index + keys[0].length },
		};
	}
}

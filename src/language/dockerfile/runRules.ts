import type { Problem } from '../../common/problem.js';

interface RunRule {
	readonly code: string;
	readonly severity: Problem['severity'];
	readonly when: RegExp;
	readonly unless?: RegExp;
	/** Also in stages that do not become the image. */
	readonly everywhere?: true;
	readonly message: string;
}

const APT_INSTALL = /\bapt(-get)?\s+(-\S+\s+)*install\b/;

/** What commands of a build do to an image that every host downloads. */
export const RUN_RULES: readonly RunRule[] = [
	{
		code: 'apt-lists',
		severity: 'warning',
		when: APT_INSTALL,
		unless: /rm\s+-[rf]+\s+\S*\/var\/lib\/apt/,
		message: 'The package lists stay in the image, and every host downloads them: end with rm -rf /var/lib/apt/lists/*.',
	},
	{
		code: 'apt-recommends',
		severity: 'hint',
		when: APT_INSTALL,
		unless: /--no-install-recommends/,
		message: 'Recommended packages make the image bigger: add --no-install-recommends.',
	},
	{
		code: 'apk-cache',
		severity: 'warning',
		when: /\bapk\s+add\b/,
		unless: /--no-cache/,
		message: 'The package index stays in the image: add --no-cache.',
	},
	{
		code: 'pip-cache',
		severity: 'warning',
		when: /\bpip3?\s+install\b/,
		unless: /--no-cache-dir|--mount=type=cache/,
		message: 'The cache of pip stays in the image: add --no-cache-dir.',
	},
	{
		code: 'conda-cache',
		severity: 'warning',
		when: /\bconda\s+(install|create|env)\b/,
		unless: /conda\s+clean/,
		message: 'The packages of conda stay in the image twice: end with conda clean -afy.',
	},
	{
		code: 'build-tools',
		severity: 'hint',
		when: /\b(apt|apt-get|apk|dnf|yum)\b.*\b(gcc|g\+\+|build-essential|clang|cmake|make|git)\b/,
		message: 'Build tools stay in the image: build in an earlier stage and COPY --from it.',
	},
	{
		code: 'sudo',
		severity: 'warning',
		when: /\bsudo\b/,
		everywhere: true,
		message: 'sudo has no use: jobs run without new privileges.',
	},
	{
		code: 'pipe-shell',
		severity: 'warning',
		when: /(curl|wget)[^|]*\|\s*(ba)?sh/,
		everywhere: true,
		message: 'What the web serves is run unseen; pin a version and check its hash.',
	},
	{
		code: 'upgrade',
		severity: 'hint',
		when: /\b(apt-get|apt)\s+(dist-)?upgrade\b/,
		everywhere: true,
		message: 'An upgrade makes another image each day: take a newer base image.',
	},
	{
		code: 'chmod',
		severity: 'hint',
		when: /chmod\s+(-R\s+)?0?777\b/,
		everywhere: true,
		message: '777 lets any user of the container write there.',
	},
	{
		code: 'error-text',
		severity: 'hint',
		when: /Error/,
		everywhere: true,
		message:
			'Where docker_wrapper builds a Dockerfile on hosts, as BUDA has it, the text “Error” in the output counts as a failure, and engines print this line. Images that are sent from here are not built on hosts.',
	},
];

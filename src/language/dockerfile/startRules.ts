import type { DockerfileText, Finding } from './dockerfileText.js';

/** About what is run when a job starts. */
export function* startFindings(file: DockerfileText): Generator<Finding> {
	const commands = file.last.filter((each) => ['CMD', 'ENTRYPOINT'].includes(each.getKeyword()));
	for (const keyword of ['CMD', 'ENTRYPOINT']) {
		const same = commands.filter((each) => each.getKeyword() === keyword);
		for (const each of same.slice(0, -1)) {
			yield {
				code: 'twice',
				severity: 'warning',
				message: `Only the last ${keyword} counts.`,
				at: each,
				fix: file.removal(each),
			};
		}
	}
	for (const each of commands) {
		const words = file.words(each);
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
	const script = file.all.map((each) => file.words(each)).join('\n');
	if (cmd && /\/(output|results|out)\b/.test(file.words(cmd)) && !script.includes('/root/shared')) {
		const message = 'Only /root/shared/results/ comes back; what is written elsewhere is lost with the job.';
		yield { code: 'results', severity: 'warning', message, at: cmd };
	} else if (cmd && !script.includes('/root/shared')) {
		const message =
			'Results must be written to /root/shared/results/; nothing here names that folder. If the program does, all is well.';
		yield { code: 'results', severity: 'hint', message, at: cmd };
	}
	const absolute = cmd && /(?<![\w.])\/(home|mnt|data|scratch|Users)\/[\w./-]+/.exec(file.words(cmd));
	if (cmd && absolute) {
		yield {
			code: 'path',
			severity: 'warning',
			message: `${absolute[0]} is a path of this computer: inputs stand below /root/shared.`,
			at: cmd,
		};
	}
}

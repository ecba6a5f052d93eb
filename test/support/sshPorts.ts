import type { Prompts, SecretStore } from '../../src/common/ports.js';
import { systemClock } from '../../src/common/ports.js';
import type { ConnectPorts } from '../../src/connection/connect.js';
import { memorySecrets } from '../../src/connection/memorySecrets.js';

export interface RecordedPorts extends ConnectPorts {
	readonly asked: string[];
	readonly logged: string[];
	readonly secrets: SecretStore;
}

/** Ports that answer questions from a list and remember what was asked and logged. Nobody's own keys are touched. */
export function sshPorts(
	trustFile: string,
	answers: { secrets?: readonly (string | undefined)[]; texts?: readonly string[]; confirm?: 'yes' | 'no' } = {},
	more: Partial<ConnectPorts> = {},
): RecordedPorts {
	const asked: string[] = [];
	const logged: string[] = [];
	const secrets = [...(answers.secrets ?? [])];
	const texts = [...(answers.texts ?? [])];
	const log = (text: string): void => void logged.push(text);
	const prompts: Prompts = {
		secret: (question) => {
			asked.push(`${question.title}: ${question.message}`);
			return Promise.resolve(secrets.shift());
		},
		text: (question) => {
			asked.push(`${question.title}: ${question.message}`);
			return Promise.resolve(texts.shift());
		},
		confirm: (question) => {
			asked.push(`${question.title}: ${question.message} ${question.detail ?? ''}`);
			return Promise.resolve((answers.confirm ?? 'yes') === 'yes');
		},
	};
	return {
		prompts,
		secrets: memorySecrets(),
		log: { error: log, warn: log, info: log, debug: log, trace: log },
		clock: systemClock,
		trustFile,
		identityFiles: [],
		knownHostsFiles: [],
		agentSocket: '',
		...more,
		asked,
		logged,
	};
}

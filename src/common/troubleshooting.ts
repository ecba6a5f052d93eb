import { BoincError, type ErrorCode, messageOf } from './errors.js';

/** What a front end can offer to do about an error. */
export const HELP_ACTIONS = [
	'choose-key',
	'try-again',
	'install-app',
	'choose-engine',
	'add-server',
	'copy-diagnostics',
] as const;
export type HelpAction = (typeof HELP_ACTIONS)[number];

/** An error as a person reads it. */
export interface Advice {
	/** What failed, where and why. */
	readonly summary: string;
	/** What to do: whole sentences; may be empty. */
	readonly tip: string;
	/** At most two. */
	readonly actions: readonly HelpAction[];
}

interface Entry {
	readonly actions: readonly HelpAction[];
	/** For errors that carry no remedy of their own. */
	readonly tip?: string;
}

const RETRY: Entry = { actions: ['try-again'] };
const ENTRIES: Partial<Record<ErrorCode, Entry>> = {
	'server-unreachable': { actions: ['try-again'], tip: 'Check the address, the network and whether the server runs.' },
	'connection-lost': { actions: ['try-again'], tip: 'Check the network, then try again.' },
	timeout: RETRY,
	'host-key-changed': { actions: [], tip: 'Ask the administrator of the server whether its key was changed on purpose.' },
	'authentication-failed': { actions: ['choose-key', 'try-again'] },
	'transfer-corrupt': RETRY,
	'disk-full': { actions: ['try-again'], tip: 'Make room on the disk that is full, then try again.' },
	'target-invalid': { actions: ['add-server'] },
	'project-not-found': { actions: ['add-server'], tip: 'Give the path of the project in the address of the server.' },
	'database-unreachable': RETRY,
	'app-missing': { actions: ['install-app'], tip: 'Install the app on this server first.' },
	'app-incomplete': { actions: ['install-app'], tip: 'Install the app again: only what is missing is added.' },
	'daemon-down': { actions: ['try-again'], tip: 'Start the daemons of the project with bin/start on the server.' },
	'engine-missing': { actions: ['choose-engine', 'try-again'], tip: 'Install Docker or Podman on this computer and start it.' },
	'engine-failed': { actions: ['choose-engine', 'try-again'] },
	'submit-failed': RETRY,
	'submit-incomplete': RETRY,
};

/** Raw texts of programs that end up in errors without a code of ours, and what they mean. */
const PATTERNS: readonly { readonly pattern: RegExp; readonly tip: string; readonly actions: readonly HelpAction[] }[] = [
	{
		pattern: /cannot connect to the docker daemon|is the docker daemon running|error during connect/i,
		tip: 'Start Docker on this computer, or choose another engine.',
		actions: ['choose-engine', 'try-again'],
	},
	{
		pattern: /permission denied.*docker\.sock|docker\.sock.*permission denied/is,
		tip: 'Your account may not use Docker: add it to the group “docker”, or use Podman.',
		actions: ['choose-engine', 'try-again'],
	},
	{ pattern: /ENOSPC|no space left on device/i, tip: 'Make room on this computer, then try again.', actions: ['try-again'] },
	{ pattern: /EACCES|EPERM|permission denied/i, tip: 'Check the permissions of the file or folder.', actions: ['try-again'] },
	{
		pattern: /ECONNREFUSED|ECONNRESET|ETIMEDOUT|EPIPE|ENETUNREACH/,
		tip: 'Check the network, then try again.',
		actions: ['try-again'],
	},
];

const sentence = (text: string): string => {
	const trimmed = text.replace(/^Error: /, '').trim();
	return trimmed === '' || /[.!?…”]$/.test(trimmed) ? trimmed : `${trimmed}.`;
};

/** What to tell a person about `error`. Never called for cancellation. */
export function troubleshoot(error: unknown): Advice {
	const message = messageOf(error);
	const summary = sentence(message === '' ? 'Something failed without saying why' : message);
	const known = PATTERNS.find(({ pattern }) => pattern.test(message));
	if (BoincError.is(error)) {
		const entry = ENTRIES[error.code] ?? known ?? { actions: [] };
		return { summary, tip: error.remedy ?? entry.tip ?? known?.tip ?? '', actions: entry.actions.slice(0, 2) };
	}
	return known
		? { summary, tip: known.tip, actions: known.actions }
		: { summary, tip: 'This is unexpected: the log says more.', actions: ['copy-diagnostics'] };
}

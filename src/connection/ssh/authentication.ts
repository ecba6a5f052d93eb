import type { AnyAuthMethod, Prompt } from 'ssh2';

import { BoincError, messageOf } from '../../common/errors.js';
import { SECRET_KEYS } from '../../common/ids.js';
import type { Log, Prompts, SecretStore } from '../../common/ports.js';
import type { Identity } from './identities.js';
import type { KeyUnlocker } from './keyUnlocker.js';
import type { Ssh2 } from './loadSsh2.js';
import type { LoginReply } from './loginReplies.js';
import { singleKeyAgent } from './singleKeyAgent.js';

type Attempts = AsyncGenerator<AnyAuthMethod, void, LoginReply>;

export interface AuthenticationPorts {
	readonly prompts: Prompts;
	readonly secrets: SecretStore;
	readonly log: Log;
	readonly unlocker: KeyUnlocker;
	/** Keys in the order in which to try them; called when the server accepts keys. */
	findIdentities(): Promise<readonly Identity[]>;
}

const PASSWORD_TRIES = 3;

/** Logs in to one server: keys of the agent and of files, keyboard-interactive, password, as OpenSSH orders them. */
export class Authentication {
	readonly #attempts: Attempts;
	readonly #tried: string[] = [];
	#refusedKeys = 0;
	#offered: readonly string[] = [];
	#declined = false;
	#identities: readonly Identity[] | undefined;
	/** Password given in this try, to be stored once it has worked. */
	#given: { readonly value: string; readonly origin: 'stored' | 'asked' } | undefined;

	constructor(
		readonly ssh2: Ssh2,
		readonly server: { readonly name: string; readonly user: string; readonly id: string },
		readonly ports: AuthenticationPorts,
	) {
		this.#attempts = this.#sequence();
	}

	/** How many attempts were made, `none` not counted. */
	get tries(): number {
		return this.#tried.length;
	}

	/** The next attempt after the server's reply; undefined when nothing is left. */
	async next(reply: LoginReply): Promise<AnyAuthMethod | undefined> {
		if (reply.methods.length > 0 && this.#offered.length === 0) {
			this.#offered = reply.methods;
			this.ports.log.debug(`${this.server.name} accepts ${reply.methods.join(', ')}`);
		}
		const { value, done } = await this.#attempts.next(reply);
		return done ? undefined : value;
	}

	/** The server let us in: what worked is remembered. */
	async succeeded(): Promise<void> {
		this.ports.log.info(`Logged in to ${this.server.name} with ${this.#tried.at(-1) ?? 'no authentication'}`);
		if (this.#given?.origin === 'asked') {
			await this.ports.secrets.set(SECRET_KEYS.password(this.server.id), this.#given.value);
		}
	}

	/** The error for the person: what the server accepts and what was tried. */
	failure(cause?: unknown): BoincError {
		const accepts =
			this.#offered.length > 0 ? `the server accepts ${this.#offered.join(', ')}` : 'the server did not say what it accepts';
		const refused = [
			...(this.#refusedKeys > 0 ? [`${this.#refusedKeys} ${this.#refusedKeys === 1 ? 'key' : 'keys'}`] : []),
			...(this.#tried.includes('password') || this.#tried.includes('keyboard-interactive') ? ['the password'] : []),
		].join(' and ');
		const what = this.#declined
			? ' and no password was given'
			: refused === ''
				? ' and there was nothing to try'
				: ` and refused ${refused}`;
		const because = cause === undefined ? '' : ` (${messageOf(cause)})`;
		return new BoincError(
			'authentication-failed',
			`Could not log in to ${this.server.name} as ${this.server.user}: ${accepts}${what}${because}.`,
			{
				remedy: this.#offered.includes('publickey')
					? 'Choose the key file of this account, or add your public key to ~/.ssh/authorized_keys on the server.'
					: 'Check the user name and the password.',
				detail: { accepts: this.#offered.join(','), tried: this.#tried.join(','), declined: this.#declined },
				cause,
			},
		);
	}

	async *#sequence(): Attempts {
		const { user: username } = this.server;
		// Sent first for the list of methods; OpenSSH's server does not count it as a failure.
		let reply = yield { type: 'none', username };
		const done = new Set<string>();
		for (;;) {
			const before = reply;
			for (const method of ['publickey', 'keyboard-interactive', 'password'] as const) {
				if (!reply.methods.includes(method) || done.has(method)) {
					continue;
				}
				done.add(method);
				reply = yield* this.#method(method, reply);
				if (reply.partial) {
					this.ports.log.info(`${this.server.name} wants more: ${reply.methods.join(', ')}`);
					break;
				}
			}
			if (!reply.partial || reply === before) {
				return;
			}
		}
	}

	#method(
		method: 'publickey' | 'keyboard-interactive' | 'password',
		reply: LoginReply,
	): AsyncGenerator<AnyAuthMethod, LoginReply, LoginReply> {
		switch (method) {
			case 'publickey':
				return this.#keys(reply);
			case 'keyboard-interactive':
				return this.#keyboardInteractive(reply);
			case 'password':
				return this.#password(reply);
		}
	}

	async *#keys(reply: LoginReply): AsyncGenerator<AnyAuthMethod, LoginReply, LoginReply> {
		this.#identities ??= await this.ports.findIdentities();
		for (const identity of this.#identities) {
			this.#log(`offering ${identity.label} ${identity.fingerprint}`, identity.fingerprint);
			reply = yield {
				type: 'agent',
				username: this.server.user,
				agent: singleKeyAgent(this.ssh2, identity, this.ports.unlocker),
			};
			if (reply.partial || !reply.methods.includes('publickey')) {
				return reply;
			}
			this.#refusedKeys++;
			this.ports.log.info(`${this.server.name} refused ${identity.label} ${identity.fingerprint}`);
		}
		return reply;
	}

	async *#password(reply: LoginReply): AsyncGenerator<AnyAuthMethod, LoginReply, LoginReply> {
		for (let attempt = 1; attempt <= PASSWORD_TRIES; attempt++) {
			const password = await this.#askPassword();
			if (password === undefined) {
				return reply;
			}
			this.#log('trying the password', 'password');
			reply = yield { type: 'password', username: this.server.user, password };
			if (reply.partial) {
				return reply;
			}
			await this.#passwordRefused();
			if (!reply.methods.includes('password')) {
				return reply;
			}
		}
		return reply;
	}

	async *#keyboardInteractive(reply: LoginReply): AsyncGenerator<AnyAuthMethod, LoginReply, LoginReply> {
		for (let attempt = 1; attempt <= PASSWORD_TRIES && !this.#declined; attempt++) {
			this.#log('trying keyboard-interactive', 'keyboard-interactive');
			reply = yield {
				type: 'keyboard-interactive',
				username: this.server.user,
				prompt: (name, instructions, _language, prompts, finish) => {
					this.#answer(name, instructions, prompts).then(finish, (error: unknown) => {
						this.ports.log.warn(`The questions of ${this.server.name} could not be answered: ${messageOf(error)}`);
						finish([]);
					});
				},
			};
			if (reply.partial) {
				return reply;
			}
			await this.#passwordRefused();
			if (!reply.methods.includes('keyboard-interactive')) {
				return reply;
			}
		}
		return reply;
	}

	/** Most servers ask for the account's password here, which we may know; other questions are put to the person. */
	async #answer(name: string, instructions: string, prompts: readonly Prompt[]): Promise<string[]> {
		const answers: string[] = [];
		for (const { prompt, echo } of prompts) {
			const answer =
				!echo && /passwor/i.test(prompt) && !/new|one.?time|token|code/i.test(prompt)
					? await this.#askPassword()
					: await this.ports.prompts[echo ? 'text' : 'secret']({
							title: `${this.server.name}${name === '' ? '' : `: ${name}`}`,
							message: prompt.trim(),
							...(instructions !== '' && { detail: instructions }),
						});
			if (answer === undefined) {
				this.#declined = true;
				return [];
			}
			answers.push(answer);
		}
		return answers;
	}

	async #askPassword(): Promise<string | undefined> {
		const stored =
			this.#given === undefined && !this.#declined
				? await this.ports.secrets.get(SECRET_KEYS.password(this.server.id))
				: undefined;
		if (stored !== undefined) {
			this.#given = { value: stored, origin: 'stored' };
			return stored;
		}
		if (this.#declined) {
			return undefined;
		}
		const again = this.#tried.includes('password') || this.#given !== undefined;
		const value = await this.ports.prompts.secret({
			title: `Password of ${this.server.name}`,
			message: again
				? 'The server refused that password. Try again.'
				: `The server ${this.server.name} asks for the password of ${this.server.user}.`,
		});
		this.#declined = value === undefined;
		this.#given = value === undefined ? undefined : { value, origin: 'asked' };
		return value;
	}

	async #passwordRefused(): Promise<void> {
		if (this.#given?.origin === 'stored') {
			this.ports.log.info(`${this.server.name} refused the stored password; it is forgotten.`);
			await this.ports.secrets.delete(SECRET_KEYS.password(this.server.id));
			this.#given = { ...this.#given, origin: 'asked' };
		}
	}

	#log(what: string, tried: string): void {
		this.#tried.push(tried);
		this.ports.log.info(`${this.server.name}: ${what}`);
	}
}

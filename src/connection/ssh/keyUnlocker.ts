import type { ParsedKey } from 'ssh2';

import { SECRET_KEYS } from '../../common/ids.js';
import type { Log, Prompts, SecretStore } from '../../common/ports.js';
import { asParsedKey, type Identity } from './identities.js';
import type { Ssh2 } from './loadSsh2.js';

const TRIES = 3;

/** Reads private keys, asking for the passphrase when there is one and the secret store does not know it. */
export class KeyUnlocker {
	readonly #unlocked = new Map<string, ParsedKey>();

	constructor(
		readonly ssh2: Ssh2,
		readonly prompts: Prompts,
		readonly secrets: SecretStore,
		readonly log: Log,
	) {}

	/** The private key, or undefined when the person gives up or the file is damaged. */
	async unlock(identity: Identity & { source: { kind: 'file' } }): Promise<ParsedKey | undefined> {
		const known = this.#unlocked.get(identity.fingerprint) ?? this.#parse(identity, undefined);
		if (known) {
			return known;
		}
		const secretKey = SECRET_KEYS.passphrase(identity.fingerprint);
		const stored = await this.secrets.get(secretKey);
		if (stored !== undefined) {
			const key = this.#parse(identity, stored);
			if (key) {
				return key;
			}
			this.log.info(`The stored passphrase no longer fits ${identity.label}; it is forgotten.`);
			await this.secrets.delete(secretKey);
		}
		for (let attempt = 1; attempt <= TRIES; attempt++) {
			const passphrase = await this.prompts.secret({
				title: `Passphrase of ${identity.source.path}`,
				message: attempt === 1 ? 'The private key is encrypted.' : 'That passphrase does not fit. Try again.',
				detail: identity.fingerprint,
			});
			if (passphrase === undefined) {
				return undefined;
			}
			const key = this.#parse(identity, passphrase);
			if (key) {
				await this.secrets.set(secretKey, passphrase);
				return key;
			}
		}
		this.log.warn(`No passphrase for ${identity.label} fitted in ${TRIES} tries; the key is left out.`);
		return undefined;
	}

	#parse(identity: Identity & { source: { kind: 'file' } }, passphrase: string | undefined): ParsedKey | undefined {
		const key = asParsedKey(this.ssh2.utils.parseKey(identity.source.text, passphrase));
		if (!key?.isPrivateKey()) {
			return undefined;
		}
		this.#unlocked.set(identity.fingerprint, key);
		return key;
	}
}

import type { BaseAgent, IdentityCallback, SignCallback, SigningRequestOptions } from 'ssh2';

import { messageOf } from '../../common/errors.js';
import type { Identity } from './identities.js';
import type { KeyUnlocker } from './keyUnlocker.js';
import type { Ssh2 } from './loadSsh2.js';

type PublicKey = Parameters<BaseAgent['sign']>[0];

/**
 * An agent with one key. The library then asks the server whether it would accept the key before anything is signed,
 * so a passphrase is only asked for when it leads somewhere.
 */
export function singleKeyAgent(ssh2: Ssh2, identity: Identity, unlocker: KeyUnlocker): BaseAgent {
	class SingleKeyAgent extends ssh2.BaseAgent {
		getIdentities(callback: IdentityCallback): void {
			callback(null, [identity.publicKey]);
		}

		sign(publicKey: PublicKey, data: Buffer, options: SigningRequestOptions | SignCallback, callback?: SignCallback): void {
			const answer = typeof options === 'function' ? options : callback;
			const request = typeof options === 'function' ? {} : options;
			signWith(identity, unlocker, publicKey, data, request).then(
				(signature) => answer?.(null, signature),
				(error: unknown) => answer?.(error instanceof Error ? error : new Error(messageOf(error))),
			);
		}
	}
	return new SingleKeyAgent();
}

async function signWith(
	identity: Identity,
	unlocker: KeyUnlocker,
	publicKey: PublicKey,
	data: Buffer,
	request: SigningRequestOptions,
): Promise<Buffer> {
	const { source } = identity;
	if (source.kind === 'agent') {
		return await new Promise((resolve, reject) => {
			source.agent.sign(publicKey, data, request, (error, signature) => {
				if (signature) {
					resolve(signature);
				} else {
					reject(error ?? new Error('The agent did not sign.'));
				}
			});
		});
	}
	const key = await unlocker.unlock({ ...identity, source });
	const signature: unknown = key?.sign(data, request.hash);
	if (Buffer.isBuffer(signature)) {
		return signature;
	}
	throw signature instanceof Error ? signature : new Error(`${identity.label} stays locked.`);
}

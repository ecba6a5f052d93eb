import { BoincError } from '../../common/errors.js';
import type { Log, Prompts } from '../../common/ports.js';
import { fingerprint, type HostKeys, keyTypeName } from './hostKeys.js';

/**
 * Returns when the key of the server is trusted, asking the person about an unknown one. Throws `host-key-changed`,
 * `host-key-revoked` or `host-key-unknown` otherwise. Runs before anything secret is sent.
 */
export async function checkHostKey(
	name: string,
	hostKeys: HostKeys,
	key: Buffer,
	ports: { readonly prompts: Prompts; readonly log: Log },
): Promise<void> {
	const print = fingerprint(key);
	const type = keyTypeName(key);
	const verdict = hostKeys.judge(key);
	switch (verdict.kind) {
		case 'trusted':
			ports.log.debug(`${name} has the ${type} key ${print} of ${verdict.entry.file}:${verdict.entry.line}`);
			return;
		case 'revoked':
			throw new BoincError(
				'host-key-revoked',
				`${name} shows the ${type} key ${print}, which ${verdict.entry.file} revokes in line ${verdict.entry.line}.`,
				{
					remedy: 'Do not connect. Ask the administrator of the server which key it should have.',
					detail: { file: verdict.entry.file, line: verdict.entry.line, fingerprint: print },
				},
			);
		case 'changed': {
			const { file, line, key: known } = verdict.entry;
			throw new BoincError(
				'host-key-changed',
				`The host key of ${name} has changed: it shows the ${type} key ${print}, but ${file} has ${keyTypeName(known)} ${fingerprint(known)} in line ${line}. Somebody may be listening in between, or the server was set up anew.`,
				{
					remedy: `Ask the administrator of the server. If the new key is right, remove line ${line} of ${file} and connect again.`,
					detail: { file, line, fingerprint: print, known: fingerprint(known) },
				},
			);
		}
		case 'unknown': {
			const accepted = await ports.prompts.confirm({
				title: `First contact with ${name}`,
				message: 'The key of this server is not known yet. Is its fingerprint right?',
				detail: `${type} ${print}\n\nThe administrator of the server knows it; on the server this prints it: ssh-keygen -lf ${keyFile(type)}`,
				accept: 'Trust and Connect',
			});
			if (!accepted) {
				throw new BoincError('host-key-unknown', `The ${type} key ${print} of ${name} was not accepted.`, {
					remedy: 'Compare the fingerprint with the one that the administrator of the server gives, and connect again.',
					detail: { fingerprint: print },
				});
			}
			await hostKeys.trust(key);
			ports.log.info(`The ${type} key ${print} of ${name} is trusted from now on (${hostKeys.trustFile})`);
		}
	}
}

/** Where OpenSSH's server has its public key of a type. */
const keyFile = (type: string): string =>
	`/etc/ssh/ssh_host_${['ED25519', 'ECDSA', 'RSA'].includes(type) ? type.toLowerCase() : '*'}_key.pub`;

import type { Client } from 'ssh2';

/**
 * Whether what arrives is decrypted into other memory, so that nothing refers to it afterwards. So it is with the decipher of Node.js; the
 * library's own native ones decrypt in place. `false` also when the library's inside looks different from what is known.
 */
export function copiesInput(client: Client): boolean {
	const protocol: unknown = Reflect.get(client, '_protocol');
	const decipher: unknown = typeof protocol === 'object' && protocol !== null ? Reflect.get(protocol, '_decipher') : undefined;
	return typeof decipher === 'object' && decipher !== null && '_decipherInstance' in decipher;
}

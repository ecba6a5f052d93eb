import {
	constants,
	createHash,
	createPrivateKey,
	createPublicKey,
	generateKeyPair,
	type KeyObject,
	privateEncrypt,
	publicDecrypt,
} from 'node:crypto';
import { promisify } from 'node:util';

/** A key pair in BOINC's text form: number of bits, hex lines, a line with a dot. */
export interface BoincKeyPair {
	readonly publicKey: string;
	readonly privateKey: string;
}

/** Hex digits of a 1024-bit number; BOINC pads everything to that, and each prime number to half. */
const FULL = 256;
const HALF = 128;
/** Order and width of the numbers in a private key, by their names in a JSON Web Key. */
const PRIVATE_FIELDS = [
	['n', FULL],
	['e', FULL],
	['d', FULL],
	['p', HALF],
	['q', HALF],
	['dp', HALF],
	['dq', HALF],
	['qi', HALF],
] as const;

/** Makes an RSA 1024 pair as `crypt_prog -genkey 1024` does. */
export async function generateBoincKeys(): Promise<BoincKeyPair> {
	const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 1024, publicExponent: 0x10001 });
	const jwk = privateKey.export({ format: 'jwk' });
	const digits = PRIVATE_FIELDS.map(([field, width]) => hexOfNumber(jwk[field], width));
	return { publicKey: keyText(digits.slice(0, 2).join('')), privateKey: keyText(digits.join('')) };
}

/** A private key from its text; `undefined` when the text is none. */
export function parsePrivateKey(text: string): KeyObject | undefined {
	const digits = keyDigits(text, 2 * FULL + FULL + 5 * HALF);
	if (digits === undefined) {
		return undefined;
	}
	let offset = 0;
	const jwk: Record<string, string> = { kty: 'RSA' };
	for (const [field, width] of PRIVATE_FIELDS) {
		jwk[field] = numberOfHex(digits.slice(offset, offset + width));
		offset += width;
	}
	return created(() => createPrivateKey({ key: jwk, format: 'jwk' }));
}

/** A public key from its text; `undefined` when the text is none. */
export function parsePublicKey(text: string): KeyObject | undefined {
	const digits = keyDigits(text, 2 * FULL);
	return digits === undefined
		? undefined
		: created(() =>
				createPublicKey({
					key: { kty: 'RSA', n: numberOfHex(digits.slice(0, FULL)), e: numberOfHex(digits.slice(FULL)) },
					format: 'jwk',
				}),
			);
}

/** Signs the MD5 (32 hex digits) of a file or text: four hex lines and a line with a dot, as BOINC prints it. */
export function signMd5(md5: string, privateKey: KeyObject): string {
	const signature = privateEncrypt({ key: privateKey, padding: constants.RSA_PKCS1_PADDING }, Buffer.from(md5, 'latin1'));
	return `${hexLines(signature.toString('hex').padStart(FULL, '0'))}.\n`;
}

/** Signs bytes: the signature of their MD5. */
export function signBytes(bytes: string | Uint8Array, privateKey: KeyObject): string {
	return signMd5(createHash('md5').update(bytes).digest('hex'), privateKey);
}

/** Whether `signature` (BOINC's hex lines) is one of `publicKey` over the file with this MD5. */
export function verifyMd5(md5: string, signature: string, publicKey: KeyObject): boolean {
	const hex = signature.replace(/\.\s*$/, '').replace(/\s+/g, '');
	if (!/^[\da-f]{256}$/.test(hex)) {
		return false;
	}
	try {
		const decrypted = publicDecrypt({ key: publicKey, padding: constants.RSA_PKCS1_PADDING }, Buffer.from(hex, 'hex'));
		return decrypted.toString('latin1') === md5;
	} catch {
		return false;
	}
}

const keyText = (digits: string): string => `1024\n${hexLines(digits)}.\n`;
const hexLines = (digits: string): string => digits.replace(/.{64}/g, '$&\n');

function keyDigits(text: string, length: number): string | undefined {
	const lines = text.split('\n').map((line) => line.trim());
	const end = lines.indexOf('.');
	const digits = lines.slice(1, end < 0 ? undefined : end).join('');
	return lines[0] === '1024' && digits.length === length && /^[\da-f]+$/i.test(digits) ? digits : undefined;
}

function hexOfNumber(base64url: string | undefined, width: number): string {
	return Buffer.from(base64url ?? '', 'base64url')
		.toString('hex')
		.padStart(width, '0')
		.slice(-width);
}

function numberOfHex(hex: string): string {
	return Buffer.from(hex.replace(/^(00)+(?=..)/, ''), 'hex').toString('base64url');
}

function created(make: () => KeyObject): KeyObject | undefined {
	try {
		return make();
	} catch {
		return undefined;
	}
}

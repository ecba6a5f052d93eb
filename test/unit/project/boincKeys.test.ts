import { createHash } from 'node:crypto';

import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';

import {
	type BoincKeyPair,
	generateBoincKeys,
	parsePrivateKey,
	parsePublicKey,
	signBytes,
	signMd5,
	verifyMd5,
} from '../../../src/project/boincKeys.js';

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

/** Made by BOINC's `crypt_prog -genkey 1024` and `sign_executable` for this test. */
const PUBLIC_KEY = `1024
cd75662fcac698dea502cc2aeb3820f99d0681a50b9f81503a64acb5c1dd95fd
bc936708158036c25fae483989cb2c278244062794b3bdd2c1ad9551da808508
ac56d866262152ed3fa783b69bf118dce237411813334b13fcd9ae173547bed5
29cca9b8327cd87c0cab6b6c252ba930b0775b702a8a4600572884775b4ad8f9
0000000000000000000000000000000000000000000000000000000000000000
0000000000000000000000000000000000000000000000000000000000000000
0000000000000000000000000000000000000000000000000000000000000000
0000000000000000000000000000000000000000000000000000000000010001
.
`;
const SIGNATURE_OF_HI = `4fe765e6f21ffc845c320a455d29143d8b496c260012a923339563c1fcd6c841
8a4c99d127a66d19f4b16ae34e44c771ee25dbede8d1246262f5977974ce0e5a
aa74edec96f24101590002c9c69469b781a827185736eeaeb31478048c75ba20
643ed6f9a714c68a815668228ba6b656098672c198beac5b9b1b8a0a5b54d752
.
`;

describe('BOINC keys', () => {
	let pair: BoincKeyPair;
	beforeAll(async () => {
		pair = await generateBoincKeys();
	});

	it('verifies what a real project signed', () => {
		const key = parsePublicKey(PUBLIC_KEY)!;
		expect(verifyMd5(md5('hi\n'), SIGNATURE_OF_HI, key)).toBe(true);
		expect(verifyMd5(md5('ho\n'), SIGNATURE_OF_HI, key)).toBe(false);
	});

	it('have the text form of the real tool', () => {
		expect(pair.publicKey).toMatch(/^1024\n([\da-f]{64}\n){8}\.\n$/);
		expect(pair.privateKey).toMatch(/^1024\n([\da-f]{64}\n){22}\.\n$/);
		expect(pair.privateKey.split('\n').slice(0, 9)).toEqual(pair.publicKey.split('\n').slice(0, 9));
	});

	it('sign anything so that the public key verifies it and nothing else', () => {
		const privateKey = parsePrivateKey(pair.privateKey)!;
		const publicKey = parsePublicKey(pair.publicKey)!;
		fc.assert(
			fc.property(fc.string(), fc.string(), (text, other) => {
				const signature = signBytes(text, privateKey);
				expect(signature).toMatch(/^([\da-f]{64}\n){4}\.\n$/);
				expect(verifyMd5(md5(text), signature, publicKey)).toBe(true);
				expect(verifyMd5(md5(other), signature, publicKey)).toBe(text === other);
			}),
			{ numRuns: 20 },
		);
		expect(signMd5(md5('x'), privateKey)).toBe(signBytes('x', privateKey));
	});

	it('refuses texts that are no keys or signatures', () => {
		for (const text of ['', '1024\n.\n', '512\nab\n.\n', PUBLIC_KEY.replace('cd', 'zz')]) {
			expect(parsePublicKey(text)).toBeUndefined();
			expect(parsePrivateKey(text)).toBeUndefined();
		}
		expect(verifyMd5(md5('x'), 'abc', parsePublicKey(pair.publicKey)!)).toBe(false);
		expect(verifyMd5(md5('x'), `${'f'.repeat(256)}\n.\n`, parsePublicKey(pair.publicKey)!)).toBe(false);
	});
});

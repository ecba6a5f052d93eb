import { describe, expect, it } from 'vitest';

import { quietContext } from '../../../src/common/ports.js';
import type { Engine } from '../../../src/image/engine.js';
import { imageNameFrom, isSameName, parseImageReference } from '../../../src/image/engine/imageReference.js';
import { type PushedLayer, pushToRegistry } from '../../../src/image/engine/registryPush.js';

describe('names of images', () => {
	it.each([
		['analysis', { registry: 'docker.io', repository: 'analysis', tag: 'latest' }],
		['team/analysis:1.0', { registry: 'docker.io', repository: 'team/analysis', tag: '1.0' }],
		['localhost/a', { registry: 'localhost', repository: 'a', tag: 'latest' }],
		['127.0.0.1:5000/a/b:x', { registry: '127.0.0.1:5000', repository: 'a/b', tag: 'x' }],
		['[::1]:5000/a', { registry: '[::1]:5000', repository: 'a', tag: 'latest' }],
	])('%s is taken apart', (text, parts) => {
		expect(parseImageReference(text)).toEqual(parts);
	});

	it.each([
		'',
		'A',
		'-a',
		'a b',
		'a:',
		'a:b:c',
		'a/',
		'/a',
		'a;b',
		'$(x)',
		'--all',
		'a@sha256:00',
		'<img src=x>',
		'x'.repeat(300),
		'ex ample.org/a',
	])('%j is none', (text) => {
		expect(parseImageReference(text)).toBeUndefined();
	});

	it.each([
		[['My Analysis (2)'], 'my-analysis-2'],
		[['Übung', 'worker'], 'u-bung-worker'],
		[['***'], 'image'],
		[[], 'image'],
	])('%j becomes %s', (words, name) => {
		expect(imageNameFrom(...words)).toBe(name);
		expect(parseImageReference(name)).toBeDefined();
	});

	it('are compared as engines do', () => {
		expect(isSameName('localhost/a:latest', 'a')).toBe(true);
		expect(isSameName('docker.io/library/a:1', 'a:1')).toBe(true);
		expect(isSameName('a:1', 'a:2')).toBe(false);
		expect(isSameName('127.0.0.1:5000/a', 'a')).toBe(false);
	});
});

/** An engine whose push prints this. */
function engineThatSays(output: string, code: number): { engine: Engine; calls: string[][] } {
	const calls: string[][] = [];
	const call: Engine['call'] = (args, _, onOutput) => {
		calls.push([...args]);
		if (args[0] === 'push') {
			// In pieces, as pipes give it.
			for (let at = 0; at < output.length; at += 7) {
				onOutput?.(Buffer.from(output.slice(at, at + 7)));
			}
			return Promise.resolve({ code, output: '' });
		}
		return Promise.resolve({ code: 0, output: '' });
	};
	const stopped: Engine['stopped'] = () => Promise.resolve(undefined);
	return { engine: { product: 'Docker', command: 'docker', call, stopped } as unknown as Engine, calls };
}

async function push(output: string, code = 0): Promise<{ layers: readonly PushedLayer[]; calls: string[][] }> {
	const { engine, calls } = engineThatSays(output, code);
	let layers: readonly PushedLayer[] = [];
	const onLayers = (now: readonly PushedLayer[]): void => void (layers = now);
	await pushToRegistry(engine, { image: 'abc', reference: '127.0.0.1:5000/a:1', onLayers }, quietContext());
	return { layers, calls };
}

describe('a push to a registry', () => {
	it('follows Docker’s layers', async () => {
		const { layers, calls } = await push(
			'The push refers to repository [127.0.0.1:5000/a]\n5f70bf18a086: Preparing\n1a2b3c4d5e6f: Preparing\n5f70bf18a086: Layer already exists\n1a2b3c4d5e6f: Pushed\n1: digest: sha256:00 size: 528\n',
		);
		expect(layers).toEqual([
			{ id: '5f70bf18a086', state: 'there' },
			{ id: '1a2b3c4d5e6f', state: 'done' },
		]);
		expect(calls).toEqual([
			['tag', 'abc', '127.0.0.1:5000/a:1'],
			['push', '127.0.0.1:5000/a:1'],
		]);
	});

	it('follows Podman’s layers', async () => {
		const hash = '5f70bf18a0860a1b2c3d4e5f6071829304152637485960718293041526374859';
		const { layers } = await push(
			`Getting image source signatures\nCopying blob sha256:${hash}\nCopying blob 1a2b3c4d5e6f skipped: already exists\nWriting manifest to image destination\n`,
		);
		expect(layers).toEqual([
			{ id: '5f70bf18a086', state: 'done' },
			{ id: '1a2b3c4d5e6f', state: 'there' },
		]);
	});

	it.each([
		['unauthorized: authentication required', 'login', /docker login 127\.0\.0\.1:5000/],
		['no basic auth credentials', 'login', /login/],
		['denied: requested access to the resource is denied', 'denied', /may write there/],
		['Get "https://127.0.0.1:5000/v2/": http: server gave HTTP response to HTTPS client', 'insecure', /insecure/],
		['dial tcp 127.0.0.1:5000: connect: connection refused', 'unreachable', /registry runs/],
		['something \u001b[31mnew\u001b[0m', 'other', /docker push/],
	])('is refused with a reason and a remedy: %s', async (said, reason, remedy) => {
		await expect(push(`Preparing\n${said}`, 1)).rejects.toMatchObject({
			code: 'registry-refused',
			detail: { reason, registry: '127.0.0.1:5000' },
			remedy: expect.stringMatching(remedy),
			message: expect.not.stringContaining('\u001b'),
		});
	});

	it('asks no engine about a name that is none', async () => {
		const { engine, calls } = engineThatSays('', 0);
		const wrong = { image: 'abc', reference: '--all-tags', onLayers: () => undefined };
		await expect(pushToRegistry(engine, wrong, quietContext())).rejects.toMatchObject({ code: 'argument-invalid' });
		expect(calls).toEqual([]);
	});
});

import { mkdir, rename, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { contentOfBytes, contentOfFile } from '../common/content.js';
import { BoincError } from '../common/errors.js';
import type { OperationContext } from '../common/ports.js';
import { httpGet } from '../project/httpGet.js';
import type { LocalInput } from './localInputs.js';

/** Most bytes of a file from the web: it is held in memory once. */
const MOST = 512 << 20;
const TIMEOUT_MS = 30 * 60_000;

/**
 * Fetches the inputs that come from the web and compares them with their hashes. They are kept in `cacheDir`, so the next time
 * nothing is fetched. Rejects with `download-failed`, `timeout`, or `transfer-corrupt` for another content.
 */
export async function fetchInputs(
	inputs: readonly LocalInput[],
	cacheDir: string | undefined,
	ctx: OperationContext,
): Promise<LocalInput[]> {
	const found: LocalInput[] = [];
	for (const input of inputs) {
		found.push(input.from ? { path: input.path, file: await fetched(input.from, cacheDir ?? tmpdir(), ctx) } : input);
	}
	return found;
}

async function fetched({ url, sha256 }: NonNullable<LocalInput['from']>, dir: string, ctx: OperationContext): Promise<string> {
	const target = path.join(dir, 'inputs', sha256);
	if ((await stat(target).catch(() => undefined)) && (await contentOfFile(target)).sha256 === sha256) {
		return target;
	}
	ctx.progress.report({ message: `Fetching ${url}` });
	const { body } = await httpGet(url, { maxBytes: MOST, timeoutMs: TIMEOUT_MS, ...(ctx.signal && { signal: ctx.signal }) });
	const content = contentOfBytes(body);
	if (content.sha256 !== sha256) {
		throw new BoincError('transfer-corrupt', `${url} has the SHA-256 ${content.sha256}, and ${sha256} is expected.`, {
			remedy: 'If the file on the web was changed on purpose, write the new hash into the job file.',
			detail: { url, sha256: content.sha256 },
		});
	}
	await mkdir(path.dirname(target), { recursive: true });
	const part = `${target}.${String(process.pid)}.part`;
	await writeFile(part, body);
	await rename(part, target);
	return target;
}

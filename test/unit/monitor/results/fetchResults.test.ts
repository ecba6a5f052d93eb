import { createHash, randomFillSync } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { quietContext } from '../../../../src/common/ports.js';
import type { Connection } from '../../../../src/connection/connection.js';
import { localConnection } from '../../../../src/connection/localConnection.js';
import type { FetchReport, FetchRequest } from '../../../../src/monitor/results/fetchRequest.js';
import { fetchBatches, fetchResults } from '../../../../src/monitor/results/fetchResults.js';
import { file, symlink, tarOf } from '../../../support/savedImages.js';

let dir: string;
beforeEach(async () => {
	dir = await mkdtemp(path.join(tmpdir(), 'b2d-results-'));
	await mkdir(path.join(dir, 'server', '7'), { recursive: true });
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const connection = localConnection();
const onServer = (job: string): string => path.join(dir, 'server', '7', `${job}.tgz`);
const here = (...parts: string[]): string => path.join(dir, 'here', 'pi-7', ...parts);
const result = (text: string): Buffer => gzipSync(tarOf([file('out.txt', text), file('metrics.json', `{"n":"${text}"}`)]));
const put = (job: string, content: Buffer = result(job)): Promise<void> => writeFile(onServer(job), content);
const fetch = (more: Partial<FetchRequest> = {}, through: Connection = connection, signal?: AbortSignal): Promise<FetchReport> =>
	fetchResults(
		through,
		{ resultsDir: path.join(dir, 'server'), batch: { id: 7, name: 'pi' }, folder: path.join(dir, 'here'), ...more },
		quietContext(signal),
	);
const shown = async (folder = here()): Promise<string[]> =>
	(await readdir(folder)).filter((name) => !name.startsWith('.')).sort();

it('puts each result into a folder of its own, and later only what is new', async () => {
	await put('j0');
	await put('j1');
	await writeFile(path.join(dir, 'server', '7', 'j2.error'), '4\n');
	expect(await fetch()).toMatchObject({
		folder: here(),
		fetched: ['j0', 'j1'],
		already: [],
		failed: [],
		refused: [],
		metrics: here('metrics.csv'),
	});
	expect(await readFile(here('j1', 'out.txt'), 'utf8')).toBe('j1');
	await put('j3');
	expect(await fetch()).toMatchObject({ fetched: ['j3'], already: ['j0', 'j1'] });
	expect(await shown()).toEqual(['j0', 'j1', 'j3', 'metrics.csv']);
	expect(await readFile(here('metrics.csv'), 'utf8')).toBe('job,n\nj0,j0\nj1,j1\nj3,j3\n');
	expect((await readdir(here())).sort()).toEqual(['.boinc2docker.jsonl', 'j0', 'j1', 'j3', 'metrics.csv']);
});

it('has nothing to do before anything was collected', async () => {
	await rm(path.join(dir, 'server', '7'), { recursive: true });
	expect(await fetch()).toMatchObject({ fetched: [], failed: [], metrics: undefined });
});

it('uses the given names, and keeps them when names change', async () => {
	await put('j0');
	await fetch({ names: new Map([['j0', 'alpha=1']]), parameters: new Map([['j0', new Map([['alpha', '1']])]]) });
	expect(await shown()).toEqual(['alpha=1', 'metrics.csv']);
	expect(await readFile(here('metrics.csv'), 'utf8')).toBe('job,alpha,n\nj0,1,j0\n');
	expect(await fetch({ names: new Map([['j0', 'other']]) })).toMatchObject({ already: ['j0'], failed: [] });
});

it('takes many results in one command, and large ones by themselves', async () => {
	const commands: string[] = [];
	const counting: Connection = {
		...connection,
		exec: (argv, options) => {
			commands.push(argv[0]);
			return connection.exec(argv, options);
		},
		download: (from, to, options) => {
			commands.push('download');
			return connection.download(from, to, options);
		},
	};
	for (let n = 0; n < 300; n++) {
		await put(`j${n}`);
	}
	const noise = randomFillSync(Buffer.alloc(34 * 2 ** 20));
	await put('large', gzipSync(tarOf([file('big', noise)]), { level: 0 }));
	expect((await fetch({}, counting)).fetched).toHaveLength(301);
	expect(commands).toEqual(['sh', 'tar', 'download']);
	expect(
		createHash('md5')
			.update(await readFile(here('large', 'big')))
			.digest('hex'),
	).toBe(createHash('md5').update(noise).digest('hex'));
});

it('takes the results of several batches in one stream, of one of them only some', async () => {
	const commands: string[] = [];
	const counting: Connection = {
		...connection,
		exec: (argv, options) => {
			commands.push(argv[0]);
			return connection.exec(argv, options);
		},
	};
	await mkdir(path.join(dir, 'server', '8'));
	for (const job of ['j0', 'j1']) {
		await put(job);
		await writeFile(path.join(dir, 'server', '8', `${job}.tgz`), result(`other ${job}`));
	}
	const request = { resultsDir: path.join(dir, 'server'), folder: path.join(dir, 'here') };
	const reports = await fetchBatches(
		counting,
		[
			{ ...request, batch: { id: 7, name: 'pi' } },
			{ ...request, batch: { id: 8, name: 'e' }, jobs: ['j1'] },
			{ ...request, batch: { id: 9, name: 'none' } },
		],
		quietContext(),
	);
	expect(reports.map(({ fetched }) => fetched)).toEqual([['j0', 'j1'], ['j1'], []]);
	expect(commands.filter((name) => name === 'tar')).toHaveLength(1);
	expect(await readFile(here('j1', 'out.txt'), 'utf8')).toBe('j1');
	expect(await readFile(path.join(dir, 'here', 'e-8', 'j1', 'out.txt'), 'utf8')).toBe('other j1');
	// A folder that is not ours stops all before anything comes, and leaves no folder locked.
	await mkdir(path.join(dir, 'here', 'full-10', 'mine'), { recursive: true });
	const blocked = [
		{ ...request, batch: { id: 7, name: 'pi' } },
		{ ...request, batch: { id: 10, name: 'full' } },
	];
	await expect(fetchBatches(connection, blocked, quietContext())).rejects.toMatchObject({ code: 'file-in-the-way' });
	expect(await fetch()).toMatchObject({ already: ['j0', 'j1'] });
});

it('two windows that fetch the same do not do it twice: one waits, or is told to come back', async () => {
	for (let n = 0; n < 60; n++) {
		await put(`j${n}`);
	}
	let told = '';
	let goOn = (): void => undefined;
	const toldToWait = new Promise<void>((resolve) => (goOn = resolve));
	const report = ({ message }: { message: string }): void => {
		told ||= message;
		goOn();
	};
	const waiting = { ...quietContext(), progress: { report } };
	// The first goes on when the second has been told to wait, however busy the computer is.
	const held: Connection = {
		...connection,
		exec: async (argv, options) => {
			if ((await readdir(here()).catch((): string[] => [])).includes('.fetching')) {
				await toldToWait;
			}
			return connection.exec(argv, options);
		},
	};
	const request = { resultsDir: path.join(dir, 'server'), batch: { id: 7, name: 'pi' }, folder: path.join(dir, 'here') };
	const first = fetchResults(held, request, quietContext());
	await eventuallyLocked();
	await expect(fetch()).rejects.toMatchObject({ code: 'file-in-the-way', detail: { busy: true } });
	const second = fetchResults(connection, { ...request, patience: 30 }, waiting);
	expect((await first).fetched).toHaveLength(60);
	expect(await second).toMatchObject({ fetched: [], failed: [] });
	expect((await second).already).toHaveLength(60);
	expect(told).toContain('another window');
	const lines = (await readFile(here('.boinc2docker.jsonl'), 'utf8')).trim().split('\n');
	const jobs = lines.flatMap((line) => (JSON.parse(line) as { job?: string }).job ?? []);
	expect([jobs.length, new Set(jobs).size]).toEqual([60, 60]);
	expect((await shown()).length).toBe(61);
});

/** Resolves when somebody puts results into the folder. */
async function eventuallyLocked(): Promise<void> {
	while (!(await readdir(here()).catch((): string[] => [])).includes('.fetching')) {
		await new Promise((resolve) => setTimeout(resolve, 1));
	}
}

describe('what is wrong with one result', () => {
	it('does not stop the others: damage, a wrong hash, entries that may not be, a file that vanished', async () => {
		await put('bad', Buffer.from('no archive'));
		await put('changed');
		await put('good');
		await put('tricky', gzipSync(tarOf([symlink('l', '/etc'), file('../x', ''), file('ok', '1')])));
		const hash = createHash('md5')
			.update(await readFile(onServer('good')))
			.digest('hex');
		await put('gone');
		const vanishing: Connection = {
			...connection,
			exec: async (argv, options) => {
				if (argv[0] === 'tar') {
					await rm(onServer('gone'));
				}
				return connection.exec(argv, options);
			},
		};
		const hashes = (): Promise<Map<string, string>> =>
			Promise.resolve(
				new Map([
					['good', hash],
					['changed', '0'.repeat(32)],
				]),
			);
		const report = await fetch({ hashes }, vanishing);
		expect([...report.fetched].sort()).toEqual(['good', 'tricky']);
		expect(report.refused).toEqual(['tricky/l: it is a link', 'tricky/../x: its path leads out of the folder']);
		expect(Object.fromEntries(report.failed.map(({ job, why }) => [job, why]))).toEqual({
			bad: expect.stringContaining('cannot be unpacked') as string,
			changed: expect.stringContaining(`reported ${'0'.repeat(32)}`) as string,
			gone: 'it is not on the server any more.',
		});
		expect(await shown()).toEqual(['good', 'metrics.csv', 'tricky']);
		// The next call tries the bad ones again.
		await put('bad');
		expect((await fetch()).fetched.toSorted()).toEqual(['bad', 'changed']);
	});
});

describe('files in the way', () => {
	it('are never overwritten: a file or folder of a job, and the table', async () => {
		await put('j0');
		await put('j1');
		await put('j2');
		await fetch({ jobs: ['j2'] });
		await writeFile(here('j0'), 'mine');
		await mkdir(here('j1'));
		await writeFile(here('metrics.csv'), 'job,mine\n');
		const report = await fetch();
		expect(report.failed.map(({ job }) => job)).toEqual(['j0', 'j1']);
		expect(report.failed[0]?.why).toBe(`${here('j0')} exists already and is not overwritten.`);
		expect(report.metrics).toBeUndefined();
		expect(await readFile(here('j0'), 'utf8')).toBe('mine');
		expect(await readFile(here('metrics.csv'), 'utf8')).toBe('job,mine\n');
		expect(await readdir(here('j1'))).toEqual([]);
	});

	it.each([
		['a file', async () => writeFile(path.join(dir, 'here', 'pi-7'), 'x')],
		['a folder of somebody', async () => mkdir(path.join(dir, 'here', 'pi-7', 'mine'), { recursive: true })],
		[
			'the results of another batch',
			async () => {
				await mkdir(path.join(dir, 'here', 'pi-7'));
				await writeFile(here('.boinc2docker.jsonl'), '{"batch":8}\n');
			},
		],
	])('refuse the whole batch: %s', async (_, make) => {
		await put('j0');
		await mkdir(path.join(dir, 'here'));
		await make();
		await expect(fetch()).rejects.toMatchObject({ code: 'file-in-the-way' });
	});

	it('a result that was replaced on the server does not replace the one here', async () => {
		await put('j0');
		await fetch();
		await put('j0', result('new'));
		await utimes(onServer('j0'), 2_000_000_000, 2_000_000_000);
		expect((await fetch()).failed).toEqual([{ job: 'j0', why: expect.stringContaining('is not overwritten') as string }]);
		await rm(here('j0'), { recursive: true });
		expect((await fetch()).fetched).toEqual(['j0']);
		expect(await readFile(here('j0', 'out.txt'), 'utf8')).toBe('new');
	});
});

it('brings back a folder that was removed, unless it is told to leave it', async () => {
	await put('j0');
	await fetch();
	await rm(here('j0'), { recursive: true });
	expect(await fetch({ removed: 'leave' })).toMatchObject({ fetched: [], already: ['j0'] });
	expect(await fetch()).toMatchObject({ fetched: ['j0'] });
});

it('goes on after it was cut off at any point, and leaves nothing half', async () => {
	for (let n = 0; n < 30; n++) {
		await put(`j${String(n).padStart(2, '0')}`);
	}
	const stop = new AbortController();
	const cut: Connection = {
		...connection,
		exec: (argv, options = {}) =>
			connection.exec(argv, {
				...options,
				...(options.onStdout && {
					onStdout: async (chunk) => {
						for (let at = 0; at < chunk.length; at += 10_000) {
							await options.onStdout?.(chunk.subarray(at, at + 10_000));
						}
						stop.abort();
					},
				}),
			}),
	};
	await expect(fetch({}, cut, stop.signal)).rejects.toMatchObject({ name: 'AbortError' });
	const { fetched, already, failed } = await fetch();
	expect(failed).toEqual([]);
	expect([...fetched, ...already].sort()).toHaveLength(30);
	expect(await shown()).toHaveLength(31);
});

it('after a crash between writing down and moving, fetches again what was not moved', async () => {
	await put('j0');
	await fetch();
	// As the crash leaves it: written down, still in the temporary folder, and half a line behind it.
	await mkdir(here('.fetching'));
	await (await import('node:fs/promises')).rename(here('j0'), here('.fetching', 'j0'));
	await writeFile(here('.boinc2docker.jsonl'), '{"job":"ha', { flag: 'a' });
	expect(await fetch({ removed: 'leave' })).toMatchObject({ fetched: ['j0'] });
	expect(await fetch({ removed: 'leave' })).toMatchObject({ already: ['j0'] });
});

it('takes a folder whose record was made, and nothing written into it, before a call was cut off', async () => {
	await put('j0');
	await mkdir(here(), { recursive: true });
	await writeFile(here('.boinc2docker.jsonl'), '');
	expect(await fetch()).toMatchObject({ fetched: ['j0'], failed: [] });
});

it('lets one process at a time put results into a folder', async () => {
	for (let n = 0; n < 20; n++) {
		await put(`j${n}`);
	}
	const [first, second] = await Promise.allSettled([fetch(), fetch()]);
	expect([first.status, second.status].sort()).toEqual(['fulfilled', 'rejected']);
	const lost = first.status === 'rejected' ? first : second;
	expect(lost).toMatchObject({ reason: { code: 'file-in-the-way', detail: { busy: true } } });
	expect(await fetch()).toMatchObject({ fetched: [], failed: [] });
});

it('takes results whose names begin with a dash', async () => {
	await put('-rf');
	await put('--help');
	expect((await fetch()).fetched.toSorted()).toEqual(['--help', '-rf']);
});

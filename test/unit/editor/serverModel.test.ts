import { describe, expect, it, vi } from 'vitest';

import { BoincError } from '../../../src/common/errors.js';
import { silentLog, systemClock } from '../../../src/common/ports.js';
import { type ModelPorts, ServerModel } from '../../../src/editor/servers/serverModel.js';
import { differing } from '../../../src/monitor/jobParameters.js';
import { ProjectMonitor } from '../../../src/monitor/projectMonitor.js';
import type { Queries } from '../../../src/monitor/queries.js';
import type { Project } from '../../../src/project/project.js';

const SERVER = { id: 'abc', name: 'Test Project', target: 'ssh://me@example.org/proj' };

/** A project whose database has no batch, or fails. */
function fakes(): {
	ports: ModelPorts;
	opened: () => number;
	reached: () => number;
	disposed: () => number;
	fail: (error: Error | undefined) => void;
} {
	let opened = 0;
	let reached = 0;
	let disposed = 0;
	let failure: Error | undefined;
	const queries: Queries = {
		select: (sql) => {
			if (failure !== undefined) {
				return Promise.reject(failure);
			}
			return Promise.resolve(sql.includes('UNIX_TIMESTAMP') ? [{ now: 1000 }] : []);
		},
	};
	const project = { database: () => Promise.resolve(queries) } as unknown as Project;
	const ports: ModelPorts = {
		log: silentLog,
		clock: systemClock,
		open: () => {
			opened += 1;
			const reach = (): Promise<void> => {
				reached += 1;
				return Promise.resolve();
			};
			return failure === undefined
				? Promise.resolve({ project, reach, dispose: () => (disposed += 1) })
				: Promise.reject(failure);
		},
		monitor: (database) => Promise.resolve(new ProjectMonitor({ log: silentLog, clock: systemClock, database })),
		apps: () => Promise.resolve([]),
		parameters: () => Promise.resolve(differing(new Map())),
	};
	const fail = (error: Error | undefined): void => void (failure = error);
	return { ports, opened: () => opened, reached: () => reached, disposed: () => disposed, fail };
}

describe('the model of a server', () => {
	it('connects once for simultaneous callers', async () => {
		const { ports, opened } = fakes();
		const model = new ServerModel(SERVER, ports);
		await Promise.all([model.load(), model.load(), model.project(), model.project()]);
		expect(model.status.kind).toBe('ready');
		expect(opened()).toBe(1);
		model.dispose();
	});

	it('goes through connecting to ready and says so', async () => {
		const model = new ServerModel(SERVER, fakes().ports);
		const seen: string[] = [];
		model.onDidChange(() => seen.push(model.status.kind));
		await model.load();
		expect(seen[0]).toBe('connecting');
		expect(seen.at(-1)).toBe('ready');
		model.dispose();
	});

	it('keeps the reason of a failure, does not try again by itself, but on request', async () => {
		const { ports, opened, fail } = fakes();
		const refused = new BoincError('authentication-failed', 'refused');
		fail(refused);
		const model = new ServerModel(SERVER, ports);
		await model.load();
		expect(model.status).toEqual({ kind: 'trouble', error: refused });
		await model.load();
		expect(opened()).toBe(1);
		fail(undefined);
		await model.loadAgain();
		expect(model.status.kind).toBe('ready');
		model.dispose();
	});

	it('drops the connection when it is lost, and opens another', async () => {
		const { ports, opened, disposed, fail } = fakes();
		const model = new ServerModel(SERVER, ports);
		await model.load();
		await model.recount([]); // after the jobs were counted in the background
		fail(new BoincError('connection-lost', 'gone'));
		await model.refresh();
		expect(model.status.kind).toBe('trouble');
		await vi.waitFor(() => expect(disposed()).toBe(1));
		fail(undefined);
		await model.refresh();
		expect(model.status.kind).toBe('ready');
		expect(opened()).toBe(2);
		model.dispose();
	});

	it('lets one caller leave while the others go on', async () => {
		const { ports } = fakes();
		let connected: (() => void) | undefined;
		const connecting = new Promise<void>((resolve) => (connected = resolve));
		const model = new ServerModel(SERVER, { ...ports, open: (server) => connecting.then(() => ports.open(server)) });
		const abort = new AbortController();
		const leaving = model.project(abort.signal);
		const staying = model.project();
		abort.abort();
		await expect(leaving).rejects.toThrow('Cancelled');
		connected?.();
		await expect(staying).resolves.toBeDefined();
		model.dispose();
	});

	it('connects at once for a person, while polls leave a lost connection to its next try', async () => {
		const { ports, reached } = fakes();
		const model = new ServerModel(SERVER, ports);
		await model.load();
		const before = reached();
		await model.recount([]);
		expect(reached()).toBe(before);
		await model.project();
		expect(reached()).toBe(before + 1);
		model.dispose();
	});

	it('is over after it was disposed', async () => {
		const { ports, disposed } = fakes();
		const model = new ServerModel(SERVER, ports);
		await model.load();
		model.dispose();
		await vi.waitFor(() => expect(disposed()).toBe(1));
		await expect(model.project()).rejects.toMatchObject({ code: 'connection-lost' });
	});
});

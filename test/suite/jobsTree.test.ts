import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

import type {} from 'mocha';
import * as vscode from 'vscode';

import { Emitter } from '../../src/common/event.js';
import { silentLog } from '../../src/common/ports.js';
import { idsOf, selectionOf } from '../../src/editor/commands/selectedJobs.js';
import { ContextManager } from '../../src/editor/contextManager.js';
import type { ModelChange, ServerStatus, ServerView } from '../../src/editor/servers/serverModel.js';
import type { Services } from '../../src/editor/services.js';
import { BatchNode } from '../../src/editor/tree/batchNode.js';
import type { GroupNode } from '../../src/editor/tree/groupNode.js';
import { InstanceNode } from '../../src/editor/tree/instanceNode.js';
import { JobNode } from '../../src/editor/tree/jobNode.js';
import { JobsTree } from '../../src/editor/tree/jobsTree.js';
import { LoadMoreNode } from '../../src/editor/tree/loadMoreNode.js';
import type { TreeNode } from '../../src/editor/tree/node.js';
import { ViewOptions } from '../../src/editor/tree/viewOptions.js';
import type { JobParameters } from '../../src/job/parameters.js';
import type { JobGroup, JobGrouping, JobPage } from '../../src/monitor/jobPages.js';
import { differing, type DifferingParameters } from '../../src/monitor/jobParameters.js';
import type { Batch, Instance, InstanceState, Job, JobCounts } from '../../src/monitor/types.js';
import type { InstalledApp } from '../../src/project/types.js';

const NO_COUNTS: JobCounts = {
	created: 0,
	queued: 0,
	running: 0,
	validating: 0,
	retrying: 0,
	collecting: 0,
	done: 0,
	failed: 0,
	cancelling: 0,
	cancelled: 0,
};
const APP: InstalledApp = {
	id: 5,
	name: 'boinc2docker',
	friendlyName: 'Containers',
	deprecated: false,
	versions: [{ versionNum: 100, platform: 'x86_64-pc-linux-gnu', planClass: 'docker', runtime: 'docker' }],
};

const batch = (id: number, change: Partial<Batch> = {}): Batch => ({
	id,
	name: `batch ${id}`,
	appId: APP.id,
	state: 'running',
	createTime: 1_700_000_000,
	total: 3,
	counts: { ...NO_COUNTS, queued: 1, running: 1, done: 1 },
	...change,
});

const job = (id: number): Job => ({
	id,
	batchId: 1,
	name: `b2d_1_${String(id).padStart(6, '0')}`,
	state: 'running',
	createTime: 1_700_000_000,
	errorMask: 0,
	canonicalInstanceId: 0,
});

const instance = (id: number, state: InstanceState, receivedTime = 0): Instance => ({
	id,
	jobId: 1,
	name: `b2d_1_000001_${id}`,
	state,
	explanation: 'Running on host 3 since noon.',
	hostId: 3,
	exitStatus: 0,
	sentTime: 1_700_000_000,
	deadline: 1_700_100_000,
	receivedTime,
	elapsedTime: 0,
	cpuTime: 0,
	appVersion: '100 (docker) on x86_64-pc-linux-gnu',
});

class FakeServer implements ServerView {
	readonly server = { id: 'aaaa', name: 'Test Project', target: 'ssh://me@example.org/proj' };
	status: ServerStatus = { kind: 'ready' };
	installed: InstalledApp[] = [APP];
	rows: Batch[] = [batch(1)];
	jobRows: Job[] = [job(1)];
	instanceRows: Instance[] = [instance(1, 'running')];
	told = new Map<string, JobParameters>();
	failure: Error | undefined;
	loads = 0;
	readonly changed = new Emitter<ModelChange>();
	readonly onDidChange = this.changed.event;

	load(): Promise<void> {
		this.loads += 1;
		return Promise.resolve();
	}
	apps(): readonly InstalledApp[] {
		return this.installed;
	}
	batches(appId?: number): readonly Batch[] {
		return this.rows.filter((row) => appId === undefined || row.appId === appId);
	}
	jobs(_batchId: number, { limit = Infinity, states, names }: JobPage): Promise<readonly Job[]> {
		const rows = this.jobRows.filter(({ state, name }) => (states?.includes(state) ?? true) && (names?.includes(name) ?? true));
		return this.failure ? Promise.reject(this.failure) : Promise.resolve(rows.slice(0, limit));
	}
	groups(_batchId: number, by: JobGrouping): Promise<readonly JobGroup[]> {
		return Promise.resolve(by === 'host' ? [{ value: 3, jobs: 1 }] : []);
	}
	parameters(): Promise<DifferingParameters> {
		return Promise.resolve(differing(this.told));
	}
	instances(): Promise<readonly Instance[]> {
		return Promise.resolve(this.instanceRows);
	}
}

suite('tree of jobs', () => {
	let server: FakeServer;
	let all: FakeServer[];
	let changed: Emitter<{ model?: ServerView; change?: ModelChange }>;
	let context: ContextManager;
	let tree: JobsTree;
	let options: ViewOptions;

	setup(() => {
		server = new FakeServer();
		all = [server];
		changed = new Emitter();
		context = new ContextManager(silentLog);
		const stored = new Map<string, unknown>();
		options = new ViewOptions({
			get: (key) => stored.get(key),
			update: (key, value) => Promise.resolve(void stored.set(key, value)),
		});
		tree = new JobsTree({ all: () => all, onDidChange: changed.event }, options, context, silentLog);
	});
	teardown(() => {
		tree.dispose();
		context.set('boinc2docker:welcome', 'noServer'); // what the extension itself set
	});

	const only = async (node?: TreeNode): Promise<TreeNode> => {
		const [first, ...others] = await tree.getChildren(node);
		assert.ok(first);
		assert.equal(others.length, 0);
		return first;
	};
	const deepest = async (): Promise<TreeNode> => only(await only(await only(await only(await only()))));

	test('goes from server to app to batch to job to instance', async () => {
		const path: (string | vscode.TreeItemLabel | undefined)[] = [];
		for (let node: TreeNode | undefined = await deepest(); node; node = tree.getParent(node)) {
			path.unshift(tree.getTreeItem(node).label);
		}
		assert.deepEqual(path, ['Test Project', 'Containers', 'batch 1', 'b2d_1_000001', 'b2d_1_000001_1']);
	});

	test('makes ids from server, kind and number, and keeps nodes', async () => {
		const before = await deepest();
		assert.equal(before.id, 'aaaa/job/1/instance/1');
		server.instanceRows = [instance(1, 'valid', 1_700_000_500)];
		const after = await deepest();
		assert.equal(after, before);
		assert.match(String(tree.getTreeItem(after).description), /^valid · host 3$/);
	});

	test('shows the number of a batch and its counts in words', async () => {
		const node = await only(await only(await only()));
		assert.ok(node instanceof BatchNode);
		assert.equal(tree.getTreeItem(node).description, '#1 · 1/3 done · 1 running · 1 waiting for a host');
	});

	test('marks what menus can do', async () => {
		const node = await only(await only(await only()));
		assert.equal(tree.getTreeItem(node).contextValue, 'boinc2docker.batch+running+cancellable+results');
		server.rows = [batch(1, { state: 'cancelled', counts: { ...NO_COUNTS, cancelled: 3 } })];
		assert.equal(tree.getTreeItem(node).contextValue, 'boinc2docker.batch+cancelled');
	});

	test('a job says that it had failed before it was cancelled, and a failed one with an instance left can be cancelled', async () => {
		const { parent: node } = await deepest();
		assert.ok(node instanceof JobNode);
		const row = (change: Partial<Job>): vscode.TreeItem => {
			node.job = { ...job(1), ...change };
			return tree.getTreeItem(node);
		};
		assert.equal(row({ state: 'cancelled' }).description, 'cancelled');
		assert.equal(row({ state: 'cancelled', failedBefore: 1 }).description, 'cancelled (failed before: exit code 1)');
		assert.equal(row({ state: 'cancelled', failedBefore: 0 }).description, 'cancelled (failed before)');
		assert.equal(row({ state: 'failed' }).contextValue, 'boinc2docker.job+failed+retryable');
		assert.equal(row({ state: 'failed', alive: true }).contextValue, 'boinc2docker.job+failed+cancellable+retryable');
	});

	test('opens the log of an instance by a click once the host has reported', async () => {
		const node = await deepest();
		assert.equal(tree.getTreeItem(node).command, undefined);
		assert.ok(node instanceof InstanceNode);
		node.instance = instance(1, 'failed', 1_700_000_500);
		assert.equal(tree.getTreeItem(node).command?.command, 'boinc2docker.instance.showLog');
		assert.equal(tree.getTreeItem(node).contextValue, 'boinc2docker.instance+failed+log');
	});

	test('gives every row an accessible label, an icon and an id', async () => {
		for (let node: TreeNode | undefined = await deepest(); node; node = tree.getParent(node)) {
			const item = tree.getTreeItem(node);
			assert.ok(item.accessibilityInformation?.label, node.id);
			assert.ok(item.iconPath, node.id);
			assert.equal(item.id, node.id);
		}
	});

	test('gives tooltips only when they are asked for, with the texts taken literally', async () => {
		const node = await deepest();
		const item = tree.getTreeItem(node);
		assert.equal(item.tooltip, undefined);
		const { tooltip } = tree.resolveTreeItem(item, node);
		assert.ok(tooltip instanceof vscode.MarkdownString);
		assert.match(tooltip.value, /Running/);
		assert.match(tooltip.value, /result/);
	});

	test('differs in shape, not only in colour, between states', () => {
		const shapes = new Map<string, InstanceState>();
		const states: InstanceState[] = [
			'unsent',
			'running',
			'overdue',
			'validating',
			'valid',
			'invalid',
			'failed',
			'cancelled',
			'no-reply',
		];
		for (const state of states) {
			const node = new InstanceNode({ id: 'x/job/1', server: { id: 'x' } } as unknown as JobNode, instance(1, state));
			const icon = node.item().iconPath;
			assert.ok(icon instanceof vscode.ThemeIcon);
			assert.equal(shapes.get(icon.id), undefined, `${state} looks like ${shapes.get(icon.id)}`);
			shapes.set(icon.id, state);
		}
	});

	test('shows 200 jobs and a row for more until nothing remains', async () => {
		server.jobRows = Array.from({ length: 401 }, (_, i) => job(i + 1));
		const node = await only(await only(await only()));
		let rows = await tree.getChildren(node);
		assert.equal(rows.length, 201);
		const more = rows.at(-1);
		assert.ok(more instanceof LoadMoreNode);
		more.parent.loadMore();
		rows = await tree.getChildren(node);
		assert.equal(rows.length, 401);
		more.parent.loadMore();
		rows = await tree.getChildren(node);
		assert.equal(rows.length, 401);
		assert.ok(rows.every((row) => row instanceof JobNode));
	});

	test('says in a row why the jobs cannot be read', async () => {
		server.failure = new Error('the database is down');
		const row = await only(await only(await only(await only())));
		assert.equal(tree.getTreeItem(row).label, 'the database is down');
	});

	test('keeps the rows of a server in trouble, and says that it cannot be reached', async () => {
		server.status = { kind: 'trouble', error: new Error('no route to host') };
		const root = await only();
		assert.equal(tree.getTreeItem(root).description, 'not reachable');
		assert.equal((await tree.getChildren(await only(root))).length, 1);
	});

	test('invites to the next step while there is nothing to show', async () => {
		const welcome = async (): Promise<string | undefined> => {
			tree.refresh();
			const rows = await tree.getChildren();
			const key = context.get('boinc2docker:welcome');
			assert.equal(rows.length === 0, key !== undefined);
			return key;
		};
		assert.equal(await welcome(), undefined);
		server.rows = [];
		assert.equal(await welcome(), 'noBatch');
		server.installed = [];
		assert.equal(await welcome(), 'noApp');
		server.status = { kind: 'connecting' };
		assert.equal(await welcome(), undefined);
		all = [];
		assert.equal(await welcome(), 'noServer');
	});

	test('puts the jobs of a larger batch into groups by state, with exact counts', async () => {
		server.rows = [batch(1, { total: 500, counts: { ...NO_COUNTS, running: 2, failed: 100, done: 398 } })];
		server.jobRows = [job(1), job(2)];
		const node = await only(await only(await only()));
		const groups = await tree.getChildren(node);
		assert.deepEqual(
			groups.map((group) => [tree.getTreeItem(group).label, tree.getTreeItem(group).description]),
			[
				['Running', '2'],
				['Done', '398'],
				['Failed', '100'],
			],
		);
		const [running] = groups;
		assert.equal(running?.id, 'aaaa/batch/1/state/running');
		assert.deepEqual(
			(await tree.getChildren(running)).map(({ id }) => id),
			['aaaa/job/1', 'aaaa/job/2'],
		);
		assert.equal(tree.getTreeItem(groups[2]!).contextValue, 'boinc2docker.group+retryable');
	});

	test('takes a group for its batch only where it is meant so: what is done to the batch is done to other jobs too', async () => {
		server.rows = [batch(1, { total: 500, counts: { ...NO_COUNTS, running: 1, failed: 499 } })];
		const services = { models: { get: () => server } } as unknown as Services;
		const node = await only(await only(await only()));
		const [running, failed] = await tree.getChildren(node);
		const row = await only(running);
		const admits = { batch: () => true, job: () => true };
		const plain = selectionOf(services, row, [row, running, failed], admits);
		assert.deepEqual([plain.servers.map(idsOf), plain.skipped], [[{ batchIds: [], jobIds: [1] }], 2]);
		const group = ({ key }: GroupNode): boolean => key.by === 'state' && key.state === 'failed';
		const retried = selectionOf(services, row, [row, running, failed], { ...admits, group });
		assert.deepEqual([retried.servers.map(idsOf), retried.skipped], [[{ batchIds: [1], jobIds: [] }], 1]);
	});

	test('keeps a job’s row when it goes to another group', async () => {
		server.rows = [batch(1, { total: 500, counts: { ...NO_COUNTS, running: 1, done: 499 } })];
		const node = await only(await only(await only()));
		const [running, done] = await tree.getChildren(node);
		const row = await only(running);
		server.jobRows = [{ ...job(1), state: 'done' }];
		await tree.getChildren(node);
		assert.deepEqual(await tree.getChildren(running), []);
		assert.equal(await only(done), row);
		assert.equal(tree.getParent(row), done);
	});

	test('groups by host and by exit code, and says when there is nothing to group', async () => {
		await options.set({ group: 'host' });
		const node = await only(await only(await only()));
		assert.equal(tree.getTreeItem(await only(node)).label, 'Host 3');
		await options.set({ group: 'exitCode' });
		assert.equal(tree.getTreeItem(await only(node)).label, 'No instance has failed');
		await options.set({ group: 'none' });
		assert.ok((await only(node)) instanceof JobNode);
	});

	test('groups by a parameter, the one with fewest values or a chosen one, and says when jobs do not differ', async () => {
		server.jobRows = [job(1), job(2), job(3)];
		const env = (n: number): string[] => [`ALPHA=0.${String(n)}`, `MODE=${n < 2 ? 'fast' : 'slow'}`];
		server.told = new Map(server.jobRows.map(({ name }, n) => [name, { argv: ['run'], env: env(n) }]));
		await options.set({ group: 'parameter' });
		const node = await only(await only(await only()));
		const labels = async (of: TreeNode): Promise<unknown[]> =>
			(await tree.getChildren(of)).map((row) => tree.getTreeItem(row)).map(({ label, description }) => [label, description]);
		assert.deepEqual(await labels(node), [
			['MODE = fast', '2'],
			['MODE = slow', '1'],
		]);
		const [fast] = await tree.getChildren(node);
		assert.deepEqual(
			(await tree.getChildren(fast)).map(({ id }) => id),
			['aaaa/job/1', 'aaaa/job/2'],
		);
		await options.set({ parameter: 'ALPHA' });
		assert.deepEqual((await labels(node)).length, 3);
		await options.set({ parameter: 'OTHER' });
		assert.equal(tree.getTreeItem(await only(node)).label, 'The jobs do not differ in such a parameter');
		await options.set({ group: 'state', parameter: '' });
	});

	test('a job whose instances have vanished between two queries says so', async () => {
		server.instanceRows = [];
		const row = await only(await only(await only(await only())));
		assert.equal(tree.getTreeItem(await only(row)).label, 'No instance yet');
		server.jobRows = [{ ...job(1), state: 'done' }];
		await tree.getChildren(tree.getParent(row));
		assert.equal(tree.getTreeItem(await only(row)).label, 'Removed from the server');
	});

	test('a click on a batch opens its page', async () => {
		const node = await only(await only(await only()));
		const { command } = tree.getTreeItem(node);
		assert.deepEqual([command?.command, command?.arguments], ['boinc2docker.batch.open', [node]]);
	});

	test('filters and sorts batches, and says when the filter hides all', async () => {
		server.rows = [
			batch(1, { name: 'b', counts: { ...NO_COUNTS, done: 3 } }),
			batch(2, { name: 'a', counts: { ...NO_COUNTS, failed: 1, done: 2 } }),
			batch(3, { name: 'c' }),
		];
		const app = await only(await only());
		const names = async (): Promise<unknown[]> => (await tree.getChildren(app)).map((node) => tree.getTreeItem(node).label);
		assert.deepEqual(await names(), ['c', 'a', 'b']);
		await options.set({ order: 'name' });
		assert.deepEqual(await names(), ['a', 'b', 'c']);
		await options.set({ shown: 'failures' });
		assert.deepEqual(await names(), ['a']);
		await options.set({ shown: 'unfinished' });
		assert.deepEqual(await names(), ['c']);
		await options.set({ text: 'zzz' });
		assert.deepEqual(await names(), ['The filter hides all batches']);
		assert.deepEqual(await tree.getChildren(), [], 'the welcome text says so while there is nothing else');
	});

	test('draws a batch again when one of its jobs in the tree changed, though its counts are the same', async () => {
		server.rows = [batch(1)];
		server.jobRows = [job(1), job(2)];
		const node = await only(await only(await only()));
		await tree.getChildren(node);
		const fired = new Promise<TreeNode | undefined>((resolve) => tree.onDidChangeTreeData(resolve));
		changed.fire({ model: server, change: { kind: 'batches', batchIds: [], jobIds: [2, 99_999] } });
		assert.equal((await fired)?.id, 'aaaa/batch/1');
	});

	test('draws only the batch that changed', async () => {
		server.rows = [batch(2), batch(1)];
		const app = await only(await only());
		const [second, first] = await tree.getChildren(app);
		assert.ok(first && second);
		const drawn: (TreeNode | undefined)[] = [];
		const fired = new Promise<void>((resolve) => {
			tree.onDidChangeTreeData((node) => {
				drawn.push(node);
				resolve();
			});
		});
		tree.getTreeItem(app);
		server.rows = [batch(2), batch(1, { counts: { ...NO_COUNTS, running: 2, done: 1 } })];
		changed.fire({ model: server, change: { kind: 'batches', batchIds: [1], jobIds: [] } });
		await Promise.race([fired, sleep(5000)]);
		assert.deepEqual(
			drawn.map((node) => node?.id),
			[first.id],
		);
	});

	test('finds the row of a batch for reveal, also before it was drawn', () => {
		const node = tree.batchNode('aaaa', 1);
		assert.equal(node?.parent.parent.id, 'aaaa');
		assert.equal(tree.batchNode('aaaa', 99), undefined);
		assert.equal(tree.batchNode('bbbb', 1), undefined);
	});
});

// The tree in a real VS Code while ten thousand jobs move, on a real database: what a person has chosen and unfolded stays, counts are
// exact, and a database that goes away and comes back is caught up with.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { bundled } from '../../scripts/bundled.mjs';
import { openWorkbench } from '../harness/lib/workbench.mjs';
import { keepPicture, VSIX, WORKSPACE } from './support.mjs';

const JOBS = 10_000;
let wb, scratch, folder, live, server, db, mixed, sweep;

before(
	async () => {
		scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'b2d-tree-'));
		folder = path.join(scratch, 'analysis');
		fs.cpSync(WORKSPACE, folder, { recursive: true });
		live = await bundled('bench/monitor/liveProject.ts', async (all) => {
			server = await all.startMariadb({ dir: path.join(scratch, 'db') });
			db = await all.openDatabase(server);
			return all;
		});
		await live.installSchema(db);
		await live.addApp(db);
		const finished = await live.addBatch(db, 'finished', 50);
		await live.happen(db, 'done', finished.firstJob, finished.firstJob + 49);
		mixed = await live.addBatch(db, 'some failed', 12);
		await live.happen(db, 'failed', mixed.firstJob, mixed.firstJob + 2);
		await live.happen(db, 'sent', mixed.firstJob + 3, mixed.firstJob + 6);
		sweep = await live.addBatch(db, 'sweep', JOBS);
		const target = await live.makeProject(path.join(scratch, 'project'), server);
		keepJobFile(path.join(scratch, 'project'), finished.batch);
		await keepLongLog(path.join(scratch, 'project'));
		wb = await openWorkbench({ folder, vsix: [VSIX], viewport: { width: 1280, height: 900 } });
		await wb.showContainer('BOINC');
		await wb.runCommand('BOINC: Add Server');
		await wb.type(target, { title: 'Add Server' });
		await row('sweep').waitFor();
	},
	{ timeout: 300_000 },
);
after(async () => {
	await wb?.close();
	await db?.end();
	await server?.stop();
	fs.rmSync(scratch, { recursive: true, force: true });
});
beforeEach(() => wb.reset());
afterEach((t) => keepPicture(wb, t));

// Case counts, for the server is named Sweeps.
const row = (text) => wb.treeItems('Jobs').filter({ hasText: new RegExp(text) });
const unfold = async (item) => {
	await item.waitFor();
	if ((await item.getAttribute('aria-expanded')) === 'false') {
		await item.locator('.monaco-tl-twistie').click();
	}
};
/** Folds a row, so that those below it are on the screen. */
const fold = async (item) => {
	if ((await item.getAttribute('aria-expanded')) === 'true') {
		await item.locator('.monaco-tl-twistie').click();
	}
};
const job = (index) => `b2d_${String(sweep.batch)}_${String(index).padStart(6, '0')}`;
const at = (index) => sweep.firstJob + index;

/** The job file of a batch, as a submission keeps it on the server. */
function keepJobFile(project, batch) {
	const kept = path.join(project, '.boinc2docker/batches');
	fs.mkdirSync(kept, { recursive: true });
	fs.writeFileSync(path.join(kept, `${String(batch)}.yml`), 'image: Dockerfile\nname: kept on the server\n');
}

/** What the host of the first failed job uploaded, with a log that is too long to be shown whole. */
async function keepLongLog(project) {
	const name = `b2d_${String(mixed.batch)}_000000`;
	const packed = path.join(scratch, 'packed');
	fs.mkdirSync(path.join(packed, '.b2d'), { recursive: true });
	const steps = Array.from({ length: 30_000 }, (_, n) => `step ${n} of the fit has ended`);
	const trace = ['Traceback (most recent call last):', '  File "/app/hello.txt", line 2, in fit', 'ValueError: no'];
	fs.writeFileSync(path.join(packed, '.b2d/log.txt'), [...steps, ...trace, ''].join('\n'));
	const results = path.join(project, 'results/boinc2docker', String(mixed.batch));
	fs.mkdirSync(results, { recursive: true });
	execFileSync('tar', ['-C', packed, '-czf', path.join(results, `${name}.failed`), '.']);
	await db.execute('UPDATE result SET xml_doc_out = ? WHERE workunitid = ?', [
		`<file_info><name>${name}_0_r1_0</name></file_info>`,
		mixed.firstJob,
	]);
}

/** Moves the mouse over the list; tooltips may be in the way of a click, but not of the wheel. */
async function pointAtList() {
	const { x, y } = await wb.view('Jobs').locator('.monaco-list').boundingBox();
	await wb.page.mouse.move(x + 20, y + 20);
}

/** Looks at each picture that the browser draws; the function that comes back tells how many there were, and how many without the chosen row. */
async function watchChosen(name) {
	await wb.page.evaluate((text) => {
		const frames = { all: 0, without: 0, isOver: false };
		globalThis.chosenRow = frames;
		const look = () => {
			const rows = [...document.querySelectorAll('.monaco-list-row[aria-selected="true"]')];
			frames.all += 1;
			frames.without += rows.some((element) => element.textContent.includes(text)) ? 0 : 1;
			if (!frames.isOver) {
				requestAnimationFrame(look);
			}
		};
		requestAnimationFrame(look);
	}, name);
	return () => wb.page.evaluate(() => Object.assign(globalThis.chosenRow, { isOver: true }));
}

/** Drags as a hand does: VS Code asks the extension what is dragged when it begins, and the target needs to see the mouse move. */
async function drag(item, target) {
	const from = await item.boundingBox();
	const to = await target.boundingBox();
	const { mouse } = wb.page;
	await mouse.move(from.x + from.width / 2, from.y + from.height / 2);
	await mouse.down();
	await mouse.move(from.x + from.width / 2 + 20, from.y + from.height / 2 + 5, { steps: 4 });
	await mouse.move(to.x + to.width / 2, to.y + to.height / 2, { steps: 20 });
	await wb.page.locator('.monaco-editor-group-drop-overlay, #monaco-workbench-editor-drop-overlay').first().waitFor();
	await mouse.move(to.x + to.width / 2 + 5, to.y + to.height / 2 + 5, { steps: 4 });
	await mouse.up();
}

/** The counts of the sweep, as the database has them and as the row says them. */
async function countsInWords() {
	const count = async (sql) => Number((await db.select(`${sql} AND batch = ${String(sweep.batch)}`))[0].n);
	const done = await count('SELECT COUNT(*) AS n FROM workunit WHERE canonical_resultid > 0');
	const failed = await count('SELECT COUNT(*) AS n FROM workunit WHERE error_mask > 0');
	const total = await count('SELECT COUNT(*) AS n FROM workunit WHERE id > 0');
	const running = await count('SELECT COUNT(*) AS n FROM result WHERE server_state = 4');
	const waiting = await count('SELECT COUNT(*) AS n FROM result WHERE server_state = 2');
	return [
		`${done}/${total} done`,
		running > 0 ? `${running} running` : '',
		`${waiting} waiting for a host`,
		failed > 0 ? `${failed} failed` : '',
	]
		.filter(Boolean)
		.join(' · ');
}

test('what is chosen and unfolded stays while 10,000 jobs move, and counts are exact', { timeout: 300_000 }, async () => {
	await unfold(row('sweep'));
	await unfold(row('Waiting for a host'));
	await row(job(1)).waitFor();
	await unfold(row(job(1)).first());
	await row(`${job(1)}_0`).waitFor();
	await row(job(3)).first().click();
	await wb
		.view('Jobs')
		.locator('[aria-selected="true"]')
		.filter({ hasText: job(3) })
		.waitFor();
	const look = await watchChosen(job(3));
	for (let round = 0; round < 12; round++) {
		const first = at(1000 + round * 700);
		await live.happen(db, 'sent', first, first + 699);
		await live.happen(db, 'done', first, first + 399);
		await live.happen(db, 'failed', first + 400, first + 409);
		await sleep(300);
		assert.equal(await row(job(3)).first().getAttribute('aria-selected'), 'true');
		assert.equal(await row(job(1)).first().getAttribute('aria-expanded'), 'true');
	}
	await row(await countsInWords()).waitFor();
	const { all, without } = await look();
	assert.ok(all > 50, `only ${String(all)} pictures were drawn`);
	assert.equal(without, 0, `the chosen row was missing in ${String(without)} of ${String(all)} pictures`);
	assert.equal(await row(job(3)).first().getAttribute('aria-selected'), 'true');
	assert.equal(await row(`${job(1)}_0`).count(), 1);
});

test('a job that begins leaves its group, and what is selected stays', { timeout: 300_000 }, async () => {
	await live.happen(db, 'sent', at(1), at(1));
	await row(`${job(1)}_0`).waitFor({ state: 'detached' });
	assert.equal(await row(job(3)).first().getAttribute('aria-selected'), 'true');
	await row(await countsInWords()).waitFor();
});

test('a database that goes away during changes and comes back is caught up with', { timeout: 300_000 }, async () => {
	const { port } = server;
	await live.happen(db, 'done', at(9400), at(9449));
	await db.end();
	await server.stop();
	await wb.view('Jobs').locator('.message').filter({ hasText: 'database' }).waitFor();
	await row('sweep').waitFor(); // the last known rows stay
	server = await live.startMariadb({ dir: path.join(scratch, 'db'), port });
	db = await live.openDatabase(server);
	await live.happen(db, 'done', at(9450), at(9499));
	await row(await countsInWords()).waitFor();
	assert.equal(await wb.view('Jobs').locator('.message').filter({ hasText: 'database' }).count(), 0);
});

test('rows that the server purges leave the count, and the row says so', { timeout: 300_000 }, async () => {
	await db.execute('DELETE FROM workunit WHERE batch = ? AND canonical_resultid > 0 LIMIT 100', [sweep.batch]);
	await wb.runCommand('BOINC: Refresh');
	await row(`${await countsInWords()} · 100 removed from the server`).waitFor();
});

test('a click on a batch opens its page beside the tree, which follows the jobs', { timeout: 300_000 }, async () => {
	await row('sweep').first().locator('.label-name').click();
	const page = await wb.webview('#figures .figure');
	await page.getByRole('heading', { name: 'sweep' }).waitFor();
	const done = async () =>
		Number((await page.locator('#parts li').filter({ hasText: 'done' }).locator('b').innerText()).replace(/,/g, ''));
	const before = await done();
	await live.happen(db, 'done', at(9500), at(9519));
	for (let i = 0; i < 900 && (await done()) !== before + 20; i++) {
		await sleep(100);
	}
	assert.equal(await done(), before + 20);
	await keepPicture(wb, { name: 'a batch and its page' });
	await wb.runCommand('View: Close Editor');
});

test('a batch that is dragged into the editor opens its job file', { timeout: 300_000 }, async () => {
	await fold(row('sweep'));
	for (const [name, text] of [
		['sweep', /was\ssubmitted\swithout\sa\sjob\sfile/],
		['finished', /name:\skept\son\sthe\sserver/],
	]) {
		await drag(row(name).first(), wb.page.locator('.editor-group-container').first());
		await wb.page.locator('.view-lines').filter({ hasText: text }).waitFor();
		await keepPicture(wb, { name: `${name}, dragged into the editor` });
		await wb.runCommand('View: Close Editor');
	}
});

test('a long log leads to the file of the workspace that it names', { timeout: 300_000 }, async () => {
	const name = `b2d_${String(mixed.batch)}_000000`;
	await unfold(row('some failed'));
	await unfold(row(name).first());
	await wb.contextMenu(row(`${name}_0`));
	await wb.chooseInMenu('Show Full Log of Instance');
	await wb.page
		.locator('.view-line')
		.filter({ hasText: /step\s0\sof/ })
		.click();
	await wb.page.keyboard.press('Control+End');
	await wb.page
		.locator('.detected-link')
		.filter({ hasText: 'hello.txt' })
		.click({ modifiers: ['Control'] });
	await wb.page.locator('.tab[aria-label^="hello.txt"]').waitFor();
	await wb.statusItem(/^Ln 2,/).waitFor();
	await wb.runCommand('View: Close All Editors');
	await fold(row('some failed'));
});

test('a filter that hides all batches says so, and leads back', { timeout: 300_000 }, async () => {
	await wb.runCommand('BOINC: Filter Batches…');
	await wb.pick('By Name…', { title: 'Filter Batches' });
	await wb.type('no such batch', { title: 'Filter Batches' });
	// A view with a description is not called “Jobs Section” any more.
	const change = wb.page.getByRole('button', { name: 'Change Filter' });
	await change.waitFor();
	await keepPicture(wb, { name: 'the filter hides all batches' });
	await change.click();
	await wb.pick('All Batches', { title: 'Filter Batches' });
	await row('sweep').first().waitFor();
});

test('jobs come in pages of 200', { timeout: 300_000 }, async () => {
	await unfold(row('sweep'));
	await unfold(row('Waiting for a host'));
	const more = row('Load More').first();
	await pointAtList();
	for (let i = 0; i < 300 && !(await more.isVisible()); i++) {
		await wb.page.mouse.wheel(0, 2000);
		await sleep(10);
	}
	await more.waitFor();
});

test('the tree in three themes', { timeout: 300_000 }, async () => {
	await wb.view('Jobs').locator('.monaco-list').press('Home');
	for (const theme of ['Dark Modern', 'Dark High Contrast', 'Light Modern']) {
		await wb.runCommand('Preferences: Color Theme');
		await wb.type(theme, { accept: false });
		await wb.pick(theme);
		await keepPicture(wb, { name: `groups of jobs in ${theme}` });
	}
	assert.ok(await row('sweep').isVisible());
});

test('two windows at once show the same', { timeout: 300_000 }, async () => {
	const elsewhere = path.join(scratch, 'elsewhere');
	fs.mkdirSync(elsewhere);
	const other = await wb.anotherWindow({ folder: elsewhere });
	const theirs = (text) => other.treeItems('Jobs').filter({ hasText: new RegExp(text) });
	await other.showContainer('BOINC');
	await theirs('sweep').waitFor(); // the server was added in the first window
	await live.happen(db, 'sent', at(9600), at(9699));
	await live.happen(db, 'done', at(9600), at(9649));
	await live.happen(db, 'failed', at(9650), at(9659));
	for (const rows of [row, theirs]) {
		await rows(await countsInWords()).waitFor();
	}
	await keepPicture(other, { name: 'the second window' });
	const target = await live.makeProject(path.join(scratch, 'second'), server);
	await other.runCommand('BOINC: Add Server');
	await other.type(target, { title: 'Add Server' });
	await theirs('Sweeps').nth(1).waitFor();
	await wb.page.bringToFront();
	await wb.runCommand('BOINC: Refresh');
	await wb.statusItem('2 servers').waitFor(); // the second one’s row is below the jobs that are unfolded
});

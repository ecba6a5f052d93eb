// The page of a batch in the packaged extension, in a real VS Code, on a sandbox's database: figures, charts, the table of
// all jobs, keyboard, explanations, changes while one looks. Pictures in three themes at two widths.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { openWorkbench } from '../harness/lib/workbench.mjs';
import { fillSampleBatch } from './sampleBatch.mjs';
import { chooseTheme, createSandbox, keepPicture, VSIX, WORKSPACE } from './support.mjs';

const MINUTES = 60_000;
const JOBS = 1500;
let wb, scratch, sandbox, sample, page;

before(
	async () => {
		scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'b2d-page-'));
		sandbox = await createSandbox(path.join(scratch, 's'), { client: false });
		sample = await fillSampleBatch(sandbox.projectRoot, { jobs: JOBS });
		const folder = path.join(scratch, 'analysis');
		fs.cpSync(WORKSPACE, folder, { recursive: true });
		fetchedMetrics(path.join(folder, 'boinc-results', `Fit-of-${JOBS}-spectra-${sample.batch}`));
		wb = await openWorkbench({ folder, vsix: [VSIX] });
	},
	{ timeout: 10 * MINUTES },
);
after(
	async () => {
		await sample?.database.end();
		await wb?.close();
		await sandbox?.stop();
		fs.rmSync(scratch, { recursive: true, force: true, maxRetries: 5 });
	},
	{ timeout: MINUTES },
);
beforeEach(() => wb.reset());
afterEach((t) => keepPicture(wb, t));

/** The record of results that were fetched before, with a figure of each. */
function fetchedMetrics(folder) {
	fs.mkdirSync(folder, { recursive: true });
	const line = (n) => {
		const job = `b2d_${sample.batch}_${String(n).padStart(6, '0')}`;
		return JSON.stringify({ job, size: 1, modified: 1, folder: job, rows: [{ exitCode: 0, seconds: 1, loss: n / 100 }] });
	};
	const lines = Array.from({ length: 40 }, (_, n) => line(n));
	fs.writeFileSync(path.join(folder, '.boinc2docker.jsonl'), [JSON.stringify({ batch: sample.batch }), ...lines, ''].join('\n'));
}

test('the page of a batch shows its figures, charts, failures and hosts', async () => {
	await wb.runCommand('BOINC: Add Server');
	await wb.type(`local:${sandbox.projectRoot}`, { title: 'Add Server' });
	await wb.statusItem('Sandbox').waitFor();
	await wb.runCommand('BOINC: Open Batch');
	await wb.pick('Fit of 1500 spectra', { title: 'Open Batch' });
	page = await wb.webview('[aria-busy="false"] #figures .figure');
	await page.getByRole('heading', { name: 'Fit of 1500 spectra' }).waitFor();
	assert.match(await page.locator('#figures').innerText(), /Expected End\s+in .*\s.*90 % certainty/);
	assert.deepEqual(await page.locator('figure h3').allTextContents(), [
		'Progress',
		'Results per 5 min',
		'Run Time',
		'Turnaround',
	]);
	for (const chart of await page.locator('figure svg').all()) {
		assert.match(await chart.getAttribute('aria-label'), /\w+\. .+/);
	}
	assert.deepEqual(await page.locator('figure').first().locator('.level').allTextContents(), ['0', '750', '1,500']);
	assert.match(await page.locator('#failures-section + #charts + #hosts-section h2').innerText(), /Hosts/);
	assert.match(await page.locator('#failures').innerText(), /ended with exit code 3[^]*ValueError: row \d+ has no value/);
	assert.match(await page.locator('#hosts').innerText(), /Linux · x86-64 · containers/);
	const policy = await page.locator('meta[http-equiv]').getAttribute('content');
	assert.match(policy, /default-src 'none'; script-src 'nonce-[^']+';/);
});

test('the table goes through all jobs by the keyboard and by range', async () => {
	const grid = page.getByRole('grid', { name: 'Jobs' });
	await grid.scrollIntoViewIfNeeded();
	await grid.focus();
	const active = grid.locator('.row.active');
	await active.filter({ hasText: '_000000' }).waitFor();
	assert.equal(await grid.getAttribute('aria-rowcount'), String(JOBS + 1));
	assert.match(await active.innerText(), /\/bin\/fit --spectrum 0/);
	assert.equal(await grid.locator('.head').getByRole('columnheader').last().innerText(), 'loss');
	assert.match(await grid.locator('[aria-rowindex="9"]').innerText(), /0\.07$/);
	await grid.press('End');
	await active.filter({ hasText: '_001499' }).waitFor();
	assert.equal(await grid.getAttribute('aria-activedescendant'), 'row-1499');
	await grid.press('PageUp');
	assert.ok((await grid.locator('.row').count()) < 60, 'only rows on the screen exist');
	await grid.press('Home');
	await page.locator('vscode-textfield').locator('input').fill('_00012');
	await active.filter({ hasText: '_000120' }).waitFor();
	assert.equal(await grid.getAttribute('aria-rowcount'), '11');
	await page.locator('vscode-textfield').locator('input').fill('');
	await page.locator('#count').filter({ hasText: '1,500' }).waitFor();
});

test('an example opens its log, and a question its answer', async () => {
	await page.locator('#failures .link').first().click();
	await wb.page.locator('.view-lines').filter({ hasText: 'ValueError' }).waitFor();
	await wb.runCommand('View: Close Editor');
	page = await wb.webview('#figures .figure');
	await page.locator('vscode-button', { hasText: 'Why Is This Not Running?' }).click();
	const answer = wb.page.locator('.view-lines').filter({ hasText: /on\s\d+\shosts/ });
	await answer.waitFor();
	await keepPicture(wb, { name: 'why is this not running' });
	await wb.runCommand('View: Close Editor');
});

test('all jobs are exported with their parameters', async () => {
	const file = path.join(scratch, 'jobs.csv');
	page = await wb.webview('#figures .figure');
	await page.locator('vscode-button', { hasText: 'Export CSV' }).click();
	// VS Code's own dialog writes its path into the box when it has read the folder: Enter only when ours has stayed.
	let accepted = false;
	for (let i = 0; i < 20 && !accepted; i++) {
		await wb.quickInputBox.fill(file);
		await sleep(300);
		if ((await wb.quickInputBox.inputValue()) === file) {
			await wb.quickInputBox.press('Enter');
			accepted = await wb.quickInput.waitFor({ state: 'hidden', timeout: 3000 }).then(
				() => true,
				() => false,
			);
		}
	}
	assert.ok(accepted, 'the dialog did not take the path');
	await wb.notification('Exported to').waitFor();
	for (let i = 0; i < 900 && !fs.existsSync(file); i++) {
		await sleep(100);
	}
	const lines = fs.readFileSync(file, 'utf8').trimEnd().split('\r\n');
	assert.equal(lines.length, JOBS + 1);
	assert.equal(lines[0], 'job,state,tries,host,runTimeSeconds,turnaroundSeconds,exitStatus,Command,SPECTRUM,WIDTH,loss');
	assert.match(lines[2], /^b2d_\d+_000001,done,1,\d+,\d+,\d+,0,\/bin\/fit --spectrum 1,1,0\.1,0\.01$/);
});

test('what changes on the server changes on the page, and hostile text stays text', async () => {
	page = await wb.webview('#figures .figure');
	await sample.database.query('UPDATE batch SET name = ? WHERE id = ?', ['<img src=x onerror=alert(1)> & "co"', sample.batch]);
	await sample.database.query(
		'UPDATE workunit SET canonical_resultid = 1, assimilate_state = 2 WHERE batch = ? AND canonical_resultid = 0 AND error_mask = 0 ORDER BY id LIMIT 100',
		[sample.batch],
	);
	await page.getByRole('heading', { name: '<img src=x onerror=alert(1)> & "co"' }).waitFor();
	assert.equal(await page.locator('img').count(), 0);
	await sample.database.query('UPDATE batch SET name = ? WHERE id = ?', ['Fit of 1500 spectra', sample.batch]);
	await page.getByRole('heading', { name: 'Fit of 1500 spectra' }).waitFor();
});

test('the tree puts the jobs together by a parameter', async () => {
	await wb.showContainer('BOINC');
	await wb.runCommand('BOINC: Group Jobs By…');
	await wb.pick('Parameter', { title: 'Group Jobs By' });
	await wb.pick('WIDTH', { title: 'Group Jobs By' });
	const row = (text) => wb.treeItems('Jobs').filter({ hasText: text });
	await row('Fit of 1500 spectra').first().locator('.monaco-tl-twistie').click();
	assert.match(await row('WIDTH = 0.1').first().innerText(), /60/);
	await row('WIDTH = 0.3').first().locator('.monaco-tl-twistie').click();
	await row('_000003').first().waitFor();
	page = await wb.webview('#figures .figure');
	await page.evaluate(() => document.querySelector('#failures details')?.removeAttribute('open'));
	await page.evaluate(() => document.documentElement.scrollTo(0, 0));
	await keepPicture(wb, { name: 'jobs by a parameter' });
});

test('the page in three themes at two widths', async () => {
	await wb.runCommand('View: Close Primary Side Bar');
	for (const theme of ['Light (Visual Studio)', 'Dark (Visual Studio)', 'Dark High Contrast']) {
		await chooseTheme(wb, theme);
		const kind = theme.includes('High') ? 'vscode-high-contrast' : theme.includes('Light') ? 'vscode-light' : 'vscode-dark';
		page = await wb.webview(`body.${kind} #figures .figure`);
		for (const width of [1280, 560]) {
			await wb.page.setViewportSize({ width, height: 1800 });
			await page.evaluate(() => document.documentElement.scrollTo(0, 0));
			assert.ok(
				await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth),
				`no sideways scrolling at ${width}`,
			);
			await keepPicture(wb, { name: `batch page ${kind} ${width}` });
		}
	}
	await wb.page.setViewportSize({ width: 1280, height: 800 });
});

test('the page is there again after the window was loaded again', async () => {
	await wb.page.reload();
	await wb.ready();
	page = await wb.webview('#figures .figure');
	await page.getByRole('heading', { name: 'Fit of 1500 spectra' }).waitFor();
});

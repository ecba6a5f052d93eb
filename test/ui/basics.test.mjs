// The packaged extension in a real VS Code, without any server: what a person meets first.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';

import { openWorkbench } from '../harness/lib/workbench.mjs';
import { keepPicture, VSIX, WORKSPACE } from './support.mjs';

let wb, folder;

before(async () => {
	folder = fs.mkdtempSync(path.join(os.tmpdir(), 'boinc2docker-ui-'));
	fs.cpSync(WORKSPACE, folder, { recursive: true });
	wb = await openWorkbench({ folder, vsix: [VSIX] });
});
after(async () => {
	await wb?.close();
	fs.rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => wb.reset());
afterEach((t) => keepPicture(wb, t));

test('the command is offered on a Dockerfile and a Containerfile, in the explorer and the editor, and on nothing else', async () => {
	const offered = async (name) => {
		const labels = await wb.contextMenu(wb.explorerItem(name));
		await wb.closeMenu();
		return labels.includes('Submit as BOINC Job');
	};
	// The first menu after the start may still be without what extensions contribute.
	for (let i = 0; i < 10 && !(await offered('Dockerfile')); i++);
	assert.equal(await offered('Dockerfile'), true);
	assert.equal(await offered('README.md'), false);
	await wb.expand('sub');
	assert.equal(await offered('sub'), false);
	assert.equal(await offered('worker.Dockerfile'), true);
	assert.equal(await offered('Containerfile'), true);
	// And in the text of an open one.
	await wb.openFile('Dockerfile');
	const inText = await wb.contextMenu(wb.page.locator('.editor-container .monaco-editor .view-lines'));
	await wb.closeMenu();
	assert.ok(inText.includes('Submit as BOINC Job'), inText.join());
});

test('the empty view invites to add a server', async () => {
	await wb.showContainer('BOINC');
	const welcome = wb.view('Jobs').locator('.welcome-view-content');
	await welcome.filter({ hasText: 'Run your containers' }).waitFor();
	await welcome.getByRole('button', { name: 'Add Server' }).click();
	await wb.quickInput.locator('.quick-input-title', { hasText: 'Add Server' }).waitFor();
});

test('an address is checked while it is typed', async () => {
	await wb.runCommand('BOINC: Add Server');
	await wb.type('http://example.org', { title: 'Add Server', accept: false });
	await wb.quickInputMessage.filter({ hasText: 'http is not supported' }).waitFor();
	await wb.type('ssh://me:secret@example.org', { accept: false });
	await wb.quickInputMessage.filter({ hasText: 'holds a password' }).waitFor();
});

test('a server that is not there is explained, and can be tried again', async () => {
	await wb.runCommand('BOINC: Add Server');
	await wb.type('ssh://nobody@127.0.0.1:1/nowhere', { title: 'Add Server' });
	const toast = wb.notification('127.0.0.1');
	await toast.getByRole('button', { name: 'Try Again' }).waitFor();
	await toast.getByRole('button', { name: 'Show Log' }).click();
	await wb.page.locator('.panel .view-lines').filter({ hasText: '127.0.0.1' }).waitFor();
});

test('the palette has what needs no row of the tree, and only that', async () => {
	await wb.page.keyboard.press('F1');
	await wb.quickInputBox.fill('>BOINC: ');
	await wb.quickPickRow('BOINC: Add Server').waitFor();
	const labels = new Set();
	// The list is virtual: a page after the other, until the last row was seen.
	for (let page = 0; page < 10 && !labels.has('BOINC: Why Is This Not Running?'); page++) {
		for (const label of await wb.quickPickLabels()) {
			labels.add(label);
		}
		await wb.page.keyboard.press('PageDown');
	}
	for (const label of labels) {
		if (!label.startsWith('BOINC: ')) {
			labels.delete(label);
		}
	}
	assert.deepEqual([...labels].sort(), [
		'BOINC: Add Dockerfile…',
		'BOINC: Add Server',
		'BOINC: Build Image',
		'BOINC: Build Image With Options…',
		'BOINC: Cancel Batch',
		'BOINC: Cancel Build or Push',
		'BOINC: Choose Local Image…',
		'BOINC: Copy Diagnostics',
		'BOINC: Fetch Results',
		'BOINC: Filter Batches…',
		'BOINC: Focus on Images View', // VS Code's own
		'BOINC: Focus on Jobs View',
		'BOINC: Group Jobs By…',
		'BOINC: Install App',
		'BOINC: Log In to Registry…',
		'BOINC: Open Batch',
		'BOINC: Open Job File',
		'BOINC: Push Image to Registry…',
		'BOINC: Push Image to Server',
		'BOINC: Raise Bound and Retry…',
		'BOINC: Refresh',
		'BOINC: Refresh Images',
		'BOINC: Remove Server',
		'BOINC: Remove Unused Packs…',
		'BOINC: Retry Failed Jobs',
		'BOINC: Run Locally',
		'BOINC: Set Priority…',
		'BOINC: Show Build Log',
		'BOINC: Show Log',
		'BOINC: Show What an Image Costs',
		'BOINC: Sort Batches…',
		'BOINC: Submit as BOINC Job',
		'BOINC: Undo Installation…',
		'BOINC: Why Did It Fail?',
		'BOINC: Why Is This Not Running?',
	]);
});

test('a command without a server says what to do first', async () => {
	await wb.runCommand('BOINC: Install App');
	await wb.pressInNotification('There is no server yet', 'Add Server');
	await wb.quickInput.locator('.quick-input-title', { hasText: 'Add Server' }).waitFor();
});

test('activation as a person sees it', async () => {
	const mine = (await wb.runningExtensions()).find(({ name }) => name.startsWith('BOINC'));
	assert.ok(mine.activationMs < 2000, JSON.stringify(mine));
});

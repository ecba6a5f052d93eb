// The main job in the packaged extension, in a real VS Code, against a real sandbox with a real BOINC client: server,
// installation, submission by right click, states in the tree, results in the workspace. The tests build on each other.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { openWorkbench } from '../harness/lib/workbench.mjs';
import { createSandbox, extensionLog, keepPicture, runs, until, VSIX, WORKSPACE } from './support.mjs';

const MINUTES = 60_000;
/** What the job does; its log names a file of the workspace as Python does in the traceback of an error. */
const PROGRAM = `cd /root/shared/results; /bin/busybox cp /hello.txt .; echo '{"greetings": 1}' >metrics.json
echo '  File "/hello.txt", line 1, in greet'`;
let wb, scratch, folder, sandbox;

before(
	async () => {
		scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'b2d-ui-'));
		folder = path.join(scratch, 'analysis');
		fs.cpSync(WORKSPACE, folder, { recursive: true });
		sandbox = await createSandbox(path.join(scratch, 's'));
		fs.copyFileSync(sandbox.busyboxFile, path.join(folder, 'busybox'));
		fs.writeFileSync(
			path.join(folder, 'Dockerfile'),
			[
				'FROM scratch',
				'COPY busybox /bin/busybox',
				'COPY hello.txt /hello.txt',
				`CMD ${JSON.stringify(['/bin/busybox', 'sh', '-c', PROGRAM])}`,
				'',
			].join('\n'),
		);
		const home = path.join(scratch, 'home'); // without keys and known hosts
		fs.mkdirSync(home);
		wb = await openWorkbench({
			folder,
			vsix: [VSIX],
			env: { HOME: home, SSH_AUTH_SOCK: '', ...sandbox.engineEnv },
			settings: {
				'boinc2docker.engine.command': 'podman',
				'files.simpleDialog.enable': true,
				'terminal.integrated.gpuAcceleration': 'off',
			},
		});
	},
	{ timeout: 10 * MINUTES },
);
after(
	async () => {
		if (lost) {
			console.log(extensionLog(wb));
		}
		await wb?.close();
		await sandbox?.stop();
		fs.rmSync(scratch, { recursive: true, force: true, maxRetries: 5 });
	},
	{ timeout: 8 * MINUTES },
);
beforeEach(() => wb.reset());
afterEach((t) => keepPicture(wb, t));

/** A step of the journey: fails at once when an earlier one failed. */
let lost;
function step(name, minutes, run) {
	test(name, { timeout: 3 * minutes * MINUTES }, async () => {
		assert.equal(lost, undefined, `the step “${lost}” failed`);
		lost = name;
		await run();
		lost = undefined;
	});
}

const welcome = (text) => wb.view('Jobs').locator('.welcome-view-content').filter({ hasText: text });
const row = (text) => wb.treeItems('Jobs').filter({ hasText: text });

/** Answers VS Code's own dialog for files, which is a quick input in a remote window. */
async function chooseFile(file, button) {
	const dialog = wb.quickInput.getByRole('button', { name: button });
	await dialog.waitFor();
	// It writes its own path into the box when it has read the first folder, which may be after we wrote ours: Enter only
	// when ours has stayed for a while.
	for (let i = 0; i < 20; i++) {
		await wb.quickInputBox.fill(file);
		await sleep(500);
		if (!(await wb.quickInputBox.inputValue()).startsWith(file)) {
			continue;
		}
		await wb.quickInputBox.press('Enter');
		const closed = await dialog.waitFor({ state: 'hidden', timeout: 3000 }).then(
			() => true,
			() => false,
		);
		if (closed) {
			return;
		}
	}
	throw new Error(`the dialog for files does not take ${file}`);
}

/** An instance in this state, and not one that is still being validated. */
const VALID = /(?<!in)valid(?!at)/;

/** The row of the first batch's job. */
const jobRow = () =>
	row(/b2d_\d+_0+ /)
		.or(row(/^b2d_\d+_0+/))
		.first();

/** Unfolds a row and waits for the rows below it. */
async function unfold(item) {
	await item.waitFor();
	if ((await item.getAttribute('aria-expanded')) === 'false') {
		await item.locator('.monaco-tl-twistie').click();
	}
}

step('a server is added: its key is confirmed, and a key file lets us in', 2, async () => {
	await wb.showContainer('BOINC');
	await welcome('Run your containers').getByRole('button', { name: 'Add Server' }).click();
	await wb.type(sandbox.target, { title: 'Add Server' });
	await wb.dialog.filter({ hasText: 'SHA256:' }).waitFor();
	await keepPicture(wb, { name: 'host key question' });
	await wb.dialog.getByRole('button', { name: 'Trust and Connect' }).click();
	await wb.dialog.filter({ hasText: 'Could not log in' }).getByRole('button', { name: 'Choose a Private Key…' }).click();
	await chooseFile(sandbox.identityFile, 'Use This Key');
	await welcome('no app for containers').waitFor();
	await wb.statusItem('Sandbox').waitFor();
});

step('the app is installed from the palette: plan, question, report', 4, async () => {
	await wb.runCommand('BOINC: Install App');
	await wb.type('boinc2docker', { title: 'Install App (1/4)' });
	await wb.type('Containers', { title: 'Install App (2/4)' });
	await wb.pick('Docker or Podman', { title: 'Install App (3/4)' });
	await wb.pick('Folder…', { title: 'Install App (4/4)' });
	await chooseFile(sandbox.wrapperFolder, 'Use This Folder');
	await wb.quickPickRow('Install “boinc2docker” on Sandbox').waitFor();
	await wb.page.locator('.tab.active', { hasText: 'Plan for boinc2docker' }).waitFor();
	await keepPicture(wb, { name: 'plan of an installation' });
	await wb.pick('Install “boinc2docker” on Sandbox');
	await wb.notification('is installed on Sandbox').waitFor({ timeout: 8 * MINUTES });
	await welcome('No jobs yet').waitFor();
});

step('a second installation finds nothing to do', 2, async () => {
	await wb.runCommand('BOINC: Install App');
	await wb.type('boinc2docker', { title: 'Install App (1/4)' });
	await wb.type('Containers', { title: 'Install App (2/4)' });
	await wb.pick('Docker or Podman', { title: 'Install App (3/4)' });
	await wb.pick('Folder…', { title: 'Install App (4/4)' });
	await chooseFile(sandbox.wrapperFolder, 'Use This Folder');
	await wb.notification('nothing is missing').waitFor();
});

step('a right click on a Dockerfile submits a job, and its batch is shown', 4, async () => {
	await wb.showContainer('Explorer');
	await wb.explorerCommand('Dockerfile', 'Submit as BOINC Job');
	await wb.type('', { title: 'Submit as BOINC Job (1/2)' });
	await wb.type('0', { title: 'Submit as BOINC Job (2/2)', accept: false });
	await wb.quickInputMessage.filter({ hasText: 'A number from 1 to' }).waitFor();
	await wb.type('1');
	await wb.dialog.filter({ hasText: 'Submit “analysis” as 1 job?' }).waitFor();
	await wb.dialog.filter({ hasText: /Hosts: 1 of the 1 of the last week can take the jobs/ }).waitFor();
	await keepPicture(wb, { name: 'plan before submitting' });
	await wb.dialog.getByRole('button', { name: 'Submit 1 Job to Sandbox' }).click();
	await wb.notification('Submitted “analysis” to Sandbox as 1 job').waitFor({ timeout: 8 * MINUTES });
	await row('analysis').waitFor();
});

step('the tree reaches valid, and the end is told with the way to the results', 6, async () => {
	await wb.showContainer('BOINC');
	await unfold(row('analysis'));
	await unfold(jobRow());
	await row(VALID).waitFor({ timeout: 8 * MINUTES });
	await row('1/1 done').waitFor({ timeout: 8 * MINUTES });
	await wb.notification('is over').waitFor();
	await wb.pressInNotification('is over', 'Open Results');
	await wb.pressInNotification('Results of 1 of 1 jobs', 'Open');
	await wb.page.locator('.tab[aria-label^="hello.txt"]').waitFor();
	const fetched = fs
		.readdirSync(path.join(folder, 'boinc-results'), { recursive: true })
		.filter((name) => name.endsWith('hello.txt'));
	assert.equal(fetched.length, 1);
	assert.equal(fs.readFileSync(path.join(folder, 'boinc-results', fetched[0]), 'utf8'), 'hello\n');
});

step('a click on an instance opens its log, which cannot be edited', 2, async () => {
	await wb.showContainer('BOINC');
	await row(VALID).click();
	await wb.page.locator('.tab.active[aria-label*=".log"]').waitFor();
	const editor = wb.page.locator('.editor-container .monaco-editor');
	await editor.locator('.view-lines').filter({ hasText: '===== Container =====' }).waitFor();
	await editor.locator('.view-lines').click();
	await wb.page.keyboard.type('x');
	await wb.page
		.getByText(/read-only/i)
		.first()
		.waitFor();
});

step('the log leads into the workspace; the XML, the host and the result open where they are', 3, async () => {
	const tab = (name) => wb.page.locator(`.tab.active[aria-label*="${name}"]`);
	const lines = wb.page.locator('.editor-container .monaco-editor .view-lines');
	await wb.showContainer('BOINC');
	await row(VALID).click();
	await tab('.log').waitFor();
	await lines.locator('.detected-link').first().waitFor();
	await keepPicture(wb, { name: 'log of an instance' });
	// By the mouse: the editor draws the link anew under it.
	const { x, y, width, height } = await lines.locator('.detected-link').first().boundingBox();
	await wb.page.keyboard.down('Control');
	await wb.page.mouse.click(x + width / 2, y + height / 2);
	await wb.page.keyboard.up('Control');
	await wb.page.locator('.tab.active[aria-label^="hello.txt"]').waitFor();
	for (const [title, name, text] of [
		['Show Input XML', '-input.xml', '<file_info>'],
		['Show Output XML', '-output.xml', '<md5_cksum>'],
		['Show Host', 'host-', 'Operating system'],
	]) {
		await wb.contextMenu(row(VALID));
		await wb.chooseInMenu(title);
		await tab(name).waitFor();
		await lines.filter({ hasText: text }).first().waitFor();
	}
	await keepPicture(wb, { name: 'host of an instance' });
	await wb.contextMenu(jobRow());
	await wb.chooseInMenu('Open Result');
	await wb.quickPickRow('.b2d/job.json').waitFor();
	await wb.pick('metrics.json', { title: 'Open Result' });
	await tab('metrics.json').waitFor();
	await lines.filter({ hasText: '"greetings"' }).first().waitFor();
});

step('the job runs again on this computer, with its output in a terminal', 3, async () => {
	await wb.showContainer('BOINC');
	await wb.contextMenu(jobRow());
	await wb.chooseInMenu('Reproduce Locally');
	await wb.page.locator('.xterm-rows').filter({ hasText: 'Exit code 0' }).waitFor();
	await keepPicture(wb, { name: 'job reproduced locally' });
	const again = path.join(folder, 'boinc-results', 'reproduced');
	await until(
		() => fs.existsSync(again) && fs.readdirSync(again, { recursive: true }).some((name) => name.endsWith('hello.txt')),
	);
});

step(
	'what was built in the panel is submitted; cancelling asks with the number, and touches only the unfinished',
	5,
	async () => {
		await wb.runCommand('BOINC: Focus on Images View');
		const page = await wb.webview('.sources');
		await page.locator('.head', { hasText: 'analysis' }).click();
		await page.locator('vscode-button[data-action="build"]').click();
		await page.locator('vscode-button[data-action="submit"]').click();
		await wb.type('/bin/busybox sleep 600', { title: 'Submit as BOINC Job (1/2)' });
		await wb.type('3', { title: 'Submit as BOINC Job (2/2)' });
		await wb.dialog.getByRole('button', { name: 'Submit 3 Jobs to Sandbox' }).click({ timeout: MINUTES });
		await wb.notification('as 3 jobs').waitFor({ timeout: 8 * MINUTES });
		await wb.view('Images').locator('.pane-header').click(); // folded again: the rows need the place
		const batch = row('0/3 done').first();
		await batch.waitFor();
		await wb.contextMenu(batch);
		await wb.chooseInMenu('Cancel Batch');
		await wb.dialog.filter({ hasText: 'Cancel the 3 unfinished jobs of “analysis”?' }).waitFor();
		await wb.dialog.getByRole('button', { name: 'Cancel 3 Jobs' }).click();
		await wb.notification('Cancelled 3 jobs').waitFor();
		// Those that a host has begun end when it contacts the server next.
		await row(/0\/3 done · \d (being )?cancelled/).waitFor();
		assert.equal(await row('1/1 done').count(), 1);
		assert.equal(await wb.notification('is over').count(), 0);
	},
);

step('a Dockerfile that does not build is explained, and nothing is submitted', 3, async () => {
	fs.writeFileSync(path.join(folder, 'Containerfile'), 'FROM scratch\nCOPY no-such-file /\n');
	await wb.showContainer('Explorer');
	await wb.explorerCommand('Containerfile', 'Submit as BOINC Job');
	await wb.type('', { title: 'Submit as BOINC Job (1/2)' });
	await wb.type('1', { title: 'Submit as BOINC Job (2/2)' });
	await wb.notification('no-such-file').waitFor();
	await keepPicture(wb, { name: 'build that fails' });
	await wb.showContainer('BOINC');
	assert.equal(await row(/\/\d+ done/).count(), 2);
});

step('Cancel ends the build, and nothing is submitted', 3, async () => {
	const seconds = 300 + (process.pid % 600); // a number to find this build's process by
	const lines = ['FROM scratch', 'COPY busybox /bin/busybox', `RUN ["/bin/busybox", "sleep", "${seconds}"]`, ''];
	fs.writeFileSync(path.join(folder, 'Containerfile'), lines.join('\n'));
	await wb.showContainer('Explorer');
	await wb.explorerCommand('Containerfile', 'Submit as BOINC Job');
	await wb.type('', { title: 'Submit as BOINC Job (1/2)' });
	await wb.type('1', { title: 'Submit as BOINC Job (2/2)' });
	await until(() => runs(`sleep ${seconds}`));
	await wb.pressInNotification('Submitting analysis', 'Cancel');
	await wb.notification('Submitting analysis').waitFor({ state: 'detached' });
	await until(() => !runs(`sleep ${seconds}`));
	await wb.showContainer('BOINC');
	assert.equal(await row(/\/\d+ done/).count(), 2);
	assert.equal(await wb.notification('could not').count(), 0);
});

step('a server is removed from the list, and Undo brings it back', 2, async () => {
	await wb.showContainer('BOINC');
	await wb.runCommand('BOINC: Remove Server');
	await welcome('Run your containers').waitFor();
	await wb.pressInNotification('Removed Sandbox', 'Undo');
	await row('1/1 done').waitFor();
});

step('looks right in dark and in high contrast', 2, async () => {
	await wb.showContainer('BOINC');
	for (const theme of ['Dark Modern', 'Dark High Contrast', 'Light High Contrast', 'Light Modern']) {
		await wb.runCommand('Preferences: Color Theme');
		await wb.type(theme, { accept: false });
		await wb.pick(theme);
		await wb.quickInput.waitFor({ state: 'hidden' });
		await row('1/1 done').waitFor();
		await keepPicture(wb, { name: `tree in ${theme}` });
	}
});

step('when the server is gone, the view says so and keeps its rows', 3, async () => {
	await sandbox.stop();
	await wb.showContainer('BOINC');
	await wb.runCommand('BOINC: Refresh');
	await row('not reachable').waitFor();
	await wb.view('Jobs').locator('.message').filter({ hasText: 'Sandbox: ' }).waitFor();
	assert.equal(await row('1/1 done').count(), 1);
	await wb.statusItem('not reachable').waitFor();
});

// The side panel of images in the packaged extension, in a real VS Code with a real Podman and a sandbox's server: build, a build
// that fails, cancel, cost, push, push again. The tests build on each other.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';

import { openWorkbench } from '../harness/lib/workbench.mjs';
import { createSandbox, extensionLog, keepPicture, runs, until, VSIX } from './support.mjs';

const MINUTES = 60_000;
const HOSTILE = '<img src=x onerror=alert(1)>';
let wb, scratch, folder, sandbox, page;
let failed = false;

const DOCKERFILE = `FROM scratch AS base
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
FROM base
ARG MODE=quick
LABEL note="${HOSTILE}"
COPY data /opt/model
COPY .env main.sh /app/
RUN echo "${HOSTILE} in mode $MODE" && ln -s /home/me/data /app/data
CMD ["/bin/sh", "/app/main.sh"]
`;

before(
	async () => {
		scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'b2d-images-'));
		folder = path.join(scratch, 'analysis');
		fs.mkdirSync(path.join(folder, 'broken'), { recursive: true });
		fs.mkdirSync(path.join(folder, 'data'));
		sandbox = await createSandbox(path.join(scratch, 's'), { client: false, engine: true });
		fs.copyFileSync(sandbox.busyboxFile, path.join(folder, 'busybox'));
		fs.writeFileSync(path.join(folder, 'Dockerfile'), DOCKERFILE);
		fs.writeFileSync(path.join(folder, 'main.sh'), 'echo hello\n');
		fs.writeFileSync(path.join(folder, '.env'), 'PASSWORD=x\n');
		fs.writeFileSync(path.join(folder, 'data/weights.bin'), randomBytes(5 << 20));
		fs.writeFileSync(path.join(folder, 'data/labels.txt'), 'label\n'.repeat(200_000));
		fs.writeFileSync(path.join(folder, 'broken/Dockerfile'), 'FROM scratch\nCOPY . /\n\nCOPY absent.txt /absent.txt\n');
		fs.writeFileSync(path.join(folder, 'compose.yml'), 'services:\n  slow:\n    build: { context: ., dockerfile: slow.txt }\n');
		fs.writeFileSync(
			path.join(folder, 'slow.txt'),
			'FROM scratch\nCOPY busybox /bin/busybox\nRUN ["/bin/busybox", "sleep", "987"]\n',
		);
		wb = await openWorkbench({
			folder,
			vsix: [VSIX],
			env: sandbox.engineEnv,
			settings: { 'boinc2docker.engine.command': 'podman' },
		});
	},
	{ timeout: 10 * MINUTES },
);
after(
	async () => {
		if (failed) {
			console.log(extensionLog(wb));
		}
		await wb?.close();
		await sandbox?.stop();
		fs.rmSync(scratch, { recursive: true, force: true, maxRetries: 5 });
	},
	{ timeout: MINUTES },
);
beforeEach(() => wb.reset());
afterEach((t) => {
	failed ||= t.error !== undefined;
	return keepPicture(wb, t);
});

/** The row of a Dockerfile, by its folder and its name. */
const head = (folderName, file = 'Dockerfile') =>
	page
		.locator('.head')
		.filter({ has: page.locator('.title', { hasText: folderName }) })
		.filter({ has: page.locator('.file', { hasText: file }) });
const press = (label) => page.locator('vscode-button', { hasText: label }).first().click();
const state = (text) => page.locator('.state', { hasText: text }).first();

/** Unfolds a Dockerfile, if it is not. */
async function unfold(folderName, file) {
	const row = head(folderName, file);
	await row.waitFor();
	if ((await row.getAttribute('aria-expanded')) === 'false') {
		await row.click();
	}
	await page.locator('.is-open').filter({ has: row }).waitFor();
}

test('the panel shows what can be built, the engine, and what a build will read', async () => {
	await wb.runCommand('BOINC: Focus on Images View');
	page = await wb.webview('.sources');
	await state(/Podman \d/).waitFor();
	assert.deepEqual(await page.locator('.head .file').allTextContents(), ['Dockerfile', 'slow (compose.yml)', 'Dockerfile']);
	await unfold('analysis');
	await page.locator('.context', { hasText: /MB in \d+ files/ }).waitFor();
	const policy = await page.locator('meta[http-equiv]').getAttribute('content');
	assert.match(policy, /default-src 'none'; script-src 'nonce-[^']+';/);
});

test('a build shows its steps with their logs, its image, and what that costs', async () => {
	await press('Build');
	await state(/^Built/).waitFor();
	const step = page.locator('.steps li', { hasText: 'in mode $MODE' });
	await step.locator('summary').click();
	await step.locator('.log', { hasText: `${HOSTILE} in mode quick` }).waitFor();
	assert.equal(await page.locator('img').count(), 0);
	await page.locator('.images .chosen', { hasText: 'analysis:latest' }).waitFor();
	await page.locator('.figures').waitFor();
	assert.match(await page.locator('.map').getAttribute('aria-label'), /By folder: opt .*MB/);
	const warnings = await page.locator('.warnings summary').allTextContents();
	for (const text of ['looks like a key', 'runs as root', 'leads to nothing']) {
		assert.ok(
			warnings.some((warning) => warning.includes(text)),
			`${text}: ${warnings.join('; ')}`,
		);
	}
});

test('a failing build leads to the line, in the panel and as a problem', async () => {
	await unfold('broken');
	await press('Build');
	await state('The build failed').waitFor();
	await page.locator('.trouble .link', { hasText: 'Line 4' }).click();
	await wb.page.locator('.tab.active[aria-label^="Dockerfile"]').waitFor();
	await wb.page.locator('.statusbar-item', { hasText: 'Ln 4' }).waitFor();
	await wb.page.locator('.squiggly-error').first().waitFor();
	await wb.runCommand('View: Close All Editors');
});

test('Cancel stops the engine, and meanwhile another image can be built', async () => {
	await unfold('analysis', 'slow');
	await press('Build');
	await until(() => runs('/bin/busybox sleep 987'));
	await page.locator('.steps li', { hasText: 'sleep' }).waitFor();
	await unfold('analysis');
	await press('Build');
	await state(/^Built/).waitFor();
	await page.locator('.badge', { hasText: 'building' }).waitFor();
	await unfold('analysis', 'slow');
	await press('Cancel Build');
	await state('Build cancelled').waitFor();
	assert.equal(runs('/bin/busybox sleep 987'), false);
});

test('the image is pushed, and pushed again nothing is sent', async () => {
	await unfold('analysis');
	await press('Add Server');
	await wb.type(`local:${sandbox.projectRoot}`, { title: 'Add Server' });
	await wb.statusItem('Sandbox').waitFor();
	await press('Push to Sandbox');
	await state(/Pushed to Sandbox: .*MB sent/).waitFor();
	await page.locator('.cost .summary', { hasText: 'Sandbox has all of it' }).waitFor();
	await press('Push to Sandbox');
	await state('nothing was sent').waitFor();
});

test('what changes in the image is what must be sent', async () => {
	fs.writeFileSync(path.join(folder, 'main.sh'), 'echo changed\n');
	await press('Build');
	await page.locator('.cost .summary', { hasText: /^\d.* must be sent to Sandbox/ }).waitFor();
	const figure = (label) => page.locator('.figure', { hasText: label }).locator('.value').innerText();
	assert.match(await figure('A new volunteer'), /MB$/);
	assert.match(await figure('With the former version'), /^\d+(\.\d+)? (B|KB)$/);
});

test('a Dockerfile that is dropped is added, anything else is refused', async () => {
	const drop = (file) =>
		page.evaluate((uri) => {
			const data = new DataTransfer();
			data.setData('text/uri-list', uri);
			window.dispatchEvent(new DragEvent('drop', { dataTransfer: data, cancelable: true }));
		}, `file://${file}`);
	fs.mkdirSync(path.join(scratch, 'elsewhere'));
	fs.writeFileSync(path.join(scratch, 'elsewhere/Dockerfile'), 'FROM scratch\nCOPY a /a\n');
	await drop(path.join(scratch, 'elsewhere/Dockerfile'));
	await page
		.locator('.is-open')
		.filter({ has: head('elsewhere') })
		.waitFor();
	await drop(path.join(folder, 'busybox'));
	await wb.notification('No Dockerfile: busybox').waitFor();
});

test('everything is there again after the view was hidden and the window loaded again', async () => {
	await unfold('analysis');
	await wb.showContainer('Explorer');
	await wb.runCommand('BOINC: Focus on Images View');
	page = await wb.webview('.figures');
	await wb.page.reload();
	await wb.ready();
	await wb.runCommand('BOINC: Focus on Images View');
	page = await wb.webview('.images .chosen');
	await page
		.locator('.is-open')
		.filter({ has: head('analysis') })
		.waitFor();
});

test('the keyboard goes through the panel', async () => {
	await page.locator('.head').first().focus();
	await page.locator('.head').first().press('ArrowDown');
	assert.equal(await page.evaluate(() => document.activeElement === document.querySelectorAll('.head')[1]), true);
	await page.locator('.head').nth(1).press('Enter');
	await page.locator('.head[aria-expanded="true"]').nth(0).waitFor();
});

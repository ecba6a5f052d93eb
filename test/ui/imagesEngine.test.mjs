// The view Images with a real Docker daemon that is stopped in the middle of a build and of pushes, and started again. It listens where
// Colima's does and is meant by a context of that name: the set-up of a person, which stays as it is. The tests build on each other.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { promisify } from 'node:util';

import { openWorkbench } from '../harness/lib/workbench.mjs';
import { DockerDaemon } from '../support/dockerDaemon.mjs';
import { startRegistry } from '../support/registry.mjs';
import { createSandbox, extensionLog, keepPicture, pidOf, runs, until, VSIX } from './support.mjs';

const MINUTES = 60_000;
let wb, scratch, home, folder, sandbox, page, daemon, registry, silent, dockerConfig;
let lost;

before(
	async () => {
		scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'b2d-colima-'));
		home = path.join(scratch, 'home');
		folder = path.join(scratch, 'analysis');
		daemon = new DockerDaemon(path.join(scratch, 'docker'), path.join(home, '.colima/default/docker.sock'));
		sandbox = await createSandbox(path.join(scratch, 's'), { client: false });
		registry = await startRegistry(path.join(scratch, 'registry'));
		// A registry that takes calls and says nothing: there is a middle of a push to act in.
		silent = createServer(() => undefined);
		await new Promise((resolve) => silent.listen(0, '127.0.0.1', resolve));
		await daemon.start();
		const docker = (...args) => promisify(execFile)('docker', args, { env: environment() });
		await docker('context', 'create', 'colima', '--docker', `host=unix://${daemon.socket}`);
		await docker('context', 'create', 'other', '--docker', 'host=tcp://127.0.0.1:9');
		await docker('context', 'use', 'colima');
		dockerConfig = fs.readFileSync(path.join(home, '.docker/config.json'), 'utf8');
		fillWorkspace();
		fs.mkdirSync(path.join(home, '.ssh'), { recursive: true });
		fs.copyFileSync(sandbox.identityFile, path.join(home, '.ssh/id_ed25519'));
		fs.copyFileSync(sandbox.knownHostsFile, path.join(home, '.ssh/known_hosts'));
		wb = await openWorkbench({ folder, vsix: [VSIX], env: environment() });
	},
	{ timeout: 10 * MINUTES },
);
after(
	async () => {
		if (wb && lost) {
			console.log(extensionLog(wb));
		}
		await wb?.close();
		silent?.close();
		await registry?.stop();
		await daemon?.remove();
		await sandbox?.stop();
		fs.rmSync(scratch, { recursive: true, force: true, maxRetries: 5 });
	},
	{ timeout: MINUTES },
);
beforeEach(() => wb.reset());
afterEach((t) => keepPicture(wb, t));

/** A step of the way: fails at once when an earlier one failed. */
function step(name, run) {
	test(name, async () => {
		assert.equal(lost, undefined, `the step “${lost}” failed`);
		lost = name;
		await run();
		lost = undefined;
	});
}

const environment = () => ({
	...process.env,
	HOME: home,
	SSH_AUTH_SOCK: '',
	DOCKER_HOST: '',
	DOCKER_CONTEXT: '',
	DOCKER_CONFIG: '',
});

function fillWorkspace() {
	const file = (name, content) => {
		fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
		fs.writeFileSync(path.join(folder, name), content);
	};
	fs.mkdirSync(folder);
	fs.copyFileSync(sandbox.busyboxFile, path.join(folder, 'busybox'));
	file('data/model.bin', randomBytes(60 << 20));
	file('Dockerfile', 'FROM scratch\nCOPY busybox /bin/busybox\nCOPY data /data\nCMD ["/bin/busybox", "date"]\n');
	file('compose.yml', 'services:\n  slow:\n    build: { context: ., dockerfile: slow.txt }\n');
	file('slow.txt', 'FROM scratch\nCOPY busybox /bin/busybox\nRUN ["/bin/busybox", "sleep", "986"]\n');
}

const press = (label) => page.locator('vscode-button', { hasText: label }).first().click();
const state = (text) => page.locator('.state', { hasText: text }).first();
async function unfold(file) {
	const row = page.locator('.head').filter({ has: page.locator('.file', { hasText: file }) });
	await row.waitFor();
	if ((await row.getAttribute('aria-expanded')) === 'false') {
		await row.click();
	}
	await page.locator('.is-open').filter({ has: row }).waitFor();
}

/** The panel says by itself that the engine is gone and how to start it, and that it is there again. */
async function engineIsGone() {
	const row = page.locator('.engine.bad');
	await row.filter({ hasText: 'its service does not run' }).filter({ hasText: 'colima start' }).waitFor();
	assert.equal(await page.locator('[data-action="build"], [data-action="push"]').count(), 0);
}
async function engineComesBack() {
	await daemon.start();
	await state(/Colima \(Docker \d/).waitFor();
	await page.locator('[data-action="build"]').waitFor();
}

step('Docker’s context is shown by the name that people know', async () => {
	await wb.runCommand('BOINC: Focus on Images View');
	page = await wb.webview('.sources');
	await state(/^\s*Colima \(Docker \d+\.\d+\.\d+\)\s*context colima\s*$/).waitFor();
});

step('Docker that is stopped in the middle of a build is named, and found again by itself', async () => {
	await unfold('slow');
	await press('Build');
	await until(() => runs('/bin/busybox sleep 986'));
	await page.locator('.steps li', { hasText: 'sleep' }).waitFor();
	await daemon.end();
	await state('The build failed').waitFor();
	await page
		.locator('.build .trouble', { hasText: 'docker stopped while it built' })
		.filter({ hasText: 'colima start' })
		.waitFor();
	await engineIsGone();
	assert.equal(await page.locator('.build .trouble .link').count(), 0, 'no line of the Dockerfile is wrong');
	assert.equal(await wb.page.locator('.squiggly-error').count(), 0);
	await keepPicture(wb, { name: 'images with Docker stopped in a build' });
	await engineComesBack();
});

step('a build goes on to its image after that', async () => {
	await unfold('Dockerfile');
	await press('Build');
	await state(/^Built/).waitFor();
	await page.locator('.images .chosen', { hasText: 'analysis:latest' }).waitFor();
	await page.locator('.figures').waitFor();
});

step('Docker that is killed in the middle of a push to a registry is named, and the push can be made again', async () => {
	await press('Push to Registry');
	await wb.type(`127.0.0.1:${silent.address().port}/analysis`, { title: 'Push Image to Registry' });
	await state(/^Pushing to 127/).waitFor();
	await until(() => runs('docker push 127.0.0.1'));
	await daemon.end('SIGKILL');
	await state(/The push to 127.* failed/).waitFor();
	await page.locator('.push', { hasText: 'docker stopped while it pushed' }).filter({ hasText: 'colima start' }).waitFor();
	await engineIsGone();
	await keepPicture(wb, { name: 'images with Docker killed in a push' });
	await engineComesBack();
	const reference = `127.0.0.1:${registry.port}/team/analysis:1.0`;
	for (const word of ['sent', 'there already']) {
		await press('Push to Registry');
		await wb.type(reference, { title: 'Push Image to Registry' });
		await state(`Pushed as ${reference}`).waitFor();
		await page.locator('.push .layers li', { hasText: word }).first().waitFor();
	}
});

step('Docker that is killed in the middle of a push to a server is named, and the push goes on', async () => {
	await press('Add Server');
	await wb.type(sandbox.target, { title: 'Add Server' });
	await wb.statusItem('Sandbox').waitFor();
	// Another image: what is known of a layer is not read from the engine again.
	fs.writeFileSync(path.join(folder, 'data/model.bin'), randomBytes(60 << 20));
	await press('Build');
	await state(/^Built/).waitFor();
	await page.locator('.cost .summary', { hasText: 'must be sent to Sandbox' }).waitFor();
	await press('Push to Sandbox');
	await until(() => runs('docker save'));
	await daemon.end('SIGKILL');
	await state('The push to Sandbox failed').waitFor();
	await page.locator('.push', { hasText: 'docker stopped while it saved' }).filter({ hasText: 'colima start' }).waitFor();
	await engineIsGone();
	await engineComesBack();
	await press('Resume Push to Sandbox');
	await state(/Pushed to Sandbox: \d.* sent/).waitFor();
	await press('Push to Sandbox');
	await state('nothing was sent').waitFor();
});

step('the person’s set-up is as it was', () => {
	const config = path.join(home, '.docker/config.json');
	assert.equal(fs.readFileSync(config, 'utf8'), dockerConfig);
	assert.equal(JSON.parse(dockerConfig).currentContext, 'colima');
	assert.equal(pidOf('docker push 127.0.0.1'), undefined);
});

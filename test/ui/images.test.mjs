// The side panel of images in the packaged extension, in a real VS Code with a real Podman, real registries and a sandbox's server
// behind a link that can be cut: build, a build that fails, cancel, cost, push, resume. The tests build on each other.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';

import { openWorkbench } from '../harness/lib/workbench.mjs';
import { ACCOUNT, startRegistry, trustRegistries } from '../support/registry.mjs';
import { SlowLink } from '../support/slowLink.mjs';
import { chooseTheme, createSandbox, extensionLog, keepPicture, pidOf, runs, until, VSIX } from './support.mjs';

const MINUTES = 60_000;
const FAST = 1e9;
const HOSTILE = '<img src=x onerror=alert(1)>';
let wb, scratch, folder, sandbox, page, engine, link, target, registries, silent;
let lost;

const DOCKERFILE = `FROM scratch AS base
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
FROM base
ARG MODE=quick
LABEL note="${HOSTILE}"
COPY data /opt/model
COPY .env main.sh /app/
RUN echo "${HOSTILE} in mode $MODE" | tee /app/mode && ln -s /home/me/data /app/data
CMD ["/bin/sh", "/app/main.sh"]
`;

before(
	async () => {
		scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'b2d-images-'));
		folder = path.join(scratch, 'analysis');
		sandbox = await createSandbox(path.join(scratch, 's'), { client: false, engine: true });
		registries = await Promise.all([
			startRegistry(path.join(scratch, 'open')),
			startRegistry(path.join(scratch, 'locked'), 'password'),
		]);
		// A registry that takes calls and says nothing: there is a middle of a push to act in.
		silent = createServer(() => undefined);
		await new Promise((resolve) => silent.listen(0, '127.0.0.1', resolve));
		await trustRegistries(sandbox.engineEnv.CONTAINERS_REGISTRIES_CONF, [...registries, silent.address()]);
		fillWorkspace();
		const server = new URL(sandbox.target);
		link = await SlowLink.start(Number(server.port), FAST);
		// As one logs in without a question: a usual key, and a host that is known.
		const ssh = path.join(scratch, 'home/.ssh');
		fs.mkdirSync(ssh, { recursive: true });
		fs.copyFileSync(sandbox.identityFile, path.join(ssh, 'id_ed25519'));
		const known = fs.readFileSync(sandbox.knownHostsFile, 'utf8');
		fs.writeFileSync(path.join(ssh, 'known_hosts'), known.replaceAll(`:${server.port} `, `:${link.port} `));
		server.port = String(link.port);
		target = server.href;
		engine = path.join(scratch, 'podman');
		wb = await openWorkbench({
			folder,
			vsix: [VSIX],
			env: { HOME: path.join(scratch, 'home'), SSH_AUTH_SOCK: '', ...sandbox.engineEnv },
			settings: { 'boinc2docker.engine.command': engine, 'terminal.integrated.gpuAcceleration': 'off' },
		});
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
		await Promise.all([link?.stop(), ...(registries ?? []).map((registry) => registry.stop())]);
		await sandbox?.stop();
		fs.rmSync(scratch, { recursive: true, force: true, maxRetries: 5 });
	},
	{ timeout: MINUTES },
);
beforeEach(() => wb.reset());
afterEach((t) => keepPicture(wb, t));

/** Bytes of packs that are on their way which the server has written. */
function arriving() {
	const folder = path.join(new URL(target).pathname, 'download');
	const parts = fs.readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.part'));
	return parts.reduce((sum, name) => sum + (fs.statSync(path.join(folder, name), { throwIfNoEntry: false })?.size ?? 0), 0);
}

/** A step of the way: fails at once when an earlier one failed. */
function step(name, run) {
	test(name, async () => {
		assert.equal(lost, undefined, `the step “${lost}” failed`);
		lost = name;
		await run();
		lost = undefined;
	});
}

function fillWorkspace() {
	const file = (name, content) => {
		fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
		fs.writeFileSync(path.join(folder, name), content);
	};
	/** A large file without contents. */
	const sparse = (name, bytes) => {
		file(name, '');
		fs.truncateSync(path.join(folder, name), bytes);
	};
	file('Dockerfile', DOCKERFILE);
	file('main.sh', 'cat /app/mode\n');
	file('.env', 'PASSWORD=x\n');
	file('.dockerignore', '*.core\nportable\n');
	sparse('crash.core', 20e9);
	file('data/weights.bin', randomBytes(5 << 20));
	file('data/labels.txt', 'label\n'.repeat(200_000));
	fs.copyFileSync(sandbox.busyboxFile, path.join(folder, 'busybox'));
	file('broken/Dockerfile', 'FROM scratch\nCOPY . /\n\nCOPY absent.txt /absent.txt\n');
	file('portable/Dockerfile', 'FROM scratch\nCOPY notes.txt /notes.txt\n');
	file('portable/notes.txt', 'for any computer\n');
	sparse('portable/raw.bin', 3e9);
	file('compose.yml', 'services:\n  slow:\n    build: { context: ., dockerfile: slow.txt }\n');
	file('slow.txt', 'FROM scratch\nCOPY busybox /bin/busybox\nRUN ["/bin/busybox", "sleep", "987"]\n');
}

/** A size as people read it. */
function bytesOf(text) {
	const [, value, unit] = /([\d.]+) ([KM]?B)/.exec(text);
	return Number(value) * { B: 1, KB: 1e3, MB: 1e6 }[unit];
}

/** The row of a Dockerfile, by its folder and its name. */
const head = (folderName, file = 'Dockerfile') =>
	page
		.locator('.head')
		.filter({ has: page.locator('.title', { hasText: folderName }) })
		.filter({ has: page.locator('.file', { hasText: file }) });
const press = (label) => page.locator('vscode-button', { hasText: label }).first().click();
const pressAction = (action) => page.locator(`vscode-button[data-action="${action}"]`).click();
/** The panel finds it by itself, or is asked to: whichever comes first. */
async function engineIsFound() {
	for (const found = state(/Podman \d/); !(await found.isVisible()); await wb.page.waitForTimeout(200)) {
		await page
			.locator('vscode-button', { hasText: 'Try Again' })
			.click({ timeout: 2000 })
			.catch(() => undefined);
	}
}
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

step('the panel shows what can be built, the engine, and what a build will read', async () => {
	await wb.runCommand('BOINC: Focus on Images View');
	page = await wb.webview('.sources');
	await page.locator('.engine.bad', { hasText: 'was not found on this computer' }).waitFor();
	await unfold('analysis');
	assert.equal(await page.locator('[data-action="build"]').count(), 0);
	await keepPicture(wb, { name: 'images without an engine' });
	fs.symlinkSync('/usr/bin/podman', engine);
	await engineIsFound();
	const files = await page.locator('.head .file').allTextContents();
	assert.deepEqual(files, ['Dockerfile', 'slow (compose.yml)', 'Dockerfile', 'Dockerfile']);
	// 20 GB are left out, in words and by the builder.
	await page.locator('.context', { hasText: /^\s*8\.\d+ MB in \d+ files/ }).waitFor();
	await unfold('portable');
	await page.locator('.context', { hasText: '3.00 GB in 3 files' }).filter({ hasText: 'Write a .dockerignore' }).waitFor();
	await page.locator('.context li', { hasText: 'raw.bin' }).waitFor();
	fs.writeFileSync(path.join(folder, 'portable/.dockerignore'), 'raw.bin\n');
	await page
		.locator('.context', { hasText: 'in 3 files' })
		.filter({ hasText: 'Without what .dockerignore leaves out' })
		.waitFor();
	await unfold('analysis');
	const policy = await page.locator('meta[http-equiv]').getAttribute('content');
	assert.match(policy, /default-src 'none'; script-src 'nonce-[^']+';/);
});

step('a build shows its steps with their logs, its image, and what that costs', async () => {
	await page.locator('.options summary').click();
	await page.locator('#arg-MODE input').fill('careful');
	await page.locator('#arg-MODE input').press('Tab');
	await press('Build');
	await state(/^Built/).waitFor();
	await head('analysis').locator('.badge', { hasText: 'built' }).waitFor();
	assert.ok((await page.evaluate(() => scrollY)) > 0, 'what is built is in sight');
	const step = page.locator('.steps li', { hasText: 'in mode $MODE' });
	await step.locator('summary').click();
	await step.locator('.log', { hasText: `${HOSTILE} in mode careful` }).waitFor();
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

step('a failing build leads to the line, in the panel and as a problem', async () => {
	await unfold('broken');
	await press('Build');
	await state('The build failed').waitFor();
	await page.locator('.trouble .link', { hasText: 'Line 4' }).click();
	await wb.page.locator('.tab.active[aria-label^="Dockerfile"]').waitFor();
	await wb.page.locator('.statusbar-item', { hasText: 'Ln 4' }).waitFor();
	await wb.page.locator('.squiggly-error').first().waitFor();
	await wb.runCommand('View: Close All Editors');
});

step('Cancel stops the engine, and meanwhile another image can be built', async () => {
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

step('an engine that is gone in the middle of a build is named, and found again', async () => {
	await press('Build');
	await until(() => runs('/bin/busybox sleep 987'));
	fs.rmSync(engine);
	process.kill(pidOf('/bin/busybox sleep 987'), 'SIGKILL');
	await page.locator('.trouble', { hasText: 'cannot be started' }).waitFor();
	await page.locator('.engine.bad').waitFor();
	fs.symlinkSync('/usr/bin/podman', engine);
	await engineIsFound();
});

step('a push is cancelled by itself, is cut off in the middle, and goes on where it was', async () => {
	await unfold('analysis');
	await press('Add Server');
	await wb.type(target, { title: 'Add Server' });
	await wb.statusItem('Sandbox').waitFor();
	// Slow enough that the push outlasts what is done beside it, on a busy computer, too.
	link.mend(100_000);
	await press('Push to Sandbox');
	await page.locator('.push .rate', { hasText: /[KM]B\/s, .* left/ }).waitFor();
	await press('Push to Registry');
	await wb.type(`127.0.0.1:${silent.address().port}/analysis`, { title: 'Push Image to Registry' });
	await state(/^Pushing to 127/).waitFor();
	await pressAction('cancelRegistryPush');
	await state(/^Push cancelled$/).waitFor();
	await state('Pushing to Sandbox').waitFor();
	await pressAction('cancelPush');
	await state('What has arrived is not sent again').waitFor();
	await press('Resume Push to Sandbox');
	await page.locator('.push .rate', { hasText: /[KM]B\/s/ }).waitFor();
	// What is under way is not there yet: on a busy computer the server may not have begun to read it.
	await until(() => arriving() > 500_000);
	link.cut();
	await state('The push to Sandbox failed').waitFor();
	await keepPicture(wb, { name: 'images with a push that was cut off' });
	link.mend(FAST);
	await press('Resume Push to Sandbox');
	await state(/Pushed to Sandbox: \d.* sent/).waitFor();
	const whole = bytesOf(await page.locator('.figure', { hasText: 'A new volunteer' }).locator('.value').innerText());
	const sent = await state('Pushed to Sandbox').innerText();
	assert.ok(bytesOf(sent) < whole, `${sent}, the image has ${whole} B`);
	await page.locator('.cost .summary', { hasText: 'Sandbox has all of it' }).waitFor();
	await press('Push to Sandbox');
	await state('nothing was sent').waitFor();
});

step('an image is pushed to registries with the engine’s own login', async () => {
	const [open, locked] = registries.map(({ port }) => `127.0.0.1:${port}/team/analysis:1.0`);
	await press('Push to Registry');
	await wb.type(open, { title: 'Push Image to Registry' });
	await state(`Pushed as ${open}`).waitFor();
	assert.ok((await page.locator('.push .layers li', { hasText: 'sent' }).count()) > 0);
	await press('Push to Registry');
	await wb.type(locked, { title: 'Push Image to Registry' });
	await state(`The push to ${locked} failed`).waitFor();
	await press('Log In to 127.0.0.1');
	const terminal = wb.page.locator('.xterm-rows');
	for (const [question, answer] of [
		['Username', ACCOUNT.name],
		['Password', ACCOUNT.password],
	]) {
		await terminal.filter({ hasText: question }).waitFor();
		await wb.page.keyboard.type(`${answer}\n`);
	}
	const logins = sandbox.engineEnv.REGISTRY_AUTH_FILE;
	await until(() => fs.existsSync(logins) && fs.readFileSync(logins, 'utf8').includes(locked.split('/')[0]));
	await press('Push to Registry');
	await wb.type(locked, { title: 'Push Image to Registry' });
	await state(`Pushed as ${locked}`).waitFor();
});

step('the image runs here as it was built; without an app it is not submitted, but one can be installed', async () => {
	await press('Run Locally');
	await wb.page.locator('.xterm-rows').filter({ hasText: 'in mode careful' }).filter({ hasText: 'Exit code 0' }).waitFor();
	await press('Submit as BOINC Job');
	await wb.notification('no app for containers').waitFor();
	await press('Install App');
	await wb.quickInput.locator('.quick-input-title', { hasText: 'Install App (1/4)' }).waitFor();
	await wb.page.keyboard.press('Escape');
	await wb.runCommand('View: Hide Panel');
});

step('an image for both kinds of computers is built twice, and each can be chosen', async () => {
	await unfold('portable');
	await page.locator('#platform').click();
	await page.locator('#platform .option', { hasText: 'x86-64 and ARM64' }).click();
	await press('Build');
	await state(/^Built/).waitFor();
	for (const platform of ['arm64', 'amd64']) {
		const image = page.locator('.images label', { hasText: `portable:${platform}` });
		await image.filter({ hasText: `${platform} ·` }).click();
		await page.locator('.images .chosen', { hasText: `portable:${platform}` }).waitFor();
	}
});

step('what changes in the image is what must be sent', async () => {
	await unfold('analysis');
	fs.writeFileSync(path.join(folder, 'main.sh'), 'echo changed\n');
	await press('Build');
	await page.locator('.cost .summary', { hasText: /^\d.* must be sent to Sandbox/ }).waitFor();
	const figure = (label) => page.locator('.figure', { hasText: label }).locator('.value').innerText();
	assert.match(await figure('A new volunteer'), /MB$/);
	assert.match(await figure('With the former version'), /^\d+(\.\d+)? (B|KB)$/);
});

step('a Dockerfile that is dropped is added, anything else is refused', async () => {
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

step('everything is there again after the view was hidden and the window loaded again', async () => {
	await unfold('analysis');
	await wb.showContainer('Explorer');
	await wb.runCommand('BOINC: Focus on Images View');
	page = await wb.webview('.figures');
	await wb.page.reload();
	await wb.ready();
	await wb.runCommand('BOINC: Focus on Images View');
	page = await wb.webview('.images .chosen');
	await page.locator('.figures').waitFor();
	await state(/^Built/).waitFor();
	await state('nothing was sent').waitFor();
	await page
		.locator('.is-open')
		.filter({ has: head('analysis') })
		.waitFor();
});

step('it is moved to the panel and to the secondary side bar and back, with what is read and what runs', async () => {
	await unfold('analysis', 'slow');
	await press('Build');
	await until(() => runs('/bin/busybox sleep 987'));
	await page.locator('.steps li', { hasText: 'sleep' }).locator('summary').click();
	await page.locator('.steps li details[open] .log').waitFor();
	await unfold('analysis');
	await page.locator('.figures').waitFor();
	const warning = page.locator('.warnings details', { hasText: 'looks like a key' });
	await warning.locator('summary').click();
	await warning.locator('.names', { hasText: '.env' }).waitFor();
	await page.locator('.cost .layers').last().hover();
	await wb.page.mouse.wheel(0, 200);
	await page.waitForFunction(() => scrollY > 100);
	for (const [place, part] of [
		['New Panel Entry', 'panel'],
		['New Secondary Side Bar Entry', 'auxiliarybar'],
		['back', 'sidebar'],
	]) {
		const before = await page.evaluate(() => scrollY);
		if (place === 'back') {
			await wb.runCommand('View: Reset View Locations');
			await wb.runCommand('BOINC: Focus on Images View');
		} else {
			await wb.runCommand('View: Move View');
			await wb.pick('Images');
			await wb.pick(place);
		}
		page = await pageOver(wb.page.locator(`.part.${part}`));
		await page.locator('.warnings details[open] .names', { hasText: '.env' }).waitFor();
		await head('analysis', 'slow').locator('.badge', { hasText: 'building' }).waitFor();
		// A lower or wider view is another page: how far is compared where the place is the same.
		await page.waitForFunction(
			(was) => scrollY > 0 && (was === undefined || scrollY > 50),
			place === 'back' ? before : undefined,
		);
		await keepPicture(wb, { name: `images in the ${part}` });
	}
	assert.ok(runs('/bin/busybox sleep 987'));
	await unfold('analysis', 'slow');
	await page.locator('.steps li details[open] .log').waitFor();
	await press('Cancel Build');
	await state('Build cancelled').waitFor();
	assert.equal(runs('/bin/busybox sleep 987'), false);
});

/** The page, when it lies over that part of the window; before, it may still be the one of its last place. */
async function pageOver(part) {
	for (let turn = 0; turn < 300; turn++) {
		const found = await wb.webview('.figures');
		const element = await found.frameElement().catch(() => undefined);
		const [outer, inner] = await Promise.all([part.boundingBox(), element?.boundingBox()]);
		if (outer && inner) {
			const [x, y] = [inner.x + inner.width / 2, inner.y + inner.height / 2];
			if (outer.x < x && x < outer.x + outer.width && outer.y < y && y < outer.y + outer.height) {
				return found;
			}
		}
		await wb.page.waitForTimeout(200);
	}
	throw new Error('the view is not shown in its new place');
}

step('the keyboard goes through the panel', async () => {
	await page.locator('.head').first().focus();
	await page.locator('.head').first().press('ArrowDown');
	assert.equal(await page.evaluate(() => document.activeElement === document.querySelectorAll('.head')[1]), true);
	const second = page.locator('.head').nth(1);
	const before = await second.getAttribute('aria-expanded');
	await second.press('Enter');
	await page.waitForFunction((was) => document.querySelectorAll('.head')[1].getAttribute('aria-expanded') !== was, before);
});

step('it fits into 200 pixels and looks right in light, dark and high contrast', async () => {
	await unfold('analysis');
	await page.locator('.figures').waitFor();
	await wb.view('Jobs').locator('.pane-header').click(); // folded: the panel gets its place
	await wb.page.setViewportSize({ width: 1280, height: 1700 });
	for (const theme of ['Light Modern', 'Dark Modern', 'Dark High Contrast']) {
		await chooseTheme(wb, theme);
		await wb.quickInput.waitFor({ state: 'hidden' });
		for (const width of [800, 400, 200]) {
			await sideBarOf(width);
			const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
			assert.equal(overflow, 0, `${theme}, ${width} pixels`);
			await keepPicture(wb, { name: `images ${width} ${theme}` });
		}
	}
});

/** Makes the side bar so wide, by the sash at its edge. */
async function sideBarOf(width) {
	const { x, width: now } = await wb.page.locator('.part.sidebar').boundingBox();
	const sashes = await wb.page.locator('.monaco-sash.vertical:visible').all();
	const boxes = await Promise.all(sashes.map((sash) => sash.boundingBox()));
	const middle = (box) => box.x + box.width / 2;
	const [edge] = boxes.sort((a, b) => Math.abs(middle(a) - x - now) - Math.abs(middle(b) - x - now));
	await wb.page.mouse.move(middle(edge), edge.y + edge.height / 2);
	await wb.page.mouse.down();
	await wb.page.mouse.move(middle(edge) + width - now, edge.y + edge.height / 2, { steps: 4 });
	await wb.page.mouse.up();
	await page.waitForFunction((wanted) => Math.abs(window.innerWidth - wanted) < 30, width);
}

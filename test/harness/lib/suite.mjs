// Runs tests inside the extension host of a real VS Code.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { format } from 'node:util';
import { launchChromium } from './browser.mjs';
import { startServer, workbenchUrl } from './server.mjs';

// What the workbench itself logs between the lines of a suite.
const NOISE =
	/^(Ignoring fetching|Updating additional builtin|Creating a socket|Resolv(ing|ed) connection token|Creation of workbench contribution|Started initializing|Completed initializing|ChatSessionStore:|\[(AgentHost|AccountPolicyGate|Service Worker|reconnection-grace-time|ChatModelSelection))/;

/**
 * @param {object} options
 * @param {string} options.extensionTestsPath module with `run()`: it rejects when a test failed
 * @param {string[]} [options.extensionDevelopmentPath] folders of extensions under development
 * @param {string[]} [options.vsix] packaged extensions
 * @param {string} [options.folder] folder or .code-workspace file to open
 * @param {Record<string, string>} [options.env] environment of the extension host
 * @param {Record<string, unknown>} [options.settings] user settings
 * @param {number} [options.timeout] in ms
 * @param {boolean} [options.verbose] print the workbench's own log lines too
 * @returns {Promise<number | undefined>} 0, 1, or undefined when the suite did not end
 */
export async function runSuite({
	extensionTestsPath,
	extensionDevelopmentPath = [],
	vsix = [],
	folder,
	env = {},
	settings,
	timeout = 900_000,
	verbose = false,
}) {
	const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'vscode-suite-'));
	let server, browser;
	try {
		if (extensionDevelopmentPath.length === 0) {
			// VS Code runs tests only in a development window, so a packaged extension is tested beside an empty one.
			fs.writeFileSync(
				path.join(scratch, 'package.json'),
				JSON.stringify({ name: 'empty', publisher: 'harness', version: '0.0.0', engines: { vscode: '^1.90.0' } }),
			);
			extensionDevelopmentPath = [scratch];
		}
		server = await startServer({ vsix, env, settings });
		browser = await launchChromium();
		const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
		await context.grantPermissions(['clipboard-read', 'clipboard-write']); // vscode.env.clipboard
		const page = await context.newPage();
		page.setDefaultTimeout(120_000);
		// VS Code calls these two. The first gets what the extension host prints with console.log, as console.log gets it.
		await page.exposeFunction('codeAutomationLog', (type, args) => {
			const line = format(...args);
			if (verbose || !NOISE.test(line)) {
				(type === 'error' ? process.stderr : process.stdout).write(`${line}\n`);
			}
		});
		const ended = new Promise((resolve) => {
			void page.exposeFunction('codeAutomationExit', (code) => resolve(code));
		});
		const workspace = folder?.endsWith('.code-workspace') ? folder : undefined;
		await page.goto(
			workbenchUrl(server, { folder: workspace ? undefined : folder, workspace, extensionDevelopmentPath, extensionTestsPath }),
		);
		let timer;
		const code = await Promise.race([
			ended,
			new Promise((resolve) => {
				timer = setTimeout(resolve, timeout);
			}),
		]);
		clearTimeout(timer);
		if (code === undefined) {
			const shot = path.join(os.tmpdir(), 'vscode-suite-timeout.png');
			await page.screenshot({ path: shot });
			console.error(`the suite did not end within ${timeout / 1000} s; screenshot: ${shot}`);
		}
		return code;
	} finally {
		await browser?.close();
		await server?.stop();
		fs.rmSync(scratch, { recursive: true, force: true });
	}
}

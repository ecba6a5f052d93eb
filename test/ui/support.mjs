// Shared by the tests of the user interface.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The packaged extension: node scripts/package.mjs. */
export const VSIX = path.join(root, 'dist/boinc2docker.vsix');
export const WORKSPACE = path.join(root, 'test/fixtures/workspace');
export const SANDBOX = path.join(root, 'dist/sandbox.js');

const pictures = path.join(root, 'test/screenshots');

/** Keeps a picture of the window after a test, named after it. */
export async function keepPicture(workbench, { name }, suffix = '') {
	fs.mkdirSync(pictures, { recursive: true });
	const version = process.env.VSCODE_HARNESS_CODE_SERVER ? `-${process.env.VSCODE_HARNESS_CODE_SERVER}` : '';
	await workbench.screenshot(path.join(pictures, `${name.replace(/\W+/g, '-')}${suffix}${version}.png`));
}

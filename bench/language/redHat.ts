import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const VERSION = '2.0.0';
const INSTALL_MS = 120_000;

/**
 * Red Hat's language server for YAML, from npm, kept for the next time; `undefined` when it cannot be had. Their server for XML is a
 * program in Java that npm does not have.
 */
export async function redHatYaml(): Promise<string | undefined> {
	const cache = process.env.XDG_CACHE_HOME ?? path.join(homedir(), '.cache');
	const folder = path.join(cache, 'boinc2docker-bench', `yaml-language-server-${VERSION}`);
	const script = path.join(folder, 'node_modules/yaml-language-server/bin/yaml-language-server');
	if (!existsSync(script)) {
		await mkdir(folder, { recursive: true });
		const words = [
			'install',
			'--prefix',
			folder,
			'--ignore-scripts',
			'--no-audit',
			'--no-fund',
			'--fetch-retries=0',
			`yaml-language-server@${VERSION}`,
		];
		try {
			await promisify(execFile)('npm', words, { timeout: INSTALL_MS });
		} catch (error) {
			console.error(`yaml-language-server cannot be had from npm: ${error instanceof Error ? error.message : ''}`);
			return undefined;
		}
	}
	return script;
}

import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { numberOf, textOf } from '../database.js';
import { sqlLiteral } from '../sqlLiteral.js';
import type { Tool, ToolIo } from '../toolIo.js';
import { phpProject, withPhpDatabase } from './phpProject.js';
import { dead, type UpdateRun } from './updateRun.js';
import { readVersion } from './versionFolder.js';
import { appVersionXml, describeVersion, type VersionFile, type VersionInfo } from './versionXml.js';

/** `update_versions`: installs what is new below `apps/`. Exits with 0 in nearly all failures, as the real one. */
export const updateVersions: Tool = async (args, io) => {
	io.out('\n');
	const settings = phpProject('update_versions', io);
	for (const word of args) {
		if (word !== '--noconfirm' && word !== '--verbose') {
			throw dead(io, `unknown arg ${word}\n`);
		}
	}
	return withPhpDatabase(settings, async (database) => {
		const run: UpdateRun = {
			settings,
			database,
			io,
			confirm: !args.includes('--noconfirm'),
			verbose: args.includes('--verbose'),
			keyAllowed: false,
		};
		for (const name of await visible(settings.appDir)) {
			await app(run, name);
		}
		await writeFile(path.join(settings.root, 'reread_db'), '');
		return 0;
	});
};

async function visible(folder: string): Promise<string[]> {
	return (await readdir(folder).catch(() => [])).filter((name) => !name.startsWith('.'));
}

async function app(run: UpdateRun, name: string): Promise<void> {
	const [row] = await run.database.select('SELECT id, name FROM app WHERE name = ?', [name]);
	if (!row) {
		throw dead(run.io, `app not found: ${name}\n`);
	}
	if (run.verbose) {
		run.io.out(`App ${name}:\n`);
	}
	for (const version of await visible(path.join(run.settings.appDir, name))) {
		if (!/^\d+(\.|$)/.test(version)) {
			run.io.out(`${version} is not a version number; skipping\n`);
			continue;
		}
		if (run.verbose) {
			run.io.out(`   Version ${version}:\n`);
		}
		for (const platform of await visible(path.join(run.settings.appDir, name, version))) {
			if (run.verbose) {
				run.io.out(`      App version: ${platform}\n`);
			}
			await versionFolder(run, numberOf(row, 'id'), textOf(row, 'name'), version, platform);
		}
	}
}

/** `1.2` and `1.02` are both 102, `1.2.3` is 102, `1.100` is 200. */
function versionNumber(text: string): number {
	const [major = '0', minor = '0'] = text.split('.');
	return Number.parseInt(major, 10) * 100 + (Number.parseInt(minor, 10) || 0);
}

async function versionFolder(run: UpdateRun, appId: number, appName: string, version: string, folder: string): Promise<void> {
	const { database, io, settings } = run;
	const [platformName = '', planClass = ''] = folder.split('__');
	const [platform] = await database.select('SELECT id FROM platform WHERE name = ?', [platformName]);
	if (!platform) {
		io.out(`         no such platform: ${platformName}\n`);
		return;
	}
	const versionNum = versionNumber(version);
	const [present] = await database.select(
		'SELECT id FROM app_version WHERE appid = ? AND version_num = ? AND platformid = ? AND plan_class = ?',
		[appId, versionNum, numberOf(platform, 'id'), planClass],
	);
	if (present) {
		if (run.verbose) {
			io.out('         (already in database)\n');
		}
		return;
	}
	const found = await readVersion(run, `${appName}/${version}/${folder}`);
	const main = found && mainProgram(found, io);
	if (!found || !main) {
		return;
	}
	const apiVersion = found.apiVersion ?? (await apiVersionOf(path.join(settings.appDir, main.source)));
	if (run.confirm && !(await agreed(run, describeVersion(appName, version, folder, { ...found, apiVersion })))) {
		return;
	}
	try {
		const { insertId } = await database.execute(
			`INSERT INTO app_version (create_time, appid, version_num, platformid, xml_doc, plan_class, beta)
				VALUES (?, ?, ?, ?, ?, ?, ?)`,
			[
				Math.floor(Date.now() / 1000),
				appId,
				versionNum,
				numberOf(platform, 'id'),
				sqlLiteral(appVersionXml(settings, appName, versionNum, { ...found, apiVersion })),
				sqlLiteral(planClass),
				found.flags.includes('beta') ? 1 : 0,
			],
		);
		io.out(`    App version added successfully; ID=${insertId}\n`);
	} catch {
		io.out('    Error; app version not added\n');
	}
}

function mainProgram(found: VersionInfo, io: ToolIo): VersionFile | undefined {
	const [first, ...others] = found.files.filter(({ mainProgram: main }) => main);
	if (first && others.length === 0) {
		return first;
	}
	io.out(
		first
			? '         More than one file was marked as the main program - skipping.\n'
			: '         No file was marked as the main program - skipping.\n',
	);
	return undefined;
}

async function agreed(run: UpdateRun, description: string): Promise<boolean> {
	run.io.out(`${description}    Do you want to add this app version (y/n)? `);
	return (await run.io.line())?.trim() === 'y';
}

/** As `strings` finds it in programs that are linked with BOINC's library. */
async function apiVersionOf(file: string): Promise<string | undefined> {
	const bytes = await readFile(file);
	return /API_VERSION_(\d+\.\d+\.\d+)/.exec(bytes.toString('latin1'))?.[1];
}
